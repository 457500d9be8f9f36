"""The TCP port against a real server: a serial device server's ways of going away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.tcp_port import MAX_UNSENT_BYTES, TcpPort
from speedsign.errors import DriverError, PortError
from tests.support import run, until

pytestmark = pytest.mark.wires


class Server:
    """Accepts one client after the other and keeps its streams."""

    def __init__(self) -> None:
        self.streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.address = ""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.streams.append((reader, writer))


def with_server(test: Callable[[Server], Awaitable[None]]) -> None:
    async def main() -> None:
        server = Server()
        listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
        server.address = f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        try:
            await test(server)
        finally:
            for _, writer in server.streams:
                writer.close()
            listening.close()
            await listening.wait_closed()
            await asyncio.sleep(0)

    run(main())


class Ears:
    """What the port calls."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: list[Exception] = []

    def on_data(self, data: bytes) -> None:
        self.data += data


async def opened(server: Server) -> tuple[TcpPort, Ears]:
    ears, port = Ears(), TcpPort(server.address)
    await port.open(ears.on_data, ears.lost.append)
    await until(lambda: server.streams)
    return port, ears


def test_bytes_go_both_ways() -> None:
    async def test(server: Server) -> None:
        port, ears = await opened(server)
        reader, writer = server.streams[0]
        writer.write(b"V+033.2\r\n")
        await until(lambda: ears.data == b"V+033.2\r\n")
        port.write(b"?V")
        assert await reader.readexactly(2) == b"?V"
        port.close()
        port.close()
        with pytest.raises(PortError, match="not open"):
            port.write(b"x")
        assert await reader.read() == b""
        assert ears.lost == []

    with_server(test)


def test_a_server_that_goes_away_is_lost_once() -> None:
    async def test(server: Server) -> None:
        port, ears = await opened(server)
        server.streams[0][1].close()
        await until(lambda: ears.lost)
        [error] = ears.lost
        assert isinstance(error, PortError)
        assert server.address in str(error)
        with pytest.raises(PortError):
            port.write(b"x")
        port.close()

    with_server(test)


def test_a_reset_connection_is_lost() -> None:
    async def test(server: Server) -> None:
        port, ears = await opened(server)
        server.streams[0][1].transport.abort()
        await until(lambda: ears.lost)
        port.close()

    with_server(test)


def test_a_port_opens_again() -> None:
    async def test(server: Server) -> None:
        port, ears = await opened(server)
        await port.open(ears.on_data, ears.lost.append)
        await until(lambda: len(server.streams) == 2)
        server.streams[1][1].write(b"new")
        await until(lambda: ears.data == b"new")
        assert ears.lost == []
        port.close()

    with_server(test)


def test_nobody_there_is_said_in_a_sentence() -> None:
    async def test() -> None:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        number = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        port = TcpPort(f"tcp://127.0.0.1:{number}")
        with pytest.raises(PortError, match=r"cannot connect .*check"):
            await port.open(lambda _data: None, lambda _error: None)

    run(test())


def test_a_server_that_takes_no_bytes_is_an_error_in_the_end() -> None:
    async def test(server: Server) -> None:
        port, _ = await opened(server)

        def fill() -> None:
            for _ in range(20_000):
                port.write(b"x" * MAX_UNSENT_BYTES)

        with pytest.raises(PortError, match="takes no bytes"):
            fill()
        port.close()

    with_server(test)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "tcp://",
        "tcp://host",
        "host:1",
        "udp://host:1",
        "tcp://host:99999",
        "tcp://host:1/x",
        "tcp://[::1",
    ],
)
def test_what_is_no_address_is_said_at_once(address: str) -> None:
    with pytest.raises(DriverError, match="tcp://host:port"):
        TcpPort(address)
