"""An angle that the sensor itself corrects for: told by it, or seen in its ranges."""

from __future__ import annotations

from math import cos, radians

import pytest

from speedsign.calibration.sensor_angle import by_ranges, can_be_asked, corrects, told_angles, twice_percent
from speedsign.registry import radar_names
from tests.calibration.passes import street


def test_the_radars_that_can_be_asked_are_known_by_their_names() -> None:
    assert {name for name in radar_names() if can_be_asked(name)} == {"ops243", "ld2415h"}


def test_what_an_ops_says() -> None:
    reply = {"InboundSensorAngleDegrees": "15.0", "OutboundSensorAngleDegrees": "0.00", "Units": "km-per-hr"}
    assert told_angles("ops243", reply) == {"approaching": 15.0, "receding": 0.0}
    assert corrects(told_angles("ops243", reply))


def test_what_an_ld2415h_says_is_hexadecimal() -> None:
    assert told_angles("ld2415h", {"X1": "03", "X2": "0A", "X3": "05"}) == {"both": 10.0}
    assert not corrects(told_angles("ld2415h", {"X2": "00"}))


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf"])
def test_a_damaged_answer_says_nothing(text: str) -> None:
    assert told_angles("ops243", {"InboundSensorAngleDegrees": text}) == {}


def test_a_radar_that_cannot_be_asked_says_nothing() -> None:
    assert told_angles("csr", {"X2": "0A"}) == {}
    assert not corrects({})


def test_two_corrections_are_one_too_many() -> None:
    assert twice_percent(20.0, 20.0) == pytest.approx(6.4, abs=0.05)
    assert twice_percent(0.0, 20.0) == 0.0
    with pytest.raises(ValueError, match="angles"):
        twice_percent(90.0, 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_ranges_give_a_correction_away(seed: int) -> None:
    cars, _ = street(60, seed, corrected=1 / cos(radians(20.0)), ranges=True, noise_mps=0.1)
    found = by_ranges(cars)
    assert found is not None
    assert found.corrects
    assert found.angle_deg == pytest.approx(20.0, abs=1.0)
    assert found.low <= 1 / cos(radians(20.0)) * 1.002
    assert found.passages == 60


@pytest.mark.parametrize("seed", range(4))
def test_ranges_of_whole_metres_accuse_nobody(seed: int) -> None:
    cars, _ = street(60, seed, ranges=True, noise_mps=0.15)
    rounded = [one._replace(ranges_m=tuple(float(round(away)) for away in one.ranges_m)) for one in cars]
    found = by_ranges(rounded)
    assert found is not None
    assert not found.corrects
    assert found.factor == pytest.approx(1.0, abs=0.01)


def test_without_ranges_nothing_can_be_said() -> None:
    cars, _ = street(60, 1)
    assert by_ranges(cars) is None
    few, _ = street(10, 1, ranges=True)
    assert by_ranges(few) is None
