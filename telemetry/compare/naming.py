"""Measures, sides, reasons and remarks in the reader's language; without a baseline in neutral words."""

from __future__ import annotations

from collections.abc import Iterator

from speedsign.language import Language
from telemetry.compare import split
from telemetry.compare.answer import Comparison
from telemetry.compare.measures import VOLUME

_NOTED_VOLUME = 0.05  # of the vehicles an hour: less is no news


def measure(key: str, words: Language) -> str:
    names = {
        "mean_kmh": words.say("Mean speed"),
        "v50_kmh": "V50",
        "v85_kmh": "V85",
        "over_limit_share": words.say("Over the limit"),
        "over_limit_10_share": words.say("More than 10 km/h over"),
        "vehicles_per_hour": words.say("Vehicles per hour"),
    }
    return names[key]


def side(key: str, words: Language, *, baseline: bool) -> str:
    """Before and after, as what they are."""
    names = {
        "before": words.say("Dark") if baseline else words.say("First period"),
        "after": words.say("Lit") if baseline else words.say("Second period"),
        "dark_before": words.say("Dark before"),
        "lit": words.say("Lit"),
        "dark_between": words.say("Dark in between"),
        "dark_after": words.say("Dark after"),
    }
    return names[key]


def reason(key: str, words: Language) -> str:
    """Why hours were left out."""
    names = {
        split.LITTLE: words.say("measured less than 75 %, or only in part inside the period"),
        split.UNSURE: words.say("a fault of the display, or dark and lit in one interval"),
        split.SWITCHED: words.say("partly dark, partly lit"),
        split.PLANNED: words.say("dark on a day on which the sign was lit"),
        split.EMPTY: words.say("no vehicle, and nothing else tells whether the sign was lit"),
        split.UNMATCHED: words.say("an hour of the week that only one side has"),
    }
    return names[key]


def remarks(found: Comparison, words: Language) -> Iterator[str]:
    """What a reader should know before using the numbers."""
    if found.lit_then_dark:
        yield words.say(
            "The sign was lit first and dark afterwards: give the dark days with --before and the lit "
            "ones with --after to use them as a baseline."
        )
    volume = found.change(VOLUME)
    if volume.clear and volume.before and abs((volume.difference or 0.0) / volume.before) > _NOTED_VOLUME:
        yield words.say(
            "Traffic itself changed: {before} vehicles an hour before, {after} after. Less traffic is "
            "faster.",
            before=words.decimal(volume.before),
            after=words.decimal(volume.after or 0.0),
        )
    if found.unsure_vehicles:
        yield words.say_n(
            "{n} vehicle is left out because it is not known what it was shown.",
            "{n} vehicles are left out because it is not known what they were shown.",
            found.unsure_vehicles,
        )
    if found.undated:
        yield words.say_n(
            "{n} vehicle is left out because nobody vouches for its time.",
            "{n} vehicles are left out because nobody vouches for their time.",
            found.undated,
        )
    yield from found.notes


def method(found: Comparison, words: Language) -> str:
    return words.say(
        "Only hours of the week that both sides measured, each with the same weight on both; percentiles "
        "from the weighted counts by the grouped rule, classes of 1 km/h. Ranges: {resamples} draws of "
        "whole days with replacement, within Monday-Friday and within the weekend (seed {seed}), standard"
        " error times Student's t.",
        resamples=words.count(found.draws.resamples),
        seed=found.draws.seed,
    )
