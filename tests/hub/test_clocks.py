"""A sign that learns the time late, or never: the hub ends with its numbers, in whatever order it hears."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speedsign.model import ClockQuality, Interval
from telemetry.hub.port import Heard
from telemetry.query import read_intervals, read_vehicles
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.hub.clocks import SIGN, Boot, Sign, hub_of
from tests.hub.test_officers import OWN, without

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC))
YEAR_S = 365 * 86_400

HISTORIES = {
    "good": [Boot(8), Boot(8)],
    "never": [Boot(9, sync=None)],
    "late": [Boot(8), Boot(12, wrong_s=-1800, sync=3)],
    "late, after a restart of the program": [Boot(8), Boot(12, wrong_s=-1800, sync=8, restart=5)],
    "in the middle of an interval": [Boot(5), Boot(8, off_s=700, wrong_s=-130, sync=1)],
    "never between two": [Boot(8), Boot(6, wrong_s=-2000, sync=None), Boot(8)],
    "three that never knew": [Boot(8), *[Boot(5, wrong_s=-4000, sync=None)] * 3, Boot(8)],
    "ten years behind": [Boot(8), Boot(7, wrong_s=-10 * YEAR_S, sync=4), Boot(4)],
    "ten years ahead": [Boot(8), Boot(7, wrong_s=10 * YEAR_S, sync=4), Boot(4)],
    "never, ten years behind": [Boot(8), Boot(7, wrong_s=-10 * YEAR_S, sync=None), Boot(4)],
    "never, ten years ahead": [Boot(8), Boot(7, wrong_s=10 * YEAR_S, sync=None), Boot(4)],
    "since 1970, and not yet known": [Boot(8), Boot(7, wrong_s=-56 * YEAR_S, sync=None)],
}


def counted(path: Path) -> tuple[Counter[datetime], int]:
    """Dated vehicles by quarter-hour, and undated ones."""
    dated, undated = Counter[datetime](), 0
    for one in read_intervals(path, *EVER):
        n = sum(cell.n for cell in one.cells)
        if one.clock is ClockQuality.UNKNOWN:
            undated += n
        elif n:
            dated[one.start_utc] += n
    return dated, undated


def kept(path: Path) -> list[tuple[Any, ...]]:
    """Intervals as the counts are computed from them; what is withdrawn counts nothing."""
    found = [one for one in read_intervals(path, *EVER) if not withdrawn(one)]
    return [
        (one.start_utc, one.boot, one.clock, round(one.measured_s, 3), one.stepped, one.after_utc, one.cells)
        for one in sorted(found, key=lambda one: (one.start_utc, one.boot))
    ]


def withdrawn(one: Interval) -> bool:
    return bool(one.boot) and not one.cells and not one.measured_s


def singles(path: Path) -> list[tuple[Any, ...]]:
    """Single vehicles; an undated one's time is none."""
    return sorted(
        (
            one.clock.value,
            one.last_utc if one.clock is not ClockQuality.UNKNOWN else None,
            one.boot[:16] if one.clock is not ClockQuality.OK else "",
            one.vehicle.direction.value,
            round(one.vehicle.speed_kmh, 1),
        )
        for _, one in read_vehicles(path, *EVER)
    )


def heard_anyhow(told: list[Heard], seed: int) -> list[list[Heard]]:
    """In any order, some of it twice or thrice, in batches of any size."""
    chance = random.Random(seed)
    several = told + [one for one in told if chance.random() < 0.4]
    chance.shuffle(several)
    cuts = sorted(chance.randrange(len(several) + 1) for _ in range(4))
    return [several[a:b] for a, b in zip([0, *cuts], [*cuts, len(several)], strict=True)]


@pytest.mark.parametrize("name", HISTORIES)
def test_the_hub_ends_with_the_numbers_of_the_sign(tmp_path: Path, name: str) -> None:
    sign = Sign(tmp_path / "sign.db")
    for boot in HISTORIES[name]:
        sign.run(boot)
    told = sign.end()
    assert counted(sign.path) == (sign.by_quarter(), sign.undated)
    in_order = hub_of(tmp_path / "hub.db", [told])
    shuffled = hub_of(tmp_path / "other.db", heard_anyhow(told, 7))
    for hub in (in_order, shuffled):
        assert kept(hub) == kept(sign.path)
        assert singles(hub) == singles(sign.path)
        for words in (("stats",), ("report",), ("stats", "--from", "2026-05-04", "--to", "2026-05-05")):
            own = speedsign(*words, "--db", sign.path, "--json")
            asked = speedsign(*words, "--db", hub, "--sign", SIGN, "--json")
            assert (own.exit_code, asked.exit_code) == (0, 0), own.stderr + asked.stderr
            assert without(as_json(asked), *OWN) == without(as_json(own), *OWN)
    (both,) = [
        row for row in as_json(speedsign("stats", "--db", shuffled, "--json")) if row["direction"] == "both"
    ]
    assert (both["n"], both["undated"]) == (len(sign.passed), sign.undated)
    assert both["coverage"] <= 1


@pytest.mark.parametrize("hours", [1, -1, 24 * 365 * 10, -24 * 365 * 10])
def test_a_clock_that_is_set_marks_the_same_intervals_at_both(tmp_path: Path, hours: int) -> None:
    sign = Sign(tmp_path / "sign.db")
    sign.run(Boot(8))
    with contextlib.closing(SqliteStore(sign.path, SIGN, vehicles=True)) as store:
        store.begin(sign.facts, sign.now)
        store.step(sign.now, sign.now + timedelta(hours=hours))
    sign.now += timedelta(hours=hours)
    sign.run(Boot(4, off_s=0))
    told = sign.end()
    hub = hub_of(tmp_path / "hub.db", heard_anyhow(told, hours))
    assert kept(hub) == kept(sign.path)
    assert sum(one.stepped for one in read_intervals(hub, *EVER)) == 2
    assert singles(hub) == singles(sign.path)


BOOTS = st.lists(
    st.builds(
        Boot,
        steps=st.integers(1, 9),
        off_s=st.integers(10, 5000),
        wrong_s=st.sampled_from([0, -40, -700, -4000, 86_400, -2 * 86_400, 10 * YEAR_S, -10 * YEAR_S]),
        sync=st.one_of(st.none(), st.integers(0, 9)),
        restart=st.one_of(st.none(), st.integers(1, 8)),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BOOTS, st.integers(0, 10**6))
def test_any_history_in_any_order_with_acknowledgements_that_are_lost(boots: list[Boot], seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        sign, hub = Sign(Path(folder) / "sign.db"), Path(folder) / "hub.db"
        for boot in boots:
            sign.run(boot)
            if chance.random() < 0.5 and sign.told:  # it heard all so far; its word perhaps did not come
                hub_of(hub, [list(sign.told.values())])
                if chance.random() < 0.5:
                    sign.acknowledged(max(sign.told))
        told = sign.end()
        assert counted(sign.path) == (sign.by_quarter(), sign.undated)
        hub_of(hub, heard_anyhow(told, seed))
        assert kept(hub) == kept(sign.path)
        assert singles(hub) == singles(sign.path)
