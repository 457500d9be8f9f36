"""From the outbox to the broker: on virtual time with a port of memory, then with everything real."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from speedsign.errors import StoreError
from speedsign.ports import Telemetry
from telemetry.message import messages
from telemetry.message.messages import Ack, Identity
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.shapes import NOBODY_LISTENS, TOO_LONG, BrokerSettings, MqttPort, Published, Will
from telemetry.outbox.outbox import RetireOn
from telemetry.outbox.publisher import Publisher, PublisherSettings
from telemetry.outbox.publisher_parts import slot_s
from telemetry.outbox.sender import SenderSettings
from telemetry.recorder import InlineRecorder, ThreadRecorder
from telemetry.store import SqliteStore, open_or_replace
from tests.support import run, until
from tests.telemetry.broker import Broker, Listener, cut
from tests.telemetry.memory_broker import DENIED, DOWN, GOOD, UP, Hub, MemoryPort
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

WHO = Identity("bauska-3", software="0.1.0", radar="ops243", display="max-2", config="c0ffee")
NOBODY = Published(NOBODY_LISTENS, "No matching subscribers")
TO_BROKER = PublisherSettings(SenderSettings(window=3, retire_on=RetireOn.PUBACK))
TO_HUB = PublisherSettings(SenderSettings(window=3, drain_per_s=50, settle_s=0.3))
HOUR_S = 3600


class Desk:
    """A desk for commands that only writes down what it is given."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.nonce: str | None = "ab12"

    def challenge(self) -> str | None:
        return self.nonce

    def take(self, payload: bytes) -> None:
        self.heard.append(payload)


class Bench:
    """A publisher on a real store and a port of memory. Made on the loop that it runs on."""

    def __init__(self, store: SqliteStore, settings: PublisherSettings, **more: object) -> None:
        self.store = store
        self.port = MemoryPort()
        self.recorder = InlineRecorder(store)
        self.clock = VirtualClock(asyncio.get_running_loop(), T0)
        self.publisher = Publisher(
            self.port,
            self.recorder,
            WHO,
            settings,
            clock=self.clock,
            **more,  # type: ignore[arg-type]
        )

    def close_some(self, quarters: int) -> None:
        """Put that many intervals into the outbox."""
        self.store.close_intervals(T0 + quarters * QUARTER, T0)
        self.publisher.wake()

    def pending(self) -> int:
        return self.store.pending_count()

    def codes(self) -> list[str]:
        return [fault.code for fault in self.publisher.faults()]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.publisher.run())
        await asyncio.sleep(0.1)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "sign.db", "bauska-3", vehicles=True)) as opened:
        opened.begin(BAUSKA, T0)
        yield opened


def test_both_are_what_the_daemon_expects(store: SqliteStore) -> None:
    port: MqttPort = PahoPort(BrokerSettings("localhost", "x"), SystemClock())
    telemetry: Telemetry = Publisher(port, InlineRecorder(store), WHO, clock=SystemClock())
    assert telemetry.faults() == []


def test_settings_are_as_the_config_says() -> None:
    config = MqttConfig(host="broker.example", drain_per_s=7.0)
    found = PublisherSettings.of(config, 60.0)
    assert (found.sending.retire_on, found.sending.drain_per_s, found.spread_s) == (RetireOn.HUB, 7.0, 60.0)
    assert found.will_delay_s == 90
    here = PublisherSettings.of(replace(config, retire_on="puback"), 0.0)
    assert (here.sending.retire_on, here.will_delay_s) == (RetireOn.PUBACK, 0)


def test_signs_have_slots_all_over_the_spread() -> None:
    slots = [slot_s(f"sign-{n}", 60.0) for n in range(1000)]
    assert all(0 <= slot < 60 for slot in slots)
    for second in range(60):
        assert sum(second <= slot < second + 1 for slot in slots) < 50  # of a thousand


# --------------------------------------------------------------------------- greeting


