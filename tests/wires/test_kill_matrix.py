"""Sign, broker and hub killed at random moments: no event lost, none counted twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support import run, until
from tests.wires.kill_check import Verdict, judge
from tests.wires.kill_matrix import Plan, World, run_matrix

pytestmark = pytest.mark.wires


def test_every_event_is_at_the_hub_once_whatever_is_killed(tmp_path: Path) -> None:
    plan = Plan(seconds=8.0, up_s=2.5, down_s=1.0, resend_s=1.0)
    verdict, kills = run(run_matrix(tmp_path, 1, plan), timeout_s=240)
    assert min(kills.values()) >= 1
    assert verdict.events > 50
    assert verdict.good, verdict


async def _broker_dies_while_the_hub_is_away(world: World) -> None:
    """The broker has acknowledged what it then forgets."""
    await until(world.arrived, 60.0, "the first interval at the hub")  # it has subscribed
    await world.kill("hub")
    await world.has_counted(world.counted() + 5)
    await world.go(going=False)


def _lost(folder: Path, retire_on: str, wait: Callable[[World], Awaitable[None]]) -> Verdict:
    async def main() -> Verdict:
        async with World(folder, Plan(retire_on=retire_on, resend_s=1.0)) as world:
            await _broker_dies_while_the_hub_is_away(world)
            await wait(world)
            await world.kill("broker")
            await world.start("broker")
            await world.start("hub")
            await world.drained()
            await world.stop()
        return judge(folder)

    return run(main(), timeout_s=120)


def test_retirement_on_puback_loses_what_the_broker_forgets(tmp_path: Path) -> None:
    """The proof that the proof can fail: the broker's word is not the hub's."""

    async def taken_by_the_broker(world: World) -> None:
        await world.drained()

    verdict = _lost(tmp_path, "puback", taken_by_the_broker)
    assert verdict.lost >= 5
    assert verdict.twice == verdict.foreign == verdict.uncommitted == 0


def test_retirement_on_the_hubs_word_loses_nothing_of_the_same(tmp_path: Path) -> None:
    async def taken_by_the_broker(world: World) -> None:
        sent = world.folder / "sent.log"
        await until(lambda: sent.exists() and len(sent.read_text().splitlines()) >= 5)

    verdict = _lost(tmp_path, "hub", taken_by_the_broker)
    assert verdict.events > 5
    assert verdict.good, verdict
