"""Messages that wait to be acknowledged: what a store offers to whoever sends them.

A message's name is (sign id, store epoch, seq); it is the same however often it is sent. Rows go out by
their value to the receiver (`telemetry.message.names.RANKS`): answers and places as they came, then the
newest aggregates, then the newest vehicles. docs/decisions/0019 and 0020 say why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from speedsign.model import Installation
from telemetry.message import messages
from telemetry.message.messages import Ack


class RetireOn(StrEnum):
    """Whose word ends a message's stay in the outbox."""

    HUB = "hub"
    PUBACK = "puback"  # the broker's: weaker, a broker that is killed can lose what it has acknowledged


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that waits to be acknowledged; `body` is without its name."""

    seq: int
    kind: str
    body: bytes
    tries: int  # 0: never given to the broker

    @property
    def value(self) -> tuple[int, int]:
        """Sorts rows as they are to be sent: the smallest first."""
        rank = messages.RANKS.get(self.kind, 0)
        return rank, self.seq if rank == 0 else -self.seq


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a sign says about its store when it greets."""

    epoch: str  # 16 hex digits; another file is another epoch, so that a seq never means two messages
    boot: int  # how often this store was opened: one more at each start of the daemon
    installation_id: int | None
    installation: Installation | None
    oldest: int | None = (
        None  # lowest seq that waits or has still to be told as dropped; the next one if none
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How full the outbox is, by kind, and what was ever dropped from it."""

    rows: Mapping[str, int] = field(default_factory=dict)
    size_bytes: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to send. `epoch` is that of the file they are in: it can change while the daemon runs."""

    epoch: str
    rows: Sequence[OutboxRow]
    waiting: Waiting


class AckOutcome(StrEnum):
    """What an acknowledgement came to."""

    TAKEN = "taken"
    OTHER_EPOCH = "other epoch"  # of another file: nothing was done
    COPY = "copy"  # it knows more than this file ever sent: nothing was done, a new epoch is needed


@dataclass(frozen=True, slots=True)
class AckResult:
    outcome: AckOutcome
    retired: int
    waiting: Waiting
    lacks: bool = False  # it waits for what this file has no more: the greeting has to tell it what there is


class Outbox(Protocol):
    """The part of a store that holds messages; blocking, used on the recorder's thread."""

    def facts(self) -> StoreFacts: ...

    def prepare(self, retire_on: RetireOn) -> StoreFacts:
        """Before a connection. Where rows were retired on another's word, the hub is owed a new epoch."""
        ...

    def take(self, exclude: Collection[int], limit: int) -> Batch:
        """The most valuable rows but for these; from now on they count as given to the broker."""
        ...

    def probe(self) -> Batch:
        """One row: the newest aggregate, or what is most valuable where there is none."""
        ...

    def acknowledged(self, told: Ack) -> AckResult:
        """Forget what the hub has stored."""
        ...

    def settle(self, retired: Sequence[int], refused: Sequence[int]) -> Waiting:
        """Forget what the broker took, where its word is enough; count a try for what it refused."""
        ...

    def renew(self) -> StoreFacts:
        """Begin a new epoch: what waits is named anew, from 1 on."""
        ...

    def waiting(self) -> Waiting:
        """How full it is."""
        ...

    def places_again(self) -> int:
        """Put where and how the sign stands, and stood, into the outbox once more; how many places."""
        ...
