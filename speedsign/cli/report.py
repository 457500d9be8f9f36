"""speedsign report: the page an officer prints, as HTML, PDF, spreadsheet, CSV and calendar."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from speedsign import __version__
from speedsign.cli.calibrate_look import calibration_of
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.file_language import file_language
from speedsign.cli.selection import Choice, Selected, period_options, select
from speedsign.cli.whole_file import refuse_database, write_whole
from speedsign.clock import SystemClock
from speedsign.errors import UsageError
from speedsign.language import LANGUAGES, Language
from telemetry.report.document import Document
from telemetry.report.facts import Facts, gather

FORMATS = ("html", "pdf", "xlsx", "csv", "ics")
_STDOUT = "-"
_SITE_LETTERS = 60  # of a site in the name of a file


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of the facts."""

    words: Language
    public: bool
    table: str | None
    patrol_from: date | None
    now_utc: datetime


@click.command(cls=SignCommand, example="speedsign report --month 2026-05 -o bauska.html -o bauska.pdf")
@period_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Where to; the ending decides: .html, .pdf, .xlsx, .csv, .ics. May be given several times; - is "
    "standard output.",
)
@click.option("--format", "as_format", type=click.Choice(FORMATS), help="For a name without such an ending.")
@click.option(
    "--language",
    "code",
    type=click.Choice(LANGUAGES),
    help="Else the config's, or that of the sign's time zone.",
)
@click.option("--public", is_flag=True, help="For residents: plain words, no count below five.")
@click.option(
    "--direction",
    type=click.Choice(["approaching", "receding", "both"]),
    default="both",
    show_default=True,
    help="What the figures, hours and days are of.",
)
@click.option("--table", metavar="KEY", help="CSV: this table alone.")
@click.option(
    "--patrol-from",
    "patrol_text",
    metavar="DATE",
    help="When the calendar begins; else on the first Monday after the period and after today.",
)
@config_option
@json_option
def report(
    choice: Choice,
    config_path: Path,
    *,
    outputs: tuple[str, ...],
    as_format: str | None,
    code: str | None,
    public: bool,
    direction: str,
    table: str | None,
    patrol_text: str | None,
    debug: bool,
    as_json: bool,
) -> None:
    """One report of a period: vehicles per speed band, V85, hours, days, the worst hours to patrol.

    All formats hold the same numbers. Without -o, an HTML file in the current folder. A file that is there is
    replaced, and never left half-written. --json prints the numbers, and writes only what -o names.
    """
    formats = {name: _format(name, as_format) for name in outputs}
    _refuse(formats, public=public, table=table, as_json=as_json)
    patrol_from = _date(patrol_text)
    selected = select(choice, config_path)
    _refuse_database(outputs, selected.path)
    if selected.note:
        click.echo(selected.note, err=True)
    facts = _facts(selected, direction, public=public)
    wanted = Wanted(
        file_language(code, choice, config_path, facts.standing.facts.timezone),
        public,
        table,
        patrol_from,
        SystemClock().now_utc(),
    )
    if not outputs and not as_json:
        kind = as_format or "html"
        formats = {f"{file_name(facts)}.{kind}": kind}
    _write(facts, wanted, formats, err=as_json or _STDOUT in formats)
    if as_json:
        print_json(_as_json(facts, public=public))


def _facts(selected: Selected, direction: str, *, public: bool) -> Facts:
    period = selected.period
    if public:
        from telemetry.report.public import whole_hours

        period = whole_hours(period)
    return gather(
        period,
        focus=direction,
        others=selected.others,
        own_limit_kmh=selected.own_limit_kmh,
        calibration=calibration_of(selected.path, period),
    )


# --------------------------------------------------------------------------- what was asked for


def _format(name: str, otherwise: str | None) -> str:
    ending = Path(name).suffix.lower().removeprefix(".")
    if name != _STDOUT and ending in FORMATS:
        return ending
    if otherwise is None:
        what = "standard output" if name == _STDOUT else name
        raise UsageError(f"{what}: which format? End the name in .{', .'.join(FORMATS)}, or give --format")
    return otherwise


