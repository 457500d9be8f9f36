"""Random histories of a machine and its clock: whatever happens, all is counted once, and at its time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator.virtual_time import run_virtual
from tests.clock.pole import QUARTER, T0, Pole, slower_ticks
from tests.clock.test_sync import told

__all__ = ["slower_ticks"]

wrong = st.sampled_from([-4000.0, -30.0, -1.0, -0.1, -0.003, 0.003, 0.1, 1.0, 60.0, 4000.0])  # days
minutes = st.integers(1, 100)
acts = st.one_of(
    st.tuples(st.just("boot"), wrong),
    st.tuples(st.just("boot well"), st.just(0.0)),
    st.tuples(st.just("sync"), st.just(0.0)),
    st.tuples(st.just("lose"), st.just(0.0)),
    st.tuples(st.just("set"), wrong),  # by hand, or by a battery clock that is read late: nobody believes it
    st.tuples(st.just("restart"), st.just(0.0)),
)
history = st.lists(st.tuples(acts, minutes, minutes), min_size=2, max_size=7)


def doing(pole: Pole, act: str, days: float) -> Callable[[], None] | None:
    """What happens in the middle of a run."""
    if act == "sync":
        return pole.sync
    if act == "lose":
        return partial(setattr, pole.clock, "is_trusted", False)
    if act == "set" and not pole.clock.is_trusted:
        return lambda: None if pole.clock.is_trusted else pole.set(pole.utc + timedelta(days=days))
    return None


async def live(pole: Pole, course: list[tuple[tuple[str, float], int, int]]) -> None:
    pole.boot(T0 - timedelta(days=1))
    for (act, days), ran, off in course:
        if act.startswith("boot"):
            await pole.off(60 * off)
            pole.boot(None if act == "boot well" else pole.utc + timedelta(days=days))
        await pole.run(60 * ran, cut=off % 2 == 0, then=doing(pole, act, days))


@pytest.mark.usefixtures("slower_ticks")
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # making one of these shorter takes minutes
)
@given(history)
def test_whatever_the_clock_does(course: list[tuple[tuple[str, float], int, int]]) -> None:
    async def run(folder: Path) -> Pole:
        pole = Pole(folder, gap_s=200.0)
        await live(pole, course)
        before_s = pole.clock.monotonic()
        last = pole.truth.copy()
        await pole.run(1800, then=pole.sync)  # in the end its time is known
        pole.check()
        of_boot = {key: n for key, n in pole.truth.items() if key[0] >= pole.utc - timedelta(
            seconds=pole.clock.monotonic())}  # fmt: skip
        assert all(pole.dated()[key] == n for key, n in of_boot.items()), (before_s, last)
        return pole

    with tempfile.TemporaryDirectory() as folder:
        pole = run_virtual(run(Path(folder)))
        known = pole.ask("SELECT zero_ms IS NULL, boot_id FROM boot ORDER BY number")
        undated = {one.boot for one in pole.intervals() if one.cells and one.boot}
        assert undated <= {str(boot)[:16] for unknown, boot in known if unknown}, (
            "a dated boot has all its times"
        )
        # What waits for the hub says the same: the newest revisions add up to what was counted.
        closed = {(one.start_utc, one.boot): sum(cell.n for cell in one.cells) for one in pole.intervals()
                  if one.start_utc + QUARTER <= pole.utc - timedelta(seconds=100)}  # fmt: skip
        said = told(pole.path)
        assert {key: said[key][0] for key in closed} == closed
