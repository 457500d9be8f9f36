"""The tables of a report that have a row for each hour, day, week or month: one function each."""

from __future__ import annotations

from collections.abc import Callable

from speedsign.language import Language
from telemetry.report import labels
from telemetry.report.document import Column, Kind, Marked, Table, Value
from telemetry.report.facts import HOURS_OF_DAY, Facts, Slot
from telemetry.report.spans import Span, Unit

SlotValue = Callable[[Slot], Value]
WEEKDAY_KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_GAPS = 10


def by_hour(facts: Facts, words: Language) -> Table:
    """The hours of the day."""
    columns = (
        Column("hour", words.say("Hour"), Kind.TEXT),
        Column("mean", words.say("Vehicles an hour"), Kind.MEAN),
        Column("over_share", words.say("Over the limit"), Kind.SHARE),
        Column("over_10_share", words.say("More than 10 over"), Kind.SHARE),
        Column("v85_kmh", words.say("V85, km/h"), Kind.SPEED),
        Column("hours", words.say("Hours measured"), Kind.COUNT),
        Column("left_out", words.say("Hours left out"), Kind.COUNT),
    )
    rows = [
        (
            labels.hour(slot.hour),
            slot.mean,
            labels.by_sample(slot.over_share, slot.n),
            labels.by_sample(slot.over_10_share, slot.n),
            labels.by_sample(slot.v85_kmh, slot.n),
            slot.hours,
            slot.left_out,
        )
        for slot in facts.by_hour
    ]
    return Table("by_hour", words.say("By hour of the day"), columns, tuple(rows), labels.notes(rows, words))


def week_of_means(facts: Facts, words: Language) -> Table:
    """Hours by weekdays: vehicles an hour."""
    rows = _week(facts, lambda slot: slot.mean)
    title = words.say("Vehicles an hour, by hour and weekday")
    return Table("week_vehicles", title, _week_columns(words, Kind.MEAN), rows)


def week_of_shares(facts: Facts, words: Language) -> Table:
    """Hours by weekdays: the share over the limit, where there were vehicles enough to say it."""
    rows = _week(facts, lambda slot: labels.by_sample(slot.over_share, slot.n))
    title = words.say("Share over the limit, by hour and weekday")
    columns = _week_columns(words, Kind.SHARE)
    return Table("week_over", title, columns, rows, labels.notes(rows, words))


def _week_columns(words: Language, kind: Kind) -> tuple[Column, ...]:
    days = (Column(key, words.weekday(day, short=True), kind) for day, key in enumerate(WEEKDAY_KEYS))
    return (Column("hour", words.say("Hour"), Kind.TEXT), *days)


def _week(facts: Facts, value: SlotValue) -> tuple[tuple[Value, ...], ...]:
    slots = facts.by_hour_of_week
    return tuple(
        (labels.hour(hour), *(value(slots[weekday, hour]) for weekday in range(7))) for hour in HOURS_OF_DAY
    )


def by_time(facts: Facts, words: Language) -> Table:
    """By day, week or month."""
    titles = {
        Unit.DAY: (words.say("By day"), words.say("Day")),
        Unit.WEEK: (words.say("By week"), words.say("Week")),
        Unit.MONTH: (words.say("By month"), words.say("Month")),
    }
    title, head = titles[facts.unit]
    first = Column("first", head, Kind.DATE)
    if facts.unit is not Unit.DAY:
        first = Column("span", head, Kind.TEXT)
    columns = (
        first,
        Column("n", words.say("Vehicles"), Kind.COUNT),
        Column("mean_kmh", words.say("Mean, km/h"), Kind.SPEED),
        Column("v85_kmh", words.say("V85, km/h"), Kind.SPEED),
        Column("over_share", words.say("Over the limit"), Kind.SHARE),
        Column("over_10_share", words.say("More than 10 over"), Kind.SHARE),
        Column("complete_days", words.say("Complete days"), Kind.COUNT),
        Column("coverage", words.say("Time measured"), Kind.SHARE),
    )
    rows = [_span_row(span, facts.unit, words) for span in facts.spans]
    if facts.unit is Unit.DAY:
        columns = (first, Column("weekday", words.say("Weekday"), Kind.TEXT), *columns[1:6], columns[7])
        rows = [
            (row[0], words.weekday(span.first.weekday(), short=True), *row[1:6], row[7])
            for row, span in zip(rows, facts.spans, strict=True)
        ]
    return Table(f"by_{facts.unit}", title, columns, tuple(rows), labels.notes(rows, words))


def _span_row(span: Span, unit: Unit, words: Language) -> tuple[Value, ...]:
    mark = "" if span.complete else labels.PART_MARK
    mark += labels.CLOCK_MARK if span.hours_of_day is not None else ""
    mark += labels.UNSURE_MARK if span.clock_unsure else ""
    n = None if span.clock_unsure and not span.measured else span.n
    return (
        span.first if unit is Unit.DAY else labels.span(span, unit, words),
        Marked(n, mark) if mark else n,
        labels.by_sample(span.mean_kmh, span.n),
        labels.by_sample(span.v85_kmh, span.n),
        labels.by_sample(span.over_share, span.n),
        labels.by_sample(span.over_10_share, span.n),
        span.complete_days,
        span.coverage,
    )


def patrols(facts: Facts, words: Language) -> Table:
    """The worst hours of the week, ranked."""
    columns = (
        Column("rank", words.say("Rank"), Kind.COUNT),
        Column("hour_of_week", words.say("Hour of the week"), Kind.TEXT),
        Column("over_10_an_hour", words.say("More than 10 over, an hour"), Kind.MEAN),
        Column("over_an_hour", words.say("Over the limit, an hour"), Kind.MEAN),
        Column("mean", words.say("Vehicles an hour"), Kind.MEAN),
        Column("over_share", words.say("Over the limit"), Kind.SHARE),
        Column("hours", words.say("Hours measured"), Kind.COUNT),
    )
    rows = [
        (
            rank,
            labels.hour_of_week(slot.weekday or 0, slot.hour, words),
            slot.over_10_an_hour if slot.sure else Marked(slot.over_10_an_hour, labels.RARE_MARK),
            slot.over_an_hour,
            slot.mean,
            labels.by_sample(slot.over_share, slot.n),
            slot.hours,
        )
        for rank, slot in enumerate(facts.patrols, 1)
    ]
    ranked = words.say(
        "Ranked by vehicles more than 10 km/h over the limit in an hour; only hours that were measured"
        " enough."
    )
    title = words.say("Worst hours of the week")
    return Table("patrols", title, columns, tuple(rows), (ranked, *labels.notes(rows, words)))


def gaps(facts: Facts, words: Language, most: int = MOST_GAPS) -> Table:
    """The longest times in which too little was measured."""
    longest = sorted(facts.quality.gaps, key=lambda gap: gap.from_utc - gap.to_utc)[:most]
    columns = (
        Column("from", words.say("From"), Kind.TIME),
        Column("to", words.say("To"), Kind.TIME),
        Column("measured_s", words.say("Measured, s"), Kind.SECONDS),
    )
    rows = tuple(
        (gap.from_utc.astimezone(facts.zone), gap.to_utc.astimezone(facts.zone), gap.measured_s)
        for gap in longest
    )
    return Table("gaps", words.say("Longest gaps in measuring"), columns, rows)
