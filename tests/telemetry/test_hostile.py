"""What a broker may do to us: the port says what is wrong, leaks nothing, and is well when the broker is."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from speedsign.errors import BrokerError
from telemetry.mqtt.shapes import Subscription
from tests.support import run, until
from tests.telemetry.hostile_broker import (
    AUTH,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    SUBSCRIBE,
    TOPIC,
    HostileBroker,
    Peer,
    Script,
    connack,
    disconnect,
    greets_and_says,
    packet,
    puback,
    publish,
    says,
    suback,
    varint,
)
from tests.telemetry.ports import DOWN, Running, running, settings

pytestmark = pytest.mark.wires

QUICK = {"connect_timeout_s": 0.3, "ack_timeout_s": 0.3, "backoff_cap_s": 0.004, "refusal_pause_s": 0.002}


@pytest.fixture(autouse=True)
def _nothing_is_raised(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No error that nobody expected; that no thread and no socket stays is seen to for all tests."""
    caplog.set_level("DEBUG")
    yield
    bad = [
        record for record in caplog.records if record.exc_info or record.levelname in ("ERROR", "CRITICAL")
    ]
    assert not bad, [record.getMessage() for record in bad]


async def is_well(it: Running, broker: HostileBroker) -> None:
    """Connected to a broker that behaves, and heard by it."""
    await until(lambda: broker.well and it.port.health()["connected"] and it.port.faults() == [])
    assert (await it.port.publish("speedsign/1/bauska-3/up/agg", b"{}")).ok


async def survive(said: str, *scripts: Script, **more: Any) -> Running:
    """Meet these, one after the other; each must be `said`, and then all must be well again."""
    async with (
        HostileBroker(*scripts) as broker,
        running(settings(broker.port, **{**QUICK, **more}), DOWN) as it,
    ):
        await until(lambda: len(it.errors) >= len(scripts))
        for error in it.errors[: len(scripts)]:
            assert re.search(said, error), error
            assert f"127.0.0.1:{broker.port}" in error
        await is_well(it, broker)
        assert len(it.errors) == len(scripts), "the connection to a good broker lasts"
        return it


def warned(caplog: pytest.LogCaptureFixture, said: str) -> bool:
    return any(
        record.levelname == "WARNING" and re.search(said, record.getMessage()) for record in caplog.records
    )


# --------------------------------------------------------------------------- no answer


async def silence(peer: Peer) -> None:
    await peer.until_gone()


async def closes_at_once(_peer: Peer) -> None: ...


async def closes_after_connect(peer: Peer) -> None:
    await peer.expect(CONNECT)


async def closes_before_suback(peer: Peer) -> None:
    await peer.expect(CONNECT)
    peer.send(connack())
    await peer.expect(SUBSCRIBE)


async def closes_after_suback(peer: Peer) -> None:
    await peer.greet()


