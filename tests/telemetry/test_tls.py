"""TLS to the broker: whom we believe, who we are, and what the person is told when either fails."""

from __future__ import annotations

import os
import select
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode

from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from speedsign.errors import BrokerError, ConfigError
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.shapes import BrokerSettings, Published, TlsSettings
from telemetry.mqtt.tls import connection_error, tls_context
from telemetry.mqtt.wire import Wire
from tests.support import run, until
from tests.telemetry.broker import Broker
from tests.telemetry.certificates import Authority, Issued, mutual_tls
from tests.telemetry.hostile_broker import CONNECT, HostileBroker, Peer, Script, connack
from tests.telemetry.ports import DOWN, running, settings

wires = pytest.mark.wires
QUICK = {"connect_timeout_s": 1.0, "refusal_pause_s": 0.02}


@dataclass(frozen=True)
class Pki:
    """What a good sign and a good broker have."""

    folder: Path
    authority: Authority
    server: Issued
    sign: Issued

    def trusted(self, **more: Any) -> TlsSettings:
        known = {
            "ca_file": str(self.authority.file),
            "certificate_file": str(self.sign.certificate),
            "key_file": str(self.sign.key),
        }
        return TlsSettings(**{**known, **more})


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder)
    return Pki(folder, authority, authority.server(), authority.client("bauska-3"))


