"""How bright the panel is now, judged by eye: it becomes a point of the curve, or the fixed level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from speedsign.brightness import BrightnessControl, source_of, sun_of
from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Finding
from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import one_of
from speedsign.cli.commissioning.hardware import hand_of, panel_of, standing_step
from speedsign.cli.commissioning.panel_step import STANDING
from speedsign.cli.commissioning.session import Session
from speedsign.cli.field import a_port_has_one_reader
from speedsign.config.schema import Config
from speedsign.daylight import DEFAULT_CURVE, sunlight_lx
from speedsign.model import Face
from speedsign.sun import Sun

SHOWN = 88
_NEAR = 3.0  # points of the curve whose light differs by less than this factor are one
_LEAST_LUX = 0.01
_LOW_PART = 0.35  # of the panel's steps


@dataclass(frozen=True, slots=True)
class Now:
    """What the sign would set now, and by what light. `lux` None: nobody knows the light."""

    step: int  # from 1, the dimmest
    steps: int
    lux: float | None

    def level(self, step: int) -> float:
        return (step - 1) / max(self.steps - 1, 1)


async def run(session: Session) -> None:
    """Shows a number as bright as the sign would, and asks until it is good."""
    if session.get("display.driver") is None:
        session.say("No panel: nothing to set.")
        return
    if session.given.get("no_probe"):
        session.say("Brightness is left as it is: --no-probe.")
        return
    _, driver = panel_of(session)
    steps = driver.capabilities.brightness_levels
    if steps < 2:
        session.say("The sign cannot set the brightness of this panel.")
        return
    now = now_of(session, steps)
    where = "the light is not known" if now.lux is None else f"{now.lux:.2g} lx by the sun"
    session.say(f"The sign would set step {now.step} of {steps} now ({where}).")
    _say_low(session, now)
    if session.asker.yes:
        session.say("Left so: nobody looked.")
        return
    await session.free_ports()
    await _say_standing(session, steps)
    step = await _by_eye(session, now)
    await _settle(session, now, step)


def now_of(session: Session, steps: int) -> Now:
    """As the sign does it at this moment, its sensor left out: by the sun, else fixed."""
    config = _config(session)
    if config is None:
        return Now(steps, steps, None)
    believed = session.clock.trusted() or config.clock.trust == "always"
    now_utc = session.clock.now_utc() if believed else None
    source = "sun" if source_of(config) == "sensor" else source_of(config)
    place = sun_of(config)
    sun = Sun(*place) if place and source == "sun" else None
    fixed = config.display.brightness if config.display else 1.0
    settings = replace(config.brightness, ramp_s=0.1)
    control = BrightnessControl(source, steps, settings, fixed, sun.elevation_deg if sun else None)
    level = control.level(0.0, now_utc, None)
    lux = sunlight_lx(sun.elevation_deg(now_utc)) if sun and now_utc else None
    return Now(1 + round((1.0 if level is None else level) * (steps - 1)), steps, lux)


def _config(session: Session) -> Config | None:
    """The draft as a config, where it is whole already."""
    return None if session.complaints(("",)) else session.config()


def _say_low(session: Session, now: Now) -> None:
    """A config that keeps a panel dim by day is a fault that nobody finds at a desk."""
    highest = session.get("brightness.highest", 1.0)
    if highest < 1.0:
        session.say(f"The config never goes above {highest:g} of the panel: [brightness] highest.")
    low = now.step - 1 < _LOW_PART * (now.steps - 1)
    if low and now.lux is None:
        session.say(f"DIM in the config: [display] brightness = {session.get('display.brightness', 1.0):g}.")


async def _say_standing(session: Session, steps: int) -> None:
    """At which step it was found, before anybody set it."""
    if STANDING in session.notes:
        return
    parts, driver = panel_of(session)
    step = session.notes[STANDING] = await standing_step(parts, driver)
    if step is not None:
        session.say(f"It stands at step {step} of {steps}.")


async def _by_eye(session: Session, now: Now) -> int:
    """The step at which the technician calls it good. The panel is dark again then."""
    step = now.step
    with a_port_has_one_reader():
        async with hand_of(session, now.level(step)) as hand:
            await hand.put(Face(SHOWN))
            while True:
                answer = await session.asker.ask(
                    f"Step {step} of {now.steps}: + brighter, - dimmer, y good", one_of(("+", "-", "y")),
                    default="y", about="Look from where drivers see it, 50 m away. It must not dazzle.",
                )  # fmt: skip
                if answer == "y":
                    return step
                wanted = step + (1 if answer == "+" else -1)
                if not 1 <= wanted <= now.steps:
                    session.say("That is its brightest." if wanted > step else "That is its dimmest.")
                    continue
                step = wanted
                await hand.dim(now.level(step))


async def _settle(session: Session, now: Now, step: int) -> None:
    """What differs from what the sign would do goes into the config."""
    before: dict[str, Any] = {}
    if step != now.step:
        before = _changed(session, now, step)
    finding = Finding(
        kind=Kind.BRIGHTNESS,
        driver=session.get("display.driver"),
        sentence=f"Step {step} of {now.steps} was called good.",
        verdict=Verdict.DONE,
        device={"stood_at_step": session.notes.get(STANDING)},
        before=before,
        after={key: session.get(key) for key in before},
        runs=[{"step": step, "of": now.steps, "sign_would_set": now.step, "lux": now.lux}],
        result={"method": "commission"},
    )
    await records.note(session, finding)


def _changed(session: Session, now: Now, step: int) -> dict[str, Any]:
    """Put the new level into the draft; what the keys were before."""
    level = round(now.level(step), 3)
    if now.lux is None:
        session.put({"display.brightness": level})
        session.say(f"[display] brightness = {level:g}")
        return {"display.brightness": session.before("display.brightness", 1.0)}
    old = session.get("brightness.curve") or [list(point) for point in DEFAULT_CURVE]
    curve = with_point(old, now.lux, level)
    values: dict[str, Any] = {"brightness.curve": curve}
    if level > session.get("brightness.highest", 1.0):
        values["brightness.highest"] = level
    if level < session.get("brightness.lowest", 0.0):
        values["brightness.lowest"] = level
    session.put(values)
    session.say(f"[brightness] curve: {level:g} at {now.lux:.2g} lx")
    return {key: session.before(key) for key in values}


def with_point(curve: list[Any], lux: float, level: float) -> list[list[float]]:
    """A curve that goes through this point: near ones give way, others are kept from falling with more light.

    >>> with_point([[1, 0.0], [100, 0.5], [10000, 1.0]], 120, 0.8)
    [[1.0, 0.0], [120.0, 0.8], [10000.0, 1.0]]
    """
    lux = float(f"{max(lux, _LEAST_LUX):.3g}")
    kept = [(float(x), float(y)) for x, y in curve if not lux / _NEAR < max(x, _LEAST_LUX) < lux * _NEAR]
    bent = [(x, min(y, level) if x < lux else max(y, level)) for x, y in kept]
    return [list(point) for point in sorted([*bent, (lux, level)])]
