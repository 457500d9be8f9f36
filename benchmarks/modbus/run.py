"""The round trip of a request to a panel, beside what the wire itself takes and what the least code needs.

make bench-modbus     all of it, the table on screen and in docs/performance.md
run.py --quick        a short look, nothing is written
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import select
import statistics
import subprocess
import sys
import time
import tty
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pymodbus.client import AsyncModbusSerialClient

from drivers.modbus_bus import PymodbusBus
from drivers.modbus_rules import silent_interval_s
from simulator.line import BITS_PER_CHARACTER
from simulator.rtu_slave import with_crc
from speedsign.ports import LineSettings

ROOT = Path(__file__).parents[2]
BAUDS = (9600, 19200)
TARGET_MS = 1.0
PAUSE_S = 0.008  # between two requests: more than the silence that the bus keeps
WORDS = (0x20, 0x20, 0x34, 0x37)


@dataclass(frozen=True)
class Request:
    """What is timed; `frame` and `reply` are the bytes on the wire."""

    name: str
    frame: bytes
    reply: bytes

    def wire_ms(self, baud: int) -> float:
        """Request, the silence that ends it, reply: what no client can do without."""
        bits = (len(self.frame) + len(self.reply)) * BITS_PER_CHARACTER
        return 1000 * (bits / baud + silent_interval_s(LineSettings(baud)))


FACE = Request(
    "face, 4 registers (FC16)",
    with_crc(bytes.fromhex("01 10 00 00 00 04 08 00 20 00 20 00 34 00 37")),
    with_crc(bytes.fromhex("01 10 00 00 00 04")),
)
SINGLE = Request("one register (FC6)", *[with_crc(bytes.fromhex("01 06 00 07 00 2F"))] * 2)


@contextlib.contextmanager
def panel(baud: int) -> Iterator[str]:
    """The port that a panel listens on."""
    command = [sys.executable, str(Path(__file__).with_name("wire.py")), str(baud)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


# ---------------------------------------------------------------------- three clients


def floor(port: str, _baud: int, request: Request, count: int) -> list[float]:
    """A frame that was made before, one write, and reads until the reply's bytes are there."""
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    taken_ms = []
    try:
        for _ in range(count):
            began_s, heard = time.monotonic(), b""
            os.write(fd, request.frame)
            while len(heard) < len(request.reply):
                assert select.select([fd], [], [], 1.0)[0], "no reply"
                heard += os.read(fd, 100)
            taken_ms.append(1000 * (time.monotonic() - began_s))
            assert heard == request.reply
            time.sleep(PAUSE_S)
    finally:
        os.close(fd)
    return taken_ms


Call = Callable[[], Awaitable[object]]


async def _timed(call: Call, count: int) -> list[float]:
    taken_ms = []
    for _ in range(count):
        began_s = time.monotonic()
        await call()
        taken_ms.append(1000 * (time.monotonic() - began_s))
        await asyncio.sleep(PAUSE_S)
    return taken_ms


def ours(port: str, baud: int, request: Request, count: int) -> list[float]:
    """The bus, with all its checks."""

    async def main() -> list[float]:
        bus = PymodbusBus(port, LineSettings(baud))
        await bus.connect()
        face: Call = lambda: bus.write_registers(1, 0, WORDS)  # noqa: E731
        single: Call = lambda: bus.write_register(1, 7, 47)  # noqa: E731
        await asyncio.sleep(PAUSE_S)
        taken_ms = await _timed(face if request is FACE else single, count)
        await bus.close()
        return taken_ms

    return asyncio.run(main())


def plain(port: str, baud: int, request: Request, count: int) -> list[float]:
    """pymodbus as it comes."""

    async def main() -> list[float]:
        client = AsyncModbusSerialClient(port, baudrate=baud)
        assert await client.connect()
        face: Call = lambda: client.write_registers(0, list(WORDS))  # noqa: E731
        single: Call = lambda: client.write_register(7, 47)  # noqa: E731
        taken_ms = await _timed(face if request is FACE else single, count)
        client.close()
        return taken_ms

    return asyncio.run(main())


CLIENTS = {"floor": floor, "pymodbus alone": plain, "speedsign": ours}


# ---------------------------------------------------------------------- the table


@dataclass(frozen=True)
class Row:
    """One client, one request, one baud rate; milliseconds."""

    request: Request
    baud: int
    client: str
    p50: float
    p99: float

    @property
    def wire(self) -> float:
        return self.request.wire_ms(self.baud)


def measure(count: int, rounds: int) -> Iterator[Row]:
    """The clients take turns, so that a busy moment of the machine is nobody's alone."""
    for baud in BAUDS:
        for request in (FACE, SINGLE):
            taken_ms: dict[str, list[float]] = {name: [] for name in CLIENTS}
            with panel(baud) as port:
                for _ in range(rounds):
                    for name, client in CLIENTS.items():
                        taken_ms[name] += client(port, baud, request, count // rounds)
            for name, values in taken_ms.items():
                cuts = statistics.quantiles(values, n=100)
                yield Row(request, baud, name, cuts[49], cuts[98])


def table(rows: list[Row]) -> str:
    heads = ("request", "baud", "client", "wire ms", "p50 ms", "p99 ms", "p50 over the wire ms", "p99 over")
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += [
        f"| {row.request.name} | {row.baud} | {row.client} | {row.wire:.3f} | {row.p50:.3f} | {row.p99:.3f} "
        f"| {row.p50 - row.wire:.3f} | {row.p99 - row.wire:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def verdict(rows: list[Row]) -> str:
    worst = max(row.p50 - row.wire for row in rows if row.client == "speedsign")
    kept = "kept" if worst <= TARGET_MS else "missed"
    return (
        f"speedsign at most {worst:.2f} ms over the wire's own time at p50; target {TARGET_MS:g} ms: {kept}"
    )


def write(rows: list[Row], count: int) -> None:
    """The table into docs/performance.md, between its marks."""
    page = ROOT / "docs" / "performance.md"
    head, _, rest = page.read_text().partition("<!-- modbus -->\n")
    _, _, tail = rest.partition("<!-- end modbus -->")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    page.write_text(
        f"{head}<!-- modbus -->\n{machine}, {count} requests a row\n\n{table(rows)}\n\n{verdict(rows)}\n"
        f"<!-- end modbus -->{tail}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short look; writes nothing")
    args = parser.parse_args()
    count, rounds = (30, 1) if args.quick else (300, 5)
    rows = list(measure(count, rounds))
    print(table(rows))
    print(verdict(rows))
    if not args.quick:
        write(rows, count)


if __name__ == "__main__":
    main()
