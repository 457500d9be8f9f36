"""What `speedsign import` says: how far it is, what it did, and what a reader of the numbers must know."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from telemetry.exchange.assumed import Stretch
from telemetry.exchange.importing import Imported, Wanted
from telemetry.local_time import iso_local
from telemetry.rows import from_s

_GAPS_NAMED = 5
_LINE_EVERY = 250_000  # vehicles, where no terminal rewrites a line


class Progress:
    """Called with bytes read and vehicles taken; one line on a terminal, a line now and then elsewhere."""

    def __init__(self, size: int, *, shown: bool | None) -> None:
        self._size = max(size, 1)
        self._terminal = sys.stderr.isatty()
        self._shown = self._terminal if shown is None else shown
        self._said = 0
        self._open = False

    def __call__(self, bytes_read: int, vehicles: int) -> None:
        if not self._shown or (not self._terminal and vehicles - self._said < _LINE_EVERY):
            return
        self._said = vehicles
        text = f"{min(bytes_read / self._size, 1):.0%}, {vehicles} vehicles"
        if self._terminal:
            click.echo(f"\r{text}\x1b[K", nl=False, err=True)
            self._open = True
        else:
            click.echo(text, err=True)

    def end(self) -> None:
        """What is written next stands on a line of its own."""
        if self._open:
            click.echo(err=True)
            self._open = False


def summary(found: Imported, wanted: Wanted, path: Path) -> str:
    start, end = _period(found, wanted)
    hours = found.measured_s / 3600
    return (
        f"{path}: installation {found.installation_id} ({wanted.facts.site}, {wanted.facts.limit_kmh} km/h): "
        f"{_n(found.vehicles, 'vehicle')}, {start} to {end}, {hours:.1f} h measured"
    )


def notes(found: Imported, wanted: Wanted, *, own_store: bool, limit_given: bool) -> Iterator[str]:
    """Sentences, each true only where it is said."""
    if found.errors.n:
        yield from found.errors.first
        if found.errors.n > len(found.errors.first):
            yield f"… and {found.errors.n - len(found.errors.first)} more"
        n = found.errors.n
        yield f"{_n(n, 'row')} of {found.lines} could not be read and {_was(n)} left out."
    if found.ignored:
        yield f"Columns that mean nothing here: {', '.join(found.ignored)}."
    if not limit_given:
        yield f"No speed limit was given: {wanted.facts.limit_kmh} km/h is taken; --limit says another."
    if found.repeated:
        yield (
            f"{_n(found.repeated, 'time')} {_was(found.repeated)} in the hour that the autumn change repeats;"
            " the order of the file decided which pass, where it could."
        )
    if found.kind == "vehicles":
        yield _assumption(found, wanted)
    elif found.assumed:
        yield "The file was made of an import itself: when the device was measuring stays assumed."
    if own_store and wanted.keep_vehicles and found.kind == "vehicles":
        yield "The daemon deletes single vehicles after [store] keep_vehicles_days; their counts stay."


def _assumption(found: Imported, wanted: Wanted) -> str:
    """When the device is taken to have measured."""
    start = "the first vehicle" if wanted.from_utc is None else "--measured-from"
    end = "the last" if wanted.to_utc is None else "--measured-to"
    text = f"The file does not say when its device was measuring: taken is from {start} to {end}"
    if found.gaps:
        gaps = _n(len(found.gaps), "stretch", "stretches")
        text += f", without {gaps} of more than {wanted.allowed_gap_s / 3600:g} h that had no vehicle"
        text += f" ({_stretches(found.gaps, ZoneInfo(wanted.facts.timezone))})"
    return text + "."


def _stretches(gaps: Sequence[Stretch], zone: ZoneInfo) -> str:
    """The first of them, each from when to when."""
    named = [f"{iso_local(from_s(begin), zone)} to {iso_local(from_s(end), zone)}" for begin, end in gaps]
    more = len(named) - _GAPS_NAMED
    return ", ".join(named[:_GAPS_NAMED]) + (f" and {more} more" if more > 0 else "")


def as_json_object(found: Imported, wanted: Wanted, path: Path) -> dict[str, object]:
    start, end = _period(found, wanted)
    return {
        "database": str(path),
        "installation": found.installation_id,
        "sign": wanted.sign,
        "site": wanted.facts.site,
        "limit_kmh": wanted.facts.limit_kmh,
        "timezone": wanted.facts.timezone,
        "kind": found.kind,
        "from": start,
        "to": end,
        "measured_s": found.measured_s,
        "coverage_assumed": found.assumed,
        "gaps": len(found.gaps),
        "rows": found.lines,
        "vehicles": found.vehicles,
        "left_out": found.errors.n,
        "repeated_hour": found.repeated,
        "ignored_columns": list(found.ignored),
    }


def _period(found: Imported, wanted: Wanted) -> tuple[str, str]:
    zone = ZoneInfo(wanted.facts.timezone)
    return iso_local(from_s(found.from_s), zone), iso_local(from_s(found.to_s), zone)


def _n(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def _was(n: int) -> str:
    return "was" if n == 1 else "were"
