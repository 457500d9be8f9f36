"""One thing that moves: its readings so far, and which reading can be its next one."""

from __future__ import annotations

from statistics import median

from speedsign.model import Direction, Reading
from speedsign.tracking.params import MAX_READINGS, TrackingParams

# Gains of the g-h filter that follows the radial speed: quick enough for a car that passes close by,
# slow enough that one outlier does not carry the track away.
_GAIN_SPEED = 0.5
_GAIN_SLOPE = 0.15
_LOOK_AHEAD_S = 0.4  # over a longer gap the slope tells nothing any more
# How far readings lie off the filter, learnt from the track itself: sensors differ tenfold in their noise.
_SCATTER_START_KMH, _SCATTER_GAIN, _SCATTERS = 0.35, 0.1, 4.0
_EASY_KMH_S, _JERK_KMH_S2 = 5.4, 36.0  # 1.5 m/s² is always possible, more builds up by 10 m/s³
_UNSEEN_KMH = 2.5  # nobody changes more while out of sight without being somebody else
_AWAY_S = 0.4  # out of sight for so long: whoever comes has to prove who they are
_FADES = 2.0  # strength may differ by so much and still be the same echo
_COLLAPSED = 0.25
_NEAR_PEAK, _LEAVING_KMH_S = 0.7, 2.0  # past its peak by so much, and falling: a car leaves the beam
_FALLEN, _RISEN = 0.5, 4.0  # a valley is so deep under the peak, and its far side so much higher
_EMERGES_S = 1.0  # how long the radial speed of a car that leaves the pole behind it rises
_FALLING_KMH_S = 3.0  # a radial speed that changes faster is swept by the cosine: it will not turn at once


