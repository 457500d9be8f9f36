"""What every command shares: --config, --json, --debug, and errors as one sentence."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from speedsign.cli import LazyGroup
from speedsign.cli.interrupt import interrupted
from speedsign.errors import ConfigError, SpeedsignError

DEFAULT_CONFIG = Path("/etc/speedsign/speedsign.toml")
EXIT_FAILED = 1
EXIT_USAGE = 2

Command = TypeVar("Command", bound=Callable[..., Any])


class Sentences(click.Command):
    """Expected errors become one sentence and an exit code (docs/cli.md); the help ends with an example."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        kwargs["epilog"] = f"Example:  {example}"
        super().__init__(*args, **kwargs)
        self.example = example

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, whole: the list of commands is folded, not cut."""
        return super().get_short_help_str(limit=1000)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SpeedsignError as error:
            _give_up(ctx, error, error.exit_code)
        except KeyboardInterrupt:
            _behind_the_echo()
            _give_up(ctx, interrupted(ctx), EXIT_FAILED)
        except BrokenPipeError:  # "| head" has seen enough
            _drop_output()
            ctx.exit(EXIT_FAILED)
        except OSError as error:  # a file or terminal that nobody has put into words of ours
            _drop_output()
            _give_up(ctx, error, EXIT_FAILED)


class SignCommand(Sentences):
    """A command that does one thing."""


class SignGroup(Sentences, LazyGroup):
    """A command that does something by itself and has others below it."""


def _give_up(ctx: click.Context, error: SpeedsignError | OSError, code: int) -> None:
    """Say what is wrong, each problem on a line of its own, and end; with --debug also where it came from."""
    if ctx.params.get("debug"):
        traceback.print_exception(error, file=sys.stderr)
    problems = error.problems if isinstance(error, ConfigError) else [_sentence(error)]
    for problem in problems:
        click.echo(f"{full_name(ctx)}: {problem}", err=True)
    ctx.exit(code)


def _behind_the_echo() -> None:
    """The terminal has put ^C where the cursor was."""
    with contextlib.suppress(OSError):
        if sys.stderr.isatty():
            click.echo(err=True)


def full_name(ctx: click.Context) -> str:
    """`speedsign radar detect`, however the program itself was called."""
    names: list[str] = []
    at: click.Context | None = ctx
    while at is not None and at.parent is not None:
        names.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(("speedsign", *names))


def _sentence(error: SpeedsignError | OSError) -> str:
    if isinstance(error, SpeedsignError):
        return str(error)
    where = error.filename or "the output"
    return f"{where}: {error.strerror or error}; check the path, its permissions and the free space"


def _drop_output() -> None:
    """What is still buffered for a reader who is gone would fail once more when the interpreter ends."""
    with contextlib.suppress(OSError):  # an output that is no file has nothing to drop
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def config_option(command: Command) -> Command:
    """--config, --debug: on every command of a sign."""
    return config_file_option(DEFAULT_CONFIG, "The sign's config.")(debug_option(command))


def config_file_option(default: Path, words: str) -> Callable[[Command], Command]:
    """--config, which means a sign's file or a hub's."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, readable=False),  # what cannot be read is told in words of ours
        envvar="SPEEDSIGN_CONFIG",
        default=default,
        show_default=True,
        show_envvar=True,
        metavar="FILE",
        help=words,
    )


def debug_option(command: Command) -> Command:
    return click.option(
        "--debug", is_flag=True, envvar="SPEEDSIGN_DEBUG", help="Show tracebacks and debug messages."
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def print_json(value: object) -> None:
    """Readable where the output has the letters, else escaped: JSON in any case."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=1)
    click.echo(text)


def set_up_logging(*, debug: bool, level: int = logging.INFO) -> None:
    """To stderr, without time stamps: journald adds its own."""
    logging.basicConfig(
        level=logging.DEBUG if debug else level,
        stream=sys.stderr,
        format="%(levelname)s %(name)s: %(message)s" if debug else "%(levelname)s: %(message)s",
        force=True,
    )
