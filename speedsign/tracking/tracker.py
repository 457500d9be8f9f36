"""Which readings belong together: several live tracks, reading by reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from speedsign.model import Counters, Direction, Reading, Target, Vehicle
from speedsign.tracking.params import MAX_TRACKS, TrackingParams
from speedsign.tracking.speeds import speeds_of
from speedsign.tracking.track import Track

VERSION = "1"  # goes into each record; changes whenever the same readings can give other vehicles

_QUIET_S = 0.3  # a vehicle not reported for so long hides nobody any more
_FRESH_S = 0.7  # a target that was not seen for so long yields to one that is
_STRONGER = 2.0  # another target takes over when it is so much stronger
_SIDE_KMH = 1.5  # two steps of a spectrum at 20,000 samples a second, and some wheel
_IMAGE_KMH = 1.5  # an image has the same speed to so much, or twice the speed to 3 %
_IMAGE_WEAKER = 0.7  # and so much of its strength at most
_IMAGE_OF_S = 0.5  # its original was seen within so long


class Tracker:
    """Feed it readings in order of time; it gives back vehicles that have passed.

    `add` and `advance` return vehicles; `target` is what the display may show. Time is that of the
    readings. Memory and time per reading are bounded, whatever comes.
    """

    def __init__(self, params: TrackingParams | None = None) -> None:
        self.params = params or TrackingParams()
        self.counters = Counters()
        self._tracks: list[Track] = []
        self._ended: list[Track] = []
        self._next_id = 1
        self._reports = 0
        self._target_id: int | None = None

    # ------------------------------------------------------------------ readings in, vehicles out

    def add(self, readings: Iterable[Reading]) -> list[Vehicle]:
        """Take readings; those of one report share their time. Returns the vehicles that have passed."""
        self.see(readings)
        return self.passed()

    def see(self, readings: Iterable[Reading]) -> None:
        """Take readings; ask `target` next, and `passed` when there is time."""
        before: Reading | None = None
        report: list[tuple[int, Reading]] = []  # which track took which reading of it
        for reading in readings:
            # Reports that were read from the port together share their time: ranks begin anew.
            if before is None or reading.t_mono_s != before.t_mono_s or reading.rank <= before.rank:
                self._expire(reading.t_mono_s)
                self._reports += 1
                report = []
            self._place(reading, report)
            before = reading

    @property
    def has_passed(self) -> bool:
        """Whether `passed` may have something to give."""
        return bool(self._ended)

    def passed(self) -> list[Vehicle]:
        """The vehicles that have passed since the last call, in that order."""
        ended, self._ended = self._ended, []
        return [self._vehicle(track) for track in ended if self._is_vehicle(track)]

    def advance(self, t_mono_s: float) -> list[Vehicle]:
        """Let time pass without a reading. Returns the vehicles that have passed by then."""
        self._expire(t_mono_s)
        return self.passed()

    def flush(self) -> list[Vehicle]:
        """The readings have ended: everything still alive has passed."""
        self._ended += self._tracks
        self._tracks = []
        return self.passed()

    def _expire(self, t_mono_s: float) -> None:
        soonest_s = min(self.params.confirm_within_s, self.params.gap_s)
        if all(t_mono_s - track.t_last_s < soonest_s for track in self._tracks):
            return
        ended = [track for track in self._tracks if t_mono_s >= self._ends_s(track)]
        if ended:
            self._ended += ended
            self._tracks = [track for track in self._tracks if track not in ended]

    @property
    def next_deadline_s(self) -> float | None:
        """When `advance` has something to do, unless a reading comes first."""
        return min((self._ends_s(track) for track in self._tracks), default=None)

    def _ends_s(self, track: Track) -> float:
        """When a track is over, should nothing more be seen of it.

        A radar that reports the strongest does not see a vehicle behind another one's echo: while others
        are seen, one that was not about to leave the beam is waited for longer.
        """
        params = self.params
        if not track.confirmed:
            return track.t_last_s + min(params.confirm_within_s, params.gap_s)
        ends_s = track.t_last_s + params.gap_s
        if track.is_past:
            return ends_s
        others = [other.t_last_s for other in self._tracks if other.confirmed and other is not track]
        hidden_until_s = max(others, default=track.t_last_s) + _QUIET_S
        return max(ends_s, min(hidden_until_s, track.t_last_s + params.hidden_s))

    # ------------------------------------------------------------------ which track

    def _place(self, reading: Reading, report: list[tuple[int, Reading]]) -> None:
        params = self.params
        if not params.min_speed_kmh <= reading.speed_kmh <= params.max_speed_kmh:
            self.counters.add("out_of_range")
            return
        if any(_is_side_line(reading, taken) for _, taken in report):
            self.counters.add("side_lines")
            return
        track = self._best(reading, report)
        if track is None:
            track = self._start(reading)
        else:
            track.add(reading)
        report.append((track.id, reading))
        track.report = self._reports
        if not track.confirmed and track.confirms(params):
            track.confirmed = True

    def _best(self, reading: Reading, report: list[tuple[int, Reading]]) -> Track | None:
        """The track that this reading continues; a track takes one reading of a report."""
        best, best_misfit = None, 2.0
        taken = [track_id for track_id, _ in report]
        for track in self._tracks:
            if track.id in taken:
                continue
            misfit = track.misfit(reading, self.params)
            if misfit is None:
                continue
            if not track.confirmed:
                misfit += 0.25  # what is known to be a vehicle comes first
            if misfit < best_misfit:
                best, best_misfit = track, misfit
        return best

    def _start(self, reading: Reading) -> Track:
        original = self._original_of(reading)
        if original is not None:
            original.images += 1
        track = Track(self._next_id, reading, original.id if original else None)
        self._next_id += 1
        self._tracks.append(track)
        if len(self._tracks) > MAX_TRACKS:
            self.counters.add("crowded_out")
            self._tracks.remove(min(self._tracks, key=_certainty))
        return track

    def _original_of(self, reading: Reading) -> Track | None:
        """The live vehicle that this reading may be an image of: same speed the other way, or twice it."""
        for track in self._tracks:
            if not track.confirmed or reading.t_mono_s - track.t_last_s > _IMAGE_OF_S:
                continue
            if track.strength is not None and (reading.strength or 0.0) > _IMAGE_WEAKER * track.strength:
                continue
            speed = track.live_speed_kmh(self.params.smoothing_readings)
            if track.direction is not reading.direction:
                if abs(reading.speed_kmh - speed) <= _IMAGE_KMH:
                    return track
            elif abs(reading.speed_kmh - 2 * speed) <= 0.03 * reading.speed_kmh:
                return track
        return None

    # ------------------------------------------------------------------ the live target

    def target(self, t_mono_s: float, directions: Collection[Direction]) -> Target | None:
        """The confirmed vehicle to show: the one shown before, while it is seen and not outshone.

        As many reports as confirm a vehicle, all without the one shown, hand the display to another.
        """
        live = [
            track
            for track in self._tracks
            if track.confirmed and track.direction in directions and t_mono_s - track.t_last_s <= _FRESH_S
        ]
        if not live:
            self._target_id = None
            return None
        chosen = live[0] if len(live) == 1 else self._chosen(live)
        self._target_id = chosen.id
        speed = chosen.live_speed_kmh(self.params.smoothing_readings) * self.params.correction
        return Target(
            chosen.id, speed, chosen.direction, chosen.t_last_s, chosen.count, chosen.strength, chosen.range_m
        )

    def _chosen(self, live: list[Track]) -> Track:
        seen = [track for track in live if self._still_seen(track)] or live
        chosen = max(seen, key=_prominence)
        kept = next((track for track in live if track.id == self._target_id), None)
        if kept is not None and self._still_seen(kept) and not _outshines(chosen, kept):
            return kept
        return chosen

    def _still_seen(self, track: Track) -> bool:
        return self._reports - track.report < self.params.confirm_readings

    # ------------------------------------------------------------------ vehicles

    def _is_vehicle(self, track: Track) -> bool:
        long_enough = (
            track.count >= self.params.min_readings
            and track.t_last_s - track.t_first_s >= self.params.min_duration_s
        )
        if track.confirmed and long_enough:
            return True
        self.counters.add("short_tracks")
        return False

    def _vehicle(self, track: Track) -> Vehicle:
        speeds, factor = speeds_of(track.times, track.speeds, track.direction), self.params.correction
        return Vehicle(
            track_id=track.id,
            direction=track.direction,
            t_first_mono_s=track.t_first_s,
            t_last_mono_s=track.t_last_s,
            speed_kmh=speeds.speed_kmh * factor,
            entry_kmh=speeds.entry_kmh * factor,
            exit_kmh=speeds.exit_kmh * factor,
            max_kmh=speeds.max_kmh * factor,
            readings=track.count,
            strength=track.peak_strength,
            flags=("image?",) if track.image_of is not None else (),
        )


def _is_side_line(reading: Reading, stronger: Reading) -> bool:
    """A neighbour in the spectrum, wheels or a loose load: of the same vehicle, weaker, nearly as fast."""
    return (
        reading.direction is stronger.direction and abs(reading.speed_kmh - stronger.speed_kmh) <= _SIDE_KMH
    )


def _certainty(track: Track) -> tuple[bool, int, float]:
    return track.confirmed, track.count, track.t_last_s


def _prominence(track: Track) -> tuple[float, float, float]:
    """Nearest first where the radar tells the range, else strongest, else seen last."""
    nearness = -track.range_m if track.range_m is not None else 0.0
    return nearness, track.strength or 0.0, track.t_last_s


def _outshines(other: Track, kept: Track) -> bool:
    if other.range_m is not None and kept.range_m is not None:
        return other.range_m < kept.range_m
    if other.strength is not None and kept.strength is not None:
        return other.strength > _STRONGER * kept.strength
    return False
