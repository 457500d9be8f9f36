"""The lock files are in step with what the project asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from package import lock
from tests.docs import pages
from tests.docs.pages import ROOT

PROJECT: dict[str, Any] = tomllib.loads(pages.text("pyproject.toml"))
RUN, LOCK = (pages.text(f"requirements/{name}.txt") for name in ("run", "lock"))
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?: \\)?")


def group(name: str) -> Iterator[str]:
    """A dependency group with those that it includes (PEP 735)."""
    for one in PROJECT["dependency-groups"][name]:
        if isinstance(one, str):
            yield one
        else:
            yield from group(one["include-group"])


def extras(*names: str) -> list[str]:
    return [one for name in names for one in PROJECT["project"]["optional-dependencies"][name]]


OF_RUN = [*PROJECT["project"]["dependencies"], *extras("demo", "report"), *group("build")]
OF_LOCK = [*OF_RUN, *extras(*PROJECT["project"]["optional-dependencies"]), *group("dev")]


def pins(text: str) -> list[tuple[str, str]]:
    """Every name and version; one may stand twice, for different Pythons."""
    return [(canonicalize_name(name), version) for name, version in
            re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE)]  # fmt: skip


@pytest.mark.parametrize("wanted", sorted(set(OF_RUN)))
def test_what_runs_is_in_run_txt_in_a_version_that_fits(wanted: str) -> None:
    """Not so? make lock."""
    assert_met(wanted, RUN)


@pytest.mark.parametrize("wanted", sorted(set(OF_LOCK)))
def test_everything_is_in_lock_txt_in_a_version_that_fits(wanted: str) -> None:
    assert_met(wanted, LOCK)


def assert_met(wanted: str, text: str) -> None:
    requirement = Requirement(wanted)
    found = [version for name, version in pins(text) if name == canonicalize_name(requirement.name)]
    assert found, f"{requirement.name} is not locked: make lock"
    for version in found:
        assert requirement.specifier.contains(Version(version)), f"{wanted}: {version} is locked: make lock"


def test_what_runs_is_what_is_tested() -> None:
    """One library, one version, in both files."""
    assert set(pins(RUN)) <= set(pins(LOCK))


@pytest.mark.parametrize("text", [RUN, LOCK], ids=["run", "lock"])
def test_every_library_has_its_hashes_and_nothing_else_is_there(text: str) -> None:
    for name, (_version, lines) in lock.locked(text).items():
        first, *rest = lines.splitlines()
        assert first.startswith(f"{name}=="), name
        assert rest, f"{name} has no hash"
        assert all(HASH.fullmatch(line.strip()) for line in rest), name
    assert not re.search(r"https?://|^-|@ ", text, re.MULTILINE), "everything comes from the package index"


def test_nothing_is_locked_that_nobody_asks_for() -> None:
    """What was thrown out of the project is thrown out of the lock: make lock."""
    environments = [
        {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system,
         "platform_system": "", "platform_machine": "x86_64", "os_name": name,
         "implementation_name": "cpython", "platform_python_implementation": "CPython"}
        for python in ("3.11", "3.12", "3.13") for system, name in (("linux", "posix"), ("win32", "nt"))
    ]  # fmt: skip
    here = {name for name in dict(pins(RUN)) if name not in ("colorama", "tzdata")}
    assert here <= lock.closure(OF_RUN, environments)


def test_the_package_is_built_from_run_txt_alone() -> None:
    source = (ROOT / "package/build.py").read_text()
    assert '"requirements/run.txt"' in source
    assert "lock.txt" not in source
