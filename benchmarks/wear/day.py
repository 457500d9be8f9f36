"""A day of a sign's store: 5,000 vehicles by the hour, coverage, closings, sending, pruning."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from speedsign.daemon import FLUSH_COVERAGE_S
from speedsign.model import Direction
from telemetry.message.messages import Ack
from telemetry.outbox.outbox import RetireOn
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed

VEHICLES = 5_000
KEEP_DAYS = 30
DAY = timedelta(days=1)
BEGIN = T0.replace(hour=0)
# Of a day's vehicles in each hour, per mille: a road into a town.
_BY_HOUR = (6, 4, 3, 3, 5, 15, 45, 78, 72, 56, 52, 54, 56, 57, 58, 64, 76, 80, 66, 50, 38, 28, 20, 14)
_AT_ONCE = 8  # messages that are under way


def moments(day: datetime, rng: random.Random) -> list[datetime]:
    """When the vehicles of a day pass."""
    hours = rng.choices(range(24), _BY_HOUR, k=VEHICLES)
    return sorted(day + timedelta(hours=hour, seconds=rng.random() * 3600) for hour in hours)


def history(store: SqliteStore, rng: random.Random) -> None:
    """The days before, so that the file is as large as it is after a month, and is pruned as then."""
    store.begin(BAUSKA, BEGIN - KEEP_DAYS * DAY)
    store.prepare(RetireOn.HUB)
    for back in range(KEEP_DAYS + 1, 0, -1):
        day = BEGIN - back * DAY
        with store.transaction():
            for at in moments(day, rng):
                _pass(store, at, rng)
            store.close_intervals(day + DAY, day)
    _send(store)


def run_day(store: SqliteStore, rng: random.Random) -> None:
    """What the daemon and the publisher ask of the store in a day, in its order."""
    last = BEGIN
    vehicles = [(at, False) for at in moments(BEGIN, rng)]
    closings = [(BEGIN + n * QUARTER, True) for n in range(1, 97)]
    for at, closes in sorted(vehicles + closings):
        last = _quiet(store, last, at)
        if not closes:
            _pass(store, at, rng)
            last = at
            continue
        store.close_intervals(at, BEGIN)
        if at == BEGIN + QUARTER:
            store.prune(BEGIN - KEEP_DAYS * DAY)
        _send(store)


def _pass(store: SqliteStore, at: datetime, rng: random.Random) -> None:
    direction = rng.choice((Direction.APPROACHING, Direction.RECEDING))
    speed = min(max(rng.gauss(52, 8), 15), 120)
    store.add_vehicle(passed(speed, at, direction=direction), [measured(at, 5.0)])


def _quiet(store: SqliteStore, last: datetime, until: datetime) -> datetime:
    """Coverage is written once a minute where no vehicle takes it along."""
    for at in _minutes(last, until):
        store.add_coverage([measured(at, FLUSH_COVERAGE_S)])
        last = at
    return last


def _minutes(last: datetime, until: datetime) -> Iterator[datetime]:
    while (last := last + timedelta(seconds=FLUSH_COVERAGE_S)) < until:
        yield last


def _send(store: SqliteStore) -> None:
    """A message a second, each acknowledged by the hub before the next: nobody is kinder to batches."""
    while rows := store.take((), _AT_ONCE).rows:
        for row in rows:
            store.acknowledged(Ack(store.epoch, 0, ((row.seq, row.seq),)))


def payload_bytes(store: SqliteStore) -> int:
    """What of a day has to be kept: the columns of its vehicles, its cells, and the messages made of them."""
    db = store._db
    columns = [row[1] for row in db.execute("PRAGMA table_info(vehicle)")]
    size = " + ".join(f"CASE typeof({name}) WHEN 'text' THEN length({name}) ELSE 8 END" for name in columns)
    begin_s = int(BEGIN.timestamp())
    vehicles = db.execute(
        f"SELECT sum({size}) FROM vehicle WHERE last_ms >= ?", (begin_s * 1000,)
    ).fetchone()[0]
    cells = db.execute(
        "SELECT sum(length(speeds) + length(suspects) + 24)"
        " FROM cell JOIN interval ON interval_id = interval.id WHERE start_s >= ?",
        (begin_s,),
    ).fetchone()[0]
    return int(vehicles + cells)
