"""Commands on the store's thread: each one is judged, written down and answered in one transaction.

What it is to bring about is handed back to the event loop and happens afterwards, once it is committed: a
power cut between the two leaves a record and no effect, never an effect without a record.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from speedsign.config.schema import Config
from speedsign.remote import NOTHING_SET, RemoteSettings, changed, difference, effective
from telemetry.command import ledger
from telemetry.command.gate import Accepted, Circumstances, Key, Reason, Refused, judge
from telemetry.command.ledger import Entry, Pending
from telemetry.command.meter import Meter
from telemetry.command.model import Action, Command, Role
from telemetry.command.report import report
from telemetry.command.signature import public_bytes, verify
from telemetry.messages import REPLY, encode
from telemetry.outbox import StoreFacts

_log = logging.getLogger(__name__)

RESTART_AFTER_S = 600.0  # of a sign that a command has started
RESEND_AT_MOST_S = 400 * 86_400
LOG_BYTES = 12_000  # of an answer to `log`
SIGNED_REFUSALS = (10, 1 / 60)  # that are recorded and answered: at once, and in a second
UNSIGNED_REFUSALS = (10, 1 / 600)  # that are recorded, so that a flood does not wear the card


class CommandStore(Protocol):
    """The part of a store that commands use."""

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]: ...

    def put_message(self, kind: str, body: bytes, at_ms: int = 0) -> int:
        """Into the outbox, in the transaction that is open; its seq."""
        ...

    def resend(self, from_s: int, to_s: int, at_ms: int = 0) -> int:
        """Put closed intervals that began in [from_s, to_s) into the outbox again, as above; how many."""
        ...

    def resend_count(self, from_s: int, to_s: int) -> int:
        """How many that would be."""
        ...

    def facts(self) -> StoreFacts: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """How things are on the event loop as a command comes."""

    now_ms: int  # wall clock, right or not
    trusted: bool
    mono_s: float
    uptime_s: float
    challenge: str
    status: Mapping[str, Any] = field(default_factory=dict)  # for `report`
    log: Callable[[int], list[str]] = lambda _lines: []  # for `log`: the last lines, the newest last

    @property
    def clock(self) -> str:
        return "ok" if self.trusted else "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the loop has to do, now that it is committed."""

    confirmed: RemoteSettings
    pending: Pending | None
    restart: bool = False
    challenge_used: bool = False
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an accepted command comes to, before anything is written."""

    outcome: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    confirmed: RemoteSettings | None = None  # None: as before
    pending: Pending | None = None
    pending_ends: bool = False
    restart: bool = False


class Clerk:
    """Belongs to the store's thread; also remembers what a store that was replaced has lost."""

    def __init__(self, config: Config, confirmed: RemoteSettings = NOTHING_SET) -> None:
        self._config = config
        self._keys = {
            key.id: Key(public_bytes(key.public), frozenset(Role(role) for role in key.roles))
            for key in config.remote.key
        }
        self._confirmed = confirmed
        self._pending: Pending | None = None
        self._used: dict[str, int] = {}
        self._signed, self._unsigned = Meter(*SIGNED_REFUSALS), Meter(*UNSIGNED_REFUSALS)
        self.refused: Counter[str] = Counter()  # since the start, by reason

    # ----------------------------------------------------------------------- a command

    def take(self, store: CommandStore, payload: bytes, moment: Moment) -> Outcome:
        """Judge one message and write down what has to be; after a StoreError nothing has happened."""
        with store.transaction() as db:
            verdict = judge(payload, self._circumstances(db, store, moment))
            if isinstance(verdict, Refused):
                return self._refuse(store, db, verdict, moment)
            answer = self._work(store, db, verdict, moment)
            self._write(store, db, verdict, answer, moment)
        command = verdict.command
        self._used[verdict.key_id] = command.counter
        if answer.confirmed is not None:
            self._confirmed = answer.confirmed
        if answer.pending or answer.pending_ends:
            self._pending = answer.pending
        _log.info(
            "command %s of %s, counter %d: %s",
            command.action,
            verdict.key_id,
            command.counter,
            answer.outcome,
        )
        return self._now(restart=answer.restart, challenge_used=verdict.by_challenge, answered=True)

    def _now(self, **more: bool) -> Outcome:
        return Outcome(self._confirmed, self._pending, **more)

    def _circumstances(self, db: sqlite3.Connection, store: CommandStore, moment: Moment) -> Circumstances:
        def floor(key_id: str) -> int:
            used = max(ledger.floor(db, key_id), self._used.get(key_id, 0))
            if not moment.trusted:
                return used  # the challenge proves that it is new
            started_ms = moment.now_ms - int(1000 * moment.uptime_s)
            return max(used, ledger.began_ms(db, store.facts().epoch, started_ms))

        return Circumstances(
            sign=self._config.sign.id,
            groups=frozenset(self._config.remote.groups),
            keys=self._keys,
            now_s=moment.now_ms / 1000 if moment.trusted else None,
            challenge=moment.challenge,
            floor=floor,
            verify=verify,
            bounds=lambda command: self._check(command, db, store, moment),
        )

    def _check(self, command: Command, db: sqlite3.Connection, store: CommandStore, moment: Moment) -> None:
        """ValueError for what cannot be done here and now."""
        numbers = command.numbers
        if command.action is Action.SET:
            changed(self._config, self._in_force, command.wish)
        elif command.action is Action.CONFIRM:
            if self._pending is None:
                raise ValueError("no change waits to be confirmed")
            if self._pending.counter != numbers["counter"]:
                raise ValueError(f"the change that waits has the counter {self._pending.counter}")
        elif command.action is Action.RESEND and numbers["to"] - numbers["from"] > RESEND_AT_MOST_S:
            raise ValueError("more than 400 days are not sent again at once")
        elif command.action is Action.RESTART:
            ended = ledger.restarted_in(db)
            if ended and ended == store.facts().boot - 1 and moment.uptime_s < RESTART_AFTER_S:
                left_s = RESTART_AFTER_S - moment.uptime_s
                raise ValueError(f"a command has just started this sign; again in {left_s:.0f} s")

    @property
    def _in_force(self) -> RemoteSettings:
        return self._pending.settings if self._pending else self._confirmed

    # ----------------------------------------------------------------------- what it comes to

    def _work(
        self, store: CommandStore, db: sqlite3.Connection, verdict: Accepted, moment: Moment
    ) -> _Answer:
        command = verdict.command
        match command.action:
            case Action.SET:
                return self._set(verdict)
            case Action.CONFIRM:
                return _Answer("done", confirmed=self._in_force, pending_ends=True)
            case Action.REVERT:
                return self._revert(command)
            case Action.REPORT:
                return _Answer("done", {"report": report(db, moment.now_ms // 1000, moment.status)})
            case Action.LOG:
                return _Answer("done", _log_lines(moment.log(command.numbers["lines"])))
            case Action.RESEND:
                return self._resend(store, command, moment)
            case Action.RESTART:
                return _Answer("done", restart=True)

    def _set(self, verdict: Accepted) -> _Answer:
        command, old = verdict.command, self._in_force
        new = changed(self._config, old, command.wish)
        facts: dict[str, Any] = {"difference": self._difference(old, new)}
        if command.dry_run:
            return _Answer("dry_run", facts)
        if new == self._confirmed:
            return _Answer("done", facts, pending_ends=True)
        if new == old:
            return _Answer("pending", facts | {"waits_for": self._pending.counter if self._pending else 0})
        facts["confirm_within_s"] = self._config.remote.confirm_minutes * 60
        return _Answer("pending", facts, pending=Pending(new, verdict.key_id, command.counter))

    def _revert(self, command: Command) -> _Answer:
        facts = {"difference": self._difference(self._in_force, NOTHING_SET)}
        if command.dry_run:
            return _Answer("dry_run", facts)
        return _Answer("done", facts, confirmed=NOTHING_SET, pending_ends=True)

    def _difference(self, old: RemoteSettings, new: RemoteSettings) -> list[str]:
        return difference(effective(self._config, old), effective(self._config, new))

    def _resend(self, store: CommandStore, command: Command, moment: Moment) -> _Answer:
        from_s, to_s = command.numbers["from"], command.numbers["to"]
        if command.dry_run:
            return _Answer("dry_run", {"intervals": store.resend_count(from_s, to_s)})
        return _Answer("done", {"intervals": store.resend(from_s, to_s, moment.now_ms)})

    # ----------------------------------------------------------------------- what is written

    def _write(
        self, store: CommandStore, db: sqlite3.Connection, verdict: Accepted, answer: _Answer, moment: Moment
    ) -> None:
        command = verdict.command
        ledger.use(db, verdict.key_id, command.counter)
        confirmed = self._confirmed if answer.confirmed is None else answer.confirmed
        if confirmed != ledger.settings(db):
            ledger.keep_settings(db, confirmed)
        if answer.pending or answer.pending_ends:
            ledger.keep_pending(db, answer.pending)
        if answer.restart:
            ledger.keep_restart(db, store.facts().boot)
        self._note(
            store, db, moment, _named(verdict.key_id, command), verdict.body, answer.outcome, answer.facts
        )

    def _refuse(
        self, store: CommandStore, db: sqlite3.Connection, refused: Refused, moment: Moment
    ) -> Outcome:
        """Count it; write it down and answer it as far as a flood of such may not do harm."""
        self.refused[refused.reason] += 1
        if refused.uses_counter and refused.command:
            ledger.use(db, refused.key_id, refused.command.counter)
        elif not (self._signed if refused.signed else self._unsigned).take(moment.mono_s):
            return self._now()
        _log.warning("command refused: %s (%s)", refused.text, refused.reason)
        facts = {"reason": refused.reason.value, "text": refused.text}
        name = _named(refused.key_id, refused.command)
        answered = refused.signed and not _for_others(refused)
        self._note(store, db, moment, name, refused.body, "refused", facts, answered=answered)
        return self._now(answered=answered)

    def _note(
        self,
        store: CommandStore,
        db: sqlite3.Connection,
        moment: Moment,
        name: Mapping[str, Any],
        body: bytes,
        outcome: str,
        facts: Mapping[str, Any],
        *,
        answered: bool = True,
    ) -> None:
        """A line in the record, and the answer."""
        reason = "; ".join(
            filter(None, (facts.get("reason"), facts.get("text"), *facts.get("difference", ())))
        )
        ledger.record(
            db,
            Entry(
                at_ms=moment.now_ms,
                clock=moment.clock,
                key_id=name["key"],
                counter=name["counter"],
                action=name["action"],
                body=body.decode("utf-8", "replace"),
                outcome=outcome,
                reason=reason,
            ),
        )
        if answered:
            answer = {"at": max(moment.now_ms // 1000, 0), **name, "outcome": outcome, **facts}
            store.put_message(REPLY, encode(answer), moment.now_ms)

    # ----------------------------------------------------------------------- without a command

    def undo(self, store: CommandStore, counter: int, why: str, moment: Moment) -> Outcome:
        """The change with this counter was not confirmed; nothing happens when it is no longer waiting."""
        pending = self._pending
        if pending is None or pending.counter != counter:
            return self._now()
        with store.transaction() as db:
            self._end(store, db, pending, why, moment)
        self._pending = None
        return self._now(answered=True)

    def begin(self, store: CommandStore, dropped: list[str], moment: Moment) -> Outcome:
        """At the start: a change that nobody has confirmed before is gone, and so is what no longer fits."""
        with store.transaction() as db:
            before = ledger.pending(db)
            if before is not None:
                self._end(store, db, before, "the sign has started again before it was confirmed", moment)
            if dropped:
                ledger.keep_settings(db, self._confirmed)
                name = {"key": "", "counter": 0, "action": Action.SET.value}
                facts = {"reason": "config", "text": "; ".join(dropped)}
                self._note(store, db, moment, name, b"", "undone", facts)
        return self._now(answered=bool(dropped or before))

    def _end(
        self, store: CommandStore, db: sqlite3.Connection, pending: Pending, why: str, moment: Moment
    ) -> None:
        ledger.keep_pending(db, None)
        name = {"key": pending.key_id, "counter": pending.counter, "action": Action.SET.value}
        self._note(store, db, moment, name, b"", "undone", {"reason": "unconfirmed", "text": why})
        _log.warning("the change with the counter %d is undone: %s", pending.counter, why)


def _named(key_id: str, command: Command | None) -> dict[str, Any]:
    """Which command this is about."""
    if command is None:
        return {"key": key_id, "counter": 0, "action": ""}
    return {"key": key_id, "counter": command.counter, "action": command.action.value}


def _for_others(refused: Refused) -> bool:
    """A group's command comes to all signs: those that are not in it have nothing to say."""
    command = refused.command
    return refused.reason is Reason.ADDRESS and command is not None and command.group is not None


def _log_lines(lines: list[str]) -> dict[str, Any]:
    """The newest lines that fit an answer."""
    fitting: list[str] = []
    left = LOG_BYTES
    for line in reversed(lines):
        left -= len(line.encode()) + 4
        if left < 0:
            break
        fitting.insert(0, line)
    return {"lines": fitting, "left_out": len(lines) - len(fitting)}
