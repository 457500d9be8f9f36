"""sd_notify: what systemd hears, and that nothing breaks where nobody listens."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from speedsign import notify
from speedsign.notify import mind_the_watchdog, sd_notify, watchdog_s


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    """The socket of the whole life is this test's."""
    notify._out.cache_clear()
    yield
    if notify._out.cache_info().currsize:
        notify._out().close()
    notify._out.cache_clear()


@pytest.mark.parametrize("abstract", [False, True])
def test_the_state_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool) -> None:
    name = f"@speedsign-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("\0" + name[1:] if abstract else name)
        supervisor.settimeout(5)
        sd_notify("READY=1\nSTATUS=žalia")
        assert supervisor.recv(200).decode() == "READY=1\nSTATUS=žalia"


@pytest.mark.parametrize(
    "address",
    ["", "/nowhere/notify", "@", "@nobody", "relative", "/", "/dev/null", "x" * 300, "vsock:2:9", "\udcff"],
)
def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    sd_notify("WATCHDOG=1")


def test_a_supervisor_that_reads_no_more_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        for _ in range(5000):  # more than any queue takes; the first that waits never ends
            sd_notify("WATCHDOG=1")
        sd_notify("READY=1")
        assert supervisor.recv(200) == b"WATCHDOG=1"


@pytest.mark.parametrize("spoke_before", [True, False])
def test_without_a_free_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, spoke_before: bool
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        if spoke_before:
            sd_notify("READY=1")
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                held.extend(os.open("/dev/null", os.O_RDONLY) for _ in count())
            sd_notify("WATCHDOG=1")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in held:
                os.close(fd)
        heard: list[bytes] = []
        with contextlib.suppress(BlockingIOError):
            heard.extend(supervisor.recv(200) for _ in count())
        assert heard == ([b"READY=1", b"WATCHDOG=1"] if spoke_before else [])


def test_text_that_is_no_text_arrives_as_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(5)
        sd_notify("STATUS=\udcff")
        assert supervisor.recv(200) == b"STATUS=?"


@pytest.mark.parametrize(
    ("usec", "pid", "allowed_s"),
    [
        ("10000000", None, 10.0),
        ("500000", str(os.getpid()), 0.5),
        ("10000000", "1", None),
        ("10000000", "nonsense", None),
        ("0", None, None),
        ("-1", None, None),
        ("ten", None, None),
        ("", None, None),
        ("9" * 400, None, None),
        (None, None, None),
    ],
)
def test_how_long_the_watchdog_waits(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, allowed_s: float | None
) -> None:
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_s() == allowed_s


@pytest.mark.parametrize(("usec", "warned"), [("2999999", True), ("3000000", False), ("0", False)])
def test_a_watchdog_that_is_too_short_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, usec: str, *, warned: bool
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    mind_the_watchdog(1.0)
    assert ("set it to 3 or more in the unit" in caplog.text) is warned
