"""What an officer asks a hub's database is answered as the sign's own would answer."""

from __future__ import annotations

import contextlib
import csv
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.calibration.record import Kind, Verdict
from telemetry.calibration import keep
from telemetry.rows import speed_class
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.docs.study import BAUSKA, IECAVA, make_study
from tests.hub.traffic import BEGIN, SIGNS, make_hub, make_sign, said_by
from tests.telemetry.calibrations import record


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The signs' databases by their names, and the hub's."""
    folder = tmp_path_factory.mktemp("officers")
    found = {}
    for sign in SIGNS:
        (folder / sign).mkdir()
        found[sign] = make_sign(folder / sign / "sign.db", sign)
        calibrated(found[sign], sign)
    heard = [one for sign, path in found.items() for one in said_by(path, sign)]
    random.Random(5).shuffle(heard)
    found["hub"] = make_hub(folder / "hub.db", heard[:100], heard[100:], heard[::3])
    return found


def calibrated(path: Path, sign: str) -> None:
    """Checks before, in and after the day that was measured; the last one failed. And one of the panel."""
    place = SIGNS[sign]
    facts: dict[str, Any] = {
        "sign": sign,
        "site": place.site,
        "driver": place.radar,
        "mounting_angle_deg": place.mounting_angle_deg,
    }
    for number, (hours, verdict) in enumerate([(-400, "pass"), (4, "fail"), (5, "pass"), (300, "fail")]):
        at = BEGIN.replace(microsecond=0) + timedelta(hours=hours)
        keep(path, record(number, at, verdict=Verdict(verdict), **facts))
    keep(path, record(9, BEGIN.replace(microsecond=0), kind=Kind.PANEL, verdict=Verdict.FAIL, **facts))


def both(files: dict[str, Path], sign: str, *words: str) -> tuple[Any, Any]:
    """The answer of the sign's own file, and that of the hub's."""
    own = speedsign(*words, "--db", files[sign], "--json")
    hub = speedsign(*words, "--db", files["hub"], "--json", "--sign", sign)
    assert (own.exit_code, hub.exit_code) == (0, 0), own.stderr + hub.stderr
    return as_json(own), as_json(hub)


def without(value: Any, *names: str) -> Any:
    """Without what is a number of the file's own, and no measurement; a place is told by the second."""
    if isinstance(value, str):
        return value.replace(".730000+03:00", "+03:00")
    if isinstance(value, dict):
        return {key: without(one, *names) for key, one in value.items() if key not in names}
    return [without(one, *names) for one in value] if isinstance(value, list) else value


OWN = ("installations_left_out", "installation", "installation_id", "id", "database", "generated", "made")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "2026-05-04", "--to", "2026-05-04"),
        ("--from", "2026-05-04T07:00", "--to", "2026-05-04T10:00"),
        ("--from", "2026-05-04T07:05", "--to", "2026-05-04T08:40"),
        ("--between", "11-14"),
        ("--headways", "--percentiles", "15,98"),
    ],
)
def test_stats_are_the_same(files: dict[str, Path], sign: str, words: tuple[str, ...]) -> None:
    own, hub = both(files, sign, "stats", *words)
    assert without(hub, *OWN) == without(own, *OWN)
    assert sum(row["n"] for row in own) > 0


@pytest.mark.parametrize("sign", SIGNS)
def test_reports_are_the_same(files: dict[str, Path], sign: str) -> None:
    own, hub = both(files, sign, "report", "--from", "2026-05-04", "--to", "2026-05-04")
    assert without(hub, *OWN) == without(own, *OWN)
    checks = [(one["part"], one["verdict"]) for one in own["calibrations"]]
    assert checks == [("before", "pass"), ("during", "fail"), ("during", "pass"), ("after", "fail")]


@pytest.mark.parametrize("sign", SIGNS)
def test_the_calibrations_are_the_same_but_for_names_and_runs(files: dict[str, Path], sign: str) -> None:
    own, hub = both(files, sign, "calibrate", "history")
    at_the_sign = ("by", "tool", "device", "before", "after", "runs", "result", "sentence", "note", "log")
    assert without(hub, *at_the_sign) == without(own, *at_the_sign)
    assert len(own["calibrations"]) == 5
    assert not any(one["by"] or one["runs"] for one in hub["calibrations"])


@pytest.mark.parametrize("sign", SIGNS)
def test_the_installations_are_the_same(files: dict[str, Path], sign: str) -> None:
    own, hub = both(files, sign, "installation", "list")
    assert without(hub, *OWN) == without(own, *OWN)
    assert len(own) == 2


