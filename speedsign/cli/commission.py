"""speedsign commission: from a fresh controller, or a config that is doubted, to a sign that works."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from speedsign.cli.commission_options import answer_options, service_name
from speedsign.cli.commissioning.alone import alone
from speedsign.cli.commissioning.ask import KEYS, Asker, Left, is_terminal
from speedsign.cli.commissioning.devices import RealDevices
from speedsign.cli.commissioning.draft import Draft, forgotten, path_of, read_draft
from speedsign.cli.commissioning.given import check as check_given
from speedsign.cli.commissioning.given import of_step
from speedsign.cli.commissioning.session import Session
from speedsign.cli.commissioning.steps import NAMES, STEPS, Step, chosen, missing, states, walk
from speedsign.cli.common import SignCommand, config_option, json_option, print_json, set_up_logging
from speedsign.cli.display_ask import Keyboard
from speedsign.cli.interrupt import when_stopped
from speedsign.cli.service import USUAL_NAME, Service
from speedsign.clock import SystemClock
from speedsign.config.toml_text import read_text, read_toml
from speedsign.config.writing import check_place
from speedsign.errors import SpeedsignError, UsageError


@click.command(cls=SignCommand, example="speedsign commission")
@click.argument("names", metavar="[STEPS]...", nargs=-1, type=click.Choice(NAMES))
@click.option("--list", "list_only", is_flag=True, help="Only list the steps, and which are done.")
@click.option("--fresh", is_flag=True, help="Forget the draft of an earlier time.")
@click.option("--yes", is_flag=True, help="Ask nothing: what was found, the options, the defaults.")
@click.option(
    "--service", "service_name_", callback=service_name, default=USUAL_NAME, show_default=True,
    metavar="NAME", help="The sign's service of systemd.",
)  # fmt: skip
@answer_options
@config_option
@json_option
def commission(
    config_path: Path,
    *,
    names: tuple[str, ...],
    list_only: bool,
    fresh: bool,
    yes: bool,
    service_name_: str,
    debug: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Guide a technician from a fresh controller to a working sign.

    Finds radar and panel, asks and proves the rest, writes the config with its comments, and starts the sign.
    STEPS do these alone: --list shows them. What was answered is kept in a draft beside the config, so that a
    lost connection loses nothing; the old config stays in force until the step write. Each question can be
    answered by an option.
    """
    set_up_logging(debug=debug, level=logging.ERROR)
    ctx = click.get_current_context()
    when_stopped(ctx, lambda: _left_words("stopped", config_path, written=False))
    check_given(given, names)
    asker = Asker(Keyboard(), yes=yes, aside=as_json)
    service = Service(service_name_)
    if list_only:
        draft = Draft() if fresh else read_draft(config_path)
        _list(_opened(config_path, draft, asker, given, service), as_json=as_json)
        return
    check_place(config_path)
    with alone(config_path):
        draft = forgotten(config_path) if fresh else read_draft(config_path)
        session = _opened(config_path, draft, asker, given, service)
        when_stopped(ctx, lambda: _left_words("stopped", config_path, written=session.written))
        steps = _left_to_do(session, chosen(names), named=bool(names))
        _all_given(session, steps, yes=yes)
        problem = asyncio.run(_commission(session, steps))
    if as_json:
        print_json(_result(session, problem))
    if problem is not None:
        raise problem
    if session.troubles:
        raise SpeedsignError("; ".join(session.troubles))


def _opened(
    config_path: Path, draft: Draft, asker: Asker, given: Mapping[str, Any], service: Service
) -> Session:
    """Config and draft as they are. Raises ConfigError, UsageError."""
    old = read_text(config_path) if config_path.exists() or config_path.is_symlink() else None
    if old is not None:
        read_toml(old, str(config_path))
    clock = SystemClock()
    columns = shutil.get_terminal_size().columns
    session = Session(config_path, old, draft, asker, given, service, clock, RealDevices(clock), columns)
    session.check_tables()
    session.check_draft()
    return session


def _list(session: Session, *, as_json: bool) -> None:
    if as_json:
        print_json({"config": str(session.config_path), "steps": states(session)})
        return
    found = states(session)
    for step in STEPS:
        click.echo(f"{step.name:<11} {found[step.name]:<13} {step.title}")
    if session.stopped and not session.service.running():
        click.echo(f"The sign was stopped and not started again: {session.service.by_hand('start')}")


