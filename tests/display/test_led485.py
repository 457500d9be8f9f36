"""The LED-485 family: text with the map of 2014, segments with that of 2024."""

from __future__ import annotations

import pytest

from drivers.display.led485 import Led485
from drivers.display.seven_segment import GLYPHS, SEGMENTS
from simulator.modbus_pdu import IllegalAddress, IllegalValue
from simulator.panels.led485 import Led4852014Twin, Led4852024Twin
from simulator.panels.segments import draw, read
from speedsign.model import BLANK, Face
from speedsign.ports import WriteRegisters


def text_of(write: WriteRegisters) -> bytes:
    assert write.address == 0x70
    return b"".join(value.to_bytes(2, "big") for value in write.values)


@pytest.mark.parametrize(
    ("digits", "face", "text"),
    [
        (4, Face(47), b"  47" + bytes(8)),
        (4, Face(130), b" 130" + bytes(8)),
        (3, Face(47), b" 47" + bytes(9)),
        (2, Face(99), b"99" + bytes(10)),
        (2, Face(100), b" " * 12),
        (4, BLANK, b" " * 12),
        (4, Face(word="SLO"), b" SLO" + bytes(8)),
        (4, Face(word="LĒN"), b" " * 12),
        (4, Face(word="PALDIES"), b" " * 12),
    ],
)
def test_text_is_twelve_bytes(digits: int, face: Face, text: bytes) -> None:
    (write,) = Led485(digits).writes(face, 1.0)
    assert text_of(write) == text


@pytest.mark.parametrize(
    ("face", "values"),
    [
        (Face(47), (0, 0, 0x6607)),
        (Face(888888), (0x7F7F, 0x7F7F, 0x7F7F)),
        (BLANK, (0, 0, 0)),
        (Face(1000000), (0, 0, 0)),
        (Face(word="-"), (0, 0, 0x0040)),
        (Face(word="AČIŪ"), (0, 0, 0)),
    ],
)
def test_segments_two_digits_a_register(face: Face, values: tuple[int, ...]) -> None:
    assert Led485(profile="2024").writes(face, 1.0) == (WriteRegisters(0x80, values),)


def test_the_old_map_has_eight_steps_of_brightness() -> None:
    driver = Led485()
    steps = [driver.brightness(level) for level in (0.0, 0.5, 1.0)]
    assert steps == [(WriteRegisters(0x24, (step,), single=True),) for step in (0, 4, 7)]
    assert driver.capabilities.brightness_levels == 8
    assert Led485(profile="2024").brightness(1.0) == ()
    assert Led485(profile="2024").capabilities.brightness_levels == 0


@pytest.mark.parametrize(("profile", "register"), [("2014", 0x25), ("2024", 0x04)])
def test_no_decimals_from_the_start(profile: str, register: int) -> None:
    driver = Led485(profile=profile)
    assert driver.start() == (WriteRegisters(register, (0,), single=True),)
    assert driver.read_back(Face(47), 1.0) is None


# ---------------------------------------------------------------------- the font


@pytest.mark.parametrize("glyph", sorted(GLYPHS))
def test_a_glyph_is_read_as_what_it_is(glyph: str) -> None:
    """By the simulator's own table; an S is seen as a 5, as everywhere."""
    seen = read(SEGMENTS[glyph])
    assert seen == {"S": "5"}.get(glyph.upper(), glyph.upper())
    assert draw(seen) == draw(glyph)


def test_no_letter_but_s_looks_like_a_digit() -> None:
    digits = {SEGMENTS[digit] for digit in "0123456789"}
    assert {glyph for glyph in GLYPHS if glyph.isalpha() and SEGMENTS[glyph] in digits} == {"S", "s"}


# ---------------------------------------------------------------------- the panels themselves


@pytest.mark.parametrize(
    ("text", "lit"),
    [
        (b"  47" + bytes(8), "  47"),
        (b"P2.3" + bytes(8), "P2.3 "),
        (b"12345678" + bytes(4), "1234"),
        (b"8.8.8.8." + bytes(4), "8.8.8.8."),
        (b"7" + bytes(11), "7   "),
        (bytes(12), "    "),
        (b"1..2" + bytes(8), "1..2 "),  # a point of its own takes a digit
    ],
)
def test_text_on_the_old_one(text: bytes, lit: str) -> None:
    twin = Led4852014Twin()
    pairs = zip(text[::2], text[1::2], strict=True)
    twin.write(0x70, [high << 8 | low for high, low in pairs])
    assert twin.lit() == lit


def test_numbers_on_the_old_one() -> None:
    twin = Led4852014Twin()
    twin.write(0x25, [1])
    twin.write(0x88, [47])
    assert twin.lit() == "  4.7"
    twin.write(0x90, [0x0102, 490])
    assert twin.lit() == "-4.90"
    twin.write(0x88, [0x8000])
    assert twin.lit() == "----"
    twin.power_cycle()
    assert twin.lit() == "0000"


def test_the_point_of_the_new_one_is_lost_without_power() -> None:
    twin = Led4852024Twin()
    twin.write(0x04, [2])
    twin.write(0x00, [47])
    assert twin.lit() == "   0.47"
    twin.power_cycle()
    twin.write(0x00, [47])
    assert twin.lit() == "    47"


def test_what_they_refuse() -> None:
    old, new = Led4852014Twin(), Led4852024Twin()
    assert old.read(0x1D, 1) == [0]
    assert not hasattr(new, "read")
    for twin, address, values in (
        (old, 0x71, [0x2020]),  # text from its middle
        (old, 0x80, [0, 0, 0]),  # the other map
        (new, 0x24, [7]),
        (new, 0x83, [0]),
    ):
        with pytest.raises(IllegalAddress):
            twin.write(address, values)
    with pytest.raises(IllegalAddress):
        old.read(0x70, 6)
    for twin, address, values in ((old, 0x24, [8]), (new, 0x80, [0x0080, 0, 0])):
        with pytest.raises(IllegalValue):
            twin.write(address, values)
