"""The mounting angle, by a tape measure and from the cars; and whether the radar corrects already."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from speedsign.calibration.geometry import MOST_DEG
from speedsign.calibration.record import Kind, Verdict
from speedsign.calibration.sensor_angle import can_be_asked, corrects, told_angles
from speedsign.calibration.traffic_angle import LEAST_PASSAGES, CannotTell
from speedsign.cli.calibrating.book import Finding
from speedsign.cli.calibrating.mounting import KEY, Tape, lines_of, proposal
from speedsign.cli.calibrating.mounting import result_of as tape_result
from speedsign.cli.calibrating.traffic import Passages
from speedsign.cli.calibrating.traffic_words import Judged, check_direction, result_of, runs_of, words_of
from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import NONE, Given, number, whole
from speedsign.cli.commissioning.hardware import radar_of
from speedsign.cli.commissioning.session import Session
from speedsign.errors import UsageError

USUAL_CARS = 60
LONGEST_S = 4 * 3600.0
RUNS = "raw_passages"  # note: for the record
_BEAM = ["The beam's own angle is not written:", "  speeds would be too high. t: let the cars tell."]
_ABOUT = (
    "t: cars tell it, about 60 of them. m: by a tape measure, where cars are read. Degrees: as you know"
    " them. Below 5 degrees 0 is as good. It is the angle at which cars are read, not the beam's."
)


async def run(session: Session) -> None:
    """Proposes what tape and traffic give; the technician has the last word."""
    if session.given.get("angle") is not None:
        await _write(session, float(session.given["angle"]), None)
        return
    proposed: float | None = None
    finding: Finding | None = None
    if session.asker.yes and not (_tape_given(session) or session.given.get("cars")):
        session.refuse_wrong(KEY)
    if _tape_given(session):
        proposed, finding = await _by_tape(session, proposed)
    if (session.given.get("cars") or 0) > 0:
        proposed, finding = await _by_traffic(session, proposed, finding)
    while True:
        now = session.get(KEY, 0.0)
        session.say(f"Mounting angle now: {now:g} degrees.")
        answer = await session.asker.ask(
            "t traffic, m measure, or degrees", _way,
            default=f"{now if proposed is None else proposed:g}", about=_ABOUT,
        )  # fmt: skip
        if answer == "m":
            proposed, finding = await _by_tape(session, proposed)
        elif answer == "t":
            proposed, finding = await _by_traffic(session, proposed, finding)
        else:
            await _write(session, float(answer), finding)
            return


def missing(session: Session) -> list[str]:
    """Options that have to be given where nobody is asked."""
    tape = ("lateral", "height", "aim")
    some = any(session.given.get(name) is not None for name in tape)
    found = [f"--{name}" for name in tape if some and session.given.get(name) is None]
    measured = some or session.given.get("cars") or session.given.get("angle") is not None
    return found + (["--by"] if measured and session.given.get("by") is None else [])


def _way(text: str) -> str | float:
    word = text.strip().lower()
    if word in ("t", "traffic"):
        return "t"
    if word in ("m", "measure"):
        return "m"
    try:
        value = number(word)
    except ValueError:
        raise ValueError("answer t, m, or degrees: 12.5") from None
    if not 0.0 <= value <= 60.0:
        raise ValueError(f"{value:g} degrees cannot be; 0 to 60")
    return value


# --------------------------------------------------------------------------- by a tape measure


def _tape_given(session: Session) -> bool:
    return session.given.get("lateral") is not None


async def _by_tape(session: Session, proposed: float | None) -> tuple[float | None, Finding]:
    """The geometry, drawn. Where cars are read decides, and that is farther away than the beam's middle."""
    asker = session.asker
    while True:
        lateral_m = await asker.ask(
            "To the middle of the lane, m", _metres(50), given=session.given_as("--lateral"),
            about="Sideways, from below the radar to the middle of the lane.",
        )  # fmt: skip
        height_m = await asker.ask(
            "Height of the radar, m", _metres(20), given=session.given_as("--height"),
            about="Above the road, not above the pavement.",
        )  # fmt: skip
        aim_m = await asker.ask(
            "It aims so far away, m", _metres(1000), given=session.given_as("--aim"),
            about="Along the road, where the middle of the beam meets the lane.",
        )  # fmt: skip
        read_m = await asker.ask(
            "Cars are read so far away, m", _metres_or_none, default=NONE,
            given=session.given_as("--read-at"),
            about="Where the radar reads most of them: before they reach its aim. - is not known.",
        )  # fmt: skip
        tape = Tape(lateral_m, height_m, aim_m)
        try:
            return _drawn(session, tape, read_m, proposed)
        except ValueError as error:
            if asker.yes or _tape_given(session):
                raise UsageError(str(error)) from None
            session.say(str(error))


