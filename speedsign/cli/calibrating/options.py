"""Options that every calibration has: who did it, a note, no questions, no record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

LONGEST_NAME, LONGEST_NOTE = 80, 1000


def record_options(command: Command) -> Command:
    """--by, --note, --yes, --dry-run."""
    options = (
        click.option("--by", metavar="NAME", help="Who calibrates; else it is asked."),
        click.option("--note", metavar="TEXT", default="", help="Kept with the record."),
        click.option("--yes", is_flag=True, help="Ask nothing; take what is proposed."),
        click.option("--dry-run", is_flag=True, help="Keep no record and write no config."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def write_option(command: Command) -> Command:
    """--write / --no-write"""
    return click.option(
        "--write/--no-write",
        default=None,
        help="Write what follows into the config, or not; else it is asked.",
    )(command)
