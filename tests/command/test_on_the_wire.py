"""What somebody on the line sees of commands and of telemetry: nothing but TLS, and no key at all."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from speedsign.remote import Wish
from telemetry.command.model import Action, Command, encode_body, open_envelope
from telemetry.mqtt.shapes import Subscription, TlsSettings
from tests.command.office import NOW_S, key, signed
from tests.support import run, until
from tests.telemetry.broker import Broker
from tests.telemetry.certificates import ACL, Authority, Issued, mutual_tls
from tests.telemetry.ports import running, settings

pytestmark = pytest.mark.wires
SIGN = "street-1"
COUNTS = b'{"v":1,"groups":[{"dir":"approaching","speeds":"counted-here"}]}'
COMMAND = Command(SIGN, NOW_S * 1000, Action.SET, Wish(limit_kmh=40), not_after_s=NOW_S + 600)


class Line:
    """Between one end and the broker; keeps what passes, both ways."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self.seen = {"to": bytearray(), "from": bytearray()}
        self.port = 0
        self._passing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Line]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        await asyncio.gather(*self._passing)  # both ends are gone

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._passing.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self._broker_port)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pass(reader, back, "to"), self._pass(there, writer, "from"))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        try:
            while data := await reader.read(65_536):
                self.seen[way] += data
                writer.write(data)
        finally:
            writer.close()

    def both(self) -> bytes:
        return bytes(self.seen["to"] + self.seen["from"])


async def talk(
    broker: Broker, authority: Authority | None
) -> tuple[bytes, list[bytes], dict[str, bytearray]]:
    """An officer commands a sign, the sign sends counts; what was sent, heard, and seen on both lines."""

    def as_one(issued: Issued | None) -> dict[str, Any]:
        if authority is None or issued is None:
            return {}
        files = {"certificate_file": str(issued.certificate), "key_file": str(issued.key)}
        return {"tls": TlsSettings(ca_file=str(authority.file), **files), "host": "localhost"}

    payload = signed(COMMAND)
    topic = f"speedsign/1/{SIGN}/down/cmd"
    who = [authority.client(name) if authority else None for name in (SIGN, "operator")]
    async with Line(broker.port).open() as signs, Line(broker.port).open() as officers:
        at_sign = settings(signs.port, client_id=SIGN, **as_one(who[0]))
        at_officer = settings(officers.port, client_id="operator", **as_one(who[1]))
        async with (
            running(at_sign, Subscription(topic, 4096), will=None) as sign,
            running(at_officer, will=None) as officer,
        ):
            await until(lambda: sign.connected and officer.connected)
            assert (await officer.port.publish(topic, payload)).ok
            assert (await sign.port.publish(f"speedsign/1/{SIGN}/up/agg", COUNTS)).ok
            await until(lambda: sign.heard)
        seen = {way: signs.seen[way] + officers.seen[way] for way in ("to", "from")}
        return payload, sign.payloads(), seen


def secrets_of(payload: bytes) -> list[bytes]:
    """What must not be read on the line: the command in each of its shapes, topics, counts."""
    body = encode_body(COMMAND)
    assert open_envelope(payload).body == body
    return [body, base64.b64encode(body), b"speedsign/1", b"down/cmd", COUNTS, b"counted-here"]


def test_over_tls_nothing_of_a_command_or_a_count_can_be_read(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    lines = mutual_tls(authority, authority.server(), tmp_path, ACL)
    with Broker(tmp_path, *lines, anonymous=False) as broker:
        payload, heard, seen = run(talk(broker, authority))
    assert heard == [payload]
    for found in seen.values():
        assert len(found) > 1000
        assert [secret for secret in secrets_of(payload) if secret in found] == []
        assert_is_tls(bytes(found))


def assert_is_tls(found: bytes) -> None:
    """Two connections after each other, of whole records (RFC 8446, 5.1)."""
    while found:
        kind, major, length = found[0], found[1], int.from_bytes(found[3:5], "big")
        assert kind in (20, 21, 22, 23), "change cipher spec, alert, handshake, application data"
        assert major == 3
        assert length <= 2**14 + 256
        found = found[5 + length :]


def test_in_clear_all_of_it_could_be_read(tmp_path: Path) -> None:
    """Or the test above would prove nothing."""
    with Broker(tmp_path) as broker:
        payload, _, seen = run(talk(broker, None))
    everything = bytes(seen["to"])
    found = [secret for secret in secrets_of(payload) if secret in everything]
    assert found == secrets_of(payload)[1:], "all but the body before it is base64"


def test_no_half_of_a_key_but_the_public_one_leaves(tmp_path: Path) -> None:
    """Neither in what is sent nor on the line, even in clear."""
    pem = key("officer").pem(None)
    seed = base64.b64decode(b"".join(pem.splitlines()[1:-1]))[-32:]
    assert Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() == key("officer").public
    with Broker(tmp_path) as broker:
        payload, _, seen = run(talk(broker, None))
    for found in (payload, open_envelope(payload).signature, *map(bytes, seen.values())):
        for half in (seed, base64.b64encode(seed), seed.hex().encode()):
            assert half not in found
