"""A service whose config cannot be used waits for a better one, instead of starting again each two seconds.

systemd starts it anew whatever it ended by, so that a config takes effect without anybody telling systemd.
Each start costs a second of the processor; waiting costs nothing, and ends as soon as a file changes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from speedsign.errors import ConfigError
from speedsign.notify import sd_notify
from speedsign.status import one_line

WAITS_S = 20  # less than TimeoutStartSec=; whoever types systemctl start waits so long for the answer
_LOOK_S = 1.0
_MOST_FILES = 100

State = list[tuple[str, int, int]]


@contextlib.contextmanager
def patience(config: Path) -> Iterator[None]:
    """Hold a ConfigError back while nothing has changed beside the config; only below systemd."""
    below_systemd = bool(os.environ.get("NOTIFY_SOCKET"))
    read = state_of(config) if below_systemd else []  # before it is read
    try:
        yield
    except ConfigError as error:
        if below_systemd:
            sd_notify(f"STATUS={one_line(f'waiting for a better config: {error.problems[0]}')}")
            wait_for_change(config, read)
        raise


def wait_for_change(config: Path, before: State, waits_s: float = WAITS_S, look_s: float = _LOOK_S) -> bool:
    """Until the config or a file beside or below it is not as before, or for so long; whether one changed."""
    never = threading.Event()
    for _ in range(int(waits_s / look_s)):
        if state_of(config) != before:
            return True
        never.wait(look_s)
    return False


def state_of(config: Path) -> State:
    """Names, sizes and times: of the config, and of what is beside and below it, if it may be seen."""
    found = []
    with contextlib.suppress(OSError):
        # The config first: it may lie in a folder full of other things.
        paths = itertools.chain([config], config.parent.rglob("*"))
        for path in itertools.islice(paths, _MOST_FILES):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((str(path), status.st_size, status.st_mtime_ns))
    return sorted(found)
