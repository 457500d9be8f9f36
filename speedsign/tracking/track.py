"""One thing that moves: its readings so far, and which reading can be its next one."""

from __future__ import annotations

from math import exp, inf, log
from statistics import median

from speedsign.model import Direction, Reading
from speedsign.tracking.noise import Noise
from speedsign.tracking.params import KMH_PER_MPS, TrackingParams
from speedsign.tracking.passage import Passage, passage_of
from speedsign.tracking.series import WAY, Series

# Gains of the g-h filter that follows the radial speed: quick enough for a car that passes close by,
# slow enough that one outlier does not carry the track away; larger while a track is young.
_GAINS = {1: (0.8, 0.4), 2: (0.7, 0.3), 3: (0.6, 0.25), 4: (0.55, 0.2)}  # by readings so far
_GAIN, _PACE_S = (0.5, 0.15), 0.1  # for readings so far apart; a quicker sensor says the same more often
_LOOK_AHEAD_S, _STEEPEST_KMH_S = 0.4, 60.0  # over a longer gap the slope tells nothing any more
_AWAY_S, _AWAY_SPACINGS = 0.4, 2.5  # unseen for so long: whoever comes then has to prove who they are
# How far readings lie off the filter, learnt from the track itself and from the sensor.
_SCATTER_KMH, _SCATTER_GAIN, _SCATTER_MOST_KMH = 0.35, 0.1, 2.0
_OF_SENSOR, _OF_STEP = 1.1, 0.4  # the least scatter, of the sensor's noise and of its steps
_SCATTERS, _DOUBTS = 4.0, 2.5  # the room for a reading, the way the cosine bends the speed and against it
_AGAINST = 0.3  # of what a driver can do, against the cosine: the filter follows a steady change by itself
_EASY_KMH_S, _JERK_KMH_S2 = 5.4, 36.0  # 1.5 m/s² is always possible, more builds up by 10 m/s³
_EMERGES_S = 1.0  # how long the radial speed of a car that leaves the pole behind it rises
_EMERGE_SLOPES, _EMERGE_KMH_S = 1.5, 20.0  # and how much faster than it did just now
_STEEP_KMH_S, _STEEP_KMH = 8.0, 1.5  # a filter that follows so steep a rise overshoots
_STEP = 1.8  # ln: the strength of one vehicle changes less from one reading to the next, fading included
_FALLEN, _RISEN = 0.5, 4.0  # a valley is so deep under the peak, and its far side so much higher
_PLACE_M = 4.0  # how far a told range may lie off
_NEAR_PEAK, _LEAVING_KMH_S = 0.7, 2.0  # past its peak by so much, and falling: a car leaves the beam
_COLLAPSED = 0.25
_FALLING_KMH_S = (
    3.0  # a radial speed that changes faster may be swept by the cosine: it will not turn at once
)
_FALLS_KMH_S, _FALLS_TO = 5.0, 0.9  # without a strength: falling so fast, and to so much of what it was
_SWEPT_KMH_S = 12.0  # no driver brakes so hard for a sign: this is the cosine, whatever the strength says
_PASSAGE_EVERY, _LEAST_COSINE = (
    3,
    0.7,
)  # readings between two looks at how it passes; and how far it is believed
_FALLS_S, _BEFORE = 0.8, 5  # what was shown before the fall: so long ago, so many readings
_CREEPS_KMH = 5.0  # above the least speed: slower still, a vehicle is lost from sight without leaving
_AGAIN_KMH = 0.25  # the least spread of a speed that is met again


