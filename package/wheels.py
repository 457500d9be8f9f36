"""Libraries as wheels, by their hashes, laid out so that one folder serves several Pythons.

What is written in Python is the same in the wheels of each; compiled modules have the Python's version in
their file's name (PEP 3149) or serve all (abi3). So they lie side by side, and the machine's own Python takes
its own.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from speedsign.errors import SpeedsignError

_LOSES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")  # about installing by pip
_DIFFERS = ("WHEEL",)  # and what is below sboms/: the first Python's is kept


@dataclass(frozen=True, slots=True)
class Target:
    """The machines that a package is for."""

    debian: str  # dpkg's name
    wheel: str  # the name in wheels
    pythons: tuple[str, ...] = ("3.11", "3.13")  # bookworm's and trixie's

    @property
    def environments(self) -> list[dict[str, str]]:
        """For PEP 508 markers."""
        return [
            {
                "python_version": python,
                "python_full_version": f"{python}.0",
                "platform_machine": self.wheel,
                "sys_platform": "linux",
                "platform_system": "Linux",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "os_name": "posix",
            }
            for python in self.pythons
        ]


TARGETS = {
    "amd64": Target("amd64", "x86_64"),
    "arm64": Target("arm64", "aarch64"),
}


def download(requirements: str, target: Target, python: str, folder: Path) -> list[Path]:
    """The wheels of hashed requirement lines. Raises SpeedsignError: one is missing or another one."""
    folder.mkdir(parents=True)
    listed = folder / "requirements.txt"
    listed.write_text(requirements, encoding="utf-8")
    platforms = [f"manylinux_{tag}_{target.wheel}" for tag in ("2_28", "2_17")] + [
        f"manylinux2014_{target.wheel}"
    ]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={platform}" for platform in platforms]
    command += [f"--dest={folder}", f"--requirement={listed}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise SpeedsignError(
            f"wheels for Python {python} on {target.wheel}: {said[0].removeprefix('ERROR: ')}"
        )
    return sorted(folder.glob("*.whl"))


def lay_out(wheels: Iterable[Path], site_packages: Path) -> None:
    """Unpack wheels into one folder. Raises SpeedsignError where two have different files of one name."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    _put(archive.read(info), PurePosixPath(info.filename), site_packages, wheel)


def _put(data: bytes, name: PurePosixPath, site_packages: Path, wheel: Path) -> None:
    if name.is_absolute() or ".." in name.parts:
        raise SpeedsignError(f"{wheel.name}: {name} lies outside of it")
    top = name.parts[0]
    if top.endswith(".data"):
        if name.parts[1] != "scripts":  # commands of libraries: nobody asked for them
            raise SpeedsignError(f"{wheel.name}: {name} belongs elsewhere, and that is not built yet")
        return
    about = top.endswith(".dist-info")
    if about and name.name in _LOSES:
        return
    target = site_packages / name
    if target.exists():
        if target.read_bytes() != data and not (about and (name.name in _DIFFERS or "sboms" in name.parts)):
            raise SpeedsignError(f"{wheel.name}: {name} is another file in a wheel for another Python")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
