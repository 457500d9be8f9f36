"""Reports and comparisons say which checks of the sign their figures rest on, in every format."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl  # type: ignore[import-untyped]
import pytest

from speedsign.calibration.record import Verdict
from speedsign.language import language
from speedsign.model import ClockQuality
from telemetry.calibration import InForce, Proof, in_force, keep, read_proofs, stand_of
from telemetry.compare.calibrated import remarks, under
from telemetry.report import calibrated
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.report.reports import CHECKED, check
from tests.report.signs import BAUSKA, fill, local, sign
from tests.telemetry.calibrations import record

RIGA = ZoneInfo("Europe/Riga")
EN = language("en")
END = local("2026-06-01")
FAIL = Verdict.FAIL


def said(*proofs: Proof, begin: str = "2026-05-04") -> list[str]:
    found = in_force([*proofs], SITE, local(begin), END)
    return list(calibrated.sentences(found, RIGA, END, EN))


def of_site(day: str, verdict: Verdict = Verdict.PASS, **more: Any) -> Proof:
    facts = {"site": SITE.site, "driver": SITE.radar, "mounting_angle_deg": SITE.mounting_angle_deg}
    return check(f"{day}T12:00:00", verdict, **(facts | more))


SITE = BAUSKA
NONE = (
    "No check of the speeds is on record for this place, radar and mounting angle before the end of this"
    " time."
)


def test_none_is_said_plainly() -> None:
    assert said() == [NONE]
    assert said(of_site("2026-06-02")) == [NONE]


def test_the_one_in_force_with_its_date() -> None:
    assert said(of_site("2026-04-01")) == [
        "Checks of the speeds that these numbers rest on: Vehicle of known speed, 1 April 2026, passed."
    ]


def test_several_and_a_failed_one_among_them() -> None:
    first, second = said(of_site("2026-04-01"), of_site("2026-05-06", FAIL), of_site("2026-05-08"))
    assert first.endswith(
        "1 April 2026, passed; Vehicle of known speed, 6 May 2026, failed; Vehicle of known speed,"
        " 8 May 2026, passed."
    )
    assert second == "Not all were passed: until the next one that was, speeds may be wrong."


def test_the_last_one_failed_and_so_did_the_next_one() -> None:
    texts = said(of_site("2026-05-06", FAIL), of_site("2026-07-06", FAIL))
    assert texts[1] == "The last of them failed: these speeds may be wrong."
    assert texts[2] == (
        "The next check after this time failed, so these speeds may be wrong: Vehicle of known speed,"
        " 6 July 2026, failed."
    )


def test_one_that_was_overdue_and_one_that_nobody_dates() -> None:
    assert said(of_site("2025-04-01"))[1] == "The next check was due on this day: 1 April 2026."
    (only,) = said(of_site("2026-04-01", clock=ClockQuality.UNKNOWN))
    assert only.endswith("1 April 2026, passed (the clock was not sure).")


def test_for_programs() -> None:
    assert [(one["part"], one["kind"], one["verdict"]) for one in calibrated.proofs_json(CHECKED)] == [
        ("before", "drive-by", "pass"),
        ("during", "fork", "fail"),
        ("during", "drive-by", "pass"),
        ("during", "drive-by", "fail"),
        ("after", "drive-by", "fail"),
    ]
    assert calibrated.short(InForce(), RIGA) == "none"
    assert calibrated.short(CHECKED, RIGA).endswith(
        "2026-05-09 drive-by fail; 2026-09-01 drive-by fail afterwards"
    )


# --------------------------------------------------------------------------- every format


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = sign(tmp_path_factory.mktemp("checked") / "sign.db")
    for monday in ("2026-05-04", "2026-05-11"):
        fill(found, local(monday), local(monday) + timedelta(days=2))
    here: dict[str, Any] = {
        "sign": "test-sign",
        "site": BAUSKA.site,
        "driver": BAUSKA.radar,
        "mounting_angle_deg": SITE.mounting_angle_deg,
    }
    keep(found, record(1, local("2026-04-01"), **here))
    keep(found, record(2, local("2026-05-05T12:00:00"), verdict=FAIL, **here))
    return found


def test_html_pdf_xlsx_csv_and_json_say_it(path: Path) -> None:
    names = [path.with_name(f"r.{kind}") for kind in ("html", "pdf", "xlsx", "csv")]
    words = [word for name in names for word in ("-o", str(name))]
    result = speedsign("report", "--db", path, "--language", "en", "--json", *words)
    assert result.exit_code == 0, result.stderr
    sentence = "Vehicle of known speed, 1 April 2026, passed; Vehicle of known speed, 5 May 2026, failed."
    html, _, xlsx, text = names
    assert sentence in html.read_text()
    cells = [
        str(cell.value)
        for sheet in openpyxl.load_workbook(xlsx).worksheets
        for row in sheet.iter_rows()
        for cell in row
    ]
    assert any(sentence in cell for cell in cells)
    about = {row[0]: row[1] for row in csv.reader(io.StringIO(text.read_text())) if len(row) == 2}
    assert about["calibration"] == "2026-04-01 drive-by pass; 2026-05-05 drive-by fail"
    assert sentence in text.read_text()
    assert [one["verdict"] for one in as_json(result)["calibrations"]] == ["pass", "fail"]


def test_residents_are_told_too(path: Path) -> None:
    out = path.with_name("public.html")
    result = speedsign("report", "--public", "--db", path, "--language", "lv", "--json", "-o", out)
    assert len(as_json(result)["calibrations"]) == 2
    assert "Pēdējā no tām rezultāts neatbilda" in out.read_text()


def test_each_time_that_it_stood_there_has_its_own_checks(tmp_path: Path) -> None:
    """Moved away and back: the check of the first time is none of the second, nor the other way round."""
    path = tmp_path / "sign.db"
    fill(sign(path), local("2026-05-04"), local("2026-05-06"))
    with contextlib.closing(SqliteStore(path, "test-sign")) as store:
        store.begin(replace(BAUSKA, site="Iecava"), local("2026-05-11"))
        store.begin(BAUSKA, local("2026-05-18"))
    here: dict[str, Any] = {
        "sign": "test-sign",
        "site": BAUSKA.site,
        "driver": BAUSKA.radar,
        "mounting_angle_deg": SITE.mounting_angle_deg,
    }
    keep(path, record(1, local("2026-04-01"), **here))
    keep(path, record(2, local("2026-05-19"), verdict=FAIL, **here))

    def of(installation: int, place: dict[str, Any] = here) -> InForce:
        stood = stand_of(path, installation)
        begin, end = (local("2026-05-04"), local("2026-05-08")) if installation == 1 else (END, END)
        return in_force(read_proofs(path), replace(SITE, site=place["site"]), begin, end, stood=stood)

    assert [one.verdict for one in of(1).proofs] == [Verdict.PASS]
    assert of(1).failed_after is None
    assert [one.verdict for one in of(3).proofs] == [FAIL]
    words = ("report", "--db", path, "--from", "2026-05-04", "--to", "2026-05-06", "--json")
    assert [one["verdict"] for one in as_json(speedsign(*words))["calibrations"]] == ["pass"]


def test_of_what_was_imported_nobody_knows(path: Path, tmp_path: Path) -> None:
    text = tmp_path / "old.csv"
    text.write_text("time,direction,speed_kmh\n2020-05-04T07:00:00Z,approaching,44\n")
    db = tmp_path / "old.db"
    options = ("--site", "Bauska", "--limit", "50", "--timezone", "Europe/Riga", "--sign", "old-1")
    assert speedsign("import", text, "--db", db, *options).exit_code == 0
    assert as_json(speedsign("report", "--db", db, "--json"))["calibrations"] is None


def test_an_export_says_it_beside_the_file(path: Path) -> None:
    result = speedsign("export", "--db", path, "--what", "hours")
    assert result.stdout.startswith("start,end,")
    assert "Vehicle of known speed, 5 May 2026, failed." in result.stderr
    assert "The last of them failed: these speeds may be wrong." in result.stderr


# --------------------------------------------------------------------------- compare


def days(first: str, n: int) -> list[date]:
    return [date.fromisoformat(first) + timedelta(days=day) for day in range(n)]


def compared(proofs: Sequence[Proof], before: Sequence[date], after: Sequence[date]) -> list[str]:
    sides = [under(proofs, SITE, side) for side in (before, after)]
    return remarks(sides[0], sides[1], RIGA, EN)


def test_the_same_check_on_both_sides_is_no_remark() -> None:
    proofs = [of_site("2026-04-01")]
    assert compared(proofs, days("2026-04-20", 7), days("2026-05-04", 7)) == []
    assert compared([], days("2026-04-20", 7), days("2026-05-04", 7)) == []
    again = [*proofs, of_site("2026-06-01")]
    assert compared(again, days("2026-04-20", 7), days("2026-05-04", 7)) == []


def test_another_check_on_each_side_is_said() -> None:
    proofs = [of_site("2026-04-29")]
    (only,) = compared(proofs, days("2026-04-20", 7), days("2026-05-04", 7))
    assert only == (
        "The two times rest on different checks of the speeds; before: none on record;"
        " after: Vehicle of known speed, 29 April 2026, passed."
    )


def test_dark_and_lit_days_in_turn_rest_on_the_same() -> None:
    proofs = [of_site("2026-04-01"), of_site("2026-05-04")]
    april, may = days("2026-04-27", 14)[::2], days("2026-04-27", 14)[1::2]
    assert compared(proofs, april, may) == []


def test_a_check_that_failed_is_said_of_whichever_side() -> None:
    proofs = [of_site("2026-04-01", FAIL), of_site("2026-04-29")]
    different, failed = compared(proofs, days("2026-04-20", 7), days("2026-05-04", 7))
    assert different.startswith("The two times rest on different checks")
    assert failed == "A check of the speeds failed: part of a difference may be the sign's own."


def test_compare_says_it_in_its_notes(path: Path) -> None:
    result = speedsign(
        *("compare", "--db", path, "--before", "2026-05-04..2026-05-05", "--json"),
        *("--after", "2026-05-11..2026-05-12", "--resamples", "100"),
    )
    assert any(note.startswith("The two times rest on different checks") for note in as_json(result)["notes"])
