"""Finding the radar: by listening at every port, then by harmless questions; and how it is set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drivers.radar.probe import Finding, words
from drivers.radar.setup import Outcome
from speedsign.calibration.sensor_angle import corrects, told_angles
from speedsign.cli.commissioning.ask import Given, one_of, whole
from speedsign.cli.commissioning.devices import Interview
from speedsign.cli.commissioning.hardware import radar_of
from speedsign.cli.commissioning.session import Session
from speedsign.cli.field import stable_name
from speedsign.cli.radar_detect import is_usb_modem, reason
from speedsign.cli.radar_line import Chosen
from speedsign.errors import PortError, SpeedsignError, UsageError
from speedsign.model import Unit
from speedsign.registry import load_radar

LISTEN_S = 4.0
SENSOR_ANGLES = "sensor_angles"  # note: degrees by direction that the radar corrects for itself

UNIT = "radar.unit"
UNITS = [unit.value for unit in Unit]
NAMED = "radar_port"  # note: where the technician says it is
_ABOUT_PORT = "/dev/serial/by-id/… or /dev/ttyUSB0; unplug it and see which name goes."


async def run(session: Session) -> None:
    """Finds it, or takes it as the options say where nothing shall be opened."""
    if session.given.get("no_probe"):
        _as_said(session)
        return
    await session.free_ports()
    while True:
        found = await _found(session)
        if found:
            break
        session.say("No radar was found.")
        if session.asker.yes:
            raise SpeedsignError(
                "no radar was found; say where it is with --radar-port, or look with radar detect"
            )
        await _again(session)
    finding = await _chosen(session, found)
    _compare(session, finding)
    session.put(_values(session, finding))
    await _look_into(session)


def missing(session: Session) -> list[str]:
    """Options that have to be given where nobody is asked."""
    if not session.given.get("no_probe"):
        return []
    needed = {"--radar-driver": "radar.driver", "--radar-port": "radar.port"}
    return [
        one for one, key in needed.items() if session.given_as(one).value is None and session.get(key) is None
    ]


# --------------------------------------------------------------------------- looking


async def _found(session: Session) -> list[Finding]:
    """The radars there are; the config's port is looked at first, and is enough."""
    driver, listen_s = session.given.get("radar_driver"), session.given.get("listen_s") or LISTEN_S
    for ports in await _ports(session):
        found = []
        for port in ports:
            session.say(f"{port}:")
            finding = await session.asker.unless_typed(
                session.devices.look_at(port, driver, listen_s, lambda text: _progress(session, text))
            )
            if finding is None:
                break
            _say(session, finding)
            found += [finding] if finding.hearing is not None else []
        if found:
            return found
    return []


async def _again(session: Session) -> None:
    """Nothing was found: once more, at a port that is named, or not now (Skipped)."""
    answer = await session.asker.ask(
        "y look again, p name a port, s skip", one_of(("y", "p")), default="y",
        about="Drive past meanwhile: some radars say nothing on an empty road.",
    )  # fmt: skip
    if answer == "p":
        session.notes[NAMED] = await session.asker.ask("Port of the radar", _port, about=_ABOUT_PORT)


async def _ports(session: Session) -> list[list[str]]:
    """Where to look, in turns."""
    given = session.notes.get(NAMED) or session.given.get("radar_port")
    if given is not None:
        return [[given]]
    known, panel = session.get("radar.port"), session.get("display.port")
    others = [port for port in session.devices.ports() if port not in (known, panel)]
    turns = [[known] if known else [], others]
    if any(turns) or session.asker.yes:
        return [turn for turn in turns if turn]
    session.say("This machine shows no serial port.")
    return [[await session.asker.ask("Port of the radar", _port, about=_ABOUT_PORT)]]


def _port(text: str) -> str:
    if not text.strip():
        raise ValueError("write a name: /dev/ttyUSB0")
    return text.strip()


def _progress(session: Session, text: str) -> None:
    """Where it listens; the questions would fill a phone's screen."""
    what = text.rpartition(": ")[2]
    if what.startswith("listening"):
        session.say(f"  {what}")


def _say(session: Session, finding: Finding) -> None:
    """What was found on a port, or why nothing was."""
    hearing, line = finding.hearing, finding.line
    if hearing is None or line is None:
        session.say(f"  {_why_not(finding)}")
        return
    session.say(f"  {hearing.candidate.driver.title}")
    session.say(f"  at {words(line)}; {reason(finding)}")
    if others := [str(one) for one in finding.other_drivers]:
        session.say(f"  not sure: could be {', '.join(others)}")


def _why_not(finding: Finding) -> str:
    """Why no radar was recognised on a port, for a narrow screen."""
    if finding.error is not None:
        return finding.error.reason
    echo = "; the adapter echoes" if finding.echo else ""
    if finding.heard_bytes:
        return f"{finding.heard_bytes} bytes that no driver understands{echo}"
    return f"silent{echo}"


async def _chosen(session: Session, found: Sequence[Finding]) -> Finding:
    """One of them, where there are several; of one that could be another radar too, which."""
    number = 1
    if len(found) > 1:
        for n, one in enumerate(found, 1):
            session.say(f"{n}: {one.hearing and one.hearing.candidate} on {one.port}")
        number = await session.asker.ask(
            f"Which one, 1 to {len(found)}", _within(len(found)), default="1", given=Given("--radar-port"),
            about="Several ports have a radar. Unplug the one that is not the sign's.",
        )  # fmt: skip
    return found[number - 1]


