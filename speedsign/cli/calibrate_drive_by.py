"""speedsign calibrate drive-by: a vehicle of known speed passes a few times; does the sign measure right?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Book, Finding, finish, keep_what_there_is, open_book
from speedsign.cli.calibrating.drive_by import HELP, Dialogue, Passers, check_angle, talk
from speedsign.cli.calibrating.given import given_runs, read_runs
from speedsign.cli.calibrating.options import record_options
from speedsign.cli.calibrating.runs import Runs, as_json
from speedsign.cli.calibrating.technician import STOPPED, Stopped, Technician
from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.field import NumberRange
from speedsign.cli.hearing import Source, source_of
from speedsign.cli.radar_line import radar_options
from speedsign.clock import SystemClock
from speedsign.errors import DeviceError, UsageError
from speedsign.model import Direction, Unit

# Standard deviation of what a reference is off in all runs alike, where nobody says: docs/calibration.md.
_SD_KMH = {"gps": 0.25, "tachograph": 0.5, "laser": 0.5, "other": 0.5}
_WANTED = 5
_DIRECTIONS = {
    "approaching": frozenset({Direction.APPROACHING, Direction.UNKNOWN}),
    "receding": frozenset({Direction.RECEDING, Direction.UNKNOWN}),
    "both": frozenset(Direction),
}


@click.command(cls=SignCommand, example="speedsign calibrate drive-by --reference gps")
@click.option(
    "--reference", type=click.Choice(list(_SD_KMH)), default="gps", show_default=True, help="What tells."
)
@click.option(
    "--reference-sd", "sd_kmh", type=NumberRange(0, 20), metavar="KMH",
    help="What it may be off in all runs alike; else 0.25 for GPS and 0.5 for others.",
)  # fmt: skip
@click.option(
    "--passes", type=click.IntRange(3, 60), default=_WANTED, show_default=True, help="Runs at least."
)
@click.option("--direction", type=click.Choice(list(_DIRECTIONS)), default="approaching", show_default=True)
@click.option("--mph", is_flag=True, help="The references are in mph.")
@click.option(
    "--run", "given", multiple=True, metavar="REF=KMH", help="A run that was measured already; several."
)
@click.option(
    "--runs", "runs_file", type=click.Path(path_type=Path), metavar="FILE", help="Such runs, as CSV."
)
@click.option("--for", "seconds", type=NumberRange(1, 86_400), metavar="S", help="Stop after so long.")
@record_options
@radar_options
@config_option
@json_option
@click.pass_context
def drive_by(
    ctx: click.Context,
    config_path: Path,
    *,
    reference: str,
    sd_kmh: float | None,
    passes: int,
    direction: str,
    mph: bool,
    given: tuple[str, ...],
    runs_file: Path | None,
    seconds: float | None,
    by: str | None,
    note: str,
    yes: bool,
    dry_run: bool,
    port: str | None,
    driver: str | None,
    profile: str | None,
    baud: int | None,
    unit: str | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Hold what the sign measures against a vehicle of known speed.

    Drive past at a steady speed; after each pass the tool asks how fast it was. Beside the running sign, or
    at the radar's own port. With --run or --runs nothing is measured. Exit code 0 for a verdict within +-1
    km/h up to 50 km/h and +-2 % above, 1 for any other.
    """
    set_up_logging(debug=debug)
    technician = Technician(yes=yes, aside=as_json)
    told_unit = Unit.MPH if mph else Unit.KMH
    runs = Runs(_SD_KMH[reference] if sd_kmh is None else sd_kmh)
    runs.passes += given_runs(given, told_unit)
    runs.passes += read_runs(runs_file, told_unit) if runs_file is not None else []
    if yes and not runs.passes:
        raise UsageError("with --yes nobody is asked how fast it was: give --run 50=49.6, or --runs FILE")
    book = open_book(ctx, config_path, technician, by=by, note=note, dry_run=dry_run)
    device: dict[str, Any] = {"reference": reference, "mph": mph}
    radar = book.config.radar.driver if book.config else ""
    if runs.passes:
        device["by"] = "given"  # and no radar was listened to
        for line in runs.lines():
            technician.say(line)
    else:
        source = source_of(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
        check_angle(source)
        radar = source.choice.driver.name
        dialogue = Dialogue(
            runs, technician.say, unit=told_unit, directions=_DIRECTIONS[direction], wanted=passes
        )
        device |= _driven(technician, book, source, dialogue, runs, seconds)
    finding = _finding(book, runs, radar, device)
    finish(ctx, technician, book, finding, written=False, as_json=as_json)


def _driven(
    technician: Technician, book: Book, source: Source, dialogue: Dialogue, runs: Runs, seconds: float | None
) -> dict[str, Any]:
    """Runs from the road; what the radar said. What was driven survives a radar that goes away."""
    technician.say(f"listening to {source.words}; drive past")
    for line in HELP:
        technician.say(line)
    passers = Passers(dialogue)
    try:
        stopped = asyncio.run(talk(source, dialogue, passers, technician, SystemClock(), seconds))
    except (DeviceError, UsageError) as error:
        if not runs.passes:
            raise
        book.troubles.append(str(error))
        stopped = True
    if not runs.passes:
        raise Stopped(STOPPED if stopped else "no run was driven: nothing to keep")
    if stopped and runs.verdict is not Verdict.PASS:
        if not keep_what_there_is(technician, "the runs so far"):
            raise Stopped
        runs.stopped = True
    return {"by": "sign" if source.socket else "port", "says": passers.values}


def _finding(book: Book, runs: Runs, radar: str, device: dict[str, Any]) -> Finding:
    angle_deg = book.config.radar.mounting_angle_deg if book.config else 0.0
    return Finding(
        kind=Kind.DRIVE_BY,
        driver=radar,
        sentence=runs.sentence(angle_deg),
        verdict=runs.verdict,
        device=device,
        runs=as_json(runs.passes),
        result=runs.result(),
    )
