"""speedsign hub signs: who is alive, how late, how full, and what is missing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, json_option, print_json
from speedsign.cli.hub_options import hub_database, hub_options, in_hubs_words
from speedsign.cli.hub_words import detail, facts, table
from speedsign.clock import SystemClock
from speedsign.errors import UsageError
from telemetry.hub.overview import SignNow, read_signs
from telemetry.rows import to_ms

_SPAN = re.compile(r"(\d{1,5})(min|h|d)", re.ASCII)
_SECONDS = {"min": 60, "h": 3600, "d": 86_400}


@click.command(cls=SignCommand, example="speedsign hub signs --db hub.db")
@click.argument("sign", required=False)
@click.option(
    "--late", default="2h", show_default=True, metavar="TIME", help="Older numbers are late: 45min, 2h, 1d."
)
@click.option("--check", is_flag=True, help="End with 1 when something has to be looked at.")
@hub_options
@json_option
@click.pass_context
def signs(
    ctx: click.Context,
    config_path: Path,
    *,
    sign: str | None,
    late: str,
    check: bool,
    db_path: Path | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Every sign that the hub has heard, a line each; with SIGN all that is known of one.

    Whether it is there, when it last said anything, up to when its numbers are here, what waits at the sign
    and what never came.
    """
    late_s = _seconds(late)
    now = SystemClock().now_utc()
    found = _read(hub_database(db_path, config_path), sign, now)
    if as_json:
        print_json([facts(one, now, late_s) for one in found])
    elif sign is not None:
        click.echo("\n".join(detail(found[0], now, late_s)))
    else:
        click.echo("\n".join(table(found, now, late_s)))
    if check and any(one.troubles(now.timestamp(), late_s) for one in found):
        ctx.exit(1)


def _read(path: Path, sign: str | None, now: datetime) -> list[SignNow]:
    with in_hubs_words():
        everything = read_signs(path, to_ms(now.astimezone(UTC)))
    found = [one for one in everything if sign in (None, one.sign)]
    if sign is not None and not found:
        known = ", ".join(one.sign for one in everything) or "none: nothing was heard yet"
        raise UsageError(f"{path}: there is no sign {sign!r}; there are {known}")
    return found


def _seconds(text: str) -> float:
    found = _SPAN.fullmatch(text.replace(" ", ""))
    if found is None:
        raise UsageError(f"--late {text!r}: write minutes, hours or days, such as 45min, 2h or 1d")
    return float(int(found[1]) * _SECONDS[found[2]])
