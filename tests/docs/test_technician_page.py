"""What a technician prints, and the talk behind it: one side of paper, and what the command really says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.docs import pages, technician
from tests.docs.paper import printed
from tests.docs.test_commands import shapes
from tests.report.browser import Browser

WIDEST = 80  # of the recording
THE_HIDDEN = (
    "WRONG in the config: 9600 baud; the radar speaks 115200.",
    "DIM: its brightness stands at step 1 of 8.",
    "WRONG in the config: the direction.",
)


@pytest.mark.wires
def test_the_recording_is_what_commission_says(tmp_path: Path) -> None:
    said = technician.run(tmp_path)
    assert shapes(technician.shown()) == shapes(said)
    assert set(THE_HIDDEN) <= set(said.splitlines())
    config = tomllib.loads((tmp_path / "speedsign.toml").read_text())
    assert config["radar"]["baud"] == 115_200
    assert config["radar"]["invert_direction"] is True
    assert "# as it was delivered" in (tmp_path / "speedsign.toml").read_text()


def test_the_sheet_shows_lines_of_the_recording() -> None:
    said = technician.shown()
    assert technician.shown(technician.SHEET, technician.EXCERPT) == technician.excerpt(said)
    assert set(THE_HIDDEN) <= set(technician.excerpt(said).splitlines())
    assert max(map(len, said.splitlines())) <= WIDEST


def test_the_sheet_is_one_side_of_paper() -> None:
    browser = Browser()
    try:
        sides = printed(browser, pages.text(technician.SHEET))
        more = printed(browser, pages.text(technician.SHEET) + "\n\nMore.\n" * 12)
    finally:
        browser.close()
    assert len(sides) == 1, sides[1]
    assert "For the technician" in sides[0]
    assert "the sign's log" in sides[0]
    assert len(more) == 2, "a sheet that is too long would not be seen"
