"""The simulated panels by name: a stand with any of them, and the command that offers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.panel_end import PanelFault
from simulator.panels.catalogue import PANELS, make_panel, profiles_of
from simulator.panels.segments import draw
from simulator.stand import Stand, Traffic
from speedsign.config.schema import RegistersConfig
from tests.cli.command import finished, speedsign
from tests.support import run

EVERY = [(name, profile) for name in PANELS for profile in (None, *profiles_of(name))]


@pytest.mark.parametrize(("name", "profile"), EVERY)
def test_a_stand_has_any_panel(name: str, profile: str | None, tmp_path: Path) -> None:
    async def main() -> None:
        quiet = Traffic(vehicles_per_hour=0.0)
        async with Stand.on_ptys(tmp_path, panel=name, panel_profile=profile, traffic=quiet) as stand:
            stand.fault("panel off")
            assert not stand.panel.lit().strip()
            stand.fault("panel on")
            assert stand.panel.lit().strip()
            stand.fault("panel stuck")
            stand.world.process(0.1)
            assert PanelFault.STUCK in stand.panel_end.faults
            stand.fault("clear")
            stand.world.process(0.1)
            assert stand.panel.stuck is False
            assert not stand.log.lit[0].text.strip()

    run(main())


def test_a_stand_with_a_panel_that_a_config_describes(tmp_path: Path) -> None:
    registers = RegistersConfig(kind="integer", address=7, cells=3)
    stand = Stand.on_ptys(tmp_path, panel="registers", registers=registers)
    stand.panel.write(7, [47])
    assert stand.panel.lit() == " 47"
    assert stand.shown() == ["47"]


@pytest.mark.parametrize(("name", "profile"), [("nixie", None), ("led485", "2019"), ("dm56a04", "2014")])
def test_what_there_is_not(name: str, profile: str | None) -> None:
    with pytest.raises(KeyError):
        make_panel(name, profile)


@pytest.mark.parametrize(("lit", "width"), [("", 0), ("47", 11), ("4.7", 11), ("47.", 12), ("8.8.8.8.", 24)])
def test_a_drawing_has_five_lines_of_one_width(lit: str, width: int) -> None:
    rows = draw(lit)
    assert len(rows) == 5
    assert {len(row) for row in rows} == {width}
    assert rows[4].count(".") == lit.count(".")
    assert "." not in "".join(rows[:4])


@pytest.mark.wires
def test_the_command_offers_them(tmp_path: Path) -> None:
    args = ("--dir", tmp_path, "--panel", "led485", "--panel-profile", "2024", "--for", "0.2", "--json")
    result = finished("simulate", *args)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout.splitlines()[0])["panel"] == str(tmp_path / "panel")


@pytest.mark.parametrize(
    ("panel", "there_are"), [("led485", "2014, 2024"), ("dm56a04", "none; leave out --panel-profile")]
)
def test_an_unknown_profile_is_a_sentence(panel: str, there_are: str) -> None:
    result = speedsign("simulate", "--panel", panel, "--panel-profile", "x", "--for", "0.1")
    assert result.exit_code == 2
    assert f"the simulated {panel} has no profile 'x'; there are: {there_are}" in result.stderr
