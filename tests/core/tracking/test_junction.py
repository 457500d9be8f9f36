"""One vehicle or two: what one can do between two runs of readings, and what it cannot."""

from __future__ import annotations

from math import inf, log

import pytest

from speedsign.model import Direction
from speedsign.tracking.junction import SLOPE_LEAST, Line, breach, line
from speedsign.tracking.noise import Noise
from tests.core.tracking.cars import EITHER, IN, OUT

QUIET = Noise(speed_kmh=0.1, level=0.05)


def run(
    t_s: float,
    speed_kmh: float,
    slope_kmh_s: float = 0.0,
    *,
    strength: float | None = None,
    rise: float = 0.0,
    range_m: float | None = None,
) -> Line:
    """A run of some ten readings; variances are those of 0.8 s at ten a second."""
    level = None if strength is None else log(strength)
    return Line(t_s, speed_kmh, slope_kmh_s, level, rise, 0.35, 2.4, range_m)


# ------------------------------------------------------------------ straight lines


def test_a_line_goes_through_its_readings() -> None:
    times = [100 + i / 10 for i in range(9)]
    found = line(times, [50 - 4 * (t - 100) for t in times], [2 + 0.5 * (t - 100) for t in times], 100.8)
    assert (found.t_s, found.speed_kmh, found.slope_kmh_s) == pytest.approx((100.8, 46.8, -4.0))
    assert (found.level, found.rise) == pytest.approx((2.4, 0.5))
    assert found.at(101.0) == pytest.approx(46.0)
    assert found.variance == pytest.approx(1 / 9 + 0.16 / 0.6)
    assert found.slope_variance == pytest.approx(1 / 0.6)


@pytest.mark.parametrize("times", [[100.0], [100.0, 100.1], [100.0] * 6])
def test_few_readings_or_those_of_one_moment_have_no_slope(times: list[float]) -> None:
    assert len(times) < SLOPE_LEAST or len(set(times)) == 1
    speeds = [50.0 + i for i in range(len(times))]
    found = line(times, speeds, [], 100.0)
    assert (found.speed_kmh, found.slope_kmh_s) == (sum(speeds) / len(speeds), 0.0)
    assert (found.level, found.slope_variance) == (None, inf)


# ------------------------------------------------------------------ speeds


@pytest.mark.parametrize("direction", list(Direction))
def test_what_goes_on_as_before_is_one(direction: Direction) -> None:
    before, after = run(100.0, 50, strength=20), run(100.1, 50, strength=20)
    assert breach(before, after, direction, QUIET) == 0.0


@pytest.mark.parametrize(
    ("direction", "before_kmh", "after_kmh", "one"),
    [
        (IN, 50, 50.6, True),
        (IN, 50, 53, False),  # nothing makes an approaching car faster at once
        (IN, 50, 49, True),  # the cosine makes it slower
        (IN, 50, 44, False),  # but not so much in a tenth of a second
        (OUT, 50, 51, True),
        (OUT, 50, 47, False),
        (OUT, 50, 56, False),
        (EITHER, 50, 51, True),
        (EITHER, 50, 49, True),
        (EITHER, 50, 56, False),
        (EITHER, 50, 44, False),
    ],
)
def test_a_jump_of_the_speed(direction: Direction, before_kmh: float, after_kmh: float, one: bool) -> None:
    assert (breach(run(100.0, before_kmh), run(100.1, after_kmh), direction, QUIET) <= 1.0) is one


