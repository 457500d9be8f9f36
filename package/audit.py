"""Asks the advisory databases (PyPI's, then OSV's) about every locked library, by pip-audit.

    python -m package.audit

Exit code 1: a weakness is known, or the lock cannot be read; 2: the ignore list cannot be used. Where no
database can be reached, or none knows any of the libraries, that is said and is no failure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from speedsign.clock import SystemClock
from speedsign.errors import ConfigError, SpeedsignError

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements/run.txt", "requirements/lock.txt")
IGNORE = ROOT / "requirements/audit-ignore.toml"
_KEYS = {"id": str, "library": str, "reason": str, "until": date}
# What requests and pip-audit say when nobody answers.
_UNREACHED = (
    "ConnectionError", "ConnectTimeout", "ReadTimeout", "Could not connect", "NameResolutionError",
    "ProxyError", "SSLError", "HTTPError", "ServiceError", "JSONDecodeError", "not redirecting",
)  # fmt: skip
_LONGEST_S = 600.0


class Unreached(SpeedsignError):  # noqa: N818  the situation is its name
    """A database gave no answer."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A weakness that does not count, for a while."""

    id: str
    library: str
    reason: str
    until: date

    def fits(self, library: str, ids: Iterable[str]) -> bool:
        return canonicalize_name(self.library) == canonicalize_name(library) and self.id in ids


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it, in lines for a person."""

    lines: tuple[str, ...]
    failed: bool


def read_ignored(path: Path) -> list[Ignored]:
    """The ignore list; raises ConfigError, which names each entry that is not whole."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from None
    problems = [f"{path}: {name}: no such table; there is [[ignore]]" for name in told if name != "ignore"]
    found = []
    for number, entry in enumerate(_entries(told), 1):
        problem = _problem(entry)
        if problem:
            problems.append(f"{path}: entry {number}: {problem}")
        else:
            found.append(Ignored(**entry))
    if problems:
        raise ConfigError(problems)
    return found


def _entries(told: dict[str, Any]) -> list[Any]:
    entries = told.get("ignore", [])
    return entries if isinstance(entries, list) else [entries]


def _problem(entry: Any) -> str:
    if not isinstance(entry, dict) or set(entry) != set(_KEYS):
        return f"it needs {', '.join(_KEYS)}, and nothing else"
    for key, kind in _KEYS.items():
        value = entry[key]
        if not isinstance(value, kind) or isinstance(value, datetime) or not str(value).strip():
            return f"{key} has to be {'a day, as 2027-01-31' if kind is date else 'a text'}"
    return ""


def judge(report: dict[str, Any], ignored: Sequence[Ignored], today: date) -> Verdict:
    """Of what pip-audit has found. Raises Unreached where no library was looked up at all."""
    libraries = report["dependencies"]
    looked_up = [one for one in libraries if "vulns" in one]
    left_out = [one for one in libraries if "vulns" not in one]
    if not looked_up:
        raise Unreached("it knows none of the libraries")
    lines = [f"{one['name']}: not looked up: {one.get('skip_reason', 'no reason given')}" for one in left_out]
    bad, used = bool(left_out), set[Ignored]()
    for one in looked_up:
        for weakness in one["vulns"]:
            entry = _entry_for(one["name"], weakness, ignored)
            used |= {entry} if entry else set()
            line, counts = _told(one, weakness, entry, today)
            lines.append(line)
            bad = bad or counts
    lines += [
        f"{one.id} of {one.library} was not found: take it out of the list"
        for one in ignored
        if one not in used
    ]
    lines.append(
        f"{len(looked_up)} libraries looked up, {'see above' if bad else 'nothing is known against them'}"
    )
    return Verdict(tuple(lines), bad)


def _entry_for(library: str, weakness: dict[str, Any], ignored: Iterable[Ignored]) -> Ignored | None:
    ids = {weakness["id"], *weakness.get("aliases", [])}
    return next((one for one in ignored if one.fits(library, ids)), None)


def _told(
    library: dict[str, Any], weakness: dict[str, Any], entry: Ignored | None, today: date
) -> tuple[str, bool]:
    """A line about a weakness, and whether it counts."""
    named = " ".join(dict.fromkeys((weakness["id"], *weakness.get("aliases", []))))
    where = f"{library['name']} {library['version']}: {named}"
    if entry and today <= entry.until:
        return f"{where}: left out until {entry.until}: {entry.reason}", False
    mended = weakness.get("fix_versions") or []
    do = f"mended in {', '.join(mended)}: make lock" if mended else "not mended yet"
    over = f"; it was left out until {entry.until}" if entry else ""
    return f"{where}: {do}{over}", True


def ask(service: str, osv_url: str | None) -> dict[str, Any]:
    """pip-audit's report about the lock files. Raises Unreached, SpeedsignError."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format=json"]
    command += ["--progress-spinner=off", "--desc=off", "--aliases=on", f"--vulnerability-service={service}"]
    command += [f"--requirement={ROOT / name}" for name in LOCKS]
    command += [f"--osv-url={osv_url}"] if osv_url else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unreached("no answer within ten minutes") from None
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        if any(word in done.stderr for word in _UNREACHED):
            raise Unreached(said[-1].split(": ")[0][:200]) from None
        raise SpeedsignError(f"pip-audit: {said[-1]}") from None
    return report


def audit(services: Sequence[str], osv_url: str | None, ignored: Sequence[Ignored], today: date) -> Verdict:
    """By the first database that answers. Raises SpeedsignError."""
    silent = []
    for service in services:
        try:
            return judge(ask(service, osv_url), ignored, today)
        except Unreached as error:
            silent.append(f"{service}: {error}")
    why = "; ".join(silent)
    return Verdict(
        (f"not done: no advisory database gave an answer ({why}); try again with a network",), False
    )


def main(words: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m package.audit", description="Known weaknesses of libraries."
    )
    parser.add_argument("--osv-url", metavar="URL", help="another database that answers as OSV does")
    parser.add_argument("--ignore", type=Path, default=IGNORE, help="weaknesses that do not count")
    asked = parser.parse_args(words)
    try:
        ignored = read_ignored(asked.ignore)
        services = ("osv",) if asked.osv_url else ("pypi", "osv")
        verdict = audit(services, asked.osv_url, ignored, SystemClock().now_utc().date())
    except ConfigError as error:
        sys.stderr.write("".join(f"audit: {problem}\n" for problem in error.problems))
        return 2
    except SpeedsignError as error:
        sys.stderr.write(f"audit: {error}\n")
        return 1
    sys.stdout.write("".join(f"audit: {line}\n" for line in verdict.lines))
    return 1 if verdict.failed else 0


if __name__ == "__main__":
    sys.exit(main())
