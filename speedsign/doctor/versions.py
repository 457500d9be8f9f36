"""What runs here, and whether it is new enough: old libraries have faults that a sign meets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata

from speedsign.doctor.finding import Finding, ok, wrong

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
        do = "install this version's libraries: pip install --upgrade speedsign"
        if version is None:
            bad.append(wrong("version", f"{name} is missing", do, told))
        elif not fits(one, version):
            bad.append(wrong("version", f"{name} is {version}, and {one} is needed", do, told))
    named = ", ".join(f"{name} {version}" for name, version in more.items())
    return bad or [ok("version", named, told)]


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
