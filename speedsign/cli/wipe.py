"""speedsign wipe: no measurement and no secret stays on a sign that changes hands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from speedsign.cli.common import EXIT_FAILED, SignCommand, config_option, json_option, print_json
from speedsign.config.load import load_config
from speedsign.config.schema import Config
from speedsign.errors import UsageError
from telemetry.lock import sole_writer
from telemetry.wipe import delete, files_of_store


@click.command(cls=SignCommand, example="speedsign wipe")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-secrets", is_flag=True, help="Delete the measurements alone.")
@config_option
@json_option
@click.pass_context
def wipe(
    ctx: click.Context,
    config_path: Path,
    *,
    yes: bool,
    keep_secrets: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Delete all measurements of this sign, and its secrets, when it changes hands.

    Deleted are the database with everything beside it and the password file of the broker. The config stays.
    The sign must be stopped. A card or disk may keep deleted blocks: what must never be read again needs a
    new card.
    """
    config = load_config(config_path)
    with _stopped(config):
        files = [*files_of_store(config.store.path), *([] if keep_secrets else _secrets(config))]
        if files and not yes:
            _ask(config, files)
        problems = delete(files)
    done = [str(file) for file in files if not file.exists()]
    if as_json:
        print_json({"ok": not problems, "deleted": done, "problems": problems})
    else:
        for line in [*(f"deleted {name}" for name in done), *problems] or ["nothing was there"]:
            click.echo(line)
    ctx.exit(EXIT_FAILED if problems else 0)


@contextlib.contextmanager
def _stopped(config: Config) -> Iterator[None]:
    """While no daemon writes this store; what the lock itself leaves goes too."""
    path = config.store.path
    if not path.parent.is_dir():
        yield
        return
    with sole_writer(path):
        yield
        path.with_name(path.name + ".lock").unlink(missing_ok=True)


def _secrets(config: Config) -> list[Path]:
    if config.mqtt is None:
        return []
    files = (config.mqtt.password_file, config.mqtt.key_file)
    return [file for file in files if file is not None and file.is_file()]


def _ask(config: Config, files: list[Path]) -> None:
    """The sign's id, typed: nobody wipes the wrong one by pressing a key."""
    click.echo(f"This deletes for good what {config.sign.id} has measured:", err=True)
    for file in files:
        click.echo(f"  {file}", err=True)
    typed = click.prompt("Type the sign's id to go on", err=True, default="", show_default=False)
    if typed.strip() != config.sign.id:
        raise UsageError(f"{typed.strip()!r} is not {config.sign.id!r}: nothing was deleted")
