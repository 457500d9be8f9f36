"""The live socket itself: real Unix sockets, and clients that are many, slow, noisy or gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from pathlib import Path
from typing import Self

import pytest

from speedsign.errors import PortError
from speedsign.live.client import GREETING_S, greeting, lines
from speedsign.live.server import BUFFER, KEPT_LINES, MOST_CLIENTS, MOST_SENT, LiveServer
from speedsign.live.shapes import LIVE, Line, decode
from tests.support import run, until

HELLO: Line = {"event": "hello", "live": LIVE, "sign": "test"}


class Rig:
    """A server that runs while the block does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.server = LiveServer(path, lambda: [HELLO], lambda: 7.25)

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.server.run())
        await until(lambda: self.path.exists() and self.path.stat().st_mode & 0o777 == 0o660)
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await asyncio.sleep(0.01)  # transports say that they are closed in the next turn

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(str(self.path))


async def next_line(reader: asyncio.StreamReader) -> Line | None:
    async with asyncio.timeout(5.0):
        return decode(await reader.readline())


def test_four_are_served_and_a_fifth_is_refused_in_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path / "live.sock") as rig:
            assert [rig.server.listening] == [False]
            clients = [await rig.client() for _ in range(MOST_CLIENTS)]
            for reader, _ in clients:
                assert await next_line(reader) == HELLO
            assert [rig.server.listening] == [True]
            fifth, fifth_writer = await rig.client()
            assert await next_line(fifth) == {
                "event": "refused",
                "t_s": 7.25,
                "text": "4 others are looking already; end one of them",
            }
            assert await fifth.read() == b""
            with pytest.raises(PortError, match="4 others are looking already"):
                await asyncio.to_thread(greeting, rig.path)
            rig.server.tell([{"event": "x", "n": 1}])
            for reader, _ in clients:
                assert await next_line(reader) == {"event": "x", "n": 1}
            clients[0][1].close()
            await until(lambda: len(rig.server._clients) == 3)
            assert await asyncio.to_thread(greeting, rig.path) == HELLO, "there is room again"
            for writer in (fifth_writer, *(writer for _, writer in clients)):
                writer.close()
            await until(lambda: not rig.server.listening)
        assert not rig.path.exists(), "it goes with the sign"

    run(main())


def test_what_a_client_says_is_thrown_away_and_much_of_it_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path / "live.sock") as rig:
            reader, writer = await rig.client()
            assert await next_line(reader) == HELLO
            writer.write(b"\n" * MOST_SENT)
            await asyncio.sleep(0.01)
            rig.server.tell([{"event": "x"}])
            assert await next_line(reader) == {"event": "x"}
            writer.write(os.urandom(5_000_000))
            await until(lambda: not rig.server.listening)
            with pytest.raises(ConnectionError):
                await reader.read()
            writer.close()

    run(main())


def test_a_slow_client_loses_the_oldest_and_is_told_how_many(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path / "live.sock") as rig:
            slow, slow_writer = await rig.client()
            quick, quick_writer = await rig.client()
            assert await next_line(quick) == HELLO
            got = []
            for n in range(4000):
                rig.server.tell([{"event": "x", "n": n, "text": "." * 100}])
                line = await next_line(quick)
                assert line is not None
                got.append(line["n"])
            assert got == list(range(4000)), "who is quick loses nothing"
            behind = next(client for client in rig.server._clients if client._full)
            assert len(behind._behind) == KEPT_LINES, "bounded"
            assert behind._transport is not None
            assert behind._transport.get_write_buffer_size() < 2 * BUFFER
            numbers: list[int] = []
            skipped = 0
            while not numbers or numbers[-1] < 3999:
                line = await next_line(slow)
                assert line is not None
                if line["event"] == "skipped":
                    assert line["t_s"] == 7.25
                    skipped += line["n"]
                elif line["event"] == "x":
                    numbers.append(line["n"])
            assert numbers == sorted(numbers)
            assert numbers[-KEPT_LINES:] == list(range(4000 - KEPT_LINES, 4000)), "the newest"
            assert skipped == 4000 - len(numbers) > 0
            for writer in (slow_writer, quick_writer):
                writer.close()

    run(main())


