"""speedsign doctor: is the machine well? Everything is looked at and nothing changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

import click

from speedsign.cli.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.doctor_looks import TOPICS, looks
from speedsign.cli.doctor_patient import Options, Patient, admit
from speedsign.cli.doctor_words import columns, lines_of, summary
from speedsign.clock import SystemClock
from speedsign.doctor.finding import Finding, State
from speedsign.doctor.plan import examine
from speedsign.errors import SpeedsignError


class Interrupted(SpeedsignError):  # noqa: N818  the situation is its name
    """Somebody has pressed Ctrl-C."""


@click.command(cls=SignCommand, example="speedsign doctor")
@click.option(
    "--only", "only", multiple=True, type=click.Choice(TOPICS), metavar="TOPIC",
    help=f"Look at this alone; more than once for more. TOPIC: {', '.join(TOPICS)}.",
)  # fmt: skip
@click.option("--offline", is_flag=True, help="Leave the network alone.")
@click.option("--quick", is_flag=True, help="Leave out what takes more than moments.")
@click.option("--thorough", is_flag=True, help="Check the whole database; of a big one that takes minutes.")
@click.option(
    "--service", metavar="NAME", default="speedsign", show_default=True, help="The systemd service."
)
@config_option
@json_option
@click.pass_context
def doctor(
    ctx: click.Context,
    config_path: Path,
    *,
    only: tuple[str, ...],
    offline: bool,
    quick: bool,
    thorough: bool,
    service: str,
    debug: bool,
    as_json: bool,
) -> None:
    """Look at everything the sign needs, and say what is wrong and what to do. Nothing is changed.

    Devices are asked harmless questions while the sign is stopped; while it runs, it is asked itself. What
    this user may not look at is said; sudo shows all. Exit code 1 when something is wrong, 2 when the config
    cannot be used; the rest is looked at all the same.
    """
    set_up_logging(debug=debug, level=60)
    patient = admit(config_path, SystemClock(), Options(service, offline, quick, thorough))
    try:
        found = _told(examine(looks(patient, only), patient.clock), words=not as_json)
    except KeyboardInterrupt:
        raise Interrupted("stopped; nothing was changed") from None
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        click.echo(fill(summary(found), columns()))
    ctx.exit(exit_code(patient, found))


def _told(groups: Iterable[Iterable[Finding]], *, words: bool) -> list[Finding]:
    """All findings; printed as they come, `words`, for somebody who waits."""
    found: list[Finding] = []
    width = columns()
    for group in groups:
        for one in group:
            found.append(one)
            if words:
                click.echo("\n".join(lines_of(one, width)))
    return found


def exit_code(patient: Patient, found: Iterable[Finding]) -> int:
    if patient.tables.whole is None:
        return EXIT_USAGE
    return EXIT_FAILED if any(one.state is State.WRONG for one in found) else 0
