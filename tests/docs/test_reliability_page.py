"""docs/reliability.md: every promise has a test that exists, a command that exists, and what was measured."""

from __future__ import annotations

import re

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT
from tests.docs.test_make_targets import RECIPES

PAGE = pages.text("docs/reliability.md")
TABLE = pages.table_rows(pages.section(PAGE, "# What is promised, and how it is proved").split("\n## ")[0])
PARTS = (
    "tests/power/", "tests/clock/", "tests/supervision/", "tests/install/", "tests/supply/", "test_soak.py",
)  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0][:40])
def test_each_row_is_whole_and_what_it_names_is_there(row: list[str]) -> None:
    promise, test, command, measured = row
    assert promise
    assert measured, "nothing was measured"
    for name in re.findall(r"`([^`]+)`", test):
        path, _, function = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), name
    targets = re.findall(r"`make ([\w-]+)[^`]*`", command)
    assert targets
    assert set(targets) <= set(RECIPES), "no such target"
    for link in pages.LINK.findall(measured):
        page, _, anchor = link.partition("#")
        there = (ROOT / "docs" / page).read_text(encoding="utf-8") if page else PAGE
        headings = {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in _headings(there)}
        assert not anchor or anchor in headings, link


def _headings(page: str) -> list[str]:
    return [found.strip() for found in re.findall(r"^#+ (.*)$", page, re.MULTILINE)]


def test_every_promise_and_every_part_is_there() -> None:
    promises = {word for row in TABLE for word in re.findall(r"\bP\d+\b", row[0])}
    assert promises == {f"P{n}" for n in range(1, 11)}
    tests = " ".join(row[1] for row in TABLE)
    assert [part for part in PARTS if part not in tests] == []


def test_what_benchmarks_write_has_its_place() -> None:
    """Each that writes into this page finds its marks."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").rglob("run.py")]
    names = {
        name for text in sources for name in re.findall(r'write_between\(\s*"([^"]+)", .*"reliability"', text)
    }
    assert names == {"power cuts", "soak", "wear"}
    for name in names:
        pages.with_part(PAGE, name, "")
