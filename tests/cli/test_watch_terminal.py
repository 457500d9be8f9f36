"""`speedsign watch` at a real terminal, beside a real running sign: one stand and one sign for all of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.cli.command import SPEEDSIGN, environment, finished
from tests.cli.wires import config_text, stop, wait_until

pytestmark = pytest.mark.wires
BACK = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"  # what puts a terminal back

HELLO_KEYS = {  # of docs/integrator.md: more may come, none may go
    "event", "t_s", "live", "version", "sign", "site", "radar", "profile", "port", "panel",
    "mounting_angle_deg", "invert_direction", "says",
}  # fmt: skip


class Rig:
    """Simulated devices, and a sign on them that can be started and stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config, self.socket = folder, folder / "sign.toml", folder / "live.sock"
        text = config_text(folder / "radar", folder / "panel", folder / "sign.db")
        self.config.write_text(f'{text}[live]\nsocket = "{self.socket}"\n')
        self.devices = self._start("simulate", "--dir", folder)
        wait_until(lambda: (folder / "panel").exists() and (folder / "radar").exists())
        self.sign: subprocess.Popen[str] | None = None
        self.start()

    def _start(self, *args: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*SPEEDSIGN, *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(),
        )

    def start(self) -> None:
        if self.sign is None:
            self.sign = self._start("run", "--config", self.config)
            wait_until(self.socket.exists)

    def stop(self) -> None:
        if self.sign is not None:
            stop(self.sign)
            self.sign = None

    def close(self) -> None:
        self.stop()
        stop(self.devices)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("sign"))
    yield rig
    rig.close()


@pytest.fixture
def open_one(rig: Rig) -> Iterator[Open]:
    """Opens terminals that are closed with the test."""
    opened: list[Terminal] = []

    def make(columns: int, rows: int, *args: str, **env: str) -> Terminal:
        opened.append(Terminal(rig, columns, rows, *args, **env))
        return opened[-1]

    yield make
    for one in opened:
        one.child.close(force=True)


