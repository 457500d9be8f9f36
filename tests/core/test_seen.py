"""What each vehicle got to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from speedsign.model import Direction, DisplayState, Face, Vehicle
from speedsign.seen import MAX_TRACKS, SeenLog

BLANK, DARK, FAULT, SHOWN, WORD = (
    DisplayState.BLANK,
    DisplayState.DARK,
    DisplayState.FAULT,
    DisplayState.SHOWN,
    DisplayState.WORD,
)
CAR = Vehicle(
    track_id=7,
    direction=Direction.APPROACHING,
    t_first_mono_s=100.0,
    t_last_mono_s=104.0,
    speed_kmh=50.0,
    entry_kmh=50.0,
    exit_kmh=50.0,
    max_kmh=50.0,
    readings=30,
)


@pytest.mark.parametrize(
    ("noted", "state"),
    [
        ([], DARK),
        ([(0.0, BLANK)], BLANK),
        ([(0.0, DARK)], DARK),
        ([(0.0, DARK), (104.5, BLANK)], DARK),  # it had passed when the plan ended
        ([(0.0, BLANK), (104.5, DARK)], BLANK),
        ([(0.0, DARK), (103.0, BLANK)], BLANK),  # dark is what was dark all the way
        ([(0.0, BLANK), (99.0, DARK)], DARK),
        ([(0.0, BLANK), (102.0, FAULT), (103.0, BLANK)], FAULT),
        ([(0.0, FAULT), (99.0, BLANK)], BLANK),
        ([(103.0, BLANK)], BLANK),  # the sign had just started
        ([(110.0, DARK)], DARK),
    ],
)
def test_what_held_while_it_passed_decides(
    noted: list[tuple[float, DisplayState]], state: DisplayState
) -> None:
    log = SeenLog()
    for t_s, unlit in noted:
        log.note(t_s, unlit)
    assert log.of(CAR) == (state, "")


def test_a_number_goes_before_a_word_whichever_came_last() -> None:
    log = SeenLog()
    log.saw(7, Face(60), "over")
    log.saw(7, Face(word="LĒNĀK"), "over")
    assert log.of(CAR) == (SHOWN, "over")
    log.saw(7, Face(word="LĒNĀK"), "over")
    assert log.of(CAR) == (WORD, "over")
    assert log.of(CAR) == (DARK, ""), "asked once"


def test_two_tracks_that_are_one_vehicle_have_seen_what_either_saw() -> None:
    log = SeenLog()
    log.saw(9, Face(60), "over")
    log.joined(9, 7)
    assert log.of(CAR) == (SHOWN, "over")
    log.saw(7, Face(60), "over")
    log.saw(9, Face(word="LĒNĀK"), "too_fast")
    log.joined(9, 7)
    assert log.of(CAR) == (SHOWN, "too_fast")
    log.joined(9, 7)
    assert log.of(CAR) == (DARK, "")
    assert log.of(replace(CAR, track_id=9)) == (DARK, "")


def test_tracks_that_never_become_vehicles_are_forgotten() -> None:
    log = SeenLog()
    for track_id in range(10 * MAX_TRACKS):
        log.saw(track_id, Face(50), "within")
    assert len(log._lit) == MAX_TRACKS
    assert log.of(replace(CAR, track_id=10 * MAX_TRACKS - 1)) == (SHOWN, "within")
