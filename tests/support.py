"""Small helpers that tests share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], timeout_s: float = 90.0) -> T:
    """Run a test's coroutine; a task that it leaves behind fails it. The limit is for what hangs."""

    async def guarded() -> T:
        async with asyncio.timeout(timeout_s):
            result = await main
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, f"tasks left running: {left}"
        return result

    return asyncio.run(guarded())


async def until(condition: Callable[[], object], timeout_s: float = 30.0, what: str = "it") -> None:
    """Give others the loop until the condition holds; for things that no event announces."""
    deadline_s = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline_s, f"{what} did not come within {timeout_s:g} s"
        await asyncio.sleep(0.005)
