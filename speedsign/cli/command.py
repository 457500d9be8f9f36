"""speedsign command: signed commands to signs, by the broker."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "confirm": "speedsign.cli.command_change:confirm",
    "key": "speedsign.cli.command_key:key",
    "log": "speedsign.cli.command_look:log",
    "report": "speedsign.cli.command_look:report",
    "resend": "speedsign.cli.command_look:resend",
    "restart": "speedsign.cli.command_look:restart",
    "revert": "speedsign.cli.command_change:revert",
    "send": "speedsign.cli.command_send:send",
    "set": "speedsign.cli.command_change:set_",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def command() -> None:
    """Commands to signs, signed with your own key.

    Each is taken once, and a change is undone unless you confirm it. A sign takes commands of the keys in its
    [[remote.key]] alone, and nothing but what its [remote] allows.
    """
