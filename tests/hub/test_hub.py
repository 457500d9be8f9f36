"""The hub's loop, with a broker of a few lines: nothing is acknowledged before it is stored."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from speedsign.errors import BrokerError, StoreError
from speedsign.model import Fault
from telemetry.database import StoreDamaged, StoreRejected
from telemetry.hub.hub import Hub, HubSettings
from telemetry.hub.port import Heard, Latest, Taken
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.mqtt.shapes import Message, Published, Session
from tests.hub.said import EPOCH, SIGN, agg, birth, place, quarter
from tests.support import run, until

QUICK = HubSettings(batch_s=0.2, quiet_s=0.01, retry_first_s=0.01, retry_cap_s=0.02, beat_s=0.01)


class Wall:
    """A clock whose time a test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def now_utc(self) -> datetime:
        return datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def trusted(self) -> bool:
        return True

    def boot_id(self) -> str:
        return "b007" * 8


class FewLines:
    """A port: what is said to it is remembered, what it hears a test says."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.said: list[tuple[str, bytes]] = []
        self.order: list[str] = []  # of what happened
        self.ended = False
        self.reason = 0

    async def run(self, session: Session) -> None:
        self.session = session
        session.on_connected()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.ended = True

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Awaitable[Published]:
        result: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self.said.append((topic, payload))
        self.order.append(topic.rsplit("/", 1)[-1])
        result.set_result(Published(self.reason, "as told"))
        return result

    def faults(self) -> list[Fault]:
        return []

    def health(self) -> Mapping[str, int]:
        return {}

    def hear(self, *all_heard: Heard) -> None:
        assert self.session is not None
        for one in all_heard:
            topic = messages.topic(one.sign, one.kind)
            message = Message(topic, one.payload, one.retained, lambda: self.order.append("puback"))
            self.session.on_message(message)

    @property
    def acks(self) -> list[messages.Ack]:
        return [messages.parse_ack(payload) for topic, payload in self.said if topic.endswith("/down/ack")]


class Slow:
    """A store that waits for a test, or fails; what it takes is remembered."""

    def __init__(self, *errors: StoreError) -> None:
        self.batches: list[list[Heard]] = []
        self.errors = list(errors)
        self.go = threading.Event()
        self.go.set()
        self.at_work = threading.Event()
        self.notes: list[tuple[str, str]] = []

    def take(self, batch: Sequence[Heard]) -> Taken:
        self.at_work.set()
        assert self.go.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(list(batch))
        return Taken(((SIGN, messages.Ack(EPOCH, len(batch))),), stored=len(batch))

    def latest(self, sign: str) -> Latest:
        return Latest(sign, "on", "", "")

    def prune(self, before_utc: datetime) -> int:
        return 0

    def note(self, key: str, value: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.notes.append((key, value))

    def close(self) -> None: ...


Story = Callable[[Hub, FewLines], Awaitable[None]]


def told(
    story: Story, store: object, settings: HubSettings = QUICK, notes: list[str] | None = None
) -> FewLines:
    """Run a hub until the story ends, then stop it as SIGTERM does."""
    port = FewLines()

    async def main() -> None:
        notify = (notes if notes is not None else []).append
        hub = Hub(port, store, settings, Wall(), notify=notify)  # type: ignore[arg-type]  # a few lines
        going = asyncio.create_task(hub.run())
        await until(lambda: port.session is not None or going.done())
        telling = asyncio.ensure_future(story(hub, port))
        await asyncio.wait([telling, going], return_when=asyncio.FIRST_COMPLETED)
        if going.done():
            telling.cancel()
            await going
        await telling
        going.cancel()
        await asyncio.wait([going])

    run(main())
    return port


def test_stored_then_said_then_acknowledged(tmp_path: Path) -> None:
    store = SqliteHubStore(tmp_path / "hub.db")

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(place(1), agg(2), agg(3, quarter(1)))
        await until(lambda: len(port.order) == 4)

    port = told(story, store)
    store.close()
    assert port.order == ["ack", "puback", "puback", "puback"]
    assert port.acks == [messages.Ack(EPOCH, 3)]
    assert port.ended


def test_nothing_is_acknowledged_before_the_disk_has_it() -> None:
    store = Slow()
    store.go.clear()

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(agg(1))
        await until(store.at_work.is_set)
        await asyncio.sleep(0.05)  # nothing may happen in it
        assert port.order == []
        store.go.set()
        await until(lambda: port.order == ["ack", "puback"])

    told(story, store)


def test_what_comes_together_is_one_batch_and_one_acknowledgement() -> None:
    store = Slow()

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(*[agg(seq) for seq in range(1, 41)])
        await until(lambda: len(port.order) == 41)

    port = told(story, store)
    assert [len(batch) for batch in store.batches] == [40]
    assert len(port.acks) == 1


def test_a_batch_has_a_most() -> None:
    store = Slow()

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(*[agg(seq) for seq in range(1, 1202)])
        await until(lambda: port.order.count("puback") == 1201)

    told(story, store)
    assert [len(batch) for batch in store.batches] == [500, 500, 201]


def test_a_trickle_is_not_collected_for_ever() -> None:
    store = Slow()
    settings = HubSettings(batch_s=0.1, quiet_s=10.0)

    async def story(_hub: Hub, port: FewLines) -> None:
        seq = 0
        while not store.batches:
            seq += 1
            port.hear(agg(seq))
            await asyncio.sleep(0.005)

    told(story, store, settings)
    assert len(store.batches[0]) > 1


def test_a_full_disk_stops_acknowledgements_until_it_has_room(caplog: pytest.LogCaptureFixture) -> None:
    store = Slow(*[StoreError("hub.db cannot be used: disk is full") for _ in range(3)])
    notes: list[str] = []

    async def story(hub: Hub, port: FewLines) -> None:
        store.go.clear()
        port.hear(agg(1))
        await until(store.at_work.is_set)
        store.go.set()
        await until(lambda: len(store.errors) == 0)
        await until(lambda: port.order == ["ack", "puback"])
        assert hub.faults() == []

    told(story, store, notes=notes)
    assert [len(batch) for batch in store.batches] == [1]
    assert "STATUS=hub.db cannot be used: disk is full" in notes
    (line,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith("hub.db cannot be used: disk is full; nothing is acknowledged meanwhile")
    assert "the database can be written again" in caplog.text


def test_the_fault_is_there_as_long_as_the_disk_is_full() -> None:
    store = Slow(*[StoreError("full") for _ in range(10_000)])

    async def story(hub: Hub, port: FewLines) -> None:
        port.hear(agg(1))
        await until(lambda: [one.code for one in hub.faults()] == ["failed"])
        assert port.order == []

    assert "puback" not in told(story, store).order


def test_a_damaged_database_ends_the_hub() -> None:
    store = Slow(StoreDamaged("hub.db is damaged"), StoreDamaged("hub.db is damaged"))

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(agg(1))
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StoreDamaged):
        told(story, store)


def test_one_that_can_never_be_stored_costs_the_others_nothing() -> None:
    class Picky(Slow):
        def take(self, batch: Sequence[Heard]) -> Taken:
            if any(b'"seq":2,' in one.payload for one in batch):
                raise StoreRejected("hub.db does not take this")
            return super().take(batch)

    store = Picky()

    async def story(hub: Hub, port: FewLines) -> None:
        port.hear(*[agg(seq) for seq in (1, 2, 3)])
        await until(lambda: port.order.count("puback") == 3)
        assert hub.health()["refused"] == 1

    port = told(story, store)
    assert sum(len(batch) for batch in store.batches) == 2
    assert len(port.acks) == 2


def test_what_is_no_message_is_let_go_and_counted() -> None:
    store = Slow()

    async def story(hub: Hub, port: FewLines) -> None:
        assert port.session is not None
        for topic, retained in (("speedsign/1/x/up/agg", False), ("speedsign/1/bauska-1/up/agg", True)):
            port.session.on_message(Message(topic, b"{}", retained, lambda: port.order.append("puback")))
        assert port.order == ["puback", "puback"]
        assert hub.health()["refused"] == 2

    told(story, store)
    assert store.batches == []


def test_told_to_stop_it_stores_what_it_has() -> None:
    store = Slow()
    store.go.clear()

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(agg(1))
        await until(store.at_work.is_set)
        port.hear(agg(2), agg(3))
        asyncio.get_running_loop().call_later(0.05, store.go.set)

    port = told(story, store, HubSettings(batch_s=30.0, quiet_s=0.001))
    assert {one.payload for batch in store.batches for one in batch} == {
        agg(seq).payload for seq in (1, 2, 3)
    }
    assert port.order.count("puback") == 3
    assert port.ended


def test_told_to_stop_with_a_full_disk_it_stops() -> None:
    store = Slow(*[StoreError("full") for _ in range(1000)])

    async def story(_hub: Hub, port: FewLines) -> None:
        port.hear(agg(1))
        await until(store.at_work.is_set)

    assert "puback" not in told(story, store).order


def test_a_broker_that_breaks_the_rules_does_not_fill_the_memory() -> None:
    store = Slow()
    store.go.clear()

    async def story(hub: Hub, port: FewLines) -> None:
        port.hear(*[agg(seq) for seq in range(1, 201)])
        assert hub.health()["waiting"] <= 50
        assert hub.health()["not_taken"] == 150
        store.go.set()

    told(story, store, HubSettings(queue_messages=50, quiet_s=0.01))


def test_the_watchdog_is_fed_but_not_while_the_disk_hangs() -> None:
    store = Slow()
    notes: list[str] = []

    async def story(hub: Hub, port: FewLines) -> None:
        await until(lambda: notes.count("WATCHDOG=1") > 3)
        store.go.clear()
        port.hear(agg(1))
        await until(store.at_work.is_set)
        hub._clock.now_s += 121.0  # type: ignore[attr-defined]  # the test's clock
        fed = len(notes)
        await asyncio.sleep(0.1)
        assert len(notes) == fed
        store.go.set()
        await until(lambda: len(notes) > fed)

    told(story, store, notes=notes)
    assert notes[0] == "READY=1"
    assert notes[-1] == "STOPPING=1"


def test_a_broker_that_forbids_the_acknowledgement_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def story(_hub: Hub, port: FewLines) -> None:
        port.reason = 0x87
        port.hear(agg(1))
        await until(lambda: "does not let the hub publish" in caplog.text)

    told(story, Slow())


def test_a_connection_that_ends_meanwhile_costs_an_acknowledgement_and_nothing_else() -> None:
    class Gone(FewLines):
        def publish(self, *_args: object, **_more: object) -> Awaitable[Published]:
            result: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
            result.set_exception(BrokerError("not connected"))
            return result

    store, port = Slow(), Gone()

    async def main() -> None:
        hub = Hub(port, store, QUICK, Wall())
        going = asyncio.create_task(hub.run())
        await until(lambda: port.session is not None)
        port.hear(birth(), agg(1))
        await until(lambda: len(port.order) == 2)
        assert hub.health()["not_said"] == 1
        going.cancel()
        await asyncio.wait([going])

    run(main())


# --------------------------------------------------------------------------- one of two


def test_a_hub_that_only_listens_stores_and_lets_no_sign_forget() -> None:
    async def story(hub: Hub, port: FewLines) -> None:
        port.hear(birth(), place(1), agg(2))
        await until(lambda: hub.health().get("stored") == 3)

    port = told(story, Slow(), replace(QUICK, acknowledges=False))
    assert port.acks == []
    assert port.order.count("puback") == 3


def test_what_is_subscribed_to_is_noted_once_the_broker_knows_it() -> None:
    async def story() -> None:
        store, port = Slow(StoreError("the disk is full")), FewLines()
        hub = Hub(port, store, QUICK, Wall(), session=("subscribed", "these"))
        going = asyncio.create_task(hub.run())
        await until(lambda: not store.errors)
        assert store.notes == []
        assert port.session is not None
        port.session.on_connected()  # and again, as the disk was full
        await until(lambda: store.notes == [("subscribed", "these")])
        port.session.on_connected()
        going.cancel()
        await asyncio.wait([going])
        assert len(store.notes) == 1

    run(story())
