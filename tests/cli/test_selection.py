"""Which database, sign, installation and hours: the same for every officer's command."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.cli.periods import parse_between, parse_days, parse_month
from speedsign.cli.selection import Choice, select
from speedsign.errors import ConfigError, StoreError, UsageError
from speedsign.model import Installation
from telemetry.database import open_for_writing
from tests.cli.command import as_json, speedsign
from tests.telemetry.filled import add_hours, add_installation, add_interval

NOWHERE = Path("/nowhere/speedsign.toml")
MONDAY = datetime(2026, 5, 3, 21, tzinfo=UTC)  # midnight in Riga
HOUR = timedelta(hours=1)
BAUSKA = Installation("Bauska", 50, 0.0, "ops243", "Europe/Riga")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(open_for_writing(path)) as found:
        yield found


@pytest.fixture
def week(db: sqlite3.Connection, path: Path) -> Path:
    """One vehicle an hour from Monday to Sunday, at as many km/h as the hour of the day, and 10."""
    add_installation(db, BAUSKA, MONDAY - timedelta(days=30))
    db.execute("BEGIN")
    for hour in range(7 * 24):
        add_hours(db, MONDAY + hour * HOUR, 1, n=1, speed_kmh=10 + hour % 24)
    db.execute("COMMIT")
    return path


def chosen(path: Path, **asked: Any) -> dict[int, int]:
    return select(Choice(db_path=path, **asked), NOWHERE).period.counts()


def refused(path: Path, **asked: Any) -> str:
    with pytest.raises(UsageError) as error:
        select(Choice(db_path=path, **asked), NOWHERE)
    return str(error.value)


# --------------------------------------------------------------------------- periods


def test_everything_that_was_measured_when_nothing_is_said(week: Path) -> None:
    found = select(Choice(db_path=week), NOWHERE)
    assert (found.period.from_utc, found.period.to_utc) == (MONDAY, MONDAY + timedelta(days=7))
    assert (found.period.n(), found.note, found.hours, found.others) == (168, "", "", ())
    assert found.period.coverage == 1.0


@pytest.mark.parametrize(
    ("asked", "n"),
    [
        ({"from_text": "2026-05-06"}, 120),
        ({"to_text": "2026-05-05"}, 48),
        ({"from_text": "2026-05-05T12:00", "to_text": "2026-05-05T14:00"}, 2),
        ({"month": "2026-05"}, 168),
        ({"month": "2026-06"}, 0),
        ({"between": "07-09"}, 14),
        ({"between": "22-06"}, 56),
        ({"between": "00-24"}, 168),
        ({"days": "mon-fri"}, 120),
        ({"days": "sat,sun"}, 48),
        ({"days": "fri-mon"}, 96),
        ({"days": "mon, WED ,fri-sat"}, 96),
        ({"between": "7-9", "days": "sat-sun", "to_text": "2026-05-09"}, 2),
    ],
)
def test_as_many_vehicles_as_hours_were_asked_for(week: Path, asked: dict[str, str], n: int) -> None:
    assert sum(chosen(week, **asked).values()) == n


def test_hours_of_the_day_are_those_hours(week: Path) -> None:
    assert chosen(week, between="22-01") == {10: 7, 32: 7, 33: 7}
    found = select(Choice(db_path=week, between="07-09", days="mon"), NOWHERE)
    assert (found.hours, found.period.narrowed, len(found.period.hours)) == ("07-09, mon", True, 2)


def test_a_month_is_a_local_month(db: sqlite3.Connection, path: Path) -> None:
    add_installation(db, BAUSKA)
    for at in (datetime(2026, 4, 30, 20, 45, tzinfo=UTC), datetime(2026, 4, 30, 21, tzinfo=UTC)):
        add_interval(db, at, {("approaching", "shown"): {50: 1}})
    found = select(Choice(db_path=path, month="2026-05"), NOWHERE).period
    assert (found.n(), found.from_utc) == (1, datetime(2026, 4, 30, 21, tzinfo=UTC))
    assert found.to_utc == datetime(2026, 5, 31, 21, tzinfo=UTC)
    assert parse_month("2026-12", "Europe/Riga")[1] == datetime(2026, 12, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"month": "2026-05", "from_text": "2026-05-01"}, "give --month, or --from and --to, not both"),
        ({"month": "2026-13"}, "'2026-13' is no month; write 2026-05"),
        ({"month": "May"}, "'May' is no month"),
        ({"month": "9999-12"}, "is no date or time of 1970 to 9998"),
        ({"between": "07"}, "'07' is no span of whole hours; write 07-09 (7:00 to 9:00) or 22-06"),
        ({"between": "07-07"}, "is no span of whole hours"),
        ({"between": "07:30-09"}, "is no span of whole hours"),
        ({"between": "25-26"}, "is no span of whole hours"),
        ({"between": "²-9"}, "is no span of whole hours"),
        ({"days": "monday"}, "'monday' is no list of days; write mon-fri, or sat,sun"),
        ({"days": ""}, "is no list of days"),
        ({"days": "mon-"}, "is no list of days"),
        ({"from_text": "1970-01-01"}, "a period of more than 30 years cannot be counted at once"),
        (
            {"from_text": "2026-05-05", "to_text": "2026-05-04"},
            "--to 2026-05-04 is not after --from 2026-05-05",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(week: Path, asked: dict[str, str], said: str) -> None:
    assert said in refused(week, **asked)


def test_spans_and_days_as_they_are_written() -> None:
    assert parse_between("07:00-09:00") == {7, 8}
    assert parse_between("23-00") == {23}
    assert len(parse_between("0-24")) == 24
    assert parse_days("sun-mon") == {0, 6}
    assert parse_days("wed-wed") == {2}


# --------------------------------------------------------------------------- signs and installations


def test_several_signs_and_none_named(db: sqlite3.Connection, path: Path) -> None:
    for speed, sign in ((40, "bauska-1"), (90, "rokiskis-2")):
        number = add_installation(db, BAUSKA, sign=sign)
        add_interval(db, MONDAY, {("approaching", "shown"): {speed: 1}}, installation=number)
    said = refused(path)
    assert said == f"{path} holds several signs; name one with --sign: bauska-1, rokiskis-2"
    assert chosen(path, sign="rokiskis-2") == {90: 1}
    assert chosen(path, installation_id=1) == {40: 1}
    assert "there is no sign 'x'; there are bauska-1, rokiskis-2" in refused(path, sign="x")
    assert "there is no installation 1; there are 2" in refused(path, sign="rokiskis-2", installation_id=1)


def test_the_newest_that_measured_and_the_others_are_named(db: sqlite3.Connection, path: Path) -> None:
    add_installation(db, BAUSKA, MONDAY)
    add_installation(db, BAUSKA, MONDAY + timedelta(days=1))
    add_installation(db, BAUSKA, MONDAY + timedelta(days=2))  # has not measured yet
    for number in (1, 2):
        at = MONDAY + timedelta(days=number - 1)
        add_interval(db, at, {("approaching", "shown"): {50: number}}, installation=number)
    found = select(Choice(db_path=path), NOWHERE)
    assert (found.standing.id, [one.id for one in found.others], found.period.n()) == (2, [1], 2)
    assert found.note.startswith("Only installation 2 (Bauska, since 2026-05-05) is counted;")
    assert "see --installation 1." in found.note
    first = select(Choice(db_path=path, to_text="2026-05-04"), NOWHERE)
    assert (first.standing.id, first.note) == (1, "")


def test_time_in_which_the_sign_stood_otherwise_is_no_gap(db: sqlite3.Connection, path: Path) -> None:
    """Measured without a gap, limit changed after ten days: neither part was measured half of the time."""
    add_installation(db, BAUSKA, MONDAY)
    add_installation(db, BAUSKA, MONDAY + timedelta(days=10))
    for day in range(20):
        add_hours(db, MONDAY + timedelta(days=day), 24, n=1, installation=1 + (day >= 10))
    newest = select(Choice(db_path=path, from_text="2026-05-04", to_text="2026-05-23"), NOWHERE).period
    assert (newest.from_utc, newest.coverage) == (MONDAY + timedelta(days=10), 1.0)
    asked = Choice(db_path=path, installation_id=1, from_text="2026-05-01", to_text="2026-05-23")
    first = select(asked, NOWHERE).period
    assert first.to_utc == MONDAY + timedelta(days=10)
    assert first.from_utc == MONDAY - timedelta(days=3)  # before that it stood nowhere: nothing was measured
    assert first.coverage == pytest.approx(10 / 13)


def test_an_interval_in_which_the_sign_was_changed_belongs_to_both(
    db: sqlite3.Connection, path: Path
) -> None:
    change = MONDAY + timedelta(minutes=5)
    add_installation(db, BAUSKA, MONDAY - HOUR)
    add_installation(db, BAUSKA, change)
    for number in (1, 2):
        add_interval(db, MONDAY, {("approaching", "shown"): {40 + number: 1}}, installation=number)
    assert chosen(path, from_text="2026-05-04", to_text="2026-05-04") == {42: 1}
    assert chosen(path, installation_id=1, from_text="2026-05-03", to_text="2026-05-04") == {41: 1}


def test_a_period_that_cuts_intervals_is_made_longer_and_that_is_said(week: Path) -> None:
    """Counts of a quarter of an hour cannot be cut: to head them with other times would be wrong."""
    found = select(Choice(db_path=week, from_text="2026-05-04T07:05", to_text="2026-05-04T07:20"), NOWHERE)
    assert (found.period.from_utc, found.period.to_utc) == (
        MONDAY + 7 * HOUR,
        MONDAY + 7 * HOUR + timedelta(minutes=30),
    )
    assert "the period is 2026-05-04T07:00 to 2026-05-04T07:30" in found.note
    whole = select(Choice(db_path=week, from_text="2026-05-04T07:15", to_text="2026-05-04T07:30"), NOWHERE)
    assert (whole.widened, whole.note) == (None, "")


def test_what_the_sign_measured_goes_before_what_was_imported(db: sqlite3.Connection, path: Path) -> None:
    """A file without a sign's name in a sign's database is another device's."""
    add_installation(db, BAUSKA, MONDAY)
    add_installation(db, BAUSKA, MONDAY + HOUR, origin="imported", sign="")
    for number in (1, 2):
        add_interval(db, MONDAY, {("approaching", "shown"): {40 * number: 1}}, installation=number)
    found = select(Choice(db_path=path), NOWHERE)
    assert found.period.counts() == {40: 1}
    assert found.note == "Imported numbers are left out: see --installation 2."
    assert chosen(path, installation_id=2) == {80: 1}


