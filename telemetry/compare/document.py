"""A comparison as a document, for HTML, PDF, spreadsheet and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from speedsign.language import Language
from telemetry.compare import claim, naming, tables
from telemetry.compare.answer import Comparison
from telemetry.compare.measures import HEADLINE, SHARES, SPEEDS, VOLUME
from telemetry.query import Standing
from telemetry.report import labels
from telemetry.report.charts import ChangeRow, before_after_svg
from telemetry.report.document import Block, Chart, Document, Heading, Kind, Paragraph, Plain, Quote

MOST_WEEKS = 16  # in a picture


def compare_document(
    found: Comparison,
    standing: Standing,
    direction: str,
    words: Language,
    *,
    made: str,
    made_at: datetime | None = None,
) -> Document:
    """The whole answer; `made` says by what and when."""
    site = labels.site(standing, words)
    subtitle = ", ".join(
        (
            labels.direction(direction, standing, words),
            words.say("limit {speed} km/h", speed=found.road.limit_kmh),
        )
    )
    return Document(
        title=words.say("Speeds compared: {site}", site=site),
        subtitle=subtitle,
        language=words.code,
        blocks=tuple(_blocks(found, site, words)),
        made=made,
        keywords=(words.say("speed"), "V85"),
        made_at=made_at,
        facts=tuple(_facts(found, standing, direction, words)),
    )


def _facts(
    found: Comparison, standing: Standing, direction: str, words: Language
) -> Iterator[tuple[str, Plain]]:
    """What the numbers are of, by the keys of the JSON where it has them: for programs."""
    yield "site", standing.facts.site
    yield "sign", standing.sign
    yield "installation", standing.id
    yield "direction", direction
    for way in ("approaching", "receding"):
        yield f"{way}_name", getattr(standing.facts, f"{way}_name")
    yield "timezone", standing.facts.timezone
    yield "limit_kmh", found.road.limit_kmh
    yield "baseline", found.baseline
    yield "found_by", "display" if found.by_display else "dates"
    for side in (found.before, found.after):
        yield f"{side.key}_from", side.dates[0] if side.dates else None
        yield f"{side.key}_to", side.dates[-1] if side.dates else None
        yield f"{side.key}_days", side.days
    yield "hours_of_week", found.slots
    for control in found.controls.controls if found.controls else ():
        yield "control_site", control.name
    yield "claim", found.claim.value
    yield "headline", HEADLINE
    yield "resamples", found.draws.resamples
    yield "seed", found.draws.seed
    yield "class_edges_kmh", "[k-0.5, k+0.5)" if found.road.rounds else "[k, k+1)"
    yield "method", naming.method(found, words)


def _blocks(found: Comparison, site: str, words: Language) -> Iterator[Block]:
    yield Quote(claim.sentence(found, words))
    for remark in naming.remarks(found, words):
        yield Paragraph(remark)
    yield tables.sides(found, words)
    yield Heading(words.say("Before and after"))
    yield _picture(found, words)
    yield tables.changes(found, "shares", words.say("Shares"), SHARES, words)
    yield tables.changes(found, "traffic", words.say("Traffic"), (VOLUME,), words)
    if found.controls is not None:
        yield Heading(words.say("Control sites"))
        yield tables.controls(found.controls, site, words)
        title = words.say("Beyond the control sites: speeds")
        yield tables.beyond(found.controls, "beyond_speeds", title, SPEEDS, words)
        title = words.say("Beyond the control sites: shares")
        yield tables.beyond(found.controls, "beyond_shares", title, SHARES, words)
    if found.phases or found.weeks:
        yield Heading(words.say("Over time"))
    if found.phases:
        yield tables.phases(found, words)
    if found.weeks:
        yield _weeks(found, words)
    if found.passing is None:
        yield Heading(words.say("Slowing down while passing"))
    else:
        yield tables.passing(found.passing, words, baseline=found.baseline)
    yield Paragraph(passing_sentence(found, words))
    yield Heading(words.say("How it was computed"))
    yield Paragraph(naming.method(found, words))
    if found.left_out:
        yield tables.left_out(found, words)


def _picture(found: Comparison, words: Language) -> Chart:
    title = words.say("Change of speeds")
    table = tables.changes(found, "speeds", words.say("Speeds"), SPEEDS, words)
    changes = [found.change(measure) for measure in SPEEDS]
    few = not labels.may_be_shown(min(found.before.n, found.after.n))
    rows = [
        ChangeRow(
            naming.measure(change.measure, words),
            None if few else change.before,
            None if few else change.after,
            change.low,
            change.high,
            Kind.CHANGE,
        )
        for change in changes
    ]
    summary = claim.sentence(found, words)
    svg = before_after_svg(rows, words=words, key="speeds", title=title, description=summary)
    return Chart("speeds_chart", title, svg, summary, table)


def _weeks(found: Comparison, words: Language) -> Block:
    table = tables.weeks(found, words)
    if len(found.weeks) > MOST_WEEKS:
        return table
    title = words.say("Change of V85 since the sign was lit, week by week")
    rows = []
    for week in found.weeks:
        change = next(change for change in week.changes if change.measure == "v85_kmh")
        label = words.say("Week {number}", number=week.week)
        few = not labels.may_be_shown(min(week.side.n, found.before.n))
        before, after = (None, None) if few else (change.before, change.after)
        rows.append(ChangeRow(label, before, after, change.low, change.high, Kind.CHANGE))
    summary = words.say("For each week the change of V85 against the dark time, with its 95 % range.")
    svg = before_after_svg(rows, words=words, key="weeks", title=title, description=summary)
    return Chart("weeks_chart", title, svg, summary, table)


def passing_sentence(found: Comparison, words: Language) -> str:
    """How much more vehicles slowed down, or that nothing is known of it."""
    if found.one_speed:
        return words.say("No entry and exit speeds are known.")
    passing = found.passing
    if passing is None:
        return words.say("Entry and exit speeds: no single vehicles are kept from both times.")
    if not labels.may_be_shown(min(passing.before.n, passing.after.n)):
        return words.say("Entry and exit speeds: too few single vehicles are kept from both times.")
    difference = f"{words.decimal(passing.difference_kmh, signed=True)}\N{NO-BREAK SPACE}km/h"
    if passing.low_kmh is None or passing.high_kmh is None:
        return words.say("Difference in slowing down between entry and exit: {change}.", change=difference)
    return words.say(
        "Difference in slowing down between entry and exit: {change} (95 % range: {low} to {high}).",
        change=difference,
        low=words.decimal(passing.low_kmh, signed=True),
        high=words.decimal(passing.high_kmh, signed=True),
    )
