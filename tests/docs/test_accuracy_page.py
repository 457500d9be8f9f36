"""docs/accuracy.md: every scene stands in it, and the benchmark that writes it measures."""

from __future__ import annotations

from benchmarks.accuracy import scenes
from benchmarks.accuracy.cost import IN_VIEW, growth, side_by_side, write_day
from benchmarks.accuracy.run import BEGIN, DISPLAY_HEADER, END, HEADER, TEXTBOOK, outcome
from speedsign.tracking import VERSION
from tests.docs import pages

PAGE = pages.text("docs/accuracy.md")
WRITTEN = PAGE.partition(BEGIN)[2].partition(END)[0]
ROWS = pages.table_rows(WRITTEN)


def test_the_page_is_of_this_tracker_and_has_every_scene() -> None:
    assert f"Tracker {VERSION}, 10 seeds" in WRITTEN
    names = [*scenes.SCENES, *TEXTBOOK]
    counted = [row for row in ROWS if len(row) == len(HEADER.split("|"))]
    displayed = [row for row in ROWS if len(row) == len(DISPLAY_HEADER.split("|"))]
    assert [row[0] for row in counted if row[0]] == names
    assert [row[0] for row in displayed] == names
    assert len(counted) == 3 * len(names)


def test_what_the_page_says_of_the_plain_road() -> None:
    """What was promised of it; the page is written anew when the tracker changes."""
    plain = {row[0]: row for row in ROWS if row[0].startswith(("plain", "textbook")) and len(row) > 5}
    for name, row in plain.items():
        recall, precision, median_kmh, v85_kmh = (float(row[i]) for i in (3, 4, 6, 8))
        assert recall > 0.85, name
        assert precision > 0.93, name
        assert median_kmh <= 0.4, name
        assert v85_kmh <= (0.5 if "200" not in name else 0.7), name  # of some eighty vehicles


def test_every_scene_can_be_recorded() -> None:
    for name, scene in scenes.SCENES.items():
        recording = scenes.record(scene, seed=1, seconds=30)
        assert recording.reports, name
        assert recording.reports == scenes.record(scene, seed=1, seconds=30).reports


def test_the_tracker_beats_the_gap_rule_on_both_roads() -> None:
    for name in ("plain, 500/h", "textbook road, 500/h"):
        found = outcome(name, 400.0, seed=3)
        assert found.ours.passed > 30
        assert found.ours.found > 1.2 * found.gap.found
        assert found.ours.found / found.ours.counted > 0.9
        assert found.shown.waits_s
        assert min(found.shown.waits_s) >= 0.0


def test_cost_is_measured_on_so_many_vehicles_at_once() -> None:
    assert {len(report.readings) for report in side_by_side(IN_VIEW[-1])} == {IN_VIEW[-1]}
    assert callable(growth)
    assert callable(write_day)
