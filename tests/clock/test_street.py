"""The whole sign, from the radar's bytes on, whose clock is set late: as one whose clock was right."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from simulator.virtual_time import run_virtual
from speedsign.model import ClockQuality
from telemetry.query import read_intervals
from tests.core.street import START, Street

_SYNC_S = 1000.0
Told = dict[datetime, tuple[list[tuple[str, str, dict[int, int]]], float]]


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def street(folder: Path, off_by: timedelta | None) -> tuple[Told, set[ClockQuality]]:
    one = Street(folder, 240.0, trusted=off_by is None, start=START + (off_by or timedelta()))

    def sync() -> None:
        one.clock.step(-(off_by or timedelta()).total_seconds())
        one.clock.is_trusted = True

    if off_by is not None:
        asyncio.get_running_loop().call_later(_SYNC_S, sync)
    await one.run(2400)
    found = read_intervals(one.path, START - timedelta(days=9), START + timedelta(days=9))
    told = {
        interval.start_utc: (
            [(cell.direction.value, cell.display.value, dict(cell.counts)) for cell in interval.cells],
            round(interval.measured_s, 1),
        )
        for interval in found
        if interval.cells or interval.measured_s
    }
    return told, {interval.clock for interval in found if interval.cells}


def test_counts_of_every_quarter_are_those_of_a_sign_whose_clock_was_right(tmp_path: Path) -> None:
    right, clocks = run_virtual(street(made(tmp_path / "right"), None))
    assert clocks == {ClockQuality.OK}
    late, clocks = run_virtual(street(made(tmp_path / "late"), timedelta(days=-3, minutes=-4)))
    assert clocks == {ClockQuality.OK, ClockQuality.CORRECTED}
    assert {start: counts for start, (counts, _) in late.items()} == {
        start: counts for start, (counts, _) in right.items()
    }
    for start, (_, measured_s) in right.items():
        assert late[start][1] == pytest.approx(measured_s, abs=1.0)
