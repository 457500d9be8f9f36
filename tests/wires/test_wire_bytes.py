"""What a sign costs on a metered link: pieces measured on a real TLS connection and added up for a month."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

import pytest

from benchmarks.wire_bytes.budget import BUDGET_MB, Pieces, month_mb
from benchmarks.wire_bytes.health import sample
from benchmarks.wire_bytes.meter import Cost
from benchmarks.wire_bytes.rig import MeteredSign
from tests.support import run

pytestmark = pytest.mark.wires

QUARTERS = range(51, 55)  # 204 vehicles, two full messages: as many an hour as in the mean of a day
NO_NIGHT = (
    0.5  # MB a month that they cost more than a whole day, which has quiet hours; benchmarks/wire_bytes
)


def test_a_month_is_within_its_budget(tmp_path: Path) -> None:
    async def main() -> tuple[list[Cost], Cost, Cost, float]:
        async with MeteredSign(tmp_path / "day", vehicles=True, health=sample) as sign:
            quarters = [await sign.cost_of_quarter(number) for number in QUARTERS]
            health, again = await sign.cost_of_health(), await sign.cost_of_reconnect()
        async with MeteredSign(tmp_path / "ping", vehicles=False, keepalive_s=1, log_all=True) as sign:
            ping = await sign.cost_of_ping(2)
        return quarters, health, again, ping

    quarters, health, again, ping = run(main(), timeout_s=120)
    pieces = Pieces(
        aggregate=statistics.mean(cost.total for cost in quarters),  # with its vehicles
        vehicles=0.0,
        health=health.total,
        ping=ping,
        pings=2.0,  # 300 s into 900 s, and what is sent then puts the third off
        reconnect=again.total,
    )
    month = month_mb(pieces, vehicles=True)
    assert sum(month.values()) < BUDGET_MB + NO_NIGHT, month
    assert 150 < ping < 260
    assert 4000 < again.total < 8000


def test_a_message_alone_costs_hundreds_of_bytes_and_the_keep_alive_nothing_in_between(
    tmp_path: Path,
) -> None:
    """The meter counts what there is, and only that."""

    async def main() -> tuple[Cost, Cost]:
        async with MeteredSign(tmp_path / "sign", vehicles=False, health=None) as sign:
            one = await sign.cost_of_quarter(44)
            before = sign.relay.cost()
            await asyncio.sleep(0.5)
            return one, sign.relay.cost() - before

    one, nothing = run(main(), timeout_s=60)
    assert 500 < one.total < 2000
    assert one.packets >= 4  # message, PUBACK, acknowledgement, and what TCP says to each
    assert nothing == Cost()
