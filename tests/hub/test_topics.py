"""What a topic says; nothing else is let in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.hub.topics import PRESENCE, STORED, heard, subscriptions
from telemetry.mqtt.shapes import Message
from telemetry.mqtt.topics import matches


@pytest.mark.parametrize("kind", [*PRESENCE, *STORED])
@pytest.mark.parametrize("group", [None, "hubs"])
def test_what_is_subscribed_to_is_understood(kind: str, group: str | None) -> None:
    topic = f"speedsign/1/bauska-3/up/{kind}"
    found = heard(Message(topic, b"x"), 5)
    assert (found.sign, found.kind, found.payload, found.at_ms) == ("bauska-3", kind, b"x", 5)
    assert any(matches(one.topic_filter, topic) for one in subscriptions(group))


def test_only_what_is_stored_is_shared() -> None:
    """A shared subscription gets nothing retained: each hub has to hear of state and birth itself."""
    shared = {one.topic_filter.split("/")[-1] for one in subscriptions("hubs") if one.topic_filter[0] == "$"}
    assert shared == set(STORED)
    assert all(one.topic_filter[0] != "$" for one in subscriptions())


@pytest.mark.parametrize("group", ["", "a/b", "+", "#", "x" * 41, "ā"])
def test_a_group_that_is_no_name_is_refused(group: str) -> None:
    with pytest.raises(ValueError, match="no name of a group"):
        subscriptions(group)


@pytest.mark.parametrize(
    "topic",
    [
        "speedsign/1/bauska-3/up/agg/more",
        "speedsign/1/bauska-3/down/ack",
        "speedsign/1/bauska-3/up",
        "speedsign/2/bauska-3/up/agg",
        "speedsign/1/+/up/agg",
        "speedsign/1/#",
        "speedsign/1/ab/up/agg",
        "speedsign/1/BAUSKA/up/agg",
        "speedsign/1/bauska 3/up/agg",
        "speedsign/1/bauska-3\n/up/agg",
        "speedsign/1/../up/agg",
        "speedsign/1//up/agg",
        f"speedsign/1/{'x' * 41}/up/agg",
        "speedsign/1/bauska-3/up/cmd",
        "$share/x/speedsign/1/bauska-3/up/agg",
        "homeassistant/device/x/config",
        "",
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(ValueError, match=r"none of a sign's|no kind of message"):
        heard(Message(topic, b"{}"), 0)


@pytest.mark.parametrize("kind", ["agg", "raw", "place", "gap", "reply", "health"])
def test_data_that_was_retained_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="retained"):
        heard(Message(f"speedsign/1/bauska-3/up/{kind}", b"{}", retained=True), 0)


@given(st.text(max_size=60))
def test_no_topic_raises_anything_else(topic: str) -> None:
    with contextlib.suppress(ValueError):
        found = heard(Message(topic, b""), 0)
        assert topic == f"speedsign/1/{found.sign}/up/{found.kind}"
