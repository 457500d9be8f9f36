"""What `speedsign import` can be told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from speedsign.model import DisplayState


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed."""

    db_path: Path | None
    sign: str | None
    site: str | None
    limit_kmh: int | None
    timezone: str | None
    approaching_name: str | None
    receding_name: str | None
    approaching_is: tuple[str, ...]
    receding_is: tuple[str, ...]
    angle_deg: float
    truncates: bool
    display: str
    measured_from: str | None
    measured_to: str | None
    gap_hours: float | None
    vehicles: bool
    skip_bad: bool
    again: bool
    progress: bool | None


_OPTIONS = (
    click.option(
        "--db",
        "db_path",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The database, made when there is none; instead of the config's.",
    ),
    click.option("--sign", metavar="ID", help="Which sign it is; else the config's [sign] id, or none."),
    click.option("--site", metavar="NAME", help="Where it stood; else the config's, or the file's name."),
    click.option(
        "--limit",
        "limit_kmh",
        type=click.IntRange(5, 130),
        metavar="KMH",
        help="The speed limit there; else the config's, or 50.",
    ),
    click.option(
        "--timezone",
        metavar="ZONE",
        help="Of times without an offset, and of days and hours in reports: Europe/Riga.",
    ),
    click.option("--approaching-name", metavar="NAME", help="Name of that direction in reports."),
    click.option("--receding-name", metavar="NAME", help="Name of that direction in reports."),
    click.option(
        "--approaching-is",
        multiple=True,
        metavar="WORD",
        help="What the file calls approaching; may be given several times.",
    ),
    click.option(
        "--receding-is",
        multiple=True,
        metavar="WORD",
        help="What the file calls receding; may be given several times.",
    ),
    click.option(
        "--angle",
        "angle_deg",
        type=click.FloatRange(0, 60),
        default=0.0,
        metavar="DEGREES",
        help="The mounting angle that its speeds are already corrected with.",
    ),
    click.option("--truncates", is_flag=True, help="The device cuts km/h off instead of rounding."),
    click.option(
        "--display",
        type=click.Choice([state.value for state in DisplayState]),
        default=DisplayState.FAULT.value,
        show_default=True,
        help="What the display did for these vehicles; fault: not known.",
    ),
    click.option(
        "--measured-from", metavar="TIME", help="Date or time from which the device was surely measuring."
    ),
    click.option(
        "--measured-to", metavar="TIME", help="Date (that day included) or time up to which it was."
    ),
    click.option(
        "--gap-hours",
        type=click.FloatRange(0.25, 8784),
        metavar="HOURS",
        help="Longer without any vehicle counts as not measured; else 24, or none when it is said when.",
    ),
    click.option("--vehicles/--no-vehicles", default=True, help="Keep single vehicles, or counts alone."),
    click.option("--skip-bad", is_flag=True, help="Leave wrong rows out and import the others."),
    click.option("--again", is_flag=True, help="Import a file that was imported before."),
    click.option(
        "--progress/--no-progress", default=None, help="How far it is, on standard error; else on a terminal."
    ),
)


def import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All of them, as one `options`."""
    names = [field.name for field in fields(Options)]

    @functools.wraps(command)
    def gathered(*args: Any, **kwargs: Any) -> Any:
        return command(*args, options=Options(**{name: kwargs.pop(name) for name in names}), **kwargs)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered
