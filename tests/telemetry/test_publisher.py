"""From the outbox to the broker: on virtual time with a port of memory, then with everything real."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from simulator.virtual_time import run_virtual
from speedsign.clock import SystemClock
from speedsign.errors import BrokerError, StoreError
from speedsign.model import Fault
from speedsign.ports import Telemetry
from telemetry.message_models import Aggregate, Birth, Message, State
from telemetry.messages import Identity
from telemetry.mqtt import BrokerSettings, MqttPort, Published, Will
from telemetry.mqtt_port import PahoPort
from telemetry.publisher import Publisher, PublisherSettings
from telemetry.recorder import InlineRecorder, ThreadRecorder
from telemetry.store import SqliteStore, open_or_replace
from tests.support import run, until
from tests.telemetry.broker import Broker, Listener, cut
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

WHO = Identity("bauska-3", boot=41, software="0.1.0", radar="ops243", display="max-2", config="c0ffee")
GOOD, DENIED = Published(0, "Success"), Published(0x87, "Not authorized")


class MemoryPort:
    """A broker in memory: `up` and `down` are called by the test, `answer` decides on each message."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bool]] = []
        self.answer: Callable[[str, bytes], Published] = lambda _topic, _payload: GOOD
        self.silent = False
        self.will: Will | None = None
        self._waiting: list[asyncio.Future[Published]] = []
        self._on_connected: Callable[[], None] = lambda: None
        self._on_lost: Callable[[BrokerError], None] = lambda _error: None

    async def run(
        self, will: Will, on_connected: Callable[[], None], on_lost: Callable[[BrokerError], None]
    ) -> None:
        self.will, self._on_connected, self._on_lost = will, on_connected, on_lost
        await asyncio.get_running_loop().create_future()

    def up(self) -> None:
        self._on_connected()

    def down(self) -> None:
        for result in self._waiting:
            if not result.done():
                result.set_exception(BrokerError("gone"))
        self._waiting.clear()
        self._on_lost(BrokerError("gone"))

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> Awaitable[Published]:
        result: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self.sent.append((topic, payload, retain))
        assert qos == 1
        if self.silent:
            self._waiting.append(result)
        else:
            result.set_result(self.answer(topic, payload))
        return result

    def faults(self) -> list[Fault]:
        return []

    def health(self) -> Mapping[str, int]:
        return {}

    def words(self) -> list[str | int]:
        """What was sent: a state by its word, an aggregate by its seq, else the last word of the topic."""
        found: list[str | int] = []
        for topic, payload, _ in self.sent:
            what, message = topic.rsplit("/", 1)[1], json.loads(payload)
            found.append({"state": message.get("s"), "agg": message.get("seq")}.get(what, what))
        return found


