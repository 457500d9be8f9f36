"""What the driver sees, as a table and as a property."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.faces import NOTHING, SPEED, Page
from speedsign.model import BLANK, Direction, Face, Target
from speedsign.rules import (
    DARK,
    HARD_LIMIT_S,
    RELIGHT_S,
    Rules,
    Shown,
    Zone,
    next_check_s,
    rounded,
    step,
    zone_of,
)

RULES = Rules(minimum_kmh=15, ceiling_kmh=90, hold_s=1.5, min_change_interval_s=0.25)
THANKS, SLOWER = Page(word="PALDIES"), Page(word="LĒNĀK")
WORDS = replace(
    RULES,
    within=(THANKS,),
    over=(SPEED, SLOWER),
    too_fast=(SLOWER,),
    blink=frozenset({"too_fast"}),
    beacon=frozenset({"over", "too_fast"}),
)


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


# --------------------------------------------------------------------------- zones


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        (0, Zone.SLOW),
        (14, Zone.SLOW),
        (15, Zone.WITHIN),
        (50, Zone.WITHIN),
        (51, Zone.OVER),
        (69, Zone.OVER),
        (70, Zone.TOO_FAST),
        (90, Zone.TOO_FAST),
        (91, Zone.CEILING),
        (300, Zone.CEILING),
    ],
)
def test_zones(number: int, zone: Zone) -> None:
    """The minimum, the limit and the ceiling end their zone; from too_fast_kmh on it is too fast."""
    assert zone_of(number, RULES) is zone


def zones(numbers: Sequence[int], rules: Rules) -> list[Zone]:
    """The zones of one vehicle that is seen with these numbers, half a second apart."""
    shown, found = DARK, []
    for n, number in enumerate(numbers):
        shown = step(shown, target(number, n / 2), n / 2, rules)
        found.append(shown.zone)
    return found


S, W, V, T, C = Zone.SLOW, Zone.WITHIN, Zone.OVER, Zone.TOO_FAST, Zone.CEILING


@pytest.mark.parametrize(
    ("hysteresis_kmh", "numbers", "expected"),
    [
        (0, [50, 51, 50, 51], [W, V, W, V]),
        (1, [50, 51, 50, 49, 50, 51], [W, V, V, W, W, V]),
        (3, [51, 48, 47], [V, V, W]),
        (1, [69, 70, 69, 68], [V, T, T, V]),
        (1, [90, 91, 90, 89], [T, C, C, T]),
        (5, [91, 86, 85, 66, 65, 64, 46, 45], [C, C, T, T, T, V, V, W]),
        (1, [15, 14, 15, 16, 15], [W, S, S, W, W]),
        (5, [14, 19, 20], [S, S, W]),
        (5, [91, 30], [C, W]),
        (5, [14, 91, 14], [S, C, S]),
    ],
)
def test_back_across_a_threshold_only_when_well_below(
    hysteresis_kmh: int, numbers: list[int], expected: list[Zone]
) -> None:
    assert zones(numbers, replace(RULES, hysteresis_kmh=hysteresis_kmh)) == expected


def test_another_vehicle_starts_without_memory() -> None:
    shown = step(DARK, target(91, 10.0), 10.0, RULES)
    assert step(shown, target(90, 10.5), 10.5, RULES).face is BLANK
    assert step(shown, target(90, 10.5, track=2), 10.5, RULES).face == Face(90)


def test_a_vehicle_that_was_out_of_sight_is_remembered() -> None:
    rules = replace(RULES, hold_s=0.0)
    shown = step(DARK, target(91, 10.0), 10.0, rules)
    shown = step(shown, None, 10.5, rules)
    assert shown.zone is Zone.NONE
    assert step(shown, target(90, 11.0), 11.0, rules).face is BLANK


# --------------------------------------------------------------------------- faces


def test_each_zone_has_its_face() -> None:
    faces = {number: step(DARK, target(number, 10.0), 10.0, WORDS).face for number in (14, 50, 51, 70, 91)}
    assert faces == {
        14: BLANK,
        50: Face(word="PALDIES"),
        51: Face(51, beacon=True),
        70: Face(word="LĒNĀK", blink=True, beacon=True),
        91: BLANK,
    }


def test_pages_take_turns_from_the_moment_the_zone_began() -> None:
    shown, seen = DARK, []
    for n in range(16):
        t_s = 10 + n / 4
        shown = step(shown, target(60, t_s), t_s, WORDS)
        seen.append(str(shown.face))
    assert seen == (["60"] * 4 + ["LĒNĀK"] * 4) * 2
    assert next_check_s(shown, WORDS) == pytest.approx(14.0), "the next page, before the hold ends"


def test_pages_go_on_turning_while_a_number_is_held() -> None:
    shown = step(DARK, target(60, 10.0), 10.0, WORDS)
    assert next_check_s(shown, WORDS) == pytest.approx(11.0)
    shown = step(shown, None, 11.0, WORDS)
    assert shown.face == Face(word="LĒNĀK", beacon=True)
    assert next_check_s(shown, WORDS) == pytest.approx(11.5), "the hold ends before the page does"
    assert step(shown, None, 11.5, WORDS).face is BLANK, "the beacon goes off with it"


def test_into_a_stricter_zone_at_once_back_as_any_change() -> None:
    shown = step(DARK, target(50, 10.0), 10.0, WORDS)
    shown = step(shown, target(51, 10.1), 10.1, WORDS)
    assert shown.face == Face(51, beacon=True)
    calmer = step(shown, target(49, 10.2), 10.2, WORDS)
    assert calmer.face == Face(51, beacon=True)
    assert next_check_s(calmer, WORDS) == pytest.approx(10.35), "as soon as it may change"
    assert step(calmer, target(49, 10.36), 10.36, WORDS).face == Face(word="PALDIES")


def test_a_lamp_may_be_lit_beside_a_dark_panel() -> None:
    rules = replace(RULES, too_fast=(NOTHING,), beacon=frozenset({"too_fast"}), blink=frozenset({"too_fast"}))
    shown = step(DARK, target(80, 10.0), 10.0, rules)
    assert shown.face == Face(beacon=True)
    assert next_check_s(shown, rules) == pytest.approx(11.5)
    assert step(shown, None, 11.5, rules).face == BLANK
    assert step(shown, target(91, 10.1), 10.1, rules).face == BLANK, "above the ceiling: no lamp either"


def test_a_new_vehicle_begins_with_the_first_page() -> None:
    shown = step(DARK, target(60, 10.0), 10.0, WORDS)
    shown = step(shown, target(60, 11.0), 11.0, WORDS)
    assert shown.face.word == "LĒNĀK"
    assert step(shown, target(60, 11.1, track=2), 11.1, WORDS).face.number == 60


# --------------------------------------------------------------------------- rules that change meanwhile


def test_dark_by_plan_is_dark_at_once() -> None:
    shown = step(DARK, target(60, 10.0), 10.0, WORDS)
    for live in (None, target(60, 10.1)):
        dark = step(shown, live, 10.1, replace(WORDS, dark=True))
        assert (dark.face, dark.zone, dark.track_id) == (BLANK, Zone.NONE, None)


def test_what_is_held_obeys_the_rules_of_now() -> None:
    shown = step(DARK, target(60, 10.0), 10.0, WORDS)
    lower = replace(WORDS, ceiling_kmh=59)
    assert step(shown, None, 10.1, lower).face == BLANK
    assert step(shown, target(59, 10.1), 10.1, lower).face.number == 59, "60 may not wait"
    assert step(shown, None, 10.1, replace(WORDS, minimum_kmh=61)).face == BLANK


def test_a_number_that_waits_for_its_change_obeys_them_too() -> None:
    shown = step(DARK, target(60, 10.0), 10.0, RULES)
    assert step(shown, target(59, 10.1), 10.1, RULES).face == Face(60)
    assert step(shown, target(50, 10.1), 10.1, replace(RULES, ceiling_kmh=55)).face == Face(50)


def test_a_word_that_waits_is_one_of_the_rules_of_now() -> None:
    slow = replace(WORDS, min_change_interval_s=2.0)
    shown = step(DARK, target(50, 10.0), 10.0, slow)
    assert step(shown, target(50, 10.1), 10.1, slow).face.word == "PALDIES"
    numbers = replace(slow, within=(SPEED,), over=(SPEED,), too_fast=(SPEED,), beacon=frozenset())
    assert step(shown, target(50, 10.1), 10.1, numbers).face == Face(50)


def test_nobody_lights_up_who_is_not_seen() -> None:
    """The ceiling is raised while a vehicle that was above it is out of sight."""
    shown = step(DARK, target(95, 10.0), 10.0, RULES)
    assert step(shown, None, 10.1, replace(RULES, ceiling_kmh=120)).face is BLANK


@pytest.mark.parametrize("speeds", [(100, 101, 99, 101), (10, 9, 11, 9)])
def test_who_drives_at_a_threshold_to_the_dark_is_no_flash_light(speeds: tuple[int, ...]) -> None:
    """Dark at once, and lit again after a second at the earliest."""
    rules, shown, lit = Rules(), DARK, []
    for n in range(100):
        t_s = 10.0 + n / 10
        shown = step(shown, target(speeds[n % len(speeds)], t_s), t_s, rules)
        assert shown.face.is_blank or shown.face.number in speeds[::2]
        lit.append(not shown.face.is_blank)
    edges = [n for n in range(1, 100) if lit[n] != lit[n - 1]]
    assert edges, "it does go dark"
    dark_for = [after - edge for edge, after in zip(edges[::2], edges[1::2], strict=False)]
    assert min(dark_for) >= RELIGHT_S * 10


def test_a_new_vehicle_does_not_wait_for_the_one_before() -> None:
    shown = step(DARK, target(120, 10.0), 10.0, RULES)
    shown = step(shown, target(60, 10.0), 10.0, RULES)
    shown = step(shown, target(120, 10.1), 10.1, RULES)
    assert shown.face == BLANK
    assert step(shown, target(60, 10.2, track=2), 10.2, RULES).face == Face(60)


def test_after_a_moment_in_the_dark_it_is_lit_again_without_a_new_reading() -> None:
    shown = step(DARK, target(60, 10.0), 10.0, replace(RULES, hold_s=3.0))
    shown = step(shown, target(95, 10.1), 10.1, replace(RULES, hold_s=3.0))
    shown = step(shown, target(60, 10.2), 10.2, replace(RULES, hold_s=3.0))
    assert shown.face == BLANK
    due_s = next_check_s(shown, replace(RULES, hold_s=3.0))
    assert due_s == pytest.approx(11.1)
    assert step(shown, target(60, 10.2), 11.1, replace(RULES, hold_s=3.0)).face == Face(60)
