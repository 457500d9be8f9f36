"""One place decides whether the time is believed: one that cannot be counts nowhere."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from speedsign.assemble import Sign
from speedsign.believed import BelievedClock, built_utc
from speedsign.build import Build
from speedsign.cli.believed import believed, last_known_utc
from speedsign.doctor.clock import ClockFacts, judge_clock
from speedsign.model import ClockQuality
from telemetry.store import SqliteStore
from tests.command.office import HERE, MovedClock, config

NOW = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def clock(at: datetime, *, known: bool = True) -> MovedClock:
    return MovedClock(utc=at, known=known)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize(
    ("at", "known_utc", "can_be"),
    [
        (NOW, None, True),
        (NOW, NOW - 400 * DAY, True),
        (NOW, NOW + DAY, True),
        (NOW, NOW + DAY + timedelta(seconds=1), False),
        (datetime(2020, 3, 1, tzinfo=UTC), None, False),
        (datetime(2025, 12, 31, tzinfo=UTC), None, True),
        (datetime(2100, 1, 1, tzinfo=UTC), None, False),
    ],
)
def test_somebody_vouches_for_it_and_it_can_be(
    at: datetime, known_utc: datetime | None, can_be: bool, always: bool
) -> None:
    asked = BelievedClock(clock(at, known=not always), always=always, known_utc=known_utc)
    assert asked.trusted() is can_be
    assert asked.now_utc() == at
    assert not BelievedClock(clock(at, known=False), known_utc=known_utc).trusted(), "nobody does"


def test_before_it_was_built_there_was_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    build = Build("1.0.0", "a" * 40, committed=NOW.date())
    monkeypatch.setattr("speedsign.believed.this_build", lambda: build)
    assert not believed(clock(NOW - 2 * DAY)).trusted()
    assert believed(clock(NOW)).trusted()
    monkeypatch.setattr("speedsign.believed.this_build", lambda: replace(build, checkout=True))
    assert built_utc() == datetime(2026, 1, 1, tzinfo=UTC)


def test_who_knows_more_decides() -> None:
    asked = BelievedClock(clock(NOW))
    asked.judged_by(lambda: False)
    assert not asked.trusted()
    asked = BelievedClock(clock(datetime(2020, 3, 1, tzinfo=UTC)))
    asked.judged_by(lambda: True)
    assert asked.trusted()


def test_a_command_asks_the_signs_database_what_was_known(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    assert last_known_utc(path) is None
    with contextlib.closing(SqliteStore(path, "street-1")) as store:
        store.begin(HERE, NOW)
        store.date_boot("b007" * 8, NOW - timedelta(hours=1), NOW)
    assert last_known_utc(path) == NOW
    assert not believed(clock(NOW - 2 * DAY), path).trusted()
    assert not believed(clock(NOW - 2 * DAY, known=False), path, always=True).trusted()
    assert believed(clock(NOW + DAY), path).trusted()


def test_nothing_in_the_sign_takes_an_impossible_time_for_known(tmp_path: Path) -> None:
    """Commands end by it, the broker's certificate is judged by it: both ask what the daemon knows."""
    for at, known in ((datetime(2020, 3, 1, tzinfo=UTC), False), (NOW, True)):
        sign = Sign(config(tmp_path), clock(at))
        assert sign.remote
        assert (sign.daemon.clock_quality() is ClockQuality.OK) is known
        assert sign.remote.desk._moment().trusted is known


def test_the_doctor_says_what_the_sign_does_not_believe() -> None:
    facts = ClockFacts(NOW, synchronised=True, setters=("chrony",), known_utc=NOW + 9 * DAY)
    for one in (facts, replace(facts, synchronised=False, trust="always")):
        (found,) = judge_clock(one)
        assert "though 2026-05-13 was known already: the sign does not believe it" in found.what
    (found,) = judge_clock(replace(facts, synchronised=False))
    assert "nobody vouches" in found.what
