"""When a device is taken to have measured of which only the vehicles are known.

From the first to the last quarter-hour with a vehicle; but not in stretches without any vehicle that are
longer than an allowed gap: nobody knows whether the road was empty or the battery was. Where somebody vouches
for a period, all of it is measured, unless a gap is named as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

INTERVAL_S = 900

Stretch = tuple[int, int]  # from, to: seconds since 1970, UTC


def stretches(
    starts: Sequence[int], gap_s: float, from_s: int | None = None, to_s: int | None = None
) -> list[Stretch]:
    """Where the device measured, by `starts` of the quarter-hours that have a vehicle, rising.

    >>> stretches([0, 900, 90_000], gap_s=86_400)
    [(0, 90900)]
    >>> stretches([0, 900, 90_000], gap_s=3600)
    [(0, 1800), (90000, 90900)]
    """
    if not starts:
        return []
    begin, end = starts[0], starts[0] + INTERVAL_S
    if from_s is not None and begin - from_s <= gap_s:
        begin = from_s
    found = []
    for start in starts[1:]:
        if start - end > gap_s:
            found.append((begin, end))
            begin = start
        end = start + INTERVAL_S
    if to_s is not None and to_s - end <= gap_s:
        end = to_s
    return [*found, (begin, end)]


def left_out(
    measured: Sequence[Stretch], from_s: int | None = None, to_s: int | None = None
) -> Iterator[Stretch]:
    """What lies between the stretches, and at the ends that were stated."""
    if not measured:
        return
    edges = [measured[0][0] if from_s is None else from_s]
    edges += [edge for stretch in measured for edge in stretch]
    edges.append(measured[-1][1] if to_s is None else to_s)
    for end, begin in zip(edges[::2], edges[1::2], strict=True):
        if begin > end:
            yield end, begin


def intervals(measured: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """The start of every quarter-hour that has a part in a stretch, and how many seconds it has."""
    for begin, end in measured:
        start = begin - begin % INTERVAL_S
        while start < end:
            yield start, min(start + INTERVAL_S, end) - max(start, begin)
            start += INTERVAL_S
