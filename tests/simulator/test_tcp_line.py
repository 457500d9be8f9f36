"""A device behind TCP: one client at a time, a plug that can be pulled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from simulator.tcp_line import TcpLine
from tests.support import run, until

pytestmark = pytest.mark.wires


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[TcpLine]:
    line = TcpLine()
    await line.start()
    try:
        yield line
    finally:
        await line.stop()


@contextlib.asynccontextmanager
async def client(line: TcpLine) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = line.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def test_bytes_go_both_ways() -> None:
    async def check() -> None:
        async with served() as line:
            heard = bytearray()
            line.on_data = heard.extend
            async with client(line) as (reader, writer):
                writer.write(b"?V")
                await until(lambda: heard == b"?V")
                line.write(b"V+050.0\r\n")
                assert await reader.readexactly(9) == b"V+050.0\r\n"

    run(check())


def test_what_is_said_to_nobody_is_lost() -> None:
    async def check() -> None:
        async with served() as line:
            line.write(b"early")
            heard = bytearray()
            line.on_data = heard.extend
            async with client(line) as (reader, writer):
                writer.write(b"x")
                await until(lambda: heard)
                line.write(b"late")
                assert await reader.readexactly(4) == b"late"

    run(check())


def test_unplugged_it_cuts_whoever_is_there_and_whoever_comes() -> None:
    async def check() -> None:
        async with served() as line:
            heard = bytearray()
            line.on_data = heard.extend
            async with client(line) as (reader, writer):
                writer.write(b"x")
                await until(lambda: heard)
                line.unplug()
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            async with client(line) as (reader, _):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            line.plug()
            async with client(line) as (_, writer):
                writer.write(b"again")
                await until(lambda: heard.endswith(b"again"))

    run(check())


def test_a_reset_is_no_orderly_end() -> None:
    async def check() -> None:
        async with served() as line:
            heard = bytearray()
            line.on_data = heard.extend
            async with client(line) as (reader, writer):
                writer.write(b"x")
                await until(lambda: heard)
                line.reset()
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            async with client(line) as (_, writer):  # the next one is served
                writer.write(b"again")
                await until(lambda: heard.endswith(b"again"))

    run(check())


def test_the_newest_client_takes_over() -> None:
    async def check() -> None:
        async with served() as line:
            heard = bytearray()
            line.on_data = heard.extend
            async with client(line) as (first, writer):
                writer.write(b"1")
                await until(lambda: heard == b"1")
                async with client(line) as (second, other):
                    other.write(b"2")
                    await until(lambda: heard == b"12")
                    with contextlib.suppress(ConnectionError):
                        assert await first.read() == b""
                    line.write(b"you")
                    assert await second.readexactly(3) == b"you"

    run(check())
