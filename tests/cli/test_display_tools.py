"""speedsign display …: the field tools as processes, on ptys and TCP, with simulated panels at their ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
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
from tests.cli.command import speedsign
from tests.support import run, until

pytestmark = pytest.mark.wires
PANEL = ("--port", "PORT", "--driver", "dm56a04")
RELAYS = "[beacon]\ncoil = 0\nunit = 9\n[supply]\ncoil = 1\nunit = 9\nboot_s = 0.1\n"

Test = Callable[[Bench], Awaitable[None]]


def play(folder: Path, test: Test, *devices: tuple[int, Any], baud: int = 9600) -> None:
    async def main() -> None:
        async with bench(folder, *devices, baud=baud) as one:
            await test(one)

    run(main(), timeout_s=60)


# --------------------------------------------------------------------------- scan


def test_scan_finds_a_panel_at_another_rate_and_id_without_a_write(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        found = await one.as_json("scan", "--port", "PORT")
        (device,) = found["found"]
        assert (device["unit"], device["baud"]) == (5, 19_200)
        assert [(one["driver"], one["sureness"]) for one in device["maps"]] == [("dm56a04", "sure")]
        assert one.functions <= {1, 3, 4}
        config = parse_config(one.config().read_text().partition("[display]")[0] + device["config"], "pasted")
        assert config.display is not None
        assert (config.display.unit, config.display.baud, config.display.port) == (5, 19_200, one.port)

    twin = Dm56a04Twin(unit=5)
    twin.write(0xFE, [4])
    play(tmp_path, check, (5, twin), baud=19_200)
    assert twin.lit() == "0000", "it shows what it showed"


def test_scan_says_who_else_is_on_the_line_and_how_to_write_it_down(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        code, out, err = await one.tool("scan", "--port", "PORT", "--units", "1-3")
        assert code == 0
        assert (
            f"{one.port}: unit 1 answers at 9600 8N1\n  sure      DM56A04 / DM36B06 (driver dm56a04)\n" in out
        )
        assert 'its digits hold "0000  "' in out
        assert f'  [display]\n  driver = "dm56a04"\n  port = "{one.port}"\n' in out
        assert "unit 3 answers" in out
        assert "a relay board, no panel" in out
        assert err == f"{one.port}: asking at 9600 8N1\n"

    play(tmp_path, check, (1, Dm56a04Twin()), (3, RelayBoard()))


def test_scan_takes_its_port_from_the_config(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        found = await one.as_json("scan", "--config", one.config(), "--baud", "9600", "--units", "1")
        assert found["port"] == one.port
        assert len(found["found"]) == 1

    play(tmp_path, check)


def test_scan_of_a_silent_line_says_what_to_check(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        code, out, _ = await one.tool("scan", "--port", "PORT", "--baud", "9600", "--units", "7")
        assert code == 1
        for word in ("silent", "ids 7", "9600", "A and B swapped", "--units 1-247", "--parity E", "--write"):
            assert word in out

    play(tmp_path, check)


def test_scan_tells_an_adapter_that_echoes(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        one.drop.echo = True
        code, out, _ = await one.tool("scan", "--port", "PORT", "--baud", "9600", "--units", "7")
        assert code == 1
        assert "the adapter hears what it sends; say local_echo = true in [display]" in out
        found = await one.as_json("scan", "--port", "PORT", "--baud", "9600", "--units", "1")
        assert found["echo"]
        assert found["found"][0]["maps"][0]["sureness"] == "sure"

    play(tmp_path, check)


def test_scan_tells_two_devices_with_one_id(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        code, out, _ = await one.tool("scan", "--port", "PORT", "--baud", "9600", "--units", "1-2")
        assert code == 1
        assert "asked as unit 1 at 9600 baud, bytes came that are no reply" in out
        assert "two devices with this id" in out

    play(tmp_path, check, (1, Dm56a04Twin()), (1, Dm56a04Twin()))


def test_scan_waits_for_a_slow_panel(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        one.ends[0].faults.add(PanelFault.SLOW)
        one.ends[0].slow_s = 0.25
        found = await one.as_json("scan", "--port", "PORT", "--baud", "9600", "--units", "1-4")
        assert [device["unit"] for device in found["found"]] == [1]
        assert found["slow_units"] == [1]

    play(tmp_path, check)


@pytest.mark.parametrize("scheme", ["tcp", "rtu+tcp"])
def test_scan_behind_tcp(tmp_path: Path, scheme: str) -> None:
    async def check(one: Bench) -> None:
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

    play(tmp_path, check)


class Mute(RtuSlave):
    """Answers no reads."""

    def answer(self, frame: bytes) -> bytes | None:
        return super().answer(frame) if frame[1] == 16 else None


def test_scan_writes_after_a_yes_alone(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
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

    play(tmp_path, check, (1, Led4852014Twin()))


def test_a_port_that_the_sign_has_is_said_with_what_to_do(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        sign = SerialPort(one.port, LineSettings(9600))
        await sign.open(lambda _data: None, lambda _error: None)
        try:
            tools = (("scan", "--port", "PORT"), ("show", "47", *PANEL), ("test", *PANEL))
            for code, _, err in await asyncio.gather(*(one.tool(*args) for args in tools)):
                assert code == 1
                assert "in use by another program" in err
                assert "sudo systemctl stop speedsign" in err
        finally:
            sign.close()

    play(tmp_path, check)


# --------------------------------------------------------------------------- show


def test_show_puts_a_number_on_says_what_it_holds_and_leaves_it_dark(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
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

    play(tmp_path, check)


def test_show_takes_the_panel_from_the_config_with_its_mirrors(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        config = one.config("unit = 3\nmirror_units = [4]\n")
        done = await one.as_json("show", "47", "--config", config, "--for", "0.2")
        assert [panel["unit"] for panel in done["panels"]] == [3, 4]
        done = await one.as_json("show", "47", "--config", config, "--unit", "4", "--for", "0.2")
        assert [panel["unit"] for panel in done["panels"]] == [4]
        assert one.twins[1].lit() == "    "

    play(tmp_path, check, (3, Dm56a04Twin(unit=3)), (4, Dm56a04Twin(unit=4)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_show_leaves_it_dark_when_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    async def check(one: Bench) -> None:
        child = one.start("show", "47", *PANEL, "--for", "30")
        await until(lambda: one.twin.lit() == "  47", what="the number")
        child.send_signal(number)
        code, out, err = await one.end(child)
        assert (code, err) == (0, "")
        assert out.endswith("dark\n")
        assert one.twin.lit() == "    "

    play(tmp_path, check)


def test_show_on_a_panel_that_hangs_is_a_failure_that_says_what_it_holds(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        one.twin.power_cycle()
        one.ends[0].faults.add(PanelFault.LYING)
        code, out, err = await one.tool("show", "47", *PANEL, "--for", "0.2")
        assert code == 1
        assert 'acknowledged, but holds "0000" instead of "  47"' in out
        assert "did not acknowledge dark; it may still show 47" in err

    play(tmp_path, check)


def test_show_on_a_dead_panel_is_one_sentence(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        one.ends[0].faults.add(PanelFault.DEAD)
        code, out, err = await one.tool("show", "47", *PANEL)
        assert (code, out) == (1, "")
        assert err.startswith(f"speedsign display show: {one.port}: unit 1 did not answer: nothing came back")
        assert len(err.splitlines()) == 1

    play(tmp_path, check)


def test_a_panel_that_dies_while_it_is_lit_ends_it_with_a_warning(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        child = one.start("show", "47", *PANEL, "--for", "30")
        await until(lambda: one.twin.lit() == "  47", what="the number")
        one.ends[0].faults.add(PanelFault.DEAD)
        code, _, err = await one.end(child)
        assert code == 1
        assert "did not answer: nothing came back; it may still show 47: switch it off" in err

    play(tmp_path, check)


def test_a_panel_with_a_time_out_of_its_own_stays_lit(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        fema = ("--port", "PORT", "--driver", "fema", "--baud", "9600")
        code, out, _ = await one.tool("show", "47", *fema, "--for", "4")
        assert code == 0
        assert "holds what it was told (002f 0000)" in out
        assert not any("Err" in text for text in one.seen)

    play(tmp_path, check, (1, FemaTwin(watchdog_s=2.5)))


# --------------------------------------------------------------------------- test


def test_every_question_answered_yes(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        code, out, err = await one.tool("test", *PANEL, "--pause", "0", typed="y\n" * 4)
        assert (code, err) == (0, "")
        for question in ("Do all segments light", "Did 1 to 9", "brighten in 8 steps", "Is it dark?"):
            assert question in out
        assert out.endswith("yes        dark\ndark; all well\n")
        assert {"8888", *(str(n) * 4 for n in range(10))} <= set(one.seen)
        assert one.twin.lit() == "    "

    play(tmp_path, check)


def test_what_is_answered_counts(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        code, out, _ = await one.tool("test", *PANEL, "--pause", "0", typed="what\nyes\nn\na\ns\nY\n")
        assert code == 1
        assert "yes        all segments\nno         digits\nskipped    brightness\nyes        dark\n" in out
        assert out.count("y yes, n no, s skip, a again, q quit") == 2
        assert out.count("- brightness") == 2
        assert out.endswith("dark; not all well\n")

    play(tmp_path, check)


@pytest.mark.parametrize(
    ("typed", "why"), [("y\nq\n", "quit"), ("y\n", "nobody answers; with --no-questions")]
)
def test_a_test_that_is_not_finished_is_a_failure(tmp_path: Path, typed: str, why: str) -> None:
    async def check(one: Bench) -> None:
        done = await one.as_json("test", *PANEL, "--pause", "0", code=1, typed=typed)
        assert [(result["name"], result["answer"]) for result in done["results"]] == [("all segments", "yes")]
        assert (done["ok"], done["complete"]) == (False, False)
        assert why in done["left"]
        assert one.twin.lit() == "    "

    play(tmp_path, check)


def test_a_test_without_questions_reads_back(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
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

    play(tmp_path, check)


def test_ctrl_c_at_a_question_leaves_it_dark(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        child = one.start("test", *PANEL, "--pause", "0")
        await until(lambda: one.twin.lit() == "8888", what="all segments")
        child.send_signal(signal.SIGINT)
        await until(lambda: child.poll() is not None, what="the end")
        code, out, err = await one.end(child, None)
        assert (code, err) == (1, "")
        assert "not finished: stopped" in out
        assert one.twin.lit() == "    "

    play(tmp_path, check)


def test_a_panel_that_dies_at_a_question_is_told_with_what_was_seen(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
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

    play(tmp_path, check)


def test_the_words_and_the_beacon_of_the_config_are_tested_too(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
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

    play(tmp_path, check, (1, Dm56a04Twin()), (9, RelayBoard()))


# --------------------------------------------------------------------------- blank


def test_blank_darkens_and_switches_off(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        board = one.twins[1]
        board.write_coil(0, 0xFF00)
        board.write_coil(1, 0xFF00)
        code, out, err = await one.tool("blank", "--config", one.config(RELAYS))
        assert (code, err) == (0, "")
        assert out == "panel 1: dark\nbeacon: off\nsupply: off\n"
        assert one.twin.lit() == "    "
        assert not any(board.lit())
        assert one.requests[0][1] == 16, "dark is the first thing on the wire"

    play(tmp_path, check, (1, Dm56a04Twin()), (9, RelayBoard()))


def test_blank_of_a_dead_panel_is_bounded_and_says_so(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        one.ends[0].faults.add(PanelFault.DEAD)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        done = await one.as_json("blank", "--config", one.config(), code=1)
        assert loop.time() - began_s < 3.5  # 3 s and what a busy machine takes more
        (panel,) = done["done"]
        assert (done["ok"], panel["what"], panel["dark"]) == (False, "panel 1", False)
        assert panel["why_not"].startswith(f"{one.port}: unit 1 did not answer")
        assert len(one.requests) >= 4, "it was tried again"

    play(tmp_path, check)


def test_blank_waits_for_a_panel_that_answers_late(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        one.ends[0].faults.add(PanelFault.DEAD)
        child = one.start("blank", "--config", one.config())
        await until(lambda: len(one.requests) >= 2, what="a second try")
        one.ends[0].faults.clear()
        assert (await one.end(child))[0] == 0
        assert one.twin.lit() == "    "

    play(tmp_path, check)


def test_blank_works_with_a_config_that_the_sign_refuses(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        config = one.config()
        config.write_text(
            config.read_text().replace("limit_kmh = 50", "limit_kmh = 5000") + "[rules]\nx = 1\n"
        )
        assert speedsign("check", "--config", config).exit_code == 2
        code, out, _ = await one.tool("blank", "--config", config)
        assert (code, out) == (0, "panel 1: dark\n")
        assert one.twin.lit() == "    "

    play(tmp_path, check)


def test_blank_of_a_panel_that_cannot_go_dark_says_what_may_be_seen(tmp_path: Path) -> None:
    async def check(one: Bench) -> None:
        config = one.config('baud = 9600\naccept_zero = true\nprofile = "16-bit"\n')
        config.write_text(config.read_text().replace("dm56a04", "fema"))
        one.twin.write(0, [47])
        code, out, _ = await one.tool("blank", "--config", config)
        assert (code, out) == (0, "panel 1: told to show nothing; this panel cannot go dark and may show 0\n")
        assert one.twin.lit().strip() == "0"

    play(tmp_path, check, (1, FemaTwin()))
