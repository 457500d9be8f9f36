"""Finding the panel on its Modbus line, and the proof of it: a number that the technician sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drivers.display.maps import Device, Guess, Sureness, guesses
from drivers.display.maps import panels as panels_among
from drivers.display.scan import USUAL_BAUDS, Plan, Search
from drivers.modbus_rules import parse_target
from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Finding
from speedsign.cli.commissioning import records
from speedsign.cli.commissioning.ask import one_of, whole
from speedsign.cli.commissioning.hardware import panel_of
from speedsign.cli.commissioning.session import Session
from speedsign.cli.display_line import words_of
from speedsign.cli.display_parts import Parts
from speedsign.cli.display_scan import notes
from speedsign.cli.field import modbus_target, stable_name
from speedsign.errors import DriverError, PortError, SpeedsignError, UsageError
from speedsign.model import Face
from speedsign.ports import PanelDriver
from speedsign.registry import load_display

NUMBER = 47
STANDING = "panel_stood_at"  # note: the step of brightness at which it was found, from 1
UNITS = tuple(range(1, 9))
_DIM_PART = 0.35  # of its steps: below, a panel that should be bright is called dim
NO_PANEL = "none"
_WITH_A_PANEL = ("beacon", "supply", "brightness", "rules")  # tables that can need one
NAMED = "panel_port"  # note: where the technician says it is
_ABOUT_PORT = "/dev/serial/by-id/…, /dev/ttyUSB0 or tcp://host:502."


@dataclass(frozen=True, slots=True)
class Found:
    """A device on a port, and what it is taken for."""

    port: str
    device: Device
    guess: Guess
    echo: bool


async def run(session: Session) -> None:
    """Finds it, shows a number on it, and notes what the technician said."""
    if session.given.get("panel_port") == NO_PANEL:
        _do_without(session)
        return
    if session.given.get("no_probe"):
        _as_said(session)
        return
    await session.free_ports()
    others: list[Found] = []
    while True:
        found = others or await _found(session)
        if not found:
            if await _without(session):
                return
            continue
        chosen = await _chosen(session, found)
        if await _settled(session, chosen):
            return
        others = [one for one in found if one is not chosen]
        if session.asker.yes and not others:  # nobody is there to mend it before the next look
            raise DriverError(
                f"{chosen.port}: no panel there does what it is told; see: speedsign display test"
            )
        session.say("Then it is not that panel." if others else "Then look again.")


def missing(session: Session) -> list[str]:
    """Options that have to be given where nobody is asked."""
    if not session.given.get("no_probe") or session.given.get("panel_port") == NO_PANEL:
        return []
    needed = {"--panel-driver": "display.driver", "--panel-port": "display.port"}
    return [
        one for one, key in needed.items() if session.given_as(one).value is None and session.get(key) is None
    ]


# --------------------------------------------------------------------------- looking


async def _found(session: Session) -> list[Found]:
    """Everything that can be a panel; the config's port is looked at first, and is enough."""
    for ports in await _ports(session):
        found: list[Found] = []
        for port in ports:
            session.say(f"{port}:")
            try:
                search = await session.asker.unless_typed(_scan(session, port))
            except PortError as error:
                if len(ports) == 1:
                    raise
                session.say(f"{port}: {error.reason}")
                continue
            if search is None:
                break
            found += _panels(session, port, search)
        if found:
            return found
    return []


async def _ports(session: Session) -> list[list[str]]:
    """Where to look, in turns."""
    given = session.notes.get(NAMED) or session.given.get("panel_port")
    if given is not None:
        return [[modbus_target(given)]]
    known, radar = session.get("display.port"), session.get("radar.port")
    others = [port for port in session.devices.ports() if port not in (known, radar)]
    turns = [[known] if known else [], others]
    if any(turns) or session.asker.yes:
        return [turn for turn in turns if turn]
    session.say("This machine shows no other serial port.")
    return [[await session.asker.ask("Port of the panel", _target, about=_ABOUT_PORT)]]


def _target(text: str) -> str:
    try:
        return modbus_target(text.strip())
    except SpeedsignError as error:
        raise ValueError(str(error)) from None


