"""The port against a real broker: what is acknowledged, what is lost, what the person is told."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from speedsign.errors import BrokerError, ConfigError
from speedsign.hosts import is_loopback
from telemetry.mqtt.shapes import BrokerSettings, Published, pause_s
from tests.support import run, until
from tests.telemetry.broker import Broker, Listener, cut, write_passwords
from tests.telemetry.ports import WILL, running, settings

wires = pytest.mark.wires


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as started:
        yield started


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    with contextlib.closing(Listener(broker.port)) as opened:
        yield opened


@wires
def test_a_message_is_done_when_the_broker_says_so(broker: Broker, listener: Listener) -> None:
    async def main() -> tuple[Published, Published]:
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
            acknowledged = await it.port.publish("a/b", b"hello")
            unheeded = await it.port.publish("a/b", b"qos 0", qos=0)
            await until(lambda: len(listener.heard) == 2)
            return acknowledged, unheeded

    acknowledged, unheeded = run(main())
    assert acknowledged.ok
    assert unheeded.ok
    assert listener.payloads() == [b"hello", b"qos 0"]


@wires
def test_that_nobody_listens_is_seen_and_no_failure(broker: Broker) -> None:
    async def main() -> tuple[Published, int]:
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
            return await it.port.publish("a/b", b"hello"), it.port.health()["nobody_listens"]

    published, counted = run(main())
    assert published.reason_code == 0x10
    assert published.ok
    assert counted == 1


@wires
def test_a_clean_stop_leaves_without_the_will(broker: Broker, listener: Listener) -> None:
    async def main() -> None:
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
            await it.port.publish("end", b"end")
        await until(lambda: b"end" in listener.payloads())

    run(main())
    assert listener.payloads() == [b"end"]


@wires
def test_the_will_is_published_when_the_socket_dies(broker: Broker, listener: Listener) -> None:
    async def main() -> None:
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
            cut("bauska-3")
            await until(lambda: b"lost" in listener.payloads())
            await until(lambda: it.connected == 2)

    run(main())
    assert listener.heard[0][0] == WILL.topic


@wires
def test_a_broker_that_comes_back_is_found_again(broker: Broker) -> None:
    async def main() -> None:
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
            await asyncio.to_thread(broker.kill)
            await until(lambda: it.errors)
            assert it.port.faults()[0].code == "disconnected"
            with pytest.raises(BrokerError, match="not connected"):
                await it.port.publish("a", b"")
            await asyncio.to_thread(broker.start)
            await until(lambda: it.connected == 2)
            assert it.port.faults() == []
            assert (await it.port.publish("a", b"again")).ok

    run(main())


@wires
def test_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    broker = Broker(tmp_path)

    async def main() -> None:
        async with running(settings(broker.port)) as it:
            await until(lambda: len(it.errors) >= 2)
            assert f"mqtt 127.0.0.1:{broker.port} cannot be reached" in it.errors[0]
            with broker:
                await until(lambda: it.connected)

    run(main())


@wires
def test_a_wrong_password_is_a_sentence_without_the_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    passwords = write_passwords(tmp_path / "passwords", sign="right")
    caplog.set_level("DEBUG")

    async def main(port: int) -> str:
        async with running(settings(port, username="sign", password="wrong-secret")) as it:
            await until(lambda: it.errors)
            return it.errors[0]

    with Broker(tmp_path, f"password_file {passwords}", anonymous=False) as broker:
        said = run(main(broker.port))
    assert "user" in said or "authorise" in said
    assert "[mqtt]" in said or "rights" in said
    assert "wrong-secret" not in said + caplog.text + repr(settings(1, password="wrong-secret"))


@wires
def test_a_message_without_right_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    rights = tmp_path / "acl"
    rights.write_text("topic write speedsign/1/bauska-3/up/#\n")
    rights.chmod(0o600)

    async def main(port: int) -> tuple[Published, Published]:
        async with running(settings(port)) as it:
            await until(lambda: it.connected)
            foreign = await it.port.publish("speedsign/1/other/up/agg", b"{}")
            return foreign, await it.port.publish("speedsign/1/bauska-3/up/agg", b"{}")

    with Broker(tmp_path, f"acl_file {rights}") as broker:
        foreign, own = run(main(broker.port))
    assert (foreign.ok, foreign.reason_code) == (False, 0x87)
    assert own.ok


@wires
@pytest.mark.parametrize(("window", "receive_maximum", "expected"), [(10, 3, 3), (4, 100, 4)])
def test_never_more_in_flight_than_both_sides_want(
    tmp_path: Path, window: int, receive_maximum: int, expected: int
) -> None:
    async def main(port: int, listener: Listener) -> int:
        async with running(settings(port, window=window)) as it:
            await until(lambda: it.connected)
            results = await asyncio.gather(*(it.port.publish("a", b"%d" % n) for n in range(60)))
            assert all(result.ok for result in results)
            await until(lambda: len(listener.heard) == 60)
            return it.port.health()["most_in_flight"]

    with (
        Broker(tmp_path, f"max_inflight_messages {receive_maximum}") as broker,
        contextlib.closing(Listener(broker.port)) as listener,
    ):
        assert run(main(broker.port, listener)) == expected
        assert sorted(listener.payloads(), key=int) == [b"%d" % n for n in range(60)]


@wires
def test_a_message_longer_than_the_broker_takes_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    """mosquitto says so by a code that MQTT 5 lists for other packets (0x95)."""

    async def main(port: int) -> None:
        async with running(settings(port)) as it:
            await until(lambda: it.connected)
            for _ in range(3):
                long = await it.port.publish("speedsign/1/bauska-3/up/agg", bytes(700))
                assert (long.reason_code, long.reason) == (0x95, "Packet too large")
                assert (await it.port.publish("speedsign/1/bauska-3/up/agg", bytes(500))).ok
            assert (it.connected, it.errors) == (1, [])

    with Broker(tmp_path, "message_size_limit 600") as broker:
        run(main(broker.port))


def test_what_can_never_be_sent_is_said_and_harms_nothing(broker: Broker) -> None:
    async def main() -> None:
        async with running(settings(broker.port)) as it:
            await until(lambda: it.connected)
            with pytest.raises(BrokerError, match="never be sent"):
                await it.port.publish("no/#/wildcards", b"")
            assert (await it.port.publish("a", b"")).ok
            assert it.connected == 1

    run(main())


class BadBroker:
    """Listens and answers each connection with these bytes once it was spoken to."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(OSError):
            await reader.read(1000)
            writer.write(self._answer)
            await reader.read(1000)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await asyncio.sleep(0)


