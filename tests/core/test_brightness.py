"""How bright the panel is: sun, sensor, fixed; steps, hysteresis, ramp; at the start, and in trouble."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.brightness import BrightnessControl, Source, Stepper, source_of
from speedsign.config.schema import (
    BrightnessConfig,
    Config,
    DisplayConfig,
    RadarConfig,
    SensorConfig,
    SignConfig,
)
from speedsign.daylight import level_of
from speedsign.light import DOUBT_S, START_S
from speedsign.ports import Capabilities
from speedsign.sun import Sun

NOON = datetime(2026, 6, 21, 10, 20, tzinfo=UTC)
MIDNIGHT = datetime(2026, 12, 21, 22, 20, tzinfo=UTC)
BIRZAI = 56.2, 24.76
SUN = Sun(*BIRZAI).elevation_deg
STEPS = 8


class Sign:
    """A control that is asked once a second; `at_utc` is what the wall clock shows."""

    def __init__(
        self,
        source: Source = "sun",
        settings: BrightnessConfig | None = None,
        at_utc: datetime = NOON,
        elevation: Callable[[datetime], float] | None = SUN,
        steps: int = STEPS,
        fixed: float = 1.0,
    ) -> None:
        self.control = BrightnessControl(source, steps, settings or BrightnessConfig(), fixed, elevation)
        self.t_s, self.at_utc, self.trusted = 100.0, at_utc, True
        self.given: list[tuple[float, int]] = []  # when, which step of the panel

    def ask(self, seconds: float = 1, lux: float | None = None, every_s: float = 1.0) -> Sign:
        for _ in range(round(seconds / every_s)):
            level = self.control.level(self.t_s, self.at_utc if self.trusted else None, lux)
            if level is not None:
                self.given.append((self.t_s, round(level * (STEPS - 1))))
            self.t_s += every_s
            self.at_utc += timedelta(seconds=every_s)
        return self

    @property
    def steps(self) -> list[int]:
        return [step for _, step in self.given]

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.control.faults()]


# ---------------------------------------------------------------------- by the sun


def test_day_and_night() -> None:
    assert Sign(at_utc=NOON).ask().steps == [7]
    assert Sign(at_utc=MIDNIGHT).ask().steps == [0]


def test_a_sign_that_starts_at_night_does_not_dazzle() -> None:
    """No ramp down from full: the very first level is the lowest."""
    sign = Sign(at_utc=MIDNIGHT).ask(60)
    assert sign.steps == [0]


def test_nothing_is_said_while_nothing_changes() -> None:
    assert Sign().ask(3600).steps == [7]


def test_without_the_time_the_level_for_that_holds_and_the_sun_as_soon_as_it_comes() -> None:
    sign = Sign(at_utc=MIDNIGHT, settings=BrightnessConfig(unknown=0.5))
    sign.trusted = False
    assert sign.ask(30).steps == [4]
    sign.trusted = True
    assert sign.ask(30).steps == [4, 3, 2, 1, 0]


def test_trust_that_is_lost_takes_no_time_away() -> None:
    """The kernel calls its clock unsynchronised after a day without a server; the sun can be reckoned on."""
    sign = Sign(at_utc=NOON).ask(60)
    sign.trusted = False
    sign.ask(14 * 3600, every_s=10)
    assert sign.steps == [7, 6, 5, 4, 3, 2, 1, 0]


def test_without_coordinates_the_level_for_that_holds() -> None:
    assert Sign(elevation=None, settings=BrightnessConfig(unknown=0.4)).ask(60).steps == [3]


def test_the_sun_is_looked_at_once_a_minute() -> None:
    looked: list[datetime] = []

    def elevation(at_utc: datetime) -> float:
        looked.append(at_utc)
        return 30.0

    Sign(elevation=elevation).ask(600)
    assert len(looked) == 10
    assert looked[0] == NOON


def test_a_clock_that_is_set_is_followed_within_a_minute() -> None:
    sign = Sign(at_utc=MIDNIGHT).ask(30)
    sign.at_utc = NOON
    assert sign.ask(60).steps[-1] == 7


@pytest.mark.parametrize("latitude", [69.65, 90.0, -90.0])
def test_polar_day_and_night_are_days_and_nights(latitude: float) -> None:
    sun = Sun(latitude, 18.96)
    for month in (6, 12):
        sign = Sign(elevation=sun.elevation_deg, at_utc=datetime(2026, month, 21, tzinfo=UTC))
        sign.ask(2 * 86_400, every_s=60)
        bright = (month == 6) == (latitude > 0)
        assert set(sign.steps) <= ({2, 3, 4, 5, 6, 7} if bright else {0, 1})


@pytest.mark.parametrize("hysteresis", [0.0, 0.2, 0.45])
@pytest.mark.parametrize("place", [BIRZAI, (69.65, 18.96)])
def test_in_a_year_no_day_has_more_changes_than_up_and_down(
    place: tuple[float, float], hysteresis: float
) -> None:
    settings = BrightnessConfig(hysteresis=hysteresis)
    sign = Sign(
        elevation=Sun(*place).elevation_deg, at_utc=datetime(2026, 1, 1, tzinfo=UTC), settings=settings
    )
    begin = sign.t_s
    sign.ask(365 * 86_400, every_s=600)
    days = [int((t_s - begin) // 86_400) for t_s, _ in sign.given[1:]]
    twice = place != BIRZAI  # a change at midnight that comes earlier each day falls into one of them twice
    assert max(days.count(day) for day in set(days)) <= 2 * (STEPS - 1) + twice
    assert place != BIRZAI or set(days) == set(range(365)), "and every day of ours has a day and a night"


# ---------------------------------------------------------------------- by the sensor


@pytest.mark.parametrize(("lux", "step"), [(0.1, 0), (40.0, 0), (4_000.0, 1), (12_000.0, 3), (100_000.0, 7)])
def test_the_sensor_decides(lux: float, step: int) -> None:
    assert Sign("sensor", elevation=None).ask(30, lux).steps[-1] == step


@pytest.mark.parametrize(("at_utc", "lux", "step"), [(NOON, 2.0, 0), (MIDNIGHT, 50_000.0, 7)])
def test_the_first_value_of_the_sensor_counts_at_once(at_utc: datetime, lux: float, step: int) -> None:
    """At the start it was not asked yet, and the sun's step stands in."""
    sign = Sign("sensor", at_utc=at_utc).ask(3)
    assert sign.steps == [7 - step]
    assert sign.ask(20, lux=lux).steps == [7 - step, step]


