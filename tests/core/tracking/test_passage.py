"""The geometry of a pass, found again in its radial speeds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from speedsign.model import Direction
from speedsign.tracking.passage import Passage, passage_of
from tests.core.tracking.cars import EITHER, IN, OUT


def approaching(
    speed_kmh: float, beside_m: float, from_s: float, to_s: float, *, sigma_kmh: float = 0.0
) -> tuple[list[float], list[float]]:
    """Times and radial speeds, ten a second, from and to so many seconds before the pole at 100.0 s."""
    rng, times, speeds = random.Random(3), [], []
    for i in range(round((from_s - to_s) * 10) + 1):
        left_s = from_s - i / 10
        x_m = speed_kmh / 3.6 * left_s
        times.append(100.0 - left_s)
        speeds.append(speed_kmh * x_m / math.hypot(x_m, beside_m) + rng.gauss(0.0, sigma_kmh))
    return times, speeds


def receding(
    speed_kmh: float, beside_m: float, from_s: float, to_s: float, *, sigma_kmh: float = 0.0
) -> tuple[list[float], list[float]]:
    times, speeds = approaching(speed_kmh, beside_m, from_s, to_s, sigma_kmh=sigma_kmh)
    return [200.0 - t_s for t_s in reversed(times)], speeds[::-1]


def bent(speed_kmh: float, beside_m: float, to_s: float) -> bool:
    """Whether its cosine fell below 0.85 or so: less tells the speed, but not where the lane is."""
    return beside_m / (speed_kmh / 3.6 * to_s) > 0.6


Scene = Callable[[float, float, float, float], tuple[list[float], list[float]]]
SCENES: list[tuple[Scene, Direction]] = [(approaching, IN), (receding, OUT)]


@pytest.mark.parametrize("speed_kmh", [20, 30, 50, 70, 90, 130])
@pytest.mark.parametrize("beside_m", [3.0, 4.5, 6.0, 9.0])
@pytest.mark.parametrize("to_s", [0.3, 0.5, 0.75, 0.98])
@pytest.mark.parametrize(("scene", "direction"), SCENES)
def test_exact_readings_give_the_pass_back(
    speed_kmh: float, beside_m: float, to_s: float, scene: Scene, direction: Direction
) -> None:
    found = passage_of(*scene(speed_kmh, beside_m, 3.3 + to_s, to_s), direction)
    assert found is not None
    assert found.speed_kmh == pytest.approx(speed_kmh, rel=0.02)
    if bent(speed_kmh, beside_m, to_s):
        assert found.beside_m == pytest.approx(beside_m, abs=0.5 + 0.1 * beside_m)
        assert found.t_pole_s == pytest.approx(100.0, abs=0.16)


@pytest.mark.parametrize("speed_kmh", [30, 50, 70])
def test_noisy_readings_give_the_speed_along_the_road(speed_kmh: float) -> None:
    times, speeds = approaching(speed_kmh, 6.0, 3.8, 0.5, sigma_kmh=0.4)
    found = passage_of(times, speeds, IN)
    assert found is not None
    assert found.speed_kmh == pytest.approx(speed_kmh, abs=0.6)


def test_one_wild_reading_is_counted_once() -> None:
    times, speeds = approaching(50, 6.0, 3.8, 0.5)
    clean = passage_of(times, speeds, IN)
    speeds[20] += 12.0
    wild = passage_of(times, speeds, IN)
    assert clean is not None
    assert wild is not None
    assert wild.speed_kmh == pytest.approx(clean.speed_kmh, abs=1.5)


@pytest.mark.parametrize(("scene", "direction"), SCENES)
def test_what_does_not_bend_has_no_pass(scene: Scene, direction: Direction) -> None:
    times, _ = scene(50, 6.0, 3.5, 0.5)
    assert passage_of(times, [50.0] * len(times), direction) is None


@pytest.mark.parametrize(("scene", "direction"), SCENES)
def test_what_bends_the_other_way_has_no_pass(scene: Scene, direction: Direction) -> None:
    times, speeds = scene(50, 6.0, 3.5, 0.5)
    assert passage_of(times, [100 - speed for speed in speeds], direction) is None


@pytest.mark.parametrize("beside_m", [0.3, 1.0, 14.0, 17.0, 40.0])
def test_a_lane_is_where_a_lane_can_be(beside_m: float) -> None:
    for to_s in (0.15, 0.5, 1.0):
        found = passage_of(*approaching(50, beside_m, 3.5, to_s), IN)
        assert found is None or 2.0 <= found.beside_m <= 16.0


def test_it_takes_ten_readings_and_a_direction() -> None:
    times, speeds = approaching(50, 6.0, 1.5, 0.5)
    assert passage_of(times[-10:], speeds[-10:], IN) is not None
    assert passage_of(times[-9:], speeds[-9:], IN) is None
    assert passage_of(times, speeds, EITHER) is None


@pytest.mark.parametrize("n", [40, 400, 1024])
def test_of_a_long_track_some_readings_tell_all(n: int) -> None:
    times = [100 - 0.5 - 3.5 * (n - 1 - i) / (n - 1) for i in range(n)]
    speeds = [50 * (x := 50 / 3.6 * (100 - t)) / math.hypot(x, 6.0) for t in times]
    found = passage_of(times, speeds, IN)
    assert found is not None
    assert found.speed_kmh == pytest.approx(50, abs=0.3)


def test_the_cosine_is_that_of_the_angle_to_the_road() -> None:
    passage = Passage(t_pole_s=100.0, beside_m=5.0, speed_kmh=36.0)
    assert passage.cosine(100.0) == 0.0
    assert passage.cosine(99.5) == passage.cosine(100.5) == pytest.approx(math.cos(math.pi / 4))
    assert passage.cosine(90.0) == pytest.approx(0.99875, abs=1e-5)
