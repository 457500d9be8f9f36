"""Which build this is, and until when it gets security updates.

What is built from a commit carries it in commit.txt: `git archive` fills that in (gitattributes(5),
export-subst), and hatch_build.py does it for a wheel of a checkout. A checkout itself is asked by git.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from speedsign import __version__

SUPPORT_YEARS = 5
# The day on which each minor version, as "0.1", was first released: the only place where support is decided.
# Of one that is not released yet, the years are counted from the commit that was built.
RELEASED: Mapping[str, date] = {}

_PACKAGED = (Path("/opt/speedsign/versions"), Path("/opt/speedsign/package"))  # package/tree.py
_COMMIT = re.compile(r"([0-9a-f]{40}) ([0-9]{1,11})")
_SHORT = 12
_GIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Build:
    """A version of the program as it runs here."""

    version: str
    commit: str | None = None  # 40 hexadecimal digits; None: it was not written down
    committed: date | None = None  # by UTC
    checkout: bool = False  # run from a folder of git's, where changes may lie about that no commit has

    @property
    def name(self) -> str:
        """As messages have it: the version with the commit as its build (semver.org, 10)."""
        return self.version if self.commit is None else f"{self.version}+{self.commit[:_SHORT]}"

    @property
    def support_end(self) -> date | None:
        """The last day with security updates; None: nobody knows when this was built."""
        return support_end(self, RELEASED)

    @property
    def origin(self) -> str:
        """In words, from what it was built."""
        if self.commit is None or self.committed is None:
            return "from a checkout of no known commit" if self.checkout else "built from no known commit"
        what = f"commit {self.commit[:_SHORT]} of {self.committed.isoformat()}"
        return f"from a checkout, {what}" if self.checkout else f"built from {what}"


def support_end(build: Build, released: Mapping[str, date]) -> date | None:
    """Five years after the minor version's release; not released: after the commit."""
    minor = ".".join(build.version.split(".")[:2])
    began = released.get(minor, build.committed)
    return None if began is None else years_later(began, SUPPORT_YEARS)


def years_later(day: date, years: int) -> date:
    """
    >>> years_later(date(2026, 11, 23), 5), years_later(date(2028, 2, 29), 5)
    (datetime.date(2031, 11, 23), datetime.date(2033, 2, 28))
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def support_words(build: Build, today: date | None) -> str:
    """Until when; `today` None: this machine's clock is not to be believed."""
    end = build.support_end
    if end is None:
        return "security updates: until when is not known of this build"
    if today is not None and today > end:
        return f"security updates ended on {end.isoformat()}; install a newer version"
    return f"security updates until {end.isoformat()}"


def how_to_get(extra: str, package: str) -> str:
    """The command that brings what is optional: Debian's where the Debian package runs, else pip's."""
    packaged = Path(sys.prefix).parent in _PACKAGED
    return f"apt install {package}" if packaged else f"pip install 'speedsign[{extra}]'"


def read_commit(text: str) -> tuple[str, date] | None:
    """Of commit.txt, or of git: commit and the day of it. None: not filled in, or damaged."""
    found = _COMMIT.fullmatch(text.strip())
    if found is None:
        return None
    return found[1], datetime.fromtimestamp(int(found[2]), UTC).date()


@cache
def this_build() -> Build:
    """What runs here. Asks git once where it runs from a checkout; never raises."""
    return find_build(Path(__file__).parent)


def find_build(package: Path) -> Build:
    """Of the program in this folder."""
    try:
        written = read_commit((package / "commit.txt").read_text(encoding="ascii", errors="replace"))
    except OSError:
        written = None
    if written is not None:
        return Build(__version__, *written)
    root = package.parent
    if not (root / ".git").exists():
        return Build(__version__)
    found = read_commit(_asked(root))
    return Build(__version__, checkout=True) if found is None else Build(__version__, *found, checkout=True)


def _asked(root: Path) -> str:
    """By git: the commit that is checked out; nothing where git does not say."""
    command = ["git", "-C", str(root), "log", "-1", "--no-show-signature", "--format=%H %ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
