"""A config that cannot be used is waited for, below systemd alone."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from speedsign.cli.mending import state_of, wait_for_change
from tests.cli.command import environment

ENOUGH_S = 20.0


@pytest.mark.parametrize("change", ["mended", "made", "secret", "gone"])
def test_it_ends_with_any_change_beside_the_config(tmp_path: Path, change: str) -> None:
    config, secret = tmp_path / "sign.toml", tmp_path / "credentials" / "mqtt.key"
    secret.parent.mkdir()
    config.write_text("wrong")
    waiting: list[bool] = []
    before = state_of(config)
    thread = threading.Thread(target=lambda: waiting.append(wait_for_change(config, before, ENOUGH_S, 0.01)))
    thread.start()
    thread.join(0.1)
    assert waiting == []
    if change == "gone":
        config.unlink()
    else:
        path = {"mended": config, "made": tmp_path / "other.toml", "secret": secret}[change]
        path.write_text("right, at last")
    thread.join(ENOUGH_S / 2)
    assert waiting == [True]


def test_it_ends_by_itself(tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    assert wait_for_change(config, state_of(config), 0.05, 0.01) is False
    gone = tmp_path / "not there" / "sign.toml"
    assert wait_for_change(gone, state_of(gone), 0.05, 0.01) is False


def test_the_config_is_looked_at_among_however_many_files(tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    config.write_text("wrong")
    for number in range(300):
        (tmp_path / f"{number}.txt").touch()
    before = state_of(config)
    config.write_text("right, at last")
    assert wait_for_change(config, before, 1.0, 0.01)


@pytest.mark.wires
def test_the_sign_waits_below_systemd_and_says_why(tmp_path: Path) -> None:
    config, address = tmp_path / "sign.toml", str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(ENOUGH_S)
        process = subprocess.Popen(
            [sys.executable, "-m", "speedsign", "run", "--config", str(config)],
            env={**environment(), "NOTIFY_SOCKET": address},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            said = supervisor.recv(4096).decode()
            assert said.startswith("STATUS=waiting for a better config: ")
            assert str(config) in said
            assert process.poll() is None
            config.write_text("mended = false")
            _, errors = process.communicate(timeout=ENOUGH_S)
            assert process.returncode == 2
            assert errors.count("speedsign run:") == 1
            assert str(config) in errors
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.communicate()
