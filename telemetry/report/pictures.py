"""The pictures of a report with what they say in one sentence and the same in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from speedsign.language import Language
from telemetry.report import labels, tables, tables_of_time
from telemetry.report.charts import (
    HourPoint,
    TrendPoint,
    heat_map_svg,
    histogram_svg,
    hour_profile_svg,
    trend_svg,
)
from telemetry.report.document import Chart, Kind, Table
from telemetry.report.facts import Facts, Slot
from telemetry.report.spans import Span, Unit


def histogram(facts: Facts, words: Language) -> Chart:
    """Vehicles at each speed, with the limit and V85."""
    table = tables.speed_counts(facts, words)
    found = facts.main.statistics
    v85 = found.percentiles_kmh[85] if labels.may_be_shown(found.n) else None
    most = max(facts.main.counts, key=lambda speed: (facts.main.counts[speed], -speed))
    summary = words.say(
        "The most frequent speed is {speed} km/h; the limit is {limit} km/h.",
        speed=most,
        limit=facts.limit_kmh,
    )
    if v85 is not None:
        summary += " " + words.say("V85 is {speed}.", speed=words.speed(v85))
    svg = histogram_svg(
        facts.main.counts,
        limit_kmh=facts.limit_kmh,
        v85_kmh=v85,
        rounds=facts.standing.facts.rounds,
        words=words,
        key="chart-speeds",
        title=table.title,
        description=summary,
    )
    return Chart("speeds", table.title, svg, summary, table)


def day_profile(facts: Facts, words: Language) -> Chart:
    """The hours of the day."""
    table = tables_of_time.by_hour(facts, words)
    summary = _most(facts.by_hour, lambda slot: labels.hour(slot.hour), words)
    points = [
        HourPoint(slot.hour, slot.mean, _shown(slot.over_share, slot.n), _shown(slot.v85_kmh, slot.n))
        for slot in facts.by_hour
    ]
    svg = hour_profile_svg(
        points,
        limit_kmh=facts.limit_kmh,
        words=words,
        key="chart-hours",
        title=table.title,
        description=summary,
    )
    return Chart("hours", table.title, svg, summary, table)


def week_of_means(facts: Facts, words: Language) -> Chart:
    """Vehicles an hour in each hour of the week."""
    table = tables_of_time.week_of_means(facts, words)
    slots = facts.by_hour_of_week

    def name(slot: Slot) -> str:
        return labels.hour_of_week(slot.weekday or 0, slot.hour, words)

    summary = _most(slots.values(), name, words)
    values = {key: slot.mean for key, slot in slots.items()}
    unit = words.say("vehicles an hour")
    return _heat_map("week-vehicles", table, values, Kind.MEAN, unit, summary, words)


def week_of_shares(facts: Facts, words: Language) -> Chart:
    """The share over the limit in each hour of the week."""
    table = tables_of_time.week_of_shares(facts, words)
    values = {key: _shown(slot.over_share, slot.n) for key, slot in facts.by_hour_of_week.items()}
    known = {key: value for key, value in values.items() if value is not None}
    if known:
        highest = max(known, key=lambda key: known[key])
        summary = words.say(
            "Highest share over the limit: {hour}, {share}.",
            hour=labels.hour_of_week(*highest, words),
            share=words.percent(known[highest]),
        )
    else:
        summary = words.say("No hour of the week has vehicles enough for a share.")
    unit = words.say("share over the limit")
    return _heat_map("week-over", table, values, Kind.SHARE, unit, summary, words)


def _heat_map(
    key: str,
    table: Table,
    values: Mapping[tuple[int, int], float | None],
    kind: Kind,
    unit: str,
    summary: str,
    words: Language,
) -> Chart:
    svg = heat_map_svg(
        values,
        kind=kind,
        unit=unit,
        words=words,
        key=f"chart-{key}",
        title=table.title,
        description=summary,
    )
    return Chart(key, table.title, svg, summary, table)


def trend(facts: Facts, words: Language) -> Chart:
    """Vehicles and V85 along the period."""
    table = tables_of_time.by_time(facts, words)
    counted = [span for span in facts.spans if span.n]
    summary = words.say("Nothing was counted.")
    if facts.quality.undated:
        summary = words.say("Nothing was counted while the clock was sure.")
    if counted:
        most = max(counted, key=lambda span: span.n)
        summary = words.say(
            "Most vehicles: {when}, {n}.", when=labels.span(most, facts.unit, words), n=words.count(most.n)
        )
    known = [v85 for span in facts.spans if (v85 := _shown(span.v85_kmh, span.n)) is not None]
    if known:
        summary += " " + words.say(
            "V85 lies between {low} and {high}.", low=words.speed(min(known)), high=words.speed(max(known))
        )
    svg = trend_svg(
        [_point(span, facts.unit) for span in facts.spans],
        limit_kmh=facts.limit_kmh,
        words=words,
        key="chart-trend",
        title=table.title,
        description=summary,
    )
    return Chart("trend", table.title, svg, summary, table)


def _point(span: Span, unit: Unit) -> TrendPoint:
    n = None if span.clock_unsure and not span.measured else span.n
    return TrendPoint(
        short(span, unit), n, _shown(span.v85_kmh, span.n), span.coverage, complete=span.complete
    )


def short(span: Span, unit: Unit) -> str:
    """What stands below an axis: 04.05., or 2026-05."""
    return f"{span.first:%Y-%m}" if unit is Unit.MONTH else f"{span.first:%d.%m.}"


def _shown(value: float | None, n: int) -> float | None:
    return value if labels.may_be_shown(n) else None


def _most(slots: Iterable[Slot], name: Callable[[Slot], str], words: Language) -> str:
    measured = {slot: slot.mean for slot in slots if slot.mean is not None}
    if not measured:
        return words.say("No hour was measured enough.")
    most = max(measured, key=lambda slot: measured[slot])
    fewest = min(measured, key=lambda slot: measured[slot])
    return words.say(
        "Most vehicles: {hour}, {most} an hour; fewest: {other}, {fewest} an hour.",
        hour=name(most),
        most=words.decimal(measured[most]),
        other=name(fewest),
        fewest=words.decimal(measured[fewest]),
    )