def test_a_sensor_that_speaks_late_or_again_has_no_such_right() -> None:
    late = Sign("sensor", at_utc=NOON).ask(START_S + 2)
    assert late.ask(20, lux=2.0).steps == list(range(7, -1, -1))
    again = Sign("sensor", at_utc=NOON).ask(3, lux=50_000.0).ask(2)
    assert again.ask(8, lux=2.0).steps == list(range(7, -1, -1))


def test_a_sensor_that_fails_leaves_the_sun_and_a_fault() -> None:
    sign = Sign("sensor", at_utc=NOON).ask(60, 9_000.0)
    assert (sign.steps[-1], sign.codes) == (2, [])
    sign.ask(30, None)
    assert (sign.steps[-1], sign.codes) == (7, ["missing"])
    assert "height of the sun" in sign.control.faults()[0].text
    sign.ask(60, 9_000.0)
    assert (sign.steps[-1], sign.codes) == (2, [])


def test_a_sensor_that_fails_without_the_time_leaves_the_level_for_that() -> None:
    sign = Sign("sensor", at_utc=MIDNIGHT, settings=BrightnessConfig(unknown=0.5), elevation=None)
    assert sign.ask(60, 0.0).steps[-1] == 0
    assert sign.ask(60, None).steps[-1] == 4
    assert "0.5 of the panel's" in sign.control.faults()[0].text


def test_a_covered_sensor_leaves_the_sun() -> None:
    sign = Sign("sensor", at_utc=NOON).ask(DOUBT_S - 10, 0.1)
    assert (sign.steps[-1], sign.codes) == (0, [])
    sign.ask(60, 0.1)
    assert (sign.steps[-1], sign.codes) == (7, ["implausible"])


def test_headlights_do_not_move_it() -> None:
    sign = Sign("sensor", at_utc=MIDNIGHT).ask(60, 0.5)
    for _ in range(10):
        sign.ask(3, 30_000.0).ask(10, 0.5)
    assert sign.steps == [0]


