"""The page that a technician prints: short enough, and its recording is what the command says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.docs import pages, technician
from tests.docs.test_commands import shapes

LINES_OF_TWO_SIDES = 200  # of a printed sheet
WIDEST = 80  # of the recording


@pytest.mark.wires
def test_the_recording_is_what_commission_says(tmp_path: Path) -> None:
    said = technician.run(tmp_path)
    assert shapes(technician.shown()) == shapes(said)
    config = tomllib.loads((tmp_path / "speedsign.toml").read_text())
    assert config["radar"]["baud"] == 115_200
    assert config["radar"]["invert_direction"] is True
    assert "# as it was delivered" in (tmp_path / "speedsign.toml").read_text()


def test_it_is_one_sheet() -> None:
    text = pages.text("docs/technician.md")
    assert len(text.splitlines()) <= LINES_OF_TWO_SIDES
    assert max(map(len, technician.shown().splitlines())) <= WIDEST
