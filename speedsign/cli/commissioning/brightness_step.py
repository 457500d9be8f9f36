"""How bright the panel is now, judged by eye: it becomes a point of the curve, or the fixed level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from speedsign.brightness import Source, source_of, sun_of
from speedsign.calibration.curve import Contradiction, with_point
from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.believed import believed
from speedsign.cli.calibrating.book import Finding
from speedsign.cli.calibrating.eye import ByEye
from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import number
from speedsign.cli.commissioning.hardware import panel_of
from speedsign.cli.commissioning.panel_step import STANDING
from speedsign.cli.commissioning.session import Session
from speedsign.config.schema import Config
from speedsign.daylight import DEFAULT_CURVE, level_of, sunlight_lx
from speedsign.model import Face
from speedsign.sun import Sun

SHOWN = 88
_LIGHTS = {"d": 10_000.0, "k": 100.0, "n": 1.0}  # an overcast day, dusk, a lit street at night
_LOW_PART = 0.35  # of the panel's steps


@dataclass(frozen=True, slots=True)
class Now:
    """What the sign would set now. `lux` None: its brightness is fixed, whatever the light."""

    step: int  # from 1, the dimmest
    steps: int
    lux: float | None


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
    now = await _now(session, steps)
    where = "fixed" if now.lux is None else f"{now.lux:.0f} lx"
    session.say(f"Now the sign would set step {now.step} of {steps} ({where}).")
    _say_low(session, now)
    if session.asker.yes:
        session.say("Left so: nobody looked.")
        return
    await session.free_ports()
    await _say_standing(session, steps)
    await _settle(session, now, await _by_eye(session, now))


async def _now(session: Session, steps: int) -> Now:
    """As the sign does it at this moment, its sensor left out: by the sun, else fixed."""
    config = session.whole_config()
    source: Source = "fixed" if config is None else source_of(config)
    if config is None or source == "fixed":
        level = float(session.get("display.brightness", 1.0))
        return Now(1 + round(level * (steps - 1)), steps, None)
    lux = _sunlight_lx(session, config)
    if lux is None:
        session.say("The clock is not set: the sun cannot tell the light.")
        lux = await session.asker.ask(
            "How light is it? d day, k dusk, n night", _light, default="d", about="Or a number, in lux."
        )
    curve = config.brightness.curve or DEFAULT_CURVE
    level = min(max(level_of(lux, curve), config.brightness.lowest), config.brightness.highest)
    return Now(1 + round(level * (steps - 1)), steps, lux)


def _light(text: str) -> float:
    word = text.strip().lower()
    if word[:1] in _LIGHTS:
        return _LIGHTS[word[0]]
    try:
        lux = number(word)
    except ValueError:
        raise ValueError("answer d, k, n, or a number of lux") from None
    if not 0.0 <= lux <= 200_000.0:
        raise ValueError("light is 0 to 200000 lux")
    return lux


def _sunlight_lx(session: Session, config: Config) -> float | None:
    """By the sun; None where the time or the place is not known."""
    place = sun_of(config)
    clock = believed(session.clock, config.store.path, always=config.clock.trust == "always")
    if place is None or not clock.trusted():
        return None
    return sunlight_lx(Sun(*place).elevation_deg(session.clock.now_utc()))


def _say_low(session: Session, now: Now) -> None:
    """A config that keeps a panel dim by day is a fault that nobody finds at a desk."""
    highest = session.get("brightness.highest", 1.0)
    if highest < 1.0:
        session.say(f"DIM in the config: [brightness] highest = {highest:g}.")
    if now.lux is None and now.step - 1 < _LOW_PART * (now.steps - 1):
        session.say(f"DIM in the config: [display] brightness = {session.get('display.brightness', 1.0):g}.")


async def _say_standing(session: Session, steps: int) -> None:
    """At which step it was found, before anybody set it."""
    if STANDING in session.notes:
        return
    parts, driver = panel_of(session)
    step = session.notes[STANDING] = await session.devices.standing_step(parts, driver)
    if step is not None:
        session.say(f"It stands at step {step} of {steps}.")


async def _by_eye(session: Session, now: Now) -> ByEye:
    """The step at which the technician calls it good. The panel is dark again then."""
    eye = ByEye(now.steps, now.step - 1)
    parts, driver = panel_of(session)
    async with session.devices.hold(parts, driver, eye.level) as hand:
        await hand.put(Face(SHOWN))
        while not eye.ended:
            typed = await session.asker.ask(
                f"Step {eye.step + 1} of {eye.steps}: + brighter, - dimmer, y good", str, default="y",
                about="Look from where drivers see it, 50 m away. It must not dazzle. ++ is two steps.",
            )  # fmt: skip
            if trouble := eye.typed(typed):
                session.say(trouble)
            await hand.dim(eye.level)
    return eye


async def _settle(session: Session, now: Now, eye: ByEye) -> None:
    """What differs from what the sign would do goes into the config."""
    changed: dict[str, Any] = {}
    if eye.step + 1 != now.step:
        changed = await _wanted(session, now, eye)
    before = {key: session.before(key) for key in changed}
    session.put(changed)
    for key, value in changed.items():
        session.say(f"{key} = {value}")
    finding = Finding(
        kind=Kind.BRIGHTNESS,
        driver=session.get("display.driver"),
        sentence=f"Step {eye.step + 1} of {eye.steps} was called good.",
        verdict=Verdict.DONE,
        device={"stood_at_step": session.notes.get(STANDING), "sign_would_set": now.step},
        before=before,
        after=changed,
        runs=[{"step": step + 1} for step in eye.seen],
        result={"method": "commission", "lux": now.lux, "step": eye.step + 1, "steps": eye.steps},
    )
    await records.note(session, finding)


async def _wanted(session: Session, now: Now, eye: ByEye) -> dict[str, Any]:
    """The keys that make the sign do so in this light."""
    level = round(eye.level, 3)
    if now.lux is None:
        return {"display.brightness": level}
    curve = [(float(lux), float(at)) for lux, at in session.get("brightness.curve", [])]
    try:
        points = with_point(curve, now.lux, level)
    except Contradiction as against:
        session.say(f"{against}.")
        if not await session.asker.confirm("Take that out of the curve?", default=False):
            return {}
        points = with_point(curve, now.lux, level, replace=True)
    values: dict[str, Any] = {"brightness.curve": [list(point) for point in points]}
    if level > session.get("brightness.highest", 1.0):
        values["brightness.highest"] = level
    if level < session.get("brightness.lowest", 0.0):
        values["brightness.lowest"] = level
    return values
