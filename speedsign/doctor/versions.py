"""What runs here, and whether it is new enough: old libraries have faults that a sign meets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import metadata

from speedsign.build import Build, support_words
from speedsign.doctor.finding import Finding, note, ok, warning, wrong
from speedsign.software import ended, refused_words, unsupported_words

_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_BOUND = re.compile(r"(>=|<)\s*([0-9][0-9.]*)")


def installed(requirements: Sequence[str]) -> dict[str, str | None]:
    """Name of each library that is asked for -> its version here; None: missing."""
    found: dict[str, str | None] = {}
    for one in requirements:
        name = _name(one)
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def requirements() -> list[str]:
    """What this program needs to run, without what is optional."""
    try:
        found = metadata.requires("speedsign") or []
    except metadata.PackageNotFoundError:
        return []
    return [one for one in found if ";" not in one]


def judge_versions(
    wanted: Sequence[str], found: Mapping[str, str | None], more: Mapping[str, str]
) -> list[Finding]:
    """`more`: what has no bound: speedsign, python, sqlite, the system."""
    told: dict[str, object] = {**more, **found}
    bad = []
    for one in wanted:
        name = _name(one)
        version = found.get(name)
        do = "install this version with its libraries anew (docs/install.md)"
        if version is None:
            bad.append(wrong("version", f"{name} is missing", do, told))
        elif not fits(one, version):
            bad.append(wrong("version", f"{name} is {version}, and {one} is needed", do, told))
    named = ", ".join(f"{name} {version}" for name, version in more.items())
    return bad or [ok("version", named, told)]


def judge_software(build: Build, today: date | None, refused: str | None) -> list[Finding]:
    """Until when there are security updates, and whether the last update was taken back.

    `today` None: this machine's clock is not to be believed; `refused`: the version that was taken back.
    """
    found = []
    if today is not None and ended(build, today):
        do = "install a newer version; the sign goes on meanwhile"
        found.append(warning("version support", unsupported_words(build), do, _support_facts(build)))
    else:
        found.append(note("version support", support_words(build, today), "", _support_facts(build)))
    if refused is not None:
        what, _, do = refused_words(refused, build.version).partition("; ")
        found.append(warning("version update", what, do, {"refused": refused}))
    return found


def _support_facts(build: Build) -> dict[str, object]:
    return {"build": build.name, "support_end": build.support_end and build.support_end.isoformat()}


def fits(requirement: str, version: str) -> bool:
    """
    >>> fits("pymodbus<4,>=3.16.1", "3.16.1"), fits("pymodbus<4,>=3.16.1", "3.9.2"), fits("pymodbus<4", "4.0")
    (True, False, False)
    """
    have = _numbers(version)
    bounds = _BOUND.findall(requirement)
    return all((have >= _numbers(bound)) == (sign == ">=") for sign, bound in bounds)


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(one) for one in re.findall(r"\d+", version.partition("+")[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0].lower() if found else requirement
