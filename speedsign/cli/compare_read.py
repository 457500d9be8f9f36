"""What `speedsign compare` reads: the sign's hours, those of its control sites, single vehicles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from speedsign.cli.periods import parse_moment
from speedsign.cli.selection import Choice, database, signs_standings, wanted_hours
from speedsign.errors import StoreError, UsageError
from speedsign.model import Installation
from telemetry.compare.controls import ControlSite
from telemetry.compare.hours import HourCount, hour_counts, shown_directions
from telemetry.compare.measures import Road
from telemetry.compare.passing import Passage, read_passages
from telemetry.compare.split import DateRange, Split, by_dates, by_display
from telemetry.local_time import HOUR, day_start
from telemetry.measured import measured_spans
from telemetry.period import Period, read_period
from telemetry.query import BOTH, Standing

Bounds = tuple[datetime, datetime]
_NAMES = {
    "site": "site",
    "limit_kmh": "limit",
    "mounting_angle_deg": "mounting angle",
    "radar": "radar",
    "timezone": "time zone",
    "rounds": "rounding",
    "approaching_name": "name of a direction",
    "receding_name": "name of a direction",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, beside the choice that all officers' commands share."""

    before: tuple[DateRange, ...] = ()
    after: tuple[DateRange, ...] = ()
    direction: str = "approaching"
    controls: tuple[Path, ...] = ()
    control_signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """One sign's hours, and the installations that they were measured under."""

    path: Path
    standings: tuple[Standing, ...]
    hours: Sequence[HourCount]
    undated: int
    shown: Sequence[str]  # directions of which a vehicle was shown something
    left_out: tuple[Standing, ...] = ()  # that measured too, at another place or set otherwise
    imported: bool = False
    scaled: int = 0

    @property
    def standing(self) -> Standing:
        return self.standings[-1]

    def road(self, limit_kmh: int | None) -> Road:
        facts = self.standing.facts
        return Road(limit_kmh or facts.limit_kmh, facts.rounds)


def parse_range(text: str) -> DateRange:
    """2026-05-04..2026-05-17, or one day; UsageError."""
    first_text, dots, last_text = text.partition("..")
    try:
        first = date.fromisoformat(first_text.strip())
        last = date.fromisoformat(last_text.strip()) if dots else first
    except ValueError:
        raise UsageError(f"{text!r} is no period; write 2026-05-04..2026-05-17") from None
    for day in (first, last):
        parse_moment(day.isoformat(), "UTC")  # years that no calendar holds
    if last < first:
        raise UsageError(f"{text!r} ends before it begins")
    return first, last


def check(choice: Choice, asked: Asked) -> None:
    """Raises UsageError for what excludes each other."""
    if bool(asked.before) != bool(asked.after):
        raise UsageError("give both --before and --after, or neither to find the dark days")
    if asked.before and any((choice.from_text, choice.to_text, choice.month)):
        raise UsageError("give --before and --after, or --from, --to and --month, not both")
    ranges = sorted(asked.before + asked.after)
    for one, following in pairwise(ranges):
        if following[0] <= one[1]:
            raise UsageError(f"{following[0]} is in two of the periods of --before and --after")


def read_sign(choice: Choice, asked: Asked, config_path: Path) -> Read:
    """Raises UsageError, StoreError, ConfigError."""
    check(choice, asked)
    path = database(choice, config_path)
    standings = signs_standings(path, choice)
    zone = standings[-1].facts.timezone
    if asked.before:
        bounds = [_of_days(one, standings[-1]) for one in asked.before + asked.after]
        return _read(path, standings, bounds, choice, asked.direction, strict=True)
    start, end = choice.bounds(zone)
    spans = measured_spans(path, start, end)
    named = any((choice.from_text, choice.to_text, choice.month))
    own = [spans[one.id] for one in standings if one.id in spans]
    if not own:
        raise StoreError(f"{path}: nothing was measured in that period")
    whole = (start or min(span[0] for span in own), end or max(span[1] for span in own))
    return _read(path, standings, [whole], choice, asked.direction, strict=named)


def _of_days(days: DateRange, standing: Standing) -> Bounds:
    zone = ZoneInfo(standing.facts.timezone)
    return day_start(days[0], zone), day_start(days[1] + timedelta(days=1), zone)


