"""Somebody on a ladder: a simulated street in one process, our command on a terminal in another, and a robot.

The robot reads prompts and answers them from a table; what a technician would do in the street (drive past,
have somebody drive past) it does through the simulator's standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pexpect
import pyte

from tests.cli.command import SPEEDSIGN, environment
from tests.cli.wires import wait_until

PATIENCE_S = 60.0
ANSWERS_S = 20.0
MOST_ANSWERS = 80


class Street:
    """`speedsign simulate` in a process: its events as they come, and its standard input."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [*SPEEDSIGN, "simulate", "--json", "--dir", str(folder), *options]
        self.events: list[dict[str, Any]] = []
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment(), "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: bool(self.of("devices")))
        devices = self.of("devices")[0]
        self.radar, self.panel = devices["radar"], devices["panel"]

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.events.append(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._child.terminate()
        self._child.wait(10)
        self._reader.join(10)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()

    def say(self, line: str) -> None:
        """A word to the street: drive 50, clear, …"""
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def of(self, event: str) -> list[dict[str, Any]]:
        """The events of a kind so far, in order."""
        return [one for one in self.events if one["event"] == event]

    @property
    def lit(self) -> str:
        """What is on the panel now."""
        panel = self.of("panel")
        return str(panel[-1]["lit"]) if panel else ""

    @property
    def step(self) -> int:
        """At which step the panel's brightness stands; only where the street hides something."""
        told = self.of("brightness")
        return int(told[-1]["step"] if told else self.of("street")[0]["brightness"])


ANY_PROMPT = r"(?m)^[^\n]*[^\s:]: $"
Answer = str | Callable[[str], str]  # what is typed, or what makes it of the prompt
Row = tuple[str, Answer]  # how a prompt begins, and what is answered


def prompt(begins: str) -> str:
    """A prompt that is waited at: nothing comes after it."""
    return rf"(?m)^{begins}[^\n]*: $"


@dataclass
class Screen:
    """What the terminal shows, as a person sees it."""

    columns: int = 80
    rows: int = 24
    too_wide: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.Stream(self._screen)

    def feed(self, text: str) -> None:
        self._stream.feed(text)
        for line in text.split("\n"):
            if len(line.strip("\r")) > self.columns:
                self.too_wide.append(line)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()


class Technician:
    """Our command on a terminal of its own."""

    def __init__(
        self,
        *args: str | Path,
        columns: int = 80,
        path: Path | None = None,
        environment_: Mapping[str, str] = {},
    ) -> None:
        env = {**environment(), "TERM": "xterm", "PYTHONUNBUFFERED": "1", **environment_}
        env.pop("COLUMNS", None)
        if path is not None:
            env["PATH"] = f"{path}{os.pathsep}{env['PATH']}"
        self.screen = Screen(columns)
        self.said = ""
        self.child = pexpect.spawn(
            SPEEDSIGN[0],
            [*SPEEDSIGN[1:], *map(str, args)],
            env=env,
            encoding="utf-8",
            dimensions=(24, columns),
            timeout=PATIENCE_S,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.child.close(force=True)

    def until(self, *patterns: str, timeout_s: float = PATIENCE_S) -> int:
        """Read until one of these is said; which. pexpect.EOF counts as the last."""
        found: int = self.child.expect([*patterns, pexpect.EOF], timeout=timeout_s)
        self._note(self.child.before, self.child.after)
        return found

    def _note(self, *texts: object) -> None:
        for text in texts:
            if isinstance(text, str):
                self.said += text.replace("\r\n", "\n")
                self.screen.feed(text)

    def type(self, line: str) -> None:
        self.child.sendline(line)

    def answer(
        self,
        table: Sequence[Row],
        cues: Mapping[str, Callable[[], None]] | None = None,
        *,
        until: str | None = None,
        timeout_s: float = PATIENCE_S,
    ) -> None:
        """Answer each prompt by the first row that fits; one that fits none fails.

        Until the command ends, or until these words have been said. `cues`: words that are no prompt, and
        what the technician does in the street then.
        """
        cues = cues or {}
        ends = [] if until is None else [until]
        patterns = [*ends, *(prompt(begins) for begins, _ in table), *cues, ANY_PROMPT]
        for _ in range(MOST_ANSWERS):
            found = self.until(*patterns, timeout_s=timeout_s) - len(ends)
            if found < 0 or found > len(table) + len(cues):
                assert found < 0 or not ends, f"it ended before: {self.said}"
                return
            if len(table) <= found < len(table) + len(cues):
                list(cues.values())[found - len(table)]()
                continue
            assert found < len(table), f"nobody has told the robot what to answer to {self.child.after!r}"
            reply = table[found][1]
            self.type(reply(str(self.child.after)) if callable(reply) else reply)
        raise AssertionError(f"again and again: {self.child.after!r}")

    def loses_the_line(self) -> None:
        """The connection of the phone breaks: the terminal goes away. Waits for the command's end."""
        self.child.ptyproc.fileobj.close()  # before anything is read from it again
        self.child.closed, self.child.ptyproc.closed = True, True
        self.child.child_fd = -1
        self.child.ptyproc.wait()
        self.child.exitstatus, self.child.terminated = self.child.ptyproc.exitstatus, True

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        self.until(timeout_s=ANSWERS_S)
        self.child.wait()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus)


FAKE_SYSTEMCTL = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
  is-active) cat "{state}" ;;
  stop) echo inactive > "{state}" ;;
  start|restart) echo active > "{state}" ;;
esac
"""


@dataclass(frozen=True)
class Systemctl:
    """A systemctl that notes what it is told, and changes nothing but its own mind."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, *, active: bool = True) -> Systemctl:
        folder.mkdir(exist_ok=True)
        script = folder / "systemctl"
        script.write_text(FAKE_SYSTEMCTL.format(calls=folder / "calls", state=folder / "state"))
        script.chmod(0o755)
        here = cls(folder)
        here.be(active=active)
        return here

    def be(self, *, active: bool) -> None:
        """So, and nothing has been told yet."""
        (self.folder / "state").write_text("active\n" if active else "inactive\n")
        (self.folder / "calls").write_text("")

    @property
    def active(self) -> bool:
        return (self.folder / "state").read_text().strip() == "active"

    @property
    def calls(self) -> list[str]:
        """What it was told to change."""
        told = (self.folder / "calls").read_text().splitlines()
        return [one for one in told if not one.startswith("is-active")]
