"""speedsign command key: a person's key, made where it stays."""

from __future__ import annotations

import json
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.errors import UsageError

ROLES = ("read", "display", "restart")


@click.command(
    cls=SignCommand, example="speedsign command key anna --out anna.key --role read --role display"
)
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The private key's file; NAME.key, where none is given.",
)
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(ROLES), help="What it is for; several, default read."
)
@click.option("--passphrase", "locked", is_flag=True, help="Ask for a passphrase, and lock the file with it.")
@config_option
@json_option
def key(
    name: str,
    config_path: Path,
    *,
    out: Path | None,
    roles: tuple[str, ...],
    locked: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Make a key pair: the private half into a file that you alone can read, the public one for the signs.

    What is printed belongs into the config of each sign that is to obey. The private key never leaves this
    machine; a file that is there already is never overwritten.
    """
    from telemetry.command.model import KEY_ID
    from telemetry.command.signature import PrivateKey, public_text, write_private

    if not KEY_ID.fullmatch(name):
        raise UsageError(f"{name!r}: a key's name is 1 to 40 of the characters a-z, 0-9 and -")
    path = out or Path(f"{name}.key")
    passphrase = None
    if locked:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    made = PrivateKey.new()
    write_private(path, made, passphrase)
    public, chosen = public_text(made.public), list(dict.fromkeys(roles)) or ["read"]
    if as_json:
        print_json({"id": name, "file": str(path), "public": public, "roles": chosen})
        return
    click.echo(
        f"{path}: the private key; whoever has it can command the signs. Into their configs:", err=True
    )
    click.echo(f'[[remote.key]]\nid = "{name}"\npublic = "{public}"\nroles = {json.dumps(chosen)}')
