"""Many looks at once, each with a time limit: one that hangs is told, and holds up nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from speedsign.doctor.finding import Finding, unknown, warning
from speedsign.ports import Clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: `topics` are what it tells of, `run` gives the findings and may block."""

    topics: tuple[str, ...]
    run: Callable[[], Sequence[Finding]]
    limit_s: float
    skipped: str = ""  # why it is not made; "": it is


@dataclass(slots=True)
class _Running:
    look: Look
    done: threading.Event = field(default_factory=threading.Event)
    found: Sequence[Finding] = ()


def examine(looks: Sequence[Look], clock: Clock) -> Iterator[Sequence[Finding]]:
    """All looks side by side; what each has found, in their order, as soon as it is there.

    Their threads end with the process, so that one that waits for a dead disk keeps nobody from leaving.
    """
    began_s = clock.monotonic()
    running = [_begun(one) for one in looks if not one.skipped]
    for look in looks:
        if look.skipped:
            yield [unknown(look.topics[0], look.skipped)]
            continue
        one = running.pop(0)
        left_s = max(look.limit_s - (clock.monotonic() - began_s), 0.0)
        if one.done.wait(left_s):
            yield one.found
        else:
            yield [_hung(look)]


def _begun(look: Look) -> _Running:
    one = _Running(look)
    threading.Thread(target=_run, args=(one,), name=f"look at {look.topics[0]}", daemon=True).start()
    return one


def _run(one: _Running) -> None:
    try:
        one.found = one.look.run()
    except Exception as error:  # noqa: BLE001  one look that fails must not keep the others from being told
        _log.debug("the look at %s failed", one.look.topics[0], exc_info=True)
        text = f"this look failed: {type(error).__name__}: {error}"
        one.found = [unknown(one.look.topics[0], text, "with --debug it says where; please report it")]
    finally:
        one.done.set()


def _hung(look: Look) -> Finding:
    what = f"this look did not end within {look.limit_s:g} s"
    return warning(look.topics[0], what, "what it looks at hangs, or is very slow; try again with --only")