class Bench:
    """A publisher on a real store and a port of memory."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.port = MemoryPort()
        self.recorder = InlineRecorder(store)
        self.publisher = Publisher(self.port, self.recorder, WHO, PublisherSettings(window=3, retry_s=300))

    def close_some(self, quarters: int) -> None:
        """Put that many intervals into the outbox."""
        self.store.close_intervals(T0 + quarters * QUARTER, T0)
        self.publisher.wake()

    @contextlib.asynccontextmanager
    async def running(self):  # type: ignore[no-untyped-def]
        task = asyncio.create_task(self.publisher.run())
        await asyncio.sleep(0.1)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with contextlib.closing(SqliteStore(tmp_path / "sign.db", "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        yield Bench(store)


def test_both_are_what_the_daemon_expects(bench: Bench) -> None:
    port: MqttPort = PahoPort(BrokerSettings("localhost", "x"), SystemClock())
    telemetry: Telemetry = Publisher(port, bench.recorder, WHO)
    assert telemetry.faults() == []


def test_greets_then_drains_oldest_first_then_waits_for_news(bench: Bench) -> None:
    async def main() -> None:
        bench.close_some(5)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            assert bench.port.words() == ["on", "birth", 1, 2, 3, 4, 5]
            bench.close_some(6)
            await asyncio.sleep(1)
            assert bench.port.words()[7:] == [6]
            assert bench.store.pending_count() == 0

    run_virtual(main())
    assert bench.port.words()[-1] == "off"
    assert [retain for _, _, retain in bench.port.sent] == [True, True, *[False] * 6, True]
    assert bench.port.will == Will("speedsign/1/bauska-3/up/state", b'{"v":1,"s":"lost","boot":41}')


def test_each_message_is_what_the_models_say(bench: Bench) -> None:
    async def main() -> None:
        bench.store.add_vehicle(passed(57.2), [])
        bench.close_some(2)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)

    run_virtual(main())
    models: dict[str, type[Message]] = {"state": State, "birth": Birth, "agg": Aggregate}
    said = set()
    for topic, payload, _ in bench.port.sent:
        kind = topic.rsplit("/", 1)[1]
        models[kind].model_validate_json(payload)
        said.add(kind)
    assert said == set(models)


def test_nothing_is_forgotten_that_was_not_acknowledged(bench: Bench) -> None:
    async def main() -> None:
        bench.close_some(4)
        async with bench.running():
            bench.port.silent = True
            bench.port.up()
            await asyncio.sleep(1)
            assert bench.store.pending_count() == 4
            bench.port.down()
            bench.port.sent.clear()
            bench.port.silent = False
            await asyncio.sleep(1)
            assert bench.port.words() == []
            bench.port.up()
            await asyncio.sleep(1)
            assert bench.port.words() == ["on", "birth", 1, 2, 3, 4]
            assert bench.store.pending_count() == 0

    run_virtual(main())


def test_a_connection_lost_while_sending_keeps_what_was_not_answered(bench: Bench) -> None:
    async def main() -> None:
        bench.close_some(3)
        async with bench.running():
            bench.port.up()

            def answer(topic: str, payload: bytes) -> Published:
                if json.loads(payload).get("seq") == 1:
                    bench.port.silent = True  # the next two get no answer
                return GOOD

            bench.port.answer = answer
            await asyncio.sleep(1)
            bench.port.down()
            await asyncio.sleep(1)
            assert [row.seq for row in bench.store.pending(0, 9)] in ([2, 3], [1, 2, 3])
            bench.port.silent = False
            bench.port.answer = lambda _t, _p: GOOD
            bench.port.up()
            await asyncio.sleep(1)
            assert bench.store.pending_count() == 0

    run_virtual(main())


def test_one_refused_message_does_not_hold_up_the_others(bench: Bench) -> None:
    async def main() -> None:
        bench.port.answer = lambda _t, p: DENIED if json.loads(p).get("seq") == 2 else GOOD
        bench.close_some(6)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            assert [(row.seq, row.tries) for row in bench.store.pending(0, 9)] == [(2, 1)]
            await asyncio.sleep(301)
            assert [(row.seq, row.tries) for row in bench.store.pending(0, 9)] == [(2, 2)]

    run_virtual(main())


def test_a_broker_that_refuses_everything_is_asked_rarely_and_reported(bench: Bench) -> None:
    async def main() -> None:
        bench.port.answer = lambda _t, _p: DENIED
        bench.close_some(9)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(299)
            assert bench.port.words() == ["on", "birth", 1, 2, 3]
            (fault,) = bench.publisher.faults()
            assert (fault.device, fault.code) == ("mqtt", "refused")
            bench.port.answer = lambda _t, _p: GOOD
            await asyncio.sleep(2)
            assert bench.store.pending_count() == 0
            assert bench.publisher.faults() == []

    run_virtual(main())


def test_off_waits_no_longer_than_two_seconds(bench: Bench) -> None:
    async def main() -> float:
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(1)
            bench.port.silent = True
            before_s = asyncio.get_running_loop().time()
        return asyncio.get_running_loop().time() - before_s

    assert run_virtual(main()) == pytest.approx(2.0)
    assert bench.port.words()[-1] == "off"


def test_without_a_broker_nothing_is_said_and_the_end_comes_at_once(bench: Bench) -> None:
    async def main() -> float:
        before_s = asyncio.get_running_loop().time()
        async with bench.running():
            bench.close_some(3)
        return asyncio.get_running_loop().time() - before_s

    assert run_virtual(main()) == pytest.approx(0.1)
    assert bench.port.sent == []
    assert bench.store.pending_count() == 3


def test_a_store_that_fails_is_asked_again(bench: Bench) -> None:
    real = bench.store.pending
    failures = [StoreError("disk I/O error")]

    def pending(after_seq: int, limit: int):  # type: ignore[no-untyped-def]
        if failures:
            raise failures.pop()
        return real(after_seq, limit)

    bench.store.pending = pending  # type: ignore[method-assign]

    async def main() -> None:
        bench.close_some(2)
        async with bench.running():
            bench.port.up()
            await asyncio.sleep(301)
            assert bench.store.pending_count() == 0

    run_virtual(main())


# --------------------------------------------------------------------------- everything real


def real_publisher(recorder: ThreadRecorder[SqliteStore], port: int) -> Publisher:
    settings = BrokerSettings("127.0.0.1", "bauska-3", port, backoff_base_s=0.02, backoff_cap_s=0.1)
    return Publisher(PahoPort(settings, SystemClock()), recorder, WHO)


@contextlib.asynccontextmanager
async def whole(path: Path, port: int):  # type: ignore[no-untyped-def]
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
            await until(lambda: set(seqs(heard[-1])) >= set(range(21, 26)))  # maybe some of before again

    with Broker(tmp_path) as broker, contextlib.ExitStack() as stack:
        heard: list[Listener] = []
        stack.callback(_close_all, heard)
        heard.append(Listener(broker.port))
        run(main(broker, heard))
        until_off = asyncio.run(_off(heard[-1]))
        assert sorted({n for listener in heard for n in seqs(listener)}) == list(range(1, 26))
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
        async with whole(tmp_path / "sign.db", port) as (recorder, _):
            await until(lambda: recorder.health()["done"] >= 2)

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
    assert {body["boot"] for body in bodies} == {41}
