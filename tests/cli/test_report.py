"""report: files of every format from a database, and what is refused in one sentence."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.model import Installation
from telemetry.store import SqliteStore
from tests.cli.command import as_json, finished, speedsign
from tests.report.signs import BAUSKA, fill, local, sign, street

STARTS = {
    "html": b"<!DOCTYPE html>",
    "pdf": b"%PDF",
    "xlsx": b"PK",
    "csv": b"# about,",
    "ics": b"BEGIN:VCALENDAR\r\n",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder; the database is beside it."""
    found = tmp_path / "here"
    found.mkdir()
    monkeypatch.chdir(found)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return street(tmp_path / "sign.db", "2026-05-04", "2026-05-17")


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_without_a_name_a_page_is_written_here_and_its_name_is_said(path: Path, here: Path) -> None:
    result = speedsign("report", "--db", path)
    assert result.exit_code == 0
    name = "report-bauska-rigas-iela-2026-05-04-2026-05-17.html"
    assert names(here) == [name]
    page = (here / name).read_text(encoding="utf-8")
    assert '<html lang="lv">' in page
    assert result.stdout.startswith(f"{name}: ")
    assert result.stderr == ""


def test_every_format_at_once_by_its_ending(path: Path, here: Path) -> None:
    outputs = [word for ending in STARTS for word in ("-o", f"bauska.{ending}")]
    result = speedsign("report", "--db", path, *outputs)
    assert result.exit_code == 0, result.stderr
    assert names(here) == sorted(f"bauska.{ending}" for ending in STARTS)
    for ending, start in STARTS.items():
        assert (here / f"bauska.{ending}").read_bytes().startswith(start)


def test_a_format_can_be_named_and_go_to_standard_output(path: Path, here: Path) -> None:
    result = speedsign("report", "--db", path, "--format", "csv", "--table", "bands", "-o", "-")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows[0]["band"] == "Nepārsniedz atļauto ātrumu"
    assert rows[-1]["both"] == "7572"
    speedsign("report", "--db", path, "--format", "pdf", "-o", "bauska")
    assert (here / "bauska").read_bytes().startswith(b"%PDF")
    speedsign("report", "--db", path, "--format", "ics")
    assert names(here) == ["bauska", "report-bauska-rigas-iela-2026-05-04-2026-05-17.ics"]
    whole = finished("report", "--db", path, "--format", "ics", "-o", "-").stdout
    assert whole.startswith("BEGIN:VCALENDAR")


def test_the_json_has_the_same_numbers_and_writes_nothing_by_itself(path: Path, here: Path) -> None:
    result = speedsign("report", "--db", path, "--json")
    assert names(here) == []
    found = as_json(result)
    both = found["directions"][-1]
    stats = as_json(speedsign("stats", "--db", path, "--json"))[-1]
    for key in ("direction", "n", "mean_kmh", "v15_kmh", "v85_kmh", "max_kmh", "over_limit_10_share", "adt"):
        assert both[key] == stats[key], key
    assert found["coverage"] == stats["coverage"]
    assert [found["from"], found["to"]] == [stats["from"], stats["to"]]
    assert sum(span["n"] for span in found["spans"]) == both["n"]
    assert sum(both["counts"].values()) == both["n"]
    assert len(found["by_hour_of_week"]) == 168
    assert found["patrols"][0]["over_limit_10_an_hour"] >= found["patrols"][-1]["over_limit_10_an_hour"]
    with_file = speedsign("report", "--db", path, "--json", "-o", "a.html")
    assert as_json(with_file) == found
    assert names(here) == ["a.html"]


def config(tmp_path: Path, database: Path, more: str = "") -> Path:
    made = tmp_path / "sign.toml"
    made.write_text(
        f'[sign]\nid="abc"\nlimit_kmh=50\n{more}\n[radar]\ndriver="ops243"\nport="/dev/x"\n'
        f'[store]\npath="{database}"\n'
    )
    return made


