"""A fleet on one mosquitto and one hub: does it come back all at once, and what does the hub do meanwhile?

    python -m benchmarks.fleet.run --signs 1000
    make bench-fleet                  1,000 signs, the table into docs/telemetry.md

Each sign is the real store, publisher and port; as many in a process as its descriptors allow. How many
connect in a second is counted in the broker's log. Then the same load on the least a hub can be (floor.py).
"""

from __future__ import annotations

import argparse
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.latency.wires import Usage
from benchmarks.telemetry_page import machine, write_between
from tests.telemetry.broker import Broker

IN_A_PROCESS = 100  # select() takes descriptors below 1,024, and a sign has six
SHARE_AT_MOST = 0.05  # of the fleet that may connect in one second
LOAD_HEAD = (
    "| hub | messages | seconds | a second, mean | best five seconds"
    " | CPU ms per 1,000 | RSS MB | broker's RSS MB |"
)
_CONNECTION = re.compile(r"^(\d+): New connection from", re.MULTILINE)


@dataclass
class Workers:
    """The fleet's processes."""

    folder: Path
    broker_port: int
    signs: int
    spread_s: float
    _all: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> None:
        for first in range(0, self.signs, IN_A_PROCESS):
            count = min(IN_A_PROCESS, self.signs - first)
            words = [str(self.folder), str(self.broker_port), str(first), str(count), str(self.spread_s)]
            with (self.folder / "fleet.log").open("ab") as log:
                self._all.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "benchmarks.fleet.worker", *words],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                    )
                )  # fmt: skip
        self._answers()

    def _answers(self) -> list[str]:
        answers = []
        for worker in self._all:
            assert worker.stdout
            answers.append(worker.stdout.readline().strip())
            assert answers[-1], f"a part of the fleet ended; see {self.folder}/fleet.log"
        return answers

    def ask(self, words: str) -> list[str]:
        for worker in self._all:
            assert worker.stdin
            worker.stdin.write(words + "\n")
            worker.stdin.flush()
        return self._answers()

    def waiting(self) -> int:
        return sum(int(answer) for answer in self.ask("waiting"))

    def events(self, kind: str, since_s: float) -> Counter[int]:
        """Second -> how often that happened, of all signs."""
        found: Counter[int] = Counter()
        for path in self.folder.glob("events-*"):
            for line in path.read_text().splitlines():
                at_s, what, _ = line.split()
                if what == kind and float(at_s) >= since_s:
                    found[int(float(at_s))] += 1
        return found

    def stop(self) -> None:
        for worker in self._all:
            assert worker.stdin
            worker.stdin.close()
        for worker in self._all:
            try:
                worker.wait(60)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            assert worker.stdout
            worker.stdout.close()


class Fleet:
    """Broker, hub and signs."""

    def __init__(self, folder: Path, signs: int, spread_s: float, *, floor: bool) -> None:
        self.folder, self.signs = folder, signs
        self.database = folder / "hub.db"
        self._broker_log = folder / "mosquitto.log"
        self.broker = Broker(folder, "persistence true", f"persistence_location {folder}/")
        self.broker.start()
        self._floor = floor
        port = str(self.broker.port)
        program = ["benchmarks.fleet.floor", str(self.database), port]
        if not floor:
            program = ["speedsign", "hub", "--db", str(self.database), "--host", "127.0.0.1", "--port", port]
        with (folder / "hub.log").open("ab") as log:
            self.hub = subprocess.Popen([sys.executable, "-m", *program], stdout=log, stderr=log)
        self.workers = Workers(folder, self.broker.port, signs, spread_s)

    def close(self) -> None:
        self.workers.stop()
        self.hub.terminate()
        self.hub.wait(30)
        self.broker.stop()

    def rows(self) -> int:
        """Messages that the hub has committed."""
        query = (
            "SELECT count(*) FROM heard" if self._floor else "SELECT coalesce(sum(received), 0) FROM source"
        )
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as db:
                found: int = db.execute(query).fetchone()[0]
        except sqlite3.OperationalError:
            return 0
        return found

    def connections(self, since_s: float) -> Counter[int]:
        """Second of the day -> connections that the broker took."""
        found = Counter(int(at) for at in _CONNECTION.findall(self._broker_log.read_text()))
        return Counter({at: n for at, n in found.items() if at >= int(since_s)})

    def until(self, done: Callable[[], bool], timeout_s: float, what: str) -> float:
        """Wait; how long it took, seconds."""
        begun_s = time.monotonic()
        while not done():
            assert self.hub.poll() is None, f"the hub ended; see {self.folder}/hub.log"
            if time.monotonic() - begun_s > timeout_s:
                raise SystemExit(f"{what} did not come in {timeout_s:g} s; see {self.folder}")
            time.sleep(0.25)
        return time.monotonic() - begun_s


@dataclass(frozen=True, slots=True)
class Load:
    """What the hub did with a backlog of the whole fleet."""

    messages: int
    seconds: float
    best_per_s: float
    cpu_ms_per_1000: float
    rss_mb: float
    broker_rss_mb: float


