"""The tables of a comparison, for every format."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from speedsign.language import Language
from telemetry.compare import naming
from telemetry.compare.answer import Comparison
from telemetry.compare.controls import ControlChange, Controlled
from telemetry.compare.measures import MEASURES, SHARES, SPEEDS, VOLUME
from telemetry.compare.passing import Drop, DropChange
from telemetry.compare.sides import Change, Side
from telemetry.report.document import Column, Kind, Table, Value
from telemetry.report.labels import by_sample, notes

_LEVEL = {**dict.fromkeys(SPEEDS, Kind.SPEED), **dict.fromkeys(SHARES, Kind.SHARE), VOLUME: Kind.MEAN}
_STEP = {**dict.fromkeys(SPEEDS, Kind.CHANGE), **dict.fromkeys(SHARES, Kind.POINTS), VOLUME: Kind.MEAN}


def step_kind(measure: str) -> Kind:
    """How a difference of it is written."""
    return _STEP[measure]


def changes(found: Comparison, key: str, title: str, measures: Sequence[str], words: Language) -> Table:
    """Before, after, difference and its range; of measures of one kind."""
    kind, step = _LEVEL[measures[0]], _STEP[measures[0]]
    unit = " (km/h)" if kind is Kind.SPEED else ""
    columns = (
        Column("figure", words.say("Figure"), Kind.TEXT),
        Column("before", naming.side("before", words, baseline=found.baseline) + unit, kind),
        Column("after", naming.side("after", words, baseline=found.baseline) + unit, kind),
        *_range_columns(step, words, unit),
    )
    rows = tuple(
        (
            naming.measure(measure, words),
            by_sample(found.change(measure).before, found.before.n),
            by_sample(found.change(measure).after, found.after.n),
            *_range(found.change(measure), found.before.n, found.after.n),
        )
        for measure in measures
    )
    return Table(key, title, columns, rows, notes(rows, words))


def _range_columns(step: Kind, words: Language, unit: str) -> tuple[Column, ...]:
    return (
        Column("difference", words.say("Difference") + unit, step),
        Column("low", words.say("95 % range from") + unit, step),
        Column("high", words.say("95 % range to") + unit, step),
    )


def _range(change: Change, *sizes: int) -> tuple[Value, ...]:
    n = min(sizes)
    return by_sample(change.difference, n), change.low, change.high


def sides(found: Comparison, words: Language) -> Table:
    """From when to when, how many days, hours, vehicles; coverage."""
    columns = (
        Column("side", words.say("Time"), Kind.TEXT),
        Column("from", words.say("First day"), Kind.DATE),
        Column("to", words.say("Last day"), Kind.DATE),
        Column("days", words.say("Days"), Kind.COUNT),
        Column("hours", words.say("Hours compared"), Kind.COUNT),
        Column("vehicles", words.say("Vehicles"), Kind.COUNT),
        Column("coverage", words.say("Measured"), Kind.SHARE),
    )
    rows = tuple(
        (
            naming.side(side.key, words, baseline=found.baseline),
            *(side.dates[0], side.dates[-1], side.days, side.hours, side.n, side.coverage),
        )
        for side in (found.before, found.after)
    )
    return Table("sides", words.say("What was compared"), columns, rows)


def phases(found: Comparison, words: Language) -> Table:
    """Dark before, lit, dark after, over the hours of the week that all have."""

    def row(side: Side) -> tuple[Value, ...]:
        values = dict(zip(MEASURES, side.numbers or (None,) * len(MEASURES), strict=True))
        kept = ("mean_kmh", "v85_kmh", "over_limit_share")
        return (
            naming.side(side.key, words, baseline=True),
            *(side.dates[0], side.dates[-1], side.days, side.n),
            *(by_sample(values[measure], side.n) for measure in kept),
        )

    columns = (
        Column("phase", words.say("Time"), Kind.TEXT),
        Column("from", words.say("First day"), Kind.DATE),
        Column("to", words.say("Last day"), Kind.DATE),
        Column("days", words.say("Days"), Kind.COUNT),
        Column("vehicles", words.say("Vehicles"), Kind.COUNT),
        Column("mean_kmh", words.say("Mean speed") + " (km/h)", Kind.SPEED),
        Column("v85_kmh", "V85 (km/h)", Kind.SPEED),
        Column("over_limit_share", words.say("Over the limit"), Kind.SHARE),
    )
    rows = tuple(map(row, found.phases))
    return Table("phases", words.say("Dark before and after"), columns, rows, notes(rows, words))


def controls(found: Controlled, site: str, words: Language) -> Table:
    """What changed at the sign and at each control, over the hours that all measured."""

    def row(name: str, before: Side, after: Side, change_of: Callable[[str], Change]) -> tuple[Value, ...]:
        n = min(before.n, after.n)
        kept = ("mean_kmh", "v85_kmh", "over_limit_share")
        return name, before.n, after.n, *(by_sample(change_of(measure).difference, n) for measure in kept)

    def of_control(one: ControlChange) -> tuple[Value, ...]:
        by_measure = {change.measure: change for change in one.changes}
        return row(one.name, one.before, one.after, by_measure.__getitem__)

    columns = (
        Column("site", words.say("Site"), Kind.TEXT),
        Column("vehicles_before", words.say("Vehicles before"), Kind.COUNT),
        Column("vehicles_after", words.say("Vehicles after"), Kind.COUNT),
        Column("mean_change_kmh", words.say("Mean speed") + " (km/h)", Kind.CHANGE),
        Column("v85_change_kmh", "V85 (km/h)", Kind.CHANGE),
        Column("over_change", f"{words.say('Over the limit')} ({words.say('pp')})", Kind.POINTS),
    )
    own = {change.measure: change for change in found.own}
    rows = (
        row(site, found.before, found.after, own.__getitem__),
        *(of_control(one) for one in found.controls),
    )
    return Table(
        "controls",
        words.say("Change at the sign and at its control sites"),
        columns,
        rows,
        notes(rows, words),
    )


def beyond(found: Controlled, key: str, title: str, measures: Sequence[str], words: Language) -> Table:
    """What is left of the sign's change when that of the controls is taken off."""
    step = _STEP[measures[0]]
    unit = " (km/h)" if step is Kind.CHANGE else ""
    n = min(side.n for side in found.sides())
    rows = tuple(
        (naming.measure(change.measure, words), *_range(change, n))
        for change in found.beyond
        if change.measure in measures
    )
    columns = (Column("figure", words.say("Figure"), Kind.TEXT), *_range_columns(step, words, unit))
    return Table(key, title, columns, rows, notes(rows, words))


