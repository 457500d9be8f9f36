"""What the hub says, into a sign's own outbox: only what it has, of this epoch, is ever forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random

from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.outbox.hub_word import covers
from telemetry.outbox.outbox import AckOutcome
from telemetry.store import SqliteStore
from tests.fuzz.scratch import scratch
from tests.fuzz.structure import changed_json
from tests.fuzz.words import JSON
from tests.telemetry.samples import BAUSKA, T0

LONGEST = 1024
WORDS = (*JSON, b'"epoch":', b'"up_to":', b'"also":', b'"need":"places"', b"[[9,12]]", b"0123456789abcdef")
EPOCH = "0123456789abcdef"
N_ROWS = 12


@cache
def store() -> SqliteStore:
    """Twelve messages wait in it."""
    found = SqliteStore(scratch() / "sign.db", "bauska-1")
    found.begin(BAUSKA, T0)
    found._db.execute("PRAGMA synchronous = OFF")  # nothing of this has to outlive anything
    found._db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (EPOCH,))
    return found


def close() -> None:
    store().close()
    store.cache_clear()


def target(data: bytes) -> None:
    if b'"epoch":"0"' in data:  # a word for the one of this store
        data = data.replace(b'"epoch":"0"', f'"epoch":"{store().epoch}"'.encode())
    fill()
    try:
        told = messages.parse_ack(data)
    except ValueError:
        return
    result = store().acknowledged(told)
    left = seqs()
    if told.epoch != store().epoch:
        assert result.outcome is AckOutcome.OTHER_EPOCH
    if result.outcome is not AckOutcome.TAKEN:
        assert left == set(range(1, N_ROWS + 1)), "forgot what it was not told of"
        return
    assert left == {seq for seq in range(1, N_ROWS + 1) if not covers(told, seq)}, told
    assert result.retired == N_ROWS - len(left)


def fill() -> None:
    db = store()._db
    db.execute("DELETE FROM outbox")
    rows = [(seq, "agg", 1_777_878_000_000, b"{}", 1) for seq in range(1, N_ROWS + 1)]
    db.executemany("INSERT INTO outbox (seq, kind, created_ms, body, tries) VALUES (?, ?, ?, ?, ?)", rows)


def seqs() -> set[int]:
    return {seq for (seq,) in store()._db.execute("SELECT seq FROM outbox")}


def change(data: bytes, random: Random) -> bytes:
    return changed_json(data, random)


def seeds() -> Iterator[bytes]:
    for ack in (
        Ack("0" * 16, 7),
        Ack("0" * 16, 3, ((5, 6), (9, 12)), places_wanted=True),
        Ack("0" * 16, 99),
        Ack(EPOCH, 12),
    ):
        yield messages.encode(messages.ack(ack)).replace(b'"epoch":"0000000000000000"', b'"epoch":"0"')
