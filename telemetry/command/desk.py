"""Where commands arrive on the event loop, and where what was decided takes effect.

Nothing waits here: a message goes to the store's thread (`Clerk`), and the outcome comes back once it is
committed. A change that is not confirmed in time is undone by the monotonic clock, also without a store.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from speedsign.config.schema import Config
from speedsign.errors import StoreError
from speedsign.model import Fault
from speedsign.ports import Clock
from speedsign.remote import NOTHING_SET, RemoteSettings, in_words
from telemetry.command.clerk import Clerk
from telemetry.command.ledger import Pending
from telemetry.command.moment import CommandStore, Moment, Outcome
from telemetry.command.sieve import Sieve
from telemetry.command.signature import public_bytes, verify

_log = logging.getLogger(__name__)


class CommandRecorder(Protocol):
    """A recorder whose store takes commands."""

    def submit(
        self,
        what: str,
        call: Callable[[CommandStore], object],
        on_done: Callable[[Any], None] | None = None,
        on_error: Callable[[StoreError], None] | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Effects:
    """What a command can bring about on the loop."""

    apply: Callable[[RemoteSettings], None]  # from now on these, beside the config
    restart: Callable[[], None]
    greet: Callable[[], None]  # the challenge is another one
    wake: Callable[[], None]  # an answer waits in the outbox
    status: Callable[[], Mapping[str, Any]] = dict
    log: Callable[[int], list[str]] = lambda _lines: []


class Desk:
    """`telemetry.outbox.publisher.CommandDesk`. `confirmed`: what was in force when the sign started.

    `clock`: trusted where its time is believed (speedsign.believed), as commands end by it.
    """

    def __init__(
        self,
        config: Config,
        recorder: CommandRecorder,
        clock: Clock,
        effects: Effects,
        confirmed: RemoteSettings = NOTHING_SET,
        dropped: list[str] | None = None,
    ) -> None:
        self._config, self._recorder, self._clock, self._effects = config, recorder, clock, effects
        self._clerk = Clerk(config, confirmed)
        self._confirmed = self._in_force = confirmed
        self._pending: Pending | None = None
        self._expired = 0  # counter of the change that was undone last: the store may not know it yet
        self._dropped = dropped or []
        self._began_s = clock.monotonic()
        self._challenge = self._clerk.challenge
        self._sieve = Sieve({key.id: public_bytes(key.public) for key in config.remote.key}, verify)

    def begin(self) -> None:
        """Once, when the sign starts."""
        moment = self._moment()
        self._submit("begin with commands", lambda store: self._clerk.begin(store, self._dropped, moment))

    def challenge(self) -> str | None:
        """What proves that a command is new while the clock cannot; it stands in the sign's birth."""
        return self._challenge

    def take(self, payload: bytes) -> None:
        """One message of down/cmd, whatever it is; never raises."""
        now_s = self._clock.monotonic()
        if not self._sieve.passes(payload, now_s, can_verify=self._clerk.can_verify):
            return
        moment = self._moment()
        self._submit("take a command", lambda store: self._clerk.take(store, payload, moment))

    def tick(self) -> None:
        """Called each second: a change that nobody has confirmed in time is undone."""
        pending = self._pending
        if pending is None or self._clock.monotonic() < pending.until_s:
            return
        self._pending, self._expired = None, pending.counter
        self._put_in_force(self._confirmed)
        moment = self._moment()
        self._submit("undo a change", lambda store: self._clerk.undo(store, pending.counter, moment))

    def faults(self) -> list[Fault]:
        if not self._dropped:
            return []
        text = f"what was set from afar no longer fits the config and is gone: {'; '.join(self._dropped)}"
        return [Fault("remote", "dropped", text)]

    def health(self) -> Mapping[str, int]:
        """Commands taken, messages refused by reason, and those that nobody had time to look at."""
        refused = self._sieve.refused + Counter(dict(self._clerk.refused))  # a copy: it is another thread's
        by_reason = {f"refused_{reason}": n for reason, n in sorted(refused.items())}
        return {"taken": self._clerk.taken, **by_reason, "ignored": self._sieve.ignored}

    # ----------------------------------------------------------------------- what comes back

    def _submit(self, what: str, call: Callable[[CommandStore], Outcome]) -> None:
        self._recorder.submit(what, call, self._done, lambda error: _log.error("cannot %s: %s", what, error))

    def _done(self, outcome: Outcome) -> None:
        self._confirmed, pending = outcome.confirmed, outcome.pending
        if pending and pending.counter == self._expired:
            pending = None
        self._pending = pending
        late = pending is not None and self._clock.monotonic() >= pending.until_s  # the next tick undoes it
        self._put_in_force(pending.settings if pending and not late else self._confirmed)
        if outcome.challenge != self._challenge:
            self._challenge = outcome.challenge
            self._effects.greet()
        if outcome.answered:
            self._effects.wake()
        if outcome.restart:
            self._effects.restart()

    def _put_in_force(self, settings: RemoteSettings) -> None:
        if settings != self._in_force:
            self._in_force = settings
            self._effects.apply(settings)

    def _moment(self) -> Moment:
        clock, now_s = self._clock, self._clock.monotonic()
        return Moment(
            now_ms=int(clock.now_utc().timestamp() * 1000),
            trusted=clock.trusted(),
            mono_s=now_s,
            uptime_s=now_s - self._began_s,
            status={**self._effects.status(), **self._standing(now_s)},
            log=self._effects.log,
        )

    def _standing(self, now_s: float) -> dict[str, Any]:
        """What is in force from afar, for a report."""
        found: dict[str, Any] = {"remote": in_words(self._in_force)}
        if self._pending:
            left_s = round(self._pending.until_s - now_s)
            found["pending"] = {"counter": self._pending.counter, "undone_in_s": left_s}
        return found