def serving(
    issued: Issued,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    clients: Path | None = None,
) -> ssl.SSLContext:
    """A broker's side; `clients`: who has to have signed the other side's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    context.maximum_version = newest
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def secured(context: ssl.SSLContext, then: Callable[[Peer], Awaitable[None]] = Peer.behave) -> Script:
    async def script(peer: Peer) -> None:
        await peer.writer.start_tls(context)
        await then(peer)

    return script


async def refused(
    said: str, script: Script, pki: Pki, tls: TlsSettings | None = None, clock: SystemClock | None = None
) -> None:
    """The first broker is refused in this sentence and is sent nothing; a good one is taken afterwards."""
    async with HostileBroker(script, tls=serving(pki.server)) as broker:
        wanted = settings(broker.port, tls=tls or pki.trusted(), **QUICK)
        async with running(wanted, DOWN, clock=clock) as it:
            await until(lambda: it.errors)
            assert said in it.errors[0]
            if broker.well == 0 and it.port.faults():
                assert said in it.port.faults()[0].text
            await until(lambda: broker.well and it.port.health()["connected"])
            assert (await it.port.publish("a", b"{}")).ok


async def tells_nothing(peer: Peer) -> None:
    """Whoever is not believed hears no CONNECT: the password is in it."""
    assert await peer.reader.read(100) == b""


@wires
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"hosts": ("other.example.lv",)}, "is for another name than [mqtt] host '127.0.0.1'"),
        ({"valid": (-9, -1)}, "has expired by this machine's clock, which says 2"),
        ({"valid": (1, 9)}, "is not valid yet by this machine's clock, which says 2"),
        ({"self_signed": True}, "is not signed by anybody in [mqtt] ca_file"),
        ("other authority", "is not signed by anybody in [mqtt] ca_file"),
        ("a sign's", "the broker's certificate is not accepted"),
    ],
    ids=str,
)
def test_a_broker_that_is_not_who_it_should_be(what: Any, said: str, pki: Pki, tmp_path: Path) -> None:
    if what == "other authority":
        issued = Authority(tmp_path, "Somebody else").server()
    elif what == "a sign's":
        issued = pki.sign
    else:
        issued = pki.authority.server("bad", **what)
    run(refused(said, secured(serving(issued), tells_nothing), pki, clock=Trusting()))


@wires
def test_a_broker_of_yesterdays_tls(pki: Pki) -> None:
    old = serving(pki.server, newest=ssl.TLSVersion.TLSv1_2)

    async def says_so(peer: Peer) -> None:
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        heard.write(await peer.reader.read(4096))
        with pytest.raises(ssl.SSLError):
            old.wrap_bio(heard, said, server_side=True).do_handshake()
        peer.send(said.read())  # the alert, which asyncio's TLS does not send

    run(refused("does not speak TLS 1.3 or newer; see [mqtt] tls_version", says_so, pki))


@wires
def test_tls_1_2_where_the_config_allows_it(pki: Pki) -> None:
    async def main() -> None:
        async with HostileBroker(tls=serving(pki.server, newest=ssl.TLSVersion.TLSv1_2)) as broker:
            wanted = settings(broker.port, tls=pki.trusted(oldest="1.2"), **QUICK)
            async with running(wanted, DOWN) as it:
                await until(lambda: it.connected)
                assert it.errors == []

    run(main())


@wires
def test_what_answers_is_no_tls_at_all(pki: Pki) -> None:
    async def plain(peer: Peer) -> None:
        peer.send(connack())
        await peer.until_gone()

    run(refused("does not speak TLS; check [mqtt] tls and port", plain, pki))


@wires
def test_a_broker_that_says_nothing_to_a_handshake(pki: Pki) -> None:
    run(refused("timed out", Peer.until_gone, pki))


@wires
@pytest.mark.parametrize("broker_has_tls", [True, False])
def test_plain_and_tls_that_meet_are_told_as_the_likely_cause(
    broker_has_tls: bool, pki: Pki, tmp_path: Path
) -> None:
    async def main() -> str:
        lines = mutual_tls(pki.authority, pki.server, tmp_path) if broker_has_tls else ()
        with Broker(tmp_path, *lines) as broker:
            wanted = settings(broker.port, tls=None if broker_has_tls else pki.trusted(), **QUICK)
            async with running(wanted, DOWN) as it:
                await until(lambda: it.errors)
                return it.errors[0]

    said = run(main())
    assert "check [mqtt] tls and port" in said
    assert ("with TLS" if broker_has_tls else "without TLS") in said


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "Connection reset by peer"),
        BrokenPipeError(32, "Broken pipe"),
        ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
        ssl.SSLError(1, "[SSL: RECORD_LAYER_FAILURE] record layer failure"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
    ],
    ids=lambda error: type(error).__name__ + str(error.errno),
)
def test_errors_of_the_wrong_port_name_tls_and_port(error: OSError, tls: bool, pki: Pki) -> None:
    """As OpenSSL, or the kernel, says that one side speaks TLS and the other one does not."""
    wanted = settings(1, tls=pki.trusted() if tls else None)
    if isinstance(error, ssl.SSLError):
        error.reason = str(error).partition("SSL: ")[2].partition("]")[0]
    told = str(connection_error(wanted, error, datetime(2026, 5, 4, tzinfo=UTC), trusted=True))
    assert "check [mqtt] tls and port" in told
    refused = ConnectionRefusedError(111, "Connection refused")
    told = str(connection_error(wanted, refused, datetime(2026, 5, 4, tzinfo=UTC), trusted=True))
    assert "Connection refused" in told
    assert "TLS" not in told, "nobody answered at all"


@wires
def test_a_handshake_that_is_broken_off(pki: Pki) -> None:
    async def hangs_up(peer: Peer) -> None:
        await peer.reader.read(10)

    run(refused("broke off the encrypted connection", hangs_up, pki))


@wires
def test_a_connection_that_is_closed_once_it_is_encrypted(pki: Pki) -> None:
    """As a broker does that has revoked us without a word."""

    async def closes(peer: Peer) -> None:
        await peer.expect(CONNECT)

    run(refused("ended the connection without a word", secured(serving(pki.server), closes), pki))


@wires
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("nobody", "the broker wants a certificate of this client; see [mqtt] certificate_file"),
        ("a stranger", "the broker does not know who signed this client's certificate"),
        ("too late", "the broker says that this client's certificate has expired"),
    ],
)
@pytest.mark.parametrize("first", ["we write", "it closes"])
def test_a_broker_that_does_not_believe_us(
    first: str, who: str, said: str, pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In TLS 1.3 the refusal comes after the handshake: while we write, or before."""
    if first == "it closes":
        real = Wire._send_connect

        def later(self: Wire, keepalive: int) -> MQTTErrorCode:
            wire = self.socket()
            assert isinstance(wire, ssl.SSLSocket)
            assert select.select([wire], [], [], 5)[0], "the broker's word has come"
            return real(self, keepalive)

        monkeypatch.setattr(Wire, "_send_connect", later)
    tls = pki.trusted(certificate_file=None, key_file=None)
    if who != "nobody":
        signer = pki.authority if who == "too late" else Authority(tmp_path, "Somebody else")
        issued = signer.client(who, (-9, -1) if who == "too late" else (-1, 9))
        tls = pki.trusted(certificate_file=str(issued.certificate), key_file=str(issued.key))

    async def main() -> None:
        lines = mutual_tls(pki.authority, pki.server, tmp_path)
        with Broker(tmp_path, *lines, anonymous=False) as broker:
            async with running(settings(broker.port, tls=tls, **QUICK), DOWN) as it:
                await until(lambda: it.errors)
                assert said in it.errors[0]
                assert it.connected == 0

    run(main())


