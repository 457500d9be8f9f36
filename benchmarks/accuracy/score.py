"""What was counted against what drove past, and what was shown against who was there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from benchmarks.accuracy.scenes import Recording, Truth
from speedsign.model import Direction, Vehicle
from speedsign.tracking import Tracker

SHOWN = frozenset({Direction.APPROACHING})  # as the rules are by default
EDGE_S = 1.0
SPEED_OFF_KMH, SPEED_OFF_PART = 6.0, 0.15  # a vehicle so far off in speed is not the one that was counted
WINDOW_OFF_S = 0.3  # windows that only touch
WRONG_KMH, WRONG_PART = 3.0, 0.05  # a number so far from everybody's speed is wrong


@dataclass(frozen=True, slots=True)
class Score:
    """One method on one recording."""

    passed: int
    counted: int
    found: int  # of either: pairs
    off_kmh: list[float]  # speed minus truth, of each that was found
    v85_off_kmh: float


def score(recording: Recording, counted: Sequence[Vehicle]) -> Score:
    """Pair each vehicle that was counted with one that passed, best fits first.

    Left out are those in view when the recording begins or ends.
    """
    inside = [one for one in counted if one.t_first_mono_s > _begins_s(recording)]
    pairs = _pairs(recording.truth, inside)
    off = [inside[j].speed_kmh - recording.truth[i].speed_kmh for i, j in pairs]
    return Score(
        passed=len(recording.truth),
        counted=len(inside),
        found=len(pairs),
        off_kmh=off,
        v85_off_kmh=_v85([one.speed_kmh for one in inside])
        - _v85([one.speed_kmh for one in recording.truth]),
    )


def _begins_s(recording: Recording) -> float:
    return min((one.t_first_s for one in recording.truth), default=0.0) - 0.5


def _pairs(truth: Sequence[Truth], counted: Sequence[Vehicle]) -> list[tuple[int, int]]:
    fits = []
    for i, one in enumerate(truth):
        for j, vehicle in enumerate(counted):
            cost = _misfit(one, vehicle)
            if cost is not None:
                fits.append((cost, i, j))
    pairs, taken_i, taken_j = [], set(), set()
    for _, i, j in sorted(fits):
        if i not in taken_i and j not in taken_j:
            taken_i.add(i)
            taken_j.add(j)
            pairs.append((i, j))
    return pairs


def _misfit(one: Truth, vehicle: Vehicle) -> float | None:
    if vehicle.direction is not one.direction and vehicle.direction is not Direction.UNKNOWN:
        return None
    overlap_s = min(one.t_last_s, vehicle.t_last_mono_s) - max(one.t_first_s, vehicle.t_first_mono_s)
    # Who stops is in view for long at other speeds than the one it came with.
    off_kmh = min(abs(vehicle.speed_kmh - one.speed_kmh), abs(vehicle.entry_kmh - one.speed_kmh))
    if overlap_s < -WINDOW_OFF_S or off_kmh > SPEED_OFF_KMH + SPEED_OFF_PART * one.speed_kmh:
        return None
    ends_s = abs(vehicle.t_first_mono_s - one.t_first_s) + abs(vehicle.t_last_mono_s - one.t_last_s)
    return ends_s + off_kmh / 5.0


def _v85(speeds: Iterable[float]) -> float:
    ordered = sorted(speeds)
    if not ordered:
        return 0.0
    at = 0.85 * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel driven by the live target would have lit."""

    waits_s: list[float]  # from a lone vehicle's third reading to the first number for it
    wrong: int  # numbers that were nobody's speed
    hours: float


def track(recording: Recording) -> tuple[list[Vehicle], Shown]:
    """Our tracker, fed as the daemon feeds it."""
    tracker, counted = Tracker(), []
    waits_s: list[float] = []
    third_s: dict[int, float] = {}
    seen: dict[int, int] = {}
    wrong, before = 0, None
    for report in recording.reports:
        counted += tracker.advance(report.t_s)
        counted += tracker.add(report.readings)
        target = tracker.target(report.t_s, SHOWN)
        shown = None if target is None else (target.track_id, round(target.speed_kmh))
        if target is not None and shown != before and not _is_somebodys(target.speed_kmh, report.in_view):
            wrong += 1
        before = shown
        lone = len(report.in_view) == 1 and report.in_view[0][0] in SHOWN and report.vehicle_ids
        alone = report.vehicle_ids[0] if lone else None
        if alone is None:
            continue
        seen[alone] = seen.get(alone, 0) + 1
        if seen[alone] == _THIRD:
            third_s[alone] = report.t_s
        if alone in third_s and target is not None and target.t_last_mono_s == report.t_s:
            waits_s.append(report.t_s - third_s.pop(alone))
            seen[alone] = _DONE
    counted += tracker.flush()
    span_s = recording.reports[-1].t_s - recording.reports[0].t_s
    return counted, Shown(waits_s, wrong, span_s / 3600.0)


_THIRD, _DONE = 3, 1_000_000


def _is_somebodys(speed_kmh: float, in_view: Sequence[tuple[Direction, float]]) -> bool:
    return any(abs(speed_kmh - true) <= max(WRONG_KMH, WRONG_PART * true) for _, true in in_view)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: means over the seeds."""

    passed: int
    recall: float
    precision: float
    count_off: float
    median_kmh: float
    p95_kmh: float
    v85_kmh: float
    v85_bias_kmh: float


def line(scores: Sequence[Score]) -> Line:
    """Recall and the like are means over the seeds; speed errors are taken over all vehicles."""
    off = sorted(abs(one) for each in scores for one in each.off_kmh) or [0.0]
    passed, counted = sum(each.passed for each in scores), sum(each.counted for each in scores)
    return Line(
        passed=passed,
        recall=fmean(each.found / max(each.passed, 1) for each in scores),
        precision=fmean(each.found / max(each.counted, 1) for each in scores),
        count_off=counted / max(passed, 1) - 1.0,
        median_kmh=median(off),
        p95_kmh=off[min(int(0.95 * len(off)), len(off) - 1)],
        v85_kmh=fmean(abs(each.v85_off_kmh) for each in scores),
        v85_bias_kmh=fmean(each.v85_off_kmh for each in scores),
    )
