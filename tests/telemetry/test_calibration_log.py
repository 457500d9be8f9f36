"""Calibrations written down: the file that outlives the database, its chain, and what breaks it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.record import LONGEST_BYTES, Calibration, Kind, Verdict, line_of
from speedsign.errors import StoreError
from speedsign.model import ClockQuality
from telemetry import calibration, schema
from telemetry.calibration import Doubt, NotKept, keep, log_path, read, read_history
from telemetry.calibration.log import append, read_log
from telemetry.database import move_aside
from telemetry.store import SqliteStore
from telemetry.wipe import files_of_store
from tests.hub.traffic import make_hub, make_sign, said_by
from tests.telemetry.calibrations import SIGN, record
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def begun(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)


def kept(path: Path, n: int) -> None:
    for number in range(1, n + 1):
        keep(path, record(number, T0 + number * DAY))


def rows(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [key for (key,) in db.execute("SELECT key FROM calibration ORDER BY id")]


def keys(path: Path) -> list[int]:
    return [int(found.key, 16) for found in read(path)]


# --------------------------------------------------------------------------- kept, read back


def test_a_record_is_in_the_file_and_in_the_database_of_a_running_sign(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)
        where = keep(path, record())
        assert (where.file, where.line.number, where.in_database, where.problem) == (
            log_path(path), 1, True, "",
        )  # fmt: skip
        store.add_vehicle(passed(50), [])  # it was not held up, and goes on
    assert rows(path) == [record().key]
    assert read(path) == [record()]
    assert read_history(path).problems == []


def test_without_a_database_the_file_has_it_and_the_sign_takes_it_in(path: Path) -> None:
    where = keep(path, record())
    assert not where.in_database
    assert "does not exist; the sign makes it" in where.problem
    assert read(path) == [record()]
    begun(path)
    assert rows(path) == [record().key]
    begun(path)
    assert rows(path) == [record().key]


def test_a_new_database_after_damage_gets_its_history_back(path: Path) -> None:
    begun(path)
    kept(path, 3)
    move_aside(path)
    assert keys(path) == [1, 2, 3]
    begun(path)
    assert rows(path) == [record(number).key for number in (1, 2, 3)]


def test_a_file_that_is_gone_loses_nothing_that_the_database_has(path: Path) -> None:
    begun(path)
    kept(path, 2)
    log_path(path).unlink()
    assert keys(path) == [1, 2]
    assert keep(path, record(3, T0 + 3 * DAY)).line.number == 1
    assert keys(path) == [1, 2, 3]


def test_the_sign_looks_at_the_files_length_before_it_reads_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(path)
    kept(path, 2)
    begun(path)
    with monkeypatch.context() as patch:
        patch.setattr("telemetry.calibration.table.read_log", lambda _path: pytest.fail("it was read"))
        begun(path)


def test_a_file_that_cannot_be_read_stops_no_sign(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log_path(path).mkdir()
    begun(path)
    assert "calibrations cannot be read" in caplog.text
    with pytest.raises(NotKept, match=r"calibrations\.jsonl: the calibration cannot be written"):
        keep(path, record())


def test_what_is_kept_twice_is_one_record(path: Path) -> None:
    begun(path)
    keep(path, record())
    keep(path, record())
    assert keys(path) == [1]
    assert rows(path) == [record().key]


def test_records_stand_in_the_order_in_which_they_were_kept(path: Path) -> None:
    """A clock may be wrong; the file's lines and the database's rows are not."""
    for n in (1, 2):
        keep(path, record(n, T0 - n * DAY))
    assert keys(path) == [1, 2]
    begun(path)
    keep(path, record(3, T0 - 3 * DAY))
    assert keys(path) == [1, 2, 3]
    log_path(path).unlink()
    keep(path, record(4, T0 - 4 * DAY))
    assert keys(path) == [1, 2, 3, 4]
    assert [int(key, 16) for key in rows(path)] == [1, 2, 3, 4]


def test_records_of_one_sign(path: Path) -> None:
    keep(path, record(1))
    keep(path, record(2, sign="iecava-2"))
    assert [found.sign for found in read_history(path, "iecava-2").records] == ["iecava-2"]


def test_the_file_has_the_rights_of_the_database(path: Path) -> None:
    begun(path)
    path.chmod(0o660)
    keep(path, record())
    assert log_path(path).stat().st_mode & 0o777 == 0o660
    assert log_path(path).stat().st_uid == path.stat().st_uid


def test_it_is_deleted_with_the_rest_when_the_sign_changes_hands(path: Path) -> None:
    begun(path)
    keep(path, record())
    assert log_path(path) in files_of_store(path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=6))
def test_whatever_a_person_types_comes_back(
    tmp_path_factory: pytest.TempPathFactory, notes: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "sign.db"
    said = [record(number, T0 + number * DAY, note=note, by=note) for number, note in enumerate(notes)]
    for one in said:
        keep(path, one)
    assert read(path) == said
    assert read_history(path).problems == []


# --------------------------------------------------------------------------- the chain


def test_each_line_ends_with_the_sha256_of_the_line_before(path: Path) -> None:
    kept(path, 3)
    raw = log_path(path).read_bytes().splitlines()
    assert list(json.loads(raw[0]))[-1] == "previous"
    assert [json.loads(line)["previous"] for line in raw] == [
        "",
        hashlib.sha256(raw[0]).hexdigest(),
        hashlib.sha256(raw[1]).hexdigest(),
    ]
    places = read_history(path).places
    assert places[record(2).key].sha256 == hashlib.sha256(raw[1]).hexdigest()


def edited(path: Path, change: str) -> None:
    lines = log_path(path).read_bytes().splitlines(keepends=True)
    match change:
        case "edit":
            lines[1] = lines[1].replace(b'"verdict":"pass"', b'"verdict":"fail"')
        case "remove":
            del lines[1]
        case "put in":
            lines.insert(1, lines[0].replace(b"00001", b"00009"))
        case "first":
            del lines[0]
        case "garbage":
            lines[1] = b"\xff\x00 no line of ours\n"
        case "number":
            lines[1] = b"7\n"
    log_path(path).write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("change", "said", "left"),
    [
        ("edit", "line 2 was changed, or a line after it was removed", [1, 2, 3, 4]),
        ("remove", "line 1 was changed, or a line after it was removed", [1, 3, 4]),
        ("put in", "line 1 was changed, or a line after it was removed", [1, 9, 2, 3, 4]),
        ("first", "lines before line 1 were removed", [2, 3, 4]),
        ("garbage", "line 2 was changed", [1, 3, 4]),
        ("number", "line 2 cannot be read: it is no calibration", [1, 3, 4]),
    ],
)
def test_a_broken_chain_is_told_and_loses_nothing(
    path: Path, change: str, said: str, left: list[int]
) -> None:
    kept(path, 4)
    edited(path, change)
    found = read_history(path)
    assert any(said in problem for problem in found.problems), found.problems
    assert sorted(keys(path)) == sorted(left)
    keep(path, record(5, T0 + 9 * DAY))
    assert 5 in keys(path)
    assert read_history(path).problems == found.problems  # neither mended nor made worse


def test_an_edit_of_the_last_line_is_told_by_the_database(path: Path) -> None:
    begun(path)
    kept(path, 2)
    raw = log_path(path).read_bytes()
    log_path(path).write_bytes(raw[:200] + raw[200:].replace(b'"verdict":"pass"', b'"verdict":"fail"'))
    assert any(f"another record {record(2).key}" in one for one in read_history(path).problems)


def test_a_line_of_a_newer_version_is_told_and_the_rest_is_read(path: Path) -> None:
    kept(path, 1)
    raw = log_path(path).read_bytes()
    newer = line_of(record(2)).replace('"v":1', '"v":2').encode()
    log_path(path).write_bytes(raw + newer[:-1] + b',"previous":"' + b"0" * 64 + b'"}\n')
    assert keys(path) == [1]
    assert "line 2 cannot be read: version 2 is not known" in read_history(path).problems[0]


def odd_lines() -> list[bytes]:
    good = line_of(record(7)).encode()
    return [
        good.replace(b'"result":{', b'"result":{"x":NaN,'),
        good.replace(b'"result":{', b'"result":{"x":1e999,'),
        good.replace(b'"result":{', b'"result":{"x":1' + b"0" * 400 + b","),
        good.replace(b'"by":"', b'"by":"A\\ud800'),
        good.replace(b'"by":"', b'"by":"\xff'),
        good.replace(b'"note":"', b'"note":"' + b"x" * LONGEST_BYTES),
        good.replace(b'"result":{', b'"result":{"x":[' + b"1.5e3," * 150_000 + b"1],"),
        good.replace(b'"result":{', b'"result":{"x":' + b"[" * 50 + b"]" * 50 + b","),
        good.replace(b'"result":{', b'"result":{"x":' + b"[" * 90_000 + b"]" * 90_000 + b","),
        good.replace(b'"at":"2026', b'"at":"9999'),
        good.replace(b'"at":"2026', b'"at":"1970'),
        good.replace(b'"v":1', b'"v":"' + b"9" * 5000 + b'"'),
        b"[]",
        b"",
        b"\x00" * 70_000,
    ]


@pytest.mark.parametrize("place", range(len(odd_lines())))
def test_no_line_of_the_file_stops_a_sign(path: Path, place: int, caplog: pytest.LogCaptureFixture) -> None:
    """Beside an empty database; what is good in the file comes in, the odd line is said."""
    kept(path, 1)
    with log_path(path).open("ab") as file:
        file.write(odd_lines()[place] + b"\n")
    keep(path, record(2, T0 + 2 * DAY))
    assert keys(path) == [1, 2]
    (problem,) = read_history(path).problems or [""]
    begun(path)
    assert rows(path) == [record(number).key for number in (1, 2)]
    if place in (4, 8, 13, 14):  # no JSON at all: as if it had been cut off
        assert problem == ""
        return
    assert "line 2 cannot be read: " in problem
    assert len(problem) < 500
    assert "line 2 cannot be read: " in caplog.text


def test_a_line_that_the_database_does_not_take_is_left_out(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept(path, 2)

    def refusing(one: Calibration) -> str:
        if one.key == record(1).key:
            raise OverflowError("too large")
        return line_of(one)

    monkeypatch.setattr("telemetry.calibration.table.line_of", refusing)
    begun(path)
    assert rows(path) == [record(2).key]
    assert "line 1 is left out: too large" in caplog.text


def test_a_file_of_nothing_but_odd_lines_is_left_soon(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log_path(path).write_bytes(b"\n" * 500_000 + line_of(record()).encode() + b"\n")
    begun(path)
    assert len(caplog.records) <= 60
    assert "were not looked at" in read_history(path).problems[-1]
    assert keep(path, record(2)).line.number == 500_002


def test_what_is_no_file_stops_no_sign(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(log_path(path))
    begun(path)
    assert "calibrations cannot be read: it is no file" in caplog.text
    with pytest.raises(NotKept, match="it is no file"):
        keep(path, record())


def test_a_line_that_comes_twice_with_other_content_is_told(path: Path) -> None:
    begun(path)
    keep(path, record(1, verdict=Verdict.FAIL))
    append(path, record(1, verdict=Verdict.PASS))
    found = read_history(path)
    assert [one.verdict for one in found.records] == [Verdict.FAIL]
    assert f"line 2 has another record {record(1).key}" in found.problems[0]
    assert found.doubts_of(found.records[0]) == [Doubt.OTHER_IN_FILE]


def test_a_clock_that_was_never_set_loses_no_record(path: Path) -> None:
    keep(path, record(1, datetime(1970, 1, 1, tzinfo=UTC)))
    (found,) = read(path)
    assert (found.at_utc.year, found.clock, found.due) == (2000, ClockQuality.UNKNOWN, None)


def test_what_the_database_missed_comes_in_before_the_next_one(path: Path) -> None:
    begun(path)
    append(path, record(1))
    keep(path, record(2))
    assert rows(path) == [record(1).key, record(2).key]


# --------------------------------------------------------------------------- power cuts, full cards


@given(cut=st.integers(1, 1500))
def test_a_line_that_was_cut_off_is_passed_over(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "sign.db"
    kept(path, 2)
    raw = log_path(path).read_bytes()
    first = raw.index(b"\n") + 1
    log_path(path).write_bytes(raw[: max(first, len(raw) - cut)])
    whole = len(raw) - cut >= len(raw) - 1  # its newline alone is missing
    before = [1, 2] if whole else [1]
    assert keys(path) == before
    assert read_history(path).problems == []
    keep(path, record(3, T0 + 3 * DAY))
    assert keys(path) == [*before, 3]
    assert read_history(path).problems == []
    keep(path, record(4, T0 + 4 * DAY))
    assert read_history(path).problems == []


WRITER = """
import sys
from pathlib import Path
from datetime import timedelta
from telemetry.calibration import keep
from tests.telemetry.calibrations import record
from tests.telemetry.samples import T0
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 15):
    keep(Path(sys.argv[1]), record(n, T0 + timedelta(days=n)))
