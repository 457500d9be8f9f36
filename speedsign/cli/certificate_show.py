"""speedsign certificate show: whose certificates are there, and until when they are good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from speedsign.cli.common import EXIT_FAILED, SignCommand, config_option, json_option, print_json
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from speedsign.errors import UsageError


@click.command(cls=SignCommand, example="speedsign certificate show /etc/speedsign/credentials/sign.pem")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@config_option
@json_option
@click.pass_context
def show(
    ctx: click.Context, files: tuple[Path, ...], config_path: Path, *, debug: bool, as_json: bool
) -> None:
    """Whose certificates these are, who signed them, and until when they are good.

    Without FILES those of [mqtt]. Exit code 1 when one is not good now.
    """
    from speedsign.certificates import read_certificates

    now = SystemClock().now_utc()
    rows: list[dict[str, Any]] = []
    for path in files or _of_config(config_path):
        for one in read_certificates(path):
            state = "good" if one.from_utc <= now <= one.until_utc else "not good"
            if state == "good" and now >= one.renewal_utc():
                state = "renew"
            rows.append(
                {
                    "file": str(path),
                    "subject": one.subject,
                    "issuer": one.issuer,
                    "from": one.from_utc.isoformat(),
                    "until": one.until_utc.isoformat(),
                    "days_left": (one.until_utc - now).days,
                    "hosts": list(one.hosts),
                    "state": state,
                }
            )
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            _print(row)
    if any(row["state"] == "not good" for row in rows):
        ctx.exit(EXIT_FAILED)


def _print(row: dict[str, Any]) -> None:
    hosts = f", for {', '.join(row['hosts'])}" if row["hosts"] else ""
    click.echo(f"{row['file']}: {row['subject']}{hosts}")
    click.echo(f"  signed by {row['issuer']}")
    advice = {"good": "", "renew": "; time for a new one", "not good": "; not good now"}[row["state"]]
    click.echo(f"  from {row['from'][:10]} to {row['until'][:10]}, {row['days_left']} days left{advice}")


def _of_config(path: Path) -> list[Path]:
    mqtt = load_config(path).mqtt
    found = [one for one in (mqtt.certificate_file, mqtt.ca_file) if one is not None] if mqtt else []
    if not found:
        raise UsageError(f"{path}: [mqtt] names no certificate; name a file")
    return found
