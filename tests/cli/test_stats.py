"""stats: the officer's numbers, from databases that the store itself has made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)
from telemetry.store import SqliteStore
from tests.cli.command import as_json, finished, speedsign

KEYS = [
    *("direction", "from", "to", "timezone", "limit_kmh", "n", "mean_kmh", "sd_kmh"),
    *("v15_kmh", "v50_kmh", "v85_kmh", "v95_kmh", "max_kmh", "pace_low_kmh", "pace_high_kmh", "pace_share"),
    *("over_limit_share", "over_limit_10_share", "over_limit_20_share", "bands", "coverage", "method"),
]
HERE = Installation(
    site="Bauska, Rīgas iela", limit_kmh=50, mounting_angle_deg=0, radar="ops243", timezone="Europe/Riga"
)
MONDAY = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
IN, OUT = Direction.APPROACHING, Direction.RECEDING


def vehicle(speed_kmh: float, at: datetime, direction: Direction = IN) -> VehicleRecord:
    seen = Vehicle(1, direction, 10.0, 12.0, speed_kmh, speed_kmh, speed_kmh, speed_kmh, 20)
    return VehicleRecord(seen, at - timedelta(seconds=2), at, ClockQuality.OK, DisplayState.SHOWN, "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    found = SqliteStore(path, "test-sign")
    found.begin(HERE, MONDAY - timedelta(days=40))
    yield found
    found.close()


def ask(path: Path, *args: str) -> dict[str, dict[str, Any]]:
    result = speedsign("stats", "--db", path, "--json", *args)
    assert result.exit_code == 0, result.stderr
    return {row["direction"]: row for row in as_json(result)}


# --------------------------------------------------------------------------- the contract


def test_one_object_a_direction_and_one_for_both_with_the_keys_in_order(
    path: Path, store: SqliteStore
) -> None:
    store.add_vehicle(vehicle(52.4, MONDAY), [Coverage(MONDAY, 450.0)])
    result = speedsign("stats", "--db", path, "--json")
    assert result.stderr == ""
    rows = as_json(result)
    assert [row["direction"] for row in rows] == ["approaching", "receding", "both"]
    for row in rows:
        assert list(row)[: len(KEYS)] == KEYS
    assert rows[0]["from"] == "2026-05-04T13:00:00+03:00"
    assert rows[0]["to"] == "2026-05-04T13:15:00+03:00"
    assert (rows[0]["timezone"], rows[0]["limit_kmh"], rows[0]["coverage"]) == ("Europe/Riga", 50, 0.5)
    assert "[k-0.5, k+0.5)" in rows[0]["method"]
    assert rows[1]["n"] == 0
    assert rows[1]["v85_kmh"] is None


def test_the_numbers_are_those_of_the_definitions(path: Path, store: SqliteStore) -> None:
    """Twenty vehicles at 41, 42 … 60 km/h, by hand: one a class, so a percentile is p·20/100 classes up."""
    for speed in range(41, 61):
        store.add_vehicle(vehicle(float(speed), MONDAY), [])
    row = ask(path)["approaching"]
    assert row["n"] == 20
    assert row["mean_kmh"] == 50.5
    assert row["sd_kmh"] == pytest.approx(math.sqrt(20 * 21 / 12), abs=1e-6)
    assert (row["v15_kmh"], row["v50_kmh"], row["v85_kmh"], row["v95_kmh"]) == (43.5, 50.5, 57.5, 59.5)
    assert row["max_kmh"] == 60
    assert (row["pace_low_kmh"], row["pace_high_kmh"], row["pace_share"]) == (41, 55, 0.75)
    assert (row["over_limit_share"], row["over_limit_10_share"], row["over_limit_20_share"]) == (
        0.5,
        0.0,
        0.0,
    )
    assert [band["n"] for band in row["bands"]] == [10, 10, 0, 0, 0, 0, 0, 0, 0]


def test_both_holds_every_direction_and_an_unknown_one_is_named(path: Path, store: SqliteStore) -> None:
    for direction, speeds in ((IN, (50, 60)), (OUT, (40,)), (Direction.UNKNOWN, (30,))):
        for speed in speeds:
            store.add_vehicle(vehicle(float(speed), MONDAY, direction), [])
    rows = ask(path)
    assert list(rows) == ["approaching", "receding", "unknown", "both"]
    assert {name: row["n"] for name, row in rows.items()} == {
        "approaching": 2,
        "receding": 1,
        "unknown": 1,
        "both": 4,
    }


def test_the_table_says_the_same(path: Path, store: SqliteStore) -> None:
    for speed in [*range(41, 61)] * 5:
        store.add_vehicle(vehicle(float(speed), MONDAY), [Coverage(MONDAY, 45.0)])
    result = speedsign("stats", "--db", path)
    assert result.exit_code == 0
    said = result.stdout.splitlines()
    assert said[0] == "Bauska, Rīgas iela, installation 1: limit 50 km/h"
    assert said[1] == "2026-05-04 13:00+03:00 to 2026-05-04 13:15+03:00, Europe/Riga"
    approaching, receding, both = (line.split() for line in said[3:6])
    assert approaching == [
        *("approaching", "100", "50.5", "50.5", "57.5", "56.1–58.9", "60", "50.0", "%", "0.0", "%"),
    ]
    assert receding == ["receding", "0", *"–––––––"]
    assert both[1:] == approaching[1:]
    assert "Measured 100.0 % of the time." in result.stdout
    assert "Percentiles are grouped" in result.stdout
    assert max(map(len, said)) <= 80


# --------------------------------------------------------------------------- periods


def test_days_are_local_days(path: Path, store: SqliteStore) -> None:
    """Riga is three hours ahead in May: its 4th begins on the 3rd at 21:00 UTC."""
    for at in (
        datetime(2026, 5, 3, 20, 59, tzinfo=UTC),
        datetime(2026, 5, 3, 21, 1, tzinfo=UTC),
        datetime(2026, 5, 4, 20, 59, tzinfo=UTC),
        datetime(2026, 5, 4, 21, 1, tzinfo=UTC),
    ):
        store.add_vehicle(vehicle(50, at), [])
    both = ask(path, "--from", "2026-05-04", "--to", "2026-05-04")["both"]
    assert both["n"] == 2
    assert (both["from"], both["to"]) == ("2026-05-04T00:00:00+03:00", "2026-05-05T00:00:00+03:00")


@pytest.mark.parametrize(
    ("day", "hours", "start", "end"),
    [
        ("2026-03-29", 23, "2026-03-29T00:00:00+02:00", "2026-03-30T00:00:00+03:00"),
        ("2026-10-25", 25, "2026-10-25T00:00:00+03:00", "2026-10-26T00:00:00+02:00"),
    ],
)
def test_the_days_on_which_the_clocks_change(
    path: Path, store: SqliteStore, day: str, hours: int, start: str, end: str
) -> None:
    first = datetime.fromisoformat(start).astimezone(UTC)
    for quarter in range(-2, hours * 4 + 2):
        at = first + timedelta(minutes=15 * quarter + 1)
        store.add_vehicle(vehicle(50, at), [Coverage(at, 900.0)])
    both = ask(path, "--from", day, "--to", day)["both"]
    assert both["n"] == hours * 4
    assert (both["from"], both["to"]) == (start, end)
    assert both["coverage"] == 1.0


def test_times_may_be_local_or_have_an_offset(path: Path, store: SqliteStore) -> None:
    for minutes in range(0, 120, 15):
        store.add_vehicle(vehicle(50, MONDAY + timedelta(minutes=minutes)), [])
    local = ask(path, "--from", "2026-05-04T13:00", "--to", "2026-05-04T14:00")
    assert local["both"]["n"] == 4
    assert ask(path, "--from", "2026-05-04T10:00+00:00", "--to", "2026-05-04 14:00") == local
    assert ask(path, "--from", "2026-05-04T10:00Z", "--to", "2026-05-04T11:00Z") == local


def test_one_end_may_be_left_open(path: Path, store: SqliteStore) -> None:
    for day in range(3):
        store.add_vehicle(vehicle(50, MONDAY + timedelta(days=day)), [])
    assert ask(path, "--from", "2026-05-05")["both"]["n"] == 2
    assert ask(path, "--to", "2026-05-04")["both"]["n"] == 1
    assert ask(path)["both"]["n"] == 3


def test_a_period_without_anything_is_an_answer(path: Path, store: SqliteStore) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [Coverage(MONDAY, 900.0)])
    both = ask(path, "--from", "2026-06-01", "--to", "2026-06-07")["both"]
    assert both["n"] == 0
    assert both["coverage"] == 0.0
    assert both["mean_kmh"] is None
    assert both["over_limit_share"] is None
    later = ask(path, "--from", "2030-01-01")["both"]
    assert (later["n"], later["coverage"]) == (0, None)
    assert speedsign("stats", "--db", path, "--from", "2026-06-01", "--to", "2026-06-07").exit_code == 0


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--from", "yesterday"], "'yesterday' is no date or time"),
        (["--from", "2026-02-30"], "'2026-02-30' is no date or time"),
        (["--to", "9999-12-31"], "'9999-12-31' is no date or time of 1970 to 9998"),
        (["--from", "0001-01-01"], "'0001-01-01' is no date or time of 1970 to 9998"),
        (["--from", ""], "'' is no date or time"),
        (["--from", "2026-05-05", "--to", "2026-05-04"], "--to 2026-05-04 is not after --from 2026-05-05"),
        (["--installation", "7"], "there is no installation 7; there are 1"),
    ],
)
def test_a_period_that_cannot_be_is_a_usage_error(
    path: Path, store: SqliteStore, args: list[str], expected: str
) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [])
    result = speedsign("stats", "--db", path, *args)
    assert result.exit_code == 2
    assert expected in result.stderr


# --------------------------------------------------------------------------- installations


def moved(store: SqliteStore) -> None:
    """Three vehicles at 50, one installation later two at limit 30."""
    for minute in range(3):
        store.add_vehicle(vehicle(50, MONDAY + timedelta(minutes=minute)), [])
    school = Installation("school", 30, 0.0, "ops243", "Europe/Vilnius")
    store.begin(school, MONDAY + timedelta(days=1))
    for minute in range(2):
        store.add_vehicle(vehicle(35, MONDAY + timedelta(days=1, minutes=minute)), [])


def test_two_installations_are_never_mixed_and_the_other_is_named(path: Path, store: SqliteStore) -> None:
    moved(store)
    result = speedsign("stats", "--db", path, "--json")
    both = as_json(result)[-1]
    assert (both["n"], both["limit_kmh"], both["timezone"]) == (2, 30, "Europe/Vilnius")
    assert result.stderr.startswith("Only installation 2 (school, since 2026-05-05) is counted;")
    assert "--installation 1" in result.stderr


def test_the_earlier_one_can_be_asked_for(path: Path, store: SqliteStore) -> None:
    moved(store)
    result = speedsign("stats", "--db", path, "--json", "--installation", "1")
    both = as_json(result)[-1]
    assert (both["n"], both["limit_kmh"]) == (3, 50)
    assert result.stderr == ""


def test_a_period_in_which_only_the_earlier_one_stood_is_its_own(path: Path, store: SqliteStore) -> None:
    moved(store)
    result = speedsign("stats", "--db", path, "--json", "--from", "2026-05-04", "--to", "2026-05-04")
    both = as_json(result)[-1]
    assert (both["n"], both["limit_kmh"]) == (3, 50)
    assert result.stderr == ""


# --------------------------------------------------------------------------- the file


def test_what_is_not_yet_closed_is_counted(path: Path, store: SqliteStore) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [])
    store.close_intervals(MONDAY + timedelta(minutes=20), None)
    store.add_vehicle(vehicle(50, MONDAY + timedelta(minutes=20)), [])
    assert ask(path)["both"]["n"] == 2


def test_another_process_may_be_asked_while_the_sign_writes(path: Path, store: SqliteStore) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [])
    store._db.execute("BEGIN IMMEDIATE")  # a write that is still going on
    result = finished("stats", "--db", path, "--json")
    store._db.execute("ROLLBACK")
    assert result.returncode == 0, result.stderr
    assert '"n": 1' in result.stdout


def test_asking_changes_nothing(path: Path, store: SqliteStore) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [])
    store.close()
    before = path.read_bytes()
    ask(path)
    assert path.read_bytes() == before


def test_the_database_is_that_of_the_config(path: Path, store: SqliteStore, tmp_path: Path) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [])
    config = tmp_path / "sign.toml"
    config.write_text(
        f'[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="ops243"\nport="/dev/x"\n[store]\npath="{path}"\n'
    )
    result = speedsign("stats", "--config", config, "--json")
    assert as_json(result)[-1]["n"] == 1


def test_a_sign_that_has_only_been_started_says_so(path: Path) -> None:
    SqliteStore(path, "test-sign").close()
    result = speedsign("stats", "--db", path)
    assert result.exit_code == 1
    assert result.stderr == f"speedsign stats: {path}: nothing has been measured yet; start the sign once\n"


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    result = speedsign("stats", "--db", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == f"speedsign stats: {tmp_path}: is a folder; name the database in it\n"
