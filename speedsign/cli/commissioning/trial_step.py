"""The whole sign for some seconds, as the draft has it: what is wrong is said before it is written."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from speedsign.assemble import Sign
from speedsign.cli.commissioning.session import Session
from speedsign.config.schema import Config, LiveConfig, RemoteConfig, StoreConfig
from speedsign.errors import SpeedsignError

TRIAL_S = 15.0
_STARTS_S = 6.0  # what is only true while the sign starts is no fault
_LOOK_S = 0.25


@dataclass(slots=True)
class Outcome:
    """How the sign was at the end. `faults`: sentences."""

    faults: list[str]
    vehicles: int = 0
    frames: int = 0
    shown: int | None = None  # the last number on the panel


async def run(session: Session) -> None:
    """Runs it, and lists its faults in words."""
    if session.given.get("no_probe"):
        session.say("The sign was not tried: --no-probe.")
        return
    config = session.config()
    await session.free_ports()
    seconds = session.given.get("trial_s") or TRIAL_S
    while True:
        session.say(f"The whole sign for {seconds:g} s. Drive past.")
        outcome = await session.asker.unless_typed(tried(config, seconds, session))
        if outcome is None:
            return
        say(session, outcome)
        if session.asker.yes:
            session.troubles += outcome.faults
            return
        if not await session.asker.confirm("Once more?", default=False):
            return


async def tried(config: Config, seconds: float, session: Session) -> Outcome:
    """The sign as it will be, with a database that is thrown away, and nothing sent."""
    with tempfile.TemporaryDirectory(prefix="speedsign-trial-") as folder:
        trial = replace(
            config,
            store=StoreConfig(path=Path(folder) / "trial.db"),
            mqtt=None,
            remote=RemoteConfig(),
            live=LiveConfig(on=False),
        )
        sign = Sign(trial, session.clock)
        running = asyncio.create_task(sign.run())
        shown: int | None = None
        try:
            ends_s = session.clock.monotonic() + max(seconds, _STARTS_S)
            while session.clock.monotonic() < ends_s and not running.done():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(running), _LOOK_S)
                lit = sign.display.lit() if sign.display else None
                if lit is not None and lit.number is not None:
                    if lit.number != shown:
                        session.say(f"  the panel shows {lit.number}")
                    shown = lit.number
            faults = [f"{fault.device}: {fault.text}" for fault in sign.daemon.faults()]
            frames = sign.radar.health().get("frames", 0)
        finally:
            if not running.done():
                running.cancel()
            await asyncio.wait({running})
        if not running.cancelled() and (error := running.exception()) is not None:
            if not isinstance(error, SpeedsignError):
                raise error
            faults.append(str(error))
        return Outcome(faults, sign.daemon.vehicles, frames, shown)


def say(session: Session, outcome: Outcome) -> None:
    """For a narrow screen."""
    session.say(f"Reports of the radar: {outcome.frames}. Cars: {outcome.vehicles}.")
    if outcome.shown is not None:
        session.say(f"The panel's last number: {outcome.shown}.")
    for text in outcome.faults:
        session.say(f"FAULT {text}")
    if not outcome.faults:
        session.say("No faults.")
