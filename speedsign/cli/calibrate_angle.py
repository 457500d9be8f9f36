"""speedsign calibrate angle: the mounting geometry from a tape measure, drawn, and what it leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from speedsign.calibration.geometry import Mounting
from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Book, Finding, finish, open_book
from speedsign.cli.calibrating.change import offer_angle
from speedsign.cli.calibrating.mounting import KEY, SAME_DEG, Tape, lines_of, proposal, result_of
from speedsign.cli.calibrating.options import record_options, write_option
from speedsign.cli.calibrating.technician import Technician
from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.field import NumberRange
from speedsign.errors import UsageError

_USUAL_LIMIT_KMH = 50.0


@click.command(cls=SignCommand, example="speedsign calibrate angle --lateral 4 --height 3 --aim 30")
@click.option("--lateral", "lateral_m", type=NumberRange(0, 50), metavar="M", help="Radar to lane's middle.")
@click.option("--height", "height_m", type=NumberRange(0, 20), metavar="M", help="Radar above the road.")
@click.option("--aim", "aim_m", type=NumberRange(0.1, 1000), metavar="M", help="Along the road to the aim.")
@click.option("--turned", "turned_deg", type=NumberRange(0, 89), metavar="DEG", help="Instead of --aim.")
@click.option(
    "--down", "down_deg", type=NumberRange(-45, 45), default=0.0, metavar="DEG", help="With --turned."
)
@click.option(
    "--read-at", "read_at_m", type=NumberRange(0.1, 1000), metavar="M",
    help="Along the road to where most cars are read.",
)  # fmt: skip
@write_option
@record_options
@config_option
@json_option
@click.pass_context
def angle(
    ctx: click.Context,
    config_path: Path,
    *,
    lateral_m: float | None,
    height_m: float | None,
    aim_m: float | None,
    turned_deg: float | None,
    down_deg: float,
    read_at_m: float | None,
    write: bool | None,
    by: str | None,
    note: str,
    yes: bool,
    dry_run: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Draw where the radar looks, and say what speeds are off at each range.

    The angle of the beam is no mounting angle: most cars are read before they reach its middle. What has
    to be written is the angle at which cars are read: by --read-at, or better from the cars themselves,
    by calibrate traffic.
    """
    set_up_logging(debug=debug)
    technician = Technician(yes=yes, aside=as_json)
    if aim_m is not None and turned_deg is not None:
        raise UsageError("--aim and --turned say the same in two ways; choose one")
    if yes:
        _all_given(lateral_m, height_m, aim_m, turned_deg)
    book = open_book(ctx, config_path, technician, by=by, note=note, dry_run=dry_run)
    tape = asked(technician, lateral_m, height_m, aim_m, turned_deg, down_deg)
    limit_kmh = float(book.config.sign.limit_kmh) if book.config else _USUAL_LIMIT_KMH
    try:
        mounting = tape.mounting(limit_kmh)
        read_deg = None if read_at_m is None else tape.read_deg(read_at_m)
    except ValueError as error:
        raise UsageError(str(error)) from None
    before_deg = book.config.radar.mounting_angle_deg if book.config else 0.0
    meant_deg = before_deg if read_deg is None else proposal(read_deg)[0]
    shown_deg = meant_deg or round(mounting.angle_deg, 1)
    for line in lines_of(tape, mounting, shown_deg, limit_kmh, shutil.get_terminal_size().columns):
        technician.say(line)
    technician.say()
    written = _settle(technician, book, mounting, read_deg, write)
    after_deg = meant_deg if written else before_deg
    finding = _finding(book, tape, mounting, read_at_m, read_deg, before_deg, after_deg)
    finish(ctx, technician, book, finding, written=written, as_json=as_json)


def asked(
    technician: Technician,
    lateral_m: float | None,
    height_m: float | None,
    aim_m: float | None,
    turned_deg: float | None,
    down_deg: float,
) -> Tape:
    """What the options leave open, asked for. Raises Stopped, UsageError."""
    if lateral_m is None:
        lateral_m = technician.ask(
            "Radar to the middle of the lane, sideways, m:", metres(50), option="--lateral M"
        )
    if height_m is None:
        height_m = technician.ask("Radar above the road, m:", metres(20), option="--height M")
    if aim_m is None and turned_deg is None:
        aim_m = technician.ask("Along the road to where it aims, m:", metres(1000), option="--aim M")
    return Tape(lateral_m, height_m, aim_m, turned_deg, down_deg)


class metres:  # noqa: N801  it is used as a function
    """Reads a distance of at most so many metres; a comma is as good as a point."""

    def __init__(self, most_m: float) -> None:
        self._most_m = most_m

    def __call__(self, line: str) -> float:
        try:
            value_m = float(line.strip().removesuffix("m").replace(",", "."))
        except ValueError:
            raise ValueError(f"{line.strip()!r} is no distance; write metres, 3.5 for example") from None
        if not 0.0 <= value_m <= self._most_m:
            raise ValueError(f"{value_m:g} m cannot be; 0 to {self._most_m:g} m")
        return value_m


def _all_given(
    lateral_m: float | None, height_m: float | None, aim_m: float | None, turned_deg: float | None
) -> None:
    """With --yes nobody is asked: everything that is missing is named at once."""
    missing = [name for name, value in (("--lateral", lateral_m), ("--height", height_m)) if value is None]
    if aim_m is None and turned_deg is None:
        missing.append("--aim (or --turned)")
    if missing:
        raise UsageError(f"with --yes nobody is asked: give {', '.join(missing)}")


def _settle(
    technician: Technician, book: Book, mounting: Mounting, read_deg: float | None, write: bool | None
) -> bool:
    """Whether the angle at which cars are read was written; the beam's never is."""
    before_deg = book.config.radar.mounting_angle_deg if book.config else 0.0
    if read_deg is None:
        technician.say("The angle of the beam is not written: it would make speeds too high.")
        technician.say("Let the cars tell: speedsign calibrate traffic; or give --read-at M.")
        if before_deg > 0.0 and abs(before_deg - mounting.angle_deg) < 1.0:
            technician.say(f"The config has {before_deg:g} degrees, about that of the beam: too much.")
        return False
    angle_deg, said = proposal(read_deg)
    for line in said:
        technician.say(line)
    return offer_angle(technician, book, angle_deg, write=write)


def _finding(
    book: Book,
    tape: Tape,
    mounting: Mounting,
    read_at_m: float | None,
    read_deg: float | None,
    before_deg: float,
    after_deg: float,
) -> Finding:
    sentence = f"The beam lies at {mounting.angle_deg:.1f} degrees to the road"
    verdict = Verdict.DONE
    if read_deg is not None:
        sentence += f"; cars at {read_at_m:g} m are read at {read_deg:.1f} degrees"
        if abs(after_deg - read_deg) > 2 * SAME_DEG:
            verdict = Verdict.UNDECIDED  # it was not taken over
    result = {**result_of(tape, mounting), "read_deg": None if read_deg is None else round(read_deg, 2)}
    return Finding(
        kind=Kind.ANGLE,
        driver=book.config.radar.driver if book.config else "",
        sentence=f"{sentence}; the sign divides by that of {after_deg:g} degrees.",
        verdict=verdict,
        before={KEY: before_deg},
        after={KEY: after_deg},
        runs=[{**tape.as_run(), **({} if read_at_m is None else {"read_at_m": read_at_m})}],
        result={**result, "method": "geometry"},
    )
