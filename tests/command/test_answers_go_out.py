"""An answer to a command is sent though no hub has said a word for hours."""

from __future__ import annotations

import random

import pytest

from telemetry.message.messages import REPLY
from telemetry.outbox.outbox import OutboxRow
from telemetry.outbox.sender import Sender, SenderSettings, Trouble
from tests.telemetry.test_sender import World


def silent(now_s: float) -> Sender:
    """A sender that was told nothing by any hub, and tries one row now and then."""
    sender = Sender(SenderSettings(), random.Random(1), 0.0)
    sender.connected(0.0)
    row = OutboxRow(1, "agg", b"{}", 0)
    t_s = 5.0
    while sender.trouble is None:
        if wanted := sender.wanted(t_s):
            sender.loaded([row], wanted, t_s)
        for sent in sender.due(t_s):
            sender.published(sent.seq, 0, t_s)
        t_s += 5.0
        assert t_s < now_s
    return sender


def test_an_answer_does_not_wait_for_a_hub() -> None:
    sender = silent(3600.0)
    assert sender.trouble is Trouble.SILENT
    assert sender.wanted(3600.0 - 1) is None or sender.wanted(3600.0 - 1).probe  # type: ignore[union-attr]
    sender.news(3600.0, at_once=True)
    wanted = sender.wanted(3600.0)
    assert wanted is not None
    assert not wanted.probe
    sender.loaded([OutboxRow(2, REPLY, b"{}", 0)], wanted, 3600.0)
    assert [row.seq for row in sender.due(3600.0)] == [2]


def test_other_news_wait_while_nobody_answers() -> None:
    sender = silent(3600.0)
    sender.news(3600.0)
    wanted = sender.wanted(3600.0)
    assert wanted is None or wanted.probe


@pytest.mark.parametrize("silent_s", [1.0, 5.0, 20.0, 40.0, 100.0, 900.0])
def test_an_answer_goes_out_at_once_though_the_hub_has_just_gone(silent_s: float) -> None:
    """The window is full of what it does not acknowledge, and all of that is to be sent again."""
    world = World()
    world.greeted()
    world.put("agg", "agg", "agg")
    world.run(20.0)
    world.hub = False
    world.put(*["agg"] * 30)
    world.run(silent_s)
    for _ in range(3):
        world.put(REPLY)
        world.sender.news(world.now_s, at_once=True)
        asked_s = world.now_s
        world.run(5.0)
        assert [row.kind for at_s, row in world.wire if at_s >= asked_s].count(REPLY) >= 1
        assert max(at_s for at_s, row in world.wire if row.seq == world.seq) - asked_s <= 2.0
