"""compare: did the sign help, from databases that the store has made."""

from __future__ import annotations

import random
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from speedsign.model import Installation
from telemetry.rows import packed, to_ms
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign

RIGA = ZoneInfo("Europe/Riga")
MONDAY = date(2026, 5, 4)
HERE = Installation("Bauska, Rīgas iela", 50, 0.0, "ops243", "Europe/Riga", display_profile="one")
EFFECT = re.compile("effect|efekt|ietekm|poveik", re.IGNORECASE)
DARK_WEEK = tuple(range(7))

Speeds = Callable[[datetime, int], Sequence[int]]  # local quarter, day from MONDAY


def at(day: int, hour: int = 0) -> datetime:
    return datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=RIGA) + timedelta(days=day, hours=hour)


def driving(
    seed: int, lit_kmh: float = 0.0, dark: Sequence[int] = DARK_WEEK, trend_kmh: float = 0.0
) -> Speeds:
    def speeds(local: datetime, day: int) -> list[int]:
        rng = random.Random(f"{seed} {local}")
        shift = random.Random(f"weather {day}").gauss(0, 0.5) + trend_kmh * (day >= 7)
        mean = 50 + shift + (0.0 if day in dark else lit_kmh)
        return [max(round(rng.gauss(mean, 6)), 5) for _ in range(3)]

    return speeds


def fill(
    path: Path,
    days: Sequence[int],
    speeds: Speeds,
    *,
    dark: Sequence[int] = DARK_WEEK,
    installation: Installation = HERE,
    sign: str = "test-sign",
    direction: str = "approaching",
    hours: Sequence[int] = range(6, 22),
    keep: bool = False,
    lit: str = "shown",
) -> None:
    """Intervals from 6 to 22 of these days, in the store's own tables."""
    with closing(SqliteStore(path, sign)) as store:
        number = store.begin(installation, at(days[0]).astimezone(UTC))
        db = store._db
        db.execute("BEGIN")
        for day in days:
            for quarter in range(96):
                local = at(day) + timedelta(minutes=15 * quarter)
                if local.hour not in hours:
                    continue
                display = "dark" if day in dark else lit
                _interval(db, number, local, display, direction, speeds(local, day), keep=keep)
        db.execute("COMMIT")