def now_s() -> float:
    """By the clock of the fleet's notes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def worst(found: Counter[int]) -> int:
    return max(found.values(), default=0)


def spread(name: str, found: Counter[int], signs: int) -> str:
    """A row of the table of connections."""
    seconds = max(found) - min(found) + 1 if found else 0
    return f"| {name} | {found.total():,} | {seconds} | {worst(found)} | {100 * worst(found) / signs:.1f} % |"


def backlog(fleet: Fleet, intervals: int) -> Load:
    """The broker is away for so many intervals of each sign; then everything comes."""
    before = fleet.rows()
    fleet.broker.kill()
    fleet.workers.ask(f"close {intervals}")
    wanted = before + intervals * fleet.signs
    usage = Usage.of(fleet.hub.pid)
    fleet.broker.start()
    begun_s = time.monotonic()
    seen: list[tuple[float, int]] = []

    def all_there() -> bool:
        seen.append((time.monotonic(), fleet.rows()))
        return seen[-1][1] >= wanted

    seconds = fleet.until(all_there, 900.0, "the backlog")
    after = Usage.of(fleet.hub.pid)
    messages = seen[-1][1] - before
    return Load(
        messages=messages,
        seconds=seconds,
        best_per_s=max(_rates([(at - begun_s, n) for at, n in seen]), default=0.0),
        cpu_ms_per_1000=1e6 * (after.cpu_s - usage.cpu_s) / messages,
        rss_mb=after.rss_mb,
        broker_rss_mb=Usage.of(fleet.broker.pid).rss_mb,
    )


def _rates(seen: list[tuple[float, int]], over_s: float = 5.0) -> Iterable[float]:
    """Rows a second, over each five seconds."""
    for place, (at_s, n) in enumerate(seen):
        later = next(((t, m) for t, m in seen[place:] if t - at_s >= over_s), None)
        if later:
            yield (later[1] - n) / (later[0] - at_s)


def measure(folder: Path, args: argparse.Namespace) -> tuple[list[str], Load, int]:
    """The rows of connections, the load, the most connections in a second."""
    fleet = Fleet(folder, args.signs, args.spread, floor=False)
    rows = []
    try:
        started_s = time.time()
        fleet.workers.start()
        fleet.until(lambda: fleet.rows() >= args.signs, 4 * args.spread + 120, "the fleet")  # a place each
        first = fleet.connections(started_s)
        rows.append(spread("connections, first start", first, args.signs))

        begun_s = now_s()
        wanted = fleet.rows() + args.signs
        fleet.workers.ask("close 1")
        took_s = fleet.until(lambda: fleet.rows() >= wanted, 4 * args.spread + 120, "the intervals")
        rows.append(
            spread("messages of one interval's end", fleet.workers.events("agg", begun_s), args.signs)
        )

        fleet.broker.kill()
        restarted_s, begun_s = time.time(), now_s()
        fleet.broker.start()
        fleet.until(
            lambda: fleet.workers.events("connected", begun_s).total() >= args.signs,
            10 * args.spread + 120,
            "the fleet again",
        )
        again = fleet.connections(restarted_s)
        rows.append(spread("connections, broker killed and started again", again, args.signs))
        print("\n".join(rows), f"\nall intervals at the hub after {took_s:.0f} s", flush=True)

        load = backlog(fleet, args.intervals)
        fleet.until(lambda: not fleet.workers.waiting(), 300.0, "an empty outbox at every sign")
    finally:
        fleet.close()
    return rows, load, max(worst(first), worst(again))


def floor(folder: Path, args: argparse.Namespace) -> Load:
    fleet = Fleet(folder, args.signs, args.spread, floor=True)
    try:
        fleet.workers.start()
        fleet.until(lambda: fleet.rows() >= args.signs, 4 * args.spread + 120, "the fleet")
        return backlog(fleet, args.intervals)
    finally:
        fleet.close()


def load_row(name: str, load: Load) -> str:
    numbers = (load.seconds, load.messages / load.seconds, load.best_per_s, load.cpu_ms_per_1000)
    memory = (load.rss_mb, load.broker_rss_mb)
    return f"| {name} | {load.messages:,} | " + " | ".join(f"{n:.0f}" for n in (*numbers, *memory)) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--signs", type=int, default=1000)
    parser.add_argument("--spread", type=float, default=60.0, help="spread_s of every sign")
    parser.add_argument("--intervals", type=int, default=24, help="of each sign while the broker is away")
    parser.add_argument("--no-floor", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder that keeps what the run leaves")
    parser.add_argument("--write", action="store_true", help="the tables into docs/telemetry.md")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the broker's too: a descriptor for each sign
    with tempfile.TemporaryDirectory(dir=args.keep) as temporary:
        places = [Path(temporary) / name for name in ("hub", "floor")]
        for place in places:
            place.mkdir()
        rows, load, most_at_once = measure(places[0], args)
        loads = [load_row("`speedsign hub`", load)]
        if not args.no_floor:
            loads.append(load_row("floor", floor(places[1], args)))
    text = "\n".join(
        [
            f"{machine()}; {args.signs:,} signs, spread_s = {args.spread:g}",
            "",
            "| what | how many | in seconds | most in one second | of the fleet |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Then the broker is away for {args.intervals} intervals of each sign:",
            "",
            LOAD_HEAD,
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *loads,
        ]
    )
    print(text)
    if args.write:
        write_between("fleet", text)
    return 0 if most_at_once <= SHARE_AT_MOST * args.signs else 1


if __name__ == "__main__":
    sys.exit(main())
