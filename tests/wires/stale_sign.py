"""The daemon as a process of its own whose machine has the time that a file says.

    python -m tests.wires.stale_sign CONFIG CLOCK

CLOCK holds the seconds that the wall clock is off, and 1 where the kernel calls it synchronised. OpenSSL
judges certificates by that clock, too. An interval is a minute. Everything else is what `speedsign run` does.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from datetime import datetime, timedelta
from pathlib import Path

import telemetry.mqtt.connection
from speedsign.assemble import Pace, Sign
from speedsign.cli.common import set_up_logging
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from telemetry.mqtt.shapes import TlsSettings
from telemetry.mqtt.tls import tls_context
from tests.telemetry.openssl_time import judge_at

INTERVAL_S = 60


class ToldClock(SystemClock):
    """The system's clock, put where the file says."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def now_utc(self) -> datetime:
        return super().now_utc() + timedelta(seconds=float(self._file.read_text().split()[0]))

    def trusted(self) -> bool:
        return self._file.read_text().split()[1] == "1"


def tell(file: Path, off: timedelta, *, trusted: bool) -> None:
    """Set the clock, in one go."""
    new = file.with_suffix(".new")
    new.write_text(f"{off.total_seconds()} {int(trusted)}\n")
    new.replace(file)


async def main(config: Path, clock_file: Path) -> None:
    clock = ToldClock(clock_file)

    def context_of_then(settings: TlsSettings) -> ssl.SSLContext:
        context = tls_context(settings)
        judge_at(context, clock.now_utc())
        return context

    vars(telemetry.mqtt.connection)["tls_context"] = context_of_then
    sign = Sign(load_config(config), clock, Pace(INTERVAL_S, close_after_s=2.0))
    task = asyncio.create_task(sign.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.gather(task, return_exceptions=True)


if __name__ == "__main__":
    set_up_logging(debug=False)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
