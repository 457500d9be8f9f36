"""speedsign calibrate history: what was calibrated, by whom, with what result, and when it is due again."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from speedsign.calibration.record import Calibration, Kind, as_json
from speedsign.cli.believed import believed_now
from speedsign.cli.calibrate_look import history_of, record_named, stand_at, zone_of
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.database import database, database_option
from speedsign.config.officer_keys import officer_keys
from telemetry.calibration import History, Standing, standing_of
from telemetry.calibration.proof import proof_of
from telemetry.calibration.told import DOUBTED, HEAD, WIDTH, line_of, whole


@click.command(cls=SignCommand, example="speedsign calibrate history --kind drive-by")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Of this kind alone.")
@click.option(
    "--full", metavar="KEY", help="One record with everything in it; the key's first digits will do."
)
@click.option("--sign", metavar="ID", help="Of this sign alone, in a hub's database.")
@database_option
@config_option
@json_option
@click.pass_context
def history(
    ctx: click.Context,
    config_path: Path,
    *,
    kind: str | None,
    full: str | None,
    sign: str | None,
    db_path: Path | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Every calibration on record, the one that was kept last at the end, and when the next one is due.

    Read from the database and from the file beside it (calibrations.jsonl), in which every line vouches for
    the one before it: a line that was changed, or is gone, is told, and a record that it puts in doubt has
    an exclamation mark.
    """
    path = database(db_path, config_path)
    named = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
    always = officer_keys(config_path).clock_always if named or db_path is None else False
    found = history_of(path, sign)
    for problem in found.problems:
        click.echo(problem, err=True)
    if full is not None:
        _one(record_named(found.records, full, path), found, path, as_json=as_json)
        return
    states = _states(found, path, believed_now(path, always=always))
    shown = [record for record in found.records if kind in (None, record.kind.value)]
    if as_json:
        print_json(_json(shown, found, states))
        return
    for line in _lines(shown, found, path, states, several=len(states) > 1):
        click.echo(line)


def _states(found: History, path: Path, now_utc: datetime | None) -> dict[str, Standing]:
    """How each sign stands now, by its id."""
    proofs = [proof_of(record) for record in found.records]
    states = {}
    for sign in dict.fromkeys(proof.sign for proof in proofs):
        stand = stand_at(path, sign)
        facts, since_utc = (stand.facts, stand.stood.since_utc) if stand else (None, None)
        states[sign] = standing_of(proofs, facts, now_utc, sign, since_utc)
    return states


def _lines(
    shown: list[Calibration], found: History, path: Path, states: dict[str, Standing], *, several: bool
) -> Iterator[str]:
    if not shown:
        yield "no calibration is on record"
    for sign, records in groupby(sorted(shown, key=lambda record: record.sign), lambda record: record.sign):
        zone = zone_of(stand_at(path, sign))
        if several:
            yield f"{sign}:"
        yield HEAD
        of_sign = list(records)
        doubted = [any(doubt.contradicts for doubt in found.doubts_of(record)) for record in of_sign]
        for record, mark in zip(of_sign, doubted, strict=True):
            yield line_of(record, zone, doubted=mark)
        if any(doubted):
            yield DOUBTED
        yield from textwrap.wrap(states[sign].text, WIDTH, break_on_hyphens=False)
    if not shown and len(states) == 1:
        yield from textwrap.wrap(next(iter(states.values())).text, WIDTH, break_on_hyphens=False)


def _one(record: Calibration, found: History, path: Path, *, as_json: bool) -> None:
    place = found.places.get(record.key)
    if as_json:
        print_json(_record(record, found))
        return
    for line in whole(record, place, zone_of(stand_at(path, record.sign)), found.doubts_of(record)):
        click.echo(line)


def _record(record: Calibration, found: History) -> dict[str, Any]:
    place = found.places.get(record.key)
    chain = None
    if place is not None:
        chain = {"line": place.number, "sha256": place.sha256, "previous": place.previous}
    return {**as_json(record), "log": chain, "doubts": [doubt.value for doubt in found.doubts_of(record)]}


def _json(shown: list[Calibration], found: History, states: dict[str, Standing]) -> dict[str, Any]:
    return {
        "calibrations": [_record(record, found) for record in shown],
        "problems": list(found.problems),
        "standing": {
            sign: {
                "state": state.state.value,
                "at": None if state.at_utc is None else state.at_utc.isoformat(),
                "due": None if state.due is None else state.due.isoformat(),
                "text": state.text,
            }
            for sign, state in states.items()
        },
    }