class Track:
    """Readings that one vehicle can have made, in order of time."""

    __slots__ = (
        "_before_leaving",
        "_kept_every",
        "_scatter",
        "_skip",
        "_slope",
        "_speed",
        "_valley",
        "confirmed",
        "count",
        "direction",
        "id",
        "image_of",
        "images",
        "peak_strength",
        "range_m",
        "report",
        "speeds",
        "strength",
        "t_first_s",
        "t_last_s",
        "times",
    )

    def __init__(self, track_id: int, first: Reading, image_of: int | None = None) -> None:
        self.id = track_id
        self.direction = first.direction
        self.t_first_s = self.t_last_s = first.t_mono_s
        self.times: list[float] = []
        self.speeds: list[float] = []
        self.count = 0
        self.confirmed = False
        self.report = 0  # number of the report that it was last seen in
        self.image_of = image_of  # the track that this one may be a reflection of
        self.images = 0  # readings that were a reflection of this track
        self.strength = self.peak_strength = first.strength
        self._valley = first.strength
        self.range_m = first.range_m
        self._speed, self._slope = first.speed_kmh, 0.0
        self._scatter = _SCATTER_START_KMH
        self._kept_every, self._skip = 1, 0
        self._before_leaving = 0
        self._keep(first)

    # ------------------------------------------------------------------ which reading is the next

    def misfit(self, reading: Reading, params: TrackingParams) -> float | None:
        """How badly a reading fits, 0 (as expected) to 1; None: this cannot be the same vehicle."""
        if self.direction is not reading.direction and Direction.UNKNOWN not in (
            self.direction,
            reading.direction,
        ):
            return None
        dt_s = max(reading.t_mono_s - self.t_last_s, 0.0)
        if dt_s > _AWAY_S and not self._can_return(reading):
            return None
        if self._is_valley(reading):
            return None
        off = reading.speed_kmh - self._expected(dt_s)
        up, down = self._room(dt_s, params)
        if dt_s > _AWAY_S:
            up, down = min(up, _UNSEEN_KMH), min(down, self._unseen_fall())
        room = up if off > 0 else down
        return abs(off) / room if abs(off) <= room else None

    def _can_return(self, reading: Reading) -> bool:
        """Whether a vehicle that was out of sight for a while can show up again with this strength.

        On its way to the sign an echo grows until the car leaves the beam, and is then gone for good; on
        its way off it fades.
        """
        if self.strength is None or reading.strength is None or self.direction is Direction.UNKNOWN:
            return True
        if self.direction is Direction.APPROACHING:
            return not self.is_past and reading.strength >= self.strength / _FADES
        return reading.strength <= self.strength * _FADES

    def _is_valley(self, reading: Reading) -> bool:
        """An echo rises to one peak and falls: one that has fallen and rises again is somebody else's."""
        if reading.strength is None or not self.peak_strength or self._valley is None:
            return False
        return self._valley < _FALLEN * self.peak_strength and reading.strength > _RISEN * self._valley

    def _unseen_fall(self) -> float:
        """Drivers who see a sign brake; those who have passed it do not."""
        return 2 * _UNSEEN_KMH if self.direction is Direction.APPROACHING else _UNSEEN_KMH

    @property
    def is_past(self) -> bool:
        """An approaching vehicle that has left the beam: its echo or its radial speed has collapsed."""
        if self.direction is not Direction.APPROACHING:
            return False
        if self._slope < -_FALLING_KMH_S:
            return True
        return bool(self.peak_strength) and (self.strength or 0.0) < _COLLAPSED * (self.peak_strength or 0.0)

    def _expected(self, dt_s: float) -> float:
        return self._speed + self._slope * min(dt_s, _LOOK_AHEAD_S)

    def _room(self, dt_s: float, params: TrackingParams) -> tuple[float, float]:
        """How much higher and lower than expected the next reading may be, km/h.

        Approaching, the radial speed falls with the cosine as the car nears the pole, ever faster, and
        never rises by it; receding is the mirror image. So the room on one side is only what an engine
        can do, and a speed that jumps there is another car.
        """
        noise = min(max(_SCATTERS * self._scatter, params.noise_min_kmh), params.noise_max_kmh)
        up = noise + _change(dt_s, params.speed_up_kmh_s)
        down = noise + _change(dt_s, params.brake_kmh_s)
        bend = abs(self._slope) * min(dt_s, _LOOK_AHEAD_S)
        if self.direction is Direction.APPROACHING:
            return (noise, down + bend) if self._slope < -_FALLING_KMH_S else (up, down)
        emerging = params.emerge_kmh_s * dt_s if self.t_last_s - self.t_first_s < _EMERGES_S else 0.0
        return up + emerging + (bend if self._slope > _FALLING_KMH_S else 0.0), down

    # ------------------------------------------------------------------ taking a reading

    def add(self, reading: Reading) -> None:
        """Take the reading as this vehicle's."""
        dt_s = reading.t_mono_s - self.t_last_s
        expected = self._expected(dt_s)
        off = reading.speed_kmh - expected
        self._speed = expected + _GAIN_SPEED * off
        self._scatter += _SCATTER_GAIN * (min(abs(off), 2.0) - self._scatter)
        if dt_s > 0.01:
            self._slope += _GAIN_SLOPE * off / max(dt_s, 0.05)
            self._slope = max(-60.0, min(60.0, self._slope))
        self.t_last_s = max(self.t_last_s, reading.t_mono_s)
        if self.direction is Direction.UNKNOWN:
            self.direction = reading.direction
        self._keep(reading)

    def _keep(self, reading: Reading) -> None:
        self.count += 1
        if reading.strength is not None:
            before = self.strength if self.strength is not None else reading.strength
            self.strength = 0.5 * before + 0.5 * reading.strength
            if self.peak_strength is None or self.strength >= self.peak_strength:
                self.peak_strength = self._valley = self.strength
            self._valley = min(self._valley or self.strength, self.strength)
        if reading.range_m is not None:
            self.range_m = reading.range_m
        self._skip += 1
        if self._skip < self._kept_every:
            return
        self._skip = 0
        self.times.append(reading.t_mono_s)
        self.speeds.append(reading.speed_kmh)
        if len(self.times) > MAX_READINGS:
            del self.times[1::2]
            del self.speeds[1::2]
            self._kept_every *= 2
            self._before_leaving = len(self.speeds)
        if self.strength is None or self.strength >= _NEAR_PEAK * (self.peak_strength or 0.0):
            self._before_leaving = len(self.speeds)

    # ------------------------------------------------------------------ what is known now

    def live_speed_kmh(self, smoothing_readings: int) -> float:
        """The radial speed now: the median of the last readings.

        For a car that is leaving the beam, the last ones before it began to: what falls from there on is
        the cosine of the angle and not the car, and nobody is to be shown that.
        """
        end = self._before_leaving if self._is_leaving else len(self.speeds)
        if smoothing_readings <= 1:
            return self.speeds[end - 1]
        return median(self.speeds[max(end - smoothing_readings, 0) : end])

    @property
    def _is_leaving(self) -> bool:
        """Approaching, its radial speed falls and its echo too: the pole is near."""
        return (
            self.direction is Direction.APPROACHING
            and self._before_leaving < len(self.speeds)
            and self._slope < -_LEAVING_KMH_S
        )

    def confirms(self, params: TrackingParams) -> bool:
        """Whether enough readings agree, close enough together."""
        needed = params.confirm_readings if self.image_of is None else params.image_readings
        if self.count < needed:
            return False
        return self.image_of is not None or self.times[-1] - self.times[-needed] <= params.confirm_within_s


def _change(dt_s: float, hardest_kmh_s: float) -> float:
    """How far a driver can change a steady speed in so long: a foot takes time to come down."""
    return min((_EASY_KMH_S + _JERK_KMH_S2 * dt_s / 2) * dt_s, hardest_kmh_s * dt_s)
