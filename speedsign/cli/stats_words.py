"""The numbers of `speedsign stats` as people read them, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from speedsign.cli.selection import Selected
from telemetry.local_time import hours_of_day
from telemetry.statistics import FEW, LOW, Sample

_WIDTH = 80
_MARKS = {Sample.OK.value: "", Sample.LOW.value: "*", Sample.FEW.value: "**"}
_FEW_DAYS = 3  # with another number of hours than 24: named up to here, then counted


def lines(selected: Selected, found: Sequence[dict[str, Any]], percents: Sequence[float]) -> Iterator[str]:
    """Everything about a period, the numbers first and how far to trust them below."""
    both = found[-1]
    yield f"{selected.standing.name}, installation {both['installation']}: limit {both['limit_kmh']} km/h"
    yield f"{_minute(both['from'])} to {_minute(both['to'])}, {both['timezone']}"
    if selected.hours:
        yield f"only {selected.hours}"
    yield from _table(found)
    for row in found:
        yield from _folded(_further(row, percents))
        yield from _folded(_headways(row))
    yield from _folded(_daily(both))
    yield from _folded(_quality(selected, both))
    yield from _folded(both["method"])


def _folded(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _minute(iso: str) -> str:
    return datetime.fromisoformat(iso).isoformat(sep=" ", timespec="minutes")


# --------------------------------------------------------------------------- the table


def _table(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield (
        f"{'':<13}{'vehicles':>9}{'mean':>7}{'V50':>7}{'V85':>7}{'95 % range':>14}{'max':>5}"
        f"{'over':>9}{'over +10':>9}"
    )
    for row in found:
        shown = row["sample"] != Sample.FEW.value
        speeds = (row[key] if shown else None for key in ("mean_kmh", "v50_kmh", "v85_kmh"))
        name = row["direction"] + (_MARKS[row["sample"]] if row["n"] else "")
        yield (
            f"{name:<13}{row['n']:>9}{''.join(_speed(speed, 7) for speed in speeds)}"
            f"{_range(row, 'v85') if shown else _NOTHING:>14}{_speed(row['max_kmh'], 5, 0)}"
            f"{_share(row['over_limit_share'], 9)}{_share(row['over_limit_10_share'], 9)}"
        )
    marks = {_MARKS[row["sample"]] for row in found if row["n"]}
    if "*" in marks:
        yield f"*  fewer than {LOW} vehicles: a low sample"
    if "**" in marks:
        yield f"** fewer than {FEW} vehicles: too few for a mean or a percentile"


_NOTHING = "–"


def _range(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_low_kmh"], row[f"{name}_high_kmh"]
    return _NOTHING if low is None or high is None else f"{low:.1f}–{high:.1f}"


def _speed(value: float | None, width: int, decimals: int = 1) -> str:
    return f"{_NOTHING:>{width}}" if value is None else f"{value:>{width}.{decimals}f}"


def _share(value: float | None, width: int) -> str:
    return f"{_NOTHING:>{width}}" if value is None else f"{100 * value:>{width - 2}.1f} %"


# --------------------------------------------------------------------------- below the table


def _further(row: dict[str, Any], percents: Sequence[float]) -> str:
    """Percentiles that were asked for by name, each with its range."""
    if not percents or row["sample"] == Sample.FEW.value:
        return ""
    speeds = (
        f"V{percent:g} {row[f'v{percent:g}_kmh']:.1f} ({_range(row, f'v{percent:g}')})"
        for percent in percents
    )
    return f"{row['direction']}: {', '.join(speeds)}"


def _headways(row: dict[str, Any]) -> str:
    if not row.get("headways_n"):
        return "" if "headways_n" not in row else f"{row['direction']}: no headways of kept vehicles"
    free = f"{100 * row['free_flow_share']:.1f} % were free ({row['free_flow_s']:g} s or more)"
    if row["free_flow_n"] >= FEW:
        free += f", with V85 {row['free_flow_v85_kmh']:.1f}"
    return (
        f"{row['direction']}: {_n(row['headways_n'], 'headway')}, median {row['headway_median_s']:.1f} s; "
        f"{free}; of vehicles kept from {_minute(row['headways_from'])} to {_minute(row['headways_to'])}"
    )


def _daily(both: dict[str, Any]) -> str:
    """Vehicles a day and the busiest hours, of both directions."""
    said = []
    if both["adt"] is None:
        said.append("No complete day, so no vehicles a day.")
    else:
        parts = [
            f"{name} {both[mean]:.0f} ({_n(both[days], 'day')})"
            for name, mean, days in (
                ("Mon-Fri", "weekday_adt", "weekdays"),
                ("Sat-Sun", "weekend_adt", "weekend_days"),
            )
            if both[mean] is not None
        ]
        said.append(
            f"Vehicles a day: {both['adt']:.0f} ({_n(both['complete_days'], 'complete day')}); "
            f"{', '.join(parts)}; public holidays count as the weekday they fall on."
        )
    if both["peak_hour"] is not None:
        said.append(f"The busiest hour from Monday to Friday begins at {both['peak_hour']:02}:00.")
    if both["busiest_hour"] is not None:
        factor = "" if both["phf"] is None else f", peak hour factor {both['phf']:.2f}"
        said.append(
            f"Most in one hour: {both['busiest_hour_n']} from {_minute(both['busiest_hour'])}{factor}."
        )
    return " ".join(said)


def _quality(selected: Selected, both: dict[str, Any]) -> str:
    """How far the numbers may be believed: what is not so is not said."""
    if both["coverage"] is None:
        return "Nothing was measured."
    assumed = ", as assumed at import" if both["coverage_assumed"] else ""
    said = [f"Measured {100 * both['coverage']:.1f} % of the time{assumed}."]
    if both["hours_left_out"]:
        was, are = ("was", "is") if both["hours_left_out"] == 1 else ("were", "are")
        said.append(
            f"{both['hours_left_out']} of {_n(both['hours'], 'hour')} {was} measured less than 75 % "
            f"and {are} in no mean of hours or days."
        )
    if both["hours_undated"]:
        said.append(
            f"{_n(both['hours_undated'], 'hour')} measured while the clock was not sure: in no hour or day."
        )
    for key, one, more, text in (
        ("undated", "has", "have", "no trusted time: in totals, in no hour or day."),
        ("suspects", "may", "may", "be none, or two, or hardly seen: counted, never the fastest."),
        ("corrected", "is", "are", "of intervals in which some were dated later, when the clock was set."),
        ("scaled", "has", "have", "a speed that could only be scaled when the angle was corrected."),
        ("fault", "passed", "passed", "while the panel was not under control."),
    ):
        if both[key]:
            said.append(f"{_n(both[key], 'vehicle')} {one if both[key] == 1 else more} {text}")
        if key == "undated":
            said += _between(both["undated_between"])
    if both["stepped"]:
        said.append(f"The clock was set by more than a second in {_n(both['stepped'], 'interval')}.")
    return " ".join([*said, *_odd_days(selected)])


def _between(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Known times around vehicles that have none; many stretches say nothing more than their ends."""
    for one in found[:_FEW_DAYS]:
        after, before = (at and _minute(at) for at in (one["after"], one["before"]))
        if after and before:
            yield f"{one['n']} of them passed between {after} and {before}."
        elif after or before:
            yield f"{one['n']} of them passed {f'after {after}' if after else f'before {before}'}."


def _odd_days(selected: Selected) -> list[str]:
    """Days on which the clocks changed."""
    lengths = [(day.date, hours_of_day(day.date, selected.period.zone)) for day in selected.period.days()]
    odd = [f"{day} has {hours} hours" for day, hours in lengths if hours != 24]
    if not odd:
        return []
    return [f"{', '.join(odd)}."] if len(odd) <= _FEW_DAYS else [f"{len(odd)} days have 23 or 25 hours."]


def _n(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
