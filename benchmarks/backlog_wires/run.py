"""Ninety days without a link, then it is back: in which order does it arrive, how long, how many bytes?

    python -m benchmarks.backlog_wires.run --days 90
    make bench-backlog                                 90 days, the table into docs/telemetry.md

Real store, publisher and port over TLS 1.3, a real mosquitto, a real hub; 5,000 vehicles a day, each one
told. While it drains, a new interval ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.latency.wires import Usage
from benchmarks.telemetry_page import machine, write_between
from benchmarks.wire_bytes.day import PLACE, QUARTER_S, SIGN, T0, coverage_of, start_of, vehicles_of
from benchmarks.wire_bytes.rig import MeteredSign
from telemetry.store import SqliteStore
from tests.telemetry.broker import Listener
from tests.wires.kill_check import Held, held, sources

PATIENCE_S = 3600.0


def build(path: Path, days: int) -> None:
    """The sign's database after so many days without a link."""
    rng = random.Random(7)
    with contextlib.closing(SqliteStore(path, SIGN, QUARTER_S, vehicles=True)) as store:
        store._db.execute("PRAGMA synchronous = OFF")
        store.begin(PLACE, T0)
        for quarter in range(96 * days):
            with store.transaction():
                for record in vehicles_of(quarter):
                    store.add_vehicle(record, [])
                store.add_coverage(coverage_of(quarter, rng))
                store.close_intervals(start_of(quarter + 1), T0)


class Arrived:
    """What a listener at the broker heard, in order: kind and seq, each the first time."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._read = 0
        self.messages = 0  # with what came again
        self._order: dict[tuple[str, int], None] = {}

    @property
    def order(self) -> list[tuple[str, int]]:
        heard = self._listener.heard
        while self._read < len(heard):
            topic, payload, _ = heard[self._read]
            self._read += 1
            kind = topic.rsplit("/", 1)[1]
            if kind in ("agg", "raw"):
                message = json.loads(zlib.decompress(payload) if kind == "raw" else payload)
                self._order.setdefault((kind, message["seq"]))
                self.messages += 1
        return list(self._order)

    def seqs(self, kind: str) -> list[int]:
        return [seq for what, seq in self.order if what == kind]

    def newest_first(self, kind: str, but: int) -> float:
        """Share of neighbours of which the newer came first; `but`: one that was made meanwhile."""
        seqs = [seq for seq in self.seqs(kind) if seq != but]
        pairs = list(itertools.pairwise(seqs))
        return sum(first > second for first, second in pairs) / len(pairs) if pairs else 1.0

    def aggregates_before_vehicles(self, but: int) -> int:
        """How many intervals of the backlog came after the first batch of vehicles."""
        kinds = [kind for kind, seq in self.order if seq != but]
        return kinds[kinds.index("raw") :].count("agg") if "raw" in kinds else 0


@dataclass(frozen=True, slots=True)
class Result:
    days: int
    intervals: int
    batches: int
    seconds: float
    intervals_s: float  # until the last interval was at the hub
    live_s: float  # from the end of an interval in the middle of it to its message
    up_mb: float
    down_mb: float
    messages: int  # as the listener heard them, with what came again
    newest_first: tuple[float, float]
    late: int
    lost: int
    hub_rss_mb: float


async def drain(folder: Path, days: int) -> Result:
    async with MeteredSign(folder, vehicles=True, connects=False) as sign:
        with contextlib.closing(Listener(sign.broker.port, "speedsign/1/+/up/#")) as listener:
            arrived, wanted = Arrived(listener), 96 * days
            started_s = time.monotonic()
            connecting = asyncio.create_task(sign.connect())
            await _until(lambda: len(arrived.seqs("agg")) >= wanted // 2)
            live_s, live_seq = await _live(sign, arrived, wanted)
            await _until(lambda: len(arrived.seqs("agg")) >= wanted + 1)
            intervals_s = time.monotonic() - started_s
            await connecting
            await sign.delivered()
            seconds = time.monotonic() - started_s
            cost = sign.relay.cost()
        rss_mb = Usage.of(sign.hub_pid).rss_mb
    mine, theirs = held(folder / "sign.db"), held(folder / "hub.db")
    assert not any(source.spans for source in sources(folder / "hub.db")), "the hub's numbers have a hole"
    return Result(
        days, len(arrived.seqs("agg")), len(arrived.seqs("raw")), seconds, intervals_s, live_s,
        cost.up / 1e6, cost.down / 1e6, arrived.messages,
        (arrived.newest_first("agg", live_seq), arrived.newest_first("raw", live_seq)),
        arrived.aggregates_before_vehicles(live_seq), _lost(mine, theirs), rss_mb,
    )  # fmt: skip


async def _live(sign: MeteredSign, arrived: Arrived, quarter: int) -> tuple[float, int]:
    """An interval ends while the backlog drains: how long until it is told, its seq."""
    top = max(arrived.seqs("agg"))
    await sign.quarter(quarter)
    begun_s = time.monotonic()
    await _until(lambda: max(arrived.seqs("agg")) > top)
    return time.monotonic() - begun_s, max(arrived.seqs("agg"))


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110  the listener has a thread of its own
            await asyncio.sleep(0.05)


def _lost(mine: Held, theirs: Held) -> int:
    """Intervals and vehicles of the sign that are not at the hub; of no full batch they are not told yet."""
    waiting = 99
    missing = (_passed(mine) - _passed(theirs)).total()
    return (mine.intervals - theirs.intervals).total() + (missing if missing > waiting else 0)


def _passed(of: Held) -> Counter[tuple[int, str]]:
    """When and which way; speeds are told in tenths."""
    return Counter((last_ms, direction) for last_ms, direction, *_ in of.vehicles.elements())


def table(result: Result, drain_per_s: float) -> str:
    rows = [
        ("intervals, batches of vehicles", f"{result.intervals:,}, {result.batches:,}"),
        ("lost", f"{result.lost}"),
        ("neighbours of which the newer came first: intervals", f"{100 * result.newest_first[0]:.2f} %"),
        ("the same: batches of vehicles", f"{100 * result.newest_first[1]:.2f} %"),
        ("intervals that came after the first batch of vehicles", f"{result.late}"),
        ("an interval that ended meanwhile was told after", f"{result.live_s:.2f} s"),
        ("all intervals told after", f"{result.intervals_s:.0f} s"),
        ("everything acknowledged by the hub after", f"{result.seconds:.0f} s"),
        ("messages sent again", f"{result.messages - result.intervals - result.batches}"),
        ("IP bytes up, down", f"{result.up_mb:.2f} MB, {result.down_mb:.2f} MB"),
        ("hub's memory at the end", f"{result.hub_rss_mb:.0f} MB"),
    ]
    head = f"{machine()}; {result.days} days, drain_per_s = {drain_per_s:g}"
    return "\n".join([head, "", "| what | |", "| --- | --- |", *(f"| {what} | {n} |" for what, n in rows)])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--write", action="store_true", help="the table into docs/telemetry.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build(folder / "sign.db", args.days)
        print("built", flush=True)
        result = asyncio.run(drain(folder, args.days))
    text = table(result, 100)
    print(text)
    if args.write:
        write_between("backlog on wires", text)
    return int(bool(result.lost))


if __name__ == "__main__":
    sys.exit(main())
