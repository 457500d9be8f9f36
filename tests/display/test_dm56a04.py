"""The DM56A04's register map: faces to requests."""

from __future__ import annotations

import pytest

from drivers.display.dm56a04 import Dm56a04
from speedsign.errors import DriverError
from speedsign.model import BLANK, Face
from speedsign.ports import Expect, PanelDriver, WriteRegisters


def ascii_of(text: str) -> tuple[int, ...]:
    return tuple(text.encode("ascii"))


@pytest.mark.parametrize(
    ("number", "digits", "lit"),
    [
        (None, 4, "    "),
        (0, 4, "   0"),
        (7, 4, "   7"),
        (47, 4, "  47"),
        (130, 4, " 130"),
        (9999, 4, "9999"),
        (10000, 4, "    "),  # never 1000, never 0000
        (-1, 4, "    "),
        (47, 6, "    47"),
        (999999, 6, "999999"),
        (1000000, 6, "      "),
        (None, 6, "      "),
    ],
)
def test_every_digit_is_written_in_one_request(number: int | None, digits: int, lit: str) -> None:
    driver = Dm56a04(digits)
    assert driver.writes(Face(number), 1.0) == (WriteRegisters(0, ascii_of(lit)),)
    assert driver.read_back(Face(number), 1.0) == Expect(0, ascii_of(lit))
    assert driver.text(Face(number)) == lit


@pytest.mark.parametrize(
    ("word", "lit"),
    [
        ("SLOU", "SLOU"),
        ("--", "  --"),
        ("Lo", "  Lo"),
        ("PALdIES", "    "),  # 7 cells
        ("LĒN", "    "),  # never LEN
        ("KM", "    "),  # no form of these on seven segments
        ("1.2", "    "),
    ],
)
def test_a_word_is_whole_or_dark(word: str, lit: str) -> None:
    driver = Dm56a04()
    assert driver.writes(Face(word=word), 1.0) == (WriteRegisters(0, ascii_of(lit)),)
    assert driver.read_back(Face(word=word), 1.0) == Expect(0, ascii_of(lit))


def test_a_word_goes_before_a_number() -> None:
    assert Dm56a04().text(Face(47, word="SLO")) == " SLO"
    assert Dm56a04().text(Face(47, word="LĒN")) == "    "


@pytest.mark.parametrize(("digits", "mask"), [(4, 15), (6, 63)])
def test_blinking_ends_with_the_next_face(digits: int, mask: int) -> None:
    driver = Dm56a04(digits)
    assert len(driver.writes(Face(47), 1.0)) == 1, "who never blinks pays nothing"
    assert driver.writes(Face(47, blink=True), 1.0)[1:] == (WriteRegisters(8, (mask,)),)
    for face in (Face(47), BLANK, Face(word="--"), Face(blink=True)):
        assert driver.writes(face, 1.0)[1:] == (WriteRegisters(8, (0,)),)


@pytest.mark.parametrize(
    ("level", "step"), [(0.0, 1), (0.07, 1), (0.45, 4), (0.55, 5), (0.99, 8), (1.0, 8), (-3.0, 1), (17.0, 8)]
)
def test_brightness_has_eight_steps(level: float, step: int) -> None:
    assert Dm56a04().brightness(level) == (WriteRegisters(9, (step,)),)


def test_nothing_blinks_from_the_start() -> None:
    assert Dm56a04().start() == (WriteRegisters(8, (0,)),)


def test_the_lamp_test_lights_every_digit() -> None:
    assert Dm56a04(6).lamp_test(1.0) == (WriteRegisters(0, ascii_of("888888")),)


def test_blank_is_four_spaces() -> None:
    assert Dm56a04().writes(BLANK, 1.0) == (WriteRegisters(0, (0x20, 0x20, 0x20, 0x20)),)


def test_other_numbers_of_digits_are_refused() -> None:
    with pytest.raises(DriverError, match=r"4 \(DM56A04\) or 6"):
        Dm56a04(5)


def test_it_is_a_panel_driver() -> None:
    driver: PanelDriver = Dm56a04()
    assert driver.capabilities.lights_at_power_up
    assert driver.line.baud == 9600
