"""speedsign radar: the field tools of the radar."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "capture": "speedsign.cli.radar_capture:capture",
    "detect": "speedsign.cli.radar_detect:detect",
    "setup": "speedsign.cli.radar_setup:setup",
    "watch": "speedsign.cli.radar_watch:watch",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def radar() -> None:
    """Find a radar, watch it, record it, set it up.

    A port has one reader: stop the sign first (sudo systemctl stop speedsign).
    """
