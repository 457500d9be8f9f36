"""Drivers by name: our own, and those that another package brings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from speedsign.errors import DriverError
from speedsign.registry import RADARS, display_names, load_display, load_radar, radar_names
from tests.cli.command import speedsign


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with a radar and a panel of its own, as pip leaves it."""
    (tmp_path / "theirs.py").write_text(
        "from drivers.radar.ops243 import Ops243\nfrom drivers.display.dm56a04 import Dm56a04\n\n\n"
        "class Sonar(Ops243):\n    name = 'sonar'\n\n\nclass Nixie(Dm56a04):\n    name = 'nixie'\n"
    )
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[speedsign.radars]\nsonar = theirs:Sonar\nops243 = theirs:Sonar\n"
        "[speedsign.displays]\nnixie = theirs:Nixie\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "theirs", raising=False)


@pytest.mark.usefixtures("third_party")
def test_a_driver_of_another_package_is_found_by_its_entry_point(tmp_path: Path) -> None:
    assert radar_names() == sorted({*RADARS, "sonar"})
    assert display_names() == ["dm56a04", "nixie"]
    assert load_radar("sonar").name == "sonar"
    assert load_display("nixie").name == "nixie"
    config = tmp_path / "sign.toml"
    config.write_text('[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="sonar"\nport="/dev/x"\n')
    assert speedsign("check", "--config", config).exit_code == 0


@pytest.mark.usefixtures("third_party")
def test_our_own_name_stays_ours() -> None:
    assert load_radar("ops243").name == "ops243"


def test_a_name_that_nobody_has_is_answered_with_those_there_are() -> None:
    with pytest.raises(DriverError, match=r"no driver 'sonar'; known are .*ld2415h, .*ops243"):
        load_radar("sonar")
    with pytest.raises(DriverError, match="no driver 'nixie'; known are dm56a04"):
        load_display("nixie")


def test_digits_that_no_such_panel_has_are_refused() -> None:
    assert load_display("dm56a04", 6).capabilities.digits == 6
    with pytest.raises(DriverError):
        load_display("dm56a04", 7)
