"""A hub behind the broker that the documents set up: certificates on both sides, rights by name."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from telemetry.hub.port import Heard
from telemetry.message import messages
from telemetry.query import read_installations
from tests.cli.command import process
from tests.docs import pages
from tests.hub.said import SIGN, agg, birth, place, quarter
from tests.support import run, until
from tests.telemetry.broker import Broker
from tests.telemetry.certificates import Authority, Issued, mutual_tls

pytestmark = pytest.mark.wires


def documented(kind: str) -> str:
    """The broker's file (conf, acl) of docs/security.md, where it stands; docs/hub.md names it."""
    assert "signs.conf" in pages.text("docs/hub.md")
    found = re.findall(rf"^```{kind}\n(.*?)^```", pages.text("docs/security.md"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    acl = documented("acl")
    lines = mutual_tls(authority, authority.server(), folder, acl)
    more = re.findall(r"^(?:max_\w+ \d+|use_username_as_clientid true)$", documented("conf"), re.MULTILINE)
    assert len(more) == 4
    with Broker(folder, *lines, *more, anonymous=False) as found:
        yield found


def test_the_shipped_broker_demands_what_the_rig_demands() -> None:
    wanted = {"require_certificate true", "use_identity_as_username true", "tls_version tlsv1.3"}
    assert wanted <= set(documented("conf").splitlines())


class Voice:
    """One end of a wire, known to the broker by its certificate."""

    def __init__(self, port: int, authority: Authority, issued: Issued, *topics: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refused = 0
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        context = ssl.create_default_context(cafile=str(authority.file))
        context.load_cert_chain(issued.certificate, issued.key)
        self.client.tls_set_context(context)
        self.client.on_message = lambda _c, _d, one: self.heard.append((one.topic, bytes(one.payload)))
        self.client.on_publish = self._published
        self.client.connect("localhost", port)
        for topic in topics:
            self.client.subscribe(topic, 1)
        self.client.loop_start()

    def _published(self, _client: object, _data: object, _mid: int, code: object, _more: object) -> None:
        self.refused += code.is_failure  # type: ignore[attr-defined]  # paho's ReasonCode

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client._reset_sockets()


def test_certificates_and_rights_of_the_documents_are_enough_and_not_too_much(
    tmp_path: Path, authority: Authority, broker: Broker
) -> None:
    hub, sign = authority.client("hub.main"), authority.client(SIGN)
    path = tmp_path / "hub.db"
    config = tmp_path / "hub.toml"
    config.write_text(
        f'[hub]\ndatabase = "{path}"\nhome_assistant = "homeassistant"\n[mqtt]\nhost = "localhost"\n'
        f'port = {broker.port}\nca_file = "{authority.file}"\ncertificate_file = "{hub.certificate}"\n'
        f'key_file = "{hub.key}"\n'
    )
    hub.key.chmod(0o600)
    home = authority.client("home.assistant")
    watching = Voice(broker.port, authority, home, "homeassistant/#", "speedsign/#")
    there = Voice(broker.port, authority, sign, f"speedsign/1/{SIGN}/down/#", "speedsign/1/iecava-2/down/#")
    other = Voice(broker.port, authority, authority.client("iecava-2"), f"speedsign/1/{SIGN}/down/#")
    with process("hub", "--config", config) as child:
        told = [birth(), place(1), agg(2)]
        for one in told:
            retain = one.kind == "birth"
            there.client.publish(messages.topic(SIGN, one.kind), one.payload, 1, retain)

        async def story() -> None:
            def up_to() -> int:
                acks = [messages.parse_ack(payload) for _, payload in there.heard]
                return max((ack.up_to for ack in acks), default=-1)

            await until(lambda: up_to() >= 0, 20.0)  # the retained birth was answered: the hub listens
            for one in told:
                there.client.publish(messages.topic(SIGN, one.kind), one.payload, 1)
            await until(lambda: up_to() == 2, 20.0)
            # what a sign may not: speak for another
            forged = agg(3, sign="iecava-2")
            there.client.publish(messages.topic("iecava-2", "agg"), forged.payload, 1)
            await until(lambda: there.refused == 1)
            await until(
                lambda: {topic.split("/")[0] for topic, _ in watching.heard} == {"homeassistant", "speedsign"}
            )

        try:
            run(story())
        finally:
            for voice in (there, other, watching):
                voice.close()
        child.terminate()
        _, said = child.communicate(timeout=20)
    assert child.returncode == 0
    assert "does not let the hub publish" not in said
    assert [one.sign for one in read_installations(path)] == [SIGN]
    assert other.heard == []


def test_a_hub_that_leaves_its_group_hears_nothing_by_it_any_more(tmp_path: Path) -> None:
    """Its session at the broker held the shared subscription too: each message came twice."""
    path, config = tmp_path / "hub.db", tmp_path / "hub.toml"
    with Broker(tmp_path) as broker:
        sign = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        acks: list[messages.Ack] = []
        sign.on_message = lambda _c, _d, one: acks.append(messages.parse_ack(bytes(one.payload)))
        sign.connect("127.0.0.1", broker.port)
        sign.subscribe(f"speedsign/1/{SIGN}/down/ack", 1)
        sign.loop_start()

        def hub(group: str, *told: Heard) -> None:
            mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n'
            config.write_text(f'[hub]\ndatabase = "{path}"\n{group}{mqtt}')
            acks.clear()
            with process("hub", "--config", config) as child:

                async def story() -> None:
                    await until(lambda: bool(acks), 20.0)  # the retained birth was answered
                    for one in told:
                        sign.publish(messages.topic(SIGN, one.kind), one.payload, 1)
                    await until(lambda: acks[-1].up_to == len(told), 20.0)

                run(story())
                child.terminate()
                child.communicate(timeout=20)

        try:
            sign.publish(messages.topic(SIGN, "birth"), birth().payload, 1, retain=True)
            hub('group = "g"\n')
            hub("", place(1), *(agg(seq, quarter(seq)) for seq in range(2, 8)))
        finally:
            sign.disconnect()
            sign.loop_stop()
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT received, duplicates FROM source").fetchall() == [(7, 0)]