def test_an_imported_installation_is_chosen_like_any_other(db: sqlite3.Connection, path: Path) -> None:
    add_installation(db, BAUSKA, MONDAY)
    add_installation(db, BAUSKA, MONDAY - timedelta(days=365), origin="imported", sign="")
    add_interval(db, MONDAY, {("approaching", "shown"): {50: 1}})
    old = MONDAY - timedelta(days=300)
    add_interval(db, old, {("approaching", "shown"): {70: 1}}, installation=2)
    assert chosen(path) == {50: 1}  # the newest; the file bears no sign's name, so there is one sign
    assert chosen(path, to_text="2026-01-01") == {70: 1}


def test_each_installation_has_days_of_its_own_time_zone(db: sqlite3.Connection, path: Path) -> None:
    """Midnight in Berlin is an hour after that of Riga."""
    add_installation(
        db, Installation("Berlin", 50, 0.0, "ops243", "Europe/Berlin"), MONDAY - timedelta(days=9)
    )
    add_installation(db, BAUSKA, MONDAY + timedelta(days=3))
    db.execute("BEGIN")
    for quarter in range(-4, 96):
        at = MONDAY + timedelta(minutes=15 * quarter)
        add_interval(db, at, {("approaching", "shown"): {50: 1}}, installation=1)
    db.execute("COMMIT")
    found = select(Choice(db_path=path, from_text="2026-05-04", to_text="2026-05-04"), NOWHERE)
    assert found.standing.id == 1
    assert (found.period.from_utc, found.period.n()) == (MONDAY + HOUR, 92)