async def connack_too_slowly(peer: Peer) -> None:
    await peer.expect(CONNECT)
    await peer.slowly(connack(), 0.2)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (silence, "no answer to CONNECT"),
        (connack_too_slowly, "no answer to CONNECT"),
        (says(connack()), "no answer to SUBSCRIBE"),
        (says(connack(), suback(7, 1)), "no answer to SUBSCRIBE"),
        (closes_at_once, "cannot be reached"),
        (closes_after_connect, "ended the connection without a word|reset"),
        (closes_before_suback, "ended the connection without a word|reset"),
        (closes_after_suback, "the connection was lost|reset"),
    ],
)
def test_a_broker_that_does_not_answer_or_closes(
    script: Script, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    run(survive(said, script))
    assert warned(caplog, said)


def test_no_answer_to_a_ping() -> None:
    async def deaf(peer: Peer) -> None:
        await peer.greet(connack(properties=b"\x13\x00\x01"))  # server keep alive: 1 s
        assert (await peer.packet())[0] == PINGREQ
        await peer.until_gone()

    run(survive("no answer to PINGREQ", deaf))


def test_a_keepalive_that_the_broker_wants_shorter_is_kept() -> None:
    pings: list[float] = []

    async def short(peer: Peer) -> None:
        await peer.greet(connack(properties=b"\x13\x00\x01"))
        for _ in range(2):
            async with asyncio.timeout(1.5):  # a broker's patience (MQTT 5, 3.1.2.10)
                assert (await peer.packet())[0] == PINGREQ
            pings.append(asyncio.get_running_loop().time())
            peer.send(packet(PINGRESP))

    run(survive("lost|reset", short))
    assert len(pings) == 2


def test_a_link_that_takes_bytes_and_answers_nothing() -> None:
    async def half_open(peer: Peer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a stream's transport
        await asyncio.sleep(3)

    async def main() -> None:
        async with HostileBroker(half_open) as broker:
            wanted = settings(broker.port, **{**QUICK, "window": 500})
            async with running(wanted, DOWN) as it:
                await until(lambda: it.connected)
                much = [it.port.publish("a", bytes(100_000)) for _ in range(400)]
                results = await asyncio.gather(*much, return_exceptions=True)
                assert all(isinstance(result, BrokerError) for result in results)
                assert "messages are not acknowledged" in it.errors[0]
                await is_well(it, broker)

    run(main())


def test_slow_bytes_are_waited_for() -> None:
    async def slow(peer: Peer) -> None:
        await peer.expect(CONNECT)
        await peer.slowly(connack(), 0.05)
        wanted = await peer.expect(SUBSCRIBE)
        await peer.slowly(suback(struct.unpack_from("!H", wanted)[0], 1), 0.05)
        number, _ = await peer.published()
        await peer.slowly(puback(number), 0.05)
        await peer.slowly(publish(TOPIC, b"slow", 9), 0.01)
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(slow) as broker:
            wanted = settings(broker.port, connect_timeout_s=5, ack_timeout_s=5)
            async with running(wanted, DOWN) as it:
                await until(lambda: it.connected)
                assert (await it.port.publish("a", b"{}")).ok
                await until(lambda: it.payloads() == [b"slow"])
                await until(lambda: broker.acknowledged == [9])
                assert it.errors == []

    run(main())


# --------------------------------------------------------------------------- every no


def test_every_refusal_of_a_connection_ends_in_a_sentence() -> None:
    async def main() -> Running:
        scripts = [says(connack(code)) for code in range(1, 256)]
        return await survive("", *scripts)

    errors = run(main()).errors
    by_code = dict(zip(range(1, 256), errors, strict=True))
    assert "does not speak MQTT 5" in by_code[0x84]
    assert "does not speak MQTT 5" in by_code[0x01]
    assert "user name or password" in by_code[0x86]
    assert "does not authorise" in by_code[0x87]
    assert "banned" in by_code[0x8A]
    assert "quota" in by_code[0x97]
    assert "retained" in by_code[0x9A]
    assert "Connection rate exceeded" in by_code[0x9F]
    assert "nonsense" in by_code[0xFE], "a code that there is not"


def test_every_way_to_be_told_to_go() -> None:
    async def main() -> Running:
        return await survive("", *(greets_and_says(disconnect(code)) for code in range(256)))

    errors = run(main()).errors
    assert "another client took over with the same id" in errors[0x8E]
    assert "shutting down" in errors[0x8B]
    assert "nonsense" in errors[0xFE]


def test_a_no_that_lasts_is_not_asked_for_again_at_once() -> None:
    async def main() -> list[float]:
        async with HostileBroker(greets_and_says(disconnect(0x8E)), says(connack(0x97))) as broker:
            wanted = settings(broker.port, backoff_cap_s=0.0, refusal_pause_s=0.4)
            async with running(wanted, DOWN) as it:
                await is_well(it, broker)
            return broker.connections_s

    first_s, second_s, third_s = run(main())
    assert second_s - first_s >= 0.2
    assert third_s - second_s >= 0.2


def test_every_answer_to_a_message() -> None:
    """Any refusal is the broker's word about one message; a yes that there is not ends the connection."""
    code = 0

    async def answers(peer: Peer) -> None:
        await peer.greet()
        while True:
            number, _ = await peer.published()
            peer.send(puback(number, code))

    async def main() -> dict[int, int | None]:
        nonlocal code
        found: dict[int, int | None] = {}
        async with (
            HostileBroker(*[answers] * 300) as broker,
            running(settings(broker.port, **QUICK), DOWN) as it,
        ):
            for code in range(256):
                ended = len(it.errors)
                await until(lambda: it.port.health()["connected"])
                try:
                    found[code] = (await it.port.publish("a", b"{}")).reason_code
                except BrokerError:
                    found[code] = None
                    await until(lambda ended=ended: len(it.errors) > ended)  # type: ignore[misc]
        return found

    found = run(main())
    understood = {0x00, 0x10, *range(0x80, 0x100)}  # MQTT 5, 2.4 and 3.4.2.1
    assert {sent: got for sent, got in found.items() if got is not None} == {one: one for one in understood}


def test_a_refusal_that_is_listed_for_other_packets_is_called_by_its_name() -> None:
    async def refuses(peer: Peer) -> None:
        await peer.greet()
        for code in (0x95, 0xFE):
            number, _ = await peer.published()
            peer.send(puback(number, code))
        await peer.behave()

    async def main() -> list[str]:
        async with HostileBroker(refuses) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            said = [(await it.port.publish("a", b"{}")).reason for _ in range(2)]
            assert (await it.port.publish("a", b"{}")).ok
            assert it.errors == []
            return said

    assert run(main()) == ["Packet too large", "code 0xfe"]


def test_every_answer_to_a_subscription() -> None:
    """A refused one is a fault; so is one that was granted without acknowledgement."""
    code = 0

    async def answers(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(connack())
        wanted = await peer.expect(SUBSCRIBE)
        peer.send(suback(struct.unpack_from("!H", wanted)[0], code))
        await peer.behave()

    async def main() -> dict[int, str | None]:
        nonlocal code
        found: dict[int, str | None] = {}
        for code in range(256):
            async with HostileBroker(answers) as broker, running(settings(broker.port, **QUICK), DOWN) as it:
                await until(lambda: it.connected or it.errors)
                if not it.errors:
                    faults = it.port.faults()
                    assert all(fault.code == "subscription" for fault in faults)
                    assert (await it.port.publish("a", b"{}")).ok
                    found[code] = faults[0].text if faults else None
        return found

    found = run(main())
    assert set(found) == {0, 1, 2, *range(0x80, 0x100)}
    assert found[1] is None
    assert "without acknowledgement only (QoS 0)" in (found.pop(0) or "")
    assert all("refuses to let this client hear" in (text or "") for code, text in found.items() if code > 2)
    assert "(Packet too large)" in (found[0x95] or "")


def test_acknowledgements_of_nothing_and_twice() -> None:
    async def confused(peer: Peer) -> None:
        await peer.greet()
        peer.send(*(puback(number) for number in range(100, 200)), puback(0), packet(PINGRESP), suback(77, 1))
        for _ in range(3):
            number, _ = await peer.published()
            peer.send(puback(number), puback(number), puback(number, 0x80))
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(confused) as broker, running(settings(broker.port, **QUICK), DOWN) as it:
            await until(lambda: it.connected)
            for _ in range(5):
                assert (await it.port.publish("a", b"{}")).ok
            assert it.errors == []
            assert it.port.health()["acknowledged"] == 5

    run(main())


def test_no_acknowledgement_at_all() -> None:
    async def main() -> None:
        async with (
            HostileBroker(greets_and_says()) as broker,
            running(settings(broker.port, **QUICK), DOWN) as it,
        ):
            await until(lambda: it.connected)
            with pytest.raises(BrokerError, match="not acknowledged"):
                await it.port.publish("a", b"{}")
            await is_well(it, broker)

    run(main())


def test_receive_maximum_1() -> None:
    async def one_at_a_time(peer: Peer) -> None:
        await peer.greet(connack(properties=b"\x21\x00\x01"))
        for _ in range(20):
            number, _ = await peer.published()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.005):
                    await peer.reader.readexactly(1)
            peer.send(puback(number))
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(one_at_a_time) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            results = await asyncio.gather(*(it.port.publish("a", b"%d" % n) for n in range(20)))
            assert all(result.ok for result in results)
            assert it.port.health()["most_in_flight"] == 1

    run(main())


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (b"\x21\x00\x00", "nonsense"),  # receive maximum 0
        (b"\x27\x00\x00\x00\x00", "nonsense"),  # maximum packet size 0
        (b"\x24\x00", "does not acknowledge"),  # maximum QoS 0
        (b"\x25\x00", "keeps no messages"),  # retain available: no
        (b"\x28\x00", "no subscriptions with wildcards"),
        (b"\x15\x00\x01x", "a method of authentication that this client did not offer"),
    ],
)
def test_brokers_that_cannot_serve(properties: bytes, said: str) -> None:
    run(survive(said, says(connack(properties=properties))))


