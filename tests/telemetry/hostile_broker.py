"""A broker that does what no broker may do, packet by packet; in between it behaves.

Packets are made here by hand (MQTT 5, chapter 3), not by the library under test.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Self

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
PINGREQ, PINGRESP, DISCONNECT, AUTH = 0xC0, 0xD0, 0xE0, 0xF0
TOPIC = "speedsign/1/bauska-3/down/ack"


def packet(head: int, body: bytes = b"") -> bytes:
    """A packet with its right length."""
    return bytes([head]) + varint(len(body)) + body


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(raw)) + raw


def connack(code: int = 0, properties: bytes = b"", flags: int = 0) -> bytes:
    return packet(CONNACK, bytes([flags, code]) + varint(len(properties)) + properties)


def suback(message_id: int, *codes: int) -> bytes:
    return packet(SUBACK, struct.pack("!H", message_id) + b"\0" + bytes(codes))


def puback(message_id: int, code: int | None = None) -> bytes:
    return packet(PUBACK, struct.pack("!H", message_id) + (b"" if code is None else bytes([code])))


def publish(
    topic: str | bytes, payload: bytes = b"", message_id: int | None = None, flags: int | None = None
) -> bytes:
    """With a message id of QoS 1."""
    known = message_id is not None
    flags = (0x2 if known else 0) if flags is None else flags
    number = struct.pack("!H", message_id) if message_id is not None else b""
    return packet(PUBLISH | flags, text(topic) + number + b"\0" + payload)


def disconnect(code: int) -> bytes:
    return packet(DISCONNECT, bytes([code]))


class Peer:
    """One connection, as the broker sees it."""

    def __init__(self, broker: HostileBroker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.broker, self.reader, self.writer = broker, reader, writer
        self.topics: list[str] = []

    async def packet(self) -> tuple[int, bytes]:
        """The next packet: its first byte and its body."""
        head = (await self.reader.readexactly(1))[0]
        length = shift = 0
        while True:
            digit = (await self.reader.readexactly(1))[0]
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return head, await self.reader.readexactly(length)

    async def expect(self, head: int) -> bytes:
        got, body = await self.packet()
        assert got == head, f"{got:#04x} came, {head:#04x} was expected"
        return body

    def send(self, *packets: bytes) -> None:
        self.writer.write(b"".join(packets))

    async def slowly(self, data: bytes, pause_s: float) -> None:
        for byte in data:
            self.writer.write(bytes([byte]))
            await asyncio.sleep(pause_s)

    async def greet(self, answer: bytes | None = None) -> bytes:
        """Take CONNECT and SUBSCRIBE as a broker does; the CONNECT's body."""
        body = await self.expect(CONNECT)
        self.send(connack() if answer is None else answer)
        wanted = await self.expect(SUBSCRIBE)
        self.subscribed(wanted)
        return body

    def subscribed(self, body: bytes) -> None:
        at, granted = 3, b""
        while at < len(body):
            (length,) = struct.unpack_from("!H", body, at)
            self.topics.append(body[at + 2 : at + 2 + length].decode())
            granted += bytes([body[at + 2 + length] & 3])
            at += 3 + length
        self.send(suback(struct.unpack_from("!H", body)[0], *granted))

    async def published(self) -> tuple[int, bytes]:
        """The next PUBLISH at QoS 1: its message id and payload; pings are answered."""
        while True:
            head, body = await self.packet()
            if head == PINGREQ:
                self.send(packet(PINGRESP))
            elif head & 0xF0 == PUBLISH:
                (length,) = struct.unpack_from("!H", body)
                (number,) = struct.unpack_from("!H", body, 2 + length)
                return number, body[2 + length + 2 + 1 :]  # without properties

    async def behave(self) -> None:
        """As a broker does, until the other end leaves."""
        while True:
            head, body = await self.packet()
            if head == CONNECT:
                self.broker.well += 1
                self.send(connack())
            elif head == SUBSCRIBE:
                self.subscribed(body)
            elif head == PINGREQ:
                self.send(packet(PINGRESP))
            elif head & 0xF0 == PUBACK:
                self.broker.acknowledged.append(struct.unpack("!H", body[:2])[0])
            elif head & 0xF6 == PUBLISH | 0x2:
                (length,) = struct.unpack_from("!H", body)
                self.send(puback(struct.unpack_from("!H", body, 2 + length)[0]))
            elif head == DISCONNECT:
                return

    async def until_gone(self) -> None:
        """Hear, and say nothing."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Peer], Awaitable[None]]


class HostileBroker:
    """Serves the first connections by these scripts, one each, and behaves from then on.

    A script that ends ends its connection.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._scripts = list(scripts)
        self._tls = tls  # of the connections on which it behaves
        self._tasks: set[asyncio.Task[None]] = set()
        self._trouble: list[BaseException] = []
        self.connections_s: list[float] = []
        self.well = 0  # connections on which it behaves
        self.acknowledged: list[int] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        assert not self._trouble, self._trouble

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections_s.append(asyncio.get_running_loop().time())
        peer = Peer(self, reader, writer)
        try:
            if self._scripts:
                await self._scripts.pop(0)(peer)
            else:
                if self._tls:
                    await writer.start_tls(self._tls)
                await peer.behave()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass  # the other end is gone, or the test is over
        except BaseException as error:  # noqa: BLE001  what a script asserts is raised by the test
            self._trouble.append(error)
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


def says(*packets: bytes) -> Script:
    """After CONNECT these, whatever they are, and silence."""

    async def script(peer: Peer) -> None:
        await peer.expect(CONNECT)
        peer.send(*packets)
        await peer.until_gone()

    return script


def greets_and_says(*packets: bytes) -> Script:
    """A good start, then these, and silence."""

    async def script(peer: Peer) -> None:
        await peer.greet()
        peer.send(*packets)
        await peer.until_gone()

    return script
