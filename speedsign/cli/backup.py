"""speedsign backup: a whole copy of the database, also while the sign writes it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.database import database, database_option
from speedsign.cli.whole_file import refuse_database
from speedsign.errors import StoreError, UsageError
from telemetry.database import open_for_reading, sentences


@click.command(cls=SignCommand, example="speedsign backup bauska.db")
@click.argument("target", type=click.Path(path_type=Path))
@database_option
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@config_option
@json_option
def backup(
    config_path: Path, *, target: Path, db_path: Path | None, force: bool, debug: bool, as_json: bool
) -> None:
    """Copy the database to TARGET, to take along or to keep.

    The copy is one whole file, as the database was at one moment. A plain copy of the file of a running sign
    is none: part of it is in a second file beside it.
    """
    path = database(db_path, config_path)
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it")
    refuse_database(target, path)
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or replace it with --force")
    size = _copy(path, target)
    if as_json:
        print_json({"from": str(path), "to": str(target), "bytes": size})
    else:
        click.echo(f"{target}: a copy of {path}, {size:,} bytes")


def _without_epoch(copy: sqlite3.Connection) -> None:
    """So that a sign that is begun on the copy does not go on under the name of the one it was taken from.

    The epoch names a database to the hub; the copy's messages would be taken for those that came meanwhile.
    """
    with copy:
        copy.execute("DELETE FROM meta WHERE key = 'epoch'")


def _copy(path: Path, target: Path) -> int:
    """By way of a file beside the target, so that a copy that was cut off is not taken for one.

    Errors name the target: of the file beside it the user has never heard.
    """
    made = target.with_name(f".{target.name}.part")
    with contextlib.closing(open_for_reading(path)) as db:
        if not target.parent.is_dir():
            raise StoreError(f"{target}: the folder {target.parent} does not exist; create it")
        try:
            made.unlink(missing_ok=True)
            try:
                with sentences(target), contextlib.closing(sqlite3.connect(made)) as copy:
                    db.backup(copy)
                    _without_epoch(copy)
                    copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
                made.replace(target)
            finally:
                made.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error.strerror or error}") from error
    return target.stat().st_size
