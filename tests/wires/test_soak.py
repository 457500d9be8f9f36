"""The soak (benchmarks/soak) in short: a sign in each trouble is flat, and one that leaks is found out."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.soak.plan import HUB_KILLED_UNTIL, Kind, Plan, events
from benchmarks.soak.trend import trend
from benchmarks.soak.usage import Gone, Usage
from benchmarks.soak.vehicles import Passed, Tally, at_hub, tally

ROOT = Path(__file__).parents[2]
MINUTES = "1.2"
BOUNDARY_S = "28"  # an interval ends when the troubles have
TIMEOUT_S = 300


def begun(folder: Path, module: str) -> subprocess.Popen[str]:
    words = ["-m", "benchmarks.soak.run", "--minutes", MINUTES, "--per-hour", "900", "--keep", str(folder)]
    entry = f"tests.wires.{module} {{config}} {BOUNDARY_S}"
    command = [sys.executable, *words, "--entry", entry]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.wires
def test_a_sign_is_flat_and_one_that_leaks_is_found_out(tmp_path: Path) -> None:
    with begun(tmp_path / "good", "sign_process") as good, begun(tmp_path / "bad", "leaking_sign") as bad:
        try:
            said, said_of_bad = good.communicate(timeout=TIMEOUT_S)[0], bad.communicate(timeout=TIMEOUT_S)[0]
        finally:
            for one in (good, bad):
                one.kill()
    assert good.returncode == 0, said
    assert "Flat, nothing lost, nothing doubled." in said
    for kind in set(Kind) - {Kind.CARD_FULL}:
        assert re.search(rf"^\| {kind} \| \d", said, re.MULTILINE), kind
    assert bad.returncode == 1, said_of_bad
    assert "the sign grows by" in said_of_bad
    assert "sign fds more" in said_of_bad
    assert "lacks 0 of" in said_of_bad, "a leak is all that is wrong with it"


# --------------------------------------------------------------------------- its parts


def test_the_same_seed_gives_the_same_troubles_and_each_kind_in_each_round() -> None:
    first, again, other = (
        list(islice(events(Plan(seed=seed), set(Kind)), 3 * len(Kind))) for seed in (1, 1, 2)
    )
    assert first == again != other
    for n in range(0, len(first), len(Kind)):
        assert {event.kind for event in first[n : n + len(Kind)]} == set(Kind)
    assert Kind.CARD_FULL not in {event.kind for event in islice(events(Plan(), {Kind.WATCHED}), 50)}
    assert 0 < HUB_KILLED_UNTIL < 1


@pytest.mark.parametrize("per_h", [0.0, 0.5, 4.0])
def test_a_trend_is_found_in_noise(per_h: float) -> None:
    rng = random.Random(1)
    points = [(10.0 * n, 40 + per_h * n / 360 + rng.gauss(0, 0.05)) for n in range(360)]
    found = trend(points)
    assert found.low < per_h < found.high
    assert found.high - found.low < 0.2


def test_a_step_in_the_middle_widens_the_interval() -> None:
    steady = trend([(10.0 * n, 40.0) for n in range(360)])
    step = trend([(10.0 * n, 40.0 + (n > 200)) for n in range(360)])
    assert (steady.low, steady.high) == (0.0, 0.0)
    assert step.high - step.low > 0.5


def test_too_few_measurements_are_no_trend() -> None:
    with pytest.raises(ValueError, match="too few"):
        trend([(0.0, 1.0)] * 19)


def test_a_process_that_has_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(Gone):
        Usage.of(child.pid)


def passed(exit_s: float, kmh: float = 50.0, direction: str = "approaching") -> Passed:
    return Passed(exit_s - 8.0, exit_s, direction, kmh)


def test_who_passed_and_was_not_counted_has_a_reason_or_none() -> None:
    there = [passed(100.0), passed(200.0), passed(300.0), passed(302.0, 62.0), passed(400.0)]
    kept = [(99.0, "approaching", 51.0), (301.0, "approaching", 61.0)]
    assert tally(there, kept, away=[(195.0, 205.0)]) == Tally(5, 2, 1, 1, 1, 0)


def test_who_is_counted_twice_or_for_another_is_seen() -> None:
    twice = [(99.0, "approaching", 51.0), (99.5, "approaching", 50.0), (99.0, "receding", 50.0)]
    there = [passed(100.0), passed(200.0, direction="receding")]  # the last one is long after
    assert tally(there, twice, away=[]).twice == 2
    assert tally(there, twice, away=[(90.0, 95.0)]).twice == 0, "its parts, before and after"


def test_those_who_follow_each_other_are_told_apart() -> None:
    exits_s = [100.0, 102.0, 104.0, 106.0]
    there = [passed(exit_s, kmh) for exit_s, kmh in zip(exits_s, (54.0, 52.0, 51.0, 53.0), strict=True)]
    kept = [(exit_s - 1.0, "approaching", 52.0) for exit_s in exits_s]
    assert tally(there, kept, away=[]) == Tally(4, 4, 0, 0, 0, 0)


def test_who_drove_abreast_may_have_another_speed() -> None:
    abreast = [(99.0, "approaching", 51.0), (99.5, "approaching", 52.0)]
    assert tally([passed(100.0), passed(100.5, 80.0)], abreast, away=[]) == Tally(2, 2, 0, 0, 0, 0)


def test_what_the_hub_lacks_and_has_too_often_does_not_cancel_out() -> None:
    found = at_hub({("a",): 3, ("b",): 2}, {("a",): 4, ("c",): 1})
    assert (found.lost, found.doubled, found.vehicles) == (2, 2, 5)