def _within(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = whole(text)
        if not 1 <= number <= most:
            raise ValueError(f"answer 1 to {most}")
        return number

    return read


# --------------------------------------------------------------------------- what follows


def _values(session: Session, finding: Finding) -> dict[str, Any]:
    """The keys of [radar]; what belonged to another radar goes."""
    assert finding.hearing is not None  # noqa: S101  only such are chosen from
    assert finding.line is not None  # noqa: S101  the same
    candidate = finding.hearing.candidate
    usual = candidate.profile is None or candidate.profile == candidate.driver.profiles[0]
    values: dict[str, Any] = {
        "radar.driver": candidate.name,
        "radar.port": _name_of(session, finding.port),
        "radar.profile": None if usual else candidate.profile,
        "radar.baud": None if is_usb_modem(finding.port) else finding.line.baud,
    }
    if session.get("radar.driver", candidate.name) != candidate.name:
        values |= {"radar.min_strength": None, "radar.targets": None}
    return values


def _name_of(session: Session, port: str) -> str:
    """The name that stays with the device, unless the config has the port by another name that is right."""
    return port if port == session.before("radar.port") else stable_name(port)


def _compare(session: Session, finding: Finding) -> None:
    """Say where the config was wrong: the technician has come for that."""
    driver, baud = session.before("radar.driver"), session.before("radar.baud")
    if driver is None or finding.hearing is None or finding.line is None:
        return
    if driver != finding.hearing.candidate.name:
        session.say(f"WRONG in the config: driver {driver}; it is {finding.hearing.candidate.name}.")
    elif (baud or load_radar(driver).line.baud) != finding.line.baud and not is_usb_modem(finding.port):
        said = baud or load_radar(driver).line.baud
        session.say(f"WRONG in the config: {said} baud; the radar speaks {finding.line.baud}.")
    port = session.before("radar.port")
    if port not in (None, finding.port, stable_name(finding.port)):
        session.say(f"WRONG in the config: port {port}; it is at {finding.port}.")


def _as_said(session: Session) -> None:
    for key in ("driver", "port", "profile", "baud"):
        if (value := session.given.get(f"radar_{key}")) is not None:
            session.put({f"radar.{key}": value})
    if session.given.get("radar_unit") is not None:
        session.put({UNIT: _unit_given(session)})
    session.say("The radar was not looked for: --no-probe.")


def _unit_given(session: Session) -> str:
    """Raises UsageError."""
    try:
        return one_of(UNITS)(session.given["radar_unit"])
    except ValueError as error:
        raise UsageError(f"--radar-unit: {error}") from None


async def _look_into(session: Session) -> None:
    """How the radar is set, and what the sign will set; the unit, where nobody can be asked."""
    if session.misfit(UNIT) is not None and UNIT not in session.draft.values:
        session.put({UNIT: None})  # the usual one holds, and is compared below
    choice = radar_of(session)
    try:
        told = await session.asker.unless_typed(session.devices.interview(choice))
    except PortError:
        raise
    except SpeedsignError as error:
        session.say(str(error))
        return
    if told is None:
        return
    _say_settings(session, told, ours=choice.radar.setup)
    angles = told_angles(choice.driver.name, told.said)
    session.notes[SENSOR_ANGLES] = angles
    if corrects(angles):
        session.say(f"The radar itself corrects for {max(angles.values()):g} degrees.")
        if choice.radar.setup:
            session.say("The sign sets that to 0 at each start: it corrects itself.")
    await _unit(session, choice, told)


async def _unit(session: Session, choice: Chosen, told: Interview) -> None:
    """What its speeds are in, where the sign does not set that: as it says itself, else as a person knows."""
    if told.report.results and choice.radar.setup:
        if session.given.get("radar_unit") is not None:
            session.put({UNIT: _unit_given(session)})
        return
    if told.unit is None:
        await session.ask_key(
            UNIT, "It is set to km/h, mph or m/s", one_of(UNITS),
            option="--radar-unit", default=Unit.KMH.value,
            about="Nothing of this radar tells its unit: its maker's tool does.",
        )  # fmt: skip
        return
    unit = told.unit.value
    if session.given.get("radar_unit") is not None and (said := _unit_given(session)) != unit:
        raise UsageError(f"--radar-unit: the radar says that it is set to {unit}, not {said}")
    before = session.before(UNIT, Unit.KMH.value)
    if before != unit:
        session.say(f"WRONG in the config: unit {before}; the radar is set to {unit}.")
    session.put({UNIT: None if unit == Unit.KMH.value and session.raw(UNIT) is None else unit})


def _say_settings(session: Session, told: Interview, *, ours: bool) -> None:
    """`ours`: the sign sets them at its start; else they stay as they are."""
    results = told.report.results
    if not results:
        session.say("Nothing about it can be set over its line.")
        return
    differ = [one for one in results if one.outcome is Outcome.DIFFERS]
    for one in differ:
        session.say(f"  {one.name}: {one.before}")
        session.say(f"    the sign {'sets' if ours else 'would set'}: {one.wanted}")
    silent = [one for one in results if one.outcome is Outcome.NO_ANSWER]
    if silent:
        session.say("It does not answer: check the wire that carries commands to it.")
    elif differ and ours:
        session.say(f"{len(differ)} of {len(results)} settings differ; the sign sets them at its start.")
    elif differ:
        session.say(f"{len(differ)} of {len(results)} settings differ, and stay so:")
        session.say("  the config has setup = false.")
    else:
        session.say("It is set as the sign wants it.")
