"""A part that fails is retried, left out, or ends the daemon: by the table in speedsign.errors."""

from __future__ import annotations

import asyncio

import pytest

from simulator.virtual_time import run_virtual
from speedsign.errors import DriverError, GrownTooFar, PortError, SpeedsignError, StoreError
from speedsign.supervise import KeptPart, PartEnded, stop, to_its_end


class Part:
    """Fails with these errors, one a run, and then runs for ever."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.started_s: list[float] = []

    async def run(self) -> None:
        self.started_s.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.get_running_loop().create_future()


async def keep(part: Part, seconds: float) -> KeptPart:
    kept = KeptPart("display", part.run)
    task = asyncio.create_task(kept.run())
    await asyncio.wait({task}, timeout=seconds)
    try:
        if task.done():
            task.result()
        return kept
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_device_is_tried_again_with_growing_pauses() -> None:
    part = Part(*[PortError("panel", "gone")] * 4)
    kept = run_virtual(keep(part, 60))
    pauses = [after - before for before, after in zip(part.started_s, part.started_s[1:], strict=False)]
    assert pauses == pytest.approx([1, 2, 4, 8])
    assert kept.fault is None, "it runs again"


def test_without_the_store_the_sign_goes_on_and_says_so() -> None:
    part = Part(StoreError("the card is full"))
    kept = run_virtual(keep(part, 600))
    assert len(part.started_s) == 1
    assert kept.fault is not None
    assert kept.fault.text == "display has stopped: the card is full"


@pytest.mark.parametrize(
    "error", [DriverError("no such panel"), SpeedsignError("?"), ValueError("a mistake")]
)
def test_what_a_person_has_to_change_ends_the_daemon(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_virtual(keep(Part(error), 600))


def test_a_part_that_just_ends_is_a_mistake() -> None:
    async def ends() -> None: ...

    with pytest.raises(PartEnded, match="radar has ended by itself"):
        run_virtual(KeptPart("radar", ends).run())


@pytest.mark.parametrize("cancels", [0, 1, 3])
def test_what_has_to_be_done_is_done_however_often_somebody_is_told_to_stop(cancels: int) -> None:
    done: list[str] = []

    async def darken() -> None:
        await asyncio.sleep(5)
        done.append("dark")

    async def main() -> None:
        waiting = asyncio.create_task(to_its_end(asyncio.create_task(darken())))
        for _ in range(cancels):
            await asyncio.sleep(1)
            waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled() is bool(cancels)

    run_virtual(main())
    assert done == ["dark"]


def test_what_fails_or_was_told_to_stop_itself_has_ended_too() -> None:
    async def fails() -> None:
        raise ValueError

    async def main() -> None:
        broken, stopped = asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(9))
        stopped.cancel()
        await to_its_end(broken)
        await to_its_end(stopped)
        assert isinstance(broken.exception(), ValueError)
        assert stopped.cancelled()

    run_virtual(main())


def test_what_fails_while_it_stops_is_told_but_not_why_all_of_it_stops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(error: Exception) -> None:
        raise error

    async def main() -> None:
        errors = (GrownTooFar("it has grown"), ValueError("odd"))
        tasks = [asyncio.create_task(fails(error), name=f"part {n}") for n, error in enumerate(errors)]
        await asyncio.wait(tasks)
        await stop(*tasks, None)

    run_virtual(main())
    assert caplog.messages == ["part 1: stopped with ValueError('odd')"]
