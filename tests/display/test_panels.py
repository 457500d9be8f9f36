"""Every panel with every register map, against its twin: the whole of what it is told, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.modbus_pdu import RegisterError
from simulator.panels.catalogue import PANELS, make_panel, profiles_of
from simulator.panels.segments import draw
from speedsign.config.schema import RegistersConfig
from speedsign.model import BLANK, Face
from speedsign.ports import PanelDriver, WriteRegisters
from speedsign.registry import DISPLAYS, load_display

BALTIC = "AĀĄBCČDEĒĘĖFGĢHIĪĮKĶLĻMNŅOPRSŠTUŪŲVZŽ!-"
MAPS = [
    RegistersConfig(kind="text", address=0, cells=8, encoding="iso8859-13", glyphs=BALTIC, reads_back=True),
    RegistersConfig(kind="text", address=9, cells=6, pack=2, fill=0, encoding="cp1257", glyphs=BALTIC),
    RegistersConfig(
        kind="text", address=0, cells=2, pack=2, function=6, brightness_address=7, brightness_max=16
    ),
    RegistersConfig(kind="integer", address=7, function=6, reads_back=True),
    RegistersConfig(
        kind="integer", address=7, cells=5, blank_value=0xFFFF, brightness_address=9, blink_address=8
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A panel as a config names it."""

    name: str
    profile: str | None = None
    digits: int | None = None
    registers: RegistersConfig | None = None

    def driver(self) -> PanelDriver:
        return load_display(self.name, self.digits, self.profile, self.registers)

    def __str__(self) -> str:
        return "-".join(str(part) for part in (self.name, self.profile, self.digits) if part)


KINDS = [
    Kind("dm56a04"),
    Kind("dm56a04", digits=6),
    Kind("tm1650"),
    *(Kind("led485", "2014", digits) for digits in (2, 3, 4)),
    *(Kind("led485", "2024", digits) for digits in (2, 4, 6)),
    *(Kind("fema", profile, digits) for profile in ("16-bit", "32-bit") for digits in (4, 6)),
    *(Kind("registers", registers=one) for one in MAPS),
]
PANEL = pytest.mark.parametrize("kind", KINDS, ids=str)

TYPED = BALTIC + "0123456789abcdefghijklmnopqrstuvwxyz .\0"
words = st.just("") | st.text(alphabet=TYPED, max_size=9) | st.text(max_size=9)
numbers = st.none() | st.integers(0, 260) | st.integers(-(10**9), 10**9)
faces = st.builds(Face, numbers, words, st.booleans())
levels = st.floats(0, 1)


class Shown:
    """A driver and its twin."""

    def __init__(self, kind: Kind) -> None:
        self.driver = kind.driver()
        self.twin = make_panel(kind.name, kind.profile, digits=kind.digits, registers=kind.registers)
        self.send(self.driver.start())

    def send(self, writes: Sequence[WriteRegisters]) -> None:
        for write in writes:
            assert not write.single or len(write.values) == 1
            self.twin.write(write.address, write.values)

    def put(self, face: Face, level: float) -> None:
        self.send(self.driver.writes(face, level))
        self.send(self.driver.brightness(level))

    def lit(self) -> str:
        """The brightest it is within a period of its blinking."""
        found = {self.twin.lit()}
        self.twin.process(0.5)
        found.add(self.twin.lit())
        return max(found, key=lambda text: len(text.strip()))

    def steady(self) -> bool:
        seen = set()
        for _ in range(4):
            seen.add(self.twin.lit())
            self.twin.process(0.5)
        return len(seen) == 1


def fits(face: Face, driver: PanelDriver) -> bool:
    """Whether the panel has to show it, by what it says of itself."""
    can = driver.capabilities
    if face.word:
        return len(face.word) <= can.cells and can.glyphs >= set(face.word)
    return face.number is not None and 0 <= face.number < 10**can.digits


@PANEL
def test_the_twin_is_as_wide_as_the_driver_says(kind: Kind) -> None:
    shown = Shown(kind)
    assert shown.twin.digits == shown.driver.capabilities.digits
    assert len(shown.twin.lit()) == shown.twin.digits


def test_every_driver_and_every_map_is_here() -> None:
    assert set(PANELS) == set(DISPLAYS) == {kind.name for kind in KINDS}
    for name in PANELS:
        profiles = load_display(name, registers=MAPS[0] if name == "registers" else None).profiles
        assert profiles == profiles_of(name)
        assert {kind.profile for kind in KINDS if kind.name == name} == set(profiles or (None,))


