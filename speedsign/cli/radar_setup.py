"""speedsign radar setup: read, compare, write what differs, read back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from drivers.radar.setup import Outcome, SettingResult, SetupReport
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.radar_line import Chosen, chosen, radar_options, run_set_up, say_result


@click.command(
    cls=SignCommand,
    example="speedsign radar setup --port /dev/ttyUSB0 --driver ld2415h --unit km/h --dry-run",
)
@click.option("--dry-run", is_flag=True, help="Read and compare only; nothing is written.")
@radar_options
@config_option
@json_option
@click.pass_context
def setup(
    ctx: click.Context,
    config_path: Path,
    *,
    port: str | None,
    driver: str | None,
    profile: str | None,
    baud: int | None,
    unit: str | None,
    dry_run: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Set a radar up as the sign would, and show each setting before and after.

    Only what differs is written, and nothing is saved to a radar's flash. Exit code 1 when something was
    refused or not answered.
    """
    set_up_logging(debug=debug)
    choice = chosen(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
    report = asyncio.run(run_set_up(choice, _nothing if as_json else say_result, dry_run=dry_run))
    if as_json:
        print_json(_to_json(choice, report, dry_run=dry_run))
    else:
        click.echo(f"{choice.radar.port}: {_summary(choice, report)}")
    ctx.exit(0 if report.ok else EXIT_FAILED)


def _summary(choice: Chosen, report: SetupReport) -> str:
    if not report.results:
        return f"nothing about a {choice.driver.title} can be set over its line"
    if not report.ok:
        n, of = len(report.failed), len(report.results)
        return f"{n} of {of} settings could not be made; check the wire that carries commands to the radar"
    differ = sum(one.outcome is Outcome.DIFFERS for one in report.results)
    return f"{differ} settings differ; nothing was written" if differ else "set as wanted"


def _to_json(choice: Chosen, report: SetupReport, *, dry_run: bool) -> dict[str, object]:
    return {
        "ok": report.ok,
        "radar": choice.driver.name,
        "profile": choice.radar.profile,
        "port": choice.radar.port,
        "dry_run": dry_run,
        "settings": [
            {
                "name": one.name,
                "wanted": one.wanted,
                "outcome": one.outcome.name.lower(),
                "before": one.before,
                "after": one.after,
            }
            for one in report.results
        ],
    }


def _nothing(_result: SettingResult) -> None:
    """With --json all is said at the end."""
