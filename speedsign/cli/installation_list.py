"""speedsign installation list: every place and setting that this database has counted under."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.database import database, database_option
from speedsign.errors import UsageError
from telemetry.query import Standing, read_installations


@click.command("list", cls=SignCommand, example="speedsign installation list")
@database_option
@click.option("--sign", metavar="ID", help="Of this sign alone, in a database of several.")
@config_option
@json_option
def list_(config_path: Path, *, db_path: Path | None, sign: str | None, debug: bool, as_json: bool) -> None:
    """Every installation: number, from when to when, site, limit, mounting angle, what the panel showed."""
    path = database(db_path, config_path)
    everything = read_installations(path)
    signs = sorted({standing.sign for standing in everything if standing.sign})
    if sign is not None and sign not in signs:
        raise UsageError(
            f"{path}: there is no sign {sign!r}; there are {', '.join(signs) or 'none with a name'}"
        )
    found = [_facts(standing) for standing in everything if sign in (None, standing.sign)]
    if as_json:
        print_json(found)
        return
    several = len(signs) > 1 and sign is None
    for facts in found:
        click.echo(_line(facts, with_sign=several))


def _facts(standing: Standing) -> dict[str, object]:
    facts, zone = standing.facts, ZoneInfo(standing.facts.timezone)

    def local(moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")

    return {
        "id": standing.id,
        "sign": standing.sign,
        "site": facts.site,
        "from": local(standing.from_utc),
        "to": local(standing.to_utc),
        "timezone": facts.timezone,
        "limit_kmh": facts.limit_kmh,
        "mounting_angle_deg": facts.mounting_angle_deg,
        "radar": facts.radar,
        "rounds": facts.rounds,
        "approaching_name": facts.approaching_name,
        "receding_name": facts.receding_name,
        "display_profile": facts.display_profile,
        "imported": standing.imported,
    }


def _line(facts: dict[str, object], *, with_sign: bool) -> str:
    until = str(facts["to"] or "now")[:16].replace("T", " ")
    since = str(facts["from"])[:16].replace("T", " ")
    angle = facts["mounting_angle_deg"]
    how = "imported" if facts["imported"] else f"{facts['radar']} at {angle:g}°"
    what = facts["display_profile"] or "display profile not known"
    where = f"{facts['sign'] or '?'}: {facts['site']}" if with_sign else facts["site"]
    return f"{facts['id']:>3}  {since} to {until}  {where}, {facts['limit_kmh']} km/h, {how}; {what}"
