"""What signs send, through the hub's own taking into a real database: stored, or refused in a sentence."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from telemetry.hub.home_assistant import now
from telemetry.hub.overview import read_signs
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from tests.fuzz.kit import one_sentence
from tests.fuzz.scratch import scratch
from tests.fuzz.structure import changed_between
from tests.fuzz.words import JSON, KEYS
from tests.messages.made import EPOCH, SIGN, plain, sent

KINDS = (*messages.RANKS, "state", "birth", "health")
BETWEEN = b"\n--\n"
WORDS = (
    *JSON,
    *KEYS,
    *(BETWEEN + bytes([number]) for number in range(len(KINDS))),
    EPOCH.encode(),
    SIGN.encode(),
)
NOW_MS = 1_777_900_000_000
COUNTED = ("interval", "cell", "vehicle", "calibration")


@cache
def store() -> SqliteHubStore:
    found = SqliteHubStore(scratch() / "hub.db")
    found._db.execute("PRAGMA synchronous = OFF")  # nothing of this has to outlive anything
    return found


def close() -> None:
    store().close()
    store.cache_clear()


def target(data: bytes) -> None:
    """Messages, each with a byte before it: its kind, whether it is packed or retained."""
    batch = [heard(one, at) for at, one in enumerate(data.split(BETWEEN)[:12]) if one]
    db = store()._db
    forget(db)
    n_before = db.total_changes
    taken = store().take(batch)
    for sentence in (*taken.refused, *taken.news):
        one_sentence(sentence)
    named = any(messages_name(one) for one in batch)
    assert named or db.total_changes == n_before, "something was changed without a name"
    assert named or not taken.acks
    for sign, ack in taken.acks:
        assert sign == SIGN
        messages.parse_ack(messages.encode(messages.ack(ack)))
    before = [counted(db, table) for table in COUNTED]
    store().take([one for one in batch if one.kind in ("agg", "raw")])
    assert [counted(db, table) for table in COUNTED] == before, "what came again was counted again"
    now(store().latest(SIGN))
    read_signs(db, NOW_MS)


def change(data: bytes, random: Random) -> bytes:
    return changed_between(data, BETWEEN, 1, random)


def heard(data: bytes, at: int) -> Heard:
    kind, payload = KINDS[data[0] % 16 % len(KINDS)], data[1:]
    packed = kind == messages.VEHICLES and not data[0] & 0x10
    return Heard(
        SIGN, kind, zlib.compress(payload, 1) if packed else payload, NOW_MS + at, bool(data[0] & 0x20)
    )


def messages_name(one: Heard) -> bool:
    """Whether it says validly whose message it is."""
    try:
        match one.kind:
            case "state":
                messages.parse_state(one.payload)
            case "birth":
                messages.parse_birth(one.payload, SIGN)
            case "health":
                messages.parse_health(one.payload, SIGN)
            case _:
                messages.parse_named(one.payload, one.kind, SIGN)
    except ValueError:
        return False
    return True


def counted(db: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return db.execute(f"SELECT * FROM {table}").fetchall()


def forget(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA foreign_keys = OFF")
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if not table.startswith("sqlite_") and table != "meta":
            db.execute(f"DELETE FROM {table}")
    db.execute("PRAGMA foreign_keys = ON")
    store()._sources.forget()
    store()._places.forget()


def seeds() -> Iterator[bytes]:
    """One of each kind, all of them, and what older versions sent."""
    each = [bytes([number]) + plain(kind, sent(kind)) for number, kind in enumerate(KINDS)]
    yield from each
    yield BETWEEN.join(each)
    yield BETWEEN.join(reversed(each))
    for file in sorted(Path("tests/messages/v1").glob("*/*.json")):
        if file.stem in KINDS:
            yield bytes([KINDS.index(file.stem)]) + file.read_bytes()
