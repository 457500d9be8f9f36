"""What must hold between the panel, the lamps and relays beside it, and the rest of a config."""

from __future__ import annotations

from collections.abc import Iterator

from speedsign.config.problem import Problem
from speedsign.config.schema import BeaconConfig, Config, DisplayConfig, SupplyConfig
from speedsign.errors import DriverError
from speedsign.ports import PanelDriver
from speedsign.registry import DISPLAY_ALIASES, REGISTERS, PluginError, display_names, load_display
from speedsign.settings import highest_ceiling_kmh

WATCHDOG_SHARE = 5  # a panel that waits for us is written to five times in its own time-out

_REGISTERS = ("display", "registers")
_DRIVER, _DIGITS = ("display", "driver"), ("display", "digits")


def panel_problems(config: Config) -> Iterator[Problem]:
    """Everything about the panel that does not fit; words are the rules' business."""
    display = config.display
    if display is None:
        yield from _nothing_to_stand_beside(config)
        return
    yield from _units(display)
    driver = _driver(display)
    if isinstance(driver, Problem):
        yield driver
        return
    yield from _ceilings(config, driver)
    yield from _dark(config, display, driver)
    yield from _blank_value(config, display)
    yield from _keepalive(display, driver)
    for name, device in (("beacon", config.beacon), ("supply", config.supply)):
        if device is not None:
            yield from _beside(name, device, display, driver)


def _driver(display: DisplayConfig) -> PanelDriver | Problem:
    """The driver as the config asks for it, or the first thing that is wrong with that."""
    name = display.driver
    if name not in display_names() and name not in DISPLAY_ALIASES:
        known = ", ".join(display_names())
        return Problem(_DRIVER, f"there is no such panel; known are {known}", name)
    if name == REGISTERS and display.registers is None:
        return Problem(_DRIVER, "needs the table [display.registers], the map of the panel", name)
    if name != REGISTERS and display.registers is not None:
        text = f'is for driver = "{REGISTERS}" alone; {name} knows its own registers'
        return Problem(_REGISTERS, text, against=(_DRIVER,))
    try:
        load_display(name, profile=display.profile, registers=display.registers)
    except PluginError as error:
        return Problem(_DRIVER, str(error), name)
    except DriverError as error:
        if name == REGISTERS and display.profile is None:
            return Problem(_REGISTERS, str(error), against=(_REGISTERS,))
        return Problem(("display", "profile"), str(error), display.profile, (_DRIVER,))
    try:
        return load_display(name, display.digits, display.profile, display.registers)
    except DriverError as error:
        return Problem(_DIGITS, str(error), display.digits, (_DRIVER, ("display", "profile")))


def _ceilings(config: Config, driver: PanelDriver) -> Iterator[Problem]:
    """The highest number that may be shown fits, by day and by night."""
    digits = driver.capabilities.digits
    against = (_DIGITS, _DRIVER)
    if config.ceiling_kmh >= 10**digits:
        text = f"the ceiling {config.ceiling_kmh} does not fit {digits} digits"
        ceiling = ("rules", "ceiling_kmh"), ("sign", "limit_kmh"), _DRIVER
        yield Problem(_DIGITS, text, config.display and config.display.digits, ceiling)
    for number, window in enumerate(config.rules.schedule):
        ceiling_kmh = window.ceiling_kmh
        if ceiling_kmh is None and config.rules.ceiling_kmh is None and window.limit_kmh is not None:
            ceiling_kmh = min(2 * window.limit_kmh, 250)
        if ceiling_kmh is not None and ceiling_kmh >= 10**digits:
            key = "limit_kmh" if window.ceiling_kmh is None else "ceiling_kmh"
            text = f"the ceiling {ceiling_kmh} does not fit the {digits} digits of the panel"
            yield Problem(("rules", "schedule", str(number), key), text, getattr(window, key), against)


def _dark(config: Config, display: DisplayConfig, driver: PanelDriver) -> Iterator[Problem]:
    if driver.capabilities.can_blank or display.accept_zero:
        return
    text = (
        f"{driver.name} has no command that darkens it: where the sign should be dark it may show 0. "
        "Set accept_zero = true if that may be seen"
    )
    if config.supply is None:
        text += "; a relay in its supply, [supply], darkens it in planned dark and at a fault"
    else:
        text += "; [supply] darkens it in planned dark and at a fault, not between two vehicles"
    yield Problem(("display", "accept_zero"), text, display.accept_zero, (_DRIVER,))


def _blank_value(config: Config, display: DisplayConfig) -> Iterator[Problem]:
    """What darkens an integer panel must be no speed; 0 is none, and some panels show nothing for it."""
    registers, highest = display.registers, highest_ceiling_kmh(config)
    if registers is None or registers.kind != "integer" or not registers.blank_value:
        return
    if registers.blank_value <= highest and registers.blank_value < 10**registers.cells:
        text = f"is a number that the panel shows: it would stand there as a speed; above {highest} none is"
        against = (*_REGISTERS, "cells"), ("rules", "ceiling_kmh"), ("sign", "limit_kmh")
        yield Problem((*_REGISTERS, "blank_value"), text, registers.blank_value, against)


def _keepalive(display: DisplayConfig, driver: PanelDriver) -> Iterator[Problem]:
    own_s = driver.capabilities.own_timeout_s
    if own_s is not None and display.keepalive_s > own_s / WATCHDOG_SHARE:
        text = f"must be at most {own_s / WATCHDOG_SHARE:g}: after {own_s:g} s without a word it gives up"
        against = (_DRIVER, ("display", "registers", "own_timeout_s"))
        yield Problem(("display", "keepalive_s"), text, display.keepalive_s, against)


def _units(display: DisplayConfig) -> Iterator[Problem]:
    """A mirror is another panel."""
    key = ("display", "mirror_units")
    mirrors = list(display.mirror_units)
    if display.unit in mirrors:
        text = f"{display.unit} is the panel's own unit; name the others only"
        yield Problem(key, text, mirrors, (("display", "unit"),))
    twice = sorted({unit for unit in mirrors if mirrors.count(unit) > 1})
    if twice:
        yield Problem(key, f"names {', '.join(map(str, twice))} twice", mirrors)


def _beside(
    name: str, device: BeaconConfig | SupplyConfig, display: DisplayConfig, driver: PanelDriver
) -> Iterator[Problem]:
    """A relay on the panel's line has a unit of its own; a Fema's relays are its own, for lamps alone."""
    if device.port not in (None, display.port) or device.unit not in (display.unit, *display.mirror_units):
        return
    key, against = (name, "unit"), (("display", "unit"), ("display", "mirror_units"), _DRIVER)
    if driver.name != "fema":
        yield Problem(
            key, "is the panel's unit on the same line; each device has its own", device.unit, against
        )
    elif name == "supply":
        text = "is the panel itself: with its supply it would switch off the relay that holds it"
        yield Problem(key, text, device.unit, against)


def _nothing_to_stand_beside(config: Config) -> Iterator[Problem]:
    if config.supply is not None:
        text = "switches the supply of a panel, and there is no [display]"
        yield Problem(("supply",), text, against=(("display",),))
    if config.beacon is not None and config.beacon.port is None:
        yield Problem(
            ("beacon", "port"),
            "is missing: without a [display] there is no line to share",
            against=(("display",),),
        )
