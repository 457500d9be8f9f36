"""The serial port on a real pty: exclusive, unplugged, stale input, commands."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.serial_port import MAX_UNSENT_BYTES, SerialPort, holders, stable_name_hint, stable_names
from speedsign.errors import PortError
from speedsign.ports import LineSettings
from tests.support import run, until

pytestmark = pytest.mark.wires

EIGHT_N_ONE = LineSettings(115_200)


@dataclass
class Pty:
    """The device's end of a pty, and the path of the other end."""

    master: int
    slave: int
    path: str
    closed: bool = field(default=False)

    def unplug(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self.slave)
            os.close(self.master)


@pytest.fixture
def pty() -> Iterator[Pty]:
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    made = Pty(master, slave, os.ttyname(slave))
    yield made
    made.unplug()


class Ears:
    """What the port calls."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: list[Exception] = []

    def on_data(self, data: bytes) -> None:
        self.data += data


async def opened(path: str, settings: LineSettings = EIGHT_N_ONE) -> tuple[SerialPort, Ears]:
    ears = Ears()
    port = SerialPort(path, settings)
    await port.open(ears.on_data, ears.lost.append)
    return port, ears


def test_bytes_go_both_ways(pty: Pty) -> None:
    async def test() -> None:
        port, ears = await opened(pty.path)
        os.write(pty.master, bytes(range(256)))
        await until(lambda: len(ears.data) == 256)
        assert ears.data == bytes(range(256))  # nothing is translated, nothing echoed
        port.write(bytes(range(256)))
        assert os.read(pty.master, 999) == bytes(range(256))
        port.close()
        port.close()
        with pytest.raises(PortError, match="not open"):
            port.write(b"x")
        assert ears.lost == []

    run(test())


def test_what_waited_before_the_opening_is_discarded(pty: Pty) -> None:
    async def test() -> None:
        os.write(pty.master, b"old\r\n")
        port, ears = await opened(pty.path)
        os.write(pty.master, b"new\r\n")
        await until(lambda: ears.data.endswith(b"\n"))
        assert ears.data == b"new\r\n"
        port.close()

    run(test())


def test_a_port_is_ours_alone(pty: Pty) -> None:
    async def test() -> None:
        port, _ = await opened(pty.path)
        with pytest.raises(PortError, match=rf"in use by another program .*\({os.getpid()}\)"):
            await opened(pty.path)
        port.close()
        again, _ = await opened(pty.path)
        again.close()

    run(test())


def test_an_unplugged_port_is_lost_once(pty: Pty) -> None:
    async def test() -> None:
        port, ears = await opened(pty.path)
        pty.unplug()
        await until(lambda: ears.lost)
        await asyncio.sleep(0)
        [error] = ears.lost
        assert isinstance(error, PortError)
        assert pty.path in str(error)
        assert "cable" in str(error)
        with pytest.raises(PortError):
            port.write(b"x")
        port.close()

    run(test())


def test_a_closed_port_is_not_lost(pty: Pty) -> None:
    async def test() -> None:
        port, ears = await opened(pty.path)
        port.close()
        pty.unplug()
        await asyncio.sleep(0)
        assert ears.lost == []

    run(test())


def test_a_port_can_be_closed_by_what_it_calls(pty: Pty) -> None:
    async def test() -> None:
        got: list[bytes] = []
        port = SerialPort(pty.path, EIGHT_N_ONE)

        def close(data: bytes) -> None:
            got.append(data)
            port.close()

        await port.open(close, lambda _error: None)
        os.write(pty.master, b"1")
        await until(lambda: got)
        os.write(pty.master, b"2")
        await asyncio.sleep(0)
        assert got == [b"1"]

    run(test())


@pytest.mark.parametrize("parity", ["N", "E", "O"])
def test_every_parity_opens_and_opens_again(pty: Pty, parity: str) -> None:
    async def test() -> None:
        for _ in range(4):
            port, _ = await opened(pty.path, LineSettings(19_200, parity=parity, stopbits=2))
            port.close()

    run(test())


def test_a_device_that_takes_no_bytes_queues_some_and_then_fails(pty: Pty) -> None:
    async def test() -> None:
        port, ears = await opened(pty.path)

        def fill() -> None:
            for _ in range(100):
                port.write(b"x" * 1000)

        with pytest.raises(PortError, match="takes no bytes"):
            fill()
        queued = len(port._unsent)
        assert 0 < queued <= MAX_UNSENT_BYTES
        received = 0

        def drain() -> bool:
            nonlocal received
            try:
                received += len(os.read(pty.master, 65536))
            except BlockingIOError:
                return not port._unsent
            return False

        await until(drain)
        assert received > queued
        assert received % 1000 == 0
        port.write(b"y")
        await until(lambda: _read(pty.master) == b"y")
        assert ears.lost == []
        port.close()

    run(test())


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 10)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such device; check the cable"),
        (lambda path: path.write_text("x"), "not a serial device"),
        (lambda path: path.mkdir(), "not a serial device"),
    ],
)
def test_a_port_that_cannot_be_opened_says_what_to_do(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    make(tmp_path / "tty")
    with pytest.raises(PortError, match=says) as caught:
        run(opened(str(tmp_path / "tty")))
    assert str(tmp_path / "tty") in str(caught.value)


def test_a_port_that_is_not_permitted_names_the_group(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("serial.serialposix.os.open", refuse)
    with pytest.raises(PortError, match="usermod -aG dialout"):
        run(opened(pty.path))


def test_a_baud_rate_that_is_none_is_a_port_error(pty: Pty) -> None:
    for baud in (-1, 10**12):
        with pytest.raises(PortError, match="cannot be opened"):
            run(opened(pty.path, LineSettings(baud)))


def test_stable_names(tmp_path: Path) -> None:
    assert stable_names(tmp_path / "none") == {}
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    name = by_id / "usb-OmniPreSense-if00"
    name.symlink_to("/dev/ttyACM7")
    assert stable_names(by_id) == {str(name): "/dev/ttyACM7"}
    assert str(name) in (stable_name_hint("/dev/ttyACM7", by_id) or "")
    assert "by-id" in (stable_name_hint("/dev/ttyUSB0", by_id) or "")
    for stable in (str(name), "/dev/serial0", "/dev/ttyAMA0", "tcp://10.0.0.1:4001"):
        assert stable_name_hint(stable, by_id) is None


def test_who_holds_a_device(pty: Pty) -> None:
    assert any(str(os.getpid()) in holder for holder in holders(pty.path))
    assert holders("/dev/none") == []