def exported(files: dict[str, Path], folder: Path, sign: str, what: str) -> list[list[dict[str, str]]]:
    """Of the sign's own file, and of the hub's."""
    found = []
    for name, words in ((sign, ()), ("hub", ("--sign", sign))):
        out = folder / f"{name}.csv"
        done = speedsign("export", "--what", what, "-o", out, "--db", files[name], *words)
        assert done.exit_code == 0, done.stderr
        with out.open(encoding="utf-8", newline="") as file:
            found.append([without(row, *OWN) for row in csv.DictReader(file)])
    assert len(found[0]) > 10
    return found


@pytest.mark.parametrize("sign", SIGNS)
def test_exported_counts_are_the_same(files: dict[str, Path], tmp_path: Path, sign: str) -> None:
    own, hub = exported(files, tmp_path, sign, "intervals")
    assert hub == own


SPEEDS = ("speed_kmh", "entry_kmh", "exit_kmh", "max_kmh")


@pytest.mark.parametrize("sign", SIGNS)
def test_exported_vehicles_are_the_same_to_a_tenth(files: dict[str, Path], tmp_path: Path, sign: str) -> None:
    """So they are sent; of the strength the first digits. A speed stays in its class of 1 km/h."""
    own, hub = exported(files, tmp_path, sign, "vehicles")
    for mine, theirs in zip(own, hub, strict=True):
        for name in SPEEDS:
            assert float(theirs[name]) == pytest.approx(float(mine[name]), abs=0.1001)
        assert float(theirs["strength"]) == pytest.approx(float(mine["strength"]), rel=0.05)
        rounds = theirs["rounds"] == "true"
        assert speed_class(float(theirs["speed_kmh"]), rounds=rounds) == speed_class(
            float(mine["speed_kmh"]), rounds=rounds
        )
        assert without(theirs, *SPEEDS, "strength") == without(mine, *SPEEDS, "strength")


def test_two_signs_of_one_file_are_compared(tmp_path: Path) -> None:
    """Treated and control out of the hub's database, as out of their own two; sent by `resend`."""
    own = {site.sign: tmp_path / f"{site.sign}.db" for site in (BAUSKA, IECAVA)}
    for seed, (site, path) in enumerate(zip((BAUSKA, IECAVA), own.values(), strict=True)):
        make_study(path, site, seed)
        with contextlib.closing(SqliteStore(path, site.sign)) as store:
            store._db.execute("DELETE FROM vehicle")  # this sign does not send them
            assert store.resend(0, 2**32) == 42 * 96
    heard = [one for sign, path in own.items() for one in said_by(path, sign)]
    hub = make_hub(tmp_path / "hub.db", heard)
    words = ("compare", "--resamples", "100", "--json")
    apart = speedsign(*words, "--db", own[BAUSKA.sign], "--control", own[IECAVA.sign])
    one = speedsign(*words, "--db", hub, "--sign", BAUSKA.sign, "--control-sign", IECAVA.sign)
    assert (apart.exit_code, one.exit_code) == (0, 0), apart.stderr + one.stderr
    assert without(as_json(one), *OWN, "control") == without(as_json(apart), *OWN, "control")


def test_without_a_name_the_signs_are_named(files: dict[str, Path]) -> None:
    for words in (("stats",), ("report",), ("export",)):
        done = speedsign(*words, "--db", files["hub"])
        assert done.exit_code == 2
        assert "bauska-1, iecava-2" in done.stderr
        assert "--sign" in done.stderr


def test_a_sign_that_is_not_there_is_said(files: dict[str, Path]) -> None:
    done = speedsign("stats", "--db", files["hub"], "--sign", "riga-9")
    assert (done.exit_code, "there is no sign 'riga-9'" in done.stderr) == (2, True)
    done = speedsign("installation", "list", "--db", files["hub"], "--sign", "riga-9")
    assert (done.exit_code, "there is no sign 'riga-9'" in done.stderr) == (2, True)


def test_the_list_of_all_says_whose_each_is(files: dict[str, Path]) -> None:
    done = speedsign("installation", "list", "--db", files["hub"])
    assert done.stdout.count("bauska-1: Bauska, Rīgas iela") == 2
    assert done.stdout.count("iecava-2: Iecava, skola") == 2


def test_an_angle_is_put_right_at_the_sign(files: dict[str, Path]) -> None:
    number = json.loads(speedsign("installation", "list", "--db", files["hub"], "--json").stdout)[0]["id"]
    done = speedsign("installation", "angle", str(number), "20", "--db", files["hub"], "--yes")
    assert done.exit_code == 2
    assert "was heard from" in done.stderr


def test_a_copy_of_the_hubs_file_answers_too(files: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert speedsign("backup", copy, "--db", files["hub"]).exit_code == 0
    own, hub = both({**files, "hub": copy}, "bauska-1", "stats")
    assert without(hub, *OWN) == without(own, *OWN)
