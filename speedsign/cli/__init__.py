"""The command line. Each command is a module of its own, imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

import click

from speedsign import __version__

_COMMANDS = {
    "check": "speedsign.cli.check:check",
    "demo": "speedsign.cli.demo:demo",
    "replay": "speedsign.cli.replay:replay",
    "run": "speedsign.cli.run:run",
    "simulate": "speedsign.cli.simulate:simulate",
    "stats": "speedsign.cli.stats:stats",
}


class LazyGroup(click.Group):
    """Loads the module of the one command that is run: the daemon stays small and starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            text = f"{error.message} There are: {', '.join(self.list_commands(ctx))}."
            raise click.UsageError(text, ctx) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="speedsign")
def main() -> None:
    """Controller of a roadside radar speed display sign.

    Try it without any hardware:  speedsign demo
    """
