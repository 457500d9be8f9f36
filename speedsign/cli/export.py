"""speedsign export: vehicles, intervals or hours as a file for other programs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import click
from click.core import ParameterSource

from speedsign.cli.calibrate_look import calibration_of
from speedsign.cli.common import SignCommand, config_option
from speedsign.cli.selection import Choice, Selected, period_options, select
from speedsign.cli.whole_file import refuse_database
from speedsign.clock import SystemClock
from speedsign.config.officer_keys import OfficerKeys, officer_keys
from speedsign.errors import StoreError, UsageError
from speedsign.language import language
from telemetry.exchange import datex2, fiware, formats, tables
from telemetry.exchange.place import Place
from telemetry.exchange.slots import MINUTES, Slot, slots
from telemetry.exchange.spans import kept_from, wanted_of
from telemetry.local_time import HOUR
from telemetry.query import reading
from telemetry.report.calibrated import sentences

TABLES = ("vehicles", "intervals", "hours")
WRITERS: dict[str, Callable[[tables.Sheet, IO[str]], int]] = {
    "csv": formats.write_csv,
    "json": formats.write_json,
    "jsonl": formats.write_json_lines,
}
STANDARDS = ("fiware", "datex2")


@click.command(cls=SignCommand, example="speedsign export --month 2026-05 -o may.csv")
@period_options
@click.option(
    "--what",
    type=click.Choice([*TABLES, "sites"]),
    help="Single vehicles, counts as they are kept, hours, or DATEX II's sites.  [default: vehicles]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*WRITERS, "parquet", *STANDARDS]),
    default="csv",
    show_default=True,
    help="FIWARE TrafficFlowObserved and DATEX II measured data are by the hour.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--period",
    "minutes",
    type=click.Choice([str(minutes) for minutes in MINUTES]),
    default="60",
    show_default=True,
    metavar="15|60",
    help="Minutes of an hour's row, and of FIWARE and DATEX II.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Instead of the screen."
)
@click.option("--provider", default="", metavar="NAME", help="Who publishes, for FIWARE and DATEX II.")
@click.option(
    "--latitude",
    type=click.FloatRange(-90, 90),
    help="Of the sign, for FIWARE and DATEX II; else the config's.",
)
@click.option("--longitude", type=click.FloatRange(-180, 180), help="The same.")
@config_option
@click.pass_context
def export(
    ctx: click.Context,
    choice: Choice,
    config_path: Path,
    *,
    what: str | None,
    form: str,
    as_json: bool,
    minutes: str,
    output: Path | None,
    provider: str,
    latitude: float | None,
    longitude: float | None,
    debug: bool,
) -> None:
    """Write what was measured in a period as a file for other programs.

    Times are local with their offset, so that the hour that the autumn change repeats is told apart. CSV of
    vehicles and of intervals is what `speedsign import` reads.
    """
    if as_json and form != "json" and ctx.get_parameter_source("form") is not ParameterSource.DEFAULT:
        raise UsageError("--json is --format json; give one of them")
    form = "json" if as_json else form
    what = _what(what, form)
    if (latitude is None) != (longitude is None):
        raise UsageError("--latitude and --longitude belong together")
    with _said_when_stopped(output):
        selected = select(choice, config_path)
        if selected.note:
            click.echo(selected.note, err=True)
        if output is not None:
            refuse_database(output, selected.path)
        keys = _keys(ctx, config_path, choice)
        at = (keys.latitude, keys.longitude) if latitude is None else (latitude, longitude)
        country = _country(keys, selected)
        place = Place(selected.standing, *at, country, language=keys.language, provider=provider)
        if what == "vehicles":
            _say_deleted(selected)
        _say_calibration(selected)
        with _output(output, binary=form == "parquet") as out:
            _write(selected, what, form, int(minutes), place, out)


@contextlib.contextmanager
def _said_when_stopped(output: Path | None) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise StoreError("stopped" if output is None else f"stopped; {output} was not written") from None


def _what(what: str | None, form: str) -> str:
    """What fits the format: the standards know hours, and DATEX II its sites."""
    if form in STANDARDS:
        if what not in (None, "hours", *(["sites"] if form == "datex2" else [])):
            raise UsageError(f"{form} has no {what}; leave --what out")
        return what or "hours"
    if what == "sites":
        raise UsageError("--what sites is for --format datex2")
    return what or "vehicles"


def _keys(ctx: click.Context, config_path: Path, choice: Choice) -> OfficerKeys:
    """With --db only a config that is named: the sign of another one stands elsewhere."""
    named = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
    return officer_keys(config_path) if named or choice.db_path is None else OfficerKeys()


def _country(keys: OfficerKeys, selected: Selected) -> str:
    """Two letters, by the config or the time zone."""
    known = {"Europe/Riga": "lv", "Europe/Vilnius": "lt"}
    country = keys.country if keys.country in ("lv", "lt", "us") else None
    return country or known.get(selected.standing.facts.timezone, "lv")


def _write(selected: Selected, what: str, form: str, minutes: int, place: Place, out: IO[str]) -> None:
    wanted, standing = wanted_of(selected.period), selected.standing
    with reading(selected.path) as db:
        if what == "vehicles":
            _write_sheet(tables.vehicles(db, standing, wanted), form, out)
            return
        if what == "intervals":
            found = tables.read_intervals(db, standing, wanted)
            _write_sheet(tables.intervals(found, standing), form, out)
            return
        dated = tables.read_intervals(db, standing, wanted.only_dated())
        by_slot = slots(selected.period, minutes, dated)
        if form in STANDARDS:
            _write_standard(by_slot, what, form, minutes, place, out)
        else:
            _write_sheet(tables.hours(by_slot, standing), form, out)


def _write_sheet(sheet: tables.Sheet, form: str, out: IO[str]) -> None:
    if form == "parquet":
        formats.write_parquet(sheet, cast("IO[bytes]", out))
    else:
        WRITERS[form](sheet, out)


def _write_standard(
    by_slot: Iterator[Slot], what: str, form: str, minutes: int, place: Place, out: IO[str]
) -> None:
    now = SystemClock().now_utc()
    if form == "fiware":
        formats.write_list(fiware.entities(by_slot, place), out)
    elif what == "sites":
        out.write(
            json.dumps(datex2.site_table(place, now, 60 * minutes), ensure_ascii=False, indent=1) + "\n"
        )
    else:
        formats.write_list(
            datex2.measurements(by_slot, place), out, datex2.measured_head(place, now), datex2.TAIL
        )


def _say_calibration(selected: Selected) -> None:
    """What the speeds rest on; the files themselves have columns and no remarks."""
    period = selected.period
    found = calibration_of(selected.path, period)
    if found is not None and (found.proofs or found.failed_after):
        for text in sentences(found, period.zone, period.to_utc, language("en")):
            click.echo(text, err=True)


def _say_deleted(selected: Selected) -> None:
    """Single vehicles are kept for a while only."""
    first = kept_from(selected.path, selected.standing)
    counted = next((hour.start_utc for hour in selected.period.hours if hour.parts), None)
    if first is None and selected.period.n():
        number = selected.standing.id
        what = (
            f"single vehicles of installation {number} are not kept"
            if selected.standing.imported  # perhaps they never were
            else f"no single vehicle of installation {number} is kept any more"
        )
        raise StoreError(f"{selected.path}: {what}; --what intervals has their counts")
    if first is not None and counted is not None and first >= counted + HOUR:
        click.echo(
            f"Single vehicles are kept from {first:%Y-%m-%d %H:%M} UTC on only; "
            "--what intervals has the counts of the whole period.",
            err=True,
        )


@contextlib.contextmanager
def _output(path: Path | None, *, binary: bool) -> Iterator[IO[str]]:
    """Standard output, or a file that is there only when it is whole."""
    if path is None:
        if binary and sys.stdout.isatty():
            raise UsageError("Parquet is nothing for a screen; name a file with --output")
        yield cast("IO[str]", sys.stdout.buffer) if binary else sys.stdout
        return
    if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
        with _opened(path, binary=binary) as file:
            yield file
        return
    target = Path(os.path.realpath(path))  # of a link, what it leads to
    part = target.with_name(f".{target.name}.part-{os.getpid()}")
    try:
        with _opened(part, binary=binary) as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _opened(path: Path, *, binary: bool) -> IO[str]:
    if binary:
        return cast("IO[str]", path.open("wb"))
    return path.open("w", encoding="utf-8", newline="")
