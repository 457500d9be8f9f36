"""From the facts to a document: the one page an officer wants first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from speedsign.language import Language
from telemetry.report import labels, pictures, sentence, tables, tables_of_time
from telemetry.report.about import about
from telemetry.report.document import (
    Block,
    Document,
    Figure,
    Figures,
    Heading,
    Kind,
    Paragraph,
    Quote,
    Value,
)
from telemetry.report.facts import OVER_KMH, Facts


def build(facts: Facts, words: Language, *, made: str, made_at: datetime | None = None) -> Document:
    """The whole report; `made` says by what and when."""
    return Document(
        title=words.say("Traffic and speeds: {site}", site=labels.site(facts.standing, words)),
        subtitle=sentence.subtitle(facts, words),
        language=words.code,
        blocks=tuple(_blocks(facts, words)),
        made=made,
        made_at=made_at,
        keywords=(words.say("traffic count"), words.say("speed"), "V85"),
        facts=about(facts),
    )


def _blocks(facts: Facts, words: Language) -> Iterator[Block]:
    figures = key_figures(facts, words)
    yield figures
    for note in labels.notes([[figure.value for figure in figures.items]], words):
        yield Paragraph(note)
    yield Quote(sentence.quote(facts, words))
    yield from _speeds(facts, words)
    yield from _hours(facts, words)
    yield from _days(facts, words)
    yield from _reliance(facts, words)


def _speeds(facts: Facts, words: Language) -> Iterator[Block]:
    yield Heading(words.say("Speeds"))
    yield tables.bands(facts, words)
    yield tables.speeds(facts, words)
    yield tables.volumes(facts, words)
    yield tables.precision(facts, words)
    if facts.main.statistics.n:
        yield pictures.histogram(facts, words)


def _hours(facts: Facts, words: Language) -> Iterator[Block]:
    if not any(slot.n for slot in facts.by_hour):
        return
    yield Heading(words.say("Hours"))
    if facts.patrols:
        yield tables_of_time.patrols(facts, words)
    else:
        yield Paragraph(
            words.say("In no hour that was measured enough was a vehicle more than 10 km/h over the limit.")
        )
    yield pictures.week_of_means(facts, words)
    yield pictures.week_of_shares(facts, words)
    yield pictures.day_profile(facts, words)


def _days(facts: Facts, words: Language) -> Iterator[Block]:
    if facts.spans:
        yield Heading(words.say("Day by day") if len(facts.spans) == facts.days else words.say("Over time"))
        yield pictures.trend(facts, words)


def _reliance(facts: Facts, words: Language) -> Iterator[Block]:
    yield Heading(words.say("How far these numbers can be relied on"))
    for text in sentence.quality(facts, words):
        yield Paragraph(text)
    if facts.quality.gaps:
        yield tables_of_time.gaps(facts, words)
    for text in sentence.method(facts, words):
        yield Paragraph(text)


def key_figures(facts: Facts, words: Language) -> Figures:
    """The numbers that are to be seen at once."""
    found, limit = facts.main.statistics, facts.limit_kmh

    def figure(title: str, value: float | None, kind: Kind, remark: str = "") -> Figure:
        shown: Value = labels.by_sample(value, found.n)
        return Figure(title, shown, kind, remark)

    faster = words.say("faster than {speed} km/h", speed=limit)
    much_faster = words.say("faster than {speed} km/h", speed=limit + OVER_KMH)
    return Figures(
        (
            Figure(
                words.say("Vehicles"), found.n, Kind.COUNT, words.say_n("{n} day", "{n} days", facts.days)
            ),
            _per_day(facts, words),
            figure(words.say("V85"), found.percentiles_kmh[85], Kind.SPEED, _range(facts, words)),
            figure(words.say("Mean"), found.mean_kmh, Kind.SPEED),
            figure(words.say("Over the limit"), found.over_limit_share, Kind.SHARE, faster),
            figure(words.say("More than 10 over"), found.over_limit_10_share, Kind.SHARE, much_faster),
            figure(
                words.say("Within the limit"),
                found.within_limit_share,
                Kind.SHARE,
                words.say("road safety indicator of the EU"),
            ),
        )
    )


def _per_day(facts: Facts, words: Language) -> Figure:
    """Vehicles a day; where only some hours were asked for, vehicles an hour."""
    if facts.chosen is None:
        volume = facts.main.volume
        remark = words.say_n("mean of {n} complete day", "mean of {n} complete days", volume.complete_days)
        return Figure(words.say("Vehicles a day"), volume.adt, Kind.MEAN, remark)
    hours = sum(slot.hours for slot in facts.by_hour)
    mean = sum(slot.n for slot in facts.by_hour) / hours if hours else None
    remark = words.say_n("mean of {n} hour", "mean of {n} hours", hours)
    return Figure(words.say("Vehicles an hour"), mean, Kind.MEAN, remark)


def _range(facts: Facts, words: Language) -> str:
    low, high = facts.main.v85_range_kmh
    if low is None or high is None or not labels.may_be_shown(facts.main.statistics.n):
        return ""
    return words.say("95 % range: {low} to {high} km/h", low=words.decimal(low), high=words.decimal(high))