@wires
def test_the_certificate_is_the_user_and_its_rights_are_its_own(pki: Pki, tmp_path: Path) -> None:
    """Mosquitto with the ACL of docs/security.md: a sign writes and hears its own topics, and no others."""

    async def main() -> tuple[Published, Published, Published, list[bytes]]:
        lines = mutual_tls(pki.authority, pki.server, tmp_path)
        hub = pki.authority.client("hub")
        as_hub = pki.trusted(certificate_file=str(hub.certificate), key_file=str(hub.key))
        with Broker(tmp_path, *lines, anonymous=False) as broker:
            async with (
                running(settings(broker.port, tls=pki.trusted()), DOWN) as sign,
                running(settings(broker.port, tls=as_hub, client_id="hub"), will=None) as other,
            ):
                await until(lambda: sign.connected and other.connected)
                own = await sign.port.publish("speedsign/1/bauska-3/up/agg", b"{}")
                foreign = await sign.port.publish("speedsign/1/bauska-4/up/agg", b"{}")
                to_itself = await sign.port.publish("speedsign/1/bauska-3/down/ack", b"forged")
                await other.port.publish("speedsign/1/bauska-4/down/ack", b"not ours")
                await other.port.publish("speedsign/1/bauska-3/down/ack", b"ours")
                await until(lambda: sign.heard)
                return own, foreign, to_itself, sign.payloads()

    own, foreign, to_itself, heard = run(main())
    assert own.ok
    assert (foreign.reason_code, to_itself.reason_code) == (0x87, 0x87)
    assert heard == [b"ours"]


# --------------------------------------------------------------------------- the clock


class Trusting(SystemClock):
    """The kernel calls it synchronised."""

    def trusted(self) -> bool:
        return True


@dataclass
class Unset(SystemClock):
    """A clock that nobody has set, until it is."""

    by: str  # what setting it changes
    is_set: bool = False
    says: datetime = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)

    def now_utc(self) -> datetime:
        stepped = self.is_set and self.by == "hand"
        return super().now_utc() if stepped else self.says

    def trusted(self) -> bool:
        return self.is_set and self.by == "the kernel"


@wires
@pytest.mark.parametrize("by", ["hand", "the kernel"])
def test_before_the_certificates_date_the_clock_is_waited_for(by: str, pki: Pki) -> None:
    early = pki.authority.server("early", valid=(1, 9))
    clock = Unset(by)

    async def main() -> None:
        async with HostileBroker(secured(serving(early)), tls=serving(pki.server)) as broker:
            wanted = settings(broker.port, tls=pki.trusted(), connect_timeout_s=1.0, refusal_pause_s=600.0)
            async with running(wanted, DOWN, clock=clock) as it:
                await until(lambda: it.errors)
                said = "is not valid yet by this machine's clock, which says 1970-01-01 and is likely wrong"
                assert said in it.errors[0]
                clock.is_set = True
                await until(lambda: it.connected)
                assert len(broker.connections_s) == 2, "no handshake is tried in vain"

    run(main())


