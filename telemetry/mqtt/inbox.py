"""What is done with a message from the broker: pure rules, so that no broker can fill the memory.

A broker may send only what was subscribed to, at most `receive_maximum` messages that are not yet
acknowledged, and never two with the same number. Whatever it does instead, here is what becomes of it.
Only the middle rule is broken by brokers that mean well (mosquitto 2.0.11 had up to 70 messages open where 5
were allowed): then nothing more is read until there is room, so that the rest waits at the broker's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from telemetry.mqtt.shapes import Subscription
from telemetry.mqtt.topics import is_topic, subscription_of


class Verdict(StrEnum):
    """What becomes of a message; all but the first two are counted under their name."""

    DELIVER = "deliver"
    VIOLATION = "violation"  # no broker does this: the connection ends
    UNASKED = "unasked_messages"  # acknowledged and forgotten
    TOO_LONG = "too_long_messages"  # acknowledged and forgotten
    NO_ROOM = "dropped_messages"  # not acknowledgeable (QoS 0), and too many wait already


class Inbox:
    """The messages of one connection that are not acknowledged yet. Used by the port's thread alone."""

    def __init__(self, subscriptions: Sequence[Subscription], receive_maximum: int) -> None:
        self._subscriptions = subscriptions
        self._receive_maximum = receive_maximum
        self._open: set[int] = set()  # message ids
        self.why = ""  # of the last violation

    def judge(self, topic: str, length: int, qos: int, message_id: int, undelivered: int) -> Verdict:
        """What to do with a message that came; with DELIVER and QoS 1 its id is open until `close`.

        `undelivered`: how many messages wait to be looked at.
        """
        if not is_topic(topic):
            return self._violation("a topic that cannot be")
        if qos and message_id in self._open:
            return self._violation("a message id that is still in use")
        asked = subscription_of(topic, self._subscriptions)
        if asked is None:
            return Verdict.UNASKED
        if length > asked.max_bytes:
            return Verdict.TOO_LONG
        if undelivered >= self._receive_maximum and not qos:
            return Verdict.NO_ROOM
        if qos:
            self._open.add(message_id)
        return Verdict.DELIVER

    @property
    def overfull(self) -> bool:
        """More is open than the broker was told that we take."""
        return len(self._open) > self._receive_maximum

    def close(self, message_id: int) -> bool:
        """The message was dealt with; True when it has to be acknowledged, so only once."""
        if message_id not in self._open:
            return False
        self._open.remove(message_id)
        return True

    def _violation(self, why: str) -> Verdict:
        self.why = why
        return Verdict.VIOLATION
