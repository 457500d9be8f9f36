"""speedsign calibrate certificate: one calibration on a page, as PDF for the file and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from speedsign import __version__
from speedsign.calibration.record import PROVES_SPEED, Calibration, Verdict
from speedsign.cli.calibrate_look import history_of, record_named, stand_at, zone_of
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.database import database, database_option
from speedsign.cli.file_language import file_language
from speedsign.cli.selection import Choice
from speedsign.cli.whole_file import refuse_database, write_whole
from speedsign.clock import SystemClock
from speedsign.errors import StoreError, UsageError
from speedsign.language import LANGUAGES, Language
from telemetry.calibration import log_path
from telemetry.report.certificate import MOST_RUNS, Kept, certificate_json
from telemetry.report.certificate import certificate as page

_FEWER = (MOST_RUNS, 20, 16, 12, 8, 4)  # runs on the page, until it is one
_SEEN_PPI = 10.0  # enough to count pages


@click.command(cls=SignCommand, example="speedsign calibrate certificate --out bauska.pdf")
@click.argument("key", required=False)
@click.option(
    "-o",
    "--out",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; the ending decides: .pdf, .json.  [default: a PDF in the current folder]",
)
@click.option(
    "--language",
    "code",
    type=click.Choice(LANGUAGES),
    help="Else the config's, or that of the sign's time zone.",
)
@click.option("--sign", metavar="ID", help="Of this sign, in a database of several.")
@database_option
@config_option
@json_option
def certificate(
    key: str | None,
    config_path: Path,
    *,
    output: Path | None,
    code: str | None,
    sign: str | None,
    db_path: Path | None,
    debug: bool,
    as_json: bool,
) -> None:
    """One calibration on a page: who measured what, when, with what result, and until when it is good.

    KEY is the beginning of a record's key (speedsign calibrate history); without one it is the newest proof
    of speed, by drive-by or fork. It is the record of who installed the sign, and no legal verification.
    --json prints it, and writes only what --out names.
    """
    path = database(db_path, config_path)
    found = history_of(path, sign)
    for problem in found.problems:
        click.echo(problem, err=True)
    record = _newest_proof(found.records, path) if key is None else record_named(found.records, key, path)
    if not record.tool:
        raise StoreError(
            f"{path}: of calibration {record.key[:8]} only the result was told to the hub; make the "
            "certificate at the sign, or from a copy of its database"
        )
    zone = zone_of(stand_at(path, record.sign))
    words = file_language(code, Choice(db_path=db_path), config_path, zone.key)
    kept = Kept(found.places.get(record.key), tuple(found.doubts_of(record)))
    if output is None and not as_json:
        output = Path(f"calibration-{record.sign}-{record.at_utc:%Y-%m-%d}.pdf")
    if output is not None:
        _write(output, record, kept, zone, words, path, err=as_json)
    if as_json:
        print_json(certificate_json(record, kept, words))


def _newest_proof(records: Sequence[Calibration], path: Path) -> Calibration:
    proofs = [record for record in records if record.kind in PROVES_SPEED]
    decided = [record for record in proofs if record.verdict is not Verdict.UNDECIDED]
    signs = sorted({record.sign for record in proofs})
    if len(signs) > 1:
        raise UsageError(f"{path} holds several signs; name one with --sign: {', '.join(signs)}")
    if not proofs:
        raise StoreError(
            f"{path}: no speed was proved yet; run speedsign calibrate drive-by or fork, or name the KEY of "
            "another calibration"
        )
    return (decided or proofs)[-1]


def _write(
    output: Path,
    record: Calibration,
    kept: Kept,
    zone: ZoneInfo,
    words: Language,
    path: Path,
    *,
    err: bool,
) -> None:
    render = _RENDERERS.get(output.suffix.lower())
    if render is None:
        raise UsageError(f"{output}: cannot tell the format; end the name in {', '.join(_RENDERERS)}")
    for own in (path, log_path(path)):
        refuse_database(output, own)
    data = render(record, kept, zone, words)
    write_whole(output, data)
    click.echo(f"{output}: {len(data):,} bytes", err=err)


def _pdf(record: Calibration, kept: Kept, zone: ZoneInfo, words: Language) -> bytes:
    """One page: of very many runs as many as fit."""
    from telemetry.report.typst_pdf import render_pages, render_pdf

    now = SystemClock().now_utc()
    made = f"speedsign {__version__}, {now.astimezone(zone):%Y-%m-%d %H:%M}"
    pages = (page(record, kept, zone, words, made=made, made_at=now, runs=runs) for runs in _FEWER)
    document = next(pages)
    while len(render_pages(document, _SEEN_PPI)) > 1 and (fewer := next(pages, None)):
        document = fewer
    return render_pdf(document)


def _json(record: Calibration, kept: Kept, _zone: ZoneInfo, words: Language) -> bytes:
    text = json.dumps(certificate_json(record, kept, words), ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


_RENDERERS: dict[str, Callable[[Calibration, Kept, ZoneInfo, Language], bytes]] = {
    ".pdf": _pdf,
    ".json": _json,
}
