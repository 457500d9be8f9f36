"""A device's end of a line as a TCP server, for programs that reach it through a serial device server."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from simulator.line import ignore


class TcpLine:
    """Serves one client at a time on host:port (port 0: any free one, see `address` after `start`)."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.on_data: Callable[[bytes], None] = ignore
        self.plugged = True
        self._where = host, port
        self._server: asyncio.Server | None = None
        self._client: asyncio.StreamWriter | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """host:port as it is served."""
        if not self._server:
            return f"{self._where[0]}:{self._where[1]}"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, *self._where)

    async def stop(self) -> None:
        """Stop listening; returns when nobody is served any more."""
        if self._server:
            self._server.close()
            self._drop()
            await asyncio.gather(*self._serving)
            await self._server.wait_closed()

    def plug(self) -> None:
        self.plugged = True

    def unplug(self) -> None:
        """Cut the connection; clients that come meanwhile are cut too."""
        self.plugged = False
        self._drop()

    def reset(self) -> None:
        """Cut the connection as a gateway that restarts does: the client gets a reset, no orderly end."""
        if self._client:
            connection: socket.socket = self._client.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._drop()

    def write(self, data: bytes) -> None:
        if self._client and self.plugged:
            self._client.write(data)

    def _drop(self) -> None:
        if self._client:
            self._client.transport.abort()
            self._client = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.plugged:
            writer.transport.abort()
            return
        self._drop()
        self._client = writer
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  we are inside one
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            while data := await reader.read(4096):
                self.on_data(data)
        except ConnectionError:
            pass
        finally:
            if self._client is writer:
                self._client = None
            writer.transport.abort()
