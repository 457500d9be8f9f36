"""speedsign calibrate traffic: the angle at which cars are read, from the cars themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from speedsign.calibration.record import Kind, Verdict
from speedsign.calibration.traffic_angle import CannotTell, TrafficAngle
from speedsign.cli.calibrating.book import Book, Finding, finish, keep_what_there_is, open_book
from speedsign.cli.calibrating.change import offered_angle
from speedsign.cli.calibrating.mounting import KEY, proposal
from speedsign.cli.calibrating.options import record_options, write_option
from speedsign.cli.calibrating.technician import Stopped, Technician
from speedsign.cli.calibrating.traffic import CARS, Heard, collect, read_capture
from speedsign.cli.calibrating.traffic_words import Judged, result_of, runs_of, words_of
from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.field import NumberRange
from speedsign.cli.hearing import source_of
from speedsign.cli.radar_line import radar_options
from speedsign.clock import SystemClock
from speedsign.config.wanted import tracking_params
from speedsign.errors import UsageError
from speedsign.tracking import TrackingParams


@click.command(cls=SignCommand, example="speedsign calibrate traffic --cars 200")
@click.option(
    "--cars", type=click.IntRange(30, 2000), default=CARS, show_default=True, help="Enough, towards the sign."
)
@click.option("--for", "seconds", type=NumberRange(1, 86_400), metavar="S", help="Stop after so long.")
@click.option("--capture", type=click.Path(path_type=Path), metavar="FILE", help="A recording, and no radar.")
@write_option
@record_options
@radar_options
@config_option
@json_option
@click.pass_context
def traffic(
    ctx: click.Context,
    config_path: Path,
    *,
    cars: int,
    seconds: float | None,
    capture: Path | None,
    write: bool | None,
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
    """Find the angle at which cars are read from how their radial speed falls as they come.

    Beside the running sign, or at the radar's own port. Ctrl-C ends it with the cars that there are.
    """
    set_up_logging(debug=debug)
    technician = Technician(yes=yes, aside=as_json)
    if capture is not None and any(one is not None for one in (port, driver, profile, baud, unit, seconds)):
        raise UsageError("--capture needs no radar: leave out the options of one, and --for")
    book = open_book(ctx, config_path, technician, by=by, note=note, dry_run=dry_run)
    if capture is not None:
        heard, radar = read_capture(capture, _params(book), invert=_inverted(book))
        judgement = heard.judged()
        device: dict[str, Any] = {"capture": capture.name}
    else:
        source = source_of(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
        technician.say(f"listening to {source.words}; Ctrl-C: enough")
        heard, judgement = asyncio.run(collect(source, SystemClock(), cars, seconds, technician.say))
        radar, device = source.choice.driver.name, {"by": "sign" if source.socket else "port"}
    if not heard.approaches and not heard.undirected:
        raise Stopped("no car approached: nothing to keep")
    _settle(ctx, technician, book, heard, judgement, radar, device, write=write, as_json=as_json)


def _settle(
    ctx: click.Context,
    technician: Technician,
    book: Book,
    heard: Heard,
    judgement: Judged,
    radar: str,
    device: dict[str, Any],
    *,
    write: bool | None,
    as_json: bool,
) -> None:
    """What the cars tell, what is written for it, and the record."""
    for line in words_of(judgement, radar):
        technician.say(line)
    before_deg = after_deg = book.config.radar.mounting_angle_deg if book.config else 0.0
    device = {**device, "radar": radar, "says": heard.values}
    written = False
    if judgement.usable_deg is None:
        if not keep_what_there_is(technician, f"{len(heard.approaches)} cars"):
            raise Stopped
    else:
        after_deg, said = proposal(judgement.usable_deg)
        for line in said[1:]:
            technician.say(line)
        written = offered_angle(technician, book, after_deg, write=write)
        after_deg = after_deg if written else before_deg
    finding = _finding(judgement, heard, radar, device, before_deg, after_deg)
    finish(ctx, technician, book, finding, written=written, as_json=as_json)


def _finding(
    judgement: Judged, heard: Heard, radar: str, device: dict[str, Any], before_deg: float, after_deg: float
) -> Finding:
    verdict, sentence = _verdict(judgement, after_deg)
    return Finding(
        kind=Kind.ANGLE,
        driver=radar,
        sentence=sentence,
        verdict=verdict,
        device=device,
        before={KEY: before_deg},
        after={KEY: after_deg},
        runs=runs_of(heard.approaches),
        result=result_of(judgement),
    )


def _verdict(judgement: Judged, after_deg: float) -> tuple[Verdict, str]:
    found = judgement.found
    if isinstance(found, CannotTell):
        return Verdict.UNDECIDED, f"Traffic does not tell the angle: {found.reason}."
    told = (
        f"{found.passages} cars were read at {found.angle_deg:.1f} degrees"
        f" ({found.low_deg:.1f} to {found.high_deg:.1f})"
    )
    if judgement.refusal is not None:
        return Verdict.UNDECIDED, f"{told}, but {judgement.refusal}."
    verdict = Verdict.DONE if _agrees(found, after_deg) else Verdict.UNDECIDED
    return verdict, f"{told}; the sign divides by the cosine of {after_deg:g} degrees."


def _agrees(found: TrafficAngle, after_deg: float) -> bool:
    """Whether what the config says now is what the cars tell."""
    return found.low_deg <= after_deg <= found.high_deg


def _params(book: Book) -> TrackingParams:
    return tracking_params(book.config.tracking) if book.config else TrackingParams()


def _inverted(book: Book) -> bool:
    return book.config.radar.invert_direction if book.config else False