def _left_to_do(session: Session, steps: list[Step], *, named: bool) -> list[Step]:
    """All that were named; else those that the draft does not have yet, or has by other options."""
    if named:
        return steps
    draft = session.draft
    return [
        step
        for step in steps
        if step.name not in draft.done or not of_step(session.given, step.name).items() <= draft.given.items()
    ]


def _all_given(session: Session, steps: list[Step], *, yes: bool) -> None:
    """Raises UsageError that names everything which is missing, before anything is opened."""
    if not yes and is_terminal():
        return
    lacking = ([] if yes else ["--yes"]) + missing(session, steps)
    if lacking:
        why = "with --yes nobody is asked" if yes else "there is no terminal to ask at"
        raise UsageError("; ".join([why, f"give {', '.join(lacking)}", *session.misfits().values()]))


async def _commission(session: Session, steps: list[Step]) -> SpeedsignError | None:
    """All of it; whatever ends it, the ports are closed, the panel is dark and the service runs as before."""
    problem: SpeedsignError | None = None
    reasons: list[str] = []
    with _told_to_leave(reasons):
        async with session.asker.keyboard:
            try:
                _greet(session)
                await walk(session, steps)
            except asyncio.CancelledError:
                session.say()  # ^C stands where the cursor was
                problem = _left(session, reasons[0] if reasons else "stopped")
            except Left as left:
                problem = _left(session, str(left))
            except SpeedsignError as error:
                problem = error
            finally:
                _tidy_up(session)
    return problem


def _greet(session: Session) -> None:
    session.say(f"Config: {session.config_path}{' (none yet)' if session.fresh else ''}")
    if not session.asker.yes:
        session.say(f"At each question: {KEYS}.")
    if not session.draft.empty:
        done = ", ".join(session.draft.done) or "nothing whole"
        session.say(f"Going on with the draft: {done} done. --fresh forgets it.")
    for sentence in session.misfits().values():
        session.say(f"WRONG in the config: {sentence}")
    _greet_stopped(session)


def _greet_stopped(session: Session) -> None:
    """A commissioning that was killed has left the sign stopped: this one starts it at its end."""
    name = session.draft.stopped
    if name and not session.stopped:
        session.say(f"An earlier commissioning has stopped {name}: sudo systemctl start {name}")
    elif name and session.service.running():
        session.note_stopped("")
    elif name:
        session.say("An earlier commissioning has stopped the sign;")
        session.say("it is started again when this one ends.")


def _left(session: Session, why: str) -> Left:
    said = _left_words(why, session.config_path, written=session.written)
    if session.written and not (session.started or session.stopped) and session.service.running():
        said += f"; the sign still runs by the old config: {session.service.by_hand('restart')}"
    return Left(said)


def _left_words(why: str, config_path: Path, *, written: bool) -> str:
    state = "the config is written" if written else "the config is as it was"
    return f"{why}; {state}; go on with: speedsign commission --config {config_path}"


def _tidy_up(session: Session) -> None:
    """The draft, then the service: neither may keep the other from being done."""
    try:
        if not session.draft.empty:
            session.save()
            session.say(f"Draft: {path_of(session.config_path)}")
    except SpeedsignError as error:
        session.troubles.append(str(error))
        session.say(str(error))
    finally:
        session.give_back()


@contextlib.contextmanager
def _told_to_leave(reasons: list[str]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a terminal that goes away end what is being done, once: tidying up goes on."""
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None  # noqa: S101  we are inside one
    words = {signal.SIGINT: "stopped", signal.SIGTERM: "told to stop", signal.SIGHUP: "the terminal is gone"}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        del words[signal.SIGHUP]

    def leave(why: str) -> None:
        if not reasons:
            main.cancel()
        reasons.append(why)

    for number, why in words.items():
        loop.add_signal_handler(number, leave, why)
    try:
        yield
    finally:
        for number in words:
            loop.remove_signal_handler(number)


def _result(session: Session, problem: SpeedsignError | None) -> dict[str, object]:
    return {
        "ok": problem is None and not session.troubles,
        "config": str(session.config_path),
        "written": session.written,
        "changes": session.notes.get("changes", {}),
        "records_kept": session.kept,
        "started": session.started,
        "steps": states(session),
        "problems": [*([str(problem)] if problem else []), *session.troubles],
    }