def _drawn(
    session: Session, tape: Tape, read_m: float | None, proposed: float | None
) -> tuple[float | None, Finding]:
    """What was meant, and what it leaves; raises ValueError for what no mast is."""
    limit_kmh = float(session.get("sign.limit_kmh", 50))
    mounting = tape.mounting(limit_kmh)
    read_deg = None if read_m is None else tape.place.angle_deg(read_m)
    if read_deg is not None and read_deg > MOST_DEG:
        raise ValueError(f"cars {read_m:g} m away are seen at {read_deg:.0f} degrees: read them farther away")
    angle_deg, said = (proposed, _BEAM) if read_deg is None else proposal(read_deg)
    shown_deg = round(mounting.angle_deg, 1) if angle_deg is None else angle_deg
    for line in lines_of(tape, mounting, shown_deg, limit_kmh, session.columns):
        session.say(line)
    for line in said:
        session.say(line)
    sentence = f"The beam lies at {mounting.angle_deg:.1f} degrees to the road"
    if read_deg is not None:
        sentence += f"; cars {read_m:g} m away are read at {read_deg:.1f} degrees"
    run = tape.as_run() | ({} if read_m is None else {"read_at_m": read_m})
    finding = Finding(
        kind=Kind.ANGLE,
        driver=session.get("radar.driver", ""),
        sentence=f"{sentence}.",
        verdict=Verdict.DONE,
        runs=[run],
        result={**tape_result(tape, mounting), "method": "geometry"},
    )
    return angle_deg, finding


class _metres:  # noqa: N801  it is used as a function
    def __init__(self, most_m: float) -> None:
        self._most_m = most_m

    def __call__(self, text: str) -> float:
        value_m = number(text.strip().lower().removesuffix("m"))
        if not 0.0 <= value_m <= self._most_m:
            raise ValueError(f"{value_m:g} m cannot be; 0 to {self._most_m:g} m")
        return value_m


def _metres_or_none(text: str) -> float | None:
    return None if text.strip() == NONE else _metres(1000)(text)


# --------------------------------------------------------------------------- from traffic


async def _by_traffic(
    session: Session, proposed: float | None, before: Finding | None
) -> tuple[float | None, Finding | None]:
    """The estimate, where traffic tells one; else what was proposed before."""
    cars = await session.asker.ask(
        "How many cars", _cars, default=str(USUAL_CARS), given=session.given_as("--cars"),
        about=f"At least {LEAST_PASSAGES} have to come towards the sign; 200 tell it within 1.5 degrees.",
    )  # fmt: skip
    await session.free_ports()
    judgement = await _judged(session, cars)
    for line in words_of(judgement, session.get("radar.driver", "")):
        session.say(line)
    found, usable_deg = judgement.found, judgement.usable_deg
    if isinstance(found, CannotTell) or usable_deg is None:
        return (proposed if judgement.refusal is None else 0.0), before
    if before is not None and before.result.get("method") == "geometry":
        session.say(f"The tape measure gave {proposed:g}; the cars know better.")
    angle_deg, said = proposal(usable_deg)
    for line in said[1:]:
        session.say(line)
    finding = Finding(
        kind=Kind.ANGLE,
        driver=session.get("radar.driver", ""),
        sentence=f"{found.passages} cars were read at {found.angle_deg:.1f} degrees"
        f" ({found.low_deg:.1f} to {found.high_deg:.1f}).",
        verdict=Verdict.DONE,
        runs=session.notes.pop(RUNS, []),
        result=result_of(judgement),
    )
    return angle_deg, finding