@pytest.mark.parametrize(("direction", "after_kmh"), [(IN, 45), (OUT, 55)])
def test_the_longer_unseen_the_more_the_cosine_may_have_swept(direction: Direction, after_kmh: float) -> None:
    shares = [breach(run(100.0, 50), run(100 + s, after_kmh), direction, QUIET) for s in (0.1, 0.5, 1.0, 2.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 1.0 > shares[-1]


@pytest.mark.parametrize(
    ("direction", "before", "after", "one"),
    [
        (IN, 0, -6, True),  # it nears the pole: the cosine falls ever faster
        (IN, -6, 0, True),  # it does not unbend, but a foot that comes off the brake does that
        (IN, -1.5, 0, True),
        (OUT, 6, 0, True),  # it leaves the pole behind: rises ever slower
        (OUT, 0, 6, True),
        (EITHER, 0, 6, False),  # where nothing else can be told
        (EITHER, 0, 1.5, True),
    ],
)
def test_a_bend_of_the_speed(direction: Direction, before: float, after: float, one: bool) -> None:
    assert (breach(run(100.0, 50, before), run(100.1, 50, after), direction, QUIET) <= 1.0) is one


def test_a_bend_and_a_little_jump_are_two() -> None:
    assert breach(run(100.0, 50, -6), run(100.1, 50.5, 0), IN, QUIET) > 1.0
    assert breach(run(100.0, 50, 0), run(100.1, 49.5, 6), OUT, QUIET) > 1.0
    assert breach(run(100.0, 50, -6), run(100.1, 50.5, -6), IN, QUIET) < 1.0


def test_a_steep_fall_goes_on_over_a_gap() -> None:
    """At 12 km/h a second and unseen for 0.5 s, it is 6 km/h lower: that is no jump."""
    assert breach(run(100.0, 50, -12), run(100.5, 44, -12), IN, QUIET) < 0.1
    assert breach(run(100.0, 50, -2), run(100.5, 44, -2), IN, QUIET) > 1.0


def test_a_curve_is_no_jump_where_straight_lines_end_apart() -> None:
    assert breach(run(100.0, 50, 0), run(100.0, 51.5, -10), IN, QUIET) < 0.5
    assert breach(run(100.0, 50, 0), run(100.0, 51.5, 0), IN, QUIET) > 1.0


def test_a_noisy_or_coarse_sensor_is_given_more_room() -> None:
    coarse = Noise(speed_kmh=0.1)
    coarse._same, coarse._step_kmh = 0.8, 1.5
    before, after = run(100.0, 50), run(100.1, 51.6)
    assert breach(before, after, IN, QUIET) > 1.0
    assert breach(before, after, IN, Noise(speed_kmh=1.0)) < 1.0
    assert breach(before, after, IN, coarse) < 1.0


def test_faults_add_up() -> None:
    jump = breach(run(100.0, 50), run(100.1, 50.7), IN, QUIET)
    bend = breach(run(100.0, 50, -2.5), run(100.1, 50), IN, QUIET)
    both = breach(run(100.0, 50, -2.5), run(100.1, 50.7), IN, QUIET)
    assert jump > 0.0
    assert bend > 0.0
    assert both == pytest.approx(jump + bend, rel=0.05)


# ------------------------------------------------------------------ strengths


@pytest.mark.parametrize(
    ("direction", "before", "after", "one"),
    [
        (IN, 20, 30, True),  # it comes nearer
        (IN, 20, 12, True),  # it fades a little
        (IN, 100, 10, False),  # it is farther away again: another one
        (IN, 1, 200, False),  # and no vehicle comes so much nearer at once
        (OUT, 30, 20, True),
        (OUT, 12, 20, True),
        (OUT, 10, 100, False),
        (OUT, 200, 1, False),
        (EITHER, 100, 10, True),
        (EITHER, 10, 100, True),
    ],
)
def test_a_step_of_the_strength(direction: Direction, before: float, after: float, one: bool) -> None:
    found = breach(run(100.0, 50, strength=before), run(100.1, 50, strength=after), direction, QUIET)
    assert (found <= 1.0) is one


def test_without_strengths_there_is_no_step() -> None:
    for before, after in [(None, 10.0), (100.0, None)]:
        found = breach(run(100.0, 50, strength=before), run(100.1, 50, strength=after), IN, QUIET)
        assert found == 0.0


@pytest.mark.parametrize(("direction", "slope", "rise"), [(IN, 0, -4.0), (OUT, 0, 4.0)])
def test_an_echo_that_already_fades_goes_on_fading(direction: Direction, slope: float, rise: float) -> None:
    before, after = (60, 20) if direction is IN else (20, 60)
    sudden = breach(run(100.0, 50, strength=before), run(100.4, 50, strength=after), direction, QUIET)
    fading = breach(
        run(100.0, 50, strength=before, rise=rise), run(100.4, 50, strength=after), direction, QUIET
    )
    assert sudden > 1.0 > fading


@pytest.mark.parametrize("direction", [IN, OUT])
def test_at_the_edge_of_the_beam_echoes_jump(direction: Direction) -> None:
    """Swept by the cosine, it is beside the pole: approaching at its end, receding at its beginning."""
    slope, (before, after) = (-8.0, (60, 15)) if direction is IN else (8.0, (15, 60))
    slow = breach(run(100.0, 50, strength=before), run(100.1, 50, strength=after), direction, QUIET)
    swept = breach(
        run(100.0, 50, slope, strength=before), run(100.1, 50, slope, strength=after), direction, QUIET
    )
    assert slow > 1.0 > swept


# ------------------------------------------------------------------ ranges


@pytest.mark.parametrize(
    ("direction", "after_m", "after_kmh", "one"),
    [
        (IN, 45, 50, True),  # 50 km/h for 0.4 s are 5.6 m
        (IN, 55, 50, False),
        (IN, 30, 50, False),
        (OUT, 55, 50, True),
        (OUT, 45, 50, False),
        (IN, 45, 54, True),
        (IN, 45, 70, False),
    ],
)
def test_a_told_range_says_where_it_has_to_be(
    direction: Direction, after_m: float, after_kmh: float, one: bool
) -> None:
    before, after = run(100.0, 50, range_m=50), run(100.4, after_kmh, range_m=after_m)
    assert (breach(before, after, direction, QUIET) <= 1.0) is one


def test_where_it_is_says_more_than_bend_and_strength() -> None:
    before = run(100.0, 50, -8, strength=100, range_m=50)
    after = run(100.1, 50, 0, strength=5, range_m=48.6)
    assert breach(before, after, IN, QUIET) < 0.1
    assert breach(before, after._replace(range_m=None), IN, QUIET) > 1.0


def test_a_range_without_a_direction_is_not_used() -> None:
    assert breach(run(100.0, 50, range_m=50), run(100.1, 50, range_m=90), EITHER, QUIET) == 0.0
