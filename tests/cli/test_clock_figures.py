"""What the officer's commands say of a sign whose clock was not always right; figures worked out by hand."""

from __future__ import annotations

import contextlib
import csv
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telemetry.database import open_for_writing
from tests.cli.command import as_json, speedsign
from tests.telemetry.filled import add_installation, add_interval
from tests.telemetry.samples import BAUSKA

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
BOOT, NEXT = "00112233445566aa", "ffeeddccbbaa9988"
PASSED = ("approaching", "shown")


@contextlib.contextmanager
def filling(path: Path, zone: str = "Europe/Riga") -> Iterator[sqlite3.Connection]:
    """A sign's database, to be filled by hand."""
    with contextlib.closing(open_for_writing(path)) as db:
        add_installation(db, replace(BAUSKA, timezone=zone), begins=datetime(2026, 1, 1, tzinfo=UTC))
        yield db


def known(db: sqlite3.Connection, boot_id: str, known_utc: datetime | None, *, dated: bool = True) -> None:
    """A start of the machine, in their order."""
    ms = None if known_utc is None else int(known_utc.timestamp() * 1000)
    db.execute(
        "INSERT INTO boot (boot_id, zero_ms, guess_ms, known_ms) VALUES (?, ?, 0, ?)",
        (boot_id.ljust(32, "0"), 0 if dated else None, ms),
    )


def quarters(db: sqlite3.Connection, start: datetime, n: int, speed: int = 50, **more: Any) -> None:
    for number in range(n):
        add_interval(db, start + number * QUARTER, {PASSED: {speed: 1}}, **more)


def local(text: str, zone: str = "Europe/Riga") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def both(path: Path, *words: str) -> dict[str, Any]:
    done = speedsign("stats", "--db", path, "--json", *words)
    assert done.exit_code == 0, done.stderr
    row: dict[str, Any] = as_json(done)[-1]
    assert row["direction"] == "both"
    return row


# --------------------------------------------------------------------------- a day with a boot without a time


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """4 May at the sign: known until 10:07 and from 15:05 on; two boots that never knew the time.

    Dated: 41 quarters of one vehicle at 50 km/h until 10:15 (the last one measured 420 s), and 36 from 15:00
    on (the first measured 600 s, and put right later). Undated: three quarters of four at 70 km/h and 900 s,
    said to begin at 11:00 twice and at 11:15; one is withdrawn.
    """
    path = tmp_path / "sign.db"
    start = local("2026-05-04T00:00")
    with filling(path) as db:
        known(db, "aa", start + timedelta(hours=10, minutes=7))
        known(db, BOOT, None, dated=False)
        known(db, NEXT, None, dated=False)
        known(db, "bb", start + timedelta(hours=24))
        quarters(db, start, 40)
        quarters(db, start + 40 * QUARTER, 1, measured_s=420)
        for number in range(41, 60):
            add_interval(db, start + number * QUARTER, measured_s=0)
        quarters(db, start + 60 * QUARTER, 1, clock="corrected", measured_s=600)
        quarters(db, start + 61 * QUARTER, 34)
        quarters(db, start + 95 * QUARTER, 1, stepped=True)
        eleven = start + 44 * QUARTER
        for at, boot in ((eleven, BOOT), (eleven, NEXT), (eleven + QUARTER, BOOT)):
            add_interval(db, at, {PASSED: {70: 4}}, clock="unknown", boot=boot)
        add_interval(db, eleven - QUARTER, clock="unknown", boot=BOOT, measured_s=0)
    return path


DAY = ("--from", "2026-05-04", "--to", "2026-05-04")


def test_totals_have_the_undated_and_no_hour_has_them(day: Path) -> None:
    for words in (DAY, ()):
        row = both(day, *words)
        assert (row["n"], row["undated"]) == (41 + 36 + 12, 12)
        assert row["mean_kmh"] == pytest.approx((77 * 50 + 12 * 70) / 89, abs=1e-6)
        assert row["over_limit_share"] == pytest.approx(12 / 89, abs=1e-6)
        # 40 quarters, 420 s, 600 s and 35 quarters are dated, three are not.
        assert row["coverage"] == pytest.approx(
            (40 * 900 + 420 + 600 + 35 * 900 + 3 * 900) / 86_400, abs=1e-6
        )
        assert (row["busiest_hour_n"], row["adt"], row["complete_days"]) == (4, None, 0)
        # 10:00 has 420 s; from 11:00 on 2700 s of perhaps that hour; 12:00 to 14:00 nothing; 15:00 is enough.
        assert (row["hours"], row["hours_left_out"], row["hours_undated"]) == (24, 4, 1)
        assert (row["corrected"], row["hours_corrected"], row["stepped"]) == (1, 1, 1)
        assert row["undated_between"] == [
            {"after": "2026-05-04T10:07:00+03:00", "before": "2026-05-04T15:05:00+03:00", "n": 12}
        ]


