"""The arm64 packages on an emulated processor: as root, with qemu's user emulation and debootstrap.

    python -m tests.install.arm64 [--package FILE] [--release bookworm]

A Debian of arm64 is unpacked, the packages beside it, and the program is run there by that Debian's Python:
each compiled module loads and computes, a config is checked, a capture gives the vehicles that it gives here.
Exit code 2 where this machine cannot do it. What needs a running systemd is tried by tests.install.whole.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from package import build
from package.elf import check_modules
from package.tree import REPORT_SITE_PACKAGES, SITE_PACKAGES
from package.wheels import TARGETS
from speedsign.errors import SpeedsignError
from tests.docs.pages import ROOT
from tests.install.machine import BASES, RELEASES, Failed, Impossible

QEMU = "qemu-aarch64-static"
_TOOLS = {"debootstrap": "debootstrap", QEMU: "qemu-user-static", "dpkg-deb": "dpkg"}
_MIRROR = "http://deb.debian.org/debian"
_ENV = "/opt/speedsign/package/env/bin"
# Every compiled module, and something that each has to compute.
_MODULES = """
import platform, sys
from pydantic import TypeAdapter
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import _cffi_backend, typst
assert TypeAdapter(list[int]).validate_json("[1, 2]") == [1, 2]
key = Ed25519PrivateKey.generate()
key.public_key().verify(key.sign(b"50"), b"50")
assert typst.compile(b"50 km/h", format="pdf").startswith(b"%PDF")
print(platform.machine(), platform.python_version(), *platform.libc_ver())
"""


def look_first() -> None:
    """Raises Impossible."""
    if os.geteuid() != 0:
        raise Impossible("a system of another processor is entered by root only: run it with sudo")
    missing = sorted(package for tool, package in _TOOLS.items() if shutil.which(tool) is None)
    if missing:
        raise Impossible(f"missing: {', '.join(missing)}; run: apt-get install {' '.join(missing)}")


def base(release: str) -> Path:
    """A Debian of arm64 with its Python, unpacked and not configured. Raises Impossible."""
    folder = BASES / f"arm64-{release}"
    if folder.is_dir():
        return folder
    making = BASES / f".arm64-{release}"
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--arch=arm64", "--foreign", "--variant=minbase", "--include=python3"]
    done = subprocess.run(
        [*command, release, str(making), _MIRROR], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-1]
        raise Impossible(f"debootstrap {release} from {_MIRROR}: {said}")
    for package in sorted((making / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(making)], check=True)
        package.unlink()
    shutil.copy(shutil.which(QEMU) or "", making / "usr/bin" / QEMU)
    making.rename(folder)
    return folder


class Emulated:
    """A system of arm64 with the packages in it."""

    def __init__(self, release: str, packages: list[Path], folder: Path) -> None:
        self.root = folder / release
        subprocess.run(["cp", "-a", "--reflink=auto", str(base(release)), str(self.root)], check=True)
        for package in packages:
            subprocess.run(["dpkg-deb", "--extract", str(package), str(self.root)], check=True)

    def run(self, *words: str) -> str:
        """What the program's Python says. Raises Failed."""
        command = ["chroot", str(self.root), f"/usr/bin/{QEMU}", f"{_ENV}/python3", "-I", *words]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, env=environment
        )
        if done.returncode:
            raise Failed(
                f"{' '.join(words)[:60]}: exit code {done.returncode}: {done.stderr.strip()[-1500:]}"
            )
        return done.stdout

    def speedsign(self, *words: str) -> str:
        return self.run(f"{_ENV}/entry.py", *words)


def try_on(release: str, packages: list[Path], folder: Path) -> None:
    """Raises Failed, Impossible."""
    machine = Emulated(release, packages, folder)
    tell(f"{release}: {machine.run('-c', _MODULES).strip()}: every compiled module loads and computes")
    tell(f"{release}: {' | '.join(machine.speedsign('--version').splitlines())}")
    example = "/usr/share/doc/speedsign/examples/example.toml"
    tell(f"{release}: {machine.speedsign('check', '--config', example).splitlines()[0]}")
    capture = next((ROOT / "tests").rglob("*.jsonl"))
    shutil.copy(capture, machine.root / "capture.jsonl")
    there = machine.speedsign("replay", "/capture.jsonl", "--csv")
    command = [sys.executable, "-m", "speedsign", "replay", str(capture), "--csv"]
    here = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    if there != here:
        raise Failed(f"{capture.name}: other vehicles than on this machine")
    tell(f"{release}: {len(there.splitlines()) - 1} vehicles of {capture.name}, the same as on this machine")


def made(folder: Path, given: Path | None) -> list[Path]:
    """Both packages: those given, else built of the last commit. Raises SpeedsignError."""
    if given is not None:
        return [given, given.with_name(given.name.replace("speedsign_", "speedsign-report_"))]
    build.build(ROOT, "HEAD", ["arm64"], folder)
    return sorted(folder.glob("*_arm64.deb"))


def modules(packages: list[Path], folder: Path) -> None:
    """Each is an aarch64 one, for both Pythons, for bookworm's glibc. Raises SpeedsignError."""
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", str(package), str(folder)], check=True)
    target = TARGETS["arm64"]
    for site in (SITE_PACKAGES, REPORT_SITE_PACKAGES):
        found = check_modules(folder / site, target.wheel, target.pythons)
        tell(
            f"{site}: {len(found)} compiled modules, all {target.wheel},"
            f" for Python {' and '.join(target.pythons)}"
        )


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.install.arm64")
    parser.add_argument("--release", action="append", choices=RELEASES)
    parser.add_argument("--package", type=Path, help="speedsign_…_arm64.deb, the other beside it; else built")
    asked = parser.parse_args()
    began_s = time.monotonic()
    try:
        look_first()
        with tempfile.TemporaryDirectory(prefix="speedsign-arm64-") as name:
            folder = Path(name)
            packages = made(folder, asked.package)
            modules(packages, folder / "modules")
            for release in asked.release or RELEASES:
                try_on(release, packages, folder)
    except Impossible as error:
        tell(f"test-arm64: {error}")
        return 2
    except (Failed, SpeedsignError) as error:
        tell(f"test-arm64: FAILED: {error}")
        return 1
    tell(f"test-arm64: all is well, {time.monotonic() - began_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
