"""speedsign display …: the field tools as processes, on ptys and TCP, with simulated panels at their ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drivers.serial_port import SerialPort
from simulator.panel_end import PanelEnd, PanelFault
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.panels.fema import FemaTwin
from simulator.panels.led485 import Led4852014Twin
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import MbapSlave, RtuSlave
from simulator.tcp_line import TcpLine
from speedsign.config.load import parse_config
from speedsign.ports import LineSettings
from tests.cli.bench import Bench, bench
from tests.cli.command import SPEEDSIGN, environment, speedsign
from tests.scenes import Outcomes, Together, believe
from tests.support import until

pytestmark = pytest.mark.wires
PANEL = ("--port", "PORT", "--driver", "dm56a04")
RELAYS = "[beacon]\ncoil = 0\nunit = 9\n[supply]\ncoil = 1\nunit = 9\nboot_s = 0.1\n"

AT_ONCE = 4

Scene = Callable[[Bench], Awaitable[None]]
together = Together(AT_ONCE)


def scene(*devices: tuple[int, Any], baud: int = 9600, name: str = "") -> Callable[[Scene], Scene]:
    """A test on a line of its own. Several run at the same time: most of their time is waiting."""

    def keep(test: Scene) -> Scene:
        title = getattr(test, "func", test).__name__  # a partial has none of its own
        together.add(" ".join(filter(None, (title, name))), partial(play, test, devices, baud))
        return test

    return keep


async def play(test: Scene, devices: tuple[tuple[int, Any], ...], baud: int, folder: Path) -> None:
    async with bench(folder, *devices, baud=baud) as line:
        await test(line)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of each scene that was asked for."""
    return together.play(request, tmp_path_factory)


# --------------------------------------------------------------------------- scan


def set_to(unit: int, baud_code: int) -> Dm56a04Twin:
    """A panel that somebody has set to another id and rate."""
    twin = Dm56a04Twin(unit=unit)
    twin.write(0xFE, [baud_code])
    return twin


@scene((5, set_to(5, 4)), baud=19_200)
async def scan_finds_a_panel_at_another_rate_and_id_without_a_write(one: Bench) -> None:
    found = await one.as_json("scan", "--port", "PORT")
    (device,) = found["found"]
    assert (device["unit"], device["baud"]) == (5, 19_200)
    assert [(guess["driver"], guess["sureness"]) for guess in device["maps"]] == [("dm56a04", "sure")]
    assert one.functions <= {1, 3, 4}
    assert one.twin.lit() == "0000", "it shows what it showed"
    config = parse_config(one.config().read_text().partition("[display]")[0] + device["config"], "pasted")
    assert config.display is not None
    assert (config.display.unit, config.display.baud, config.display.port) == (5, 19_200, one.port)


@scene((1, Dm56a04Twin()), (3, RelayBoard()))
async def scan_says_who_else_is_on_the_line_and_how_to_write_it_down(one: Bench) -> None:
    code, out, err = await one.tool("scan", "--port", "PORT", "--units", "1-3")
    assert code == 0
    assert f"{one.port}: unit 1 answers at 9600 8N1\n  sure      DM56A04 / DM36B06 (driver dm56a04)\n" in out
    assert 'its digits hold "0000  "' in out
    assert f'  [display]\n  driver = "dm56a04"\n  port = "{one.port}"\n' in out
    assert "unit 3 answers" in out
    assert "a relay board, no panel" in out
    assert err == f"{one.port}: asking at 9600 8N1\n"


@scene()
async def scan_takes_its_port_from_the_config(one: Bench) -> None:
    found = await one.as_json("scan", "--config", one.config(), "--baud", "9600", "--units", "1")
    assert found["port"] == one.port
    assert len(found["found"]) == 1


@scene()
async def scan_of_a_silent_line_says_what_to_check(one: Bench) -> None:
    code, out, _ = await one.tool("scan", "--port", "PORT", "--baud", "9600", "--units", "7")
    assert code == 1
    for word in ("silent", "ids 7", "9600", "A and B swapped", "--units 1-247", "--parity E", "--write"):
        assert word in out


@scene()
async def scan_tells_an_adapter_that_echoes(one: Bench) -> None:
    one.drop.echo = True
    code, out, _ = await one.tool("scan", "--port", "PORT", "--baud", "9600", "--units", "7")
    assert code == 1
    assert "the adapter hears what it sends; say local_echo = true in [display]" in out
    found = await one.as_json("scan", "--port", "PORT", "--baud", "9600", "--units", "1")
    assert found["echo"]
    assert found["found"][0]["maps"][0]["sureness"] == "sure"
    assert found["found"][0]["config"].endswith("\nlocal_echo = true")


