"""speedsign calibrate history: what was calibrated, by whom, with what result, and when it is due again."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from speedsign.calibration.record import Calibration, Kind, as_json
from speedsign.cli.calibrate_look import history_of, record_named, standings, zone_of
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.database import database, database_option
from speedsign.clock import SystemClock
from telemetry.calibration import History, Standing, standing_of
from telemetry.calibration.proof import proof_of
from telemetry.calibration.told import HEAD, WIDTH, line_of, whole


@click.command(cls=SignCommand, example="speedsign calibrate history --kind drive-by")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Of this kind alone.")
@click.option(
    "--full", metavar="KEY", help="One record with everything in it; the key's first digits will do."
)
@click.option("--sign", metavar="ID", help="Of this sign alone, in a hub's database.")
@database_option
@config_option
@json_option
def history(
    config_path: Path,
    *,
    kind: str | None,
    full: str | None,
    sign: str | None,
    db_path: Path | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Every calibration on record, the newest last, and when the next one is due.

    Read from the database and from the file beside it (calibrations.jsonl), in which every line vouches for
    the one before it: a line that was changed is told.
    """
    path = database(db_path, config_path)
    found = history_of(path, sign)
    for problem in found.problems:
        click.echo(problem, err=True)
    if full is not None:
        _one(record_named(found.records, full, path), found, path, as_json=as_json)
        return
    states = _states(found, path, _now())
    shown = [record for record in found.records if kind in (None, record.kind.value)]
    if as_json:
        print_json(_json(shown, found, states))
        return
    for line in _lines(shown, path, states, several=len(states) > 1):
        click.echo(line)


def _now() -> datetime | None:
    clock = SystemClock()
    return clock.now_utc() if clock.trusted() else None


def _states(found: History, path: Path, now_utc: datetime | None) -> dict[str, Standing]:
    """How each sign stands now, by its id."""
    proofs = [proof_of(record) for record in found.records]
    states = {}
    for sign in dict.fromkeys(proof.sign for proof in proofs):
        places = standings(path, sign)
        states[sign] = standing_of(proofs, places[-1].facts if places else None, now_utc, sign)
    return states


def _lines(
    shown: list[Calibration], path: Path, states: dict[str, Standing], *, several: bool
) -> Iterator[str]:
    if not shown:
        yield "no calibration is on record"
    for sign, records in groupby(sorted(shown, key=lambda record: record.sign), lambda record: record.sign):
        places = standings(path, sign)
        zone = zone_of(places[-1] if places else None)
        if several:
            yield f"{sign}:"
        yield HEAD
        yield from (line_of(record, zone) for record in records)
        yield from textwrap.wrap(states[sign].text, WIDTH, break_on_hyphens=False)
    if not shown and len(states) == 1:
        yield from textwrap.wrap(next(iter(states.values())).text, WIDTH, break_on_hyphens=False)


def _one(record: Calibration, found: History, path: Path, *, as_json: bool) -> None:
    place = found.places.get(record.key)
    if as_json:
        print_json(_record(record, found))
        return
    places = standings(path, record.sign)
    for line in whole(record, place, zone_of(places[-1] if places else None)):
        click.echo(line)


def _record(record: Calibration, found: History) -> dict[str, Any]:
    place = found.places.get(record.key)
    chain = None
    if place is not None:
        chain = {"line": place.number, "sha256": place.sha256, "previous": place.previous}
    return {**as_json(record), "log": chain}


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
