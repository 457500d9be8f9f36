"""The benchmark of a year runs, on a few days, and its programs agree; its page has what it wrote."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks.statistics import floor, run, year
from tests.docs import pages

ROWS = pages.table_rows(pages.text("docs/performance.md").partition(run.BEGIN)[2].partition(run.END)[0])


@pytest.mark.wires
def test_a_few_days_by_every_program(tmp_path: Path) -> None:
    steps = run.available()
    assert len(steps) == len(run.STEPS) - 2 * (importlib.util.find_spec("duckdb") is None)
    found = run.run(tmp_path, 8, steps=steps, most_runs=1)
    assert set(found.costs) == {step.name for step in steps}
    assert all(one.wall_s > 0 and one.peak_mb > 5 for one in found.costs.values())
    assert 8 * 3000 < found.vehicles < 8 * 7000
    assert list(tmp_path.iterdir()) == []  # nothing is left behind
    table = pages.table_rows(run.text([found], steps))
    assert [row[0] for row in table] == [step.name for step in steps]
    compared = json.loads(found.costs["`speedsign compare`"].output)
    assert compared


def test_the_page_has_every_step() -> None:
    assert [row[0] for row in ROWS] == [step.name for step in run.STEPS]


def test_the_file_is_the_same_for_a_seed_and_rises_in_time(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    written = year.write(first, 4, vehicles_per_day=300)
    year.write(again, 4, vehicles_per_day=300)
    year.write(other, 4, vehicles_per_day=300, seed=2)
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    with first.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == written
    times = [datetime.fromisoformat(row["time"]) for row in rows]
    assert times == sorted(times)
    assert Counter(row["direction"] for row in rows).keys() == {"approaching", "receding"}
    dark = {row["time"][:10] for row in rows if row["display"] == "dark"}
    assert sorted(dark) == ["2025-01-01", "2025-01-02"]
    assert {row["display"] for row in rows} == {"dark", "shown", "blank"}


def test_the_floor_counts_what_a_hand_would() -> None:
    found = floor.numbers(Counter({48: 10, 52: 10}), 50)
    assert found == {"n": 20, "mean_kmh": 50.0, "v85_kmh": pytest.approx(52.2), "over_limit_share": 0.5}


def test_programs_that_do_not_agree_are_found_out() -> None:
    one = {name: dict.fromkeys(run.AGREE, 0.5) for name in ("approaching", "receding", "both")}
    other = {**one, "both": {**one["both"], "v85_kmh": 0.500001}}
    assert list(run.disagreements({"a": json.dumps(one), "b": json.dumps(one)})) == []
    assert list(run.disagreements({"a": json.dumps(one), "b": json.dumps(other)})) == [
        "both v85_kmh: 0.5 by a, 0.500001 by b"
    ]


def test_a_missed_target_is_said() -> None:
    step = run.Step("x", (), target_s=0.5, target_mb=150)
    slow = run.Run(365, 1000, 1.0, 1.0, {"x": run.Cost(0.75, 0.7, 100.0, "")})
    ten = run.Run(3650, 10000, 1.0, 1.0, {"x": run.Cost(4.0, 3.0, 1600.0, "")})
    assert run.verdict(step, [slow]) == "0.5 s **missed: 0.75 s**; 150 MB kept"
    assert run.verdict(step, [ten]) == "5 s kept; 1500 MB **missed: 1600 MB**"


def test_a_program_that_fails_stops_the_run() -> None:
    with pytest.raises(SystemExit, match="no such"):
        run.cost([*run.SPEEDSIGN, "no such"])


def test_the_table_is_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{run.BEGIN}\nold\n{run.END}\nafter\n", encoding="utf-8")
    run.write("new", page)
    assert page.read_text(encoding="utf-8") == f"before\n{run.BEGIN}\nnew\n{run.END}\nafter\n"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(SystemExit, match="has no"):
        run.write("new", page)