@scene((1, Dm56a04Twin()), (1, Dm56a04Twin()))
async def scan_tells_two_devices_with_one_id(one: Bench) -> None:
    code, out, _ = await one.tool("scan", "--port", "PORT", "--baud", "9600", "--units", "1-2")
    assert code == 1
    assert "asked as unit 1 at 9600 baud, bytes came that are no reply" in out
    assert "two devices with this id" in out


@scene()
async def scan_waits_for_a_slow_panel(one: Bench) -> None:
    one.ends[0].faults.add(PanelFault.SLOW)
    one.ends[0].slow_s = 0.25
    found = await one.as_json("scan", "--port", "PORT", "--baud", "9600", "--units", "1-4")
    assert [device["unit"] for device in found["found"]] == [1]
    assert found["slow_units"] == [1]
    config = parse_config(
        one.config().read_text().partition("[display]")[0] + found["found"][0]["config"], "pasted"
    )
    assert config.display is not None
    assert 0.3 <= config.display.timeout_s <= 0.6
    assert f"say timeout_s = {config.display.timeout_s:g} in [display]" in found["notes"][0]
    slow = ("show", "47", *PANEL, "--for", "0.2", "--timeout")
    assert (await one.tool(*slow, config.display.timeout_s))[0] == 0
    assert (await one.tool(*slow, "0.05"))[0] == 1


@scene()
async def scan_of_one_slow_panel_takes_no_late_answer_for_another_map(one: Bench) -> None:
    one.ends[0].faults.add(PanelFault.SLOW)
    one.ends[0].slow_s = 0.4
    found = await one.as_json("scan", "--port", "PORT", "--baud", "9600", "--units", "1")
    [device] = found["found"]
    assert 'driver = "dm56a04"' in device["config"]
    assert "timeout_s" in device["config"]


async def scan_behind_tcp(one: Bench, scheme: str) -> None:
    line = TcpLine()
    await line.start()
    slave = MbapSlave if scheme == "tcp" else RtuSlave
    end = PanelEnd(line, slave(2, Dm56a04Twin(unit=2)))
    try:
        port = f"{scheme}://{line.address}"
        found = await one.as_json("scan", "--port", port, "--units", "1-3")
    finally:
        end.close()
        await line.stop()
    (device,) = found["found"]
    assert (device["unit"], device["baud"], device["maps"][0]["driver"]) == (2, None, "dm56a04")
    assert f'port = "{port}"' in device["config"]


for way in ("tcp", "rtu+tcp"):
    scene(name=way)(partial(scan_behind_tcp, scheme=way))


class Mute(RtuSlave):
    """Answers no reads."""

    def answer(self, frame: bytes) -> bytes | None:
        return super().answer(frame) if frame[1] == 16 else None


@scene((1, Led4852014Twin()))
async def scan_writes_after_a_yes_alone(one: Bench) -> None:
    one.ends[0].slave = Mute(1, one.twin)
    scan = ("scan", "--port", "PORT", "--baud", "9600", "--units", "1", "--write")
    refusals = (("n\n", "nothing was sent"), ("", "say --yes"), ("\n", "nothing was sent"))
    ended = await asyncio.gather(*(one.tool(*scan, typed=typed) for typed, _ in refusals))
    for (_, said), (code, out, err) in zip(refusals, ended, strict=True):
        assert (code, out) == (2, "")
        assert "sends dark to the ids 1" in err
        assert said in err
    assert one.requests == []
    code, out, _ = await one.tool(*scan, typed="y\n")
    assert code == 0
    assert "LED-485, map of 2014 (driver led485, profile 2014)" in out
    assert one.twin.lit().strip() in ("", "0")
    again = await one.as_json(*scan, "--yes")
    assert again["found"][0]["maps"][0]["driver"] == "led485"
    assert again["written"] > 0


@scene()
async def a_port_that_the_sign_has_is_said_with_what_to_do(one: Bench) -> None:
    sign = SerialPort(one.port, LineSettings(9600))
    await sign.open(lambda _data: None, lambda _error: None)
    try:
        tools = (("scan", "--port", "PORT"), ("show", "47", *PANEL), ("test", *PANEL))
        for code, _, err in await asyncio.gather(*(one.tool(*args) for args in tools)):
            assert code == 1
            assert f"in use by another program (python ({os.getpid()})" in err.replace("python3", "python")
            assert "sudo systemctl stop speedsign" in err
    finally:
        sign.close()