def test_greets_then_drains_by_value_then_waits_for_news(store: SqliteStore) -> None:
    async def main() -> MemoryPort:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        bench.close_some(5)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            assert bench.port.words() == ["on", "birth", 1, 6, 5, 4, 3, 2]
            bench.close_some(6)
            await asyncio.sleep(1)
            assert bench.port.words()[8:] == [7]
            assert bench.pending() == 0
            assert hub.seqs(store.epoch) == set(range(1, 8))
        return bench.port

    port = run_virtual(main())
    assert port.words()[-1] == "off"
    assert [retain for _, _, retain in port.sent] == [True, True, *[False] * 7, True]
    assert port.session
    assert port.session.will == Will(UP + "state", b'{"v":1,"s":"lost","boot":1}')
    assert [one.topic_filter for one in port.session.subscriptions] == [DOWN + "ack"]


def test_what_the_hub_has_already_is_not_sent_again_after_a_restart(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        bench.close_some(5)
        store.take((), 100)  # sent in an earlier life
        hub.has(store.epoch, 1, 2, 3, 4)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
        assert bench.port.words() == ["on", "birth", 6, 5, "off"]

    run_virtual(main())


def test_each_message_bears_its_name_and_can_be_read(store: SqliteStore) -> None:
    async def main() -> list[tuple[str, bytes, bool]]:
        bench = Bench(store, TO_HUB, health=lambda: {"at": 5})
        Hub(bench.port)
        for n in range(100):
            store.add_vehicle(passed(57.2, T0 + timedelta(seconds=n)), [])
        bench.close_some(2)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
        return bench.port.sent

    said = set()
    for topic, payload, _ in run_virtual(main()):
        kind = topic.removeprefix(UP)
        said.add(kind)
        if kind not in ("state", "birth", "health"):
            found = messages.parse_named(payload, kind, "bauska-3")
            assert found.epoch == store.epoch
    assert said == {"state", "birth", "health", "place", "agg", "raw"}


def test_a_used_challenge_is_replaced_by_a_new_greeting(store: SqliteStore) -> None:
    async def main() -> None:
        desk = Desk()
        bench = Bench(store, TO_HUB, desk=desk)
        Hub(bench.port)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            desk.nonce = "cd34"
            bench.publisher.greet_again()
            await asyncio.sleep(1)
            births = [json.loads(payload) for topic, payload, _ in bench.port.sent if topic.endswith("birth")]
            assert [birth["challenge"] for birth in births] == ["ab12", "cd34"]

    run_virtual(main())


def test_health_comes_after_the_greeting_and_then_each_hour(store: SqliteStore) -> None:
    async def main() -> None:
        told = iter(range(100))
        bench = Bench(store, TO_HUB, health=lambda: {"at": next(told)})
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(10)
            bench.port.down()
            bench.port.up()  # a short break is no reason to say it again
            await asyncio.sleep(3 * HOUR_S)
            heard = [json.loads(payload) for topic, payload, _ in bench.port.sent if topic.endswith("health")]
            assert [message["at"] for message in heard] == [0, 1, 2, 3]
            assert heard[0]["epoch"] == store.epoch

    run_virtual(main())


def test_a_sign_whose_store_gives_no_answer_still_says_that_it_is_there(store: SqliteStore) -> None:
    class NoAnswer:
        def __init__(self, store: SqliteStore) -> None:
            self.asked: list[object] = []
            self.inline = InlineRecorder(store)
            self.works = False

        def submit(self, what: str, call: object, on_done: object = None, on_error: object = None) -> None:
            self.asked.append((what, call, on_done, on_error))
            if self.works:
                self.answer()

        def answer(self) -> None:
            self.works = True
            asked, self.asked = self.asked, []
            for one in asked:
                self.inline.submit(*one)  # type: ignore[misc]

    async def main() -> None:
        bench = Bench(store, TO_HUB, health=lambda: {"faults": ["store/failing"]})
        recorder = NoAnswer(store)
        bench.publisher = Publisher(
            bench.port, recorder, WHO, TO_HUB, clock=bench.clock, health=lambda: {"at": 1}
        )
        bench.close_some(2)
        async with bench.running():
            await asyncio.sleep(31)
            bench.port.up()
            await asyncio.sleep(10 * HOUR_S)
            assert bench.port.words()[0] == "on"
            assert len(bench.port.words()) == pytest.approx(11, abs=2)
            assert len(recorder.asked) == 1  # its queue is not filled with questions
            Hub(bench.port)
            recorder.answer()
            await asyncio.sleep(60)
            assert bench.pending() == 0

    run_virtual(main())


# --------------------------------------------------------------------------- by the hub's word


def test_nothing_is_forgotten_that_the_hub_did_not_acknowledge(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        hub.awake = False
        bench.close_some(4)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(5)
            assert bench.port.words() == ["on", "birth", 1]
            assert bench.pending() == 5  # the broker has that one, and its word is not enough
            hub.awake = True
            await asyncio.sleep(120)
            assert bench.pending() == 0
            assert hub.seqs(store.epoch) == {1, 2, 3, 4, 5}

    run_virtual(main())


def test_what_the_broker_did_not_answer_is_sent_again_at_once(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        bench.close_some(1)
        async with bench.running():
            nothing = messages.encode(messages.ack(Ack(store.epoch, 0)))
            bench.port.up()
            await asyncio.sleep(0.5)
            bench.port.silent = True
            bench.port.tell("ack", nothing)
            await asyncio.sleep(1)
            assert bench.port.words() == ["on", "birth", 1, 2]
            bench.port.down()
            bench.port.silent = False
            bench.port.up()
            await asyncio.sleep(0.5)
            bench.port.tell("ack", nothing)
            await asyncio.sleep(1)
            assert bench.port.words()[4:] == ["on", "birth", 1, 2]

    run_virtual(main())


def test_a_silent_hub_is_said_and_a_single_row_tried(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        hub.awake = False
        bench.close_some(40)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(24 * HOUR_S)
            (fault,) = bench.publisher.faults()
            assert (fault.device, fault.code) == ("mqtt", "hub_silent")
            assert "nothing since this sign started" in fault.text
            assert len(bench.port.sent) < 60
            hub.awake = True
            hub.hear(UP + "birth", messages.encode({"epoch": store.epoch}))  # which is retained
            await asyncio.sleep(30)
            assert (bench.pending(), bench.codes()) == (0, [])
            hub.awake = False
            bench.close_some(60)
            await asyncio.sleep(5 * HOUR_S)
            (fault,) = bench.publisher.faults()
            assert "for 5 h" in fault.text

    run_virtual(main())


def test_an_acknowledgement_that_is_none_changes_nothing(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        bench.close_some(2)
        store.take((), 9)  # all of it was sent in an earlier life
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(5)
            for payload in (b"", b"{", b"\xff" * 99, b'{"v":1}', b'{"v":9,"epoch":"x","up_to":3}'):
                bench.port.tell("ack", payload)
            good = messages.encode(messages.ack(Ack(store.epoch, 3)))
            bench.port.tell("ack", good, retained=True)
            bench.port.tell("other", good)
            await asyncio.sleep(1)
            assert bench.pending() == 3
            assert bench.port.given_back == 7  # and the broker may send the next ones
            assert bench.publisher.health()["acks_refused"] == 5
            bench.port.tell("ack", good)
            await asyncio.sleep(1)
            assert bench.pending() == 0

    run_virtual(main())


def test_a_hub_that_does_not_know_the_places_is_told_them_once_an_hour(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            for _ in range(5):
                hub.tell(store.epoch, places_wanted=True)
                await asyncio.sleep(5)
            places = [topic for topic, _, _ in bench.port.sent if topic.endswith("place")]
            assert len(places) == 2
            await asyncio.sleep(HOUR_S)
            hub.tell(store.epoch, places_wanted=True)
            await asyncio.sleep(5)
            assert len([topic for topic, _, _ in bench.port.sent if topic.endswith("place")]) == 3

    run_virtual(main())


def test_a_hub_that_lost_what_it_had_is_told_what_there_still_is(store: SqliteStore) -> None:
    """Its database was put back while the sign was connected: what it waits for never comes."""

    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)

        def oldest() -> list[int]:
            births = [json.loads(text) for topic, text, _ in bench.port.sent if topic.endswith("birth")]
            return [birth["oldest"] for birth in births]

        bench.close_some(3)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(30)
            assert bench.pending() == 0
            assert oldest() == [1]
            hub.sources.clear()
            for quarters in (5, 7, 9):
                bench.close_some(quarters)
                await asyncio.sleep(900)
            assert len(oldest()) == 2  # not at each of its words
            assert oldest()[1] > 4  # what it had
            await asyncio.sleep(7 * HOUR_S)
            bench.close_some(12)
            await asyncio.sleep(900)
            assert len(oldest()) == 3

    run_virtual(main())


def test_by_the_brokers_word_nothing_is_told_again(store: SqliteStore) -> None:
    """What it has taken may still be on its way to the hub."""

    async def main() -> None:
        bench = Bench(store, TO_BROKER)
        hub = Hub(bench.port)
        bench.close_some(3)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(60)
            hub.sources.clear()
            hub.tell(store.epoch)
            await asyncio.sleep(60)
            assert len([topic for topic, _, _ in bench.port.sent if topic.endswith("birth")]) == 1

    run_virtual(main())


def test_a_copy_goes_on_under_a_name_of_its_own_before_it_says_anything(store: SqliteStore) -> None:
    """A backup that was put back: the hub has more of this epoch than this file ever had."""

    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        first = store.epoch
        hub.has(first, *range(1, 501))
        bench.close_some(3)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(10)
        assert store.epoch != first
        assert hub.seqs(first) == set(range(1, 501))
        assert hub.seqs(store.epoch) == {1, 2, 3, 4}
        assert bench.pending() == 0
        births = [json.loads(payload) for topic, payload, _ in bench.port.sent if topic.endswith("birth")]
        assert [birth["epoch"] for birth in births] == [first, store.epoch]

    run_virtual(main())


def test_while_a_new_epoch_is_being_written_nothing_goes_out_under_the_old_one(store: SqliteStore) -> None:
    class SlowToRenew(InlineRecorder[SqliteStore]):
        def submit(self, what: str, *more: Any) -> None:
            if what == "begin a new epoch":
                asyncio.get_running_loop().call_later(60, super().submit, what, *more)
            else:
                super().submit(what, *more)

    async def main() -> None:
        bench = Bench(store, TO_HUB)
        bench.publisher = Publisher(bench.port, SlowToRenew(store), WHO, TO_HUB, clock=bench.clock)
        hub = Hub(bench.port)
        hub.has(store.epoch, *range(1, 100))
        bench.close_some(3)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(55)
            bench.close_some(4)
            await asyncio.sleep(4)
            assert bench.port.words() == ["on", "birth"]
            await asyncio.sleep(10)
            assert hub.seqs(store.epoch) == {1, 2, 3, 4, 5}

    run_virtual(main())


def test_a_late_answer_to_an_earlier_connection_is_none_to_this_one(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_BROKER)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(0.5)
            bench.port.silent = True
            bench.close_some(1)
            await asyncio.sleep(0.5)
            late = bench.port.held()
            bench.port.down()
            bench.port.up()
            await asyncio.sleep(0.5)
            state, *_ = bench.port.held()
            state.set_result(GOOD)
            for _ in range(2):
                await asyncio.sleep(0.5)
                for one in bench.port.held():
                    if bench.port.words()[-1] == "birth":
                        one.set_result(GOOD)
            assert bench.port.words()[-2:] == ["birth", 2]
            late[0].set_result(GOOD)
            await asyncio.sleep(0.5)
            assert bench.pending() == 1

    run_virtual(main())


def test_a_copy_that_has_already_grown_past_the_hub_is_found_too(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        first = store.epoch
        hub.has(first, *range(1, 5))
        bench.close_some(30)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(10)
        assert hub.seqs(first) == set(range(1, 5))
        assert hub.seqs(store.epoch) == set(range(1, 32))

    run_virtual(main())


def test_two_signs_of_one_name_do_not_begin_epochs_without_end(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        epochs = set()
        async with bench.running():
            bench.port.up()
            for _ in range(50):
                await asyncio.sleep(60)
                epochs.add(store.epoch)
                bench.port.tell("ack", messages.encode(messages.ack(Ack(store.epoch, 10**6))))
            assert len(epochs) == 2
            assert "copy" in bench.codes()
            assert bench.pending() == 1

    run_virtual(main())


def test_a_store_that_was_replaced_while_running_is_greeted_for(store: SqliteStore, tmp_path: Path) -> None:
    """Its numbers begin anew: under the old epoch the hub would take them for what it has."""

    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        bench.close_some(5)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            with contextlib.closing(SqliteStore(tmp_path / "new.db", "bauska-3")) as other:
                other.begin(BAUSKA, T0)
                other.close_intervals(T0 + 9 * QUARTER, T0)
                bench.recorder._store = other
                bench.publisher.wake()
                await asyncio.sleep(2)
                assert other.pending_count() == 0
                assert hub.seqs(other.epoch) == set(range(1, 11))
                assert hub.seqs(store.epoch) == set(range(1, 7))
                bench.recorder._store = store

    run_virtual(main())


def test_what_was_dropped_is_a_fault_until_the_hub_knows(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_HUB)
        hub = Hub(bench.port)
        hub.awake = False
        store._allowed = replace(store._allowed, aggregates=10)
        bench.close_some(50)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(10)
            (fault,) = bench.publisher.faults()
            assert fault.code == "dropped"
            assert "40 agg" in fault.text
            health = bench.publisher.health()
            assert (health["queue_agg"], health["queue_gap"], health["dropped_agg"]) == (10, 1, 40)
            assert (health["last_ack_age_s"], health["broker_ack_age_s"]) == (-1, 7)
            hub.awake = True
            await asyncio.sleep(120)
            assert bench.codes() == []
            assert bench.publisher.health()["last_ack_age_s"] < 120

    run_virtual(main())


def test_commands_go_to_the_desk(store: SqliteStore) -> None:
    async def main() -> None:
        desk = Desk()
        bench = Bench(store, TO_HUB, desk=desk)
        async with bench.running():
            assert bench.port.session
            assert [one.topic_filter for one in bench.port.session.subscriptions] == [
                DOWN + "ack",
                DOWN + "cmd",
            ]
            bench.port.up()
            bench.port.tell("cmd", b"sealed")
            bench.port.tell("cmd", b"of long ago", retained=True)
            assert desk.heard == [b"sealed"]
            assert bench.port.given_back == 2

    run_virtual(main())


# --------------------------------------------------------------------------- by the broker's word


def test_by_the_brokers_word_a_row_leaves_with_its_acknowledgement(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_BROKER)
        bench.close_some(5)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(10)
            assert bench.port.words() == ["on", "birth", 1, 6, 5, 4, 3, 2]
            assert bench.pending() == 0

    run_virtual(main())


def test_one_refused_message_does_not_hold_up_the_others(store: SqliteStore) -> None:
    async def main() -> None:
        bench = Bench(store, TO_BROKER)
        bench.port.answer = lambda _t, p: DENIED if json.loads(p).get("seq") == 2 else GOOD
        bench.close_some(6)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(20)
            assert [(row.seq, row.tries) for row in store.pending(9)] == [(2, 2)]
            await asyncio.sleep(HOUR_S)
            assert [row.seq for row in store.pending(9)] == [2]
            bench.port.answer = lambda _t, _p: GOOD
            await asyncio.sleep(HOUR_S)
            assert bench.pending() == 0

    run_virtual(main())


def test_messages_that_are_too_long_for_the_broker_hold_up_no_other(store: SqliteStore) -> None:
    """Twice as many as may be under way; each costs one try, then one of them asks now and then."""
    longest = 600

    async def main() -> None:
        bench = Bench(store, TO_HUB)
        Hub(bench.port)
        too_long: list[bytes] = []

        def answer(_topic: str, payload: bytes) -> Published:
            if len(payload) <= longest:
                return GOOD
            too_long.append(payload)
            return Published(TOO_LONG, "Packet too large")

        bench.port.answer = answer
        for n in range(6):
            store.put_message(messages.REPLY, b'{"text":"%s"}' % (b"x" * (800 - n)))
        bench.close_some(20)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(60)
            assert {row.kind for row in store.pending(99)} == {messages.REPLY}
            assert (bench.pending(), len(too_long)) == (6, 6)
            (fault,) = bench.publisher.faults()
            assert (fault.device, fault.code) == ("mqtt", "too_long")
            assert f"takes no messages of {min(map(len, too_long))} bytes and more; 6 wait" in fault.text
            too_long.clear()
            await asyncio.sleep(24 * HOUR_S)
            assert 1 <= len(too_long) <= 6
            assert len(set(map(len, too_long))) == 1, "the shortest asks"
            bench.close_some(30)
            await asyncio.sleep(60)
            assert bench.pending() == 6
            bench.port.answer = lambda _t, _p: GOOD
            bench.port.down()
            bench.port.up()
            await asyncio.sleep(60)
            assert (bench.pending(), bench.codes()) == (0, [])

    run_virtual(main())


@pytest.mark.parametrize(("answer", "code"), [(DENIED, "refused"), (NOBODY, "nobody_listens")])
def test_a_broker_that_takes_nothing_is_asked_rarely_and_reported(
    store: SqliteStore, answer: Published, code: str
) -> None:
    async def main() -> None:
        bench = Bench(store, TO_BROKER)
        bench.port.answer = lambda _t, _p: answer
        bench.close_some(9)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(12 * HOUR_S)
            (fault,) = bench.publisher.faults()
            assert (fault.device, fault.code) == ("mqtt", code)
            assert 10 < len(bench.port.sent) < 40
            bench.port.answer = lambda _t, _p: GOOD
            await asyncio.sleep(HOUR_S)
            assert (bench.pending(), bench.codes()) == (0, [])

    run_virtual(main())


def test_off_waits_no_longer_than_two_seconds(store: SqliteStore) -> None:
    async def main() -> float:
        bench = Bench(store, TO_HUB)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            bench.port.silent = True
            before_s = asyncio.get_running_loop().time()
        assert bench.port.words()[-1] == "off"
        return asyncio.get_running_loop().time() - before_s

    assert run_virtual(main()) == pytest.approx(2.0)


def test_without_a_broker_nothing_is_said_and_the_end_comes_at_once(store: SqliteStore) -> None:
    async def main() -> float:
        bench = Bench(store, TO_HUB)
        before_s = asyncio.get_running_loop().time()
        async with bench.running():
            bench.close_some(3)
        assert bench.port.sent == []
        assert bench.pending() == 4
        return asyncio.get_running_loop().time() - before_s

    assert run_virtual(main()) == pytest.approx(0.1)


def test_a_store_that_fails_is_asked_again(store: SqliteStore) -> None:
    real = store.take
    failures = [StoreError("disk I/O error")]

    def take(exclude: object, limit: int) -> object:
        if failures:
            raise failures.pop()
        return real(exclude, limit)  # type: ignore[arg-type]

    async def main() -> None:
        bench = Bench(store, TO_HUB)
        Hub(bench.port)
        store.take = take  # type: ignore[method-assign, assignment]
        bench.close_some(2)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(60)
            assert bench.pending() == 0

    run_virtual(main())


# --------------------------------------------------------------------------- everything real


def real_publisher(recorder: ThreadRecorder[SqliteStore], port: int) -> Publisher:
    """By the broker's word: the listeners here are no hubs."""
    settings = BrokerSettings("127.0.0.1", "bauska-3", port, backoff_base_s=0.02, backoff_cap_s=0.1)
    sending = PublisherSettings(SenderSettings(drain_per_s=100, retire_on=RetireOn.PUBACK))
    clock = SystemClock()
    return Publisher(PahoPort(settings, clock), recorder, WHO, sending, clock=clock)


@contextlib.asynccontextmanager
async def whole(path: Path, port: int) -> AsyncIterator[tuple[ThreadRecorder[SqliteStore], Publisher]]:
    recorder = ThreadRecorder[SqliteStore](
        lambda old: open_or_replace(path, "bauska-3", at_utc=T0, previous=old)
    )
    recorder.submit("begin", lambda store: store.begin(BAUSKA, T0))
    publisher = real_publisher(recorder, port)
    store_task = asyncio.create_task(recorder.run())
    task = asyncio.create_task(publisher.run())
    try:
        yield recorder, publisher
    finally:
        task.cancel()
        await asyncio.wait([task])
        store_task.cancel()
        await asyncio.wait([store_task])


def seqs(listener: Listener) -> list[int]:
    return [json.loads(body)["seq"] for topic, body, _ in listener.heard if topic.endswith("agg")]


def states(listener: Listener) -> list[str]:
    return [json.loads(body)["s"] for topic, body, _ in listener.heard if topic.endswith("state")]


@pytest.mark.wires
def test_every_interval_reaches_a_listener_through_restarts_of_broker_and_sign(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"

    async def main(broker: Broker, heard: list[Listener]) -> None:
        async with whole(path, broker.port) as (recorder, publisher):
            recorder.submit(
                "close", lambda s: s.close_intervals(T0 + 20 * QUARTER, T0), lambda _: publisher.wake()
            )
            await until(lambda: len(seqs(heard[-1])) == 20)
            await asyncio.to_thread(broker.kill)
            recorder.submit("close", lambda s: s.close_intervals(T0 + 25 * QUARTER, T0))
        await asyncio.to_thread(broker.start)
        heard.append(await asyncio.to_thread(Listener, broker.port))
        async with whole(path, broker.port) as (recorder, publisher):
            await until(lambda: set(seqs(heard[-1])) >= set(range(22, 27)))  # maybe some of before again

    with Broker(tmp_path) as broker, contextlib.ExitStack() as stack:
        heard: list[Listener] = []
        stack.callback(_close_all, heard)
        heard.append(Listener(broker.port))
        run(main(broker, heard))
        until_off = asyncio.run(_off(heard[-1]))
        assert sorted({n for listener in heard for n in seqs(listener)}) == list(range(2, 27))
        assert until_off == ["on", "off"]


def _close_all(listeners: list[Listener]) -> None:
    for listener in listeners:
        listener.close()


async def _off(listener: Listener) -> list[str]:
    await until(lambda: "off" in states(listener))
    return states(listener)


@pytest.mark.wires
def test_a_retained_state_greets_who_comes_later(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with whole(tmp_path / "sign.db", port) as (_, publisher):
            await until(lambda: publisher.health()["connected"])

    with Broker(tmp_path) as broker:
        run(main(broker.port))
        with contextlib.closing(Listener(broker.port)) as late:
            assert asyncio.run(_off(late)) == ["off"]


@pytest.mark.wires
def test_a_dead_link_is_told_by_the_will_with_the_boot_it_belongs_to(tmp_path: Path) -> None:
    async def main(port: int, listener: Listener) -> None:
        async with whole(tmp_path / "sign.db", port):
            await until(lambda: states(listener) == ["on"])
            cut("bauska-3")
            await until(lambda: states(listener) == ["on", "lost", "on"])

    with Broker(tmp_path) as broker, contextlib.closing(Listener(broker.port)) as listener:
        run(main(broker.port, listener))
        bodies = [json.loads(body) for topic, body, _ in listener.heard if topic.endswith("state")]
    assert {body["boot"] for body in bodies} == {1}
