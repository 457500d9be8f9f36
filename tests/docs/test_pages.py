"""Links, names and claims of the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT

PAGES = pages.all_pages()
LONGEST_RECORD = 25
HERE_ONLY = ("/work", "../shared", "/root", "/home/", "localhost:8", "session", "helper", "TODO", "FIXME")


@pytest.mark.parametrize("page", PAGES, ids=pages.name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in pages.LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{pages.name_of(page)}: {target}"
        assert ROOT in (there, *there.parents), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}, target


@pytest.mark.parametrize("page", [*PAGES, ROOT / "systemd/speedsign.service"], ids=pages.name_of)
def test_nothing_is_of_this_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.strip()
    for word in HERE_ONLY:
        assert word not in text, word


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        page = new.pop()
        reached.add(page)
        links = pages.LINK.findall(page.read_text(encoding="utf-8"))
        there = {(page.parent / link.partition("#")[0]).resolve() for link in links if "://" not in link}
        new |= {path for path in there if path.suffix == ".md" and path.exists()} - reached
    assert set(PAGES) <= reached


@pytest.mark.parametrize("page", ["docs/safety.md", "docs/reliability.md"])
def test_every_test_that_is_named_exists(page: str) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", pages.text(page))
    assert named
    missing = [name for name in named if f"def {name}(" not in sources]
    assert not missing


def test_each_failure_names_a_test() -> None:
    rows = pages.table_rows(pages.text("docs/safety.md").partition("## What was measured")[0])
    assert len(rows) > 20
    assert all(re.fullmatch(r"`test_\w+`", row[3]) for row in rows)


def test_every_fault_is_explained() -> None:
    """The table against the codes in the source; those of device errors are their classes'."""
    folders = ("drivers", "telemetry", "speedsign")
    source = "".join(
        path.read_text(encoding="utf-8") for name in folders for path in (ROOT / name).rglob("*.py")
    )
    found = set(re.findall(r'Fault\(\s*"(\w+)",\s*"(\w+)"', source))
    codes = set(re.findall(r'^    code = "(\w+)"$', source, re.MULTILINE))
    codes.discard("error")  # of the base class, which is never raised itself
    found |= {(device, code) for device in ("display", "light", "beacon", "supply") for code in codes}
    found |= {("any", code) for code in re.findall(r'Fault\(self\.name, "(\w+)"', source)}
    explained = {(row[0], row[1].strip("`")) for row in pages.table_rows(_faults())}
    assert explained == found
    assert len(found) == len(pages.table_rows(_faults()))


def _faults() -> str:
    return pages.section(pages.text("docs/faults.md"), "## Faults")


def test_the_benchmark_finds_its_place() -> None:
    text = pages.text("docs/performance.md")
    assert text.count("<!-- latency -->\n") == text.count("<!-- end -->") == 1
    assert text.index("<!-- latency -->") < text.index("<!-- end -->")


def test_decisions_are_numbered_and_short() -> None:
    records = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LONGEST_RECORD, path.name
        for heading in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert any(line.startswith(heading) for line in lines), f"{path.name}: {heading}"
