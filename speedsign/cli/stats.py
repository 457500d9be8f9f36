"""speedsign stats: the numbers of a period, from a sign's database."""

from __future__ import annotations

import math
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.selection import Choice, Selected, period_options, select
from speedsign.cli.stats_words import lines
from speedsign.errors import UsageError
from telemetry.percentiles import WIDEST_CLASS_KMH, Rule
from telemetry.summary import Row, summaries

MOST_PERCENTILES = 20


@click.command(cls=SignCommand, example="speedsign stats --from 2026-05-04 --to 2026-05-10 --json")
@period_options
@click.option("--percentiles", "percents_text", metavar="LIST", help="Further ones, such as 15,50,85,98.")
@click.option(
    "--rule",
    type=click.Choice([rule.value for rule in Rule]),
    default=Rule.GROUPED.value,
    show_default=True,
    help="How percentiles are read from the classes.",
)
@click.option(
    "--class-width",
    type=click.IntRange(1, WIDEST_CLASS_KMH),
    default=1,
    show_default=True,
    metavar="KMH",
    help="Width of the classes for mean and percentiles.",
)
@click.option("--headways", "with_headways", is_flag=True, help="Also the time between kept vehicles.")
@config_option
@json_option
def stats(
    choice: Choice,
    config_path: Path,
    *,
    percents_text: str | None,
    rule: str,
    class_width: int,
    with_headways: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Vehicles and speeds of a period, by direction and for both.

    Without --from and --to, everything that was counted. A sign that was moved or set otherwise has several
    installations: only the newest in the period is counted, and the others are named on standard error.
    Numbers are computed from merged counts only; "method" in the JSON says how.
    """
    percents = () if percents_text is None else _percents(percents_text)
    selected = select(choice, config_path)
    if selected.note:
        click.echo(selected.note, err=True)
    found = _statistics(selected, percents, rule, class_width, with_headways=with_headways)
    if as_json:
        print_json(found)
    else:
        for line in lines(selected, found, percents):
            click.echo(line)


def _statistics(
    selected: Selected, percents: tuple[float, ...], rule: str, class_width: int, *, with_headways: bool
) -> list[Row]:
    """One object a direction and one for both, as the contract has them."""
    headways = None
    if with_headways:
        from telemetry.headways import read_headways

        headways = read_headways(selected.path, selected.period)
    found = summaries(
        selected.period, percents=percents, rule=rule, class_width=class_width, headways=headways
    )
    for row in found:
        row["hours_chosen"] = selected.hours
        row["installations_left_out"] = [standing.id for standing in selected.others]
    return found


def _percents(text: str) -> tuple[float, ...]:
    """ "15, 99.9": each over 0 and under 100, by rising size. Raises UsageError."""
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not all(math.isfinite(percent) and 0 < percent < 100 for percent in found):
        raise UsageError(f"--percentiles {text!r}: write numbers over 0 and under 100, such as 15,50,85,98")
    if len(found) > MOST_PERCENTILES:
        raise UsageError(f"--percentiles {text!r}: more than {MOST_PERCENTILES} are not computed at once")
    return tuple(found)
