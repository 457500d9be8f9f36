"""The end: the config is written, the records are kept, the sign is started."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Any

from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import Back, Skipped
from speedsign.cli.commissioning.draft import Draft
from speedsign.cli.commissioning.session import Session
from speedsign.config.writing import write_config
from speedsign.errors import ConfigError

_TABLE = re.compile(r"\[\[?([a-z_]+)")
_STEP_OF = {
    "sign": "sign",
    "radar": "radar",
    "display": "panel",
    "brightness": "brightness",
    "rules": "rules",
    "mqtt": "broker",
}


async def write(session: Session) -> None:
    """Shows what changes, and writes it with a yes."""
    try:
        text = session.text()
        session.config()
    except ConfigError as error:
        raise ConfigError([*error.problems, _not_whole(session, error.problems)]) from None
    changes = session.changes()
    for key, (before, after) in changes.items():
        session.say(f"  {_change(key, before, after)}")
    if not changes:
        session.say("The config stays as it is.")
    elif not await session.asker.confirm(
        f"Write {session.config_path}?", about=f"The old one is kept as {session.config_path.name}.before."
    ):
        raise Skipped
    config = write_config(session.config_path, text, old=session.old)
    session.written = bool(changes)
    if changes:
        session.say(f"Written: {session.config_path}")
    session.notes["changes"] = {key: {"before": a, "after": b} for key, (a, b) in changes.items()}
    session.old = text
    session.draft = Draft(records=session.draft.records, stopped=session.draft.stopped)
    records.keep_all(session, config, session.config_path)
    session.save()


def _not_whole(session: Session, problems: Sequence[str]) -> str:
    """Which steps mend that; they are to be done again."""
    tables = [found[1] for one in problems if (found := _TABLE.search(one))]
    steps = list(dict.fromkeys(_STEP_OF[table] for table in tables if table in _STEP_OF))
    for step in steps:
        session.note_done(step, {}, whole=False)
    by_hand = list(dict.fromkeys(f"[{table}]" for table in tables if table not in _STEP_OF))
    ways = [f"do these steps again: {' '.join(steps)}"] if steps else []
    ways += [f"mend {', '.join(by_hand) or 'that'} by hand"] if by_hand or not steps else []
    return f"the config is not whole yet; {'; '.join(ways)}"


async def start(session: Session) -> None:
    """The service takes the new config."""
    service = session.service
    if not service.there:
        session.say("No systemd here. Start the sign by hand:")
        session.say(f"  speedsign run --config {session.config_path}")
        return
    if session.draft.values:
        session.say("Not written yet: the old config is in force.")
        raise Skipped
    if not await session.asker.confirm("Start the sign now?", given=session.given_as("--start")):
        if not service.running():
            session.say(f"Later: {service.by_hand('start')}")
        session.note_stopped("")
        return
    _start(session)
    session.say("The sign runs. Watch it: speedsign watch")


async def into_force(session: Session, *, asked: bool) -> None:
    """A sign that runs has read its config when it began: it is started again, with a yes, or that is said.

    `asked`: whether it shall be started has been asked already. One that we have stopped is started anyway.
    """
    if not session.written or session.started or session.stopped or not session.service.running():
        return
    agreed = False
    if not asked:
        with contextlib.suppress(Back, Skipped):
            agreed = await session.asker.confirm(
                "Restart the sign? It still runs by the old config.", given=session.given_as("--start"),
                about="It takes some seconds. No: the new config holds from its next start.",
            )  # fmt: skip
    if not agreed:
        session.say("The sign still runs by the old config. Later:")
        session.say(f"  {session.service.by_hand('restart')}")
        return
    _start(session)
    session.say("The sign runs by the new config.")


def _start(session: Session) -> None:
    session.service.start()
    session.started = True
    session.note_stopped("")


def _change(key: str, before: Any, after: Any) -> str:
    """For a narrow screen."""
    if after is None:
        return f"{key}: {_words(before)} -> out"
    return f"{key} = {_words(after)}" if before is None else f"{key}: {_words(before)} -> {_words(after)}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "[…]"
    return str(value).lower() if isinstance(value, bool) else str(value)
