"""Runs the commands that the documents show, in a folder with the files they name.

python -m tests.docs.recording runs them all and puts what they print into the documents.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.docs import pages
from tests.docs.field import make_all

LONGEST_S = 60
AT_ONCE = 12  # most of them wait for a radar


def run_all(shown: Iterable[pages.Recorded], folder: Path) -> dict[str, str]:
    """Each command's output, both streams together, with radars to work on.

    The commands of one block run one after the other, blocks side by side; a command that is shown twice
    runs once.
    """
    blocks: dict[tuple[str, int], list[str]] = {}
    known: set[str] = set()
    for one in shown:
        if one.command not in known:
            blocks.setdefault((one.page, one.block), []).append(one.command)
            known.add(one.command)
    with _devices(folder), ThreadPoolExecutor(AT_ONCE) as threads:
        done = threads.map(
            lambda commands: [(command, _output(command, folder)) for command in commands], blocks.values()
        )
        return dict(pair for block in done for pair in block)


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


def _output(command: str, folder: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "speedsign", f"only commands of ours are recorded, not {command!r}"
    return subprocess.run(
        [sys.executable, "-m", "speedsign", *words[1:]],
        cwd=folder,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(pages.ROOT), "COLUMNS": "80", "LANG": "C.UTF-8"},
        timeout=LONGEST_S,
        check=False,
    ).stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_all(folder)
        outputs = run_all([one for page in pages.all_pages() for one in pages.recorded(page)], folder)
    for page in pages.all_pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(pages.FENCE.sub(partial(_renewed, outputs), text), encoding="utf-8")


def _renewed(outputs: Mapping[str, str], block: re.Match[str]) -> str:
    """A block with what its commands print now; other blocks as they are."""
    if block[1] != "console":
        return block[0]
    shown = "".join(f"$ {command}\n{outputs[command]}" for command, _ in pages.parts(block[2]))
    return f"```console\n{shown}```"


if __name__ == "__main__":
    main()
