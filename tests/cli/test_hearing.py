"""Where field tools hear the radar: at its own port, or beside the running sign."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pytest

from simulator.stand import Stand, Traffic
from simulator.traffic import scripted
from speedsign.assemble import Sign
from speedsign.cli.hearing import Source, hear, source_of
from speedsign.cli.radar_line import Chosen
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.errors import PortError, UsageError
from speedsign.model import Direction, RadarEvent, Reading, Unit, Vehicle
from speedsign.registry import load_radar
from tests.cli.wires import config_text
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


# --------------------------------------------------------------------------- beside a running sign


def sign_config(folder: Path) -> Path:
    path = folder / "sign.toml"
    text = config_text(folder / "radar", folder / "panel", folder / "sign.db")
    text = text.replace("[display]", "invert_direction = true\nmounting_angle_deg = 10\n[display]")
    path.write_text(f'{text}[live]\nsocket = "{folder}/live.sock"\n')
    return path


def from_options(config: Path, port: str | None = None) -> Source:
    """As a command finds its source, with --config given."""
    context = click.Context(click.Command("test"))
    context.set_parameter_source("config_path", click.core.ParameterSource.COMMANDLINE)
    driver = "ops243" if port else None
    return source_of(context, config, port=port, driver=driver, profile=None, baud=None, unit=None)


def test_beside_the_running_sign_through_its_restart(tmp_path: Path) -> None:
    config = sign_config(tmp_path)
    assert from_options(config).socket is None, "no sign runs"

    async def main() -> tuple[Heard, Source, list[str]]:
        traffic = Traffic(script=scripted([(1.5, 0, 90.0, "car"), (9.0, 1, 70.0, "car")]))
        stand, heard, stop = Stand.on_ptys(tmp_path, seed=2, traffic=traffic), Heard(), asyncio.Event()
        async with stand:
            driving = asyncio.create_task(stand.run())
            sign = asyncio.create_task(Sign(load_config(config)).run())
            await until((tmp_path / "live.sock").exists)
            source = await asyncio.to_thread(from_options, config)
            listening = asyncio.create_task(hear(source, heard, SystemClock(), None, stop))
            await until(lambda: heard.passed, 20.0, "a vehicle")
            sign.cancel()
            await asyncio.wait([sign])
            assert not (tmp_path / "live.sock").exists()
            sign = asyncio.create_task(Sign(load_config(config)).run())
            await until(lambda: len(heard.passed) > 1 and len(heard.said) > 1, 20.0, "another vehicle")
            stop.set()
            await listening
            told = await asyncio.to_thread(lambda: from_options(config, str(tmp_path / "radar")).words)
            for task in (driving, sign):
                task.cancel()
            await asyncio.wait([driving, sign])
        return heard, source, [source.words, told]

    heard, source, words = run(main(), 60.0)
    assert words == [
        f"the running sign test-sign (ops243 at {tmp_path}/radar)",
        f"ops243 at {tmp_path}/radar",
    ]
    assert source.mounting_angle_deg == 10.0
    first, second = heard.passed
    assert (first.direction, second.direction) == (Direction.RECEDING, Direction.APPROACHING), "inverted"
    assert first.radial_kmh is not None
    assert heard.readings[0].direction is Direction.RECEDING, "and so are single readings"
    assert heard.readings[-1].direction is Direction.APPROACHING
    assert heard.readings == sorted(heard.readings, key=lambda reading: reading.t_mono_s)
    assert len(heard.readings) >= first.readings + second.readings
    assert len(heard.states) > 5
    assert heard.states[-1]["faults"] == []


def test_the_sign_of_another_config_is_not_listened_to(tmp_path: Path) -> None:
    config = sign_config(tmp_path)
    other = tmp_path / "other.toml"
    other.write_text(config.read_text().replace("test-sign", "other-sign"))

    async def main() -> None:
        async with Stand.on_ptys(tmp_path, traffic=Traffic(vehicles_per_hour=0.0)):
            sign = asyncio.create_task(Sign(load_config(config)).run())
            await until((tmp_path / "live.sock").exists)
            with pytest.raises(UsageError, match=r"is of the sign other-sign, and at .* runs test-sign"):
                await asyncio.to_thread(from_options, other)
            sign.cancel()
            await asyncio.wait([sign])

    run(main())


def test_a_sign_that_stays_away_ends_it_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speedsign.cli.hearing.AWAY_S", 0.0)
    source = Source(at_port(tmp_path / "none").choice, tmp_path / "live.sock")
    with pytest.raises(PortError, match="the sign has gone away; look at: systemctl status speedsign"):
        run(hear(source, Heard(), SystemClock(), None, asyncio.Event()))
