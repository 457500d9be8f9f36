"""installation list and angle, on databases that the store has made."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from telemetry.lock import sole_writer
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.telemetry.samples import BAUSKA, T0, measured, passed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two installations, a vehicle in each."""
    path = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        store.add_vehicle(passed(50), [measured(T0, 60)])
        moved = replace(
            BAUSKA, site="Iecava", mounting_angle_deg=0.0, display_profile="approaching 10-100: speed"
        )
        store.begin(moved, T0 + timedelta(days=3))
        store.add_vehicle(passed(47, T0 + timedelta(days=3)), [])
        store.close_intervals(T0 + timedelta(days=4), None)
    return path


def test_lists_from_when_to_when(path: Path) -> None:
    result = speedsign("installation", "list", "--db", path)
    assert result.stdout.replace("display profile not known", "unknown").splitlines() == [
        "  1  2026-05-04 10:00 to 2026-05-07 10:00  Bauska, Rīgas iela, 50 km/h, ops243 at 12.5°; unknown",
        "  2  2026-05-07 10:00 to now  Iecava, 50 km/h, ops243 at 0°; approaching 10-100: speed",
    ]


def test_lists_as_json(path: Path) -> None:
    first, second = as_json(speedsign("installation", "list", "--db", path, "--json"))
    assert (first["id"], first["sign"], first["to"]) == (1, "bauska-3", "2026-05-07T10:00:00+03:00")
    assert (second["site"], second["to"], second["imported"]) == ("Iecava", None, False)


def test_the_database_of_the_config_is_taken(path: Path) -> None:
    config = path.with_name("sign.toml")
    config.write_text(f'[store]\npath = "{path}"\n')
    assert len(as_json(speedsign("installation", "list", "--config", config, "--json"))) == 2


def test_puts_an_angle_right_and_says_what_to_do_then(path: Path) -> None:
    result = speedsign("installation", "angle", "2", "20", "--db", path, "--yes")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "installation 2: 0° is now 20°; 0 vehicles were computed again",
        "1 vehicle is of a version that did not keep what this needs: scaled by the cosines, by 1.0642",
        "now set [radar] mounting_angle_deg = 20 in the config: the sign divides by it",
    ]
    (row, *_) = as_json(speedsign("stats", "--db", path, "--json"))
    assert (row["n"], row["max_kmh"]) == (1, 50)


def test_says_apart_what_was_computed_again_and_what_only_scaled(tmp_path: Path) -> None:
    """One vehicle with its radial speed, two of an older version, three of which only counts are left."""
    path = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(replace(BAUSKA, mounting_angle_deg=0.0), T0)
        for minute in (1, 2, 3, 61, 62, 121):
            record = passed(50, T0 + timedelta(minutes=minute))
            if minute == 121:
                record = replace(record, vehicle=replace(record.vehicle, radial_kmh=50.0))
            store.add_vehicle(record, [])
        store.prune(T0 + timedelta(minutes=30))
    result = speedsign("installation", "angle", "1", "20", "--db", path, "--yes")
    assert result.stdout.splitlines()[:3] == [
        "installation 1: 0° is now 20°; 1 vehicle was computed again",
        "2 vehicles are of a version that did not keep what this needs: scaled by the cosines, by 1.0642",
        (
            "3 vehicles are in intervals of which only the counts are whole: these were scaled, "
            "approaching by 1.0642, receding by 1.0642"
        ),
    ]
    back = as_json(speedsign("installation", "angle", "1", "0", "--db", path, "--yes", "--json"))
    assert (back["recomputed"], back["scaled"], back["scaled_kept"]) == (1, 5, 2)


def test_an_earlier_installation_needs_no_change_of_the_config(path: Path) -> None:
    result = speedsign("installation", "angle", "1", "20", "--db", path, "--yes", "--json")
    assert as_json(result)["from_deg"] == 12.5
    assert "now set" not in speedsign("installation", "angle", "1", "10", "--db", path, "--yes").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("7", "20"), "there is no installation 7"),
        (("2", "0"), "has a mounting angle of 0 degrees already"),
        (("2", "61"), "is not in the range"),
        (("2", "nan"), "not a number"),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(
    path: Path, words: tuple[str, ...], sentence: str
) -> None:
    result = speedsign("installation", "angle", *words, "--db", path, "--yes")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert as_json(speedsign("installation", "list", "--db", path, "--json"))[1]["mounting_angle_deg"] == 0


def test_nothing_is_done_without_a_yes_or_beside_a_running_sign(path: Path) -> None:
    assert speedsign("installation", "angle", "2", "20", "--db", path).exit_code == 1  # nobody answered
    with sole_writer(path):
        result = speedsign("installation", "angle", "2", "20", "--db", path, "--yes")
    assert result.exit_code == 1
    assert "is in use by another speedsign" in result.stderr
    assert as_json(speedsign("installation", "list", "--db", path, "--json"))[1]["mounting_angle_deg"] == 0


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    for words in (("list",), ("angle", "1", "5", "--yes")):
        result = speedsign("installation", *words, "--db", tmp_path / "none.db")
        assert result.exit_code == 1
        assert "does not exist" in result.stderr
    assert not (tmp_path / "none.db").exists()
