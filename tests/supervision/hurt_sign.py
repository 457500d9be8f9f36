"""`speedsign run` in a process that can be hurt: for the tests of what brings a sign back.

    python -m tests.supervision.hurt_sign --config CONFIG

SIGUSR1 does what the file HURT beside the config says. The product has no such thing: it is put in from
here. The deadlines are short, so that a test need not wait; a sign's own are tested on virtual time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from speedsign import assemble, assemble_display, leaks
from speedsign.assemble import Sign
from speedsign.cli import main
from speedsign.cli import run as run_module

HURT = "hurt"
STORE_S, DISPLAY_S = 7.0, 4.0
FOR_EVER_S = 600.0
FILES = 1024  # as systemd gives a service
_kept: list[object] = []


def store_hangs(sign: Sign) -> None:
    """In one item, as on a card that does not answer."""
    sign.recorder.submit("hang", lambda _store: threading.Event().wait(FOR_EVER_S))


def loop_hangs(_sign: Sign) -> None:
    """In a call that blocks."""
    threading.Event().wait(FOR_EVER_S)


def display_hangs(sign: Sign) -> None:
    """Its line is held by somebody who never gives it back."""
    (line,) = sign.daemon.parts.display._lines  # type: ignore[union-attr]
    _kept.append(asyncio.ensure_future(line.bus._turn.acquire()))


def broker_thread_dies(_sign: Sign) -> None:
    for thread in threading.enumerate():
        if thread.name == "mqtt" and thread.ident:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
            )


def files_leak(_sign: Sign) -> None:
    _kept.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(200))


def files_run_out(_sign: Sign) -> None:
    """All of them, between two looks."""
    with contextlib.suppress(OSError):
        _kept.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(2 * FILES))


def memory_leaks(_sign: Sign) -> None:
    _kept.append(bytearray(b"x") * (160 << 20))


HURTS: dict[str, Callable[[Sign], None]] = {
    "store_hangs": store_hangs,
    "loop_hangs": loop_hangs,
    "display_hangs": display_hangs,
    "broker_thread_dies": broker_thread_dies,
    "files_leak": files_leak,
    "files_run_out": files_run_out,
    "memory_leaks": memory_leaks,
}


def hurtable(config: Path) -> None:
    """Put the hooks in."""
    until_told = run_module._until_told

    async def until_told_or_hurt(sign: Sign) -> None:
        def hurt() -> None:
            HURTS[(config.parent / HURT).read_text()](sign)

        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, hurt)
        await until_told(sign)

    run_module._until_told = until_told_or_hurt
    assemble.STORE_DEADLINE_S = STORE_S  # type: ignore[attr-defined]
    assemble_display.LOOP_DEADLINE_S = DISPLAY_S  # type: ignore[attr-defined]
    leaks.GROWTH_S, leaks.WARM_S, leaks.RESTS_S, leaks.EARLIEST_S = 0.5, 1.0, 2.0, 1.0
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))


if __name__ == "__main__":
    hurtable(Path(sys.argv[-1]))
    main(["run", *sys.argv[1:]])
