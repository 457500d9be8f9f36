"""Since when a sign stands as it does: what was proved there before it went away proves nothing any more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from speedsign.model import ClockQuality, Coverage, Installation
from telemetry.calibration import State, keep, stand_now, stand_of, standing
from telemetry.calibration.proof import ALWAYS
from telemetry.store import SqliteStore
from tests.hub.traffic import make_hub, said_by
from tests.telemetry.calibrations import SIGN, record
from tests.telemetry.samples import BAUSKA, T0

DAY = timedelta(days=1)
AWAY = replace(BAUSKA, site="Iecava")
SLOWER = replace(BAUSKA, limit_kmh=30)
Begun = tuple[Installation, float]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def stood(path: Path, begun: Iterable[Begun], measured_after_days: float | None = None) -> None:
    """Installations, and since which day; of each a quarter of an hour was measured so much later."""
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        day = 0.0
        for facts, said in begun:
            store.begin(facts, T0 + said * DAY)
            day = max(day + 1, said)
            if measured_after_days is not None:
                at = T0 + (day + measured_after_days) * DAY
                store.add_coverage([Coverage(at, 900.0, ClockQuality.OK)])


def since(path: Path) -> float | None:
    found = stand_now(path)
    assert found is not None
    at = found.stood.since_utc
    return None if at is None else (at - T0) / DAY


def test_where_it_always_stood_so_every_proof_counts(path: Path) -> None:
    stood(path, [(BAUSKA, 0), (SLOWER, 10)])
    assert since(path) is None
    stood(path, [(AWAY, 20)])
    assert since(path) is None  # it was never there before


def test_away_and_back_begins_anew(path: Path) -> None:
    stood(path, [(BAUSKA, 0), (AWAY, 10), (BAUSKA, 20), (SLOWER, 30)])
    assert since(path) == 10  # what is of Bauska and later than this, was made after it came back
    bounds = [stand_of(path, number) for number in (1, 2, 3, 4)]
    assert [(one.since_utc, one.until_utc) for one in bounds] == [
        (None, T0 + 10 * DAY),
        (None, None),
        (T0 + 10 * DAY, None),
        (T0 + 10 * DAY, None),
    ]
    assert stand_of(path, 99) == ALWAYS


def test_an_angle_that_was_changed_and_changed_back_begins_anew(path: Path) -> None:
    stood(path, [(BAUSKA, 0), (replace(BAUSKA, mounting_angle_deg=5.0), 10), (BAUSKA, 11)])
    assert since(path) == 10
    stood(path, [(replace(BAUSKA, radar="ldr"), 12), (BAUSKA, 13)])
    assert since(path) == 12


def test_how_the_sign_itself_says_it_stands(path: Path) -> None:
    stood(path, [(BAUSKA, 0)])
    keep(path, record(1, T0 + 5 * DAY))
    assert standing(path, T0 + 30 * DAY).state is State.VALID
    stood(path, [(AWAY, 10), (BAUSKA, 20)])
    assert standing(path, T0 + 30 * DAY).state is State.NONE
    keep(path, record(2, T0 + 21 * DAY))
    assert standing(path, T0 + 30 * DAY).state is State.VALID


@pytest.mark.parametrize("said", [-400.0, 10.0, 4000.0])
def test_where_the_clock_was_wrong_what_was_counted_says_when(path: Path, said: float) -> None:
    """A sign that starts elsewhere before anybody has told it the time."""
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        for facts, begun, counted in ((BAUSKA, 0.0, 1.5), (AWAY, said, None), (BAUSKA, 20.0, 20.5)):
            store.begin(facts, T0 + begun * DAY)
            if counted is not None:
                store.add_coverage([Coverage(T0 + counted * DAY, 900.0, ClockQuality.OK)])
    found = since(path)
    assert found is not None
    assert 1.5 < found <= 20.5


def test_a_hub_says_the_same(path: Path, tmp_path: Path) -> None:
    stood(path, [(BAUSKA, 0), (AWAY, 10), (BAUSKA, 20)], measured_after_days=0.5)
    hub = make_hub(tmp_path / "hub.db", said_by(path, SIGN))
    there, here = stand_now(hub, SIGN), stand_now(path, SIGN)
    assert there is not None
    assert there == here
    assert stand_now(hub, "nobody-1") is None
