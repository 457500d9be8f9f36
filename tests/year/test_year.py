"""Days of a simulated year: fixed seeds, one that changes each day, those that once found a fault, mutants.

A year is `make simulate-year`; what is drawn and watched is told in docs/simulated-year.md.
"""

from __future__ import annotations

from itertools import islice

import pytest

from speedsign.clock import SystemClock
from tests.year.faults import KINDS, WEEK_DAYS, faults
from tests.year.mutants import MUTANTS
from tests.year.run import Report, simulate
from tests.year.timeline import DAY_S

FEWER = (40, 120)  # vehicles a day: more days, and with them more faults, in the same time
ENOUGH_SHARE = 0.7  # of the vehicles had to be kept, without any excuse
GOLDEN = {  # seed: days
    # A server that lied by two weeks had quarters made ahead. A boot that never knew the time counts in other
    # ones that begin with them: what is compared at the hub is told apart by its boot.
    4: 4,
}
# A server lied by two weeks, then the card was damaged: the hub has quarters to come, the new file has not.
AHEAD = 2336
TODAY = int(SystemClock().now_utc().timestamp() // DAY_S)


def all_well(report: Report, days: int) -> None:
    """Nothing was wrong, and there was enough that could have been."""
    again = f"--seed {report.seed} --days {days} --vehicles {FEWER[0]} {FEWER[1]}"
    assert not report.failure, f"{report} (python -m benchmarks.simulated_year.run {again})"
    assert report.days == days
    kept = report.counts["kept once"]
    judged = report.counts["kept once, and nothing was wrong"]
    assert judged >= ENOUGH_SHARE * kept > 0, report.counts
    assert report.counts["looks at a lit panel"] > 100 * days
    assert report.counts["days compared"] + report.counts["days that were not quiet"] == days


@pytest.mark.parametrize("seed", GOLDEN)
def test_days_that_once_found_something(seed: int) -> None:
    report = simulate(seed, GOLDEN[seed], vehicles=FEWER)
    all_well(report, GOLDEN[seed])
    assert report.counts["days compared"] >= GOLDEN[seed] // 2


def test_some_days_of_a_year_that_nobody_has_seen_before() -> None:
    """Another seed each day: what it finds is told with the seed, which finds it again."""
    all_well(simulate(TODAY, 3, vehicles=FEWER), 3)


def test_the_same_seed_gives_the_same_day() -> None:
    report = simulate(AHEAD, 1, vehicles=FEWER)
    again = simulate(AHEAD, 1, vehicles=FEWER)
    all_well(report, 1)
    assert (again.digest, again.counts) == (report.digest, report.counts), "the same seed, the same day"


@pytest.mark.parametrize("name", MUTANTS)
def test_mistakes_are_seen(name: str) -> None:
    mutant = MUTANTS[name]
    without = frozenset(KINDS) - mutant.needs
    with mutant.change():
        report = simulate(7, mutant.days, without=without, vehicles=FEWER)
    assert mutant.seen_as in report.failure, report


# --------------------------------------------------------------------------- what is drawn


def test_each_fault_comes_in_each_week_and_some_at_least_in_a_year() -> None:
    drawn = list(islice(faults(3), 3000))
    weeks = int(drawn[-1].at_s // (WEEK_DAYS * DAY_S))
    for week in range(weeks):
        from_s, to_s = week * WEEK_DAYS * DAY_S, (week + 1) * WEEK_DAYS * DAY_S
        there = {str(fault) for fault in drawn if from_s <= fault.at_s < to_s}
        assert there >= {name for name, kind in KINDS.items() if kind.times[0]}, week
    assert {str(fault) for fault in drawn} == set(KINDS)


def test_the_same_seed_draws_the_same_and_another_one_something_else() -> None:
    first = list(islice(faults(3), 200))
    assert list(islice(faults(3), 200)) == first
    assert list(islice(faults(4), 200)) != first
    assert [fault.at_s for fault in first] == sorted(fault.at_s for fault in first)


def test_the_last_hours_of_a_day_are_quiet() -> None:
    for fault in islice(faults(9), 2000):
        if KINDS[str(fault)].days == (0, 0):
            assert fault.until_s % DAY_S <= 21.5 * 3600.0
            assert int(fault.at_s // DAY_S) == int(fault.until_s // DAY_S)
