"""speedsign run: the daemon."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from speedsign import last_words
from speedsign.cli.common import SignCommand, config_option, set_up_logging
from speedsign.cli.mending import patience
from speedsign.config.apart import load_config_apart
from speedsign.notify import mind_the_watchdog

if TYPE_CHECKING:
    from speedsign.assemble import Sign

log = logging.getLogger(__name__)


@click.command(cls=SignCommand, example="speedsign run --config /etc/speedsign/speedsign.toml")
@config_option
def run(config_path: Path, *, debug: bool) -> None:
    """Run the sign until it is told to stop (SIGTERM, Ctrl-C); the panel is dark before and after.

    Devices that are missing or broken are waited for; only a config that cannot be used ends it.
    """
    set_up_logging(debug=debug)
    last_words.arm()
    with patience(config_path):
        config = load_config_apart(config_path, meanwhile=_load_devices)
        from speedsign.assemble import Sign
        from speedsign.daemon import TICK_S

        mind_the_watchdog(TICK_S)
        sign = Sign(config, last_words=last_words.say)
    sys.setswitchinterval(0.001)  # the threads of store and broker give way to the loop sooner
    gc.collect()
    gc.freeze()  # what is there now stays for years: looking through it would hold up a reading by 10 ms
    asyncio.run(_until_told(sign))


def _load_devices() -> None:
    import speedsign.assemble  # noqa: F401  half of the start-up time


async def _until_told(sign: Sign) -> None:
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None  # noqa: S101  we are inside one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, main.cancel)
    log.info("sign %s starts", sign.config.sign.id)
    try:
        await sign.run()
    except asyncio.CancelledError:
        log.info("sign %s has stopped", sign.config.sign.id)
