"""Which licences the libraries are under: writes the tables of docs/licences.md.

    python -m package.licences

From what is installed here by the lock files. Ends where a library's licence is not known, or forbids that it
is shipped with the sign (package/spdx.py).
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from package import distributions, lock
from package.copyright import refuse_what_may_not_be_shipped
from package.distributions import Distribution
from package.wheels import TARGETS
from speedsign.errors import SpeedsignError

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/licences.md"
_MARKS = ("shipped", "not shipped")


def tables(site: Path) -> dict[str, str]:
    """Both tables, by the name of their place in the page. Raises SpeedsignError."""
    installed = {one.name: one for one in distributions.read(site)}
    project = ROOT / "pyproject.toml"
    environments = TARGETS["amd64"].environments
    sign = lock.closure(lock.wanted_by_project(project), environments)
    report = lock.closure(lock.wanted_by_project(project, lock.REPORT_EXTRAS), environments) - sign
    shipped = dict.fromkeys(sign, "`speedsign`") | dict.fromkeys(report, "`speedsign-report`")
    others = {name for path in ("run.txt", "lock.txt") for name in locked_here(ROOT / "requirements" / path)}
    return {
        "shipped": _shipped(shipped, installed),
        "not shipped": _others(sorted(others - set(shipped)), installed),
    }


def locked_here(path: Path) -> list[str]:
    """The names of a lock file that are for this machine and this Python."""
    here: Mapping[str, str] = {key: str(value) for key, value in default_environment().items()}
    found = []
    for name, (_version, lines) in lock.locked(path.read_text(encoding="utf-8")).items():
        marker = Requirement(lines.splitlines()[0].rstrip(" \\")).marker
        if marker is None or marker.evaluate(dict(here)):
            found.append(name)
    return found


def _shipped(packages: Mapping[str, str], installed: Mapping[str, Distribution]) -> str:
    rows = []
    for name in sorted(packages):
        one = _found(name, installed)
        refuse_what_may_not_be_shipped(one)
        texts = ", ".join(f"`{file}`" for file in dict.fromkeys(file for file, _text in one.licence_texts()))
        rows.append((name, one.licence, packages[name], str(len(one.parts())), texts))
    return table(("Library", "Licence", "Package", "Parts compiled in", "Texts"), rows)


def _others(names: Iterable[str], installed: Mapping[str, Distribution]) -> str:
    return table(("Library", "Licence"), [(name, _found(name, installed).licence) for name in names])


def _found(name: str, installed: Mapping[str, Distribution]) -> Distribution:
    try:
        return installed[name]
    except KeyError:
        raise SpeedsignError(f"{name} is locked and not installed here; run: make lint") from None


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def page(text: str, parts: Mapping[str, str]) -> str:
    """The page with these tables between their marks."""
    for name in _MARKS:
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SpeedsignError(f"{PAGE}: lacks {begin.strip()} or {end}; put them back")
        text = f"{before}{begin}{parts[name]}{end}{after}"
    return text


def main() -> int:
    """The exit code: 0 done, 1 failed."""
    try:
        made = page(PAGE.read_text(encoding="utf-8"), tables(Path(sysconfig.get_path("purelib"))))
    except SpeedsignError as error:
        sys.stderr.write(f"package.licences: {error}\n")
        return 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
