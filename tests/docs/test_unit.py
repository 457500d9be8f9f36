"""The systemd unit: verified and judged by systemd itself where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from speedsign import last_words, supervisor
from speedsign.cli import mending
from tests.docs.field import make_all
from tests.docs.pages import ROOT

UNIT = ROOT / "systemd" / "speedsign.service"
HUB = ROOT / "systemd" / "speedsign-hub.service"
EXPOSURE_TENTHS = 20  # 0 to 100, of systemd-analyze security; a unit without any hardening has 92
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def directives(unit: Path = UNIT) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    assert ANALYZE
    return subprocess.run([ANALYZE, *words], capture_output=True, text=True, timeout=20, check=False)


@needs_systemd
@pytest.mark.parametrize("shipped", [UNIT, HUB], ids=lambda path: path.name)
def test_systemd_understands_every_line(tmp_path: Path, shipped: Path) -> None:
    unit = tmp_path / shipped.name
    text = shipped.read_text(encoding="utf-8").replace("/opt/speedsign/bin/speedsign", sys.executable)
    unit.write_text(text, encoding="utf-8")
    result = analyze("verify", "--man=no", unit)
    assert (result.returncode, _about(unit, result.stderr)) == (0, [])


def _about(unit: Path, said: str) -> list[str]:
    """Complaints about our unit; those about the machine's others are not ours."""
    return [line for line in said.splitlines() if unit.name in line]


@needs_systemd
@pytest.mark.parametrize("shipped", [UNIT, HUB], ids=lambda path: path.name)
def test_little_is_exposed(shipped: Path) -> None:
    result = analyze("security", "--offline=yes", f"--threshold={EXPOSURE_TENTHS}", shipped)
    assert result.returncode == 0, result.stdout


both = pytest.mark.parametrize("shipped", [UNIT, HUB], ids=lambda path: path.name)


@both
def test_no_memory_is_writable_and_executable(shipped: Path) -> None:
    assert directives(shipped)["MemoryDenyWriteExecute"] == ["yes"]


@both
def test_a_user_of_its_own_without_any_privilege(shipped: Path) -> None:
    found = directives(shipped)
    assert found["User"] == found["Group"] == ["speedsign"]
    assert found["CapabilityBoundingSet"] == found["AmbientCapabilities"] == [""]
    assert found["NoNewPrivileges"] == ["yes"]


@both
def test_one_program_that_speaks_ip_and_to_systemd(shipped: Path) -> None:
    found = directives(shipped)
    assert len(found["ExecStart"]) == 1
    assert found["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]


def test_the_unit_restarts_a_sign_that_hangs() -> None:
    found = directives()
    assert found["Type"] == ["notify"]
    assert found["WatchdogSec"] == ["10"]
    assert int(found["WatchdogSec"][0]) > last_words.END_WITHIN_S, "what hangs at its end ends before"
    assert found["WatchdogSignal"] == ["SIGABRT"], "it says where it hangs"
    assert int(found["TimeoutAbortSec"][0]) <= 5
    assert int(found["TimeoutStartSec"][0]) > mending.WAITS_S + supervisor.READY_WITHOUT_PANEL_S
    assert found["Restart"] == ["always"]
    assert found["RestartSec"] == ["2"]
    assert found["StartLimitIntervalSec"] == ["0"], "it never gives up"


def test_the_unit_darkens_the_panel_whatever_the_sign_ended_by() -> None:
    found = directives()
    (start,), (stop,) = found["ExecStart"], found["ExecStopPost"]
    program, _, config = start.partition(" run ")
    assert stop == f"-{program} display blank {config}"
    assert int(found["TimeoutStopSec"][0]) > 3 + 6, "the sign's own end and this one after it"


def test_it_may_ask_whether_the_clock_is_right() -> None:
    found = directives()
    assert "ProtectClock" not in found
    assert "adjtimex" in found["SystemCallFilter"][-1]


def test_it_reaches_serial_lines_and_its_own_folder_only() -> None:
    found = directives()
    assert found["DevicePolicy"] == ["closed"]
    assert all(value.startswith("char-tty") for value in found["DeviceAllow"])
    assert found["ProtectSystem"] == ["strict"]
    assert found["StateDirectory"] == ["speedsign"]
    assert "ReadWritePaths" not in found


@pytest.mark.wires
def test_a_bad_config_starts_nothing(tmp_path: Path) -> None:
    make_all(tmp_path)
    bad = (tmp_path / "bad.toml").read_text(encoding="utf-8")
    (tmp_path / "bad.toml").write_text(bad.replace("/var/lib/speedsign", str(tmp_path)), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "speedsign", "run", "--config", "bad.toml"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.count("bad.toml:") == 3
    assert not (tmp_path / "speedsign.db").exists()
