"""A light sensor's word against the sun's, and against headlights."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.light import DOUBT_S, START_S, TRUST_S, WINDOW_S, LightJudge

MEANWHILE = "Until then brightness goes by the height of the sun"


class Sensor:
    """A judge, and a sensor that is asked once a second."""

    def __init__(self) -> None:
        self.judge = LightJudge()
        self.t_s = 5000.0

    def says(self, lux: float | None, seconds: float, elevation_deg: float | None = None) -> float | None:
        """The same value for so long; what is believed at the end of it."""
        believed = None
        for _ in range(round(seconds)):
            believed = self.judge.lux(self.t_s, lux, elevation_deg)
            self.t_s += 1.0
        return believed

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.judge.faults(MEANWHILE)]


def test_a_steady_value_is_believed_at_once() -> None:
    assert Sensor().says(300.0, 1) == 300.0


@pytest.mark.parametrize("seconds", [1, 3, 5])
def test_headlights_pass_unseen(seconds: int) -> None:
    sensor = Sensor()
    sensor.says(0.5, 60)
    seen = [sensor.says(2000.0, 1) for _ in range(seconds)]
    seen += [sensor.says(0.5, 1) for _ in range(20)]
    assert set(seen) == {0.5}


def test_light_that_stays_is_taken_within_the_window() -> None:
    sensor = Sensor()
    sensor.says(10.0, 60)
    assert sensor.says(5000.0, WINDOW_S / 2 + 2) == 5000.0


@given(st.lists(st.floats(0, 200_000), min_size=1, max_size=60))
def test_what_is_believed_is_never_beyond_what_was_said(values: list[float]) -> None:
    sensor = Sensor()
    for i, lux in enumerate(values):
        believed = sensor.says(lux, 1)
        window = values[max(0, i - round(WINDOW_S)) : i + 1]
        assert believed is not None
        assert min(window) <= believed <= max(window)


@pytest.mark.parametrize("nonsense", [None, math.nan, math.inf, -1.0])
def test_no_value_is_a_fault_at_once_and_forgiven_at_once(nonsense: float | None) -> None:
    sensor = Sensor()
    sensor.says(300.0, 30)
    assert sensor.says(nonsense, 1) is None
    assert sensor.codes == ["missing"]
    assert sensor.judge.faults(MEANWHILE)[0].device == "light"
    assert sensor.judge.faults(MEANWHILE)[0].text.endswith(MEANWHILE)
    assert sensor.says(250.0, 1) == 250.0, "the values before the gap are forgotten"
    assert sensor.codes == []


def test_after_a_start_it_is_given_time_for_its_first_value() -> None:
    sensor = Sensor()
    assert sensor.says(None, START_S) is None
    assert sensor.codes == []
    sensor.says(None, 1)
    assert sensor.codes == ["missing"]


def test_a_gap_right_after_the_first_value_is_a_fault() -> None:
    sensor = Sensor()
    sensor.says(5.0, 1)
    sensor.says(None, 1)
    assert sensor.codes == ["missing"]


# ---------------------------------------------------------------------- against the sun


def test_night_in_full_daylight_is_doubted_after_ten_minutes() -> None:
    sensor = Sensor()
    assert sensor.says(0.2, DOUBT_S, elevation_deg=30) == 0.2
    assert sensor.codes == []
    assert sensor.says(0.2, 2, elevation_deg=30) is None
    assert sensor.codes == ["implausible"]
    assert "reads night" in sensor.judge.faults(MEANWHILE)[0].text


@pytest.mark.parametrize(("lux", "elevation_deg"), [(0.2, 9.9), (1.0, 30), (0.0, -20), (0.0, None)])
def test_what_may_be_is_not_doubted(lux: float, elevation_deg: float | None) -> None:
    """A low sun behind a hill, a thunderstorm, the night, an unknown time."""
    sensor = Sensor()
    assert sensor.says(lux, 3 * DOUBT_S, elevation_deg) == lux
    assert sensor.codes == []


def test_day_at_night_is_doubted_and_a_street_lamp_is_not() -> None:
    sensor = Sensor()
    assert sensor.says(150.0, 3 * DOUBT_S, elevation_deg=-20) == 150.0
    assert sensor.says(60_000.0, DOUBT_S + 10, elevation_deg=-20) is None
    assert "reads day" in sensor.judge.faults(MEANWHILE)[0].text


def test_a_doubt_begins_anew_after_a_plausible_value() -> None:
    sensor = Sensor()
    for _ in range(5):
        sensor.says(0.2, DOUBT_S - 30, elevation_deg=30)
        assert sensor.says(3.0, 30, elevation_deg=30) is not None
    assert sensor.codes == []


def test_a_doubt_begins_anew_after_a_gap() -> None:
    sensor = Sensor()
    sensor.says(0.2, DOUBT_S - 30, elevation_deg=30)
    sensor.says(None, 60, elevation_deg=30)
    assert sensor.says(0.2, DOUBT_S - 30, elevation_deg=30) == 0.2


def test_a_covered_sensor_is_believed_again_after_a_minute_of_light() -> None:
    sensor = Sensor()
    sensor.says(0.2, DOUBT_S + 2, elevation_deg=30)
    sensor.says(5.0, 600, elevation_deg=30)
    assert sensor.codes == ["implausible"], "a gleam is no daylight"
    assert sensor.says(20_000.0, TRUST_S, elevation_deg=30) is None
    assert sensor.says(20_000.0, WINDOW_S, elevation_deg=30) == 20_000.0
    assert sensor.codes == []


def test_the_night_proves_nothing_for_a_sensor_that_always_says_night() -> None:
    sensor = Sensor()
    sensor.says(0.2, DOUBT_S + 2, elevation_deg=30)
    assert sensor.says(0.2, 8 * 3600, elevation_deg=-20) is None
    assert sensor.codes == ["implausible"]


def test_a_sensor_that_always_said_day_has_to_say_night_once() -> None:
    sensor = Sensor()
    sensor.says(60_000.0, DOUBT_S + 2, elevation_deg=-20)
    assert sensor.says(60_000.0, 3600, elevation_deg=30) is None
    assert sensor.says(2.0, TRUST_S + WINDOW_S, elevation_deg=-20) == 2.0
    assert sensor.codes == []


def test_it_may_be_missing_and_disbelieved_at_once() -> None:
    sensor = Sensor()
    sensor.says(0.2, DOUBT_S + 2, elevation_deg=30)
    sensor.says(None, 5, elevation_deg=30)
    assert sensor.codes == ["missing", "implausible"]


def test_the_limits_of_light_and_time_at_the_edge() -> None:
    sensor = Sensor()
    sensor.says(0.999, DOUBT_S + 2, elevation_deg=10.001)
    assert sensor.codes == ["implausible"]
