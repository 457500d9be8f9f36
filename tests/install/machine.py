"""A Debian machine with its own systemd, in a container: booted, told what to do, switched off.

systemd-nspawn(1), debootstrap(8). Both need root, and a kernel that allows it; where not, `Impossible` says
what is missing in one sentence.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.docs.pages import ROOT

RELEASES = ("bookworm", "trixie")
BASES = ROOT / "build" / "machines"  # made once, copied for each run
_TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "dpkg-deb": "dpkg",
    "gpg": "gpg",
}
_PACKAGES = "systemd,systemd-sysv,dbus,udev,python3,passwd,util-linux"
_MIRROR = "http://deb.debian.org/debian"
_BOOT_S = 90.0


class Impossible(Exception):  # noqa: N818  the situation is its name
    """This machine cannot run another one; says why and what to do."""


class Failed(Exception):  # noqa: N818
    """Something in the machine is not as it should be."""


def look_first() -> None:
    """Raises Impossible."""
    if os.geteuid() != 0:
        raise Impossible("machines are made and booted by root only: run it with sudo")
    missing = {package for tool, package in _TOOLS.items() if shutil.which(tool) is None}
    if missing:
        raise Impossible(
            f"missing: {', '.join(sorted(missing))}; run: apt-get install {' '.join(sorted(missing))}"
        )


def base(release: str) -> Path:
    """The installed system of a release, from Debian's mirror unless it is there. Raises Impossible."""
    folder = BASES / release
    if folder.is_dir():
        return folder
    making = BASES / f".{release}"
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", release, str(making), _MIRROR]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-1]
        raise Impossible(f"debootstrap {release} from {_MIRROR}: {said}")
    making.rename(folder)
    return folder


def until(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> float:
    """How long it took, in s. Raises Failed."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > timeout_s:
            raise Failed(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.1)
    return time.monotonic() - began_s


class Machine:
    """One that runs; switched off at the end of a `with`."""

    def __init__(self, release: str, folder: Path, binds: dict[Path, str]) -> None:
        self.release = release
        self.root = folder / release
        self._log = folder / f"{release}.log"
        subprocess.run(["cp", "-a", "--reflink=auto", str(base(release)), str(self.root)], check=True)
        # The calls that only ask how good the clock is; nspawn's own filter knows them as setting it, too.
        command = self._command = [
            "systemd-nspawn",
            "--quiet",
            f"--directory={self.root}",
            "--boot",
            "--private-network",
        ]
        command += ["--console=pipe", "--link-journal=no", "--system-call-filter=adjtimex clock_adjtime"]
        command += [f"--bind-ro={here}:{there}" for here, there in binds.items()]
        if not Path("/run/systemd/system").is_dir():
            command += ["--register=no", "--keep-unit"]  # no systemd out here to tell
        self._boot()

    def _boot(self) -> None:
        with self._log.open("wb") as log:
            self._nspawn = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        try:
            self._leader = self._booted()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _booted(self) -> int:
        """The process number of its systemd. Raises Impossible with the kernel's word."""
        deadline_s = time.monotonic() + _BOOT_S
        while time.monotonic() < deadline_s:
            if self._nspawn.poll() is not None:
                break
            leader = self._child()
            if leader and self._run(leader, ["systemctl", "is-system-running"])[1].strip() == "running":
                return leader
            time.sleep(0.2)
        said = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        raise Impossible(
            f"systemd-nspawn does not boot {self.release}: {said[-1] if said else 'it says nothing'}"
        )

    def _child(self) -> int:
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        for word in children.read_text().split():
            if Path(f"/proc/{word}/comm").read_text().strip() == "systemd":
                return int(word)
        return 0

    @staticmethod
    def _enter(leader: int) -> list[str]:
        command = ["nsenter", f"--target={leader}", "--all", "env", "-i", "LC_ALL=C.UTF-8", "HOME=/root"]
        command += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        return [*command, "DEBIAN_FRONTEND=noninteractive"]

    def _run(self, leader: int, words: list[str]) -> tuple[int, str]:
        command = [*self._enter(leader), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, done.stdout + done.stderr

    def told(self, *words: str) -> tuple[int, str]:
        """Exit code and all that was said."""
        return self._run(self._leader, list(words))

    def run(self, *words: str) -> str:
        """What it said. Raises Failed."""
        code, said = self.told(*words)
        if code:
            raise Failed(f"{' '.join(words)}: exit code {code}: {said.strip()[-1500:]}")
        return said

    def show(self, unit: str, key: str) -> str:
        return self.run("systemctl", "show", "-P", key, unit).strip()

    def cut_off(self, after_s: float, *words: str) -> None:
        """All processes are gone so long after a command began; then it boots again. Raises Impossible.

        What was written is still in the machine's memory, so it is less than a power cut.
        """
        with subprocess.Popen(
            [*self._enter(self._leader), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(after_s)
            os.kill(self._leader, signal.SIGKILL)
            self._nspawn.wait(30)
        self._boot()

    def restart(self) -> None:
        """Switched off tidily, and on. Raises Impossible."""
        self.told("systemctl", "--no-block", "poweroff")
        self._nspawn.wait(60)
        self._boot()

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def close(self) -> None:
        if self._nspawn.poll() is None:
            self._nspawn.terminate()  # a clean shutdown
            try:
                self._nspawn.wait(30)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait()
        shutil.rmtree(self.root, ignore_errors=True)
