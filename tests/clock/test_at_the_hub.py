"""The whole daemon with a wrong clock, and a hub that hears it in any order: both have the same numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.virtual_time import run_virtual
from telemetry.hub.port import Heard
from telemetry.message import messages
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.clock.pole import T0, Pole, slow_ticks
from tests.hub.clocks import hub_of
from tests.hub.test_clocks import heard_anyhow, kept, singles
from tests.hub.test_officers import OWN, without

__all__ = ["slow_ticks"]

SIGN = "pole"
YESTERDAY = T0 - timedelta(hours=22, minutes=7)
pytestmark = pytest.mark.usefixtures("slow_ticks")


async def late(pole: Pole) -> None:
    pole.boot()
    await pole.run(1800)
    await pole.off(300)
    pole.boot(YESTERDAY)
    await pole.run(4000)
    await pole.run(1800, then=pole.sync)  # the program was started anew


async def never(pole: Pole) -> None:
    pole.boot()
    await pole.run(1800)
    for days in (400, -400, 0):
        await pole.off(600)
        pole.boot(T0 + timedelta(days=days))
        await pole.run(1800, cut=True)
    await pole.off(600)
    pole.boot(datetime(1970, 1, 1, tzinfo=UTC))
    await pole.run(1200, then=pole.sync)


async def claimed(pole: Pole) -> None:
    """A boot says the hour that was just counted, and nobody ever puts it right."""
    pole.boot()
    await pole.run(3600)
    pole.boot(T0 + timedelta(minutes=20))
    await pole.run(1800)


async def stepped(pole: Pole) -> None:
    pole.boot()
    await pole.run(1800, then=lambda: pole.set(pole.utc + timedelta(hours=1)))
    await pole.run(1800, then=lambda: pole.set(pole.utc))


@pytest.mark.parametrize("course", [late, never, claimed, stepped])
def test_the_hub_has_the_numbers_of_the_sign(
    tmp_path: Path, course: Callable[[Pole], Awaitable[None]]
) -> None:
    async def lived() -> Pole:
        pole = Pole(tmp_path, vehicles=True)
        await course(pole)
        return pole

    pole = run_virtual(lived())
    with contextlib.closing(SqliteStore(pole.path, SIGN, vehicles=True)) as store:
        for days in (1, 500, 1000):  # all that is open ends, and no vehicle waits for others
            store.close_intervals(T0 + timedelta(days=days), None)
        told = [
            Heard(SIGN, row.kind, messages.named(row.body, row.kind, SIGN, store.epoch, row.seq), 0)
            for row in store.pending(10_000)
        ]
    hub = hub_of(tmp_path / "hub.db", heard_anyhow(told, 3))
    assert kept(hub) == kept(pole.path)
    assert singles(hub) == singles(pole.path)
    for words in (("stats", "--headways"), ("report",)):
        own = as_json(speedsign(*words, "--db", pole.path, "--json"))
        asked = as_json(speedsign(*words, "--db", hub, "--sign", SIGN, "--json"))
        assert without(asked, *OWN) == without(own, *OWN)
    (both,) = [
        row for row in as_json(speedsign("stats", "--db", hub, "--json")) if row["direction"] == "both"
    ]
    assert (both["n"], both["undated"]) == (pole.truth.total(), pole.undated().total())
    assert both["coverage"] <= 1
