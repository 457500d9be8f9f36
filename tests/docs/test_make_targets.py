"""Benchmarks say by which target of the Makefile they are run, and what that writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import pages

MAKEFILE = pages.text("Makefile")
RECIPES = dict(re.findall(r"^([\w-]+):[^\n]*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))
RUNS = sorted((pages.ROOT / "benchmarks").glob("*/run.py"))
NAMED = re.compile(r"^ *make ([\w-]+)(?: {2,}(.*))?$", re.MULTILINE)


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.parent.name)
def test_a_benchmark_names_targets_there_are_and_what_they_write(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target, said in NAMED.findall(text.partition('"""\n\n')[0]):
        assert target in RECIPES, target
        (line,) = [line for line in RECIPES[target].splitlines() if path.parent.name in line]
        if '"--write"' in text and "docs/" in said:
            assert "--write" in line, "it says that it writes a page"


def test_every_benchmark_can_be_made() -> None:
    for path in RUNS:
        assert re.search(rf"benchmarks[./]{path.parent.name}[./]run", MAKEFILE), path
