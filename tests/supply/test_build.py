"""Which build this is, and until when it gets security updates."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package.source import check_out
from speedsign import __version__
from speedsign.build import (
    RELEASED,
    SUPPORT_YEARS,
    Build,
    find_build,
    how_to_get,
    read_commit,
    support_end,
    support_words,
    this_build,
    years_later,
)
from speedsign.clock import SystemClock
from speedsign.doctor.finding import State
from speedsign.doctor.versions import judge_software
from speedsign.software import Software, taken_back
from tests.cli.command import as_json, speedsign
from tests.docs import pages
from tests.docs.pages import ROOT

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BUILT = Build("0.1.0", COMMIT, date(2026, 11, 23))
NOBODY = Build("0.1.0")


class HandClock(SystemClock):
    """Wall time that a test sets."""

    def __init__(self, now: datetime, *, good: bool = True) -> None:
        super().__init__()
        self.now, self.good = now, good

    def now_utc(self) -> datetime:
        return self.now

    def trusted(self) -> bool:
        return self.good


# -- which build -------------------------------------------------------------------------------


def git(*words: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout


def test_a_checkout_tells_the_commit_it_is_of() -> None:
    head = git("log", "-1", "--format=%H").strip()
    build = this_build()
    assert (build.version, build.commit, build.checkout) == (__version__, head, True)
    assert build.origin.startswith(f"from a checkout, commit {head[:12]} of 20")


def test_an_archive_of_a_commit_carries_it(tmp_path: Path) -> None:
    """By which the packages are built."""
    head = git("log", "-1", "--format=%H").strip()
    source = check_out(ROOT, "HEAD", tmp_path / "source")
    if not (source.folder / "speedsign/commit.txt").exists():
        pytest.skip("the last commit is older than this file")
    build = find_build(source.folder / "speedsign")
    assert (build.commit, build.checkout) == (head, False)
    assert build.committed == datetime.fromtimestamp(source.epoch_s, UTC).date()
    assert build.name == f"{__version__}+{head[:12]}"


@pytest.mark.wires
def test_a_wheel_of_a_checkout_carries_its_commit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", f"--wheel-dir={tmp_path}", str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        read = read_commit(archive.read("speedsign/commit.txt").decode())
    assert names.count("speedsign/commit.txt") == 1
    assert read is not None
    assert read[0] == git("log", "-1", "--format=%H").strip()


@pytest.mark.parametrize(
    "text", [None, "$Format:%H %ct$\n", "", "deadbeef 1\n", f"{COMMIT} soon\n", "\0" * 99]
)
def test_a_build_of_no_known_commit_says_so(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "speedsign").mkdir()
    if text is not None:
        (tmp_path / "speedsign/commit.txt").write_text(text)
    build = find_build(tmp_path / "speedsign")
    assert build == Build(__version__)
    assert (build.origin, build.name) == ("built from no known commit", __version__)


def test_a_checkout_that_git_cannot_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "speedsign").mkdir()
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert find_build(tmp_path / "speedsign").origin == "from a checkout of no known commit"


@given(st.text(max_size=80))
def test_whatever_stands_there_is_read_or_left(text: str) -> None:
    found = read_commit(text)
    assert found is None or re.fullmatch("[0-9a-f]{40}", found[0])


# -- support -----------------------------------------------------------------------------------


def test_five_years_from_the_first_release_of_the_minor_version() -> None:
    released = {"0.1": date(2026, 12, 1), "1.2": date(2028, 2, 29)}
    assert support_end(Build("0.1.7", COMMIT, date(2029, 5, 5)), released) == date(2031, 12, 1)
    assert support_end(Build("1.2.0", COMMIT, date(2028, 2, 29)), released) == date(2033, 2, 28)
    assert support_end(NOBODY, released) == date(2031, 12, 1)


def test_before_the_release_from_the_commit() -> None:
    assert support_end(BUILT, {}) == date(2031, 11, 23)
    assert support_end(NOBODY, {}) is None


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_five_years_are_five_years(day: date) -> None:
    later = years_later(day, SUPPORT_YEARS)
    assert timedelta(days=1825) <= later - day <= timedelta(days=1827)


def test_the_changelog_has_the_days_of_release() -> None:
    released: dict[str, str] = {}
    for version, day in re.findall(r"^## \[([\d.]+)\] - (\S+)$", pages.text("CHANGELOG.md"), re.MULTILINE):
        if day != "unreleased":
            released[".".join(version.split(".")[:2])] = day  # the last in the file is the first released
    assert {minor: day.isoformat() for minor, day in RELEASED.items()} == released


@pytest.mark.parametrize(
    ("build", "today", "words"),
    [
        (BUILT, date(2031, 11, 23), "security updates until 2031-11-23"),
        (BUILT, None, "security updates until 2031-11-23"),
        (BUILT, date(2031, 11, 24), "security updates ended on 2031-11-23; install a newer version"),
        (NOBODY, date(2031, 11, 24), "security updates: until when is not known of this build"),
    ],
)
def test_until_when_in_words(build: Build, today: date | None, words: str) -> None:
    assert support_words(build, today) == words


# -- the commands ------------------------------------------------------------------------------


def test_version_says_build_and_end_of_support() -> None:
    first, built, support = speedsign("--version").stdout.splitlines()
    assert first == f"speedsign, version {__version__}"
    assert built == this_build().origin
    assert re.search(r"20\d\d-\d\d-\d\d", support)
    assert speedsign("version").stdout == speedsign("--version").stdout


def test_version_as_json() -> None:
    told = as_json(speedsign("version", "--json"))
    assert told["version"] == __version__
    assert told["build"] == this_build().name
    assert told["commit"] == this_build().commit
    assert date.fromisoformat(told["support_end"]) > date(2031, 1, 1)
    assert set(told) == {"version", "build", "commit", "committed", "checkout", "support_end", "supported"}
    json.dumps(told)


def test_what_is_missing_comes_the_way_this_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert how_to_get("report", "speedsign-report") == "pip install 'speedsign[report]'"
    for prefix, way in (
        ("/opt/speedsign/versions/0.1.0-1.abc", "apt install speedsign-report"),
        ("/opt/speedsign", "pip install 'speedsign[report]'"),
    ):
        monkeypatch.setattr(sys, "prefix", prefix)
        assert how_to_get("report", "speedsign-report") == way


# -- the running sign --------------------------------------------------------------------------


def software(tmp_path: Path, now: datetime, *, good: bool = True, trust: bool = False) -> Software:
    return Software(BUILT, HandClock(now, good=good), trust_clock=trust, update_state=tmp_path)


IN_TIME, TOO_LATE = datetime(2031, 11, 23, 23, 59, tzinfo=UTC), datetime(2031, 11, 24, tzinfo=UTC)


def test_a_sign_says_when_support_is_over(tmp_path: Path) -> None:
    assert software(tmp_path, IN_TIME).faults() == []
    (fault,) = software(tmp_path, TOO_LATE).faults()
    assert (fault.device, fault.code) == ("software", "unsupported")
    assert fault.text == "0.1.0 has had no security updates since 2031-11-23; install a newer version"


def test_a_clock_that_may_be_wrong_alarms_nobody(tmp_path: Path) -> None:
    assert software(tmp_path, TOO_LATE, good=False).faults() == []
    assert len(software(tmp_path, TOO_LATE, good=False, trust=True).faults()) == 1


def test_an_update_that_was_taken_back_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "refused").write_text("0.2.0-1.abcd1234\n")
    (fault,) = software(tmp_path, IN_TIME).faults()
    assert (fault.device, fault.code) == ("update", "refused")
    assert fault.text.startswith("the update to 0.2.0-1.abcd1234 was taken back, 0.1.0 runs; ")


@pytest.mark.parametrize("content", [b"", b"\n0.2.0\n", b"\xff\xfe\x00\x07", b"x" * 10**6])
def test_whatever_stands_in_the_file_of_the_update(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "refused").write_bytes(content)
    found = taken_back(tmp_path)
    assert found is None or (len(found) <= 100 and found.isprintable())


def test_a_folder_in_place_of_it_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "refused").mkdir()
    assert taken_back(tmp_path) is None


def test_doctor_tells_both_and_fails_for_neither() -> None:
    fine, old = (
        judge_software(BUILT, date(2030, 1, 1), None),
        judge_software(BUILT, date(2032, 1, 1), "0.2.0-1"),
    )
    assert [(one.check, one.state) for one in fine] == [("version support", State.NOTE)]
    assert [(one.check, one.state) for one in old] == [
        ("version support", State.WARNING),
        ("version update", State.WARNING),
    ]
    assert all(one.do for one in old)
    assert "0.2.0-1" in old[1].what
