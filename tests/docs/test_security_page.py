"""docs/security.md: its steps make what broker and sign take; every row of its table names a test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.shapes import Message, Session, Subscription
from tests.docs import pages
from tests.docs.pages import ROOT
from tests.support import run, until
from tests.telemetry.broker import Broker

PAGE = pages.text("docs/security.md")
TABLE = pages.table_rows(pages.section(PAGE, "## ETSI EN 303 645"))
SIGN = "birzai-vytauto-12"
OTHER = "bauska-3"
PROVISIONS = {
    "4": 1, "5.1": 5, "5.2": 3, "5.3": 16, "5.4": 4, "5.5": 8, "5.6": 9, "5.7": 2, "5.8": 3, "5.9": 3,
    "5.10": 1, "5.11": 4, "5.12": 3, "5.13": 1, "6": 5,
}  # fmt: skip


# --------------------------------------------------------------------------- the table


def test_every_provision_has_its_row() -> None:
    expected = [f"{part}-{n}" for part, most in PROVISIONS.items() for n in range(1, most + 1)]
    assert [row[0].split(" ", maxsplit=1)[0] for row in TABLE] == expected


def test_each_row_names_a_test_or_a_reason() -> None:
    for provision, done, proof in TABLE:
        if proof.startswith("not applicable: "):
            assert len(proof) > 30 or "as 6-2" in proof or "none exists" in proof, provision
        else:
            assert re.fullmatch(r"`tests/[\w/]+\.py::test_\w+`", proof), (provision, proof)
            assert done, provision


def test_every_test_that_is_named_is_collected() -> None:
    named = sorted(set(re.findall(r"`(tests/[\w/]+\.py::test_\w+)`", PAGE)))
    assert len(named) > 30
    files = sorted({name.partition("::")[0] for name in named})
    assert [name for name in files if not (ROOT / name).is_file()] == []
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    collected = {line.partition("[")[0] for line in result.stdout.splitlines()}
    assert [name for name in named if name not in collected] == [], result.stderr


def test_there_is_a_way_to_report() -> None:
    said = pages.section(pages.text("SECURITY.md"), "## Reporting")
    assert "privately" in said
    assert "speedsign --version" in said


def test_every_component_is_locked_with_its_hash() -> None:
    lock = pages.text("requirements/lock.txt")
    packages = re.findall(r"^[\w.-]+==[^ ]+", lock, re.MULTILINE)
    assert len(packages) > 20
    for part in re.split(r"\n(?=[\w.-]+==)", lock):
        assert not re.match(r"[\w.-]+==", part) or "--hash=sha256:" in part, part.splitlines()[0]
    assert any(name.startswith("cryptography==") for name in packages)


def test_no_secret_stands_in_the_source() -> None:
    for package in ("speedsign", "drivers", "telemetry", "simulator", "systemd"):
        for path in (ROOT / package).rglob("*.*"):
            if path.suffix in (".py", ".toml", ".service"):
                assert not re.search(r"-----BEGIN [A-Z ]*PRIVATE|AKIA[0-9A-Z]{16}", path.read_text()), path


def test_what_is_sensed_is_said() -> None:
    said = pages.section(PAGE, "## Privacy")
    for word in ("No picture", "no number plate", "30 days", "speedsign wipe", "integrator.md"):
        assert word in said


# --------------------------------------------------------------------------- the steps


def blocks(kind: str) -> list[str]:
    return [body for language, body in pages.FENCE.findall(PAGE) if language == kind]


STEPS = [step for step in blocks("sh") if "-revoke" not in step]
(REVOKE,) = (step for step in blocks("sh") if "-revoke" in step)


DEBIAN = """pid_file {folder}/mosquitto.pid
persistence true
persistence_location {folder}/data/
log_dest file {folder}/own.log
include_dir {folder}/conf.d
"""
ROOT_WITH_MOSQUITTO = os.geteuid() == 0 and "mosquitto" in {user.pw_name for user in pwd.getpwall()}


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A folder in which every step of the page but the last was done as it stands there, for two signs.

    Every user may look into it, as into /etc: mosquitto reads its files as a user of its own.
    """
    with tempfile.TemporaryDirectory(prefix="authority-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (acl,) = blocks("acl")
        (folder / "signs.acl").write_text(acl)
        config = moved(blocks("toml")[0], folder)
        radar = '[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'
        for sign in (SIGN, OTHER):
            text = f'[sign]\nid = "{sign}"\nlimit_kmh = 50\n{radar}{config.replace(SIGN, sign)}'
            (folder / "speedsign.toml").write_text(text)
            for step in STEPS if sign == SIGN else [step for step in STEPS if SIGN in step]:
                do(step.replace(SIGN, sign), folder)
        yield folder


def moved(text: str, folder: Path) -> str:
    """The page's text with all its folders in one."""
    for place in ("/etc/speedsign/credentials", "/etc/mosquitto/certs", "/etc/mosquitto", "/etc/speedsign"):
        text = text.replace(place, str(folder))
    return text


def do(step: str, folder: Path) -> None:
    """As a person would type it: /bin/sh, with speedsign on the path; the sign's user is this one."""
    for words in ("sudo -u speedsign ", "sudo ", " -o speedsign -g speedsign"):
        step = step.replace(words, "")
    if not ROOT_WITH_MOSQUITTO:
        step = step.replace("chown mosquitto:", "true")
    step = moved(step, folder).replace("-m 750", "-m 755")
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    result = subprocess.run(
        ["/bin/sh", "-euc", step], cwd=folder, capture_output=True, text=True, env={"PATH": path}, check=False
    )
    assert result.returncode == 0, step + result.stderr


class PagesBroker(Broker):
    """Mosquitto as Debian starts it, beside Debian's file the page's; places and port differ."""

    def __init__(self, made: Path, without: str = "") -> None:
        folder = Path(tempfile.mkdtemp(prefix="broker-", dir=made))
        folder.chmod(0o755)
        super().__init__(folder)
        (conf,) = blocks("conf")
        conf = moved(conf, made).replace("listener 8883", f"listener {self.port} 127.0.0.1")
        if without:
            assert without in conf
            conf = conf.replace(without, "")
        for name in ("data", "conf.d"):
            (folder / name).mkdir()
        (folder / "conf.d" / "signs.conf").write_text(conf)
        self._config.write_text(DEBIAN.format(folder=folder))
        if ROOT_WITH_MOSQUITTO:
            user = pwd.getpwnam("mosquitto")
            for path in (folder, folder / "data"):
                os.chown(path, user.pw_uid, user.pw_gid)


@pytest.fixture
def broker(made: Path) -> Iterator[Broker]:
    with PagesBroker(made) as started:
        yield started


class Talker:
    """One end with its certificate: what it hears, and what the broker says to what it sends."""

    def __init__(self, made: Path, broker: Broker, name: str, file: str, *topics: str) -> None:
        mqtt = MqttConfig(
            host="broker.example.org",
            port=broker.port,
            ca_file=made / "ca.pem",
            certificate_file=made / f"{file}.pem",
            key_file=made / f"{file}.key",
        )
        settings = broker_settings(mqtt, name, spread_s=0.0, session_expiry_s=600)
        self.port = PahoPort(settings, SystemClock())
        self.heard: list[str] = []
        self.lost: list[str] = []  # why connections ended, or were refused
        self.up = asyncio.Event()
        subscriptions = tuple(Subscription(topic, 1000) for topic in topics)
        session = Session(
            self.up.set, lambda error: self.lost.append(str(error)), self._on_message, None, subscriptions
        )
        self.task = asyncio.ensure_future(self.port.run(session))

    def _on_message(self, message: Message) -> None:
        self.heard.append(message.topic)
        message.taken()

    async def may_send(self, topic: str) -> bool:
        return (await self.port.publish(topic, b"x")).ok


@asynccontextmanager
async def connected(*ends: Talker) -> AsyncIterator[None]:
    try:
        for end in ends:
            async with asyncio.timeout(15):
                await end.up.wait()
        yield
    finally:
        for end in ends:
            end.task.cancel()
        await asyncio.gather(*(end.task for end in ends), return_exceptions=True)


UP, DOWN = "speedsign/1/{}/up/state", "speedsign/1/{}/down/{}"


@pytest.mark.wires
def test_the_steps_make_certificates_that_broker_and_sign_take(
    made: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve_here(monkeypatch)

    async def scene() -> None:
        sign = Talker(made, broker, "sign", SIGN, DOWN.format("+", "#"), "#")
        hub = Talker(made, broker, "hub", "hub", "speedsign/1/+/up/#", "speedsign/1/+/down/cmd")
        other = Talker(made, broker, "other", OTHER, DOWN.format("+", "#"))
        async with connected(sign, hub, other):
            # What the broker says to each end's own topics, and to others'.
            assert await sign.may_send(UP.format(SIGN))
            assert not await sign.may_send(UP.format(OTHER))
            assert not await sign.may_send(DOWN.format(SIGN, "cmd"))
            assert await hub.may_send(DOWN.format(SIGN, "ack"))
            assert not await hub.may_send(DOWN.format(SIGN, "cmd")), "a hub commands nobody"
            assert await hub.may_send("homeassistant/device/x/config")
            assert not await other.may_send("homeassistant/device/x/config")
            # What arrives: each end hears its own and nothing besides.
            await until(lambda: hub.heard and sign.heard, what="what was sent")
            assert set(hub.heard) == {UP.format(SIGN)}
            assert set(sign.heard) == {DOWN.format(SIGN, "ack")}
            assert other.heard == []

    run(scene(), timeout_s=60)


@pytest.mark.wires
@pytest.mark.parametrize("file", [SIGN, "hub"])
@pytest.mark.parametrize("bound", [True, False], ids=["as on the page", "without the line"])
def test_no_certificate_takes_over_anothers_connection(
    made: Path, monkeypatch: pytest.MonkeyPatch, file: str, *, bound: bool
) -> None:
    """By its client id, and with it what the broker keeps for it; without the page's line it can."""
    _resolve_here(monkeypatch)

    async def scene(broker: Broker) -> None:
        victim = Talker(made, broker, "speedsign-victim", file, DOWN.format(SIGN, "#"), UP.format("+"))
        async with connected(victim):
            thief = Talker(made, broker, "speedsign-victim", OTHER, DOWN.format(OTHER, "#"))
            async with connected(thief):
                if not bound:
                    await until(lambda: victim.lost, what="the victim's end")
                    return
                assert await thief.may_send(UP.format(OTHER))
                assert await victim.may_send(UP.format(SIGN) if file == SIGN else DOWN.format(SIGN, "ack"))
                assert victim.lost == thief.lost == []

    with PagesBroker(made, "" if bound else "use_username_as_clientid true\n") as broker:
        run(scene(broker), timeout_s=60)


@pytest.mark.wires
def test_a_stolen_sign_is_locked_out_by_its_certificate(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _resolve_here(monkeypatch)

    async def scene(broker: Broker, *, revoked: bool) -> None:
        sign = Talker(made, broker, "sign", SIGN, DOWN.format(SIGN, "#"))
        stolen = Talker(made, broker, "stolen", OTHER, DOWN.format(OTHER, "#"))
        async with connected(sign) if revoked else connected(sign, stolen):
            if revoked:
                await until(lambda: stolen.lost, what="being refused")
                assert not stolen.up.is_set()
                assert "certificate was revoked" in stolen.lost[0]
                stolen.task.cancel()
                await asyncio.wait([stolen.task])

    before = (made / "ca.crl").read_bytes()
    with PagesBroker(made) as broker:
        run(scene(broker, revoked=False), timeout_s=60)
        do(REVOKE, made)
        try:
            broker.stop()
            broker.start()
            run(scene(broker, revoked=True), timeout_s=60)
        finally:
            (made / "ca.crl").write_bytes(before)


@pytest.mark.skipif(not ROOT_WITH_MOSQUITTO, reason="needs root, and a user mosquitto")
@pytest.mark.wires
def test_what_the_broker_reads_it_may_read(made: Path) -> None:
    """It runs as its own user, which nobody else's key belongs to."""
    mosquitto = pwd.getpwnam("mosquitto").pw_uid
    for name in ("broker.key", "signs.acl"):
        found = (made / name).stat()
        assert (found.st_uid, found.st_mode & 0o777) == (mosquitto, 0o600), name
    with PagesBroker(made) as broker:
        status = Path(f"/proc/{broker.pid}/status").read_text()
        assert f"Uid:\t{mosquitto}\t" in status


@pytest.mark.skipif(not ROOT_WITH_MOSQUITTO, reason="needs root, and a user mosquitto")
@pytest.mark.wires
@pytest.mark.parametrize("name", ["broker.key", "signs.acl"])
def test_a_broker_that_may_not_read_its_files_ends(made: Path, name: str) -> None:
    """What the page's steps prevent: root's files, and a broker that is root no more."""
    before = (made / name).stat()
    os.chown(made / name, 0, 0)
    try:
        broker = PagesBroker(made)
        with contextlib.suppress(AssertionError), broker:
            assert broker._process
            assert broker._process.wait(10) != 0
        assert name in (broker.folder / "own.log").read_text()
    finally:
        os.chown(made / name, before.st_uid, before.st_gid)


def _resolve_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's broker is this machine; its name is checked all the same."""
    import socket

    real = socket.getaddrinfo

    def here(host: object, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host == "broker.example.org" else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", here)


def test_private_keys_are_for_their_owner_alone(made: Path) -> None:
    keys = sorted(made.glob("*.key"))
    assert [path.name for path in keys] == [f"{OTHER}.key", f"{SIGN}.key", "broker.key", "ca.key", "hub.key"]
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