# --------------------------------------------------------------------------- show


@scene()
async def show_puts_a_number_on_says_what_it_holds_and_leaves_it_dark(one: Bench) -> None:
    code, out, err = await one.tool("show", "47", *PANEL, "--for", "0.3", "--brightness", "0.5")
    assert (code, err) == (0, "")
    assert out == '47: panel 1: acknowledged, and holds what it was told ("  47")\ndark\n'
    assert one.seen == ["    ", "  47", "    "]
    assert one.twin.brightness == 5
    done = await one.as_json("show", "=12", *PANEL, "--for", "0.2")
    assert done["face"] == "12"
    done = await one.as_json("show", "STOP", *PANEL, "--for", "0.2", "--blink")
    assert (done["ok"], done["blink"]) == (True, True)
    assert one.twin.blink_mask == 0, "it does not go on blinking"
    done = await one.as_json("show", "dark", *PANEL, "--for", "0.2")
    assert done["ok"]


@scene((3, Dm56a04Twin(unit=3)), (4, Dm56a04Twin(unit=4)))
async def show_takes_the_panel_from_the_config_with_its_mirrors(one: Bench) -> None:
    config = one.config("unit = 3\nmirror_units = [4]\n")
    done = await one.as_json("show", "47", "--config", config, "--for", "0.2")
    assert [panel["unit"] for panel in done["panels"]] == [3, 4]
    done = await one.as_json("show", "47", "--config", config, "--unit", "4", "--for", "0.2")
    assert [panel["unit"] for panel in done["panels"]] == [4]
    assert one.twins[1].lit() == "    "


async def show_leaves_it_dark_when_it_is_stopped(one: Bench, number: signal.Signals) -> None:
    child = one.start("show", "47", *PANEL, "--for", "30")
    await until(lambda: one.twin.lit() == "  47", what="the number")
    child.send_signal(number)
    code, out, err = await one.end(child)
    assert (code, err) == (0, "")
    assert out.endswith("dark\n")
    assert one.twin.lit() == "    "


for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    scene(name=ending.name)(partial(show_leaves_it_dark_when_it_is_stopped, number=ending))


@scene()
async def show_on_a_panel_that_hangs_is_a_failure_that_says_what_it_holds(one: Bench) -> None:
    one.twin.power_cycle()
    one.ends[0].faults.add(PanelFault.LYING)
    code, out, err = await one.tool("show", "47", *PANEL, "--for", "0.2")
    assert code == 1
    assert 'acknowledged, but holds "0000" instead of "  47"' in out
    assert 'unit 1 acknowledges dark but holds "0000": switch it off' in err
    done = await one.as_json("show", "47", *PANEL, "--for", "0.2", code=1)
    assert (done["ok"], done["at_the_end"]) == (False, None)
    assert 'holds "0000"' in done["error"]
    assert [panel["ok"] for panel in done["panels"]] == [False]


@scene()
async def show_on_a_dead_panel_is_one_sentence(one: Bench) -> None:
    one.ends[0].faults.add(PanelFault.DEAD)
    code, out, err = await one.tool("show", "47", *PANEL)
    assert (code, out) == (1, "")
    assert err.startswith(f"speedsign display show: {one.port}: unit 1 did not answer: nothing came back")
    assert len(err.splitlines()) == 1


@scene()
async def a_panel_that_dies_while_it_is_lit_ends_it_with_a_warning(one: Bench) -> None:
    child = one.start("show", "47", *PANEL, "--for", "30")
    await until(lambda: one.twin.lit() == "  47", what="the number")
    one.ends[0].faults.add(PanelFault.DEAD)
    code, _, err = await one.end(child)
    assert code == 1
    assert "did not answer: nothing came back; it may still show 47: switch it off" in err


@scene((1, FemaTwin(watchdog_s=2.5)))
async def a_panel_with_a_time_out_of_its_own_stays_lit(one: Bench) -> None:
    fema = ("--port", "PORT", "--driver", "fema", "--baud", "9600")
    code, out, _ = await one.tool("show", "47", *fema, "--for", "4")
    assert code == 0
    assert "holds what it was told (002f 0000)" in out
    assert not any("Err" in text for text in one.seen)
    assert out.endswith("told to show nothing; this panel cannot go dark and may show 0\n")


# --------------------------------------------------------------------------- test