def _interval(
    db: sqlite3.Connection,
    number: int,
    local: datetime,
    display: str,
    direction: str,
    speeds: Sequence[int],
    *,
    keep: bool,
) -> None:
    start_ms = to_ms(local.astimezone(UTC))
    interval = db.execute(
        "INSERT INTO interval (start_s, duration_s, installation_id, measured_s, clock, state, revision)"
        " VALUES (?, 900, ?, 900, 'ok', 'closed', 1)",
        (start_ms // 1000, number),
    ).lastrowid
    if not speeds:
        return
    db.execute(
        "INSERT INTO cell (interval_id, direction, display, speeds) VALUES (?, ?, ?, ?)",
        (interval, direction, display, packed(Counter(speeds))),
    )
    drop = 0.5 if display == "dark" else 2.0
    for place, speed in enumerate(speeds if keep else ()):
        flags = '["few"]' if place == 0 else '["merged"]'
        db.execute(
            "INSERT INTO vehicle (installation_id, first_ms, last_ms, clock, first_mono_s, last_mono_s, "
            "track_id, direction, speed_kmh, entry_kmh, exit_kmh, max_kmh, readings, display, flags, "
            "tracker) VALUES (?, ?, ?, 'ok', 0, 1, 1, ?, ?, ?, ?, ?, 20, ?, ?, '1')",
            (
                *(number, start_ms + 1000, start_ms + 2000 + place, direction, speed),
                *(speed, speed - (99 if place == 0 else drop), speed, display, flags),
            ),
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A dark week and two lit ones, 3 km/h slower."""
    found = tmp_path / "sign.db"
    fill(found, range(21), driving(1, -3.0))
    return found


def ask(path: Path, *args: str | Path) -> dict[str, Any]:
    result = speedsign("compare", "--db", path, "--json", "--resamples", "200", *args)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = as_json(result)
    return found


def dates(first: int, last: int) -> str:
    return f"{MONDAY + timedelta(days=first)}..{MONDAY + timedelta(days=last)}"


# --------------------------------------------------------------------------- what is found


def test_dark_days_are_found_and_compared(path: Path) -> None:
    found = ask(path)
    assert (found["baseline"], found["found_by"], found["claim"]) == (True, "display", "lower")
    assert (found["before"]["from"], found["before"]["to"]) == ("2026-05-04", "2026-05-10")
    assert (found["before"]["days"], found["after"]["days"]) == (7, 14)
    assert found["before"]["n"] == 7 * 16 * 4 * 3
    assert found["hours_of_week"] == 7 * 16
    change = found["changes"]["v85_kmh"]
    assert change["low"] < -3.0 < change["high"] < 0
    assert change["difference"] == pytest.approx(change["after"] - change["before"], abs=1e-6)
    assert "other causes than the sign cannot be ruled out" in found["sentence"]
    assert [week["week"] for week in found["weeks"]] == [1, 2]
    assert (found["passing"], found["controls"], found["phases"]) == (None, None, [])


def test_given_periods_find_the_same_baseline(path: Path) -> None:
    found = ask(path, "--before", dates(0, 6), "--after", dates(7, 20))
    assert (found["baseline"], found["found_by"]) == (True, "dates")
    assert found["changes"] == ask(path)["changes"]


def test_several_periods_may_be_given(path: Path) -> None:
    found = ask(
        path,
        "--before",
        dates(0, 2),
        "--before",
        dates(3, 6),
        "--after",
        "2026-05-11",
        "--after",
        dates(8, 20),
    )
    assert (found["before"]["days"], found["after"]["days"]) == (7, 14)


def test_dark_lit_dark(tmp_path: Path) -> None:
    dark = (*DARK_WEEK, *range(14, 21))
    fill(tmp_path / "sign.db", range(21), driving(2, -3.0, dark), dark=dark)
    found = ask(tmp_path / "sign.db")
    assert [phase["phase"] for phase in found["phases"]] == ["dark_before", "lit", "dark_after"]
    assert found["before"]["days"] == 14


def test_two_lit_periods_are_never_called_more_than_different(path: Path, tmp_path: Path) -> None:
    fill(tmp_path / "lit.db", range(21), driving(3, trend_kmh=-5.0), dark=())
    args = ("--before", dates(0, 6), "--after", dates(7, 20))
    found = ask(tmp_path / "lit.db", *args)
    assert (found["baseline"], found["claim"]) == (False, "no_baseline")
    assert found["changes"]["v85_kmh"]["high"] < 0
    for code in ("lv", "lt", "en"):
        texts = [speedsign("compare", "--db", tmp_path / "lit.db", *args, "--language", code).stdout]
        texts.append(
            speedsign("compare", "--db", tmp_path / "lit.db", *args, "--language", code, "--json").stdout
        )
        for ending in ("html", "csv"):
            file = tmp_path / f"out-{code}.{ending}"
            speedsign("compare", "--db", tmp_path / "lit.db", *args, "--language", code, "-o", file)
            texts.append(file.read_text())
        for text in texts:
            assert len(text) > 500
            assert not EFFECT.search(text)


def test_the_same_seed_is_the_same_answer(path: Path) -> None:
    assert ask(path) == ask(path)
    assert ask(path, "--seed", "7")["changes"] != ask(path)["changes"]


def test_hours_and_days_of_the_week_can_be_chosen(path: Path) -> None:
    found = ask(path, "--between", "07-09", "--days", "mon-fri", "--limit", "40")
    assert found["hours_of_week"] == 10
    assert found["limit_kmh"] == 40
    assert found["changes"]["over_limit_share"]["before"] > 0.8
    assert "limit of 40 km/h" in found["notes"][0]


def test_dark_evenings_are_no_baseline_when_only_they_are_asked_for(tmp_path: Path) -> None:
    """A schedule ends at nine in the first week and at ten in the next ones."""
    path = tmp_path / "sign.db"
    with closing(SqliteStore(path, "test-sign")) as store:
        number = store.begin(HERE, at(0).astimezone(UTC))
        store._db.execute("BEGIN")
        for day in range(21):
            for quarter in range(24, 92):
                local = at(day) + timedelta(minutes=15 * quarter)
                lit = local.hour < (21 if day < 7 else 22)
                display, speeds = "shown" if lit else "dark", [50 - 3 * (day >= 7), 60]
                _interval(store._db, number, local, display, "approaching", speeds, keep=False)
        store._db.execute("COMMIT")
    result = speedsign("compare", "--db", path, "--between", "21-22")
    assert (result.exit_code, "the sign was dark on no day" in result.stderr) == (1, True)
    found = ask(path, "--between", "21-22", "--before", dates(0, 6), "--after", dates(7, 20))
    assert (found["baseline"], found["claim"], found["hours_of_week"]) == (False, "no_baseline", 7)


def test_dark_days_that_were_not_measured_in_the_hours_asked_for(path: Path) -> None:
    result = speedsign("compare", "--db", path, "--between", "02-04")
    assert (result.exit_code, "no hour of the dark days was measured enough" in result.stderr) == (1, True)


def test_what_an_imported_device_showed_is_not_known(tmp_path: Path) -> None:
    text = "time,speed_kmh,direction\n" + "".join(
        f"2026-05-{4 + day:02}T{hour:02}:{10 + n}:00,{50 + n},approaching\n"
        for day in range(14)
        for hour in range(8, 12)
        for n in range(20)
    )
    (tmp_path / "other.csv").write_text(text)
    path = tmp_path / "sign.db"
    result = speedsign(
        *("import", tmp_path / "other.csv", "--db", path, "--site", "Bauska", "--limit", "50"),
        *("--timezone", "Europe/Riga"),
    )
    assert result.exit_code == 0, result.stderr
    args = ("compare", "--db", path, "--before", dates(0, 6), "--after", dates(7, 13))
    result = speedsign(*args)
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "It is not known what the sign showed in these periods" in said
    assert "was not dark in the first" not in said
    assert "No entry and exit speeds are known." in said


def test_the_other_direction_is_information_alone(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    fill(path, range(14), driving(4, -3.0), direction="receding")
    result = speedsign("compare", "--db", path)
    assert result.exit_code == 1
    found = ask(path, "--direction", "receding")
    assert found["direction"] == "receding"
    assert ask(path, "--direction", "both")["before"]["n"] == found["before"]["n"]


def test_a_sign_that_shows_to_the_other_direction_is_told(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE cell SET display = 'blank' WHERE display = 'shown'")
        db.execute(
            "INSERT INTO cell (interval_id, direction, display, speeds)"
            " SELECT interval_id, 'receding', 'shown', speeds FROM cell WHERE display = 'blank'"
        )
    result = speedsign("compare", "--db", path)
    assert result.exit_code == 0
    assert "--direction receding" in result.stderr


def test_kept_vehicles_tell_how_they_slowed_down(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    fill(path, range(14), driving(5), keep=True)
    found = ask(path)["passing"]
    assert found["before"]["n"] == 7 * 16 * 4 * 2  # those with a flag against them are not counted
    assert (found["before"]["mean_drop_kmh"], found["after"]["mean_drop_kmh"]) == (0.5, 2.0)
    assert (found["difference_kmh"], found["low_kmh"], found["high_kmh"]) == (1.5, 1.5, 1.5)


# --------------------------------------------------------------------------- control sites


def test_a_control_site_takes_the_common_trend_off(tmp_path: Path) -> None:
    sign, other = tmp_path / "sign.db", tmp_path / "other.db"
    fill(sign, range(21), driving(1, lit_kmh=-3.0, trend_kmh=-2.0))
    elsewhere = Installation("Iecava", 70, 0.0, "ops243", "Europe/Riga")
    fill(other, range(21), driving(9, trend_kmh=-2.0), dark=range(21), installation=elsewhere, sign="other")
    found = ask(sign, "--control", other)
    assert found["claim"] == "control_lower"
    assert [one["name"] for one in found["controls"]["sites"]] == ["Iecava"]
    own, beyond = found["changes"]["mean_kmh"], found["controls"]["beyond"]["mean_kmh"]
    assert own["difference"] == pytest.approx(-5.0, abs=0.6)
    assert beyond["difference"] == pytest.approx(-3.0, abs=0.6)


def test_a_control_sign_of_the_same_database(path: Path) -> None:
    fill(
        path,
        range(21),
        driving(9),
        dark=range(21),
        sign="other",
        installation=Installation("I", 50, 0, "r", "Europe/Riga"),
    )
    result = speedsign("compare", "--db", path)
    assert result.exit_code == 2
    assert "holds several signs" in result.stderr
    found = ask(path, "--sign", "test-sign", "--control-sign", "other")
    assert found["claim"] == "control_lower"
    result = speedsign("compare", "--db", path, "--sign", "test-sign", "--control-sign", "test-sign")
    assert (result.exit_code, "is the sign itself" in result.stderr) == (2, True)


def test_the_sign_itself_is_no_control_of_itself(path: Path) -> None:
    result = speedsign("compare", "--db", path, "--control", path)
    assert result.exit_code == 1
    assert "its own display was dark for 100 % of its vehicles before and for 0 % after" in result.stderr


# --------------------------------------------------------------------------- installations


@pytest.fixture
def two(tmp_path: Path) -> Callable[[Installation], Path]:
    """A dark week as it stands, and a lit one under another installation."""

    def made(other: Installation) -> Path:
        path = tmp_path / "two.db"
        fill(path, range(7), driving(1))
        fill(path, range(7, 14), driving(1, -3.0), installation=other)
        return path

    return made


def changed(**facts: Any) -> Installation:
    from dataclasses import replace

    return replace(HERE, **facts)


def test_another_display_profile_may_be_compared(two: Callable[[Installation], Path]) -> None:
    path = two(changed(display_profile="words"))
    assert ask(path)["claim"] == "lower"
    assert ask(path, "--before", dates(0, 6), "--after", dates(7, 13))["claim"] == "lower"


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"site": "Iecava"}, "site"),
        ({"limit_kmh": 70}, "limit"),
        ({"mounting_angle_deg": 12.0}, "mounting angle"),
        ({"radar": "kld7"}, "radar"),
        ({"rounds": False}, "rounding"),
        ({"timezone": "Europe/Vilnius"}, "time zone"),
    ],
)
def test_any_other_difference_is_refused_and_named(
    two: Callable[[Installation], Path], facts: dict[str, Any], what: str
) -> None:
    path = two(changed(**facts))
    result = speedsign("compare", "--db", path, "--before", dates(0, 6), "--after", dates(7, 13))
    assert result.exit_code == 2
    assert f"installations 1 and 2 both measured in these periods and differ in {what}:" in result.stderr


def test_other_places_are_left_out_and_named_when_no_dates_were_given(path: Path) -> None:
    fill(
        path,
        range(21, 42),
        driving(3, -3.0, range(21, 28)),
        dark=range(21, 28),
        installation=changed(site="Iecava"),
    )
    result = speedsign("compare", "--db", path, "--json")
    assert result.exit_code == 0
    assert as_json(result)["site"] == "Iecava"
    assert "the sign stood differently at other times: see --installation 1" in result.stderr
    assert ask(path, "--installation", "1")["site"] == HERE.site


# --------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("ending", "start"), [("html", b"<!"), ("csv", b"# "), ("xlsx", b"PK"), ("pdf", b"%PDF")]
)
def test_a_report_can_be_written(path: Path, tmp_path: Path, ending: str, start: bytes) -> None:
    file = tmp_path / f"answer.{ending}"
    result = speedsign("compare", "--db", path, "-o", file, "--language", "lt")
    assert result.exit_code == 0, result.stderr
    assert file.read_bytes().lower().startswith(start.lower())


def test_the_files_have_the_numbers_of_the_json(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    found = ask(path, "-o", file)
    line = next(line for line in file.read_text().splitlines() if line.startswith("V85,"))
    change = found["changes"]["v85_kmh"]
    wanted = [change[key] for key in ("before", "after", "difference", "low", "high")]
    assert [float(cell) for cell in line.split(",")[1:6]] == pytest.approx(wanted, abs=1e-6)


def test_a_file_of_unknown_kind_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    result = speedsign("compare", "--db", tmp_path / "none.db", "-o", tmp_path / "answer.doc")
    assert result.exit_code == 2
    assert "end the name in .html, .pdf, .xlsx, .csv" in result.stderr
    assert not (tmp_path / "answer.doc").exists()


def test_a_missing_package_is_one_sentence(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    result = speedsign("compare", "--db", path, "-o", tmp_path / "answer.pdf")
    assert result.exit_code == 2
    assert "pip install 'speedsign[report]'" in result.stderr
    assert not (tmp_path / "answer.pdf").exists()


def test_asking_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    ask(path)
    assert path.read_bytes() == before


def test_the_config_gives_database_and_language(path: Path, tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    sign = '[sign]\nid = "test-sign"\nlanguage = "lt"\nlimit_kmh = 50\n'
    config.write_text(f'{sign}[store]\npath = "{path}"\n')
    file = tmp_path / "answer.csv"
    result = speedsign("compare", "--config", config, "--json", "-o", file)
    assert result.exit_code == 0, result.stderr
    assert as_json(result)["sentence"] == ask(path, "--resamples", "2000")["sentence"]
    assert ask(path, "--language", "lt", "--resamples", "2000")["sentence"] in file.read_text()


@pytest.mark.parametrize(
    ("timezone", "code"), [("Europe/Riga", "lv"), ("Europe/Vilnius", "lt"), ("Europe/Berlin", "en")]
)
def test_a_file_is_in_the_language_of_its_country_as_a_report_is(
    tmp_path: Path, timezone: str, code: str
) -> None:
    path, file, own = tmp_path / "sign.db", tmp_path / "answer.csv", tmp_path / "report.csv"
    fill(path, range(14), driving(1, -3.0), installation=changed(timezone=timezone), hours=(8, 12))
    result = speedsign("compare", "--db", path, "-o", file, "--limit", "40")
    assert "while it was dark" in " ".join(result.stdout.split())
    assert speedsign("report", "--db", path, "-o", own).exit_code == 0
    for text in (file.read_text(), own.read_text()):
        assert f"\nlanguage,{code}\n" in text
    sentence = ask(path, "--language", code, "--resamples", "2000", "--limit", "40")["sentence"]
    assert sentence in file.read_text()
    assert ("Counted against a limit of 40" in file.read_text()) is (code == "en")


# --------------------------------------------------------------------------- what cannot be


def test_a_sign_that_was_never_dark_for_a_day_has_no_baseline(tmp_path: Path) -> None:
    fill(tmp_path / "sign.db", range(14), driving(1), dark=())
    result = speedsign("compare", "--db", tmp_path / "sign.db")
    assert result.exit_code == 1
    start = f"speedsign compare: {tmp_path / 'sign.db'}: the sign was dark on no day, so there is no baseline"
    assert result.stderr.startswith(start)
    assert result.stdout == ""


def test_a_sign_that_was_never_lit(tmp_path: Path) -> None:
    fill(tmp_path / "sign.db", range(7), driving(1))
    result = speedsign("compare", "--db", tmp_path / "sign.db")
    assert (result.exit_code, "lit in no hour" in result.stderr) == (1, True)


def test_a_mix_that_shares_no_hour_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    fill(path, range(7), driving(1), hours=(2, 3))
    fill(path, range(7, 14), driving(1), hours=(12, 13))
    result = speedsign("compare", "--db", path)
    assert (result.exit_code, "no hour of the week in common" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--before", "2026-05-04..2026-05-05"], "give both --before and --after"),
        (["--after", "2026-05-04"], "give both --before and --after"),
        (["--before", "May", "--after", "2026-05-04"], "'May' is no period"),
        (["--before", "2026-05-04..", "--after", "2026-05-05"], "is no period"),
        (["--before", "2026-05-09..2026-05-04", "--after", "2026-05-12"], "ends before it begins"),
        (["--before", "0001-01-01", "--after", "2026-05-12"], "is no date or time of 1970"),
        (
            ["--before", "2026-05-04..2026-05-10", "--after", "2026-05-10"],
            "2026-05-10 is in two of the periods",
        ),
        (["--before", "2026-05-04", "--after", "2026-05-12", "--from", "2026-05-01"], "not both"),
        (["--resamples", "5"], "--resamples"),
        (["--language", "de"], "--language"),
        (["--direction", "unknown"], "--direction"),
        (["--installation", "9"], "there is no installation 9"),
    ],
)
def test_wrong_use_is_one_sentence(path: Path, args: list[str], wanted: str) -> None:
    result = speedsign("compare", "--db", path, *args)
    assert result.exit_code == 2
    assert wanted in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--before", "2020-01-01", "--after", "2026-05-12"], "no hour of --before was measured enough"),
        (["--before", "2020-01-01", "--after", "2020-02-01"], "nothing was measured in that period"),
        (["--from", "2020-01-01", "--to", "2020-02-01"], "nothing was measured in that period"),
        (["--control", "missing.db"], "missing.db"),
        (["--control", "."], "is a folder"),
    ],
)
def test_what_is_not_there_is_one_sentence(path: Path, args: list[str], wanted: str) -> None:
    result = speedsign("compare", "--db", path, *args)
    assert result.exit_code == 1
    assert wanted in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_no_database_is_written_over(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    link = tmp_path / "answer.html"
    link.symlink_to(path)
    result = speedsign("compare", "--db", path, "-o", link)
    assert result.exit_code == 2
    assert result.stderr == f"speedsign compare: {link} is the database itself; name another file\n"
    assert path.read_bytes() == before
