"""Both ends of the program under test: a radar and a panel on ptys, a broker on loopback, and /proc.

One thread and one select loop, so that what is timed is the program and not the harness.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.radars.ops243 import Ops243Twin
from simulator.rtu_slave import RtuSlave

now_s = time.monotonic
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Pty:
    """One pty; `path` is what the program opens."""

    def __init__(self) -> None:
        self.fd, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self.fd, False)
        self.path = os.ttyname(self._far)

    def read(self) -> bytes:
        try:
            return os.read(self.fd, 65536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._far)


class Wires:
    """Radar and panel. `on_number(number, t_s)` is called for each request that shows a number."""

    def __init__(self, on_number: Callable[[int, float], None]) -> None:
        self.radar, self.panel = Pty(), Pty()
        self._on_number = on_number
        self._twin = Ops243Twin()  # answers the set-up; its reports are made by the benchmark
        self._device = Dm56a04Twin(power_up="    ")
        self._slave = RtuSlave(1, self._device)
        self.requests = 0

    def serve(self, until_s: float, done: Callable[[], bool] = lambda: False) -> None:
        """Answer both lines until then, or until `done`."""
        while not done() and (left_s := until_s - now_s()) > 0:
            ready, _, _ = select.select([self.panel.fd, self.radar.fd], [], [], left_s)
            if self.panel.fd in ready:
                self._panel(self.panel.read(), now_s())
            if self.radar.fd in ready and (answer := self._twin.on_bytes(self.radar.read())):
                os.write(self.radar.fd, answer)

    def report(self, line: bytes) -> float:
        """Send one line of the radar; the moment just before its last byte was handed over."""
        t_s = now_s()
        os.write(self.radar.fd, line)
        return t_s

    def _panel(self, data: bytes, t_s: float) -> None:
        for frame in self._slave.split(data):
            self.requests += 1
            if (number := _number(frame)) is not None:
                self._on_number(number, t_s)
            # FC6 is answered by its echo: the minimal script's panel takes integers in register 0.
            if answer := frame if frame[1] == 6 else self._slave.answer(frame):
                os.write(self.panel.fd, answer)

    def close(self) -> None:
        self.radar.close()
        self.panel.close()


def _number(frame: bytes) -> int | None:
    """The number that a request shows: FC6 to register 0, or FC16 of ASCII digits from register 0."""
    address, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
    if address != 0:
        return None
    if frame[1] == 6:
        return value
    if frame[1] != 16:
        return None
    text = frame[8:-2:2].decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None


class Broker:
    """A private Mosquitto on loopback."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_type error\n"
        )
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            raise SystemExit("the benchmark needs Mosquitto: make tools installs it")
        self._process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(5)


@dataclass(frozen=True)
class Usage:
    """What a process has used by a moment."""

    t_s: float
    cpu_s: float
    rss_mb: float
    pss_mb: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        """CPU time of all its threads, to the nanosecond where the kernel counts so."""
        fine_s = 0.0
        for task in Path(f"/proc/{pid}/task").iterdir():
            fine_s += int((task / "schedstat").read_text().split()[0]) / 1e9
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        coarse_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S  # knows dead threads too
        return cls(
            now_s(),
            max(fine_s, coarse_s),
            _kb(pid, "status", "VmRSS") / 1024,
            _kb(pid, "smaps_rollup", "Pss") / 1024,
        )


def _kb(pid: int, name: str, key: str) -> int:
    for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return 0
