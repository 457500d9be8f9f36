"""A folder of packages as a signed source for apt: flat, so that any web server or memory stick serves it.

apt checks the signature of InRelease, by it the list, by that every package (apt-secure(8)). The key is
whoever's who builds: it is named, lies in their GnuPG, and is never part of this tree.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from speedsign.errors import SpeedsignError

_HASHES = {"SHA256": "sha256", "SHA512": "sha512"}


def write_index(folder: Path, epoch_s: int) -> Path:
    """Packages and Release of all .deb files in the folder; returns Release. Raises SpeedsignError."""
    packages = "\n".join(_stanza(path) for path in sorted(folder.glob("*.deb")))
    (folder / "Packages").write_text(packages, encoding="utf-8")
    release = folder / "Release"
    release.write_text(_release(folder, packages.encode(), epoch_s), encoding="utf-8")
    return release


def sign(folder: Path, key: str) -> Path:
    """InRelease: Release, signed. Raises SpeedsignError."""
    target = folder / "InRelease"
    target.unlink(missing_ok=True)
    command = ["gpg", "--batch", "--yes", f"--local-user={key}", "--digest-algo=SHA512"]
    command += ["--clearsign", f"--output={target}", str(folder / "Release")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1].removeprefix("gpg: ")
        raise SpeedsignError(
            f"the key {key} does not sign: {said}; name one that gpg --list-secret-keys shows"
        )
    return target


def _stanza(path: Path) -> str:
    command = ["dpkg-deb", "--field", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SpeedsignError(f"{path}: {done.stderr.strip()}")
    data = path.read_bytes()
    fields = [f"Filename: ./{path.name}", f"Size: {len(data)}"]
    fields += [f"{name}: {hashlib.new(kind, data).hexdigest()}" for name, kind in _HASHES.items()]
    about, mark, text = done.stdout.rstrip("\n").partition("\nDescription:")
    return "\n".join([about, *fields]) + mark + text + "\n"


def _release(folder: Path, packages: bytes, epoch_s: int) -> str:
    when = datetime.fromtimestamp(epoch_s, UTC)
    lines = [
        "Origin: speedsign",
        "Label: speedsign",
        "Suite: stable",
        f"Architectures: {' '.join(_architectures(folder.glob('*.deb')))}",
        f"Date: {when:%a, %d %b %Y %H:%M:%S} UTC",
    ]
    for name, kind in _HASHES.items():
        lines += [f"{name}:", f" {hashlib.new(kind, packages).hexdigest()} {len(packages)} Packages"]
    return "\n".join(lines) + "\n"


def _architectures(paths: Iterable[Path]) -> list[str]:
    return sorted({path.stem.rpartition("_")[2] for path in paths})
