"""speedsign calibrate fork: a tuning fork before the radar; does it read what it has to?"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from pathlib import Path

import click

from speedsign.calibration.fork import CARRIER_GHZ, ForkReading, ForkVerdict, judge, obstacles
from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Book, Finding, finish, keep_what_there_is, open_book
from speedsign.cli.calibrating.fork import (
    BANDS_GHZ,
    Fork,
    Held,
    fork_of,
    lines_of,
    result_of,
    sentence_of,
    step_of,
    table_lines,
    table_of,
    verdict_of,
)
from speedsign.cli.calibrating.options import record_options
from speedsign.cli.calibrating.technician import Stopped, Technician
from speedsign.cli.common import SignCommand, config_option, json_option, print_json, set_up_logging
from speedsign.cli.field import NumberRange, told_to_stop
from speedsign.cli.hearing import Source, hear, source_of
from speedsign.cli.radar_line import radar_options
from speedsign.clock import SystemClock
from speedsign.errors import DriverError, UsageError
from speedsign.ports import Clock

_SECONDS = 15.0
_MOST_RAW = 2000  # readings in a record


@click.command(cls=SignCommand, example="speedsign calibrate fork --fork 2000Hz")
@click.option("--fork", "fork_text", metavar="FORK", help="2000Hz, or what is stamped on it: 45km/h, 35mph.")
@click.option(
    "--band", "band_ghz", type=NumberRange(*BANDS_GHZ), default=CARRIER_GHZ, show_default=True,
    metavar="GHZ", help="The radar's carrier.",
)  # fmt: skip
@click.option(
    "--stamped", "stamped_ghz", type=NumberRange(*BANDS_GHZ), metavar="GHZ",
    help="The band that the fork's stamp is for, where that is another.",
)  # fmt: skip
@click.option(
    "--tolerance", "tolerance_kmh", type=NumberRange(0.1, 10), default=1.0, show_default=True, metavar="KMH"
)
@click.option(
    "--for", "seconds", type=NumberRange(1, 600), default=_SECONDS, show_default=True, metavar="S",
    help="How long it is watched.",
)  # fmt: skip
@click.option(
    "--alone/--not-alone", default=None,
    help="No car was in sight meanwhile, or one was; else it is asked where the readings do not tell.",
)  # fmt: skip
@click.option("--table", "only_table", is_flag=True, help="Print forks and speeds, and measure nothing.")
@record_options
@radar_options
@config_option
@json_option
@click.pass_context
def fork(
    ctx: click.Context,
    config_path: Path,
    *,
    fork_text: str | None,
    band_ghz: float,
    stamped_ghz: float | None,
    tolerance_kmh: float,
    seconds: float,
    alone: bool | None,
    only_table: bool,
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
    """Hold a tuning fork before the radar: the tool watches, averages and judges.

    It proves the radar's clock and arithmetic, and says nothing of how it is mounted. Beside the running
    sign, or at the radar's own port.
    """
    set_up_logging(debug=debug)
    if only_table:
        if as_json:
            print_json([asdict(one) for one in table_of(band_ghz)])
        else:
            click.echo("\n".join(table_lines(band_ghz)))
        return
    technician = Technician(yes=yes, aside=as_json)
    if yes and fork_text is None:
        raise UsageError("with --yes nobody is asked which fork it is: give --fork 2000Hz")
    named = None if fork_text is None else _named(fork_text, band_ghz, stamped_ghz)
    book = open_book(ctx, config_path, technician, by=by, note=note, dry_run=dry_run)
    source = source_of(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
    held = named or technician.ask(
        "Which fork (2000Hz, 45km/h, 35mph):",
        lambda line: fork_of(line, band_ghz, stamped_ghz),
        option="--fork 2000Hz",
    )
    _say_before(technician, source, held)
    heard = Held(held, technician.say)
    technician.say(f"listening to {source.words} for {seconds:g} s: strike it and hold it before the radar")
    stopped = asyncio.run(_watch(source, heard, SystemClock(), seconds))
    reading = _judged(technician, book, held, heard, tolerance_kmh, alone, stopped=stopped)
    finding = _finding(source, held, heard, reading)
    finish(ctx, technician, book, finding, written=False, as_json=as_json)


def _judged(
    technician: Technician,
    book: Book,
    held: Fork,
    heard: Held,
    tolerance_kmh: float,
    alone: bool | None,
    *,
    stopped: bool,
) -> ForkReading:
    """What the radar read, said; stopped before its time it is good or undecided, and no failure."""

    def judged(*, alone: bool) -> ForkReading:
        return judge(heard.kmh, held.kmh, tolerance_kmh, step_of(heard.kmh), heard.ways, alone=alone)

    reading = judged(alone=alone is True)
    for line in lines_of(reading, heard.rejected):
        technician.say(line)
    if stopped and verdict_of(reading) is not Verdict.PASS:
        if not (heard.kmh and keep_what_there_is(technician, "what was read")):
            raise Stopped
        return replace(reading, verdict=ForkVerdict.STOPPED)
    if reading.verdict is ForkVerdict.PERHAPS_A_CAR and _no_car(technician, book, alone):
        return judged(alone=True)
    return reading


def _no_car(technician: Technician, book: Book, alone: bool | None) -> bool:
    """Whether somebody says that the fork was there and no car; who does not answer has not said it."""
    if alone is not None:
        return alone
    technician.say("steady, and nothing tells it from a car that is still far away")
    try:
        return technician.confirm(
            "Was it the fork, and no car in sight all the time?", default=False, option="--alone"
        )
    except UsageError as error:
        book.troubles.append(str(error))
    except Stopped as stopped:
        if not keep_what_there_is(technician, "what was read", stopped):
            raise
    return False


def _finding(source: Source, held: Fork, heard: Held, reading: ForkReading) -> Finding:
    """What the radar read, written down."""
    return Finding(
        kind=Kind.FORK,
        driver=source.choice.driver.name,
        sentence=sentence_of(held, reading),
        verdict=verdict_of(reading),
        device={"by": "sign" if source.socket else "port", "says": heard.values},
        runs=[{"kmh": [round(one, 3) for one in heard.kmh[-_MOST_RAW:]], "directions": heard.directions}],
        result=result_of(held, reading, step_of(heard.kmh)),
    )


async def _watch(source: Source, held: Held, clock: Clock, seconds: float) -> bool:
    """Whether somebody stopped it before its time. Raises PortError, NoReply."""
    with told_to_stop(hang_up=True) as stop:
        await hear(source, held, clock, seconds, stop, set_up=True)
        return stop.is_set()


def _say_before(technician: Technician, source: Source, held: Fork) -> None:
    """What the fork reads as, and what may stand in its way."""
    technician.say(held.words)
    choice = source.choice
    try:
        settings = choice.settings()
        low_kmh, high_kmh = settings.min_speed_kmh, settings.max_speed_kmh
    except DriverError:
        low_kmh, high_kmh = 0.0, choice.driver.max_speed_kmh
    for sentence in obstacles(choice.driver.facts, held.kmh, low_kmh, high_kmh):
        technician.say(f"note: {sentence}")


def _named(text: str, band_ghz: float, stamped_ghz: float | None) -> Fork:
    try:
        return fork_of(text, band_ghz, stamped_ghz)
    except ValueError as error:
        raise UsageError(f"--fork: {error}") from None
