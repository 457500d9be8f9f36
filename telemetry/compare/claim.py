"""The one sentence that the data allow, in the reader's language.

Without a dark baseline none of these sentences speaks of what the sign did: two times differ, and that is
all.
"""

from __future__ import annotations

from speedsign.language import Language
from telemetry.compare.answer import Claim, Comparison
from telemetry.compare.measures import HEADLINE
from telemetry.compare.sides import FEWEST_VEHICLES


def sentence(found: Comparison, words: Language) -> str:
    """The claim. Numbers of fewer than 30 vehicles are not named."""
    if min(found.before.n, found.after.n) < FEWEST_VEHICLES:
        return words.say(
            "Fewer than {n} vehicles were counted in one of the two times: too few to compare.",
            n=FEWEST_VEHICLES,
        )
    if found.claim is Claim.NO_BASELINE:
        return _nobody_knows(found, words) if found.shown_unknown else _two_times(found, words)
    if found.claim is Claim.TOO_FEW:
        return words.say(
            "V85 was {before} while the sign was dark and {after} while it was lit: too few days or "
            "vehicles to say whether that is more than chance.",
            **_speeds(found, words),
        )
    return _by_control(found, words) if found.controls else _alone(found, words)


def _two_times(found: Comparison, words: Language) -> str:
    change = found.change(HEADLINE)
    if change.low is None:
        return words.say(
            "V85 was {before} in the first period and {after} in the second: too few days or vehicles to "
            "say whether that is more than chance. The sign was not dark in the first and lit in the "
            "second, so this says nothing about the sign.",
            **_speeds(found, words),
        )
    if change.clear:
        return words.say(
            "V85 was {before} in the first period and {after} in the second, a difference of {change} (95"
            " % range: {low} to {high}). The sign was not dark in the first and lit in the second, so "
            "other causes are as possible as the sign.",
            **_speeds(found, words),
            **_range(found, words),
        )
    return words.say(
        "V85 was {before} in the first period and {after} in the second, and the 95 % range of the "
        "difference, {low} to {high}, includes zero. The sign was not dark in the first and lit in the "
        "second, so this says nothing about the sign.",
        **_speeds(found, words),
        **_range(found, words),
    )


def _nobody_knows(found: Comparison, words: Language) -> str:
    """Imported from a device that did not tell, or a broken display."""
    change = found.change(HEADLINE)
    if change.low is None:
        return words.say(
            "V85 was {before} in the first period and {after} in the second: too few days or vehicles to "
            "say whether that is more than chance. It is not known what the sign showed in these periods, so "
            "this says nothing about the sign.",
            **_speeds(found, words),
        )
    if change.clear:
        return words.say(
            "V85 was {before} in the first period and {after} in the second, a difference of {change} (95"
            " % range: {low} to {high}). It is not known what the sign showed in these periods, so other "
            "causes are as possible as the sign.",
            **_speeds(found, words),
            **_range(found, words),
        )
    return words.say(
        "V85 was {before} in the first period and {after} in the second, and the 95 % range of the "
        "difference, {low} to {high}, includes zero. It is not known what the sign showed in these periods, "
        "so this says nothing about the sign.",
        **_speeds(found, words),
        **_range(found, words),
    )


def _alone(found: Comparison, words: Language) -> str:
    if found.claim is Claim.UNCLEAR:
        return words.say(
            "No clear effect of the sign: V85 was {before} while it was dark and {after} while it was "
            "lit, and the 95 % range of the change, {low} to {high}, includes zero.",
            **_speeds(found, words),
            **_range(found, words),
        )
    if found.claim is Claim.LOWER:
        return words.say(
            "While the sign was lit, V85 was {size} lower than while it was dark (95 % range of the "
            "change: {low} to {high}); other causes than the sign cannot be ruled out without a control "
            "site.",
            **_range(found, words),
        )
    return words.say(
        "While the sign was lit, V85 was {size} higher than while it was dark (95 % range of the change: "
        "{low} to {high}); other causes than the sign cannot be ruled out without a control site.",
        **_range(found, words),
    )


def _by_control(found: Comparison, words: Language) -> str:
    n = len(found.controls.controls) if found.controls else 0
    if found.claim is Claim.CONTROL_UNCLEAR:
        return words.say_n(
            "No clear effect of the sign: beyond what changed at {n} control site, V85 changed by "
            "{change} when the sign was lit, and the 95 % range, {low} to {high}, includes zero.",
            "No clear effect of the sign: beyond what changed at {n} control sites, V85 changed by "
            "{change} when the sign was lit, and the 95 % range, {low} to {high}, includes zero.",
            n,
            **_range(found, words),
        )
    if found.claim is Claim.CONTROL_LOWER:
        return words.say_n(
            "The effect of the sign: while it was lit, V85 was {size} lower than while it was dark, "
            "beyond what changed at {n} control site (95 % range: {low} to {high}).",
            "The effect of the sign: while it was lit, V85 was {size} lower than while it was dark, "
            "beyond what changed at {n} control sites (95 % range: {low} to {high}).",
            n,
            **_range(found, words),
        )
    return words.say_n(
        "The effect of the sign: while it was lit, V85 was {size} higher than while it was dark, beyond what"
        " changed at {n} control site (95 % range: {low} to {high}).",
        "The effect of the sign: while it was lit, V85 was {size} higher than while it was dark, beyond what"
        " changed at {n} control sites (95 % range: {low} to {high}).",
        n,
        **_range(found, words),
    )


def _speeds(found: Comparison, words: Language) -> dict[str, str]:
    change = found.change(HEADLINE)
    return {"before": words.speed(change.before or 0.0), "after": words.speed(change.after or 0.0)}


def _range(found: Comparison, words: Language) -> dict[str, str]:
    change = found.headline
    difference = change.difference or 0.0
    return {
        "size": words.speed(abs(difference)),
        "change": _signed(difference, words),
        "low": words.decimal(change.low or 0.0, signed=True),
        "high": _signed(change.high or 0.0, words),
    }


def _signed(kmh: float, words: Language) -> str:
    return f"{words.decimal(kmh, signed=True)}\N{NO-BREAK SPACE}km/h"
