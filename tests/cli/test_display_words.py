"""speedsign display …: what is refused before anything is opened, what is asked, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.display.scan import Plan, Search
from speedsign.cli.display_ask import Answer, Keyboard, answer_of
from speedsign.cli.display_blank import _say
from speedsign.cli.display_line import face_of
from speedsign.cli.display_pictures import pictures
from speedsign.errors import UsageError
from speedsign.model import BLANK, Face
from speedsign.ports import DIGIT_GLYPHS, Capabilities
from speedsign.registry import display_names, load_display
from tests.cli.command import finished, speedsign
from tests.support import run

NOWHERE = ("--port", "/dev/none", "--driver", "dm56a04")


def panel(**more: object) -> Capabilities:
    plain: dict[str, object] = {
        "digits": 4, "can_blank": True, "brightness_levels": 8, "reads_back": True, "own_timeout_s": None,
        "lights_at_power_up": True,
    }  # fmt: skip
    return Capabilities(**{**plain, **more})  # type: ignore[arg-type]


WORDS = panel(cells=6, glyphs=DIGIT_GLYPHS | set("LĒNĀKSTOP"), blinks=True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("show",), "Missing argument 'TEXT'"),
        (("show", "12345", *NOWHERE), "12345 does not fit: the panel has 4 digits"),
        (("show", "LĒNĀK", *NOWHERE), "'LĒNĀK' cannot be shown: the panel lacks K Ā Ē"),
        (("show", "HELLO", *NOWHERE), "does not fit: it has 5 characters, the panel 4"),
        (("show", "=", *NOWHERE), "an empty word is nothing to show"),
        (("show", "STOP", "--port", "/dev/none", "--driver", "fema"), "this panel shows numbers only"),
        (("show", "47", "--blink", "--port", "/dev/none", "--driver", "fema"), "this panel cannot blink"),
        (
            ("show", "47", "--brightness", "1", "--port", "/dev/none", "--driver", "fema"),
            "the brightness of this panel cannot be set over its line; leave out --brightness",
        ),
        (("show", "47", "--brightness", "2", *NOWHERE), "'--brightness'"),
        (("show", "47", "--for", "0", *NOWHERE), "'--for'"),
        (("show", "47", "--port", "/dev/none"), "name --port and --driver, or a config with --config"),
        (("test", "--driver", "fema"), "name --port and --driver, or a config with --config"),
        (("test", *NOWHERE, "--unit", "248"), "'--unit'"),
        (("test", *NOWHERE, "--pause", "-1"), "'--pause'"),
        (("scan", "--units", "0-3", "--port", "x"), "unit ids are 1 to 247, the lower one first"),
        (("scan", "--units", "9-3", "--port", "x"), "unit ids are 1 to 247, the lower one first"),
        (("scan", "--units", "one", "--port", "x"), "write 1-8, or 3, or 1,5,20-24"),
        (("scan", "--baud", "300", "--port", "x"), "'--baud'"),
        (("scan", "--port", "tcp://127.0.0.1:1", "--baud", "9600"), "leave out --baud behind TCP"),
        (("scan",), "name --port"),
        (("blank", "--config", "/dev/none/x"), "/dev/none/x: "),
        (("show", "9" * 5000, *NOWHERE), "a number of 5000 digits does not fit: the panel has 4 digits"),
        (("show", "47", *NOWHERE, "--brightness", "nan"), "'nan' is not a number"),
        (("show", "47", *NOWHERE, "--for", "nan"), "'nan' is not a number"),
        (("show", "47", *NOWHERE, "--timeout", "nan"), "'nan' is not a number"),
        (("show", "47", *NOWHERE, "--timeout", "3"), "'--timeout'"),
        (("test", *NOWHERE, "--pause", "nan"), "'nan' is not a number"),
        (("show", "47", "--port", "/dev/none", "--driver", "sonar"), "there is no driver 'sonar'; known are"),
        (("show", "47", "--port", "/dev/none", "--driver", "registers"), "[display.registers]"),
        (("show", "47", *NOWHERE, "--profile", "x"), "no profile 'x'"),
        (("show", "47", *NOWHERE, "--digits", "5"), "digits is 5"),
        (("show", "47", "--port", "udp://x:1", "--driver", "dm56a04"), "'udp://x:1' is no port; write /dev/"),
        (("test", "--port", "", "--driver", "dm56a04"), "'' is no port; write /dev/"),
        (("scan", "--port", ""), "'' is no port; write /dev/"),
        (("scan", "--port", "http://x"), "is no port; write /dev/"),
        (("scan", "--port", "tcp://"), "is no port; write /dev/"),
        (("scan", "--port", "tcp://127.0.0.1:99999"), "is no port; write /dev/"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_opened(args: tuple[str, ...], said: str) -> None:
    result = speedsign("display", *args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("show", "47", *NOWHERE), "display show: /dev/none: no such port"),
        (("test", *NOWHERE), "display test: /dev/none: no such port"),
        (("scan", "--port", "/dev/none"), "display scan: /dev/none: no such device"),
        (("scan", "--port", "tcp://127.0.0.1:1"), "cannot connect"),
        (
            ("show", "47", "--port", "/tmp", "--driver", "dm56a04"),
            "/tmp: not a serial device; check the name",
        ),
        (("test", "--port", "/dev/null", "--driver", "dm56a04"), "/dev/null: not a serial device;"),
        (("scan", "--port", "/tmp"), "/tmp: not a serial device; check the name"),
        (("scan", "--port", "/dev/none", "--baud", "9600", "--baud", "9600"), "/dev/none: no such device"),
    ],
)
def test_what_cannot_be_is_one_sentence(args: tuple[str, ...], said: str) -> None:
    result = speedsign("display", *args)
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_rate_that_is_named_twice_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Plan] = []

    async def scan(_target: str, plan: Plan, *_rest: object) -> Search:
        plans.append(plan)
        return Search()

    monkeypatch.setattr("speedsign.cli.display_scan.scan_line", scan)
    speedsign("display", "scan", "--port", "/dev/none", "--baud", "9600", "--baud", "1200", "--baud", "9600")
    assert [plan.bauds for plan in plans] == [(9600, 1200)]


def test_a_host_that_closes_its_connections_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def close_them() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        closing = threading.Thread(target=close_them, daemon=True)
        closing.start()
        done = finished("display", "show", "47", "--port", port, "--driver", "dm56a04")
        server.shutdown(socket.SHUT_RDWR)
    closing.join(5)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_config_without_a_panel_is_said_and_is_no_reason_to_fail_blank(tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    config.write_text('[sign]\nid = "abc"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/x"\n')
    for tool in (("show", "47"), ("test",), ("scan",)):
        result = speedsign("display", *tool, "--config", config)
        assert result.exit_code == 2
        assert f"{config} has no [display]; name" in result.stderr
    result = speedsign("display", "blank", "--config", config)
    assert result.exit_code == 0
    assert result.stdout == "the config has no [display]: there is nothing to darken\n"
    result = speedsign("display", "blank", "--config", config, "--json")
    assert result.stdout == '{\n "ok": true,\n "done": []\n}\n'


def test_what_could_not_be_darkened_is_said_with_why(capsys: pytest.CaptureFixture[str]) -> None:
    _say({"panel 1": "it did not answer"}, ["panel 1", "beacon"], as_json=False)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("beacon: off\n", "panel 1: not dark: it did not answer\n")


# --------------------------------------------------------------------------- what is put on


@pytest.mark.parametrize(
    ("text", "face"),
    [
        ("47", Face(47)),
        ("0", Face(0)),
        ("007", Face(7)),
        ("dark", BLANK),
        ("=47", Face(word="47")),
        ("STOP", Face(word="STOP")),
        ("LĒNĀK", Face(word="LĒNĀK")),
        ("LE\u0304NA\u0304K", Face(word="LĒNĀK")),  # the same letters, typed in two codes each
    ],
)
def test_a_text_is_a_number_dark_or_a_word(text: str, face: Face) -> None:
    assert face_of(text, WORDS) == face


@given(st.text(max_size=12))
def test_a_word_is_shown_whole_and_as_it_is_written_or_not_at_all(text: str) -> None:
    try:
        face = face_of(text, WORDS)
    except UsageError:
        return
    if face.word:
        assert set(face.word) <= WORDS.glyphs
        assert len(face.word) <= WORDS.cells


def test_what_is_shown_in_the_test_fits_every_panel_there_is() -> None:
    for name in set(display_names()) - {"registers"}:
        driver = load_display(name)
        shown = pictures(driver.capabilities, words=["8"], blinks=True, beacon=True)
        names = [picture.name for picture in shown]
        assert names[:2] == ["all segments", "digits"]
        assert names[-1] == "dark"
        assert ("brightness" in names) == (driver.capabilities.brightness_levels > 1)
        assert ("blinking" in names) == driver.capabilities.blinks
        for picture in shown:
            faces = [scene.face for scene in picture.scenes if scene.face is not None]
            for face in faces:
                if face.number is not None:
                    assert len(str(face.number)) <= driver.capabilities.digits
            assert len(f"  {picture.question} [y/n/s/a/q]") <= 60, "it is read on a phone"


def test_every_digit_is_seen_in_every_place_where_that_can_be() -> None:
    (digits,) = (picture for picture in pictures(WORDS) if picture.name == "digits")
    assert [str(scene.face) for scene in digits.scenes] == [str(n) * 4 for n in (*range(1, 10), 0)]
    (digits,) = (picture for picture in pictures(panel()) if picture.name == "digits")
    assert str(digits.scenes[-1].face) == "1000"


def test_the_sweep_goes_through_every_step() -> None:
    (sweep,) = (picture for picture in pictures(panel(brightness_levels=3)) if picture.name == "brightness")
    assert [scene.level for scene in sweep.scenes] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("y", Answer.YES),
        (" Yes", Answer.YES),
        ("N", Answer.NO),
        ("s", Answer.SKIPPED),
        ("again", Answer.AGAIN),
        ("q", Answer.QUIT),
        ("", None),
        ("perhaps", None),
    ],
)
def test_the_first_letter_answers(line: str, answer: Answer | None) -> None:
    assert answer_of(line) is answer


def test_lines_are_taken_one_by_one_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also half a line, several at once, and the end without a line feed."""

    async def check() -> None:
        ours, theirs = os.pipe()
        with os.fdopen(ours) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            async with Keyboard() as keyboard:
                os.write(theirs, b"ye")
                await asyncio.sleep(0)
                assert keyboard.take() is None
                os.write(theirs, b"s\nn\nq")
                await keyboard.changed.wait()
                assert (keyboard.take(), keyboard.take(), keyboard.take()) == ("yes", "n", None)
                assert not keyboard.changed.is_set(), "whoever waits sleeps until more comes"
                assert not keyboard.ended
                os.close(theirs)
                await keyboard.changed.wait()
                assert (keyboard.take(), keyboard.take()) == ("q", None)
                assert keyboard.ended

    run(check())


def test_help_says_that_a_port_has_one_user() -> None:
    result = speedsign("display", "--help")
    assert "sudo systemctl stop speedsign" in result.stdout
