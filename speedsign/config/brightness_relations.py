"""What must hold between the brightness, the light sensor and the rest of a config."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from speedsign.brightness import sun_of
from speedsign.config.problem import Problem
from speedsign.config.schema import BrightnessConfig, Config, DisplayConfig, SensorConfig
from speedsign.errors import DriverError
from speedsign.registry import REGISTERS, load_display

_BY, _CURVE, _SENSOR = ("brightness", "by"), ("brightness", "curve"), ("brightness", "sensor")
_PLACE = ("sign", "latitude"), ("sign", "longitude")
REGISTERS_END = 65536


def brightness_problems(config: Config) -> Iterator[Problem]:
    """Everything about the brightness that does not fit."""
    brightness, sensor = config.brightness, config.brightness.sensor
    if brightness.by == "sun" and sun_of(config) is None:
        text = "needs to know where the sign stands: set [sign] latitude and longitude"
        yield Problem(_BY, text, brightness.by, _PLACE)
    if brightness.by == "sensor" and sensor is None:
        yield Problem(_BY, "needs the table [brightness.sensor]", brightness.by, (_SENSOR,))
    if brightness.lowest > brightness.highest:
        text = f"must be at most highest, which is {brightness.highest:g}"
        key = "brightness", "lowest"
        yield Problem(key, text, brightness.lowest, (("brightness", "highest"),))
    yield from _curve(brightness)
    yield from _panel(config)
    if sensor is not None:
        yield from _sensor(sensor, config)


def _curve(brightness: BrightnessConfig) -> Iterator[Problem]:
    points = brightness.curve
    if len(points) == 1:
        yield Problem(_CURVE, "needs two points of lux and level or more; none: that of EN 12966")
    for (lux, level), (next_lux, next_level) in pairwise(points):
        if next_lux <= lux:
            yield Problem(_CURVE, f"must rise in lux: {next_lux:g} lx comes after {lux:g} lx")
        if next_level < level:
            text = f"must not fall: {next_level:g} at {next_lux:g} lx is dimmer than {level:g} at {lux:g} lx"
            yield Problem(_CURVE, text)


def _panel(config: Config) -> Iterator[Problem]:
    """A wish that the panel cannot meet; a sign whose coordinates are merely known wishes nothing."""
    by, sensor = config.brightness.by, config.brightness.sensor
    if by in (None, "fixed") and sensor is None:
        return
    path: tuple[str, ...] = _BY if by is not None else _SENSOR
    if config.display is None:
        yield Problem(path, "has nothing to dim: there is no [display]", by, (("display",),))
    elif _levels(config.display) == 0:
        text = (
            f"does nothing: the brightness of this panel ({config.display.driver}) cannot be set by the sign"
        )
        against = ("display", "driver"), ("display", "registers", "brightness_address")
        yield Problem(path, text, by, against)


def _levels(display: DisplayConfig) -> int | None:
    """Steps of the panel's brightness; None where the panel is wrong itself, which is said elsewhere."""
    try:
        driver = load_display(display.driver, display.digits, display.profile, display.registers)
    except DriverError:
        return None
    return driver.capabilities.brightness_levels


def _sensor(sensor: SensorConfig, config: Config) -> Iterator[Problem]:
    if sensor.address + sensor.words > REGISTERS_END:
        text = f"is beyond the last register: {sensor.words} from there do not fit"
        yield Problem((*_SENSOR, "address"), text, sensor.address, ((*_SENSOR, "words"),))
    display = config.display
    if display is None or sensor.port not in (None, display.port) or display.driver == REGISTERS:
        return  # a panel that only the config describes may well have a sensor of its own
    if sensor.unit in (display.unit, *display.mirror_units):
        text = "is the panel's unit on the same line; each device has its own"
        against = ("display", "unit"), ("display", "mirror_units"), ("display", "driver")
        yield Problem((*_SENSOR, "unit"), text, sensor.unit, against)
