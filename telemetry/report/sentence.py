"""The words of a report: the sentence to be pasted, how far to believe it, how it was made."""

from __future__ import annotations

from collections.abc import Iterator

from speedsign.language import Language
from telemetry.query import BOTH
from telemetry.report import calibrated, labels
from telemetry.report.document import Kind
from telemetry.report.facts import Facts
from telemetry.report.values import written
from telemetry.statistics import LOW, PACE_WIDTH_KMH

MOST_BETWEEN = 3  # of a sign that was switched on and off without ever knowing the time: more say nothing


def subtitle(facts: Facts, words: Language) -> str:
    """Period, limit and what was chosen."""
    parts = [
        labels.period(facts, words),
        _limit(facts, words),
        labels.direction(facts.focus, facts.standing, words) if facts.focus != BOTH else None,
        labels.chosen_hours(facts, words),
        words.say("not in these numbers: {list}", list=_others(facts, words)) if facts.others else None,
    ]
    return "; ".join(part for part in parts if part)


def _limit(facts: Facts, words: Language) -> str:
    if facts.own_limit_kmh is None:
        return words.say("speed limit {limit} km/h", limit=facts.limit_kmh)
    return words.say(
        "compared with {limit} km/h; the speed limit is {own} km/h",
        limit=facts.limit_kmh,
        own=facts.own_limit_kmh,
    )


def quote(facts: Facts, words: Language) -> str:
    """What a secretary can put into the minutes; says itself when there is too little to say much."""
    found = facts.main.statistics
    parts = [_opening(facts, words)]
    if found.n and not labels.may_be_shown(found.n):
        parts.append(words.say("These are too few vehicles for a statement about speeds."))
    elif found.n:
        parts += _speeds(facts, words)
        parts += _worst_hour(facts, words)
    parts.append(measuring(facts, words))
    parts += others(facts, words)
    return " ".join(parts)


def others(facts: Facts, words: Language) -> tuple[str, ...]:
    """What else stood in the period that was asked for: a sentence, or none."""
    if not facts.others:
        return ()
    return (
        words.say(
            "The sign stood differently in other parts of this time; those are not in these numbers: {list}.",
            list=_others(facts, words),
        ),
    )


def _others(facts: Facts, words: Language) -> str:
    return "; ".join(labels.installation(one, facts, words) for one in facts.others)


def _opening(facts: Facts, words: Language) -> str:
    where = labels.site(facts.standing, words)
    if facts.focus != BOTH:
        where += f", {labels.direction(facts.focus, facts.standing, words)}"
    when = labels.period(facts, words)
    chosen = labels.chosen_hours(facts, words)
    days = words.say_n("{n} day", "{n} days", facts.days)
    n = facts.main.statistics.n
    if n == 0:
        counted = words.say("no vehicle was counted")
    else:
        counted = words.say_n("{n} vehicle was counted", "{n} vehicles were counted", n)
    text = f"{where}, {when} ({days}): {counted}."
    return f"{text} {chosen}." if chosen else text


def _speeds(facts: Facts, words: Language) -> Iterator[str]:
    found = facts.main.statistics
    v85 = found.percentiles_kmh[85]
    if v85 is None or found.over_limit_share is None or found.over_limit_10_share is None:
        return
    yield words.say(
        "85 % of them drove at {speed} or slower (V85); {limit}.",
        speed=words.speed(v85),
        limit=_limit(facts, words),
    )
    yield words.say(
        "{over} drove faster than {limit} km/h, {over_10} more than 10 km/h faster.",
        limit=facts.limit_kmh,
        over=words.percent(found.over_limit_share),
        over_10=words.percent(found.over_limit_10_share),
    )
    if found.n < LOW:
        yield words.say("With fewer than {n} vehicles these numbers are uncertain.", n=LOW)


def _worst_hour(facts: Facts, words: Language) -> Iterator[str]:
    worst = facts.patrols[0] if facts.patrols else None
    if worst is None or not worst.sure:
        return
    yield words.say_n(
        "Worst hour of the week: {hour}, with {number} vehicles more than 10 km/h over the limit ({n} hour).",
        "Worst hour of the week: {hour}, with {number} vehicles an hour more than 10 km/h over the limit"
        " (mean of {n} hours).",
        worst.hours,
        hour=labels.hour_of_week(worst.weekday or 0, worst.hour, words),
        number=words.decimal(worst.over_10_an_hour or 0.0),
    )


def measuring(facts: Facts, words: Language) -> str:
    """How much of the time was measured: said with everything."""
    share = words.percent(facts.quality.coverage)
    if facts.quality.assumed:
        return words.say(
            "The counts were imported; that {share} of the time was measured is assumed.", share=share
        )
    return words.say("The radar was measuring for {share} of this time.", share=share)


def quality(facts: Facts, words: Language) -> tuple[str, ...]:
    """A sentence for each thing that has to be known before the numbers are believed."""
    return (
        measuring(facts, words),
        *_completeness(facts, words),
        *_doubts(facts, words),
        *calibration(facts, words),
    )


