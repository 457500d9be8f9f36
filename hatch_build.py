"""Build hook: the catalogues of languages, .po for people, become .mo for programs; a build knows its commit.

Hatchling runs it for wheels and editable installs. The .mo files are made, never committed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)  # Babel writes a date into every catalogue: the same each time


class CustomBuildHook(BuildHookInterface[Any]):
    """Named so by hatchling."""

    _folder: Path | None = None  # of what is made for one build alone

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
        if version != "editable":
            self._note_commit(build_data)

    def _note_commit(self, build_data: dict[str, Any]) -> None:
        """speedsign/commit.txt, filled in where git knows; what `git archive` has filled in stays."""
        said = commit_of(Path(self.root))
        if said:
            self._folder = Path(tempfile.mkdtemp(prefix="speedsign-commit-"))
            made = self._folder / "commit.txt"
            made.write_text(said, encoding="ascii")
            build_data["force_include"][str(made)] = "speedsign/commit.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def commit_of(root: Path) -> str:
    """What speedsign/build.py reads; nothing where this is no checkout or git is not there."""
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "log", "-1", "--no-show-signature", "--format=%H %ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def compile_catalogues(root: Path) -> list[Path]:
    """Write a .mo beside every .po; returns those."""
    made = []
    for source in sorted((root / "speedsign" / "locale").glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        target.write_bytes(compiled(source))
        made.append(target)
    return made


def compiled(source: Path) -> bytes:
    """A catalogue as gettext reads it; what is fuzzy or not translated stays out. Raises PoFileError."""
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
    catalogue.creation_date = catalogue.revision_date = _ALWAYS
    made = BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()
