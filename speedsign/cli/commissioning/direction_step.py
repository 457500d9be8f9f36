"""Which way is approaching: somebody drives, the radar says what it saw, the technician what was so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Finding
from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import one_of
from speedsign.cli.commissioning.hardware import radar_of
from speedsign.cli.commissioning.session import Session
from speedsign.model import Direction, RadarEvent, Vehicle

KEY = "radar.invert_direction"
WAIT_S = 180.0  # for a car


@dataclass(slots=True)
class FirstCar:
    """Hears until a vehicle has passed; says when that can begin."""

    say: Callable[[str], None]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    car: Vehicle | None = None

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        """Single readings tell nothing yet."""

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        if self.car is None and found:
            self.car = found[0]
            self.stop.set()

    def introduced(self, values: Mapping[str, str]) -> None:
        """It has been set up and asked: before that it was deaf for some seconds."""
        self.say("Ready: waiting for a car.")

    def state(self, facts: Mapping[str, object]) -> None:
        """Of a running sign only."""


async def run(session: Session) -> None:
    """Sets invert_direction by what was seen, or as the option says."""
    given = session.given.get("invert")
    if given is not None:
        session.put({KEY: given})
        session.say(f"Directions {'are inverted' if given else 'are as the radar says'}: as the option says.")
        return
    if session.asker.yes:
        session.say(
            f"invert_direction stays {'true' if session.get(KEY, False) else 'false'}: nobody looked."
        )
        return
    await session.free_ports()
    runs: list[dict[str, Any]] = []
    while True:
        session.say("Drive towards the sign, once, when the")
        session.say("radar is ready. s skip, q stop.")
        car = await _next_car(session)
        if car is None:
            session.say("No car came.")
        elif car.direction is Direction.UNKNOWN:
            session.say("The radar tells no direction: nothing to set.")
            return
        elif (towards := await _seen(session, car)) is not None:
            runs.append(_run(car, towards=towards))
            break
        if not await session.asker.confirm("Wait for another?"):
            return
    await _settle(session, runs)


def missing(session: Session) -> list[str]:
    """Options that have to be given where nobody is asked: nobody can know it of a fresh sign."""
    if session.given.get("invert") is not None or not session.fresh or KEY in session.draft.values:
        return []
    return ["--invert or --no-invert"]


async def _next_car(session: Session) -> Vehicle | None:
    """The next vehicle with its direction as the radar itself has it; None: none within the time."""
    choice = radar_of(session)
    choice = replace(choice, radar=replace(choice.radar, invert_direction=False))
    hearer = FirstCar(session.say)
    wait_s = session.given.get("wait_s") or WAIT_S
    hearing = session.devices.hear(choice, hearer, wait_s, hearer.stop)
    await session.asker.unless_typed(hearing, hearer.stop)
    return hearer.car


async def _seen(session: Session, car: Vehicle) -> bool | None:
    """Whether it came towards the sign; None: it was not seen."""
    session.say(f"The radar says: {car.direction.value},")
    session.say(f"  {car.speed_kmh:.0f} km/h")
    answer = await session.asker.ask(
        "Did it come towards the sign? y, n, a another", one_of(("y", "n", "a")),
        about="y: towards the sign. n: away from it. a: it was another car, or not seen.",
    )  # fmt: skip
    return None if answer == "a" else answer == "y"


def _run(car: Vehicle, *, towards: bool) -> dict[str, Any]:
    return {
        "radar_says": car.direction.value,
        "seen": "approaching" if towards else "receding",
        "speed_kmh": round(car.speed_kmh, 1),
        "readings": car.readings,
    }


async def _settle(session: Session, runs: Sequence[Mapping[str, Any]]) -> None:
    before = bool(session.before(KEY, False))
    after = runs[-1]["radar_says"] != runs[-1]["seen"]
    if after:
        session.say("The radar has it the other way round:")
        session.say("  invert_direction = true")
    else:
        session.say("The radar has it right.")
    if not session.fresh and after != before:
        session.say("WRONG in the config: the direction.")
    session.put({KEY: after})
    finding = Finding(
        kind=Kind.DIRECTION,
        driver=session.get("radar.driver"),
        sentence=f"A car was seen to come as the sign has it now: invert_direction = {str(after).lower()}.",
        verdict=Verdict.DONE,
        before={KEY: before},
        after={KEY: after},
        runs=runs,
        result={"method": "commission"},
    )
    await records.note(session, finding)
