"""speedsign certificate request: a key made on the device, and what to send to the authority."""

from __future__ import annotations

import os
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.config.load import load_config
from speedsign.config.schema import Config
from speedsign.errors import UsageError


@click.command(cls=SignCommand, example="speedsign certificate request --out bauska-3.csr")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The request's file; else it is printed."
)
@config_option
@json_option
def request(config_path: Path, *, out: Path | None, debug: bool, as_json: bool) -> None:
    """Make the key of [mqtt] key_file on this machine, and a request for its certificate.

    The key stays here; a file that is there already is never overwritten. Give the request to your
    authority, and put what it signs into the file of [mqtt] certificate_file. Run it as the sign's user; what
    root makes is given to the user whom the folder of [store] path belongs to.
    """
    from speedsign.certificates import make_request, owner_for

    config = load_config(config_path)
    key_path = _key_file(config, config_path)
    if out is not None and out.exists():
        raise UsageError(f"{out} is there already; name another file")
    owner = owner_for(config.store.path.parent)
    pem = make_request(config.sign.id, key_path, owner)
    if out is not None:
        _write(out, pem)
    if owner is None and os.geteuid() == 0:
        said = f"{key_path} belongs to root; a sign that runs as another user needs: chown USER: {key_path}"
        click.echo(said, err=True)
    if as_json:
        print_json({"sign": config.sign.id, "key_file": str(key_path), "request": pem})
        return
    click.echo(f"{key_path}: the key of {config.sign.id}, made here and for here", err=True)
    if out is None:
        click.echo(pem, nl=False)
    else:
        click.echo(f"{out}: the request; give it to your authority")


def _write(path: Path, pem: str) -> None:
    try:
        path.write_text(pem, encoding="ascii")
    except OSError as error:
        raise UsageError(
            f"{path}: the request cannot be written: {error.strerror};"
            " the key is made: move it away to try again"
        ) from None


def _key_file(config: Config, path: Path) -> Path:
    if config.mqtt is None or config.mqtt.key_file is None:
        raise UsageError(f"{path}: [mqtt] key_file is missing: where the key is to be kept")
    return config.mqtt.key_file
