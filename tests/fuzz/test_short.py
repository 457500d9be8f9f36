"""Every target over what is genuine or was found once, over seeded mutations, and guided by coverage.

Counts, no clock: the same run each time. `make fuzz` goes on where this ends.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.fuzz import kit
from tests.fuzz.__main__ import run, table
from tests.fuzz.one import has_guidance
from tests.fuzz.plain import mutations

MUTATIONS = 300
RUNS = 800  # with the corpus
SLOW = {
    "config": 4,
    "database": 6,
    "calibration_log": 3,
    "modbus": 3,
    "capture": 3,
    "hub": 2,
}  # a part costs as much


@pytest.mark.parametrize("name", kit.names())
def test_what_is_genuine_what_was_found_and_what_comes_of_it(name: str) -> None:
    with closing(kit.load(name)) as target:
        corpus = target.inputs()
        assert corpus, "a target without a corpus finds its way to nothing"
        for data in (*corpus, *mutations(target, corpus, 1, MUTATIONS // SLOW.get(name, 1))):
            target.check(data)


@pytest.mark.wires
@pytest.mark.parametrize("name", kit.names())
def test_in_a_process_of_its_own_guided_where_that_can_be(name: str, tmp_path: Path) -> None:
    runs = RUNS // SLOW.get(name, 1)
    outcome = run(name, ["--runs", str(runs), "--seed", "1"], tmp_path)
    assert outcome.ended_well, outcome.said
    assert outcome.executions >= runs
    assert (outcome.edges is not None) is has_guidance()
    assert not outcome.edges or outcome.edges > 20, "it sees nothing of what is tried"


@pytest.mark.wires
@pytest.mark.parametrize("name", ["topics", "messages"])
def test_without_guidance_as_many_are_tried(name: str, tmp_path: Path) -> None:
    outcome = run(name, ["--runs", "700", "--plain"], tmp_path)
    assert (outcome.ended_well, outcome.executions, outcome.edges) == (True, 700, None), outcome.said


@pytest.mark.wires
def test_an_input_is_run_again_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(b"speedsign/1/bauska-3/up/agg")
    args = [sys.executable, "-m", "tests.fuzz.one", "topics", str(file)]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{file}: nothing is wrong with it\n"), done.stderr


def test_every_file_of_an_input_belongs_to_a_target() -> None:
    folders = {folder.name for folder in kit.REGRESSIONS.iterdir() if folder.is_dir()}
    assert folders <= set(kit.names())
    assert all(kit.found_once(name) for name in folders)


def test_mutations_are_the_same_each_time_and_no_longer_than_wanted() -> None:
    for name in ("messages", "radar"):
        target = kit.load(name)
        corpus = target.inputs()
        once, again, other = (list(mutations(target, corpus, seed, 300)) for seed in (3, 3, 4))
        assert once == again != other
        assert max(map(len, once)) <= target.longest
        assert len(set(once)) > 200


def test_words_are_written_as_a_dictionary_is_read() -> None:
    assert kit.as_dictionary([b'{"a":', b"\x00\xff\\", b""]) == '"{\\x22a\\x22:"\n"\\x00\\xFF\\x5C"\n'


def test_a_find_is_named_again_and_what_it_raised_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was found before, and behind thousands of lines about what was new."""
    file = tmp_path / "crash-0123"
    file.write_bytes(b"\x01")
    raised = "AssertionError: 51 is not what was heard"
    news = "#4465\tNEW    cov: 902 ft: 3654\n" * 500
    said = f"{news}artifact_prefix='x/'; Test unit written to {file}\nstat::number_of_executed_units: 12\n"
    done = subprocess.CompletedProcess([], 77, stdout=f"{raised}\n", stderr=said)
    monkeypatch.setattr(subprocess, "run", lambda *_words, **_options: done)
    outcome = run("radar", [], tmp_path)
    told = table([outcome], 3)
    assert outcome.found == (file,)
    assert raised in told
    assert "1 found" in told
    assert told.splitlines()[-1] == f"again: {sys.executable} -m tests.fuzz.one radar {file}"
