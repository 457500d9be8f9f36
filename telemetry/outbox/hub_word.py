"""What the hub says to a sign: acknowledgements, checked, taken by the store, then told to the sender."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from speedsign.errors import StoreError
from speedsign.model import Counters
from speedsign.ports import Clock
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.mqtt.shapes import Message
from telemetry.outbox.outbox import AckOutcome, AckResult, Waiting
from telemetry.outbox.publisher_parts import OutboxRecorder
from telemetry.outbox.sender import Sender

_log = logging.getLogger(__name__)

_TIMES_RARER = 6  # a hub that waits for ever, because it does not know what a greeting says, costs little


def covers(told: Ack, seq: int) -> bool:
    """Whether this seq is among what the hub has."""
    return seq <= told.up_to or any(first <= seq <= last for first, last in told.also)


class HubWord:
    """On the loop. `told` is called when a message was dealt with, `greet` when the hub has to be told anew.

    A message is given back to the port (`taken`) only then, so that a flood waits at the broker.
    """

    def __init__(
        self,
        recorder: OutboxRecorder,
        sender: Sender,
        clock: Clock,
        rarely_s: float,
        told: Callable[[Waiting], None],
        greet: Callable[[], None],
    ) -> None:
        self.counters = Counters()
        self.renewing = False  # a new epoch is on its way: nothing may be loaded
        self.copies_in_a_row = 0  # acknowledgements of what this sign never sent, since one that fits
        self._recorder = recorder
        self._sender = sender
        self._clock = clock
        self._rarely_s = rarely_s  # what is dear is done so often at most
        self._told = told
        self._greet = greet
        self._greeted_s: float | None = None
        self._renewed_s: float | None = None
        self._places_s: float | None = None

    def take(self, message: Message) -> None:
        """An acknowledgement as it came."""
        try:
            ack = messages.parse_ack(message.payload)
        except ValueError as error:
            _log.debug("not an acknowledgement: %s", error)
            self.counters.add("acks_refused")
            message.taken()
            return

        def done(result: AckResult) -> None:
            message.taken()
            self._done(ack, result)

        def failed(_error: StoreError) -> None:
            message.taken()  # the hub says it again

        self._recorder.submit(
            "forget what the hub has", lambda outbox: outbox.acknowledged(ack), done, failed
        )

    def _done(self, ack: Ack, result: AckResult) -> None:
        now_s = self._clock.monotonic()
        self._sender.heard(now_s)
        self.counters.add("acks")
        if result.outcome is AckOutcome.TAKEN:
            self.copies_in_a_row = 0
            self.counters.values["retired"] = self.counters.get("retired") + result.retired
            self._sender.retired(partial(covers, ack))
            if ack.places_wanted and self._may(self._places_s, now_s):
                self._places_s = now_s
                self._recorder.submit("tell the places", lambda outbox: outbox.places_again(), self._news)
            if result.lacks and self._may(self._greeted_s, now_s, _TIMES_RARER * self._rarely_s):
                self._greeted_s = now_s
                self._greet()
        elif result.outcome is AckOutcome.COPY:
            self._copy(now_s)
        self._told(result.waiting)

    def _copy(self, now_s: float) -> None:
        """The hub has messages of this epoch that this file never sent."""
        self.copies_in_a_row += 1
        if not self._may(self._renewed_s, now_s):
            return
        self._renewed_s = now_s
        _log.warning(
            "the hub has messages under this sign's name that this sign never sent: its database is a copy, "
            "or was put back; it goes on under a name of its own"
        )
        self.renewing = True
        self._sender.reset(now_s)  # nothing more goes out under the old name
        self._recorder.submit(
            "begin a new epoch", lambda outbox: outbox.renew(), self._renewed, self._renewed
        )

    def _renewed(self, _result: object) -> None:
        """The publisher finds the other epoch when it loads, and greets anew."""
        self.renewing = False
        self._news(None)

    def _may(self, last_s: float | None, now_s: float, rarely_s: float | None = None) -> bool:
        return last_s is None or now_s - last_s >= (self._rarely_s if rarely_s is None else rarely_s)

    def _news(self, _result: object) -> None:
        self._sender.news(self._clock.monotonic(), at_once=True)
        self._recorder.submit("look at the outbox", lambda outbox: outbox.waiting(), self._told)
