"""calibrate history: what is on record, one line each; what was changed in the file; when it is due again."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.calibration.record import Calibration, Kind, Verdict, as_json
from speedsign.clock import SystemClock
from speedsign.model import ClockQuality
from telemetry.calibration import keep, log_path
from telemetry.calibration.told import WIDTH, line_of
from telemetry.store import SqliteStore
from tests.cli.command import as_json as read_json
from tests.cli.command import speedsign
from tests.telemetry.calibrations import SIGN, record
from tests.telemetry.samples import BAUSKA, T0

DAY = timedelta(days=1)


def named(first: str, day: int, **more: Any) -> Calibration:
    """A record whose key begins so."""
    return replace(record(1, T0 + day * DAY, **more), key=first + "0" * (32 - len(first)))


RECORDS = (
    named("aaaa1", 0, kind=Kind.ANGLE, verdict=Verdict.DONE, by="Someone With A Very Long Name Indeed"),
    named("bbbb2", 1),
    named("bbbb3", 2, kind=Kind.FORK, verdict=Verdict.UNDECIDED, note="rain", clock=ClockQuality.UNKNOWN),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(found, SIGN)) as store:
        store.begin(BAUSKA, T0)
    for one in RECORDS:
        keep(found, one)
    return found


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "now_utc", lambda _clock: T0 + 10 * DAY)
    monkeypatch.setattr(SystemClock, "trusted", lambda _clock: True)


def history(path: Path, *words: str) -> Any:
    return speedsign("calibrate", "history", "--db", path, *words)


def test_one_line_each_the_newest_last_and_the_next_due_at_the_end(path: Path) -> None:
    result = history(path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "key      when              what       verdict   who                next due",
        "aaaa1000 2026-05-04 10:00  angle      done      Someone With A Ve~",
        "bbbb2000 2026-05-05 10:00  drive-by   pass      Jānis Bērziņš      2027-05-05",
        "bbbb3000 2026-05-06 10:00? fork       undecided Jānis Bērziņš",
        "the drive-by of 2026-05-05 was passed; the next one is due on 2027-05-05",
    ]
    assert all(len(line) <= WIDTH for line in result.stdout.splitlines())


def test_of_one_kind_and_the_state_stays_that_of_all(path: Path) -> None:
    lines = history(path, "--kind", "angle").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["aaaa1000"]
    assert lines[-1].startswith("the drive-by of 2026-05-05 was passed")
    lines = history(path, "--kind", "brightness").stdout.splitlines()
    assert lines[0] == "no calibration is on record"
    assert lines[1].startswith("the drive-by of 2026-05-05 was passed")


def test_overdue_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "now_utc", lambda _clock: T0 + 400 * DAY)
    assert "a calibration was due on 2027-05-05: run speedsign calibrate" in history(path).stdout
    assert read_json(history(path, "--json"))["standing"][SIGN]["state"] == "overdue"
    monkeypatch.setattr(SystemClock, "trusted", lambda _clock: False)
    assert read_json(history(path, "--json"))["standing"][SIGN]["state"] == "undated"


def test_one_record_in_words(path: Path) -> None:
    text = history(path, "--full", "BBBB2").stdout
    for said in (
        f"drive-by {RECORDS[1].key}: pass",
        "Every run is within the tolerance.",
        "the clock was synchronised",
        "by        Jānis Bērziņš",
        "bauska-3, Bauska, Rīgas iela",
        "radar.mounting_angle_deg: 0 -> 12.5",
        "   2  reference_kmh 60, measured_kmh 60.2",
        "factor: 0.997",
        "line 2, sha256",
    ):
        assert said in text
    assert "nobody vouched for the clock" in history(path, "--full", "bbbb3").stdout
    assert all(len(line) <= WIDTH for line in text.splitlines())


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("bbbb", "'bbbb' is the beginning of 2 keys; give more digits"),
        ("bb", "'bb' is too short; give at least 4 digits of a record's key"),
        ("ffff", "no calibration's key begins with 'ffff'; see speedsign calibrate history"),
    ],
)
def test_a_key_that_names_no_record(path: Path, key: str, said: str) -> None:
    result = history(path, "--full", key)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_everything_for_programs(path: Path) -> None:
    found = read_json(history(path, "--json"))
    assert [dict(as_json(one)) for one in RECORDS] == [
        {name: value for name, value in one.items() if name not in ("log", "doubts")}
        for one in found["calibrations"]
    ]
    assert [one["doubts"] for one in found["calibrations"]] == [[], [], []]
    assert [one["log"]["line"] for one in found["calibrations"]] == [1, 2, 3]
    assert found["problems"] == []
    one = read_json(history(path, "--full", "bbbb2", "--json"))
    assert one["log"]["previous"] == found["calibrations"][0]["log"]["sha256"]


def test_a_line_that_was_changed_is_told_and_nothing_is_lost(path: Path) -> None:
    log = log_path(path)
    log.write_bytes(log.read_bytes().replace(b'"verdict":"done"', b'"verdict":"pass"'))
    result = history(path)
    assert result.exit_code == 0
    assert "calibrations.jsonl: line 1 was changed, or a line after it was removed" in result.stderr
    lines = result.stdout.splitlines()
    assert [line[8] for line in lines[1:4]] == ["!", " ", " "]
    assert "done" in lines[1]  # as the database has it
    assert lines[4].startswith("! the file and the database do not say the same")
    found = read_json(history(path, "--json"))
    assert found["problems"]
    assert [one["doubts"] for one in found["calibrations"]] == [
        ["other in file", "chain"],
        ["chain"],
        ["chain"],
    ]
    text = history(path, "--full", "aaaa1").stdout
    assert "! the file has another content under this key; this is the database's" in text


@pytest.mark.parametrize("left", [0, 1, 2])
def test_lines_that_are_gone_are_told_and_stay_told(path: Path, left: int) -> None:
    log = log_path(path)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:left]))
    for again in range(3):
        result = history(path)
        assert "lines were removed from it: the database has what the file has not: " in result.stderr
        assert "bbbb3000" in result.stderr
        shown = [line for line in result.stdout.splitlines()[1:] if line[8:9] == "!"]
        assert [line[:8] for line in shown] == ["aaaa1000", "bbbb2000", "bbbb3000"][left:]
        keep(path, named(f"cccc{again}", 5 + again))
    log.unlink()
    assert (
        "calibrations.jsonl: it is not there: the database has what the file has not" in history(path).stderr
    )


def test_a_pass_that_was_written_into_the_file_passes_nobody(path: Path) -> None:
    keep(path, named("dddd4", 4, verdict=Verdict.FAIL))
    log = log_path(path)
    log.write_bytes(log.read_bytes().replace(b'"verdict":"fail"', b'"verdict":"pass"'))
    result = history(path)
    assert "the database has another record dddd4" in result.stderr
    assert "dddd4000!2026-05-08 10:00  drive-by   fail" in result.stdout
    assert result.stdout.splitlines()[-1] == "the drive-by of 2026-05-08 failed: the speeds are not right"


def test_whatever_the_file_holds_history_goes_on(path: Path) -> None:
    good = log_path(path).read_text().splitlines()[1].replace("bbbb2", "eeee2")
    odd = [
        good.replace('"at":"2026', '"at":"9999'),
        good.replace('"by":"', '"by":"A\\ud800'),
        good.replace('"previous":"', '"previous":"\\u001b[2J'),
    ]
    log_path(path).write_text("\n".join(odd) + "\n")
    for words in ((), ("--json",), ("--full", "bbbb2"), ("--full", "eeee2", "--json")):
        result = history(path, *words)
        assert result.exit_code == 0, result.output
        assert "line 1 cannot be read: 9999-" in result.stderr
        assert "line 2 cannot be read: a text holds half a character" in result.stderr


def test_a_clock_that_the_config_vouches_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "trusted", lambda _clock: False)
    config = path.with_name("speedsign.toml")
    for trust, state in (("always", "valid"), ("kernel", "undated")):
        config.write_text(f'[store]\npath = "{path}"\n[clock]\ntrust = "{trust}"\n')
        for words in ((), ("--db", path)):
            found = read_json(speedsign("calibrate", "history", "--config", config, *words, "--json"))
            assert found["standing"][SIGN]["state"] == state


def test_moved_away_and_back_it_needs_a_new_one(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(replace(BAUSKA, site="Iecava"), T0 + 5 * DAY)
        store.begin(BAUSKA, T0 + 6 * DAY)
    said = "no calibration since the sign was moved or set otherwise, and back"
    assert said in history(path).stdout.splitlines()[-2] + history(path).stdout.splitlines()[-1]
    keep(path, named("dddd4", 7))
    assert "the drive-by of 2026-05-11 was passed" in history(path).stdout


def test_a_name_that_would_steer_the_terminal_does_not(path: Path) -> None:
    keep(path, named("cccc4", 3, by="\x1b[2J\x1b[31mred", sentence="\x1b]0;x\x07 done"))
    assert "\x1b" not in history(path).stdout
    assert "\x1b" not in history(path, "--full", "cccc4").stdout


def test_nothing_on_record(tmp_path: Path) -> None:
    result = history(tmp_path / "sign.db")
    assert (result.exit_code, result.stdout) == (0, "no calibration is on record\n")
    assert read_json(history(tmp_path / "sign.db", "--json")) == {
        "calibrations": [],
        "problems": [],
        "standing": {},
    }


def test_the_file_alone_before_the_first_start(tmp_path: Path) -> None:
    keep(tmp_path / "sign.db", RECORDS[1])
    lines = history(tmp_path / "sign.db").stdout.splitlines()
    assert lines[1].startswith("bbbb2000 2026-05-05 07:00")  # UTC: nobody knows yet where it stands
    assert lines[-1].startswith("the drive-by")


def test_several_signs_stand_apart(path: Path) -> None:
    keep(path, named("dddd5", 4, sign="iecava-2", site="Iecava"))
    lines = history(path).stdout.splitlines()
    assert [line for line in lines if line.endswith(":")] == ["bauska-3:", "iecava-2:"]
    assert len(history(path, "--sign", "iecava-2").stdout.splitlines()) == 3
    refused = history(path, "--sign", "nowhere-1")
    assert refused.exit_code == 2
    assert "there is no calibration of 'nowhere-1'; there are some of bauska-3, iecava-2" in refused.stderr


def test_the_config_names_the_database(path: Path) -> None:
    config = path.with_name("speedsign.toml")
    config.write_text(f'[store]\npath = "{path}"\n')
    assert len(speedsign("calibrate", "history", "--config", config).stdout.splitlines()) == 5


def test_a_damaged_database_is_told_and_the_file_is_read(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    result = history(path)
    assert "sign.db is damaged or not a database" in result.stderr
    assert len(result.stdout.splitlines()) == 5


def test_a_line_of_every_kind_and_verdict_fits_80_columns() -> None:
    for kind in Kind:
        for verdict in Verdict:
            one = record(kind=kind, verdict=verdict, by="W" * 80, clock=ClockQuality.UNKNOWN)
            line = line_of(replace(one, due=datetime(2027, 5, 4, tzinfo=UTC).date()), UTC)
            assert len(line) <= WIDTH


def test_the_json_of_a_record_is_what_its_line_holds(path: Path) -> None:
    found = read_json(history(path, "--full", "aaaa1", "--json"))
    line = json.loads(log_path(path).read_text().splitlines()[0])
    assert {**line, "log": found["log"], "doubts": []} == {**found, "previous": ""}
