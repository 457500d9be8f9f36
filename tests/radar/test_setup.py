"""The set-up engine against a scripted radar: lost, wrong and late answers, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from drivers.radar.setup import (
    ASK_TRIES,
    WRITE_TRIES,
    CommandLine,
    Outcome,
    RadarRestarted,
    SettingResult,
    SetupReport,
    set_up,
)
from simulator.virtual_time import run_virtual
from speedsign.errors import PortError
from speedsign.model import Reply, Restarted
from speedsign.ports import Setting


def setting(name: str, wanted: str) -> Setting:
    """Asked for by "name?", set by "name=wanted"."""

    def matches(reply: Reply) -> bool | None:
        return reply.values[name] == wanted if name in reply.values else None

    return Setting(name, f"{name}?".encode(), matches, f"{name}={wanted}".encode(), wanted)


def unasked(name: str) -> Setting:
    return Setting(name, None, lambda _reply: None, name.encode(), "on")


class ScriptedRadar:
    """Keeps values by name, answers questions; `spoil` sees every command and may answer instead."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.sent: list[str] = []
        self.times: list[float] = []
        self.answers: asyncio.Queue[Reply | Restarted] = asyncio.Queue()
        self.spoil: Callable[[str], bool] = lambda _command: False

    async def send(self, data: bytes) -> None:
        command = data.decode()
        self.sent.append(command)
        self.times.append(asyncio.get_running_loop().time())
        if self.spoil(command):
            return
        if command.endswith("?"):
            self.say(command[:-1])
        elif "=" in command:
            name, value = command.split("=")
            self.values[name] = value

    def say(self, name: str) -> None:
        self.answers.put_nowait(Reply(0.0, {name: self.values[name]}))

    def set_up(self, *settings: Setting, timeout_s: float = 1.0, dry_run: bool = False) -> SetupReport:
        line = CommandLine(self.send, self.answers, 0.15, timeout_s)
        return run_virtual(set_up(settings, line, dry_run=dry_run))


def lose(n: int, ending: str) -> Callable[[str], bool]:
    """Lose the first n commands that end so."""
    left = [n]

    def spoil(command: str) -> bool:
        if command.endswith(ending) and left[0] > 0:
            left[0] -= 1
            return True
        return False

    return spoil


def test_what_is_right_is_not_written() -> None:
    radar = ScriptedRadar(unit="kmh", rate="2")
    report = radar.set_up(setting("unit", "kmh"), setting("rate", "2"))
    assert radar.sent == ["unit?", "rate?"]
    assert report.ok
    assert report.results[0] == SettingResult("unit", "kmh", Outcome.RIGHT, "unit kmh", "unit kmh")


def test_what_differs_is_written_and_read_back() -> None:
    radar = ScriptedRadar(unit="mph")
    report = radar.set_up(setting("unit", "kmh"))
    assert radar.sent == ["unit?", "unit=kmh", "unit?"]
    assert report.results == (SettingResult("unit", "kmh", Outcome.CHANGED, "unit mph", "unit kmh"),)
    assert str(report.results[0]) == "unit = kmh: changed, unit mph -> unit kmh"


def test_what_cannot_be_asked_for_is_written_once() -> None:
    radar = ScriptedRadar()
    report = radar.set_up(unasked("OJ"), unasked("OM"))
    assert radar.sent == ["OJ", "OM"]
    assert {one.outcome for one in report.results} == {Outcome.WRITTEN}
    assert report.ok


def test_commands_are_spaced() -> None:
    radar = ScriptedRadar(unit="mph")
    radar.set_up(setting("unit", "kmh"), unasked("OJ"), unasked("OM"))
    gaps = [later - earlier for earlier, later in zip(radar.times, radar.times[1:], strict=False)]
    assert min(gaps) >= 0.149


@pytest.mark.parametrize("lost", range(1, ASK_TRIES))
def test_a_lost_question_is_asked_again(lost: int) -> None:
    radar = ScriptedRadar(unit="kmh")
    radar.spoil = lose(lost, "?")
    assert radar.set_up(setting("unit", "kmh")).ok
    assert radar.sent == ["unit?"] * (lost + 1)


def test_a_lost_command_is_sent_again() -> None:
    radar = ScriptedRadar(unit="mph")
    radar.spoil = lose(1, "=kmh")
    assert radar.set_up(setting("unit", "kmh")).results[0].outcome is Outcome.CHANGED
    assert radar.sent == ["unit?", "unit=kmh", "unit?", "unit=kmh", "unit?"]


def test_a_radar_that_does_not_obey_is_not_written_to_for_ever() -> None:
    radar = ScriptedRadar(unit="mph", rate="2")
    radar.spoil = lose(99, "=kmh")
    report = radar.set_up(setting("unit", "kmh"), setting("rate", "2"))
    assert radar.sent.count("unit=kmh") == WRITE_TRIES
    assert [one.outcome for one in report.results] == [Outcome.REFUSED, Outcome.RIGHT]
    assert [one.name for one in report.failed] == ["unit"]


