"""stats: the officer's numbers, from databases that the store itself has made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
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


# --------------------------------------------------------------------------- more than the contract


MORE = [
    *("rule", "class_width_kmh", "sample", "mean_se_kmh", "mean_low_kmh", "mean_high_kmh"),
    *(f"v{percent}_{end}_kmh" for percent in (15, 50, 85, 95) for end in ("se", "low", "high")),
    *("skewness_index", "within_limit_share", "suspects"),
    *("adt", "complete_days", "weekday_adt", "weekdays", "weekend_adt", "weekend_days"),
    *("peak_hour", "busiest_hour", "busiest_hour_n", "phf"),
    *("undated", "hours", "hours_left_out", "hours_undated", "gaps", "scaled", "fault"),
    *("corrected", "hours_corrected", "stepped", "undated_between", "coverage_assumed"),
    *("site", "sign", "installation", "hours_chosen", "installations_left_out"),
]
HEADWAYS = [
    *("headways_from", "headways_to", "headways_vehicles", "headways_n", "headway_median_s"),
    *("free_flow_s", "free_flow_n", "free_flow_share", "free_flow_v85_kmh"),
]


def test_further_keys_come_after_those_of_the_contract(path: Path, store: SqliteStore) -> None:
    for speed in range(41, 61):
        store.add_vehicle(vehicle(float(speed), MONDAY), [Coverage(MONDAY, 45.0)])
    row = ask(path)["approaching"]
    assert list(row) == [*KEYS, *MORE]
    assert (row["rule"], row["class_width_kmh"], row["sample"]) == ("grouped", 1, "few")
    assert row["mean_se_kmh"] == pytest.approx(math.sqrt(20 * 21 / 12 / 20), abs=1e-6)
    assert row["within_limit_share"] == 0.5
    assert row["skewness_index"] == 1.0
    assert (row["site"], row["sign"], row["installation"]) == ("Bauska, Rīgas iela", "test-sign", 1)
    assert (row["hours"], row["hours_left_out"], row["complete_days"], row["adt"]) == (1, 0, 0, None)
    assert row["installations_left_out"] == []


def test_percentiles_of_any_share(path: Path, store: SqliteStore) -> None:
    for speed in range(41, 61):
        store.add_vehicle(vehicle(float(speed), MONDAY), [])
    row = ask(path, "--percentiles", "99.9, 50,30.0")["approaching"]
    assert list(row)[: len(KEYS)] == KEYS
    assert (row["v30_kmh"], row["v99.9_kmh"], row["v50_kmh"]) == (46.5, 60.48, 50.5)
    assert {"v30_se_kmh", "v99.9_low_kmh", "v85_high_kmh"} <= set(row)


@pytest.mark.parametrize("text", ["", "abc", "0", "100", "50,,60", "nan", "inf", "-5", "1e400"])
def test_shares_that_are_none(path: Path, store: SqliteStore, text: str) -> None:
    result = speedsign("stats", "--db", path, "--percentiles", text)
    assert result.exit_code == 2
    assert result.stderr == (
        f"speedsign stats: --percentiles {text!r}: write numbers over 0 and under 100, such as 15,50,85,98\n"
    )


def test_too_many_percentiles(path: Path, store: SqliteStore) -> None:
    text = ",".join(map(str, range(1, 30)))
    result = speedsign("stats", "--db", path, "--percentiles", text)
    assert result.exit_code == 2
    assert "more than 20 are not computed at once" in result.stderr


@pytest.mark.parametrize("args", [["--rule", "nearest"], ["--class-width", "0"], ["--class-width", "21"]])
def test_rules_and_widths_that_are_none(path: Path, store: SqliteStore, args: list[str]) -> None:
    assert speedsign("stats", "--db", path, *args).exit_code == 2


def test_rule_and_width_are_named(path: Path, store: SqliteStore) -> None:
    for speed in range(41, 61):
        store.add_vehicle(vehicle(float(speed), MONDAY), [])
    row = ask(path, "--rule", "counted", "--class-width", "10")["both"]
    assert (row["rule"], row["class_width_kmh"]) == ("counted", 10)
    assert row["v50_kmh"] == 54.5  # the tenth of twenty: [49.5, 59.5)
    assert "[k-0.5, k+9.5), k a multiple of 10" in row["method"]


def test_suspects_are_counted_and_are_not_the_fastest(path: Path, store: SqliteStore) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [])
    ghost = vehicle(190, MONDAY)
    store.add_vehicle(replace(ghost, vehicle=replace(ghost.vehicle, flags=("image?",))), [])
    row = ask(path)["both"]
    assert (row["n"], row["max_kmh"], row["suspects"]) == (2, 50, 1)
    result = speedsign("stats", "--db", path)
    assert "1 vehicle may be none" in " ".join(result.stdout.split())


def test_vehicles_without_a_trusted_time(path: Path, store: SqliteStore) -> None:
    store.add_vehicle(vehicle(50, MONDAY), [Coverage(MONDAY, 900.0)])
    late = replace(vehicle(60, MONDAY + timedelta(minutes=15), OUT), clock=ClockQuality.UNKNOWN)
    store.add_vehicle(late, [])
    rows = ask(path)
    assert [rows[name]["undated"] for name in ("approaching", "receding", "both")] == [0, 1, 1]
    assert rows["both"]["n"] == 2
    assert "1 vehicle have no trusted time" not in speedsign("stats", "--db", path).stdout
    assert "1 vehicle has no trusted time" in " ".join(speedsign("stats", "--db", path).stdout.split())


def test_a_whole_day_has_vehicles_a_day_and_a_peak(path: Path, store: SqliteStore) -> None:
    midnight = datetime(2026, 5, 3, 21, tzinfo=UTC)
    for quarter in range(96):
        at = midnight + timedelta(minutes=15 * quarter)
        for _ in range(3 if quarter // 4 == 16 else 1):
            store.add_vehicle(vehicle(50, at + timedelta(seconds=5)), [])
        store.add_coverage([Coverage(at, 900.0)])
    row = ask(path)
    both = row["both"]
    assert (both["adt"], both["complete_days"], both["weekday_adt"], both["weekend_adt"]) == (
        104.0,
        1,
        104.0,
        None,
    )
    assert (both["peak_hour"], both["busiest_hour_n"], both["phf"]) == (16, 12, 1.0)
    assert both["busiest_hour"] == "2026-05-04T16:00:00+03:00"
    assert row["receding"]["busiest_hour"] is None
    said = " ".join(speedsign("stats", "--db", path).stdout.split())
    assert "Vehicles a day: 104 (1 complete day); Mon-Fri 104 (1 day); public holidays count" in said
    assert "from Monday to Friday begins at 16:00" in said
    assert "Most in one hour: 12 from 2026-05-04 16:00+03:00, peak hour factor 1.00." in said


def test_headways_of_kept_vehicles(path: Path, store: SqliteStore) -> None:
    for second in (5, 7, 17, 27):
        store.add_vehicle(vehicle(50, MONDAY + timedelta(seconds=second)), [])
    store.add_coverage([Coverage(MONDAY, 900.0)])
    row = ask(path, "--headways")["approaching"]
    assert list(row)[len(KEYS) :] == [*MORE[:-2], *HEADWAYS, *MORE[-2:]]
    assert (row["headways_vehicles"], row["headways_n"], row["headway_median_s"]) == (4, 3, 10.0)
    assert (row["free_flow_n"], row["free_flow_share"]) == (2, round(2 / 3, 6))
    assert row["headways_from"] == "2026-05-04T13:00:03+03:00"
    assert ask(path, "--headways")["receding"]["headways_n"] == 0
    said = " ".join(speedsign("stats", "--db", path, "--headways").stdout.split())
    assert "approaching: 3 headways, median 10.0 s; 66.7 % were free (5 s or more); of vehicles kept" in said
    assert "receding: no headways of kept vehicles" in said


@pytest.mark.parametrize(
    ("n", "mark", "mean", "note"),
    [
        (29, "**", "–", "too few for a mean"),
        (30, "*", "50.0", "a low sample"),
        (99, "*", "50.0", "a low sample"),
    ],
)
def test_few_vehicles_are_marked_for_people(
    path: Path, store: SqliteStore, n: int, mark: str, mean: str, note: str
) -> None:
    for _ in range(n):
        store.add_vehicle(vehicle(50, MONDAY), [])
    said = speedsign("stats", "--db", path, "--percentiles", "98").stdout
    assert said.splitlines()[3].split()[:3] == [f"approaching{mark}", str(n), mean]
    assert note in said
    assert ("V98" in said) is (mark == "*")
    assert ask(path)["both"]["mean_kmh"] == 50.0


@pytest.mark.parametrize(
    ("hours", "short", "sentence"),
    [
        (1, 1, "1 of 1 hour was measured less than 75 % and is in no mean of hours or days."),
        (3, 1, "1 of 3 hours was measured less than 75 % and is in no mean of hours or days."),
        (3, 2, "2 of 3 hours were measured less than 75 % and are in no mean of hours or days."),
    ],
)
def test_one_hour_was_and_two_were_left_out(
    path: Path, store: SqliteStore, hours: int, short: int, sentence: str
) -> None:
    for quarter in range(4 * hours):
        at = MONDAY + quarter * timedelta(minutes=15)
        store.add_coverage([Coverage(at, 300.0 if quarter < 4 * short else 900.0)])
    result = speedsign("stats", "--db", path)
    assert sentence in " ".join(result.stdout.split())


def test_the_days_on_which_the_clocks_change_are_said(path: Path, store: SqliteStore) -> None:
    for day in (25, 29):
        store.add_vehicle(vehicle(50, datetime(2026, 10, day, 12, tzinfo=UTC)), [])
    assert "2026-10-25 has 25 hours." in " ".join(speedsign("stats", "--db", path).stdout.split())
    later = speedsign("stats", "--db", path, "--from", "2026-10-26")
    assert "25 hours" not in later.stdout


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
