"""The package on real machines: installed, killed, updated, updated badly, removed.

    make test-install                    as root; a quarter of an hour the first time, then a few minutes
    python -m tests.install.whole --release trixie

Exit code 0: all is well, 1: something is not, 2: this machine cannot run others (the sentence says why).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from package import build, repository
from speedsign.errors import SpeedsignError
from tests.docs.pages import ROOT
from tests.install.keys import a_key
from tests.install.machine import RELEASES, Failed, Impossible, Machine, look_first, until
from tests.install.variants import variant

DATABASE = "/var/lib/speedsign/speedsign.db"
GOOD, NO_START, BAD_RUN, LATER = "9.1-1", "9.2-1", "9.3-1", "9.4-1"
CUTS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 60.0, 60.0)  # the last two: when it is just done
FUTURE_FORM = 99
# As an update that changes the database's form, and then cannot run.
RUINS = f"""
import sqlite3
db = sqlite3.connect("{DATABASE}")
db.execute("PRAGMA user_version = {FUTURE_FORM}")
db.commit()
db.close()
raise SystemExit(1)
"""
CONFIG = """
[sign]
id = "test-sign-1"
limit_kmh = 50
[radar]
driver = "ops243"
port = "/run/stand/radar"
[display]
driver = "dm56a04"
port = "/run/stand/panel"
[rules]
ceiling_kmh = 90
"""
STAND = """
[Service]
User=speedsign
RuntimeDirectory=stand
ExecStart=/opt/speedsign/package/env/bin/speedsign simulate --dir /run/stand --per-hour 3000
[Install]
WantedBy=multi-user.target
"""
HUB_CONFIG = """
[hub]
database = "/var/lib/speedsign/hub.db"
[mqtt]
host = "localhost"
"""
SOURCE = "deb [signed-by=/etc/apt/{key}.asc] file:/packages ./\n"
APT = ("-o", "Dir::Etc::sourceparts=-", "-o", "Dir::Etc::sourcelist=/etc/apt/speedsign.list")


class Trial:
    """What is tried on one machine, in this order."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.first = ""

    def steps(self) -> list[Callable[[], str]]:
        return [
            self.foreign_key_is_refused,
            self.installed,
            self.runs_and_counts,
            self.watchdog_brings_it_back,
            self.killed_comes_back,
            self.mended_config_takes_effect_by_itself,
            self.hub_runs_beside_it,
            self.reports_come_with_their_package,
            self.another_python_has_its_byte_code,
            self.updated,
            self.comes_back_with_the_power,
            self.update_that_does_not_start_changes_nothing,
            self.update_that_cannot_run_is_taken_back,
            self.updated_after_all,
            self.cut_off_in_the_middle_it_comes_back,
            self.removed_keeps_what_was_measured,
            self.purged,
        ]

    def foreign_key_is_refused(self) -> str:
        self.machine.write("/etc/apt/speedsign.list", SOURCE.format(key="foreign"))
        self.machine.told("apt-get", *APT, "update")
        self.expect(self.machine.told("apt-cache", *APT, "madison", "speedsign")[1].strip(), "")
        self.machine.write("/etc/apt/speedsign.list", SOURCE.format(key="own"))
        self.machine.run("apt-get", *APT, "update")
        return "apt takes the list by its own key alone"

    def installed(self) -> str:
        began_s = time.monotonic()
        listed = self.machine.run("apt-cache", *APT, "madison", "speedsign").splitlines()
        self.first = listed[-1].split("|")[1].strip()
        self.install(self.first)
        took_s = time.monotonic() - began_s
        self.machine.run("id", "speedsign")
        self.expect(self.machine.run("systemctl", "is-enabled", "speedsign").strip(), "enabled")
        self.expect(self.machine.show("speedsign", "ActiveState"), "inactive")
        self.expect("built from commit " in self.machine.run("speedsign", "--version"), True)
        for name in ("copyright", "sbom.cdx.json"):
            self.machine.run("test", "-s", f"/usr/share/doc/speedsign/{name}")
        self.machine.run(
            "systemd-analyze", "verify", "--man=no", "speedsign.service", "speedsign-hub.service"
        )
        return f"{self.first} in {took_s:.0f} s; user, folders, enabled, waits for a config"

    def runs_and_counts(self) -> str:
        self.machine.write("/etc/speedsign/speedsign.toml", CONFIG)
        self.machine.write("/etc/systemd/system/stand.service", STAND)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "enable", "--quiet", "--now", "stand")
        until(lambda: self.machine.told("test", "-e", "/run/stand/panel")[0] == 0, "the simulated devices")
        self.machine.run("systemctl", "start", "speedsign")
        self.expect(self.machine.show("speedsign", "ActiveState"), "active")
        took_s = until(lambda: self.count() > 0, "the first vehicle", 60)
        exposed = self.machine.run("systemd-analyze", "security", "--no-pager", "speedsign").splitlines()[-1]
        return f"active, the first vehicle after {took_s:.0f} s; {exposed.strip()}"

    def watchdog_brings_it_back(self) -> str:
        pid = self.machine.show("speedsign", "MainPID")
        self.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "speedsign")
        took_s = self.back_after(pid)
        log = self.machine.run("journalctl", "--no-pager", "-n", "60", "-u", "speedsign")
        self.expect(("Fatal Python error: Aborted" in log, "panel 1: dark" in log), (True, True))
        return f"stopped dead, ended with its stacks in the log and active again after {took_s:.1f} s"

    def killed_comes_back(self) -> str:
        pid = self.machine.show("speedsign", "MainPID")
        self.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "speedsign")
        return f"active again after {self.back_after(pid):.1f} s"

    def mended_config_takes_effect_by_itself(self) -> str:
        self.machine.write("/etc/speedsign/speedsign.toml", CONFIG.replace("= 50", "= 500"))
        self.machine.run("systemctl", "restart", "--no-block", "speedsign")
        until(lambda: "waiting for a better config" in self.status(), "what is wrong, in the status")
        self.machine.write("/etc/speedsign/speedsign.toml", CONFIG)
        took_s = until(lambda: self.status().startswith(("dark", "showing")), "the sign with its config")
        return f"active {took_s:.1f} s after it was mended, and says: {self.status()}"

    def status(self) -> str:
        return self.machine.show("speedsign", "StatusText")

    def hub_runs_beside_it(self) -> str:
        self.machine.write("/etc/speedsign/hub.toml", HUB_CONFIG)
        self.machine.run("systemctl", "start", "speedsign-hub")
        self.expect(self.machine.show("speedsign-hub", "ActiveState"), "active")
        return f"active, {self.machine.show('speedsign-hub', 'NRestarts')} restarts; its broker is not there"

    def reports_come_with_their_package(self) -> str:
        make = ("speedsign", "report", "--db", DATABASE, "--output", "/tmp/report.pdf")
        code, without = self.machine.told(*make)
        self.expect(code != 0 and len(without.splitlines()), 1)
        self.expect("apt install speedsign-report" in without, True)
        self.install(self.first, "speedsign-report")
        self.machine.run(*make)
        size = len(self.machine.run("base64", "/tmp/report.pdf")) * 3 // 4
        self.machine.run("apt-get", "-y", "purge", "speedsign-report")
        self.expect(self.machine.told("test", "-e", "/opt/speedsign/report")[0], 1)
        return f"a PDF of {size // 1000} kB; without it: {without.strip()}"

    def another_python_has_its_byte_code(self) -> str:
        folder = "/opt/speedsign/current/lib/python3/site-packages/speedsign/__pycache__"
        self.machine.run("rm", "-r", folder)
        self.machine.run("dpkg-trigger", "--no-await", "--by-package=python3-minimal", "/usr/bin/python3")
        self.machine.run("dpkg", "--configure", "--pending")
        return f"{len(self.machine.run('ls', folder).split())} files made anew in {folder}"

    def comes_back_with_the_power(self) -> str:
        self.machine.restart()
        took_s = self.until_active()
        self.expect(self.current(), GOOD)
        return f"active {took_s:.0f} s after the machine was up"

    def updated(self) -> str:
        before, config = self.count(), self.config_hash()
        pid = self.machine.show("speedsign", "MainPID")
        self.install(GOOD)
        took_s = self.back_after(pid)
        self.expect(self.current(), GOOD)
        self.expect(self.config_hash(), config)
        if self.count() < before:
            raise Failed(f"{before} vehicles before the update, {self.count()} after it")
        self.machine.run("test", "-e", "/var/lib/speedsign/hub.db.before-update")
        self.machine.run("systemctl", "is-active", "speedsign-hub")
        return f"the sign was away for the last {took_s:.1f} s of it; config and {before} vehicles kept"

    def update_that_does_not_start_changes_nothing(self) -> str:
        pid = self.machine.show("speedsign", "MainPID")
        code, said = self.machine.told(*self.apt(NO_START))
        if code == 0:
            raise Failed("apt says that all is well")
        self.expect(self.current(), GOOD)
        self.expect(self.machine.show("speedsign", "MainPID"), pid)
        (sentence,) = [line for line in said.splitlines() if line.startswith("speedsign update:")]
        return f"the sign ran on. {sentence}"

    def update_that_cannot_run_is_taken_back(self) -> str:
        before, form = self.count(), self.form()
        began_s = time.monotonic()
        self.install(BAD_RUN)
        until(lambda: self.current() == GOOD, "the version before comes back", 60)
        self.until_active()
        took_s = time.monotonic() - began_s
        self.expect(self.form(), form)
        if self.count() < before:
            raise Failed(f"{before} vehicles before the update, {self.count()} after it was taken back")
        self.machine.run("test", "-e", f"/var/lib/speedsign/speedsign.db.of-{BAD_RUN}")
        self.machine.run("grep", "-qx", BAD_RUN, "/var/lib/speedsign-update/refused")
        said = self.machine.run("journalctl", "--no-pager", "-u", "speedsign")
        self.expect(f"fault: the update to {BAD_RUN} was taken back" in said, True)
        self.expect(BAD_RUN in self.machine.told("speedsign", "doctor", "--only", "version")[1], True)
        return f"{GOOD} runs again {took_s:.0f} s after apt began, with its database"

    def updated_after_all(self) -> str:
        self.install(LATER)
        self.expect(self.current(), LATER)
        self.until_active()
        kept = self.machine.run("ls", "/opt/speedsign/versions").split()
        self.expect(kept, [GOOD, LATER])
        return f"the next version is taken; kept: {' and '.join(kept)}"

    def cut_off_in_the_middle_it_comes_back(self) -> str:
        """To the first version and back to the last, by turns, cut off ever later in it."""
        seen = []
        for number, after_s in enumerate(CUTS_S):
            wanted = (self.first, LATER)[number % 2]
            self.machine.cut_off(after_s, *self.apt(wanted))
            self.until_active()
            seen.append(self.current())
            self.finish(wanted)
            self.until_active()
            self.expect(self.current().startswith(wanted), True)
        return f"the sign ran after each of {len(seen)}: {', '.join(seen)}"

    def finish(self, version: str) -> None:
        """As docs/install.md says: what is unpacked is configured, what is not is unpacked anew."""
        self.machine.told("dpkg", "--configure", "-a")
        self.machine.run(*self.apt(version), "--reinstall")

    def until_active(self) -> float:
        return until(lambda: self.machine.show("speedsign", "ActiveState") == "active", "it is active", 30)

    def removed_keeps_what_was_measured(self) -> str:
        self.machine.run("systemctl", "disable", "--quiet", "--now", "stand")
        self.machine.run("apt-get", "-y", "remove", "speedsign")
        for path in ("/etc/speedsign/speedsign.toml", "/var/lib/speedsign/speedsign.db"):
            self.machine.run("test", "-e", path)
        self.expect(self.machine.told("test", "-e", "/opt/speedsign")[0], 1)
        return "config and database stay, the program is gone"

    def purged(self) -> str:
        self.machine.run("apt-get", "-y", "purge", "speedsign")
        self.machine.run("rm", "-f", "/etc/systemd/system/stand.service", "/etc/apt/speedsign.list")
        self.expect(self.machine.told("id", "speedsign")[0], 1)
        found = self.machine.run("find", "/", "-xdev", "-name", "*speedsign*", "-not", "-path", "/packages/*")
        left = [line for line in found.splitlines() if not line.startswith("/var/lib/apt/lists/")]
        self.expect([line for line in left if "/var/cache/apt/" not in line], [])
        self.expect(self.machine.run("systemctl", "--failed", "--no-legend", "--plain").strip(), "")
        return "no file, no user, no group, no failed unit is left"

    def apt(self, version: str, package: str = "speedsign") -> list[str]:
        words = ["-y", "--allow-downgrades", "install", f"{package}={version}"]
        return ["apt-get", *APT, "-o", "Dpkg::Use-Pty=0", *words]

    def install(self, version: str, package: str = "speedsign") -> None:
        self.machine.run(*self.apt(version, package))

    def back_after(self, pid: str) -> float:
        """Until another process is ready, in s."""

        def another() -> bool:
            now = self.machine.show("speedsign", "MainPID")
            return now not in ("0", pid) and self.machine.show("speedsign", "ActiveState") == "active"

        return until(another, "the sign comes back", 40)

    def count(self) -> int:
        code, said = self.machine.told("speedsign", "stats", "--json")
        return max(row["n"] for row in json.loads(said)) if code == 0 else 0

    def form(self) -> str:
        ask = f"import sqlite3; print(*sqlite3.connect('{DATABASE}').execute('PRAGMA user_version'))"
        return self.machine.run(
            "setpriv", "--reuid=speedsign", "--clear-groups", "python3", "-c", ask
        ).strip()

    def current(self) -> str:
        return Path(self.machine.run("readlink", "/opt/speedsign/current").strip()).name

    def config_hash(self) -> str:
        return hashlib.sha256(self.machine.run("cat", "/etc/speedsign/speedsign.toml").encode()).hexdigest()

    @staticmethod
    def expect(found: object, wanted: object) -> None:
        if found != wanted:
            raise Failed(f"{found!r} instead of {wanted!r}")


