"""How bright the panel is: by the sun's height, by a light sensor, or fixed.

Pure: (time, sensor) -> level. Light becomes a level (speedsign/daylight.py), the level one of the panel's own
steps, with hysteresis, and steps follow each other on a ramp. A sensor that fails leaves the sun; without the
time or the coordinates a level of the config's holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from speedsign.config.schema import BrightnessConfig, Config
from speedsign.daylight import DEFAULT_CURVE, level_of, sunlight_lx
from speedsign.light import START_S, LightJudge
from speedsign.model import Fault
from speedsign.ports import Capabilities
from speedsign.sun import Sun

Source = Literal["fixed", "sun", "sensor"]
Elevation = Callable[[datetime], float]  # aware time -> degrees

SUN_S = 60.0  # from one look at the sun to the next: it moves a quarter of a degree


def source_of(config: Config) -> Source:
    """What decides the brightness of this sign."""
    if config.brightness.by is not None:
        return config.brightness.by
    if config.brightness.sensor is not None:
        return "sensor"
    return "fixed" if sun_of(config) is None else "sun"


def sun_of(config: Config) -> tuple[float, float] | None:
    """Where the sun is seen from, latitude and longitude; None: nobody said."""
    sign = config.sign
    if sign.latitude is None or sign.longitude is None:
        return None
    return sign.latitude, sign.longitude


class BrightnessControl:
    """Asked once a second, it says when the brightness has to change."""

    def __init__(
        self,
        source: Source,
        steps: int,
        settings: BrightnessConfig,
        fixed: float = 1.0,
        elevation: Elevation | None = None,
    ) -> None:
        """`steps`: the panel's; `fixed`: the level without a source; `elevation`: the sun's, where known."""
        self._source, self._steps, self._settings, self._fixed = source, steps, settings, fixed
        self._curve = settings.curve or DEFAULT_CURVE
        self._sun = _SunNow(elevation) if elevation and source != "fixed" else None
        self._judge = LightJudge()
        self._stepper = Stepper(settings.ramp_s, settings.hysteresis)
        self._given: int | None = None
        self._dark_reckoning = False
        self._began_s: float | None = None
        self._awaited = source == "sensor"  # the sensor's first value

    @classmethod
    def of(cls, config: Config, capabilities: Capabilities) -> BrightnessControl:
        """As the config says, for a panel that can do so much."""
        source = source_of(config)
        place = sun_of(config)
        elevation = Sun(*place).elevation_deg if place and source != "fixed" else None
        fixed = config.display.brightness if config.display else 1.0
        return cls(source, capabilities.brightness_levels, config.brightness, fixed, elevation)

    def level(self, t_mono_s: float, now_utc: datetime | None, lux: float | None) -> float | None:
        """The level for the panel, 0 (its lowest step) to 1; None: as it is.

        `now_utc`: aware; None while the clock is not trusted. `lux`: the sensor's newest; None: it has none.
        The first level is the right one at once: a sign that starts at night dazzles nobody. So is the
        sensor's first, which comes when it has been asked, unless that takes longer than `START_S`.
        """
        if self._steps == 0:
            return None
        highest_step = max(self._steps - 1, 1)
        if self._began_s is None:
            self._began_s = t_mono_s
        awaited = self._awaited
        position = self._wanted(t_mono_s, now_utc, lux) * (self._steps - 1)
        if awaited and not self._awaited and t_mono_s - self._began_s <= START_S:
            self._stepper.start_anew()
        step = self._stepper.towards(position, t_mono_s)
        if step == self._given:
            return None
        self._given = step
        return step / highest_step

    def _wanted(self, t_mono_s: float, now_utc: datetime | None, lux: float | None) -> float:
        """The level that the light asks for, within the config's bounds; any number, not yet a step."""
        low, high = self._settings.lowest, self._settings.highest
        return min(max(self._level_for(t_mono_s, now_utc, lux), low), high)

    def faults(self) -> list[Fault]:
        """What is wrong with the sensor as far as the sun can tell; its own link has faults of its own."""
        if self._source != "sensor":
            return []
        if self._dark_reckoning:
            return self._judge.faults(
                f"Until then brightness is {self._settings.unknown:g} of the panel's, by day and by night"
            )
        return self._judge.faults("Until then brightness goes by the height of the sun")

    def _level_for(self, t_mono_s: float, now_utc: datetime | None, lux: float | None) -> float:
        if self._source == "fixed":
            return self._fixed
        elevation_deg = self._sun.elevation_deg(t_mono_s, now_utc) if self._sun else None
        self._dark_reckoning = elevation_deg is None
        if self._source == "sensor":
            believed = self._judge.lux(t_mono_s, lux, elevation_deg)
            if believed is not None:
                self._awaited = False
                return level_of(believed, self._curve)
        if elevation_deg is None:
            return self._settings.unknown
        return level_of(sunlight_lx(elevation_deg), self._curve)


class _SunNow:
    """The sun's height now. Wall time that was right once goes on by the monotonic clock when trust is lost:
    that clock errs by seconds a day, and the sun by a quarter of a degree a minute."""

    def __init__(self, elevation: Elevation) -> None:
        self._elevation = elevation
        self._known: tuple[float, datetime] | None = None  # a moment on both clocks
        self._looked_s = -math.inf
        self._deg = 0.0

    def elevation_deg(self, t_mono_s: float, now_utc: datetime | None) -> float | None:
        """Degrees, at most a minute old; None while it was never known what time it is."""
        if now_utc is not None:
            self._known = t_mono_s, now_utc
        if self._known is None:
            return None
        if t_mono_s - self._looked_s >= SUN_S:
            then_s, then_utc = self._known
            self._deg = self._elevation(then_utc + timedelta(seconds=t_mono_s - then_s))
            self._looked_s = t_mono_s
        return self._deg


class Stepper:
    """From a position on the panel's scale to whole steps: hysteresis, then a ramp of one step a time."""

    def __init__(self, ramp_s: float, hysteresis: float) -> None:
        """`hysteresis`: so far beyond the middle between two steps it has to be, in steps, below 0.5."""
        self._ramp_s, self._hysteresis = ramp_s, hysteresis
        self._target = self._step = 0
        self._moved_s: float | None = None  # when it last was, or came nearer to, its target

    def start_anew(self) -> None:
        """What comes next is the first: at once."""
        self._moved_s = None

    def towards(self, position: float, t_mono_s: float) -> int:
        """The step at this moment; the first time at once the nearest."""
        if self._moved_s is None:
            self._target = self._step = math.floor(position + 0.5)
        elif abs(position - self._target) > 0.5 + self._hysteresis:
            self._target = math.floor(position + 0.5)
        if self._moved_s is None or self._step == self._target:
            self._moved_s = t_mono_s
            return self._step
        due = int((t_mono_s - self._moved_s) / self._ramp_s + _JITTER)
        distance = self._target - self._step
        if due >= abs(distance):
            self._step, self._moved_s = self._target, t_mono_s
        elif due:
            self._step += due if distance > 0 else -due
            self._moved_s += due * self._ramp_s
        return self._step


_JITTER = 0.05  # of a ramp step: whoever asks once a second asks after 0.99 s too
