"""The end: the config is written, the records are kept, the sign is started."""

from __future__ import annotations

from typing import Any

from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import Skipped
from speedsign.cli.commissioning.draft import forget_draft
from speedsign.cli.commissioning.session import Session
from speedsign.config.writing import write_config
from speedsign.errors import ConfigError, UsageError


async def write(session: Session) -> None:
    """Shows what changes, and writes it with a yes."""
    text = session.text()
    try:
        session.config()
    except ConfigError as error:
        for problem in error.problems:
            session.say(problem)
        raise UsageError("the config is not whole yet; do the steps that it needs") from None
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
    session.old, session.draft.values, session.draft.done = text, {}, []
    records.keep_all(session, config, session.config_path)
    if not session.draft.records:
        forget_draft(session.config_path)


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
        session.say(f"Later: {service.by_hand('start')}")
        session.stopped = False
        return
    service.start()
    session.stopped, session.started = False, True
    session.say("The sign runs. Watch it: speedsign watch")


def _change(key: str, before: Any, after: Any) -> str:
    """For a narrow screen."""
    if after is None:
        return f"{key}: {_words(before)} -> out"
    return f"{key} = {_words(after)}" if before is None else f"{key}: {_words(before)} -> {_words(after)}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "[…]"
    return str(value).lower() if isinstance(value, bool) else str(value)
