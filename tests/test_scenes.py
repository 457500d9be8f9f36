"""Several tests at once: each has its own verdict, and only those that are asked for are played."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.side_by_side import PYTEST

ROOT = Path(__file__).parents[1]
MODULE = """
import asyncio
import pytest
from tests.scenes import Together

together = Together(at_once=2)
meeting = {}

@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    return together.play(request, tmp_path_factory)

@together.test
async def test_one(folder):
    meeting.setdefault("there", asyncio.Event()).set()
    await asyncio.wait_for(meeting.setdefault("here", asyncio.Event()).wait(), 20)

@together.test
async def test_two(folder):
    meeting.setdefault("here", asyncio.Event()).set()
    await asyncio.wait_for(meeting.setdefault("there", asyncio.Event()).wait(), 20)

@together.test
async def test_wrong(folder):
    assert folder.is_file(), "wrong"

@together.test
async def test_given_up(folder):
    pytest.fail("given up")
"""


def said(folder: Path, text: str, *words: str) -> str:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(text)
    command = [*PYTEST, "-q", "-rA", "-p", "no:cacheprovider", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stdout


def test_two_that_wait_for_each_other_pass_and_the_wrong_ones_fail_alone(tmp_path: Path) -> None:
    found = said(tmp_path, MODULE)
    for line in ("PASSED test_it.py::test_one", "PASSED test_it.py::test_two"):
        assert line in found
    for line in ("FAILED test_it.py::test_wrong - AssertionError: wrong", "FAILED test_it.py::test_given_up"):
        assert line in found


def test_what_is_not_asked_for_is_not_played(tmp_path: Path) -> None:
    text = MODULE.replace("    assert folder.is_file()", "    __import__('os')._exit(9)\n    assert 0")
    assert "1 failed, 3 deselected" in said(tmp_path, text, "-k", "test_given_up")


def test_what_scenes_leave_open_is_their_fault(tmp_path: Path) -> None:
    text = MODULE.replace(
        "    assert folder.is_file()", "    meeting['left'] = (folder / 'x.db').open('w')\n    assert 1"
    )
    assert "left open: " in said(tmp_path, text, "-k", "test_wrong")
