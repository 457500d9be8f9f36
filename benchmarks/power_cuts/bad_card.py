"""A card that dies under a running sign, and one with cells that cannot be read: errors of the device itself.

    python -m benchmarks.power_cuts.bad_card
    make bad-card

Root and a loop device are needed (exit 2 without). The card is an ext4 in memory. Three deaths:

- no write arrives any more: the memory below the card is used up, so the device refuses new blocks (EIO);
- it is gone in the middle of everything: the file system is shut down under the sign;
- at the start the database cannot be read: the device ends before its first block.

The daemon is the real one on ptys. Each time the display has to be under control and lit, the process has to
stay, the fault has to be told; after it, with a good card, everything that was stored has to be there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from benchmarks.loop_card import LoopCard, NoCard, loop_card
from telemetry.query import vehicles_since
from tests.power.test_damaged import filled
from tests.support import until
from tests.wires.rig import Rig

CARD_MB, BELOW_MB = 64, 72
STREET = [(0.0, 0, 47.0, "car"), (9.0, 0, 56.0, "car")]
_FILLER_MB = 40  # so that the database comes to stand behind what the file system needs for itself


class OnCard(Rig):
    """A sign whose database alone is on the card."""

    def __init__(self, folder: Path, card: Path) -> None:
        super().__init__(folder, STREET)
        text = self._config.read_text().replace(f"{self.database}", f"{card}/sign.db")
        self._config.write_text(text)
        self.database = card / "sign.db"

    def runs(self) -> bool:
        return self._daemon is not None and self._daemon.returncode is None


async def writes_fail(folder: Path, card: LoopCard) -> str:
    return await _dies(folder, card, _no_memory_below(card))


async def it_goes(folder: Path, card: LoopCard) -> str:
    return await _dies(folder, card, _gone(card))


async def _dies(folder: Path, card: LoopCard, death: contextlib.AbstractContextManager[None]) -> str:
    """The card dies while numbers are shown, and is good again at the end."""
    async with OnCard(folder, card.folder) as rig:
        await rig.panel_shows(44, 48)
        before = len(await rig.kept(1))
        with death:
            await rig.panel_shows(53, 57)
            await _told(rig)
            await rig.passed(2)
            await rig.panel_dark()
            assert rig.runs()
            await rig.stop()
    _again(card)
    assert len(vehicles_since(rig.database, 0)) >= before
    return _fault(rig)


async def reads_fail(folder: Path, card: LoopCard) -> str:
    filler = card.folder / "filler"
    filler.write_bytes(bytes(_FILLER_MB << 20))
    os.sync()  # now it has its place
    filled(card.folder / "sign.db", vehicles=2000)
    filler.unlink()
    first = _first_byte(card.folder / "sign.db")
    card.unmount()
    _end_at(card, first)
    card.mount()
    async with OnCard(folder, card.folder) as rig:
        await rig.panel_shows(44, 48)
        await _told(rig)
        await rig.kept(1)
        assert rig.runs()
    assert (card.folder / "sign.db.damaged-1").exists()
    return _fault(rig)


# --------------------------------------------------------------------------- the card


@contextlib.contextmanager
def _no_memory_below(card: LoopCard) -> Iterator[None]:
    """The file behind the device has holes, and nothing is left to fill them with."""
    filler = _image(card).with_name("filler")
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def _gone(card: LoopCard) -> Iterator[None]:
    card.cut()
    yield


def _image(card: LoopCard) -> Path:
    return Path(Path("/sys/block", Path(card.device).name, "loop/backing_file").read_text().strip())


def _end_at(card: LoopCard, byte: int) -> None:
    """The device says that it is as long as before, and answers reads beyond with EIO."""
    with _image(card).open("r+b") as file:
        file.truncate(byte)
    Path("/proc/sys/vm/drop_caches").write_text("3")


def _first_byte(path: Path) -> int:
    """Where the file begins on its device."""
    command = ["filefrag", "-v", "-b1", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    places = re.findall(r"^ *\d+: +\d+\.\. *\d+: +(\d+)\.\.", said, re.MULTILINE)
    return min(map(int, places))


def _again(card: LoopCard) -> None:
    card.unmount()
    card.mount()


async def _told(rig: Rig) -> None:
    await until(lambda: _faults(rig), 20.0, "a fault of the store")


def _fault(rig: Rig) -> str:
    return _faults(rig)[0]


def _faults(rig: Rig) -> list[str]:
    lines = rig.log.read_text().splitlines()
    return [line.partition("fault: ")[2] for line in lines if "fault: " in line and "sign.db" in line]


# --------------------------------------------------------------------------- all of them

DEATHS: dict[str, Callable[[Path, LoopCard], Coroutine[Any, Any, str]]] = {
    "no write arrives any more": writes_fail,
    "the card is gone": it_goes,
    "the database cannot be read": reads_fail,
}


def main() -> int:
    bad = 0
    for name, death in DEATHS.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                with loop_card(CARD_MB, memory_mb=BELOW_MB) as card:
                    told = asyncio.run(death(Path(folder), card))
            except NoCard as error:
                print(f"a card cannot be broken here: {error}", file=sys.stderr)
                return 2
            except (AssertionError, TimeoutError) as error:
                log = Path(folder, "sign.log")
                print(f"{name}: FAILED: {error}\n{log.read_text()[-2000:] if log.exists() else ''}")
                bad += 1
            else:
                print(f"{name}: lit, and it goes on; fault: {told}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
