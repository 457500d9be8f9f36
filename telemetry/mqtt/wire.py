"""One connection to a broker, by paho-mqtt as a codec: the one module that imports it.

What paho does when it drives itself (2.2.0, read and measured): it sends its whole queue on connect whatever
the broker's receive maximum, reconnects without jitter, and an exception in a callback ends its thread while
it goes on calling itself connected. It takes memory for whatever length a packet announces, keeps every
QoS 2 message it is sent, and drops the reason why a TLS connection ended. So: a thread of ours moves the
bytes, there is a client for each connection, no queue in it, and this class bounds and checks each packet
before paho looks at it (MQTT 5, 2.1.3 and 3.2 to 3.15).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from telemetry.mqtt.codes import PUBACK, SUBACK, codes, listed
from telemetry.mqtt.refusals import MALFORMED, OUR_ERROR, PACKET_TOO_LARGE, PROTOCOL_ERROR
from telemetry.mqtt.shapes import BrokerSettings, Session

_MAX_RECEIVE = 65_535  # of a broker that names no receive maximum (MQTT 5, 3.2.2.3.3)
_MAX_PACKET = 268_435_460  # the longest there can be: of a broker that names no maximum
_LENGTH_BYTES = 4  # of the length of a packet, at most
_UNWRITTEN = 200  # packets that wait to be written, before nothing more is read

_CONNACK, _PUBLISH, _PINGRESP, _DISCONNECT = 0x20, 0x30, 0xD0, 0xE0
_FROM_BROKER = frozenset({_CONNACK, PUBACK, SUBACK, _PINGRESP, _DISCONNECT})  # with their flags, all zero
_PUBLISH_FLAGS = frozenset({0x0, 0x1, 0x2, 0x3, 0xA, 0xB})  # QoS 0 and 1: no more was subscribed to


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker allows, of its CONNACK."""

    receive_maximum: int = _MAX_RECEIVE
    max_packet_bytes: int = _MAX_PACKET
    keepalive_s: int | None = None  # None: as we asked
    at_least_once: bool = True  # QoS 1
    retain: bool = True
    wildcards: bool = True
    shared: bool = True
    session_present: bool = False
    authentication: bool = False  # by a method of its own, which nobody offered


class Events(Protocol):
    """What a connection tells; always on the thread that moves its bytes."""

    def wanted(self) -> bool:
        """Whether the connection is still wanted, now that the way to the broker is open."""
        ...

    def connack(self, code: int, name: str, limits: Limits) -> None: ...

    def suback(self, message_id: int, answers: list[tuple[int, str]]) -> None: ...

    def puback(self, message_id: int, code: int, name: str) -> None: ...

    def pong(self) -> None: ...

    def message(self, topic: str, payload: bytes, qos: int, message_id: int, *, retained: bool) -> None: ...

    def disconnected(self, code: int, name: str) -> None:
        """The broker said why it ends the connection."""
        ...


