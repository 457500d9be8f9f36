"""The database of the sign: whole, alive, and not waiting in vain to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong

HOUR_S, DAY_S = 3600, 86_400
BIG_WAL_MB = 64
STALE_S = 2 * HOUR_S  # of a running sign: an interval ends each quarter of an hour


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """None: not known. Ages against this machine's clock."""

    path: Path
    there: bool = True
    problem: str = ""  # why it cannot be read, as a sentence
    remedy: str = ""  # what to do about that; "": it is damaged
    forbidden: bool = False  # by this user alone
    unmerged: bool = False  # the last lines of a sign that ended hard are beside it, and nobody merges them
    running_pid: int | None = None  # of the sign that writes it
    size_bytes: int = 0
    wal_bytes: int = 0
    damaged: tuple[str, ...] = ()  # files that were moved aside
    schema: int = 0
    newest_schema: int = 0  # that this program knows
    check: str = ""  # what the integrity check said; "": not made
    thorough: bool = False
    epoch: str = ""
    tables: Mapping[str, int] = field(default_factory=dict)  # rows of each
    newest_vehicle_s: float | None = None
    newest_interval_s: float | None = None
    open_intervals: int = 0
    oldest_open_s: float | None = None
    queue: int = 0
    queue_bytes: int = 0
    oldest_queued_s: float | None = None
    dropped: int = 0
    sends: bool = False  # there is [mqtt]
    quota_bytes: int = 0


def judge_store(facts: StoreFacts) -> list[Finding]:
    told = _told(facts)
    if not facts.there:
        what = f"{facts.path} is not there yet"
        return [note("store", what, "the sign makes it at its first start", told)]
    if facts.forbidden:
        return [unknown("store", f"{facts.path} may not be read by this user", "look with sudo", told)]
    if facts.unmerged:
        what = f"{facts.path}: the sign ended hard, and what it wrote last waits to be merged"
        return [unknown("store", what, "start the sign once, then look again", told)]
    if facts.problem:
        return [wrong("store", facts.problem, facts.remedy or _repair(facts), told), *_moved(facts, told)]
    if facts.check not in ("", "ok"):
        what = f"{facts.path} is damaged: {facts.check}"
        return [wrong("store", what, _repair(facts), told), *_moved(facts, told)]
    found = [*_moved(facts, told), *_life(facts, told)]
    if not any(one.state.value in ("warning", "wrong") for one in found):
        found.insert(0, ok("store", _well(facts), told))
    return found + _queue(facts, told)


def _told(facts: StoreFacts) -> dict[str, object]:
    return {
        "path": str(facts.path),
        "running_pid": facts.running_pid,
        "size_bytes": facts.size_bytes,
        "wal_bytes": facts.wal_bytes,
        "damaged": list(facts.damaged),
        "schema": facts.schema,
        "check": facts.check,
        "thorough": facts.thorough,
        "epoch": facts.epoch,
        "tables": dict(facts.tables),
        "newest_vehicle_s": facts.newest_vehicle_s,
        "newest_interval_s": facts.newest_interval_s,
        "open_intervals": facts.open_intervals,
        "queue": facts.queue,
        "queue_bytes": facts.queue_bytes,
        "oldest_queued_s": facts.oldest_queued_s,
        "dropped": facts.dropped,
    }


def _repair(facts: StoreFacts) -> str:
    running = "stop the sign, " if facts.running_pid else ""
    return (
        f"{running}copy {facts.path} and what is beside it to another disk, then start the sign: it moves a "
        "damaged file aside and begins a new one; think about a new card"
    )


def _well(facts: StoreFacts) -> str:
    how = {"": "not checked", "ok": "checked in full" if facts.thorough else "whole"}[facts.check]
    seen = (
        "no vehicle yet" if facts.newest_vehicle_s is None else f"last vehicle {ago(facts.newest_vehicle_s)}"
    )
    return f"{facts.path}: {how}, {facts.size_bytes / 1e6:.1f} MB, {seen}"


def _moved(facts: StoreFacts, told: dict[str, object]) -> list[Finding]:
    if not facts.damaged:
        return []
    what = f"a damaged database was moved aside: {', '.join(facts.damaged)}"
    do = f"keep a copy for recovery, then delete it from {facts.path.parent}; think about a new card"
    return [warning("store damaged", what, do, told)]


def _life(facts: StoreFacts, told: dict[str, object]) -> list[Finding]:
    found = []
    if facts.wal_bytes > BIG_WAL_MB * 1_000_000:
        what = f"{facts.wal_bytes / 1e6:.0f} MB wait beside the database to be merged"
        found.append(warning("store wal", what, "end what reads it for long; or start the sign again", told))
    if facts.schema < facts.newest_schema:
        what = f"written by an older version (schema {facts.schema} of {facts.newest_schema})"
        found.append(note("store schema", what, "it is brought forward at the sign's next start", told))
    ages = [one for one in (facts.newest_interval_s, facts.oldest_open_s) if one is not None]
    if any(one < -HOUR_S for one in (*ages, facts.newest_vehicle_s or 0.0)):
        what = "what was measured last lies in the future: the clock was ahead then, or is behind now"
        found.append(warning("store clock", what, "look at the clock above; compare with a phone", told))
    if facts.running_pid and facts.oldest_open_s is not None and facts.oldest_open_s > STALE_S:
        what = f"an interval was begun {ago(facts.oldest_open_s)} and is still open"
        do = "is the clock believed? The sign's log says more: journalctl -u speedsign -e"
        found.append(warning("store intervals", what, do, told))
    return found


def _queue(facts: StoreFacts, told: dict[str, object]) -> list[Finding]:
    if not facts.sends:
        return []
    oldest = facts.oldest_queued_s
    kb = facts.queue_bytes / 1000
    waits = f"{facts.queue} messages wait ({kb:,.0f} kB)" if facts.queue else "nothing waits to be sent"
    if oldest is not None and facts.queue:
        waits += f", the oldest since {ago(oldest).removesuffix(' ago')}"
    do = "look at the broker below; is the hub running? docs/faults.md, faults, mqtt"
    if facts.dropped:
        what = f"{waits}; {facts.dropped} were dropped because so much waited"
        return [warning("queue", what, f"{do}; the counts are still in the database", told)]
    if facts.quota_bytes and facts.queue_bytes > facts.quota_bytes / 2:
        return [warning("queue", f"{waits}: more than half of [mqtt] quota_mb", do, told)]
    if oldest is not None and facts.queue and oldest > DAY_S:
        return [warning("queue", f"{waits}: no hub takes them", do, told)]
    return [ok("queue", waits, told)]


def ago(seconds: float) -> str:
    """
    >>> ago(40), ago(7300), ago(400_000), ago(-90)
    ('40 s ago', '2 h ago', '4 days ago', '90 s ahead')
    """
    size = abs(seconds)
    if size < 120:
        text = f"{size:.0f} s"
    elif size < 2 * HOUR_S:
        text = f"{size // 60:.0f} min"
    elif size < 2 * DAY_S:
        text = f"{size // HOUR_S:.0f} h"
    else:
        text = f"{size // DAY_S:.0f} days"
    return f"{text} {'ago' if seconds >= 0 else 'ahead'}"
