"""speedsign command set, confirm, revert: what a sign shows."""

from __future__ import annotations

import click

from speedsign.cli.command_options import Asking, asking_options, dry_run_option
from speedsign.cli.common import SignCommand
from speedsign.errors import UsageError
from speedsign.remote import Wish


@click.command(
    "set", cls=SignCommand, example="speedsign command set --to bauska-3 --key anna.key --limit 30"
)
@click.option("--limit", "limit_kmh", type=click.IntRange(5, 130), metavar="KMH", help="The speed limit.")
@click.option("--profile", metavar="NAME", help="A [[remote.profile]] of the sign's config; none: without.")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME=on|off",
    help="Whether a table of its schedule counts; several.",
)
@click.option("--confirm", is_flag=True, help="Confirm it as soon as the sign says that it is in force.")
@dry_run_option
@asking_options
def set_(
    asking: Asking,
    *,
    limit_kmh: int | None,
    profile: str | None,
    tables: tuple[str, ...],
    confirm: bool,
    dry_run: bool,
) -> None:
    """Change limit, display profile or schedule; undone by the sign itself unless it is confirmed in time.

    Only what the sign's config allows and names. What was set before and is not named here stays.
    """
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    wish = Wish(limit_kmh, "" if profile == "none" else profile, dict(_table(text) for text in tables))
    if not wish.as_dict():
        raise UsageError("name what is to be set: --limit, --profile or --table")
    ask(asking, Question(Action.SET, {"wish": wish, "dry_run": dry_run}, confirm=confirm and not dry_run))


def _table(text: str) -> tuple[str, bool]:
    name, _, word = text.rpartition("=")
    if not name or word not in ("on", "off"):
        raise UsageError(f"--table {text!r}: write NAME=on or NAME=off")
    return name, word == "on"


@click.command(
    cls=SignCommand, example="speedsign command confirm 1777878000001 --to bauska-3 --key anna.key"
)
@click.argument("counter", type=click.IntRange(1))
@asking_options
def confirm(asking: Asking, *, counter: int) -> None:
    """Keep a change for good; COUNTER is what the sign answered when it was made."""
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    ask(asking, Question(Action.CONFIRM, {"numbers": {"counter": counter}}))


@click.command(cls=SignCommand, example="speedsign command revert --to bauska-3 --key anna.key")
@dry_run_option
@asking_options
def revert(asking: Asking, *, dry_run: bool) -> None:
    """Drop all that was ever set from afar: the sign does what its config says, at once and for good."""
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    ask(asking, Question(Action.REVERT, {"dry_run": dry_run}))
