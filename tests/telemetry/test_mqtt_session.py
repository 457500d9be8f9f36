"""The port's other end: what it hears, what it acknowledges and when, and a thread that dies or hangs."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.mqtt.shapes import Message, Subscription
from telemetry.mqtt.wire import Wire
from tests.support import run, until
from tests.telemetry.broker import Broker, Listener
from tests.telemetry.hostile_broker import CONNECT, TOPIC, HostileBroker, Peer, puback, publish
from tests.telemetry.ports import DOWN, running, settings

pytestmark = pytest.mark.wires

UP = Subscription("speedsign/1/+/up/+", 65_536)
SHARED = Subscription("$share/hub/speedsign/1/+/up/+", 65_536)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as started:
        yield started


def test_what_was_subscribed_to_is_heard_before_anything_is_missed(broker: Broker) -> None:
    async def main() -> None:
        async with running(settings(broker.port, client_id="hub"), UP, will=None) as hub:
            await until(lambda: hub.connected)
            async with running(settings(broker.port), DOWN) as sign:
                await until(lambda: sign.connected)
                up = await sign.port.publish("speedsign/1/bauska-3/up/agg", b"counts")
                down = await hub.port.publish("speedsign/1/bauska-3/down/ack", b"ack")
                assert (up.reason_code, down.reason_code) == (0, 0), "on_connected comes after the SUBACK"
                await until(lambda: hub.heard and sign.heard)
            assert hub.heard[0] == Message("speedsign/1/bauska-3/up/agg", b"counts")
            assert sign.payloads() == [b"ack"]

    run(main())


def test_a_retained_message_says_so(broker: Broker) -> None:
    async def main() -> None:
        async with running(settings(broker.port)) as sign:
            await until(lambda: sign.connected)
            await sign.port.publish("speedsign/1/bauska-3/up/birth", b"{}", retain=True)
            async with running(settings(broker.port, client_id="hub"), UP, will=None) as hub:
                await until(lambda: hub.heard)
                assert hub.heard[0].retained
                await sign.port.publish("speedsign/1/bauska-3/up/birth", b"{}", retain=True)
                await until(lambda: len(hub.heard) == 2)
                assert not hub.heard[1].retained

    run(main())


def test_what_was_not_taken_comes_again_and_what_was_taken_does_not(broker: Broker) -> None:
    async def main() -> None:
        wanted = settings(broker.port, client_id="hub", session_expiry_s=60)
        async with running(settings(broker.port)) as sign:
            await until(lambda: sign.connected)
            async with running(wanted, UP, will=None, take=False) as hub:
                await until(lambda: hub.connected)
                for n in range(3):
                    await sign.port.publish("speedsign/1/bauska-3/up/agg", b"%d" % n)
                await until(lambda: len(hub.heard) == 3)
                hub.heard[1].taken()
                hub.heard[1].taken()
            for message in hub.heard:
                message.taken()  # the connection has ended: harmless, and not an acknowledgement
            await sign.port.publish("speedsign/1/bauska-3/up/agg", b"3")
            async with running(wanted, UP, will=None) as hub:
                await until(lambda: len(hub.heard) == 3)
                assert sorted(hub.payloads()) == [b"0", b"2", b"3"]

    run(main())


def test_what_is_not_taken_holds_the_broker_back(broker: Broker) -> None:
    """Its receive maximum: the hub's database sets the pace."""

    async def main() -> None:
        wanted = settings(broker.port, client_id="hub", receive_maximum=5)
        async with (
            running(wanted, SHARED, will=None, take=False) as hub,
            running(settings(broker.port), will=None) as sign,
        ):
            await until(lambda: hub.connected and sign.connected)
            await asyncio.gather(*(sign.port.publish("speedsign/1/a-1/up/agg", b"%d" % n) for n in range(50)))
            await until(lambda: len(hub.heard) == 5)
            assert hub.port.health()["heard"] == 5
            for taken in range(50):
                await until(lambda taken=taken: len(hub.heard) > taken)  # type: ignore[misc]
                hub.heard[taken].taken()
            await until(lambda: hub.port.health()["heard"] == 50)
            assert hub.payloads() == [b"%d" % n for n in range(50)]
            assert hub.errors == []

    run(main())


