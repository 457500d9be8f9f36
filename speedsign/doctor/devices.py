"""What radar, panel, sensor and relays answered, held against the config. Pure; others have asked them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong
from speedsign.modbus_exceptions import EXCEPTIONS


@dataclass(frozen=True, slots=True)
class RadarFacts:
    """What came from its port."""

    driver: str
    port: str
    title: str = ""
    profile: str | None = None  # where the config names one
    problem: str = ""  # why the port could not be used
    baud: int | None = None
    n_bytes: int = 0
    frames: int = 0
    bad: int = 0
    seconds: float = 0.0
    said: Mapping[str, str] = field(default_factory=dict)
    differing: tuple[str, ...] = ()  # settings that the sign would change, in words
    unanswered: tuple[str, ...] = ()  # settings that were asked for in vain
    rejected: int = 0  # reports that the sign would not use: nobody vouches for their unit
    answered: int = 0  # settings that were told
    setup: bool = True  # the sign sets it up by itself
    quiet_when_idle: bool = False  # silence is normal, and it was not answered to a question
    elsewhere: str = ""  # what was recognised by a search of the line, in words
    as_said: bool = False  # that is what the config says: it has come to speak meanwhile


def judge_radar(facts: RadarFacts) -> list[Finding]:
    told: dict[str, object] = {
        "driver": facts.driver,
        "port": facts.port,
        "bytes": facts.n_bytes,
        "frames": facts.frames,
        "bad": facts.bad,
        "seconds": round(facts.seconds, 1),
        "said": dict(facts.said),
        "differing": list(facts.differing),
        "unanswered": list(facts.unanswered),
        "elsewhere": facts.elsewhere,
    }
    detect = f"find it with: speedsign radar detect --port {facts.port}"
    if facts.problem:
        return [wrong("radar", _without_ports(facts.problem), "see the port above", told)]
    if not facts.frames and facts.rejected > facts.bad and (facts.as_said or not facts.elsewhere):
        return [_deaf(facts, told)]
    if not facts.frames and facts.as_said:
        what = f"{facts.driver} at {facts.port} was silent for {facts.seconds:.0f} s, and was heard then"
        do = "is its cable loose, its power weak? Listen: speedsign radar watch --for 60"
        return [warning("radar", what, do, told)]
    if not facts.frames and facts.elsewhere:
        what = f"at {facts.port} is {facts.elsewhere}, and the config says {_as_set(facts)}"
        return [
            wrong(
                "radar",
                what,
                f"correct [radar]; the lines for it: speedsign radar detect --port {facts.port}",
                told,
            )
        ]
    if not facts.frames and facts.n_bytes:
        what = f"{facts.n_bytes} bytes came from {facts.port} that are not a {facts.driver}'s"
        return [wrong("radar", what, f"baud rate, driver or wires A and B; {detect}", told)]
    if not facts.frames:
        if facts.quiet_when_idle:
            what = f"{facts.driver} at {facts.port} says nothing, which it may on an empty road"
            return [
                unknown("radar", what, f"drive past while: speedsign radar watch --for 60; or {detect}", told)
            ]
        what = f"{facts.driver} at {facts.port} says nothing and answers nothing"
        return [wrong("radar", what, f"its power, its wires (RX and TX swapped?); {detect}", told)]
    if facts.bad > facts.frames:
        what = f"more nonsense than sense comes from {facts.port}: {facts.bad} bad, {facts.frames} good"
        return [warning("radar", what, f"wires, ground, length of the cable, baud rate; {detect}", told)]
    return [_heard(facts, told)]


def _without_ports(problem: str) -> str:
    """Which ports there are is told where the port is."""
    return problem.partition(" (ports found: ")[0]


def _as_set(facts: RadarFacts) -> str:
    driver = f"{facts.driver} ({facts.profile})" if facts.profile else facts.driver
    return driver if facts.baud is None else f"{driver} at {facts.baud}"


def _deaf(facts: RadarFacts, told: dict[str, object]) -> Finding:
    what = (
        f"{facts.title or facts.driver} at {facts.port} reports, but does not hear: its settings are unknown"
    )
    return wrong("radar", what, "check the wire from the controller's TX to the radar's RX", told)


def _heard(facts: RadarFacts, told: dict[str, object]) -> Finding:
    who = facts.title or facts.driver
    if not facts.setup:
        return ok(
            "radar", f"{who} at {facts.port} is heard; how it is set was not asked (setup = false)", told
        )
    if facts.unanswered and not facts.answered:
        return _deaf(facts, told)
    if facts.unanswered:
        what = f"{who} at {facts.port} did not say how it is set: {', '.join(facts.unanswered)}"
        other = f"; set otherwise: {'; '.join(facts.differing)}" if facts.differing else ""
        return warning("radar", what + other, "try again; then: speedsign radar setup", told)
    if not facts.differing:
        return ok("radar", f"{who} at {facts.port} answers and is set as the sign wants it", told)
    what = f"{who} at {facts.port} answers; set otherwise: {'; '.join(facts.differing)}"
    return note("radar", what, "the sign sets it at its start; now: speedsign radar setup", told)


# --------------------------------------------------------------------------- Modbus


@dataclass(frozen=True, slots=True)
class PanelFacts:
    """One panel: who answered at its id. `maps`: what it can be by its answers, surest first."""

    driver: str
    port: str
    unit: int
    problem: str = ""
    answered: bool = False
    can_be_read: bool = True  # by its driver
    maps: tuple[tuple[str, str], ...] = ()  # driver ("": no panel) and how sure
    because: str = ""
    echo: bool = False
    local_echo: bool = False  # as the config says
    refusal: int | None = None  # the exception with which it refuses every question
    late: float | None = None  # seconds that [display] timeout_s has to be
    others: tuple[int, ...] = ()


def judge_panel(facts: PanelFacts, *, powerless: bool = False) -> Finding:
    """`powerless`: its supply relay is off, as it may be while the sign is stopped."""
    check = f"panel {facts.unit}"
    told: dict[str, object] = {
        "driver": facts.driver,
        "port": facts.port,
        "unit": facts.unit,
        "answered": facts.answered,
        "maps": [list(one) for one in facts.maps],
        "echo": facts.echo,
        "refusal": facts.refusal,
    }
    scan = f"speedsign display scan --port {facts.port}"
    if facts.problem:
        return wrong(check, _without_ports(facts.problem), "see the port above", told)
    if not facts.answered and powerless:
        what = f"unit {facts.unit} at {facts.port} has no power: the relay of [supply] is off"
        return unknown(check, what, "start the sign, which switches it on, and look again", told)
    if not facts.answered:
        return _silent(facts, check, told, scan)
    if facts.echo and not facts.local_echo:
        what = f"the adapter at {facts.port} hears what it sends"
        return warning(check, what, "say local_echo = true in [display]", told)
    if facts.refusal is not None:
        return _refusing(facts, check, told, scan)
    ours = next((sure for driver, sure in facts.maps if driver == facts.driver), None)
    surest = facts.maps[0] if facts.maps else ("", "")
    if ours is None and surest[1] in ("sure", "likely") and facts.driver != "registers":
        named = surest[0] or "no panel"
        what = (
            f"unit {facts.unit} at {facts.port} is {named} by its answers, and the config says {facts.driver}"
        )
        return wrong(check, f"{what} ({facts.because})", f"correct [display] driver, or unit; {scan}", told)
    if facts.late is not None:
        what = f"{facts.driver} at {facts.port}, unit {facts.unit}, answers slowly"
        return warning(check, what, f"say timeout_s = {facts.late:g} in [display]", told)
    sure = f", by its registers {ours}" if ours else ", which map it has cannot be told"
    return ok(check, f"unit {facts.unit} at {facts.port} answers{sure}", told)


def _refusing(facts: PanelFacts, check: str, told: dict[str, object], scan: str) -> Finding:
    """Somebody is there; whether it would show a number is not known."""
    code = facts.refusal or 0
    name = EXCEPTIONS.get(code, "of the maker's own")
    what = f"unit {facts.unit} at {facts.port} refuses every question: exception {code} ({name})"
    if not facts.can_be_read and code in (1, 2):
        what += "; such a panel may answer no questions"
        return warning(check, what, "look at it while: speedsign display show 47", told)
    do = f"switch the panel off and on; is it the right unit, and that driver? {scan}"
    return warning(check, what, do, told)


def _silent(facts: PanelFacts, check: str, told: dict[str, object], scan: str) -> Finding:
    if not facts.can_be_read:
        what = f"{facts.driver} at {facts.port}, unit {facts.unit}: such a panel may answer no questions"
        return unknown(check, what, "look at it while: speedsign display show 47", told)
    what = f"nobody answers at {facts.port}, unit {facts.unit}"
    do = f"power of the panel, wires A and B, unit and baud; find it with: {scan}"
    if facts.others:
        found = ", ".join(map(str, facts.others))
        return wrong(check, f"{what}; somebody does at unit {found}", f"correct [display] unit; {scan}", told)
    return wrong(check, what, do, told)


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """A relay board or a light sensor: `check` is beacon, supply or light."""

    check: str
    port: str
    unit: int
    said: str = ""  # what it answered, in words
    problem: str = ""
    suspect: str = ""  # what of the answer cannot be
    on: bool | None = None  # of a relay
    no_port: bool = False  # it could not be asked at all


def judge_answer(facts: AnswerFacts) -> Finding:
    table = {"light": "[brightness.sensor]"}.get(facts.check, f"[{facts.check}]")
    told: dict[str, object] = {"port": facts.port, "unit": facts.unit, "said": facts.said}
    if facts.no_port:
        return wrong(facts.check, _without_ports(facts.problem), "see the port above", told)
    if facts.problem:
        return wrong(
            facts.check, facts.problem, f"its power, wires A and B; unit, baud and register in {table}", told
        )
    if facts.suspect:
        return wrong(facts.check, facts.suspect, f"is it that register? Correct {table}", told)
    return ok(facts.check, f"unit {facts.unit} at {facts.port} answers: {facts.said}", told)


# --------------------------------------------------------------------------- a running sign

# Which faults of a running sign are told under which topic of ours.
_TOPIC = {
    "display": "panel",
    "beacon": "beacon",
    "supply": "supply",
    "light": "light",
    "radar": "radar",
    "store": "store",
    "mqtt": "broker",
}


@dataclass(frozen=True, slots=True)
class SignFacts:
    """What a running sign says of itself. `told` False: it runs and cannot be asked."""

    told: bool
    why: str = ""  # why it cannot be asked
    do: str = "its log: journalctl -u speedsign -e"
    sign: str = ""
    faults: Sequence[Mapping[str, str]] = ()  # device, code, text
    devices: frozenset[str] = frozenset()  # that it has: radar, display, …
    facts: Mapping[str, object] = field(default_factory=dict)


def judge_sign(sign: SignFacts) -> list[Finding]:
    """Faults as findings; a device that it has and that has none is fine."""
    if not sign.told:
        return [
            unknown(
                "sign",
                f"the sign runs and cannot be asked: {sign.why}",
                sign.do,
            )
        ]
    found = [
        wrong(
            f"{_TOPIC.get(one['device'], 'sign')} fault",
            f"{one['device']} {one['code']}: {one['text']}",
            f"docs/faults.md, faults, {one['device']} {one['code']}",
            {"device": one["device"], "code": one["code"]},
        )
        for one in sign.faults
    ]
    troubled = {one["device"] for one in sign.faults}
    for device in sorted(sign.devices - troubled):
        topic = _TOPIC.get(device, device)
        found.append(ok(topic, "the running sign has it and reports no fault", dict(sign.facts)))
    return found
