"""From a radar reading to the complete Modbus request, beside the least a script can do, in one run.

make bench            both programs, the table on screen and in docs/performance.md
run.py --quick        a short look, nothing is written
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.latency.wires import Broker, Usage, Wires, now_s

HERE = Path(__file__).parent
CONFIG = """
[sign]
id = "bench"
limit_kmh = 50
[radar]
driver = "ops243"
port = "{radar}"
[tracking]
confirm_readings = 1
smoothing_readings = 1
[display]
driver = "dm56a04"
port = "{panel}"
baud = 19200
[rules]
show = "both"
minimum_kmh = 0
ceiling_kmh = 199
min_change_interval_s = 0
[store]
path = "{folder}/bench.db"
[mqtt]
host = "127.0.0.1"
port = {broker}
"""


def speeds(rng: random.Random, per_vehicle: int = 40) -> Iterator[int]:
    """Endless vehicles of 40 readings, km/h falling by one, so that each reading calls for one request."""
    last = 0
    while True:
        start = rng.randint(25 + per_vehicle, 119)
        start += start == last
        for step in range(per_vehicle):
            last = start - step
            yield last


def line(speed: int, rng: random.Random, t_s: float) -> bytes:
    text = f"{speed}.{rng.randint(5, 35):02d}"
    return f'{{"speed":"{text}","magnitude":"103.2","unit":"kmph","time":"{t_s:.3f}"}}\r\n'.encode()


class Bench:
    """One program under test."""

    def __init__(self, name: str, folder: Path, seed: int) -> None:
        self.name, self.folder = name, folder
        self.rng = random.Random(seed)
        self.speeds = speeds(self.rng)
        self.broker = Broker(folder)
        self.wires = Wires(self._shown)
        self.pending: deque[tuple[int, float]] = deque()
        self.latencies_ms: list[float] = []
        self.sent = self.missed = 0

    def _shown(self, number: int, t_s: float) -> None:
        if not any(number == wanted for wanted, _ in self.pending):
            return  # a keep-alive, or the last value once more
        while self.pending:
            wanted, sent_s = self.pending.popleft()
            if wanted == number:
                self.latencies_ms.append((t_s - sent_s) * 1000)
                return
            self.missed += 1

    def reading(self) -> None:
        speed = next(self.speeds)
        sent_s = self.wires.report(line(speed, self.rng, now_s()))
        self.pending.append((speed, sent_s))
        self.sent += 1

    def command(self) -> list[str]:
        radar, panel, port = self.wires.radar.path, self.wires.panel.path, self.broker.port
        if self.name == "minimal":
            return [sys.executable, str(HERE / "minimal.py"), radar, panel, str(port)]
        config = self.folder / "bench.toml"
        config.write_text(CONFIG.format(radar=radar, panel=panel, broker=port, folder=self.folder))
        return [sys.executable, "-m", "speedsign", "run", "--config", str(config)]

    def run(self, steady_s: float, idle_s: float, rate_hz: float) -> dict[str, float | str]:
        log = (self.folder / "program.log").open("w")
        started_s = now_s()
        program = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        try:
            start_ms = self._first_digits(started_s, program)
            self.wires.serve(now_s() + 4)
            idle = self._idle(program.pid, idle_s)
            steady = self._steady(program.pid, steady_s, rate_hz)
        finally:
            program.send_signal(signal.SIGTERM)
            self.wires.serve(now_s() + 10, lambda: program.poll() is not None)
            program.kill()
            program.wait()
            self.broker.close()
            self.wires.close()
            log.close()
        return {"program": self.name, "start_ms": start_ms, **idle, **steady}

    def _first_digits(self, started_s: float, program: subprocess.Popen[bytes]) -> float:
        """A reading every 10 ms until one is shown."""
        while not self.latencies_ms:
            if program.poll() is not None or now_s() - started_s > 30:
                raise SystemExit(f"{self.name} shows nothing; see {self.folder}/program.log")
            self.reading()
            self.wires.serve(now_s() + 0.01, lambda: bool(self.latencies_ms))
        return round((now_s() - started_s) * 1000, 1)

    def _idle(self, pid: int, idle_s: float) -> dict[str, float]:
        before = Usage.of(pid)
        self.wires.serve(now_s() + idle_s)
        after = Usage.of(pid)
        return {"idle_cpu_percent": round(100 * (after.cpu_s - before.cpu_s) / (after.t_s - before.t_s), 3)}

    def _steady(self, pid: int, steady_s: float, rate_hz: float) -> dict[str, float]:
        self.pending.clear()
        self.latencies_ms, self.sent, self.missed = [], 0, 0
        before, due_s = Usage.of(pid), now_s()
        while due_s < before.t_s + steady_s:
            self.wires.serve(due_s)
            self.reading()
            due_s += self.rng.uniform(0.8, 1.2) / rate_hz  # no lock-step with a polling loop
        self.wires.serve(now_s() + 0.5)
        after = Usage.of(pid)
        cpu_s = after.cpu_s - before.cpu_s
        ordered = sorted(self.latencies_ms)
        return {
            **{f"p{q}_ms": round(ordered[int(q / 100 * len(ordered))], 3) for q in (50, 95, 99)},
            "max_ms": round(ordered[-1], 3),
            "readings": self.sent,
            "missed": self.missed + len(self.pending),
            "cpu_ms_per_1000": round(1e6 * cpu_s / self.sent, 1),
            "cpu_percent": round(100 * cpu_s / (after.t_s - before.t_s), 2),
            "rss_mb": round(after.rss_mb, 1),
            "pss_mb": round(after.pss_mb, 1),
        }


COLUMNS = {
    "program": "program",
    "start_ms": "start to first digits, ms",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "p99_ms": "p99 ms",
    "max_ms": "max ms",
    "missed": "missed",
    "cpu_ms_per_1000": "CPU ms per 1,000 readings",
    "cpu_percent": "CPU % at 20/s",
    "idle_cpu_percent": "idle CPU %",
    "rss_mb": "RSS MB",
    "pss_mb": "PSS MB",
}


def table(results: list[dict[str, float | str]]) -> str:
    lines = ["| " + " | ".join(COLUMNS.values()) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += ["| " + " | ".join(str(result[key]) for key in COLUMNS) + " |" for result in results]
    return "\n".join(lines)


def ratios(results: list[dict[str, float | str]]) -> str:
    floor, ours = results
    parts = [
        f"{key[:-3]} {float(ours[key]) / float(floor[key]):.2f} ×" for key in ("p50_ms", "p95_ms", "p99_ms")
    ]
    return "speedsign over minimal: " + ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short look; writes nothing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=20, help="readings a second")
    parser.add_argument("--only", choices=("minimal", "speedsign"))
    args = parser.parse_args()
    steady_s, idle_s = (10, 5) if args.quick else (60, 30)
    results = []
    for name in ("minimal", "speedsign"):
        if args.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            results.append(Bench(name, Path(folder), args.seed).run(steady_s, idle_s, args.rate))
        print(json.dumps(results[-1]), flush=True)
    print(table(results))
    if len(results) < 2:
        return
    print(ratios(results))
    if not args.quick:
        write(results)


def write(results: list[dict[str, float | str]]) -> None:
    """The table into docs/performance.md, between its marks."""
    page = Path(__file__).parents[2] / "docs" / "performance.md"
    text = page.read_text()
    head, _, rest = text.partition("<!-- latency -->\n")
    _, _, tail = rest.partition("<!-- end -->")
    machine = (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, 20 readings/s"
    )
    page.write_text(
        f"{head}<!-- latency -->\n{machine}\n\n{table(results)}\n\n{ratios(results)}\n<!-- end -->{tail}"
    )


if __name__ == "__main__":
    main()
