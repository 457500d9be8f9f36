"""speedsign stats: the numbers of a period, from a sign's database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.periods import parse_moment
from speedsign.config.load import load_config
from speedsign.errors import StoreError, UsageError
from speedsign.model import Interval
from telemetry.query import BOTH, Standing, merge_intervals, read_installations, read_intervals
from telemetry.summary import summarise

_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@click.command(cls=SignCommand, example="speedsign stats --from 2026-05-04 --to 2026-05-10 --json")
@click.option("--db", "db_path", type=click.Path(path_type=Path), help="A database, instead of the config's.")
@click.option("--from", "from_text", metavar="TIME", help="Date or time, in the sign's time zone.")
@click.option("--to", "to_text", metavar="TIME", help="Date (that day included) or time.")
@click.option(
    "--installation", "installation_id", type=int, help="Which installation; else the newest in the period."
)
@config_option
@json_option
def stats(
    config_path: Path,
    *,
    db_path: Path | None,
    from_text: str | None,
    to_text: str | None,
    installation_id: int | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Vehicles and speeds of a period, by direction and for both.

    Without --from and --to, everything that was counted. A sign that was moved or set otherwise has several
    installations: only the newest in the period is counted, and the others are named on standard error.
    Numbers are computed from merged counts only; "method" in the JSON says how.
    """
    path = _database(db_path or load_config(config_path).store.path)
    standings = _standings(path, installation_id)
    zone = standings[-1].facts.timezone
    start = parse_moment(from_text, zone) if from_text is not None else _EVER[0]
    end = parse_moment(to_text, zone, end=True) if to_text is not None else _EVER[1]
    if end <= start:
        raise UsageError(f"--to {to_text} is not after --from {from_text or _EVER[0].date()}")
    intervals = read_intervals(path, start, end, installation_id=installation_id)
    standing, left_out = _chosen(standings, intervals)
    if left_out:
        click.echo(_note(standing, left_out), err=True)
    intervals = [interval for interval in intervals if interval.installation_id == standing.id]
    start, end = _period(intervals, start if from_text else None, end if to_text else None, standing)
    found = _statistics(intervals, start, end, standing)
    if as_json:
        print_json(found)
    else:
        _print_table(found)


def _database(path: Path) -> Path:
    if path.is_dir():
        raise StoreError(f"{path}: is a folder; name the database in it")
    return path


def _standings(path: Path, wanted: int | None) -> list[Standing]:
    """The installation asked for, else all of them, the newest last."""
    standings = read_installations(path)
    if not standings:
        raise StoreError(f"{path}: nothing has been measured yet; start the sign once")
    if wanted is None:
        return standings
    chosen = [standing for standing in standings if standing.id == wanted]
    if not chosen:
        known = ", ".join(str(standing.id) for standing in standings)
        raise UsageError(f"there is no installation {wanted}; there are {known}")
    return chosen


def _chosen(standings: list[Standing], intervals: list[Interval]) -> tuple[Standing, list[int]]:
    """The newest installation that measured in the period, and the others that did; none: the newest."""
    measured = {interval.installation_id for interval in intervals}
    there = [standing for standing in standings if standing.id in measured]
    chosen = there[-1] if there else standings[-1]
    return chosen, [standing.id for standing in there if standing is not chosen]


def _note(standing: Standing, left_out: list[int]) -> str:
    site = standing.facts.site or "the sign"
    others = ", ".join(str(number) for number in left_out)
    return (
        f"Only installation {standing.id} ({site}, since {standing.from_utc:%Y-%m-%d}) is counted; "
        f"the sign stood differently before: see --installation {others}."
    )


def _period(
    intervals: list[Interval], start: datetime | None, end: datetime | None, standing: Standing
) -> tuple[datetime, datetime]:
    """The period asked for; where an end was left open, what was measured."""
    first = intervals[0].start_utc if intervals else standing.from_utc
    last = intervals[-1] if intervals else None
    ended = last.start_utc + timedelta(seconds=last.duration_s) if last else first
    start = start or first
    return start, end or max(ended, start)


def _statistics(
    intervals: list[Interval], start: datetime, end: datetime, standing: Standing
) -> list[dict[str, object]]:
    """One object a direction and one for both, as the contract has them."""
    merged = merge_intervals(intervals, start, end)
    directions = ["approaching", "receding", *(name for name in ("unknown",) if name in merged.counts), BOTH]
    return [
        summarise(
            direction,
            merged.counts.get(direction, {}),
            from_utc=start,
            to_utc=end,
            timezone=standing.facts.timezone,
            limit_kmh=standing.facts.limit_kmh,
            measured_s=merged.measured_s,
            rounds=standing.facts.rounds,
        )
        for direction in directions
    ]


def _print_table(found: list[dict[str, Any]]) -> None:
    both = found[-1]
    click.echo(
        f"{both['from']} to {both['to']}, limit {both['limit_kmh']} km/h, {_coverage(both['coverage'])}"
    )
    click.echo(f"{'':<12}{'vehicles':>9}{'mean':>7}{'V50':>7}{'V85':>7}{'max':>6}{'over':>8}{'over +10':>9}")
    for row in found:
        click.echo(
            f"{row['direction']:<12}{row['n']:>9}{_speed(row['mean_kmh'], 7)}{_speed(row['v50_kmh'], 7)}"
            f"{_speed(row['v85_kmh'], 7)}{_speed(row['max_kmh'], 6, 0)}{_share(row['over_limit_share'], 8)}"
            f"{_share(row['over_limit_10_share'], 9)}"
        )
    click.echo(str(both["method"]))


def _speed(value: float | None, width: int, decimals: int = 1) -> str:
    return f"{'–':>{width}}" if value is None else f"{value:>{width}.{decimals}f}"


def _share(value: float | None, width: int) -> str:
    return f"{'–':>{width}}" if value is None else f"{100 * value:>{width - 2}.1f} %"


def _coverage(value: float | None) -> str:
    return "nothing measured" if value is None else f"measured {100 * value:.1f} % of the time"
