"""What a folder of libraries consists of, by what the libraries say of themselves (PEP 376, 639, 770)."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from package.spdx import licence_of
from speedsign.errors import SpeedsignError

_TEXTS = Path(__file__).parent / "licence_texts"
_TEXT_NAMES = ("LICEN", "COPYING", "NOTICE")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file that was unpacked."""

    file: str
    sha256: str
    tops: tuple[str, ...]  # patterns of what came of it in the libraries' folder: six.py, click/*


@dataclass(frozen=True, slots=True)
class Distribution:
    """A library."""

    name: str  # canonical
    version: str
    licence: str  # SPDX
    summary: str
    author: str
    requires: tuple[str, ...]  # PEP 508
    about: Path  # its .dist-info
    wheels: tuple[Wheel, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"

    def licence_texts(self) -> list[tuple[str, str]]:
        """Name and text of each licence file that came with it, else of ours. Raises SpeedsignError."""
        files = [path for path in sorted(self.about.rglob("*")) if path.is_file() and _is_text(path)]
        if not files:
            files = [path for path in (_TEXTS / f"{self.name}.txt",) if path.exists()]
        if not files:
            where = f"package/licence_texts/{self.name}.txt"
            raise SpeedsignError(f"{self.name}: its wheel has no licence text; put one into {where}")
        return [(path.name, path.read_text(encoding="utf-8", errors="replace")) for path in files]

    def parts(self) -> list[Mapping[str, Any]]:
        """What is compiled into it, as its own CycloneDX files list it. Raises SpeedsignError."""
        found: list[Mapping[str, Any]] = []
        for path in sorted((self.about / "sboms").glob("*.json")):
            try:
                told = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                raise SpeedsignError(f"{path}: no JSON; the wheel of {self.name} is damaged") from None
            if isinstance(told, dict) and told.get("bomFormat") == "CycloneDX":
                found += told.get("components", [])
        return found


def read(site: Path, wheels: Iterable[Path] = ()) -> list[Distribution]:
    """All libraries of a folder, by name; `wheels`: the files it was made of. Raises SpeedsignError."""
    files: dict[str, list[Wheel]] = {}
    for name, path in sorted({path.name: path for path in wheels}.items()):  # one may serve several Pythons
        files.setdefault(canonicalize_name(name.split("-")[0]), []).append(_wheel(path))
    found = [_read(Path(path), files) for path in sorted(site.glob("*.dist-info"))]
    names = [one.name for one in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SpeedsignError(f"{site}: several versions of {', '.join(sorted(twice))}; make it anew")
    return sorted(found, key=lambda one: one.name)


def _read(about: Path, files: Mapping[str, list[Wheel]]) -> Distribution:
    told = metadata.Distribution.at(about)
    name = canonicalize_name(told.metadata["Name"])
    message: Any = told.metadata
    return Distribution(
        name=name,
        version=told.version,
        licence=licence_of(name, message),
        summary=message.get("Summary") or "",
        author=message.get("Author") or "",
        requires=tuple(told.requires or ()),
        about=about,
        wheels=tuple(files.get(name, ())),
    )


def _wheel(path: Path) -> Wheel:
    with zipfile.ZipFile(path) as archive:
        parts = [name.split("/", maxsplit=1) for name in archive.namelist()]
    tops = {top if not below else f"{top}/*" for top, *below in parts if not top.endswith(".data")}
    return Wheel(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), tuple(sorted(tops)))


def _is_text(path: Path) -> bool:
    name = path.name.upper()
    return name.startswith(_TEXT_NAMES) or path.parent.name == "licenses"
