"""docs/security.md: its steps make what broker and sign take; every row of its table names a test."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from telemetry.broker_settings import broker_settings
from telemetry.mqtt import Message, Session, Subscription
from telemetry.mqtt_port import PahoPort
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
    assert "newest" in said


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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every step of the page was done as it stands there, for two signs."""
    folder = tmp_path_factory.mktemp("authority")
    config = blocks("toml")[0].replace("/etc/speedsign/credentials", str(folder))
    radar = '[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'
    for sign in (SIGN, OTHER):
        text = f'[sign]\nid = "{sign}"\nlimit_kmh = 50\n{radar}{config.replace(SIGN, sign)}'
        (folder / "speedsign.toml").write_text(text)
        steps = blocks("sh") if sign == SIGN else [step for step in blocks("sh") if SIGN in step]
        for step in steps:
            _do(step.replace(SIGN, sign), folder)
    return folder


def _do(step: str, folder: Path) -> None:
    """As a person would type it: /bin/sh, with speedsign on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    result = subprocess.run(
        ["/bin/sh", "-euc", step], cwd=folder, capture_output=True, text=True, env={"PATH": path}, check=False
    )
    assert result.returncode == 0, step + result.stderr


@pytest.fixture
def broker(made: Path, tmp_path: Path) -> Iterator[Broker]:
    """Mosquitto with the page's files; only where they stand and the port are this test's."""
    (acl,) = blocks("acl")
    locked_out = next(line for line in PAGE.split("`") if line.startswith("topic deny")).replace(
        "ITS-ID", OTHER
    )
    (made / "signs.acl").write_text(f"{acl}\nuser {OTHER}\n{locked_out}\n")
    (made / "signs.acl").chmod(0o600)
    (conf,) = blocks("conf")
    lines = [line for line in conf.splitlines() if not line.startswith(("listener", "allow_anonymous"))]
    where = {"/etc/mosquitto/certs": str(made), "/etc/mosquitto/signs.acl": str(made / "signs.acl")}
    for old, new in where.items():
        lines = [line.replace(old, new) for line in lines]
    lines.append(f"persistence_location {tmp_path}/")
    with Broker(tmp_path, *lines, anonymous=False) as started:
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
        settings = broker_settings(mqtt, name, spread_s=0.0, session_expiry_s=0)
        self.port = PahoPort(settings, SystemClock())
        self.heard: list[str] = []
        self.up = asyncio.Event()
        subscriptions = tuple(Subscription(topic, 1000) for topic in topics)
        session = Session(self.up.set, lambda _error: None, self._on_message, None, subscriptions)
        self.task = asyncio.ensure_future(self.port.run(session))

    def _on_message(self, message: Message) -> None:
        self.heard.append(message.topic)
        message.taken()

    async def may_send(self, topic: str) -> bool:
        return (await self.port.publish(topic, b"x")).ok


@pytest.mark.wires
def test_the_steps_make_certificates_that_broker_and_sign_take(
    made: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve_here(monkeypatch)

    async def scene() -> None:
        up, down = "speedsign/1/{}/up/state", "speedsign/1/{}/down/{}"
        sign = Talker(made, broker, "sign", SIGN, down.format("+", "#"), "#")
        hub = Talker(made, broker, "hub", "hub", "speedsign/1/+/up/#", "speedsign/1/+/down/cmd")
        stolen = Talker(made, broker, "stolen", OTHER, down.format("+", "#"))
        ends = (sign, hub, stolen)
        try:
            for end in ends:
                async with asyncio.timeout(15):
                    await end.up.wait()
            # What the broker says to each end's own topics, and to others'.
            assert await sign.may_send(up.format(SIGN))
            assert not await sign.may_send(up.format(OTHER))
            assert not await sign.may_send(down.format(SIGN, "cmd"))
            assert await hub.may_send(down.format(OTHER, "ack"))
            assert await hub.may_send(down.format(SIGN, "ack"))
            assert not await hub.may_send(down.format(SIGN, "cmd")), "a hub commands nobody"
            assert not await stolen.may_send(up.format(OTHER)), "locked out"
            # What arrives: each end hears its own and nothing besides.
            await until(lambda: hub.heard and sign.heard, what="what was sent")
            assert set(hub.heard) == {up.format(SIGN)}
            assert set(sign.heard) == {down.format(SIGN, "ack")}
            assert stolen.heard == []
        finally:
            for end in ends:
                end.task.cancel()
            await asyncio.gather(*(end.task for end in ends), return_exceptions=True)

    run(scene(), timeout_s=60)


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
