"""The talk beside the road: a vehicle passes, the technician says how fast it was.

`Dialogue` knows neither time nor terminal: vehicles and typed lines in, lines to show out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

from speedsign.calibration.drive_by import Run
from speedsign.calibration.record import Verdict
from speedsign.cli.calibrating.given import speed
from speedsign.cli.calibrating.mounting import SAME_DEG
from speedsign.cli.calibrating.runs import Pass, Runs
from speedsign.cli.calibrating.technician import Technician
from speedsign.cli.display_ask import Keyboard
from speedsign.cli.field import told_to_stop
from speedsign.cli.hearing import Source, hear
from speedsign.errors import UsageError
from speedsign.model import Direction, RadarEvent, Unit, Vehicle
from speedsign.ports import Clock

HELP = (
    "a speed: how fast it was",
    "4=50: number 4 was it",
    "x: not mine   r: repeat, none was it",
    "d2: leave run 2 out   q: end",
)
_FAR_PART = 0.3  # a reference that far off was hardly this vehicle's

Say = Callable[[str], None]


class Dialogue:
    """Matches what passes with what is typed. `done`: there are enough runs, or the technician ends it."""

    def __init__(
        self, runs: Runs, say: Say, *, unit: Unit, directions: frozenset[Direction], wanted: int
    ) -> None:
        self._runs, self._say, self._unit, self._directions = runs, say, unit, directions
        self._wanted = wanted
        self._numbered: dict[int, Vehicle] = {}  # who may have been it, by number; the asked one among them
        self._asked: int | None = None
        self._n = 0
        self.done = False

    def passed(self, vehicle: Vehicle) -> None:
        """A lone vehicle is asked about; who passes before the answer has a number to be named by."""
        if vehicle.direction not in self._directions:
            return
        self._n += 1
        self._numbered[self._n] = vehicle
        doubt = f" ({', '.join(vehicle.flags)})" if vehicle.flags else ""
        self._say(f"{self._n}: {vehicle.direction.value} {vehicle.speed_kmh:.1f} km/h{doubt}")
        if self._asked is None:
            self._ask(self._n)
        else:
            self._say(f"  asked about {self._asked}; if {self._n} was it: {self._n}=50")

    def typed(self, line: str) -> None:
        """An answer, or what else can be said at any time."""
        word = line.strip().lower()
        if word == "q":
            self.done = True
        elif word == "r":
            self._forget()
            self._say("drive past again")
        elif word == "x":
            self._not_mine()
        elif dropped := re.fullmatch(r"d\s*(\d+)", word):
            self._leave_out(int(dropped[1]))
        elif word in ("", "?"):
            self._remind()
        else:
            self._reference(word)

    # ------------------------------------------------------------------ answers

    def _ask(self, number: int) -> None:
        self._asked = number
        self._say(f"  reference of {number} in {self._unit.value}? (x: not mine, r: repeat)")

    def _remind(self) -> None:
        for line in HELP:
            self._say(line)
        if self._asked is not None:
            self._ask(self._asked)

    def _not_mine(self) -> None:
        if self._asked is None:
            self._say("nobody has passed yet")
            return
        del self._numbered[self._asked]
        self._asked = None
        if self._numbered:
            self._ask(max(self._numbered))  # the last is the nearest in time
        else:
            self._say("drive past again")

    def _reference(self, word: str) -> None:
        named, equals, told = word.rpartition("=")
        sure = told.endswith("!")
        try:
            number = int(named) if equals else self._asked
            reference_kmh = speed(told.removesuffix("!")) * self._unit.kmh
        except ValueError as error:
            self._say(f"{error}; ? for help")
            return
        if number is None or number not in self._numbered:
            self._say("nobody has passed yet" if number is None else f"there is no {number} to be named")
            return
        vehicle = self._numbered[number]
        if not sure and abs(vehicle.speed_kmh - reference_kmh) > _FAR_PART * reference_kmh:
            self._say(
                f"  {vehicle.speed_kmh:.1f} against {reference_kmh:.1f} km/h: another car? x; else {word}!"
            )
            return
        self._take(Pass(Run(reference_kmh, vehicle.speed_kmh), vehicle))

    def _take(self, one: Pass) -> None:
        self._runs.passes.append(one)
        self._forget()
        off_kmh = one.run.measured_kmh - one.run.reference_kmh
        number = len(self._runs.passes)
        self._say(
            f"run {number}: {one.run.reference_kmh:.1f} read as {one.run.measured_kmh:.1f} ({off_kmh:+.1f})"
        )
        self._tell()
        if len(self._runs.counted) >= self._wanted and self._runs.verdict is not Verdict.UNDECIDED:
            self.done = True

    def _leave_out(self, number: int) -> None:
        if not 1 <= number <= len(self._runs.passes):
            self._say(f"there is no run {number}")
            return
        one = self._runs.passes[number - 1]
        one.left_out = not one.left_out
        self._say(f"run {number} {'is left out' if one.left_out else 'counts again'}")
        self._tell()

    def _tell(self) -> None:
        for line in self._runs.lines():
            self._say(f"  {line}")

    def _forget(self) -> None:
        self._numbered.clear()
        self._asked = None


class Passers:
    """A `Hearer` that hands vehicles to a dialogue. `values`: what the radar said of itself."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self.values: dict[str, str] = {}

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        """Single readings are of no interest."""

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        for vehicle in found:
            self._dialogue.passed(vehicle)

    def introduced(self, values: Mapping[str, str]) -> None:
        self.values |= values

    def state(self, facts: Mapping[str, object]) -> None:
        """How the sign is makes no difference here."""


