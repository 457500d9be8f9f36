"""No command writes over the database that it reads, by whatever name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from speedsign.cli.whole_file import refuse_database
from speedsign.errors import UsageError
from tests.cli.command import speedsign
from tests.exchange.files import sign


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return sign(tmp_path / "own.db")


COMMANDS = (
    ["export", "--what", "hours", "-o"],
    ["export", "--format", "fiware", "-o"],
    ["report", "-o"],
    ["backup", "--force"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("by", ["name", "link", "hard link", "-wal", "-shm", "-journal", ".lock"])
def test_the_database_stays_as_it_is(tmp_path: Path, db: Path, command: list[str], by: str) -> None:
    before = db.read_bytes()
    output = tmp_path / "out.html"
    if by == "name":
        output = db
    elif by == "link":
        output.symlink_to(db)
    elif by == "hard link":
        os.link(db, output)
    else:
        db.with_name(db.name + by).touch()
        output.symlink_to(db.with_name(db.name + by))
    result = speedsign(
        *command, output, "--db", db, *(["--format", "html"] if command[0] == "report" else [])
    )
    assert result.exit_code == 2, result.stderr
    said = f"belongs to the database {db}" if by[0] in "-." else "is the database itself"
    assert result.stderr == f"speedsign {command[0]}: {output} {said}; name another file\n"
    assert db.read_bytes() == before
    assert output.exists()


def test_files_that_sqlite_makes_later_are_refused_too(tmp_path: Path, db: Path) -> None:
    (tmp_path / "linked.db").symlink_to(db)
    for name in ("own.db-wal", "linked.db-wal"):
        with pytest.raises(UsageError):
            refuse_database(tmp_path / name, tmp_path / "linked.db")
    refuse_database(tmp_path / "own.db.csv", db)
    refuse_database(Path("/dev/stdout"), db)
