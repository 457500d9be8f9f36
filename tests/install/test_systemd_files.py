"""The files beside the units: users, folders, names of ports, the log; read by systemd's own tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

SYSTEMD = ROOT / "systemd"
UNITS = [SYSTEMD / "speedsign.service", SYSTEMD / "speedsign-hub.service"]
DROP_INS = [
    SYSTEMD / "journald.conf.d/speedsign.conf",
    SYSTEMD / "speedsign.service.d/update.conf",
    SYSTEMD / "system.conf.d/speedsign-watchdog.conf",
    SYSTEMD / "speedsign-hub.service.d/update.conf",
]
LISTS = [SYSTEMD / "sysusers.d/speedsign.conf", SYSTEMD / "tmpfiles.d/speedsign.conf"]
RULES = [SYSTEMD / "udev/70-speedsign.rules", SYSTEMD / "udev/71-speedsign-ports.rules.example"]
EVERY = [*UNITS, *DROP_INS, *LISTS, *RULES]
TERM = re.compile(r'[A-Z_]+(\{[\w/]+\})?(==|!=|=|\+=)"[^"]*"')

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users: root only")


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def ran(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(words), capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)
def test_every_directive_stands_right_below_its_comment(path: Path) -> None:
    before = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            assert before.startswith("# "), line
        before = line


def test_no_file_is_forgotten() -> None:
    assert sorted(EVERY) == sorted(path for path in SYSTEMD.rglob("*") if path.is_file())


@needs("systemd-analyze")
@pytest.mark.parametrize("of", UNITS, ids=lambda path: path.stem)
def test_a_unit_with_its_drop_in_is_understood(of: Path, tmp_path: Path) -> None:
    unit, drop_in = tmp_path / of.name, tmp_path / f"{of.name}.d/update.conf"
    unit.write_text(of.read_text().replace("/opt/speedsign/bin/speedsign", "/bin/true"))
    drop_in.parent.mkdir()
    theirs = (SYSTEMD / f"{of.name}.d/update.conf").read_text()
    drop_in.write_text(theirs.replace("/usr/lib/speedsign/update", "/bin/true"))
    result = ran("systemd-analyze", "verify", "--man=no", unit)
    assert (result.returncode, tmp_path.name in result.stderr) == (0, False), result.stderr
    drop_in.write_text("[Service]\nNoSuchDirective=1\n")
    assert "NoSuchDirective" in ran("systemd-analyze", "verify", "--man=no", unit).stderr, "it was read"


def test_an_update_is_judged_by_root_and_never_keeps_the_sign_down() -> None:
    assert "ExecStopPost=-+/usr/lib/speedsign/update judge" in DROP_INS[1].read_text().splitlines()
    assert "ExecStopPost=-+/usr/lib/speedsign/update judge hub" in DROP_INS[-1].read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root folder with no user but root."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\n")
    return tmp_path


def made_users(machine: Path) -> subprocess.CompletedProcess[str]:
    return ran("systemd-sysusers", f"--root={machine}", LISTS[0])


@needs("systemd-sysusers")
@needs_root
def test_the_user_is_made_once_and_cannot_log_in(machine: Path) -> None:
    assert made_users(machine).returncode == 0
    passwd = (machine / "etc/passwd").read_text().splitlines()
    (user,) = [line.split(":") for line in passwd if line.startswith("speedsign:")]
    assert user[5:] == ["/var/lib/speedsign", "/usr/sbin/nologin"]
    groups = (machine / "etc/group").read_text()
    assert re.search(rf"^speedsign:x:{user[3]}:", groups, re.MULTILINE)
    assert re.search(r"^dialout:", groups, re.MULTILINE)
    assert made_users(machine).returncode == 0
    assert (machine / "etc/passwd").read_text().splitlines() == passwd


@needs("systemd-tmpfiles")
@needs_root
def test_folders_are_made_with_their_owners(machine: Path) -> None:
    made_users(machine)
    assert ran("systemd-tmpfiles", f"--root={machine}", "--create", LISTS[1]).returncode == 0
    (line,) = [x for x in (machine / "etc/passwd").read_text().splitlines() if x.startswith("speedsign:")]
    own = int(line.split(":")[2])
    found = {}
    for name in (
        "etc/speedsign",
        "etc/speedsign/credentials",
        "var/lib/speedsign",
        "var/lib/speedsign-update",
    ):
        status = (machine / name).stat()
        found[name] = (status.st_uid, oct(status.st_mode & 0o7777))
    assert found == {
        "etc/speedsign": (0, "0o755"),
        "etc/speedsign/credentials": (own, "0o750"),
        "var/lib/speedsign": (own, "0o750"),
        "var/lib/speedsign-update": (0, "0o755"),
    }


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_are_written_as_udev_reads_them(path: Path) -> None:
    """udevadm verify came with systemd 254; the form at least is looked at everywhere."""
    lines = [x for x in path.read_text().splitlines() if x and not x.startswith("#")]
    for line in lines:
        for term in re.split(r",\s*(?=[A-Z])", line):
            assert TERM.fullmatch(term), term
    jumps = {name for line in lines for name in re.findall(r'GOTO="(\w+)"', line)}
    assert jumps == {name for line in lines for name in re.findall(r'LABEL="(\w+)"', line)}


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_udev_has_no_complaint(tmp_path: Path, path: Path) -> None:
    tool = shutil.which("udevadm")
    if tool is None or "verify" not in ran(tool, "--help").stdout:
        pytest.skip("this udevadm cannot verify: it came with systemd 254")
    rules = tmp_path / path.name.removesuffix(".example")
    rules.write_text(path.read_text())
    result = ran(tool, "verify", rules)
    assert result.returncode == 0, result.stdout + result.stderr


def test_modem_manager_is_told_off_before_it_looks() -> None:
    assert "60-serial.rules" < RULES[0].name < "77-mm-" < "80-mm-candidate.rules"
    assert RULES[0].name < RULES[1].name < "77-mm-"
    for path in RULES:
        for line in path.read_text().splitlines():
            assert ('ENV{ID_MM_DEVICE_IGNORE}="1"' in line) == ('ENV{ID_MM_PORT_IGNORE}="1"' in line)
    assert not re.search(r"DRIVERS==.*\b(option|qcserial|cdc_acm|sierra)\b", RULES[0].read_text()), "modems"


def test_the_ports_get_the_names_that_the_page_says() -> None:
    assert set(re.findall(r'SYMLINK\+="([\w-]+)"', RULES[1].read_text())) == {
        "speedsign-radar",
        "speedsign-display",
    }


def test_the_machine_s_watchdog_is_one_that_a_raspberry_pi_has() -> None:
    (line,) = [x for x in DROP_INS[2].read_text().splitlines() if x.startswith("RuntimeWatchdogSec=")]
    assert line == "RuntimeWatchdogSec=15s"


def test_the_log_costs_no_card_and_little_memory() -> None:
    found = dict(
        line.split("=", 1)
        for line in DROP_INS[0].read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )
    assert found["Storage"] == "volatile"
    assert found["RuntimeMaxUse"] == found["SystemMaxUse"] == "16M"
    assert int(found["RateLimitBurst"]) <= 1000
