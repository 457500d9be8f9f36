"""The daemon as a process of its own, with a clock that can be moved, for tests that need an interval to end.

    python -m tests.wires.sign_process CONFIG SECONDS

An interval is a minute long, and the next one begins so many seconds after the start. Everything else is
what `speedsign run` does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from speedsign.assemble import Pace, Sign
from speedsign.cli.common import set_up_logging
from speedsign.clock import SystemClock
from speedsign.config.load import load_config

INTERVAL_S = 60


class MovedClock(SystemClock):
    """The system's clock, put so that the next interval begins soon, and trusted."""

    def __init__(self, boundary_in_s: float) -> None:
        super().__init__()
        now = super().now_utc()
        boundary = datetime.fromtimestamp((int(now.timestamp()) // INTERVAL_S + 1) * INTERVAL_S, UTC)
        self._offset = boundary - timedelta(seconds=boundary_in_s) - now

    def now_utc(self) -> datetime:
        return super().now_utc() + self._offset

    def trusted(self) -> bool:
        return True


async def main(config: Path, boundary_in_s: float) -> None:
    sign = Sign(load_config(config), MovedClock(boundary_in_s), Pace(INTERVAL_S, close_after_s=7.0))
    task = asyncio.create_task(sign.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.gather(task, return_exceptions=True)


if __name__ == "__main__":
    set_up_logging(debug=False)
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