def _read(
    path: Path,
    standings: Sequence[Standing],
    bounds: Sequence[Bounds],
    choice: Choice,
    direction: str,
    *,
    strict: bool,
) -> Read:
    """All installations of one place in these times; `strict`: another place in them is refused."""
    spans = [(one, measured_spans(path, *one)) for one in bounds]
    there = [one for one in standings if any(one.id in found for _, found in spans)]
    if not there:
        raise StoreError(f"{path}: nothing was measured in that period")
    newest = there[-1]
    others = [one for one in there if differences(one.facts, newest.facts)]
    if others and strict:
        raise UsageError(_refusal(others[-1], newest))
    same = [one for one in there if one not in others]
    periods: list[Period] = []
    for one in same:
        for (start, end), found in spans:
            if one.id in found:
                span = found[one.id]
                # Given days count as not measured where they were not; else only what was measured.
                limits = (start, end) if strict else (max(start, span[0]), min(end, span[1]))
                periods.append(read_period(path, one, *limits))
    wanted = wanted_hours(choice)
    # All hours tell what a day was; only those that were asked for are compared.
    asked = periods if wanted is None else [period.only(wanted) for period in periods]
    return Read(
        path,
        tuple(same),
        hour_counts(periods, direction, wanted),
        sum(
            len(part.speeds)
            for period in asked
            for part in period.undated
            if direction in (BOTH, part.direction)
        ),
        shown_directions(periods),
        tuple(others),
        any(one.assumed for one in same),
        sum(period.scaled for period in asked),
    )


def differences(one: Installation, other: Installation) -> list[str]:
    """What makes two installations two places, or two measuring devices; a display profile does not."""
    found = [name for key, name in _NAMES.items() if getattr(one, key) != getattr(other, key)]
    return list(dict.fromkeys(found))


def _refusal(one: Standing, newest: Standing) -> str:
    what = ", ".join(differences(one.facts, newest.facts))
    return (
        f"installations {one.id} and {newest.id} both measured in these periods and differ in {what}: "
        "their speeds cannot be compared; name one with --installation, or other periods"
    )


def split_hours(read: Read, asked: Asked) -> Split:
    """Before and after; StoreError where the sign was never dark, or never lit, for a day."""
    if asked.before:
        found = by_dates(read.hours, asked.before, asked.after)
        for name, side in (("--before", found.before), ("--after", found.after)):
            if not side:
                raise StoreError(f"{read.path}: no hour of {name} was measured enough")
        return found
    found = by_display(read.hours)
    if found.dark_share[0] is None:
        raise StoreError(
            f"{read.path}: the sign was dark on no day, so there is no baseline; give two periods with "
            "--before and --after, or plan a study with dark days (docs/compare.md)"
        )
    if not found.before:
        raise StoreError(f"{read.path}: no hour of the dark days was measured enough")
    if not found.after:
        raise StoreError(f"{read.path}: the sign was lit in no hour, so there is nothing to compare yet")
    return found


def used_bounds(split: Split) -> Bounds:
    """From the first hour used to the end of the last."""
    starts = [hour.start_utc for side in (split.before, split.after) for hour in side]
    return min(starts), max(starts) + HOUR


def read_controls(read: Read, split: Split, choice: Choice, asked: Asked) -> list[ControlSite]:
    """The control sites over the time that the sign's hours span. Raises UsageError, StoreError."""
    bounds = used_bounds(split)
    own = read.standing.sign
    sources = [(path, Choice(db_path=path)) for path in asked.controls]
    sources += [(read.path, Choice(db_path=read.path, sign=sign)) for sign in asked.control_signs]
    found = []
    for path, wanted in sources:
        if wanted.sign is not None and wanted.sign == own:
            raise UsageError(f"--control-sign {own} is the sign itself")
        if path.is_dir():
            raise StoreError(f"{path}: is a folder; name the database in it")
        control = _read(path, signs_standings(path, wanted), [bounds], wanted, asked.direction, strict=True)
        road = control.road(choice.limit_kmh)
        found.append(ControlSite(control.standing.name, control.hours, road))
    return found


def read_kept(read: Read, split: Split, direction: str) -> Iterator[Passage]:
    """Single vehicles of the time that the sign's hours span."""
    ids = [one.id for one in read.standings]
    return read_passages(read.path, ids, *used_bounds(split), direction)


def notes(read: Read, asked: Asked) -> Iterable[str]:
    """What a user at the terminal has to know about the choice; technical, in English."""
    if read.left_out:
        others = ", ".join(str(one.id) for one in read.left_out)
        yield (
            f"Only what was measured as installation {read.standing.id} stands ({read.standing.name}) is "
            f"compared; the sign stood differently at other times: see --installation {others}."
        )
    if asked.direction != BOTH and read.shown and asked.direction not in read.shown:
        yield (
            f"No vehicle that was {asked.direction} was ever shown anything; "
            f"the sign shows to the other direction: --direction {read.shown[0]}."
        )