@scene()
async def every_question_answered_yes(one: Bench) -> None:
    code, out, err = await one.tool("test", *PANEL, "--pause", "0", typed="y\n" * 4)
    assert (code, err) == (0, "")
    for question in ("Do all segments light", "Did 1 to 9", "brighten in 8 steps", "Is it dark?"):
        assert question in out
    assert out.endswith("yes        dark\ndark\nall well\n")
    assert {"8888", *(str(n) * 4 for n in range(10))} <= set(one.seen)
    assert one.twin.lit() == "    "


@scene()
async def what_is_answered_counts(one: Bench) -> None:
    code, out, _ = await one.tool("test", *PANEL, "--pause", "0", typed="what\nyes\nn\na\ns\nY\n")
    assert code == 1
    assert "yes        all segments\nno         digits\nskipped    brightness\nyes        dark\n" in out
    assert out.count("y yes, n no, s skip, a again, q quit") == 2
    assert out.count("- brightness") == 2
    assert out.endswith("dark\nnot all well\n")


async def a_test_that_is_not_finished_is_a_failure(one: Bench, typed: str, why: str) -> None:
    done = await one.as_json("test", *PANEL, "--pause", "0", code=1, typed=typed)
    assert [(result["name"], result["answer"]) for result in done["results"]] == [("all segments", "yes")]
    assert (done["ok"], done["complete"]) == (False, False)
    assert why in done["left"]
    assert one.twin.lit() == "    "


for keys, said in (("y\nq\n", "quit"), ("y\n", "nobody answers; with --no-questions")):
    scene(name=said)(partial(a_test_that_is_not_finished_is_a_failure, typed=keys, why=said))


@scene()
async def a_test_without_questions_reads_back(one: Bench) -> None:
    test = ("test", *PANEL, "--pause", "0", "--no-questions")
    done = await one.as_json(*test)
    assert done["ok"]
    assert {result["answer"] for result in done["results"]} == {"not asked"}
    assert [result["read_back"] for result in done["results"]] == [False, True, True, True]
    one.ends[0].faults.add(PanelFault.LYING)
    done = await one.as_json(*test, code=1)
    assert not done["ok"]
    digits = next(result for result in done["results"] if result["name"] == "digits")
    assert 'holds "    " instead of "1111"' in digits["trouble"]


@scene()
async def ctrl_c_at_a_question_leaves_it_dark(one: Bench) -> None:
    child = one.start("test", *PANEL, "--pause", "0")
    await until(lambda: one.twin.lit() == "8888", what="all segments")
    child.send_signal(signal.SIGINT)
    await until(lambda: child.poll() is not None, what="the end")
    code, out, err = await one.end(child, None)
    assert (code, err) == (1, "")
    assert "not finished: stopped" in out
    assert one.twin.lit() == "    "


@scene()
async def a_panel_that_dies_at_a_question_is_told_with_what_was_seen(one: Bench) -> None:
    child = one.start("test", *PANEL, "--pause", "0")
    await until(lambda: one.twin.lit() == "8888", what="all segments")
    assert child.stdin is not None
    child.stdin.write("y\n")
    child.stdin.flush()
    await until(lambda: one.twin.lit() == "0000", what="the last digit")
    one.ends[0].faults.add(PanelFault.DEAD)
    await until(lambda: child.poll() is not None, what="the end")
    code, out, err = await one.end(child, None)
    assert code == 1
    assert "yes        all segments\n" in out
    assert "did not" in err
    assert len(err.splitlines()) == 1


@scene((1, Dm56a04Twin()), (9, RelayBoard()))
async def the_words_and_the_beacon_of_the_config_are_tested_too(one: Bench) -> None:
    board = one.twins[1]
    config = one.config(RELAYS + '[rules]\nwithin = ["speed", "=STOP"]\n', sign='country = "lv"\n')
    states: list[tuple[int, bool]] = []
    board.on_change = lambda relay, on: states.append((relay, on))
    test = ("test", "--config", config, "--pause", "0", "--no-questions")
    done = await one.as_json(*test)
    names = [result["name"] for result in done["results"]]
    assert names[3:] == ['"STOP"', "beacon on", "beacon off", "dark"]
    assert "STOP" in one.seen
    assert states == [(1, True), (0, True), (0, False), (1, False)]


# --------------------------------------------------------------------------- blank


