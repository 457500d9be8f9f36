"""speedsign version: which build this is, and until when it gets security updates."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from speedsign.build import Build, support_words, this_build
from speedsign.cli.believed import believed_now
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.software import ended


@click.command(cls=SignCommand, example="speedsign version --json")
@config_option
@json_option
def version(config_path: Path, *, debug: bool, as_json: bool) -> None:
    """Which build this is, and until when it gets security updates.

    `speedsign --version` says the same. No config is read.
    """
    if as_json:
        print_json(as_dict(this_build(), _today()))
    else:
        click.echo("\n".join(lines()))


def lines() -> list[str]:
    """For a person: version, build, support."""
    build = this_build()
    return [f"speedsign, version {build.version}", build.origin, support_words(build, _today())]


def as_dict(build: Build, today: date | None) -> dict[str, object]:
    """For a program; `today` None: the clock is not to be believed, and nobody knows whether it is over."""
    end = build.support_end
    known = today is not None and end is not None
    return {
        "version": build.version,
        "build": build.name,
        "commit": build.commit,
        "committed": build.committed.isoformat() if build.committed else None,
        "checkout": build.checkout,
        "support_end": end.isoformat() if end else None,
        "supported": not ended(build, today) if known and today else None,
    }


def _today() -> date | None:
    now = believed_now()
    return now.date() if now else None
