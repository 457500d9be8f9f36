"""What is wrong between a sign and its hub, in sentences for the person who has to mend it."""

from __future__ import annotations

from speedsign.model import Fault
from telemetry.message import messages
from telemetry.outbox.outbox import Waiting
from telemetry.outbox.sender import Sender, Trouble
from telemetry.outbox.too_long import TooLong

_HOUR_S = 3600


def publisher_faults(
    sender: Sender, waiting: Waiting, *, now_s: float, refusal: str, rights: str, copies: int
) -> list[Fault]:
    """`refusal`: why the broker refuses messages now, or nothing; `copies`: as HubWord counts them."""
    found = []
    if refusal or sender.trouble is Trouble.REFUSED:
        text = f"the broker refuses this sign's messages ({refusal or 'no reason given'})"
        found.append(Fault("mqtt", "refused", f"{text}; check its rights on {rights}"))
    elif sender.trouble is Trouble.NOBODY:
        text = "the broker says that nobody is subscribed to this sign's messages; is the hub running?"
        found.append(Fault("mqtt", "nobody_listens", text))
    elif sender.trouble is Trouble.SILENT:
        found.append(Fault("mqtt", "hub_silent", _silent(sender, now_s)))
    if sender.too_long.rows:
        found.append(Fault("mqtt", "too_long", _too_long(sender.too_long)))
    if n := waiting.rows.get(messages.GAP, 0):
        gone = ", ".join(f"{count} {kind}" for kind, count in sorted(waiting.dropped.items()))
        text = (
            f"the outbox was full and messages were dropped (in all: {gone or n}); check the link to the hub"
        )
        found.append(Fault("mqtt", "dropped", f"{text}, or raise [mqtt] quota_mb"))
    if copies > 1:
        text = "the hub goes on hearing of messages under this sign's name that this sign never sent"
        found.append(Fault("mqtt", "copy", f"{text}; does another sign run with the same [sign] id?"))
    return found


def _too_long(aside: TooLong) -> str:
    return (
        f"the broker takes no messages of {aside.shortest_bytes:,} bytes and more; {aside.rows} wait for it, "
        "all others go; raise message_size_limit or max_packet_size at the broker"
    )


def _silent(sender: Sender, now_s: float) -> str:
    heard_s = sender.heard_s
    if heard_s is None:
        since = "since this sign started"
    else:
        hours = (now_s - heard_s) / _HOUR_S
        since = f"for {hours:.0f} h" if hours >= 1 else f"for {(now_s - heard_s) / 60:.0f} min"
    return (
        f"the hub has acknowledged nothing {since}; is it running? Nothing is lost: this sign keeps its "
        "messages and tries one now and then"
    )
