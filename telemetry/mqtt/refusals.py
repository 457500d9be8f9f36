"""What a broker's answers mean to a person: a sentence, and whether another try soon makes sense.

Codes are those of MQTT 5: 3.2.2.2 (CONNACK), 3.9.3 (SUBACK), 3.14.2.1 (DISCONNECT).
"""

from __future__ import annotations

from speedsign.errors import BrokerError
from telemetry.mqtt.shapes import BrokerSettings

# What the broker is told when a connection is ended for what it did (MQTT 5, 3.14.2.1).
MALFORMED, PROTOCOL_ERROR, OUR_ERROR, PACKET_TOO_LARGE = 0x81, 0x82, 0x83, 0x95

_ADVICE = {
    0x84: "the broker does not speak MQTT 5",
    0x85: "the broker does not take the client id",
    0x86: "the broker refuses the user name or password; check [mqtt] username and password_file",
    0x87: "the broker does not authorise this client; check its user, certificate and rights",
    0x88: "the broker is not available",
    0x89: "the broker is busy",
    0x8A: "the broker has banned this client",
    0x8B: "the broker is shutting down",
    0x8D: "the broker has not heard from this client in time",
    0x8E: "another client took over with the same id; two machines must not have the same id",
    0x93: "the broker had more messages at a time than it takes",
    0x95: "a message was longer than the broker takes",
    0x97: "the broker's quota for this client is used up",
    0x9A: "the broker keeps no messages, and this one's state has to be kept (retained)",
    0x9B: "the broker does not acknowledge messages (QoS 1 is needed)",
    0x9C: "the broker says that another one is to be used; check [mqtt] host",
    0x9D: "the broker has moved; check [mqtt] host",
}
# The next try gets the same answer until a person has done something, so it waits for minutes.
_LASTING = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x8E, 0x97, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0xA2})

_CUT = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


class Refusal(BrokerError):  # noqa: N818  a no is its name
    """The broker's no, or ours to it; `lasting` when the next try would get the same one.

    `tell`: the code by which the broker is to hear why, None: it knows.
    """

    def __init__(
        self, settings: BrokerSettings, text: str, *, lasting: bool = True, tell: int | None = None
    ) -> None:
        super().__init__(f"mqtt {settings.address}: {text}")
        self.lasting, self.tell = lasting, tell


def refused(settings: BrokerSettings, code: int, name: str) -> Refusal:
    """A sentence for a reason code of the broker."""
    text = _ADVICE.get(code, f"the broker says: {name}")
    return Refusal(settings, text, lasting=code in _LASTING)


def nonsense(settings: BrokerSettings, what: object, tell: int | None = PROTOCOL_ERROR) -> Refusal:
    """A sentence for what no broker may send. What it sent is not repeated as it came: it is a stranger's."""
    text = f"the broker sent nonsense ({what}); the connection was ended"
    return Refusal(settings, text, lasting=False, tell=tell)


def foreign_authentication(settings: BrokerSettings) -> Refusal:
    """A sentence for a CONNACK that goes on with an authentication which was never begun."""
    text = "the broker asks for a method of authentication that this client did not offer; check its settings"
    return Refusal(settings, text, tell=PROTOCOL_ERROR)


def unheard(settings: BrokerSettings, filters: list[str], names: list[str]) -> str:
    """A sentence for subscriptions that were refused."""
    what = ", ".join(f"{wanted} ({name})" for wanted, name in zip(filters, names, strict=True))
    return f"mqtt {settings.address}: the broker refuses to let this client hear {what}; check its rights"


def half_heard(settings: BrokerSettings, filters: list[str]) -> str:
    """A sentence for subscriptions that were granted at QoS 0 where 1 was asked for."""
    what = ", ".join(filters)
    return (
        f"mqtt {settings.address}: the broker gives this client {what} without acknowledgement only (QoS 0), "
        "so messages to it can get lost; QoS 1 is needed"
    )


def unreachable(settings: BrokerSettings, error: Exception) -> BrokerError:
    """A sentence for a connection that was not made."""
    why = str(error) or type(error).__name__
    advice = "check [mqtt] host, port, the link"
    if isinstance(error, _CUT):  # somebody answered, and did not understand
        advice = f"{_other_port(settings)}; check [mqtt] tls and port"
    return BrokerError(f"mqtt {settings.address} cannot be reached: {why}; {advice}")


def _other_port(settings: BrokerSettings) -> str:
    """What is most likely where a connection was taken and then cut before a word of MQTT was said."""
    if settings.tls is None:
        return "it may be a port with TLS, and this client is set to plain"
    return "it may be a port without TLS, or the broker wants another certificate"
