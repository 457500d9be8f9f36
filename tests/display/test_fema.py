"""The Fema Bxx-RTU: number and decimals together, 16 and 32 bits, its watchdog and its relays."""

from __future__ import annotations

import pytest

from drivers.display.fema import Fema
from simulator.modbus_pdu import OFF, ON, IllegalAddress, IllegalValue
from simulator.panels.fema import FemaTwin
from simulator.rtu_slave import RtuSlave, with_crc
from speedsign.config.panel_relations import WATCHDOG_SHARE
from speedsign.model import BLANK, Face
from speedsign.ports import Expect, WriteRegisters


@pytest.mark.parametrize(
    ("digits", "profile", "face", "words"),
    [
        (4, "16-bit", Face(47), (47, 0)),
        (4, "16-bit", Face(9999), (9999, 0)),
        (4, "16-bit", Face(10000), (0, 0)),
        (6, "16-bit", Face(32767), (32767, 0)),
        (6, "16-bit", Face(32768), (0, 0)),  # would be negative
        (6, "32-bit", Face(32768), (32768, 0, 0, 0)),
        (6, "32-bit", Face(70000), (70000 - 65536, 1, 0, 0)),
        (4, "32-bit", Face(47), (47, 0, 0, 0)),
        (4, "16-bit", BLANK, (0, 0)),
        (4, "16-bit", Face(word="SLO"), (0, 0)),
        (4, "16-bit", Face(47, word="SLO"), (0, 0)),
        (4, "16-bit", Face(-3), (0, 0)),
    ],
)
def test_a_face_is_one_request_and_is_read_back(
    digits: int, profile: str, face: Face, words: tuple[int, ...]
) -> None:
    driver = Fema(digits, profile)
    assert driver.writes(face, 1.0) == (WriteRegisters(0, words),)
    assert driver.read_back(face, 1.0) == Expect(0, words)


@pytest.mark.parametrize(
    ("digits", "profile", "number"), [(4, "16-bit", 8888), (6, "16-bit", 8888), (6, "32-bit", 888888)]
)
def test_the_lamp_test_lights_what_the_data_can_hold(digits: int, profile: str, number: int) -> None:
    driver = Fema(digits, profile)
    assert driver.lamp_test(1.0) == driver.writes(Face(number), 1.0)


def test_what_is_set_on_its_keypad_alone() -> None:
    driver = Fema()
    assert driver.start() == driver.brightness(0.5) == ()
    assert driver.capabilities.own_timeout_s == 10
    assert not driver.capabilities.can_blank
    assert driver.line.baud == 19200


# ---------------------------------------------------------------------- the display itself


def seen(twin: FemaTwin) -> set[str]:
    """What is lit within a second."""
    found = set()
    for _ in range(4):
        twin.process(0.25)
        found.add(twin.lit())
    return found


def test_it_gives_up_after_ten_seconds_without_a_request() -> None:
    twin = FemaTwin()
    twin.write(0, [47, 0])
    twin.process(9.9)
    assert twin.lit() == "  47"
    assert not twin.given_up
    twin.process(0.1)
    assert seen(twin) == {"Err.W", "    "}
    twin.read(0, 2)
    assert twin.lit() == "  47"


@pytest.mark.parametrize(
    ("request_", "fed"),
    [
        ("01 03 00 00 00 02", True),
        ("01 05 00 00 FF 00", True),
        ("01 01 00 00 00 03", True),
        ("01 03 00 06 00 01", False),  # refused
        ("02 06 00 00 00 2F", False),  # another unit's
    ],
)
def test_what_feeds_the_watchdog(request_: str, fed: bool) -> None:
    twin = FemaTwin()
    slave = RtuSlave(1, twin)
    twin.process(9.0)
    slave.feed(with_crc(bytes.fromhex(request_)))
    twin.process(2.0)
    assert twin.given_up is not fed


def test_the_slowest_keepalive_that_a_config_may_have_keeps_it_lit() -> None:
    twin, driver = FemaTwin(), Fema()
    own_s = driver.capabilities.own_timeout_s
    assert own_s is not None
    for _ in range(20):
        for write in driver.writes(Face(47), 1.0):
            twin.write(write.address, write.values)
        for _ in range(2):  # one of two is lost
            twin.process(own_s / WATCHDOG_SHARE)
            assert twin.lit() == "  47"


@pytest.mark.parametrize(
    ("digits", "value", "lit"),
    [
        (4, 9999, {"9999"}),
        (4, 10000, {"9999", "    "}),
        (4, 0xFFFF, {"  -1"}),
        (4, 0x8001, {"-199", "    "}),
        (6, 32767, {" 32767"}),
    ],
)
def test_over_its_range_it_flashes(digits: int, value: int, lit: set[str]) -> None:
    twin = FemaTwin(digits)
    twin.write(0, [value, 0])
    assert seen(twin) == lit


def test_decimals_that_there_are_not_are_ignored() -> None:
    twin = FemaTwin()
    twin.write(0, [470, 1])
    twin.write(1, [6])
    assert (twin.lit(), twin.read(1, 1)) == (" 47.0", [1])


def test_half_of_a_pair_is_dropped_without_a_word() -> None:
    twin = FemaTwin(6, "32-bit")
    twin.write(0, [47])
    assert (twin.lit(), twin.writes) == ("     0", 1)
    twin.write(0, [4464, 1])
    assert twin.lit() == " 70000"
    twin.write(1, [0, 2])  # the upper half of one, the lower of the next
    assert twin.lit() == " 70000"
    twin.write(2, [1, 0])
    assert twin.lit() == " 7000.0"
    twin.write(2, [9, 0])
    assert twin.lit() == " 7000.0"


def test_its_relays_are_coils_and_open_without_power() -> None:
    twin = FemaTwin()
    told: list[list[bool]] = []
    twin.on_relays = told.append
    twin.write_coil(0, ON)
    twin.write_coil(2, ON)
    twin.write_coil(2, ON)
    twin.write_coil(0, OFF)
    assert told == [[True, False, False], [True, False, True], [False, False, True]]
    assert twin.read_coils(1, 2) == [False, True]
    twin.power_cycle()
    assert twin.relays == [False] * 3
    for coil, count in ((2, 2), (3, 1)):
        with pytest.raises(IllegalAddress):
            twin.read_coils(coil, count)
    with pytest.raises(IllegalAddress):
        twin.write_coil(3, ON)
    with pytest.raises(IllegalValue):
        twin.write_coil(0, 0x5500)


def test_all_is_zero_after_a_power_cut() -> None:
    twin = FemaTwin()
    twin.write(0, [47, 1, 3, 9, 9, 9])
    twin.power_cycle()
    assert (twin.lit(), twin.read(0, 6)) == ("   0", [0] * 6)
