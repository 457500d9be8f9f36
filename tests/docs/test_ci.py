"""What CI runs exists, and a machine that is not root leaves out what only root can do with a sentence."""

from __future__ import annotations

import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.test_make_targets import RECIPES

RUN, AS_ROOT = ROOT / ".ci" / "run", ROOT / ".ci" / "as-root"
NOBODY = 65_534


@pytest.mark.parametrize("script", [RUN, AS_ROOT], ids=lambda path: path.name)
def test_what_it_starts_is_there(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert set(re.findall(r"^make (\S+)$", text, re.MULTILINE)) <= set(RECIPES)
    for module in re.findall(r"-m (\w+(?:\.\w+)+)", text):
        assert find_spec(module), module
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_all_of_it_is_run() -> None:
    text = RUN.read_text(encoding="utf-8")
    assert text.index("make lint") < text.index("make audit") < text.index("make test")
    assert text.endswith("make test\n.ci/as-root\n")


def test_who_is_not_root_is_told_what_is_left_out() -> None:
    if os.geteuid() != 0:
        command = [str(AS_ROOT)]
    else:
        command = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", "bash", "-s"]
    text = AS_ROOT.read_text(encoding="utf-8").replace('cd "$(dirname "$0")/.."', "cd /")
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("as-root: real power cuts and machines with systemd are left out")
    assert len(done.stdout.splitlines()) == 1
