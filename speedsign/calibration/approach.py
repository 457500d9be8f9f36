"""One vehicle that came towards the radar: at which angle was it seen, by its own readings?

The radial speed r is how fast the distance R to the radar shrinks, whatever the driver does. So the
distances at all readings are known but for one, the last: the others are that one and the speeds since.
With d the distance from the radar to the line that the vehicle drives along, the cosine at a distance R is
sqrt(1 - d^2/R^2), and the speed along the road is r over it. At a steady speed v

    r^2 = v^2 - v^2 d^2 / R^2,

a straight line over 1/R^2 for each last distance that is tried. The one that fits best tells d, and with
it the angle of every reading. A driver who gains or loses a little adds a term that grows with the way
(u^2 = v^2 + 2 a way); it is held small by what drivers usually do.

Where the radar tells ranges, the last distance is what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import asin, degrees, exp, inf, isfinite, log, sqrt
from statistics import median
from typing import NamedTuple

from speedsign.model import Direction
from speedsign.tracking.params import KMH_PER_MPS
from speedsign.tracking.speeds import UPPER, far_part, smoothed

LEAST_READINGS, LEAST_S = 10, 0.8
_NEAREST_M, _FARTHEST_M = 2.0, 100.0  # the last reading: tried in equal ratios
_TRIED, _FINER, _ROUNDS = 24, 4, 3  # so many, then around the best in steps so much finer, so often
_USUAL_ACCEL_MPS2 = 0.3  # standard deviation of what a driver does on a free road
_LEAST_NOISE_MPS = 0.05
_CLIPPED = 3.0  # standard deviations: readings farther off count no more than that
_MOST_KEPT = 64  # readings that a line is laid through
_SINGULAR = 1e-12
_TO_SD = 1.4826  # from the median of absolute deviations


class Approach(NamedTuple):
    """The readings of one approaching vehicle, in order of time; `ranges_m`: empty, or one for each."""

    times_s: Sequence[float]
    speeds_kmh: Sequence[float]  # radial, as the radar says them
    ranges_m: Sequence[float] = ()


class Seen(NamedTuple):
    """What the readings of one vehicle tell."""

    angle_deg: float  # between line of sight and way, at its representative reading
    sd_deg: float  # standard deviation of that, by the noise of the readings
    beside_m: float  # from the radar to the line of its way
    along_kmh: float  # its speed along the road at the last reading
    radial_kmh: float  # the representative radial speed: what the tracker divides by the angle's cosine
    accel_mps2: float
    misfit_mps: float  # root mean square of what its readings are off
    fall: float  # by how many standard deviations its radial speed falls as the cosine does


def checked(approach: Approach) -> Approach:
    """The approach itself; raises ValueError for what no series of readings can be."""
    times, speeds, ranges = approach
    if not times or len(times) != len(speeds) or len(ranges) not in (0, len(times)):
        raise ValueError("an approach needs as many speeds as times, and as many ranges or none")
    if not all(isfinite(value) for column in approach for value in column):
        raise ValueError("times, speeds and ranges of an approach have to be numbers")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("the readings of an approach have to be in order of time")
    if min(speeds) < 0.0 or min(ranges, default=0.0) < 0.0:
        raise ValueError("speeds and ranges of an approach cannot be negative")
    return approach


def representative(times_s: Sequence[float], speeds_kmh: Sequence[float]) -> tuple[int, float]:
    """Which reading stands for an approach, and the radial speed (km/h) that the tracker makes of it.

    The upper quartile of the readings away from the pole, as in `speedsign.tracking.speeds`: at a steady
    speed the one that a quarter of them precede.
    """
    far = smoothed(far_part(times_s, speeds_kmh, Direction.APPROACHING))
    place = min(int(UPPER * len(far)), len(far) - 1)
    return len(far) - 1 - place, sorted(far)[place]


def seen_of(approach: Approach) -> Seen | None:
    """What an approach tells; None: too few readings, or no passage explains them."""
    times, speeds, ranges = checked(approach)
    if len(times) < LEAST_READINGS or times[-1] - times[0] < LEAST_S or min(speeds) <= 0.0:
        return None
    which, radial_kmh = representative(times, speeds)
    columns = _columns(times, [speed / KMH_PER_MPS for speed in speeds])
    last_m = None if not ranges else _last_range(columns, ranges)
    best = _search(columns, last_m)
    if best is None:
        return None
    clipped = _clipped(columns, best)
    if clipped is not None:
        columns, best = clipped, _search(clipped, last_m)
    return None if best is None else _seen(columns, best, which, radial_kmh)


class _Columns(NamedTuple):
    ahead_m: Sequence[float]  # what each reading is farther away than the last: all of them
    kept: Sequence[int]  # those that the line is laid through
    radial: Sequence[float]  # m/s, of these
    ahead: Sequence[float]
    bent: Sequence[float]  # `ahead` times the cosine squared, nearly: what acceleration adds


class _Fit(NamedTuple):
    """The line for one last distance. `tried`: all of the search, as (ln of it, misfit, angle's d/v^2...)."""

    last_m: float
    misfit: float  # sum of squares, m²/s²
    v2: float  # v², m²/s²
    gain: float  # 2 a
    vd2: float  # v² d²
    vd2_var: float  # for readings of variance 1
    tried: Sequence[_Fit] = ()

    @property
    def beside_m(self) -> float:
        return sqrt(max(self.vd2, 0.0) / self.v2)

    def speed_mps(self, ahead_m: float, bent: float) -> float:
        """The radial speed at a distance."""
        away_m = self.last_m + ahead_m
        return sqrt(max(self.v2 + self.gain * bent - self.vd2 / (away_m * away_m), 0.0))


def _columns(times: Sequence[float], speeds: Sequence[float]) -> _Columns:
    ahead = [0.0] * len(times)
    for i in range(len(times) - 2, -1, -1):
        ahead[i] = ahead[i + 1] + (speeds[i] + speeds[i + 1]) / 2 * (times[i + 1] - times[i])
    step = (len(times) - 1) // _MOST_KEPT + 1
    kept = range(len(times) - 1, -1, -step)
    radial = [speeds[i] for i in kept]
    return _Columns(ahead, kept, radial, [ahead[i] for i in kept], _bent(radial, [ahead[i] for i in kept]))


def _bent(radial: Sequence[float], ahead: Sequence[float]) -> Sequence[float]:
    most = max(radial)
    return [way * (r / most) ** 2 for r, way in zip(radial, ahead, strict=True)]


def _last_range(columns: _Columns, ranges: Sequence[float]) -> float:
    """The distance at the last reading: what most ranges agree on."""
    away = [told - ahead for told, ahead in zip(ranges, columns.ahead_m, strict=True)]
    return max(median(away), _NEAREST_M)


def _search(columns: _Columns, last_m: float | None) -> _Fit | None:
    """The best of all last distances; None: none shows a fall as the cosine makes it."""
    if last_m is not None:
        fit = _line(columns, last_m)
        return fit and fit._replace(tried=(fit,))
    step = log(_FARTHEST_M / _NEAREST_M) / (_TRIED - 1)
    tried = [_line(columns, _NEAREST_M * exp(i * step)) for i in range(_TRIED)]
    fits = [fit for fit in tried if fit is not None]
    for _ in range(_ROUNDS):
        if not fits:
            return None
        best, finer = min(fits, key=_misfit), step / _FINER
        around = [*range(-_FINER + 1, 0), *range(1, _FINER)]
        tried = [_line(columns, best.last_m * exp(i * finer)) for i in around]
        fits += [fit for fit in tried if fit is not None]
        step = finer
    return min(fits, key=_misfit)._replace(tried=sorted(fits, key=lambda fit: fit.last_m))


def _misfit(fit: _Fit) -> float:
    return fit.misfit


def _line(columns: _Columns, last_m: float) -> _Fit | None:
    """Least squares of r² over 1, the bent way and 1/R², each reading by its error in m/s.

    None: the speed falls in no way that a passage makes it.
    """
    # The acceleration is held by what is usual, as one more reading of its own.
    usual = (_LEAST_NOISE_MPS * 2 / (2 * _USUAL_ACCEL_MPS2)) ** 2
    s1 = sq = sz = sqz = szz = sy = sqy = szy = syy = 0.0
    sqq = usual
    for r, ahead, q in zip(columns.radial, columns.ahead, columns.bent, strict=True):
        y = r * r
        w = 0.25 / y
        away = last_m + ahead
        z = 1.0 / (away * away)
        wq, wz, wy = w * q, w * z, w * y
        s1, sq, sz, sy = s1 + w, sq + wq, sz + wz, sy + wy
        sqq, sqz, szz = sqq + wq * q, sqz + wq * z, szz + wz * z
        sqy, szy, syy = sqy + wq * y, szy + wz * y, syy + wy * y
    # Without the mean, then without the way: what is left of 1/R² and of r².
    qq, qz, zz = sqq - sq * sq / s1, sqz - sq * sz / s1, szz - sz * sz / s1
    qy, zy, yy = sqy - sq * sy / s1, szy - sz * sy / s1, syy - sy * sy / s1
    left = zz - qz * qz / qq if qq > 0.0 else 0.0
    if left <= _SINGULAR * zz or left <= 0.0:
        return None
    slope = (zy - qz * qy / qq) / left
    gain = (qy - slope * qz) / qq
    v2 = (sy - gain * sq - slope * sz) / s1
    if v2 <= 0.0 or slope >= 0.0 or -slope / v2 > last_m * last_m:
        return None
    misfit = max(yy - gain * qy - slope * zy, 0.0)
    return _Fit(last_m, misfit, v2, gain, -slope, 1.0 / left)


def _clipped(columns: _Columns, fit: _Fit) -> _Columns | None:
    """The columns with what lies far off brought nearer; None: nothing does."""
    rows = zip(columns.ahead, columns.bent, strict=True)
    fitted = [fit.speed_mps(ahead, bent) for ahead, bent in rows]
    off = [r - f for r, f in zip(columns.radial, fitted, strict=True)]
    most = _CLIPPED * max(_TO_SD * median(abs(one) for one in off), _LEAST_NOISE_MPS)
    if all(abs(one) <= most for one in off):
        return None
    radial = [f + min(max(one, -most), most) for f, one in zip(fitted, off, strict=True)]
    if min(radial) <= 0.0:
        return None
    return columns._replace(radial=radial, bent=_bent(radial, columns.ahead))


def _seen(columns: _Columns, best: _Fit, which: int, radial_kmh: float) -> Seen:
    n = len(columns.radial)
    noise2 = max(best.misfit / max(n - 4, 1), _LEAST_NOISE_MPS**2)
    ahead_m = columns.ahead_m[which]
    angle_deg, unsure = _angle_deg(best, ahead_m)
    # What other last distances would have told, each as likely as its line fits.
    total, spread = 0.0, unsure * unsure * noise2
    square = 0.0
    for fit, width in _weighed(best.tried):
        likely = width * exp(max(-(fit.misfit - best.misfit) / (2 * noise2), -700.0))
        total += likely
        square += likely * (_angle_deg(fit, ahead_m)[0] - angle_deg) ** 2
    if total > 0.0:
        spread += square / total
    return Seen(
        angle_deg=angle_deg,
        sd_deg=sqrt(spread),
        beside_m=best.beside_m,
        along_kmh=sqrt(best.v2) * KMH_PER_MPS,
        radial_kmh=radial_kmh,
        accel_mps2=-best.gain / 2,
        misfit_mps=sqrt(best.misfit / n),
        fall=best.vd2 / sqrt(best.vd2_var * noise2),
    )


def _angle_deg(fit: _Fit, ahead_m: float) -> tuple[float, float]:
    """The angle at a distance, and its standard deviation for this last distance and noise of 1 m/s."""
    sine = min(fit.beside_m / (fit.last_m + ahead_m), 1.0)
    part = sqrt(fit.vd2_var) / (2 * fit.vd2) if fit.vd2 > 0.0 else inf
    cosine = max(sqrt(1.0 - sine * sine), 0.1)
    return degrees(asin(sine)), degrees(sine * part / cosine)


def _weighed(tried: Sequence[_Fit]) -> list[tuple[_Fit, float]]:
    """Each with the width, in ratios, for which it stands."""
    at = [log(fit.last_m) for fit in tried]
    if len(at) < 2:
        return []
    edges = [at[0], *((a + b) / 2 for a, b in pairwise(at)), at[-1]]
    return [(fit, high - low) for fit, (low, high) in zip(tried, pairwise(edges), strict=True)]