@wires
def test_after_the_certificates_date_too_where_nobody_has_set_the_clock(pki: Pki) -> None:
    """A battery clock that says 2036; as soon as the time is known the connection is tried again."""
    clock = Unset("the kernel", says=datetime(2036, 5, 4, tzinfo=UTC))

    async def main() -> None:
        over = serving(pki.authority.server("over", valid=(-9, -1)))
        async with HostileBroker(secured(over), tls=serving(pki.server)) as broker:
            wanted = settings(broker.port, tls=pki.trusted(), connect_timeout_s=1.0, refusal_pause_s=600.0)
            async with running(wanted, DOWN, clock=clock) as it:
                await until(lambda: it.errors)
                assert (
                    "has expired by this machine's clock, which says 2036-05-04 and is likely wrong"
                    in it.errors[0]
                )
                clock.is_set = True
                await until(lambda: it.connected)
                assert len(broker.connections_s) == 2, "no handshake is tried in vain"

    run(main())


@wires
def test_a_certificate_that_is_over_by_a_clock_that_is_right(pki: Pki, tmp_path: Path) -> None:
    """The clock is not to blame: it is tried again now and then, until a real broker has another."""
    over = pki.authority.server("over", valid=(-9, -1))
    clock = Trusting()

    async def main() -> None:
        lines = mutual_tls(pki.authority, over, tmp_path)
        with Broker(tmp_path, *lines, anonymous=False) as broker:
            async with running(settings(broker.port, tls=pki.trusted(), **QUICK), DOWN, clock=clock) as it:
                await until(lambda: len(it.errors) > 2)  # it goes on trying
                assert "has expired by this machine's clock" in it.errors[0]
                assert it.errors[0].endswith("the broker needs a new one"), "and the clock is not to blame"
                good = pki.authority.server("over")  # in the place of the old one
                assert good.certificate == over.certificate
                broker.restart()
                await until(lambda: it.connected)
                topic = "speedsign/1/bauska-3/up/agg"
                assert (await it.port.publish(topic, b"{}")).reason_code in (0, 0x10)
                assert it.connected == 1

    run(main())


# --------------------------------------------------------------------------- files


def problem(tls: TlsSettings) -> str:
    with pytest.raises(ConfigError) as caught:
        tls_context(tls)
    (text,) = caught.value.problems
    return text


