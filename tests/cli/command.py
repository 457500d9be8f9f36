"""The commands as a user has them: in this process, or as a process of their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result

from speedsign.cli import main

SPEEDSIGN = [sys.executable, "-m", "speedsign"]
ENOUGH_S = 30.0


def speedsign(*args: str | Path, env: Mapping[str, str] | None = None) -> Result:
    """Run a command here; nothing but what it foresees may be raised."""
    clean = {"SPEEDSIGN_CONFIG": None, "SPEEDSIGN_DEBUG": None, **(env or {})}
    result = CliRunner().invoke(main, [str(arg) for arg in args], env=clean)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def all_commands() -> dict[str, click.Command]:
    """Every command by its full name, those of groups included: check, radar detect, …"""
    context = click.Context(main)
    found: dict[str, click.Command] = {}
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        if not isinstance(command, click.Group):
            found[name] = command
            continue
        if command.invoke_without_command:
            found[name] = command
        for below in command.list_commands(context):
            one = command.get_command(context, below)
            assert one is not None
            found[f"{name} {below}"] = one
    return found


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


def environment() -> dict[str, str]:
    """Ours, without what would lead a command elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SPEEDSIGN_")}


@contextlib.contextmanager
def process(*args: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A command as a process with all of its pipes, ended at the latest with the block."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen(
        [*SPEEDSIGN, *map(str, args)], text=True, env={**environment(), "PYTHONUNBUFFERED": "1"}, **pipes
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def finished(*args: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command as a process, run to its end."""
    options = {"capture_output": True, "stdin": subprocess.DEVNULL, "env": environment(), **options}
    return subprocess.run([*SPEEDSIGN, *map(str, args)], text=True, timeout=ENOUGH_S, check=False, **options)
