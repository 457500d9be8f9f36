"""Bytes of IP that a sign costs on its link: measured piece by piece, added up for a month.

    python -m benchmarks.wire_bytes.run                a whole day of intervals, twice
    python -m benchmarks.wire_bytes.run --packets      counted by the packet too, in its own network (root)
    make bench-bytes                                   the tables into docs/telemetry.md

TLS 1.3 with certificates at both ends (P-256), real publisher, port, broker and hub; see rig.py, meter.py.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.telemetry_page import machine, write_between
from benchmarks.wire_bytes.budget import BUDGET_MB, Pieces, month_mb
from benchmarks.wire_bytes.health import sample
from benchmarks.wire_bytes.meter import MTU, Cost, PacketMeter, own_network
from benchmarks.wire_bytes.rig import MeteredSign

PING_EVERY_S = 3  # to measure keep-alives; an interval is then three times as long, as 900 s are to 300


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one run of the rig."""

    quarters: list[Cost]
    reconnects: list[Cost]
    health: Cost
    relay: Cost  # everything, from the first packet to the last
    packets: Cost | None  # the same, as packets were seen


@contextlib.contextmanager
def _packets(port: int, *, wanted: bool) -> Iterator[PacketMeter | None]:
    if not wanted:
        yield None
        return
    with PacketMeter(port) as meter:
        yield meter


async def measure(folder: Path, *, vehicles: bool, quarters: int, reconnects: int, packets: bool) -> Measured:
    """A day, or a part of it from 06:00 on."""
    rig = MeteredSign(folder, vehicles=vehicles, health=sample)
    with _packets(rig.relay.port, wanted=packets) as meter:
        async with rig as sign:
            first = 0 if quarters == 96 else 24
            costs = [await sign.cost_of_quarter(first + number) for number in range(quarters)]
            again = [await sign.cost_of_reconnect() for _ in range(reconnects)]
            health = await sign.cost_of_health()
        relay = rig.relay.cost()
        seen = meter.cost() if meter else None
    return Measured(costs, again, health, relay, seen)


async def measure_ping(folder: Path, pings: int, intervals: int) -> tuple[float, float]:
    """Bytes of a keep-alive, asked and answered; how many there are in an interval of three times as long."""
    async with MeteredSign(folder, vehicles=False, keepalive_s=PING_EVERY_S, log_all=True) as sign:
        cost = await sign.cost_of_ping(pings)
        found = [await sign.pings_in_an_interval(2 * n, 3 * PING_EVERY_S) for n in range(intervals)]
    return cost, statistics.mean(found)


def pieces(plain: Measured, with_vehicles: Measured, ping: float, pings: float) -> Pieces:
    aggregate = statistics.mean(cost.total for cost in plain.quarters)
    both = statistics.mean(cost.total for cost in with_vehicles.quarters)
    return Pieces(
        aggregate=aggregate,
        vehicles=both - aggregate,
        health=plain.health.total,
        ping=ping,
        pings=pings,
        reconnect=statistics.mean(cost.total for cost in plain.reconnects + with_vehicles.reconnects),
    )


def table(found: Pieces) -> str:
    months = {vehicles: month_mb(found, vehicles=vehicles) for vehicles in (False, True)}
    single = {
        "intervals": f"{found.aggregate:,.0f} an interval",
        "single vehicles": f"{found.vehicles:,.0f} an interval",
        "health": f"{found.health:,.0f} a message",
        "keep-alive": f"{found.ping:,.0f} a ping, {found.pings:g} an interval",
        "reconnects": f"{found.reconnect:,.0f} each",
    }
    lines = [
        "| what | bytes of IP, both ways | MB in 30 days | with vehicles |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {what} | {one} | {months[False][what]:.2f} | {months[True][what]:.2f} |"
        for what, one in single.items()
    ]
    sums = [sum(month.values()) for month in months.values()]
    lines.append(f"| **all** | | **{sums[0]:.2f}** | **{sums[1]:.2f}** |")
    return "\n".join(lines)


def checked(measured: Measured) -> str:
    if measured.packets is None:
        return ""
    relay, seen = measured.relay, measured.packets
    return (
        f"\n\nChecked packet by packet (MTU {MTU}): {relay.total:,} bytes by the kernel's count,"
        f" {seen.total:,} in {seen.packets:,} packets on the wire."
    )


async def main_async(args: argparse.Namespace, folder: Path) -> tuple[str, Pieces]:
    how = {"quarters": args.quarters, "reconnects": args.reconnects, "packets": args.packets}
    plain = await measure(folder / "plain", vehicles=False, **how)
    both = await measure(folder / "vehicles", vehicles=True, **how)
    found = pieces(plain, both, *await measure_ping(folder / "ping", pings=5, intervals=4))
    return table(found) + checked(both), found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quarters", type=int, default=96, help="of an hour; fewer begin at 06:00")
    parser.add_argument("--reconnects", type=int, default=5)
    parser.add_argument("--packets", action="store_true", help="count packets too; needs root")
    parser.add_argument("--write", action="store_true", help="the table into docs/telemetry.md")
    args = parser.parse_args()
    if args.packets:
        own_network()
    with tempfile.TemporaryDirectory() as folder:
        text, found = asyncio.run(main_async(args, Path(folder)))
    print(text)
    if args.write:
        write_between("bytes", machine() + "\n\n" + text)
    return int(sum(month_mb(found, vehicles=True).values()) > BUDGET_MB)


if __name__ == "__main__":
    sys.exit(main())