@pytest.mark.parametrize(
    ("zone", "args", "expected"),
    [
        ("Europe/Riga", [], "lv"),
        ("Europe/Vilnius", [], "lt"),
        ("Europe/Tallinn", [], "en"),
        ("America/New_York", [], "en"),
        ("Europe/Riga", ["--language", "en"], "en"),
        ("Europe/Tallinn", ["--language", "lt"], "lt"),
    ],
)
def test_the_language_is_that_of_the_place_or_as_asked_for(
    tmp_path: Path, here: Path, zone: str, args: list[str], expected: str
) -> None:
    path = sign(tmp_path / "sign.db", Installation("x", 50, 0.0, "x", zone))
    fill(path, local("2026-05-04", zone), local("2026-05-05", zone))
    speedsign("report", "--db", path, "-o", "a.html", *args)
    assert f'<html lang="{expected}">' in (here / "a.html").read_text(encoding="utf-8")


def test_the_config_says_the_language_and_the_database(path: Path, here: Path, tmp_path: Path) -> None:
    made = config(tmp_path, path, 'language="lt"')
    assert speedsign("report", "--config", made, "-o", "a.html").exit_code == 0
    assert '<html lang="lt">' in (here / "a.html").read_text(encoding="utf-8")


def test_a_public_report_is_of_whole_hours(path: Path, here: Path) -> None:
    args = ["--from", "2026-05-04T07:20", "--to", "2026-05-05T09:20", "--public"]
    found = as_json(speedsign("report", "--db", path, *args, "--json"))
    assert (found["from"], found["to"]) == ("2026-05-04T08:00:00+03:00", "2026-05-05T09:00:00+03:00")
    assert "max_kmh" not in json.dumps(found)
    assert speedsign("report", "--db", path, *args, "-o", "a.html", "-o", "a.pdf").exit_code == 0
    page = (here / "a.html").read_text(encoding="utf-8")
    assert "patrol" not in page.lower()
    short = speedsign(
        "report", "--db", path, "--from", "2026-05-04T07:15", "--to", "2026-05-04T07:45", "--public"
    )
    assert short.exit_code == 2
    assert "whole hours only" in short.stderr


def test_one_direction_and_other_hours_and_another_limit(path: Path, here: Path) -> None:
    def ask(*args: str) -> Any:
        return as_json(speedsign("report", "--db", path, "--json", *args))

    whole = {side["direction"]: side for side in ask()["directions"]}
    one = ask("--direction", "receding")
    assert one["focus"] == "receding"
    assert sum(slot["n"] for slot in one["by_hour"]) == whole["receding"]["n"]
    some = ask("--between", "07-09", "--days", "mon-fri")
    assert {slot["hour"] for slot in some["by_hour"] if slot["hours"]} == {7, 8}
    thirty = ask("--limit", "30")
    assert thirty["limit_kmh"] == 30
    assert thirty["directions"][-1]["over_limit_share"] == 1.0
    result = speedsign("report", "--db", path, "--limit", "30", "--language", "en", "-o", "a.html")
    assert "the installation's is 50 km/h" in result.stderr
    assert "compared with 30 km/h; the speed limit is 50 km/h" in (here / "a.html").read_text(
        encoding="utf-8"
    )


def test_an_earlier_installation_is_named_and_not_mixed_in(tmp_path: Path, here: Path) -> None:
    path = street(tmp_path / "sign.db", "2026-05-04", "2026-05-05")
    store = SqliteStore(path, "test-sign")
    store.begin(Installation("Iecava", 70, 0.0, "x", "Europe/Riga"), local("2026-05-06"))
    store.close()
    fill(path, local("2026-05-06"), local("2026-05-08"))
    result = speedsign("report", "--db", path, "--language", "en", "-o", "a.html")
    assert "Only installation 2 (Iecava" in result.stderr
    page = (here / "a.html").read_text(encoding="utf-8")
    assert "Traffic and speeds: Iecava" in page
    assert (
        "those are not in these numbers: 1 January 2026, 02:00 – 6 May 2026, 00:00 (Bauska, Rīgas iela, "
        "speed limit 50 km/h)." in page
    )
    both = as_json(speedsign("report", "--db", path, "--json", "--installation", "1"))
    assert (both["site"], both["others"]) == ("Bauska, Rīgas iela", [])


