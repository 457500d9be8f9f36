"""Why the panel shows what it shows: each reason in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from speedsign.live.why import why
from speedsign.model import BLANK, Direction, Face, Fault, Reading
from speedsign.ports import Display
from speedsign.rules import DARK, Rules, Shown, Zone, step
from speedsign.tracking import Tracker, TrackingParams

RULES = Rules(limit_kmh=50, minimum_kmh=20, too_fast_kmh=70, ceiling_kmh=100)


class Panel:
    """A display of which only what it says is asked."""

    def __init__(self, lit: Face | None = BLANK, fault: str = "") -> None:
        self._lit, self._fault = lit, fault

    def lit(self) -> Face | None:
        return self._lit

    def faults(self) -> list[Fault]:
        return [Fault("display", "no_reply", self._fault)] if self._fault else []


def reason(
    shown: Shown = DARK,
    rules: Rules = RULES,
    tracker: Tracker | None = None,
    panel: Panel | None = None,
    t_s: float = 10.0,
) -> tuple[str, str]:
    display: Display = panel or Panel()  # type: ignore[assignment]
    tracker = tracker or Tracker()
    return why(shown, rules, tracker.tracks, tracker.params, display, t_s)


def seen(n: int, direction: Direction = Direction.APPROACHING) -> Tracker:
    """A vehicle that has been reported n times, at last at 10 s."""
    tracker = Tracker(TrackingParams())
    tracker.see(Reading(10.0 - 0.1 * i, 48.0, direction, 100.0) for i in reversed(range(n)))
    return tracker


def judged(speed_kmh: float, rules: Rules = RULES) -> Shown:
    """What is shown to a vehicle as fast as that."""
    tracker = Tracker(TrackingParams())
    tracker.see(Reading(9.0 + 0.1 * i, speed_kmh, Direction.APPROACHING, 100.0) for i in range(10))
    return step(DARK, tracker.target(10.0, rules.directions), 10.0, rules)


def test_from_the_panel_back_to_the_road() -> None:
    tracker = Tracker()
    assert why(DARK, RULES, tracker.tracks, tracker.params, None, 10.0).code == "no_panel"
    assert reason(panel=Panel(fault="panel: no answer; check its power")) == (
        "panel_fault",
        "panel: no answer; check its power",
    )
    assert reason(panel=Panel(None)) == ("panel_unknown", "the panel has not answered yet")
    assert reason(judged(55.0), rules=replace(RULES, dark=True))[0] == "by_plan"


@pytest.mark.parametrize(
    ("speed_kmh", "code", "text"),
    [
        (15.0, "below_minimum", "15 km/h is below the minimum of 20"),
        (45.0, "within", "45 km/h is within the limit of 50"),
        (55.0, "over", "55 km/h is over the limit of 50"),
        (80.0, "too_fast", "80 km/h is too fast (70 and more)"),
        (120.0, "over_ceiling", "120 km/h is over the ceiling of 100: stays dark"),
    ],
)
def test_a_vehicle_that_is_judged(speed_kmh: float, code: str, text: str) -> None:
    assert reason(judged(speed_kmh)) == (code, text)


def test_a_zone_without_a_face() -> None:
    rules = replace(RULES, within=())
    assert reason(judged(45.0, rules), rules=rules) == (
        "no_face",
        "45 km/h is within the limit of 50; the rules show nothing then",
    )


def test_dark_for_a_moment_so_that_it_does_not_flash() -> None:
    shown = Shown(zone=Zone.OVER, number=99, track_id=1, since_mono_s=9.5)
    assert reason(shown)[0] == "just_dark"


def test_a_number_that_is_held() -> None:
    assert reason(replace(DARK, face=Face(50)))[0] == "held"


def test_the_road() -> None:
    assert reason() == ("nobody", "nobody is seen")
    assert reason(tracker=seen(2)) == ("not_confirmed", "not sure yet: 2 of 3 readings")
    assert reason(tracker=seen(5, Direction.RECEDING)) == (
        "other_way",
        "receding: the rules show approaching",
    )
    assert reason(tracker=seen(5), t_s=11.0) == ("nobody", "nobody is seen; 1 out of sight is waited for")
