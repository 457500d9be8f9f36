"""speedsign calibrate: what the sign measures is measured, judged and written down."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "angle": "speedsign.cli.calibrate_angle:angle",
    "certificate": "speedsign.cli.calibrate_certificate:certificate",
    "history": "speedsign.cli.calibrate_history:history",
    "brightness": "speedsign.cli.calibrate_brightness:brightness",
    "drive-by": "speedsign.cli.calibrate_drive_by:drive_by",
    "fork": "speedsign.cli.calibrate_fork:fork",
    "panel": "speedsign.cli.calibrate_panel:panel",
    "traffic": "speedsign.cli.calibrate_traffic:traffic",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def calibrate() -> None:
    """Measure, judge and write down how right the sign is.

    Each calibration ends with a record in the database and in a file beside it. traffic, drive-by and fork
    work while the sign runs; panel and brightness need its ports.
    """
