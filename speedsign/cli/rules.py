"""speedsign rules: what is shown when, and why."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "explain": "speedsign.cli.rules_explain:explain",
    "week": "speedsign.cli.rules_week:week",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def rules() -> None:
    """What a vehicle gets to see at a time, and the plan of a week.

    Nothing is opened or changed: the answers come from the config, as the sign itself takes it.
    """
