"""Drivers by name: ours from a table, then those that other packages bring as entry points.

A module is imported when its name is asked for, so a sign loads the one radar and panel it has.
A third party registers in the groups `speedsign.radars` and `speedsign.displays` (docs/drivers.md).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from speedsign.errors import DriverError
from speedsign.ports import PanelDriver, RadarDriver

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

    Raises DriverError for a name that nobody has, and for a profile that the driver does not know.
    """
    name, profile = _unaliased(name, profile)
    make = _load(name, RADARS, "speedsign.radars", radar_names)
    if profile is None:
        plain: RadarDriver = make()
        return plain
    known = tuple(getattr(make, "profiles", ()))
    if profile not in known:
        there_are = f"known are {', '.join(known)}" if known else "it has none"
        raise DriverError(f"the radar driver {name!r} has no profile {profile!r}; {there_are}")
    spoken: RadarDriver = make(profile=profile)
    return spoken


def _unaliased(name: str, profile: str | None) -> tuple[str, str | None]:
    family, dialect = RADAR_ALIASES.get(name, (name, None))
    if profile is not None and dialect is not None and profile != dialect:
        raise DriverError(f"{name!r} is the profile {dialect!r} of {family!r}; leave out profile {profile!r}")
    return family, profile or dialect


def load_display(name: str, digits: int | None = None) -> PanelDriver:
    """A panel driver; raises DriverError for an unknown name, or digits that no such panel has."""
    make = _load(name, DISPLAYS, "speedsign.displays", display_names)
    driver: PanelDriver = make() if digits is None else make(digits=digits)
    return driver


def _load(name: str, table: dict[str, str], group: str, names: Callable[[], list[str]]) -> Callable[..., Any]:
    if name in table:
        module, _, attribute = table[name].partition(":")
        make: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return make
    plugins = _plugins(group)
    if name not in plugins:
        raise DriverError(f"there is no driver {name!r}; known are {', '.join(names())}")
    loaded: Callable[..., Any] = plugins[name].load()
    return loaded
