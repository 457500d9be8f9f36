"""The house rules that no single module can keep: packages, layers, clocks, what the daemon carries."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, entry_points, packages_distributions
from pathlib import Path

import pytest

import speedsign
from speedsign.config.schema import RegistersConfig
from speedsign.ports import Capabilities, LineSettings, PanelFacts
from speedsign.registry import REGISTERS, display_names, load_display, load_radar, radar_names
from tests.cli.command import environment, finished

ROOT = Path(__file__).parent.parent
PACKAGES = ("speedsign", "drivers", "telemetry", "simulator")
WALL_CLOCKS = re.compile(
    r"\btime\.(time|time_ns|monotonic|monotonic_ns|clock_gettime|sleep)\(|\b(datetime|date)\.(now|utcnow|today)\("
)


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment(), cwd=ROOT)
    return set(result.stdout.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_names_belong_to_this_distribution_only(package: str) -> None:
    """They are common words: somebody else's would be imported instead of ours, or the other way round."""
    assert set(packages_distributions().get(package, ["speedsign"])) == {"speedsign"}
    command = [sys.executable, "-c", f"import {package}; print({package}.__file__)"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env=environment())
    assert Path(found.stdout.strip()) == ROOT / package / "__init__.py"


def test_the_version_is_one() -> None:
    assert finished("--version").stdout.splitlines()[0].split()[-1] == speedsign.__version__
    assert distribution("speedsign").version == speedsign.__version__


def test_the_command_is_installed() -> None:
    (point,) = entry_points(group="console_scripts", name="speedsign")
    assert point.load().name == "main"


def test_only_the_edge_asks_for_the_time() -> None:
    asking = [str(path.relative_to(ROOT)) for path in sources() if WALL_CLOCKS.search(path.read_text())]
    assert asking == ["speedsign/clock.py"]


def test_the_linter_bans_every_clock() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    banned = ruff["flake8-tidy-imports"]["banned-api"]
    assert {"time.time", "time.monotonic", "time.sleep", "datetime.datetime.now"} <= set(banned)
    snippet = "import time\nfrom datetime import UTC, datetime\n\nA = time.time()\nB = datetime.now(UTC)\n"
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "speedsign/new.py", "-"]
    result = subprocess.run(command, input=snippet, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 1
    assert result.stdout.count("TID251") == 2


def test_the_import_contracts_are_kept() -> None:
    program = (
        "import sys\nfrom importlinter.cli import lint_imports_command\nsys.exit(lint_imports_command())"
    )
    command = [sys.executable, "-c", program, "--no-cache"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_the_daemon_carries_nothing_that_it_does_not_need() -> None:
    loaded = loaded_by("import speedsign.cli.run, speedsign.assemble")
    for name in (
        "simulator",
        "pydantic",
        "pydantic_core",
        "cryptography",
        "rich",
        "speedsign.config.load",
        "astral",
        "holidays",
        "hypothesis",
        "pytest",
    ):
        assert name not in loaded
    assert {"drivers.radar.link", "telemetry.store"} <= loaded


def test_help_loads_no_device_library() -> None:
    loaded = loaded_by("from speedsign.cli import main")
    assert not loaded & {"pymodbus", "paho", "serial", "sqlite3", "pydantic", "speedsign.assemble"}


@pytest.mark.parametrize("name", radar_names())
def test_every_radar_has_what_the_port_asks_for(name: str) -> None:
    driver = load_radar(name)
    assert driver.name == name
    assert driver.title
    assert isinstance(driver.line, LineSettings)
    assert driver.line.baud in driver.bauds
    assert driver.ping is None or isinstance(driver.ping, bytes)
    assert isinstance(driver.streams_when_idle, bool)
    assert isinstance(driver.rounds, bool)
    assert 0 <= driver.command_gap_s < 1
    assert 100 <= driver.max_speed_kmh <= 400
    assert driver.factory_unit.kmh > 0
    decoder = driver.decoder(None)
    assert decoder.feed(b"", 0.0) == []
    assert decoder.unit_confirmed is False


@pytest.mark.parametrize("name", display_names())
def test_every_panel_has_what_the_port_asks_for(name: str) -> None:
    a_map = RegistersConfig(kind="text", address=0) if name == REGISTERS else None
    driver = load_display(name, registers=a_map)
    assert driver.name == name
    assert driver.title
    assert isinstance(driver.line, LineSettings)
    assert driver.line.baud in driver.bauds
    assert isinstance(driver.facts, PanelFacts)
    assert isinstance(driver.capabilities, Capabilities)
    assert driver.capabilities.digits >= 2
