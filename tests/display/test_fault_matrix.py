"""How long a wrong number stays lit, for everything that can be wrong with a panel: real frames, real timing.

The bounds are safety, not speed: most cases stay far below them (docs/safety.md has what was measured).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from benchmarks.faults.cases import CASES, DETECTED_S, Case
from benchmarks.faults.rig import Outcome, longest_wrong_s
from benchmarks.faults.run import PAGE, run_all
from tests.support import run

pytestmark = pytest.mark.wires


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """All cases side by side: together they take as long as the longest."""
    found: dict[str, Outcome] = {}

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            found.update(await run_all(CASES, Path(folder)))

    run(main())
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_number_goes_out_in_time_and_the_fault_is_told(
    case: Case, outcomes: dict[str, Outcome]
) -> None:
    got = outcomes[case.name]
    assert got.recovered, "all well once it was mended"
    if case.code:
        assert case.code in got.codes
        assert got.told_s is not None
        assert got.told_s <= DETECTED_S
    else:
        assert got.codes == frozenset()
    if case.bound_s is None:
        assert got.wrong_s > 2.0, "the case shows what it says: nothing can be done, or the page is wrong"
    else:
        assert got.wrong_s <= case.bound_s


def test_the_page_has_every_case() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [case.what for case in CASES if f"| {case.what} |" not in page] == []


@pytest.mark.parametrize(
    ("wanted", "lit", "longest_s"),
    [
        ([(0.0, "47"), (1.0, "48")], [(0.1, "47"), (1.5, "48")], 0.5),
        ([(0.0, "47"), (1.0, "")], [(0.1, "47")], 8.0),  # never went dark
        ([(0.0, ""), (5.0, "47")], [(0.0, "0000"), (0.2, "")], 0.2),
        ([(0.0, "47"), (1.0, "48"), (2.0, "49"), (3.0, "50")], [(0.0, "47"), (3.5, "50")], 2.5),
        ([(0.0, "47")], [(0.5, "47"), (1.0, ""), (2.0, "47")], 0.0),
    ],
)
def test_what_is_measured(
    wanted: list[tuple[float, str]], lit: list[tuple[float, str]], longest_s: float
) -> None:
    assert longest_wrong_s(wanted, lit, 9.0) == pytest.approx(longest_s)
