"""The hub's database behind a small port, so that another one can follow SQLite.

Pure shapes: what was heard goes in as a batch, what may be acknowledged comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from telemetry.message.messages import Ack


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a sign as it came; `kind` is the last word of its topic."""

    sign: str
    kind: str
    payload: bytes
    at_ms: int  # by the hub's clock
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch came to, once it is committed."""

    acks: tuple[
        tuple[str, Ack], ...
    ] = ()  # (sign, what to tell it); one for each source that was heard, or more
    stored: int = 0
    duplicates: int = 0
    refused: tuple[str, ...] = ()  # a sentence for each message that is not one
    news: tuple[str, ...] = ()  # sentences for the log: a sign first heard, a gap that began or ended
    signs: frozenset[str] = frozenset()  # of which something new is known: `Latest` may have changed
    born: frozenset[str] = frozenset()  # that greeted


@dataclass(frozen=True, slots=True)
class Latest:
    """What is known of a sign now, for whoever shows it; None: not known."""

    sign: str
    state: str
    site: str
    software: str
    interval_end_s: int | None = None  # of the newest interval, s since 1970
    vehicles: int | None = None  # of that interval, both directions
    mean_kmh: float | None = None
    v85_kmh: float | None = None
    measured_share: float | None = None  # of it, 0 to 1
    health: str = ""  # the newest health message, as it came


class HubStore(Protocol):
    """Blocking; every call is one transaction and raises StoreError."""

    def take(self, batch: Sequence[Heard]) -> Taken:
        """Store all of it or nothing. What was stored before changes nothing and is acknowledged again.

        A message that cannot be read is refused by itself; the rest of its batch is stored. One whose name
        can be read is kept as it came and acknowledged, or it would come for ever.
        """
        ...

    def latest(self, sign: str) -> Latest: ...

    def prune(self, before_utc: datetime) -> int:
        """Forget single vehicles that passed before then; how many."""
        ...

    def note(self, key: str, value: str) -> None:
        """Keep a word about the hub itself."""
        ...

    def close(self) -> None: ...
