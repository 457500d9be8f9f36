"""The command line. Each command is a module of its own, imported when it is asked for."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Mapping
from typing import Any

import click

_COMMANDS = {
    "backup": "speedsign.cli.backup:backup",
    "brightness": "speedsign.cli.brightness:brightness",
    "calibrate": "speedsign.cli.calibrate:calibrate",
    "certificate": "speedsign.cli.certificate:certificate",
    "check": "speedsign.cli.check:check",
    "command": "speedsign.cli.command:command",
    "commission": "speedsign.cli.commission:commission",
    "compare": "speedsign.cli.compare:compare_",
    "demo": "speedsign.cli.demo:demo",
    "display": "speedsign.cli.display:display",
    "doctor": "speedsign.cli.doctor:doctor",
    "dump": "speedsign.cli.dump:dump",
    "export": "speedsign.cli.export:export",
    "hub": "speedsign.cli.hub:hub",
    "import": "speedsign.cli.import_:import_",
    "installation": "speedsign.cli.installation:installation",
    "radar": "speedsign.cli.radar:radar",
    "replay": "speedsign.cli.replay:replay",
    "report": "speedsign.cli.report:report",
    "rules": "speedsign.cli.rules:rules",
    "run": "speedsign.cli.run:run",
    "simulate": "speedsign.cli.simulate:simulate",
    "stats": "speedsign.cli.stats:stats",
    "version": "speedsign.cli.version:version",
    "watch": "speedsign.cli.watch:watch",
    "wipe": "speedsign.cli.wipe:wipe",
}


class LazyGroup(click.Group):
    """Loads the module of the one command that is run: the daemon stays small and starts fast.

    `table`: the commands of the group and where each is found, `module:attribute`.
    """

    def __init__(self, *args: Any, table: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # while the command was loaded; what is loaded says more itself
            click.echo("speedsign: stopped", err=True)
            ctx.exit(1)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            text = f"{error.message} There are: {', '.join(self.list_commands(ctx))}."
            raise click.UsageError(text, ctx) from None


class _Main(LazyGroup):
    """The program: what it says does not fail for a letter that the terminal does not have."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _say_it_somehow()
        return super().main(*args, **kwargs)


def _say_it_somehow() -> None:
    """A ? for a person; in a file or a pipe the letter's number, so that nothing is lost silently."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace" if stream.isatty() else "backslashreplace")


def _say_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from speedsign.cli.version import lines

        click.echo("\n".join(lines()))
        ctx.exit()


@click.group(cls=_Main, table=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version,
    help="Show version, build and end of support.",
)  # fmt: skip
def main() -> None:
    """Controller of a roadside radar speed display sign.

    Try it without any hardware:  speedsign demo
    """
