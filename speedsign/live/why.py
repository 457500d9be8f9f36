"""Why the panel shows what it shows, or nothing: a word for programs and a sentence for people.

Pure: the rules, what is shown and the tracks in sight, as the daemon has them at a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from speedsign.model import Direction
from speedsign.ports import Display
from speedsign.rules import LIT, Rules, Shown, Zone
from speedsign.tracking import TrackingParams
from speedsign.tracking.track import Track

UNSEEN_S = 0.7  # not reported for so long, a vehicle is shown no more than is held (tracking.target)


class Why(NamedTuple):
    """`code` is stable; `text` is a sentence without a full stop."""

    code: str
    text: str


def why(
    shown: Shown,
    rules: Rules,
    tracks: Sequence[Track],
    params: TrackingParams,
    display: Display | None,
    t_mono_s: float,
) -> Why:
    """The first reason that holds, from the panel back to the road."""
    if found := _of_panel(display):
        return found
    if rules.dark:
        return Why("by_plan", "dark by plan: schedule, study or remote setting")
    if shown.zone is not Zone.NONE:
        return _of_zone(shown, rules)
    if not shown.face.is_blank:
        return Why("held", "held for a moment: nobody is seen any more")
    return _of_road(rules, tracks, params, t_mono_s)


def _of_panel(display: Display | None) -> Why | None:
    if display is None:
        return Why("no_panel", "this sign has no panel: it only measures")
    if faults := display.faults():
        return Why("panel_fault", faults[0].text)
    if display.lit() is None:
        return Why("panel_unknown", "the panel has not answered yet")
    return None


def _of_zone(shown: Shown, rules: Rules) -> Why:
    """A vehicle is judged: what its number means."""
    number = f"{shown.number} km/h"
    match shown.zone:
        case Zone.SLOW:
            return Why("below_minimum", f"{number} is below the minimum of {rules.minimum_kmh}")
        case Zone.CEILING:
            return Why("over_ceiling", f"{number} is over the ceiling of {rules.ceiling_kmh}: stays dark")
        case Zone.WITHIN:
            text = f"{number} is within the limit of {rules.limit_kmh}"
        case Zone.OVER:
            text = f"{number} is over the limit of {rules.limit_kmh}"
        case _:
            text = f"{number} is too fast ({rules.too_fast_kmh} and more)"
    if not shown.face.is_blank:
        return Why(shown.zone.value, text)
    pages = rules.pages(shown.zone)
    if shown.zone in LIT and any(page.number or page.word for page in pages):
        return Why("just_dark", f"{text}; dark a moment longer, so that it does not flash")
    return Why("no_face", f"{text}; the rules show nothing then")


def _of_road(rules: Rules, tracks: Sequence[Track], params: TrackingParams, t_mono_s: float) -> Why:
    """No vehicle is judged: is there none, is it not sure yet, or not one to be shown?"""
    seen = [track for track in tracks if t_mono_s - track.t_last_s <= UNSEEN_S]
    if not seen:
        text = "nobody is seen"
        if tracks:
            text += f"; {len(tracks)} out of sight {'is' if len(tracks) == 1 else 'are'} waited for"
        return Why("nobody", text)
    shy = [track for track in seen if not track.confirmed]
    if len(shy) < len(seen):
        ways = ", ".join(sorted({track.direction.value for track in seen if track.confirmed}))
        return Why("other_way", f"{ways}: the rules show {_ways(rules)}")
    best = max(shy, key=lambda track: track.count)
    needed = params.confirm_readings if best.image_of is None else params.image_readings
    return Why("not_confirmed", f"not sure yet: {min(best.count, needed)} of {needed} readings")


def _ways(rules: Rules) -> str:
    return " and ".join(way.value for way in Direction if way in rules.directions) or "nobody"
