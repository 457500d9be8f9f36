"""One connection to the broker, from CONNECT to its end, on the thread that owns it.

Judged by what the broker acknowledges and by nothing else: each CONNECT, SUBSCRIBE, PUBLISH and PINGREQ has
a time by which its answer must have come.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from speedsign.errors import BrokerError, ConfigError
from speedsign.model import Counters
from speedsign.ports import Clock
from telemetry.mqtt.inbox import Inbox, Verdict
from telemetry.mqtt.mailbox import Job, Mailbox
from telemetry.mqtt.refusals import (
    OUR_ERROR,
    Refusal,
    foreign_authentication,
    half_heard,
    nonsense,
    refused,
    unheard,
    unreachable,
)
from telemetry.mqtt.shapes import (
    FAILURE,
    NOBODY_LISTENS,
    TOO_LONG,
    BrokerSettings,
    Message,
    Published,
    Session,
)
from telemetry.mqtt.tls import connection_error, tls_context
from telemetry.mqtt.wire import Limits, Wire

_TICK_S = 1.0  # how often the keepalive and the deadlines are looked at
_GOODBYE_S = 1.0
_READS = 50  # packets read before anything else gets its turn
_PUBLISH_HEAD = 16  # bytes of a PUBLISH beside topic and payload, at most, with an expiry
_NOT_KEPT = 0x9A
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


@dataclass(frozen=True, slots=True)
class Told:
    """What a connection has to say, posted to the event loop."""

    connected: Callable[[Connection], None]
    unheard: Callable[[str], None]  # subscriptions that were refused
    message: Callable[[], None]  # one more in `Mailbox.heard`
    answered: Callable[[asyncio.Future[Published], Published | BrokerError], None]


class Connection:
    """`telemetry.mqtt.wire.Events` of one connection; `run` serves it to its end."""

    def __init__(
        self,
        settings: BrokerSettings,
        session: Session,
        clock: Clock,
        counters: Counters,
        mailbox: Mailbox,
        told: Told,
        *,
        fresh: bool = False,
    ) -> None:
        self._settings, self._session, self._clock = settings, session, clock
        self._fresh = fresh
        self._counters, self._mailbox, self._told = counters, mailbox, told
        self._wire = Wire(settings, session, self)
        self._inbox = Inbox(session.subscriptions, settings.receive_maximum)
        self._limits = Limits()
        self._keepalive_s = float(settings.keepalive_s)
        self._in_flight: dict[int, tuple[Job, float]] = {}  # message id -> job, when it was sent
        self._held: list[Message] = []  # came before the subscriptions were answered
        self._subscribing: int | None = None
        self._due_s = 0.0  # of the CONNACK, then of the SUBACK
        self._pinged_s: float | None = None
        self._sent_s = 0.0
        self._held_at_s = 0.0  # when we last did not read, though there may have been something
        self._leave_by_s: float | None = None
        self._reason: BrokerError | None = None
        self.up_since_s: float | None = None
        self.last_ack_s = 0.0  # when anything was acknowledged
        self.moves_by_s = 0.0  # when the thread will have moved again, if it is well
        self._trusted = clock.trusted()  # before: it may be set while a certificate is looked at

    def run(self) -> BrokerError:
        """Connect and serve until it ends, for whatever reason; why it ended."""
        error: Exception | None = None
        try:
            self._open()
            self._serve()
        except ConfigError as wrong:  # a file that was good at the start
            self._reason = Refusal(self._settings, str(wrong))
        except OSError as failed:
            error = failed
        except Exception as failed:  # noqa: BLE001  whatever a broker sends must never end the thread
            self._reason = nonsense(self._settings, type(failed).__name__, OUR_ERROR)
        finally:
            if isinstance(self._reason, Refusal) and self._reason.tell is not None:
                self._wire.complain(self._reason.tell)
            self._wire.close()
        return self._reason or self._explain(error)

    def _explain(self, error: Exception | None) -> BrokerError:
        if self._wire.trouble:
            return nonsense(self._settings, self._wire.trouble)
        error = error or self._wire.error
        if self.up_since_s is not None and not isinstance(error, ssl.SSLError):
            why = f" ({error.strerror or error})" if isinstance(error, OSError) else ""
            return BrokerError(f"mqtt {self._settings.address}: the connection was lost{why}")
        if error is not None:
            now = self._clock.now_utc()
            return connection_error(self._settings, error, now, trusted=self._trusted)
        return unreachable(self._settings, ConnectionAbortedError("it ended the connection without a word"))

    # ----------------------------------------------------------------------- moving bytes

    def _open(self) -> None:
        self.moves_by_s = self._clock.monotonic() + 2 * self._settings.connect_timeout_s
        tls = self._settings.tls
        try:
            self._wire.open(tls_context(tls) if tls else None, fresh=self._fresh)
        except UnicodeError as error:
            raise OSError("the host is no name") from error
        now_s = self._clock.monotonic()
        self._due_s = now_s + self._settings.connect_timeout_s
        self._sent_s = self.last_ack_s = now_s

    def _serve(self) -> None:
        tick_s = min(_TICK_S, self._settings.connect_timeout_s, self._settings.ack_timeout_s)
        while (wire := self._wire.socket()) is not None and self._reason is None and not self._wire.trouble:
            self.moves_by_s = self._clock.monotonic() + tick_s
            if self._mailbox.stopping.is_set() and self._leave_by_s is None:
                self._leave_by_s = self._clock.monotonic() + _GOODBYE_S
                self._wire.disconnect()  # the socket is closed as soon as that is written
            self._move(wire, min(tick_s, self._keepalive_s / 4))
            self._acknowledge()
            self._send_jobs()
            self._look_at_the_time(self._clock.monotonic())

    def _move(self, wire: Any, timeout_s: float) -> None:
        poll = select.poll()
        poll.register(self._mailbox.bell, select.POLLIN)
        holding = self._holding()
        reading = 0 if holding else select.POLLIN
        poll.register(wire, reading | (select.POLLOUT if self._wire.want_write() else 0))
        pending = _pending(wire) and reading
        ready = dict(poll.poll(0 if pending else timeout_s * 1000))
        if self._mailbox.bell.fileno() in ready:
            self._mailbox.answered()
        events = ready.get(wire.fileno(), 0)
        if holding and events & _GONE:
            self._reason = BrokerError(f"mqtt {self._settings.address}: the connection was lost")
        elif pending or events & (select.POLLIN | _GONE):
            self._read(wire)
        if events & select.POLLOUT:
            self._wire.loop_write()

    def _read(self, wire: Any) -> None:
        for _ in range(_READS):
            self._wire.read()
            gone = self._wire.socket() is not wire or self._wire.trouble or self._reason
            if gone or self._holding() or not _pending(wire):
                return  # what is decrypted already, poll would not tell

    def _holding(self) -> bool:
        """Whether nothing is read for now: what came has to be dealt with first, and what goes has to go."""
        if self._inbox.overfull:
            self._held_at_s = self._clock.monotonic()
            return True
        return self._wire.congested

    def _look_at_the_time(self, now_s: float) -> None:
        late = self._late(now_s)
        if late:
            self._reason = unreachable(self._settings, TimeoutError(late))
            return
        quiet_s = now_s - (self._sent_s if self._pinged_s else min(self._sent_s, self.last_ack_s))
        if self.up_since_s is not None and quiet_s >= self._keepalive_s:
            self._pinged_s = self._pinged_s or now_s
            self._sent_s = now_s
            self._wire.ping()

    def _late(self, now_s: float) -> str | None:
        """Which answer did not come in time."""
        if self._leave_by_s is not None:
            return "it does not let us go" if now_s > self._leave_by_s else None
        if self.up_since_s is None:
            what = "CONNECT" if self._subscribing is None else "SUBSCRIBE"
            return f"no answer to {what}" if now_s > self._due_s else None
        oldest_s = min((sent_s for _, sent_s in self._in_flight.values()), default=now_s)
        if self._waited_s(oldest_s, now_s) > self._settings.ack_timeout_s:
            return "messages are not acknowledged"
        if self._waited_s(self._pinged_s or now_s, now_s) > self._settings.ack_timeout_s:
            return "no answer to PINGREQ"
        return None

    def _waited_s(self, since_s: float, now_s: float) -> float:
        """How long an answer has been outstanding; while we do not read, none can come."""
        return now_s - max(since_s, self._held_at_s)

    # ----------------------------------------------------------------------- to the broker

    def _acknowledge(self) -> None:
        while self._mailbox.taken:
            connection, message_id = self._mailbox.taken.popleft()
            if connection is self and self._inbox.close(message_id):
                self._ack(message_id)

    def _ack(self, message_id: int) -> None:
        self._wire.ack(message_id, 1)
        self._sent_s = self._clock.monotonic()

    def _send_jobs(self) -> None:
        if self.up_since_s is None or self._leave_by_s is not None:
            return
        room = max(1, min(self._settings.window, self._limits.receive_maximum))
        while self._mailbox.jobs and len(self._in_flight) < room and self._wire.socket() is not None:
            job = self._mailbox.jobs.popleft()
            if job.connection is self and not job.result.done():
                self._send(job)

    def _send(self, job: Job) -> None:
        refusal = self._not_taken(job)
        if refusal:
            self._counters.add("refused_messages")
            self._told.answered(job.result, refusal)
            return
        try:
            number = self._wire.send(
                job.topic, job.payload, job.qos, retain=job.retain, expiry_s=job.expiry_s
            )
        except ValueError as error:  # a topic or payload that MQTT does not allow
            self._told.answered(job.result, BrokerError(f"mqtt: this can never be sent: {error}"))
            return
        now_s = self._sent_s = self._clock.monotonic()
        if number is None:
            gone = BrokerError(f"mqtt {self._settings.address}: the connection was lost")
            self._told.answered(job.result, gone)
        elif job.qos == 0:
            self._told.answered(job.result, Published(0, "Sent"))
        else:
            self._in_flight[number] = job, now_s
            most = max(len(self._in_flight), self._counters.get("most_in_flight"))
            self._counters.values["most_in_flight"] = most

    def _not_taken(self, job: Job) -> Published | None:
        """What this broker has said it does not take is not sent: it would end the connection."""
        length = _PUBLISH_HEAD + len(job.topic.encode(errors="replace")) + len(job.payload)
        longest = self._limits.max_packet_bytes
        if length > longest:
            return Published(TOO_LONG, f"{length} bytes, and the broker takes packets of at most {longest}")
        if job.retain and not self._limits.retain:
            return Published(_NOT_KEPT, "the broker keeps no messages (Retain Available 0)")
        return None

    # ----------------------------------------------------------------------- from the broker

    def wanted(self) -> bool:
        return not self._mailbox.stopping.is_set()

    def connack(self, code: int, name: str, limits: Limits) -> None:
        if code >= FAILURE:
            self._counters.add("refused")
            self._reason = refused(self._settings, code, name)
            return
        if limits.authentication:
            self._counters.add("refused")
            self._reason = foreign_authentication(self._settings)
            return
        self._limits = limits
        unfit = self._unfit(limits)
        if unfit:
            self._counters.add("refused")
            self._reason = Refusal(self._settings, unfit)
            return
        if limits.keepalive_s:
            self._keepalive_s = float(min(self._settings.keepalive_s, limits.keepalive_s))
        now_s = self.last_ack_s = self._sent_s = self._clock.monotonic()
        filters = [one.topic_filter for one in self._session.subscriptions]
        if not filters:
            self._ready()
            return
        self._due_s = now_s + self._settings.connect_timeout_s
        self._subscribing = self._wire.subscribe_to(filters)

    def _unfit(self, limits: Limits) -> str | None:
        """Why this broker cannot serve us, whatever it has said."""
        filters = [one.topic_filter for one in self._session.subscriptions]
        if not limits.at_least_once:
            return "the broker does not acknowledge messages (QoS 1 is needed)"
        if self._session.will is not None and not limits.retain:
            return "the broker keeps no messages, and this one's state has to be kept (retained)"
        if not limits.shared and any(one.startswith("$share/") for one in filters):
            return "the broker has no shared subscriptions, which were asked for"
        if not limits.wildcards and any(set("+#") & set(one) for one in filters):
            return "the broker has no subscriptions with wildcards, which are needed"
        return None

    def suback(self, message_id: int, answers: list[tuple[int, str]]) -> None:
        filters = [one.topic_filter for one in self._session.subscriptions]
        if message_id != self._subscribing or self.up_since_s is not None:
            return
        if len(answers) != len(filters):
            self._reason = nonsense(self._settings, "a SUBACK for other subscriptions than ours")
            return
        no = [(one, name) for one, (code, name) in zip(filters, answers, strict=True) if code >= FAILURE]
        if no:
            self._counters.add("refused_subscriptions", len(no))
            self._told.unheard(unheard(self._settings, [one for one, _ in no], [name for _, name in no]))
        elif weak := [one for one, (code, _) in zip(filters, answers, strict=True) if code == 0]:
            self._counters.add("weak_subscriptions", len(weak))
            self._told.unheard(half_heard(self._settings, weak))
        self._ready()

    def _ready(self) -> None:
        self.up_since_s = self.last_ack_s = self._clock.monotonic()
        self._counters.add("connections")
        self._told.connected(self)
        for message in self._held:
            self._deliver(message)
        self._held.clear()

    def puback(self, message_id: int, code: int, name: str) -> None:
        job, _ = self._in_flight.pop(message_id, (None, 0.0))
        if job is None:
            return
        self.last_ack_s = self._clock.monotonic()
        self._counters.add("refused_messages" if code >= FAILURE else "acknowledged")
        if code == NOBODY_LISTENS:
            self._counters.add("nobody_listens")
        self._told.answered(job.result, Published(code, name))

    def pong(self) -> None:
        if self._pinged_s is not None:
            self._pinged_s = None
            self.last_ack_s = self._clock.monotonic()

    def disconnected(self, code: int, name: str) -> None:
        self._reason = self._reason or refused(self._settings, code, name)

    def message(self, topic: str, payload: bytes, qos: int, message_id: int, *, retained: bool) -> None:
        undelivered = len(self._mailbox.heard) + len(self._held)
        verdict = self._inbox.judge(topic, len(payload), qos, message_id, undelivered)
        if verdict is Verdict.VIOLATION:
            self._reason = nonsense(self._settings, self._inbox.why)
        elif verdict is Verdict.DELIVER:
            if self._inbox.overfull:
                self._counters.add("over_receive_maximum")
            taken = self._taker(message_id) if qos else _nothing
            message = Message(topic, payload, retained, taken)
            if self.up_since_s is None:
                self._held.append(message)
            else:
                self._deliver(message)
        else:
            self._counters.add(verdict.value)
            if qos:
                self._ack(message_id)

    def _deliver(self, message: Message) -> None:
        self._counters.add("heard")
        self._mailbox.heard.append(message)
        self._told.message()

    def _taker(self, message_id: int) -> Callable[[], None]:
        def taken() -> None:
            self._mailbox.taken.append((self, message_id))
            self._mailbox.wake()

        return taken


def _pending(wire: Any) -> bool:
    """Whether there is more that was decrypted already, and poll would not tell."""
    return isinstance(wire, ssl.SSLSocket) and wire.pending() > 0


def _nothing() -> None: ...
