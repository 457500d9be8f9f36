"""The bus on real ptys and sockets: what goes on the wire, and that only the right reply passes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.display.dm56a04 import Dm56a04
from drivers.modbus_bus import BusSettings, PymodbusBus
from drivers.modbus_rules import silent_interval_s
from simulator.panel_end import PanelEnd, PanelFault
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.rtu_slave import MbapSlave, RtuSlave, Slave, with_crc
from simulator.tcp_line import TcpLine
from speedsign.errors import BadReply, DeviceError, DriverError, NoReply, PortError
from speedsign.model import BLANK, Face
from speedsign.ports import LineSettings, WriteRegisters
from tests.display import vectors
from tests.display.rig import FAST_BUS, PATIENT_BUS, Rig, connected, no_error_in_the_loop
from tests.display.vectors import hex_of
from tests.support import run, until

pytestmark = pytest.mark.wires

BLANKS = (0x20, 0x20, 0x20, 0x20)
LIT_47 = (0x20, 0x20, 0x34, 0x37)

Act = Callable[[PymodbusBus], Coroutine[Any, Any, Any]]


async def put(bus: PymodbusBus, face: Face) -> None:
    for write in Dm56a04().writes(face, 1.0):
        await bus.write_registers(1, write.address, write.values)


# ---------------------------------------------------------------------- bytes on the wire


@pytest.mark.parametrize(
    ("act", "exchange"),
    [
        (lambda bus: put(bus, Face(47)), vectors.SHOW_47),
        (lambda bus: put(bus, BLANK), vectors.BLANK),
        (lambda bus: put(bus, Face(8888)), vectors.LAMP_TEST),
        (lambda bus: bus.write_registers(1, 0, b"  --"), vectors.DASHES),
        (lambda bus: bus.write_register(1, 7, 47), vectors.SHOW_47_NUMERIC),
        (lambda bus: bus.write_register(1, 9, 1), vectors.BRIGHTNESS_1),
        (lambda bus: bus.write_register(1, 9, 8), vectors.BRIGHTNESS_8),
        (lambda bus: bus.write_register(1, 8, 15), vectors.BLINK_ALL),
        (lambda bus: bus.write_register(1, 8, 0), vectors.BLINK_OFF),
        (lambda bus: bus.read_registers(1, 8, 2), vectors.READ_BLINK_BRIGHTNESS),
        (lambda bus: bus.read_registers(1, 0xFD, 3), vectors.READ_SETTINGS),
    ],
)
def test_published_frames_and_nothing_else(tmp_path: Path, act: Act, exchange: tuple[str, str]) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            answered: list[str] = []
            answer = rig.end.slave.answer

            def noted(frame: bytes) -> bytes | None:
                reply = answer(frame)
                answered.append(hex_of(reply or b""))
                return reply

            rig.end.slave.answer = noted  # type: ignore[method-assign]
            await act(rig.bus)
            assert (rig.requests, answered) == ([exchange[0]], [exchange[1]])

    run(main())


def test_read_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            await put(rig.bus, Face(47))
            assert await rig.bus.read_registers(1, 0, 4) == list(LIT_47)
            assert rig.requests[-1] == vectors.READ_DIGITS_47[0]

    run(main())


def test_values_are_checked_before_the_library_sees_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            for values in ([65536], [-1], [1.5], [], [0] * 124):
                with pytest.raises(DriverError):
                    await rig.bus.write_registers(1, 0, values)  # type: ignore[arg-type]
            with pytest.raises(DriverError):
                await rig.bus.write_registers(256, 0, [1])
            with pytest.raises(DriverError):
                await rig.bus.read_registers(1, 0xFFFF, 2)
            with pytest.raises(DriverError):
                await rig.bus.read_registers(1, 0, 126)
            assert rig.requests == []

    run(main())


# ---------------------------------------------------------------------- silence


@pytest.mark.parametrize(
    ("line", "t35_ms"),
    [
        (LineSettings(1200), 29.167),
        (LineSettings(9600), 3.646),
        (LineSettings(9600, parity="E"), 4.010),
        (LineSettings(9600, stopbits=2), 4.010),
        (LineSettings(19200), 1.823),
        (LineSettings(19200, parity="E"), 2.005),
        (LineSettings(38400), 1.75),
        (LineSettings(115200, parity="E"), 1.75),
    ],
)
def test_t35(line: LineSettings, t35_ms: float) -> None:
    assert round(1000 * silent_interval_s(line), 3) == t35_ms


@pytest.mark.parametrize(("baud", "least_s"), [(1200, 0.029), (9600, 0.004), (115200, 0.004)])
def test_the_line_is_quiet_before_each_request(tmp_path: Path, baud: int, least_s: float) -> None:
    async def main() -> None:
        rig = Rig(tmp_path)
        rig.line.plug()
        rig.bus = PymodbusBus(str(rig.line.link), LineSettings(baud), FAST_BUS)
        loop = asyncio.get_running_loop()
        sent_s, came_s = [], []
        write = rig.line.write

        def noted(data: bytes) -> None:
            write(data)
            sent_s.append(loop.time())

        rig.line.write = noted  # type: ignore[method-assign]
        rig.end.on_request = lambda _frame: came_s.append(loop.time())
        await rig.bus.connect()
        await asyncio.gather(*(rig.bus.write_registers(1, 0, BLANKS) for _ in range(5)))
        gaps_s = [came - sent for sent, came in zip(sent_s, came_s[1:], strict=False)]
        assert len(gaps_s) == 4
        assert min(gaps_s) >= least_s
        await rig.bus.close()
        rig.line.unplug()

    run(main())


def test_a_request_on_a_quiet_line_leaves_in_the_same_turn(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            await put(rig.bus, BLANK)
            await asyncio.sleep(0.02)  # quiet long enough
            rig.line.on_data = lambda _data: None
            pulled: list[bytes] = []
            call = rig.bus.write_registers(1, 0, LIT_47)
            call.send(None)  # one step of the coroutine, no turn of the loop
            with contextlib.suppress(BlockingIOError):
                assert rig.line._fds
                pulled.append(os.read(rig.line._fds[0], 100))
            call.close()
            assert [hex_of(data) for data in pulled] == [vectors.SHOW_47[0]]

    run(main())


# ---------------------------------------------------------------------- what can go wrong


def test_a_dead_panel(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            rig.end.faults = {PanelFault.DEAD}
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            with pytest.raises(NoReply, match="unit 1 did not answer: nothing came back") as caught:
                await put(rig.bus, BLANK)
            assert 0.1 <= loop.time() - began_s < 0.2
            assert str(caught.value).startswith(str(rig.line.link))
            assert len(rig.requests) == 1  # retrying is not the bus's business

    run(main())


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        (PanelFault.BAD_CRC, NoReply, "not its reply"),
        (PanelFault.WRONG_ID, NoReply, "not its reply"),
        (PanelFault.EXCEPTION, BadReply, "exception 4, device failure"),
    ],
)
def test_faulty_replies_fail_and_leave_nothing_behind(
    tmp_path: Path, fault: PanelFault, error: type[DeviceError], text: str
) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            rig.end.faults = {fault}
            with pytest.raises(error, match=text):
                await put(rig.bus, Face(47))
            rig.end.faults = set()
            await put(rig.bus, Face(48))
            assert rig.twin.lit() == "  48"

    run(main())


def test_an_exception_is_told_by_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            with pytest.raises(BadReply, match="exception 2, illegal data address"):
                await rig.bus.read_registers(1, 100, 1)
            with pytest.raises(BadReply, match="function 16 at register 9: exception 3, illegal data value"):
                await rig.bus.write_registers(1, 9, [9])

    run(main())


@pytest.mark.parametrize("slow_s", [0.12, 0.15, 0.25])
def test_a_late_reply_is_never_the_next_ones(tmp_path: Path, slow_s: float) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            rig.end.faults, rig.end.slow_s = {PanelFault.SLOW}, slow_s
            with pytest.raises(NoReply):
                await rig.bus.write_registers(1, 0, LIT_47)
            # The same registers: its acknowledgement would look just like the late one. Let it be lost.
            with _only_one_more_reply(rig):
                for _ in range(3):
                    with pytest.raises(DeviceError):
                        await rig.bus.write_registers(1, 0, BLANKS)
            rig.end.faults = set()
            for _ in range(3):
                with contextlib.suppress(DeviceError):
                    await rig.bus.write_registers(1, 0, BLANKS)
                    break
            assert rig.twin.lit() == "    "

    run(main())


@contextlib.contextmanager
def _only_one_more_reply(rig: Rig) -> Iterator[None]:
    """The late one; everything after it is lost."""
    write = rig.line.write
    passed: list[bytes] = []

    def once(data: bytes) -> None:
        if not passed:
            passed.append(data)
            write(data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig.line, "write", once)
        yield


def test_after_a_lost_reply_the_line_is_left_alone_and_asked_what_nobody_waits_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            came_s: list[float] = []
            rig.end.on_request = lambda _frame: came_s.append(asyncio.get_running_loop().time())
            rig.end.faults = {PanelFault.DEAD}
            for _ in range(3):
                with pytest.raises(NoReply):
                    await put(rig.bus, Face(47))
            assert rig.requests[1:] == ["01 03 00 00 00 01 84 0A", "01 03 00 00 00 02 C4 0B"]
            gaps_s = [later - earlier for earlier, later in itertools.pairwise(came_s)]
            assert min(gaps_s) >= FAST_BUS.timeout_s + FAST_BUS.quiet_s - 0.005

    run(main())


def test_what_was_told_is_heard_although_a_reply_is_owed_and_its_own_is_owed_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            await rig.bus.write_registers(1, 0, LIT_47)
            rig.end.faults = {PanelFault.BAD_CRC}
            with pytest.raises(NoReply):
                await rig.bus.write_registers(1, 0, LIT_47)
            rig.end.requests.clear()
            with pytest.raises(NoReply):
                await rig.bus.tell(1, WriteRegisters(0, BLANKS))
            assert rig.requests == [vectors.BLANK[0]], "no question before it"
            assert rig.twin.lit() == "    "
            rig.end.faults = set()
            await rig.bus.read_registers(1, 8, 2)  # all that was owed is settled
            await rig.bus.tell(1, WriteRegisters(0, LIT_47))
            rig.end.requests.clear()
            await rig.bus.write_registers(1, 0, BLANKS)
            assert len(rig.requests) == 2, (
                "a question first: the reply to what was told may have been another's"
            )
            assert rig.requests[1] == vectors.BLANK[0]
            with pytest.raises(BadReply, match="exception"):
                await rig.bus.tell(1, WriteRegisters(200, (1,)))
            with pytest.raises(DriverError):
                await rig.bus.tell(1, WriteRegisters(0, (70_000,)))
            await rig.bus.tell(1, WriteRegisters(9, (1,), single=True))
            assert rig.twin.brightness == 1

    run(main())


def test_a_late_reply_of_another_kind_is_a_bad_reply(tmp_path: Path) -> None:
    async def main() -> None:
        patient = BusSettings(timeout_s=0.1, quiet_s=0.02, resync=False)
        async with connected(tmp_path, patient) as rig:
            rig.end.faults, rig.end.slow_s = {PanelFault.SLOW}, 0.15
            with pytest.raises(NoReply):
                await rig.bus.write_register(1, 7, 47)
            with pytest.raises(BadReply, match="function 6 instead of 3"):
                await rig.bus.read_registers(1, 0, 4)
            rig.end.faults = set()

    run(main())


def test_a_cancelled_request_leaves_no_reply_to_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            rig.end.faults, rig.end.slow_s = {PanelFault.SLOW}, 0.06
            task = asyncio.create_task(rig.bus.write_registers(1, 0, LIT_47))
            await until(lambda: rig.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            rig.end.faults = {PanelFault.DEAD}  # the late acknowledgement is still under way
            with pytest.raises(NoReply):
                await rig.bus.write_registers(1, 0, BLANKS)
            rig.end.faults = set()
            await rig.bus.write_registers(1, 0, BLANKS)
            assert rig.twin.lit() == "    "

    run(main())


def test_a_cancel_that_comes_with_the_reply_is_not_swallowed(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            on_data = rig.bus._on_data

            def and_cancel(data: bytes, parse: Callable[[bytes], int]) -> int:
                used = on_data(data, parse)
                task.cancel()
                return used

            rig.bus._on_data = and_cancel  # type: ignore[method-assign]
            await rig.bus.close()
            await rig.bus.connect()
            task = asyncio.create_task(rig.bus.write_registers(1, 0, LIT_47))
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())


def test_an_echo_is_no_panel(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            rig.end.faults = {PanelFault.ECHO, PanelFault.DEAD}
            with pytest.raises(NoReply, match="the adapter echoes"):
                await put(rig.bus, Face(47))
            with pytest.raises(NoReply):
                await rig.bus.read_registers(1, 0, 4)

    run(main())


@pytest.mark.parametrize("cut", [1, 7, 8, 12, 16, 17, 20])
def test_an_echo_in_pieces_in_front_of_the_reply(tmp_path: Path, cut: int) -> None:
    async def main() -> None:
        async with connected(tmp_path, PATIENT_BUS) as rig:
            stream = b"".join(map(bytes.fromhex, vectors.SHOW_47))

            def reply(_request: bytes) -> None:
                rig.line.write(stream[:cut])
                asyncio.get_running_loop().call_later(0.01, rig.line.write, stream[cut:])

            rig.line.on_data = reply
            await put(rig.bus, Face(47))

    run(main())


@pytest.mark.parametrize("noise", ["00", "FF", "00 FF", "01", "10 01", "01 01"])
def test_noise_in_front_of_a_reply(tmp_path: Path, noise: str) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            rig.end.faults, rig.end.glitch = {PanelFault.GLITCH}, bytes.fromhex(noise)
            await put(rig.bus, Face(47))
            assert await rig.bus.read_registers(1, 0, 4) == list(LIT_47)
            with pytest.raises(BadReply, match="exception 3"):
                await rig.bus.write_registers(1, 9, [0])

    run(main())


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_reply_in_pieces(tmp_path: Path, cut: int) -> None:
    async def main() -> None:
        async with connected(tmp_path, PATIENT_BUS) as rig:

            def reply(_request: bytes) -> None:
                rig.line.write(ACK[:cut])
                asyncio.get_running_loop().call_later(0.01, rig.line.write, ACK[cut:])

            rig.line.on_data = reply
            await put(rig.bus, Face(47))

    run(main())


def test_an_adapter_that_echoes_can_be_used(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path, BusSettings(timeout_s=0.1, quiet_s=0.02, local_echo=True)) as rig:
            rig.end.faults = {PanelFault.ECHO}
            for number in (47, 48):
                await put(rig.bus, Face(number))
            await rig.bus.write_register(1, 9, 3)
            assert rig.twin.lit() == "  48"
            rig.end.faults = {PanelFault.ECHO, PanelFault.DEAD}
            with pytest.raises(NoReply):
                await rig.bus.write_register(1, 9, 4)  # FC6: without the setting, this would succeed
            rig.end.faults = {PanelFault.DEAD}  # not even an echo
            with pytest.raises(NoReply):
                await put(rig.bus, Face(50))
            rig.end.faults = {PanelFault.ECHO}
            await put(rig.bus, Face(51))
            rig.end.faults = set()  # another adapter, without echo
            await put(rig.bus, Face(49))

    run(main())


# ---------------------------------------------------------------------- any reply at all


ACK = with_crc(bytes.fromhex("01 10 00 00 00 04"))


# What is asked, and the whole frame that alone answers it (a read: the beginning of one).
QUESTIONS: dict[str, tuple[Act, bytes]] = {
    "write": (lambda bus: bus.write_registers(1, 0, LIT_47), ACK),
    "read": (lambda bus: bus.read_registers(1, 0, 4), bytes.fromhex("01 03 08")),
    "inputs": (lambda bus: bus.read_input_registers(1, 0, 1), bytes.fromhex("01 04 02")),
    "coils": (lambda bus: bus.read_coils(1, 0, 8), bytes.fromhex("01 01 01")),
    "coil": (lambda bus: bus.write_coil(1, 0, 0xFF00), with_crc(bytes.fromhex("01 05 00 00 FF 00"))),
    "register": (lambda bus: bus.write_register(1, 7, 47), with_crc(bytes.fromhex("01 06 00 07 00 2F"))),
}


def replies() -> st.SearchStrategy[list[bytes]]:
    anything = st.binary(min_size=1, max_size=300)
    framed = st.binary(min_size=2, max_size=12).map(with_crc)
    ours = st.tuples(
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from([1, 3, 4, 5, 6, 16, 22, 0x81, 0x83, 0x85, 0x90, 43, 8, 17]),
        st.binary(max_size=10),
    ).map(lambda parts: with_crc(bytes(parts[:2]) + parts[2]))
    near = st.tuples(st.sampled_from([5, 6, 16]), st.integers(0, 7), st.sampled_from([0, 4, 47, 0xFF00])).map(
        lambda parts: with_crc(bytes([1, parts[0], 0, parts[1]]) + parts[2].to_bytes(2, "big"))
    )
    values = st.tuples(st.sampled_from([1, 3, 4]), st.integers(0, 10), st.binary(max_size=10)).map(
        lambda parts: with_crc(bytes([1, parts[0], parts[1]]) + parts[2])
    )
    return st.lists(st.one_of(anything, framed, ours, near, values, st.just(ACK)), min_size=1, max_size=3)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=replies(), question=st.sampled_from(sorted(QUESTIONS)))
def test_only_our_errors_and_only_the_right_reply(tmp_path: Path, chunks: list[bytes], question: str) -> None:
    async def main() -> None:
        quick = BusSettings(timeout_s=0.005, quiet_s=0.0, min_gap_s=0.0)
        act, answer = QUESTIONS[question]
        async with connected(tmp_path, quick) as rig:

            def reply(_request: bytes) -> None:
                for chunk in chunks:
                    rig.line.write(chunk)

            rig.line.on_data = reply
            stream = b"".join(chunks)
            try:
                values = await act(rig.bus)
            except (NoReply, BadReply):
                assert stream != answer
                return
            if values is None:
                assert answer in stream
                return
            body = b"".join(int(word).to_bytes(2, "big") for word in values)
            if question == "coils":
                assert len(values) == 8
                body = bytes([sum(on << place for place, on in enumerate(values))])
            assert with_crc(answer + body) in stream

    run(main())


# ---------------------------------------------------------------------- ports


@pytest.mark.parametrize("target", ["ftp://x", "tcp://", "tcp://host:99999", "rtu+tcp://:1"])
def test_what_is_no_port(target: str) -> None:
    with pytest.raises(DriverError, match="tcp://host:502"):
        PymodbusBus(target)


def test_a_missing_port(tmp_path: Path) -> None:
    async def main() -> None:
        bus = PymodbusBus(str(tmp_path / "ttyUSB7"))
        with pytest.raises(PortError, match="no such port; check that the adapter is plugged in"):
            await bus.connect()
        with pytest.raises(PortError, match="not connected"):
            await bus.write_registers(1, 0, BLANKS)
        await bus.close()

    run(main())


def test_a_port_that_is_no_serial_port(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "file").touch()
        bus = PymodbusBus(str(tmp_path / "file"))
        with pytest.raises(PortError):
            await bus.connect()

    run(main())


def test_a_port_that_refuses_its_settings_is_given_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            await rig.bus.close()
            even = PymodbusBus(rig.bus.name, LineSettings(9600, parity="E"))  # a pty takes no parity
            with pytest.raises(PortError, match="check baud and parity"):
                await even.connect()
            await rig.bus.connect()

    run(main())


def test_a_busy_port(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            second = PymodbusBus(rig.bus.name)
            with pytest.raises(PortError, match="in use by another program"):
                await second.connect()

    run(main())


def test_unplugged_in_the_middle_of_a_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path, BusSettings(timeout_s=5.0)) as rig:
            rig.end.faults = {PanelFault.DEAD}
            task = asyncio.create_task(put(rig.bus, Face(47)))
            await until(lambda: rig.requests)
            rig.line.unplug()
            async with asyncio.timeout(1):
                with pytest.raises(PortError, match="the port went away"):
                    await task
            with pytest.raises(PortError, match="the port went away"):
                await put(rig.bus, Face(47))
            with pytest.raises(PortError, match="no such port"):
                await rig.bus.connect()
            assert asyncio.all_tasks() == {asyncio.current_task()}  # nobody reconnects behind our back
            rig.line.plug()
            rig.end.faults = set()
            await rig.bus.connect()
            await asyncio.sleep(0)
            await put(rig.bus, Face(47))
            assert rig.twin.lit() == "  47"

    run(main())


def test_connecting_twice_and_closing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as rig:
            await rig.bus.connect()
            await put(rig.bus, Face(47))
            await rig.bus.close()
            await rig.bus.close()
            await rig.bus.connect()
            await put(rig.bus, Face(48))

    run(main())


def test_cancelled_while_connecting(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path)
        rig.line.plug()
        for turns in range(6):
            task = asyncio.create_task(rig.bus.connect())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await rig.bus.close()
        await rig.bus.connect()  # the port was given back each time
        await put(rig.bus, Face(47))
        await rig.bus.close()
        rig.line.unplug()

    run(main())


# ---------------------------------------------------------------------- TCP


class TcpPanel:
    """A panel behind a socket, RTU or MBAP framing."""

    def __init__(self, slave: Callable[[Dm56a04Twin], Slave]) -> None:
        self.twin = Dm56a04Twin()
        self.make = slave
        self.dead = False
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        slave = self.make(self.twin)
        while data := await reader.read(1000):
            for frame in slave.split(data):
                reply = slave.answer(frame)
                if reply is not None and not self.dead:
                    writer.write(reply)
        writer.close()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()
            await asyncio.sleep(0.01)  # the connections' own tasks see their end


@pytest.mark.parametrize(
    ("scheme", "slave"),
    [("tcp", lambda twin: MbapSlave(1, twin)), ("rtu+tcp", lambda twin: RtuSlave(1, twin))],
)
def test_over_tcp(scheme: str, slave: Callable[[Dm56a04Twin], Slave]) -> None:
    async def main() -> None:
        panel = TcpPanel(slave)
        async with panel.listening() as port:
            bus = PymodbusBus(f"{scheme}://127.0.0.1:{port}", settings=FAST_BUS)
            await bus.connect()
            await put(bus, Face(47))
            assert panel.twin.lit() == "  47"
            assert await bus.read_registers(1, 0, 4) == list(LIT_47)
            panel.dead = True
            for _ in range(3):
                with pytest.raises(NoReply):
                    await put(bus, Face(48))
            panel.dead = False
            await put(bus, Face(49))  # on a new connection: the old one was silent for too long
            assert (panel.twin.lit(), panel.connections) == ("  49", 2)
            await bus.close()

    run(main())


def test_tcp_refused() -> None:
    async def main() -> None:
        panel = TcpPanel(lambda twin: MbapSlave(1, twin))
        async with panel.listening() as port:
            pass
        with pytest.raises(PortError, match="connection refused"):
            await PymodbusBus(f"tcp://127.0.0.1:{port}").connect()

    run(main())


@pytest.mark.parametrize(
    ("scheme", "slave"),
    [("tcp", lambda twin: MbapSlave(1, twin)), ("rtu+tcp", lambda twin: RtuSlave(1, twin))],
)
def test_tcp_reset_in_the_middle_of_a_request(scheme: str, slave: Callable[[Dm56a04Twin], Slave]) -> None:
    async def main() -> None:
        twin, line = Dm56a04Twin(), TcpLine()
        end = PanelEnd(line, slave(twin))
        await line.start()
        bus = PymodbusBus(f"{scheme}://{line.address}", settings=BusSettings(timeout_s=5.0))
        with no_error_in_the_loop():
            await bus.connect()
            await put(bus, Face(47))
            end.faults = {PanelFault.RESET}
            async with asyncio.timeout(1):  # at once, not after the time-out
                with pytest.raises(PortError, match="went away"):
                    await put(bus, Face(48))
            assert (twin.lit(), bus._client is not None and bus._client.connected) == ("  47", False)
            end.faults = set()
            with pytest.raises(PortError, match="went away"):
                await put(bus, Face(48))  # connecting again is the owner's business
            await bus.connect()
            await put(bus, Face(49))
            assert twin.lit() == "  49"
            await bus.close()
        await line.stop()

    run(main())


@pytest.mark.parametrize(
    "fault", [PanelFault.REPEAT, PanelFault.WRONG_ID, PanelFault.CUT, PanelFault.BAD_CRC]
)
def test_tcp_replies_that_are_none(fault: PanelFault) -> None:
    async def main() -> None:
        twin, line = Dm56a04Twin(), TcpLine()
        end = PanelEnd(line, MbapSlave(1, twin))
        await line.start()
        bus = PymodbusBus(f"tcp://{line.address}", settings=FAST_BUS)
        with no_error_in_the_loop():
            await bus.connect()
            end.faults = {fault}
            if fault is PanelFault.REPEAT:
                await put(bus, Face(46))  # the second is nobody's
            else:
                with pytest.raises(NoReply):
                    await put(bus, Face(46))
            end.faults = set()
            await put(bus, Face(47))
            assert await bus.read_registers(1, 0, 4) == list(LIT_47)
            await bus.close()
        await line.stop()

    run(main())
