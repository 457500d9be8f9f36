"""A package as another version of itself, with something changed: updates to try, good ones and bad ones."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = "opt/speedsign/package/env/lib/python3/site-packages"


def variant(package: Path, out: Path, version: str, edits: Mapping[str, str]) -> Path:
    """Write `package` as `version` into `out`; `edits`: file below the libraries -> its new text."""
    with tempfile.TemporaryDirectory(prefix="speedsign-variant-") as folder:
        root = Path(folder) / "root"
        subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(root)], check=True)
        control = root / "DEBIAN/control"
        lines = control.read_text().splitlines()
        control.write_text("".join(f"{_edited(line, version)}\n" for line in lines))
        (root / "DEBIAN/md5sums").unlink()
        (root / "opt/speedsign/package/id").write_text(f"{version}\n")
        for name, text in edits.items():
            (root / ENVIRONMENT / name).write_text(text)
        made = out / f"speedsign_{version}_{package.stem.rpartition('_')[2]}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(root), str(made)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return made


def _edited(line: str, version: str) -> str:
    return f"Version: {version}" if line.startswith("Version: ") else line
