"""The line of `systemctl status`: what it says, and what can never get into it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.model import BLANK, Face, Fault
from speedsign.status import LONGEST, FaultAges, Sight, one_line, sentence

AWAY = Fault("mqtt", "disconnected", "mqtt broker:8883: cannot connect")
SILENT = Fault("display", "no_reply", "panel /dev/ttyUSB0 unit 1: did not answer; check its power")


@pytest.mark.parametrize(
    ("sight", "ready", "begins"),
    [
        (Sight(lit=Face(47), vehicles=1203), True, "showing 47; 1,203 vehicles since the start"),
        (Sight(lit=Face(word="SLOW"), vehicles=1), True, "showing SLOW; 1 vehicle since the start"),
        (Sight(lit=BLANK), True, "dark, nobody to be shown a speed; 0 vehicles"),
        (Sight(lit=BLANK, dark_by_plan=True), True, "dark by plan; 0 vehicles"),
        (Sight(has_display=False), True, "measuring, without a panel; "),
        (Sight(), False, "starting, waiting for the panel; "),
        (
            Sight(faults=(AWAY, SILENT)),
            True,
            "the panel is not under control (panel /dev/ttyUSB0 unit 1: did not answer; check its power); ",
        ),
    ],
)
def test_what_it_says(sight: Sight, *, ready: bool, begins: str) -> None:
    assert sentence(sight, [], ready=ready).startswith(begins)


def test_faults_are_told_with_their_age_the_oldest_first() -> None:
    ages = FaultAges()
    assert ages.words([AWAY], 0.0) == ["broker away"]
    assert ages.words([SILENT, AWAY], 3 * 3600.0) == ["broker away for 3 h", "panel silent"]
    assert ages.words([SILENT], 4 * 3600.0) == ["panel silent for 60 min"]
    assert ages.words([AWAY], 4 * 3600.0 + 1) == ["broker away"], "another one"
    assert ages.words([Fault("store", "failing", "x")], 5 * 3600.0) == ["store failing"]


@pytest.mark.parametrize(
    ("device", "code", "words"),
    [
        ("supervisor", "files", "open files growing"),
        ("supervisor", "late", "telemetry stands still"),
        ("mqtt", "copy", "another sign has this name"),
        ("update", "refused", "update taken back"),
        ("light", "missing", "light missing"),
    ],
)
def test_a_code_is_told_in_words(device: str, code: str, words: str) -> None:
    assert FaultAges().words([Fault(device, code, "x")], 0.0) == [words]


def test_many_faults_are_counted() -> None:
    line = sentence(Sight(lit=BLANK), [f"fault {n}" for n in range(7)], ready=True)
    assert line.endswith("fault 3; 3 more faults")


@given(text=st.text(max_size=600))
def test_nothing_of_a_text_is_taken_for_an_order(text: str) -> None:
    """A newline would begin another assignment of the protocol: READY=1, MAINPID=1."""
    sight = Sight(faults=(Fault("display", "no_reply", text),))
    for line in (sentence(sight, [text], ready=True), one_line(text)):
        assert len(line) <= LONGEST
        assert line.isprintable()
