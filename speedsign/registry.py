"""Drivers by name: ours from a table, then those that other packages bring as entry points.

A module is imported when its name is asked for, so a sign loads the one radar and panel it has.
A third party registers in the groups `speedsign.radars` and `speedsign.displays` (docs/drivers.md).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from speedsign.config.schema import RegistersConfig
from speedsign.errors import DriverError
from speedsign.ports import PanelDriver, RadarDriver


class PluginError(DriverError):
    """A driver of another package is there by name, and its module cannot be loaded."""


RADARS = {
    "ops243": "drivers.radar.ops243:Ops243",
    "ld2415h": "drivers.radar.ld2415h:Ld2415h",
    "ld2451": "drivers.radar.ld2451:Ld2451",
    "kld7": "drivers.radar.kld7:Kld7",
    "isys4001": "drivers.radar.isys4001:Isys4001",
    "csr": "drivers.radar.csr:Csr",
    "tsr20": "drivers.radar.tsr20:Tsr20",
    "mph": "drivers.radar.mph:Mph",
    "houston": "drivers.radar.houston:Houston",
    "ascii": "drivers.radar.ascii:Ascii",
    "kld2": "drivers.radar.kld2:Kld2",
}
# Names that people look for, and the family and dialect that they are.
RADAR_ALIASES: dict[str, tuple[str, str | None]] = {
    "ops243-a": ("ops243", None),
    "ops243-c": ("ops243", None),
    "ops241": ("ops243", None),
    "hlk-ld2415h": ("ld2415h", None),
    "ra189c": ("ld2415h", None),
    "csr-1-byte": ("csr", "1-byte"),
    "csr-2-byte": ("csr", "2-byte"),
    "mph-ds4": ("mph", "ds4"),
    "houston-binary": ("houston", None),
    "houston-ascii": ("ascii", "houston"),
    "icoms": ("ascii", "icoms"),
    "si3": ("ascii", "si3"),
    "decatur": ("ascii", "si3"),
    "stalker": ("ascii", "stalker"),
    "csr-ascii": ("ascii", "csr"),
    "hlk-ld2451": ("ld2451", None),
    "k-ld7": ("kld7", None),
    "isys-4001": ("isys4001", None),
    "isys4002": ("isys4001", None),
}
DISPLAYS = {
    "dm56a04": "drivers.display.dm56a04:Dm56a04",
    "tm1650": "drivers.display.tm1650:Tm1650",
    "led485": "drivers.display.led485:Led485",
    "fema": "drivers.display.fema:Fema",
    "registers": "drivers.display.registers:Registers",
}
REGISTERS = "registers"  # the panel that the config itself describes
# Names that people look for: the family, the register map and the digits that they are.
DISPLAY_ALIASES: dict[str, tuple[str, str | None, int | None]] = {
    "dm36b06": ("dm56a04", None, 6),
    "stc8g": ("tm1650", None, None),
    "led-485": ("led485", None, None),
    "led485-2014": ("led485", "2014", None),
    "led485-2024": ("led485", "2024", None),
    "led-485-046": ("led485", "2024", 6),
    "led-046": ("led485", "2024", 6),
    "fema-b": ("fema", None, None),
    "fema-b-32": ("fema", "32-bit", None),
    "fema-b24": ("fema", None, 4),
    "fema-b26": ("fema", None, 6),
    "fema-b44": ("fema", None, 4),
    "fema-b46": ("fema", None, 6),
}


def _plugins(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def radar_names() -> list[str]:
    """Every radar driver there is."""
    return sorted({*RADARS, *_plugins("speedsign.radars")})


def display_names() -> list[str]:
    """Every panel driver there is."""
    return sorted({*DISPLAYS, *_plugins("speedsign.displays")})


def load_radar(name: str, profile: str | None = None) -> RadarDriver:
    """A radar driver, in one of its dialects where it has any.

    Raises DriverError for a name that nobody has, and for a profile that the driver does not know;
    PluginError for a plug-in that cannot be loaded.
    """
    family, dialect = RADAR_ALIASES.get(name, (name, None))
    profile = _one_of(name, family, "profile", profile, dialect)
    make = _load(family, RADARS, "speedsign.radars", radar_names)
    driver: RadarDriver = make(**_profile(make, "radar", family, profile))
    return driver


def load_display(
    name: str,
    digits: int | None = None,
    profile: str | None = None,
    registers: RegistersConfig | None = None,
) -> PanelDriver:
    """A panel driver, with one of its register maps where it has several.

    `registers` is the map of the driver that has none of its own. Raises DriverError for an unknown name,
    for a profile or digits that no such panel has, and for a map that cannot be; PluginError for a
    plug-in that cannot be loaded.
    """
    family, its_map, its_digits = DISPLAY_ALIASES.get(name, (name, None, None))
    profile = _one_of(name, family, "profile", profile, its_map)
    digits = _one_of(name, family, "digits", digits, its_digits)
    make = _load(family, DISPLAYS, "speedsign.displays", display_names)
    wanted: dict[str, Any] = _profile(make, "panel", family, profile)
    if family == REGISTERS:
        if registers is None:
            raise DriverError("the panel driver 'registers' needs the table [display.registers]")
        if digits is not None:
            raise DriverError(f"leave out digits = {digits}; cells in [display.registers] says it")
        wanted["config"] = registers
    elif digits is not None:
        wanted["digits"] = digits
    driver: PanelDriver = make(**wanted)
    return driver


T = TypeVar("T", str, int)


def _one_of(name: str, family: str, key: str, asked: T | None, implied: T | None) -> T | None:
    """What is asked for, or what the name implies; they must not contradict each other."""
    if asked is not None and implied is not None and asked != implied:
        raise DriverError(f"{name!r} is the {key} {implied!r} of {family!r}; leave out {key} {asked!r}")
    return implied if asked is None else asked


def _profile(make: Callable[..., Any], kind: str, family: str, profile: str | None) -> dict[str, Any]:
    """The argument for a dialect or a register map; none where none is asked for."""
    if profile is None:
        return {}
    known = tuple(getattr(make, "profiles", ()))
    if profile not in known:
        there_are = f"known are {', '.join(known)}" if known else "it has none"
        raise DriverError(f"the {kind} driver {family!r} has no profile {profile!r}; {there_are}")
    return {"profile": profile}


def _load(name: str, table: dict[str, str], group: str, names: Callable[[], list[str]]) -> Callable[..., Any]:
    if name in table:
        module, _, attribute = table[name].partition(":")
        make: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return make
    plugins = _plugins(group)
    if name not in plugins:
        raise DriverError(f"there is no driver {name!r}; known are {', '.join(names())}")
    return _plugin(plugins[name])


def _plugin(point: EntryPoint) -> Callable[..., Any]:
    """What an entry point names. Somebody else's module runs here, and may fail in any way."""
    try:
        loaded: Callable[..., Any] = point.load()
    except Exception as error:
        package = f" of the package {point.dist.name}" if point.dist else ""
        reason = " ".join(str(error).split()) or "no reason given"
        raise PluginError(
            f"the plug-in {point.name!r}{package} ({point.value}) cannot be loaded: "
            f"{type(error).__name__}: {reason}"
        ) from error
    return loaded
