"""The panel that a config describes: integers and text, and every map that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.display.character_codes import codes_of
from drivers.display.registers import Registers
from simulator.panels.catalogue import EXAMPLE_MAP, make_panel
from speedsign.config.schema import RegistersConfig
from speedsign.errors import DriverError
from speedsign.model import BLANK, Face
from speedsign.ports import Expect, WriteRegisters

LETTERS = "AĀČDEĒĖIKLNPSŪU"


def described(**keys: Any) -> Registers:
    return Registers(RegistersConfig(**keys))


def text(**keys: Any) -> Registers:
    return described(**{"kind": "text", "address": 100, **keys})


def integer(**keys: Any) -> Registers:
    return described(**{"kind": "integer", "address": 100, **keys})


@pytest.mark.parametrize(
    ("keys", "face", "values"),
    [
        ({}, Face(47), (0x20, 0x20, 0x34, 0x37)),
        ({"pad": "right"}, Face(47), (0x34, 0x37, 0x20, 0x20)),
        ({"pack": 2}, Face(47), (0x2020, 0x3437)),
        ({"pack": 2, "fill": 0}, Face(7), (0x0000, 0x0037)),
        ({}, BLANK, (0x20,) * 4),
        ({"fill": 0}, BLANK, (0,) * 4),
        ({}, Face(10000), (0x20,) * 4),
        ({}, Face(word="SLO"), (0x20,) * 4),  # no glyphs: numbers only
        ({"glyphs": "SLO"}, Face(word="SLO"), (0x20, 0x53, 0x4C, 0x4F)),
        ({"glyphs": "SLO", "fill": 0}, Face(word="S O"), (0, 0x53, 0, 0x4F)),
        ({"glyphs": "SLO"}, Face(word="SLOLS"), (0x20,) * 4),
        ({"glyphs": "SLO"}, Face(word="slo"), (0x20,) * 4),
        ({"glyphs": LETTERS, "encoding": "iso8859-13"}, Face(word="AČIŪ"), (0x41, 0xC8, 0x49, 0xDB)),
        ({"glyphs": LETTERS, "encoding": "cp775"}, Face(word="AČIŪ"), (0x41, 0xB6, 0x49, 0xC7)),
        ({"glyphs": LETTERS, "encoding": "cp1257"}, Face(word="AC\u030cIU\u0304"), (0x20,) * 4),
        ({"cells": 6, "pack": 2, "encoding": "cp500", "fill": 64}, Face(47), (0x4040, 0x4040, 0xF4F7)),
    ],
)
def test_text(keys: dict[str, Any], face: Face, values: tuple[int, ...]) -> None:
    driver = text(**keys, reads_back=True)
    assert driver.writes(face, 1.0) == (WriteRegisters(100, values),)
    assert driver.read_back(face, 1.0) == Expect(100, values)
    assert driver.capabilities.can_blank


@pytest.mark.parametrize(
    ("keys", "face", "value"),
    [
        ({}, Face(47), 47),
        ({}, BLANK, 0),
        ({"blank_value": 0xFFFF}, BLANK, 0xFFFF),
        ({"blank_value": 0xFFFF}, Face(10000), 0xFFFF),
        ({"blank_value": 0}, Face(0), 0),
        ({"cells": 8}, Face(65535), 65535),
        ({"cells": 8}, Face(65536), 0),
        ({"cells": 8, "blank_value": 65535}, Face(65535), 65535),
        ({"cells": 3}, Face(1000), 0),
        ({}, Face(word="47"), 0),
    ],
)
def test_integers(keys: dict[str, Any], face: Face, value: int) -> None:
    assert integer(**keys).writes(face, 1.0) == (WriteRegisters(100, (value,)),)
    assert integer(**keys).read_back(face, 1.0) is None


def test_what_it_can_is_what_the_map_says() -> None:
    plain = integer().capabilities
    assert [plain.can_blank, plain.reads_back, plain.blinks, plain.brightness_levels] == [False] * 3 + [0]
    assert (plain.digits, plain.cells, plain.own_timeout_s) == (4, 0, None)
    rich = text(
        cells=8, glyphs="Ā", encoding="cp1257", brightness_address=1, brightness_max=100, blink_address=2,
        own_timeout_s=30.0, reads_back=True,
    ).capabilities  # fmt: skip
    assert (rich.digits, rich.cells, rich.brightness_levels, rich.blinks) == (8, 8, 100, True)
    assert rich.glyphs == frozenset("0123456789 Ā")
    assert rich.own_timeout_s == 30.0
    assert integer(blank_value=9).capabilities.can_blank


def test_one_register_by_function_6() -> None:
    driver = integer(function=6, brightness_address=1, brightness_min=10, brightness_max=20, blink_address=2)
    assert driver.writes(Face(47), 1.0) == (WriteRegisters(100, (47,), single=True),)
    assert driver.brightness(0.5) == (WriteRegisters(1, (15,), single=True),)
    assert driver.start() == (WriteRegisters(2, (0,), single=True),)
    assert text(cells=2, pack=2, function=6).writes(Face(47), 1.0)[0].single


def test_blinking_ends_with_the_next_face() -> None:
    driver = text(blink_address=2, blink_on=5)
    assert driver.writes(Face(47), 1.0)[1:] == ()
    assert driver.writes(Face(47, blink=True), 1.0)[1:] == (WriteRegisters(2, (5,)),)
    assert driver.writes(BLANK, 1.0)[1:] == (WriteRegisters(2, (0,)),)
    assert text().writes(Face(47, blink=True), 1.0)[1:] == ()
    assert text().start() == text().brightness(1.0) == ()


@pytest.mark.parametrize(
    ("driver", "values"),
    [
        (text(), (0x38,) * 4),
        (integer(), (8888,)),
        (integer(cells=8), (8888,)),
        (integer(blank_value=8888), (888,)),
    ],
)
def test_the_lamp_test(driver: Registers, values: tuple[int, ...]) -> None:
    assert driver.lamp_test(1.0) == (WriteRegisters(100, values),)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"cells": 5, "pack": 2}, "cells is 5, and pack = 2 needs an even number"),
        ({"function": 6}, "function 6 writes one register, and a face is 4"),
        ({"encoding": "utf-8"}, "'utf-8' is no encoding of one byte a character"),
        ({"encoding": "iso8859-14"}, None),
        ({"encoding": "nonsense"}, "'nonsense' is no encoding"),
        ({"glyphs": "Ā"}, "the encoding 'ascii' has no Ā"),
        ({"glyphs": "ĀČA", "encoding": "latin-1"}, "has no Ā Č"),
        ({"glyphs": "A\n"}, r"glyphs has '\\n', which cannot be seen"),
        ({"fill": 0x30}, "fill 48 is '0' in 'ascii', not a dark cell"),
        ({"fill": 0x41, "glyphs": "AB"}, "fill 65 is 'A'"),
        ({"address": 65533}, "4 registers from 65533 go beyond the last address, 65535"),
        ({"address": 65532}, None),
        ({"blank_value": 0}, "blank_value is for kind = integer"),
        ({"brightness_address": 103}, "brightness_address 103 is a register of the face"),
        ({"brightness_address": 104}, None),
        ({"blink_address": 100}, "blink_address 100 is a register of the face"),
        ({"blink_address": 9, "brightness_address": 9}, "blink_address 9 is brightness_address too"),
        ({"blink_address": 9, "blink_on": 0}, "blink_on is 0"),
        ({"brightness_address": 9, "brightness_min": 8}, "brightness_min 8 must be below brightness_max 8"),
        ({"kind": "integer", "glyphs": "A"}, "an integer has no characters"),
        ({"kind": "integer", "pack": 2}, "an integer has no characters"),
        ({"kind": "integer", "address": 65535, "function": 6}, None),
    ],
)
def test_maps_that_cannot_be(keys: dict[str, Any], sentence: str | None) -> None:
    if sentence is None:
        text(**keys)
        return
    with pytest.raises(DriverError, match=sentence) as caught:
        text(**keys)
    assert str(caught.value).startswith("[display.registers]: ")


NO_CHARACTERS = ("hex", "rot13", "base64", "undefined", "", "a\0b", "../x")
SEVERAL_BYTES = (
    "utf-16", "utf-32", "utf-7", "utf-8-sig", "punycode", "idna", "unicode_escape", "gb2312", "big5",
    "shift_jis", "euc_kr",
)  # fmt: skip


@pytest.mark.parametrize("encoding", NO_CHARACTERS + SEVERAL_BYTES)
def test_what_is_no_encoding_of_single_bytes(encoding: str) -> None:
    with pytest.raises(DriverError, match="is no encoding of one byte a character"):
        codes_of(encoding, "0123456789", 0x20)


@given(st.text(max_size=20))
def test_any_name_of_an_encoding_is_taken_or_refused(encoding: str) -> None:
    try:
        codes = codes_of(encoding, "0123456789", 0)
    except DriverError:
        return
    assert set(codes) == set("0123456789")


@pytest.mark.parametrize("encoding", ["iso8859-13", "cp1257"])
def test_latvian_and_lithuanian(encoding: str) -> None:
    letters = "ĀČĒĢĪĶĻŅŠŪŽĄĘĖĮŲ"
    codes = codes_of(encoding, letters, 0x20)
    assert bytes(codes[letter] for letter in letters).decode(encoding) == letters


def test_the_example_shows_thanks_in_both_languages() -> None:
    driver, twin = Registers(EXAMPLE_MAP), make_panel("registers")
    for word in ("PALDIES!", "AČIŪ!", "LĒNĀK!", "LĖČIAU!"):
        for write in driver.writes(Face(word=word), 1.0):
            twin.write(write.address, write.values)
        assert twin.lit() == word.rjust(8)