def test_who_only_listens_may_say_so_and_who_goes_makes_room_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path / "live.sock") as rig:
            reader, writer = await rig.client()
            assert await next_line(reader) == HELLO
            writer.write_eof()
            for n in range(5):
                await asyncio.sleep(0.01)
                rig.server.tell([{"event": "x", "n": n}])
                assert await next_line(reader) == {"event": "x", "n": n}
            writer.close()
            await writer.wait_closed()
            rig.server.tell([{"event": "x"}])  # which finds out that nobody is there
            await until(lambda: not rig.server.listening)
            for _ in range(3 * MOST_CLIENTS):  # nothing is told meanwhile, and nobody is refused
                assert await asyncio.to_thread(greeting, rig.path) == HELLO
                await until(lambda: not rig.server.listening)

    run(main())


def test_a_sign_that_hangs_is_said_to_however_many_wait(tmp_path: Path) -> None:
    path = tmp_path / "live.sock"
    with socket.socket(socket.AF_UNIX) as hanging, contextlib.ExitStack() as waiting:
        hanging.bind(str(path))
        hanging.listen(1)
        for _ in range(2):
            waiting.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
        with pytest.raises(PortError, match="the sign runs and does not answer; look at"):
            greeting(path)

        async def main() -> None:
            async with asyncio.timeout(GREETING_S + 5):
                async for _line in lines(path):
                    pass

        with pytest.raises(PortError, match="the sign runs and does not answer; look at"):
            run(main())


def test_a_killed_signs_socket_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "live.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    path.chmod(0o600)
    assert greeting(path) is None, "nobody listens there"

    async def main() -> None:
        async with Rig(path) as rig:
            assert await asyncio.to_thread(greeting, rig.path) == HELLO

    run(main())


def refused(path: Path, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a server says that cannot have its socket."""

    async def main() -> None:
        server = asyncio.create_task(LiveServer(path, list, lambda: 7.25).run())
        await until(lambda: caplog.records)
        assert not server.done(), "a sign does not stop for it"
        server.cancel()
        await asyncio.wait([server])

    caplog.clear()
    with caplog.at_level(logging.DEBUG, "speedsign.live.server"):
        run(main())
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


def test_a_name_that_is_taken_or_cannot_be_had_is_said_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "live.sock"
    end = "nobody can look at this sign, set [live] socket"
    assert refused(tmp_path / "none" / "live.sock", caplog) == [
        f"DEBUG live view: {tmp_path}/none/live.sock: No such file or directory; {end}"
    ]
    path.write_text("mine")
    assert refused(path, caplog) == [f"WARNING live view: {path}: there is a file of that name; {end}"]
    assert path.read_text() == "mine"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        assert refused(path, caplog) == [f"WARNING live view: {path}: another running sign has it; {end}"]
        assert path.exists()
    long = tmp_path / ("x" * 120)
    assert refused(long, caplog) == [f"WARNING live view: {long}: AF_UNIX path too long; {end}"]


# --------------------------------------------------------------------------- the client


def served(path: Path, answer: bytes) -> PortError:
    """What a client says of a socket that answers this."""

    async def main() -> PortError:
        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        server = await asyncio.start_unix_server(serve, path)
        with pytest.raises(PortError) as one:
            await asyncio.to_thread(greeting, path)
        with pytest.raises(PortError) as other:
            async for _line in lines(path):
                pass
        assert str(one.value) == str(other.value)
        server.close()
        return one.value

    return run(main())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "closed before a word was said; is it a sign that stops just now?"),
        (b"HTTP/1.1 400 Bad Request\r\n", "closed before a word was said; is it a sign that stops just now?"),
        (b'{"event":"news"}\n', "no sign: its first line is no greeting; check [live] socket"),
        (b'{"event":"hello","live":2}\n', "the sign speaks version 2 and this program 1; restart the sign"),
    ],
)
def test_a_socket_that_is_no_signs(tmp_path: Path, answer: bytes, sentence: str) -> None:
    assert served(tmp_path / "s", answer).reason == sentence


def test_no_socket_is_no_sign(tmp_path: Path) -> None:
    assert greeting(tmp_path / "none") is None
    assert greeting(tmp_path / "none" / "live.sock") is None
    (tmp_path / "file").write_text("")
    assert greeting(tmp_path / "file" / "live.sock") is None
