"""The simulated slave and panel, against the published frames and against pymodbus's own client side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.panels.segments import draw
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import MAX_BUFFER, IllegalAddress, IllegalValue, MbapSlave, RtuSlave, crc16, with_crc
from tests.display import vectors
from tests.display.vectors import hex_of


def frame(text: str) -> bytes:
    """Bytes and their CRC."""
    return with_crc(bytes.fromhex(text))


@pytest.fixture
def twin() -> Dm56a04Twin:
    return Dm56a04Twin()


@pytest.fixture
def slave(twin: Dm56a04Twin) -> RtuSlave:
    return RtuSlave(1, twin)


@pytest.mark.parametrize(
    ("exchange", "lit"),
    [
        (vectors.SHOW_47_NUMERIC, "  47"),
        (vectors.SHOW_47, "  47"),
        (vectors.DASHES, "  --"),
        (vectors.BLANK, "    "),
        (vectors.LAMP_TEST, "8888"),
        (vectors.BRIGHTNESS_1, "0000"),
        (vectors.BRIGHTNESS_8, "0000"),
        (vectors.BLINK_ALL, "0000"),
        (vectors.BLINK_OFF, "0000"),
        (vectors.READ_BLINK_BRIGHTNESS, "0000"),
        (vectors.READ_SETTINGS, "0000"),
    ],
)
def test_published_frames(slave: RtuSlave, twin: Dm56a04Twin, exchange: tuple[str, str], lit: str) -> None:
    request, reply = exchange
    assert [hex_of(answer) for answer in slave.feed(bytes.fromhex(request))] == [reply]
    assert twin.lit() == lit


def test_read_back_after_47(slave: RtuSlave) -> None:
    slave.feed(bytes.fromhex(vectors.SHOW_47[0]))
    request, reply = vectors.READ_DIGITS_47
    assert [hex_of(answer) for answer in slave.feed(bytes.fromhex(request))] == [reply]


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("01 05 00 00 FF 00", "01 85 01"),  # no coils
        ("01 0F 00 00 00 08 01 FF", "01 8F 01"),
        ("01 01 00 00 00 08", "01 81 01"),
        ("01 04 00 00 00 01", "01 84 01"),  # no input registers
        ("01 03 00 64 00 01", "01 83 02"),  # no such register
        ("01 06 00 0A 00 01", "01 86 02"),
        ("01 10 FF FF 00 02 04 00 00 00 00", "01 90 02"),  # beyond the last address
        ("01 03 00 00 00 00", "01 83 03"),
        ("01 03 00 00 00 7E", "01 83 03"),
        ("01 06 00 09 00 09", "01 86 03"),  # brightness 9
        ("01 10 00 00 00 02 02 00 20", "01 90 03"),  # two registers, two bytes
        ("01 10 00 00 00 00 00", "01 90 03"),
    ],
)
def test_refusals(slave: RtuSlave, twin: Dm56a04Twin, request_: str, reply: str) -> None:
    assert slave.feed(frame(request_)) == [frame(reply)]
    assert (twin.writes, twin.lit()) == (0, "0000")


def test_a_broadcast_is_obeyed_without_a_word(slave: RtuSlave, twin: Dm56a04Twin) -> None:
    assert slave.feed(frame("00 10 00 00 00 04 08 00 20 00 20 00 20 00 20")) == []
    assert twin.lit() == "    "


def test_requests_to_others_are_not_ours(slave: RtuSlave, twin: Dm56a04Twin) -> None:
    assert slave.feed(frame("02 06 00 07 00 2F")) == []
    assert twin.lit() == "0000"


def test_a_wrong_crc_gets_no_answer(slave: RtuSlave) -> None:
    assert slave.feed(bytes.fromhex("01 06 00 07 00 2F 79 D8")) == []


@given(st.data(), st.binary(max_size=40))
def test_any_split_behind_any_noise(data: st.DataObject, noise: bytes) -> None:
    slave = RtuSlave(1, Dm56a04Twin())
    requests = [bytes.fromhex(text) for text, _ in (vectors.SHOW_47, vectors.READ_DIGITS_47, vectors.DASHES)]
    stream = noise + b"".join(requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    frames = [
        frame
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in slave.split(stream[begin:end])
    ]
    # Noise that happens to begin a longer request hides what comes until that proves wrong.
    assert frames[-len(requests) :] == requests


@given(st.lists(st.binary(max_size=600), max_size=6))
def test_garbage_is_bounded_and_does_not_deafen(chunks: list[bytes]) -> None:
    slave = RtuSlave(1, Dm56a04Twin())
    for chunk in chunks:
        slave.split(chunk)
        assert len(slave._buffer) <= MAX_BUFFER
    assert slave.split(bytes.fromhex(vectors.SHOW_47[0]))[-1:] == [bytes.fromhex(vectors.SHOW_47[0])]


def test_endless_noise_is_forgotten(slave: RtuSlave) -> None:
    for _ in range(20):
        assert slave.split(b"\x01\x10\xff" * 200) == []
        assert len(slave._buffer) <= MAX_BUFFER


# ---------------------------------------------------------------------- against pymodbus


class Everything(Dm56a04Twin):
    """The panel's registers, a relay board's coils, and two input registers."""

    def __init__(self) -> None:
        super().__init__()
        self.relays = RelayBoard(20)
        self.read_coils, self.write_coil = self.relays.read_coils, self.relays.write_coil

    def read_inputs(self, address: int, count: int) -> list[int]:
        if address + count > 2:
            raise IllegalAddress
        return [47, 0xFFFF][address : address + count]


def requests() -> st.SearchStrategy[ModbusPDU]:
    address, word = st.integers(0, 0x110), st.integers(0, 0xFFFF)
    coil, ours = st.integers(0, 24), st.just(1)
    few, coils = st.integers(1, 24), st.lists(st.booleans(), min_size=1, max_size=24)
    return st.one_of(
        st.builds(ReadHoldingRegistersRequest, address=address, count=st.integers(1, 12), dev_id=ours),
        st.builds(ReadInputRegistersRequest, address=st.integers(0, 2), count=st.integers(1, 3), dev_id=ours),
        st.builds(WriteSingleRegisterRequest, address=address, registers=st.tuples(word), dev_id=ours),
        st.builds(
            WriteMultipleRegistersRequest,
            address=address,
            registers=st.lists(word, min_size=1, max_size=12),
            dev_id=ours,
        ),
        st.builds(ReadCoilsRequest, address=coil, count=few, dev_id=ours),
        st.builds(WriteSingleCoilRequest, address=coil, bits=st.tuples(st.booleans()), dev_id=ours),
        st.builds(WriteMultipleCoilsRequest, address=coil, bits=coils, dev_id=ours),
    )


@given(requests(), st.booleans())
def test_pymodbus_understands_every_reply(request_: ModbusPDU, tcp: bool) -> None:
    framer = (FramerSocket if tcp else FramerRTU)(DecodePDU(False))
    device = Everything()
    slave = (MbapSlave if tcp else RtuSlave)(1, device)
    request_.transaction_id = 77 if tcp else 0
    (reply,) = slave.feed(framer.buildFrame(request_))
    used, pdu = framer.handleFrame(reply, 1, request_.transaction_id)
    assert used == len(reply)
    assert pdu is not None
    assert pdu.function_code & 0x7F == request_.function_code
    if pdu.isError():
        return
    match request_.function_code:
        case 1:
            held = device.relays.lit()[request_.address :][: request_.count]
            assert list(pdu.bits) == held + [False] * (-len(held) % 8)
        case 3 | 4:
            assert len(pdu.registers) == request_.count
        case 5:
            assert (pdu.address, list(pdu.bits)) == (request_.address, list(request_.bits))
        case 6:
            assert (pdu.address, list(pdu.registers)) == (request_.address, list(request_.registers))
        case 15:
            assert (pdu.address, pdu.count) == (request_.address, request_.count)
            assert device.relays.lit()[pdu.address :][: pdu.count] == list(request_.bits)
        case _:
            assert (pdu.address, pdu.count) == (request_.address, request_.count)


@given(st.binary(max_size=300))
def test_the_crc_is_pymodbus_s(data: bytes) -> None:
    assert crc16(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


# ---------------------------------------------------------------------- Modbus TCP


def test_mbap_keeps_the_transaction_id(twin: Dm56a04Twin) -> None:
    slave = MbapSlave(1, twin)
    request = bytes.fromhex("12 34 00 00 00 06 01 06 00 07 00 2F")
    assert slave.feed(request[:5]) == []
    assert slave.feed(request[5:] + request) == [request, request]
    assert twin.lit() == "  47"


def test_mbap_drops_what_is_no_header(twin: Dm56a04Twin) -> None:
    slave = MbapSlave(1, twin)
    assert slave.feed(b"GET / HTTP/1.1\r\n\r\n") == []
    assert slave.feed(bytes.fromhex("00 01 00 00 00 06 01 06 00 07 00 2F")) != []


# ---------------------------------------------------------------------- the panel itself


def test_power_up_lights_the_label_and_forgets_settings(twin: Dm56a04Twin) -> None:
    seen: list[str] = []
    twin.on_change = seen.append
    twin.write(0, [0x20] * 4)
    twin.write(9, [1])
    twin.power_cycle()
    assert seen == ["    ", "0000"]
    assert twin.brightness == 8


@pytest.mark.parametrize(
    ("high", "low", "lit"),
    [(0x0000, 47, "  47"), (0x1000, 12, " -12"), (0x0001, 0x0000, "5536"), (0x0000, 0xFFFF, "5535")],
)
def test_number_registers(twin: Dm56a04Twin, high: int, low: int, lit: str) -> None:
    twin.write(6, [high, low])
    assert twin.lit() == lit


def test_blinking_follows_time(twin: Dm56a04Twin) -> None:
    twin.write(0, [0x20, 0x20, 0x34, 0x37])
    twin.write(8, [0b0001])
    seen = [twin.lit()]
    for _ in range(2):
        twin.process(0.5)
        seen.append(twin.lit())
    assert seen == ["  47", "  4 ", "  47"]


def test_a_stuck_panel_catches_up(twin: Dm56a04Twin) -> None:
    twin.stuck = True
    twin.write(0, [0x20] * 4)
    assert (twin.lit(), twin.read(0, 1)) == ("0000", [0x30])
    twin.stuck = False
    twin.process(0.1)
    assert twin.lit() == "    "


def test_refused_values_change_nothing(twin: Dm56a04Twin) -> None:
    with pytest.raises(IllegalValue):
        twin.write(0, [0x34, 0x07])
    with pytest.raises(IllegalAddress):
        twin.write(9, [3, 3])
    assert (twin.lit(), twin.brightness, twin.writes) == ("0000", 8, 0)


def test_drawing_has_one_width() -> None:
    rows = draw(" 47-")
    assert len(rows) == 5
    assert {len(row) for row in rows} == {4 * 5 + 3}
    assert rows[2] == "       ━━━         ━━━ "
