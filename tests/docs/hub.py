"""A hub's database as the documents show it: one sign that is well, one that was lost three hours ago.

Times are those of the machine that records: ages are what the documents are about.
"""

from __future__ import annotations

import random
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Installation, Interval
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.message.messages import Identity
from telemetry.rows import to_ms
from tests.docs.study import BAUSKA, IECAVA

EPOCHS = {BAUSKA.sign: "8f2c61d09a4e7b35", IECAVA.sign: "41b7e90c2d5f8a66"}
QUARTER = timedelta(minutes=15)
DAY = 96
MISSING = 12  # messages that the second sign has sent to nobody


def make_hub(path: Path) -> None:
    """Two days of two signs, up to half an hour ago and up to three hours ago."""
    now = datetime.now(UTC)
    last = now - timedelta(minutes=20)
    last = last.replace(minute=last.minute - last.minute % 15, second=0, microsecond=0)
    chance = random.Random(3)
    with closing(SqliteHubStore(path)) as store:
        for site, until, gone in ((BAUSKA, last, False), (IECAVA, last - timedelta(hours=3), True)):
            voice = _Voice(
                site.sign, site.installation, to_ms(now - timedelta(hours=3 if gone else 0, minutes=5))
            )
            store.take(voice.greets(until - 2 * DAY * QUARTER))
            starts = [until - n * QUARTER for n in range(2 * DAY, 0, -1)]
            store.take([voice.counts(start, chance) for start in starts[:-1]])
            if gone:
                voice.seq += MISSING
            store.take([voice.counts(starts[-1], chance), voice.is_well(well=not gone)])
            if gone:
                store.take([voice.says("state", messages.state(messages.LOST, 7))])


class _Voice:
    """What one sign says."""

    def __init__(self, sign: str, facts: Installation, at_ms: int) -> None:
        self.who = Identity(sign, "0.1.0", "ops243", "dm56a04", "5d1c0e")
        self.facts, self.at_ms, self.epoch, self.seq = facts, at_ms, EPOCHS[sign], 0

    def says(self, kind: str, body: dict[str, object]) -> Heard:
        return Heard(self.who.sign, kind, messages.encode(body), self.at_ms)

    def named(self, kind: str, body: dict[str, object]) -> Heard:
        self.seq += 1
        payload = messages.named(messages.encode(body), kind, self.who.sign, self.epoch, self.seq)
        return Heard(self.who.sign, kind, payload, self.at_ms)

    def greets(self, begins: datetime) -> list[Heard]:
        return [
            self.says("birth", messages.birth(self.who, self.epoch, 7, 1, self.facts)),
            self.says("state", messages.state(messages.ON, 7)),
            self.named("place", messages.place(1, to_ms(begins) // 1000, self.facts)),
        ]

    def counts(self, start: datetime, chance: random.Random) -> Heard:
        cells = tuple(
            Cell(
                direction,
                DisplayState.SHOWN,
                {chance.randint(38, 66): chance.randint(1, 9) for _ in range(6)},
            )
            for direction in (Direction.APPROACHING, Direction.RECEDING)
        )
        return self.named(
            "agg", messages.aggregate(Interval(start, 900, 899.2, ClockQuality.OK, 1, 1, cells))
        )

    def is_well(self, *, well: bool) -> Heard:
        body = {
            "at": self.at_ms // 1000,
            "clk": "ok",
            "queue": {"agg": 0 if well else 2},
            "machine": {"temp_c": 41.8, "disk_free": 0.82},
            "faults": [] if well else ["radar/silent"],
        }
        return self.says("health", messages.health(self.who, self.epoch, 7, body))
