"""Which database an officer's command works on: the one named, else the one of the config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from speedsign.errors import StoreError

Command = TypeVar("Command", bound=Callable[..., Any])


def database_option(command: Command) -> Command:
    """--db"""
    return click.option(
        "--db",
        "db_path",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A database, instead of the config's.",
    )(command)


def database(db_path: Path | None, config_path: Path) -> Path:
    """The database's path; of the config nothing else is read. Raises ConfigError, StoreError."""
    if db_path is None:
        from speedsign.config.officer_keys import officer_keys

        db_path = officer_keys(config_path).store_path
    if db_path.is_dir():
        raise StoreError(f"{db_path}: is a folder; name the database in it")
    return db_path
