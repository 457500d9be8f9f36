"""Which readings belong together: several live tracks, reading by reading.

A reading continues the track that it fits best. Where there is doubt it begins a track of its own, which
the display can show as soon as it is confirmed; some readings later it is decided whether that is an earlier
vehicle that goes on, or another one. A track that turns out to hold two vehicles is parted again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from statistics import median

from speedsign.model import Counters, Direction, Reading, Target, Vehicle
from speedsign.tracking.images import original_of
from speedsign.tracking.junction import LEAST
from speedsign.tracking.noise import Noise
from speedsign.tracking.params import MAX_TRACKS, TrackingParams
from speedsign.tracking.passage import Lanes
from speedsign.tracking.rejoin import misjoin
from speedsign.tracking.speeds import IMAGE, PARTED, REJOINED, vehicle_of
from speedsign.tracking.target import TargetChoice
from speedsign.tracking.track import Track

VERSION = "2"  # goes into each record; changes whenever the same readings can give other vehicles

_MATURE, _MATURE_S, _MATURE_LEAST_S = 6, 0.5, 0.35  # readings and age that show how a track began
_PARTED = 1.3  # a breach inside a track that makes it two (`junction.breach`); looked for in many places
_PARTED_LEAST = 6  # readings: a shorter piece is what was left over
_PARTED_LAG = 10  # looked for so many readings back, after each reading
_QUIET_S = 0.3  # a vehicle not reported for so long hides nobody any more
_UNCONFIRMED = 0.25  # what is known to be a vehicle comes first
_AWAY, _AWAY_PER_DEVIATION = 0.45, 0.25  # one that was out of sight and is met again, by how far it lies off
_SIDE_KMH = 1.5  # two steps of a spectrum at 20,000 samples a second, and some wheel
_SIDE_M = 4.0
_REJOINED_LEAST = 3
_TOGETHER_S = 1.0  # two that were seen by turns end so close together
_JOINED_KEPT = 4 * MAX_TRACKS  # pairs of ids, until somebody asks for them
_MOST_DUE = 8 * MAX_TRACKS  # a bound where there should be none
_SILENT = 1e-9  # a strength that has no logarithm


class Tracker:
    """Feed it readings in order of time; it gives back vehicles that have passed.

    `add` and `advance` return vehicles; `target` is what the display may show. Time is that of the
    readings. Memory and time per reading are bounded, whatever comes.
    """

    def __init__(self, params: TrackingParams | None = None) -> None:
        self.params = params or TrackingParams()
        self.counters = Counters()
        self._noise = Noise()
        self._lanes = Lanes()
        self._choice = TargetChoice(self.params)
        self._joined: deque[tuple[int, int]] = deque(maxlen=_JOINED_KEPT)
        self._tracks: list[Track] = []
        self._ended: list[Track] = []
        self._next_id = 1
        self._reports = 0
        self._unreviewed: Track | None = None
        # Nothing is due before. Readings put off what is due, so they leave it, but for one of a track that
        # stood; whatever else changes the tracks sets it back to 0.
        self._quiet_until_s = 0.0

    # ------------------------------------------------------------------ readings in, vehicles out

    def add(self, readings: Iterable[Reading]) -> list[Vehicle]:
        """Take readings; those of one report share their time. Returns the vehicles that have passed."""
        self.see(readings)
        return self.passed()

    def see(self, readings: Iterable[Reading]) -> None:
        """Take readings; ask `target` next, and `passed` when there is time."""
        before: Reading | None = None
        report: list[tuple[int, Reading]] = []  # which track took which reading of it
        for one in readings:
            reading = one if one.strength is None or one.strength > _SILENT else replace(one, strength=None)
            # Reports that were read from the port together share their time: ranks begin anew.
            if before is None or reading.t_mono_s != before.t_mono_s or reading.rank <= before.rank:
                self._expire(reading.t_mono_s)
                self._reports += 1
                report = []
                self._noise.learn(reading)
            self._place(reading, report)
            before = reading

    @property
    def has_passed(self) -> bool:
        """Whether `passed` may have something to give."""
        return bool(self._ended)

    def passed(self) -> list[Vehicle]:
        """The vehicles that have passed since the last call, in that order."""
        self.settle()
        ended, self._ended = self._ended, []
        return [vehicle_of(track, self.params, self._lanes) for track in ended if self._is_vehicle(track)]

    def advance(self, t_mono_s: float) -> list[Vehicle]:
        """Let time pass without a reading. Returns the vehicles that have passed by then."""
        self._expire(t_mono_s)
        return self.passed()

    def flush(self) -> list[Vehicle]:
        """The readings have ended: everything still alive has passed."""
        self.settle()
        for track in [track for track in self._tracks if track.follows]:
            self._decide(track)
        for track in list(self._tracks):
            if track in self._tracks and not self._is_doubled(track):
                self._part_where_worst(track)
        self._end(self._tracks)
        return self.passed()

    def take_joined(self) -> list[tuple[int, int]]:
        """(later, earlier) ids of tracks that have become one since the last call; the earlier id stays."""
        joined = list(self._joined)
        self._joined.clear()
        return joined

    def target(self, t_mono_s: float, directions: Collection[Direction]) -> Target | None:
        """The confirmed vehicle to show (`TargetChoice`)."""
        return self._choice.choose(self._tracks, t_mono_s, directions, self._reports)

    @property
    def tracks(self) -> Sequence[Track]:
        """Everything in sight or waited for, to be looked at and not touched."""
        return self._tracks

    @property
    def noise(self) -> Noise:
        """How far single readings lie off, as learnt so far."""
        return self._noise

    # ------------------------------------------------------------------ when a vehicle has passed

    @property
    def next_deadline_s(self) -> float | None:
        """When `advance` has something to do, unless a reading comes first."""
        undecided_s = self._undecided_since_s()
        return min((self._due_s(track, undecided_s) for track in self._tracks), default=None)

    def _due_s(self, track: Track, undecided_s: float | None) -> float:
        if track.follows:
            return self._decided_s(track)
        ends_s = self._ends_s(track)
        # It may go on as one that is not decided yet: then that decision comes first.
        return ends_s if undecided_s is None or undecided_s >= ends_s or not track.confirmed else float("inf")

    def _undecided_since_s(self) -> float | None:
        return min((track.t_first_s for track in self._tracks if track.follows), default=None)

    def _decided_s(self, track: Track) -> float:
        """When it is decided what a track is that gets no more readings."""
        return track.t_last_s + _MATURE_S if track.confirmed else self._ends_s(track)

    def _ends_s(self, track: Track) -> float:
        """When a track is over, should nothing more be seen of it.

        A radar that reports the strongest does not see a vehicle behind another one's echo: while others
        are seen, one that was not about to leave the beam is waited for longer.
        """
        params = self.params
        if not track.confirmed:
            return track.t_last_s + min(params.confirm_within_s, params.gap_s)
        ends_s = track.t_last_s + params.gap_s
        if track.stands(params):
            return track.t_last_s + max(params.stands_s, params.gap_s)
        if track.is_past:
            return ends_s
        others = [other.t_last_s for other in self._tracks if other.confirmed and other is not track]
        hidden_until_s = max(others, default=track.t_last_s) + _QUIET_S
        return max(ends_s, min(hidden_until_s, track.t_last_s + params.hidden_s))

    def _expire(self, t_mono_s: float) -> None:
        self.settle()
        if t_mono_s < self._quiet_until_s:
            return
        for _ in range(_MOST_DUE):
            due_s = self.next_deadline_s
            self._quiet_until_s = float("inf") if due_s is None else due_s
            if due_s is None or due_s > t_mono_s:
                return
            self._expire_at(due_s)  # one by one, as the timers of a live sign do

    def _expire_at(self, t_mono_s: float) -> None:
        for track in [track for track in self._tracks if track.follows]:
            if t_mono_s >= self._decided_s(track):
                self._decide(track)
        undecided_s = self._undecided_since_s()
        ended = [
            track
            for track in self._tracks
            if not track.follows and t_mono_s >= self._due_s(track, undecided_s)
        ]
        single = [track for track in ended if track in self._tracks and not self._is_doubled(track)]
        single = [track for track in single if track in self._tracks]
        for track in single:
            self._part_where_worst(track)
        self._end(single)

    def _end(self, tracks: list[Track]) -> None:
        if tracks:
            self._ended += sorted(tracks, key=_last_seen)
            self._tracks = [track for track in self._tracks if track not in tracks]

    # ------------------------------------------------------------------ which track

    def _place(self, reading: Reading, report: list[tuple[int, Reading]]) -> None:
        self.settle()
        params = self.params
        if not params.min_speed_kmh <= reading.speed_kmh <= params.max_speed_kmh:
            self.counters.add("out_of_range")
            return
        if report and any(_is_side_line(reading, taken) for _, taken in report):
            self.counters.add("side_lines")
            return
        track = self._best(reading, report)
        if track is None:
            track = self._start(reading)
        else:
            track.add(reading)
            # One that stood, and was waited for that long, may be driving now.
            self._quiet_until_s = min(self._quiet_until_s, reading.t_mono_s + params.gap_s)
        report.append((track.id, reading))
        track.report = self._reports
        if not track.confirmed and track.confirms(params):
            track.confirmed, self._quiet_until_s = True, 0.0
        self._unreviewed = track  # the display comes first: see `settle`

    def _best(self, reading: Reading, report: list[tuple[int, Reading]]) -> Track | None:
        """The track that this reading continues; a track takes one reading of a report."""
        best, best_misfit = None, 2.0
        taken = [track_id for track_id, _ in report]
        for track in self._tracks:
            if track.id in taken:
                continue
            misfit = track.misfit(reading, self.params, self._noise)
            if misfit is None:
                misfit = _AWAY + _AWAY_PER_DEVIATION * track.misfit_again(reading, self._noise)
                if misfit < best_misfit:
                    best, best_misfit = None, misfit  # out of sight meanwhile: it has to prove who it is
                continue
            if not track.confirmed:
                misfit += _UNCONFIRMED
            if misfit < best_misfit:
                best, best_misfit = track, misfit
        return best

    def _start(self, reading: Reading) -> Track:
        original = original_of(reading, self._tracks, self.params)
        track = Track(self._new_id(), reading, original.id if original else None)
        if original is not None:
            track.flags.add(IMAGE)
        self._tracks.append(track)
        self._quiet_until_s = 0.0
        if len(self._tracks) > MAX_TRACKS:
            self.counters.add("crowded_out")
            self._tracks.remove(min(self._tracks, key=_certainty))
        return track

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    # ------------------------------------------------------------------ one vehicle or two

    def settle(self) -> None:
        """What is asked after each reading, once the display has it; at the latest before the next one."""
        track, self._unreviewed = self._unreviewed, None
        if track is not None:
            self._review(track)

    def _review(self, track: Track) -> None:
        """After each reading: does this track hold two vehicles, and is it an earlier one that goes on?"""
        cut = len(track.series) - _PARTED_LAG
        if track.confirmed and cut >= LEAST and track.series.may_part(cut, track.direction):
            self._part(track, track.series.breach_at(cut, track.direction, self._noise), cut)
        if track.follows:
            age_s = track.t_last_s - track.t_first_s
            if age_s >= _MATURE_S or (track.count >= _MATURE and age_s >= _MATURE_LEAST_S):
                self._decide(track)

    def _part_where_worst(self, track: Track) -> None:
        if track.confirmed:
            self._part(track, *track.series.worst_breach(track.direction, self._noise, _PARTED_LAG))

    def _part(self, track: Track, bad: float, cut: int) -> None:
        """Where what a track has gathered cannot be one vehicle, make it two."""
        if bad < _PARTED or len(self._tracks) >= MAX_TRACKS:
            return
        self.counters.add("parted")
        later = track.part(cut, self._new_id())
        later.flags.add(PARTED)
        track.flags.add(PARTED)
        self._tracks.append(later)
        self._decide(later)

    def _decide(self, track: Track) -> None:
        """Whether a track that has shown how it began is an earlier one that goes on."""
        track.follows, self._quiet_until_s = False, 0.0
        earlier = [other for other in self._tracks if other.t_first_s < track.t_first_s]
        for other in earlier:
            if other.follows and other.t_last_s < track.t_first_s:
                self._decide(other)
        best, best_misfit, params = None, 2.0, self.params
        for other in earlier:
            if other.follows or other not in self._tracks or (other.image_of and not other.confirmed):
                continue
            misfit = misjoin(other, track, self._noise, params)
            if misfit is not None and misfit < best_misfit:
                best, best_misfit = other, misfit
        if best is not None:
            self._join(best, track)

    def _is_doubled(self, track: Track) -> bool:
        """Whether an ended track was seen by turns with another one, at the same place: joined then."""
        if track.range_m is None or not track.confirmed:
            return False
        for other in self._tracks:
            if other is track or not other.confirmed or abs(other.t_last_s - track.t_last_s) > _TOGETHER_S:
                continue
            earlier, later = (track, other) if track.t_first_s < other.t_first_s else (other, track)
            by_turns = later.t_first_s < earlier.t_last_s
            if by_turns and misjoin(earlier, later, self._noise, self.params) is not None:
                self._join(earlier, later)
                return True
        return False

    def _join(self, earlier: Track, later: Track) -> None:
        if later.count >= _REJOINED_LEAST and later.t_first_s > earlier.t_last_s:
            earlier.flags.add(REJOINED)
        earlier.absorb(later)
        self._tracks.remove(later)
        self._quiet_until_s = 0.0
        if not earlier.confirmed and earlier.confirms(self.params):
            earlier.confirmed = True
        self._choice.renamed(later.id, earlier.id)
        self._joined.append((later.id, earlier.id))

    def _is_vehicle(self, track: Track) -> bool:
        params = self.params
        lasted_s = track.t_last_s - track.t_first_s
        long_enough = track.count >= params.min_readings and lasted_s >= params.min_duration_s
        if median(track.series.speeds) < params.slow_kmh:
            long_enough = track.count >= params.slow_readings and lasted_s >= params.slow_duration_s
        if PARTED in track.flags:
            long_enough = long_enough and track.count >= _PARTED_LEAST
        if track.confirmed and long_enough:
            return True
        self.counters.add("short_tracks")
        return False


def _is_side_line(reading: Reading, stronger: Reading) -> bool:
    """A neighbour in the spectrum, wheels or a loose load: of the same vehicle, weaker, nearly as fast."""
    if reading.direction is not stronger.direction or abs(reading.speed_kmh - stronger.speed_kmh) > _SIDE_KMH:
        return False
    if reading.range_m is None or stronger.range_m is None:
        return True
    return abs(reading.range_m - stronger.range_m) <= _SIDE_M


def _certainty(track: Track) -> tuple[bool, int, float]:
    return track.confirmed, track.count, track.t_last_s


def _last_seen(track: Track) -> float:
    return track.t_last_s
