"""speedsign import: vehicles that another sign or counter has recorded, or what `export` wrote."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from click.core import ParameterSource

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.import_options import Options, import_options
from speedsign.cli.import_said import Progress, as_json_object, notes, summary
from speedsign.cli.periods import parse_moment
from speedsign.clock import SystemClock
from speedsign.config.officer_keys import OfficerKeys, officer_keys
from speedsign.errors import StoreError, UsageError
from speedsign.model import DisplayState, Installation
from telemetry.exchange.importing import BadRows, Imported, Wanted, import_file
from telemetry.lock import sole_writer

LIMIT_KMH = 50  # within towns in Latvia and Lithuania
STDIN = "-"


@click.command("import", cls=SignCommand, example="speedsign import old-sign.csv --db street.db --limit 50")
@click.argument("file", metavar="FILE.csv")
@import_options
@config_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context, file: str, options: Options, config_path: Path, *, debug: bool, as_json: bool
) -> None:
    """Read vehicles from FILE.csv into a database, so that they can be counted and compared.

    The first line names the columns: time, direction, speed_kmh and optionally length_m; - reads standard
    input. Times are ISO 8601 with an offset, or local with --timezone. One wrong row and nothing is
    imported, unless --skip-bad. What comes in is an installation of its own and is never mixed with others.
    What `speedsign export` wrote as CSV is read too, intervals with their measured time.
    """
    keys = _keys(ctx, config_path, options)
    path = _database(options.db_path, keys)
    with _opened(file) as (content, size, sha256):
        name = "standard input" if file == STDIN else file
        wanted = _wanted(options, keys, site="imported" if file == STDIN else Path(file).stem)
        found = _import(path, content, name, sha256, wanted, Progress(size, shown=options.progress))
    for note in notes(
        found, wanted, own_store=options.db_path is None, limit_given=_limit_given(options, keys)
    ):
        click.echo(note, err=True)
    if as_json:
        print_json(as_json_object(found, wanted, path))
    else:
        click.echo(summary(found, wanted, path))


def _import(
    path: Path, content: IO[bytes], name: str, sha256: str, wanted: Wanted, progress: Progress
) -> Imported:
    """Under the lock that the daemon holds too. Any end but a good one leaves the database as it was."""
    try:
        with _ended_like_ctrl_c(), sole_writer(path):
            return import_file(path, content, name, sha256, wanted, SystemClock().now_utc(), progress)
    except BadRows as error:
        progress.end()
        for row in error.rows:
            click.echo(row, err=True)
        if error.n > len(error.rows):
            click.echo(f"… and {error.n - len(error.rows)} more", err=True)
        raise
    except KeyboardInterrupt:
        progress.end()
        raise StoreError(f"{name}: stopped; nothing was imported") from None
    finally:
        progress.end()


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM cleans up and says so, too."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# --------------------------------------------------------------------------- what is asked for


def _keys(ctx: click.Context, config_path: Path, options: Options) -> OfficerKeys | None:
    """Of the config that is named or there; without any, None."""
    named = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
    if named or (options.db_path is None and config_path.exists()):
        return officer_keys(config_path)
    if options.db_path is None:
        raise UsageError(
            f"where to? Name a database with --db FILE (made when there is none), or a config with --config "
            f"FILE; there is no {config_path}"
        )
    return officer_keys(config_path) if config_path.exists() else None


def _database(db_path: Path | None, keys: OfficerKeys | None) -> Path:
    path = db_path or (keys or OfficerKeys()).store_path
    if path.is_dir():
        raise StoreError(f"{path}: is a folder; name the database in it")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: the folder {path.parent} does not exist; create it or name another --db")
    return path


def _limit_given(options: Options, keys: OfficerKeys | None) -> bool:
    return options.limit_kmh is not None or (keys is not None and keys.limit_kmh is not None)


def _wanted(options: Options, known: OfficerKeys | None, site: str) -> Wanted:
    keys = known or OfficerKeys()
    zone = _zone(options.timezone or keys.timezone)
    facts = Installation(
        site=options.site or keys.site or site,
        limit_kmh=options.limit_kmh or keys.limit_kmh or LIMIT_KMH,
        mounting_angle_deg=options.angle_deg,
        radar="imported",
        timezone=zone.key,
        approaching_name=_first(options.approaching_name, keys.approaching_name),
        receding_name=_first(options.receding_name, keys.receding_name),
        rounds=not options.truncates,
    )
    start, end = _measured(options, zone.key)
    words = {word.strip().lower(): "approaching" for word in options.approaching_is}
    words |= {word.strip().lower(): "receding" for word in options.receding_is}
    return Wanted(
        facts=facts,
        sign=options.sign or keys.sign_id,
        # A time without an offset is never guessed: somebody has said which clock it is of.
        times=zone if options.timezone or known else None,
        words=words,
        display=DisplayState(options.display),
        keep_vehicles=options.vehicles,
        skip_bad=options.skip_bad,
        again=options.again,
        gap_s=None if options.gap_hours is None else 3600 * options.gap_hours,
        from_utc=start,
        to_utc=end,
    )


def _first(*texts: str | None) -> str:
    """The first that was given, if only as an empty text."""
    return next((text for text in texts if text is not None), "")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--timezone {name!r}: no such time zone; write Europe/Riga") from None


def _measured(options: Options, timezone: str) -> tuple[datetime | None, datetime | None]:
    start = parse_moment(options.measured_from, timezone) if options.measured_from is not None else None
    end = parse_moment(options.measured_to, timezone, end=True) if options.measured_to is not None else None
    if end is not None and end <= (start or datetime(1970, 1, 1, tzinfo=UTC)):
        raise UsageError(f"--measured-to {options.measured_to} is not after --measured-from")
    return start, end


# --------------------------------------------------------------------------- the file


@contextlib.contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], int, str]]:
    """The file, its size, and its SHA-256; standard input goes by way of a file of its own."""
    if name == STDIN:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            yield copy, *_looked_through(copy)
        return
    with Path(name).open("rb") as file:
        yield file, *_looked_through(file)


def _looked_through(file: IO[bytes]) -> tuple[int, str]:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it can be read into
    size = file.tell()
    file.seek(0)
    return size, digest
