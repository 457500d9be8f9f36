"""A service whose config cannot be used waits for a better one, instead of starting again each two seconds.

systemd starts it anew whatever it ended by, so that a config takes effect without anybody telling systemd.
Each start costs a second of the processor; waiting costs nothing, and ends as soon as a file changes.
"""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def patience(config: Path) -> Iterator[None]:
    """Hold a ConfigError back while nothing changes beside the config; only below systemd."""
    try:
        yield
    except ConfigError as error:
        if os.environ.get("NOTIFY_SOCKET"):
            sd_notify(f"STATUS={one_line(f'waiting for a better config: {error.problems[0]}')}")
            wait_for_change(config.parent)
        raise


def wait_for_change(folder: Path, waits_s: float = WAITS_S, look_s: float = _LOOK_S) -> bool:
    """Until a file below the folder changes, comes or goes, or for so long; whether one did."""
    before, never = _state(folder), threading.Event()
    for _ in range(int(waits_s / look_s)):
        never.wait(look_s)
        if _state(folder) != before:
            return True
    return False


def _state(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times: of the config, and of secrets below it as far as they may be seen."""
    found = []
    with contextlib.suppress(OSError):
        for _, path in zip(range(_MOST_FILES), folder.rglob("*"), strict=False):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((str(path), status.st_size, status.st_mtime_ns))
    return sorted(found)
