"""One try of a broker, step by step, that leaves nothing behind: name, TCP, TLS, CONNECT, SUBSCRIBE, goodbye.

For a person who wants to know how far a connection gets. It blocks, and speaks the five packets it needs by
itself (MQTT 5, 3.1, 3.2, 3.8, 3.9, 3.14), under a client id of its own: the sign's session stays the sign's.
Some brokers give every client of a user the same id. Then the session that is found is the sign's, and it is
left as it was; so the sign itself should not be connected meanwhile.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from speedsign.errors import BrokerError, ConfigError
from telemetry.mqtt.codes import SUBACK, codes
from telemetry.mqtt.refusals import nonsense, refused, unreachable
from telemetry.mqtt.shapes import FAILURE, BrokerSettings
from telemetry.mqtt.tls import connection_error, tls_context

_CONNECT, _CONNACK, _SUBSCRIBE, _DISCONNECT = 0x10, 0x20, 0x82, 0xE0
_EXPIRY, _RECEIVE_MAXIMUM, _PACKET_MAXIMUM = 0x11, 0x21, 0x27  # properties
_USER, _PASSWORD = 0x80, 0x40
_KEEPALIVE_S = 60
_LONGEST = 8192
_PACKETS = 20  # that may come before the one that is waited for: what was kept for a session


class Step(StrEnum):
    """How far it went."""

    NOT_BEGUN = "not begun"
    NAME = "name"  # the name was found
    TCP = "tcp"
    TLS = "tls"
    CONNECTED = "connected"
    SUBSCRIBED = "subscribed"


@dataclass(frozen=True, slots=True)
class Trial:
    """`problem`: the sentence that ended it, None when it went as far as it was wanted to go."""

    reached: Step = Step.NOT_BEGUN
    problem: str | None = None
    addresses: tuple[str, ...] = ()
    tls_version: str = ""
    certificate_until: datetime | None = None  # the broker's
    session_was_there: bool = False  # under a name that nobody has used before: it is somebody else's
    denied: tuple[str, ...] = ()  # filters that may not be subscribed to


def try_broker(
    settings: BrokerSettings,
    now: datetime,
    *,
    trusted: bool,
    greet: bool = True,
    filters: tuple[str, ...] = (),
) -> Trial:
    """As far as it goes; without `greet` not a word of MQTT is said. `now`, `trusted`: this machine's."""
    found = _Progress()
    try:
        with contextlib.ExitStack() as stack:
            _go(settings, found, stack, greet=greet, filters=filters)
    except (OSError, ssl.SSLError) as error:
        said = connection_error(settings, error, now, trusted=trusted)
        found.trial = replace(found.trial, problem=str(said))
    except (BrokerError, ConfigError) as error:
        found.trial = replace(found.trial, problem=str(error))
    return found.trial


class _Progress:
    def __init__(self) -> None:
        self.trial = Trial()

    def to(self, step: Step) -> None:
        self.trial = replace(self.trial, reached=step)


def _go(
    settings: BrokerSettings,
    found: _Progress,
    stack: contextlib.ExitStack,
    *,
    greet: bool,
    filters: tuple[str, ...],
) -> None:
    context = tls_context(settings.tls) if settings.tls else None
    host = settings.host.strip("[]")
    infos = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)
    addresses = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
    found.trial = replace(found.trial, reached=Step.NAME, addresses=addresses)
    plain = socket.create_connection((host, settings.port), settings.connect_timeout_s)
    wire = stack.enter_context(plain)
    found.to(Step.TCP)
    if context is not None:
        secret = context.wrap_socket(plain, server_hostname=host)
        wire = stack.enter_context(secret)
        _note_tls(found, secret)
    if greet:
        _greet(settings, found, wire, filters)


def _note_tls(found: _Progress, wire: ssl.SSLSocket) -> None:
    certificate = wire.getpeercert() or {}
    until = certificate.get("notAfter")
    found.trial = replace(
        found.trial,
        reached=Step.TLS,
        tls_version=wire.version() or "",
        certificate_until=datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)
        if isinstance(until, str)
        else None,
    )


