"""Every moment at which the power can go, and what the sign's own opening code finds afterwards.

A run of the store (tests.power.course) is noted change by change; for a cut after each change several cards
are made (tests.power.card), opened as the sign opens them, and compared with what was promised by then: the
content has to be exactly that after the last finished step, or after the one that was under way.

The idea is SQLite's own crash tests (sqlite.org/testing.html, 3.3) and FoundationDB's simulated disks.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speedsign.errors import StoreError
from tests.power.card import Card, Disk
from tests.power.course import Course, content, opened
from tests.power.vfs import Change, noted_files

NAME = "sign.db"
_MEMORY = Path("/dev/shm")
_SHM_BYTES = 32_768


@dataclass(slots=True)
class Verdict:
    """What came of all cuts. A state is a moment and one card that can be found after it."""

    cuts: int = 0
    states: int = 0
    opened: int = 0  # of the states; the others held the same bytes as one before
    lost: int = 0  # a finished step is not there
    corrupt: int = 0  # found damaged, refused, or bad to the integrity check
    torn: int = 0  # half a step is there
    worst: int = 0  # so many steps were lost at once

    @property
    def good(self) -> bool:
        return self.states > 0 and not (self.lost or self.corrupt or self.torn)


@dataclass(frozen=True, slots=True)
class _Found:
    content: str  # "": it could not be opened, or is damaged
    boot: int = 0


def try_cuts(vehicles: int, seed: int, *, every: int = 1) -> Verdict:
    """Run the store once, cut it after each change (`every` 10: after one in ten), judge what is left."""
    with _folder() as folder:
        with noted_files(syncs=False) as noted:
            course = Course(folder / NAME, noted, vehicles, seed)
            course.run()
        return _judged(folder / "cut", course, noted.changes, random.Random(seed), every)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """In memory where there is such a place: each card is written out, and none is for keeping."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        yield Path(name)


def _judged(folder: Path, course: Course, changes: list[Change], rng: random.Random, every: int) -> Verdict:
    verdict, card, done = Verdict(), Card(), -1
    known: dict[int, _Found] = {}
    for number, change in enumerate(changes):
        if change.what == "ack":
            done = change.offset
            continue
        card.take(change)
        if number % every:
            continue
        verdict.cuts += 1
        for digest, disk in {_digest(disk): disk for disk in card.images(rng)}.items():
            verdict.states += 1
            if digest not in known:
                verdict.opened += 1
                known[digest] = _find(folder, disk, rng)
            _judge(verdict, course, done, known[digest])
    return verdict


def _digest(disk: Disk) -> int:
    """64 bits are enough to tell some thousands of cards apart, and Python's own are the quickest."""
    return hash(tuple((name, hash(disk[name])) for name in sorted(disk)))


def _find(folder: Path, disk: Disk, rng: random.Random) -> _Found:
    """Switch the sign on with this card."""
    folder.mkdir()
    try:
        for name, data in disk.items():
            (folder / name).write_bytes(data)
        if rng.random() < 0.25:  # the index of the log is never synced: anything can be in it
            (folder / f"{NAME}-shm").write_bytes(rng.randbytes(_SHM_BYTES))
        return _opened(folder / NAME)
    finally:
        shutil.rmtree(folder)


def _opened(path: Path) -> _Found:
    try:
        store, damaged = opened(path)
    except StoreError:
        return _Found("")
    with contextlib.closing(store):
        sound = store._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return _Found(content(store._db), store.boot) if sound and not damaged else _Found("")


def _judge(verdict: Verdict, course: Course, done: int, found: _Found) -> None:
    if not found.content:
        verdict.corrupt += 1
    elif done < 0:
        return  # nothing was promised yet, but for a file that opens
    elif found.content not in course.contents[done : done + 2]:
        earlier = [n for n, one in enumerate(course.contents[:done]) if one == found.content]
        if earlier:
            verdict.lost += 1
            verdict.worst = max(verdict.worst, done - earlier[-1])
        else:
            verdict.torn += 1
    elif found.boot <= course.boots[done]:
        verdict.lost += 1
