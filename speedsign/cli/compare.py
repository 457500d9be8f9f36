"""speedsign compare: did the sign help? Before and after, and what may be claimed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from speedsign import __version__
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.compare_read import (
    Asked,
    Read,
    notes,
    parse_range,
    read_controls,
    read_kept,
    read_sign,
    split_hours,
)
from speedsign.cli.file_language import file_language
from speedsign.cli.selection import Choice, period_options
from speedsign.cli.whole_file import refuse_database, write_whole
from speedsign.clock import SystemClock
from speedsign.errors import UsageError
from speedsign.language import LANGUAGES, Language, language
from telemetry.calibration import read_proofs, stand_of
from telemetry.compare.answer import Comparison, compare
from telemetry.compare.as_json import compare_json
from telemetry.compare.calibrated import remarks, under
from telemetry.compare.sides import Draws
from telemetry.report.document import Document

EXAMPLE = "speedsign compare --before 2026-04-20..2026-05-03 --after 2026-05-04..2026-05-31"


@click.command("compare", cls=SignCommand, example=EXAMPLE)
@period_options
@click.option("--before", "before", multiple=True, metavar="DATES", help="FROM..TO; several may be given.")
@click.option("--after", "after", multiple=True, metavar="DATES", help="FROM..TO; several may be given.")
@click.option(
    "--direction",
    type=click.Choice(["approaching", "receding", "both"]),
    default="approaching",
    show_default=True,
    help="The direction that the sign shows.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The database of a control site; several may be given.",
)
@click.option(
    "--control-sign",
    "control_signs",
    multiple=True,
    metavar="ID",
    help="A control site in the same database.",
)
@click.option(
    "--resamples",
    type=click.IntRange(100, 100_000),
    default=2000,
    show_default=True,
    help="Draws of days for the ranges.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same ranges.")
@click.option(
    "--language",
    "language_code",
    type=click.Choice(LANGUAGES),
    help="Else English here, and in a file the config's, or that of the sign's time zone.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a report: .html, .pdf, .xlsx or .csv.",
)
@config_option
@json_option
def compare_(
    config_path: Path,
    *,
    choice: Choice,
    resamples: int,
    seed: int,
    language_code: str | None,
    output: Path | None,
    debug: bool,
    as_json: bool,
    before: tuple[str, ...],
    after: tuple[str, ...],
    direction: str,
    controls: tuple[Path, ...],
    control_signs: tuple[str, ...],
) -> None:
    """Did the sign help: speeds before and after, in the same hours of the week.

    Without --before and --after the days on which the sign was dark are compared with those on which it was
    lit. The last sentence says what may be claimed. docs/compare.md says how to plan a study.
    """
    asked = Asked(
        tuple(map(parse_range, before)), tuple(map(parse_range, after)), direction, controls, control_signs
    )
    render = None if output is None else _renderer(output)
    read = read_sign(choice, asked, config_path)
    if output is not None:
        for path in (read.path, *controls):
            refuse_database(output, path)
    for note in notes(read, asked):
        click.echo(note, err=True)
    compared = _compared(read, choice, asked, Draws(resamples, seed))
    standing = read.standing
    if output is not None and render is not None:
        words = file_language(language_code, choice, config_path, standing.facts.timezone)
        document = _document(_told(compared, read, choice, words), read, direction, words)
        write_whole(output, render(document))
    words = language(language_code or "en")
    found = _told(compared, read, choice, words)
    if as_json:
        print_json(compare_json(found, standing, direction, words))
    else:
        from telemetry.compare.text import text_lines

        click.echo("\n".join(text_lines(found, standing, direction, words)))


def _compared(read: Read, choice: Choice, asked: Asked, draws: Draws) -> Comparison:
    split = split_hours(read, asked)
    return compare(
        split,
        read.road(choice.limit_kmh),
        draws,
        sites=read_controls(read, split, choice, asked),
        passages=read_kept(read, split, asked.direction),
    )


def _told(found: Comparison, read: Read, choice: Choice, words: Language) -> Comparison:
    notes = (*_remarks(read, choice, words), *_checks(found, read, words))
    return replace(found, undated=read.undated, notes=notes)


def _checks(found: Comparison, read: Read, words: Language) -> list[str]:
    """Whether the sides were measured under different calibrations; of imported numbers nobody knows."""
    standing = read.standing
    if standing.imported:
        return []
    proofs, sign = read_proofs(read.path), standing.sign or None
    stood = stand_of(read.path, standing.id, sign)
    before, after = (
        under(proofs, standing.facts, side.dates, sign, stood) for side in (found.before, found.after)
    )
    return remarks(before, after, ZoneInfo(standing.facts.timezone), words)


def _remarks(read: Read, choice: Choice, words: Language) -> list[str]:
    """What a reader of the numbers has to know about where they come from."""
    said = []
    own = read.standing.facts.limit_kmh
    if choice.limit_kmh not in (None, own):
        said.append(
            words.say(
                "Counted against a limit of {limit} km/h as asked for; the limit there is {own} km/h.",
                limit=choice.limit_kmh,
                own=own,
            )
        )
    if read.imported:
        said.append(words.say("Imported data: that the device was measuring all the time is assumed."))
    if read.scaled:
        said.append(
            words.say_n(
                "The speed of {n} vehicle could only be scaled when the mounting angle was corrected.",
                "The speeds of {n} vehicles could only be scaled when the mounting angle was corrected.",
                read.scaled,
            )
        )
    return said


def _document(found: Comparison, read: Read, direction: str, words: Language) -> Document:
    from telemetry.compare.document import compare_document

    now = SystemClock().now_utc()
    made = f"speedsign {__version__}, {now.astimezone(ZoneInfo(read.standing.facts.timezone)):%Y-%m-%d %H:%M}"
    return compare_document(found, read.standing, direction, words, made=made, made_at=now)


# --------------------------------------------------------------------------- formats


def _html(document: Document) -> bytes:
    from telemetry.report.html import render_html

    return render_html(document).encode()


def _csv(document: Document) -> bytes:
    from telemetry.report.csv_text import render_csv

    return render_csv(document).encode()


def _pdf(document: Document) -> bytes:
    from telemetry.report.typst_pdf import render_pdf

    return render_pdf(document)


def _xlsx(document: Document) -> bytes:
    from telemetry.report.xlsx import render_xlsx

    return render_xlsx(document)


_RENDERERS: Mapping[str, Callable[[Document], bytes]] = {
    ".html": _html,
    ".pdf": _pdf,
    ".xlsx": _xlsx,
    ".csv": _csv,
}


def _renderer(output: Path) -> Callable[[Document], Any]:
    found = _RENDERERS.get(output.suffix.lower())
    if found is None:
        raise UsageError(f"{output}: cannot tell the format; end the name in {', '.join(_RENDERERS)}")
    return found
