"""Slots of a period that cuts intervals: their times are those of what they count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from telemetry.database import open_for_reading
from telemetry.exchange.slots import Slot, slots
from telemetry.exchange.spans import wanted_of
from telemetry.exchange.tables import read_intervals
from telemetry.period import read_period
from telemetry.query import read_installations
from tests.exchange.files import MONDAY, sign

MINUTE = timedelta(minutes=1)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return sign(tmp_path / "sign.db")


def found(db: Path, start: int, end: int, minutes: int) -> Iterator[Slot]:
    """Of so many minutes after the first vehicle."""
    (standing,) = read_installations(db)
    period = read_period(db, standing, MONDAY + start * MINUTE, MONDAY + end * MINUTE)
    with closing(open_for_reading(db)) as connection:
        yield from slots(period, minutes, read_intervals(connection, standing, wanted_of(period)))


@pytest.mark.parametrize("minutes", [15, 60])
def test_a_slot_that_is_cut_holds_its_intervals_as_a_whole(db: Path, minutes: int) -> None:
    *_, last = found(db, 127, 142, minutes)
    assert last.end_utc == MONDAY + 150 * MINUTE
    assert (last.measured_s, sum(last.counts("both").values())) == (900.0, 15)


def test_no_slot_measures_longer_than_it_is_nor_reaches_into_the_next(db: Path) -> None:
    for start in range(0, 60, 7):
        for end in range(start + 1, 120, 11):
            times = [(slot.start_utc, slot.end_utc, slot.measured_s) for slot in found(db, start, end, 15)]
            assert all(measured_s <= (until - since).total_seconds() for since, until, measured_s in times)
            assert all(early[1] <= late[0] for early, late in pairwise(times))
