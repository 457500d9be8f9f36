"""The documents as tests see them: files, sections, tables, links, recorded commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def all_pages() -> list[Path]:
    """Every document, the root's first."""
    names = ("README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")
    return [*(ROOT / name for name in names), *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """From a heading to the next one of its level or above."""
    level = heading.split(" ", maxsplit=1)[0]
    lines = page.splitlines()
    start = lines.index(heading) + 1
    ends = (f"{'#' * n} " for n in range(1, len(level) + 1))
    stop = tuple(ends)
    end = next((i for i in range(start, len(lines)) if lines[i].startswith(stop)), len(lines))
    return "\n".join(lines[start:end])


def table_rows(part: str) -> list[list[str]]:
    """The cells of every table row but headings and rules."""
    rows = [line.strip().strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    rules = {i for i, row in enumerate(cells) if set("".join(row)) <= {"-", " ", ":"}}
    return [row for i, row in enumerate(cells) if i not in rules and i + 1 not in rules]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A command as a document shows it, and what it printed there."""

    page: str
    command: str
    output: str
    block: int = 0  # commands of one block follow each other, in one folder


def recorded(page: Path) -> Iterator[Recorded]:
    """Every `$ command` of a console block with the lines below it, up to the next one."""
    for place, (kind, body) in enumerate(FENCE.findall(page.read_text(encoding="utf-8"))):
        if kind == "console":
            for command, output in parts(body):
                yield Recorded(name_of(page), command, output, place)


def parts(body: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what it printed."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command.strip(), output


def commands(page: Path) -> Iterator[str]:
    """Every command of ours in a block; in a console block those behind a `$` alone."""
    text = page.read_text(encoding="utf-8")
    for kind, body in FENCE.findall(text):
        mark = r"\$ " if kind == "console" else r"(?:\$ )?"
        yield from re.findall(rf"^{mark}((?:speedsign|make)(?: .*)?)$", body, re.MULTILINE)
    yield from re.findall(r"^    ((?:speedsign|make)(?: .*)?)$", FENCE.sub("", text), re.MULTILINE)


def with_part(page: str, name: str, part: str) -> str:
    """The page with another text between the marks of a generated part."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    assert found, f"no {begin.strip()}"
    assert closed, f"no {end}"
    return f"{before}{begin}{part}{end}{after}"