def _refuse(formats: Mapping[str, str], *, public: bool, table: str | None, as_json: bool) -> None:
    """What cannot be meant, before anything is read."""
    if as_json and _STDOUT in formats:
        raise UsageError("--json and -o - would both write to standard output; give -o a file")
    if public and "ics" in formats.values():
        raise UsageError("a public report names no hours to patrol; make the calendar without --public")
    if table is not None and "csv" not in formats.values():
        raise UsageError("--table is for CSV: give -o a name that ends in .csv")
    for name in formats:
        if name != _STDOUT and Path(name).is_dir():
            raise UsageError(f"{name} is a folder; give -o the name of a file in it")


def _refuse_database(outputs: tuple[str, ...], database: Path) -> None:
    for name in outputs:
        if name != _STDOUT:
            refuse_database(Path(name), database)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--patrol-from {text!r} is no date; write 2026-06-01") from None


def file_name(facts: Facts) -> str:
    """report-bauska-rigas-iela-2026-05-04-2026-05-31: letters that every disk and mail takes."""
    plain = unicodedata.normalize("NFKD", facts.standing.name).encode("ascii", "ignore").decode().lower()
    site = re.sub(r"[^a-z0-9]+", "-", plain)[:_SITE_LETTERS].strip("-") or "sign"
    return f"report-{site}-{facts.from_local.date()}-{facts.last_day}"


# --------------------------------------------------------------------------- what is made


def _write(facts: Facts, wanted: Wanted, formats: Mapping[str, str], *, err: bool) -> None:
    """All of them are made before the first is written; `err`: standard output is taken."""
    document = None if set(formats.values()) <= {"ics"} else _document(facts, wanted)
    made = {name: _rendered(kind, document, facts, wanted) for name, kind in formats.items()}
    for name, data in made.items():
        if name == _STDOUT:
            click.echo(data, nl=False)
            continue
        write_whole(Path(name), data)
        click.echo(f"{name}: {len(data):,} bytes", err=err)
    if "ics" in formats.values() and not facts.patrols:
        click.echo(
            "The calendar is empty: in no hour that was measured enough was a vehicle more than 10 km/h over"
            " the limit.",
            err=True,
        )


def _document(facts: Facts, wanted: Wanted) -> Document:
    made = f"speedsign {__version__}, {wanted.now_utc.astimezone(facts.zone):%Y-%m-%d %H:%M}"
    if wanted.public:
        from telemetry.report.public import publish
        from telemetry.report.public_build import build_public

        return build_public(publish(facts), wanted.words, made=made, made_at=wanted.now_utc)
    from telemetry.report.build import build

    return build(facts, wanted.words, made=made, made_at=wanted.now_utc)


def _rendered(kind: str, document: Document | None, facts: Facts, wanted: Wanted) -> bytes:
    if document is None or kind == "ics":
        return _calendar(facts, wanted)
    return _RENDERERS[kind](document, wanted)


def _calendar(facts: Facts, wanted: Wanted) -> bytes:
    from telemetry.report.calendar import begins, render_calendar

    today = wanted.now_utc.astimezone(facts.zone).date()
    first = wanted.patrol_from or begins(facts.last_day, today)
    return render_calendar(facts, wanted.words, first=first, now_utc=wanted.now_utc).encode()


def _html(document: Document, _wanted: Wanted) -> bytes:
    from telemetry.report.html import render_html

    return render_html(document).encode()


def _pdf(document: Document, _wanted: Wanted) -> bytes:
    from telemetry.report.typst_pdf import render_pdf

    return render_pdf(document)


def _xlsx(document: Document, _wanted: Wanted) -> bytes:
    from telemetry.report.xlsx import render_xlsx

    return render_xlsx(document)


def _csv(document: Document, wanted: Wanted) -> bytes:
    from telemetry.report.csv_text import render_csv

    return render_csv(document, wanted.table).encode()


_RENDERERS: Mapping[str, Callable[[Document, Wanted], bytes]] = {
    "html": _html,
    "pdf": _pdf,
    "xlsx": _xlsx,
    "csv": _csv,
}


def _as_json(facts: Facts, *, public: bool) -> dict[str, Any]:
    if public:
        from telemetry.report.public import publish
        from telemetry.report.public_build import public_json

        return public_json(publish(facts))
    from telemetry.report.facts_json import facts_json

    return facts_json(facts)
