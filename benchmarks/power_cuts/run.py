"""Cut the power of a real ext4 while the sign's store writes to it: what was stored and is gone?

    python -m benchmarks.power_cuts.run --cuts 200
    python -m benchmarks.power_cuts.run --settings WAL NORMAL     other settings: loses, and says so (exit 1)
    make power-cuts                                               200 cuts, the line into docs/reliability.md

Root and a loop device are needed (exit 2 without). The card is ext4 on a loop device in memory; the cut is
EXT4_IOC_SHUTDOWN without flushing its journal: what has not reached the device by then never does. After each
cut the file is opened by the sign's own code and goes on from what was left.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loop_card import LoopCard, NoCard, loop_card
from benchmarks.power_cuts.writer import SIGN, speed_of
from benchmarks.telemetry_page import machine, write_between
from telemetry.store import SqliteStore, open_or_replace
from tests.telemetry.samples import T0

ROOT = Path(__file__).parents[2]
MOST = 300  # vehicles before a cut


@dataclass(slots=True)
class Verdict:
    cuts: int = 0
    stored: int = 0  # vehicles that were taken for stored
    lossy: int = 0  # cuts that lost one
    lost: int = 0  # vehicles
    damaged: int = 0  # files that were not whole
    wrong: int = 0  # counts or messages that do not fit the vehicles

    @property
    def good(self) -> bool:
        return self.cuts > 0 and not (self.lossy or self.damaged or self.wrong)


def cut_once(card: LoopCard, rng: random.Random, settings: Sequence[str], verdict: Verdict) -> None:
    path = card.folder / "sign.db"
    before = _kept(path)
    stored, retired = _written_until(card, path, before + rng.randint(1, MOST), rng, settings)
    card.unmount()
    card.mount()
    verdict.cuts += 1
    verdict.stored += stored - before
    store, fault = open_or_replace(path, SIGN, at_utc=T0, vehicles=True)
    with contextlib.closing(store):
        whole = store._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        verdict.damaged += fault is not None or not whole
        kept = store._db.execute("SELECT count(*) FROM vehicle").fetchone()[0]
        verdict.lossy += kept < stored
        verdict.lost += max(stored - kept, 0)
        verdict.wrong += not _fits(store, kept, retired)


def _kept(path: Path) -> int:
    if not path.exists():
        return 0
    with contextlib.closing(SqliteStore(path, SIGN, vehicles=True)) as store:
        found: int = store._db.execute("SELECT count(*) FROM vehicle").fetchone()[0]
        return found


def _written_until(
    card: LoopCard, path: Path, number: int, rng: random.Random, settings: Sequence[str]
) -> tuple[int, int]:
    """Let the writer get that far, cut; vehicles and messages that it had said to be stored before the cut.

    What it says after that counts for nothing: with its power it would be gone too, and a sync that runs
    while the file system is shut down can come back as done.
    """
    command = [sys.executable, "-m", "benchmarks.power_cuts.writer", str(path), *settings]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
        assert writer.stdout is not None
        said = b""
        while _last(said)[0] < number:
            said = said[-40:] + os.read(writer.stdout.fileno(), 1 << 16)
        time.sleep(rng.random() * 0.004)  # anywhere in what it does next
        os.set_blocking(writer.stdout.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            said = said[-40:] + os.read(writer.stdout.fileno(), 1 << 16)
        card.cut()
        writer.kill()
    return _last(said)


def _last(said: bytes) -> tuple[int, int]:
    """The last whole line's numbers."""
    lines = said.split(b"\n")[:-1]
    stored, retired = lines[-1].split() if lines else (b"0", b"0")
    return int(stored), int(retired)


def _fits(store: SqliteStore, kept: int, retired: int) -> bool:
    """Each vehicle is itself and counted once; each message waits or was acknowledged."""
    db = store._db
    speeds = [row[0] for row in db.execute("SELECT speed_kmh FROM vehicle ORDER BY id")]
    counted = db.execute("SELECT coalesce(sum(length(speeds)), 0) FROM cell").fetchone()[0]
    measured = db.execute("SELECT coalesce(sum(measured_s), 0) FROM interval").fetchone()[0]
    waiting = {row.seq for row in store.pending(100_000)}
    highest = db.execute(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'"
    ).fetchone()[0]
    lowest = min(waiting, default=highest + 1)
    return (
        speeds == [speed_of(number) for number in range(kept)]
        and counted == kept
        and round(measured) == 20 * kept
        and waiting == set(range(lowest, highest + 1))
        and lowest <= retired + 3  # nothing went but what was acknowledged, or was just about to be
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--settings", nargs=2, metavar=("JOURNAL", "SYNCHRONOUS"), default=("own", "own"))
    parser.add_argument("--write", action="store_true", help="the line into docs/reliability.md")
    args = parser.parse_args()
    rng, verdict = random.Random(args.seed), Verdict()
    began_s = time.monotonic()
    try:
        with loop_card() as card:
            for _ in range(args.cuts):
                cut_once(card, rng, args.settings, verdict)
    except NoCard as error:
        print(f"the power of a real file system cannot be cut here: {error}", file=sys.stderr)
        return 2
    name = "the sign's own settings" if args.settings[0] == "own" else "/".join(args.settings)
    text = (
        f"{name}, seed {args.seed}: {verdict.cuts} cuts, {verdict.stored:,} vehicles stored,"
        f" {verdict.lost} lost (in {verdict.lossy} cuts), {verdict.damaged} files damaged,"
        f" {verdict.wrong} with counts or messages that do not fit; {time.monotonic() - began_s:.0f} s"
    )
    print(text)
    if args.write:
        write_between("power cuts", f"{machine()}: {text}.", "reliability")
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
