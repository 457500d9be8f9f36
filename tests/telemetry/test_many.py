"""Counting of many vehicles at once, which takes another way than that of few."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from telemetry.rows import packed, unpacked

N = 60_000


def speeds_of(kind: str) -> list[int]:
    chance = random.Random(3)
    if kind == "road":
        return [max(0, round(chance.gauss(50, 9))) for _ in range(N)]
    if kind == "flat":  # more speeds than are searched for one by one
        return [chance.randrange(160) for _ in range(N)]
    if kind == "fast":  # no Latin letter stands for such a speed
        return [chance.choice([40, 50, 222, 223, 999]) for _ in range(N)]
    if kind == "rare":  # in no sample
        return [50] * (N - 1) + [130]
    return [50] * N


@pytest.mark.parametrize("kind", ["road", "flat", "fast", "rare", "one"])
@pytest.mark.parametrize("shuffled", [True, False])
def test_every_vehicle_is_counted_once(kind: str, shuffled: bool) -> None:
    passed = speeds_of(kind)
    text = packed(Counter(passed))
    if shuffled:
        signs = list(text)
        random.Random(4).shuffle(signs)
        text = "".join(signs)
    found = unpacked(text)
    assert found == dict(Counter(passed))
    assert list(found) == sorted(found)
