"""Runs the commands that the documents show, in a folder with the files they name.

python -m tests.docs.recording runs them all and puts what they print into the documents.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs import pages
from tests.docs.field import make_all

LONGEST_S = 25


def run_all(commands: Iterable[str], folder: Path) -> dict[str, str]:
    """Each command's output, both streams together; they run side by side, with radars to work on."""
    with _devices(folder):
        going = {command: _start(command, folder) for command in dict.fromkeys(commands)}
        return {command: program.communicate(timeout=LONGEST_S)[0] for command, program in going.items()}


@contextmanager
def _devices(folder: Path) -> Iterator[None]:
    program = [sys.executable, "-m", "tests.docs.devices", str(folder)]
    with subprocess.Popen(program, cwd=pages.ROOT, text=True, stdout=subprocess.PIPE) as devices:
        assert devices.stdout is not None
        devices.stdout.readline()
        try:
            yield
        finally:
            devices.terminate()


def _start(command: str, folder: Path) -> subprocess.Popen[str]:
    words = shlex.split(command)
    assert words[0] == "speedsign", f"only commands of ours are recorded, not {command!r}"
    return subprocess.Popen(
        [sys.executable, "-m", "speedsign", *words[1:]],
        cwd=folder,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(pages.ROOT), "COLUMNS": "80", "LANG": "C.UTF-8"},
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_all(folder)
        shown = [one.command for page in pages.all_pages() for one in pages.recorded(page)]
        outputs = run_all(shown, folder)
    for page in pages.all_pages():
        text = page.read_text(encoding="utf-8")
        for command, output in outputs.items():
            block = re.compile(rf"^```console\n\$ {re.escape(command)}\n.*?^```$", re.MULTILINE | re.DOTALL)
            new = f"```console\n$ {command}\n{output}```"
            text = block.sub(lambda _found, new=new: new, text)  # type: ignore[misc]  # bound early
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
