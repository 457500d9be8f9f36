"""speedsign hub: takes what signs send, and shows how they are."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from speedsign.cli.common import SignGroup
from speedsign.cli.hub_options import hub_options
from speedsign.errors import UsageError

_TOOLS = {"signs": "speedsign.cli.hub_signs:signs"}


@click.group(
    cls=SignGroup,
    table=_TOOLS,
    invoke_without_command=True,
    example="speedsign hub --config /etc/speedsign/hub.toml",
)
@hub_options
@click.option("--host", metavar="NAME", help="The broker, instead of the config's.")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port, instead of the config's.")
@click.pass_context
def hub(
    ctx: click.Context,
    config_path: Path,
    *,
    db_path: Path | None,
    host: str | None,
    port: int | None,
    debug: bool,
) -> None:
    """Store what signs send by a broker, until it is told to stop (SIGTERM, Ctrl-C).

    All signs go into one database, on which stats, report, compare and export work with --sign. With --db and
    --host no config is needed.
    """
    if ctx.invoked_subcommand is not None:
        typed = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if typed:
            below = ctx.invoked_subcommand
            raise UsageError(f"options of speedsign hub {below} stand behind it: speedsign hub {below} …")
        return
    from speedsign.cli.hub_run import run
    from speedsign.config.hub import HubWishes

    said = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
    enough = db_path is not None and host is not None
    path = config_path if said or config_path.exists() or not enough else None
    run(path, HubWishes(db_path, host, port), debug=debug)
