"""Which calibration a figure rests on, whether there is a valid one, when the next is due."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.record import Kind, Verdict
from speedsign.model import ClockQuality
from telemetry.calibration import State, in_force, keep, next_due, standing, standing_of
from telemetry.calibration.proof import Proof, Stood, proof_of
from telemetry.store import SqliteStore
from tests.telemetry.calibrations import SIGN, record
from tests.telemetry.samples import BAUSKA, T0

DAY = timedelta(days=1)
FROM, TO = T0 + 100 * DAY, T0 + 107 * DAY


def proof(day: int, verdict: Verdict = Verdict.PASS, **more: object) -> Proof:
    return proof_of(record(day + 1000, T0 + day * DAY, verdict=verdict, **more))  # type: ignore[arg-type]


# --------------------------------------------------------------------------- due


@pytest.mark.parametrize(
    ("at", "months", "due"),
    [
        ("2026-05-04", 12, date(2027, 5, 4)),
        ("2026-01-31", 1, date(2026, 2, 28)),
        ("2024-02-29", 12, date(2025, 2, 28)),
        ("2026-12-15", 1, date(2027, 1, 15)),
        ("2026-11-30", 1, date(2026, 12, 30)),
        ("2026-05-04", 0, None),
    ],
)
def test_due_is_so_many_months_later(at: str, months: int, due: date | None) -> None:
    moment = datetime.fromisoformat(f"{at}T10:00:00+00:00")
    assert next_due(Kind.DRIVE_BY, Verdict.PASS, moment, ClockQuality.OK, months) == due


@given(st.integers(0, 12_000), st.integers(1, 120))
def test_due_lies_so_many_months_ahead(day: int, months: int) -> None:
    at = T0 + day * DAY
    due = next_due(Kind.FORK, Verdict.PASS, at, ClockQuality.CORRECTED, months)
    assert due is not None
    assert (due.year - at.year) * 12 + due.month - at.month == months
    assert due.day in (at.day, 28, 29, 30)


@pytest.mark.parametrize(
    ("at", "due"),
    [("2026-05-03T20:30", date(2027, 5, 3)), ("2026-05-03T21:30", date(2027, 5, 4))],
)
def test_due_is_reckoned_from_the_day_that_it_was_at_the_sign(at: str, due: date) -> None:
    moment = datetime.fromisoformat(f"{at}:00+00:00")
    assert next_due(Kind.FORK, Verdict.PASS, moment, ClockQuality.OK, 12, ZoneInfo("Europe/Riga")) == due


def test_overdue_begins_with_the_sign_s_own_day() -> None:
    last = replace(proof(1), due=date(2027, 5, 5))
    for now, state in (("2027-05-05T20:59", State.VALID), ("2027-05-05T21:01", State.OVERDUE)):
        assert standing_of([last], BAUSKA, datetime.fromisoformat(f"{now}:00+00:00")).state is state


def test_no_next_one_is_due_where_nothing_was_proved_or_nobody_knows_the_day() -> None:
    told = [
        next_due(Kind.DRIVE_BY, Verdict.FAIL, T0, ClockQuality.OK, 12),
        next_due(Kind.DRIVE_BY, Verdict.UNDECIDED, T0, ClockQuality.OK, 12),
        next_due(Kind.PANEL, Verdict.PASS, T0, ClockQuality.OK, 12),
        next_due(Kind.FORK, Verdict.PASS, T0, ClockQuality.UNKNOWN, 12),
    ]
    assert told == [None] * 4


# --------------------------------------------------------------------------- in force


def of_period(*proofs: Proof) -> tuple[list[int], list[int], int | None, int | None]:
    """Days of those before, during, after if it failed, and of the last one passed."""
    found = in_force(proofs, BAUSKA, FROM, TO, SIGN)

    def day(one: Proof | None) -> int | None:
        return None if one is None else (one.at_utc - T0).days

    before, during = ([(one.at_utc - T0).days for one in some] for some in (found.before, found.during))
    return before, during, day(found.failed_after), day(found.last)


def test_the_newest_one_before_the_period_holds() -> None:
    assert of_period(proof(1), proof(50), proof(200)) == ([50], [], None, 50)
    assert of_period(proof(50), proof(1)) == ([50], [], None, 50)
    assert of_period(proof(50, Verdict.DONE, kind=Kind.FORK)) == ([50], [], None, 50)


def test_several_in_the_period_are_all_named() -> None:
    assert of_period(proof(50), proof(101), proof(103), proof(107)) == ([50], [101, 103], None, 103)


def test_what_failed_is_not_hidden() -> None:
    fail = Verdict.FAIL
    assert of_period(proof(50), proof(60, fail)) == ([50, 60], [], None, 50)
    assert of_period(proof(60, fail)) == ([60], [], None, None)
    assert of_period(proof(50), proof(102, fail)) == ([50], [102], None, 50)
    assert of_period(proof(50), proof(150, fail)) == ([50], [], 150, 50)
    assert of_period(proof(50), proof(150), proof(160, fail)) == ([50], [], None, 50)
    assert of_period(proof(60, fail), proof(70)) == ([70], [], None, 70)


def test_what_decided_nothing_or_is_of_something_else_does_not_count() -> None:
    for other in (
        proof(50, Verdict.UNDECIDED),
        proof(50, kind=Kind.ANGLE),
        proof(50, kind=Kind.PANEL),
        proof(50, site="Iecava"),
        proof(50, driver="ldr"),
        proof(50, mounting_angle_deg=12.7),
        proof(50, sign="iecava-2"),
        proof(150),
    ):
        assert of_period(other) == ([], [], None, None)
    assert of_period(proof(50, mounting_angle_deg=12.52))[0] == [50]


UNSURE = ClockQuality.UNKNOWN


def test_one_that_nobody_dates_lies_between_those_kept_before_and_after_it() -> None:
    fail = Verdict.FAIL
    assert of_period(proof(50), proof(0, fail, clock=UNSURE)) == ([50, 0], [], None, 50)
    assert of_period(proof(0, fail, clock=UNSURE), proof(50)) == ([50], [], None, 50)
    assert of_period(proof(50), proof(5000, clock=UNSURE), proof(60, fail)) == ([5000, 60], [], None, 5000)
    assert of_period(proof(50), proof(5000, fail, clock=UNSURE), proof(150)) == ([50], [], 5000, 50)
    assert of_period(proof(50), proof(160, clock=UNSURE), proof(170, fail)) == ([50], [], 170, 50)


def test_of_the_times_that_a_sign_stood_so_each_has_its_own() -> None:
    fail = Verdict.FAIL

    def at(
        *proofs: Proof, since: int | None = None, until: int | None = None
    ) -> tuple[list[int], int | None]:
        since_utc, until_utc = (None if day is None else T0 + day * DAY for day in (since, until))
        found = in_force(proofs, BAUSKA, FROM, TO, SIGN, Stood(since_utc, until_utc))
        after = None if found.failed_after is None else (found.failed_after.at_utc - T0).days
        return [(one.at_utc - T0).days for one in found.proofs], after

    assert at(proof(50), proof(90)) == ([90], None)
    assert at(proof(50), since=80) == ([], None)
    assert at(proof(50), proof(90), since=80) == ([90], None)
    assert at(proof(150, fail), until=140) == ([], None)
    assert at(proof(130, fail), until=140) == ([], 130)
    assert at(proof(0, clock=UNSURE), since=80) == ([], None)
    assert at(proof(0, fail, clock=UNSURE), since=80) == ([0], None)
    assert at(proof(0, fail, clock=UNSURE), proof(50), since=80) == ([], None)


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(Verdict)), max_size=8))
def test_every_decision_until_the_end_that_no_later_pass_made_good_is_there(
    made: list[tuple[int, Verdict]],
) -> None:
    proofs = [replace(proof(day, verdict), key=f"{place:032x}") for place, (day, verdict) in enumerate(made)]
    found = in_force(proofs, BAUSKA, FROM, TO)
    assert set(found.during) == {
        one for one in proofs if FROM <= one.at_utc < TO and (one.passed or one.failed)
    }
    assert all(one.at_utc < FROM for one in found.before)
    assert not any(one.passed for one in found.before[1:])
    last = max((one.at_utc for one in proofs if one.passed and one.at_utc < TO), default=None)
    assert (found.last.at_utc if found.last else None) == last


# --------------------------------------------------------------------------- now


NOW = T0 + 30 * DAY


@pytest.mark.parametrize(
    ("proofs", "now", "state", "said"),
    [
        ([], NOW, State.NONE, "no calibration is on record: run speedsign calibrate"),
        (
            [proof(1)],
            NOW,
            State.VALID,
            "drive-by of 2026-05-05 was passed; the next one is due on 2027-05-05",
        ),
        ([proof(1)], T0 + 367 * DAY, State.OVERDUE, "was due on 2027-05-05: run speedsign calibrate"),
        ([proof(1)], T0 + 366 * DAY, State.VALID, "due on 2027-05-05"),
        ([proof(1), proof(2, Verdict.FAIL)], NOW, State.FAILED, "drive-by of 2026-05-06 failed"),
        ([proof(1), proof(2, Verdict.UNDECIDED)], NOW, State.VALID, "of 2026-05-05"),
        ([proof(1, Verdict.FAIL), proof(2)], NOW, State.VALID, "of 2026-05-06"),
        ([proof(1, clock=ClockQuality.UNKNOWN)], NOW, State.UNDATED, "the clock was not to be believed"),
        ([proof(1)], None, State.UNDATED, "good until 2027-05-05, but the clock is not"),
        ([replace(proof(1), due=None)], None, State.VALID, "no next one is wanted"),
        ([proof(1, site="Iecava")], NOW, State.NONE, "no calibration since the site changed"),
        (
            [proof(1, driver="ldr", mounting_angle_deg=3.0)],
            NOW,
            State.NONE,
            "since the radar and the mounting angle changed",
        ),
    ],
)
def test_how_a_sign_stands(proofs: list[Proof], now: datetime | None, state: State, said: str) -> None:
    found = standing_of(proofs, BAUSKA, now)
    assert found.state is state
    assert said in found.text


def test_the_last_one_that_was_kept_counts_whatever_the_clocks_said() -> None:
    late, early = proof(4000, clock=UNSURE), proof(-3000, Verdict.FAIL, clock=UNSURE)
    assert standing_of([proof(1), early], BAUSKA, NOW).state is State.FAILED
    assert standing_of([late, proof(1, Verdict.FAIL)], BAUSKA, NOW).state is State.FAILED
    assert standing_of([late, proof(1)], BAUSKA, NOW).state is State.VALID
    assert standing_of([early, proof(1)], BAUSKA, NOW).state is State.VALID


def test_what_was_passed_before_the_sign_was_moved_away_and_back_counts_no_more() -> None:
    since = T0 + 20 * DAY

    def state(*proofs: Proof) -> State:
        return standing_of(proofs, BAUSKA, NOW, since_utc=since).state

    assert state(proof(1)) is State.NONE
    assert "and back" in standing_of([proof(1)], BAUSKA, NOW, since_utc=since).text
    assert state(proof(1), proof(25)) is State.VALID
    assert state(proof(1, clock=UNSURE)) is State.UNDATED
    assert state(proof(1, clock=UNSURE), proof(10)) is State.NONE
    assert state(proof(1, Verdict.FAIL, clock=UNSURE)) is State.FAILED


def test_how_a_sign_stands_by_its_database(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    assert standing(path, NOW).state is State.NONE
    keep(path, record())
    assert standing(path, NOW).state is State.VALID  # the file alone
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)
        assert standing(path, NOW).state is State.VALID
        assert standing(path, NOW).due == date(2027, 5, 4)
        store.begin(replace(BAUSKA, mounting_angle_deg=0.0), NOW)
        assert standing(path, NOW).state is State.NONE
    path.write_bytes(b"no database")
    assert standing(path, NOW).state is State.VALID
