"""The whole sign as a draft has it, run for some seconds; and one connection to its broker."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from speedsign.assemble import Sign
from speedsign.config.schema import Config, LiveConfig, MqttConfig, RemoteConfig, StoreConfig
from speedsign.errors import BrokerError, ConfigError, SpeedsignError
from speedsign.ports import Clock
from speedsign.supervise import to_its_end
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.shapes import Session

CONNECT_S = 20.0
_STARTS_S = 6.0  # what is only true while the sign starts is no fault
_LOOK_S = 0.25


@dataclass(slots=True)
class Outcome:
    """How the sign was at the end. `faults`: sentences; `shown`: the last number on the panel."""

    faults: list[str]
    vehicles: int = 0
    frames: int = 0
    shown: int | None = None


async def run_sign(config: Config, seconds: float, clock: Clock, say: Callable[[str], None]) -> Outcome:
    """The sign as it will be, with a database that is thrown away, and nothing sent; dark at its end."""
    with tempfile.TemporaryDirectory(prefix="speedsign-trial-") as folder:
        trial = replace(
            config,
            store=StoreConfig(path=Path(folder) / "trial.db"),
            mqtt=None,
            remote=RemoteConfig(),
            live=LiveConfig(on=False),
        )
        sign = Sign(trial, clock)
        running = asyncio.create_task(sign.run())
        try:
            shown = await _watch(sign, running, clock.monotonic() + max(seconds, _STARTS_S), clock, say)
            faults = [f"{fault.device}: {fault.text}" for fault in sign.daemon.faults()]
            frames = sign.radar.health().get("frames", 0)
        finally:
            running.cancel()
            await to_its_end(running)
        if not running.cancelled() and (error := running.exception()) is not None:
            if not isinstance(error, SpeedsignError):
                raise error
            faults.append(str(error))
        return Outcome(faults, sign.daemon.vehicles, frames, shown)


async def _watch(
    sign: Sign, running: asyncio.Task[None], ends_s: float, clock: Clock, say: Callable[[str], None]
) -> int | None:
    """Tell each number that is lit; the last one."""
    shown: int | None = None
    while clock.monotonic() < ends_s and not running.done():
        await asyncio.wait({running}, timeout=_LOOK_S)
        lit = sign.display.lit() if sign.display else None
        number = None if lit is None else lit.number
        if number is not None and number != shown:
            say(f"  the panel shows {number}")
            shown = number
    return shown


async def connect(mqtt: MqttConfig, sign: str, clock: Clock) -> str:
    """Connect once, under a name of its own; an empty text, or why not in a sentence."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(text: str) -> None:
        if not told.done():
            told.set_result(text)

    def lost(error: BrokerError) -> None:
        tell(str(error))

    try:
        settings = broker_settings(
            mqtt, f"speedsign-{sign}-test", spread_s=0.0, session_expiry_s=0, fresh_session=True
        )
    except ConfigError as error:
        return error.problems[0]
    running = asyncio.create_task(
        PahoPort(settings, clock).run(Session(on_connected=lambda: tell(""), on_lost=lost))
    )
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                return await told
    finally:
        running.cancel()
        await asyncio.wait({running})
    return f"mqtt {settings.address}: no answer within {CONNECT_S:g} s; check the link, the name and the port"
