"""What the tracker learns about a sensor: how far its single readings lie off."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from speedsign.model import Direction, Reading
from speedsign.tracking.noise import Noise
from tests.core.tracking.cars import IN, OUT, coarse, in_order


def learnt(readings: Iterable[Reading]) -> Noise:
    noise = Noise()
    for reading in readings:
        noise.learn(reading)
    return noise


def steady(
    n: int, sigma_kmh: float, *, sigma_level: float = 0.0, every_s: float = 0.1, way: Direction = IN
) -> list[Reading]:
    """A car at 50 km/h, seen by a sensor that errs so much."""
    rng = random.Random(7)
    return [
        Reading(100 + i * every_s, rng.gauss(50, sigma_kmh), way, 1e4 * math.exp(rng.gauss(0, sigma_level)))
        for i in range(n)
    ]


@pytest.mark.parametrize("sigma_kmh", [0.2, 0.4, 0.8, 1.2])
def test_the_spread_of_a_sensor_is_learnt(sigma_kmh: float) -> None:
    assert learnt(steady(600, sigma_kmh)).speed_kmh == pytest.approx(sigma_kmh, rel=0.3)


@pytest.mark.parametrize("sigma_level", [0.1, 0.3, 0.6])
def test_the_fading_of_its_echoes_is_learnt(sigma_level: float) -> None:
    assert learnt(steady(600, 0.3, sigma_level=sigma_level)).level == pytest.approx(sigma_level, rel=0.3)


def test_no_sensor_is_perfect_and_none_is_useless() -> None:
    quiet, wild = learnt(steady(400, 0.0)), learnt(steady(400, 30.0, sigma_level=5.0))
    assert (quiet.speed_kmh, quiet.level) == (0.1, 0.05)
    assert 1.4 < wild.speed_kmh <= 1.5
    assert 0.75 < wild.level <= 0.8


def test_another_vehicle_now_and_then_is_no_noise() -> None:
    """A radar that reports the strongest flips to another lane for every tenth report."""
    readings = steady(600, 0.2)
    readings[::10] = [Reading(r.t_mono_s, 83.0, IN, 90.0) for r in readings[::10]]
    assert learnt(readings).speed_kmh < 0.4


def test_the_other_lane_is_compared_with_itself() -> None:
    """By turns 50 km/h this way and 30 km/h the other."""
    one, other = steady(400, 0.2), steady(400, 0.2, way=OUT)
    slower = [replace(r, t_mono_s=r.t_mono_s + 0.05, speed_kmh=r.speed_kmh - 20) for r in other]
    assert learnt(in_order(one, slower)).speed_kmh == pytest.approx(0.2, rel=0.3)


@pytest.mark.parametrize("every_s", [0.0, 0.36, 2.0])
def test_readings_of_the_same_moment_or_far_apart_tell_nothing(every_s: float) -> None:
    noise = learnt(steady(100, 5.0, every_s=every_s))
    assert (noise.speed_kmh, noise.level) == (Noise().speed_kmh, Noise().level)


def test_a_radar_that_tells_no_strength_teaches_no_fading() -> None:
    for strength in (None, 0.0):
        readings = [Reading(r.t_mono_s, r.speed_kmh, IN, strength) for r in steady(100, 0.3)]
        assert learnt(readings).level == Noise().level


def test_a_coarse_sensor_is_known_by_its_steps() -> None:
    """In steps of 1 km/h about half of the readings repeat the one before, the others differ by the step."""
    assert learnt(coarse(steady(600, 0.35))).step_kmh == pytest.approx(1.0, abs=0.25)
    assert learnt(coarse(steady(600, 0.35), 0.5)).step_kmh == pytest.approx(0.5, abs=0.2)


def test_steps_that_drown_in_noise_are_none() -> None:
    assert learnt(steady(600, 0.4)).step_kmh < 0.1
