"""What a street hides from the one who puts up a sign: how the radar stands, and how the lines are set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from random import Random
from typing import Any

from simulator.aim import Aim, aimed
from simulator.radar_physics import Echo
from simulator.radars import RadarTwin
from simulator.radars.catalogue import ANTENNAS, SQUELCHES
from simulator.radars.ld2415h import Ld2415hTwin
from simulator.radars.ld2451 import Ld2451Twin
from simulator.radars.ops243 import Ops243Twin

CARRIER_HZ, LIGHT_MPS = 24.125e9, 299_792_458.0
FORK_STRENGTH, FORK_RANGE_M = 400.0, 0.1  # right before the radar nothing is louder
LOWEST_HZ, HIGHEST_HZ = 100.0, 20_000.0


@dataclass(frozen=True, slots=True)
class Hidden:
    """Nothing unless said. `panel_unit`, `panel_baud` and `radar_baud`: as somebody has set them before."""

    angle_deg: float | None = None  # at which cars are read: see `simulator.aim`
    inverted: bool = False  # the radar tells approaching as receding
    approaching_only: bool = False  # it has been set to tell nothing else
    sensor_angle_deg: float = 0.0  # it has been set to correct for that itself
    radar_baud: int | None = None
    panel_baud: int | None = None
    panel_unit: int = 1
    dim: bool = False  # the panel begins at its dimmest step
    worn: float = 1.0  # how much of its light is left

    @property
    def lines(self) -> bool:
        """Whether a line is at a rate of its own."""
        return self.radar_baud is not None or self.panel_baud is not None

    def aim(self, radar: str) -> Aim | None:
        """How the radar stands; ValueError: its antenna cannot read cars at that angle."""
        if self.angle_deg is None:
            return None
        try:
            return aimed(ANTENNAS[radar], self.angle_deg, SQUELCHES[radar])
        except ValueError as error:
            raise ValueError(f"the simulated {radar}: {error}") from None

    def set_radar(self, name: str, twin: RadarTwin) -> None:
        """Set it, so that a loss of power changes nothing; ValueError: it has no such setting."""
        if self.approaching_only and not _set_one_way(twin):
            raise ValueError(f"the simulated {name} cannot be set to tell one direction only")
        if self.sensor_angle_deg and not _set_angle(twin, self.sensor_angle_deg):
            raise ValueError(f"the simulated {name} does not correct for an angle")


def _set_one_way(twin: RadarTwin) -> bool:
    if isinstance(twin, Ops243Twin):
        _keep(twin, direction="+")
    elif isinstance(twin, Ld2415hTwin):
        twin.sensor.parameters[4] = 1
    elif isinstance(twin, Ld2451Twin):
        twin.sensor.settings[0x02] = (*twin.sensor.settings[0x02][:1], 1, *twin.sensor.settings[0x02][2:])
    else:
        return False
    return True


def _set_angle(twin: RadarTwin, degrees: float) -> bool:
    if isinstance(twin, Ops243Twin):
        _keep(twin, inbound_deg=degrees, outbound_deg=degrees)
    elif isinstance(twin, Ld2415hTwin):
        twin.sensor.parameters[2] = round(degrees)
    else:
        return False
    return True


def _keep(twin: Ops243Twin, **values: Any) -> None:
    """In use and in flash."""
    twin.sensor.settings = replace(twin.sensor.settings, **values)
    twin.sensor.flash = replace(twin.sensor.flash, **values)


class Way:
    """What becomes of the echoes between road and radar. `fork_hz`: a fork is held before it."""

    def __init__(self, *, inverted: bool = False, seed: int = 0) -> None:
        self.inverted = inverted
        self.fork_hz: float | None = None
        self._random = Random(f"{seed}/fork")  # noqa: S311  play, not secrets

    def __call__(self, echoes: list[Echo]) -> list[Echo]:
        """Strongest first, as they came."""
        found = [self._fork(self.fork_hz), *echoes] if self.fork_hz is not None else echoes
        return [one._replace(radial_mps=-one.radial_mps) for one in found] if self.inverted else found

    def _fork(self, hertz: float) -> Echo:
        """A prong comes and goes: which way it is told changes from report to report."""
        radial_mps = hertz * LIGHT_MPS / (2 * CARRIER_HZ)
        sign = self._random.choice((1, -1))
        return Echo(sign * radial_mps, FORK_STRENGTH, FORK_RANGE_M, None)

    def hold(self, word: str) -> None:
        """A fork of so many hertz, or `off`; ValueError: neither."""
        if word == "off":
            self.fork_hz = None
            return
        hertz = number(word)
        if hertz is None or not LOWEST_HZ <= hertz <= HIGHEST_HZ:
            raise ValueError(
                f"a fork has {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz:"
                ' "fork 2235" reads 50 km/h, "fork off" takes it away'
            )
        self.fork_hz = hertz


def number(word: str, convert: Callable[[str], float] = float) -> float | None:
    """A finite number; None: it is none."""
    try:
        value = convert(word)
        return value if isfinite(value) else None
    except (ValueError, OverflowError):
        return None
