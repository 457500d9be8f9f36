"""speedsign installation angle: a mounting angle that was wrong from the start, put right afterwards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.database import database, database_option
from speedsign.cli.field import NumberRange
from speedsign.clock import SystemClock
from speedsign.errors import UsageError
from telemetry.angle import MOST_DEG, Correction, by_cosines, correct_angle
from telemetry.lock import sole_writer
from telemetry.query import read_installations


@click.command(cls=SignCommand, example="speedsign installation angle 2 18.5")
@click.argument("number", type=int)
@click.argument("degrees", type=NumberRange(0, MOST_DEG))
@database_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@json_option
def angle(
    config_path: Path,
    *,
    number: int,
    degrees: float,
    db_path: Path | None,
    yes: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Put the mounting angle of an installation right, and with it all of its speeds.

    NUMBER is that of `installation list`, DEGREES the right angle between beam and road. Vehicles that are
    still kept are computed again; where only counts are left, or an older version did not keep what this
    needs, they are scaled, and reports say so from then on. The sign must be stopped. Make a copy of the
    database first.
    """
    path = database(db_path, config_path)
    for standing in read_installations(path):
        if standing.id == number and standing.heard:
            raise UsageError(
                f"{path}: installation {number} was heard from {standing.sign}: put its angle right there, "
                "and the sign sends its numbers again"
            )
    if not yes:
        click.confirm(f"Compute all speeds of installation {number} in {path} again?", abort=True, err=True)
    with sole_writer(path):
        done = correct_angle(path, number, degrees, SystemClock().now_utc())
    if as_json:
        print_json(asdict(done))
        return
    _say(done)
    if number == max(one.id for one in read_installations(path) if not one.imported):
        click.echo(f"now set [radar] mounting_angle_deg = {degrees:g} in the config: the sign divides by it")


def _say(done: Correction) -> None:
    click.echo(
        f"installation {done.installation_id}: {done.from_deg:g}° is now {done.to_deg:g}°; "
        f"{_vehicles(done.recomputed, 'was', 'were')} computed again"
    )
    if done.scaled_kept:
        factor = by_cosines(done.from_deg, done.to_deg)
        click.echo(
            f"{_vehicles(done.scaled_kept, 'is', 'are')} of a version that did not keep what this needs: "
            f"scaled by the cosines, by {factor:.4f}"
        )
    if counts := done.scaled - done.scaled_kept:
        factors = ", ".join(f"{name} by {done.factors[name]:.4f}" for name in ("approaching", "receding"))
        click.echo(
            f"{_vehicles(counts, 'is', 'are')} in intervals of which only the counts are whole: "
            f"these were scaled, {factors}"
        )


def _vehicles(n: int, one: str, more: str) -> str:
    return f"1 vehicle {one}" if n == 1 else f"{n} vehicles {more}"
