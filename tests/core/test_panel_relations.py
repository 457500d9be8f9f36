"""A config whose panel does not fit: each mistake is one sentence, and what fits is none."""

from __future__ import annotations

import pytest

from speedsign.config.load import parse_config
from speedsign.errors import ConfigError

BASE = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'
REGISTERS = '[display.registers]\nkind = "text"\naddress = 0\n'
AT_NIGHT = '[[rules.schedule]]\nname = "night"\n'
FEMA_ANYWAY = "accept_zero = true\n[supply]\nunit = 9\ncoil = 0\n"


def panel(driver: str, keys: str = "") -> str:
    return f'{BASE}[display]\ndriver = "{driver}"\nport = "/dev/ttyUSB0"\n{keys}'


def problems(text: str) -> list[str]:
    try:
        parse_config(text, "sign.toml")
    except ConfigError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    "text",
    [
        panel("dm56a04"),
        panel("dm36b06"),
        panel("dm36b06", "digits = 6\n"),
        panel("led485-2024"),
        panel("led485", 'profile = "2024"\ndigits = 4\n'),
        panel("tm1650", "accept_zero = true\n"),
        panel("fema", f"keepalive_s = 2.0\n{FEMA_ANYWAY}"),
        panel("fema-b46", 'profile = "32-bit"\naccept_zero = true\n'),
        panel("registers", REGISTERS),
        panel("registers", REGISTERS + 'glyphs = "AČIŪ"\nencoding = "cp1257"\n'),
        panel("registers", REGISTERS.replace("text", "integer") + "blank_value = 65535\n"),
        panel("registers", "keepalive_s = 2.0\n" + REGISTERS + "own_timeout_s = 10.0\n"),
        panel("led485", "digits = 2\n[rules]\nceiling_kmh = 99\n"),
        panel("dm56a04", "mirror_units = [2, 3]\n"),
        panel("fema", "accept_zero = true\n[beacon]\nunit = 1\ncoil = 0\n"),  # its own relay
        panel("dm56a04", '[beacon]\nunit = 1\ncoil = 0\nport = "/dev/ttyUSB1"\n'),
        panel("dm56a04", "[beacon]\nunit = 2\ncoil = 0\n[supply]\nunit = 2\ncoil = 1\n"),
        BASE + '[beacon]\nunit = 1\ncoil = 0\nport = "/dev/ttyUSB1"\n',
    ],
)
def test_what_fits(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            panel("nixie"),
            "[display] driver = 'nixie': there is no such panel; known are dm56a04, fema",
        ),
        (
            panel("dm56a04", 'profile = "2014"\n'),
            "[display] profile = '2014': the panel driver 'dm56a04'",
        ),
        (panel("led485", 'profile = "2019"\n'), "has no profile '2019'; known are 2014, 2024"),
        (panel("led485-2014", 'profile = "2024"\n'), "leave out profile '2024'"),
        (panel("dm56a04", "digits = 5\n"), "[display] digits = 5: display driver dm56a04: digits is 5"),
        (panel("dm36b06", "digits = 4\n"), "[display] digits = 4: 'dm36b06' is the digits 6"),
        (panel("registers"), "[display] driver = 'registers': needs the table [display.registers]"),
        (
            panel("dm56a04", REGISTERS),
            '[display] registers: is for driver = "registers" alone',
        ),
        (panel("registers", "digits = 4\n" + REGISTERS), "[display] digits = 4: leave out digits = 4"),
        (
            panel("registers", 'profile = "x"\n' + REGISTERS),
            "'registers' has no profile 'x'",
        ),
        (panel("registers", REGISTERS + "function = 6\n"), "function 6 writes one register, and a face is 4"),
        (panel("registers", REGISTERS + 'encoding = "utf-8"\n'), "'utf-8' is no encoding of one byte"),
    ],
)
def test_a_panel_that_there_is_not(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert expected in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (panel("led485", "digits = 2\n"), "[display] digits = 2: the ceiling 100 does not fit 2 digits"),
        (
            panel("led485", f"digits = 2\n[rules]\nceiling_kmh = 90\n{AT_NIGHT}ceiling_kmh = 100\n"),
            "ceiling_kmh = 100: the ceiling 100 does not fit the 2 digits",
        ),
        (
            panel("registers", REGISTERS + "cells = 2\n[rules]\nceiling_kmh = 100\n"),
            "the ceiling 100 does not fit 2 digits",
        ),
    ],
)  # fmt: skip
def test_the_highest_number_fits(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert expected in found


def test_without_a_ceiling_of_its_own_a_schedule_s_limit_makes_it() -> None:
    text = panel("led485", 'digits = 2\n[[rules.schedule]]\nname = "summer"\nlimit_kmh = 70\n')
    text = text.replace("limit_kmh = 50", "limit_kmh = 40")
    (found,) = problems(text)
    assert "limit_kmh = 70: the ceiling 140 does not fit the 2 digits" in found


@pytest.mark.parametrize("driver", ["tm1650", "fema"])
def test_a_panel_that_cannot_be_dark_is_taken_knowingly(driver: str) -> None:
    (found,) = problems(panel(driver))
    assert f"[display] accept_zero = False: {driver} has no command that darkens it" in found
    assert "it may show 0. Set accept_zero = true if that may be seen; a relay in its supply" in found
    (found,) = problems(panel(driver, "[supply]\nunit = 9\ncoil = 0\n"))
    assert "[supply] darkens it in planned dark and at a fault, not between two vehicles" in found


def test_an_integer_panel_without_a_value_for_dark() -> None:
    text = panel("registers", REGISTERS.replace("text", "integer"))
    (found,) = problems(text)
    assert "registers has no command that darkens it" in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (panel("fema", f"keepalive_s = 2.1\n{FEMA_ANYWAY}"), "keepalive_s = 2.1: must be at most 2: "),
        (panel("registers", REGISTERS + "own_timeout_s = 4.0\n"), "must be at most 0.8"),
        (panel("dm56a04", "unit = 3\nmirror_units = [2, 3]\n"), "3 is the panel's own unit"),
        (panel("dm56a04", "mirror_units = [2, 4, 2]\n"), "mirror_units = [2, 4, 2]: names 2 twice"),
    ],
)  # fmt: skip
def test_time_and_units(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert expected in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            panel("dm56a04", "[beacon]\nunit = 1\ncoil = 0\n"),
            "[beacon] unit = 1: is the panel's unit",
        ),
        (
            panel("dm56a04", "[supply]\nunit = 1\ncoil = 0\n"),
            "[supply] unit = 1: is the panel's unit",
        ),
        (
            panel("dm56a04", '[beacon]\nunit = 1\ncoil = 0\nport = "/dev/ttyUSB0"\n'),
            "[beacon] unit = 1: is the panel's unit",
        ),
        (
            panel("dm56a04", "mirror_units = [7]\n[beacon]\nunit = 7\ncoil = 0\n"),
            "[beacon] unit = 7: is the panel's unit",
        ),
        (
            panel("fema", "accept_zero = true\n[supply]\nunit = 1\ncoil = 0\n"),
            "[supply] unit = 1: is the panel itself: with its supply it would switch off the relay",
        ),
        (
            BASE + "[supply]\nunit = 1\ncoil = 0\n",
            "[supply]: switches the supply of a panel",
        ),
        (BASE + "[beacon]\nunit = 1\ncoil = 0\n", "[beacon] port: is missing"),
    ],
)
def test_what_stands_beside_the_panel(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert expected in found


def test_several_mistakes_are_told_together() -> None:
    text = panel("fema", "keepalive_s = 5.0\nmirror_units = [1]\n[supply]\nunit = 1\ncoil = 0\n")
    found = problems(text)
    assert [line.split(": ")[1].split(" = ")[0] for line in found] == [
        "[display] accept_zero",
        "[display] keepalive_s",
        "[display] mirror_units",
        "[supply] unit",
    ]
