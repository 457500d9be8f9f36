"""What is built: a commit, not what lies around; its version, and the one time that all files bear."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from speedsign.errors import SpeedsignError

NOBODY_NAMED = "The speedsign developers"
_VERSION = re.compile(r'^__version__ = "([\w.]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A commit, unpacked."""

    folder: Path
    commit: str
    epoch_s: int  # when it was committed: SOURCE_DATE_EPOCH (reproducible-builds.org)
    version: str  # Debian's
    maintainer: str = NOBODY_NAMED  # whom apt names: "NAME <ADDRESS>", or a name alone


def check_out(root: Path, commit: str, folder: Path, maintainer: str | None = None) -> Source:
    """Unpack a commit of the repository at `root`. Raises SpeedsignError.

    `maintainer`: who answers for what is built; None: whom pyproject.toml names.
    """
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").decode().strip()
    with tarfile.open(fileobj=BytesIO(_git(root, "archive", "--format=tar", found))) as archive:
        archive.extractall(folder, filter="data")
    epoch_s = int(_git(root, "show", "--no-patch", "--format=%ct", found))
    written = _VERSION.search((folder / "speedsign/__init__.py").read_text(encoding="utf-8"))
    if written is None:
        raise SpeedsignError(f"{folder}/speedsign/__init__.py names no version")
    tags = _git(root, "tag", "--points-at", found).decode().split()
    version = debian_version(written[1], found, epoch_s, tags)
    return Source(folder, found, epoch_s, version, maintainer or maintainer_of(folder / "pyproject.toml"))


def maintainer_of(pyproject: Path) -> str:
    """Of the project (PEP 621), as Debian writes it. No address is made up where there is none."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    for one in project.get("maintainers", []):
        name, address = one.get("name", ""), one.get("email", "")
        return f"{name} <{address}>".strip() if address else str(name)
    return NOBODY_NAMED


def checked_maintainer(text: str) -> str:
    """One line, as a field of Debian's; raises SpeedsignError."""
    if not text.strip() or not text.isprintable():
        raise SpeedsignError(f'--maintainer {text!r}: write it as "NAME <ADDRESS>"')
    return text.strip()


def debian_version(version: str, commit: str, epoch_s: int, tags: list[str]) -> str:
    """A release is `0.1.0-1`; what leads to it sorts before it, by the time of its commit."""
    if f"v{version}" in tags:
        return f"{version}-1"
    when = datetime.fromtimestamp(epoch_s, UTC)
    return f"{version}~git{when:%Y%m%d%H%M%S}.{commit[:8]}-1"


def own_wheel(source: Source, folder: Path) -> Path:
    """The program itself. Raises SpeedsignError."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    done = subprocess.run(
        [*command, f"--wheel-dir={folder}", str(source.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SpeedsignError(f"the program's wheel cannot be built: {done.stderr.strip().splitlines()[-1]}")
    (wheel,) = folder.glob("speedsign-*.whl")
    return wheel


def _git(root: Path, *words: str) -> bytes:
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or "it knows no such commit"
        raise SpeedsignError(f"git {words[0]}: {said}")
    return done.stdout
