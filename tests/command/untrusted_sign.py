"""The daemon as a process of its own on a machine that does not know the time.

    python -m tests.command.untrusted_sign CONFIG

Everything else is what `speedsign run` does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from speedsign.assemble import Sign
from speedsign.cli.common import set_up_logging
from speedsign.clock import SystemClock
from speedsign.config.load import load_config


class OldClock(SystemClock):
    """Where a machine without a battery clock stands after a month without power."""

    def now_utc(self) -> datetime:
        return super().now_utc() - timedelta(days=31)

    def trusted(self) -> bool:
        return False


async def main(config: Path) -> None:
    sign = Sign(load_config(config), OldClock())
    task = asyncio.create_task(sign.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.gather(task, return_exceptions=True)


if __name__ == "__main__":
    set_up_logging(debug=False)
    asyncio.run(main(Path(sys.argv[1])))