def calibration(facts: Facts, words: Language) -> tuple[str, ...]:
    """Which checks of the sign the speeds rest on; nothing where the numbers came from a file."""
    if facts.calibration is None:
        return ()
    return calibrated.sentences(facts.calibration, facts.zone, facts.to_utc, words)


def _completeness(facts: Facts, words: Language) -> Iterator[str]:
    found = facts.quality
    if facts.chosen is None:
        yield words.say_n(
            "{n} complete day of {days}.",
            "{n} complete days of {days}.",
            found.complete_days,
            days=found.days,
        )
    if found.hours_left_out:
        yield words.say_n(
            "{n} hour of {hours} was measured for less than 75 % and is in no mean.",
            "{n} hours of {hours} were measured for less than 75 % and are in no mean.",
            found.hours_left_out,
            hours=words.count(found.hours),
        )
    yield from clock(facts, words)
    if found.undated:
        yield words.say_n(
            "{n} vehicle was counted while the clock was not known: it is in the totals, in no hour or day.",
            "{n} vehicles were counted while the clock was not known: they are in the totals, in no hour or"
            " day.",
            found.undated,
        )
        yield from _between(facts, words)
    if found.corrected:
        yield words.say(
            "Vehicles of intervals in which some were dated later, when the clock was set: {n} (hours:"
            " {hours}). They count as all others do.",
            n=words.count(found.corrected),
            hours=words.count(found.hours_corrected),
        )
    if found.stepped:
        yield words.say(
            "The clock was set by more than a second while measuring (intervals: {n}).",
            n=words.count(found.stepped),
        )


def _between(facts: Facts, words: Language) -> Iterator[str]:
    """Known times around vehicles that have none."""
    for one in facts.quality.between[:MOST_BETWEEN]:
        after, before = (
            None if at is None else written(at.astimezone(facts.zone), Kind.TIME, words)
            for at in (one.after_utc, one.before_utc)
        )
        n = words.count(one.n)
        if after and before:
            yield words.say(
                "Without a known time: {n}, between {after} and {before}.", n=n, after=after, before=before
            )
        elif after:
            yield words.say("Without a known time: {n}, after {after}.", n=n, after=after)
        elif before:
            yield words.say("Without a known time: {n}, before {before}.", n=n, before=before)


def clock(facts: Facts, words: Language) -> Iterator[str]:
    """Hours that are measured time, and in no hour and day all the same."""
    if facts.quality.hours_undated:
        yield words.say_n(
            "{n} hour was measured while the clock was not sure: what passed then is in no hour or day.",
            "{n} hours were measured while the clock was not sure: what passed then is in no hour or day.",
            facts.quality.hours_undated,
        )


def _doubts(facts: Facts, words: Language) -> Iterator[str]:
    found = facts.quality
    if found.suspect:
        yield words.say_n(
            "{n} vehicle is doubtful (a reflection, or hardly seen): counted, but never the fastest.",
            "{n} vehicles are doubtful (reflections, or hardly seen): counted, but never the fastest.",
            found.suspect,
        )
    if found.scaled:
        yield words.say_n(
            "The speed of {n} vehicle could only be scaled when the mounting angle was corrected.",
            "The speeds of {n} vehicles could only be scaled when the mounting angle was corrected.",
            found.scaled,
        )
    if found.no_direction:
        yield words.say_n(
            "The direction of {n} vehicle is not known: it counts for both directions together, for neither"
            " alone.",
            "The direction of {n} vehicles is not known: they count for both directions together, for neither"
            " alone.",
            found.no_direction,
        )
    if found.fault:
        yield words.say_n(
            "{n} vehicle passed while the display was not under control.",
            "{n} vehicles passed while the display was not under control.",
            found.fault,
        )
    yield from others(facts, words)


def method(facts: Facts, words: Language) -> tuple[str, ...]:
    """How the numbers were made, and what they are not."""
    if facts.standing.facts.rounds:
        edges = words.say("from k − 0.5 to k + 0.5 km/h, because the radar rounds")
    else:
        edges = words.say("from k to k + 1 km/h, because the radar truncates")
    return (
        words.say(
            "V85 is the speed that 85 % of the vehicles do not exceed. All vehicles are added up for each "
            "whole km/h k first; a percentile lies on a straight line inside its class, {edges}. "
            "Mean and standard deviation are of the middles of classes; the pace is the {width} consecutive "
            "km/h with most vehicles.",
            edges=edges,
            width=PACE_WIDTH_KMH,
        ),
        words.say(
            "Over the limit means strictly faster than the limit, in whole km/h. Ranges are 95 % ranges and "
            "take vehicles as independent: how days differ is not in them."
        ),
        words.say(
            "Means of hours take only whole hours of which at least 75 % were measured, means of days only "
            "days of such hours; public holidays count as the weekday they fall on."
        ),
        legal(words),
    )


def legal(words: Language) -> str:
    return words.say("The sign is no legal measuring instrument; its numbers are no evidence against anyone.")
