"""Brightness by eye: a panel that steps brighter and dimmer as somebody says, and in which light that was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from drivers.display.hand import Hand
from drivers.light_sensor import LightSensorMember, SensorSettings
from drivers.modbus_bus import BusSettings, PymodbusBus
from speedsign.brightness import source_of, sun_of
from speedsign.calibration.curve import MOST_LX
from speedsign.cli.display_ask import Keyboard
from speedsign.cli.display_line import Chosen, raise_if_lost, with_the_panel
from speedsign.cli.field import a_port_has_one_reader
from speedsign.config.schema import Config, DisplayConfig, SensorConfig
from speedsign.daylight import DEFAULT_CURVE, level_of, sunlight_lx
from speedsign.errors import NoReply, UsageError
from speedsign.model import Face
from speedsign.ports import LineSettings
from speedsign.sun import Sun

KEYS = "+ brighter, - dimmer, y good, q quit"
_WORDS = {"brighter": "+", "dimmer": "-", "good": "y", "yes": "y", "quit": "q"}
_USUAL_BAUD = 9600

Say = Callable[[str], None]


@dataclass(slots=True)
class ByEye:
    """Which of a panel's steps, from 0, is right in this light. Pure: lines in, steps out."""

    steps: int
    step: int
    good: bool = False
    ended: bool = False
    seen: list[int] = field(default_factory=list)  # every step that was looked at, in order

    def __post_init__(self) -> None:
        self.seen.append(self.step)

    @property
    def level(self) -> float:
        """0 (dimmest) to 1."""
        return self.step / max(self.steps - 1, 1)

    @property
    def words(self) -> str:
        return f"step {self.step + 1} of {self.steps} [{KEYS}]"

    def typed(self, line: str) -> str | None:
        """Take an answer; a sentence where it changes nothing."""
        word = line.strip().lower()
        word = _WORDS.get(word, word)
        if word in ("y", "q"):
            self.good, self.ended = word == "y", True
            return None
        if not word or set(word) not in ({"+"}, {"-"}):
            return KEYS
        before = self.step
        self.step = min(max(before + word.count("+") - word.count("-"), 0), self.steps - 1)
        if self.step == before:
            return f"it is at its {'brightest' if word[0] == '+' else 'dimmest'} already"
        self.seen.append(self.step)
        return None


async def look(choice: Chosen, eye: ByEye, number: int, say: Say, keep: Callable[[bytes], None]) -> bool:
    """The number on the panel, as bright as is said, until that is right; whether somebody stopped it.

    The panel is dark at the end. Raises PortError, NoReply, BadReply; UsageError where nobody answers.
    """
    hand = choice.hand(eye.level)
    with with_the_panel() as stop:
        async with Keyboard() as keyboard, hand:
            try:
                await hand.put(Face(number))
                say(eye.words)
                await _talk(hand, eye, keyboard, stop, say)
            finally:
                keep(keyboard.rest())
        return stop.is_set()


async def _talk(hand: Hand, eye: ByEye, keyboard: Keyboard, stop: asyncio.Event, say: Say) -> None:
    while not (eye.ended or stop.is_set()):
        line = keyboard.take()
        if line is None:
            if keyboard.ended:
                raise UsageError("nobody says how bright it is; this takes a person, or a curve by hand")
            await _something(keyboard, hand, stop)
            continue
        before = eye.step
        trouble = eye.typed(line)
        if trouble is not None:
            say(trouble)
        if eye.step != before:
            await hand.dim(eye.level)
        if not eye.ended:
            say(eye.words)


async def _something(keyboard: Keyboard, hand: Hand, stop: asyncio.Event) -> None:
    """Until a line has come, or it is over. Raises what ended the keep-alive."""
    waiting = [asyncio.create_task(event.wait()) for event in (keyboard.changed, stop, hand.failed)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    raise_if_lost(hand)


# --------------------------------------------------------------------------- the light


@dataclass(frozen=True, slots=True)
class Light:
    """How light it is, and who says so: option, sensor, sun. `lux` None: the curve does not matter here."""

    lux: float | None
    by: str
    elevation_deg: float | None = None


def light_known(config: Config, given_lux: float | None, now_utc: datetime | None) -> Light | None:
    """What is known without a port; None: the sensor has to be asked.

    `now_utc` None: no clock is to be believed. Raises UsageError where nobody can tell.
    """
    source = source_of(config)
    if given_lux is not None:
        if not 0.0 <= given_lux <= MOST_LX:
            raise UsageError(f"--lux is 0 to {MOST_LX:.0f}")
        return Light(given_lux, "option")
    if source == "fixed":
        return Light(None, "fixed")
    if source == "sensor" and config.brightness.sensor is not None:
        return None
    place = sun_of(config)
    if place is None:
        raise UsageError("how light is it? Give --lux, or set [sign] latitude and longitude")
    if now_utc is None:
        raise UsageError(
            "how light is it? The clock is not to be believed, so the sun cannot tell: give --lux"
        )
    elevation_deg = Sun(*place).elevation_deg(now_utc)
    return Light(sunlight_lx(elevation_deg), "sun", elevation_deg)


async def ask_sensor(sensor: SensorConfig, display: DisplayConfig) -> Light:
    """The light by the sensor, read once. Raises PortError, NoReply."""
    port = sensor.port or display.port
    own_baud = display.baud if port == display.port else None
    bus = PymodbusBus(port, LineSettings(sensor.baud or own_baud or _USUAL_BAUD), BusSettings(resync=False))
    member = LightSensorMember(
        bus,
        SensorSettings(
            unit=sensor.unit,
            address=sensor.address,
            input=sensor.input,
            words=sensor.words,
            lux_per_count=sensor.lux_per_count,
            max_lux=sensor.max_lux,
        ),
    )
    with a_port_has_one_reader():
        await bus.connect()
        try:
            for _ in range(2):  # one reply may be lost
                await member.step()
                if (lux := member.lux()) is not None:
                    return Light(lux, "sensor")
        finally:
            await bus.close()
    why = "; ".join(fault.text for fault in member.faults())
    raise NoReply(port, f"the light sensor says nothing that can be believed ({why}); give --lux")


def first_step(config: Config, light: Light, steps: int) -> int:
    """Where to begin: what the sign would do now."""
    level = config.display.brightness if config.display else 1.0
    if light.lux is not None:
        level = level_of(light.lux, config.brightness.curve or DEFAULT_CURVE)
    level = min(max(level, config.brightness.lowest), config.brightness.highest)
    return round(level * (steps - 1))
