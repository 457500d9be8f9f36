"""What a first evening's work gives on the same readings: to be beaten, in the same run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.accuracy.scenes import Report
from speedsign.model import Direction, Reading, Vehicle

GAP_S = 1.0
NEAREST_KMH = 4.0
_LEAST = 3


def by_gap(reports: Iterable[Report]) -> Iterator[Vehicle]:
    """One vehicle for each direction until it has been silent for a second; its speed is the highest."""
    open_: dict[Direction, list[Reading]] = {}
    for report in reports:
        for reading in report.readings[:1]:
            group = open_.setdefault(reading.direction, [])
            if group and reading.t_mono_s - group[-1].t_mono_s > GAP_S:
                yield from _vehicle(group)
                group.clear()
            if reading.speed_kmh >= 10.0:
                group.append(reading)
    for group in open_.values():
        yield from _vehicle(group)


def by_nearest(reports: Iterable[Report]) -> Iterator[Vehicle]:
    """Each reading to the group whose last speed is nearest, within 4 km/h and a second."""
    groups: list[list[Reading]] = []
    for report in reports:
        for group in [group for group in groups if report.t_s - group[-1].t_mono_s > GAP_S]:
            groups.remove(group)
            yield from _vehicle(group)
        for reading in report.readings:
            if reading.speed_kmh < 10.0:
                continue
            near = [
                group
                for group in groups
                if group[-1].direction is reading.direction
                and abs(group[-1].speed_kmh - reading.speed_kmh) <= NEAREST_KMH
            ]
            if near:
                min(near, key=lambda group: abs(group[-1].speed_kmh - reading.speed_kmh)).append(reading)
            else:
                groups.append([reading])
    for group in groups:
        yield from _vehicle(group)


def _vehicle(group: list[Reading]) -> Iterator[Vehicle]:
    if len(group) < _LEAST:
        return
    speeds = [reading.speed_kmh for reading in group]
    highest = max(speeds)
    yield Vehicle(
        0,
        group[0].direction,
        group[0].t_mono_s,
        group[-1].t_mono_s,
        highest,
        speeds[0],
        speeds[-1],
        highest,
        len(group),
    )
