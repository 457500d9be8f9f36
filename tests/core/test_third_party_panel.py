"""The panel driver that docs/drivers.md shows, installed as another package: found, checked, on a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.modbus_bus import BusSettings, PymodbusBus
from simulator.line import PtyLine
from simulator.panel_end import PanelEnd
from simulator.rtu_slave import IllegalAddress, IllegalValue, RtuSlave
from speedsign.model import BLANK, Face
from speedsign.registry import display_names, load_display
from tests.cli.command import speedsign
from tests.display.requests import send
from tests.docs import pages
from tests.support import run


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip leaves it: a module, and the entry point beside it."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    sources = [body for kind, body in pages.FENCE.findall(pages.text("docs/drivers.md")) if kind == "python"]
    (tmp_path / "acme_panel.py").write_text(sources[1], encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[speedsign.displays]\nacme3 = acme_panel:Acme3\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_panel", raising=False)


class Acme:
    """The panel itself."""

    def __init__(self) -> None:
        self.registers = [8, 8, 8, 15]

    def read(self, address: int, count: int) -> list[int]:
        if address + count > 4:
            raise IllegalAddress
        return self.registers[address : address + count]

    def write(self, address: int, values: Sequence[int]) -> None:
        if address + len(values) > 4:
            raise IllegalAddress
        if max(values) > 15:
            raise IllegalValue
        self.registers[address : address + len(values)] = values

    def lit(self) -> str:
        return "".join("0123456789????? "[code] for code in self.registers[:3])


@pytest.mark.usefixtures("package")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.none() | st.integers(-5, 1200), word=st.sampled_from(["", "", "SLO", "47"]))
def test_it_shows_the_whole_number_or_nothing(number: int | None, word: str) -> None:
    driver, panel = load_display("acme3"), Acme()
    face = Face(number, word)
    for write in driver.writes(face, 0.5):
        panel.write(write.address, write.values)
    fits = not word and number is not None and 0 <= number <= 999
    assert panel.lit().strip() == (str(number) if fits else "")
    expect = driver.read_back(face, 0.5)
    assert expect is not None
    assert tuple(panel.read(expect.address, len(expect.values))) == expect.values


@pytest.mark.usefixtures("package")
def test_the_config_is_checked_against_what_it_can(tmp_path: Path) -> None:
    assert "acme3" in display_names()
    config = tmp_path / "sign.toml"
    text = (
        '[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="ops243"\nport="/dev/x"\n[display]\nport="/dev/y"\n'
    )
    config.write_text(text + 'driver = "acme3"\nkeepalive_s = 6.0\n')
    assert speedsign("check", "--config", config).exit_code == 0
    for wrong, sentence in (
        ("keepalive_s = 6.1", "must be at most 6: after 30 s"),
        ("digits = 4", "digits is 4; there is one of 3 alone"),
        ('profile = "x"', "the panel driver 'acme3' has no profile 'x'; it has none"),
    ):
        config.write_text(f'{text}driver = "acme3"\n{wrong}\n')
        result = speedsign("check", "--config", config)
        assert result.exit_code == 2
        assert sentence in result.stderr


@pytest.mark.wires
@pytest.mark.usefixtures("package")
def test_it_is_driven_over_a_line(tmp_path: Path) -> None:
    async def main() -> None:
        line, panel, driver = PtyLine(tmp_path / "panel"), Acme(), load_display("acme3")
        end = PanelEnd(line, RtuSlave(1, panel))
        line.plug()
        bus = PymodbusBus(str(line.link), settings=BusSettings(timeout_s=1.0, quiet_s=0.02))
        await bus.connect()
        try:
            for face, lit in ((Face(130), "130"), (Face(47), " 47"), (BLANK, "   ")):
                for write in (*driver.start(), *driver.writes(face, 1.0), *driver.brightness(0.5)):
                    await send(bus, write)
                assert (panel.lit(), panel.registers[3]) == (lit, 8)
            for write in driver.lamp_test(1.0):
                await send(bus, write)
            assert panel.lit() == "888"
        finally:
            await bus.close()
            end.close()
            line.unplug()

    run(main())
