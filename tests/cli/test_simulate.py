"""simulate: the other end of every wire, for anyone's tests; here with the real daemon on it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry.query import read_counts
from tests.cli.command import finished, process, speedsign
from tests.cli.wires import EVER, config_text, stop, wait_until

pytestmark = pytest.mark.wires


def events(child: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert child.stdout is not None
    for line in child.stdout:
        yield json.loads(line)


def say(child: subprocess.Popen[str], text: str) -> None:
    assert child.stdin is not None
    child.stdin.write(text)
    child.stdin.flush()


def test_addresses_first_then_events_until_its_time_is_over(tmp_path: Path) -> None:
    result = finished("simulate", "--dir", tmp_path / "new" / "stand", "--for", "0.5", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    first = json.loads(result.stdout.splitlines()[0])
    assert first == {
        "event": "devices",
        "radar": str(tmp_path / "new/stand/radar"),
        "panel": str(tmp_path / "new/stand/panel"),
    }
    assert not (tmp_path / "new/stand/radar").is_symlink()


def test_faults_from_standard_input_several_in_one_write_and_in_pieces(tmp_path: Path) -> None:
    with process("simulate", "--dir", tmp_path, "--json", "--per-hour", "0") as child:
        said = events(child)
        assert next(said)["event"] == "devices"
        say(child, "radar silence\npanel dead\nradar on fire\npanel unp")
        assert next(said) == {"event": "fault", "command": "radar silence"}
        assert next(said) == {"event": "fault", "command": "panel dead"}
        wrong = next(said)
        assert wrong["event"] == "error"
        assert "'radar on fire' is no fault; there are: radar silence" in wrong["text"]
        assert (tmp_path / "panel").is_symlink()
        say(child, "lug\nhelp\n")
        assert next(said)["command"] == "panel unplug"
        assert not (tmp_path / "panel").is_symlink()
        assert "panel lying" in next(said)["words"]
        say(child, "clear")
        child.stdin.close()  # type: ignore[union-attr]  # a pipe was asked for
        child.stdin = None
        assert next(said)["command"] == "clear"
        assert (tmp_path / "panel").is_symlink()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=5)
    assert (child.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("source", ["file", "null", "closed"])
def test_an_input_that_cannot_be_waited_for(tmp_path: Path, source: str) -> None:
    faults = tmp_path / "faults"
    faults.write_text("radar silence\npanel dead")
    if source == "closed":
        command = ["sh", "-c", 'exec "$0" -m speedsign simulate --for 0.3 --json <&-', sys.executable]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    else:
        with (faults if source == "file" else Path("/dev/null")).open() as given:
            result = finished("simulate", "--for", "0.3", "--json", stdin=given)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count('"fault"') == (2 if source == "file" else 0)


def test_no_file_is_replaced_by_a_device(tmp_path: Path) -> None:
    precious = tmp_path / "radar"
    precious.write_text("notes about the radar")
    result = finished("simulate", "--dir", tmp_path, "--for", "0.2")
    assert result.returncode == 2
    assert result.stderr == (
        f"speedsign simulate: --dir {tmp_path}: {precious} is in the way; name another folder\n"
    )
    assert precious.read_text() == "notes about the radar"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = finished("simulate", "--dir", tmp_path / "file" / "x", "--for", "0.2")
    assert result.returncode == 2
    assert result.stderr.startswith(f"speedsign simulate: --dir {tmp_path}/file/x: cannot be made: Not a dir")


def test_a_reader_who_goes_away_ends_it(tmp_path: Path) -> None:
    with process("simulate", "--dir", tmp_path, "--json", "--seed", "3") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        say(child, "help\n")  # whatever is printed next finds nobody
        assert child.wait(20) == 1
        assert child.stderr.read() == ""


def test_the_daemon_reaches_radar_and_panel_over_tcp(tmp_path: Path) -> None:
    """What somebody else would do: simulate in one terminal, run in another, then look into the database."""
    database = tmp_path / "sign.db"
    with process("simulate", "--tcp", "--json", "--seed", "2") as stand:
        said = events(stand)
        devices = next(said)
        assert devices["radar"].startswith("tcp://127.0.0.1:")
        config = tmp_path / "sign.toml"
        config.write_text(config_text(devices["radar"], devices["panel"], database))
        with process("run", "--config", config, stdin=subprocess.DEVNULL) as sign:
            lit, passed = [], 0
            for event in said:
                if event["event"] == "panel":
                    lit.append(event["lit"].strip())
                passed += event["event"] == "vehicle"
                if passed >= 2:
                    break
            wait_until(lambda: _counted(database) >= 1)
            out, err = stop(sign)
        assert sign.returncode == 0
        assert out == ""
        assert "Traceback" not in err
        assert any(text.isdigit() for text in lit)
        assert _counted(database) >= passed - 1
        stand.terminate()
        assert stand.wait(5) == 0


def _counted(database: Path) -> int:
    return sum(read_counts(database, *EVER).counts["both"].values()) if database.exists() else 0


def test_a_tcp_radar_speaks_to_whoever_connects() -> None:
    with process("simulate", "--tcp", "--json", "--per-hour", "0") as stand:
        host, _, port = next(events(stand))["radar"].removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), 5) as client:
            client.sendall(b"?V")
            deadline_s = time.monotonic() + 5
            answer = b""
            while b"\n" not in answer and time.monotonic() < deadline_s:
                answer += client.recv(200)
        assert answer == b'{"Version":"1.3.9"}\r\n'
        stand.terminate()
        assert stand.wait(5) == 0


def test_a_radar_of_one_dialect_says_so() -> None:
    ended = speedsign("simulate", "--radar", "ops243", "--profile", "binary")
    assert ended.exit_code == 2
    assert "the simulated ops243 speaks one dialect only" in ended.output


def test_what_is_hidden_is_told_to_the_one_who_plays_the_street_and_what_happens_there(
    tmp_path: Path,
) -> None:
    hidden = (
        "--angle",
        "20",
        "--inverted",
        "--radar-baud",
        "9600",
        "--panel-unit",
        "5",
        "--dim",
        "--worn",
        "0.4",
    )
    with process("simulate", "--dir", tmp_path, "--json", "--per-hour", "0", *hidden) as child:
        said = events(child)
        assert next(said)["event"] == "devices"
        street = next(said)
        assert street["event"] == "street"
        assert (street["angle_deg"], street["inverted"], street["radar_baud"]) == (20.0, True, 9600)
        assert (street["panel_unit"], street["worn"], street["brightness"]) == (5, 0.4, 1)
        assert street["turned_deg"] > 30
        say(child, "fork 2235\nfork out\nfork off\ndrive 90\ndrive 0\nhelp\n")
        assert next(said)["command"] == "fork 2235"
        assert "a fork has 100 to 20000 Hz" in next(said)["text"]
        assert next(said)["command"] == "fork off"
        assert next(said)["command"] == "drive 90"
        assert "a test car drives at 5 to 250 km/h" in next(said)["text"]
        assert {"drive 50", "fork 2235", "fork off"} <= set(next(said)["words"].split(", "))
        passed = next(said)
        assert (passed["event"], passed["direction"], passed["speed_kmh"]) == ("vehicle", "approaching", 90.0)
        assert passed["drive"] is True


def test_a_change_of_the_panels_brightness_is_an_event(tmp_path: Path) -> None:
    with process("simulate", "--tcp", "--json", "--per-hour", "0", "--worn", "0.4") as child:
        said = events(child)
        panel = next(said)["panel"]
        assert next(said) == {"event": "street", "worn": 0.4, "brightness": 8}
        host, _, port = panel.removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), 5) as client:
            client.sendall(bytes.fromhex("0001 0000 0006 01 06 0009 0002"))  # register 9: step 2
            told = next(said)
        assert (told["event"], told["step"], told["light"]) == ("brightness", 2, 0.1)


def test_what_cannot_be_is_a_sentence() -> None:
    ended = speedsign("simulate", "--panel", "fema", "--dim")
    assert (ended.exit_code, ended.stderr) == (
        2,
        "speedsign simulate: the simulated fema has no brightness that could be set\n",
    )