@wires
@pytest.mark.parametrize(
    "answer",
    [
        b"",  # takes the connection and is silent
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\xff\xff\xff\xff\xff\xff",  # a CONNACK of impossible length
        b"\x20\x03\x00\x00\x05\xff\xff",  # properties that end too soon
        b"\x40\x02\x00\x01",  # an acknowledgement of nothing, before the CONNACK
        bytes(range(256)),
    ],
)
def test_no_bytes_end_the_thread(answer: bytes) -> None:
    async def main() -> None:
        async with BadBroker(answer) as port, running(settings(port, connect_timeout_s=0.05)) as it:
            await until(lambda: len(it.errors) >= 2)
            assert str(port) in it.errors[0]

    run(main())


@wires
def test_a_broker_that_does_not_acknowledge_is_left(tmp_path: Path) -> None:
    connack = bytes.fromhex("20 03 00 00 00")

    async def main() -> None:
        async with BadBroker(connack) as port, running(settings(port, ack_timeout_s=0.05)) as it:
            await until(lambda: it.connected)
            with pytest.raises(BrokerError, match="not acknowledged"):
                await it.port.publish("a", b"")

    run(main())


def test_plain_text_to_another_machine_must_be_meant() -> None:
    with pytest.raises(ConfigError, match="allow_plain"):
        BrokerSettings("broker.example.lv", "bauska-3")
    assert (
        BrokerSettings("broker.example.lv", "bauska-3", allow_plain=True).address == "broker.example.lv:1883"
    )


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.5", True), ("::1", True), ("[::1]", True), ("10.0.0.1", False),
     ("localhost.example.lv", False), ("", False)],
)  # fmt: skip
def test_what_is_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@hypothesis_settings(deadline=None)
@given(st.integers(0, 5000), st.integers())
def test_pauses_are_spread_over_the_whole_range(failures: int, seed: int) -> None:
    wanted = settings(1883, backoff_base_s=1.0, backoff_cap_s=60.0)
    pauses = [pause_s(failures, wanted, random.Random(seed + n)) for n in range(40)]
    top = min(60.0, 2.0 ** min(failures, 10))
    assert all(0 <= pause <= top for pause in pauses)
    assert max(pauses) - min(pauses) > top / 4
