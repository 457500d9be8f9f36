"""Versions side by side: taken, tried, taken back. The script itself, on folders in place of a machine's."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

SCRIPT = ROOT / "package/scripts/update"
# Stands for a version: starts, takes a config, copies the database, each unless a file says otherwise.
PROGRAM = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/..
case $1 in
    --version) [ ! -e "$here/broken" ] ;;
    check) if [ -e "$here/strict" ]; then echo "sign.toml:3: [sign] id: too short" >&2; exit 2; fi ;;
    backup)
        for target; do :; done
        if [ -e "$here/cannot-copy" ]; then exit 1; fi
        cp "$3" "$target"
        ;;
esac
"""
# systemctl show -P KEY UNIT, and what restarts a service that runs.
SYSTEMCTL = """#!/bin/sh
case $1$3 in
    try-restart*) echo "$3" >> "$SIGN_FOLDER/restarted" ;;
    showActiveState) cat "$SIGN_FOLDER/$4.state" 2> /dev/null || echo inactive ;;
    showActiveEnter*) cat "$SIGN_FOLDER/$4.ready" ;;
    showExec*) cat "$SIGN_FOLDER/$4.began" ;;
esac
"""
SIGN, HUB = "speedsign.service", "speedsign-hub.service"
UPTIME_S = 10_000

pytestmark = pytest.mark.wires


