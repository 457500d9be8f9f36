"""What a calibration changes in the config: asked, checked, written, and what has to be done then."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from speedsign.cli.calibrating.book import Book, keep_what_there_is
from speedsign.cli.calibrating.mounting import KEY, SAME_DEG
from speedsign.cli.calibrating.technician import Stopped, Technician
from speedsign.cli.interrupt import undisturbed
from speedsign.errors import SpeedsignError, StoreError, UsageError

RESTART = "it holds when the sign is started again: sudo systemctl restart speedsign"


def offer(
    technician: Technician,
    book: Book,
    values: Mapping[str, Any],
    *,
    write: bool | None,
    proposed: bool = True,
) -> bool:
    """Write these keys of the config where the person wants it; whether they were written.

    `write` None: ask, with `proposed` as the default. What cannot be written becomes a trouble
    of the book, and the file is as it was. Raises Stopped, UsageError.
    """
    words = ", ".join(f"{key} = {value_text(value)}" for key, value in values.items())
    if book.dry_run or book.config is None:
        technician.say(f"dry run: the config is not touched; it would say {words}")
        return False
    if write is None:
        write = technician.confirm(f"Write {words}?", default=proposed, option="--write or --no-write")
    if not write:
        technician.say(f"{book.config_path}: left as it is")
        return False
    try:
        with contextlib.suppress(KeyboardInterrupt), undisturbed():  # only the record is left to be kept
            _write(book.config_path, values)
            book.done.append("the config is written")
    except SpeedsignError as error:
        book.troubles.append(str(error))
        return False
    technician.say(f"{book.config_path}: {words}")
    technician.say(RESTART)
    return True


def offer_angle(
    technician: Technician, book: Book, angle_deg: float, *, write: bool | None, proposed: bool = True
) -> bool:
    """The same for the mounting angle; says what becomes of what was measured with the old one."""
    before_deg = book.config.radar.mounting_angle_deg if book.config else 0.0
    if book.config is not None and abs(before_deg - angle_deg) < SAME_DEG:
        technician.say(f"{book.config_path}: mounting_angle_deg is {before_deg:g} already")
        return False
    if not offer(technician, book, {KEY: angle_deg}, write=write, proposed=proposed):
        return False
    if book.config is not None:
        _what_was_measured(technician, book.config.store.path, before_deg, angle_deg)
    return True


def offered_angle(technician: Technician, book: Book, angle_deg: float, *, write: bool | None) -> bool:
    """`offer_angle` after a measurement, which is not to be lost. Raises Stopped where it may be."""
    return _not_lost(technician, book, lambda: offer_angle(technician, book, angle_deg, write=write))


def offered(technician: Technician, book: Book, values: Mapping[str, Any], *, write: bool | None) -> bool:
    """`offer` after a measurement, which is not to be lost. Raises Stopped where it may be."""
    return _not_lost(technician, book, lambda: offer(technician, book, values, write=write))


def _not_lost(technician: Technician, book: Book, ask: Callable[[], bool]) -> bool:
    """Who does not answer has not written it; what was measured is kept unless somebody says no."""
    try:
        return ask()
    except UsageError as error:
        book.troubles.append(str(error))
    except Stopped as stopped:
        if not keep_what_there_is(technician, "what was measured", stopped):
            raise
    return False


def _write(path: Path, values: Mapping[str, Any]) -> None:
    from speedsign.config.toml_text import read_text
    from speedsign.config.writing import set_values, write_config

    old = read_text(path)
    write_config(path, set_values(old, values, str(path)), old=old)


def _what_was_measured(technician: Technician, store_path: Path, before_deg: float, angle_deg: float) -> None:
    """Figures of the old angle stay as they are until somebody says that it was wrong all along."""
    from telemetry.query import read_installations

    if not store_path.exists():
        return
    try:
        own = [one for one in read_installations(store_path) if not one.imported and not one.heard]
    except StoreError:
        return  # the sign says what is wrong with its database
    if own and abs(own[-1].facts.mounting_angle_deg - before_deg) < SAME_DEG:
        technician.say(
            f"what was measured with {before_deg:g} degrees keeps it; if it was wrong from the start:"
            f" speedsign installation angle {own[-1].id} {angle_deg:g}"
        )


def value_text(value: object) -> str:
    """A value for a person: lists without too many digits."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return str(value)
