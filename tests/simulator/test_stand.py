"""The stand: every fault has its word, and `clear` mends everything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulator.panel_end import PanelFault
from simulator.radar_end import RadarFault
from simulator.stand import Stand, Traffic, fault_words
from tests.support import run

pytestmark = pytest.mark.wires


def stand(folder: Path) -> Stand:
    return Stand.on_ptys(folder, traffic=Traffic(vehicles_per_hour=0.0))


def test_every_word_is_understood_and_clear_mends_it(tmp_path: Path) -> None:
    async def check() -> None:
        async with stand(tmp_path) as here:
            for word in fault_words():
                here.fault(word)
                here.fault("clear")
                assert not here.world.radar_end.faults
                assert not here.panel_end.faults
                assert here.panel.powered
                assert here.radar_line.plugged, word
                assert here.panel_line.plugged, word

    run(check())


@pytest.mark.parametrize("lux", ["65536", "9" * 5000])
def test_more_light_than_the_sensor_can_tell_is_refused(tmp_path: Path, lux: str) -> None:
    here = stand(tmp_path)
    here.fault("light 065535")
    with pytest.raises(ValueError, match="light is 0 to 65535 lx"):
        here.fault(f"light {lux}")
    assert here.light.read(0, 1) == [65_535]


def test_a_word_switches_and_twice_switches_back(tmp_path: Path) -> None:
    async def check() -> None:
        async with stand(tmp_path) as here:
            here.fault("radar silence")
            here.fault("panel dead")
            assert here.world.radar_end.faults == {RadarFault.SILENCE}
            assert here.panel_end.faults == {PanelFault.DEAD}
            here.fault("radar silence")
            assert not here.world.radar_end.faults
            here.fault("radar unplug")
            assert not (tmp_path / "radar").exists()
            here.fault("radar plug")
            assert (tmp_path / "radar").exists()
            here.fault("panel off")
            assert not here.panel.powered

    run(check())


@pytest.mark.parametrize(
    "command", ["", "radar", "radar on fire", "sonar silence", "clear all", "panel silence"]
)
def test_a_word_that_is_none_is_answered_with_those_there_are(tmp_path: Path, command: str) -> None:
    async def check() -> None:
        async with stand(tmp_path) as here:
            with pytest.raises(ValueError, match="is no fault; there are: radar silence"):
                here.fault(command)

    run(check())


def test_its_devices_are_there_while_it_is_and_gone_afterwards(tmp_path: Path) -> None:
    def names() -> list[str]:
        return sorted(path.name for path in tmp_path.iterdir())

    async def check() -> None:
        async with stand(tmp_path) as here:
            assert names() == ["panel", "radar"]
            await asyncio.wait_for(here.run(0.2), 5)
            assert here.world.t_s == pytest.approx(0.2)
        assert names() == []

    run(check())