@dataclass
class Machine:
    folder: Path

    @property
    def base(self) -> Path:
        return self.folder / "opt"

    @property
    def database(self) -> Path:
        return self.folder / "sign.db"

    @property
    def current(self) -> str:
        return (self.base / "current").readlink().name

    def state(self, name: str) -> str | None:
        path = self.folder / "state" / name
        return path.read_text().strip() if path.exists() else None

    def unpacked(self, version: str, *marks: str) -> None:
        """What dpkg does: files are replaced, never written into."""
        environment = self.base / "package/env"
        for name, text in {
            "bin/speedsign": PROGRAM,
            "lib/python3/site-packages/speedsign.py": f"VERSION = {version!r}\n",
            **dict.fromkeys(marks, ""),
        }.items():
            path = environment / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(text)
        (environment / "bin/speedsign").chmod(0o755)
        if not (environment / "bin/python3").is_symlink():
            (environment / "bin/python3").symlink_to(sys.executable)
        for mark in {"broken", "strict", "cannot-copy"} - set(marks):
            (environment / mark).unlink(missing_ok=True)
        (self.base / "package/id").write_text(f"{version}\n")

    def told(self, *words: str, result: str = "success", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "SPEEDSIGN_BASE": str(self.base),
            "SPEEDSIGN_STATE": str(self.folder / "state"),
            "SPEEDSIGN_CONFIG": str(self.folder / "sign.toml"),
            "SPEEDSIGN_HUB_CONFIG": str(self.folder / "hub.toml"),
            **more,
            "SPEEDSIGN_USER": "root",  # nobody else may enter a test's folder
            "SPEEDSIGN_UPTIME": str(self.folder / "uptime"),
            "SIGN_FOLDER": str(self.folder),
            "SERVICE_RESULT": result,
        }
        command = ["sh", str(SCRIPT), *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )

    def installed(self, version: str, *marks: str) -> None:
        self.unpacked(version, *marks)
        result = self.told("install")
        assert result.returncode == 0, result.stderr
        assert self.current == version

    def ran(self, service: str, ready_s: int | None, state: str) -> None:
        """How systemd knows a service; `ready_s`: for so long it has been ready, or was."""
        began_s = UPTIME_S - 1 if ready_s is None else UPTIME_S - ready_s - 1
        ready = 17 if ready_s is None else (UPTIME_S - ready_s) * 1_000_000
        for name, text in {"began": f"{began_s * 1_000_000}", "ready": f"{ready}", "state": state}.items():
            (self.folder / f"{service}.{name}").write_text(f"{text}\n")

    def ended(self, result: str = "exit-code", ready_s: int | None = None, service: str = SIGN) -> str:
        """A service has ended; `ready_s`: for so long it had been ready."""
        self.ran(service, ready_s, "deactivating")
        done = self.told("judge", *(["hub"] if service == HUB else []), result=result)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wrote(self, number: int, form: int, database: Path | None = None) -> None:
        with contextlib.closing(sqlite3.connect(database or self.database)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS counted (number)")
            db.execute("INSERT INTO counted VALUES (?)", (number,))
            db.execute(f"PRAGMA user_version = {form}")


def numbers(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [number for (number,) in db.execute("SELECT number FROM counted")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A commissioned sign on its first version, with a vehicle in the database."""
    machine = Machine(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin/systemctl").chmod(0o755)
    (tmp_path / "uptime").write_text(f"{UPTIME_S}.25 1.00\n")
    machine.installed("1")
    (tmp_path / "sign.toml").write_text(f'[store]\npath = "{machine.database}"\n')
    machine.wrote(1, form=5)
    return machine


def test_the_first_version_is_not_on_trial(machine: Machine) -> None:
    assert machine.state("trial") is None
    machine.ended()
    machine.ended()
    machine.ended()
    assert machine.current == "1"


def test_its_byte_code_is_made_and_names_where_it_will_stand(machine: Machine) -> None:
    folder = machine.base / "versions/1/lib/python3/site-packages/__pycache__"
    (code,) = folder.iterdir()
    assert str(machine.base / "versions/1/lib").encode() in code.read_bytes()
    assert not list((machine.base / "package").rglob("__pycache__"))


def test_an_update_leaves_the_files_of_the_version_that_runs(machine: Machine) -> None:
    path = machine.base / "versions/1/lib/python3/site-packages/speedsign.py"
    before = path.stat().st_ino
    machine.installed("2")
    assert (path.stat().st_ino, path.read_text()) == (before, "VERSION = '1'\n")
    assert (machine.base / "previous").readlink().name == "1"
    assert machine.state("trial") == "0"
    assert numbers(Path(f"{machine.database}.before-update")) == [1]


def test_the_same_version_again_changes_nothing(machine: Machine) -> None:
    machine.installed("2")
    machine.ended()
    machine.installed("2")
    assert machine.state("trial") == "1"
    assert (machine.base / "previous").readlink().name == "1"


def test_what_an_update_left_that_was_cut_off_is_made_anew(machine: Machine) -> None:
    for name in (".new", "2"):
        (machine.base / "versions" / name / "junk").mkdir(parents=True)
    machine.installed("2")
    assert sorted(path.name for path in (machine.base / "versions").iterdir()) == ["1", "2"]
    assert not (machine.base / "versions/2/junk").exists()


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("broken", "version 2 does not start here; 1 goes on"),
        ("strict", "version 2 does not take the config, 1 goes on. sign.toml:3: [sign] id: too short"),
    ],
)
def test_a_version_that_cannot_work_is_not_taken(machine: Machine, mark: str, sentence: str) -> None:
    machine.unpacked("2", mark)
    result = machine.told("install")
    assert result.returncode == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert (machine.current, machine.state("trial")) == ("1", None)
    machine.installed("3")


def test_a_config_that_neither_takes_is_no_reason_to_stay(machine: Machine) -> None:
    config = machine.folder / "sign.toml"
    text = config.read_text()
    config.unlink()
    machine.installed("2", "strict")
    config.write_text(text)
    machine.installed("3", "strict")


def test_without_a_copy_of_the_database_nothing_is_changed(machine: Machine) -> None:
    machine.installed("2", "cannot-copy")
    machine.unpacked("3")
    result = machine.told("install")
    assert result.returncode == 1
    assert "could not be copied, so nothing was changed; 2 goes on" in result.stderr
    assert machine.current == "2"


def test_a_sign_without_config_or_database_is_updated_too(machine: Machine) -> None:
    machine.database.unlink()
    machine.installed("2")
    (machine.folder / "sign.toml").unlink()
    machine.installed("3")
    for _ in range(3):
        machine.ended()
    assert machine.current == "2"


@pytest.mark.parametrize("how", ["exit-code", "signal", "timeout", "watchdog", "core-dump", "oom-kill"])
def test_the_third_end_in_a_row_takes_it_back(machine: Machine, how: str) -> None:
    machine.installed("2")
    machine.ended(how)
    machine.ended(how, ready_s=599)
    assert machine.current == "2"
    said = machine.ended(how)
    assert "version 2 was taken back; 1 is the current one again" in said
    assert (machine.current, machine.state("trial"), machine.state("refused")) == ("1", None, "2")
    machine.ended(how)
    machine.ended(how)
    machine.ended(how)
    assert machine.current == "1", "once, and not to and fro"


def test_stopping_it_by_hand_counts_for_nothing(machine: Machine) -> None:
    machine.installed("2")
    for _ in range(5):
        machine.ended("success")
    assert (machine.current, machine.state("trial")) == ("2", "0")


def test_after_ten_minutes_it_stays(machine: Machine) -> None:
    machine.installed("2")
    machine.ended()
    machine.ended()
    assert "version 2 stays" in machine.ended(ready_s=600)
    assert machine.state("trial") is None
    assert not Path(f"{machine.database}.before-update").exists()
    for _ in range(4):
        machine.ended()
    assert machine.current == "2"


def test_a_database_that_it_did_not_change_is_kept_with_all_that_came(machine: Machine) -> None:
    machine.installed("2")
    machine.wrote(2, form=5)
    for _ in range(3):
        machine.ended()
    assert numbers(machine.database) == [1, 2]


def test_a_database_of_a_new_form_is_put_back_and_the_new_one_kept(machine: Machine) -> None:
    machine.installed("2")
    machine.wrote(2, form=6)
    for _ in range(3):
        machine.ended()
    assert numbers(machine.database) == [1]
    assert numbers(Path(f"{machine.database}.of-2")) == [1, 2]
    assert not Path(f"{machine.database}.before-update").exists()


def test_what_is_in_the_side_file_of_a_killed_sign_is_kept_too(machine: Machine) -> None:
    machine.installed("2")
    with contextlib.closing(sqlite3.connect(machine.database, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA user_version = 6")
        db.execute("INSERT INTO counted VALUES (2)")
        for _ in range(3):
            machine.ended()
        assert numbers(Path(f"{machine.database}.of-2")) == [1, 2]
    assert numbers(machine.database) == [1]


def test_a_damaged_database_of_the_new_version_is_put_back(machine: Machine) -> None:
    machine.installed("2")
    machine.database.write_bytes(b"no database" * 1000)
    for _ in range(3):
        machine.ended()
    assert numbers(machine.database) == [1]


def test_by_hand(machine: Machine) -> None:
    machine.installed("2")
    machine.ended()
    assert machine.told("status").stdout.splitlines() == [
        "current   2",
        "previous  1",
        "trial     yes, ended too soon 1 times",
        "of a hub  no",
        "refused   ",
    ]
    assert machine.told("back").returncode == 0
    assert machine.current == "1"
    result = machine.told("back")
    assert (result.returncode, "there is no version before 1 to go back to" in result.stderr) == (1, True)


# -- the hub's database ------------------------------------------------------------------------


@pytest.fixture
def hub(machine: Machine) -> Path:
    """A hub's database beside the sign."""
    database = machine.folder / "hub.db"
    (machine.folder / "hub.toml").write_text(f'[hub]\ndatabase = "{database}"\n')
    machine.wrote(7, 3, database)
    return database


def test_a_hubs_database_is_copied_before_an_update_and_the_copy_goes_after_it(
    machine: Machine, hub: Path
) -> None:
    machine.installed("2")
    assert numbers(Path(f"{hub}.before-update")) == [7]
    assert (machine.state("trial"), machine.state("trial-hub")) == ("0", "0")
    assert "version 2 stays" in machine.ended(ready_s=600, service=HUB)
    assert not list(machine.folder.glob("*.before-update"))
    assert (machine.state("trial"), machine.state("trial-hub")) == (None, None)


def test_a_hub_that_does_not_start_takes_it_back_with_its_database(machine: Machine, hub: Path) -> None:
    (machine.folder / "sign.toml").unlink()
    machine.installed("2")
    assert machine.state("trial") is None, "where there is a hub alone, only the hub is on trial"
    machine.wrote(8, 4, hub)
    machine.ended(service=HUB)
    machine.ended(service=HUB)
    assert "ended too soon (speedsign-hub.service: exit-code), 3 of 3" in machine.ended(service=HUB)
    assert (machine.current, machine.state("refused")) == ("1", "2")
    assert (numbers(hub), numbers(Path(f"{hub}.of-2"))) == ([7], [7, 8])


def test_of_a_service_that_still_runs_the_database_is_put_back_when_it_is_down(
    machine: Machine, hub: Path
) -> None:
    machine.installed("2")
    machine.wrote(8, 4, hub)
    machine.wrote(2, 6)
    machine.ran(HUB, 20, "active")
    for _ in range(3):
        machine.ended()
    assert machine.current == "1"
    assert numbers(machine.database) == [1], "the sign is down"
    assert numbers(hub) == [7, 8], "the hub has it open"
    assert (machine.folder / "restarted").read_text() == f"{HUB}\n"
    machine.ended("success", ready_s=21, service=HUB)
    assert numbers(hub) == [7]
    assert numbers(Path(f"{hub}.of-2")) == [7, 8]
    machine.wrote(9, 3, hub)
    machine.ended("success", ready_s=5, service=HUB)
    assert numbers(hub) == [7, 9], "once"


def test_what_the_one_has_run_for_ten_minutes_the_other_does_not_take_back(
    machine: Machine, hub: Path
) -> None:
    machine.installed("2")
    machine.ran(SIGN, 700, "active")
    for _ in range(4):
        machine.ended(service=HUB)
    assert (machine.current, machine.state("trial")) == ("2", None)


def test_without_room_for_the_copy_nothing_is_changed_and_the_sizes_are_told(
    machine: Machine, hub: Path
) -> None:
    """df is asked by its name: a full disk is made by another one."""
    (machine.folder / "bin/df").write_text("#!/bin/sh\necho Avail\necho '  0'\n")
    (machine.folder / "bin/df").chmod(0o755)
    (machine.folder / "sign.toml").unlink()
    machine.unpacked("2")
    result = machine.told("install")
    assert result.returncode == 1
    assert (
        f"{hub} needs 1 MB for its copy and 0 MB are free, so nothing was changed; 1 goes on" in result.stderr
    )
    assert (machine.current, machine.state("trial-hub")) == ("1", None)
    assert machine.told("install", SPEEDSIGN_HUB_COPIED="1").returncode == 0
    assert machine.current == "2"
    assert not Path(f"{hub}.before-update").exists()


def test_two_versions_are_kept_and_no_third(machine: Machine) -> None:
    machine.installed("2")
    machine.installed("3")
    assert sorted(path.name for path in (machine.base / "versions").iterdir()) == ["2", "3"]


def test_a_word_that_it_does_not_know_is_told(machine: Machine) -> None:
    result = machine.told("forwards")
    assert (result.returncode, result.stderr[:7]) == (2, "usage: ")
