"""A full outbox: in which order and how long it drains at the default pace, and what each step costs.

    python -m benchmarks.backlog.run               90 days drained on virtual time, 400 days asked
    python -m benchmarks.backlog.run --days 5      a short look

A real store on a real file; broker and hub are in memory, so that days pass in seconds. With the real ones:
benchmarks.backlog_wires.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.telemetry_page import machine
from benchmarks.wire_bytes.day import PLACE, QUARTERS, T0, coverage_of, start_of, vehicles_of
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.config.schema import MqttConfig
from telemetry.message.messages import Ack, Identity
from telemetry.outbox.publisher import Publisher, PublisherSettings
from telemetry.recorder import InlineRecorder
from telemetry.store import SqliteStore
from tests.telemetry.memory_broker import Hub, MemoryPort

SIGN = "bauska-3"
ROUNDS = 200
QUOTA_MB = 10_000.0

Bodies = list[tuple[str, bytes]]


def one_day(folder: Path) -> Bodies:
    """The messages of a day of 5,000 vehicles, in the order in which they are put."""
    rng = random.Random(7)
    with contextlib.closing(SqliteStore(folder / "day.db", SIGN, vehicles=True)) as store:
        store._db.execute("PRAGMA synchronous = OFF")
        store.begin(PLACE, T0)
        for quarter in range(QUARTERS):
            with store.transaction():
                for record in vehicles_of(quarter):
                    store.add_vehicle(record, [])
                store.add_coverage(coverage_of(quarter, rng))
                store.close_intervals(start_of(quarter + 1), T0)
        rows = sorted(store.pending(10_000), key=lambda row: row.seq)
    return [(row.kind, row.body) for row in rows if row.kind != "place"]


def fill(path: Path, day: Bodies, days: int) -> SqliteStore:
    """A store with so many days of messages that nobody took."""
    store = SqliteStore(path, SIGN, vehicles=True, quota_mb=QUOTA_MB)
    store.begin(PLACE, T0)
    for _ in range(days):
        with store.transaction():
            for kind, body in day:
                store.put_message(kind, body)
    return store


# ----------------------------------------------------------------------- draining


@dataclass(frozen=True, slots=True)
class Drained:
    """What came of a backlog."""

    messages: int
    hours: float
    payload_mb: float
    sent: int
    aggregates_s: float  # until the last of them was there
    disorder: int  # neighbours of which the older came first, and aggregates after vehicles
    left: int


async def drain(store: SqliteStore) -> Drained:
    clock = VirtualClock(asyncio.get_running_loop(), T0)
    port = MemoryPort()
    Hub(port)
    settings = PublisherSettings.of(MqttConfig(host="broker"), 60.0)
    publisher = Publisher(port, InlineRecorder(store), Identity(SIGN, "bench"), settings, clock=clock)
    waiting, began_s = store.pending_count(), clock.monotonic()
    running = asyncio.create_task(publisher.run())
    await asyncio.sleep(0.1)
    port.up()
    last_aggregate_s = 0.0
    while store.pending_count():
        await asyncio.sleep(1)
        if store.waiting().rows.get("agg"):
            last_aggregate_s = clock.monotonic() - began_s
    took_s = clock.monotonic() - began_s
    running.cancel()
    await asyncio.wait([running])
    rows = [(topic, payload) for topic, payload, _ in port.sent if topic.endswith(("/agg", "/raw", "/place"))]
    return Drained(
        waiting,
        took_s / 3600,
        sum(len(payload) for _, payload in rows) / 1e6,
        len(rows),
        last_aggregate_s,
        disorder(port.words(), [topic.rsplit("/", 1)[1] for topic, _, _ in port.sent]),
        store.pending_count(),
    )


def disorder(words: list[str | int], kinds: list[str]) -> int:
    rows = [(kind, word) for word, kind in zip(words, kinds, strict=True) if kind in ("agg", "raw")]
    return sum(
        (one == other and int(first) < int(second)) or (one, other) == ("raw", "agg")
        for (one, first), (other, second) in itertools.pairwise(rows)
    )


# ----------------------------------------------------------------------- what a step costs


def cost_ms(step: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of so many."""
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return statistics.median(times) * 1000


def costs(folder: Path, day: Bodies, days: int) -> dict[str, float]:
    """Of each thing that is done with a full outbox; the floor is a commit of one row in the same file."""
    path = folder / f"{days}.db"
    with contextlib.closing(fill(path, day, days)) as store:
        found = {"messages": float(store.pending_count()), "MB": store.waiting().size_bytes / 1e6}
    before = time.perf_counter()
    store = SqliteStore(path, SIGN, vehicles=True, quota_mb=QUOTA_MB)
    found["open ms"] = (time.perf_counter() - before) * 1000
    at = itertools.count(1)
    with contextlib.closing(store):
        db = store._db
        db.execute("CREATE TABLE floor (n INTEGER)")
        found["floor: a commit ms"] = cost_ms(lambda: db.execute("INSERT INTO floor VALUES (1)"))
        found["look at how much waits ms"] = cost_ms(store.waiting)
        found["close an interval ms"] = cost_ms(
            lambda: store.close_intervals(T0 + timedelta(seconds=900 * next(at)), T0)
        )
        seq = 0

        def take() -> None:
            nonlocal seq
            seq = store.take((), 1).rows[0].seq

        def forget() -> None:
            store.acknowledged(Ack(store.epoch, 0, ((seq, seq),)))

        both = [(cost_ms(take, rounds=1), cost_ms(forget, rounds=1)) for _ in range(ROUNDS)]
        found["take a message ms"] = statistics.median(one for one, _ in both)
        found["forget a message ms"] = statistics.median(one for _, one in both)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--full-days", type=int, default=400)
    args = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        day = one_day(folder)
        store = fill(folder / "drain.db", day, args.days)
        drained = run_virtual(drain(store))
        store.close()
        print(f"\n{args.days} days at the default pace of a message a second, on virtual time")
        print(f"  {drained.messages} messages, {drained.payload_mb:.1f} MB of payload")
        print(
            f"  all intervals at the hub after {drained.aggregates_s / 3600:.1f} h,"
            f" all vehicles after {drained.hours:.1f} h"
        )
        print(f"  sent {drained.sent} times, out of order {drained.disorder}, left {drained.left}")
        print("\nmedian cost of a step, by the days that wait")
        table = {days: costs(folder, day, days) for days in (1, args.full_days)}
        for what in table[1]:
            print(f"  {what:28}" + "".join(f"{table[days][what]:12.2f}" for days in table))
    return int(drained.left > 0 or drained.disorder > 0 or drained.sent != drained.messages)


if __name__ == "__main__":
    sys.exit(main())
