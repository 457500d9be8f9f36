"""What a command meets: a store, how things are as it comes, and what it comes to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from speedsign.remote import RemoteSettings
from telemetry.command.ledger import Pending
from telemetry.outbox.outbox import StoreFacts


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
    status: Mapping[str, Any] = field(default_factory=dict)  # for `report`
    log: Callable[[int], list[str]] = lambda _lines: []  # for `log`: the last lines, the newest last

    @property
    def started_ms(self) -> int:
        """When this run of the sign began, by the wall clock of now."""
        return self.now_ms - int(1000 * self.uptime_s)

    @property
    def clock(self) -> str:
        return "ok" if self.trusted else "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the loop has to do, now that it is committed."""

    confirmed: RemoteSettings
    pending: Pending | None
    challenge: str  # another one than before: the sign has to say so
    restart: bool = False
    answered: bool = False
