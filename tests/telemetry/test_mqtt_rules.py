"""The pure rules of the port: topics, what becomes of a message, how long is waited."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from telemetry.mqtt.inbox import Inbox, Verdict
from telemetry.mqtt.shapes import BrokerSettings, Subscription, first_pause_s, long_pause_s, pause_s
from telemetry.mqtt.topics import is_topic, matches, subscription_of

ACK = Subscription("speedsign/1/a-1/down/ack", 100)
LEVEL = st.sampled_from(["a", "b", "", "$SYS", "up"])
TOPICS = st.lists(LEVEL, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(st.sampled_from(["a", "b", "", "$SYS", "up", "+"]), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@given(FILTERS, TOPICS)
def test_matching_is_as_another_implementation_has_it(topic_filter: str, topic: str) -> None:
    assert matches(topic_filter, topic) == topic_matches_sub(topic_filter, topic)
    assert matches(f"$share/hub/{topic_filter}", topic) == matches(topic_filter, topic)


@pytest.mark.parametrize("name", ["", "a/+", "#", "a#b", "a\0", "x" * 65_536, "ā" * 40_000])
def test_what_is_no_topic(name: str) -> None:
    assert not is_topic(name)


def test_of_several_subscriptions_the_most_generous_counts() -> None:
    wide = Subscription("speedsign/1/+/down/+", 4096)
    assert subscription_of("speedsign/1/a-1/down/ack", [ACK, wide]) is wide
    assert subscription_of("speedsign/1/a-1/up/ack", [ACK, wide]) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ACK.topic_filter, "speedsign/1/b-1/down/ack", "bad/+", ""]),
            st.integers(0, 200),
            st.integers(0, 1),
            st.integers(1, 6),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_what_is_open_is_acknowledged_once(came: list[tuple[str, int, int, int, bool]]) -> None:
    inbox, opened = Inbox([ACK], receive_maximum=3), set[int]()
    for topic, length, qos, number, close in came:
        verdict = inbox.judge(topic, length, qos, number, undelivered=0)
        if verdict is Verdict.DELIVER:
            assert topic == ACK.topic_filter
            assert length <= ACK.max_bytes
            if qos:
                assert number not in opened
                opened.add(number)
        elif verdict is Verdict.VIOLATION:
            assert inbox.why
        assert inbox.overfull == (len(opened) > 3)
        if close:
            assert inbox.close(number) == (number in opened), "acknowledged once, and only what is open"
            opened.discard(number)


def test_without_acknowledgements_the_room_is_bounded_too() -> None:
    inbox = Inbox([ACK], receive_maximum=3)
    assert inbox.judge(ACK.topic_filter, 1, 0, 0, undelivered=2) is Verdict.DELIVER
    assert inbox.judge(ACK.topic_filter, 1, 0, 0, undelivered=3) is Verdict.NO_ROOM


def test_a_fleet_comes_back_spread_over_its_time() -> None:
    """A thousand signs after their broker was restarted: no second has more than 5 % of them."""
    wanted = BrokerSettings("localhost", "x", spread_s=60, backoff_base_s=60, backoff_cap_s=300)
    chance = random.Random(1)
    for pauses in (
        [first_pause_s(wanted, chance) for _ in range(1000)],
        [pause_s(0, wanted, chance) for _ in range(1000)],
        [pause_s(3, wanted, chance) for _ in range(1000)],
    ):
        seconds = [int(pause) for pause in pauses]
        assert max(seconds.count(second) for second in set(seconds)) <= 50
        assert max(pauses) <= 300
        assert min(pauses) < 2


def test_a_lasting_no_waits_for_minutes_and_never_in_step() -> None:
    wanted = BrokerSettings("localhost", "x")
    pauses = [long_pause_s(wanted, random.Random(seed)) for seed in range(200)]
    assert min(pauses) >= 150
    assert max(pauses) <= 450
    assert max(pauses) - min(pauses) > 200