def test_what_the_broker_says_it_does_not_take_is_not_sent() -> None:
    async def small(peer: Peer) -> None:
        await peer.greet(connack(properties=b"\x27\x00\x00\x00\x64"))  # packets of 100 bytes
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(small) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            long = await it.port.publish("a", bytes(200))
            assert (long.ok, long.reason_code) == (False, 0x95)
            assert "at most 100" in long.reason
            assert (await it.port.publish("a", bytes(50))).ok
            assert it.errors == []

    run(main())


def test_a_subscription_that_is_refused_is_a_fault_and_sending_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def deaf(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(connack())
        wanted = await peer.expect(SUBSCRIBE)
        peer.send(suback(struct.unpack_from("!H", wanted)[0], 1, 0x87))
        await peer.behave()

    commands = Subscription("speedsign/1/bauska-3/down/cmd", 4096)

    async def main() -> None:
        async with HostileBroker(deaf) as broker, running(settings(broker.port), DOWN, commands) as it:
            await until(lambda: it.connected)
            (fault,) = it.port.faults()
            assert fault.code == "subscription"
            assert "speedsign/1/bauska-3/down/cmd (Not authorized)" in fault.text
            assert (await it.port.publish("a", b"")).ok

    run(main())
    assert warned(caplog, "refuses to let this client hear")


def test_a_session_that_the_broker_only_says_it_has() -> None:
    async def main() -> None:
        async with HostileBroker() as broker:
            asked: list[list[str]] = []

            async def lies(peer: Peer) -> None:
                await peer.greet(connack(flags=1))
                asked.append(peer.topics)
                peer.send(publish(TOPIC, b"{}"))
                await peer.behave()

            broker._scripts.append(lies)
            async with running(settings(broker.port, session_expiry_s=60), DOWN) as it:
                await until(lambda: it.heard)
            assert asked == [[DOWN.topic_filter]], "subscriptions are made again, whatever it says"

    run(main())


# --------------------------------------------------------------------------- nonsense


NONSENSE = {
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "length of five bytes": b"\x20\xff\xff\xff\xff\xff\xff",
    "connack that is too short": packet(0x20, b"\0"),
    "properties that end too soon": b"\x20\x03\x00\x00\x05\xff\xff",
    "properties of another packet": connack(properties=b"\x01\x00"),
    "a property twice": connack(properties=b"\x21\x00\x05\x21\x00\x05"),
    "a property that there is not": connack(properties=b"\x7f\x00"),
    "a text that is no text": connack(properties=b"\x1f\x00\x02\xff\xfe"),
    "connack twice": connack() + connack(),
    "flags of connack": b"\x2f" + connack()[1:],
    "puback before connack": puback(1),
    "publish before connack": publish(TOPIC, b"{}"),
    "disconnect before connack": disconnect(0x89),
    "pingresp before connack": packet(PINGRESP),
    "auth": connack() + packet(AUTH, b"\x18\x00"),
    "auth before connack": packet(AUTH, b"\x18\x03\x15\x00\x00"),
    "connect": connack() + packet(CONNECT, b"\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00"),
    "subscribe": connack() + packet(SUBSCRIBE, b"\x00\x01\x00\x00\x01a\x01"),
    "pingreq": connack() + packet(PINGREQ),
    "type 0": connack() + packet(0x00, b"\0\0"),
    "pubrec": connack() + packet(0x50, b"\0\1"),
    "pubrel": connack() + packet(0x62, b"\0\1"),
    "flags of puback": connack() + packet(0x4F, b"\0\1"),
    "pingresp with a body": connack() + packet(PINGRESP, b"x"),
    "suback for another number of filters": connack() + suback(1, 1, 1, 1),
    "suback without codes": connack() + suback(1),
    "quality of service 2": connack() + publish(TOPIC, b"{}", 1, flags=0x4),
    "quality of service 3": connack() + publish(TOPIC, b"{}", 1, flags=0x6),
    "dup without a number": connack() + publish(TOPIC, b"{}", flags=0x8),
    "topic longer than the packet": connack() + packet(0x30, b"\xff\xffab"),
    "topic that is no text": connack() + publish(b"speedsign/\xff\xfe", b"{}"),
    "topic with NUL": connack() + publish("speedsign/1/bauska-3/down/\0", b"{}"),
    "topic with a wildcard": connack() + publish("speedsign/1/bauska-3/down/+", b"{}", 1),
    "topic of an alias": connack() + packet(0x30, b"\0\0\x03\x23\0\x01{}"),
    "empty topic": connack() + publish("", b"{}"),
    "a message id in use": connack() + publish(TOPIC, b"1", 5) + publish(TOPIC, b"2", 5),
    "packet longer than announced": connack() + publish(TOPIC, bytes(9000)),
}


@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_the_connection_and_nothing_else(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    it = run(survive("the broker sent nonsense", says(sent)))
    assert it.heard == []
    assert warned(caplog, "nonsense")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (packet(PUBACK, b"\0"), 0x81),  # too short
        (b"\x40\xff\xff\xff\xff\x01", 0x81),  # a length of five bytes
        (packet(PINGRESP, b"x"), 0x81),
        (publish(b"\xff\xfe", b""), 0x81),  # a topic that is no text
        (packet(AUTH), 0x82),
        (connack(), 0x82),  # a second one
        (publish(TOPIC, b"", 1) * 2, 0x82),  # a message id that is in use
        (publish("a/#", b"", 1), 0x82),
        (b"\x30" + varint(8193), 0x95),
    ],
)
def test_a_broker_is_told_what_it_did_wrong(sent: bytes, code: int) -> None:
    """MQTT 5, 4.13; and the will stays: a code from 0x80 on is no goodbye (3.14.2.1)."""
    heard: list[bytes] = []

    async def errs(peer: Peer) -> None:
        await peer.greet()
        peer.send(sent)
        heard.append(await peer.reader.read(100))

    async def main() -> None:
        async with (
            HostileBroker(errs) as broker,
            running(settings(broker.port, **QUICK), DOWN, take=False) as it,
        ):
            await until(lambda: it.errors and heard)

    run(main())
    assert heard == [bytes([DISCONNECT, 1, code])]