async def _scan(session: Session, port: str) -> Search:
    """Raises PortError."""
    scheme, _, _ = parse_target(port)
    own_baud, own_unit = session.get("display.baud"), session.get("display.unit", 1)
    rates = tuple(dict.fromkeys(baud for baud in (own_baud, *USUAL_BAUDS) if baud is not None))
    plan = Plan(
        (None,) if scheme else rates,
        tuple(dict.fromkeys((own_unit, *UNITS))),
        session.get("display.parity", "N"),
    )
    search = await session.devices.scan(port, plan, lambda text: _progress(session, text))
    for text in notes(port, plan, search):
        session.say(text)
    return search


def _progress(session: Session, text: str) -> None:
    session.say(f"  {text.rpartition(': ')[2]}")


def _panels(session: Session, port: str, search: Search) -> list[Found]:
    """Each device with every map that explains it, the likeliest first; a map of the config's goes before."""
    own = (session.get("display.driver"), session.get("display.profile"))
    found = []
    for device in panels_among(search.devices):
        likely = [guess for guess in guesses(device) if guess.driver is not None]
        likely.sort(
            key=lambda guess: (guess.sureness is not Sureness.SURE, (guess.driver, guess.profile) != own)
        )
        known = [guess for guess in likely if guess.driver != "registers"]
        unsure = all(guess.sureness is not Sureness.SURE for guess in likely)
        if own[0] is not None and unsure and own not in {(guess.driver, guess.profile) for guess in known}:
            known.insert(0, Guess("the panel of the config", *own, Sureness.LIKELY, "the config names it"))
        found += [Found(port, device, guess, search.echo) for guess in known]
    return found


async def _chosen(session: Session, found: Sequence[Found]) -> Found:
    for n, one in enumerate(found, 1):
        at = "" if one.device.baud is None else f", {one.device.baud} baud"
        session.say(f"{n}: {one.guess.title}")
        session.say(f"   {one.guess.sureness}: id {one.device.unit}{at}, {one.port}")
    if len(found) == 1:
        return found[0]

    def read(text: str) -> int:
        number = whole(text)
        if not 1 <= number <= len(found):
            raise ValueError(f"answer 1 to {len(found)}")
        return number

    number = await session.asker.ask(
        f"Which one, 1 to {len(found)}", read, default="1",
        about="The likeliest is first. The next question shows whether it was right.",
    )  # fmt: skip
    return found[number - 1]


async def _without(session: Session) -> bool:
    """Nobody answered: whether the sign does without a panel, else it is looked for again."""
    if session.asker.yes:
        raise SpeedsignError("no panel was found; say where it is with --panel-port, or --panel-port none")
    answer = await session.asker.ask(
        "y look again, p name a port, s skip", one_of(("y", "p", "none")), default="y",
        about="Power of the panel? Wires A and B swapped? none: the sign has no panel, it only measures.",
    )  # fmt: skip
    if answer == "p":
        session.notes[NAMED] = await session.asker.ask("Port of the panel", _target, about=_ABOUT_PORT)
    if answer != "none":
        return False
    _do_without(session)
    return True


def _do_without(session: Session) -> None:
    """Raises UsageError where the config has something else on the panel's line, or for the panel alone."""
    before = session.complaints(_WITH_A_PANEL)
    session.put({"display": None})
    if wrong := [one for one in session.complaints(_WITH_A_PANEL) if one not in before]:
        raise UsageError(f"without a panel: {'; '.join(wrong)}; change that in {session.config_path} first")
    session.say("No panel: the sign only measures.")


# --------------------------------------------------------------------------- what follows


def _values(session: Session, found: Found) -> dict[str, Any]:
    """The keys of [display]; what belonged to another panel goes."""
    device, guess = found.device, found.guess
    assert guess.driver is not None  # noqa: S101  only such are chosen from
    port = found.port if found.port == session.before("display.port") else stable_name(found.port)
    values: dict[str, Any] = {
        "display.driver": guess.driver,
        "display.port": port,
        "display.profile": guess.profile,
        "display.baud": _unless_usual(session, "display.baud", device.baud, _usual_baud(guess)),
        "display.parity": None if device.parity == "N" else device.parity,
        "display.unit": _unless_usual(session, "display.unit", device.unit, 1),
    }
    if device.timeout_s is not None:
        values["display.timeout_s"] = max(device.timeout_s, session.get("display.timeout_s", 0.0))
    if found.echo:
        values["display.local_echo"] = True
    if session.get("display.driver", guess.driver) != guess.driver:
        values |= {"display.digits": None, "display.registers": None, "display.mirror_units": None}
    return values