def test_a_change_of_the_limit_in_the_period_is_said_wherever_the_period_is(
    tmp_path: Path, here: Path
) -> None:
    path = street(tmp_path / "sign.db", "2026-05-04", "2026-05-14")
    store = SqliteStore(path, "test-sign")
    store.begin(replace(BAUSKA, limit_kmh=30), local("2026-05-15"))
    store.close()
    fill(path, local("2026-05-15"), local("2026-06-01"))
    for more in ([], ["--public"]):
        args = ("--month", "2026-05", "--language", "en", *more)
        speedsign("report", "--db", path, *args, "-o", "a.html", "-o", "a.csv")
        page = (here / "a.html").read_text(encoding="utf-8")
        subtitle, quote = (
            re.findall(pattern, page)[0] for pattern in (r'subtitle">(.*?)<', r"<blockquote><p>(.*?)<")
        )
        other = "– 15 May 2026, 00:00 (speed limit 50 km/h)"
        assert subtitle.startswith("15 May 2026 – 31 May 2026; speed limit 30 km/h; not in these numbers:")
        assert other in subtitle
        assert other in quote
        assert page.count(other) >= 3
        facts = about(here / "a.csv")
        assert (facts["limit_kmh"], facts["from"]) == ("30", "2026-05-15T00:00:00+03:00")
        assert facts["other_installations"] == "1"


def about(path: Path) -> dict[str, str]:
    """The first part of a CSV file."""
    rows = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()[1:]
    return {row["key"]: row["value"] for row in csv.DictReader(rows)}


def test_csv_says_itself_what_its_numbers_are_of(path: Path, here: Path) -> None:
    args = ("--limit", "30", "--days", "sat,sun", "--direction", "receding", "--language", "en")
    speedsign("report", "--db", path, *args, "-o", "a.csv")
    facts = about(here / "a.csv")
    assert facts["method"].startswith("Percentiles are grouped by integer km/h")
    assert {key: facts[key] for key in ("site", "to", "timezone", "class_edges_kmh", "direction")} == {
        "site": "Bauska, Rīgas iela",
        "to": "2026-05-18T00:00:00+03:00",
        "timezone": "Europe/Riga",
        "class_edges_kmh": "[k-0.5, k+0.5)",
        "direction": "receding",
    }
    assert (facts["limit_kmh"], facts["installation_limit_kmh"]) == ("30", "50")
    assert (facts["coverage"], facts["coverage_assumed"], facts["weekdays"]) == ("1", "false", "5 6")
    assert facts["made"].startswith("speedsign ")
    assert "quote," in (here / "a.csv").read_text(encoding="utf-8").split("\n\n")[-1]


def test_a_public_report_of_a_sign_that_never_measured_says_so(tmp_path: Path, here: Path) -> None:
    path = sign(tmp_path / "sign.db", BAUSKA)
    result = speedsign("report", "--db", path, "--public", "--language", "en", "-o", "a.html")
    assert result.exit_code == 0, result.stderr
    assert "nothing was measured." in (here / "a.html").read_text(encoding="utf-8")


class Then:
    """A clock that stands still."""

    def now_utc(self) -> datetime:
        return datetime(2026, 5, 18, 9, 0, tzinfo=UTC)


