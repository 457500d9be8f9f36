"""speedsign installation: where and how the sign stood, and what turned out to be wrong about it."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "angle": "speedsign.cli.installation_angle:angle",
    "list": "speedsign.cli.installation_list:list_",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def installation() -> None:
    """Where and how the sign stood, from when to when.

    Another site, limit, mounting angle, direction name or display profile begins a new installation, and no
    report mixes two.
    """
