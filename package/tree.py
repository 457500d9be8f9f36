"""The files of each package, as they will stand on the machine.

- /opt/speedsign/package/env: the environment from which /usr/lib/speedsign/update makes versions
- /opt/speedsign/bin/speedsign: the command, by way of "current"; /usr/bin/speedsign leads there
- /opt/speedsign/report: what PDFs and spreadsheets need, of a package of its own
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from package import distributions, lock, sbom
from package.copyright import copyright_file
from package.source import Source
from package.wheels import Target

ENVIRONMENT = "opt/speedsign/package/env"
SITE_PACKAGES = f"{ENVIRONMENT}/lib/python3/site-packages"
REPORT_SITE_PACKAGES = "opt/speedsign/report/site-packages"

_SYSTEM = {
    "speedsign.service": "usr/lib/systemd/system",
    "speedsign-hub.service": "usr/lib/systemd/system",
    "speedsign.service.d/update.conf": "usr/lib/systemd/system/speedsign.service.d",
    "speedsign-hub.service.d/update.conf": "usr/lib/systemd/system/speedsign-hub.service.d",
    "sysusers.d/speedsign.conf": "usr/lib/sysusers.d",
    "tmpfiles.d/speedsign.conf": "usr/lib/tmpfiles.d",
    "udev/70-speedsign.rules": "usr/lib/udev/rules.d",
    "udev/71-speedsign-ports.rules.example": "usr/share/doc/speedsign/examples",
    "journald.conf.d/speedsign.conf": "usr/share/doc/speedsign/examples/journald.conf.d",
    "system.conf.d/speedsign-watchdog.conf": "usr/share/doc/speedsign/examples/system.conf.d",
}
# Where each package's libraries are, and what of the project asks for them.
_CONTENTS = {
    "speedsign": (SITE_PACKAGES, ()),
    "speedsign-report": (REPORT_SITE_PACKAGES, lock.REPORT_EXTRAS),
}
_LINKS = {
    "usr/bin/speedsign": "/opt/speedsign/bin/speedsign",
    "opt/speedsign/bin/speedsign": "../current/bin/speedsign",
    f"{ENVIRONMENT}/bin/python3": "/usr/bin/python3",
}


def scripts(source: Source) -> Path:
    """What runs on the machine while it installs and updates."""
    return source.folder / "package/scripts"


def sign_files(root: Path, source: Source, target: Target, wheels: Sequence[Path] = ()) -> None:
    """All but the libraries, which are below SITE_PACKAGES already; `wheels`: the files they came from."""
    for name, folder in _SYSTEM.items():
        _copy(source.folder / "systemd" / name, root / folder)
    _copy(scripts(source) / "update", root / "usr/lib/speedsign", mode=0o755)
    _copy(scripts(source) / "speedsign", root / ENVIRONMENT / "bin", mode=0o755)
    _copy(source.folder / "package/entry.py", root / ENVIRONMENT / "bin")
    _copy(source.folder / "speedsign/config/example.toml", root / "usr/share/doc/speedsign/examples")
    for name, leads_to in _LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(leads_to)
    # A virtual environment (PEP 405); its libraries are one folder under the name that each Python looks for.
    environment = root / ENVIRONMENT
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    for python in target.pythons:
        (environment / "lib" / f"python{python}").symlink_to("python3")
    # Not there: passed over (site). There: what the other package brings.
    (root / SITE_PACKAGES / "speedsign_report.pth").write_text(f"/{REPORT_SITE_PACKAGES}\n")
    documents(root, source, "speedsign", target, wheels)
    (root / "opt/speedsign/package/id").write_text(f"{source.version}.{digest(environment)[:8]}\n")


def documents(root: Path, source: Source, package: str, target: Target, wheels: Sequence[Path]) -> None:
    """What Debian asks of every package, and the list of its components. Raises SpeedsignError."""
    folder = root / "usr/share/doc" / package
    folder.mkdir(parents=True, exist_ok=True)
    site, extras = _CONTENTS[package]
    libraries = [one for one in distributions.read(root / site, wheels) if one.name != "speedsign"]
    licence = (source.folder / "LICENSE").read_text(encoding="utf-8")
    (folder / "copyright").write_text(copyright_file(licence, libraries, site), encoding="utf-8")
    changes = (source.folder / "CHANGELOG.md").read_bytes()
    (folder / "changelog.gz").write_bytes(gzip.compress(changes, 9, mtime=0))
    whole = sbom.Whole(
        name=package,
        version=source.version,
        purl=f"pkg:deb/speedsign/{package}@{quote(source.version, safe='')}?arch={target.debian}",
        commit=source.commit,
        epoch_s=source.epoch_s,
        requires=tuple(lock.wanted_by_project(source.folder / "pyproject.toml", extras)),
        properties=(("speedsign:python", f"{', '.join(target.pythons)}, of the machine"),),
    )
    hashes = sbom.allowed_hashes(source.folder / "requirements/run.txt")
    listed = sbom.document(whole, libraries, target.environments, hashes)
    (folder / sbom.FILE).write_text(listed, encoding="utf-8")


def digest(folder: Path) -> str:
    """Of names, links and contents: two environments with the same one are the same."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            found.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def even_out(root: Path, epoch_s: int) -> None:
    """Modes and times that do not depend on who builds when: folders and programs 755, all else 644."""
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            runs = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch_s, epoch_s), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (epoch_s, epoch_s))


def _copy(path: Path, folder: Path, mode: int = 0o644) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path.name).write_bytes(path.read_bytes())
    (folder / path.name).chmod(mode)
