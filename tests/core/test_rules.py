"""What the driver sees, as a table and as a property."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.model import BLANK, Direction, Face, Target
from speedsign.rules import DARK, HARD_LIMIT_S, Rules, Shown, next_check_s, rounded, step

RULES = Rules(minimum_kmh=15, ceiling_kmh=90, hold_s=1.5, min_change_interval_s=0.25)


def target(
    speed_kmh: float, t_s: float, direction: Direction = Direction.APPROACHING, track: int = 1
) -> Target:
    return Target(track, speed_kmh, direction, t_s, readings=5)


@pytest.mark.parametrize(
    ("speed_kmh", "face"),
    [
        (14.4, BLANK),
        (14.5, Face(15)),
        (49.49, Face(49)),
        (49.5, Face(50)),
        (90.49, Face(90)),
        (90.5, BLANK),
        (240.0, BLANK),
    ],
)
def test_thresholds_hold_for_the_number_that_would_be_shown(speed_kmh: float, face: Face) -> None:
    assert step(DARK, target(speed_kmh, 10.0), 10.0, RULES).face == face


def test_a_receding_car_is_not_shown_to_those_who_approach() -> None:
    assert step(DARK, target(50, 10, Direction.RECEDING), 10.0, RULES).face is BLANK
    both = Rules(directions=frozenset(Direction))
    assert step(DARK, target(50, 10, Direction.RECEDING), 10.0, both).face == Face(50)


def test_the_number_is_held_and_then_dark() -> None:
    shown = step(DARK, target(50, 10.0), 10.0, RULES)
    assert step(shown, None, 11.4, RULES).face == Face(50)
    assert next_check_s(shown, RULES) == pytest.approx(11.5)
    assert step(shown, None, 11.6, RULES).face is BLANK


def test_above_the_ceiling_goes_dark_at_once() -> None:
    shown = step(DARK, target(88, 10.0), 10.0, RULES)
    assert step(shown, target(95, 10.1), 10.1, RULES).face is BLANK


def test_one_vehicle_does_not_flicker_but_another_is_shown_at_once() -> None:
    shown = step(DARK, target(50, 10.0), 10.0, RULES)
    same = step(shown, target(51, 10.1), 10.1, RULES)
    assert same.face == Face(50)
    assert same.seen_mono_s == 10.1, "it is still seen"
    assert step(same, target(51, 10.26), 10.26, RULES).face == Face(51)
    assert step(shown, target(62, 10.1, track=2), 10.1, RULES).face == Face(62)


def test_a_stale_target_is_no_target() -> None:
    shown = step(DARK, target(50, 10.0), 10.0, RULES)
    assert step(shown, target(50, 10.0), 12.0, RULES).face is BLANK


def test_half_is_rounded_up() -> None:
    assert [rounded(speed) for speed in (0.4, 0.5, 49.5, 50.5, 199.5)] == [0, 1, 50, 51, 200]


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 2.0),
            st.none() | st.tuples(st.floats(0, 300), st.sampled_from(Direction), st.integers(1, 3)),
        ),
        max_size=40,
    ),
    st.floats(0, 60),
)
def test_never_a_number_that_must_not_be(
    steps: list[tuple[float, tuple[float, Direction, int] | None]], hold_s: float
) -> None:
    """Whatever comes: within the thresholds, of an allowed direction, never older than the hard limit."""
    rules = Rules(minimum_kmh=15, ceiling_kmh=90, hold_s=hold_s)
    now_s, shown, said = 0.0, DARK, {BLANK: -math.inf}
    for dt_s, seen in steps:
        now_s += dt_s
        live = Target(seen[2], seen[0], seen[1], now_s, 3) if seen else None
        if live and live.direction is Direction.APPROACHING:
            said[Face(rounded(live.speed_kmh))] = now_s
        shown = step(shown, live, now_s, rules)
        number = shown.face.number
        if number is None:
            continue
        assert 15 <= number <= 90
        assert shown.face in said
        assert now_s - shown.seen_mono_s <= min(hold_s, HARD_LIMIT_S)


def test_dark_needs_no_waking() -> None:
    assert next_check_s(Shown(), RULES) is None