def make_packages(folder: Path, given: Path | None) -> None:
    """A package (else of the last commit), updates of it, all signed; and a key that signed nothing."""
    with a_key(folder, "foreign"):
        pass
    with a_key(folder, "own") as key:
        if given is None:
            build.build(ROOT, "HEAD", [build.own_architecture()], folder)
        else:
            for path in (given, given.with_name(given.name.replace("speedsign_", "speedsign-report_"))):
                shutil.copy(path, folder)
        (first,) = folder.glob("speedsign_*.deb")
        variant(first, folder, GOOD, {})
        variant(first, folder, NO_START, {"speedsign/cli/__init__.py": "raise SystemExit(3)\n"})
        variant(first, folder, BAD_RUN, {"speedsign/cli/run.py": RUINS})
        variant(first, folder, LATER, {})
        repository.write_index(folder, 0)
        repository.sign(folder, key)


def try_on(release: str, packages: Path, work: Path) -> bool:
    """Whether all is well there. Raises Impossible."""
    keys = {packages / f"{name}.asc": f"/etc/apt/{name}.asc" for name in ("own", "foreign")}
    began_s = time.monotonic()
    with Machine(release, work, {packages: "/packages", **keys}) as machine:
        version = machine.run("systemctl", "--version").split()[1]
        tell(f"{release}: booted in {time.monotonic() - began_s:.0f} s, systemd {version}")
        for step in Trial(machine).steps():
            name = step.__name__.replace("_", " ")
            try:
                tell(f"{release}: {name}: {step()}")
            except Failed as error:
                tell(f"{release}: {name}: FAILED: {error}")
                tell(
                    machine.told("journalctl", "--no-pager", "-n", "60", "-u", "speedsign", "-u", "stand")[1]
                )
                return False
    return True


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.install.whole")
    parser.add_argument("--release", action="append", choices=RELEASES)
    parser.add_argument("--package", type=Path, help="this one; else one is built of the last commit")
    asked = parser.parse_args()
    try:
        look_first()
        with tempfile.TemporaryDirectory(prefix="speedsign-machines-") as work:
            packages = Path(work) / "packages"
            packages.mkdir()
            make_packages(packages, asked.package)
            good = [try_on(release, packages, Path(work)) for release in asked.release or RELEASES]
    except Impossible as error:
        tell(f"test-install: {error}")
        return 2
    except SpeedsignError as error:
        tell(f"test-install: {error}")
        return 1
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
