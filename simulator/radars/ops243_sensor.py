"""The OPS243-A without its protocol: settings, flash, clock, what it measures of the echoes, and when.

Facts: OmniPreSense AN-010-AD (commands, defaults, table 12 for what flash keeps) and bench recordings
(report spacing: median 0.105 s, 99 % below 0.26 s at 10k samples/s and 1024 samples).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import cos, radians
from random import Random
from typing import NamedTuple

from simulator.radar_physics import Echo, quantised

HALF_WAVELENGTH_M = 299_792_458 / 24.125e9 / 2
OVERHEAD_S = 0.003  # from the last sample of a buffer to the report
LATE_SHARE = 0.02  # of the reports come after two or three buffers
START_S = 1.0  # from power to the banner; the manual promises at most 2 s
EPOCH_OF_A_NEW_CLOCK_S = 0.0


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """A speed unit: the word of `U?`, the word in reports, and what it is in m/s."""

    name: str
    short: str
    mps: float


UNITS = {
    "UM": UnitFacts("m-per-sec", "mps", 1.0),
    "UK": UnitFacts("km-per-hr", "kmph", 1 / 3.6),
    "US": UnitFacts("mph", "mph", 0.44704),
    "UC": UnitFacts("cm-per-sec", "cmps", 0.01),
    "UF": UnitFacts("ft-per-sec", "ftps", 0.3048),
}


@dataclass(frozen=True, slots=True)
class Ops243Settings:
    """Everything that can be set; the defaults are the factory's. Speeds are m/s whatever the unit."""

    unit: str = "UM"
    decimals: int = 2
    rate_hz: int = 10_000
    samples: int = 1024
    min_mps: float = 0.0
    max_mps: float = 0.0  # 0: off
    min_magnitude: float = 20.0
    max_magnitude: float = 0.0  # 0: off
    direction: str = "|"  # "+" inbound only, "-" outbound only
    inbound_deg: float = 0.0
    outbound_deg: float = 0.0
    averages_peaks: bool = False
    blank: str = "V"  # what is sent when nothing moves: Z, L, S, C, T, or V for nothing
    json: bool = False
    magnitude: bool = False
    time: bool = False
    human_time: bool = False
    units: bool = False
    speed: bool = True
    reports: int = 1
    order: str = "M"  # by magnitude; V: fastest first, /: slowest first


_NOT_IN_FLASH = {"json", "magnitude", "time", "human_time", "units", "speed", "reports", "order"}


class Measured(NamedTuple):
    """One peak as the sensor reports it: positive inbound, in its unit, corrected by its angle."""

    speed: float
    magnitude: float


@dataclass(slots=True)
class Ops243Sensor:
    """The device. Start-up, resets and power-off keep what is in flash, and nothing else."""

    random: Random
    settings: Ops243Settings = Ops243Settings()
    flash: Ops243Settings = Ops243Settings()
    uptime_s: float = 0.0
    clock_offset_s: float = EPOCH_OF_A_NEW_CLOCK_S
    active: bool = True
    starting_s: float = 0.0  # left until it is up
    report_in_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.report_in_s = self.random.random() * self.spacing_s()

    @property
    def unit(self) -> UnitFacts:
        return UNITS[self.settings.unit]

    @property
    def resolution_mps(self) -> float:
        return HALF_WAVELENGTH_M * self.settings.rate_hz / self.settings.samples

    @property
    def limit_mps(self) -> float:
        """Faster than this folds back: half the sampling rate."""
        return HALF_WAVELENGTH_M * self.settings.rate_hz / 2

    def spacing_s(self) -> float:
        """Time to the next report: a buffer of samples, at times two or three."""
        buffer_s = max(self.settings.samples / self.settings.rate_hz + OVERHEAD_S, 0.05)
        if self.random.random() < LATE_SHARE:
            return buffer_s * self.random.uniform(2.0, 3.0)
        return buffer_s * self.random.uniform(0.98, 1.03)

    def save(self) -> None:
        """`A!`: keep in flash what table 12 lists; forms of output are not on it."""
        volatile = {name: getattr(Ops243Settings(), name) for name in _NOT_IN_FLASH}
        self.flash = replace(self.settings, **volatile)

    def restart(self) -> None:
        """Reset, or power gone and back."""
        self.settings, self.active = self.flash, True
        self.uptime_s, self.clock_offset_s = 0.0, EPOCH_OF_A_NEW_CLOCK_S
        self.starting_s = START_S

    def measure(self, echoes: Sequence[Echo]) -> list[Measured]:
        """The peaks that pass the filters, as many as one report holds."""
        found: list[Measured] = []
        for echo in echoes:
            self._peaks(echo.radial_mps, echo.strength, found)
        if self.settings.order != "M":
            found.sort(key=lambda peak: abs(peak.speed), reverse=self.settings.order == "V")
        return found[: self.settings.reports]

    def _peaks(self, radial_mps: float, strength: float, found: list[Measured]) -> None:
        bin_mps = self.resolution_mps
        at_mps = self._folded(quantised(radial_mps, bin_mps))
        peak = self._reported(at_mps, strength)
        if peak:
            found.append(peak)
        if self.settings.reports > 1 and not self.settings.averages_peaks:
            for beside_mps in (at_mps - bin_mps, at_mps + bin_mps):  # the skirts of a strong peak
                side = self._reported(beside_mps, strength * 0.25)
                if side:
                    found.append(side)

    def _folded(self, radial_mps: float) -> float:
        limit_mps = self.limit_mps
        return (radial_mps + limit_mps) % (2 * limit_mps) - limit_mps

    def _reported(self, radial_mps: float, strength: float) -> Measured | None:
        s = self.settings
        if strength <= s.min_magnitude or (s.max_magnitude and strength >= s.max_magnitude):
            return None
        if (s.direction == "+" and radial_mps < 0) or (s.direction == "-" and radial_mps > 0):
            return None
        angle_deg = s.inbound_deg if radial_mps >= 0 else s.outbound_deg
        speed_mps = radial_mps / cos(radians(angle_deg))
        if abs(speed_mps) < s.min_mps or (s.max_mps and abs(speed_mps) > s.max_mps) or not speed_mps:
            return None
        return Measured(speed_mps / self.unit.mps, strength)