def test_before_the_first_value_it_is_as_by_the_sun_and_no_fault() -> None:
    sign = Sign("sensor", at_utc=MIDNIGHT).ask(5, None)
    assert (sign.steps, sign.codes) == ([0], [])


@pytest.mark.parametrize("source", ["sun", "fixed"])
def test_who_has_no_sensor_has_no_fault_of_it(source: Source) -> None:
    assert Sign(source).ask(60, None).codes == []


# ---------------------------------------------------------------------- fixed, bounds, curve


@pytest.mark.parametrize(("level", "step"), [(0.0, 0), (0.5, 4), (1.0, 7)])
def test_fixed_is_said_once(level: float, step: int) -> None:
    assert Sign("fixed", fixed=level, at_utc=MIDNIGHT).ask(60).steps == [step]


def test_never_dimmer_and_never_brighter_than_the_bounds() -> None:
    bounds = BrightnessConfig(lowest=0.3, highest=0.7)
    for source in ("sun", "fixed"):
        assert Sign(source, settings=bounds, at_utc=NOON).ask().steps == [5]
    assert Sign("fixed", settings=bounds, fixed=0.0).ask().steps == [2]
    assert Sign(settings=bounds, at_utc=MIDNIGHT).ask().steps == [2]


def test_a_curve_of_ones_own() -> None:
    own = BrightnessConfig(curve=((10.0, 0.2), (1_000.0, 1.0)))
    assert Sign("sensor", settings=own).ask(30, 1.0).steps[-1] == 1
    assert Sign("sensor", settings=own).ask(30, 1_000.0).steps[-1] == 7


@given(st.floats(0, 200_000), st.integers(1, 256))
def test_the_level_is_the_panels_nearest_step(lux: float, steps: int) -> None:
    control = BrightnessControl("sensor", steps, BrightnessConfig())
    level = control.level(0.0, None, lux)
    assert level is not None
    assert 0 <= level <= 1
    position = level * (steps - 1)
    assert position == pytest.approx(round(position))
    assert abs(position - level_of(lux) * (steps - 1)) <= 0.5 + 1e-9


def test_a_panel_without_steps_is_left_alone() -> None:
    assert Sign(steps=0).ask(60).steps == []
    assert len(Sign(steps=1).ask(60).steps) == 1


# ---------------------------------------------------------------------- steps


def test_the_ramp_is_one_step_a_time() -> None:
    stepper = Stepper(ramp_s=2.0, hysteresis=0.2)
    assert stepper.towards(0.0, 10.0) == 0
    seen = [stepper.towards(7.0, 11.0 + second) for second in range(20)]
    assert seen == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7, 7, 7, 7]


def test_a_ramp_that_is_no_multiple_of_being_asked_keeps_its_pace() -> None:
    stepper = Stepper(ramp_s=1.5, hysteresis=0.2)
    stepper.towards(0.0, 0.0)
    assert [stepper.towards(7.0, float(second)) for second in range(1, 12)] == [
        0,
        1,
        2,
        2,
        3,
        4,
        4,
        5,
        6,
        6,
        7,
    ]


def test_the_ramp_turns_where_it_is() -> None:
    stepper = Stepper(ramp_s=1.0, hysteresis=0.2)
    stepper.towards(0.0, 0.0)
    up = [stepper.towards(7.0, second) for second in (1, 2, 3)]
    down = [stepper.towards(0.0, second) for second in (4, 5, 6, 7)]
    assert (up, down) == ([1, 2, 3], [2, 1, 0, 0])


def test_a_fast_ramp_is_as_fast_as_it_is_asked() -> None:
    stepper = Stepper(ramp_s=0.1, hysteresis=0.2)
    stepper.towards(0.0, 0.0)
    assert stepper.towards(7.0, 1.0) == 7


def test_being_asked_a_little_early_costs_no_second() -> None:
    stepper = Stepper(ramp_s=1.0, hysteresis=0.2)
    stepper.towards(0.0, 0.0)
    assert [stepper.towards(7.0, 0.99 * n) for n in range(1, 5)] == [1, 2, 3, 4]


