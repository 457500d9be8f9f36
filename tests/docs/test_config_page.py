"""docs/config.md names every key with its type, bound and default, and no other."""

from __future__ import annotations

import pytest

from tests.docs import pages
from tests.docs.config_cells import rows, tables

PAGE = pages.text("docs/config.md")
SELF_EVIDENT = {("[mqtt]", "`port`"), ("[[study]]", "`name`"), ("[[study]]", "`display`")}


@pytest.mark.parametrize("table", tables())
def test_every_key_with_its_type_and_default(table: str) -> None:
    section = pages.section(PAGE, f"## {table}")
    cells = [row[:3] for row in pages.table_rows(section)]
    assert cells == [list(row) for row in rows(tables()[table])]


def test_no_other_table() -> None:
    headings = [line[3:] for line in PAGE.splitlines() if line.startswith("## [")]
    assert headings == list(tables())


def test_every_key_has_a_meaning() -> None:
    for table in tables():
        for key, _, _, meaning in pages.table_rows(pages.section(PAGE, f"## {table}")):
            assert meaning or (table, key) in SELF_EVIDENT
