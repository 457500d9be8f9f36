"""Vehicles that hide each other from the radar.

Plain geometry: each vehicle is a box on the road. Seen from above, the nearer box covers a sector of
bearings; seen from the side, its far upper edge throws a shadow. A car behind a car shows its roof line
to a radar on a pole, behind a lorry it shows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.vehicles import KINDS, Seen

_CLOSEST_M = 1.0  # nearer than that bearings are not told apart


def visible_parts(seen: Sequence[Seen], mounting_height_m: float) -> list[float]:
    """How much of the face of each vehicle the radar sees, 0 to 1, in the order given."""
    parts = [1.0] * len(seen)
    order = sorted(range(len(seen)), key=lambda number: seen[number].x_m)
    for place, behind in enumerate(order):
        for nearer in order[:place]:
            hidden = _hidden(seen[behind], seen[nearer], mounting_height_m)
            parts[behind] = min(parts[behind], 1.0 - hidden)
    return parts


def _hidden(behind: Seen, nearer: Seen, mounting_height_m: float) -> float:
    """The share of the face of one vehicle that another covers."""
    face, box = KINDS[behind.kind], KINDS[nearer.kind]
    far_end_m = nearer.x_m + box.length_m
    if far_end_m > behind.x_m and nearer.offset_m == behind.offset_m:
        far_end_m = behind.x_m
    low = (behind.offset_m - face.width_m / 2) / max(behind.x_m, _CLOSEST_M)
    high = (behind.offset_m + face.width_m / 2) / max(behind.x_m, _CLOSEST_M)
    box_low = (nearer.offset_m - box.width_m / 2) / max(far_end_m, _CLOSEST_M)
    box_high = (nearer.offset_m + box.width_m / 2) / max(nearer.x_m, _CLOSEST_M)
    across = (min(high, box_high) - max(low, box_low)) / (high - low)
    if across <= 0.0:
        return 0.0
    over_m = box.height_m - mounting_height_m  # negative: the ray over its roof goes down
    edge_m = nearer.x_m if over_m > 0 else far_end_m
    shadow_m = mounting_height_m + over_m * behind.x_m / max(edge_m, _CLOSEST_M)
    return min(across, 1.0) * min(max(shadow_m / face.height_m, 0.0), 1.0)