def test_a_broker_that_asks_for_another_authentication_is_told() -> None:
    heard: list[bytes] = []

    async def asks(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(connack(properties=b"\x15\x00\x01x"))
        heard.append(await peer.reader.read(100))

    run(survive("did not offer", asks))
    assert heard == [bytes([DISCONNECT, 1, 0x82])]


def test_thousands_of_broken_packets() -> None:
    """Seeded: bytes changed, left out and put in, in packets that were good; and bytes by chance."""
    chance = random.Random(20_260_701)
    good = [
        connack(),
        connack(properties=b"\x21\x00\x14\x27\x00\x00\x20\x00\x13\x01\x2c\x12\x00\x03abc"),
        suback(1, 1),
        puback(3, 0x10),
        publish(TOPIC, b'{"v":1}', 4),
        publish(TOPIC, b'{"v":1}'),
        packet(PINGRESP),
        disconnect(0x8B),
    ]

    def broken() -> bytes:
        stream = bytearray(b"" if chance.random() < 0.3 else connack() + suback(1, 1))
        for _ in range(chance.randrange(1, 4)):
            one = bytearray(chance.choice(good))
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(one)) if one else 0
                match chance.randrange(4):
                    case 0:
                        one[at : at + 1] = bytes([chance.randrange(256)])
                    case 1:
                        del one[at:]
                    case 2:
                        one[at:at] = chance.randbytes(chance.randrange(1, 9))
                    case _:
                        one = bytearray(chance.randbytes(chance.randrange(1, 40)))
            stream += one
        return bytes(stream)

    count = 3000

    async def throws(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(broken())
        peer.writer.write_eof()
        await peer.until_gone()

    async def main() -> None:
        async with HostileBroker(*[throws] * count) as broker:
            wanted = settings(broker.port, **{**QUICK, "backoff_base_s": 0.0, "refusal_pause_s": 0.0})
            async with running(wanted, DOWN) as it:
                await until(lambda: len(it.errors) >= count, timeout_s=60)
                assert it.port.health().get("rebuilt", 0) == 0, "no thread died"
                await is_well(it, broker)

    run(main(), timeout_s=90)


# --------------------------------------------------------------------------- too much


def test_a_packet_of_256_mb_is_not_waited_for() -> None:
    sent = 0

    async def giant(peer: Peer) -> None:
        nonlocal sent
        await peer.greet()
        peer.send(b"\x30" + varint(268_435_455))
        chunk = bytes(65536)
        for _ in range(4096):
            peer.send(chunk)
            await peer.writer.drain()
            sent += len(chunk)

    async def main() -> int:
        tracemalloc.start()
        try:
            await survive("a packet of 268,435,455 bytes, 8,192 are allowed", giant)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert run(main()) < 8_000_000
    assert sent < 16_000_000, "the connection ends as soon as the length is known"


@pytest.mark.parametrize("length", [2_097_152, 100_000, 8193])
def test_packets_longer_than_we_take(length: int) -> None:
    run(survive("bytes, 8,192 are allowed", says(connack(), b"\x30" + varint(length))))


def test_ten_thousand_messages_at_once_without_acknowledgement() -> None:
    async def floods(peer: Peer) -> None:
        await peer.greet()
        peer.send(*(publish(TOPIC, b"%d" % n) for n in range(10_000)))
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(floods) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            await until(lambda: len(it.heard) + it.port.health().get("dropped_messages", 0) == 10_000)
            assert (await it.port.publish("a", b"{}")).ok
            assert it.errors == []

    run(main())


def test_ten_thousand_messages_while_the_loop_is_busy_fill_nothing() -> None:
    """What waits to be looked at is bounded, however long nobody looks."""
    room = 20

    async def main() -> None:
        flooded = asyncio.Event()

        async def floods(peer: Peer) -> None:
            await peer.greet()
            flooded.set()
            await peer.behave()

        async with HostileBroker(floods) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: it.connected)
            thread = it.port._thread
            assert thread
            connection = it.port._connection
            assert connection
            for n in range(10_000):  # as the thread does, while the loop runs this
                connection.message(TOPIC, b"%d" % n, 0, 0, retained=False)
            assert len(thread.mailbox.heard) <= room
            assert it.port.health()["dropped_messages"] >= 10_000 - room
            await until(lambda: it.heard)

    run(main())


