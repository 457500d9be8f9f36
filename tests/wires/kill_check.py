"""What a hub's database holds, beside what its sign committed: by content, each event once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.wires.kill_events import read_side_file

# An interval by what it says: its start, length, coverage, clock and counts.
_INTERVALS = """
    SELECT interval.id, start_s, duration_s, round(measured_s, 3), clock FROM interval
    JOIN installation ON installation.id = installation_id
    WHERE state = 'closed' AND origin = 'measured' ORDER BY start_s"""
_CELLS = "SELECT direction, display, speeds, suspects FROM cell WHERE interval_id = ? ORDER BY 1, 2"
_VEHICLES = "SELECT last_ms, direction, round(speed_kmh, 1), display FROM vehicle"


@dataclass(frozen=True, slots=True)
class Held:
    """Events of a database, as often as they are in it."""

    intervals: Counter[tuple[Any, ...]]
    vehicles: Counter[tuple[Any, ...]]

    @property
    def n(self) -> int:
        return self.intervals.total() + self.vehicles.total()


def held(path: Path) -> Held:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        intervals = Counter(
            (*rest, tuple(db.execute(_CELLS, (number,)).fetchall()))
            for number, *rest in db.execute(_INTERVALS)
        )
        return Held(intervals, Counter(db.execute(_VEHICLES)))


@dataclass(frozen=True, slots=True)
class Source:
    """A sign's database as the hub knows it."""

    epoch: str
    up_to: int
    spans: tuple[tuple[int, int], ...]
    received: int
    duplicates: int


def sources(hub: Path) -> list[Source]:
    with contextlib.closing(sqlite3.connect(f"file:{hub}?mode=ro", uri=True)) as db:
        return [
            Source(
                epoch,
                up_to,
                tuple(
                    db.execute(
                        "SELECT first_seq, last_seq FROM span WHERE source_id = ? ORDER BY 1", (number,)
                    ).fetchall()
                ),
                received,
                duplicates,
            )
            for number, epoch, up_to, received, duplicates in db.execute(
                "SELECT id, epoch, up_to, received, duplicates FROM source ORDER BY id"
            )
        ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sign's events against the hub's."""

    events: int  # that the sign has committed
    lost: int  # of these, not at the hub
    twice: int  # at the hub more often than at the sign
    foreign: int  # at the hub and nowhere else
    uncommitted: int  # told by the side file, not in the sign's own database
    unordered: int  # seqs that the hub misses, so that the order has a hole
    messages: int  # rows of the outbox there were
    sent: int  # and how often one went to the broker
    duplicates: int  # that reached the hub again

    @property
    def times_sent(self) -> float:
        return self.sent / self.messages if self.messages else 0.0

    @property
    def good(self) -> bool:
        return not (self.lost or self.twice or self.foreign or self.uncommitted or self.unordered)


def judge(folder: Path, *, own: Held | None = None) -> Verdict:
    """Of the files that a run left; `own`: what should be at the hub, if not what the sign's file has."""
    mine, theirs = own or held(folder / "sign.db"), held(folder / "hub.db")
    side = read_side_file(folder / "side.jsonl")
    kept = {row[0] for row in mine.intervals}, {row[0] // 1000 for row in mine.vehicles}
    sent = (folder / "sent.log").read_text().splitlines()
    known = sources(folder / "hub.db")
    return Verdict(
        events=mine.n,
        lost=_less(mine.intervals, theirs.intervals) + _less(mine.vehicles, theirs.vehicles),
        twice=sum(
            n - of[event]
            for found, of in ((theirs.intervals, mine.intervals), (theirs.vehicles, mine.vehicles))
            for event, n in found.items()
            if 0 < of[event] < n
        ),
        foreign=sum(
            n
            for found, of in ((theirs.intervals, mine.intervals), (theirs.vehicles, mine.vehicles))
            for event, n in found.items()
            if not of[event]
        ),
        uncommitted=len(side["interval"] - kept[0]) + len(side["vehicle"] - kept[1]),
        unordered=sum(len(_holes(source)) for source in known),
        messages=len(set(sent)),
        sent=len(sent),
        duplicates=sum(source.duplicates for source in known),
    )


def _less(wanted: Counter[tuple[Any, ...]], found: Counter[tuple[Any, ...]]) -> int:
    return (wanted - found).total()


def _holes(source: Source) -> list[int]:
    """Seqs between up_to and the highest that came which never came themselves."""
    holes: list[int] = []
    after = source.up_to
    for first, last in source.spans:
        holes.extend(range(after + 1, first))
        after = last
    return holes
