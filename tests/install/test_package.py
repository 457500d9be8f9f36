"""How the packages are made: what they carry, the same bytes each time, signed by a key that is given."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from package import build, deb, lock, repository, tree
from package.source import Source, check_out, debian_version
from package.wheels import TARGETS, lay_out
from speedsign.errors import SpeedsignError
from tests.docs.pages import ROOT
from tests.install.keys import a_key
from tests.install.variants import variant

LOCK = ROOT / "requirements/run.txt"
PROJECT = ROOT / "pyproject.toml"
AMD64 = TARGETS["amd64"]
HERE = Source(ROOT, "0" * 40, 1_790_000_000, "0.1.0-1")


def ran(*words: str | Path) -> str:
    return subprocess.run(list(words), capture_output=True, text=True, timeout=60, check=True).stdout


# -- which libraries ---------------------------------------------------------------------------


def test_a_sign_carries_what_it_needs_and_nothing_of_reports_or_builders() -> None:
    sign = lock.closure(lock.wanted_by_project(PROJECT), AMD64.environments)
    assert {"pydantic", "pydantic-core", "pymodbus", "pyserial", "paho-mqtt", "cryptography", "cffi"} <= sign
    assert not sign & {"rich", "typst", "xlsxwriter", "hatchling", "pip", "pytest", "tzdata", "pyarrow"}
    report = lock.closure(lock.wanted_by_project(PROJECT, ("demo", "report")), AMD64.environments)
    assert {"rich", "pygments", "typst", "xlsxwriter"} <= report


def test_every_library_comes_with_its_hashes() -> None:
    names = lock.closure(lock.wanted_by_project(PROJECT), AMD64.environments)
    lines = lock.hashed_lines(LOCK, names)
    assert lines.count("==") == len(names)
    for part in lines.split("==")[1:]:
        assert "--hash=sha256:" in part


def test_markers_are_those_of_the_target(tmp_path: Path) -> None:
    assert lock.closure(['click; python_version < "3.12"'], AMD64.environments) == {"click"}
    assert lock.closure(['click; sys_platform == "win32"'], AMD64.environments) == set()
    assert lock.closure(['click; platform_machine == "aarch64"'], TARGETS["arm64"].environments) == {"click"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("astral==3.2 \\\n    --hash=sha256:00\n", "click is needed and not in it; run: make lock"),
     ("click==1.0 \\\n    --hash=sha256:00\n", "has click 1.0, installed here is")],
)  # fmt: skip
def test_a_lock_that_does_not_fit_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "run.txt"
    path.write_text(text)
    with pytest.raises(SpeedsignError, match=sentence):
        lock.hashed_lines(path, ["click"])


def test_a_library_that_is_not_installed_is_told() -> None:
    with pytest.raises(SpeedsignError, match="no-such-library is not installed here; run: make install"):
        lock.closure(["no-such-library"], AMD64.environments)


# -- wheels of several Pythons in one folder ---------------------------------------------------


def wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_compiled_modules_of_two_pythons_lie_side_by_side(tmp_path: Path) -> None:
    common = {"fast/__init__.py": "from fast import _fast\n", "fast-1.dist-info/METADATA": "Name: fast\n"}
    wheels = [
        wheel(
            tmp_path / f"fast-1-{python}.whl",
            common
            | {
                f"fast/_fast.{python}-x86_64-linux-gnu.so": python,
                "fast-1.dist-info/WHEEL": python,
                "fast-1.dist-info/RECORD": python,
                "fast-1.data/scripts/fast": "#!python\n",
            },
        )
        for python in ("cpython-311", "cpython-313")
    ]
    lay_out(wheels, tmp_path / "site")
    found = sorted(
        str(path.relative_to(tmp_path / "site"))
        for path in (tmp_path / "site").rglob("*.*")
        if path.is_file()
    )
    assert found == [
        "fast/__init__.py",
        "fast/_fast.cpython-311-x86_64-linux-gnu.so",
        "fast/_fast.cpython-313-x86_64-linux-gnu.so",
    ]
    assert (tmp_path / "site/fast-1.dist-info/WHEEL").read_text() == "cpython-311"
    assert not (tmp_path / "site/fast-1.dist-info/RECORD").exists()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"fast/__init__.py": "other"}, "is another file in a wheel for another Python"),
        ({"fast-1.data/headers/fast.h": ""}, "belongs elsewhere"),
        ({"../fast.py": ""}, "lies outside of it"),
        ({"/etc/fast.py": ""}, "lies outside of it"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    first = wheel(tmp_path / "first.whl", {"fast/__init__.py": "one"})
    with pytest.raises(SpeedsignError, match=sentence):
        lay_out([first, wheel(tmp_path / "second.whl", files)], tmp_path / "site")


# -- versions ----------------------------------------------------------------------------------


def test_versions_sort_as_they_came() -> None:
    commit = "abcdef0123" * 4
    versions = [
        debian_version("0.1.0", commit, 1_790_000_000, []),
        debian_version("0.1.0", commit, 1_790_000_001, ["nightly"]),
        debian_version("0.1.0", commit, 1_790_000_002, ["v0.1.0"]),
        debian_version("0.1.1", commit, 1_790_000_003, ["v0.1.0"]),
    ]
    assert versions[0] == "0.1.0~git20260921141320.abcdef01-1"
    assert versions[2] == "0.1.0-1"
    for earlier, later in pairwise(versions):
        ran("dpkg", "--compare-versions", earlier, "lt", later)


def test_what_is_built_is_the_commit(tmp_path: Path) -> None:
    source = check_out(ROOT, "HEAD", tmp_path / "source")
    assert source.epoch_s == int(ran("git", "-C", ROOT, "show", "-s", "--format=%ct", "HEAD"))
    assert not (tmp_path / "source/.venv").exists()


@pytest.mark.parametrize("commit", ["no-such-commit", "--help"])
def test_a_commit_that_is_not_there(commit: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert build.main([f"--commit={commit}", "--arch=amd64", f"--out={tmp_path}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("package.build: git rev-parse: ")
    assert said.count("\n") == 1


# -- the package itself ------------------------------------------------------------------------


def a_package(folder: Path, content: str = "print()\n") -> Path:
    """A sign's package with one library in it."""
    root, out = folder / "root", folder / "out"
    out.mkdir(parents=True)
    library = root / tree.SITE_PACKAGES / "lib.py"
    library.parent.mkdir(parents=True)
    library.write_text(content)
    tree.sign_files(root, HERE, AMD64)
    return deb.build(deb.SIGN, root, HERE, AMD64, out)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_package(tmp_path_factory.mktemp("package"))


