"""What a process that hangs leaves in the log: where each thread and each task stands.

faulthandler writes without allocating and without the interpreter's lock, so it works where nothing else
does: a hundred threads of a hundred frames at most. Tasks are limited here.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging

_log = logging.getLogger(__name__)

END_WITHIN_S = 9.0  # less than WatchdogSec=: what does not end in order ends all the same, with code 1
_STDERR = 2
_TASKS, _FRAMES = 50, 6


def arm() -> None:
    """From now on the watchdog's SIGABRT, and any crash, writes the stacks of all threads before it kills."""
    faulthandler.enable(file=_STDERR, all_threads=True)


def say(_why: str) -> None:
    """Write the stacks now; the process ends within `END_WITHIN_S`, whatever its end hangs in."""
    for task in list(asyncio.all_tasks())[:_TASKS]:
        _log.error("task %s: %s", task.get_name(), " < ".join(_where(task)))
    faulthandler.dump_traceback(file=_STDERR, all_threads=True)
    faulthandler.dump_traceback_later(END_WITHIN_S, exit=True, file=_STDERR)


def _where(task: asyncio.Task[object]) -> list[str]:
    """The innermost first. Follows awaits: a task's own stack ends at its first coroutine."""
    found: list[str] = []
    awaited: object = task.get_coro()
    while awaited is not None and len(found) < _FRAMES * 2:
        frame = getattr(awaited, "cr_frame", None)
        if frame is not None:
            found.append(f"{frame.f_code.co_name} ({frame.f_code.co_filename}:{frame.f_lineno})")
        awaited = getattr(awaited, "cr_await", None)
    return found[::-1][:_FRAMES]
