"""A serial line behind TCP: a serial device server on the pole, or the simulator."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from speedsign.errors import DriverError, PortError

CONNECT_TIMEOUT_S = 5.0  # on a pole's own network it takes milliseconds; a dead one must not hold us up
MAX_UNSENT_BYTES = 4096  # commands have tens of bytes: more means that nothing is sent any more


class TcpPort:
    """A `speedsign.ports.BytePort` on "tcp://host:port"; raises DriverError for another address."""

    def __init__(self, address: str) -> None:
        self.name = address
        host_and_port = _host_and_port(address)
        if host_and_port is None:
            raise DriverError(f"port {address}: not an address; write tcp://host:port")
        self._host, self._port = host_and_port
        self._connection: _Connection | None = None

    async def open(self, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]) -> None:
        """Connect; raises PortError."""
        self.close()
        connection = _Connection(self.name, on_data, on_lost)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: connection, self._host, self._port)
        except TimeoutError as error:
            raise PortError(self.name, "does not answer; check its power and its network cable") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise PortError(self.name, f"cannot connect ({reason}); check address and device") from error
        self._connection = connection

    def write(self, data: bytes) -> None:
        """Send; raises PortError when the line is closed."""
        if self._connection is None:
            raise PortError(self.name, "not open")
        self._connection.write(data)

    def close(self) -> None:
        """Close; harmless when closed already."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Connection(asyncio.Protocol):
    def __init__(
        self, name: str, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]
    ) -> None:
        self._name, self._on_data = name, on_data
        self._on_lost: Callable[[Exception], None] | None = on_lost
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  what create_connection promises
        self._transport = transport
        # A device server that loses its power says nothing: the kernel has to ask.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        if self._on_lost is not None:
            self._on_data(data)

    def eof_received(self) -> None:
        """The other end is done; asyncio closes the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        lost, self._on_lost = self._on_lost, None
        self._transport = None
        if lost is not None:
            why = "closed by the other end" if exc is None else f"lost ({exc})"
            lost(PortError(self._name, f"connection {why}; check its power and its network cable"))

    def write(self, data: bytes) -> None:
        if self._transport is None:
            raise PortError(self._name, "not open")
        if self._transport.get_write_buffer_size() + len(data) > MAX_UNSENT_BYTES:
            raise PortError(self._name, "takes no bytes any more; check its power and its network cable")
        self._transport.write(data)

    def close(self) -> None:
        self._on_lost = None
        if self._transport is not None:
            self._transport.abort()


def _host_and_port(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme != "tcp" or host is None or port is None or parts.path.strip("/"):
        return None
    return host, port
