"""What the documents say about commands is what the commands do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.cli.command import all_commands
from tests.docs import pages
from tests.docs.field import make_all
from tests.docs.recording import run_all

ALL = all_commands()
COMMANDS = sorted(ALL)
CLI = pages.text("docs/cli.md")
RECORDED = [one for page in pages.all_pages() for one in pages.recorded(page)]
# Commands of another program, or ones that need a machine of their own, are not for a test to run.
MAKEFILE = pages.text("Makefile")
TARGETS = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))


def split(line: str) -> tuple[str, list[str]]:
    """The name of the command in a line, and the words behind it."""
    words = shlex.split(line, comments=True)[1:]
    n = 2 if " ".join(words[:2]) in ALL else 1
    return " ".join(words[:n]), words[n:]


def options(found: click.Command) -> set[str]:
    return {
        word for one in found.params if isinstance(one, click.Option) for word in one.opts if word[:2] == "--"
    }


def named_options(part: str) -> set[str]:
    cells = [row[0] for row in pages.table_rows(part)]
    return {word for cell in cells for word in re.findall(r"--[a-z-]+", cell)} - {"--help"}


def test_every_command_has_its_section_and_no_other() -> None:
    named = re.findall(r"^## speedsign ([\w -]+)$", CLI, re.MULTILINE)
    assert named == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_named(name: str) -> None:
    assert named_options(pages.section(CLI, f"## speedsign {name}")) == options(ALL[name])


def test_the_readme_lists_every_command() -> None:
    rows = pages.table_rows(pages.section(pages.text("README.md"), "## Commands"))
    assert [row[0] for row in rows] == [f"`speedsign {name}`" for name in COMMANDS]


@pytest.mark.parametrize("page", pages.all_pages(), ids=pages.name_of)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    for line in pages.commands(page):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= TARGETS, line
            named = {word.partition("=")[0] for word in words[1:] if "=" in word}
            assert all(re.search(rf"\$\((if |or )?{name}[),]", MAKEFILE) for name in named), line
            continue
        if words[1].startswith("-"):
            continue
        name, rest = split(line)
        assert name in COMMANDS, line
        known = options(ALL[name]) | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= known, line


SAME = (
    (r"^  (sample|      )    .*$", "SAMPLE"),
    (r"\b(approaching|receding|unknown)\b", "DIRECTION"),
    (r"\b(car|lorry|motorcycle|bicycle)\b", "KIND"),
    (r"-?\d+(\.\d+)?", "N"),
    (r"\s+", " "),
)


def shape(line: str) -> str:
    """A line without what may differ from run to run."""
    for pattern, stand_in in SAME:
        line = re.sub(pattern, stand_in, line)
    return line.strip()


def shapes(output: str) -> set[str]:
    return {shape(line) for line in output.splitlines() if line.strip()}


@pytest.mark.wires
def test_recorded_outputs_have_the_shape_of_real_ones(tmp_path: Path) -> None:
    assert len(RECORDED) > 10
    make_all(tmp_path)
    outputs = run_all(RECORDED, tmp_path)
    for one in RECORDED:
        assert shapes(one.output) == shapes(outputs[one.command]), f"{one.page}: {one.command}"


def test_a_shape_keeps_words_and_columns() -> None:
    assert shape("receding   162  51.2") == shape("approaching 1 -4.0")
    assert shape("speedsign stats: no such file") != shape("speedsign stats: no such folder")
    assert shape("1 2 3") != shape("1 2")