class Terminal:
    """A phone or a screen, with `speedsign watch` on it."""

    def __init__(self, rig: Rig, columns: int, rows: int, *args: str, **env: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "speedsign", "watch", "--config", str(rig.config), *args],
            dimensions=(rows, columns),
            env={**environment(), "TERM": "xterm", **env},
            timeout=20,
        )
        self.sent = b""
        self._new(columns, rows)

    def _new(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)

    def resize(self, columns: int, rows: int) -> None:
        self._new(columns, rows)
        self.child.setwinsize(rows, columns)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, condition: Callable[[str], bool]) -> str:
        """Read on until the screen is so."""

        def look() -> bool:
            try:
                data = self.child.read_nonblocking(65536, timeout=0.05)
            except pexpect.TIMEOUT:
                data = b""
            self.sent += data
            self.stream.feed(data)
            return condition(self.text)

        try:
            wait_until(look)
        except AssertionError:
            pytest.fail(f"it never came:\n{self.text}")
        return self.text

    def end(self) -> tuple[int, str]:
        """Exit code, and what came last."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus, self.child.before.decode()


Open = Callable[..., Terminal]


def is_whole(text: str) -> bool:
    """There is everything: the sign, what it shows and why, who is in sight, readings."""
    rows = text.splitlines()
    return (
        rows[0].startswith("test-sign  ops243  limit 50")
        and "km/h is" in text
        and any(row.startswith("*") for row in rows)
        and " appr" in text.partition("READINGS")[2]
    )


def test_a_screen_that_becomes_a_phone(rig: Rig, open_one: Open) -> None:
    rig.start()
    terminal = open_one(80, 24)
    text = terminal.until(lambda text: is_whole(text) and "no faults" in text)
    assert "approaching" in text
    assert "#  #" in text or "####" in text, "big digits"
    text = terminal.until(lambda text: "  shown " in text.partition("PASSED")[2])
    assert b"\x1b[1m" in terminal.sent, "colours and bold where they are wanted"
    terminal.resize(40, 20)
    text = terminal.until(lambda text: is_whole(text) and " appr " in text)
    terminal.resize(32, 12)
    terminal.until(lambda text: text.startswith("test-sign") and "IN SIGHT" in text and " appr" in text)
    before = terminal.child.ptyproc.fd
    assert before >= 0
    terminal.child.send("x\x1a?")  # keys without a meaning, Ctrl-Z too
    terminal.child.send("q")
    code, last = terminal.end()
    assert code == 0
    assert BACK in last
    assert "readings: " in last.rpartition(BACK)[2]


def test_through_a_restart_of_the_sign_until_ctrl_c(rig: Rig, open_one: Open) -> None:
    rig.start()
    terminal = open_one(80, 24, NO_COLOR="1")
    terminal.until(lambda text: "READINGS" in text and "approaching" in text)
    rig.stop()
    terminal.until(lambda text: "THE SIGN HAS GONE AWAY" in text)
    rig.start()
    terminal.until(lambda text: "THE SIGN HAS GONE AWAY" not in text and "limit 50" in text)
    assert b"\x1b[1m" not in terminal.sent
    assert b"\x1b[1;31m" not in terminal.sent
    terminal.child.sendintr()
    code, last = terminal.end()
    assert code == 0
    assert BACK in last
    assert "Traceback" not in last


def test_a_phone_that_loses_its_connection_leaves_nothing_behind(rig: Rig, open_one: Open) -> None:
    rig.start()
    terminal = open_one(40, 20)
    terminal.until(lambda text: "READINGS" in text)
    terminal.child.kill(signal.SIGHUP)
    code, last = terminal.end()
    assert (code, BACK in last) == (0, True)


def test_a_fault_is_on_the_screen_until_it_is_mended(rig: Rig, open_one: Open) -> None:
    rig.start()
    assert rig.devices.stdin is not None
    terminal = open_one(80, 24)
    terminal.until(lambda text: "no faults" in text)
    rig.devices.stdin.write("panel dead\n")
    rig.devices.stdin.flush()
    text = terminal.until(lambda text: "FAULT" in text and "PANEL not known" in text)
    assert str(rig.folder)[:20] in text, "which device"
    rig.devices.stdin.write("panel dead\n")
    rig.devices.stdin.flush()
    terminal.until(lambda text: "no faults" in text)
    terminal.child.send("\x04")
    assert terminal.end()[0] == 0


def test_lines_for_scripts_and_pipes(rig: Rig) -> None:
    rig.start()
    done = finished("watch", "--config", rig.config, "--for", "2", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in lines[:4]] == ["hello", "state", "tracks", "shown"]
    assert set(lines[0]) == HELLO_KEYS
    assert lines[0]["says"]["Units"] == "km-per-hr", "the radar's own words"
    assert lines[-1]["event"] == "end"
    assert lines[-1]["readings"] == sum(line["event"] == "reading" for line in lines) > 5
    done = finished("watch", "--config", rig.config, "--for", "1.5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "     0.00  hello     test-sign: ops243 at 0 degrees"
    assert "  reading   " in done.stdout
    assert "\x1b" not in done.stdout


def test_a_pipe_that_has_seen_enough_ends_it_without_a_word(rig: Rig) -> None:
    rig.start()
    done = subprocess.run(
        f'{" ".join(SPEEDSIGN)} watch --config "{rig.config}" --json | head -n 2',
        shell=True,
        capture_output=True,
        text=True,
        timeout=20,
        env=environment(),
        check=False,
    )
    assert (done.stdout.count("\n"), done.stderr) == (2, "")


def test_options_that_make_no_sense_together(rig: Rig) -> None:
    rig.start()
    done = finished("watch", "--config", rig.config, "--plain", "--json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--plain and --json" in done.stderr
    done = finished("watch", "--config", rig.config, "--setup")
    assert done.returncode == 2
    assert "the running sign has the radar" in done.stderr


def test_a_stopped_signs_radar_is_heard_here(rig: Rig, open_one: Open) -> None:
    rig.stop()
    terminal = open_one(80, 24, "--setup")
    text = terminal.until(lambda text: "READINGS" in text and " approaching  " in text and "* " not in text)
    assert "no sign runs: the radar is heard here, the panel is not looked at" in text
    terminal.child.send("q")
    code, last = terminal.end()
    assert (code, BACK in last) == (0, True)
    done = finished("watch", "--port", rig.folder / "nothing", "--driver", "ops243", "--for", "1")
    assert done.returncode == 1
    assert done.stderr.startswith(f"speedsign watch: {rig.folder}/nothing: no such device")


def test_a_terminal_that_can_do_nothing_gets_lines(rig: Rig, open_one: Open) -> None:
    rig.start()
    terminal = open_one(80, 24, "--for", "0.5", TERM="dumb")
    code, last = terminal.end()
    assert code == 0
    assert "\x1b" not in last
    assert "hello     test-sign" in last


def test_who_looks_never_harms_the_sign(rig: Rig, open_one: Open) -> None:
    """One that is killed and one that does not read: the sign shows and counts on."""
    rig.start()
    deaf = subprocess.Popen(
        [*SPEEDSIGN, "watch", "--config", str(rig.config), "--json"],
        stdout=subprocess.PIPE,
        env=environment(),
    )
    terminal = open_one(80, 24)
    terminal.until(is_whole)
    os.kill(deaf.pid, signal.SIGSTOP)
    terminal.child.kill(signal.SIGKILL)
    terminal.child.close(force=True)
    done = finished("watch", "--config", rig.config, "--for", "1", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["readings"] > 2
    assert rig.sign is not None
    assert rig.sign.poll() is None
    deaf.kill()
    deaf.communicate()
