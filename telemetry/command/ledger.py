"""What a sign's database keeps of commands: used counters, the record of who asked for what, what is set.

All of it inside the caller's transaction, which also holds the answer: after a power cut either all of a
command is there or nothing of it, and a command that took effect can be found.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from speedsign.remote import NOTHING_SET, RemoteSettings
from telemetry.command.signature import public_text
from telemetry.database import BUSY_TIMEOUT_S

_log = logging.getLogger(__name__)

KEPT = 2000  # rows of the record; the newest
_SETTINGS, _PENDING, _RESTART, _BEGAN = "remote", "remote_pending", "remote_restart", "remote_began"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record."""

    at_ms: int
    clock: str
    key_id: str
    counter: int  # 0: not known
    action: str
    body: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that is in force until it is confirmed, undone, or the sign starts again."""

    settings: RemoteSettings
    key_id: str
    counter: int  # of the newest command that added to it: this one is to be confirmed
    until_s: float = 0.0  # monotonic, of the boot it was made in: the first command's time to confirm


def floor(db: sqlite3.Connection, public: bytes) -> int:
    """The highest counter of a public key that was used, by whatever name; 0: none."""
    row = db.execute(
        "SELECT counter FROM command_counter WHERE public_key = ?", (public_text(public),)
    ).fetchone()
    return row[0] if row else 0


def began_ms(db: sqlite3.Connection, epoch: str) -> int | None:
    """Since when this file keeps counters, in ms since 1970; None: that was not noted yet.

    In a new file, or a copy that was brought back (both have an epoch of their own), older ones may be used.
    """
    noted, _, began = _meta(db, _BEGAN).partition(" ")
    return int(began) if noted == epoch and began.isdecimal() else None


def note_began(db: sqlite3.Connection, epoch: str, began_ms: int) -> None:
    _put_meta(db, _BEGAN, f"{epoch} {max(began_ms, 0)}")


def use(db: sqlite3.Connection, public: bytes, counter: int) -> None:
    """Nothing at or below this counter is taken again."""
    db.execute(
        "INSERT INTO command_counter (public_key, counter) VALUES (?, ?)"
        " ON CONFLICT (public_key) DO UPDATE SET counter = max(counter, excluded.counter)",
        (public_text(public), counter),
    )


def record(db: sqlite3.Connection, entry: Entry) -> None:
    """Add a line, and forget the oldest when there are many."""
    number = db.execute(
        "INSERT INTO command (at_ms, clock, key_id, counter, action, body, outcome, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.at_ms, entry.clock, entry.key_id, entry.counter, entry.action, entry.body, entry.outcome,
            entry.reason,
        ),
    ).lastrowid  # fmt: skip
    assert number is not None  # noqa: S101  an INSERT was done
    db.execute("DELETE FROM command WHERE id <= ?", (number - KEPT,))


# --------------------------------------------------------------------------- what is set


def settings(db: sqlite3.Connection) -> RemoteSettings:
    """What was set and confirmed; what cannot be read is nothing."""
    text = _meta(db, _SETTINGS)
    with contextlib.suppress(ValueError):
        return RemoteSettings.of_text(text) if text else NOTHING_SET
    return NOTHING_SET


def keep_settings(db: sqlite3.Connection, new: RemoteSettings) -> None:
    _put_meta(db, _SETTINGS, "" if new == NOTHING_SET else new.as_text())


def pending(db: sqlite3.Connection) -> Pending | None:
    """The change that waits to be confirmed, of this boot or an earlier one."""
    text = _meta(db, _PENDING)
    if not text:
        return None
    try:
        found = json.loads(text)
        return Pending(RemoteSettings.of_text(found["settings"]), str(found["key"]), int(found["counter"]))
    except (ValueError, KeyError, TypeError):
        return None


def keep_pending(db: sqlite3.Connection, new: Pending | None) -> None:
    text = ""
    if new is not None:
        text = json.dumps({"settings": new.settings.as_text(), "key": new.key_id, "counter": new.counter})
    _put_meta(db, _PENDING, text)


def restarted_in(db: sqlite3.Connection) -> int:
    """The boot that a command ended last; 0: none."""
    text = _meta(db, _RESTART)
    return int(text) if text.isdecimal() else 0


def keep_restart(db: sqlite3.Connection, boot: int) -> None:
    _put_meta(db, _RESTART, str(boot))


def _meta(db: sqlite3.Connection, key: str) -> str:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else ""


def _put_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    """The value, or no row at all for an empty one."""
    if value:
        db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
    else:
        db.execute("DELETE FROM meta WHERE key = ?", (key,))


def settings_of_file(path: Path) -> RemoteSettings:
    """What was set and confirmed, before the store is opened; a file that cannot be read says nothing.

    Only looked at: whether it is damaged, and what is done about that, is the store's business.
    """
    if not path.exists():
        return NOTHING_SET
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)) as db:
            return settings(db)
    except sqlite3.Error as error:
        _log.warning("%s: what was set from afar cannot be read, so the config alone holds: %s", path, error)
        return NOTHING_SET
