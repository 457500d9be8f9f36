"""A sign with a planted leak, for what has to see it: python -m tests.wires.leaking_sign CONFIG SECONDS

As tests.wires.sign_process; five times a second it keeps 40 kB and every other second an open file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from speedsign.cli.common import set_up_logging
from tests.wires import sign_process

_TICK_S = 0.2
_BYTES = 40_000
_TICKS_A_FILE = 10


async def leak() -> None:
    kept: list[bytes] = []
    while True:
        kept.append(os.urandom(_BYTES))
        if len(kept) % _TICKS_A_FILE == 0:
            os.open("/dev/null", os.O_RDONLY)
        await asyncio.sleep(_TICK_S)


async def main(config: Path, boundary_in_s: float) -> None:
    leaking = asyncio.create_task(leak())
    try:
        await sign_process.main(config, boundary_in_s)
    finally:
        leaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaking


if __name__ == "__main__":
    set_up_logging(debug=False)
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
