"""Several processes at the same time: all of them are waited for, heard, and believed when they fail."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.side_by_side import GROUPS, PATIENT, PYTEST, commands_with, run_all, verdict


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


def test_each_line_has_its_name_and_each_end_its_code() -> None:
    out = io.StringIO()
    codes = run_all(
        {
            "good": python("print('fine')"),
            "bad": python("import sys; print('broken', file=sys.stderr); sys.exit(3)"),
            "killed": python("import os; os.kill(os.getpid(), 9)"),
        },
        out,
    )
    assert codes == {"good": 0, "bad": 3, "killed": -9}
    assert sorted(out.getvalue().splitlines()) == ["bad    | broken", "good   | fine"]


def test_one_that_fails_at_once_ends_no_other(tmp_path: Path) -> None:
    """The slow one has its say when the other one is gone: the pipe between them ends with it."""
    os.mkfifo(tmp_path / "pipe")
    fast = python(f"held = open({str(tmp_path / 'pipe')!r}, 'w'); raise SystemExit(1)")
    slow = python(f"open({str(tmp_path / 'pipe')!r}).read(); print('done')")
    out = io.StringIO()
    assert run_all({"fast": fast, "slow": slow}, out) == {"fast": 1, "slow": 0}
    assert "slow | done" in out.getvalue()


@pytest.mark.parametrize("code", [1, 2, 5, -9])
def test_any_group_that_fails_fails_all(code: int) -> None:
    assert verdict({"one": 0, "other": code}) == (1, f"failed: other (exit code {code})")
    assert verdict({"one": 0, "other": 0}) == (0, "passed: one, other")


def test_who_only_computes_gives_way() -> None:
    given = commands_with(["-x"])
    assert list(given) == list(GROUPS)
    assert [name for name, words in given.items() if words[: len(PATIENT)] == PATIENT] == ["pure", "deep"]
    assert all(words[-1] == "-x" for words in given.values())


def test_every_test_is_in_one_group(tmp_path: Path) -> None:
    """Asked of pytest itself, in folders as ours are."""
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers = wires\n")
    text = "import pytest\n\ndef test_pure(): ...\n\n@pytest.mark.wires\ndef test_on_wires(): ...\n"
    named = {
        word.removeprefix("tests/") for words in GROUPS.values() for word in words if "tests/" in word[:6]
    }
    folders = ["hub", "cli/below", *sorted(named)]
    for folder in folders:
        (tmp_path / "tests" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / folder / f"test_{folder.replace('/', '_')}.py").write_text(text)
    (tmp_path / "tests" / "test_house.py").write_text(text)
    found = [one for words in GROUPS.values() for one in _collected(tmp_path, *words)]
    assert len(found) == 2 * len(folders) + 2
    assert sorted(found) == sorted(_collected(tmp_path))


def _collected(folder: Path, *words: str) -> list[str]:
    command = [*PYTEST, "--collect-only", "-q", "-p", "no:cacheprovider", *words]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if "::" in line]
