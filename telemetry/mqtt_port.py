"""The broker through paho-mqtt: the one module that imports it.

paho is used as a codec, driven by a thread of ours (its documented external-loop functions), because of
what it does when driven by itself (2.2.0, read and measured): it sends its whole queue on connect whatever
the broker's receive maximum, reconnects without jitter, and an exception in a callback ends its thread
while it goes on calling itself connected. So: a fresh client for each connection, never more handed over
than the window, results only from on_publish, and no queue in paho.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from speedsign.errors import BrokerError
from speedsign.model import Counters, Fault
from speedsign.ports import Clock
from telemetry.mqtt import (
    NOBODY_LISTENS,
    BrokerSettings,
    Published,
    TlsSettings,
    Will,
    pause_s,
    refused,
    unreachable,
)

_log = logging.getLogger(__name__)

_TICK_S = 1.0  # how often the keepalive and the deadlines are looked at
_GOODBYE_S = 1.0
_STOP_TIMEOUT_S = 3.0
_MAX_RECEIVE = 65_535  # of a broker that names no receive maximum (MQTT 5, 3.2.2.3.3)


@dataclass(frozen=True, slots=True)
class _Job:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    result: asyncio.Future[Published]


class PahoPort:
    """`telemetry.mqtt.MqttPort` with a thread that owns one connection at a time."""

    def __init__(
        self, settings: BrokerSettings, clock: Clock, *, chance: random.Random | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311  spreads reconnects, guards nothing
        self._jobs: deque[_Job] = deque()
        self._counters = Counters()
        self._fault: Fault | None = None
        self._connected = False  # as the loop was told
        self._thread: _Thread | None = None

    async def run(
        self, will: Will, on_connected: Callable[[], None], on_lost: Callable[[BrokerError], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def connected() -> None:
            self._connected = True
            self._fault = None
            _log.info("mqtt %s: connected", self._settings.address)
            on_connected()

        def lost(error: BrokerError) -> None:
            level = logging.DEBUG if self._fault else logging.WARNING  # once, then it is in the faults
            _log.log(level, "%s", error)
            self._connected = False
            self._fault = Fault("mqtt", "disconnected", str(error))
            on_lost(error)

        thread = self._thread = _Thread(self, will, loop, connected, lost, ended)
        thread.start()
        try:
            await asyncio.shield(ended)
        finally:
            thread.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await asyncio.shield(ended)
            self._connected, self._thread = False, None
            if ended.done():
                thread.join()  # its last act was to say that it ended
            else:
                _log.warning("mqtt %s: left behind in a call to the system", self._settings.address)

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> Awaitable[Published]:
        result: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        if self._thread is None or not self._connected:
            result.set_exception(BrokerError(f"mqtt {self._settings.address}: not connected"))
        else:
            self._jobs.append(_Job(topic, payload, qos, retain, result))
            self._thread.wake()
        return result

    def faults(self) -> list[Fault]:
        return [self._fault] if self._fault else []

    def health(self) -> Mapping[str, int]:
        return {"connected": int(self._connected), **self._counters.values}


class _Thread(threading.Thread):
    """Keeps a connection up and is the only one to touch it."""

    def __init__(
        self,
        port: PahoPort,
        will: Will,
        loop: asyncio.AbstractEventLoop,
        connected: Callable[[], None],
        lost: Callable[[BrokerError], None],
        ended: asyncio.Future[None],
    ) -> None:
        super().__init__(name="mqtt", daemon=True)
        self._port, self._will, self._loop = port, will, loop
        self._on_connected, self._on_lost, self._on_end = connected, lost, ended
        self._settings = port._settings  # noqa: SLF001  two halves of one thing, in one module
        self._clock = port._clock  # noqa: SLF001
        self._jobs = port._jobs  # noqa: SLF001
        self._counters = port._counters  # noqa: SLF001
        self._chance = port._chance  # noqa: SLF001
        self._stopping = threading.Event()
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.setblocking(False)
        self._wake_w.setblocking(False)
        self._in_flight: dict[int, tuple[_Job, float]] = {}  # message id -> job, when it was sent
        self._room = 0
        self._up_since_s: float | None = None
        self._goodbye_by_s: float | None = None
        self._error: BrokerError | None = None

    # ----------------------------------------------------------------------- from the loop

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it has ended
            self._wake_w.send(b"\0")

    def stop(self) -> None:
        self._stopping.set()
        self.wake()

    # ----------------------------------------------------------------------- the thread

    def run(self) -> None:
        failures = 0
        try:
            while not self._stopping.is_set():
                lived_s = self._one_connection()
                failures = 0 if lived_s >= self._settings.min_connected_s else failures + 1
                self._stopping.wait(pause_s(failures - 1 if failures else 0, self._settings, self._chance))
        finally:
            self._drop_jobs(BrokerError(f"mqtt {self._settings.address}: stopped"))
            self._wake_r.close()
            self._wake_w.close()
            self._post(_end, self._on_end)

    def _one_connection(self) -> float:
        """Connect and serve until it ends, for whatever reason; how long it was up, seconds."""
        self._forget()
        client: Client | None = None
        try:
            client = self._new_client()
            client.connect(
                self._settings.host, self._settings.port, self._settings.keepalive_s, clean_start=True
            )
            self._serve(client)
        except (OSError, ssl.SSLError) as error:
            self._error = unreachable(self._settings, error)
        except Exception as error:  # noqa: BLE001  whatever a broker sends must never end this thread
            _log.debug("mqtt: unexpected", exc_info=True)
            self._error = BrokerError(f"mqtt {self._settings.address}: the broker sent nonsense ({error!r})")
        finally:
            _close(client)
        up_s = 0.0 if self._up_since_s is None else self._clock.monotonic() - self._up_since_s
        reason = self._error or BrokerError(f"mqtt {self._settings.address}: the connection was lost")
        self._counters.add("connections_ended")
        self._drop_jobs(reason)
        if not self._stopping.is_set():
            self._post(self._on_lost, reason)
        return up_s

    def _forget(self) -> None:
        self._error, self._up_since_s, self._room = None, None, 0

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = self._settings.connect_timeout_s
        client.max_inflight_messages_set(0)  # no limit in paho: we never hand it more than there is room for
        client.on_connect = self._connack
        client.on_disconnect = self._disconnected
        client.on_publish = self._acknowledged
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, self._settings.password)
        if self._settings.tls:
            client.tls_set_context(_tls_context(self._settings.tls))
        properties = None
        if self._will.delay_s:
            properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]  # paho's
            properties.WillDelayInterval = self._will.delay_s
        client.will_set(self._will.topic, self._will.payload, qos=1, retain=True, properties=properties)
        return client

    def _serve(self, client: Client) -> None:
        """Move bytes until the connection ends or the port is stopped."""
        started_s = self._clock.monotonic()
        tick_s = min(_TICK_S, self._settings.connect_timeout_s, self._settings.ack_timeout_s)
        while (wire := client.socket()) is not None:
            if self._stopping.is_set() and self._goodbye_by_s is None:
                self._goodbye_by_s = self._clock.monotonic() + _GOODBYE_S
                client.disconnect()  # the socket is closed as soon as that is written
            writers = [wire] if client.want_write() else []
            ready, writable, _ = select.select([wire, self._wake_r], writers, [], tick_s)
            if self._wake_r in ready:
                with contextlib.suppress(BlockingIOError):
                    self._wake_r.recv(4096)
            if wire in ready:
                _read(client, wire)
            if writable:
                client.loop_write()
            client.loop_misc()
            if self._goodbye_by_s is None:
                self._send_jobs(client)
            if self._too_late(started_s):
                return

    def _too_late(self, started_s: float) -> bool:
        now_s = self._clock.monotonic()
        if self._goodbye_by_s is not None:
            return now_s > self._goodbye_by_s
        if self._up_since_s is None:
            if now_s - started_s > self._settings.connect_timeout_s:
                self._error = unreachable(self._settings, TimeoutError("no answer to CONNECT"))
                return True
            return False
        oldest_s = min((sent_s for _, sent_s in self._in_flight.values()), default=now_s)
        if now_s - oldest_s > self._settings.ack_timeout_s:
            self._error = unreachable(self._settings, TimeoutError("messages are not acknowledged"))
            return True
        return False

    def _send_jobs(self, client: Client) -> None:
        while self._jobs and len(self._in_flight) < self._room:
            job = self._jobs.popleft()
            if job.result.cancelled():
                continue
            try:
                sent = client.publish(job.topic, job.payload, qos=job.qos, retain=job.retain)
            except ValueError as error:  # a topic or payload that MQTT does not allow
                self._post(_fail, (job.result, BrokerError(f"mqtt: this can never be sent: {error}")))
                continue
            self._sent(job, sent)

    def _sent(self, job: _Job, sent: MQTTMessageInfo) -> None:
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._post(_fail, (job.result, BrokerError(f"mqtt {self._settings.address}: {sent.rc!r}")))
        elif job.qos == 0:
            self._post(_succeed, (job.result, Published(0, "Sent")))
        else:
            self._in_flight[sent.mid] = job, self._clock.monotonic()
            self._counters.values["most_in_flight"] = max(
                len(self._in_flight), self._counters.get("most_in_flight")
            )

    def _drop_jobs(self, error: BrokerError) -> None:
        """Nothing is sent again from here: whoever wanted it published still has it."""
        waiting = [job for job, _ in self._in_flight.values()]
        self._in_flight.clear()
        while self._jobs:
            waiting.append(self._jobs.popleft())
        for job in waiting:
            self._post(_fail, (job.result, error))

    # ----------------------------------------------------------------------- paho's callbacks, on the thread

    def _connack(
        self,
        _client: Client,
        _data: object,
        _flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._error = refused(self._settings, code.value, code.getName())
            self._counters.add("refused")
            return
        broker_s = getattr(properties, "ReceiveMaximum", _MAX_RECEIVE)
        self._room = max(1, min(self._settings.window, broker_s))
        self._up_since_s = self._clock.monotonic()
        self._counters.add("connections")
        self._post(lambda _: self._on_connected(), None)

    def _disconnected(
        self, _client: Client, _data: object, flags: DisconnectFlags, code: ReasonCode, _properties: object
    ) -> None:
        if flags.is_disconnect_packet_from_server and not self._error:
            self._error = refused(self._settings, code.value, code.getName())

    def _acknowledged(
        self, _client: Client, _data: object, mid: int, code: ReasonCode, _properties: object
    ) -> None:
        job, _ = self._in_flight.pop(mid, (None, 0.0))
        if job is None:
            return
        self._counters.add("refused_messages" if code.is_failure else "acknowledged")
        if code.value == NOBODY_LISTENS:
            self._counters.add("nobody_listens")
        self._post(_succeed, (job.result, Published(code.value, code.getName())))

    def _post(self, callback: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self._loop.call_soon_threadsafe(callback, value)


def _read(client: Client, wire: Any) -> None:
    client.loop_read()
    while client.socket() is wire and isinstance(wire, ssl.SSLSocket) and wire.pending():
        client.loop_read()  # decrypted already: select would not tell


def _close(client: Client | None) -> None:
    """Close the socket without a word: the broker will publish the will unless we said goodbye."""
    wire = client.socket() if client is not None else None
    if wire is not None:
        with contextlib.suppress(OSError):
            wire.close()


def _tls_context(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.certificate_file:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _succeed(told: tuple[asyncio.Future[Published], Published]) -> None:
    result, published = told
    if not result.done():
        result.set_result(published)


def _fail(told: tuple[asyncio.Future[Published], BrokerError]) -> None:
    result, error = told
    if not result.done():
        result.set_exception(error)
