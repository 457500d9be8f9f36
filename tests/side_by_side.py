"""The whole suite as several pytest processes at the same time: `python -m tests.side_by_side`.

Tests on real wires wait for most of their time, the others never do. The latter are two groups, one of them
for the few that take long: two processors are meant. Each test is in one group: what the marker or the folder
of a group leaves out is what another one takes.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import IO

PYTEST = (sys.executable, "-u", "-m", "pytest")
PATIENT = ("nice", "-n", "15")  # for who only computes: a device that answers in 30 ms does not wait for it


def _but(folders: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"--ignore={folder}" for folder in folders)


_DEEP = ("tests/fuzz", "tests/power", "tests/year")  # cuts, inputs and days by the thousand
_TOOLS = ("tests/cli", "tests/report")
_PROCESSES = ("tests/supervision", "tests/wires", *_DEEP)  # a sign as a process for minutes
GROUPS: dict[str, Sequence[str]] = {
    "pure": ("-m", "not wires", *_but(_DEEP)),
    "deep": ("-m", "not wires", *_DEEP),
    "tools": ("-m", "wires", *_TOOLS),
    "signs": ("-m", "wires", *_PROCESSES),
    "wires": ("-m", "wires", *_but((*_TOOLS, *_PROCESSES))),
}
COMPUTING = ("pure", "deep")


def commands_with(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A pytest process for each group, given these words too."""
    return {
        name: (*(PATIENT if name in COMPUTING else ()), *PYTEST, *group, *words)
        for name, group in GROUPS.items()
    }


def run_all(commands: Mapping[str, Sequence[str]], out: IO[str]) -> dict[str, int]:
    """Run them all to their ends, whatever becomes of the others; exit code by name.

    What they say goes to `out` as it comes, each line behind the name of whoever said it.
    """
    width, turn = max(map(len, commands)), threading.Lock()

    def pass_on(name: str, said: IO[str]) -> None:
        for line in said:
            with turn:
                out.write(f"{name:<{width}} | {line.rstrip()}\n")
                out.flush()

    children = {
        name: subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for name, command in commands.items()
    }
    readers = []
    for name, child in children.items():
        assert child.stdout is not None
        readers.append(threading.Thread(target=pass_on, args=(name, child.stdout)))
        readers[-1].start()
    try:
        for reader in readers:
            reader.join()
        return {name: child.wait() for name, child in children.items()}
    finally:  # Ctrl-C has told them too: they say what they have seen so far
        for child, reader in zip(children.values(), readers, strict=True):
            child.wait()
            reader.join()
            assert child.stdout is not None
            child.stdout.close()


def verdict(codes: Mapping[str, int]) -> tuple[int, str]:
    """The exit code of all, and a sentence: a group that has not ended well is never passed over."""
    bad = [f"{name} (exit code {code})" for name, code in codes.items() if code != 0]
    return (1, f"failed: {', '.join(bad)}") if bad else (0, f"passed: {', '.join(codes)}")


if __name__ == "__main__":
    exit_code, sentence = verdict(run_all(commands_with(sys.argv[1:]), sys.stdout))
    sys.stdout.write(f"{sentence}\n")
    sys.exit(exit_code)