def test_files_that_are_good(pki: Pki) -> None:
    context = tls_context(pki.trusted())
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("key", ["ca_file", "certificate_file", "key_file"])
def test_a_file_that_is_missing_or_is_something_else(key: str, pki: Pki, tmp_path: Path) -> None:
    gone, other = tmp_path / "gone.pem", tmp_path / "other.pem"
    other.touch(mode=0o600)
    other.write_text("not PEM\n")
    assert problem(pki.trusted(**{key: str(gone)})).startswith(
        f"[mqtt] {key} {gone}: cannot be read: No such"
    )
    assert problem(pki.trusted(**{key: str(tmp_path)})).startswith(f"[mqtt] {key} {tmp_path}: cannot be read")
    text = problem(pki.trusted(**{key: str(other)}))
    assert str(other) in text
    assert "PEM" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_we_may_not_read(pki: Pki, tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    locked.write_bytes(pki.sign.key.read_bytes())
    locked.chmod(0o000)
    assert "Permission denied" in problem(pki.trusted(key_file=str(locked)))


def test_a_key_that_everybody_may_read(pki: Pki, tmp_path: Path) -> None:
    open_key = tmp_path / "open.key"
    open_key.write_bytes(pki.sign.key.read_bytes())
    open_key.chmod(0o644)
    text = problem(pki.trusted(key_file=str(open_key)))
    assert f"[mqtt] key_file {open_key}: everybody can read" in text
    assert f"chmod 640 {open_key}" in text


def test_the_key_of_another_certificate(pki: Pki) -> None:
    other = pki.authority.client("other")
    text = problem(pki.trusted(key_file=str(other.key)))
    assert text == f"[mqtt] key_file {other.key}: is not the key of the certificate {pki.sign.certificate}"


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(pki: Pki) -> None:
    locked = pki.authority.client("locked", password=b"secret")
    text = problem(pki.trusted(certificate_file=str(locked.certificate), key_file=str(locked.key)))
    assert f"[mqtt] key_file {locked.key}: is protected by a password" in text


def test_what_is_wrong_with_files_is_said_at_the_start(pki: Pki, tmp_path: Path) -> None:
    mqtt = MqttConfig(
        host="mqtt.example.lv",
        ca_file=pki.authority.file,
        certificate_file=pki.sign.certificate,
        key_file=tmp_path / "gone.key",
    )
    with pytest.raises(ConfigError, match="key_file"):
        broker_settings(mqtt, "speedsign-bauska-3")


@wires
def test_files_that_go_bad_later_are_a_fault_until_they_are_good_again(pki: Pki, tmp_path: Path) -> None:
    """A certificate is renewed while the sign runs: the next connection takes the new files."""
    key = tmp_path / "sign.key"

    async def main() -> None:
        tls = pki.trusted(key_file=str(key))
        async with (
            HostileBroker(tls=serving(pki.server, clients=pki.authority.file)) as broker,
            running(settings(broker.port, tls=tls, **QUICK), DOWN) as it,
        ):
            await until(lambda: it.errors)
            assert f"[mqtt] key_file {key}: cannot be read" in it.errors[0]
            key.touch(mode=0o600)
            key.write_bytes(pki.sign.key.read_bytes())
            await until(lambda: it.connected)

    run(main())


# --------------------------------------------------------------------------- from the config


def made(**keys: Any) -> BrokerSettings:
    return broker_settings(MqttConfig(**{"host": "mqtt.example.lv", **keys}), "speedsign-bauska-3")


def test_to_another_machine_with_tls_spread_and_patient() -> None:
    found = made()
    assert (found.port, found.tls) == (8883, TlsSettings())
    assert (found.spread_s, found.backoff_base_s, found.backoff_cap_s) == (60, 60, 300)
    assert found.session_expiry_s == 86_400


def test_to_this_machine_plain_and_at_once() -> None:
    found = made(host="localhost")
    assert (found.port, found.tls) == (1883, None)
    assert (found.spread_s, found.backoff_base_s, found.backoff_cap_s) == (0, 1, 300)


def test_to_this_machine_with_files_is_tls(pki: Pki) -> None:
    found = made(host="localhost", ca_file=pki.authority.file)
    assert found.port == 8883
    assert found.tls
    assert found.tls.ca_file == str(pki.authority.file)


def test_plain_to_another_machine_needs_both_words() -> None:
    assert made(tls=False, allow_plain=True).port == 1883
    with pytest.raises(ConfigError, match="not encrypted"):
        made(tls=False)
    assert made(allow_plain=True).tls, "allow_plain alone takes nothing away"


def test_what_the_config_says_goes_before(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("s3cret\nnot this\n")
    found = broker_settings(
        MqttConfig(host="h", port=9, spread_s=5.0, keepalive_s=60, username="me", password_file=password),
        "id",
        window=3,
        session_expiry_s=7,
    )
    assert (found.port, found.spread_s, found.keepalive_s, found.window) == (9, 5.0, 60, 3)
    assert (found.username, found.password, found.session_expiry_s) == ("me", "s3cret", 7)
    assert "s3cret" not in repr(found)


def test_a_password_that_everybody_may_read(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    password.chmod(0o644)
    with pytest.raises(ConfigError, match=f"chmod 640 {password}"):
        made(username="me", password_file=password)


def test_no_error_shows_the_password() -> None:
    with pytest.raises((BrokerError, ConfigError)) as caught:
        BrokerSettings("far", "id", password="s3cret")
    assert "s3cret" not in str(caught.value)
