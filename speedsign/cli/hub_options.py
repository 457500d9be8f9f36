"""What the hub's commands share: --config, which means the hub's, and --db."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from speedsign.cli.common import config_file_option, debug_option
from speedsign.errors import ConfigError, StoreError

DEFAULT_CONFIG = Path("/etc/speedsign/hub.toml")

Command = TypeVar("Command", bound=Callable[..., Any])


def hub_options(command: Command) -> Command:
    """--config, --db, --debug"""
    command = click.option(
        "--db",
        "db_path",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The hub's database, instead of the config's.",
    )(debug_option(command))
    return config_file_option(DEFAULT_CONFIG, "The hub's config.")(command)


# What is said of a database is said of a sign's; a hub's is named elsewhere.
_WORDS = (
    ("give this sign a [store] path of its own", "give this hub a [hub] database of its own"),
    ("start the sign once", "start the hub once"),
    ("[store] path", "[hub] database or --db"),
)


@contextlib.contextmanager
def in_hubs_words() -> Iterator[None]:
    """StoreErrors that come through name the hub's keys."""
    try:
        yield
    except StoreError as error:
        text = str(error)
        for signs, hubs in _WORDS:
            text = text.replace(signs, hubs)
        raise type(error)(text) from error


def hub_database(db_path: Path | None, config_path: Path) -> Path:
    """The database's path; of the config nothing else is used. Raises ConfigError, StoreError."""
    if db_path is None:
        from speedsign.config.hub import HubWishes, load_hub

        if not config_path.exists():
            text = "no such file; name the database with --db FILE, or the config with --config FILE"
            raise ConfigError([f"{config_path}: {text}"])
        db_path = load_hub(config_path, HubWishes()).hub.database
    if db_path.is_dir():
        raise StoreError(f"{db_path}: is a folder; name the database in it")
    return db_path
