"""speedsign import: what comes in, what is refused, and that nothing is ever half imported."""

from __future__ import annotations

import fcntl
import json
import resource
import signal
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speedsign.model import DisplayState
from telemetry.exchange import writing
from telemetry.query import read_installations
from tests.cli.command import SPEEDSIGN, as_json, environment, finished, process, speedsign
from tests.exchange.files import HEADER, MONDAY, ask, counts, csv_file, imported, sign

NOON = "2026-05-04T12:00:00+03:00"
ROWS = (
    "2026-05-04T12:00:00.250+03:00,approaching,52.4",
    "2026-05-04T12:00:31+03:00,receding,47.5",
    "2026-05-04T12:16:00+03:00,,30.0",
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return csv_file(tmp_path, ROWS)


def street(path: Path) -> Path:
    return path.with_name("street.db")


# --------------------------------------------------------------------------- what comes in


def test_vehicles_are_counted_and_kept_under_an_installation_of_their_own(old: Path) -> None:
    result = imported(old, "--sign", "old-1", "--site", "School street", "--approaching-name", "to town")
    assert result.exit_code == 0, result.stderr
    (standing,) = read_installations(street(old))
    assert (standing.sign, standing.imported, standing.name) == ("old-1", True, "School street")
    assert (standing.facts.limit_kmh, standing.facts.timezone) == (50, "Europe/Riga")
    assert (standing.facts.approaching_name, standing.facts.rounds) == ("to town", True)
    first = MONDAY.timestamp() + 5 * 3600
    assert counts(street(old)) == [
        (first, "approaching", "fault", 52, 1),
        (first, "receding", "fault", 48, 1),
        (first + 900, "unknown", "fault", 30, 1),
    ]
    sql = "SELECT last_ms % 60000, speed_kmh, entry_kmh, readings, tracker, length_m FROM vehicle"
    assert ask(street(old), sql)[0] == (250, 52.4, 52.4, 0, "import", None)
    assert "installation 1 (School street, 50 km/h): 3 vehicles" in result.stdout


def test_the_statistics_are_those_of_the_rows(old: Path) -> None:
    imported(old)
    found = {row["direction"]: row for row in as_json(speedsign("stats", "--db", street(old), "--json"))}
    assert {name: row["n"] for name, row in found.items()} == {
        "approaching": 1,
        "receding": 1,
        "unknown": 1,
        "both": 3,
    }
    assert found["both"]["coverage"] == 1.0
    assert found["both"]["max_kmh"] == 52


def test_what_is_said_in_json(old: Path) -> None:
    found = as_json(imported(old, "--json"))
    assert found["database"] == str(street(old))
    assert {key: found[key] for key in ("kind", "rows", "vehicles", "left_out", "coverage_assumed")} == {
        "kind": "vehicles",
        "rows": 3,
        "vehicles": 3,
        "left_out": 0,
        "coverage_assumed": True,
    }
    assert (found["from"], found["to"]) == (NOON, "2026-05-04T12:30:00+03:00")
    assert found["measured_s"] == 1800


def test_columns_in_any_order_and_unknown_ones_are_said_once(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, [f"A1,4.25,52.4,x,Receding,{NOON}"] * 3, "plate,LENGTH_M,Speed_kmh,note,direction,time"
    )
    result = imported(path)
    assert result.exit_code == 0
    assert "Columns that mean nothing here: plate, note." in result.stderr
    assert ask(street(path), "SELECT DISTINCT direction, speed_kmh, length_m FROM vehicle") == [
        ("receding", 52.4, 4.25)
    ]


def test_a_spreadsheet_of_a_country_with_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(
        b"\xef\xbb\xbftime;direction;speed_kmh;length_m\r\n2026-05-04 12:00:00;receding;52,4;4,5\r\n\r\n"
    )
    assert imported(path).exit_code == 0
    assert ask(street(path), "SELECT speed_kmh, length_m FROM vehicle") == [(52.4, 4.5)]


def test_other_words_for_the_directions(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{NOON},In,50", f"{NOON},OUT,51", f"{NOON},2,52", f"{NOON},unknown,53"])
    assert imported(path).exit_code == 1
    result = imported(path, "--approaching-is", "in", "--receding-is", "out", "--receding-is", "2")
    assert result.exit_code == 0
    assert [row[1] for row in counts(street(path))] == ["approaching", "receding", "receding", "unknown"]


@pytest.mark.parametrize(("args", "speed"), [([], 53), (["--truncates"], 52)])
def test_a_device_that_truncates(tmp_path: Path, args: list[str], speed: int) -> None:
    path = csv_file(tmp_path, [f"{NOON},approaching,52.7"])
    imported(path, *args)
    assert counts(street(path))[0][3] == speed
    assert ask(street(path), "SELECT rounds FROM installation") == [(int(not args),)]


@pytest.mark.parametrize("state", [state.value for state in DisplayState])
def test_what_the_display_did_is_not_known_unless_said(old: Path, state: str) -> None:
    imported(old, "--display", state)
    assert {row[2] for row in counts(street(old))} == {state}


ROUNDED = "time,direction,speed_kmh,rounds"


def test_a_file_says_itself_whether_its_device_rounds(tmp_path: Path) -> None:
    for word, args, speed in (("false", (), 52), ("False", ("--truncates",), 52), ("true", (), 53)):
        path = csv_file(tmp_path, [f"{NOON},approaching,52.7,{word}"], ROUNDED)
        street(path).unlink(missing_ok=True)
        assert imported(path, *args).exit_code == 0
        assert counts(street(path))[0][3] == speed
        assert ask(street(path), "SELECT rounds FROM installation") == [(int(speed == 53),)]


def test_a_file_that_rounds_and_does_not_is_wrong(tmp_path: Path) -> None:
    rows = [f"{NOON},approaching,52.7,{word}" for word in ("true", "true", "false", "", "perhaps")]
    result = imported(csv_file(tmp_path, rows, ROUNDED))
    assert result.exit_code == 1
    assert [line[:7] for line in result.stderr.splitlines()[:3]] == ["line 4:", "line 5:", "line 6:"]
    assert "rounds 'false' is not what the rows before say" in result.stderr
    assert "rounds 'perhaps' is neither true nor false" in result.stderr
    result = imported(csv_file(tmp_path, rows[:1], ROUNDED), "--truncates")
    assert result.exit_code == 1
    assert "its column rounds says true; leave --truncates out" in result.stderr
    assert not street(tmp_path / "old.csv").exists()


@pytest.mark.parametrize(
    ("display", "args", "fault"),
    [
        (("fault", "shown"), (), 1),
        (("fault", ""), (), 0),
        (("fault", ""), ("--display", "dark"), 1),
        (None, (), 0),
        (None, ("--display", "fault"), 0),
    ],
)
def test_faults_count_where_the_file_says_what_every_vehicle_was_shown(
    tmp_path: Path, display: tuple[str, str] | None, args: tuple[str, ...], fault: int
) -> None:
    rows = [f"{NOON},approaching,52"] * 2
    header = HEADER
    if display is not None:
        rows = [f"{row},{word}" for row, word in zip(rows, display, strict=True)]
        header = f"{HEADER},display"
    imported(csv_file(tmp_path, rows, header), *args)
    found = as_json(speedsign("stats", "--db", tmp_path / "street.db", "--json"))[-1]
    assert (found["fault"], found["coverage_assumed"]) == (fault, True)


def test_counts_alone(old: Path) -> None:
    assert imported(old, "--no-vehicles").exit_code == 0
    assert ask(street(old), "SELECT count(*) FROM vehicle") == [(0,)]
    assert sum(row[4] for row in counts(street(old))) == 3


def test_any_order_of_rows_gives_the_same_counts(tmp_path: Path) -> None:
    rows = [
        f"2026-05-{day:02}T{hour:02}:{minute:02}:00+03:00,approaching,{30 + (day * hour + minute) % 40}"
        for day in range(1, 11)
        for hour in range(0, 24, 3)
        for minute in range(0, 60, 7)
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rising, falling = csv_file(tmp_path / "a", rows), csv_file(tmp_path / "b", rows[::-1])
    for path in (rising, falling):
        assert imported(path).exit_code == 0
    assert counts(street(rising)) == counts(street(falling))
    sql = "SELECT start_s, measured_s, state FROM interval ORDER BY start_s"
    assert ask(street(rising), sql) == ask(street(falling), sql)


def test_cells_that_are_written_in_parts_are_merged(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        f"2026-05-04T{12 + n % 3}:{n % 60:02}:00+03:00,{('approaching', 'receding')[n % 2]},{90 - n}"
        for n in range(80)
    ]
    path = csv_file(
        tmp_path, [f"{row},{'few' if n % 4 else ''}" for n, row in enumerate(rows)], f"{HEADER},flags"
    )
    sql = "SELECT start_s, direction, speeds, suspects FROM cell JOIN interval ON id = interval_id"
    assert imported(path, db=tmp_path / "whole.db").exit_code == 0
    monkeypatch.setattr(writing, "_CELLS_AT_ONCE", 3)
    monkeypatch.setattr(writing, "_VEHICLES_AT_ONCE", 7)
    assert imported(path, db=tmp_path / "parts.db").exit_code == 0
    found = ask(tmp_path / "parts.db", sql)
    assert sorted(found) == sorted(ask(tmp_path / "whole.db", sql))
    assert all(list(speeds) == sorted(speeds) and list(some) == sorted(some) for *_, speeds, some in found)
    assert sum(len(some) for *_, some in found) == 60
    assert ask(tmp_path / "parts.db", "SELECT tracker, count(*) FROM vehicle GROUP BY 1") == [("import", 80)]


def test_undated_vehicles_are_apart_and_one_dated_later_is_said_of_its_interval(tmp_path: Path) -> None:
    clocks = ["unknown", "corrected", "", "ok"]
    rows = [
        f"2026-05-04T12:{minute:02}:00+03:00,approaching,50,{clock}" for minute, clock in enumerate(clocks)
    ]
    path = csv_file(
        tmp_path, [*rows, "2026-05-04T12:20:00+03:00,approaching,50,corrected"], f"{HEADER},clock"
    )
    assert imported(path).exit_code == 0
    sql = (
        "SELECT clock, boot, measured_s, length(speeds) FROM interval JOIN cell ON interval_id = interval.id"
        " ORDER BY start_s, boot"
    )
    assert ask(street(path), sql) == [
        ("corrected", "", 900.0, 3), ("unknown", "0" * 16, 0.0, 1), ("corrected", "", 900.0, 1),
    ]  # fmt: skip
    assert [row[0] for row in ask(street(path), "SELECT clock FROM vehicle ORDER BY last_ms")] == [
        "unknown", "corrected", "ok", "ok", "corrected",
    ]  # fmt: skip


def test_standard_input(old: Path) -> None:
    with old.open("rb") as content:
        result = finished("import", "-", "--db", street(old), "--limit", "50", "--json", stdin=content)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["site"] == "imported"
    assert json.loads(result.stdout)["vehicles"] == 3


# --------------------------------------------------------------------------- where it goes


def config(tmp_path: Path, more: str = "") -> Path:
    path = tmp_path / "sign.toml"
    path.write_text(
        f'[sign]\nid = "north-3"\nsite = "Bridge"\nlimit_kmh = 30\ntimezone = "Europe/Vilnius"\n{more}\n'
        f'[store]\npath = "{tmp_path}/own.db"\n'
    )
    return path


def test_a_config_says_where_and_what(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["2026-05-04 12:00:00,approaching,52.4"])
    result = speedsign("import", path, "--config", config(tmp_path, 'approaching_name = "in"'), "--json")
    assert result.exit_code == 0, result.stderr
    found = as_json(result)
    assert (found["database"], found["sign"], found["site"]) == (f"{tmp_path}/own.db", "north-3", "Bridge")
    assert (found["limit_kmh"], found["timezone"], found["from"]) == (30, "Europe/Vilnius", NOON)
    assert "keep_vehicles_days" in result.stderr
    assert "No speed limit" not in result.stderr


def test_what_is_typed_goes_before_the_config(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["2026-05-04 12:00:00,approaching,52.4"])
    typed: list[str | Path] = [
        "--sign",
        "x-1",
        "--site",
        "Y",
        "--limit",
        "70",
        "--timezone",
        "Europe/London",
        "--db",
        tmp_path / "y.db",
    ]
    found = as_json(speedsign("import", path, "--config", config(tmp_path), "--json", *typed))
    assert (found["database"], found["sign"], found["site"]) == (f"{tmp_path}/y.db", "x-1", "Y")
    assert (found["limit_kmh"], found["from"]) == (70, "2026-05-04T12:00:00+01:00")


def test_without_a_limit_it_is_said_which_is_taken(old: Path) -> None:
    result = speedsign("import", old, "--db", street(old))
    assert result.exit_code == 0
    assert "No speed limit was given: 50 km/h is taken; --limit says another." in result.stderr
    assert read_installations(street(old))[0].name == "old"


def test_without_a_database_and_a_config_it_is_asked_where_to(old: Path) -> None:
    result = speedsign("import", old)
    assert result.exit_code == 2
    assert "Name a database with --db FILE" in result.stderr


def test_a_sign_s_own_numbers_are_not_touched(tmp_path: Path, old: Path) -> None:
    db = sign(street(old))
    before = as_json(speedsign("stats", "--db", db, "--json"))
    sql = "SELECT * FROM interval WHERE installation_id = 1"
    intervals = ask(db, sql)
    assert imported(old).exit_code == 0
    assert ask(db, sql) == intervals
    assert as_json(speedsign("stats", "--db", db, "--installation", "1", "--json")) == before


def test_overlapping_files_are_installations_side_by_side(tmp_path: Path, old: Path) -> None:
    other = csv_file(tmp_path, ROWS[:2], name="other.csv")
    assert imported(old).exit_code == 0
    assert imported(other).exit_code == 0
    assert [standing.id for standing in read_installations(street(old))] == [1, 2]
    assert sum(row[4] for row in counts(street(old))) == 5


# --------------------------------------------------------------------------- when it was measuring


def hourly(tmp_path: Path, *days: int) -> Path:
    return csv_file(
        tmp_path,
        [f"2026-05-{day:02}T{hour:02}:05:00+03:00,approaching,50" for day in days for hour in range(6, 22)],
    )


def test_from_the_first_to_the_last_vehicle_and_quiet_nights_count(tmp_path: Path) -> None:
    path = hourly(tmp_path, 4, 5)
    found = as_json(imported(path, "--json"))
    assert (found["from"], found["to"]) == ("2026-05-04T06:00:00+03:00", "2026-05-05T21:15:00+03:00")
    assert found["measured_s"] == (24 + 15.25) * 3600
    assert found["gaps"] == 0
    assert ask(street(path), "SELECT count(*), sum(measured_s) FROM interval") == [(157, found["measured_s"])]


def test_a_long_gap_is_not_measured(tmp_path: Path) -> None:
    result = imported(hourly(tmp_path, 4, 8), "--json")
    found = as_json(result)
    assert (found["gaps"], found["measured_s"]) == (1, 2 * 15.25 * 3600)
    assert "without 1 stretch of more than 24 h that had no vehicle" in result.stderr
    found = as_json(imported(hourly(tmp_path, 4, 8), "--gap-hours", "100", "--again", "--json"))
    assert (found["gaps"], found["measured_s"]) == (0, (4 * 24 + 15.25) * 3600)


def test_whole_days_where_somebody_says_so(tmp_path: Path) -> None:
    found = as_json(
        imported(
            hourly(tmp_path, 4, 5), "--measured-from", "2026-05-04", "--measured-to", "2026-05-05", "--json"
        )
    )
    assert (found["from"], found["to"]) == ("2026-05-04T00:00:00+03:00", "2026-05-06T00:00:00+03:00")
    assert found["measured_s"] == 48 * 3600


ENDS = ("--measured-from", "2026-05-01", "--measured-to", "2026-05-31")


def test_what_somebody_vouches_for_is_measured_as_a_whole(tmp_path: Path) -> None:
    result = imported(hourly(tmp_path, 10, 20), *ENDS, "--json")
    found = as_json(result)
    assert (found["from"], found["to"]) == ("2026-05-01T00:00:00+03:00", "2026-06-01T00:00:00+03:00")
    assert (found["gaps"], found["measured_s"]) == (0, 31 * 86_400)
    assert "taken is from --measured-from to --measured-to." in result.stderr
    found = as_json(imported(hourly(tmp_path, 10, 20), *ENDS[:2], "--again", "--json"))
    assert (found["to"], found["gaps"]) == ("2026-05-20T21:15:00+03:00", 0)


def test_gaps_that_are_asked_for_are_counted_and_named_at_the_ends_too(tmp_path: Path) -> None:
    result = imported(hourly(tmp_path, 10, 20), *ENDS, "--gap-hours", "24", "--json")
    found = as_json(result)
    assert (found["from"], found["to"]) == ("2026-05-01T00:00:00+03:00", "2026-06-01T00:00:00+03:00")
    assert (found["gaps"], found["measured_s"]) == (3, 2 * 15.25 * 3600)
    assert (
        "from --measured-from to --measured-to, without 3 stretches of more than 24 h that had no vehicle"
        " (2026-05-01T00:00:00+03:00 to 2026-05-10T06:00:00+03:00, 2026-05-10T21:15:00+03:00 to "
    ) in result.stderr
    assert "2026-05-20T21:15:00+03:00 to 2026-06-01T00:00:00+03:00)." in result.stderr
    assert ask(street(tmp_path / "old.csv"), "SELECT sum(measured_s) FROM interval") == [(2 * 15.25 * 3600,)]


def test_a_vehicle_outside_of_what_was_said_is_a_wrong_row(tmp_path: Path) -> None:
    result = imported(hourly(tmp_path, 4, 5), "--measured-to", "2026-05-05T20:00")
    assert result.exit_code == 1
    assert "line 32: time is after --measured-to" in result.stderr
    result = imported(hourly(tmp_path, 4), "--measured-from", "2026-05-04T07:00")
    assert "line 2: time is before --measured-from" in result.stderr


# --------------------------------------------------------------------------- local times


def test_local_times_need_a_zone(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["2026-05-04 12:00:00,approaching,50"] * 3)
    result = speedsign("import", path, "--db", street(path))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "line 2: time '2026-05-04 12:00:00' has no offset from UTC; name its time zone" in result.stderr
    assert not street(path).exists()


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Vilnius"])
def test_both_changes_of_the_clocks(tmp_path: Path, zone: str) -> None:
    spring = csv_file(
        tmp_path, [f"2026-03-29 0{hour}:30,approaching,50" for hour in range(6)], name="spring.csv"
    )
    result = imported(spring, "--timezone", zone)
    assert result.exit_code == 1
    assert f"line 5: time '2026-03-29 03:30' does not exist in {zone}" in result.stderr
    assert imported(spring, "--timezone", zone, "--skip-bad").exit_code == 0
    times = ("00:30", "01:30", "02:30", "03:30", "03:20", "04:30", "05:30")
    autumn = csv_file(tmp_path, [f"2026-10-25 {at},approaching,50" for at in times], name="autumn.csv")
    result = imported(autumn, "--timezone", zone, "--db", tmp_path / "autumn.db")
    assert result.exit_code == 0
    assert "2 times were in the hour that the autumn change repeats" in result.stderr
    starts = [
        row[0] for row in ask(tmp_path / "autumn.db", "SELECT DISTINCT last_ms FROM vehicle ORDER BY 1")
    ]
    assert [(late - early) // 60_000 for early, late in pairwise(starts)] == [60, 60, 60, 50, 70, 60]


# --------------------------------------------------------------------------- wrong rows


BAD = {
    "yesterday,approaching,50": "time 'yesterday' is no date with a time",
    ",approaching,50": "time is empty",
    f"{NOON},sideways,50": "direction 'sideways' is none of approaching, receding, unknown",
    f"{NOON},approaching,": "speed_kmh '' is no speed",
    f"{NOON},approaching,0": "speed_kmh '0' is no speed above 0 and up to 999 km/h",
    f"{NOON},approaching,-5": "speed_kmh '-5' is no speed",
    f"{NOON},approaching,nan": "speed_kmh 'nan' is no speed",
    f"{NOON},approaching,inf": "speed_kmh 'inf' is no speed",
    f"{NOON},approaching,1e3": "speed_kmh '1e3' is no speed",
    f"{NOON},approaching,1000000000": "speed_kmh '1000000000' is no speed",
    f"{NOON},approaching,999.1": "speed_kmh '999.1' is no speed",
    f"{NOON},approaching,5_0": "speed_kmh '5_0' is no speed",
    f"{NOON},approaching,٥٠": "is no speed",
    f"{NOON},approaching": "has 2 fields where the first line names 3",
    f"{NOON},approaching,50,1": "has 4 fields where the first line names 3",
    f'"{NOON},approaching,50': "has 1 fields",
    "99999-01-01T00:00:00Z,approaching,50": "cannot be read",
    f"{NOON},approaching,5\x000": "is no speed",
    f"\x00{NOON},approaching,50": "cannot be read",
}


@pytest.mark.parametrize("row", BAD, ids=range(len(BAD)))
def test_a_wrong_row_is_named_by_its_line_and_nothing_is_imported(tmp_path: Path, row: str) -> None:
    path = csv_file(tmp_path, [*ROWS, row, *ROWS])
    result = imported(path)
    assert result.exit_code == 1
    problem, last = result.stderr.splitlines()
    assert problem.startswith("line 5: ")
    assert BAD[row] in problem
    assert last == (
        f"speedsign import: {path}: 1 of 7 rows cannot be read, so nothing was imported; "
        "put them right, or leave them out with --skip-bad"
    )
    assert not street(path).exists()


def test_the_others_come_in_when_that_is_asked_for(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [*BAD, *ROWS])
    result = imported(path, "--skip-bad")
    assert result.exit_code == 0
    assert f"{len(BAD)} rows of {len(BAD) + 3} could not be read and were left out." in result.stderr
    assert sum(row[4] for row in counts(street(path))) == 3
    assert as_json(imported(path, "--skip-bad", "--again", "--json"))["left_out"] == len(BAD)


def test_the_first_twenty_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["x,y,z"] * 500)
    lines = imported(path).stderr.splitlines()
    assert [line.split(":")[0] for line in lines[:20]] == [f"line {number}" for number in range(2, 22)]
    assert lines[20] == "… and 480 more"
    assert len(lines) == 22


def test_nothing_is_added_to_a_database_that_is_there(tmp_path: Path, old: Path) -> None:
    imported(old)
    before = street(old).read_bytes()
    bad = csv_file(tmp_path, [*ROWS * 20_000, "x,y,z"], name="bad.csv")
    assert imported(bad, db=street(old)).exit_code == 1
    assert street(old).read_bytes() == before
    assert ask(street(old), "SELECT count(*) FROM vehicle") == [(3,)]


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty; the first line must name the columns"),
    "header only": (HEADER.encode(), "has no row that could be imported"),
    "blank lines": (HEADER.encode() + b"\n\n \n", "has no row that could be imported"),
    "no direction": (
        b"time,speed_kmh\n1,2\n",
        "no column direction; it must name time, direction, speed_kmh",
    ),
    "no header": (
        b"2026-05-04T12:00:00Z,approaching,50\n",
        "no column time and no direction and no speed_kmh",
    ),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\xff" * 50, "no column time"),
    "garbage": (bytes(range(256)) * 100, "no column time"),
    "long line": (HEADER.encode() + b"\n" + b"1" * 10_000_000, "line 2 has more than 65536 characters"),
    "NULs": (b"\x00" * 1000, "no column time"),
    "twice": (b"time,direction,speed_kmh,time\n", "the header names time twice"),
    "UTF-16": (HEADER.encode("utf-16"), "is UTF-16 text; save it as CSV in UTF-8"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_none_is_one_sentence(tmp_path: Path, kind: str) -> None:
    content, said = REFUSED[kind]
    path = tmp_path / "given.csv"
    path.write_bytes(content)
    result = imported(path)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"speedsign import: {path}")
    assert said in line
    assert len(line) < 400
    assert not street(path).exists()


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        result = imported(path, db=tmp_path / "x.db")
        assert result.exit_code == 1
        assert str(path) in result.stderr
    result = imported(csv_file(tmp_path, ROWS), db=tmp_path / "no" / "where.db")
    assert result.exit_code == 1
    assert "the folder" in result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--timezone", "Riga"], "--timezone 'Riga': no such time zone"),
        (["--limit", "3"], "'--limit'"),
        (["--gap-hours", "0"], "'--gap-hours'"),
        (["--display", "bright"], "'bright' is not one of"),
        (["--measured-from", "soon"], "'soon' is no date or time"),
        (["--measured-from", "2026-05-05", "--measured-to", "2026-05-04"], "is not after --measured-from"),
        (["--angle", "89"], "'--angle'"),
    ],
)
def test_wrong_usage(old: Path, args: list[str], said: str) -> None:
    result = imported(old, *args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not street(old).exists()


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_bytes_end_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    result = imported(path)
    assert result.exit_code in (0, 1)
    assert "Traceback" not in result.stderr
    assert street(path).exists() == (result.exit_code == 0)
    street(path).unlink(missing_ok=True)


# --------------------------------------------------------------------------- twice, locked, interrupted


def test_the_same_file_is_not_taken_twice(tmp_path: Path, old: Path) -> None:
    imported(old)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(old.read_bytes())
    result = imported(copy, "--site", "old")
    assert result.exit_code == 1
    assert f"{copy} was imported into {street(old)} on 20" in result.stderr
    assert "(installation 1); --again imports it once more" in result.stderr
    assert ask(street(old), "SELECT count(*) FROM vehicle") == [(3,)]
    assert imported(copy, "--site", "another street").exit_code == 0
    assert imported(old, "--again").exit_code == 0
    assert ask(street(old), "SELECT count(*) FROM vehicle") == [(9,)]


def test_a_database_that_a_daemon_uses_is_left_alone(old: Path) -> None:
    imported(old)
    with street(old).with_name("street.db.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = imported(old, "--again")
    assert result.exit_code == 1
    assert "is in use by another speedsign" in result.stderr


def large(tmp_path: Path, n: int) -> Path:
    rows = (
        f"2026-05-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00Z,approaching,{30 + number % 40}"
        for number in range(n)
    )
    return csv_file(tmp_path, rows, name="large.csv")


@pytest.mark.wires
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("there", [False, True])
def test_being_stopped_leaves_nothing(tmp_path: Path, old: Path, there: bool, number: signal.Signals) -> None:
    if there:
        imported(old)
    before = street(old).read_bytes() if there else None
    path = large(tmp_path, 700_000)
    with process("import", path, "--db", street(old), "--limit", "50", "--progress") as child:
        assert child.stderr is not None
        assert "vehicles" in child.stderr.readline()
        assert street(old).exists() is there
        child.send_signal(number)
        assert child.wait(20) == 1
        said = child.stderr.read()
    assert said.splitlines()[-1] == f"speedsign import: {path}: stopped; nothing was imported"
    assert [one.name for one in tmp_path.iterdir() if "part" in one.name] == []
    assert (street(old).read_bytes() if street(old).exists() else None) == before


@pytest.mark.wires
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_nothing(tmp_path: Path, old: Path, there: bool) -> None:
    if there:
        imported(old)
    before = street(old).read_bytes() if there else None
    path = large(tmp_path, 300_000)
    result = subprocess.run(
        [*SPEEDSIGN, "import", str(path), "--db", str(street(old)), "--limit", "50"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000)),
    )
    assert result.returncode == 1, result.stderr
    assert "check free space" in result.stderr
    assert (street(old).read_bytes() if street(old).exists() else None) == before


@pytest.mark.wires
def test_being_killed_leaves_no_database_and_the_next_import_is_whole(tmp_path: Path, old: Path) -> None:
    path = large(tmp_path, 700_000)
    with process("import", path, "--db", street(old), "--limit", "50", "--progress") as child:
        assert child.stderr is not None
        assert "vehicles" in child.stderr.readline()
        child.kill()
        child.wait(20)
    assert not street(old).exists()
    assert imported(old).exit_code == 0
    assert ask(street(old), "SELECT count(*) FROM vehicle") == [(3,)]
    assert [one.name for one in tmp_path.iterdir() if "part" in one.name] == []


def test_a_link_to_a_database_that_is_not_there_yet_stays_a_link(tmp_path: Path, old: Path) -> None:
    street(old).symlink_to(tmp_path / "real.db")
    assert imported(old).exit_code == 0
    assert street(old).is_symlink()
    assert ask(tmp_path / "real.db", "SELECT count(*) FROM vehicle") == [(3,)]
