"""What a light sensor says, and how far it may be believed.

Pure: values in, once a second, with the time; out comes the light to go by, or None: go by the sun.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

from speedsign.model import Fault

WINDOW_S = 10.0  # the median of so long: headlights and the shadow of a lorry are over by then
START_S = 15.0  # to the first value, before its absence is a fault
DOUBT_S = 600.0  # so long against the sun, and it is a fault
TRUST_S = 60.0  # so long something else again, and it is believed


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """What no working sensor says, and what a broken one of this kind never says."""

    lux: float  # beyond it, while the sun stands beyond `sun_deg`
    sun_deg: float
    healed_lux: float  # back beyond it
    says: str

    def holds(self, lux: float, elevation_deg: float) -> bool:
        if self.sun_deg > 0:
            return elevation_deg > self.sun_deg and lux < self.lux
        return elevation_deg < self.sun_deg and lux > self.lux

    def is_over(self, lux: float) -> bool:
        return lux >= self.healed_lux if self.sun_deg > 0 else lux <= self.healed_lux


# A thunderstorm leaves some hundred lux, and no street lamp gives a thousand.
_NIGHT_BY_DAY = _Contradiction(1.0, 10.0, 10.0, "reads night (below 1 lx) in full daylight")
_DAY_BY_NIGHT = _Contradiction(1000.0, -6.0, 100.0, "reads day (above 1000 lx) at night")


class LightJudge:
    """Smooths what the sensor says, and doubts it when the sun says otherwise for long."""

    def __init__(self) -> None:
        self._window: deque[tuple[float, float]] = deque()  # time, lux
        self._began_s: float | None = None
        self._missing = False
        self._suspect: _Contradiction | None = None
        self._disbelieved: _Contradiction | None = None
        self._since_s = 0.0  # when what may change the verdict began

    def lux(self, t_mono_s: float, lux: float | None, elevation_deg: float | None) -> float | None:
        """The light to go by, smoothed; None while the sensor says nothing, or nothing that can be believed.

        `elevation_deg`: of the sun; None while it is not known: then nothing is doubted.
        """
        if self._began_s is None:
            self._began_s = t_mono_s
        if lux is None or not math.isfinite(lux) or lux < 0:
            self._missing = self._missing or bool(self._window) or t_mono_s - self._began_s >= START_S
            self._window.clear()
            self._suspect = None
            return None
        self._missing = False
        smooth = self._smooth(t_mono_s, lux)
        if self._disbelieved is not None:
            self._may_heal(self._disbelieved, smooth, t_mono_s)
        elif elevation_deg is not None:
            self._may_doubt(smooth, elevation_deg, t_mono_s)
        return smooth if self._disbelieved is None else None

    def faults(self, instead: str) -> list[Fault]:
        """What is wrong now. `instead`: what brightness goes by meanwhile."""
        faults = []
        if self._missing:
            text = f"the light sensor gives no value; check its wires and its power. {instead}"
            faults.append(Fault("light", "missing", text))
        if self._disbelieved is not None:
            text = (
                f"the light sensor {self._disbelieved.says}; clean it, see that nothing covers or lights it, "
                f"and check the clock and the coordinates. {instead}"
            )
            faults.append(Fault("light", "implausible", text))
        return faults

    def _smooth(self, t_mono_s: float, lux: float) -> float:
        self._window.append((t_mono_s, lux))
        while self._window[0][0] < t_mono_s - WINDOW_S:
            self._window.popleft()
        return median(value for _, value in self._window)

    def _may_doubt(self, lux: float, elevation_deg: float, t_mono_s: float) -> None:
        suspect = next((one for one in (_NIGHT_BY_DAY, _DAY_BY_NIGHT) if one.holds(lux, elevation_deg)), None)
        if suspect is not self._suspect:
            self._suspect, self._since_s = suspect, t_mono_s
        elif suspect is not None and t_mono_s - self._since_s >= DOUBT_S:
            self._disbelieved, self._since_s = suspect, t_mono_s

    def _may_heal(self, disbelieved: _Contradiction, lux: float, t_mono_s: float) -> None:
        """It has to say what it could not: after sunset "night" is no proof of a sensor stuck at night."""
        if not disbelieved.is_over(lux):
            self._since_s = t_mono_s
        elif t_mono_s - self._since_s >= TRUST_S:
            self._disbelieved = self._suspect = None
