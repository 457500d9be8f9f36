"""The steps in their order, and the way through them: forth, back, past one, and out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from speedsign.cli.commissioning import (
    brightness_step,
    broker_step,
    direction_step,
    end_steps,
    given,
    mounting_step,
    panel_step,
    radar_step,
    rules_step,
    sign_step,
    trial_step,
)
from speedsign.cli.commissioning.ask import Back, Left, Skipped
from speedsign.cli.commissioning.session import Session
from speedsign.errors import ConfigError, SpeedsignError, UsageError


@dataclass(frozen=True, slots=True)
class Step:
    """`key`: of the config, by which a config has the step done already; None: no config shows it.

    `tables`: of the config, which have to be good when it has been done.
    """

    name: str
    title: str
    run: Callable[[Session], Awaitable[None]]
    key: str | None = None
    missing: Callable[[Session], list[str]] = lambda _session: []
    tables: tuple[str, ...] = ()


WRITE, START = "write", "start"

STEPS = (
    Step("sign", "which sign this is", sign_step.run, "sign.id", sign_step.missing, ("sign",)),
    Step(
        "radar", "find the radar", radar_step.run, "radar.driver", radar_step.missing, ("radar", "tracking")
    ),
    Step("panel", "find the panel", panel_step.run, "display.driver", panel_step.missing, ("display",)),
    Step("brightness", "how bright it is", brightness_step.run, tables=("brightness",)),
    Step("direction", "which way is approaching", direction_step.run, None, direction_step.missing),
    Step("mounting", "the angle", mounting_step.run, None, mounting_step.missing),
    Step("rules", "what is shown to whom", rules_step.run, tables=("rules",)),
    Step("broker", "where figures are sent", broker_step.run, tables=("mqtt",)),
    Step("test", "the whole sign, on trial", trial_step.run),
    Step(WRITE, "write the config", end_steps.write),
    Step(START, "start the sign", end_steps.start),
)
NAMES = tuple(step.name for step in STEPS)


def chosen(names: Sequence[str]) -> list[Step]:
    """These steps in their order, and what brings them into force; none named: all."""
    if not names:
        return list(STEPS)
    wanted = {*names, WRITE} if set(names) - {WRITE, START} else set(names)
    return [step for step in STEPS if step.name in wanted]


def missing(session: Session, steps: Sequence[Step]) -> list[str]:
    """Every option that has to be given where nobody is asked, each once."""
    return list(dict.fromkeys(option for step in steps for option in step.missing(session)))


def states(session: Session) -> dict[str, str]:
    """How far each step is: done in the draft, in the config, or open."""

    def state(step: Step) -> str:
        if step.name in session.draft.done:
            return "done"
        return "in the config" if step.key and session.before(step.key) is not None else "open"

    return {step.name: state(step) for step in STEPS}


async def walk(session: Session, steps: Sequence[Step]) -> None:
    """One step after the other; raises Left, and what a step failed with where nobody is asked."""
    at = 0
    while at < len(steps):
        step = steps[at]
        session.say()
        session.say(f"[{at + 1}/{len(steps)}] {step.name}: {step.title}")
        at = await (_ended(session, step, at) if step.name in (WRITE, START) else _taken(session, step, at))
    await end_steps.into_force(session, asked=START in {step.name for step in steps})


async def _taken(session: Session, step: Step, at: int) -> int:
    """Do a step whole, or as if it had not been begun; where to go on."""
    kept = session.begin(step.name)
    try:
        await step.run(session)
        whole = await _whole(session, step)
    except Skipped:
        session.undo(kept)
        session.say(f"Skipped: {step.name}.")
    except Back:
        session.lay_aside(step.name, kept)
        session.save()
        return max(at - 1, 0)
    except (Left, asyncio.CancelledError):
        session.lay_aside(step.name, kept)
        raise
    except SpeedsignError as error:
        session.lay_aside(step.name, kept)
        session.save()
        return await _after(session, step, at, error)
    else:
        session.note_done(step.name, given.of_step(session.given, step.name), whole=whole)
    session.save()
    return at + 1


async def _ended(session: Session, step: Step, at: int) -> int:
    """Write, or start: what was done there is done."""
    try:
        await step.run(session)
    except Skipped:
        session.say(f"Skipped: {step.name}.")
    except Back:
        return max(at - 1, 0)
    except Left:
        raise
    except SpeedsignError as error:
        return await _after(session, step, at, error)
    return at + 1


async def _whole(session: Session, step: Step) -> bool:
    """Whether its tables are good; values of the old config that nothing can be are taken out, with a yes."""
    for key, sentence in session.left_wrong(step.tables).items():
        session.say(f"WRONG in the config: {sentence}")
        if session.asker.yes or any(part.isdecimal() for part in key.split(".")):
            continue  # an entry of a list is for a person, in the file
        if await session.asker.confirm("Take that key out?", about="What holds without it: docs/config.md."):
            session.put({key: None})
    wrong = session.complaints(step.tables)
    for sentence in wrong:
        session.say(f"Not good yet: {sentence}")
    return not wrong


async def _after(session: Session, step: Step, at: int, error: SpeedsignError) -> int:
    """A step has failed: again, past it, or out."""
    if session.asker.yes or (isinstance(error, ConfigError | UsageError) and step.name == WRITE):
        raise error
    session.say(str(error))
    try:
        again = await session.asker.confirm("Try this step again?", about="n: go past it.")
    except Back:
        return max(at - 1, 0)
    except Skipped:
        again = False
    return at if again else at + 1
