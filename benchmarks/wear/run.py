"""What a day of 5,000 vehicles writes to the memory card: the real store and outbox, beside other settings.

    python -m benchmarks.wear.run
    make bench-wear                 the table into docs/reliability.md

As root with a loop device: the bytes that reach the block device of an ext4, from the kernel's own count.
Without: the bytes that SQLite hands to the system, a lower bound, since the file system adds its own; the
table says which. A day is run through as fast as it goes; each commit is synced as in a sign, so no two
become one.
Exit 1 when the sign's own settings write more than 60 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.loop_card import NoCard, loop_card
from benchmarks.power_cuts.writer import SIGN, with_settings
from benchmarks.telemetry_page import machine, write_between
from benchmarks.wear import day
from telemetry.store import SqliteStore
from tests.power.vfs import noted_files

ROOT = Path(__file__).parents[2]
GATE_MB = 60.0
OWN = ("WAL", "FULL", "400", "1024")  # journal, synchronous, pages before a checkpoint, bytes of a page
SETTINGS = {
    "the sign's own: WAL, FULL, pages of 1,024 bytes, 400 of them before a checkpoint": OWN,
    "WAL, FULL, 4,096 bytes, 100 pages": ("WAL", "FULL", "100", "4096"),
    "WAL, FULL, 4,096 bytes, 1,000 pages: what WAL has by itself": ("WAL", "FULL", "1000", "4096"),
    "DELETE, FULL, 4,096 bytes: what Python has by itself, and loses the last commit": (
        *("DELETE", "FULL", "400", "4096"),
    ),
}


def one(settings: tuple[str, ...], *, device: bool) -> dict[str, float]:
    """A day with these settings, in this process: MB written, commits' writes, MB that had to be kept."""
    if settings != OWN:
        with_settings(*settings)
    return _on_device() if device else _handed_over()


def _on_device() -> dict[str, float]:
    with loop_card() as card:
        rng = random.Random(8)
        with contextlib.closing(SqliteStore(card.folder / "sign.db", SIGN, vehicles=True)) as store:
            day.history(store, rng)
            os.sync()
            before, writes = card.written_bytes(), card.writes()
            day.run_day(store, rng)
            os.sync()
            mb = (card.written_bytes() - before) / 1e6
            return {"mb": mb, "writes": card.writes() - writes, "floor_mb": day.payload_bytes(store) / 1e6}


def _handed_over() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name, noted_files(syncs=False, keep=False) as noted:
        rng = random.Random(8)
        with contextlib.closing(SqliteStore(Path(name, "sign.db"), SIGN, vehicles=True)) as store:
            day.history(store, rng)
            noted.keep = True
            day.run_day(store, rng)
            writes = [len(change.data) for change in noted.changes if change.what == "write"]
            return {
                "mb": sum(writes) / 1e6,
                "writes": len(writes),
                "floor_mb": day.payload_bytes(store) / 1e6,
            }


def apart(settings: tuple[str, ...], *, device: bool) -> dict[str, float]:
    """The same in a process of its own: settings are put in once for each."""
    words = [
        sys.executable,
        "-m",
        "benchmarks.wear.run",
        "--one",
        *settings,
        *(["--device"] if device else []),
    ]
    done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _row(name: str, mb: float, writes: str = "") -> str:
    return f"| {name} | {mb:.1f} | {mb * 1e6 / 1024 / day.VEHICLES:.1f} | {writes} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--device", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="the table into docs/reliability.md")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(tuple(args.one), device=args.device)))
        return 0
    try:
        with loop_card(64):
            device, what = True, "bytes that reached the block device (ext4, noatime)"
    except NoCard as error:
        device, what = False, f"bytes handed to the system, a lower bound ({error})"
    found = {name: apart(settings, device=device) for name, settings in SETTINGS.items()}
    own = next(iter(found.values()))
    lines = [
        f"{machine()}; {day.VEHICLES:,} vehicles, single ones sent too, a month in the file; {what}:",
        "",
        "| Settings | MB a day | KiB a vehicle | writes |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [_row(name, cost["mb"], f"{cost['writes']:,.0f}") for name, cost in found.items()]
    lines.append(_row("the floor: what has to be kept, each byte once", own["floor_mb"]))
    print("\n".join(lines))
    if args.write:
        write_between("wear", "\n".join(lines), "reliability")
    return 0 if own["mb"] <= GATE_MB else 1


if __name__ == "__main__":
    sys.exit(main())