def test_more_unacknowledged_messages_than_we_said_wait_at_the_brokers_end() -> None:
    """Real brokers do this: nothing is lost, and no more than a few are let in until there is room."""
    many = [publish(TOPIC, b"%d" % n, n) for n in range(1, 2001)]
    pings = 0

    async def generous(peer: Peer) -> None:
        nonlocal pings
        await peer.greet(connack(properties=b"\x13\x00\x01"))  # server keep alive: 1 s
        peer.send(*many)
        head, _ = await peer.packet()
        assert head == PINGREQ, "the link is kept up meanwhile"
        pings += 1
        peer.send(packet(PINGRESP))
        await peer.behave()

    async def main() -> None:
        async with (
            HostileBroker(generous) as broker,
            running(settings(broker.port, **QUICK), DOWN, take=False) as it,
        ):
            await until(lambda: pings)
            assert 20 < len(it.heard) <= 40
            assert it.errors == [], "no answer is missed that could not have been read"
            taken = 0
            while taken < 2000:
                await until(lambda taken=taken: len(it.heard) > taken)  # type: ignore[misc]
                it.heard[taken].taken()
                taken += 1
            await until(lambda: len(broker.acknowledged) == 2000)
            assert it.payloads() == [b"%d" % n for n in range(1, 2001)]
            assert it.errors == []

    run(main())