def _cars(text: str) -> int:
    n = whole(text)
    if not LEAST_PASSAGES <= n <= 2000:
        raise ValueError(f"answer {LEAST_PASSAGES} to 2000")
    return n


async def _judged(session: Session, cars: int) -> Judged:
    """What the cars tell that come now. Raises DriverError for a radar that tells no direction."""
    choice = radar_of(session)
    check_direction(choice.driver)
    stop = asyncio.Event()
    params = replace(choice.params(), mounting_angle_deg=0.0)
    passages = Passages(choice.driver.name, params, cars, stop, session.say)
    session.say("Waiting for cars. Enter: that is enough.")
    hearing = session.devices.hear(choice, passages, LONGEST_S, stop)
    try:
        await session.asker.unless_typed(hearing, stop)
    finally:
        await passages.end()
    if passages.refusal is not None:
        return Judged(CannotTell(passages.refusal))
    session.notes[RUNS] = runs_of(passages.heard.approaches)
    return passages.heard.judged()


# --------------------------------------------------------------------------- what is written


async def _write(session: Session, angle_deg: float, finding: Finding | None) -> None:
    """The value, unless the radar corrects as well; and its record, where something was measured."""
    angle_deg = round(angle_deg, 2)
    if angle_deg > 0.0 and not await _corrects_nothing(session):
        session.say("Both together would be wrong: ours is left at 0.")
        angle_deg = 0.0
    before = session.before(KEY, 0.0)
    session.put({KEY: float(angle_deg)})
    if session.draft.values.get(KEY) == 0.0 and KEY not in _keys_before(session):
        session.draft.values.pop(KEY)
    session.say(f"mounting_angle_deg = {angle_deg:g}")
    if finding is None and angle_deg == before:
        return
    finding = finding or Finding(
        kind=Kind.ANGLE,
        driver=session.get("radar.driver", ""),
        sentence=f"The mounting angle was set to {angle_deg:g} degrees by hand.",
        verdict=Verdict.DONE,
        result={"method": "by hand"},
    )
    await records.note(session, _with_change(finding, before, angle_deg))


def _keys_before(session: Session) -> set[str]:
    return {KEY} if session.raw(KEY) is not None else set()


def _with_change(finding: Finding, before: float, after: float) -> Finding:
    return Finding(
        kind=finding.kind,
        driver=finding.driver,
        sentence=finding.sentence,
        verdict=finding.verdict,
        before={KEY: before},
        after={KEY: after},
        runs=finding.runs,
        result=finding.result,
    )


async def _corrects_nothing(session: Session) -> bool:
    """Whether the radar itself leaves speeds alone: asked, and set to 0 where the technician wants it."""
    if session.given.get("no_probe"):
        return True
    choice = radar_of(session)
    if not can_be_asked(choice.driver.name):
        return True
    await session.free_ports()
    told = await session.asker.unless_typed(session.devices.interview(choice))
    angles = {} if told is None else told_angles(choice.driver.name, told.said)
    if not corrects(angles):
        return True
    session.say(f"The radar itself corrects for {max(angles.values()):g} degrees.")
    if choice.radar.setup:
        session.say("The sign sets that to 0 at each start.")
        return True
    if not await session.asker.confirm(
        "Set the radar's to 0?", about="Two corrections make every speed too high.", given=Given("--yes")
    ):
        return False
    report = await session.asker.unless_typed(session.devices.set_up(choice))
    return report is not None and report.ok