def test_a_mute_radar_costs_seconds_and_is_written_nothing_unseen() -> None:
    radar = ScriptedRadar()
    radar.spoil = lambda _command: True
    report = radar.set_up(*(setting(f"s{n}", "1") for n in range(8)))
    assert {one.outcome for one in report.results} == {Outcome.NO_ANSWER}
    assert all(command.endswith("?") for command in radar.sent)
    assert radar.times[-1] - radar.times[0] <= ASK_TRIES + 8


def test_an_answer_to_something_else_is_passed_over() -> None:
    radar = ScriptedRadar(unit="kmh", version="1")

    def spoil(command: str) -> bool:
        radar.say("version")
        return False

    radar.spoil = spoil
    assert radar.set_up(setting("unit", "kmh")).results[0].outcome is Outcome.RIGHT


def test_an_old_answer_is_not_taken_for_the_read_back() -> None:
    radar = ScriptedRadar(unit="mph")

    def spoil(command: str) -> bool:
        if command == "unit?":
            radar.say("unit")  # twice: the second stays in the queue
        return False

    radar.spoil = spoil
    report = radar.set_up(setting("unit", "kmh"))
    assert report.results[0].outcome is Outcome.CHANGED
    assert radar.sent.count("unit=kmh") == 1


def test_the_echo_of_a_command_is_no_proof_that_it_was_obeyed() -> None:
    radar = ScriptedRadar(unit="mph")

    def spoil(command: str) -> bool:
        if command == "unit=kmh":
            radar.answers.put_nowait(Reply(0.0, {"unit": "kmh"}))
        return command == "unit=kmh"

    radar.spoil = spoil
    assert radar.set_up(setting("unit", "kmh")).results[0].outcome is Outcome.REFUSED


def test_no_answer_after_a_write_is_said_so() -> None:
    radar = ScriptedRadar(unit="mph")
    radar.spoil = lambda command: command == "unit?" and "unit=kmh" in radar.sent
    [result] = radar.set_up(setting("unit", "kmh")).results
    assert result == SettingResult("unit", "kmh", Outcome.NO_ANSWER, "unit mph", None)


@pytest.mark.parametrize("command", ["unit?", "unit=kmh", "OJ"])
def test_a_restart_ends_the_set_up(command: str) -> None:
    radar = ScriptedRadar(unit="mph", rate="1")

    def spoil(sent: str) -> bool:
        if sent == command:
            radar.answers.put_nowait(Restarted(0.0, "Reset"))
        return False

    radar.spoil = spoil
    with pytest.raises(RadarRestarted):
        radar.set_up(setting("unit", "kmh"), unasked("OJ"), setting("rate", "1"))


def test_a_closed_port_is_the_callers_business() -> None:
    radar = ScriptedRadar()

    def spoil(_command: str) -> bool:
        raise PortError("radar", "gone")

    radar.spoil = spoil
    with pytest.raises(PortError):
        radar.set_up(unasked("OJ"))


# --------------------------------------------------------------------------- only looking


def test_a_look_asks_and_writes_nothing() -> None:
    radar = ScriptedRadar(unit="mph", rate="2", deaf="0")
    radar.spoil = lambda command: command == "deaf?"
    report = radar.set_up(
        setting("unit", "km/h"), setting("rate", "2"), unasked("JSON"), setting("deaf", "1"), dry_run=True
    )
    assert [one.outcome for one in report.results] == [
        Outcome.DIFFERS,
        Outcome.RIGHT,
        Outcome.NOT_ASKED,
        Outcome.NO_ANSWER,
    ]
    assert radar.values["unit"] == "mph"
    assert all(command.endswith("?") for command in radar.sent)
    assert report.results[0].before == report.results[0].after == "unit mph"
    assert [one.name for one in report.failed] == ["deaf"]
    assert report.failed_text == "deaf = 1: no answer"


def test_nobody_else_asks_between_a_question_and_its_answer() -> None:
    """A polled radar's line: whoever polls takes turns with the set-up."""
    radar = ScriptedRadar(unit="mph", rate="1")
    turn_free: list[bool] = []

    async def main() -> SetupReport:
        turn = asyncio.Lock()

        async def send(data: bytes) -> None:
            turn_free.append(not turn.locked())
            await radar.send(data)

        line = CommandLine(send, radar.answers, 0.15, turn=turn)
        report = await set_up([setting("unit", "km/h"), setting("rate", "2")], line)
        assert not turn.locked()
        return report

    assert run_virtual(main()).ok
    assert len(turn_free) == 6
    assert not any(turn_free)
