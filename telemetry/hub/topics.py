"""Which topics the hub listens to, and what a message's topic says of it."""

from __future__ import annotations

import re

from telemetry.hub.port import Heard
from telemetry.message.messages import AGGREGATE, GAP, MESSAGE_MAX_BYTES, PLACE, REPLY, VEHICLES, VERSION
from telemetry.mqtt.shapes import Message, Subscription

PRESENCE = ("state", "birth", "health")  # newest of each counts; state and birth are retained
STORED = (PLACE, AGGREGATE, VEHICLES, GAP, REPLY)
_TOPIC = re.compile(rf"speedsign/{VERSION}/([a-z0-9-]{{3,40}})/up/([a-z]{{1,20}})", re.ASCII)
_GROUP = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)


def subscriptions(group: str | None = None) -> tuple[Subscription, ...]:
    """`group`: what is stored is shared with the other hubs of that group, each message goes to one of them.

    State, birth and health go to each: they are retained, and a shared subscription gets nothing retained.
    """
    if group is not None and not _GROUP.fullmatch(group):
        raise ValueError(f"{group!r} is no name of a group: at most 40 letters, digits, and . _ -")
    share = "" if group is None else f"$share/{group}/"
    base = f"speedsign/{VERSION}/+/up/"
    return (
        *(Subscription(base + kind, MESSAGE_MAX_BYTES) for kind in PRESENCE),
        *(Subscription(share + base + kind, MESSAGE_MAX_BYTES) for kind in STORED),
    )


def heard(message: Message, at_ms: int) -> Heard:
    """ValueError for a topic that is none of a sign's, and for stored data that a broker was told to retain.

    What is retained comes again at each connect: whoever retains data makes the hub work for nothing.
    """
    found = _TOPIC.fullmatch(message.topic)
    if found is None:
        raise ValueError(f"topic {ascii(message.topic)[:100]} is none of a sign's")
    sign, kind = found.groups()
    if kind not in PRESENCE and kind not in STORED:
        raise ValueError(f"{sign}: {kind} is no kind of message that a hub takes")
    if message.retained and kind not in ("state", "birth"):
        raise ValueError(f"{sign}: {kind} was retained, which only state and birth are")
    return Heard(sign, kind, message.payload, at_ms, message.retained)
