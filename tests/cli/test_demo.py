"""demo: the whole sign on simulated hardware, headless, as the contract has it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import SPEEDSIGN, environment, process
from tests.cli.wires import wait_until
from tests.telemetry.broker import Broker, free_port

pytestmark = pytest.mark.wires
KEYS = ["seconds", "vehicles_passed", "vehicles_counted", "display_writes", "mqtt_messages", "faults"]
RUNS = [
    ("ops243", 1, 12),
    ("ops243", 2, 13),
    ("ops243", 3, 10),
    ("ops243", 4, 5),
    ("ld2415h", 2, 12),
    ("ld2415h", 3, 13),
    ("ld2415h", 4, 7),
    ("ld2415h", 1, 1),
]


def started(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*SPEEDSIGN, "demo", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def ended(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    with child:
        out, err = child.communicate(timeout=60)
    return child.returncode, out, err


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, int, int], tuple[int, dict[str, Any], str]]:
    """All runs at the same time: each waits for its traffic anyway."""
    children = {
        run: started("--radar", run[0], "--seed", str(run[1]), "--for", str(run[2]), "--json") for run in RUNS
    }
    found = {run: ended(child) for run, child in children.items()}
    return {run: (code, json.loads(out), err) for run, (code, out, err) in found.items()}


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_what_passes_is_counted_and_nothing_is_wrong(
    run: tuple[str, int, int], results: dict[tuple[str, int, int], tuple[int, dict[str, Any], str]]
) -> None:
    code, answer, err = results[run]
    assert err == ""
    assert list(answer) == KEYS
    assert answer["faults"] == []
    assert code == 0
    assert run[2] <= answer["seconds"] < run[2] + 2
    passed, counted = answer["vehicles_passed"], answer["vehicles_counted"]
    assert abs(counted - passed) <= max(0.1 * passed, 1 if passed > 3 else 0)
    assert passed >= (run[2] - 6) // 4
    assert answer["display_writes"] >= min(run[2], 3)
    assert answer["mqtt_messages"] == 0


def test_with_a_broker_it_publishes(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        code, out, err = ended(started("--for", "5", "--json", "--mqtt", f"127.0.0.1:{broker.port}"))
    answer = json.loads(out)
    assert (code, answer["faults"], err) == (0, [], "")
    assert answer["mqtt_messages"] > 0


def test_a_broker_that_is_not_there_is_a_fault_and_exit_code_1() -> None:
    port = free_port()
    code, out, err = ended(started("--for", "2", "--json", "--mqtt", f"localhost:{port}"))
    answer = json.loads(out)
    assert code == 1
    assert len(answer["faults"]) == 1
    assert f"localhost:{port} cannot be reached" in answer["faults"][0]
    assert "Traceback" not in err


def test_without_a_terminal_there_is_no_picture() -> None:
    code, out, err = ended(started("--for", "2"))
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert out.splitlines()[0] == "no broker is named (--mqtt): nothing is sent"
    assert out.splitlines()[-1].startswith("seconds 2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_with_its_answer(number: signal.Signals) -> None:
    with process("demo", "--json", stdin=subprocess.DEVNULL) as child:
        _wait_for_ptys(child.pid)
        child.send_signal(number)
        began_s = time.monotonic()
        out, err = child.communicate(timeout=10)
        assert time.monotonic() - began_s < 3
    assert (child.returncode, err) == (0, "")
    assert list(json.loads(out)) == KEYS


def _wait_for_ptys(pid: int) -> None:
    """Until the stand is plugged in: signals are handled from then on."""
    fds = Path(f"/proc/{pid}/fd")
    wait_until(lambda: sum(_is_pty(fd) for fd in fds.iterdir()) >= 2)


def _is_pty(fd: Path) -> bool:
    try:
        return "pt" in fd.readlink().name or "/pts/" in str(fd.readlink())
    except OSError:
        return False


def test_in_a_terminal_it_is_drawn() -> None:
    ours, theirs = pty.openpty()
    try:
        command = [*SPEEDSIGN, "demo", "--for", "2"]
        env = {**environment(), "TERM": "xterm", "COLUMNS": "100", "LINES": "40", "PYTHONIOENCODING": "utf-8"}
        with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=env) as child:
            os.close(theirs)
            theirs = -1
            seen = b""
            while child.poll() is None or select.select([ours], [], [], 0)[0]:
                if select.select([ours], [], [], 0.2)[0]:
                    try:
                        seen += os.read(ours, 65536)
                    except OSError:  # the last one has closed the other end
                        break
        assert child.returncode == 0
    finally:
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)
    text = seen.decode()
    for said in ("YOUR SPEED", "limit 50 km/h", "no faults", "Ctrl-C ends the demo"):
        assert said in text
    assert "Traceback" not in text