def test_another_limit_is_counted_against_and_said(week: Path) -> None:
    found = select(Choice(db_path=week, limit_kmh=30), NOWHERE)
    assert found.standing.facts.limit_kmh == found.period.standing.facts.limit_kmh == 30
    assert found.own_limit_kmh == 50
    assert found.note == ("Counted against a limit of 30 km/h as asked for; the installation's is 50 km/h.")
    same = select(Choice(db_path=week, limit_kmh=50), NOWHERE)
    assert (same.own_limit_kmh, same.note) == (None, "")
    result = speedsign("stats", "--db", week, "--limit", "30", "--json")
    assert as_json(result)[-1]["over_limit_share"] == pytest.approx(3 / 24)
    assert "Counted against a limit of 30 km/h" in result.stderr


# --------------------------------------------------------------------------- files


def test_the_config_is_read_for_its_path_alone(week: Path, tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    config.write_text(f'[radar]\nnonsense = 1\n[store]\npath = "{week}"\n')
    assert select(Choice(), config).period.n() == 168
    config.write_text("[store\n")
    with pytest.raises(ConfigError):
        select(Choice(), config)
    assert select(Choice(db_path=week), config).period.n() == 168


def test_no_database_and_none_with_anything_in_it(tmp_path: Path, db: sqlite3.Connection, path: Path) -> None:
    with pytest.raises(StoreError, match="nothing has been measured yet"):
        select(Choice(db_path=path), NOWHERE)
    with pytest.raises(StoreError, match="does not exist"):
        select(Choice(db_path=tmp_path / "other.db"), NOWHERE)
    with pytest.raises(StoreError, match="is a folder"):
        select(Choice(db_path=tmp_path), NOWHERE)


def test_an_installation_that_has_measured_nothing_is_an_answer(db: sqlite3.Connection, path: Path) -> None:
    add_installation(db, BAUSKA, MONDAY)
    for choice in (
        Choice(db_path=path),
        Choice(db_path=path, to_text="2020-01-01"),
        Choice(db_path=path, from_text="2030-01-01"),
    ):
        found = select(choice, NOWHERE).period
        assert (found.n(), list(found.hours)) == (0, [])
    day = select(Choice(db_path=path, from_text="2020-01-01", to_text="2020-01-01"), NOWHERE).period
    assert (day.coverage, len(day.hours)) == (0.0, 24)
