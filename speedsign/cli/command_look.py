"""speedsign command report, log, resend, restart."""

from __future__ import annotations

from datetime import UTC

import click

from speedsign.cli.command_options import Asking, asking_options, dry_run_option
from speedsign.cli.common import SignCommand
from speedsign.cli.periods import parse_moment


@click.command(cls=SignCommand, example="speedsign command report --to bauska-3 --key anna.key")
@asking_options
def report(asking: Asking) -> None:
    """Ask a sign how it is: what is in force, faults, and what it counted in the last day and week."""
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    ask(asking, Question(Action.REPORT, {}))


@click.command(cls=SignCommand, example="speedsign command log --to bauska-3 --key anna.key --lines 50")
@click.option(
    "--lines", type=click.IntRange(1, 200), default=50, show_default=True, help="How many, at most."
)
@asking_options
def log(asking: Asking, *, lines: int) -> None:
    """Ask a sign for the last lines of its own log; times are UTC."""
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    ask(asking, Question(Action.LOG, {"numbers": {"lines": lines}}))


@click.command(
    cls=SignCommand,
    example="speedsign command resend --to bauska-3 --key anna.key --from 2026-05-04 --until 2026-05-05",
)
@click.option(
    "--from", "from_text", required=True, metavar="TIME", help="First moment, in UTC or with offset."
)
@click.option("--until", "until_text", required=True, metavar="TIME", help="Intervals that begin before it.")
@dry_run_option
@asking_options
def resend(asking: Asking, *, from_text: str, until_text: str, dry_run: bool) -> None:
    """Have a sign send counts of the past once more: for a hub that has lost them."""
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    span = {
        name: int(parse_moment(text, str(UTC)).timestamp())
        for name, text in (("from", from_text), ("to", until_text))
    }
    ask(asking, Question(Action.RESEND, {"numbers": span, "dry_run": dry_run}))


@click.command(cls=SignCommand, example="speedsign command restart --to bauska-3 --key anna.key")
@asking_options
def restart(asking: Asking) -> None:
    """Have the sign's program end in an orderly way; systemd starts it again. Once in ten minutes at most."""
    from speedsign.cli.command_ask import Question, ask
    from telemetry.command.model import Action

    ask(asking, Question(Action.RESTART, {}))
