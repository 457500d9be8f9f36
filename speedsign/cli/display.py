"""speedsign display: the field tools of the panel."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "blank": "speedsign.cli.display_blank:blank",
    "scan": "speedsign.cli.display_scan:scan",
    "show": "speedsign.cli.display_show:show",
    "test": "speedsign.cli.display_test:test",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def display() -> None:
    """Find a panel, put something on it, test it, darken it.

    A port has one user: stop the sign first (sudo systemctl stop speedsign).
    """
