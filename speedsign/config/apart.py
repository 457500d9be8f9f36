"""Reading the config in a process of its own, so that the daemon does not carry the validator for years.

pydantic and what it builds cost 13 MB and a fifth of a second; the child takes both with it, while the
parent already does something else.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

from speedsign.config.schema import Config
from speedsign.errors import ConfigError


def load_config_apart(path: Path, meanwhile: Callable[[], object]) -> Config:
    """As `speedsign.config.load.load_config`: the checked config, or ConfigError.

    Call it before there are threads or a loop: it forks. `meanwhile` runs here while the child works.
    """
    read_fd, write_fd = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_fd)
            _answer(path, write_fd)
        finally:
            os._exit(0)  # without any clean-up that is the parent's
    os.close(write_fd)
    meanwhile()
    with os.fdopen(read_fd, "rb") as answer:
        data = answer.read()
    os.waitpid(child, 0)
    found = pickle.loads(data) if data else None  # noqa: S301  from our own child
    if isinstance(found, Config):
        return found
    raise ConfigError(found if isinstance(found, list) else [f"{path}: the config could not be read"])


def _answer(path: Path, write_fd: int) -> None:
    """In the child: the config, or the list of its problems."""
    from speedsign.config.load import load_config

    try:
        found: Config | list[str] = load_config(path)
    except ConfigError as error:
        found = error.problems
    with os.fdopen(write_fd, "wb") as out:
        pickle.dump(found, out)
