"""Known weaknesses of libraries: what fails, what may be left out, what is said without a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from package import audit
from package.audit import IGNORE, Ignored, Unreached, judge, read_ignored
from speedsign.errors import ConfigError
from tests.docs import pages

TODAY = date(2026, 11, 23)
BAD = {"id": "PYSEC-2026-17", "aliases": ["CVE-2026-1"], "fix_versions": ["1.2", "2.0"]}


def report(*vulns: dict[str, Any], skipped: int = 0) -> dict[str, Any]:
    libraries: list[dict[str, Any]] = [{"name": "good", "version": "1", "vulns": []}]
    libraries.append({"name": "Some.Library", "version": "1.1", "vulns": list(vulns)})
    libraries += [{"name": f"gone{n}", "skip_reason": "Dependency not found"} for n in range(skipped)]
    return {"dependencies": libraries}


def ignoring(until: date, name: str = "PYSEC-2026-17", library: str = "some-library") -> Ignored:
    return Ignored(name, library, "its server is never started", until)


# -- the verdict -------------------------------------------------------------------------------


def test_nothing_known_is_good() -> None:
    verdict = judge(report(), [], TODAY)
    assert (verdict.failed, verdict.lines) == (
        False,
        ("2 libraries looked up, nothing is known against them",),
    )


def test_a_weakness_fails_and_says_what_to_do() -> None:
    verdict = judge(report(BAD), [], TODAY)
    assert verdict.failed
    assert verdict.lines[0] == "Some.Library 1.1: PYSEC-2026-17 CVE-2026-1: mended in 1.2, 2.0: make lock"
    assert "not mended yet" in judge(report(BAD | {"fix_versions": []}), [], TODAY).lines[0]


@pytest.mark.parametrize("name", ["PYSEC-2026-17", "CVE-2026-1"])
def test_one_that_is_left_out_is_told_with_its_reason(name: str) -> None:
    verdict = judge(report(BAD), [ignoring(TODAY, name)], TODAY)
    assert not verdict.failed
    assert verdict.lines[0].endswith("left out until 2026-11-23: its server is never started")


@pytest.mark.parametrize(
    "entry",
    [ignoring(date(2026, 11, 22)), ignoring(TODAY, "CVE-2026-2"), ignoring(TODAY, library="good")],
)
def test_the_day_the_name_and_the_library_have_to_fit(entry: Ignored) -> None:
    assert judge(report(BAD), [entry], TODAY).failed


def test_an_entry_for_nothing_is_told_and_is_no_failure() -> None:
    verdict = judge(report(), [ignoring(TODAY)], TODAY)
    assert not verdict.failed
    assert verdict.lines[0] == "PYSEC-2026-17 of some-library was not found: take it out of the list"


def test_a_library_that_was_not_looked_up_fails() -> None:
    """Silence about one of them must not pass for good news."""
    verdict = judge(report(skipped=1), [], TODAY)
    assert verdict.failed
    assert verdict.lines[0] == "gone0: not looked up: Dependency not found"


def test_a_database_that_knows_none_of_them_has_not_answered() -> None:
    with pytest.raises(Unreached, match="it knows none of the libraries"):
        judge({"dependencies": [{"name": "gone", "skip_reason": "Dependency not found"}]}, [], TODAY)


# -- the ignore list ---------------------------------------------------------------------------

WHOLE = '[[ignore]]\nid = "A-1"\nlibrary = "x"\nreason = "r"\nuntil = 2027-01-31\n'


def test_the_list_of_this_project_can_be_read_and_nothing_in_it_is_over() -> None:
    assert all(len(one.reason) > 20 for one in read_ignored(IGNORE))


def test_the_example_in_the_list_is_one(tmp_path: Path) -> None:
    text = pages.text("requirements/audit-ignore.toml")
    example = "".join(line.removeprefix("# ") + "\n" for line in text.splitlines() if " = " in line)
    (tmp_path / "list.toml").write_text(f"[[ignore]]\n{example}")
    (entry,) = read_ignored(tmp_path / "list.toml")
    assert entry.until == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (WHOLE.replace("id =", "name ="), "entry 1: it needs id, library, reason, until, and nothing else"),
        (WHOLE.replace("2027-01-31", '"2027-01-31"'), "entry 1: until has to be a day, as 2027-01-31"),
        (WHOLE.replace("2027-01-31", "2027-01-31T00:00:00Z"), "until has to be a day"),
        (WHOLE.replace('"r"', '" "'), "entry 1: reason has to be a text"),
        (WHOLE + WHOLE.replace('"x"', "1"), "entry 2: library has to be a text"),
        ("ignore = 1\n", "entry 1: it needs id"),
        ("[ignored]\n", "ignored: no such table"),
        ("[[ignore\n", "cannot be read"),
    ],
)
def test_an_entry_that_is_not_whole_is_exit_code_2(
    text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_ignored(path)
    assert audit.main([f"--ignore={path}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"audit: {path}: ")
    assert sentence in said


# -- pip-audit itself --------------------------------------------------------------------------


@contextmanager
def database(answer: Callable[[str], tuple[int, object]]) -> Iterator[str]:
    """Answers as OSV does, by the library's name; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code, body = answer(query["package"]["name"])
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def weak(library: str) -> tuple[int, object]:
    if library != "pyserial":
        return 200, {}
    fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}
    affected = [{"package": {"name": library, "ecosystem": "PyPI"}, "ranges": [fixed]}]
    return 200, {"vulns": [{"id": "OSV-2026-1", "aliases": ["CVE-2026-9"], "affected": affected}]}


@pytest.mark.wires
def test_a_weakness_of_a_locked_library_fails_the_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "list.toml"
    with database(weak) as url:
        assert audit.main([f"--osv-url={url}", f"--ignore={listed}"]) == 1
        said = capsys.readouterr().out
        assert "audit: pyserial 3.5: CVE-2026-9 OSV-2026-1: mended in 99.0: make lock\n" in said
        listed.write_text(
            WHOLE.replace("A-1", "CVE-2026-9").replace('"x"', '"pyserial"').replace("2027", "2099")
        )
        assert audit.main([f"--osv-url={url}", f"--ignore={listed}"]) == 0
        assert "left out until 2099-01-31: r" in capsys.readouterr().out


@pytest.mark.wires
def test_no_network_is_a_sentence_and_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with database(lambda _library: (503, {})) as url:
        assert audit.main([f"--osv-url={url}"]) == 0  # it answers, and not what was asked
    assert audit.main([f"--osv-url={url}"]) == 0  # nobody is there any more
    first, second = capsys.readouterr().out.splitlines()
    for line in (first, second):
        assert line.startswith("audit: not done: no advisory database gave an answer (osv: ")


@pytest.mark.wires
def test_a_lock_that_cannot_be_read_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.txt").write_text("pyserial>=3 --hash=sha256:xyz\n")
    monkeypatch.setattr(audit, "LOCKS", (tmp_path / "bad.txt",))
    assert audit.main(["--osv-url=http://127.0.0.1:9/"]) == 1
    assert capsys.readouterr().err.startswith("audit: pip-audit: ")
