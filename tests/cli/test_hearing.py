"""Where field tools hear the radar: at its own port, or beside the running sign."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from simulator.stand import Stand, Traffic
from simulator.traffic import scripted
from speedsign.cli.hearing import Source, hear
from speedsign.cli.radar_line import Chosen
from speedsign.clock import SystemClock
from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.errors import PortError
from speedsign.model import Direction, RadarEvent, Reading, Unit, Vehicle
from speedsign.registry import load_radar
from tests.support import run, until

pytestmark = pytest.mark.wires


class Heard:
    """A hearer that remembers."""

    def __init__(self) -> None:
        self.all: list[RadarEvent] = []
        self.passed: list[Vehicle] = []
        self.said: list[Mapping[str, str]] = []
        self.states: list[Mapping[str, object]] = []

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        assert all(event.t_mono_s == pytest.approx(t_mono_s, abs=1e-3) for event in events)
        self.all += events

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        self.passed += found

    def introduced(self, values: Mapping[str, str]) -> None:
        self.said.append(values)

    def state(self, facts: Mapping[str, object]) -> None:
        self.states.append(facts)

    @property
    def readings(self) -> list[Reading]:
        return [event for event in self.all if isinstance(event, Reading)]


def at_port(port: Path, *, invert: bool = False) -> Source:
    radar = RadarConfig(driver="ops243", port=str(port), invert_direction=invert)
    return Source(Chosen(load_radar("ops243", None), radar, TrackingConfig(), Unit.KMH))


def test_the_radars_own_port_is_set_up_heard_and_turned_round(tmp_path: Path) -> None:
    async def main() -> tuple[Heard, float, float]:
        traffic = Traffic(script=scripted([(0.4, 0, 90.0, "car")]))
        stand, heard, clock = Stand.on_ptys(tmp_path, seed=2, traffic=traffic), Heard(), SystemClock()
        stop = asyncio.Event()
        async with stand:
            driving = asyncio.create_task(stand.run())
            began_s = clock.monotonic()
            source = at_port(tmp_path / "radar", invert=True)
            listening = asyncio.create_task(hear(source, heard, clock, 60.0, stop, set_up=True))
            await until(lambda: heard.passed, 20.0, "a vehicle")
            stop.set()
            await listening
            driving.cancel()
            await asyncio.wait([driving])
        return heard, began_s, clock.monotonic()

    heard, began_s, ended_s = run(main())
    assert {reading.direction for reading in heard.readings} == {Direction.RECEDING}
    assert all(began_s < reading.t_mono_s < ended_s for reading in heard.readings)
    (vehicle,) = heard.passed
    assert vehicle.direction is Direction.RECEDING
    assert began_s < vehicle.t_first_mono_s < vehicle.t_last_mono_s < ended_s
    assert vehicle.speed_kmh == pytest.approx(90.0, abs=3.0)
    assert len(heard.said) == 1
    assert heard.said[0]["InboundSensorAngleDegrees"] == "0.00", "asked as it may be"
    assert heard.states == []


def test_a_time_that_is_over_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Stand.on_ptys(tmp_path, traffic=Traffic(vehicles_per_hour=0.0)):
            await hear(at_port(tmp_path / "radar"), Heard(), SystemClock(), 0.05, asyncio.Event())

    run(main())


def test_no_radar_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="no such device"):
        run(hear(at_port(tmp_path / "none"), Heard(), SystemClock(), 1.0, asyncio.Event()))
