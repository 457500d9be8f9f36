"""Who is on a Modbus line: which ids answer, at which baud rates, and which map they have.

Pure: `search` is a generator that yields what to ask and is sent the answer; `scan_line` does the asking.

Only harmless reads, unless writing is allowed. Whoever says anything to a read, be it that he cannot, is
there. The rates come in the order in which panels are delivered; the first at which somebody answers is the
last.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from drivers.display.maps import FINGERPRINT, FIRST, OTHER_FIRSTS, WRITES, Device, panels
from drivers.display.scan_frames import Answer, Heard, Question
from speedsign.ports import LineSettings

USUAL_BAUDS = (9600, 19200, 115200, 38400, 57600, 4800, 2400, 1200)
SLOWEST_ANSWER_S = 0.8  # for a device that has answered late once
_FEW = 2  # units that can be given more time at once
_UNHURRIED_S = 0.6  # else a late answer passes for that to the next question, and the map for another
_THINKING_S = 0.12  # a panel's time to think, and that of a USB adapter
_TCP_S = 0.4  # a gateway waits for the line behind it


@dataclass(frozen=True, slots=True)
class Step:
    """Ask this unit this at this rate, and wait for at least so long."""

    baud: int | None
    unit: int
    question: Question
    least_s: float = 0.0


@dataclass(slots=True)
class Search:
    """What was found, and what was noticed on the way."""

    devices: list[Device] = field(default_factory=list)
    asked: int = 0
    written: int = 0
    echo: bool = False  # the adapter hears what it sends
    garbled: dict[tuple[int | None, int], bytes] = field(
        default_factory=dict
    )  # by rate and unit, with a sample
    late: set[int] = field(default_factory=set)  # units that took longer than others
    least_s: float = 0.0

    def at(self, baud: int | None) -> list[Device]:
        return [one for one in self.devices if one.baud == baud]


Steps = Generator[Step, Answer, None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`bauds` of (None,): behind TCP. `write`: dark may be written to what answers no reads."""

    bauds: tuple[int | None, ...] = USUAL_BAUDS
    units: tuple[int, ...] = tuple(range(1, 9))
    parity: str = "N"
    everything: bool = False  # go on after the first rate at which somebody answers
    write: bool = False


def search(plan: Plan, found: Search) -> Steps:
    """The questions, in order; `found` grows with the answers."""
    if len(plan.units) <= _FEW:
        found.least_s = _UNHURRIED_S
    for baud in plan.bauds:
        yield from _look(plan, found, baud, (FIRST,))
        if found.at(baud):  # the right rate: who knows no registers may be there too
            yield from _look(plan, found, baud, OTHER_FIRSTS)
            if not plan.everything:
                break
    for baud in plan.bauds:
        if (plan.everything or not found.devices) and not found.at(baud):
            yield from _look(plan, found, baud, OTHER_FIRSTS)
    for device in found.devices:
        yield from _ask(found, device, FINGERPRINT)
    if plan.write:
        yield from _write(plan, found)


def _look(plan: Plan, found: Search, baud: int | None, questions: Sequence[Question]) -> Steps:
    """Ask every unit at one rate that has not answered there, the slow ones once more."""
    hurried = [unit for unit in plan.units if unit not in found.late]
    for units in (plan.units, hurried):
        for unit in units:
            known = {one.unit for one in found.at(baud)}
            if unit in known or (units is hurried and unit not in found.late):
                continue
            device = Device(unit, baud, plan.parity)
            yield from _ask(found, device, questions, until_answered=True)
            if any(answer.somebody for answer in device.answers.values()):
                found.devices.append(device)


def _ask(
    found: Search, device: Device, questions: Sequence[Question], *, until_answered: bool = False
) -> Steps:
    for question in questions:
        if question in device.answers and device.answers[question].somebody:
            continue
        answer = yield from _asked(found, device, question)
        if answer.heard is Heard.GARBLED:  # a glitch happens once
            answer = yield from _asked(found, device, question)
        if answer.heard is Heard.GARBLED:
            found.garbled.setdefault((device.baud, device.unit), answer.data)
        device.note(answer)
        if until_answered and answer.somebody:
            return


def _asked(found: Search, device: Device, question: Question) -> Generator[Step, Answer, Answer]:
    least_s = SLOWEST_ANSWER_S if device.unit in found.late else found.least_s
    answer = yield Step(device.baud, device.unit, question, least_s)
    found.asked += 1
    found.written += bool(question.words)
    found.echo = found.echo or answer.echo
    if answer.heard is Heard.OTHER:  # most likely the late reply of one that was asked before
        found.late.add(answer.unit)
    return answer


def _write(plan: Plan, found: Search) -> Steps:
    """Dark to those that say nothing about themselves, or, where nobody can be a panel, to every id."""
    for device in found.devices:
        if not device.readable:
            yield from _ask(found, device, WRITES)
    if panels(found.devices):
        return
    for baud in plan.bauds:
        yield from _look(plan, found, baud, WRITES)
        here = [one for one in found.at(baud) if any(write in one.answers for write in WRITES)]
        for device in here:
            yield from _ask(found, device, WRITES)
        if here and not plan.everything:
            return


def answer_s(line: LineSettings | None, question: Question) -> float:
    """How long an answer takes: the time on the wire and some to think. `line` None: behind TCP.

    >>> round(answer_s(LineSettings(9600), Question(3, 0)), 3)
    0.144
    """
    if line is None:
        return _TCP_S
    bits = 1 + line.bytesize + (line.parity != "N") + line.stopbits
    characters = 8 + 2 * len(question.words) + 5 + 2 * question.count + 4  # silence included
    return _THINKING_S + characters * bits / line.baud
