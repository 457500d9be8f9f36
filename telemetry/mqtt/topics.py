"""Topics and filters (MQTT 5, 4.7 and 4.8.2): what may be heard under a subscription."""

from __future__ import annotations

from collections.abc import Sequence

from telemetry.mqtt.shapes import Subscription

_MAX_BYTES = 65_535
_SHARED = "$share/"


def is_topic(name: str) -> bool:
    """Whether a message can have this topic: no wildcards, no NUL, not empty, not too long.

    >>> is_topic("speedsign/1/bauska-3/up/agg"), is_topic("speedsign/+/up"), is_topic("")
    (True, False, False)
    """
    return bool(name) and not set("+#\0") & set(name) and len(name.encode(errors="replace")) <= _MAX_BYTES


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a message of this topic belongs to this subscription; of a shared one, what is shared counts.

    >>> matches("speedsign/1/+/up/#", "speedsign/1/bauska-3/up/agg")
    True
    >>> matches("$share/hub/speedsign/1/+/up/agg", "speedsign/1/bauska-3/up/agg")
    True
    >>> matches("speedsign/1/a/down/+", "speedsign/1/b/down/ack"), matches("#", "$SYS/uptime")
    (False, False)
    """
    if topic_filter.startswith(_SHARED):
        topic_filter = topic_filter.split("/", 2)[-1]
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(levels) == len(wanted)


def subscription_of(topic: str, subscriptions: Sequence[Subscription]) -> Subscription | None:
    """The subscription a message came by, that with the highest bound; None: nobody asked for it."""
    found = [one for one in subscriptions if matches(one.topic_filter, topic)]
    return max(found, key=lambda one: one.max_bytes, default=None)
