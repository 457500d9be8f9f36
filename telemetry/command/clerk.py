"""Commands on the store's thread: each one is judged, written down and answered in one transaction.

What it is to bring about is handed back to the event loop and happens afterwards, once it is committed: a
power cut between the two leaves a record and no effect, never an effect without a record.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from speedsign.config.schema import Config
from speedsign.remote import NOTHING_SET, RemoteSettings, changed, difference, effective
from telemetry.command import ledger
from telemetry.command.gate import Accepted, Circumstances, Key, NotNow, Reason, Refused, judge
from telemetry.command.ledger import Entry, Pending
from telemetry.command.meter import Meter
from telemetry.command.model import Action, Command, Role
from telemetry.command.moment import CommandStore, Moment, Outcome
from telemetry.command.report import report
from telemetry.command.signature import public_bytes, verify
from telemetry.message.messages import REPLY, encode

_log = logging.getLogger(__name__)

RESTART_AFTER_S = 600.0  # of a sign that a command has started
RESEND_AT_MOST_S = 400 * 86_400
LOG_BYTES = 12_000  # of an answer to `log`
SIGNED_REFUSALS = (10, 1 / 60)  # of a key, that are recorded and answered: at once, and in a second
UNSIGNED_REFUSALS = (10, 1 / 600)  # that are recorded, so that a flood does not wear the card


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
        self._used: dict[bytes, int] = {}  # by public key
        self._challenge = _new_challenge()
        self._signed = {key_id: Meter(*SIGNED_REFUSALS) for key_id in self._keys}
        self._unsigned = Meter(*UNSIGNED_REFUSALS)
        self.can_verify = False  # the library is loaded
        self.refused: Counter[str] = Counter()  # since the start, by reason
        self.taken = 0  # since the start

    # ----------------------------------------------------------------------- a command

    @property
    def challenge(self) -> str:
        """What proves that a command is new while the clock cannot: good for one."""
        return self._challenge

    def take(self, store: CommandStore, payload: bytes, moment: Moment) -> Outcome:
        """Judge one message and write down what has to be; after a StoreError nothing has happened."""
        pending = self._pending
        late = pending is not None and moment.mono_s >= pending.until_s
        if pending and late:  # before anything is asked of it
            self.undo(store, pending.counter, moment)
        outcome = self._take(store, payload, moment)
        return replace(outcome, answered=True) if late else outcome

    def _take(self, store: CommandStore, payload: bytes, moment: Moment) -> Outcome:
        with store.transaction() as db:
            verdict = judge(payload, self._circumstances(db, store, moment))
            if isinstance(verdict, Refused):
                return self._refuse(store, db, verdict, moment)
            answer = self._work(store, db, verdict, moment)
            self._write(store, db, verdict, answer, moment)
        command = verdict.command
        self.taken += 1
        self._used[verdict.public] = command.counter
        if verdict.by_challenge:  # on this thread, where the next one is compared
            self._challenge = _new_challenge()
        if answer.confirmed is not None:
            self._confirmed = answer.confirmed
        if answer.pending or answer.pending_ends:
            self._pending = answer.pending
        said = "command %s of %s, counter %d: %s"
        _log.info(said, command.action, verdict.key_id, command.counter, answer.outcome)
        return self._now(restart=answer.restart, answered=True)

    def _now(self, *, restart: bool = False, answered: bool = False) -> Outcome:
        return Outcome(self._confirmed, self._pending, self._challenge, restart, answered)

    def _circumstances(self, db: sqlite3.Connection, store: CommandStore, moment: Moment) -> Circumstances:
        def floor(public: bytes) -> int:
            used = max(ledger.floor(db, public), self._used.get(public, 0))
            if not moment.trusted:
                return used  # the challenge proves that it is new
            return max(used, self._began_ms(db, store, moment))

        return Circumstances(
            sign=self._config.sign.id,
            groups=frozenset(self._config.remote.groups),
            keys=self._keys,
            now_s=moment.now_ms / 1000 if moment.trusted else None,
            challenge=self._challenge,
            floor=floor,
            verify=self._verify,
            bounds=lambda key_id, command: self._check(key_id, command, db, store, moment),
            leap_from_ms=moment.now_ms,
        )

    def _verify(self, public: bytes, signature: bytes, message: bytes) -> bool:
        holds = verify(public, signature, message)
        self.can_verify = True
        return holds

    def _began_ms(self, db: sqlite3.Connection, store: CommandStore, moment: Moment) -> int:
        """What was signed before this may have been taken by a file that is lost.

        A note that lies ahead was made by a clock that was wrong. Without it this run's start counts: every
        other file was in use before that, and what this file took it knows by its counters.
        """
        noted_ms = ledger.began_ms(db, store.facts().epoch)
        return noted_ms if noted_ms is not None and noted_ms <= moment.now_ms else moment.started_ms

    def _check(
        self, key_id: str, command: Command, db: sqlite3.Connection, store: CommandStore, moment: Moment
    ) -> None:
        """ValueError for what cannot be done here and now."""
        numbers = command.numbers
        if command.action in (Action.SET, Action.CONFIRM):
            self._check_owner(key_id, moment)
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

    def _check_owner(self, key_id: str, moment: Moment) -> None:
        """A change that waits is its maker's: nobody confirms what somebody else has tried."""
        pending = self._pending
        if pending is not None and pending.key_id != key_id:
            left_s = pending.until_s - moment.mono_s
            raise NotNow(
                f"a change of {pending.key_id} waits to be confirmed by that key, for another"
                f" {left_s:.0f} s; revert ends it at once"
            )

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
                return self._set(verdict, moment)
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

    def _set(self, verdict: Accepted, moment: Moment) -> _Answer:
        """What a key adds to its own change has no more time than that, and shows all that waits."""
        command, old, waiting = verdict.command, self._in_force, self._pending
        new = changed(self._config, old, command.wish)
        facts: dict[str, Any] = {"difference": self._difference(self._confirmed, new)}
        if command.dry_run:
            return _Answer("dry_run", facts)
        if new == self._confirmed:
            return _Answer("done", facts, pending_ends=True)
        until_s = waiting.until_s if waiting else moment.mono_s + 60 * self._config.remote.confirm_minutes
        facts["confirm_within_s"] = round(until_s - moment.mono_s)
        if waiting and new == old:
            return _Answer("pending", facts | {"waits_for": waiting.counter})
        return _Answer("pending", facts, pending=Pending(new, verdict.key_id, command.counter, until_s))

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
        self._use(store, db, verdict.public, command.counter, moment)
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

    def _use(
        self, store: CommandStore, db: sqlite3.Connection, public: bytes, counter: int, moment: Moment
    ) -> None:
        """The counter, and since when this file keeps them, as soon as that is known.

        Only with a command that was in time, so that a clock that is far off notes nothing.
        """
        ledger.use(db, public, counter)
        if not moment.trusted:
            return
        epoch = store.facts().epoch
        noted_ms = ledger.began_ms(db, epoch)
        if noted_ms is not None and noted_ms <= moment.now_ms:
            return
        ledger.note_began(db, epoch, moment.started_ms)
        if noted_ms is not None:
            why = f"counters were kept since {noted_ms}, which lies ahead; now since {moment.started_ms}"
            _log.warning("the clock was ahead when commands began: %s", why)
            ledger.record(db, Entry(moment.now_ms, moment.clock, "", 0, "", "", "noted", why))

    def _refuse(
        self, store: CommandStore, db: sqlite3.Connection, refused: Refused, moment: Moment
    ) -> Outcome:
        """Count it; write it down and answer it as far as a flood of such may not do harm."""
        self.refused[refused.reason] += 1
        if refused.uses_counter and refused.command:
            self._use(store, db, refused.public, refused.command.counter, moment)
        elif not (self._signed[refused.key_id] if refused.signed else self._unsigned).take(moment.mono_s):
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

    def undo(self, store: CommandStore, counter: int, moment: Moment) -> Outcome:
        """The change with this counter was not confirmed; nothing happens when it is no longer waiting."""
        pending = self._pending
        if pending is None or pending.counter != counter:
            return self._now()
        why = f"it was not confirmed within {self._config.remote.confirm_minutes} minutes"
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


def _new_challenge() -> str:
    return secrets.token_hex(16)


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
