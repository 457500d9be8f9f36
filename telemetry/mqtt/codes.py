"""The broker's answers to messages and subscriptions, from the packets themselves (MQTT 5, 3.4.2 and 3.9.2).

Brokers answer with refusals that the specification lists for other packets: mosquitto refuses a message that
is longer than its message_size_limit by 0x95 in a PUBACK. Such a code is as good a no as any. paho takes the
whole packet for broken, so it is given a no that it knows, and what the broker said is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable

from telemetry.mqtt.shapes import FAILURE

PUBACK, SUBACK = 0x40, 0x90

_LISTED = {
    PUBACK: frozenset({0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}),
    SUBACK: frozenset({0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}),
}
_CODE = 2  # where a PUBACK has its code, and a SUBACK the length of its properties
_LENGTH_BYTES = 4  # of properties, at most


def codes(kind: int, body: bytes | bytearray) -> list[int]:
    """What the broker answers, one code for each thing it was asked; a PUBACK without one says yes.

    >>> codes(PUBACK, bytes([0, 7, 0x95])), codes(PUBACK, bytes([0, 7]))
    ([149], [0])
    >>> codes(SUBACK, bytes([0, 7, 0, 1, 0x87]))
    [1, 135]
    """
    return [body[at] for at in _places(kind, body)] or ([0] if kind == PUBACK else [])


def listed(kind: int, body: bytearray) -> None:
    """Put "unspecified error" in the place of each refusal that is not listed for this packet."""
    for at in _places(kind, body):
        if body[at] >= FAILURE and body[at] not in _LISTED[kind]:
            body[at] = FAILURE


def _places(kind: int, body: bytes | bytearray) -> Iterable[int]:
    if kind == PUBACK:
        return range(_CODE, min(len(body), _CODE + 1))
    length = 0
    for n, byte in enumerate(body[_CODE : _CODE + _LENGTH_BYTES]):
        length |= (byte & 127) << (7 * n)
        if byte < 128:  # the highest bit: more follow
            return range(_CODE + n + 1 + length, len(body))
    return range(0)
