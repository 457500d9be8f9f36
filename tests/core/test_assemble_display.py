"""From a config to what is on the panel's lines."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from drivers.modbus_bus import PymodbusBus
from drivers.modbus_rules import parse_target
from speedsign.assemble_display import DisplayParts, build_display
from speedsign.clock import SystemClock
from speedsign.config.load import parse_config

SIGN = '[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="ops243"\nport="/dev/r"\n'
FEMA = '[display]\ndriver="fema"\nport="/dev/p"\naccept_zero=true\n'
DM56 = '[display]\ndriver="dm56a04"\nport="/dev/p"\n'
TM1650 = '[display]\ndriver="tm1650"\nport="/dev/p"\naccept_zero=true\nmirror_units=[2]\n'


def built(text: str) -> DisplayParts:
    """Made on a loop, as the daemon's is; nothing is opened."""

    async def main() -> DisplayParts:
        config = parse_config(SIGN + text, "sign.toml")
        assert config.display
        return build_display(config, config.display, SystemClock(), lambda _face, _t: None)

    return asyncio.run(main())


def buses(parts: DisplayParts) -> list[PymodbusBus]:
    return [cast(PymodbusBus, line.bus) for line in parts.display._lines]


@pytest.mark.parametrize(
    ("text", "unreadable"),
    [
        (DM56, set()),
        (TM1650, {1, 2}),  # a late reply cannot be asked for
        (DM56 + "[beacon]\nunit=11\ncoil=1\n", {11}),  # a relay is read back itself
        (FEMA + "[beacon]\nunit=1\ncoil=0\n", set()),  # its own coils: it is still a panel that can be read
    ],
)
def test_who_is_asked_what_he_owes(text: str, unreadable: set[int]) -> None:
    (bus,) = buses(built(text))
    assert bus.settings.unreadable == unreadable


def test_each_port_is_one_line() -> None:
    more = (
        '[supply]\nunit=11\ncoil=0\n[beacon]\nunit=11\ncoil=1\nport="/dev/b"\nbaud=19200\n'
        '[brightness.sensor]\nunit=12\naddress=0\nport="/dev/b"\n'
    )
    parts = built(DM56 + more)
    assert [bus.name for bus in buses(parts)] == ["/dev/p", "/dev/b"]
    assert [len(line._members) for line in parts.display._lines] == [
        2,
        2,
    ]  # panel and supply; beacon and sensor
    assert parts.light is not None
    assert parse_target("/dev/b")[0] == ""


def test_panels_come_before_what_else_is_on_their_line() -> None:
    parts = built(DM56 + "mirror_units=[2]\n[supply]\nunit=11\ncoil=0\n")
    (line,) = parts.display._lines
    assert [type(member).__name__ for member in line._members] == ["Panel", "Panel", "Supply"]
