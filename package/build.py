"""Builds the Debian packages of a commit: the same bytes each time, on any machine.

    python -m package.build                          into dist/, for this machine's kind
    python -m package.build --arch amd64 --arch arm64 --key KEY

Needs dpkg-deb, git, and what "make install" installs; for libraries the package index that pip knows. With
--key the folder is a signed source for apt.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from package import deb, lock, repository, tree
from package.elf import check_modules
from package.source import Source, check_out, checked_maintainer, own_wheel
from package.wheels import TARGETS, Target, download, lay_out
from speedsign.errors import SpeedsignError

ROOT = Path(__file__).parent.parent


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed."""
    asked = _parser().parse_args(words)
    try:
        architectures = asked.arch or [own_architecture()]
        maintainer = None if asked.maintainer is None else checked_maintainer(asked.maintainer)
        made = build(ROOT, asked.commit, architectures, asked.out, asked.key, maintainer)
        if asked.prove:
            prove(ROOT, asked.commit, architectures, made, maintainer)
    except SpeedsignError as error:
        sys.stderr.write(f"package.build: {error}\n")
        return 1
    for path in made:
        sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")
    return 0


def build(
    root: Path,
    commit: str,
    architectures: Sequence[str],
    out: Path,
    key: str | None = None,
    maintainer: str | None = None,
) -> list[Path]:
    """Packages, index and (with a key) its signature; returns the files. Raises SpeedsignError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="speedsign-package-") as folder:
        work = Path(folder)
        source = check_out(root, commit, work / "source", maintainer)
        wheel = own_wheel(source, work)
        made = [
            path for name in architectures for path in _both(source, wheel, TARGETS[name], work / name, out)
        ]
    made.append(repository.write_index(out, source.epoch_s))
    if key:
        made.append(repository.sign(out, key))
    return made


def prove(
    root: Path, commit: str, architectures: Sequence[str], made: Sequence[Path], maintainer: str | None = None
) -> None:
    """Build once more, elsewhere: the same bytes. Raises SpeedsignError."""
    with tempfile.TemporaryDirectory(prefix="speedsign-again-") as folder:
        build(root, commit, architectures, Path(folder), None, maintainer)
        for path in made:
            if path.suffix == ".deb" and path.read_bytes() != (Path(folder) / path.name).read_bytes():
                raise SpeedsignError(f"{path}: built again it is another one; compare them with diffoscope")


def _both(source: Source, wheel: Path, target: Target, work: Path, out: Path) -> list[Path]:
    """The sign's package, and what reports need besides."""
    roots = fill(source, wheel, target, work)
    return [
        deb.build(package, roots[package.name], source, target, out) for package in (deb.SIGN, deb.REPORT)
    ]


def fill(source: Source, wheel: Path, target: Target, work: Path) -> dict[str, Path]:
    """The folders that become packages, by their names. Raises SpeedsignError."""
    project = source.folder / "pyproject.toml"
    locked = source.folder / "requirements/run.txt"
    sign = lock.closure(lock.wanted_by_project(project), target.environments)
    report = lock.closure(lock.wanted_by_project(project, lock.REPORT_EXTRAS), target.environments) - sign
    roots = {package.name: work / package.name for package in (deb.SIGN, deb.REPORT)}
    places = {
        "speedsign": (sign, tree.SITE_PACKAGES),
        "speedsign-report": (report, tree.REPORT_SITE_PACKAGES),
    }
    wheels: dict[str, list[Path]] = {name: [] for name in places}
    for name, (libraries, place) in places.items():
        for python in target.pythons:
            lines = lock.hashed_lines(locked, libraries)
            wheels[name] += download(lines, target, python, work / f"{name}-{python}")
        lay_out(wheels[name], roots[name] / place)
        check_modules(roots[name] / place, target.wheel, target.pythons)
    lay_out([wheel], roots["speedsign"] / tree.SITE_PACKAGES)
    tree.sign_files(roots["speedsign"], source, target, wheels["speedsign"])
    tree.documents(roots["speedsign-report"], source, "speedsign-report", target, wheels["speedsign-report"])
    return roots


def own_architecture() -> str:
    dpkg = shutil.which("dpkg")
    if dpkg is None:
        raise SpeedsignError("dpkg is not installed; packages are built on Debian or Ubuntu")
    found = subprocess.run([dpkg, "--print-architecture"], capture_output=True, text=True, check=True)
    name = found.stdout.strip()
    if name not in TARGETS:
        raise SpeedsignError(f"there are no packages for {name}; name one with --arch: {', '.join(TARGETS)}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m package.build", description="Build the Debian packages.")
    parser.add_argument("--arch", action="append", choices=sorted(TARGETS), help="may be given several times")
    parser.add_argument(
        "--commit", default="HEAD", help="what is built; changes that are not committed are not"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="default: dist/")
    parser.add_argument(
        "--key", help="sign the index by this key of your GnuPG, so that apt takes it as a source"
    )
    parser.add_argument("--maintainer", metavar="NAME <ADDRESS>", help="who answers for these packages")
    parser.add_argument("--prove", action="store_true", help="build twice and compare the bytes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
