"""Topics: what a hub takes for a sign's, what a subscription lets in, and what a broker may send."""

from __future__ import annotations

import re
from collections.abc import Iterator

from telemetry.hub.topics import PRESENCE, STORED, heard, subscriptions
from telemetry.mqtt.inbox import Inbox, Verdict
from telemetry.mqtt.shapes import Message, Subscription
from telemetry.mqtt.topics import is_topic, matches, subscription_of
from tests.fuzz.kit import one_sentence

LONGEST = 512
WORDS = (
    b"speedsign/1/", b"/up/", b"/down/", b"ack", b"cmd", b"+", b"#", b"$share/hub/", b"$SYS", b"//",
    b"\x00", b"bauska-3", *(kind.encode() for kind in (*PRESENCE, *STORED)),
)  # fmt: skip
SIGN = re.compile(r"[a-z0-9-]{3,40}", re.ASCII)
OWN = (Subscription("speedsign/1/bauska-3/down/+", 4096), Subscription("#", 10))


def target(data: bytes) -> None:
    """A topic, and behind a newline a filter."""
    text, _, wanted = data.decode("utf-8", "surrogateescape").partition("\n")
    try:
        found = heard(Message(text, b"x", retained=len(data) % 2 == 1), 5)
    except ValueError as error:
        one_sentence(error)
    else:
        assert SIGN.fullmatch(found.sign)
        assert text == f"speedsign/1/{found.sign}/up/{found.kind}"
        assert any(matches(one.topic_filter, text) for one in subscriptions("hubs"))
    if matches(wanted or "#", text) and is_topic(text):
        assert not (text.startswith("$") and (wanted or "#")[0] in "+#")
    asked = subscription_of(text, OWN)
    inbox = Inbox(OWN, 5)
    verdict = inbox.judge(text, len(data), 1, 7, 0)
    assert (verdict is Verdict.VIOLATION) is not is_topic(text)
    if verdict is Verdict.DELIVER:
        assert asked is not None
        assert len(data) <= asked.max_bytes
        assert inbox.judge(text, 1, 1, 7, 0) is Verdict.VIOLATION, "a number that is in use"
        assert (inbox.close(7), inbox.close(7)) == (True, False)


def seeds() -> Iterator[bytes]:
    for kind in (*PRESENCE, *STORED):
        yield f"speedsign/1/bauska-3/up/{kind}".encode()
        yield f"speedsign/1/bauska-3/up/{kind}\n$share/hubs/speedsign/1/+/up/{kind}".encode()
    yield b"speedsign/1/bauska-3/down/ack\nspeedsign/1/+/down/#"
    yield b"$SYS/uptime\n#"
