"""What tests of running processes share."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def config_text(radar: str | Path, panel: str | Path, database: Path, driver: str = "ops243") -> str:
    """A sign on these devices."""
    return (
        '[sign]\nid = "test-sign"\nlimit_kmh = 50\n'
        f'[radar]\ndriver = "{driver}"\nport = "{radar}"\n'
        f'[display]\ndriver = "dm56a04"\nport = "{panel}"\n'
        f'[rules]\nshow = "both"\n[store]\npath = "{database}"\n'
    )


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """For what another process does: looked at again and again, a little apart."""
    deadline_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.02)


def stop(child: subprocess.Popen[str], within_s: float = 3.0) -> tuple[str, str]:
    """SIGTERM, as systemd does; what it has printed."""
    began_s = time.monotonic()
    child.terminate()
    out, err = child.communicate(timeout=10)
    assert time.monotonic() - began_s < within_s
    return out, err
