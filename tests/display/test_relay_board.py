"""The simulated relay board: coils, the vendor's timed on, what hangs on its contacts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.modbus_pdu import OFF, ON, answer_pdu
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.relay_board import FLASH_ON, RelayBoard
from simulator.rtu_slave import IllegalAddress, IllegalValue, MbapSlave, RtuSlave, with_crc
from tests.display.vectors import hex_of


@pytest.fixture
def board() -> RelayBoard:
    return RelayBoard()


def on(board: RelayBoard) -> list[int]:
    return [relay for relay, closed in enumerate(board.lit()) if closed]


@pytest.mark.parametrize(
    ("frame", "relays"),
    [
        ("01 05 00 00 FF 00 8C 3A", [0, 3]),
        ("01 05 00 00 00 00 CD CA", [3]),
        ("01 05 02 00 00 07 8D B0", [0, 3]),
        ("01 05 00 00 55 00 F2 9A", [0, 3]),
    ],
)
def test_published_frames_are_answered_by_themselves(
    board: RelayBoard, frame: str, relays: list[int]
) -> None:
    board.write_coil(3, ON)
    assert [hex_of(reply) for reply in RtuSlave(1, board).feed(bytes.fromhex(frame))] == [frame]
    assert on(board) == relays


def test_published_reading(board: RelayBoard) -> None:
    board.write_coil(0, ON)
    (reply,) = RtuSlave(1, board).feed(bytes.fromhex("01 01 00 00 00 08 3D CC"))
    assert hex_of(reply) == "01 01 01 01 90 48"


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("05 00 08 FF 00", "85 02"),
        ("05 00 00 01 00", "85 03"),  # a manual says that this is on; the boards take FF00 alone
        ("05 00 00 FF", "85 03"),
        ("05 02 08 00 07", "85 02"),
        ("05 02 00 00 00", "85 03"),
        ("01 00 00 00 09", "81 02"),
        ("01 00 00 00 00", "81 03"),
        ("01 00 00 07 D1", "81 03"),
        ("0F 00 00 00 08 01 55", "0F 00 00 00 08"),
        ("0F 00 00 00 09 01 55", "8F 03"),  # nine coils are two bytes
        ("0F 00 04 00 05 01 1F", "8F 02"),
        ("0F 00 00 00 00 00", "8F 03"),
        ("03 00 00 00 01", "83 01"),
        ("04 00 00 00 01", "84 01"),
        ("06 00 00 00 01", "86 01"),
        ("10 00 00 00 01 02 00 00", "90 01"),
        ("02 00 00 00 08", "82 01"),
    ],
)
def test_what_the_board_has_and_what_not(board: RelayBoard, request_: str, reply: str) -> None:
    assert answer_pdu(board, bytes.fromhex(request_)) == bytes.fromhex(reply)


def test_many_at_once(board: RelayBoard) -> None:
    answer_pdu(board, bytes.fromhex("0F 00 01 00 05 01 15"))
    assert on(board) == [1, 3, 5]
    assert answer_pdu(board, bytes.fromhex("01 00 01 00 05")) == bytes.fromhex("01 01 15")


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_what_is_written_is_read(coils: list[bool], data: st.DataObject) -> None:
    board = RelayBoard(len(coils))
    for relay, closed in enumerate(coils):
        board.write_coil(relay, ON if closed else OFF)
    first = data.draw(st.integers(0, len(coils) - 1))
    count = data.draw(st.integers(1, len(coils) - first))
    reply = answer_pdu(board, bytes([1]) + first.to_bytes(2, "big") + count.to_bytes(2, "big"))
    assert reply[1] == len(reply) - 2 == (count + 7) // 8
    bits = [bool(reply[2 + at // 8] >> at % 8 & 1) for at in range(8 * reply[1])]
    assert bits == coils[first : first + count] + [False] * (8 * reply[1] - count)


def test_on_for_a_time(board: RelayBoard) -> None:
    board.write_coil(FLASH_ON + 2, 7)
    board.process(0.69)
    assert on(board) == [2]
    board.process(0.01)
    assert on(board) == []


def test_renewed_it_stays_on(board: RelayBoard) -> None:
    for _ in range(10):
        board.write_coil(FLASH_ON, 10)
        board.process(0.9)
        assert on(board) == [0]
    board.process(0.1)
    assert on(board) == []


def test_a_plain_word_ends_the_time(board: RelayBoard) -> None:
    board.write_coil(FLASH_ON, 5)
    board.write_coil(0, ON)
    board.process(10.0)
    assert on(board) == [0]
    board.write_coil(FLASH_ON, 5)
    board.write_coil(0, OFF)
    assert on(board) == []
    board.process(10.0)
    assert on(board) == []


def test_power(board: RelayBoard) -> None:
    seen: list[tuple[int, bool]] = []
    board.on_change = lambda relay, closed: seen.append((relay, closed))
    board.write_coil(1, ON)
    board.write_coil(FLASH_ON + 2, 50)
    board.power_off()
    assert not board.powered
    board.power_on()
    board.process(1.0)
    assert (on(board), seen) == ([], [(1, True), (2, True), (1, False), (2, False)])


def test_a_relay_switches_a_panel_s_power(board: RelayBoard) -> None:
    panel = Dm56a04Twin()
    board.wire(0, panel.power_on, panel.power_off)
    assert (panel.powered, panel.lit()) == (False, "    ")  # the contact is open
    board.write_coil(0, ON)
    assert (panel.powered, panel.lit()) == (True, "0000")
    panel.write(0, [0x20, 0x20, 0x34, 0x37])
    board.write_coil(0, ON)  # it is on: no power cycle
    assert panel.lit() == "  47"
    board.power_cycle()
    assert panel.lit() == "    "


@pytest.mark.parametrize(("relay", "value"), [(8, ON), (0x1FF, ON), (FLASH_ON + 8, 1), (0xFFFF, OFF)])
def test_no_such_relay(board: RelayBoard, relay: int, value: int) -> None:
    with pytest.raises(IllegalAddress):
        board.write_coil(relay, value)
    assert board.writes == 0


def test_refused_values_change_nothing(board: RelayBoard) -> None:
    with pytest.raises(IllegalValue):
        board.write_coil(0, 1)
    with pytest.raises(IllegalValue):
        board.write_coil(FLASH_ON, 0x8000)
    assert (on(board), board.writes) == ([], 0)


def test_over_tcp(board: RelayBoard) -> None:
    request = bytes.fromhex("12 34 00 00 00 06 01 05 00 00 FF 00")
    assert MbapSlave(1, board).feed(request) == [request]
    assert on(board) == [0]


def test_a_broadcast_switches_without_a_word(board: RelayBoard) -> None:
    slave = RtuSlave(1, board)
    assert slave.feed(with_crc(bytes.fromhex("00 05 00 04 FF 00"))) == []
    assert slave.feed(with_crc(bytes.fromhex("00 01 00 00 00 08"))) == []
    assert on(board) == [4]
