"""What a publisher is given: its settings, the store's recorder, whoever takes commands."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from speedsign.config.schema import MqttConfig
from telemetry.outbox.outbox import Outbox, RetireOn
from telemetry.outbox.sender import SenderSettings
from telemetry.recorder import OnDone, OnError

WILL_DELAY_S = 90  # a hand-over of a mobile link is no outage


class OutboxRecorder(Protocol):
    """A recorder whose store has an outbox."""

    def submit(
        self,
        what: str,
        call: Callable[[Outbox], object],
        on_done: OnDone | None = None,
        on_error: OnError | None = None,
    ) -> None: ...


class CommandDesk(Protocol):
    """Who takes commands to this sign."""

    def challenge(self) -> str | None:
        """What a command must repeat while this sign's clock is not trusted; for the greeting."""
        ...

    def take(self, payload: bytes) -> None:
        """A message of `down/cmd` as it came; called on the loop, never raises."""
        ...


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """How the outbox is drained, and what is said beside it."""

    sending: SenderSettings = field(default_factory=SenderSettings)
    spread_s: float = 0.0  # a fleet's messages after the end of an interval are spread over so long
    will_delay_s: int = 0
    health_s: float = 3600.0
    retry_s: float = 30.0  # a store that gives no answer is asked again
    copy_s: float = 3600.0  # a new epoch, or all places again, at most so often

    @classmethod
    def of(cls, mqtt: MqttConfig, spread_s: float) -> PublisherSettings:
        """`spread_s`: as it came out for this broker, none to one on this machine."""
        sending = SenderSettings(drain_per_s=mqtt.drain_per_s, retire_on=RetireOn(mqtt.retire_on))
        return cls(sending, spread_s, WILL_DELAY_S if spread_s else 0)


def slot_s(sign: str, spread_s: float) -> float:
    """This sign's place in the seconds after an interval's end; the same after each restart.

    >>> slot_s("bauska-3", 60.0) == slot_s("bauska-3", 60.0), slot_s("bauska-3", 0.0)
    (True, 0.0)
    """
    return spread_s * (zlib.crc32(sign.encode()) % 1000) / 1000
