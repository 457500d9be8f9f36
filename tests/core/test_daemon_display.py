"""What the schedule, the study, the light and the faces of the rules do in the running daemon."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.display.registers import Registers
from simulator.virtual_time import run_virtual
from speedsign.brightness import BrightnessControl
from speedsign.config.load import parse_config
from speedsign.config.schema import BrightnessConfig, Config, RegistersConfig
from speedsign.daemon import Plan
from speedsign.model import Direction, DisplayState, Fault, Reading
from speedsign.schedule import Schedule
from telemetry.query import read_intervals, read_vehicles
from tests.core.street import HERE, START, Street

SIGN = """
[sign]
id = "abc"
limit_kmh = 50
timezone = "Europe/Riga"
language = "lv"
[radar]
driver = "ops243"
port = "/dev/radar"
"""


def config(more: str) -> Config:
    return parse_config(SIGN + more, "sign.toml")


def a_while(make: Callable[[], Street], seconds: float) -> Street:
    """The street after so many seconds, stopped."""

    async def main() -> Street:
        street = make()
        await street.run(seconds)
        return street

    return run_virtual(main())


def states(street: Street) -> Counter[str]:
    kept = read_vehicles(street.path, START - timedelta(hours=1), START + timedelta(hours=6))
    return Counter(record.display.value for _, record in kept)


def numbers(street: Street) -> list[str]:
    return [text for _, text in street.lit if text and text != "0000"]


def test_a_dark_phase_of_a_study_measures_and_shows_nothing(tmp_path: Path) -> None:
    study = '[[study]]\nname = "before"\nfirst = 2026-05-01\nlast = 2026-05-14\ndisplay = "dark"\n'
    plan = Schedule.of(config(study))
    street = a_while(lambda: Street(tmp_path, plan=_plan(plan)), 1800)
    assert numbers(street) == []
    assert set(states(street)) == {"dark"}
    assert states(street)["dark"] > 60
    cells = [
        cell
        for interval in read_intervals(street.path, START - timedelta(hours=1), START + timedelta(hours=1))
        for cell in interval.cells
    ]
    assert {cell.display for cell in cells} == {DisplayState.DARK}
    assert sum(cell.n for cell in cells) == states(street)["dark"]


def test_the_schedule_darkens_and_lights_the_running_sign(tmp_path: Path) -> None:
    """Dark from 10:00 to 10:10 local time, which is 07:00 UTC."""
    table = '[[rules.schedule]]\nname = "fair"\nstart = "10:00"\nend = "10:10"\ndark = true\n'
    plan = Schedule.of(config(table))
    rested: list[bool] = []

    def made() -> Street:
        street = Street(tmp_path, 600, plan=_plan(plan))
        street.display.rest = lambda *, resting: rested.append(resting)  # type: ignore[method-assign]
        return street

    street = a_while(made, 1800)
    assert rested in ([True, False], [False, True, False])  # a panel with a supply relay may lose its power
    seven_s = (datetime(2026, 5, 4, 7, 0, tzinfo=UTC) - START).total_seconds()
    lit = [(t_s - street.began_s, text) for t_s, text in street.lit if text and text != "0000"]
    assert [t_s for t_s, _ in lit if t_s < seven_s]
    assert [t_s for t_s, _ in lit if t_s > seven_s + 600]
    assert not [t_s for t_s, _ in lit if seven_s + 1.1 <= t_s < seven_s + 600]
    assert {"dark", "shown", "blank"} == set(states(street))


def test_without_a_clock_nothing_is_lit_that_a_study_wants_dark(tmp_path: Path) -> None:
    study = '[[study]]\nname = "after"\nfirst = 2027-05-01\nlast = 2027-05-14\ndisplay = "dark"\n'
    plan = Schedule.of(config(study))
    street = a_while(lambda: Street(tmp_path, plan=_plan(plan), trusted=False), 900)
    assert numbers(street) == []
    assert set(states(street)) == {"dark"}


def test_a_word_alone_is_another_state_than_a_number(tmp_path: Path) -> None:
    text_panel = RegistersConfig(
        kind="text", address=0, cells=6, glyphs="ABCDEFGHIJKLMNOPRSTUVZ!", reads_back=True
    )
    rules = '[rules]\nwithin = ["=LABI!"]\nover = ["speed", "=BREMZE"]\nminimum_kmh = 10\n'
    plan = Schedule.of(config(rules))
    street = a_while(lambda: Street(tmp_path, 600, plan=_plan(plan), driver=Registers(text_panel)), 1800)
    assert {"LABI!", "BREMZE"} <= set(numbers(street))
    kept = read_vehicles(street.path, START - timedelta(hours=1), START + timedelta(hours=6))
    by_state = {
        state: [record.vehicle.speed_kmh for _, record in kept if record.display is state]
        for state in (DisplayState.WORD, DisplayState.SHOWN)
    }
    assert len(by_state[DisplayState.WORD]) > 10
    assert len(by_state[DisplayState.SHOWN]) > 10
    assert sorted(by_state[DisplayState.WORD])[len(by_state[DisplayState.WORD]) // 2] <= 50.5
    assert sorted(by_state[DisplayState.SHOWN])[len(by_state[DisplayState.SHOWN]) // 2] > 50


def test_the_next_vehicle_that_gets_the_same_word_has_been_shown_it_too(tmp_path: Path) -> None:
    """Nothing is written to the panel for it: what it is to see is lit already."""
    text_panel = RegistersConfig(kind="text", address=0, cells=6, glyphs="LABI!", reads_back=True)
    plan = Schedule.of(config('[rules]\nwithin = ["=LABI!"]\nminimum_kmh = 10\nhold_s = 4.0\n'))

    async def main() -> list[tuple[int, str]]:
        street = Street(tmp_path, 0.1, plan=_plan(plan), driver=Registers(text_panel))
        running = asyncio.create_task(street.daemon.run())
        await asyncio.sleep(20)
        for car in range(3):
            for _ in range(15):
                now_s = street.clock.monotonic()
                street.daemon._on_events([Reading(now_s, 30.0 + 5 * car, Direction.APPROACHING, 100.0)])
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.7)
        assert [text for _, text in street.lit if text].count("LABI!") == 1
        await asyncio.sleep(10)
        await street.stop(running)
        kept = read_vehicles(street.path, START - timedelta(hours=1), START + timedelta(hours=6))
        return [(round(one.vehicle.speed_kmh), one.display.value) for _, one in kept]

    assert run_virtual(main()) == [(30, "word"), (35, "word"), (40, "word")]


def test_who_saw_his_speed_in_turn_with_a_word_was_shown_his_speed(tmp_path: Path) -> None:
    text_panel = RegistersConfig(kind="text", address=0, cells=6, glyphs="BREMZ", reads_back=True)
    plan = Schedule.of(config('[rules]\nover = ["speed", "=BREMZ"]\nhold_s = 0.5\n'))

    async def main() -> tuple[list[str], list[tuple[str, str]]]:
        street = Street(tmp_path, 0.1, plan=_plan(plan), driver=Registers(text_panel))
        running = asyncio.create_task(street.daemon.run())
        await asyncio.sleep(20)
        for _ in range(14):  # the second page is the last that he sees
            now_s = street.clock.monotonic()
            street.daemon._on_events([Reading(now_s, 60.0, Direction.APPROACHING, 100.0)])
            await asyncio.sleep(0.1)
        await asyncio.sleep(10)
        await street.stop(running)
        kept = read_vehicles(street.path, START - timedelta(hours=1), START + timedelta(hours=6))
        lit = [text for _, text in street.lit if text and text != "0000"]
        return lit, [(one.display.value, one.face) for _, one in kept]

    lit, kept = run_virtual(main())
    assert lit == ["60", "BREMZ"]
    assert kept == [("shown", "over")]


def test_what_was_seen_under_another_track_is_the_vehicles_when_they_are_joined(tmp_path: Path) -> None:
    """Its later half was shown the speed, and is known to be the same car only when it has passed."""

    async def main() -> list[str]:
        street = Street(tmp_path, 0.1)
        running = asyncio.create_task(street.daemon.run())
        await asyncio.sleep(20)
        for _ in range(14):
            now_s = street.clock.monotonic()
            street.daemon._on_events([Reading(now_s, 60.0, Direction.APPROACHING, 100.0)])
            await asyncio.sleep(0.1)
        seen = street.daemon._seen._lit
        (track_id,) = seen
        seen[track_id + 1] = seen.pop(track_id)
        street.daemon.tracker._joined.append((track_id + 1, track_id))
        await asyncio.sleep(10)
        await street.stop(running)
        kept = read_vehicles(street.path, START - timedelta(hours=1), START + timedelta(hours=6))
        return [one.display.value for _, one in kept]

    assert run_virtual(main()) == ["shown"]


def test_a_display_of_which_nothing_is_known_is_at_fault_before_it_says_so(tmp_path: Path) -> None:
    def unknown() -> Street:
        street = Street(tmp_path)
        street.display.lit = lambda: None  # type: ignore[method-assign]
        street.daemon.on_acked = lambda face, _t_mono_s: None  # type: ignore[method-assign]
        return street

    assert set(states(a_while(unknown, 600))) == {"fault"}


def test_a_display_at_fault_is_another_state_than_planned_darkness(tmp_path: Path) -> None:
    study = '[[study]]\nname = "before"\nfirst = 2026-05-01\nlast = 2026-05-14\ndisplay = "dark"\n'
    plan = Schedule.of(config(study))

    def broken() -> Street:
        street = Street(tmp_path, plan=_plan(plan))
        street.bus.cut.add(1)
        return street

    assert set(states(a_while(broken, 900))) == {"fault"}


def test_a_fault_is_logged_when_it_comes_and_when_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its sentence changes each second; the log is on a card that wears."""

    async def main() -> None:
        street = Street(tmp_path, 0.1)
        running = asyncio.create_task(street.daemon.run())
        await asyncio.sleep(5)
        taken = street.panel.write
        street.panel.write = lambda _address, _values: None  # type: ignore[assignment]  # it lies
        street.panel.power_cycle()
        await asyncio.sleep(60)
        assert [fault.code for fault in street.daemon.faults()] == ["mismatch"]
        street.panel.write = taken  # type: ignore[method-assign]
        await asyncio.sleep(5)
        await street.stop(running)

    with caplog.at_level("INFO"):
        run_virtual(main())
    said = [record.message for record in caplog.records if "read-backs" in record.message]
    assert [line.partition(":")[0] for line in said] == ["fault", "mended"]


class Sensor:
    """A light sensor that says what it is told to."""

    def __init__(self, lux: float | None) -> None:
        self.value = lux

    def lux(self) -> float | None:
        return self.value

    def faults(self) -> list[Fault]:
        return [] if self.value is not None else [Fault("light", "no_reply", "unit 9 did not answer")]


def test_the_panel_is_as_bright_as_the_light_wants_it(tmp_path: Path) -> None:
    async def main() -> None:
        sensor = Sensor(2.0)
        control = BrightnessControl("sensor", 8, BrightnessConfig())
        street = Street(tmp_path, plan=Plan(installation=HERE, brightness=control), light=sensor)
        running = asyncio.create_task(street.daemon.run())
        await asyncio.sleep(30)
        assert street.panel.brightness == 1
        sensor.value = 60_000.0
        await asyncio.sleep(60)
        assert street.panel.brightness == 8
        sensor.value = None
        await asyncio.sleep(60)
        assert "light" in {fault.device for fault in street.daemon.faults()}
        await street.stop(running)

    run_virtual(main())


def _plan(schedule: Schedule) -> Plan:
    return Plan(installation=HERE, schedule=schedule)
