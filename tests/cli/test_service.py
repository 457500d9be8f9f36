"""The sign's service, told by systemctl: a script stands for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from speedsign.cli.service import Service
from speedsign.errors import SpeedsignError

SCRIPT = """#!{python}
import sys, pathlib
word, name = sys.argv[1:]
folder = pathlib.Path(__file__).parent
with (folder / "calls").open("a") as calls:
    calls.write(f"{{word}} {{name}}\\n")
state = folder / "state"
if word == "is-active":
    print(state.read_text())
    sys.exit(0 if state.read_text() == "active" else 3)
trouble = folder / "trouble"
if trouble.exists():
    print(trouble.read_text(), file=sys.stderr)
    sys.exit(1)
state.write_text("inactive" if word == "stop" else "active")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "systemctl"
    script.write_text(SCRIPT.format(python=sys.executable))
    script.chmod(0o755)
    (tmp_path / "state").write_text("active")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_it_is_stopped_and_started(folder: Path) -> None:
    service = Service("town-sign")
    assert service.there
    assert service.running()
    service.stop()
    assert not service.running()
    service.start()
    assert service.running()
    assert [line for line in calls(folder) if "is-active" not in line] == [
        "stop town-sign",
        "start town-sign",
    ]


@pytest.mark.parametrize("state", ["active", "activating", "reloading"])
def test_one_that_is_just_starting_runs_too_and_is_started_again(folder: Path, state: str) -> None:
    (folder / "state").write_text(state)
    service = Service()
    assert service.running()
    service.start()
    assert calls(folder)[-1] == "restart speedsign"


@pytest.mark.parametrize("state", ["inactive", "failed", "unknown", ""])
def test_one_that_does_not_run(folder: Path, state: str) -> None:
    (folder / "state").write_text(state)
    assert not Service().running()


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Unit speedsign.service not found.", "name it with --service, or install systemd/speedsign.service"),
        ("Access denied", "try again with sudo, or by hand: sudo systemctl stop speedsign"),
        ("Interactive authentication required.", "try again with sudo"),
        ("Job failed.", "look at: journalctl -u speedsign -n 20"),
    ],
)
def test_what_it_refuses_is_one_sentence_with_what_to_do(folder: Path, said: str, hint: str) -> None:
    (folder / "trouble").write_text(said)
    with pytest.raises(SpeedsignError, match="the service speedsign cannot be stopped") as caught:
        Service().stop()
    assert said in str(caught.value)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_systemd_nothing_runs_and_nothing_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not Service().there
    assert not Service().running()


def test_a_machine_that_was_not_booted_with_systemd_has_no_services(folder: Path) -> None:
    script = "#!/bin/sh\necho 'System has not been booted with systemd as init system (PID 1).' >&2\nexit 1\n"
    (folder / "systemctl").write_text(script)
    assert not Service().there
    assert not Service().running()