def test_how_long_a_message_is_worth_delivering_goes_with_it() -> None:
    bodies: list[bytes] = []

    async def keeps(peer: Peer) -> None:
        await peer.greet()
        for _ in range(2):
            _, body = await peer.packet()
            bodies.append(body)
            peer.send(puback(len(bodies) + 1))  # the SUBSCRIBE was 1
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(keeps) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            await it.port.publish("a", b"x", expiry_s=300)
            await it.port.publish("a", b"x")

    run(main())
    assert bodies == [b"\0\1a" + b"\0\2" + b"\5\2\0\0\1\x2c" + b"x", b"\0\1a" + b"\0\3" + b"\0" + b"x"]


def test_what_is_said_to_the_broker_at_the_start() -> None:
    """Of two ends: one whose messages wait for it and one whose do not (MQTT 5, 3.1.2)."""
    bodies: list[bytes] = []

    async def listens(peer: Peer) -> None:
        bodies.append(await peer.greet())
        await peer.behave()

    async def main(**more: int) -> None:
        async with (
            HostileBroker(listens) as broker,
            running(settings(broker.port, **more), DOWN, will=None) as it,
        ):
            await until(lambda: it.connected)

    run(main(session_expiry_s=60, receive_maximum=7, max_packet_bytes=4096, keepalive_s=300))
    run(main())
    lasting, passing = bodies
    head = b"\0\4MQTT\5"
    assert lasting[:7] == passing[:7] == head
    assert (lasting[7], passing[7]) == (0x00, 0x02), "clean start only where nothing waits"
    assert lasting[8:10] == b"\x01\x2c"
    assert lasting[10:].startswith(b"\x0d\x11\0\0\0\x3c\x21\0\x07\x27\0\0\x10\0")


def test_a_fresh_session_is_asked_for_until_a_run_has_had_a_connection() -> None:
    """What the broker kept from before is thrown away; what it keeps from then on is not."""
    asked: list[int] = []

    async def listens(peer: Peer) -> None:
        asked.append((await peer.expect(CONNECT))[7] & 0x02)

    async def greets(peer: Peer) -> None:
        asked.append((await peer.greet())[7] & 0x02)

    async def main() -> None:
        async with HostileBroker(listens, greets, greets) as broker:
            wanted = settings(broker.port, session_expiry_s=60, fresh_session=True)
            async with running(wanted, DOWN):
                await until(lambda: len(asked) == 3)

    run(main())
    assert asked == [2, 2, 0]


def test_a_fresh_session_forgets_what_was_subscribed_to_before(broker: Broker) -> None:
    async def main() -> None:
        wanted = settings(broker.port, client_id="hub", session_expiry_s=60)
        async with running(wanted, UP, will=None) as hub:
            await until(lambda: hub.connected)
        other = Subscription("speedsign/1/other/up/+", 4096)
        fresh = settings(broker.port, client_id="hub", session_expiry_s=60, fresh_session=True)
        async with running(fresh, other, will=None) as hub, running(settings(broker.port)) as sign:
            await until(lambda: hub.connected and sign.connected)
            assert (await sign.port.publish("speedsign/1/bauska-3/up/agg", b"{}")).reason_code == 0x10

    run(main())


def test_a_host_that_is_no_name() -> None:
    async def main() -> None:
        async with running(settings(1883, host=f"{'x' * 70}.lv", allow_plain=True)) as it:
            await until(lambda: it.errors)
            assert "cannot be reached: the host is no name; check [mqtt] host" in it.errors[0]

    run(main())


def test_messages_before_the_subacks_wait_for_on_connected() -> None:
    """A session's messages come right after the CONNACK; nobody is to hear them before it is told."""

    async def early(peer: Peer) -> None:
        await peer.packet()
        peer.send(b"\x20\x03\x01\x00\x00" + publish(TOPIC, b"early", 1))
        peer.subscribed((await peer.packet())[1])
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(early) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: len(it.order) == 2)
            assert it.order == ["connected", "message"]

    run(main())


