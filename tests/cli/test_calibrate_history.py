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
        {name: value for name, value in one.items() if name != "log"} for one in found["calibrations"]
    ]
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
    assert len(result.stdout.splitlines()) == 5
    assert read_json(history(path, "--json"))["problems"]


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
    assert {**line, "log": found["log"]} == {**found, "previous": ""}