def test_a_calendar_of_the_past_begins_next_week(
    path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speedsign.cli.report.SystemClock", Then)
    speedsign("report", "--db", path, "-o", "a.ics")
    text = (here / "a.ics").read_text(encoding="utf-8")
    assert min(re.findall(r"DTSTART;TZID=Europe/Riga:(\d{8})", text)) >= "20260525"


def test_the_calendar_begins_when_it_is_asked_to(
    path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Then, "now_utc", lambda _self: datetime(2026, 5, 17, 9, 0, tzinfo=UTC))
    monkeypatch.setattr("speedsign.cli.report.SystemClock", Then)
    speedsign("report", "--db", path, "-o", "a.ics")
    assert "DTSTART;TZID=Europe/Riga:20260518T" in (here / "a.ics").read_text(encoding="utf-8")
    speedsign("report", "--db", path, "-o", "a.ics", "--patrol-from", "2026-09-02")
    text = (here / "a.ics").read_text(encoding="utf-8")
    assert "DTSTART;TZID=Europe/Riga:20260902T" in text
    assert "DTSTART;TZID=Europe/Riga:20260518T" not in text


def test_a_calendar_without_an_hour_says_so(tmp_path: Path, here: Path) -> None:
    path = street(tmp_path / "sign.db", "2026-05-04", "2026-05-04", lambda at: {"approaching": {40: 2}})
    result = speedsign("report", "--db", path, "-o", "a.ics")
    assert result.exit_code == 0
    assert result.stderr.startswith("The calendar is empty: in no hour")


def test_a_file_that_is_there_is_replaced_whole_or_left(
    path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "a.html").write_text("old")
    assert speedsign("report", "--db", path, "-o", "a.html").exit_code == 0
    assert (here / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    before = (here / "a.html").read_bytes()

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device", "a.html")

    monkeypatch.setattr(Path, "replace", full)
    result = speedsign("report", "--db", path, "-o", "a.html", "--language", "en")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert (here / "a.html").read_bytes() == before
    assert names(here) == ["a.html"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (
            ["-o", "bauska"],
            "bauska: which format? End the name in .html, .pdf, .xlsx, .csv, .ics, or give --format",
        ),
        (["-o", "bauska.docx"], "bauska.docx: which format?"),
        (["-o", "-"], "standard output: which format?"),
        (["-o", "-", "--format", "csv", "--json"], "--json and -o - would both write to standard output"),
        (["-o", "a.ics", "--public"], "a public report names no hours to patrol"),
        (["-o", "a.html", "--table", "bands"], "--table is for CSV"),
        (["-o", "a.csv", "--table", "x"], "there is no table 'x' in this report; there are bands, speeds"),
        (["-o", "a.ics", "--patrol-from", "soon"], "--patrol-from 'soon' is no date; write 2026-06-01"),
        (["--month", "2026-05", "--from", "2026-05-01"], "give --month, or --from and --to, not both"),
        (["--from", "yesterday"], "'yesterday' is no date or time"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_writes_nothing(
    path: Path, here: Path, args: list[str], expected: str
) -> None:
    result = speedsign("report", "--db", path, *args)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stderr.count("\n") == 1
    assert names(here) == []


def test_a_folder_and_the_database_are_not_written_over(path: Path, here: Path) -> None:
    (here / "sub.html").mkdir()
    assert "is a folder" in speedsign("report", "--db", path, "-o", "sub.html").stderr
    before = path.read_bytes()
    result = speedsign("report", "--db", path, "-o", path, "--format", "html")
    assert result.exit_code == 2
    assert result.stderr == f"speedsign report: {path} is the database itself; name another file\n"
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_one_sentence(path: Path, here: Path) -> None:
    result = speedsign("report", "--db", path, "-o", "nowhere/a.html")
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_an_officers_computer_lacks_is_named(
    path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for module, output, words in (
        ("typst", "a.pdf", "a PDF needs"),
        ("xlsxwriter", "a.xlsx", "a spreadsheet needs"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        result = speedsign("report", "--db", path, "-o", "a.html", "-o", output)
        assert result.exit_code == 2
        assert words in result.stderr
        assert "pip install 'speedsign[report]'" in result.stderr
    assert names(here) == []


@pytest.mark.parametrize(
    ("site", "name"),
    [
        ("Ģimeņu / \\ iela: <1>", "report-gimenu-iela-1-2026-05-04-2026-05-04.html"),
        ("", "report-test-sign-2026-05-04-2026-05-04.html"),
        ("北京", "report-sign-2026-05-04-2026-05-04.html"),
        ("ļoti " * 40, f"report-{('loti-' * 12)[:-1]}-2026-05-04-2026-05-04.html"),
    ],
)
def test_any_site_gives_a_name_that_every_disk_takes(
    tmp_path: Path, here: Path, site: str, name: str
) -> None:
    path = sign(tmp_path / "sign.db", Installation(site, 50, 0.0, "x", "Europe/Riga"))
    fill(path, local("2026-05-04"), local("2026-05-04") + timedelta(days=1))
    assert speedsign("report", "--db", path).exit_code == 0
    assert names(here) == [name]


def test_a_sign_that_measured_nothing_has_a_report_that_says_so(tmp_path: Path, here: Path) -> None:
    path = sign(tmp_path / "sign.db", BAUSKA)
    outputs = [word for ending in STARTS for word in ("-o", f"a.{ending}")]
    assert speedsign("report", "--db", path, *outputs, "--language", "en").exit_code == 0
    assert "no vehicle was counted" in (here / "a.html").read_text(encoding="utf-8")
    result = speedsign("report", "--db", tmp_path / "no.db")
    assert result.exit_code == 1
    assert "does not exist" in result.stderr