def test_messages_nobody_asked_for() -> None:
    """Acknowledged, or the broker would wait for ever; counted; and nobody sees them."""
    topics = [
        "speedsign/1/bauska-4/down/ack",
        "speedsign/1/bauska-3/down",
        "speedsign/1/bauska-3/down/ack/x",
        "speedsign/1/bauska-3/up/agg",
        "$SYS/broker/uptime",
        "SPEEDSIGN/1/bauska-3/down/ack",
        "/speedsign/1/bauska-3/down/ack",
        "a" * 5000,
    ]

    async def injects(peer: Peer) -> None:
        await peer.greet()
        for number in range(1, 1001):
            peer.send(publish(topics[number % len(topics)], b"{}", number, flags=0x3))
        peer.send(publish(TOPIC, bytes(4097), 1001), publish(TOPIC, b"mine", 1002))
        await peer.behave()

    async def main() -> None:
        async with HostileBroker(injects) as broker, running(settings(broker.port), DOWN) as it:
            await until(lambda: len(broker.acknowledged) == 1002)
            assert it.payloads() == [b"mine"]
            health = it.port.health()
            assert (health["unasked_messages"], health["too_long_messages"]) == (1000, 1)
            assert it.errors == []

    run(main())


def test_a_broker_that_sends_and_never_reads_stops_being_read() -> None:
    """Its messages want answers, which nobody takes: they must not pile up."""
    foreign = b"".join(publish("speedsign/1/other/down/ack", b"", 1 + n) for n in range(60_000))

    async def deaf(peer: Peer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a stream's transport
        await started.wait()
        peer.send(foreign)
        await asyncio.sleep(60)

    async def main() -> int:
        async with HostileBroker(deaf) as broker:
            # What it accepts has its buffer.
            broker._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            wanted = settings(broker.port, **{**QUICK, "ack_timeout_s": 2.0})
            async with running(wanted, DOWN) as it:
                await until(lambda: it.connected)
                connection = it.port._connection
                assert connection
                wire = connection._wire.socket()
                assert isinstance(wire, socket.socket)
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
                started.set()
                with pytest.raises(BrokerError, match="not acknowledged"):
                    await it.port.publish("a", b"{}")
                return len(connection._wire._out_packet)

    started = asyncio.Event()
    assert 100 < run(main()) <= 400


def test_what_a_broker_sends_is_not_repeated_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    secret = b"\x1b[31mforged line"
    properties = b"\x1f" + struct.pack("!H", len(secret)) + secret
    body = bytes([0x8A]) + varint(len(properties)) + properties
    run(survive("", says(packet(0xE0, body)), greets_and_says(packet(0xE0, body))))
    assert "forged" not in caplog.text


def test_stopping_is_quick_whatever_the_broker_does() -> None:
    async def main(script: Script) -> None:
        async with HostileBroker(*[script] * 50) as broker:
            async with running(settings(broker.port, connect_timeout_s=0.5, ack_timeout_s=60), DOWN):
                await until(lambda: broker.connections_s)
            loop_s = asyncio.get_running_loop().time()
            assert loop_s - broker.connections_s[-1] < 5

    for script in (silence, greets_and_says(), says(connack()), closes_at_once):
        run(main(script))