def test_who_asks_for_hours_gets_none_of_them(day: Path) -> None:
    row = both(day, *DAY, "--between", "11-12")
    assert (row["n"], row["undated"], row["coverage"], row["undated_between"]) == (0, 0, 0.0, [])


def test_the_words_say_how_many_and_between_which_times(day: Path) -> None:
    said = " ".join(speedsign("stats", "--db", day, *DAY).stdout.split())
    assert "12 vehicles have no trusted time: in totals, in no hour or day." in said
    assert "12 of them passed between 2026-05-04 10:07+03:00 and 2026-05-04 15:05+03:00." in said
    assert "1 vehicle is of intervals in which some were dated later, when the clock was set." in said
    assert "The clock was set by more than a second in 1 interval." in said


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Without a known time: 12, between 2026-05-04 10:07 and 2026-05-04 15:05."),
        ("lv", "Bez zināma laika: 12, no 04.05.2026. 10:07 līdz 04.05.2026. 15:05."),
        ("lt", "Be žinomo laiko: 12, nuo 2026-05-04 10:07 iki 2026-05-04 15:05."),
    ],
)
def test_so_does_the_report_in_the_readers_language(
    day: Path, tmp_path: Path, language: str, words: str
) -> None:
    out = tmp_path / "report.csv"
    done = speedsign("report", "--db", day, *DAY, "--language", language, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert words in out.read_text(encoding="utf-8")


def test_the_report_has_them_in_no_hour_and_tells_residents_nothing_of_it(day: Path, tmp_path: Path) -> None:
    report = as_json(speedsign("report", "--db", day, *DAY, "--json"))
    assert [slot["n"] for slot in report["by_hour"]][10:16] == [0, 0, 0, 0, 0, 4]
    assert (report["undated"], report["corrected"], report["stepped"]) == (12, 1, 1)
    (span,) = report["spans"]
    assert span["n"] == 77
    done = speedsign("report", "--db", day, *DAY, "--public", "-o", tmp_path / "p.csv")
    assert done.exit_code == 0
    assert "10:07" not in (tmp_path / "p.csv").read_text(encoding="utf-8"), "nobody is told apart by it"


@pytest.mark.parametrize("what", ["intervals", "hours"])
def test_what_is_exported_says_which_boot(day: Path, tmp_path: Path, what: str) -> None:
    out = tmp_path / "out.csv"
    assert speedsign("export", "--db", day, *DAY, "--what", what, "-o", out).exit_code == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if what == "hours":
        assert sum(int(row["n"] or 0) for row in rows if row["direction"] == "both") == 77
        return
    undated = [row for row in rows if row["clock"] == "unknown" and row["n"] != "0"]
    assert [(row["start"][11:16], row["boot"], row["n"]) for row in undated] == [
        ("11:00", BOOT, "4"), ("11:00", NEXT, "4"), ("11:15", BOOT, "4"),
    ]  # fmt: skip
    assert [row["start"][11:16] for row in rows if row["stepped"] == "1"] == ["23:45"]
    assert not any(row["boot"] for row in rows if row["clock"] != "unknown")


@pytest.mark.parametrize("words", [DAY, ()])
def test_an_export_of_it_comes_back_with_the_same_numbers(
    day: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with contextlib.closing(open_for_writing(day)) as db:  # and a boot that believed to be in 1970
        add_interval(db, datetime(1970, 1, 1, tzinfo=UTC), {PASSED: {90: 2}}, clock="unknown", boot="ab" * 8)
    out, copy = tmp_path / "out.csv", tmp_path / "copy.db"
    assert speedsign("export", "--db", day, *words, "--what", "intervals", "-o", out).exit_code == 0
    done = speedsign("import", out, "--db", copy, "--limit", "50", "--timezone", "Europe/Riga")
    assert done.exit_code == 0, done.stderr
    own, read = both(day, *words), both(copy, *words)
    assert own["n"] == 89 + (0 if words else 2)
    for key in (
        "n",
        "undated",
        "mean_kmh",
        "v85_kmh",
        "coverage",
        "hours",
        "hours_left_out",
        "hours_undated",
    ):
        assert read[key] == own[key], key
    for key in ("corrected", "hours_corrected", "stepped", "busiest_hour", "adt", "from", "to"):
        assert read[key] == own[key], key


# --------------------------------------------------------------------------- times that are none


@pytest.mark.parametrize("year", [1970, 2000, 2046, 2090])
def test_a_boot_in_another_decade_is_in_the_total_and_makes_no_period_of_decades(
    tmp_path: Path, year: int
) -> None:
    path = tmp_path / "sign.db"
    start = local("2026-05-04T00:00")
    with filling(path) as db:
        known(db, "aa", start + 24 * HOUR)
        known(db, BOOT, None, dated=False)
        quarters(db, start, 96)
        quarters(db, datetime(year, 1, 1, tzinfo=UTC), 5, clock="unknown", boot=BOOT)
    row = both(path)
    assert (row["n"], row["undated"], row["hours"], row["coverage"]) == (101, 5, 24, 1.0)
    assert (row["from"], row["to"]) == ("2026-05-04T00:00:00+03:00", "2026-05-05T00:00:00+03:00")
    assert row["undated_between"] == [{"after": "2026-05-05T00:00:00+03:00", "before": None, "n": 5}]
    assert both(path, *DAY)["n"] == 96


def test_a_sign_that_never_knew_the_time_counts_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    with filling(path) as db:
        known(db, BOOT, None, dated=False)
        known(db, NEXT, None, dated=False)
        quarters(db, datetime(2000, 1, 1, tzinfo=UTC), 8, clock="unknown", boot=BOOT)
        quarters(db, datetime(2000, 1, 1, tzinfo=UTC), 3, clock="unknown", boot=NEXT)
        quarters(db, datetime(2046, 1, 1, tzinfo=UTC), 2, clock="unknown", boot="ab" * 8)
    row = both(path)
    assert (row["n"], row["undated"], row["hours"], row["coverage"]) == (13, 13, 2, 1.0)
    assert row["undated_between"] == [{"after": None, "before": None, "n": 13}]
    assert speedsign("report", "--db", path, "-o", tmp_path / "report.html").exit_code == 0
    assert speedsign("compare", "--db", path).exit_code == 1


# --------------------------------------------------------------------------- days that are no ordinary ones


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Vilnius"])
@pytest.mark.parametrize(("date", "n"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-05-04", 96)])
def test_days_on_which_the_clocks_change(tmp_path: Path, zone: str, date: str, n: int) -> None:
    """A vehicle in each quarter: the hour that comes twice is two in sums, and one of the day's hours."""
    path = tmp_path / "sign.db"
    with filling(path, zone) as db:
        quarters(db, local(f"{date}T00:00", zone), n, clock="corrected")
        quarters(db, local(f"{date}T00:00", zone) - HOUR, 4, 60)
        quarters(db, local(f"{date}T00:00", zone) + n * QUARTER, 4, 60)
    row = both(path, "--from", date, "--to", date)
    assert (row["n"], row["hours"], row["adt"], row["complete_days"]) == (n, n // 4, n, 1)
    assert (row["coverage"], row["max_kmh"]) == (1.0, 50)
    report = as_json(speedsign("report", "--db", path, "--from", date, "--to", date, "--json"))
    by_hour = [slot["n"] for slot in report["by_hour"]]
    assert by_hour == [{92: 0, 96: 4, 100: 8}[n] if hour == 3 else 4 for hour in range(24)]
    assert report["by_hour"][3]["mean"] == (None if n == 92 else 4)
    assert report["spans"][0]["n"] == n
    out = tmp_path / "hours.csv"
    done = speedsign("export", "--db", path, "--from", date, "--to", date, "--what", "hours", "-o", out)
    assert done.exit_code == 0
    with out.open(encoding="utf-8", newline="") as file:
        hours = [row["start"] for row in csv.DictReader(file) if row["direction"] == "both"]
    assert len(hours) == len(set(hours)) == n // 4
    assert sum(text[11:13] == "03" for text in hours) == {92: 0, 96: 1, 100: 2}[n]


def test_a_years_end_and_a_second_that_was_put_in(tmp_path: Path) -> None:
    """31 December and 1 January are two days; of 2016 the last second came twice, and no count shows it."""
    path = tmp_path / "sign.db"
    with filling(path) as db:
        quarters(db, local("2016-12-31T00:00"), 192)
        db.execute("UPDATE installation SET from_ms = 0")
    report = as_json(
        speedsign("report", "--db", path, "--from", "2016-12-31", "--to", "2017-01-01", "--json")
    )
    assert [(span["first"], span["n"]) for span in report["spans"]] == [
        ("2016-12-31", 96),
        ("2017-01-01", 96),
    ]
    row = both(path, "--from", "2016-12-31", "--to", "2017-01-01")
    assert (row["n"], row["complete_days"], row["coverage"], row["stepped"]) == (192, 2, 1.0, 0)
