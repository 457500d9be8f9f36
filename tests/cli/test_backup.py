"""backup: one whole file, also of a sign that is writing."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed


def test_holds_what_is_still_in_the_side_file(tmp_path: Path) -> None:
    with contextlib.closing(SqliteStore(tmp_path / "sign.db", "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        for minute in range(3):
            store.add_vehicle(passed(50 + minute), [measured(T0 + minute * QUARTER, 60)])
        result = speedsign("backup", tmp_path / "copy.db", "--db", tmp_path / "sign.db", "--json")
        assert result.exit_code == 0, result.stderr
    assert as_json(result)["bytes"] == (tmp_path / "copy.db").stat().st_size
    assert {file.name for file in tmp_path.iterdir() if "copy" in file.name} == {"copy.db"}
    assert (tmp_path / "copy.db").read_bytes()[18:20] == b"\x01\x01"  # no WAL: nothing will lie beside it
    (row, *_) = as_json(speedsign("stats", "--db", tmp_path / "copy.db", "--json"))
    assert (row["n"], row["max_kmh"]) == (3, 52)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with contextlib.closing(SqliteStore(tmp_path / "sign.db", "bauska-3")) as store:
        store.begin(BAUSKA, T0)
    return tmp_path / "sign.db"


def test_nothing_is_replaced_unasked(path: Path) -> None:
    other = path.with_name("old.db")
    other.write_text("precious")
    result = speedsign("backup", other, "--db", path)
    assert (result.exit_code, other.read_text()) == (2, "precious")
    assert speedsign("backup", other, "--db", path, "--force").exit_code == 0
    assert other.read_bytes().startswith(b"SQLite format 3")


def test_never_onto_itself(path: Path) -> None:
    before = path.read_bytes()
    result = speedsign("backup", path, "--db", path, "--force")
    assert result.exit_code == 2
    assert "is the database itself" in result.stderr
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_said(path: Path) -> None:
    target = path.parent / "none" / "copy.db"
    result = speedsign("backup", target, "--db", path)
    assert result.exit_code == 1
    assert f"{target}: the folder {target.parent} does not exist" in result.stderr
    assert ".part" not in result.stderr


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_folder_is_no_target_and_stays_as_it_is(path: Path, force: tuple[str, ...]) -> None:
    folder = path.with_name("live")
    folder.mkdir()
    result = speedsign("backup", folder, "--db", path, *force)
    assert result.exit_code == 2
    assert f"{folder} is a folder; name a file in it" in result.stderr
    assert ".part" not in result.stderr
    assert (folder.is_dir(), list(folder.iterdir())) == (True, [])


def test_what_the_system_refuses_is_said_of_the_file_that_was_named(path: Path) -> None:
    target = path.with_name("copy.db")
    path.with_name(".copy.db.part").mkdir()  # in the way, whoever we are
    result = speedsign("backup", target, "--db", path)
    assert result.exit_code == 1
    assert f"backup: {target} cannot be written: " in result.stderr
    assert ".part" not in result.stderr


def test_no_database_no_copy(tmp_path: Path) -> None:
    result = speedsign("backup", tmp_path / "copy.db", "--db", tmp_path / "none.db")
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])


def test_a_sign_that_goes_on_with_a_copy_has_a_name_of_its_own(path: Path) -> None:
    """Or the hub would take what it says for what the first one had said meanwhile."""
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.close_intervals(T0 + 3 * QUARTER, T0)
        epoch = store.epoch
    copy = path.with_name("copy.db")
    assert speedsign("backup", copy, "--db", path).exit_code == 0
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert store.epoch == epoch
    with contextlib.closing(SqliteStore(copy, "bauska-3")) as store:
        assert store.epoch != epoch
        assert sorted(row.seq for row in store.pending(9)) == [1, 2, 3, 4]
