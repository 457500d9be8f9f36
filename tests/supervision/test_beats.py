"""Who goes round and who does not: counted by looks, on made-up times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.beats import COUNTED_S, Beats


def looked(beats: Beats, from_s: float, seconds: int, excused: tuple[str, ...] = ()) -> list[str]:
    """Look once a second; the last answer."""
    late: list[str] = []
    for second in range(seconds + 1):
        late = beats.late(from_s + second, excused)
    return late


def test_who_beats_in_time_is_never_late() -> None:
    beats = Beats()
    radar = beats.part("radar", 5.0)
    for second in range(100):
        if second % 5 == 0:
            radar()
        assert beats.late(float(second)) == []


def test_who_stops_is_late_after_its_own_deadline_and_not_before() -> None:
    beats = Beats()
    radar, store = beats.part("radar", 5.0), beats.part("store", 30.0)
    radar()
    store()
    assert looked(beats, 0.0, 5) == []
    assert looked(beats, 5.0, 1) == ["radar"]
    assert looked(beats, 6.0, 24) == ["radar"]
    assert looked(beats, 30.0, 1) == ["radar", "store"]
    assert beats.silent_s("store") == pytest.approx(31.0)
    radar()
    store()
    assert looked(beats, 31.0, 1) == []


def test_work_that_takes_long_by_nature_has_its_own_time() -> None:
    beats = Beats()
    store = beats.part("store", 30.0)
    store.busy(3600.0)
    assert looked(beats, 0.0, 3600) == []
    assert looked(beats, 3600.0, 2) == ["store"]
    store()
    assert looked(beats, 3602.0, 32) == ["store"], "the next turn has the usual deadline again"


def test_who_waits_to_be_started_again_is_excused() -> None:
    beats = Beats()
    beats.part("display", 5.0)
    beats.part("display (/dev/ttyUSB1)", 5.0)
    assert looked(beats, 0.0, 600, excused=("display",)) == []
    assert looked(beats, 600.0, 7, excused=("radar",)) == ["display", "display (/dev/ttyUSB1)"]


def test_what_is_not_vital_is_told_and_no_more() -> None:
    beats = Beats()
    beats.part("telemetry", 5.0, vital=False)
    assert looked(beats, 0.0, 100) == []
    assert beats.told() == ["telemetry"]


@pytest.mark.parametrize("away_s", [60.0, 86_400.0, -5.0])
def test_a_machine_that_stood_still_makes_nobody_late(away_s: float) -> None:
    beats = Beats()
    beats.part("radar", 5.0)
    beats.late(100.0)
    assert beats.late(100.0 + away_s) == []


def test_a_name_is_given_once() -> None:
    beats = Beats()
    beats.part("radar", 5.0)
    with pytest.raises(ValueError, match="radar"):
        beats.part("radar", 5.0)


@given(gaps=st.lists(st.floats(0.01, 9.9), min_size=1, max_size=200), deadline_s=st.floats(1.0, 30.0))
def test_who_is_dead_is_found_however_slowly_the_looks_come(gaps: list[float], deadline_s: float) -> None:
    """Each look comes within the watchdog's ten seconds, or the watchdog ends it all."""
    beats = Beats()
    beats.part("dead", deadline_s)
    now_s = 0.0
    beats.late(now_s)
    for gap in gaps:
        now_s += gap
        late = beats.late(now_s)
        if now_s <= deadline_s:
            assert late == []
        if now_s > 10.0 / COUNTED_S * deadline_s + 10.0:
            assert late == ["dead"]
