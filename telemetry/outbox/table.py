"""The table `outbox`, as SQL. Everything here is done inside the caller's transaction, on its connection.

How much waits is kept beside the table, by triggers on a temporary one: it is asked for at each interval,
and adding up tens of megabytes then would read the whole card.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.outbox.outbox import OutboxRow, Waiting

ROW_BYTES = 40  # of a row beside its body, with its place in the index
NEWEST = "SELECT seq, kind, body, tries FROM outbox WHERE rank = 1 ORDER BY seq DESC LIMIT 1"
BY_VALUE = (  # one for each rank; each is answered by the index alone
    "SELECT seq FROM outbox WHERE rank = 0 ORDER BY seq LIMIT ?",
    "SELECT seq FROM outbox WHERE rank = 1 ORDER BY seq DESC LIMIT ?",
    "SELECT seq FROM outbox WHERE rank = 2 ORDER BY seq DESC LIMIT ?",
)

_TALLY = (
    "CREATE TEMP TABLE tally (kind TEXT PRIMARY KEY, n INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    f"""CREATE TEMP TRIGGER put AFTER INSERT ON main.outbox BEGIN
        INSERT INTO tally VALUES (new.kind, 1, length(new.body) + {ROW_BYTES})
        ON CONFLICT DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;
    END""",  # noqa: S608  ours
    f"""CREATE TEMP TRIGGER gone AFTER DELETE ON main.outbox BEGIN
        UPDATE tally SET n = n - 1, bytes = bytes - length(old.body) - {ROW_BYTES} WHERE kind = old.kind;
    END""",  # noqa: S608  ours
    """CREATE TEMP TRIGGER changed AFTER UPDATE OF body ON main.outbox BEGIN
        UPDATE tally SET bytes = bytes + length(new.body) - length(old.body) WHERE kind = new.kind;
    END""",
    f"""INSERT INTO tally
        SELECT kind, count(*), sum(length(body) + {ROW_BYTES}) FROM main.outbox GROUP BY kind""",  # noqa: S608  ours
)


def begin_tally(db: sqlite3.Connection) -> None:
    """Once for each connection, outside a transaction."""
    db.execute("PRAGMA temp_store = MEMORY")
    for statement in _TALLY:
        db.execute(statement)


def waiting(db: sqlite3.Connection) -> Waiting:
    found = db.execute("SELECT kind, n, bytes FROM tally WHERE n > 0").fetchall()
    dropped = db.execute("SELECT substr(key, 9), value FROM meta WHERE key GLOB 'dropped_*'")
    return Waiting(
        {kind: n for kind, n, _ in found},
        sum(size for _, _, size in found),
        {kind: int(n) for kind, n in dropped},
    )


def put(db: sqlite3.Connection, kind: str, at_ms: int, body: bytes) -> int:
    """Add a message, a JSON object without its name; its seq."""
    seq = db.execute(
        "INSERT INTO outbox (kind, created_ms, body, rank) VALUES (?, ?, ?, ?)",
        (kind, at_ms, body, messages.RANKS[kind]),
    ).lastrowid
    assert seq is not None  # noqa: S101  an INSERT was done
    return seq


def by_value(db: sqlite3.Connection, exclude: Collection[int], limit: int) -> list[int]:
    """The seqs of the most valuable rows that are not excluded, the most valuable first."""
    found: list[int] = []
    for query in BY_VALUE:
        if len(found) >= limit:
            break
        rows = db.execute(query, (limit + len(exclude),))
        found += [seq for (seq,) in rows if seq not in exclude]
    return found[:limit]


def rows_of(db: sqlite3.Connection, seqs: Iterable[int]) -> list[OutboxRow]:
    """In the order of `seqs`."""
    query = "SELECT seq, kind, body, tries FROM outbox WHERE seq = ?"
    found = [db.execute(query, (seq,)).fetchone() for seq in seqs]
    return [OutboxRow(*row) for row in found if row]


def newest_aggregate(db: sqlite3.Connection) -> OutboxRow | None:
    row = db.execute(NEWEST).fetchone()
    return OutboxRow(*row) if row else None


def mark_sent(db: sqlite3.Connection, rows: Iterable[OutboxRow]) -> None:
    """Before they are sent: whoever acknowledges a row that was never sent speaks of another file."""
    new = [(row.seq,) for row in rows if not row.tries]
    db.executemany("UPDATE outbox SET tries = 1 WHERE seq = ?", new)


def highest(db: sqlite3.Connection) -> int:
    """The last seq that was given, also when its row is gone; 0: none yet."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    return row[0] if row else 0


def oldest(db: sqlite3.Connection) -> int:
    """The lowest seq that waits, or that a waiting message tells as dropped; if none, the next one."""
    lowest = db.execute("SELECT min(seq) FROM outbox").fetchone()[0]
    told = db.execute(
        "SELECT min(json_extract(value, '$.first'))"
        " FROM outbox, json_each(CAST(outbox.body AS TEXT), '$.dropped') WHERE rank = 0 AND kind = ?",
        (messages.GAP,),
    ).fetchone()[0]
    return min((seq for seq in (lowest, told) if seq is not None), default=highest(db) + 1)


def is_of_a_copy(db: sqlite3.Connection, told: Ack) -> bool:
    """Whether it acknowledges what this file never sent: then two files have gone on from one."""
    ranges = _ranges(told)
    if max(last for _, last in ranges) > highest(db):
        return True
    query = "SELECT 1 FROM outbox WHERE seq BETWEEN ? AND ? AND tries = 0 LIMIT 1"
    return any(db.execute(query, pair).fetchone() for pair in ranges)


def acknowledge(db: sqlite3.Connection, told: Ack) -> int:
    """Forget what was stored; how many rows."""
    return sum(
        db.execute("DELETE FROM outbox WHERE seq BETWEEN ? AND ?", pair).rowcount for pair in _ranges(told)
    )


def _ranges(told: Ack) -> list[tuple[int, int]]:
    return [(0, told.up_to), *told.also]


def settle(db: sqlite3.Connection, retired: Sequence[int], refused: Sequence[int]) -> None:
    """One commit for a whole window."""
    db.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in retired])
    db.executemany("UPDATE outbox SET tries = tries + 1 WHERE seq = ?", [(seq,) for seq in refused])


def has_holes(db: sqlite3.Connection) -> bool:
    """Whether seqs were given that are not waiting any more."""
    count: int = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
    return count != highest(db)


def renumber(db: sqlite3.Connection) -> None:
    """Name all that waits anew, 1, 2, … in the same order, and as never sent: a new epoch begins.

    What was said about dropped rows speaks of the old names and goes; the hub sees the old epoch end. Places
    go too: they are told anew.
    """
    db.execute("DELETE FROM outbox WHERE kind IN (?, ?)", (messages.GAP, messages.PLACE))
    db.execute(
        "CREATE TEMP TABLE moved AS"
        " SELECT row_number() OVER (ORDER BY seq) AS seq, kind, created_ms, body, rank FROM outbox"
    )
    db.execute("DELETE FROM outbox")
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'outbox'")
    db.execute(
        "INSERT INTO outbox (seq, kind, created_ms, body, rank)"
        " SELECT seq, kind, created_ms, body, rank FROM moved ORDER BY seq"
    )
    db.execute("DROP TABLE moved")
