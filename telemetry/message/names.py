"""The words and bounds of messages between sign and hub: topics, kinds, sizes."""

from __future__ import annotations

VERSION = 1  # of topics and messages alike

ON, OFF, LOST = "on", "off", "lost"  # the words of the state message
STATES = (ON, OFF, LOST)

# A row's kind in the outbox is the last word of its topic.
PLACE = "place"  # where and how the sign stands: an installation
AGGREGATE = "agg"  # one closed interval
VEHICLES = "raw"  # single vehicles, in batches
GAP = "gap"  # what was dropped
REPLY = "reply"  # what became of a command
# Sent as they are, without the outbox: state, birth, health.

RANKS = {REPLY: 0, GAP: 0, PLACE: 0, AGGREGATE: 1, VEHICLES: 2}  # what goes first when much waits

DURATIONS_S = (60, 300, 900, 3600)  # of an interval
MESSAGE_MAX_BYTES = 65_536  # of any message to the hub; of vehicles, unpacked
GAP_MAX_ENTRIES = 200
PLACE_MAX_CALIBRATIONS = 10
ACK_MAX_BYTES = 4096
COMMAND_MAX_BYTES = 4096
ACK_MAX_RANGES = 64


def topic(sign: str, what: str) -> str:
    """The topic of a message from the sign.

    >>> topic("bauska-3", "agg")
    'speedsign/1/bauska-3/up/agg'
    """
    return f"speedsign/{VERSION}/{sign}/up/{what}"


def down_topic(sign: str, what: str) -> str:
    """The topic of a message to the sign: `ack` or `cmd`.

    >>> down_topic("bauska-3", "ack")
    'speedsign/1/bauska-3/down/ack'
    """
    return f"speedsign/{VERSION}/{sign}/down/{what}"