class Wire(Client):
    """A client for one connection; `trouble` says why it may not go on, `error` why its socket failed."""

    def __init__(self, settings: BrokerSettings, session: Session, events: Events) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.trouble: str | None = None
        self.error: Exception | None = None
        self._settings, self._events = settings, events
        self._greeted = False
        self._answers: list[int] = []  # of the PUBACK or SUBACK that is being read
        self.suppress_exceptions = True
        self.connect_timeout = settings.connect_timeout_s
        self.max_inflight_messages_set(0)  # no limit in paho: we never hand it more than there is room for
        self.on_connect, self.on_subscribe = self._connack, self._suback
        self.on_publish, self.on_message = self._puback, self._message
        if settings.username is not None:
            self.username_pw_set(settings.username, settings.password)
        if session.will is not None:
            will = session.will
            with_delay = _properties(PacketTypes.WILLMESSAGE, WillDelayInterval=will.delay_s or None)
            self.will_set(will.topic, will.payload, qos=1, retain=True, properties=with_delay)

    # ----------------------------------------------------------------------- what is sent

    def open(self, tls: ssl.SSLContext | None, *, fresh: bool) -> None:
        """Connect and send CONNECT; blocks, at most the connect time-out for each of the host's addresses.

        `fresh`: what the broker has kept for this client is not wanted, its subscriptions included.
        """
        wanted = self._settings
        if tls is not None:
            self.tls_set_context(tls)
        properties = _properties(
            PacketTypes.CONNECT,
            SessionExpiryInterval=wanted.session_expiry_s or None,
            ReceiveMaximum=wanted.receive_maximum,
            MaximumPacketSize=wanted.max_packet_bytes,
        )
        self.connect(
            wanted.host.strip("[]"),
            wanted.port,
            wanted.keepalive_s,
            clean_start=fresh or not wanted.session_expiry_s,
            properties=properties,
        )

    def subscribe_to(self, filters: list[str]) -> int | None:
        """Ask for these; the number of the SUBACK to come, None when the connection has ended."""
        wanted = [(one, SubscribeOptions(qos=1)) for one in filters]
        return self.subscribe(wanted)[1]

    def send(self, topic: str, payload: bytes, qos: int, *, retain: bool, expiry_s: int | None) -> int | None:
        """Publish; the number of the PUBACK to come, None when the connection has ended.

        Raises ValueError for what MQTT does not allow.
        """
        properties = _properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        sent = self.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        return sent.mid if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def read(self) -> None:
        """Take at most a few packets of what is there."""
        if self.loop_read() == MQTTErrorCode.MQTT_ERR_PROTOCOL and not self.trouble:
            self.trouble = "what is no packet"

    def ping(self) -> None:
        self._send_pingreq()

    @property
    def congested(self) -> bool:
        """So much waits to be written that nothing should be read, which would only add to it."""
        return len(self._out_packet) > _UNWRITTEN

    def complain(self, code: int) -> None:
        """Say why the connection ends, where that can be said at once (MQTT 5, 4.13); the will stays."""
        if self.socket() is not None and not self._out_packet:
            with contextlib.suppress(OSError):
                super()._sock_send(bytes([_DISCONNECT, 1, code]))

    def close(self) -> None:
        """Close the socket without a word: the broker will publish the will unless we said goodbye."""
        with contextlib.suppress(OSError):
            self._sock_close()

    # ----------------------------------------------------------------------- before paho looks at it

    def _create_socket(self) -> Any:
        """The way may take long; who was given up meanwhile must not throw out its successor."""
        wire = super()._create_socket()
        if not self._events.wanted():
            wire.close()
            raise ConnectionAbortedError("not wanted any more")
        return wire

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """paho leaves the socket open when the handshake fails, until the garbage is collected."""
        if self._ssl_context is None:
            raise RuntimeError("TLS without a context")
        wire = self._ssl_context.wrap_socket(
            tcp_sock, server_hostname=self._host, do_handshake_on_connect=False
        )
        try:
            wire.settimeout(self._settings.connect_timeout_s)
            wire.do_handshake()
        except BaseException:
            wire.close()
            raise
        return wire

    def _sock_recv(self, bufsize: int) -> bytes:
        """paho asks for as many bytes as the packet announces: too many are not even asked for."""
        if bufsize > self._settings.max_packet_bytes:
            allowed = self._settings.max_packet_bytes
            self._refuse(f"a packet of {bufsize:,} bytes, {allowed:,} are allowed", PACKET_TOO_LARGE)
        begins = not self._in_packet["command"]
        if not self._in_packet["have_remaining"] and len(self._in_packet["remaining_count"]) >= _LENGTH_BYTES:
            self._refuse("what is no packet", MALFORMED)
        try:
            data = super()._sock_recv(bufsize)
        except BlockingIOError:
            raise
        except OSError as error:
            self.error = error  # what a TLS alert says is more than that nothing can be written
            raise
        if begins and data:
            self._check(data[0])
        return data

    def _check(self, command: int) -> None:
        """The first byte of a packet: what may not be sent is not read."""
        problem = self._improper(command)
        if problem:
            self._refuse(problem, PROTOCOL_ERROR)

    def _refuse(self, problem: str, code: int) -> NoReturn:
        self._give_up(problem, code)
        raise ConnectionError(problem)

    def _give_up(self, problem: str, code: int) -> None:
        """The first trouble is told; paho closes the socket as soon as it hears of one."""
        if self.trouble is None:
            self.trouble = problem
            self.complain(code)

    def _sock_send(self, buf: bytes | bytearray) -> int:
        try:
            return super()._sock_send(buf)
        except BlockingIOError:
            raise
        except OSError as error:
            self.error = self.error or self._last_word() or error
            raise

    def _last_word(self) -> Exception | None:
        """The alert that waits to be read when TLS cannot write any more: it says why."""
        try:
            if isinstance(self.socket(), ssl.SSLSocket):
                super()._sock_recv(1)
        except BlockingIOError:
            return None
        except OSError as alert:
            return alert
        return None

    def _packet_handle(self) -> MQTTErrorCode:
        command = self._in_packet["command"]
        self._greeted = True  # the first packet is a CONNACK, or we were not here
        try:
            if command in (PUBACK, SUBACK):
                self._answers = codes(command, self._in_packet["packet"])
                listed(command, self._in_packet["packet"])
            result = super()._packet_handle()
            if command == _DISCONNECT:
                self._disconnected(bytes(self._in_packet["packet"]))
        except (MQTTException, ValueError, LookupError):
            self._give_up(f"a packet of type {command:#04x} that cannot be read", MALFORMED)
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._give_up("what is no packet", MALFORMED)
        elif command == _PINGRESP:
            self._tell(self._events.pong)
        return result

    def _improper(self, command: int) -> str | None:
        """Why a broker may not send this packet now; None: it may."""
        kind = command & 0xF0
        if kind == _PUBLISH:
            if command & 0x0F not in _PUBLISH_FLAGS:
                return "a message of a quality of service that was not asked for"
        elif command not in _FROM_BROKER:
            return f"a packet of type {command:#04x}"
        if (kind == _CONNACK) == self._greeted:
            return (
                "a second CONNACK" if self._greeted else f"a packet of type {command:#04x} before its CONNACK"
            )
        return None

    # ----------------------------------------------------------------------- paho's callbacks

    def _tell(self, event: Callable[..., None], *what: Any, **more: Any) -> None:
        """Hand on; whatever goes wrong ends this connection and not the thread."""
        try:
            event(*what, **more)
        except Exception as error:  # noqa: BLE001  what a broker sent must never end the thread
            self._give_up(f"{type(error).__name__} in {event.__name__}", OUR_ERROR)

    def _connack(
        self, _c: Client, _d: object, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        limits = _limits(properties, session_present=flags.session_present)
        self._tell(self._events.connack, code.value, code.getName(), limits)

    def _disconnected(self, body: bytes) -> None:
        """paho 2.1 overlooks the code of a packet that has nothing else."""
        code = ReasonCode(PacketTypes.DISCONNECT, identifier=body[0] if body else 0)
        self._tell(self._events.disconnected, code.value, code.getName())

    def _puback(self, _c: Client, _d: object, mid: int, code: ReasonCode, _properties: object) -> None:
        said = self._answers[0] if self._answers else code.value
        self._tell(self._events.puback, mid, said, _name(said, code))

    def _suback(self, _c: Client, _d: object, mid: int, found: list[ReasonCode], _properties: object) -> None:
        said = self._answers if len(self._answers) == len(found) else [code.value for code in found]
        answers = [(one, _name(one, code)) for one, code in zip(said, found, strict=True)]
        self._tell(self._events.suback, mid, answers)

    def _message(self, _c: Client, _d: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._give_up("a topic that is no text", MALFORMED)
            return
        payload = bytes(message.payload)
        self._tell(self._events.message, topic, payload, message.qos, message.mid, retained=message.retain)


def _name(said: int, known: ReasonCode) -> str:
    """What a code is called, also where it is not listed for this packet."""
    if said == known.value:
        return str(known.getName())
    return next(iter(known.names.get(said, ())), f"code {said:#04x}")


def _limits(properties: Properties | None, *, session_present: bool) -> Limits:
    def said(name: str, otherwise: Any) -> Any:
        return getattr(properties, name, otherwise)

    return Limits(
        receive_maximum=said("ReceiveMaximum", _MAX_RECEIVE),
        max_packet_bytes=said("MaximumPacketSize", _MAX_PACKET),
        keepalive_s=said("ServerKeepAlive", None),
        at_least_once=bool(said("MaximumQoS", 1)),
        retain=bool(said("RetainAvailable", 1)),
        wildcards=bool(said("WildcardSubscriptionAvailable", 1)),
        shared=bool(said("SharedSubscriptionAvailable", 1)),
        session_present=session_present,
        authentication=said("AuthenticationMethod", None) is not None,
    )


def _properties(kind: int, **values: int | None) -> Properties | None:
    """Those that are given; None when none is."""
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return None
    properties = Properties(kind)  # type: ignore[no-untyped-call]  # paho's
    for name, value in given.items():
        setattr(properties, name, value)
    return properties
