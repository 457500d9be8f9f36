"""What is sent when, on a clock of the test's own: a store, a broker and a hub of a few lines each."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.mqtt.shapes import NOBODY_LISTENS
from telemetry.outbox.outbox import OutboxRow, RetireOn
from telemetry.outbox.sender import Sender, SenderSettings, Trouble

GOOD, DENIED = 0, 0x87
HOUR_S, DAY_S = 3600.0, 86_400.0
HUB = SenderSettings()


@dataclass
class World:
    """Everything around a sender. Rows are in `store` until their end; `wire` is what was sent, and when."""

    settings: SenderSettings = HUB
    seed: int = 0
    now_s: float = 1000.0
    store: dict[int, OutboxRow] = field(default_factory=dict)
    owed: list[int] = field(default_factory=list)  # rows whose answer the broker owes
    taken: set[int] = field(default_factory=set)  # that the broker has
    wire: list[tuple[float, OutboxRow]] = field(default_factory=list)
    answer: int = GOOD
    hub: bool = True
    seq: int = 0
    up: bool = False

    def __post_init__(self) -> None:
        self.sender = Sender(self.settings, random.Random(self.seed), self.now_s)

    def put(self, *kinds: str) -> None:
        for kind in kinds:
            self.seq += 1
            self.store[self.seq] = OutboxRow(self.seq, kind, b"{}", 0)
        self.sender.news(self.now_s)

    def connect(self) -> None:
        self.up = True
        self.sender.connected(self.now_s)

    def greeted(self) -> None:
        """Connected, and the hub has answered the greeting."""
        self.connect()
        self.sender.heard(self.now_s)

    def lose(self) -> None:
        self.up = False
        self.owed.clear()
        self.sender.lost(self.now_s)

    def pump(self) -> None:
        """Load and send what is to be sent now."""
        while (wanted := self.sender.wanted(self.now_s)) is not None:
            rows = sorted(
                (row for row in self.store.values() if row.seq not in wanted.exclude), key=lambda r: r.value
            )
            if wanted.probe:
                rows.sort(key=lambda row: (row.kind != "agg", row.value))
            self.sender.loaded(rows[: wanted.limit], wanted, self.now_s)
            if not self.send() and not rows:
                break
        self.send()

    def send(self) -> int:
        due = self.sender.due(self.now_s)
        assert due == sorted(due, key=lambda row: row.value)
        for row in due:
            assert row.seq not in self.owed, "sent again before the broker has answered"
            self.owed.append(row.seq)
            self.wire.append((self.now_s, row))
        assert self.sender.under_way <= self.settings.window
        return len(due)

    def pubacks(self, code: int | None = None) -> None:
        """The broker answers all it owes."""
        owed, self.owed = self.owed, []
        for seq in owed:
            answer = self.answer if code is None else code
            self.sender.published(seq, answer, self.now_s)
            if answer == GOOD:
                self.taken.add(seq)
        self.forget(self.sender.settled()[0])

    def acks(self) -> None:
        """The hub has what the broker has, and says so."""
        if self.taken:
            self.sender.heard(self.now_s)
            taken, self.taken = self.taken, set()
            self.forget(taken)
            self.sender.retired(lambda seq: seq in taken)

    def forget(self, seqs: object) -> None:
        for seq in seqs:  # type: ignore[attr-defined]
            self.store.pop(seq, None)

    def turn(self) -> None:
        """Everything that happens by itself at this moment."""
        for _ in range(3):
            self.pump()
            self.pubacks()
            if self.hub and self.settings.retire_on is RetireOn.HUB:
                self.acks()

    def run(self, seconds: float, step_s: float = inf) -> None:
        """On to that time, from one thing that is due to the next."""
        end_s = self.now_s + seconds
        while True:
            if self.up:
                self.turn()
            next_s = min(self.sender.next_s(self.now_s), self.now_s + step_s)
            if next_s > end_s:
                break
            self.now_s = max(next_s, self.now_s + 0.001)
        self.now_s = end_s

    def seqs(self) -> list[int]:
        return [row.seq for _, row in self.wire]


# --------------------------------------------------------------------------- where all is well


def test_a_row_goes_out_and_is_gone() -> None:
    world = World()
    world.put("agg")
    world.connect()
    world.run(10)
    assert world.seqs() == [1]
    assert not world.store
    assert world.sender.next_s(world.now_s) == inf  # nothing turns while nothing happens


def test_after_a_greeting_the_hub_has_a_moment_to_say_what_it_has() -> None:
    world = World()
    world.put("agg", "agg")
    world.connect()
    world.run(2.9)
    assert world.wire == []
    world.taken = {1, 2}
    world.acks()
    world.run(60)
    assert world.wire == []


def test_without_a_word_of_the_hub_it_sends_after_three_seconds() -> None:
    world = World(hub=False)
    world.put("agg")
    world.connect()
    world.run(5)
    assert [at_s for at_s, _ in world.wire] == [1003.0]


def test_answers_and_places_first_then_the_newest_aggregates_then_the_newest_vehicles() -> None:
    world = World()
    world.put("place", "agg", "raw", "agg", "raw", "reply", "agg", "gap")
    world.connect()
    world.run(60)
    assert world.seqs() == [1, 6, 8, 7, 4, 2, 5, 3]


def test_what_comes_while_a_backlog_drains_goes_before_it() -> None:
    world = World()
    world.put(*["raw"] * 40)
    world.connect()
    world.run(15)
    world.put("agg")
    world.run(3)
    assert 41 in world.seqs()[-4:]
    world.run(60)
    assert sorted(world.seqs()) == list(range(1, 42))


def test_a_backlog_drains_at_its_pace_with_one_burst() -> None:
    world = World(replace(HUB, drain_per_s=2.0))
    world.put(*["agg"] * 200)
    world.connect()
    world.run(3 + 50)
    assert len(world.wire) == pytest.approx(10 + 2 * 50, abs=1)


def test_no_more_than_the_window_is_under_way() -> None:
    world = World(replace(HUB, drain_per_s=100.0), hub=False)
    world.put(*["agg"] * 50)
    world.greeted()
    world.run(20)
    assert len(world.wire) == 10


def test_each_sign_has_its_own_moment_after_an_interval_but_an_answer_goes_at_once() -> None:
    world = World(replace(HUB, slot_s=37.0))
    world.connect()
    world.run(100)
    began_s = world.now_s
    world.put("agg")
    world.run(36.9)
    assert world.wire == []
    world.run(10)
    assert world.wire[0][0] == began_s + 37.0
    world.put("reply")
    world.sender.news(world.now_s, at_once=True)
    world.run(1)
    assert world.wire[-1][1].kind == "reply"


# --------------------------------------------------------------------------- where the hub is not heard


def test_until_the_hub_was_heard_one_row_asks_for_it() -> None:
    world = World(hub=False)
    world.put(*["agg"] * 50)
    world.connect()
    world.run(29)
    assert world.seqs() == [50]
    world.hub = True
    world.sender.heard(world.now_s)
    world.run(5)
    assert len(world.wire) > 10


def test_each_restart_without_a_hub_sends_one_row_and_no_window() -> None:
    """And each reconnection: what the broker keeps for the hub already must not come to it twice."""
    world = World(hub=False)
    world.put(*["agg"] * 50)
    for _ in range(20):
        world.connect()
        world.run(10)
        world.lose()
    assert len(world.wire) <= 20


def test_the_first_word_is_given_a_moment_to_be_followed_by_more() -> None:
    world = World(hub=False)
    world.put(*["agg"] * 3)
    world.greeted()
    world.run(0.9)
    world.sender.retired(lambda seq: seq > 1)
    del world.store[2], world.store[3]
    world.sender.heard(world.now_s)  # which puts nothing off
    world.run(1)
    assert [(at_s, row.seq) for at_s, row in world.wire] == [(1001.0, 1)]


def test_a_hub_that_falls_silent_is_asked_by_one_row_not_by_all() -> None:
    world = World()
    world.greeted()
    world.run(100)
    world.hub = False
    world.put(*["agg"] * 50)
    world.run(30 * 60)
    assert world.sender.trouble is Trouble.SILENT
    assert len(world.wire) < 10 + 2 + 7


def test_a_row_that_the_broker_refuses_does_not_ask_for_ever() -> None:
    world = World(hub=False)
    world.put("agg", "agg")
    world.connect()
    world.now_s += 3
    world.pump()
    world.owed.clear()
    world.sender.published(2, DENIED, world.now_s)
    world.run(5)
    assert world.seqs() == [2, 1]


def test_an_answer_to_a_command_goes_though_no_hub_is_heard() -> None:
    world = World(hub=False)
    world.put(*["agg"] * 50)
    world.connect()
    world.run(5)
    world.put("reply")
    world.sender.news(world.now_s, at_once=True)
    world.run(1)
    assert world.seqs() == [50, 51]
    world.run(HOUR_S)
    world.put("reply")
    world.sender.news(world.now_s, at_once=True)
    world.run(1)
    assert world.seqs()[-1] == 52 or world.seqs()[-2] == 52


# --------------------------------------------------------------------------- where something is lost


def test_what_the_broker_did_not_take_is_sent_again_at_once_and_what_it_took_waits() -> None:
    world = World(hub=False)
    world.put("agg", "agg")
    world.greeted()
    world.run(3.5, step_s=0.5)
    assert world.seqs() == [2, 1]
    world.put("agg")
    world.pump()
    assert world.seqs() == [2, 1, 3]  # and no answer to the third
    world.lose()
    world.run(5)
    world.greeted()
    world.run(4)
    assert world.seqs() == [2, 1, 3, 3]


def test_what_could_not_be_given_to_the_broker_is_tried_at_the_next_connection() -> None:
    world = World()
    world.put("agg")
    world.connect()
    world.now_s += 3
    world.pump()
    world.owed.clear()
    world.sender.failed(1, world.now_s)
    world.run(100)
    assert world.seqs() == [1]
    world.lose()
    world.connect()
    world.run(5)
    assert world.seqs() == [1, 1]
    assert not world.store


def test_after_a_reset_nothing_of_before_is_sent() -> None:
    world = World(hub=False)
    world.put("agg", "agg")
    world.greeted()
    world.run(5)
    world.store.clear()
    world.owed.clear()
    world.sender.reset(world.now_s)
    world.run(1000)
    assert world.seqs() == [2, 1]


def test_what_the_hub_does_not_acknowledge_is_sent_again_after_half_a_minute_and_jitter() -> None:
    gaps = []
    for seed in range(200):
        world = World(seed=seed, hub=False)
        world.put("agg")
        world.connect()
        world.run(70)
        (first_s, _), (second_s, _), *_ = world.wire
        gaps.append(second_s - first_s)
    assert min(gaps) >= 30
    assert max(gaps) <= 60
    assert max(gaps) - min(gaps) > 25  # spread, so that a fleet is


def test_one_row_that_is_never_acknowledged_holds_up_no_other() -> None:
    world = World(replace(HUB, window=1, drain_per_s=10))
    world.put("place")
    world.connect()
    world.hub = False
    world.run(3.5)
    poison = world.sender._items[1]
    for _ in range(100):
        world.run(15)
        world.sender.heard(world.now_s)  # the hub is there, and says nothing of this row
    assert poison.sends >= 4
    world.hub = True
    world.store[1] = OutboxRow(1, "place", b"{}", 0)
    world.put("agg")
    world.run(5)
    assert 2 not in world.store


def test_a_refused_row_is_tried_later_and_holds_up_no_other() -> None:
    world = World()
    world.put(*["agg"] * 6)
    world.greeted()
    world.now_s += 3
    world.pump()
    world.sender.published(3, DENIED, world.now_s)
    world.owed.remove(3)
    world.run(200)
    assert set(world.store) == {3}
    assert world.sender.trouble is None
    world.run(500)
    assert not world.store


# --------------------------------------------------------------------------- where nobody answers


def month(world: World, *, reconnects_a_day: int = 0) -> None:
    """Quarters of an hour and batches of vehicles, as a busy sign has them."""
    for quarter in range(30 * 96):
        world.put("agg", *(["raw"] if quarter % 2 else []))
        if reconnects_a_day and quarter % (96 // reconnects_a_day) == 0:
            world.lose()
            world.connect()
        world.run(900)


@pytest.mark.parametrize("reconnects_a_day", [0, 8])
def test_a_month_without_a_hub_costs_little(reconnects_a_day: int) -> None:
    world = World(hub=False)
    world.connect()
    month(world, reconnects_a_day=reconnects_a_day)
    assert world.sender.trouble is Trouble.SILENT
    assert len(world.wire) < 30 + 30 * 24 * 2 + 30 * reconnects_a_day  # about one an hour
    assert len(world.wire) > 30 * 20
    last = [row for at_s, row in world.wire if at_s > 3 * DAY_S]
    assert {row.kind for row in last} == {"agg"}
    assert len(world.store) == 30 * 96 + 30 * 48  # and nothing is lost


def test_a_probe_is_the_newest_aggregate() -> None:
    world = World(hub=False)
    world.connect()
    month(world)
    before = len(world.wire)
    world.put("agg", "raw")
    world.run(1.1 * HOUR_S)
    assert world.wire[before][1].seq == max(row.seq for row in world.store.values() if row.kind == "agg")


def test_any_acknowledgement_makes_it_go_on_at_full_speed() -> None:
    world = World(hub=False)
    world.put(*["agg"] * 100)
    world.connect()
    world.run(DAY_S)
    assert world.sender.trouble is Trouble.SILENT
    world.hub = True
    world.sender.heard(world.now_s)
    world.run(120)
    assert not world.store


@pytest.mark.parametrize(
    ("answer", "trouble"), [(NOBODY_LISTENS, Trouble.NOBODY), (DENIED, Trouble.REFUSED)], ids=str
)
def test_a_broker_that_takes_nothing_is_asked_rarely(answer: int, trouble: Trouble) -> None:
    world = World(answer=answer)
    world.put(*["agg"] * 100)
    world.connect()
    world.run(DAY_S)
    assert world.sender.trouble is trouble
    assert len(world.wire) < 10 + 24 * 2 + 12
    assert len(world.store) == 100
    world.answer = GOOD
    world.run(2 * HOUR_S)
    assert not world.store


def test_by_the_brokers_word_rows_go_at_its_acknowledgement() -> None:
    world = World(replace(HUB, retire_on=RetireOn.PUBACK), hub=False)
    world.put(*["agg"] * 5)
    world.connect()
    world.run(1)  # no hub is waited for
    assert world.seqs() == [5, 4, 3, 2, 1]
    assert not world.store


def test_a_probe_that_dies_with_its_connection_is_not_repeated_at_each_new_one() -> None:
    world = World(hub=False)
    world.put(*["agg"] * 20)
    world.connect()
    world.run(HOUR_S)
    assert world.sender.trouble is Trouble.SILENT
    before = len(world.wire)
    for _ in range(12 * 60):
        world.now_s += 50
        world.pump()
        world.lose()  # before the broker has answered anything
        world.now_s += 10
        world.connect()
    assert len(world.wire) - before < 30


# --------------------------------------------------------------------------- whatever happens

actions = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.sampled_from(["agg", "raw", "place", "reply"]), max_size=12)),
        st.tuples(st.just("wait"), st.floats(0.01, 400)),
        st.tuples(st.just("wait"), st.floats(400, 20_000)),
        st.tuples(st.just("broker"), st.sampled_from([GOOD, GOOD, GOOD, DENIED, NOBODY_LISTENS, 0x97])),
        st.tuples(st.just("hub"), st.booleans()),
        st.tuples(st.just("lose"), st.none()),
        st.tuples(st.just("connect"), st.none()),
        st.tuples(st.just("reset"), st.none()),
    ),
    max_size=25,
)


def act(world: World, what: str, how: object) -> None:
    if what == "put":
        world.put(*how)  # type: ignore[misc]
    elif what == "wait":
        world.run(how)  # type: ignore[arg-type]
    elif what == "broker":
        world.answer = how  # type: ignore[assignment]
    elif what == "hub":
        world.hub = bool(how)
    elif what == "lose" and world.up:
        world.pump()  # and nobody answers these
        world.lose()
    elif what == "connect" and not world.up:
        world.connect()
    elif what == "reset":
        world.owed.clear()
        world.sender.reset(world.now_s)


@settings(max_examples=300, deadline=None)
@given(actions, st.sampled_from(RetireOn), st.integers(0, 99))
def test_whatever_happens_every_row_is_sent_until_it_is_acknowledged(
    script: list[tuple[str, object]], retire_on: RetireOn, seed: int
) -> None:
    world = World(replace(HUB, retire_on=retire_on), seed=seed)
    for what, how in script:
        act(world, what, how)
    if not world.up:
        world.connect()
    world.answer, world.hub = GOOD, True
    waited = len(world.store)
    world.run(3 * HOUR_S + waited)
    assert not world.store
    assert set(world.seqs()) == set(range(1, world.seq + 1))


@settings(max_examples=200, deadline=None)
@given(actions, st.integers(0, 99))
def test_whatever_happens_the_pace_is_kept(script: list[tuple[str, object]], seed: int) -> None:
    """A token bucket: in any span of time no more than a burst and what the pace gives."""
    world = World(seed=seed)
    for what, how in script:
        act(world, what, how)
    times_s = [at_s for at_s, _ in world.wire]
    for first, begin_s in enumerate(times_s):
        for last in range(first, len(times_s)):
            assert last - first + 1 <= 10 + (times_s[last] - begin_s) * 1.0 + 1e-3
