"""The TM1650 module: value, decimals and brightness in one request, and a panel that cannot be dark."""

from __future__ import annotations

import pytest

from drivers.display.tm1650 import Tm1650
from simulator.modbus_pdu import IllegalAddress, IllegalValue
from simulator.panels.tm1650 import GREETING_S, Tm1650Twin
from speedsign.model import BLANK, Face
from speedsign.ports import WriteRegisters


@pytest.mark.parametrize(
    ("face", "level", "values"),
    [
        (Face(47), 1.0, (47, 0, 7)),
        (Face(47), 0.0, (47, 0, 1)),  # never 0: that may be dark
        (Face(47), 0.5, (47, 0, 4)),
        (Face(0), 0.5, (0, 0, 4)),
        (Face(9999), 1.0, (9999, 0, 7)),
        (Face(10000), 1.0, (0, 0, 0)),
        (Face(-1), 1.0, (0, 0, 0)),
        (BLANK, 1.0, (0, 0, 0)),
        (Face(word="SLO"), 1.0, (0, 0, 0)),
        (Face(47, word="SLO"), 1.0, (0, 0, 0)),
    ],
)
def test_a_face_is_one_request(face: Face, level: float, values: tuple[int, int, int]) -> None:
    assert Tm1650().writes(face, level) == (WriteRegisters(0, values),)


def test_brightness_goes_with_the_face() -> None:
    driver = Tm1650()
    assert driver.brightness(0.3) == ()
    assert driver.read_back(Face(47), 1.0) is None
    assert driver.capabilities.brightness_levels == 7
    assert not driver.capabilities.can_blank
    assert driver.capabilities.cells == 0


def test_flashing_ends_with_the_next_face() -> None:
    driver = Tm1650()
    assert driver.start() == (WriteRegisters(3, (0,), single=True),)
    assert driver.writes(Face(47, blink=True), 1.0)[1] == WriteRegisters(3, (1,), single=True)
    assert driver.writes(Face(47), 1.0)[1] == WriteRegisters(3, (0,), single=True)


def test_the_lamp_test_is_as_bright_as_asked_for() -> None:
    assert Tm1650().lamp_test(0.0) == (WriteRegisters(0, (8888, 0, 1)),)


# ---------------------------------------------------------------------- the module itself


def test_its_address_and_baud_code_are_lit_first() -> None:
    twin = Tm1650Twin()
    seen: list[str] = []
    twin.on_change = seen.append
    twin.power_cycle()
    twin.process(GREETING_S)
    assert seen == ["    ", "0013", "   0"]


def test_what_it_is_told_ends_the_greeting() -> None:
    twin = Tm1650Twin()
    twin.write(0, (47, 0, 3))
    assert (twin.lit(), twin.brightness) == ("  47", 3)


@pytest.mark.parametrize(("dark_at_0", "lit"), [(False, "   0"), (True, "    ")])
def test_what_the_driver_calls_dark(dark_at_0: bool, lit: str) -> None:
    twin = Tm1650Twin(dark_at_0=dark_at_0)
    for write in Tm1650().writes(BLANK, 1.0):
        twin.write(write.address, write.values)
    assert twin.lit() == lit


@pytest.mark.parametrize(
    ("values", "lit"),
    [((2468, 3, 1), "2.468"), ((5, 2, 1), " 0.05"), ((0xFFFE, 0, 1), "  -2"), ((12345, 0, 1), "----")],
)
def test_its_numbers(values: tuple[int, int, int], lit: str) -> None:
    twin = Tm1650Twin()
    twin.write(0, values)
    assert twin.lit() == lit


def test_it_flashes_and_forgets() -> None:
    twin = Tm1650Twin()
    twin.write(0, (47, 0, 7))
    twin.write(3, (1,))
    seen = [twin.lit()]
    for _ in range(2):
        twin.process(0.5)
        seen.append(twin.lit())
    assert seen == ["  47", "    ", "  47"]
    twin.power_cycle()
    twin.process(GREETING_S + 0.6)
    assert twin.lit() == "   0"


def test_what_it_refuses() -> None:
    twin = Tm1650Twin()
    with pytest.raises(IllegalValue):
        twin.write(0, (47, 0, 8))
    with pytest.raises(IllegalAddress):
        twin.write(5, (1, 1))
    with pytest.raises(IllegalAddress):
        twin.read(3, 4)
    assert (twin.writes, twin.read(0, 3)) == (0, [0, 0, 7])