@scene((1, Dm56a04Twin()), (9, RelayBoard()))
async def blank_darkens_and_switches_off(one: Bench) -> None:
    board = one.twins[1]
    board.write_coil(0, 0xFF00)
    board.write_coil(1, 0xFF00)
    code, out, err = await one.tool("blank", "--config", one.config(RELAYS))
    assert (code, err) == (0, "")
    assert out == "panel 1: dark\nbeacon: off\nsupply: off\n"
    assert one.twin.lit() == "    "
    assert not any(board.lit())
    assert one.requests[0][1] == 16, "dark is the first thing on the wire"


@scene()
async def blank_of_a_dead_panel_is_bounded_and_says_so(one: Bench) -> None:
    one.ends[0].faults.add(PanelFault.DEAD)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    done = await one.as_json("blank", "--config", one.config(), code=1)
    assert loop.time() - began_s < 8.0  # 3 s, and what a busy machine takes more
    (panel,) = done["done"]
    assert (done["ok"], panel["what"], panel["ok"]) == (False, "panel 1", False)
    assert panel["why_not"].startswith(f"{one.port}: unit 1 did not answer")
    assert len(one.requests) >= 4, "it was tried again"


@scene()
async def blank_waits_for_a_panel_that_answers_late(one: Bench) -> None:
    one.ends[0].faults.add(PanelFault.DEAD)
    child = one.start("blank", "--config", one.config())
    await until(lambda: len(one.requests) >= 2, what="a second try")
    one.ends[0].faults.clear()
    assert (await one.end(child))[0] == 0
    assert one.twin.lit() == "    "


@scene()
async def blank_waits_as_long_for_a_slow_panel_as_the_config_says(one: Bench) -> None:
    one.ends[0].faults.add(PanelFault.SLOW)
    one.ends[0].slow_s = 0.4
    code, out, err = await one.tool("blank", "--config", one.config("timeout_s = 0.6\n"))
    assert (code, out, err) == (0, "panel 1: dark\n", "")
    assert one.twin.lit() == "    "


@scene()
async def nobody_at_the_keyboard_is_said_also_where_there_is_none(one: Bench) -> None:
    """Standard input closed, as a shell does by <&-."""
    shell = ("sh", "-c", 'exec "$@" <&-', "sh", *SPEEDSIGN, "display")
    for args, said in (
        (("test", *PANEL, "--pause", "0"), "nobody answers; with --no-questions nobody has to"),
        (("scan", "--port", "PORT", "--write"), "nobody is there to ask; say --yes"),
    ):
        words = [*shell, *(arg.replace("PORT", one.port) for arg in args)]
        done = await asyncio.to_thread(
            subprocess.run, words, capture_output=True, text=True, env=environment(), check=False
        )
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert one.twin.lit() == "    "


@scene()
async def blank_works_with_a_config_that_the_sign_refuses(one: Bench) -> None:
    config = one.config()
    config.write_text(config.read_text().replace("limit_kmh = 50", "limit_kmh = 5000") + "[rules]\nx = 1\n")
    assert speedsign("check", "--config", config).exit_code == 2
    code, out, _ = await one.tool("blank", "--config", config)
    assert (code, out) == (0, "panel 1: dark\n")
    assert one.twin.lit() == "    "


@scene((1, FemaTwin()))
async def blank_of_a_panel_that_cannot_go_dark_says_what_may_be_seen(one: Bench) -> None:
    config = one.config('baud = 9600\naccept_zero = true\nprofile = "16-bit"\n')
    config.write_text(config.read_text().replace("dm56a04", "fema"))
    one.twin.write(0, [47])
    code, out, _ = await one.tool("blank", "--config", config)
    assert (code, out) == (0, "panel 1: told to show nothing; this panel cannot go dark and may show 0\n")
    assert one.twin.lit().strip() == "0"


@scene((1, FemaTwin()), (9, RelayBoard()))
async def blank_of_a_panel_whose_supply_is_off_is_dark(one: Bench) -> None:
    one.twins[1].wire(1, one.twin.power_on, one.twin.power_off)
    one.twins[1].write_coil(1, 0xFF00)
    config = one.config(f"baud = 9600\naccept_zero = true\n{RELAYS}")
    config.write_text(config.read_text().replace("dm56a04", "fema"))
    code, out, _ = await one.tool("blank", "--config", config)
    assert (code, out) == (0, "panel 1: dark\nbeacon: off\nsupply: off\n")
    assert not one.twin.powered


@pytest.mark.parametrize("name", together.scenes)
def test_on_a_line(name: str, outcomes: Outcomes) -> None:
    believe(outcomes[name])