@PANEL
@given(run=st.lists(st.tuples(faces, levels), min_size=1, max_size=5))
def test_a_panel_shows_the_whole_number_or_nothing(kind: Kind, run: list[tuple[Face, float]]) -> None:
    """Or the whole word; after any other face, blinking or not."""
    shown = Shown(kind)
    can = shown.driver.capabilities
    for face, level in run:
        shown.put(face, level)
        expected = face.word or ("" if face.number is None else str(face.number))
        lit = shown.lit()
        if not fits(face, shown.driver):
            assert lit.strip() == ("" if can.can_blank else "0")
        elif number_too_big(face, kind):
            assert lit.strip() in ("", "0", expected)
        else:
            assert draw(lit.strip()) == draw(expected.strip())
        if not (face.blink and can.blinks):
            assert shown.steady()


def number_too_big(face: Face, kind: Kind) -> bool:
    """Where a register has fewer bits than the panel has digits."""
    number = -1 if face.word or face.number is None else face.number
    is_integer = kind.registers is not None and kind.registers.kind == "integer"
    return (kind.profile == "16-bit" and number > 32767) or (is_integer and number >= 0xFFFF)


@PANEL
@given(face=faces, level=levels)
def test_what_is_read_back_is_what_was_written(kind: Kind, face: Face, level: float) -> None:
    shown = Shown(kind)
    shown.put(face, level)
    expect = shown.driver.read_back(face, level)
    assert (expect is not None) == shown.driver.capabilities.reads_back
    if expect is not None:
        read: Callable[[int, int], list[int]] = shown.twin.read  # type: ignore[attr-defined]  # it reads back
        assert tuple(read(expect.address, len(expect.values))) == expect.values


@PANEL
def test_a_panel_that_blinks_does_and_stops(kind: Kind) -> None:
    shown = Shown(kind)
    shown.put(Face(47, blink=True), 1.0)
    assert shown.steady() is not shown.driver.capabilities.blinks
    for face in (BLANK, Face(47)):
        shown.put(face, 1.0)
        assert shown.steady()
    shown.put(Face(47, blink=True), 1.0)
    shown.send(shown.driver.start())
    assert shown.steady(), "what puts it in order ends it too"


@PANEL
def test_brightness_has_as_many_steps_as_it_says(kind: Kind) -> None:
    shown = Shown(kind)
    steps = []
    for percent in range(101):
        shown.put(Face(47), percent / 100)
        steps.append(shown.twin.brightness)
        assert shown.twin.lit().strip() == "47"
    if shown.driver.capabilities.brightness_levels == 0:
        assert set(steps) == {None}
    else:
        numbers = [step for step in steps if step is not None]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == shown.driver.capabilities.brightness_levels
    for level in (-1.0, 2.0, float("nan"), float("inf")):
        shown.put(Face(47), level)
        assert shown.twin.lit().strip() == "47"


@PANEL
def test_the_lamp_test_is_eights(kind: Kind) -> None:
    shown = Shown(kind)
    shown.send(shown.driver.lamp_test(1.0))
    assert set(shown.twin.lit()) - set(" .") == {"8"}
    assert shown.twin.lit().count("8") >= min(shown.twin.digits, 4)


@PANEL
def test_something_is_lit_when_power_comes_and_dark_without(kind: Kind) -> None:
    shown = Shown(kind)
    seen: list[str] = []
    shown.twin.on_change = seen.append
    shown.put(Face(47), 1.0)
    shown.twin.power_off()
    assert not shown.twin.lit().strip()
    shown.twin.power_on()
    assert shown.twin.lit().strip("0 ") in ("", "13")
    assert shown.driver.capabilities.lights_at_power_up
    assert seen[-2:] == [" " * shown.twin.digits, shown.twin.lit()]


@PANEL
def test_a_hung_firmware_catches_up(kind: Kind) -> None:
    shown = Shown(kind)
    shown.put(Face(47), 1.0)
    shown.twin.stuck = True
    shown.put(Face(53), 1.0)
    shown.twin.process(0.1)
    assert shown.twin.lit().strip() == "47"
    shown.twin.stuck = False
    shown.twin.process(0.1)
    assert shown.twin.lit().strip() == "53"


@PANEL
@given(
    address=st.integers(0, 0x110) | st.integers(0, 0xFFFF),
    values=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=12),
)
def test_a_twin_survives_any_write(kind: Kind, address: int, values: list[int]) -> None:
    shown = Shown(kind)
    before, writes = shown.twin.lit(), shown.twin.writes
    try:
        shown.twin.write(address, values)
    except RegisterError:
        assert (shown.twin.lit(), shown.twin.writes) == (before, writes)
    assert len(shown.twin.lit().replace(".", "")) == shown.twin.digits
    assert len(draw(shown.twin.lit())) == 5
