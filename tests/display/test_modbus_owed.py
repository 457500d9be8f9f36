"""Which question makes sure that a unit's late replies are past; and which bytes are a reply. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus_owed import LATE_S, Owed
from drivers.modbus_rules import READ_COILS, READ_HOLDING, READ_INPUTS, WRITE_COIL, WRITE_MULTIPLE, Ask
from simulator.rtu_slave import crc16, with_crc
from speedsign.errors import DriverError


def probe(owed: Owed, unit: int, now_s: float = 0.0) -> tuple[int, int, int] | None:
    ask = owed.probe(unit, now_s)
    return None if ask is None else (ask.function, ask.address, ask.count)


FACE = Ask(1, WRITE_MULTIPLE, 0, 4, (32, 32, 52, 55))


@pytest.mark.parametrize(
    ("ask", "asked"),
    [
        (FACE, (READ_HOLDING, 0, 1)),
        (Ask(1, READ_HOLDING, 8, 2), (READ_HOLDING, 8, 1)),
        (Ask(1, READ_HOLDING, 8, 1), (READ_HOLDING, 8, 2)),
        (Ask(1, READ_HOLDING, 0xFFFF, 1), (READ_HOLDING, 0xFFFE, 2)),
        (Ask(1, READ_INPUTS, 3, 1), (READ_INPUTS, 3, 2)),
        (Ask(1, WRITE_COIL, 0x0203, 1, (7,)), (READ_COILS, 0, 1)),
        (Ask(1, READ_COILS, 0, 8), (READ_COILS, 0, 9)),  # one byte is waited for: ask for two
        (Ask(1, READ_COILS, 0, 9), (READ_COILS, 0, 1)),
    ],
)
def test_what_is_asked_cannot_be_taken_for_what_is_late(ask: Ask, asked: tuple[int, int, int]) -> None:
    owed = Owed()
    assert not owed
    owed.add(ask, 0.0)
    assert owed
    assert probe(owed, 1) == asked
    owed.settle(1)
    assert not owed
    assert probe(owed, 1) is None


def test_one_unit_holds_up_no_other() -> None:
    owed = Owed()
    owed.add(Ask(2, WRITE_COIL, 0, 1, (0xFF00,)), 0.0)
    assert probe(owed, 1) is None
    owed.add(FACE, 0.0)
    owed.settle(1)
    assert probe(owed, 2) == (READ_COILS, 0, 1)


def test_each_lost_probe_makes_the_next_another() -> None:
    owed = Owed()
    owed.add(FACE, 0.0)
    for count in (1, 2, 3):
        ask = owed.probe(1, 1.0)
        assert ask is not None
        assert ask.count == count
        owed.add(ask, 1.0, probe=True)


def test_who_never_answers_a_probe_is_asked_the_real_thing_again() -> None:
    """A device may be deaf to reads that it does not know: it must not be asked for them for ever."""
    owed = Owed()
    owed.add(FACE, 0.0)
    asked_s = []
    for tries in range(100):
        if ask := owed.probe(1, 0.3 * tries):
            owed.add(ask, 0.3 * tries, probe=True)
            asked_s.append(0.3 * tries)
    assert asked_s[-1] == pytest.approx(LATE_S, abs=0.3)
    assert not owed


def test_a_refusal_is_ambiguous_only_where_a_read_of_that_kind_is_late() -> None:
    owed = Owed()
    owed.add(FACE, 0.0)
    ask = owed.probe(1, 0.0)
    assert ask is not None
    assert not owed.is_ambiguous(ask)
    owed.add(Ask(1, READ_HOLDING, 0, 4), 0.0)
    assert owed.is_ambiguous(ask)  # and with it that read has come …
    assert not owed.is_ambiguous(ask)
    assert owed  # … but what else is late is still not known


def test_forgotten_on_a_new_connection() -> None:
    owed = Owed()
    owed.add(FACE, 0.0)
    owed.add(Ask(2, READ_INPUTS, 0, 1), 0.0)
    owed.clear()
    assert (bool(owed), probe(owed, 1), probe(owed, 2)) == (False, None, None)


# ---------------------------------------------------------------------- where a reply begins


def intact(frame: bytes) -> bool:
    return crc16(frame[:-2]) == frame[-2:]


def begins(ask: Ask, heard: bytes, *, echo_told: bool = False) -> int:
    sent = with_crc(bytes([ask.unit, ask.function]) + ask.body)
    return ask.reply_begins(heard, sent, echo_told=echo_told, intact=intact)


ACK = with_crc(bytes.fromhex("01 10 00 00 00 04"))
LATE = [  # of unit 2, each holding what looks like the beginning of a reply of unit 1
    with_crc(bytes.fromhex("02 03 04 01 10 00 01")),
    with_crc(bytes.fromhex("02 10 00 01 03 00")),
    with_crc(bytes.fromhex("02 01 01 01")),
    with_crc(bytes.fromhex("02 83 01")),
]


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("cut", [None, 1, 4])
def test_behind_what_another_unit_says_late(late: bytes, cut: int | None) -> None:
    assert begins(FACE, late + ACK) == len(late)
    assert begins(FACE, late[:cut]) <= len(late)
    exception = with_crc(bytes.fromhex("01 90 03"))
    assert begins(FACE, late + exception) == len(late)


@given(st.binary(max_size=40), st.integers(0, 8))
def test_behind_any_noise(noise: bytes, cut: int) -> None:
    assert begins(FACE, noise + ACK) <= len(noise)
    whole = noise + ACK[:cut]
    begin = begins(FACE, whole)
    assert begin == len(whole) or whole[begin] == 1


def test_a_broken_frame_does_not_hide_the_whole_one_behind_it() -> None:
    broken = ACK[:-1] + b"\x00"
    assert begins(FACE, broken) == len(broken)
    assert begins(FACE, broken + ACK) == len(broken)
    assert begins(FACE, ACK[:5] + ACK) == 5


@pytest.mark.parametrize("function", [5, 6])
def test_an_echo_of_what_is_answered_by_itself_can_only_be_told(function: int) -> None:
    ask = Ask(1, function, 0, 1, (0xFF00,))
    sent = with_crc(bytes([1, function]) + ask.body)
    assert begins(ask, sent) == 0
    assert begins(ask, sent, echo_told=True) == 0  # the echo was taken away before
    assert begins(FACE, with_crc(bytes([1, 16]) + FACE.body)) == len(FACE.body) + 4


# ---------------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("function", "count"), [(READ_COILS, 2001), (READ_COILS, 0), (READ_INPUTS, 126), (READ_HOLDING, 126)]
)
def test_more_than_one_request_can_carry(function: int, count: int) -> None:
    things = "coils" if function == READ_COILS else "registers"
    with pytest.raises(DriverError, match=f"{count} {things} at 0 cannot be asked for at once"):
        Ask(1, function, 0, count)


class Came:
    """A reply as the client hands it over."""

    def __init__(self, body: str, function: int, unit: int = 1) -> None:
        self.dev_id, self.function_code, self.body = unit, function, bytes.fromhex(body)


RELAY_ON = Ask(1, WRITE_COIL, 3, 1, (0xFF00,))


@pytest.mark.parametrize(
    ("ask", "reply", "wrong"),
    [
        (RELAY_ON, Came("00 03 FF 00", 5), None),
        (RELAY_ON, Came("00 03 00 00", 5), "value 0 instead of 65280"),
        (RELAY_ON, Came("00 04 FF 00", 5), "address 4 instead of 3"),
        (RELAY_ON, Came("00 03 FF 00 00", 5), "5 bytes instead of 4"),
        (RELAY_ON, Came("00 03 FF 00", 6), "function 6 instead of 5"),
        (RELAY_ON, Came("00 03 FF 00", 5, unit=2), "it calls itself unit 2"),
        (RELAY_ON, Came("02", 0x85), None),
        (Ask(1, READ_COILS, 0, 8), Came("01 05", 1), None),
        (Ask(1, READ_COILS, 0, 8), Came("02 05 00", 1), "2 bytes instead of 1"),
        (Ask(1, READ_COILS, 0, 9), Came("01 05", 1), "1 bytes instead of 2"),
        (Ask(1, READ_COILS, 0, 8), Came("01 05 00", 1), "its length is not what it says"),
        (Ask(1, READ_COILS, 0, 8), Came("", 1), "its length is not what it says"),
        (Ask(1, READ_INPUTS, 0, 2), Came("04 00 01 00 02", 4), None),
        (Ask(1, READ_INPUTS, 0, 2), Came("05 00 01 00 02 00", 4), "5 bytes instead of 4"),
        (Ask(1, READ_HOLDING, 0, 2), Came("02 00 01", 3), "2 bytes instead of 4"),
        (FACE, Came("00 00 00 04", 16), None),
        (FACE, Came("00 00 00 03", 16), "3 registers instead of 4"),
    ],
)
def test_only_what_was_asked_for_answers(ask: Ask, reply: Came, wrong: str | None) -> None:
    assert ask.mismatch(reply) == wrong


def test_the_first_coil_is_the_lowest_bit() -> None:
    coils = Ask(1, READ_COILS, 0, 10).coils_of(Came("02 05 02", 1))
    assert [place for place, on in enumerate(coils) if on] == [0, 2, 9]
    assert len(coils) == 10
