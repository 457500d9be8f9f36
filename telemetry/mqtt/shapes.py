"""A broker as the rest of telemetry sees it: settings, results, the port's shape, the reconnect rule."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from speedsign.errors import BrokerError, ConfigError
from speedsign.hosts import is_loopback
from speedsign.model import Fault

FAILURE = 0x80  # reason codes from here on say that it failed (MQTT 5, 2.4)
TOO_LONG = 0x95  # a message longer than the broker takes
NOBODY_LISTENS = 0x10  # taken, but no one is subscribed (MQTT 5, 3.4.2.1)

PORT, PORT_TLS = 1883, 8883


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files of a TLS connection; no `ca_file`: whom the system trusts. The host's name is always checked."""

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    oldest: str = "1.3"  # or "1.2"


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and how it is spoken to. The password is never shown by repr or logged."""

    host: str
    client_id: str
    port: int = PORT
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsSettings | None = None
    allow_plain: bool = False  # without TLS to another machine, on purpose
    keepalive_s: int = 300  # a ping a minute would be 9 MB a month
    window: int = 10  # unacknowledged messages at a time
    session_expiry_s: int = 0  # the broker keeps for us what comes while we are away; 0: nothing
    fresh_session: bool = False  # what it kept from before this run is not wanted: other subscriptions
    receive_maximum: int = 20  # messages to us that we have not acknowledged; the broker must wait then
    max_packet_bytes: int = 8192  # a longer one ends the connection
    spread_s: float = 0.0  # over so long a fleet spreads its first tries to connect
    connect_timeout_s: float = 10.0
    ack_timeout_s: float = 60.0  # a connection that does not acknowledge for so long is dead
    min_connected_s: float = 60.0  # only a connection that lived so long makes the back-off start anew
    backoff_base_s: float = 1.0
    backoff_cap_s: float = 60.0
    refusal_pause_s: float = 300.0  # about so long after an answer that the next try will get as well
    stuck_s: float = 120.0  # a connection whose thread does not move for so long is left and made anew

    def __post_init__(self) -> None:
        if not self.tls and not self.allow_plain and not is_loopback(self.host):
            problem = (
                f"[mqtt] host {self.host!r} is another machine, and this connection is not encrypted: leave "
                "tls out, or set tls = false and allow_plain = true if the network itself is protected"
            )
            raise ConfigError([problem])

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the sign goes away without a word."""

    topic: str
    payload: bytes
    delay_s: int = 0  # 60 to 300 on a mobile link: a hand-over is no outage


@dataclass(frozen=True, slots=True)
class Published:
    """The broker's own word about one message."""

    reason_code: int
    reason: str

    @property
    def ok(self) -> bool:
        return self.reason_code < FAILURE


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we want to hear; what is longer is dropped and counted, before anyone looks at it."""

    topic_filter: str
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Message:
    """What was heard. `taken` lets the broker send the next one: call it once the message is dealt with."""

    topic: str
    payload: bytes
    retained: bool = False
    taken: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Session:
    """What a connection is for. All callbacks come on the event loop."""

    on_connected: Callable[[], None]  # subscriptions are made by then
    on_lost: Callable[[BrokerError], None]  # for each try that failed and each connection that ended
    on_message: Callable[[Message], None] = lambda _message: None  # only of topics that were subscribed to
    will: Will | None = None
    subscriptions: tuple[Subscription, ...] = ()


class MqttPort(Protocol):
    """A connection that is kept up; everything is called on the event loop and never blocks it."""

    async def run(self, session: Session) -> None:
        """Connect, again and again, until cancelled; then leave the broker properly, so without the will."""
        ...

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Awaitable[Published]:
        """Send when the window has room; BrokerError when the connection ends before the answer.

        `expiry_s`: a broker drops it when it could not be delivered for so long.
        """
        ...

    def faults(self) -> list[Fault]: ...

    def health(self) -> Mapping[str, int]: ...


def first_pause_s(settings: BrokerSettings, chance: random.Random) -> float:
    """How long to wait before the first try: a whole street gets its power back at once."""
    return chance.uniform(0.0, settings.spread_s)


def pause_s(failures: int, settings: BrokerSettings, chance: random.Random) -> float:
    """How long to wait before the next try: full jitter, so that a fleet does not come back in step.

    Uniform in [0, min(cap, base·2ⁿ)] (Brooker, AWS Architecture Blog, 2015).
    """
    limit_s = min(settings.backoff_cap_s, settings.backoff_base_s * 2.0 ** min(failures, 30))
    return chance.uniform(0.0, limit_s)


def long_pause_s(settings: BrokerSettings, chance: random.Random) -> float:
    """How long to wait after an answer that the next try will get as well: minutes, never two signs in step.

    Two machines with one id throw each other out at each try, and a wrong certificate costs a handshake.
    """
    return chance.uniform(0.5, 1.5) * settings.refusal_pause_s
