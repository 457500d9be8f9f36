"""When growth is told, when it ends in a restart, and when it does not: a process of numbers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.leaks import EARLIEST_S, GROWTH_S, RESTS_S, TIGHT_S, WARM_S, Leaks, Use

MB = 1 << 20
MOST = Use(files=1024, memory_bytes=192 * MB, threads=64)
WARM = Use(files=20, memory_bytes=45 * MB, threads=4)
HOUR = int(3600 / GROWTH_S)


class Process:
    """Looked at once a minute, or by the second; what it holds is what the test says."""

    def __init__(self, most: Use = MOST) -> None:
        self.leaks, self.now_s = Leaks(0.0, most), 0.0

    def minute(self, use: Use) -> str | None:
        return self.after(GROWTH_S, use)

    def after(self, passed_s: float, use: Use) -> str | None:
        self.now_s += passed_s
        self.leaks.look(self.now_s, use)
        return self.leaks.restart

    def hours(self, n: int, use: Use = WARM) -> None:
        for _ in range(n * HOUR):
            assert self.minute(use) is None

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.leaks.faults()]


def test_a_year_of_ups_and_downs_is_no_leak() -> None:
    process, chance = Process(), random.Random(1)
    for _ in range(365 * 24 * HOUR // 60):  # a look an hour: it is the values that count
        use = Use(20 + chance.randrange(10), (45 + chance.randrange(12)) * MB, 4 + chance.randrange(4))
        assert process.minute(use) is None
        assert process.codes == []


@pytest.mark.parametrize(
    ("leaking", "code"),
    [
        (lambda n: Use(20 + n, 45 * MB, 4), "files"),
        (lambda n: Use(20, 45 * MB + n * MB, 4), "memory"),
        (lambda n: Use(20, 45 * MB, 4 + n // 4), "threads"),
    ],
)
def test_a_slow_leak_is_told_and_then_ends_in_a_restart(leaking: object, code: str) -> None:
    assert callable(leaking)
    process = Process()
    process.hours(24)
    told_s = None
    for n in range(2000):
        why = process.minute(leaking(n))
        if process.codes and told_s is None:
            told_s = process.now_s
            assert process.codes == [code]
            assert why is None
        if why:
            assert told_s is not None
            assert process.now_s - told_s >= 4 * GROWTH_S
            assert code in why
            assert "it needs" in why
            assert leaking(n).memory_bytes < 0.9 * 192 * MB, "long before the system would end it"
            return
    pytest.fail("it was never restarted")


def test_what_grows_for_a_moment_is_forgiven() -> None:
    process = Process()
    process.hours(10)
    for _ in range(4):
        assert process.minute(Use(500, 45 * MB, 4)) is None
    assert process.codes == ["files"]
    assert process.minute(WARM) is None
    assert process.codes == []


def test_it_is_not_told_anew_with_each_minute() -> None:
    process = Process()
    process.hours(2)
    process.minute(Use(20 + 43, 45 * MB, 4))
    assert process.codes == ["files"]
    process.minute(Use(20 + 40, 45 * MB, 4))
    assert process.codes == ["files"], "just below the line it began at"
    process.minute(Use(20 + 20, 45 * MB, 4))
    assert process.codes == []


def test_no_two_restarts_within_six_hours_by_growth_alone() -> None:
    process = Process()
    process.hours(1)
    while process.now_s < RESTS_S - GROWTH_S:
        assert process.minute(Use(200, 45 * MB, 4)) is None
    assert process.minute(Use(200, 45 * MB, 4)) is not None


@pytest.mark.parametrize("age_s", [60, 300, 7200])
@pytest.mark.parametrize(
    ("leaking", "word", "most"),
    [
        (lambda s: Use(20 + 34 * s, 45 * MB, 4), "open files", 1024),
        (lambda s: Use(20, (45 + 5 * s) * MB, 4), "MB of memory", 192),
        (lambda s: Use(20, 45 * MB, 4 + 2 * s), "threads", 64),
    ],
)
def test_what_would_be_used_up_in_30_seconds_ends_before_that(
    leaking: object, word: str, most: int, age_s: int
) -> None:
    assert callable(leaking)
    process = Process()
    for _ in range(age_s):
        assert process.after(1.0, WARM) is None
    for second in range(30):
        if why := process.after(1.0, leaking(second)):
            held = int(why.removeprefix("the sign holds ").partition(" ")[0])
            assert why == f"the sign holds {held} {word}, the system allows {most}"
            assert 0.9 * most < held < 0.95 * most
            return
    pytest.fail("it ran into the limit")


def test_it_is_given_a_minute() -> None:
    process = Process()
    while process.now_s < EARLIEST_S - 1:
        assert process.after(1.0, Use(1024, 45 * MB, 4)) is None
        assert process.codes == ["files"]
    assert process.after(1.0, Use(1024, 45 * MB, 4)) is not None, "it cannot run so, whatever it needs"


def test_limits_that_are_tight_from_the_start_are_no_crash_loop() -> None:
    """A restart would change nothing: it is told, and happens a few times an hour at most."""
    process, chance = Process(Use(memory_bytes=50 * MB)), random.Random(2)
    while process.now_s < TIGHT_S - 1:
        assert process.after(1.0, Use(20, chance.randrange(40, 48) * MB, 4)) is None
    assert process.codes == ["memory"]
    assert process.after(1.0, Use(20, 47 * MB, 4)) is not None


def test_a_system_that_tells_nothing_has_no_leaks() -> None:
    process = Process(Use())
    process.hours(24, Use())
    assert process.codes == []


@given(st.lists(st.builds(Use, *[st.none() | st.integers(0, 1 << 40)] * 3), max_size=40))
def test_any_numbers_are_survived(uses: list[Use]) -> None:
    process = Process()
    for use in uses:
        process.minute(use)
        process.leaks.faults()
        assert WARM_S < RESTS_S
