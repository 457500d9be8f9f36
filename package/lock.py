"""Which libraries a package carries: what the project asks for, and what that asks for, out of the lock file.

The lock has more than a sign needs (what builds the program, what makes PDFs). Names and needs come from what
is installed here from the same file; an environment of other versions is refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from speedsign.errors import SpeedsignError

REPORT_EXTRAS = ("demo", "report")  # what speedsign-report carries beside the sign's own
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def locked(text: str) -> dict[str, tuple[str, str]]:
    """Of a hashed requirements file: canonical name -> (version, its lines as they are)."""
    found: dict[str, tuple[str, str]] = {}
    name, version, lines = "", "", list[str]()
    for line in [*text.splitlines(), ""]:
        if line.startswith((" ", "\t")):
            lines.append(line)
            continue
        if name:
            found[name] = (version, "\n".join(lines) + "\n")
        pinned = _PINNED.match(line)
        name, version = (canonicalize_name(pinned[1]), pinned[2]) if pinned else ("", "")
        lines = [line]
    return found


def wanted_by_project(pyproject: Path, extras: Iterable[str] = ()) -> list[str]:
    """The requirements of the project itself, or of these extras alone."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    named = list(extras)
    if not named:
        return list(project["dependencies"])
    return [line for extra in named for line in project["optional-dependencies"][extra]]


def closure(wanted: Iterable[str], environments: Iterable[Mapping[str, str]]) -> set[str]:
    """Canonical names of what is wanted and all that it needs, in any of these environments (PEP 508)."""
    found: set[str] = set()
    for environment in environments:
        waiting = [(Requirement(line), frozenset({""})) for line in wanted]
        seen: set[tuple[str, frozenset[str]]] = set()
        while waiting:
            requirement, extras = waiting.pop()
            key = (canonicalize_name(requirement.name), frozenset({"", *requirement.extras}))
            if key in seen or not _applies(requirement, extras, environment):
                continue
            seen.add(key)
            waiting += [(Requirement(line), key[1]) for line in _needs(requirement.name)]
        found |= {name for name, _ in seen}
    return found


def _applies(requirement: Requirement, extras: frozenset[str], environment: Mapping[str, str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in extras)


def _needs(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        raise SpeedsignError(f"{name} is not installed here; run: make install") from None


def hashed_lines(lock: Path, names: Iterable[str]) -> str:
    """The lock's lines of these names. Raises SpeedsignError: not in it, or another version is installed."""
    have = locked(lock.read_text(encoding="utf-8"))
    lines = []
    for name in sorted(names):
        if name not in have:
            raise SpeedsignError(f"{lock}: {name} is needed and not in it; run: make lock")
        version, text = have[name]
        if metadata.version(name) != version:
            raise SpeedsignError(
                f"{lock} has {name} {version}, installed here is {metadata.version(name)}; run: make install"
            )
        lines.append(text)
    return "".join(lines)
