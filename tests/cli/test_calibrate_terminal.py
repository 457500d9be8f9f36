"""speedsign calibrate at a terminal: Ctrl-C and the end of the input at each prompt, a lost connection."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pexpect
import pytest

from tests.cli.calibrations import Desk
from tests.cli.command import environment

pytestmark = pytest.mark.wires
STOPPED = "speedsign calibrate angle: stopped: no record was kept, and the config is as it was"
PROMPTS = (
    ("Your name:", "Anna"),
    ("Radar to the middle of the lane, sideways, m:", "4"),
    ("Radar above the road, m:", "3"),
    ("Along the road to where it aims, m:", "30"),
    ("Write radar.mounting_angle_deg = 13\\? \\[Y/n\\]", "y"),
)


def at_the_terminal(desk: Desk, prompts: int) -> pexpect.spawn:
    """`calibrate angle`, with so many prompts answered and the next one waiting."""
    args = ["-m", "speedsign", "calibrate", "angle", "--read-at", "20", "--config", str(desk.config)]
    child: pexpect.spawn = pexpect.spawn(
        sys.executable,
        args,
        env=environment(),
        encoding="utf-8",
        timeout=15,
        dimensions=(24, 40),
    )
    for prompt, answer in PROMPTS[:prompts]:
        child.expect(prompt)
        child.sendline(answer)
    child.expect(PROMPTS[prompts][0])
    return child


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write()
    return desk


@pytest.mark.parametrize("prompts", range(len(PROMPTS)))
@pytest.mark.parametrize("how", ["\x03", "\x04"], ids=["ctrl-c", "ctrl-d"])
def test_who_stops_leaves_everything_as_it_was(desk: Desk, how: str, prompts: int) -> None:
    before = desk.text
    child = at_the_terminal(desk, prompts)
    child.send(how)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert STOPPED in " ".join((child.before or "").split())
    assert "Traceback" not in (child.before or "")
    assert desk.text == before
    assert desk.records == []


def test_a_lost_connection_leaves_everything_as_it_was(desk: Desk) -> None:
    before = desk.text
    child = at_the_terminal(desk, 4)
    child.kill(signal.SIGHUP)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert desk.text == before
    assert desk.records == []


def test_all_the_way_through(desk: Desk) -> None:
    child = at_the_terminal(desk, 4)
    child.sendline("y")
    child.expect("kept: ")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "mounting_angle_deg = 13.0" in desk.text
    assert desk.record["by"] == "Anna"
