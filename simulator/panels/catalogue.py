"""The simulated panels by name and register map; a module is loaded when its panel is asked for."""

from __future__ import annotations

import importlib
from typing import Any

from simulator.panels.base import Panel
from speedsign.config.schema import RegistersConfig

_TWINS = {
    ("dm56a04", None): "dm56a04:Dm56a04Twin",
    ("tm1650", None): "tm1650:Tm1650Twin",
    ("led485", "2014"): "led485:Led4852014Twin",
    ("led485", "2024"): "led485:Led4852024Twin",
    ("fema", "16-bit"): "fema:FemaTwin",
    ("fema", "32-bit"): "fema:FemaTwin",
}
_ONE_SIZE = frozenset({"tm1650"})
PANELS = (*dict.fromkeys(name for name, _ in _TWINS), "registers")

# The panel of docs/panels.md: eight characters, with the letters of Latvian and Lithuanian.
EXAMPLE_MAP = RegistersConfig(
    kind="text",
    address=0,
    cells=8,
    encoding="iso8859-13",
    glyphs="AĀĄBCČDEĒĘĖFGĢHIĪĮYJKĶLĻMNŅOPRSŠTUŪŲVZŽ!- ",
    brightness_address=16,
    reads_back=True,
)


def profiles_of(name: str) -> tuple[str, ...]:
    """The register maps that a simulated panel has, the usual one first; none: it has one."""
    return tuple(profile for panel, profile in _TWINS if panel == name and profile is not None)


def make_panel(
    name: str,
    profile: str | None = None,
    *,
    digits: int | None = None,
    registers: RegistersConfig | None = None,
) -> Panel:
    """A simulated panel; `registers` is the map of the one that has none of its own, else `EXAMPLE_MAP`.

    KeyError: there is no such panel, or no such profile of it.
    """
    if name == "registers":
        return _registers(registers or EXAMPLE_MAP)
    profiles = profiles_of(name)
    profile = profile or (profiles[0] if profiles else None)
    module, _, attribute = _TWINS[name, profile].partition(":")
    make = getattr(importlib.import_module(f"simulator.panels.{module}"), attribute)
    wanted: dict[str, Any] = {"profile": profile} if name == "fema" else {}
    if digits is not None and name not in _ONE_SIZE:
        wanted["digits"] = digits
    panel: Panel = make(**wanted)
    return panel


def _registers(config: RegistersConfig) -> Panel:
    from simulator.panels import generic

    return generic.ReadableRegistersTwin(config) if config.reads_back else generic.RegistersTwin(config)
