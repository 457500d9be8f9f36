"""What it costs the sign to be looked at: nobody, one, and four of whom one does not read.

make bench-live                          the table into docs/performance.md
python -m benchmarks.live.run            on screen alone

The wires and the measuring are those of benchmarks/latency: a report of the radar in, the complete Modbus
request out. Who looks is a process of its own that reads and throws away.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.latency.run import CONFIG, Bench
from benchmarks.latency.wires import Usage

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
READER = """
import socket, sys, time
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
while sys.argv[2] == "deaf":
    time.sleep(60)
n = 0
while data := line.recv(65536):
    n += len(data)
print(n)
"""
CASES = {
    "switched off": (),
    "nobody looks": (),
    "one looks": ("reads",),
    "four look, one is deaf": ("reads",) * 3 + ("deaf",),
}
COLUMNS = {
    "program": "case",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "p99_ms": "p99 ms",
    "cpu_ms_per_1000": "CPU ms per 1,000 readings",
    "idle_cpu_percent": "idle CPU %",
    "bytes_s": "bytes/s to each",
}


class Watched(Bench):
    """The sign with somebody beside it."""

    def __init__(self, name: str, folder: Path, seed: int) -> None:
        super().__init__(name, folder, seed)
        self.watchers: list[subprocess.Popen[str]] = []
        self.socket = folder / "live.sock"

    def command(self) -> list[str]:
        config = self.folder / "bench.toml"
        text = CONFIG.format(
            radar=self.wires.radar.path,
            panel=self.wires.panel.path,
            broker=self.broker.port,
            folder=self.folder,
        )
        on = "false" if self.name == "switched off" else "true"
        config.write_text(f'{text}[live]\non = {on}\nsocket = "{self.socket}"\n')
        return [sys.executable, "-m", "speedsign", "run", "--config", str(config)]

    def _idle(self, pid: int, idle_s: float) -> dict[str, float]:
        for how in CASES[self.name]:
            words = [sys.executable, "-c", READER, str(self.socket), how]
            self.watchers.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return super()._idle(pid, idle_s)

    def run(self, steady_s: float, idle_s: float, rate_hz: float) -> dict[str, float | str]:
        began = Usage.of(os.getpid()).t_s
        try:
            result = super().run(steady_s, idle_s, rate_hz)
        finally:
            counted = [self._counted(one) for one in self.watchers]
        lasted_s = Usage.of(os.getpid()).t_s - began
        result["bytes_s"] = round(max(counted, default=0) / lasted_s)
        return result

    @staticmethod
    def _counted(watcher: subprocess.Popen[str]) -> int:
        try:
            return int(watcher.communicate(timeout=2)[0] or 0)
        except subprocess.TimeoutExpired:
            watcher.kill()
            watcher.communicate()
            return 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each case")
    parser.add_argument("--rate", type=float, default=20.0, help="readings a second")
    args = parser.parse_args()
    rows = []
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(Watched(name, Path(folder), 1).run(args.seconds, args.seconds / 3, args.rate))
        print({key: rows[-1][key] for key in COLUMNS}, flush=True)
    lines = ["| " + " | ".join(COLUMNS.values()) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += ["| " + " | ".join(str(row[key]) for key in COLUMNS) + " |" for row in rows]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    text = f"{machine}, {args.rate:g} readings/s\n\n" + "\n".join(lines) + "\n"
    print(text)
    if args.write:
        page = PAGE.read_text()
        head, _, rest = page.partition("<!-- live -->\n")
        _, _, tail = rest.partition("<!-- end live -->")
        PAGE.write_text(f"{head}<!-- live -->\n{text}<!-- end live -->{tail}")


if __name__ == "__main__":
    main()