"""


@pytest.mark.wires
def test_two_technicians_at_once_write_one_after_the_other(path: Path) -> None:
    begun(path)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(first)]) for first in (100, 200)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(read(path)) == len(rows(path)) == 30
    assert read_history(path).problems == []


def test_a_full_card_leaves_no_half_line_and_gives_the_record_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(path, 1)
    before = log_path(path).read_bytes()
    write = os.write
    left = 100

    def full(file: int, data: bytes) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        data, left = data[:left], left - min(left, len(data))
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("telemetry.calibration.log.os.write", full)
        with pytest.raises(NotKept, match=r"cannot be written: No space left on device; check free") as told:
            keep(path, record(2))
    assert json.loads(told.value.json_line)["key"] == record(2).key
    assert log_path(path).read_bytes() == before


def test_a_folder_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotKept, match=r"calibrations\.jsonl: .*No such file.*; create .*/none") as told:
        keep(tmp_path / "none" / "sign.db", record())
    assert line_of(record()) == told.value.json_line
    assert isinstance(told.value, StoreError)


def test_what_is_no_record_is_refused_before_anything_is_written(path: Path) -> None:
    for wrong in (
        record(result={"factor": float("nan")}),
        record(runs=[{"reading": "x" * LONGEST_BYTES}]),
        replace(record(), key="short"),
        record(device={"radar": object()}),
        record(mounting_angle_deg=75.0),
        replace(record(), note="caf\udce9"),
    ):
        with pytest.raises(NotKept, match="the calibration cannot be kept: ") as told:
            keep(path, wrong)
        assert json.loads(told.value.json_line.encode("ascii"))["by"] == wrong.by
    assert not log_path(path).exists()


def test_a_database_that_takes_nothing_now_is_no_loss(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(path)
    monkeypatch.setattr("telemetry.database.BUSY_TIMEOUT_S", 0.05)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        where = keep(path, record())
        busy.execute("ROLLBACK")
    assert not where.in_database
    assert where.problem == (
        f"{path}: database is locked by another program;"
        " the record is in the file, and comes into the database at the sign's next start"
    )
    begun(path)
    assert rows(path) == [record().key]


def test_an_older_database_is_left_as_it_is_until_the_sign_starts(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(Path(__file__).with_name("schema_4.sql").read_text())
    assert "older speedsign" in keep(path, record()).problem
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (4,)
    assert keys(path) == [1]
    begun(path)
    assert rows(path) == [record().key]
    assert schema.SCHEMA_VERSION >= 5


def test_a_hubs_database_takes_no_record_of_its_own(tmp_path: Path) -> None:
    path = make_hub(tmp_path / "hub.db", said_by(make_sign(tmp_path / "1.db", "bauska-1", 2), "bauska-1"))
    assert "a hub's database" in keep(path, record()).problem
    assert rows(path) == []


def test_a_damaged_row_still_says_what_its_columns_say(path: Path) -> None:
    begun(path)
    keep(path, record())
    log_path(path).unlink()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE calibration SET body = '{'")
    (found,) = read(path)
    assert (found.key, found.kind, found.by) == (record().key, Kind.DRIVE_BY, "")


def test_a_new_record_makes_the_newest_place_news_again(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)
        store.begin(replace(BAUSKA, limit_kmh=30), T0 + QUARTER)
        keep(path, record())
        with store.transaction() as db:
            told = db.execute("SELECT id, announced FROM installation ORDER BY id").fetchall()
    assert told == [(1, 1), (2, 0)]


def test_the_module_offers_what_others_use() -> None:
    assert all(hasattr(calibration, name) for name in calibration.__all__)
    assert callable(append)
    assert read_log(Path("/nowhere/sign.db")).lines == ()
