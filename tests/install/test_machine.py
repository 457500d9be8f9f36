"""Where no machine can be run, one sentence says why, and the exit code is 2."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.install import machine, whole


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs, with all that is needed in it; each does nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in machine._TOOLS:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(machine, "BASES", tmp_path / "bases")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "argv", ["whole"])
    monkeypatch.setattr(whole, "make_packages", lambda folder, given: None)
    return folder


def said(capsys: pytest.CaptureFixture[str]) -> str:
    assert whole.main() == 2
    (line,) = capsys.readouterr().out.splitlines()
    return line


def test_not_root(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert said(capsys) == "test-install: machines are made and booted by root only: run it with sudo"


def test_tools_that_are_missing_are_named_by_their_packages(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    (programs / "systemd-nspawn").unlink()
    (programs / "debootstrap").unlink()
    wanted = "debootstrap systemd-container"
    assert (
        said(capsys)
        == f"test-install: missing: debootstrap, systemd-container; run: apt-get install {wanted}"
    )


def test_no_mirror(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (programs / "debootstrap").write_text("#!/bin/sh\necho 'E: Failed getting release file'; exit 1\n")
    assert said(capsys) == (
        "test-install: debootstrap bookworm from http://deb.debian.org/debian: E: Failed getting release file"
    )
    assert not (machine.BASES / "bookworm").exists()


@pytest.mark.wires
def test_a_kernel_that_refuses(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (machine.BASES / "bookworm").mkdir(parents=True)
    (programs / "systemd-nspawn").write_text(
        "#!/bin/sh\necho 'Failed to mount tmpfs: Not permitted'; exit 1\n"
    )
    whole_sentence = "systemd-nspawn does not boot bookworm: Failed to mount tmpfs: Not permitted"
    assert said(capsys) == f"test-install: {whole_sentence}"
