"""Many looks at once: one that hangs or fails keeps nobody from the others; their lines fit every screen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.cli.doctor_words import lines_of, summary
from speedsign.clock import SystemClock
from speedsign.doctor.finding import Finding, State, ok
from speedsign.doctor.plan import Look, examine


def look(name: str, found: Sequence[Finding] = (), limit_s: float = 20.0, skipped: str = "") -> Look:
    return Look((name,), lambda: found, limit_s, skipped)


def test_a_look_that_hangs_is_told_and_the_others_go_on() -> None:
    never = threading.Event()

    def hang() -> Sequence[Finding]:
        never.wait(60)
        return []

    looks = [look("a", [ok("a", "good")]), Look(("disk",), hang, 0.1), look("c", [ok("c", "good")])]
    first, hung, last = examine(looks, SystemClock())
    never.set()
    assert [one.check for one in (*first, *last)] == ["a", "c"]
    assert (hung[0].check, hung[0].state) == ("disk", State.WARNING)
    assert "0.1 s" in hung[0].what


def test_a_look_that_fails_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Sequence[Finding]:
        raise RuntimeError("a driver of somebody")

    with caplog.at_level(logging.DEBUG, "speedsign.doctor.plan"):
        (failed,) = examine([Look(("radar",), fail, 5.0)], SystemClock())
    assert failed[0].state is State.UNKNOWN
    assert "RuntimeError: a driver of somebody" in failed[0].what
    assert capsys.readouterr().err == ""
    assert caplog.records[0].exc_info  # with --debug it is there


def test_a_look_that_is_left_out_says_why_and_is_not_made() -> None:
    def never() -> Sequence[Finding]:
        raise AssertionError

    (found,) = examine([Look(("broker",), never, 5.0, "left out")], SystemClock())
    assert [(one.check, one.state, one.what) for one in found] == [("broker", State.UNKNOWN, "left out")]


words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200)


@given(st.sampled_from(State), words, words, st.sampled_from([24, 32, 40, 59, 60, 80, 100]))
def test_no_line_is_wider_than_the_screen_and_no_word_is_lost(
    state: State, what: str, do: str, width: int
) -> None:
    lines = lines_of(Finding("port radar", state, what, do), width)
    assert all(len(line) <= width for line in lines)
    text = "".join("".join(lines).split())
    assert "".join(what.split()) in text
    assert "".join(do.split()) in text


def test_a_sentence_for_all() -> None:
    assert summary([ok("a", "b")]) == "all is well"
    found = [ok("a", "b"), Finding("c", State.WRONG, "d", "e"), Finding("f", State.UNKNOWN, "g")]
    assert summary(found) == "1 wrong, 1 not looked at"
