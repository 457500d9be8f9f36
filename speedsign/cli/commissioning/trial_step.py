"""The whole sign for some seconds, as the draft has it: what is wrong is said before it is written."""

from __future__ import annotations

from speedsign.cli.commissioning.session import Session
from speedsign.cli.commissioning.trial import Outcome

TRIAL_S = 15.0


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
        outcome = await session.asker.unless_typed(session.devices.run_sign(config, seconds, session.say))
        if outcome is None:
            return
        _say(session, outcome)
        if session.asker.yes:
            session.troubles += outcome.faults
            return
        if not await session.asker.confirm("Once more?", default=False):
            return


def _say(session: Session, outcome: Outcome) -> None:
    """For a narrow screen."""
    session.say(f"Reports of the radar: {outcome.frames}. Cars: {outcome.vehicles}.")
    if outcome.shown is not None:
        session.say(f"The panel's last number: {outcome.shown}.")
    for text in outcome.faults:
        session.say(f"FAULT {text}")
    if not outcome.faults:
        session.say("No faults.")