def test_the_same_commit_gives_the_same_bytes(tmp_path: Path, package: Path) -> None:
    before = os.umask(0o077)
    try:
        again = a_package(tmp_path / "elsewhere/and/deeper")
    finally:
        os.umask(before)
    assert again.read_bytes() == package.read_bytes()
    assert a_package(tmp_path / "other", "print(1)\n").read_bytes() != package.read_bytes()


def test_a_second_build_that_differs_is_told(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(root: Path, commit: str, architectures: object, out: Path, *_: object) -> None:
        (out / package.name).write_bytes(package.read_bytes() + extra)

    monkeypatch.setattr(build, "build", again)
    extra = b""
    build.prove(ROOT, "HEAD", ["amd64"], [package])
    extra = b"x"
    with pytest.raises(SpeedsignError, match="built again it is another one"):
        build.prove(ROOT, "HEAD", ["amd64"], [package])


def test_everything_is_roots_and_nobody_else_may_write(package: Path) -> None:
    lines = ran("dpkg-deb", "--contents", package).splitlines()
    for line in lines:
        mode, owner, name = line.split()[0], line.split()[1], line.split()[5]
        assert owner == "root/root", line
        assert mode in ("drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"), line
        assert "2026-09-21" in line, name


def test_every_file_of_systemd_is_in_it(package: Path) -> None:
    names = ran("dpkg-deb", "--contents", package)
    for path in (ROOT / "systemd").rglob("*"):
        assert path.is_dir() or f"/{path.name}\n" in names, path


def test_it_brings_no_config(package: Path) -> None:
    """It is written by commissioning: as dpkg's it would be asked about at each update, where nobody is."""
    names = ran("dpkg-deb", "--contents", package)
    assert " ./etc/" not in names
    assert " ./var/" not in names
    about = ran("dpkg-deb", "--info", package)
    assert "conffiles" not in about


def test_it_depends_on_the_pythons_that_it_has_modules_for(package: Path) -> None:
    depends = ran("dpkg-deb", "--field", package, "Depends")
    assert "python3 (>= 3.11~), python3 (<< 3.12~) | python3 (>= 3.13~), python3 (<< 3.14~)" in depends
    assert AMD64.pythons == ("3.11", "3.13")


def test_its_checksums_are_true(tmp_path: Path, package: Path) -> None:
    ran("dpkg-deb", "--raw-extract", package, tmp_path / "there")
    done = subprocess.run(["md5sum", "--quiet", "-c", "DEBIAN/md5sums"], cwd=tmp_path / "there", check=False)
    assert done.returncode == 0


def test_the_command_runs_the_version_that_is_current_now(tmp_path: Path, package: Path) -> None:
    """By the real folder: an update in between must not mix two versions in one process."""
    ran("dpkg-deb", "--extract", package, tmp_path)
    environment = tmp_path / tree.ENVIRONMENT
    (environment / "bin/entry.py").write_text("import sys; print(sys.prefix, *sys.argv[1:])")
    (environment / "bin/python3").unlink()
    (environment / "bin/python3").symlink_to(sys.executable)
    (tmp_path / "opt/speedsign/versions").mkdir()
    environment.rename(tmp_path / "opt/speedsign/versions/1")
    (tmp_path / "opt/speedsign/current").symlink_to("versions/1")
    said = ran(tmp_path / "opt/speedsign/bin/speedsign", "run", "a b")
    assert said == f"{tmp_path}/opt/speedsign/versions/1 run a b\n"


def test_another_version_of_it_for_trying_updates(tmp_path: Path, package: Path) -> None:
    later = variant(package, tmp_path, "9.1-1", {"lib.py": "print(9)\n"})
    assert ran("dpkg-deb", "--field", later, "Version") == "9.1-1\n"
    ran("dpkg-deb", "--extract", later, tmp_path / "there")
    assert (tmp_path / "there/opt/speedsign/package/id").read_text() == "9.1-1\n"
    assert (tmp_path / "there" / tree.SITE_PACKAGES / "lib.py").read_text() == "print(9)\n"


# -- signed ------------------------------------------------------------------------------------


@pytest.mark.wires
def test_the_source_is_signed_by_the_key_that_is_named(tmp_path: Path) -> None:
    a_package(tmp_path)
    out = tmp_path / "out"
    repository.write_index(out, HERE.epoch_s)
    with a_key(tmp_path, "own") as key:
        signed = repository.sign(out, key)
        ran("gpg", "--verify", signed)
        signed.write_text(signed.read_text().replace("Label: speedsign", "Label: other"))
        assert subprocess.run(["gpg", "--verify", signed], capture_output=True, check=False).returncode != 0
        with pytest.raises(
            SpeedsignError, match=r"the key nobody@example\.org does not sign: .*; name one that"
        ):
            repository.sign(out, "nobody@example.org")


def test_the_index_names_each_package_with_its_hash(tmp_path: Path) -> None:
    made = a_package(tmp_path)
    release = repository.write_index(made.parent, HERE.epoch_s).read_text()
    packages = (made.parent / "Packages").read_text()
    assert f"Filename: ./{made.name}\nSize: {made.stat().st_size}\n" in packages
    assert ran("sha256sum", made).split()[0] in packages
    assert ran("sha256sum", made.parent / "Packages").split()[0] in release
    assert "Architectures: amd64\nDate: Mon, 21 Sep 2026 14:13:20 UTC\n" in release


def test_no_key_is_in_the_tree() -> None:
    command = [
        "git",
        "-C",
        str(ROOT),
        "grep",
        "-lE",
        "BEGIN (PGP|EC|RSA|OPENSSH|ENCRYPTED)? ?PRIVATE KEY",
        "--",
        ":!tests",
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""