def test_health_is_the_age_of_the_last_acknowledgement(broker: Broker) -> None:
    async def main() -> None:
        async with running(settings(broker.port)) as it:
            assert "last_ack_age_s" not in it.port.health()
            await until(lambda: it.connected)
            assert it.port.health()["last_ack_age_s"] <= 5
            connection = it.port._connection
            assert connection
            connection.last_ack_s -= 100
            assert it.port.health()["last_ack_age_s"] >= 100
            await it.port.publish("a", b"")
            assert it.port.health()["last_ack_age_s"] <= 5

    run(main())


# --------------------------------------------------------------------------- two with one name


def test_two_machines_with_one_id_are_told_apart_by_their_fights(broker: Broker) -> None:
    """mosquitto 2.0 throws out the older one without a word; the sentence says what it may be."""

    async def main() -> None:
        wanted = settings(broker.port)
        async with running(wanted, DOWN) as first, running(wanted, DOWN) as second:
            await until(lambda: any("does another machine use the same id?" in e for e in first.errors))
            await until(lambda: any("does another machine use the same id?" in e for e in second.errors))

    run(main())


# --------------------------------------------------------------------------- the thread


def port_thread() -> threading.Thread:
    (found,) = (thread for thread in threading.enumerate() if thread.name == "mqtt")
    return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_made_anew(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            identity = port_thread().ident
            assert identity
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(identity), ctypes.py_object(SystemExit)
            )  # what no handler catches
            with contextlib.suppress(Exception):
                await it.port.publish("a", b"wakes it")
            await until(lambda: it.connected == 2)
            assert "the connection's thread has died" in it.errors[0]
            assert it.port.health()["rebuilt"] == 1
            assert (await it.port.publish("a", b"")).ok

    run(main())
    assert "made anew" in caplog.text


def test_a_thread_that_hangs_is_left_and_says_nothing_more(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang, first = threading.Event(), threading.Event()
    real = Wire.open

    def hangs_once(self: Wire, tls: None, *, fresh: bool) -> None:
        if not first.is_set():
            first.set()
            hang.wait(20)
        real(self, tls, fresh=fresh)

    monkeypatch.setattr(Wire, "open", hangs_once)

    async def main() -> None:
        wanted = settings(broker.port, connect_timeout_s=0.05, stuck_s=0.1)
        async with running(wanted, DOWN) as it:
            await until(lambda: it.errors)
            assert "the connection's thread is stuck" in it.errors[0]
            await until(lambda: it.connected)
            hang.set()
            await until(lambda: sum(thread.name == "mqtt" for thread in threading.enumerate()) == 1)
            assert (await it.port.publish("a", b"")).ok
            assert (it.connected, len(it.errors)) == (1, 1)

    run(main())


def test_threads_that_hang_do_not_become_many(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def hangs(self: Wire, tls: None, *, fresh: bool) -> None:
        let_go.wait(20)
        raise OSError("let go")

    monkeypatch.setattr(Wire, "open", hangs)

    async def main() -> None:
        wanted = settings(1, connect_timeout_s=0.01, stuck_s=0.02, backoff_cap_s=0.01)
        async with running(wanted, DOWN) as it:
            await until(lambda: it.port.health().get("rebuilt", 0) == 3)
            await asyncio.sleep(0.3)  # in which ten more would have been made
            assert it.port.health()["rebuilt"] == 3
            let_go.set()

    run(main())


def test_a_listener_hears_the_will_when_the_sign_is_gone_but_not_when_it_leaves(broker: Broker) -> None:
    async def main() -> list[bytes]:
        with contextlib.closing(Listener(broker.port)) as listener:
            async with running(settings(broker.port, session_expiry_s=60), DOWN) as it:
                await until(lambda: it.connected)
            async with running(settings(broker.port, session_expiry_s=60), DOWN) as it:
                await until(lambda: it.connected)
                await it.port.publish("end", b"end")
            await until(lambda: b"end" in listener.payloads())
            return listener.payloads()

    assert run(main()) == [b"end"]
