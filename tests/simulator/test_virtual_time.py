"""Virtual time: timers fire in their order and at their time, and nobody waits for them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from simulator.virtual_time import Stuck, VirtualClock, run_virtual

T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)


def test_a_day_takes_no_time() -> None:
    async def day() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for _ in range(24):
            await asyncio.sleep(3600)
        return loop.time() - began_s

    began_s = time.monotonic()
    assert run_virtual(day()) == pytest.approx(86_400)
    assert time.monotonic() - began_s < 5


def test_timers_fire_in_order_each_at_its_time() -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        began_s, seen = loop.time(), []

        async def after(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append((name, round(loop.time() - began_s, 6)))

        await asyncio.gather(after("late", 5), after("soon", 0.5), after("now", 0))
        return seen

    assert run_virtual(main()) == [("now", 0.0), ("soon", 0.5), ("late", 5.0)]


def test_who_waits_for_nothing_is_told_so() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="no task can go on"):
        run_virtual(main())


def test_a_clock_steps_and_is_distrusted_while_monotonic_time_goes_on() -> None:
    async def main() -> None:
        clock = VirtualClock(asyncio.get_running_loop(), T0, trusted=False)
        assert clock.now_utc() == T0
        assert not clock.trusted()
        before_s = clock.monotonic()
        clock.step(-3600)
        await asyncio.sleep(10)
        assert clock.monotonic() == pytest.approx(before_s + 10)
        assert abs(clock.now_utc() - (T0 - timedelta(seconds=3590))) < timedelta(milliseconds=1)

    run_virtual(main())
