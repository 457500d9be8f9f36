"""speedsign export: what goes out is what was counted, and comes in again."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from speedsign.model import Installation
from telemetry.exchange import tables
from telemetry.query import read_installations
from telemetry.store import SqliteStore
from tests.cli.command import as_json, finished, process, speedsign
from tests.exchange.files import HERE, MONDAY, ask, counts, csv_file, imported, sign, vehicle


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return sign(tmp_path / "sign.db")


def exported(db: Path, *args: str | Path) -> Result:
    result = speedsign("export", "--db", db, *args)
    assert result.exit_code == 0, result.stderr
    return result


def rows_of(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def stats(db: Path) -> list[dict[str, Any]]:
    """Without what names the installation."""
    rows: list[dict[str, Any]] = as_json(speedsign("stats", "--db", db, "--json"))
    other = {"installation", "sign"}
    return [{key: value for key, value in row.items() if key not in other} for row in rows]


# --------------------------------------------------------------------------- vehicles


def test_vehicles_begin_with_the_columns_of_the_contract(db: Path) -> None:
    result = exported(db)
    assert result.stdout.startswith("time,direction,speed_kmh,length_m,entry_kmh,exit_kmh,max_kmh,seen_s,")
    rows = rows_of(result)
    assert len(rows) == 300
    first = rows[0]
    assert first["time"] == "2026-05-04T07:00:03.250+03:00"
    assert (first["direction"], first["seen_s"], first["flags"]) == ("receding", "2.5", "few long?")
    assert (first["display"], first["face"], first["tracker"], first["site"]) == (
        "shown",
        "over",
        "2",
        "bridge",
    )


def test_a_speed_has_two_decimals_unless_that_would_count_it_elsewhere(tmp_path: Path, db: Path) -> None:
    speeds = {row["speed_kmh"] for row in rows_of(exported(db))}
    assert "35.12" in speeds
    assert "42.4999" in speeds  # 42.5 would be counted as 43


@pytest.mark.parametrize("rounds", [True, False])
def test_vehicles_that_come_in_again_give_the_same_statistics(tmp_path: Path, rounds: bool) -> None:
    facts = Installation("bridge", 50, 0.0, "ld2415h", "Europe/Riga", rounds=rounds)
    db = sign(tmp_path / "sign.db", facts=facts)
    out = tmp_path / "bridge.csv"
    exported(db, "-o", out)
    assert imported(out).exit_code == 0
    again = tmp_path / "street.db"
    assert counts(again) == counts(db)
    # Half of an hour was not measured: vehicles do not tell.
    apart = {"coverage", "coverage_assumed", "gaps", "hours_left_out"}
    for was, now in zip(stats(db), stats(again), strict=True):
        assert {key: now[key] for key in was if key not in apart} == {
            key: was[key] for key in was if key not in apart
        }
    sql = (
        "SELECT first_ms, last_ms, direction, display, face, flags, tracker, readings, round(entry_kmh, 2),"
        " round(along_kmh, 2), strength, length_m FROM vehicle ORDER BY last_ms"
    )
    assert ask(again, sql) == ask(db, sql)
    assert rows_of(exported(again))[:50] == [
        row | {"origin": "recorded"} for row in rows_of(exported(db))[:50]
    ]


def test_what_is_not_known_of_an_imported_vehicle_stays_unknown(tmp_path: Path) -> None:
    old = csv_file(tmp_path, ["2026-05-04T12:00:00+03:00,approaching,50.5"])
    imported(old)
    (row,) = rows_of(exported(tmp_path / "street.db"))
    assert (row["entry_kmh"], row["exit_kmh"], row["max_kmh"], row["readings"]) == ("", "", "", "")
    assert (row["tracker"], row["display"]) == ("import", "fault")


PASSAGES = (
    "2026-05-04T12:00:01+03:00,approaching,50.5,,,55,1.5,12,radar 7",
    "2026-05-04T12:00:02+03:00,approaching,50.5,,,,2,,radar 7",
    "2026-05-04T12:00:03+03:00,approaching,50.5,52,49,,,,",
    "2026-05-04T12:00:04+03:00,approaching,50.5,,,60,,,",
    "2026-05-04T12:00:05+03:00,approaching,50.5,50.5,50.5,50.5,0.5,3,",
)


def test_what_a_file_says_of_a_passage_goes_round(tmp_path: Path) -> None:
    header = "time,direction,speed_kmh,entry_kmh,exit_kmh,max_kmh,seen_s,readings,tracker"
    imported(csv_file(tmp_path, PASSAGES, header))
    street, out, again = tmp_path / "street.db", tmp_path / "out.csv", tmp_path / "again.db"
    exported(street, "-o", out)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["max_kmh"], row["seen_s"], row["readings"], row["tracker"]) for row in rows] == [
        ("55.0", "1.5", "12", "radar 7"),
        ("", "2.0", "", "radar 7"),
        ("", "", "", "file"),
        ("60.0", "", "", "import"),
        ("50.5", "0.5", "3", "file"),
    ]
    assert [row["entry_kmh"] for row in rows] == ["50.5", "", "52.0", "", "50.5"]
    imported(out, db=again)
    sql = (
        "SELECT first_ms, last_ms, speed_kmh, entry_kmh, exit_kmh, max_kmh, readings, tracker FROM vehicle"
        " ORDER BY last_ms"
    )
    assert ask(again, sql) == ask(street, sql)


def test_vehicles_that_were_never_kept_are_said(tmp_path: Path) -> None:
    imported(csv_file(tmp_path, ["2026-05-04T12:00:00+03:00,approaching,50.5"]), "--no-vehicles")
    result = speedsign("export", "--db", tmp_path / "street.db")
    assert result.exit_code == 1
    assert "single vehicles of installation 1 are not kept; --what intervals has" in result.stderr


def test_vehicles_that_were_deleted_are_said(db: Path) -> None:
    store = SqliteStore(db, "north-3")
    store.prune(MONDAY + timedelta(hours=2))
    result = exported(db)
    assert len(rows_of(result)) == 180
    assert "Single vehicles are kept from 2026-05-04 06:00 UTC on only; --what intervals" in result.stderr
    store.prune(MONDAY + timedelta(days=2))
    store.close()
    result = speedsign("export", "--db", db)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no single vehicle of installation 1 is kept any more; --what intervals" in result.stderr


# --------------------------------------------------------------------------- periods


def test_a_period_and_hours(db: Path) -> None:
    hour = ["--from", "2026-05-04T08:00", "--to", "2026-05-04T09:00"]
    times = [row["time"] for row in rows_of(exported(db, *hour))]
    assert len(times) == 60
    assert (times[0][:16], times[-1][:16]) == ("2026-05-04T08:00", "2026-05-04T08:59")
    between = [row["time"][11:13] for row in rows_of(exported(db, "--between", "07-08"))]
    assert between == ["07"] * 60
    parts = rows_of(exported(db, "--what", "intervals", "--between", "10-12"))
    assert {row["start"][11:13] for row in parts} == {"10", "11"}
    assert rows_of(exported(db, "--days", "sat-sun", "--what", "hours")) == []


def test_what_has_no_date_is_in_the_whole_and_in_no_hour(tmp_path: Path) -> None:
    rows = [
        f"2026-05-04T12:{minute}:00+03:00,approaching,50,{clock}"
        for minute, clock in ((10, "unknown"), (20, ""))
    ]
    imported(csv_file(tmp_path, rows, "time,direction,speed_kmh,clock"))
    street = tmp_path / "street.db"
    for what, n in (("vehicles", [2, 1]), ("intervals", [2, 1])):
        assert [
            len(rows_of(exported(street, "--what", what, *args))) for args in ([], ["--days", "mon"])
        ] == n
    assert rows_of(exported(street, "--what", "hours"))[0]["n"] == "1"


def test_one_installation_only_and_the_others_are_named(db: Path) -> None:
    store = SqliteStore(db, "north-3")
    later = MONDAY + timedelta(days=2)
    store.begin(Installation("school", 30, 0.0, "ld2415h", "Europe/Riga"), later)
    store.add_vehicle(vehicle(3, later), [])
    store.close()
    result = exported(db)
    assert [row["site"] for row in rows_of(result)] == ["school"]
    assert "see --installation 1" in result.stderr
    assert len(rows_of(exported(db, "--installation", "1"))) == 300


# --------------------------------------------------------------------------- intervals


def test_every_interval_has_a_row(db: Path) -> None:
    store = SqliteStore(db, "north-3")
    store.close_intervals(MONDAY + timedelta(hours=8), MONDAY)
    store.close()
    rows = rows_of(exported(db, "--what", "intervals"))
    starts = sorted({row["start"] for row in rows})
    assert len(starts) == 32
    assert all(
        datetime.fromisoformat(late) - datetime.fromisoformat(early) == timedelta(minutes=15)
        for early, late in pairwise(starts)
    )
    empty = [row for row in rows if row["n"] == "0"]
    assert len(empty) == 12
    assert {(row["direction"], row["speed_kmh"], row["measured_s"], row["coverage"]) for row in empty} == {
        ("", "", "0.0", "0.0")
    }
    assert sum(int(row["n"]) for row in rows) == 300


@pytest.mark.parametrize("rounds", [True, False])
def test_intervals_come_in_again_exactly(tmp_path: Path, rounds: bool) -> None:
    db = sign(tmp_path / "sign.db", facts=replace(HERE, rounds=rounds))
    store = SqliteStore(db, "north-3")
    store.close_intervals(MONDAY + timedelta(hours=8), MONDAY)
    store.close()
    out = tmp_path / "bridge.csv"
    exported(db, "--what", "intervals", "-o", out)
    result = imported(out, "--site", "bridge", "--json")
    assert (as_json(result)["kind"], as_json(result)["vehicles"]) == ("intervals", 300)
    assert "does not say when" not in result.stderr
    again = tmp_path / "street.db"
    for sql in (
        "SELECT start_s, duration_s, measured_s, clock, scaled, state FROM interval ORDER BY start_s",
        "SELECT start_s, direction, display, speeds, suspects FROM cell JOIN interval ON id = interval_id",
    ):
        assert sorted(ask(again, sql)) == sorted(ask(db, sql))
    assert as_json(result)["coverage_assumed"] is False
    assert stats(again) == stats(db)
    assert stats(db)[-1]["fault"] == 60
    assert rows_of(exported(again, "--what", "intervals")) == [
        row | {"origin": "copied"} for row in rows_of(exported(db, "--what", "intervals"))
    ]


@pytest.mark.parametrize("what", ["vehicles", "intervals"])
def test_what_was_assumed_stays_assumed(tmp_path: Path, what: str) -> None:
    imported(csv_file(tmp_path, ["2026-05-04T12:00:00+03:00,approaching,50.5"]))
    street, out, again = tmp_path / "street.db", tmp_path / "out.csv", tmp_path / "again.db"
    exported(street, "--what", what, "-o", out)
    result = imported(out, db=again)
    assert "assumed" in result.stderr or "does not say when" in result.stderr
    assert stats(again) == [row | {"site": "out"} for row in stats(street)]
    assert stats(again)[-1]["coverage_assumed"] is True
    assert stats(again)[-1]["fault"] == 0


BAD_INTERVALS = {
    "2026-05-04T12:00:00Z,800,0,ok,approaching,dark,50,1": "duration_s 800 is none of 60, 300, 900, 3600",
    "2026-05-04T12:01:00Z,900,0,ok,approaching,dark,50,1": "is not on a multiple of 900 s",
    "2026-05-04T12:00:00Z,900,901,ok,approaching,dark,50,1": "measured_s '901' is no number of 0 to 900",
    "2026-05-04T12:00:00Z,900,nan,ok,approaching,dark,50,1": "measured_s 'nan' is no number",
    "2026-05-04T12:00:00Z,900,0,fine,approaching,dark,50,1": "clock 'fine' is none of ok, corrected, unknown",
    "2026-05-04T12:00:00Z,900,0,ok,sideways,dark,50,1": "direction 'sideways' is none of",
    "2026-05-04T12:00:00Z,900,0,ok,approaching,lit,50,1": "display 'lit' is none of",
    "2026-05-04T12:00:00Z,900,0,ok,approaching,dark,1000,1": "speed_kmh '1000' is no whole number of 0 to",
    "2026-05-04T12:00:00Z,900,0,ok,approaching,dark,50,-1": "n '-1' is no whole number",
    "2026-05-04T12:00:00Z,900,0,ok,approaching,dark,50,999999999": "n '999999999' is no whole number",
    "2026-05-04T11:45:00Z,900,1,ok,approaching,dark,51,1": "says otherwise about its interval",
    "2026-05-04T11:45:00Z,900,0,ok,approaching,dark,50,2": "comes twice",
    "2026-05-04T11:30:00Z,900,0,ok,approaching,dark,52,2": "its interval stands in another place",
    "2026-05-04T11:00:00Z,3600,0,ok,approaching,dark,50,1": "its 3600 s overlap an interval of another",
    "2026-05-04T11:50:00Z,300,0,ok,approaching,dark,50,1": "its 300 s overlap an interval of another length",
    "2026-05-04T12:00:00Z": "has 1 fields",
}


@pytest.mark.parametrize("row", BAD_INTERVALS, ids=range(len(BAD_INTERVALS)))
def test_a_wrong_interval_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    good = [f"2026-05-04T11:{minute}:00Z,900,0,ok,approaching,dark,50,2" for minute in (30, 45)]
    path = csv_file(tmp_path, [*good, row], "start,duration_s,measured_s,clock,direction,display,speed_kmh,n")
    result = imported(path)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].startswith("line 4: ")
    assert BAD_INTERVALS[row] in result.stderr
    assert not (tmp_path / "street.db").exists()


BAD_BOOTS = {
    "2026-05-04T11:45:00Z,900,0,ok,approaching,dark,50,1,00112233445566aa": "where clock is ok",
    "2026-05-04T11:45:00Z,900,0,unknown,approaching,dark,50,1,0011": "boot '0011' is not 16 hex",
    "2026-05-04T11:15:00Z,900,0,unknown,approaching,dark,50,1,00112233445566aa": "stands in another place",
    "2026-05-04T11:00:00Z,3600,0,unknown,approaching,dark,50,1,00112233445566aa": "its 3600 s overlap",
    "1970-01-01T00:00:00Z,900,0,ok,approaching,dark,50,1,": "the year is none of 1990 to 2099",
}


@pytest.mark.parametrize("row", BAD_BOOTS, ids=range(len(BAD_BOOTS)))
def test_undated_intervals_of_two_boots_may_begin_alike_and_of_one_may_not(tmp_path: Path, row: str) -> None:
    good = [
        "2026-05-04T11:15:00Z,900,0,ok,approaching,dark,50,2,",
        "2026-05-04T11:15:00Z,900,0,unknown,approaching,dark,50,2,00112233445566aa",
        "2026-05-04T11:15:00Z,900,0,unknown,approaching,dark,50,2,FFEEDDCCBBAA9988",
        "1970-01-01T00:00:00Z,900,0,unknown,approaching,dark,50,2,FFEEDDCCBBAA9988",
    ]
    header = "start,duration_s,measured_s,clock,direction,display,speed_kmh,n,boot"
    result = imported(csv_file(tmp_path, [*good, row], header))
    assert (result.exit_code, result.stderr.splitlines()[0][:8]) == (1, "line 6: ")
    assert BAD_BOOTS[row] in result.stderr
    result = imported(csv_file(tmp_path, good, header, name="good.csv"))
    assert result.exit_code == 0, result.stderr
    assert "2026-05-04T14:15:00+03:00 to 2026-05-04T14:30:00+03:00" in result.stdout


# --------------------------------------------------------------------------- hours


def test_hours_have_their_numbers_and_say_when_too_little_was_measured(db: Path) -> None:
    rows = rows_of(exported(db, "--what", "hours"))
    both = [row for row in rows if row["direction"] == "both"]
    assert [row["n"] for row in both] == ["60"] * 5
    assert [(row["coverage"], row["enough"]) for row in both[:3]] == [
        ("1.0", "true"),
        ("0.5", "false"),
        ("1.0", "true"),
    ]
    assert both[0]["sample"] == "low"
    found = as_json(
        speedsign("stats", "--db", db, "--from", "2026-05-04T07:00", "--to", "2026-05-04T08:00", "--json")
    )[-1]
    assert float(both[0]["v85_kmh"]) == pytest.approx(found["v85_kmh"], abs=5e-4)
    assert float(both[0]["mean_kmh"]) == pytest.approx(found["mean_kmh"], abs=5e-4)
    assert float(both[0]["over_limit_share"]) == pytest.approx(found["over_limit_share"], abs=5e-6)


@pytest.mark.parametrize(("rounds", "edges"), [(True, "[k-0.5, k+0.5)"), (False, "[k, k+1)")])
def test_hours_say_how_percentiles_are_made(tmp_path: Path, rounds: bool, edges: str) -> None:
    db = sign(tmp_path / "sign.db", facts=replace(HERE, rounds=rounds))
    rows = rows_of(exported(db, "--what", "hours"))
    assert {row["method"] for row in rows} == {f"grouped, {edges}"}
    entity = as_json(exported(db, "--format", "fiware"))[0]
    assert entity["speedsign:method"] == f"grouped, {edges}"


@pytest.mark.parametrize("minutes", ["15", "60"])
def test_no_count_stands_under_a_time_that_it_does_not_cover(db: Path, minutes: str) -> None:
    cut = ["--from", "2026-05-04T10:07", "--to", "2026-05-04T10:22", "--period", minutes]
    rows = rows_of(exported(db, "--what", "hours", *cut))
    whole = rows_of(exported(db, "--what", "hours", "--period", "15"))
    counted = {row["start"]: row["n"] for row in whole if row["direction"] == "both"}
    for row in rows:
        start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
        assert float(row["measured_s"] or 0) <= (end - start).total_seconds()
        if row["direction"] == "both" and row["n"]:
            inside = [n for at, n in counted.items() if start <= datetime.fromisoformat(at) < end]
            assert int(row["n"]) == sum(map(int, inside))
    for entity in as_json(exported(db, "--format", "fiware", *cut)):
        assert entity["dateObserved"][-6:] in ("15:00Z", "30:00Z", "00:00Z")


def test_measured_time_has_no_noise(tmp_path: Path, db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("UPDATE interval SET measured_s = 899.1000000000004")
        connection.commit()
    assert {row["measured_s"] for row in rows_of(exported(db, "--what", "intervals"))} == {"899.1"}
    assert {row["measured_s"] for row in rows_of(exported(db, "--what", "hours"))} <= {"3596.4"}


def test_an_hour_that_was_not_measured_has_no_number(db: Path) -> None:
    rows = rows_of(exported(db, "--what", "hours", "--from", "2026-05-04T05:00", "--to", "2026-05-04T08:00"))
    both = [row for row in rows if row["direction"] == "both"]
    assert [row["n"] for row in both] == ["", "", "60"]


def test_quarter_hours(db: Path) -> None:
    rows = rows_of(exported(db, "--what", "hours", "--period", "15"))
    both = [row for row in rows if row["direction"] == "both"]
    assert [int(row["n"]) for row in both] == [15] * 20


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Vilnius"])
@pytest.mark.parametrize("what", ["vehicles", "intervals", "hours"])
def test_the_repeated_hour_is_told_apart(tmp_path: Path, zone: str, what: str) -> None:
    path = tmp_path / "sign.db"
    store = SqliteStore(path, "north-3")
    start = datetime.fromisoformat("2026-10-25T02:30:00+03:00")
    store.begin(Installation("bridge", 50, 0.0, "ld2415h", zone), start)
    for quarter in range(16):
        at = start + timedelta(minutes=15 * quarter)
        store.add_vehicle(vehicle(quarter, at), [])
    store.close()
    rows = rows_of(exported(path, "--what", what))
    found = {row["time" if what == "vehicles" else "start"] for row in rows}
    threes = {text[-6:] for text in found if text[11:13] == "03"}
    assert threes == {"+03:00", "+02:00"}
    assert len(found) == (5 if what == "hours" else 16)
    if what != "hours":
        out = tmp_path / "out.csv"
        exported(path, "--what", what, "-o", out)
        assert imported(out, "--timezone", zone).exit_code == 0
        assert counts(tmp_path / "street.db") == counts(path)


# --------------------------------------------------------------------------- formats


@pytest.mark.parametrize("what", ["vehicles", "intervals", "hours"])
def test_json_and_json_lines_say_what_the_csv_says(db: Path, what: str) -> None:
    rows = rows_of(exported(db, "--what", what))
    found = as_json(exported(db, "--what", what, "--format", "json"))
    assert found == as_json(exported(db, "--what", what, "--json"))
    lines = exported(db, "--what", what, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == found
    assert [{key: as_csv(value) for key, value in one.items()} for one in found] == rows


def as_csv(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


@pytest.mark.parametrize("what", ["vehicles", "intervals", "hours"])
def test_parquet_has_types_and_the_same_values(tmp_path: Path, db: Path, what: str) -> None:
    pq = importlib.import_module("pyarrow.parquet")  # without stubs
    out = tmp_path / "out.parquet"
    exported(db, "--what", what, "--format", "parquet", "-o", out)
    table = pq.read_table(out)
    rows = as_json(exported(db, "--what", what, "--json"))
    assert table.num_rows == len(rows)
    time = "time" if what == "vehicles" else "start"
    assert str(table.schema.field(time).type) == "timestamp[ms, tz=UTC]"
    assert table.column(f"{time}_local").to_pylist() == [row[time] for row in rows]
    for moment, row in zip(table.column(time).to_pylist(), rows, strict=True):
        assert moment == datetime.fromisoformat(row[time])
    for name in rows[0]:
        if name not in ("time", "start", "end"):
            assert table.column(name).to_pylist() == [row[name] for row in rows]


def test_without_pyarrow_the_extra_is_named(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = speedsign("export", "--db", db, "--format", "parquet")
    assert result.exit_code == 2
    assert result.stderr == "speedsign export: Parquet needs pyarrow: pip install 'speedsign[parquet]'\n"


# --------------------------------------------------------------------------- files and wrong usage


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, db: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("before")
    result = speedsign("export", "--db", db, "--format", "datex2", "--what", "sites", "-o", out)
    assert result.exit_code == 2
    assert out.read_text() == "before"
    exported(db, "-o", out)
    assert out.read_text().startswith("time,")
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []
    result = speedsign("export", "--db", db, "-o", tmp_path / "no" / "out.csv")
    assert result.exit_code == 1
    assert "No such file" in result.stderr


@pytest.mark.wires
def test_a_named_pipe_is_written_to_and_never_replaced(tmp_path: Path, db: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with process("export", "--db", db, "-o", pipe) as child, pipe.open() as reader:
        assert len(reader.readlines()) == 301
        assert child.wait(10) == 0
    assert pipe.is_fifo()


def test_ctrl_c_ends_with_a_sentence(tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "vehicles", stopped)
    out = tmp_path / "out.csv"
    out.write_text("before")
    result = speedsign("export", "--db", db, "-o", out)
    assert result.exit_code == 1
    assert result.stderr == f"speedsign export: stopped; {out} was not written\n"
    assert out.read_text() == "before"
    assert "part" not in " ".join(path.name for path in tmp_path.iterdir())


@pytest.mark.wires
def test_a_pipe(db: Path) -> None:
    result = finished("export", "--db", db, "-o", "/dev/stdout")
    assert len(result.stdout.splitlines()) == 301


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--format", "fiware", "--what", "vehicles"], "fiware has no vehicles; leave --what out"),
        (["--format", "fiware", "--what", "sites"], "fiware has no sites"),
        (["--what", "sites"], "--what sites is for --format datex2"),
        (["--format", "csv", "--json"], "--json is --format json; give one of them"),
        (["--latitude", "56"], "--latitude and --longitude belong together"),
        (["--latitude", "99", "--longitude", "1"], "'--latitude'"),
        (["--period", "7"], "'--period'"),
        (["--format", "datex2", "--what", "sites"], "needs its place"),
        (["--from", "2026-05-05", "--to", "2026-05-04"], "is not after"),
    ],
)
def test_wrong_usage(db: Path, args: list[str], said: str) -> None:
    result = speedsign("export", "--db", db, *args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_hours_of_a_sign_that_counts_by_the_hour_are_not_parted(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "sign.db", "north-3", 3600)
    store.begin(HERE, MONDAY)
    store.add_vehicle(vehicle(1, MONDAY), [])
    store.close()
    result = speedsign("export", "--db", tmp_path / "sign.db", "--what", "hours", "--period", "15")
    assert result.exit_code == 2
    assert "cannot be parted into 15 minutes; ask for --period 60" in result.stderr


def test_the_database_of_a_hub_has_the_signs_apart(tmp_path: Path) -> None:
    for number, name in enumerate(("a-1", "b-2")):
        path = csv_file(tmp_path, [f"2026-05-04T12:0{number}:00+03:00,approaching,50"], name=f"{name}.csv")
        imported(path, "--sign", name, db=tmp_path / "hub.db")
    assert len(read_installations(tmp_path / "hub.db")) == 2
    result = speedsign("export", "--db", tmp_path / "hub.db")
    assert result.exit_code == 2
    assert "a-1, b-2" in result.stderr
    (row,) = rows_of(exported(tmp_path / "hub.db", "--sign", "b-2"))
    assert row["time"] == "2026-05-04T12:01:00+03:00"
