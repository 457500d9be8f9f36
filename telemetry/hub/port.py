"""The hub's database behind a small port, so that another one can follow SQLite.

Pure shapes: what was heard goes in as a batch, what may be acknowledged comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from telemetry.messages import Ack


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

    acks: tuple[tuple[str, Ack], ...] = ()  # (sign, what to tell it); one for each source that was heard
    stored: int = 0
    duplicates: int = 0
    refused: tuple[str, ...] = ()  # a sentence for each message that is not one


class HubStore(Protocol):
    """Blocking; every call is one transaction and raises StoreError."""

    def take(self, batch: Sequence[Heard]) -> Taken:
        """Store all of it or nothing. A message that was stored before changes nothing and is acknowledged again.

        A message that cannot be read is refused by itself; the rest of its batch is stored. One whose name can be
        read is kept as it came and acknowledged, or it would come for ever.
        """
        ...

    def close(self) -> None: ...