def check_angle(source: Source) -> None:
    """Raises UsageError where the running sign does not know yet what its config says."""
    runs_with, written = source.mounting_angle_deg, source.choice.radar.mounting_angle_deg
    if source.socket is not None and abs(runs_with - written) > SAME_DEG:
        raise UsageError(
            f"the sign runs with mounting_angle_deg = {runs_with:g} and its config says {written:g}:"
            " start it again first, sudo systemctl restart speedsign"
        )


async def talk(
    source: Source,
    dialogue: Dialogue,
    passers: Passers,
    technician: Technician,
    clock: Clock,
    seconds: float | None,
) -> bool:
    """Until the dialogue is done or the time is over; whether somebody stopped it before.

    Raises PortError, NoReply, DriverError of the radar; what was driven so far stands in the dialogue's runs.
    """
    with told_to_stop(hang_up=True) as stop:
        over = asyncio.Event()
        hearing = asyncio.create_task(hear(source, passers, clock, seconds, over, set_up=True))
        try:
            async with Keyboard() as keyboard:
                try:
                    await _converse(dialogue, keyboard, hearing, stop)
                finally:
                    technician.keep(keyboard.rest())
        finally:
            over.set()
            await asyncio.wait([hearing])
        if hearing.exception() is not None and not stop.is_set():
            hearing.result()
        return stop.is_set()


async def _converse(
    dialogue: Dialogue, keyboard: Keyboard, hearing: asyncio.Task[None], stop: asyncio.Event
) -> None:
    stopping = asyncio.create_task(stop.wait())
    try:
        while not (dialogue.done or stop.is_set() or hearing.done()):
            if (line := keyboard.take()) is not None:
                dialogue.typed(line)
                continue
            if keyboard.ended:
                raise UsageError("nobody tells how fast it was; give --run 50=49.6, or --runs FILE")
            typing = asyncio.create_task(keyboard.changed.wait())
            await asyncio.wait({typing, stopping, hearing}, return_when=asyncio.FIRST_COMPLETED)
            typing.cancel()
            await asyncio.wait([typing])
    finally:
        stopping.cancel()
        await asyncio.wait([stopping])
