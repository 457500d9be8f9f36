"""Charts are drawn right: read back from the SVG, with any numbers, for eyes of any kind."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.language import language
from telemetry.report import charts
from telemetry.report.charts import ChangeRow, HourPoint, TrendPoint, colours
from telemetry.report.charts.axes import decimals, from_zero, round_step
from telemetry.report.charts.drawing import WIDTH, Drawing, text_width, wrapped
from telemetry.report.charts.heat_map import _class, _scale
from telemetry.report.document import Kind
from tests.report.gallery import CASES

EN = language("en")
NAMES = {"words": EN, "key": "one", "title": "Title", "description": "What is to be seen."}
SHAPES = {"svg", "title", "desc", "defs", "pattern", "rect", "line", "polyline", "circle", "text", "g"}


def read(svg: str) -> ET.Element:
    """The element, without its name space; fails where it is not well-formed XML."""
    return ET.fromstring(re.sub(r' xmlns="[^"]*"', "", svg))


def titled(svg: str, text: str) -> list[tuple[str, dict[str, float]]]:
    """(its text alternative, its numbers) of each mark whose alternative has `text`."""
    found = []
    for mark in read(svg).iter():
        says = mark.find("title")
        if mark.tag != "svg" and says is not None and text in (says.text or ""):
            numbers = {name: float(value) for name, value in mark.items() if re.fullmatch(r"[\d.-]+", value)}
            found.append((says.text or "", numbers))
    return found


def words_of(svg: str) -> list[str]:
    return [mark.text or "" for mark in read(svg).iter("text")]


def histogram(
    counts: dict[int, int], limit: int = 50, v85: float | None = None, *, rounds: bool = True
) -> str:
    return charts.histogram_svg(counts, limit_kmh=limit, v85_kmh=v85, rounds=rounds, **NAMES)  # type: ignore[arg-type]


# --------------------------------------------------------------------------- every chart


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_whole_and_plain(name: str) -> None:
    svg = CASES[name]()
    root = read(svg)
    assert {mark.tag for mark in root.iter()} <= SHAPES  # no script, style, foreignObject, filter
    assert not re.search(r'="[^"]*\b(nan|inf|None)\b', svg)
    assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert root.get("role") == "img"
    names = {mark.get("id"): mark.text for mark in root if mark.get("id")}
    assert all(names[identity] for identity in str(root.get("aria-labelledby")).split())
    for word in ("class", "onclick", "href"):
        assert f" {word}=" not in svg
    assert re.findall(r' style="([^"]*)"', svg) == ["max-width:36rem"]  # the element's own


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_drawn_outside_its_paper(name: str) -> None:
    root = read(CASES[name]())
    _, _, wide, high = (float(part) for part in str(root.get("viewBox")).split())
    assert (wide, float(high) > 0) == (WIDTH, True)
    for mark in root.iter():
        at = {key: float(value) for key, value in mark.items() if re.fullmatch(r"-?[\d.]+", value)}
        for x in (at.get("x"), at.get("x1"), at.get("x2"), at.get("cx")):
            assert x is None or -0.01 <= x <= wide + 0.01, ET.tostring(mark)
        for y in (at.get("y"), at.get("y1"), at.get("y2"), at.get("cy")):
            assert y is None or -0.01 <= y <= high + 0.01, ET.tostring(mark)
        if mark.tag == "rect":
            assert at["width"] >= 0
            assert at["height"] >= 0
            assert at.get("x", 0) + at["width"] <= wide + 0.01
            assert at.get("y", 0) + at["height"] <= high + 0.01


@pytest.mark.parametrize("name", CASES)
def test_words_do_not_run_into_each_other_or_off_the_paper(name: str) -> None:
    boxes = []
    for mark in read(CASES[name]()).iter("text"):
        if mark.get("font-size") is None:
            continue  # numbers in cells of the heat map: each in its own
        size, x, y = (float(str(mark.get(key))) for key in ("font-size", "x", "y"))
        wide = text_width(mark.text or "", size)
        left = x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.get("text-anchor", "start")]
        assert left >= -0.5, mark.text
        assert left + wide <= WIDTH + 0.5, mark.text
        boxes.append((left, left + wide, y - size * 0.75, y, mark.text))
    for (l1, r1, t1, b1, one), (l2, r2, t2, b2, other) in combinations(boxes, 2):
        assert r1 <= l2 + 0.01 or r2 <= l1 + 0.01 or b1 <= t2 or b2 <= t1, (one, other)


def test_two_charts_in_one_page_share_no_id() -> None:
    def ids(key: str) -> set[str]:
        names = {**NAMES, "key": key}
        svg = charts.heat_map_svg({}, kind=Kind.MEAN, unit="u", **names)  # type: ignore[arg-type]
        svg += charts.histogram_svg({70: 3}, limit_kmh=50, v85_kmh=None, rounds=True, **names)  # type: ignore[arg-type]
        assert set(re.findall(r"url\(#([^)]*)\)", svg)) <= set(re.findall(r'id="([^"]*)"', svg))
        return set(re.findall(r'id="([^"]*)"', svg))

    assert not ids("one") & ids("two")


@pytest.mark.parametrize("key", ["", "1a", "a b", 'a"', "ā", "a#"])
def test_a_key_that_would_break_the_page_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="cannot be a chart's key"):
        Drawing(key, "title", "description")


@given(st.text(), st.text())
def test_any_text_can_stand_in_a_chart(label: str, title: str) -> None:
    row = ChangeRow(label, 1.0, 2.0, 0.5, 1.5, Kind.CHANGE)
    svg = charts.before_after_svg([row], words=EN, key="one", title=title, description=label)
    read(svg.encode().decode())
    points = [TrendPoint(label, 3, 50.0, 1.0, complete=True)]
    read(charts.trend_svg(points, words=EN, key="one", title=title, description=label))


# --------------------------------------------------------------------------- histogram

counted = st.dictionaries(st.integers(0, 999), st.integers(0, 10**6), max_size=80)
speeds = st.none() | st.floats(0, 999) | st.just(float("nan"))


def test_bars_are_as_high_as_their_counts() -> None:
    bars = titled(histogram({40: 10, 45: 40, 52: 20, 64: 5, 65: 0}), "km/h: ")
    assert [says for says, _ in bars] == ["40 km/h: 10", "45 km/h: 40", "52 km/h: 20", "64 km/h: 5"]
    unit = bars[1][1]["height"] / 40
    assert [at["height"] for _, at in bars] == pytest.approx([n * unit for n in (10, 40, 20, 5)], abs=0.02)
    assert len({round(at["y"] + at["height"], 1) for _, at in bars}) == 1


@settings(deadline=None)
@given(counted, st.integers(1, 200), speeds, st.booleans())
def test_any_counts_are_drawn_in_proportion_and_none_is_lost(
    counts: dict[int, int], limit: int, v85: float | None, rounds: bool
) -> None:
    svg = histogram(counts, limit, v85, rounds=rounds)
    assert "nan" not in svg
    drawn, heights = 0, []
    for says, at in titled(svg, "km/h: "):
        n = int(says.rpartition(" ")[2].replace(",", ""))
        drawn += n
        heights.append((n, at["height"]))
    left_out = re.search(r">([\d,]+) vehicles? above", svg)
    beyond = int(left_out[1].replace(",", "")) if left_out else 0
    assert drawn + beyond == sum(counts.values())
    assert beyond <= sum(counts.values()) / 1000
    if heights:
        most, highest = max(heights)
        for n, high in heights:
            assert high == pytest.approx(n / most * highest, abs=0.02)


@settings(deadline=None)
@given(counted, st.integers(1, 200))
def test_no_more_than_sixty_bars_and_each_is_of_one_kind(counts: dict[int, int], limit: int) -> None:
    bars = titled(histogram(counts, limit), "km/h: ")
    assert len({at["x"] for _, at in bars}) <= 60
    for says, _ in bars:
        low, _, high = says.partition(" ")[0].partition("–")
        assert (int(low) > limit) == (int(high or low) > limit)


@pytest.mark.parametrize("rounds", [True, False])
def test_both_lines_stand_where_they_belong(rounds: bool) -> None:
    svg = histogram({50: 30, 60: 10, 45: 1}, 50, 57.3, rounds=rounds)
    at = dict(titled(svg, "km/h: "))
    per_kmh = (at["60 km/h: 10"]["x"] - at["50 km/h: 30"]["x"]) / 10
    zero = at["50 km/h: 30"]["x"] - (49.5 if rounds else 50.0) * per_kmh
    lines = [mark for mark in read(svg).iter("line") if mark.get("stroke-width") == "1.8"]
    limit, v85 = (float(str(line.get("x1"))) for line in lines)
    assert limit == pytest.approx(zero + 50 * per_kmh, abs=0.05)
    assert v85 == pytest.approx(zero + 57.3 * per_kmh, abs=0.05)
    assert [bool(line.get("stroke-dasharray")) for line in lines] == [True, False]
    assert {"Limit 50\N{NO-BREAK SPACE}km/h", "V85 57.3\N{NO-BREAK SPACE}km/h"} <= set(words_of(svg))


@settings(deadline=None)
@given(st.integers(5, 130), st.floats(0, 250), st.dictionaries(st.integers(0, 250), st.just(3), max_size=3))
def test_the_names_of_the_two_lines_never_collide(limit: int, v85: float, counts: dict[int, int]) -> None:
    root = read(histogram(counts, limit, v85))
    names = [
        mark for mark in root.iter("text") if "km/h" in (mark.text or "") and mark.get("font-size") == "14"
    ]
    boxes = []
    for name in [mark for mark in names if (mark.text or "").startswith(("Limit", "V85"))]:
        x, y, wide = float(str(name.get("x"))), float(str(name.get("y"))), text_width(name.text or "")
        left = x - wide if name.get("text-anchor") == "end" else x
        assert left >= 0
        assert left + wide <= WIDTH
        boxes.append((left, left + wide, y - 11, y))
    (l1, r1, t1, b1), (l2, r2, t2, b2) = boxes
    assert b1 <= t2 or b2 <= t1 or r1 <= l2 or r2 <= l1
    for line in root.iter("line"):
        if line.get("stroke-width") == "1.8":
            x, top = float(str(line.get("x1"))), float(str(line.get("y1")))
            assert not any(low < x < high and top < base for low, high, _, base in boxes)


def test_the_speeds_are_told_apart_by_fill() -> None:
    root = read(histogram({50: 9, 51: 9, 60: 9, 61: 9}))
    fills = [mark.get("fill") for mark in root.iter("rect") if mark.find("title") is not None]
    assert fills == [colours.BLUE, colours.VERMILION, colours.VERMILION, "url(#one-far)"]
    assert colours.PALE in {mark.get("fill") for mark in root.iter("rect")}  # inside the blue outline


# --------------------------------------------------------------------------- day, trend

maybe = st.none() | st.floats(0, 1e6) | st.sampled_from([float("nan"), float("inf")])


def test_hours_have_bars_in_proportion_and_gaps_are_hatched() -> None:
    rows = [HourPoint(8, 40.0, 0.25, 55.0), HourPoint(9, 20.0, None), HourPoint(10, 0.0, None)]
    svg = charts.hour_profile_svg(rows, limit_kmh=50, **NAMES)  # type: ignore[arg-type]
    (_, eight), (_, nine), (_, ten) = (titled(svg, f"{hour:02}:00–")[0] for hour in (8, 9, 10))
    assert eight["height"] == pytest.approx(2 * nine["height"], abs=0.02)
    assert ten["height"] == 0
    assert svg.count('fill="url(#one-open)"') == 21 + 1  # hours without a value, and the legend
    assert [says for says, at in titled(svg, "08:00–08:59") if "cy" in at] == [
        "08:00–08:59: 25.0\N{NO-BREAK SPACE}%",
        "08:00–08:59: 55.0\N{NO-BREAK SPACE}km/h",
    ]
    assert "V85, km/h; dashed: limit 50\N{NO-BREAK SPACE}km/h" in words_of(svg)
    without = charts.hour_profile_svg([HourPoint(8, 1.0, 0.5)], limit_kmh=50, **NAMES)  # type: ignore[arg-type]
    assert not any("V85" in word for word in words_of(without))


@settings(deadline=None)
@given(st.lists(st.builds(TrendPoint, st.text(max_size=9), maybe, maybe, maybe, st.booleans()), max_size=120))
def test_any_trend_can_be_drawn(points: list[TrendPoint]) -> None:
    svg = charts.trend_svg(points, limit_kmh=50, **NAMES)  # type: ignore[arg-type]
    bars = [mark for mark in read(svg).iter("rect") if mark.find("title") is not None]
    assert len(bars) == len(points)
    measured = [point.n is not None and point.n < float("inf") for point in points]  # NaN compares false
    assert [mark.get("fill") != "url(#one-open)" for mark in bars] == measured


@settings(deadline=None)
@given(st.lists(st.builds(HourPoint, st.integers(0, 23), maybe, maybe, maybe), max_size=24))
def test_any_day_can_be_drawn(rows: list[HourPoint]) -> None:
    read(charts.hour_profile_svg(rows, limit_kmh=50, **NAMES))  # type: ignore[arg-type]


def test_the_line_of_v85_breaks_where_there_is_none() -> None:
    speeds = [55.0, 56.0, None, 57.0, None, 54.0, 53.0, 52.0]
    points = [TrendPoint(str(day), 9, v85, 1.0, complete=day != 1) for day, v85 in enumerate(speeds)]
    root = read(charts.trend_svg(points, **NAMES))  # type: ignore[arg-type]
    assert [len(str(line.get("points")).split()) for line in root.iter("polyline")] == [2, 3]
    dots = [dot.get("fill") for dot in root.iter("circle")]
    assert len(dots) == 6
    assert [fill == colours.PAPER for fill in dots] == [False, True, False, False, False, False]


def test_a_day_measured_in_part_is_hollow_and_says_how_much() -> None:
    points = [
        TrendPoint("04.05.", 100, 55.0, 1.0, complete=True),
        TrendPoint("05.05.", 50, 55.0, 0.5, complete=False),
    ]
    svg = charts.trend_svg(points, **NAMES)  # type: ignore[arg-type]
    assert "05.05.: 50 (50\N{NO-BREAK SPACE}%)" in [says for says, _ in titled(svg, "05.05.")]
    root = read(svg)
    inside = [
        mark.get("fill")
        for mark in root.iter("rect")
        if mark.get("pointer-events") and mark.find("title") is None
    ]
    assert inside[:2] == [colours.BLUE, colours.PAPER]
    assert {"measured in full", "measured in part"} <= set(words_of(svg))


# --------------------------------------------------------------------------- week

cells = st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 23)), maybe)


@settings(deadline=None)
@given(cells, st.sampled_from([Kind.MEAN, Kind.SHARE, Kind.SPEED]))
def test_every_hour_of_the_week_has_its_cell(values: dict[tuple[int, int], float | None], kind: Kind) -> None:
    svg = charts.heat_map_svg(values, kind=kind, unit="u", **NAMES)  # type: ignore[arg-type]
    drawn = titled(svg, ":59: ")
    assert len(drawn) == 7 * 24
    assert len({(at["x"], at["y"]) for _, at in drawn}) == 7 * 24
    assert drawn[0][0].startswith("Monday 00:00–00:59")
    assert drawn[-1][0].startswith("Sunday 23:00–23:59")


def test_more_is_darker_and_the_legend_has_the_edges() -> None:
    values = {(0, hour): 10.0 * hour for hour in range(24)}
    svg = charts.heat_map_svg(values, kind=Kind.MEAN, unit="vehicles per hour", **NAMES)  # type: ignore[arg-type]
    fills = [str(mark.get("fill")) for mark in read(svg).iter("rect") if mark.find("title") is not None][:24]
    light = [colours.luminance(fill) for fill in fills]
    assert light == sorted(light, reverse=True)
    assert len(set(light)) >= 5
    texts = words_of(svg)
    assert {"0", "50", "100", "150", "200", "250", "vehicles per hour"} <= set(texts)
    assert "230" in texts  # written in its cell


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_a_value_is_in_the_class_that_the_legend_shows(values: list[float]) -> None:
    axis = _scale(values, Kind.MEAN, EN)
    for value in values:
        place = _class(value, axis)
        assert axis.ticks[place] <= value + 1e-9
        assert value <= axis.ticks[place + 1] * (1 + 1e-9) + 1e-9
    assert len(axis.ticks) - 1 <= 11


# --------------------------------------------------------------------------- change


def test_a_change_stands_on_its_scale_with_its_range() -> None:
    rows = [
        ChangeRow("Mean", 52.0, 50.0, -3.0, -1.0, Kind.CHANGE),
        ChangeRow("V85", 60.0, 59.5, -1.5, 0.5, Kind.CHANGE),
    ]
    svg = charts.before_after_svg(rows, **NAMES)  # type: ignore[arg-type]
    root = read(svg)
    dots = [dot for dot in root.iter("circle") if dot.find("title") is not None]
    zero = next(float(str(line.get("x1"))) for line in root.iter("line") if line.get("stroke-width") == "1.8")
    mean, v85 = (float(str(dot.get("cx"))) - zero for dot in dots)
    assert mean == pytest.approx(4 * v85, abs=0.05)
    assert v85 < 0
    ends = [line for line in root.iter("line") if line.get("stroke-width") == "3"][:2]
    assert float(str(ends[0].get("x1"))) - zero == pytest.approx(1.5 * mean, abs=0.05)
    assert float(str(ends[1].get("x2"))) - zero == pytest.approx(-v85, abs=0.05)
    assert [dot.get("fill") for dot in dots] == [colours.BLUE, colours.PAPER]
    text = "−2.0\N{NO-BREAK SPACE}km/h (−3.0 to −1.0)"
    assert text in words_of(svg)
    assert titled(svg, "Mean: ")[0][0] == f"Mean: {text}"


def test_units_are_never_mixed_on_one_scale() -> None:
    svg = CASES["change"]()
    assert [word for word in words_of(svg) if word.startswith("Change")] == [
        "Change, km/h",
        "Change, percentage points",
        "Change, vehicles per hour",
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            ChangeRow,
            st.text(max_size=90),
            maybe,
            maybe,
            maybe,
            maybe,
            st.sampled_from([Kind.CHANGE, Kind.POINTS, Kind.MEAN]),
        ),
        max_size=9,
    )
)
def test_any_change_can_be_drawn(rows: list[ChangeRow]) -> None:
    svg = charts.before_after_svg(rows, **NAMES)  # type: ignore[arg-type]
    known = [
        row for row in rows if all(value is not None and value < 1e9 for value in (row.before, row.after))
    ]
    assert len([dot for dot in read(svg).iter("circle") if dot.find("title") is not None]) == len(known)


# --------------------------------------------------------------------------- colours, numbers


def test_everything_can_be_seen_on_white_and_in_grey() -> None:
    for line in (colours.BLUE, colours.VERMILION, colours.DARK, colours.GREY, colours.MISSING):
        assert colours.contrast(line, colours.PAPER) >= 3
    assert colours.contrast(colours.INK, colours.PAPER) >= 4.5
    for one, other in pairwise((colours.PALE, colours.VERMILION, colours.DARK)):
        assert colours.contrast(one, other) >= 3


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("steps", range(1, 13))
def test_scales_darken_at_every_step_and_numbers_in_them_can_be_read(steps: int, warm: bool) -> None:
    found = colours.scale(steps, warm=warm)
    light = [colours.luminance(colour) for colour in found]
    assert len(set(found)) == steps
    assert light == sorted(light, reverse=True)
    assert all(colours.contrast(colours.ink_on(colour), colour) >= 4.5 for colour in found)


def test_luminance_is_that_of_the_guideline() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@given(st.floats(1e-3, 1e7), st.integers(2, 9), st.booleans())
def test_steps_are_round_and_few(span: float, most: int, whole: bool) -> None:
    step = round_step(span, most, whole=whole)
    assert span / step <= most * (1 + 1e-6)
    digits = f"{step:e}".partition("e")[0].rstrip("0").rstrip(".")
    assert digits in {"1", "2", "2.5", "5"}
    assert not whole or step == int(step)
    assert round(step * 10 ** decimals(step), 3) == round(step * 10 ** decimals(step))


def test_numbers_at_axes_follow_the_language() -> None:
    assert from_zero(9000, lambda n, _: language("lv").count(round(n))).texts[-1] == "10\N{NO-BREAK SPACE}000"
    assert from_zero(0.01, language("lt").percent, unit=0.01).texts[1] == "0,25\N{NO-BREAK SPACE}%"
    assert Counter(from_zero(1, EN.decimal).texts).most_common(1)[0][1] == 1  # never the same number twice


def test_long_words_are_wrapped_and_none_is_lost() -> None:
    text = "Transportlīdzekļu īpatsvars, kas pārsniedz atļauto ātrumu"
    lines = wrapped(text, 200)
    assert " ".join(lines) == text
    assert all(text_width(line) <= 200 for line in lines)