@given(
    st.lists(st.tuples(st.floats(0.2, 3.0), st.floats(0, 7)), min_size=2, max_size=80),
    st.floats(0.5, 5.0),
    st.floats(0, 0.45),
)
def test_it_never_runs_faster_than_the_ramp(
    moves: list[tuple[float, float]], ramp_s: float, hysteresis: float
) -> None:
    stepper, t_s, seen = Stepper(ramp_s, hysteresis), 0.0, []
    for pause_s, position in moves:
        t_s += pause_s
        step = stepper.towards(position, t_s)
        assert 0 <= step <= 7
        seen.append((t_s, step))
    for i, (began_s, first) in enumerate(seen):
        for ended_s, last in seen[i + 1 :]:
            assert abs(last - first) <= (ended_s - began_s) / ramp_s + 2


@given(
    boundary=st.integers(0, 6).map(lambda step: step + 0.5),
    hysteresis=st.floats(0.01, 0.45),
    seed=st.integers(0, 1000),
)
def test_noise_around_a_boundary_does_not_flicker(boundary: float, hysteresis: float, seed: int) -> None:
    chance, stepper = random.Random(seed), Stepper(0.1, hysteresis)
    seen = [
        stepper.towards(boundary + 0.99 * chance.uniform(-hysteresis, hysteresis), second)
        for second in range(300)
    ]
    assert len(set(seen)) == 1


def test_without_hysteresis_it_would() -> None:
    chance, stepper = random.Random(1), Stepper(0.1, 0.0)
    seen = [stepper.towards(3.5 + chance.uniform(-0.2, 0.2), second) for second in range(300)]
    assert sum(a != b for a, b in pairwise(seen)) > 50


@given(st.integers(1, 7), st.floats(0, 0.45))
def test_both_ends_are_reached(top: int, hysteresis: float) -> None:
    stepper = Stepper(0.1, hysteresis)
    stepper.towards(top / 2, 0.0)
    for n, end in enumerate((0, top, 0, top), start=1):
        assert stepper.towards(float(end), 100.0 * n) == end


# ---------------------------------------------------------------------- from the config

PLAIN = Config(
    sign=SignConfig(id="test-sign", limit_kmh=50),
    radar=RadarConfig(driver="ops243", port="/dev/radar"),
    display=DisplayConfig(driver="dm56a04", port="/dev/panel", brightness=0.5),
)
PLACED = replace(PLAIN, sign=replace(PLAIN.sign, latitude=56.2, longitude=24.76))
SENSOR = SensorConfig(unit=3, address=0)
CAN = Capabilities(4, True, STEPS, True, None, lights_at_power_up=False)


@pytest.mark.parametrize(
    ("config", "brightness", "source"),
    [
        (PLAIN, BrightnessConfig(), "fixed"),
        (PLACED, BrightnessConfig(), "sun"),
        (PLACED, BrightnessConfig(sensor=SENSOR), "sensor"),
        (PLAIN, BrightnessConfig(sensor=SENSOR), "sensor"),
        (PLACED, BrightnessConfig(by="fixed"), "fixed"),
        (PLACED, BrightnessConfig(by="sun", sensor=SENSOR), "sun"),
    ],
)
def test_what_decides(config: Config, brightness: BrightnessConfig, source: str) -> None:
    assert source_of(replace(config, brightness=brightness)) == source


def test_a_control_is_made_of_the_config() -> None:
    assert BrightnessControl.of(PLAIN, CAN).level(0.0, MIDNIGHT, None) == pytest.approx(4 / 7)
    assert BrightnessControl.of(PLACED, CAN).level(0.0, MIDNIGHT, None) == 0.0
    assert BrightnessControl.of(PLACED, CAN).level(0.0, NOON, None) == 1.0
    sensed = replace(PLACED, brightness=BrightnessConfig(sensor=SENSOR))
    assert BrightnessControl.of(sensed, CAN).level(0.0, NOON, 1.0) == 0.0
    assert BrightnessControl.of(replace(PLAIN, display=None), CAN).level(0.0, None, None) == 1.0


def test_a_fixed_sign_does_not_load_the_suns_library() -> None:
    from tests.test_house import loaded_by

    loaded = loaded_by("import speedsign.brightness, speedsign.sun")
    assert "astral" not in loaded
    assert "astral" in loaded_by("from speedsign.sun import Sun\nSun(56.2, 24.8)")
