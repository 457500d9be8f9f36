"""A folder becomes a .deb (deb(5)), the same bytes each time.

No debhelper: dpkg-deb sorts the names and clamps the times itself, and what maintainer scripts do is written
out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from package.source import Source
from package.tree import even_out, scripts
from package.wheels import Target
from speedsign.errors import SpeedsignError

HOMEPAGE = "https://github.com/speedsign/speedsign"
# The wheels' own floor is glibc 2.28; compiled modules are there for bookworm's Python and for trixie's.
_DEPENDS = (
    "libc6 (>= 2.28), libgcc-s1, passwd, systemd (>= 252), util-linux, "
    "python3 (>= 3.11~), python3 (<< 3.12~) | python3 (>= 3.13~), python3 (<< 3.14~)"
)


@dataclass(frozen=True, slots=True)
class Package:
    """One .deb."""

    name: str
    summary: str
    text: tuple[str, ...]
    depends: str
    scripts: Mapping[str, str] = field(default_factory=dict)  # dpkg's name -> the file


SIGN = Package(
    "speedsign",
    "controller of roadside radar speed display signs",
    (
        "Reads a radar, shows drivers their speed, keeps statistics, sends them by MQTT.",
        "Carries all its libraries; the version before is kept until the new one has",
        "run for ten minutes, and comes back if it does not. Also the hub that collects",
        "what signs send.",
    ),
    _DEPENDS,
    {name: name for name in ("postinst", "prerm", "postrm", "triggers")},
)
REPORT = Package(
    "speedsign-report",
    "PDF reports and spreadsheets of speedsign, and its demo",
    ("For an officer's computer or a hub. A sign needs none of it.",),
    "speedsign",
    {"postinst": "report.postinst", "prerm": "report.prerm"},
)


def control(package: Package, source: Source, target: Target, size_kib: int) -> str:
    """The control file (deb-control(5))."""
    fields = {
        "Package": package.name,
        "Version": source.version,
        "Architecture": target.debian,
        "Maintainer": source.maintainer,
        "Installed-Size": str(size_kib),
        "Depends": package.depends,
        "Section": "misc",
        "Priority": "optional",
        "Homepage": HOMEPAGE,
        "Description": package.summary,
    }
    lines = [f"{key}: {value}" for key, value in fields.items()] + [f" {line}" for line in package.text]
    return "\n".join(lines) + "\n"


def build(package: Package, root: Path, source: Source, target: Target, out: Path) -> Path:
    """Close a folder into `out`; returns the file. Raises SpeedsignError."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    size_kib = sum(-(-path.stat().st_size // 1024) for path in files)
    about = root / "DEBIAN"
    about.mkdir()
    (about / "control").write_text(control(package, source, target, size_kib), encoding="utf-8")
    (about / "md5sums").write_text("".join(_sum(path, root) for path in files), encoding="utf-8")
    for name, file in package.scripts.items():
        shutil.copyfile(scripts(source) / file, about / name)
        (about / name).chmod(0o644 if name == "triggers" else 0o755)
    even_out(root, source.epoch_s)
    made = out / f"{package.name}_{source.version}_{target.debian}.deb"
    # One thread: xz's blocks, and with them its bytes, depend on how many there are.
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", str(root), str(made)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch_s)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError:
        raise SpeedsignError("dpkg-deb is not installed; packages are built on Debian or Ubuntu") from None
    if done.returncode:
        raise SpeedsignError(f"dpkg-deb: {done.stderr.strip()}")
    return made


def _sum(path: Path, root: Path) -> str:
    return f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
