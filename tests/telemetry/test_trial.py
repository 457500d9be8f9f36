"""One try of a broker: how far it goes, and that it leaves nothing behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telemetry.mqtt.shapes import BrokerSettings, TlsSettings
from telemetry.mqtt.trial import Step, Trial, try_broker
from tests.telemetry.broker import Broker, free_port, write_passwords
from tests.telemetry.certificates import Authority, mutual_tls

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FILTER = ("speedsign/1/sign-1/down/#",)


def go(port: int, *, greet: bool = True, filters: tuple[str, ...] = FILTER, **more: object) -> Trial:
    given = {"client_id": "doctor-1", "connect_timeout_s": 3.0, "session_expiry_s": 86_400, **more}
    settings = BrokerSettings("127.0.0.1", port=port, **given)  # type: ignore[arg-type]
    return try_broker(settings, NOW, trusted=True, greet=greet, filters=filters)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    users = write_passwords(folder / "users", **{"sign-1": "right"})
    with Broker(folder, f"password_file {users}", "persistence false", anonymous=False) as one:
        yield one


@pytest.mark.wires
def test_all_the_way(broker: Broker) -> None:
    found = go(broker.port, username="sign-1", password="right")
    assert (found.reached, found.problem, found.denied) == (Step.SUBSCRIBED, None, ())
    assert found.addresses == ("127.0.0.1",)
    again = go(broker.port, username="sign-1", password="right")
    assert not again.session_was_there  # the first one took its session with it


@pytest.mark.wires
def test_refused_by_name_and_password(broker: Broker) -> None:
    found = go(broker.port, username="sign-1", password="wrong")
    assert found.reached is Step.TCP
    assert "user name or password" in (found.problem or "") or "authorise" in (found.problem or "")


@pytest.mark.wires
def test_not_a_word_of_mqtt_unless_it_is_wanted(broker: Broker) -> None:
    found = go(broker.port, greet=False, username="sign-1", password="wrong")
    assert (found.reached, found.problem) == (Step.TCP, None)


@pytest.mark.wires
def test_a_session_that_is_somebody_elses_stays(broker: Broker) -> None:
    """As at a broker that gives every client of a user one name."""
    sign = Client(CallbackAPIVersion.VERSION2, client_id="same", protocol=MQTTProtocolVersion.MQTTv5)
    sign.username_pw_set("sign-1", "right")
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    there: list[bool] = []
    connected = threading.Event()

    def on_connect(_client: object, _data: object, flags: object, *_more: object) -> None:
        there.append(bool(getattr(flags, "session_present", False)))
        connected.set()

    sign.on_connect = on_connect
    for _ in range(2):
        connected.clear()
        sign.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
        sign.loop_start()
        assert connected.wait(5)
        sign.disconnect()
        sign.loop_stop()
        sign._reset_sockets()  # paho's own pair, else closed when collected
        found = go(broker.port, username="sign-1", password="right", client_id="same")
        assert found.session_was_there
        assert found.reached is Step.CONNECTED  # nothing is subscribed to in another's name
    assert there == [False, True]


@pytest.mark.wires
def test_tls_and_what_its_certificates_say(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server, sign = authority.server(valid=(-1.0, 9.0)), authority.client("sign-1")
    stranger = Authority(tmp_path / "other", "Other CA").client("sign-1")
    lines = mutual_tls(authority, server, tmp_path)

    def tls(who: object) -> TlsSettings:
        return TlsSettings(str(authority.file), str(who.certificate), str(who.key))  # type: ignore[attr-defined]

    with Broker(tmp_path, *lines, anonymous=False) as broker:
        found = go(broker.port, tls=tls(sign))
        assert (found.reached, found.problem, found.tls_version) == (Step.SUBSCRIBED, None, "TLSv1.3")
        assert found.certificate_until is not None
        only_tls = go(broker.port, tls=tls(sign), greet=False)
        assert (only_tls.reached, only_tls.problem) == (Step.TLS, None)
        refused = go(broker.port, tls=tls(stranger))
        assert refused.problem
        unbelieved = go(broker.port, tls=TlsSettings(str(Authority(tmp_path / "third", "Third CA").file)))
        assert unbelieved.reached is Step.TCP
        assert "not signed by anybody" in (unbelieved.problem or "")
        plain = go(broker.port)
        assert plain.problem


def test_nobody_listens_there() -> None:
    found = go(free_port())
    assert found.reached is Step.NAME
    assert "cannot be reached" in (found.problem or "")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x20",
        b"\x20\x02\x00",
        b"\x20\x03\x00\x87\x00",
        b"HTTP/1.0 400 Bad Request\r\n\r\n",
        b"\x20\xff\xff\xff\xff\x7f",
        b"\x20\xff\xff\x7f",
        b"\x30\x03\x00\x01a",
        b"\x20\x03\x00\x00\x00" + b"\x30\x03\x00\x01a" * 30,
        b"\x20\x00",
    ],
)
def test_whatever_answers_there_is_one_sentence(
    answer: bytes, thread: Callable[[socket.socket, bytes], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread(server, answer)
        found = go(server.getsockname()[1])
    assert found.problem
    assert "\n" not in found.problem


@pytest.fixture
def thread() -> Iterator[Callable[[socket.socket, bytes], None]]:
    """Answers one client with these bytes and hangs up once it has spoken."""
    running: list[threading.Thread] = []

    def answer(server: socket.socket, data: bytes) -> None:
        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(data)

        running.append(threading.Thread(target=serve))
        running[-1].start()

    yield answer
    for one in running:
        one.join(5)