class Track:
    """Readings that one vehicle can have made, in order of time."""

    __slots__ = (
        "_before_leaving",
        "_passage",
        "_passage_due",
        "_scatter_kmh",
        "_spacing_s",
        "_valley",
        "confirmed",
        "count",
        "direction",
        "flags",
        "follows",
        "id",
        "image_of",
        "peak_strength",
        "range_m",
        "report",
        "series",
        "slope_kmh_s",
        "speed_kmh",
        "strength",
        "t_first_s",
        "t_last_s",
    )

    def __init__(self, track_id: int, first: Reading, image_of: int | None = None) -> None:
        self.id = track_id
        self.direction = first.direction
        self.t_first_s = self.t_last_s = first.t_mono_s
        self.series = Series()
        self.count = 0
        self.confirmed = False
        self.follows = True  # whether it may still turn out to be what an earlier track goes on as
        self.report = 0  # number of the report that it was last seen in
        self.image_of = image_of  # the track that this one may be a reflection of
        self.flags: set[str] = set()
        self.strength = self.peak_strength = self._valley = first.strength  # smoothed
        self.range_m = first.range_m
        self.speed_kmh, self.slope_kmh_s = first.speed_kmh, 0.0  # radial, filtered
        self._scatter_kmh, self._spacing_s = _SCATTER_KMH, _PACE_S
        self._before_leaving = 0
        self._passage: Passage | None = None  # as its readings told last
        self._passage_due = 0  # at which number of readings they are asked again
        self._keep(first)

    # ------------------------------------------------------------------ which reading is the next

    def misfit(self, reading: Reading, params: TrackingParams, noise: Noise) -> float | None:
        """How badly a reading fits, 0 (as expected) to 1; None: this may be another vehicle."""
        dt_s = reading.t_mono_s - self.t_last_s
        if dt_s > _AWAY_S and dt_s > self.away_s:
            return None
        if self.direction is not reading.direction and not same_way(self.direction, reading.direction):
            return None
        dt_s = max(dt_s, 0.0)
        off_kmh = reading.speed_kmh - self.expected_kmh(dt_s)
        up_kmh, down_kmh = self._room_kmh(dt_s, params, noise)
        part = off_kmh / up_kmh if off_kmh > 0 else -off_kmh / down_kmh
        if part > 1.0:
            return None
        if self.range_m is not None and reading.range_m is not None:
            part = max(part, self._misplaced(reading))
        elif reading.strength and self.strength:
            if self._is_valley(reading.strength):
                return None
            step = log(reading.strength / self.strength) / _STEP
            part = (part * part + step * step) ** 0.5
        return part if part <= 1.0 else None

    def misfit_again(self, reading: Reading, noise: Noise) -> float:
        """How far a reading is from this vehicle as it was when it went out of sight, standard deviations."""
        if reading.t_mono_s - self.t_last_s < self.away_s or not self.confirmed:
            return inf
        if not same_way(self.direction, reading.direction) or self.is_past or self._misplaced(reading) > 1.0:
            return inf
        spread_kmh = max(noise.speed_kmh, _OF_STEP * noise.step_kmh, _AGAIN_KMH)
        return abs(reading.speed_kmh - self.speed_kmh) / spread_kmh

    @property
    def away_s(self) -> float:
        """Out of sight for so long, it may be another one that comes into sight."""
        return max(_AWAY_S, _AWAY_SPACINGS * self._spacing_s)

    @property
    def is_past(self) -> bool:
        """An approaching vehicle that has left the beam: its echo or its radial speed has collapsed."""
        if self.direction is not Direction.APPROACHING:
            return False
        if self.slope_kmh_s < -_SWEPT_KMH_S:
            return True
        if not self.peak_strength or self.strength is None:
            return self.slope_kmh_s < -_FALLS_KMH_S and self.speed_kmh < _FALLS_TO * median(
                self.series.speeds
            )
        if self.strength < _COLLAPSED * self.peak_strength:
            return True
        return self.slope_kmh_s < -_FALLING_KMH_S and self.strength < _NEAR_PEAK * self.peak_strength

    def stands(self, params: TrackingParams) -> bool:
        """Whether it has come to a halt in the beam: too slow to be seen, and nowhere near leaving."""
        return (
            self.confirmed
            and self.speed_kmh < params.min_speed_kmh + _CREEPS_KMH
            and -_SWEPT_KMH_S < self.slope_kmh_s < _CREEPS_KMH
        )

    def expected_kmh(self, dt_s: float) -> float:
        """The radial speed so long after the last reading."""
        return self.speed_kmh + self.slope_kmh_s * min(dt_s, _LOOK_AHEAD_S)

    def place_m(self, t_mono_s: float) -> float | None:
        """How far away it is at a moment, by its last range and its speed; None: the radar does not tell."""
        if self.range_m is None:
            return None
        way_mps = WAY[self.direction] * self.speed_kmh / KMH_PER_MPS
        return self.range_m + way_mps * (t_mono_s - self.t_last_s)

    def _misplaced(self, reading: Reading) -> float:
        """How far a reading is from where this vehicle has to be by now: 1 is as far as can be."""
        place_m = self.place_m(reading.t_mono_s)
        if place_m is None or reading.range_m is None:
            return 0.0
        way_m = self.speed_kmh / KMH_PER_MPS * (reading.t_mono_s - self.t_last_s)
        return abs(reading.range_m - place_m) / (_PLACE_M + way_m / 2)

    def _is_valley(self, strength: float) -> bool:
        """An echo rises to one peak and falls: one that has fallen and rises again is somebody else's."""
        if not self.peak_strength or self._valley is None:
            return False
        return self._valley < _FALLEN * self.peak_strength and strength > _RISEN * self._valley

    def _room_kmh(self, dt_s: float, params: TrackingParams, of_sensor: Noise) -> tuple[float, float]:
        """How much higher and lower than expected the next reading may be.

        Approaching, the radial speed falls with the cosine as the car nears the pole, ever faster, and
        never rises by it; receding is the mirror image. So the room on one side is only what an engine
        can do, and a speed that jumps there is another car.
        """
        scatter_kmh = max(self._scatter_kmh, _OF_SENSOR * of_sensor.speed_kmh, _OF_STEP * of_sensor.step_kmh)
        noise_kmh = min(max(_SCATTERS * scatter_kmh, params.noise_min_kmh), params.noise_max_kmh)
        doubt_kmh = min(max(_DOUBTS * scatter_kmh, params.noise_min_kmh), params.noise_max_kmh)
        bend_kmh = abs(self.slope_kmh_s) * min(dt_s, _LOOK_AHEAD_S)
        faster_kmh, slower_kmh = _change(dt_s, params.speed_up_kmh_s), _change(dt_s, params.brake_kmh_s)
        if self.direction is Direction.APPROACHING:
            if self.slope_kmh_s < -_FALLING_KMH_S:
                return doubt_kmh, noise_kmh + slower_kmh + bend_kmh
            return doubt_kmh + _AGAINST * faster_kmh, noise_kmh + slower_kmh
        if self.direction is Direction.UNKNOWN:
            doubt_kmh = noise_kmh
        emerging_kmh = self._emerging_kmh(dt_s, params)
        if self.slope_kmh_s > _STEEP_KMH_S:
            doubt_kmh += min(emerging_kmh, _STEEP_KMH)
        up_kmh = noise_kmh + faster_kmh + emerging_kmh
        return up_kmh + (
            bend_kmh if self.slope_kmh_s > _FALLING_KMH_S else 0.0
        ), doubt_kmh + _AGAINST * slower_kmh

    def _emerging_kmh(self, dt_s: float, params: TrackingParams) -> float:
        """By how much more the radial speed of a car that leaves the pole behind it can rise."""
        if self.t_last_s - self.t_first_s >= _EMERGES_S:
            return 0.0
        emerging_kmh = params.emerge_kmh_s * dt_s
        if self.count == 1:
            return emerging_kmh
        return min(emerging_kmh, (_EMERGE_SLOPES * max(self.slope_kmh_s, 0.0) + _EMERGE_KMH_S) * dt_s)

    # ------------------------------------------------------------------ taking a reading

    def add(self, reading: Reading) -> None:
        """Take the reading as this vehicle's."""
        dt_s = max(reading.t_mono_s - self.t_last_s, 0.0)
        expected_kmh = self.expected_kmh(dt_s)
        off_kmh = reading.speed_kmh - expected_kmh
        pace = min(dt_s / _PACE_S, 1.0)
        gain_speed, gain_slope = _GAINS.get(self.count, _GAIN)
        self.speed_kmh = expected_kmh + gain_speed * pace * off_kmh
        self._scatter_kmh += _SCATTER_GAIN * (min(abs(off_kmh), _SCATTER_MOST_KMH) - self._scatter_kmh)
        if dt_s > 0.0:
            slope_kmh_s = self.slope_kmh_s + gain_slope * pace * pace * off_kmh / dt_s
            self.slope_kmh_s = max(-_STEEPEST_KMH_S, min(_STEEPEST_KMH_S, slope_kmh_s))
            self._spacing_s += 0.1 * (min(dt_s, 1.0) - self._spacing_s)
        self.t_last_s = max(self.t_last_s, reading.t_mono_s)
        if self.direction is Direction.UNKNOWN:
            self.direction = reading.direction
        self._keep(reading)

    def _keep(self, reading: Reading) -> None:
        self.count += 1
        if reading.strength is not None:
            self._note_strength(reading.strength)
        if reading.range_m is not None:
            self.range_m = reading.range_m
        if not self.series.add(reading):
            return
        if self.strength is None or self.strength >= _NEAR_PEAK * (self.peak_strength or 0.0):
            self._before_leaving = len(self.series)

    def _note_strength(self, strength: float) -> None:
        self.strength = strength if self.strength is None else 0.5 * self.strength + 0.5 * strength
        if self.peak_strength is None or self.strength >= self.peak_strength:
            self.peak_strength = self._valley = self.strength
        self._valley = self.strength if self._valley is None else min(self._valley, self.strength)

    def absorb(self, later: Track) -> None:
        """A later track has turned out to be this vehicle: it goes on as that one would have."""
        self.series.merge(later.series)
        self.count += later.count
        self.flags |= later.flags
        self.confirmed = self.confirmed or later.confirmed
        if later.t_last_s >= self.t_last_s:
            self.t_last_s, self.report = later.t_last_s, later.report
            self.speed_kmh, self.slope_kmh_s = later.speed_kmh, later.slope_kmh_s
            self.strength, self.range_m = later.strength, later.range_m
        self._review()

    def part(self, cut: int, track_id: int) -> Track:
        """Give up the kept readings from `cut` on: another vehicle's, which is returned."""
        share = (len(self.series) - cut) / len(self.series)
        later = Track.__new__(Track)
        for name in Track.__slots__:
            setattr(later, name, getattr(self, name))
        later.id, later.image_of, later.flags = track_id, None, set()
        later.series = self.series.cut(cut)
        later.count = max(round(self.count * share), len(later.series))
        later.t_first_s = later.series.times[0]
        self.count = max(self.count - later.count, len(self.series))
        self.t_last_s, self.report = self.series.times[-1], 0
        end = self.series.end(self.direction)
        self.speed_kmh, self.slope_kmh_s, self.range_m = end.speed_kmh, end.slope_kmh_s, end.range_m
        for track in (self, later):
            track._review()  # noqa: SLF001  one of us
        return later

    def _review(self) -> None:
        """Renew what is derived from the kept readings: strength, peak and valley, the passage."""
        self._before_leaving, self._passage_due = len(self.series), 0
        if not self.series.levels:
            return
        self.strength = self.peak_strength = self._valley = None
        for level in self.series.levels:
            self._note_strength(exp(level))

    # ------------------------------------------------------------------ what is known now

    def live_speed_kmh(self, smoothing_readings: int) -> float:
        """The speed to show now: the median of the last readings.

        For a car that nears the pole what falls is the cosine of the angle and not the car, and nobody is
        to be shown that. Where its readings tell how it passes, each is divided by its own cosine, but never
        to more than was shown before the fall. For one that is leaving the beam, and whose angle can no
        longer be told, the last readings before it began to leave count.
        """
        speeds = self.series.speeds
        end = self._before_leaving if self._is_leaving else len(speeds)
        if smoothing_readings <= 1:
            return speeds[end - 1]
        shown = median(speeds[max(end - smoothing_readings, 0) : end])
        if self.direction is Direction.APPROACHING and self.slope_kmh_s < -_LEAVING_KMH_S:
            return max(shown, self._along_kmh(smoothing_readings))
        return shown

    def _along_kmh(self, smoothing_readings: int) -> float:
        """The speed along the road of one whose radial speed falls; 0: its readings do not tell."""
        times, speeds = self.series.times, self.series.speeds
        if self.count >= self._passage_due:
            self._passage = passage_of(times, speeds, self.direction)
            self._passage_due = self.count + _PASSAGE_EVERY
        if self._passage is None:
            return 0.0
        cosines = [self._passage.cosine(t_s) for t_s in times[-smoothing_readings:]]
        if min(cosines) < _LEAST_COSINE:
            return 0.0
        before = [v for t, v in zip(times, speeds, strict=True) if t < times[-1] - _FALLS_S][-_BEFORE:]
        if not before:
            return 0.0
        along = median(v / c for v, c in zip(speeds[-smoothing_readings:], cosines, strict=True))
        return min(along, median(before))

    @property
    def _is_leaving(self) -> bool:
        """Approaching, its radial speed falls and its echo too: the pole is near."""
        return (
            self.direction is Direction.APPROACHING
            and self._before_leaving < len(self.series)
            and self.slope_kmh_s < -_LEAVING_KMH_S
        )

    def confirms(self, params: TrackingParams) -> bool:
        """Whether enough readings agree, close enough together."""
        times = self.series.times
        needed = params.confirm_readings if self.image_of is None else params.image_readings
        if self.count < needed:
            return False
        return (
            self.image_of is not None
            or times[-1] - times[-min(needed, len(times))] <= params.confirm_within_s
        )


def same_way(one: Direction, other: Direction) -> bool:
    """Whether two directions do not contradict each other."""
    return one is other or Direction.UNKNOWN in (one, other)


def _change(dt_s: float, hardest_kmh_s: float) -> float:
    """How far a driver can change a steady speed in so long: a foot takes time to come down."""
    return min((_EASY_KMH_S + _JERK_KMH_S2 * dt_s / 2) * dt_s, hardest_kmh_s * dt_s)
