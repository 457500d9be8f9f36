"""sd_notify: what systemd hears, and that nothing breaks where nobody listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from speedsign.notify import sd_notify


@pytest.mark.parametrize("abstract", [False, True])
def test_the_state_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool) -> None:
    name = f"@speedsign-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("\0" + name[1:] if abstract else name)
        supervisor.settimeout(5)
        sd_notify("READY=1\nSTATUS=žalia")
        assert supervisor.recv(200).decode() == "READY=1\nSTATUS=žalia"


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    sd_notify("WATCHDOG=1")