def passing(found: DropChange, words: Language, *, baseline: bool) -> Table:
    """Entry less exit speed on each side."""

    def row(key: str, drop: Drop) -> tuple[Value, ...]:
        name = naming.side(key, words, baseline=baseline)
        first, last = drop.dates[0], drop.dates[-1]
        return name, first, last, len(drop.dates), drop.n, by_sample(drop.mean_kmh, drop.n)

    columns = (
        Column("side", words.say("Time"), Kind.TEXT),
        Column("from", words.say("First day"), Kind.DATE),
        Column("to", words.say("Last day"), Kind.DATE),
        Column("days", words.say("Days"), Kind.COUNT),
        Column("vehicles", words.say("Vehicles"), Kind.COUNT),
        Column("drop_kmh", words.say("Entry less exit speed") + " (km/h)", Kind.CHANGE),
    )
    rows = (row("before", found.before), row("after", found.after))
    return Table("passing", words.say("Slowing down while passing"), columns, rows, notes(rows, words))


def weeks(found: Comparison, words: Language) -> Table:
    """Change against the baseline, week by week since the sign was lit."""
    columns = (
        Column("week", words.say("Week"), Kind.COUNT),
        Column("from", words.say("First day"), Kind.DATE),
        Column("days", words.say("Days"), Kind.COUNT),
        Column("vehicles", words.say("Vehicles"), Kind.COUNT),
        Column("mean_change_kmh", words.say("Mean speed") + " (km/h)", Kind.CHANGE),
        Column("v85_change_kmh", "V85 (km/h)", Kind.CHANGE),
        Column("v85_low_kmh", words.say("95 % range from") + " (km/h)", Kind.CHANGE),
        Column("v85_high_kmh", words.say("95 % range to") + " (km/h)", Kind.CHANGE),
        Column("over_change", f"{words.say('Over the limit')} ({words.say('pp')})", Kind.POINTS),
    )
    rows = []
    for week in found.weeks:
        by_measure = {change.measure: change for change in week.changes}
        n = min(week.side.n, found.before.n)
        mean, share = by_measure["mean_kmh"].difference, by_measure["over_limit_share"].difference
        rows.append(
            (
                *(week.week, week.first, week.side.days, week.side.n),
                by_sample(mean, n),
                *_range(by_measure["v85_kmh"], n),
                by_sample(share, n),
            )
        )
    return Table(
        "weeks",
        words.say("Change since the sign was lit, week by week"),
        columns,
        tuple(rows),
        notes(rows, words),
    )


def left_out(found: Comparison, words: Language) -> Table:
    """Hours that were not compared, by reason."""
    columns = (
        Column("reason", words.say("Why"), Kind.TEXT),
        Column("hours", words.say("Hours"), Kind.COUNT),
    )
    rows = tuple((naming.reason(key, words), n) for key, n in sorted(found.left_out.items()))
    return Table("left_out", words.say("Hours that were left out"), columns, rows)