def _greet(settings: BrokerSettings, found: _Progress, wire: socket.socket, filters: tuple[str, ...]) -> None:
    wire.sendall(connect_packet(settings))
    kind, body = _packet(settings, wire)
    if kind != _CONNACK or len(body) < 2:
        raise nonsense(settings, f"a packet of type {kind:#04x} before its CONNACK")
    if body[1] >= FAILURE:
        raise refused(settings, body[1], f"code {body[1]:#04x}")
    taken = bool(body[0] & 1)
    found.trial = replace(found.trial, reached=Step.CONNECTED, session_was_there=taken)
    try:
        if filters and not taken:
            _subscribe(settings, found, wire, filters)
    finally:
        with contextlib.suppress(OSError):
            wire.sendall(disconnect_packet(forget=not taken))


def _subscribe(
    settings: BrokerSettings, found: _Progress, wire: socket.socket, filters: tuple[str, ...]
) -> None:
    wire.sendall(subscribe_packet(filters))
    for _ in range(_PACKETS):
        kind, body = _packet(settings, wire)
        if kind == SUBACK:
            break
    else:
        raise nonsense(settings, "no answer to SUBSCRIBE")
    answers = codes(SUBACK, body)
    denied = tuple(one for one, code in zip(filters, answers, strict=False) if code >= FAILURE)
    found.trial = replace(found.trial, reached=Step.SUBSCRIBED, denied=denied)


# --------------------------------------------------------------------------- packets


def connect_packet(settings: BrokerSettings) -> bytes:
    """A session that is kept, as the sign's is: should it be the sign's, it is not thrown away."""
    flags = 0
    payload = _text(settings.client_id)
    if settings.username is not None:
        flags |= _USER
        payload += _text(settings.username)
    if settings.password is not None:
        flags |= _PASSWORD
        payload += _text(settings.password)
    properties = struct.pack(
        ">BIBHBI", _EXPIRY, settings.session_expiry_s, _RECEIVE_MAXIMUM, 1, _PACKET_MAXIMUM, _LONGEST
    )
    head = _text("MQTT") + struct.pack(">BBH", 5, flags, _KEEPALIVE_S)
    return _framed(_CONNECT, head + _varint(len(properties)) + properties + payload)


def subscribe_packet(filters: tuple[str, ...]) -> bytes:
    wanted = b"".join(_text(one) + b"\x01" for one in filters)
    return _framed(_SUBSCRIBE, struct.pack(">HB", 1, 0) + wanted)


def disconnect_packet(*, forget: bool) -> bytes:
    """`forget`: the session ends with the connection."""
    if not forget:
        return bytes([_DISCONNECT, 0])
    properties = struct.pack(">BI", _EXPIRY, 0)
    return _framed(_DISCONNECT, b"\x00" + _varint(len(properties)) + properties)


def _packet(settings: BrokerSettings, wire: socket.socket) -> tuple[int, bytes]:
    """The next one: its first byte and its body."""
    (kind,) = _exactly(settings, wire, 1)
    length = 0
    for shift in range(0, 28, 7):
        (byte,) = _exactly(settings, wire, 1)
        length |= (byte & 127) << shift
        if byte < 128:
            break
    else:
        raise nonsense(settings, "what is no packet")
    if length > _LONGEST:
        raise nonsense(settings, f"a packet of {length:,} bytes")
    return kind, _exactly(settings, wire, length)


def _exactly(settings: BrokerSettings, wire: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        part = wire.recv(n - len(data))
        if not part:
            raise unreachable(settings, ConnectionResetError("the broker ended the connection"))
        data += part
    return data


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _framed(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    return bytes(_seven(value))


def _seven(value: int) -> Iterator[int]:
    """Seven bits a byte, the lowest first (MQTT 5, 1.5.5).

    >>> list(_seven(321))
    [193, 2]
    """
    while True:
        value, low = divmod(value, 128)
        yield low | (128 if value else 0)
        if not value:
            return