def _usual_baud(guess: Guess) -> int | None:
    if guess.driver in (None, "registers"):
        return None
    return load_display(guess.driver or "", profile=guess.profile).line.baud


def _unless_usual(session: Session, key: str, value: int | None, usual: int | None) -> int | None:
    """Nothing, where the config does without the key and that is right."""
    return None if value == usual and session.before(key) is None else value


def _compare(session: Session, found: Found) -> None:
    """Say where the config was wrong."""
    driver = session.before("display.driver")
    if driver is None:
        return
    if driver != found.guess.driver:
        session.say(f"WRONG in the config: driver {driver}; it is {found.guess.driver}.")
    port = session.before("display.port")
    if port not in (None, found.port, stable_name(found.port)):
        session.say(f"WRONG in the config: port {port}; it is at {found.port}.")
    said = session.before("display.baud")
    if said is None and driver == found.guess.driver:
        said = _usual_baud(found.guess)
    if said is not None and found.device.baud not in (None, said):
        session.say(f"WRONG in the config: {said} baud; the panel speaks {found.device.baud}.")
    if (unit := session.before("display.unit", 1)) != found.device.unit:
        session.say(f"WRONG in the config: id {unit}; the panel is {found.device.unit}.")


async def _settled(session: Session, found: Found) -> bool:
    """Whether it is this panel: it is told a number, and the technician sees it. Else nothing is noted."""
    kept, good = dict(session.draft.values), False
    _compare(session, found)
    session.put(_values(session, found))
    try:
        good = await _proved(session)
    except DriverError as error:
        session.say(str(error))
    finally:
        if not good:
            session.draft.values = kept
    return good


async def _proved(session: Session) -> bool:
    """Raises DriverError, DeviceError."""
    parts, driver = panel_of(session)
    if not driver.capabilities.can_blank and not session.get("display.accept_zero"):
        session.say("This panel cannot go dark: it shows 0 instead.")
        accepted = await session.asker.confirm("Accept that?", about="docs/safety.md says what it means.")
        session.put({"display.accept_zero": accepted})
    step = await session.devices.standing_step(parts, driver)
    session.notes[STANDING] = step
    _say_standing(session, step, driver.capabilities.brightness_levels)
    return await _seen(session, parts, driver)


def _say_standing(session: Session, step: int | None, steps: int) -> None:
    if step is None:
        return
    dim = "DIM: " if step - 1 < _DIM_PART * (steps - 1) else ""
    session.say(f"{dim}its brightness stands at step {step} of {steps}.")


async def _seen(session: Session, parts: Parts, driver: PanelDriver) -> bool:
    """Whether the number was seen, or taken where nobody is asked. The panel is dark again then."""
    level = session.get("display.brightness", 1.0)
    async with session.devices.hold(parts, driver, level) as hand:
        while True:
            told = await hand.put(Face(NUMBER))
            for one in told:
                session.say(words_of(one))
            if session.asker.yes:
                return all(one.ok for one in told)
            answer = await session.asker.ask(
                f"Does it show {NUMBER}? y, n, a again", one_of(("y", "n", "a")),
                about="Look at the panel itself. a shows it once more.",
            )  # fmt: skip
            if answer != "a":
                break
    await _note(session, seen=answer == "y")
    return answer == "y"


async def _note(session: Session, *, seen: bool) -> None:
    if not seen:
        return
    keys = ("driver", "profile", "port", "baud", "unit")
    named = [f"display.{key}" for key in keys if session.get(f"display.{key}") is not None]
    finding = Finding(
        kind=Kind.PANEL,
        driver=session.get("display.driver"),
        sentence=f"The panel shows {NUMBER} when it is told so.",
        verdict=Verdict.PASS,
        device={"stood_at_step": session.notes.get(STANDING)},
        before={key: session.before(key) for key in named},
        after={key: session.get(key) for key in named},
        runs=[{"picture": str(NUMBER), "answer": "yes"}],
        result={"method": "commission"},
    )
    await records.note(session, finding)


def _as_said(session: Session) -> None:
    for key in ("driver", "port", "profile", "baud", "unit"):
        if (value := session.given.get(f"panel_{key}")) is not None:
            session.put({f"display.{key}": value})
    session.say("The panel was not looked for: --no-probe.")
