"""The report for residents, in plain words, from what may be published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from speedsign.language import Language
from telemetry.query import BOTH
from telemetry.report import labels, sentence
from telemetry.report.about import about
from telemetry.report.calibrated import proofs_json
from telemetry.report.charts import HourPoint, TrendPoint, hour_profile_svg, trend_svg
from telemetry.report.document import (
    Block,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Heading,
    Kind,
    Marked,
    Paragraph,
    Plain,
    Quote,
    Table,
    Value,
)
from telemetry.report.pictures import short
from telemetry.report.public import FEWEST, PublicFacts
from telemetry.report.spans import Span, Unit
from telemetry.statistics import LOW

HIDDEN_MARK = "°"


def build_public(
    public: PublicFacts, words: Language, *, made: str, made_at: datetime | None = None
) -> Document:
    """The whole report; `made` says by what and when."""
    facts = public.facts
    return Document(
        title=words.say("Traffic and speeds: {site}", site=labels.site(facts.standing, words)),
        subtitle=sentence.subtitle(facts, words),
        language=words.code,
        blocks=tuple(_blocks(public, words)),
        made=made,
        made_at=made_at,
        keywords=(words.say("traffic count"), words.say("speed")),
        facts=about(facts),
    )


def _blocks(public: PublicFacts, words: Language) -> Iterator[Block]:
    figures = _figures(public, words)
    yield figures
    for note in _notes([[figure.value for figure in figures.items]], words):
        yield Paragraph(note)
    yield Quote(quote(public, words))
    yield Heading(words.say("How fast?"))
    yield _bands(public, words)
    if public.directions:
        yield _directions(public, words)
    yield Heading(words.say("When?"))
    if any(mean is not None for _, mean in public.by_hour):
        yield _hours(public, words)
    if public.spans:
        yield _days(public, words)
    yield Heading(words.say("What to know about these numbers"))
    yield Paragraph(
        words.say("The sign counts by radar: it has no camera and knows neither plates nor owners.")
    )
    yield Paragraph(sentence.measuring(public.facts, words))
    for say in (sentence.clock, sentence.calibration, sentence.others):
        for text in say(public.facts, words):
            yield Paragraph(text)
    yield Paragraph(sentence.legal(words))


def quote(public: PublicFacts, words: Language) -> str:
    """The same in a few plain sentences."""
    facts = public.facts
    where, when = labels.site(facts.standing, words), labels.period(facts, words)
    if not facts.quality.measured_s:
        return words.say("{site}, {period}: nothing was measured.", site=where, period=when)
    if public.n is None:
        return words.say("{site}, {period}: fewer than {n} vehicles.", site=where, period=when, n=FEWEST)
    counted = words.say_n("{n} vehicle was counted", "{n} vehicles were counted", public.n)
    parts = [f"{where}, {when}: {counted}.", *sentence.others(facts, words)]
    if not labels.may_be_shown(public.n):
        return " ".join([*parts, words.say("These are too few vehicles for a statement about speeds.")])
    if public.within_share is not None:
        parts.append(
            words.say(
                "{share} of them kept to the limit of {limit} km/h.",
                share=words.percent(public.within_share),
                limit=facts.limit_kmh,
            )
        )
    if public.v85_kmh is not None:
        parts.append(
            words.say("85 of 100 drove at {speed} km/h or slower.", speed=words.count(public.v85_kmh))
        )
    if public.n < LOW:
        parts.append(words.say("With fewer than {n} vehicles these numbers are uncertain.", n=LOW))
    return " ".join(parts)


def _shown(value: Plain) -> Value:
    return Marked(None, HIDDEN_MARK) if value is None else value


def _figures(public: PublicFacts, words: Language) -> Figures:
    limit = public.facts.limit_kmh
    items = [Figure(words.say("Vehicles"), _shown(public.n), Kind.COUNT)]
    if public.adt is not None:
        items.append(Figure(words.say("Vehicles a day"), public.adt, Kind.COUNT))
    known: list[tuple[str, Plain, Kind, str]] = [
        (
            words.say("85 of 100 drive at most"),
            public.v85_kmh,
            Kind.KMH,
            words.say("experts say V85"),
        ),
        (words.say("Average speed"), public.mean_kmh, Kind.KMH, ""),
        (
            words.say("Keep to the limit"),
            public.within_share,
            Kind.SHARE,
            words.say("at most {limit} km/h", limit=limit),
        ),
        (
            words.say("Much too fast"),
            public.over_10_share,
            Kind.SHARE,
            words.say("faster than {speed} km/h", speed=limit + 10),
        ),
    ]
    n = public.n or 0
    items += [
        Figure(title, labels.by_sample(value, n), kind, remark)
        for title, value, kind, remark in known
        if value is not None
    ]
    return Figures(tuple(items))


def _bands(public: PublicFacts, words: Language) -> Table:
    columns = (
        Column("band", words.say("Speed"), Kind.TEXT),
        Column("n", words.say("Vehicles"), Kind.COUNT),
        Column("share", words.say("Share"), Kind.SHARE),
    )
    rows: list[tuple[Value, ...]] = [
        (labels.band(band, words), _shown(n), labels.by_sample(n and n / (public.n or n), public.n or 0))
        for band, n in public.bands
    ]
    rows.append((words.say("All"), _shown(public.n), None))
    return Table("bands", words.say("Vehicles by speed"), columns, tuple(rows), _notes(rows, words))


def _directions(public: PublicFacts, words: Language) -> Table:
    standing = public.facts.standing
    columns = (
        Column("direction", words.say("Direction"), Kind.TEXT),
        Column("n", words.say("Vehicles"), Kind.COUNT),
    )
    rows: list[tuple[Value, ...]] = [
        (labels.direction(name, standing, words), _shown(n)) for name, n in public.directions
    ]
    rows.append((labels.direction(BOTH, standing, words), _shown(public.n)))
    title = words.say("Vehicles by direction")
    return Table("directions", title, columns, tuple(rows), _notes(rows, words))


def _hours(public: PublicFacts, words: Language) -> Chart:
    columns = (
        Column("hour", words.say("Hour"), Kind.TEXT),
        Column("mean", words.say("Vehicles an hour"), Kind.MEAN),
    )
    hours = {slot.hour: slot.hours for slot in public.facts.by_hour}
    rows: list[tuple[Value, ...]] = [
        (labels.hour(hour), _shown(mean) if hours[hour] else None) for hour, mean in public.by_hour
    ]
    title = words.say("By hour of the day")
    table = Table("by_hour", title, columns, tuple(rows), _notes(rows, words))
    known = {hour: mean for hour, mean in public.by_hour if mean is not None}
    most = max(known, key=lambda hour: known[hour])
    summary = words.say(
        "Most vehicles: {hour}, {most} an hour.", hour=labels.hour(most), most=words.decimal(known[most])
    )
    svg = hour_profile_svg(
        [HourPoint(hour, mean, None) for hour, mean in public.by_hour],
        words=words,
        key="chart-hours",
        title=title,
        description=summary,
    )
    return Chart("hours", title, svg, summary, table)


def _days(public: PublicFacts, words: Language) -> Chart:
    unit = public.facts.unit
    titles = {
        Unit.DAY: (words.say("By day"), words.say("Day")),
        Unit.WEEK: (words.say("By week"), words.say("Week")),
        Unit.MONTH: (words.say("By month"), words.say("Month")),
    }
    title, head = titles[unit]
    columns = (
        Column("first", head, Kind.DATE) if unit is Unit.DAY else Column("span", head, Kind.TEXT),
        Column("n", words.say("Vehicles"), Kind.COUNT),
        Column("coverage", words.say("Time measured"), Kind.SHARE),
    )
    rows = [
        (span.first if unit is Unit.DAY else labels.span(span, unit, words), _of_span(span, n), span.coverage)
        for span, n in public.spans
    ]
    table = Table(f"by_{unit}", title, columns, tuple(rows), _notes(rows, words))
    known = {span: n for span, n in public.spans if n is not None}
    summary = words.say("No count is large enough to be shown.")
    if known:
        most = max(known, key=lambda span: known[span])
        summary = words.say(
            "Most vehicles: {when}, {n}.", when=labels.span(most, unit, words), n=words.count(known[most])
        )
    svg = trend_svg(
        [
            TrendPoint(short(span, unit), n, None, span.coverage, complete=span.complete)
            for span, n in public.spans
        ],
        words=words,
        key="chart-trend",
        title=title,
        description=summary,
    )
    return Chart("trend", title, svg, summary, table)


def _of_span(span: Span, n: int | None) -> Value:
    mark = HIDDEN_MARK if n is None and span.measured else ""
    mark += "" if span.complete else labels.PART_MARK
    mark += labels.UNSURE_MARK if span.clock_unsure else ""
    return Marked(n, mark) if mark else n


def _notes(rows: Sequence[Sequence[Value]], words: Language) -> tuple[str, ...]:
    """What the marks mean, the one for hidden counts included."""
    found = labels.notes(rows, words)
    if not any(isinstance(cell, Marked) and HIDDEN_MARK in cell.mark for row in rows for cell in row):
        return found
    why = words.say(
        "fewer than {n} vehicles, or a number from which such a count could be worked out: "
        "not shown, so that nobody can be recognised",
        n=FEWEST,
    )
    return (*found, f"{HIDDEN_MARK} {why}")


# --------------------------------------------------------------------------- for programs


def public_json(public: PublicFacts) -> dict[str, Any]:
    """The same numbers; null: hidden, or not known."""
    facts = public.facts
    return {
        "site": facts.standing.facts.site,
        "from": facts.from_local.isoformat(),
        "to": facts.to_local.isoformat(),
        "timezone": facts.standing.facts.timezone,
        "limit_kmh": facts.limit_kmh,
        "focus": facts.focus,
        "n": public.n,
        "adt": public.adt,
        "v85_kmh": public.v85_kmh,
        "mean_kmh": public.mean_kmh,
        "within_limit_share": public.within_share,
        "over_limit_share": public.over_share,
        "over_limit_10_share": public.over_10_share,
        "bands": [
            {"band": band.name, "from_kmh": band.from_kmh, "to_kmh": band.to_kmh, "n": n}
            for band, n in public.bands
        ],
        "directions": [{"direction": name, "n": n} for name, n in public.directions],
        "by_hour": [{"hour": hour, "mean": mean} for hour, mean in public.by_hour],
        "unit": facts.unit.value,
        "spans": [
            {
                "first": span.first.isoformat(),
                "last": span.last.isoformat(),
                "n": n,
                "coverage": span.coverage,
            }
            for span, n in public.spans
        ],
        "coverage": facts.quality.coverage,
        "coverage_assumed": facts.quality.assumed,
        "calibrations": None if facts.calibration is None else proofs_json(facts.calibration),
        "fewest": FEWEST,
    }
