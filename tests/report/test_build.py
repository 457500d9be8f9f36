"""What a report says: the sentence to paste, few vehicles, quality, other limits, other installations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from speedsign.language import LANGUAGES, language
from speedsign.model import Installation
from telemetry.report import sentence
from telemetry.report.build import build
from telemetry.report.document import Chart, Document, Figures, Marked, Paragraph, Quote, Table, plain
from telemetry.report.facts import Facts, gather
from tests.report.signs import fill, local, nothing, once, period, sign, street

ENGLISH = language("en")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def facts_of(path: Path, start: str = "2026-05-04", end: str = "2026-05-05") -> Facts:
    return gather(period(path, local(start), local(end)))


def with_vehicles(path: Path, n: int) -> Facts:
    """So many vehicles at noon of one measured day, from 46 to 65 km/h, as many of each."""
    counts = {speed: n // 20 + (speed - 46 < n % 20) for speed in range(46, 66)}
    street(path, "2026-05-04", "2026-05-04", once({"approaching": counts}))
    return facts_of(path)


def built(facts: Facts, code: str = "en") -> Document:
    return build(facts, language(code), made="speedsign, 2026-06-01 08:00")


def table(document: Document, key: str) -> Table:
    return next(one for one in document.tables() if one.key == key)


def figures(document: Document) -> dict[str, object]:
    (found,) = (block for block in document.blocks if isinstance(block, Figures))
    return {figure.title: figure.value for figure in found.items}


def text(document: Document) -> str:
    return "\n".join(block.text for block in document.blocks if isinstance(block, Paragraph | Quote))


# --------------------------------------------------------------------------- the sentence


def test_the_sentence_to_paste_says_who_counted_what_and_how_much_of_the_time(path: Path) -> None:
    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        fast = 3 if (at.weekday(), at.hour) == (4, 17) else 0
        return {"approaching": {45: 3, 55: 1}, "receding": {70: fast}}

    street(path, "2026-05-04", "2026-05-17", quarter)
    assert sentence.quote(facts_of(path, end="2026-05-18"), ENGLISH) == (
        "Bauska, Rīgas iela, 4 May 2026 – 17 May 2026 (14 days): 5,400 vehicles were counted. "
        "85 % of them drove at 54.9\N{NO-BREAK SPACE}km/h or slower (V85); speed limit 50 km/h. "
        "25.3\N{NO-BREAK SPACE}% drove faster than 50 km/h, 0.4\N{NO-BREAK SPACE}% more than 10 km/h faster. "
        "Worst hour of the week: Friday, 17:00–18:00, with 12.0 vehicles an hour more than 10 km/h over the "
        "limit (mean of 2 hours). The radar was measuring for 100.0\N{NO-BREAK SPACE}% of this time."
    )


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_vehicle_and_one_vehicle_are_sentences_in_every_language(path: Path, code: str) -> None:
    street(path, "2026-05-04", "2026-05-04", nothing)
    fill(path, local("2026-05-05"), local("2026-05-06"), once({"receding": {63: 1}}, "2026-05-05T09:00"))
    words = language(code)
    none = sentence.quote(facts_of(path), words)
    one = sentence.quote(facts_of(path, "2026-05-05", "2026-05-06"), words)
    assert "{" not in none + one
    assert "V85" not in none + one
    if code == "en":
        assert "4 May 2026 (1 day): no vehicle was counted." in none
        assert "5 May 2026 (1 day): 1 vehicle was counted. These are too few vehicles for a statement" in one


def test_a_period_that_is_no_whole_days_has_its_times(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-04")
    facts = facts_of(path, "2026-05-04T07:00", "2026-05-04T09:30")
    assert sentence.subtitle(facts, ENGLISH).startswith("4 May 2026, 07:00 – 4 May 2026, 09:30; speed limit")


def test_hours_that_were_asked_for_are_named(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-10")
    whole = period(path, local("2026-05-04"), local("2026-05-11"))
    facts = gather(whole.only(lambda hour: hour.local.hour in (7, 8, 15) and hour.local.weekday() < 5))
    assert sentence.subtitle(facts, ENGLISH).endswith("Only these hours: Mon–Fri; 07:00–09:00, 15:00–16:00")
    assert "Only these hours: Mon–Fri;" in sentence.quote(facts, ENGLISH)
    assert "Vehicles an hour" in figures(built(facts))
    assert "Vehicles a day" not in figures(built(facts))


def test_another_limit_is_called_another_limit(path: Path) -> None:
    facts = with_vehicles(path, 400)
    other = replace(facts, own_limit_kmh=70)
    assert "speed limit 50 km/h" in sentence.quote(facts, ENGLISH)
    assert "compared with 50 km/h; the speed limit is 70 km/h" in sentence.quote(other, ENGLISH)
    assert "compared with 50 km/h" in built(other).subtitle


# --------------------------------------------------------------------------- few vehicles


@pytest.mark.parametrize(
    ("n", "mark", "shown"),
    [
        (0, None, False),
        (1, "†", False),
        (29, "†", False),
        (30, "*", True),
        (99, "*", True),
        (100, None, True),
    ],
)
def test_below_a_hundred_is_marked_and_below_thirty_is_not_shown(
    path: Path, n: int, mark: str | None, *, shown: bool
) -> None:
    facts = with_vehicles(path, n)
    document = built(facts)
    v85 = figures(document)["V85"]
    assert (plain(v85) is not None) == shown  # type: ignore[arg-type]
    assert (v85.mark if isinstance(v85, Marked) else None) == mark
    assert figures(document)["Vehicles"] == n
    row = table(document, "speeds").rows[-1]
    assert row[1] == n
    assert all((plain(cell) is not None) == shown for cell in row[2:-1])
    if n:
        assert bool(table(document, "speeds").notes) == (mark is not None)
    quoted = sentence.quote(facts, ENGLISH)
    assert ("V85" in quoted) == shown
    assert ("uncertain" in quoted) == (30 <= n < 100)
    charts = {block.key: block for block in document.blocks if isinstance(block, Chart)}
    assert ("speeds" in charts) == (n > 0)
    assert ("V85 is" in charts["speeds"].summary) == shown if n else True


def test_the_numbers_of_few_vehicles_are_in_the_json_all_the_same(path: Path) -> None:
    from telemetry.report.facts_json import facts_json

    found = facts_json(with_vehicles(path, 20))["directions"][-1]
    assert (found["n"], found["sample"], found["mean_kmh"], found["v85_kmh"]) == (20, "few", 55.5, 62.5)


def test_hours_of_few_vehicles_have_no_share_in_the_week(path: Path) -> None:
    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        return {"approaching": {60: 8 if at.hour == 8 else 2}}

    street(path, "2026-05-04", "2026-05-04", quarter)
    week = table(built(facts_of(path)), "week_over")
    monday = {row[0]: row[1] for row in week.rows}
    assert monday["08:00–09:00"] == Marked(1.0, "*")
    assert monday["09:00–10:00"] == Marked(None, "†")
    assert week.rows[8][2] is None  # Tuesday was not measured
    assert len(week.notes) == 2


# --------------------------------------------------------------------------- bands


@pytest.mark.parametrize(("zone", "last"), [("Europe/Riga", 8), ("Europe/Vilnius", 6)])
def test_bands_end_as_the_fines_of_the_country_do(path: Path, zone: str, last: int) -> None:
    sign(path, Installation("Biržai", 50, 0.0, "ops243", zone))
    counts = {"approaching": {50: 7, 51: 1, 101: 2, 115: 3, 130: 4}, "unknown": {61: 5}}
    fill(path, local("2026-05-04"), local("2026-05-05"), once(counts))
    document = built(facts_of(path))
    bands = table(document, "bands")
    keys = [column.key for column in bands.columns]
    assert keys == [
        *("band", "speeds", "approaching", "approaching_share", "receding", "receding_share"),
        *("unknown", "unknown_share", "both", "both_share"),
    ]
    both = [row[keys.index("both")] for row in bands.rows]
    assert both[:3] == [7, 1, 5]
    assert both[-1] == 22
    assert len(both) == last + 2
    assert both[-2] == (4 if zone == "Europe/Riga" else 9)
    assert sum(n for n in both[:-1] if isinstance(n, int)) == 22


def test_directions_bear_the_names_of_the_installation(path: Path) -> None:
    document = built(with_vehicles(path, 120))
    titles = [column.title for column in table(document, "bands").columns]
    assert "Virzienā uz centru" in titles
    facts = with_vehicles(path.with_name("other.db"), 120)
    nameless = replace(facts.standing.facts, approaching_name="", receding_name="")
    facts = replace(facts, standing=replace(facts.standing, facts=nameless))
    assert "Approaching" in [column.title for column in table(built(facts), "bands").columns]


# --------------------------------------------------------------------------- how far to believe it


def test_what_was_not_measured_is_said_and_marked(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-04")
    facts = facts_of(path, end="2026-05-06")
    document = built(facts)
    assert "The radar was measuring for 50.0\N{NO-BREAK SPACE}% of this time." in text(document)
    assert "1 complete day of 2." in text(document)
    assert "24 hours of 48 were measured for less than 75 %" in text(document)
    (gap,) = table(document, "gaps").rows
    assert [str(cell) for cell in gap] == ["2026-05-05 00:00:00+03:00", "2026-05-06 00:00:00+03:00", "0.0"]
    days = table(document, "by_day")
    assert days.rows[1][2] == Marked(0, "‡")
    assert any(note.startswith("‡") for note in days.notes)


def test_what_may_be_doubted_is_counted_and_said(path: Path) -> None:
    facts = with_vehicles(path, 200)
    found = replace(facts.quality, suspect=3, scaled=21, no_direction=1, fault=2, undated=5)
    others = (replace(facts.standing, id=7, facts=replace(facts.standing.facts, site="Iecava")),)
    said = text(built(replace(facts, quality=found, others=others)))
    for part in (
        "3 vehicles are doubtful",
        "The speeds of 21 vehicles could only be scaled",
        "The direction of 1 vehicle is not known",
        "2 vehicles passed while the display was not under control",
        "5 vehicles were counted while the clock was not known",
        "those are not in these numbers: 1 January 2026 (Iecava, speed limit 50 km/h).",
        "The sign is no legal measuring instrument",
    ):
        assert part in said
    quiet = text(built(facts))
    assert "doubtful" not in quiet
    assert "scaled" not in quiet


def test_hours_without_a_clock_are_no_gap_and_their_day_is_not_empty(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-04")
    fill(path, local("2026-05-05"), local("2026-05-06"), clock="unknown")
    document = built(facts_of(path, end="2026-05-06"))
    said = text(document)
    assert "The radar was measuring for 100.0\N{NO-BREAK SPACE}% of this time." in said
    assert (
        "24 hours were measured while the clock was not sure: what passed then is in no hour or day." in said
    )
    assert "less than 75" not in said.split("How far")[0].split("Means of hours")[0]
    assert "gaps" not in [one.key for one in document.tables()]
    days = table(document, "by_day")
    assert days.rows[1][2] == Marked(None, "‡¶")
    assert plain(days.rows[1][-1]) == 1.0
    assert any(note.startswith("¶ measured, but while the clock") for note in days.notes)
    lost = built(facts_of(path, "2026-05-05", "2026-05-06"))
    (trend,) = (block for block in lost.blocks if isinstance(block, Chart) and block.key == "trend")
    assert trend.summary == "Nothing was counted while the clock was sure."


def test_vehicles_without_a_direction_are_in_neither(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-04", once({"unknown": {45: 40}}))
    document = built(facts_of(path))
    assert (
        "The direction of 40 vehicles is not known: they count for both directions together, for neither"
        in (text(document))
    )
    assert [column.key for column in table(document, "bands").columns][6] == "unknown"


def test_the_worst_hour_was_met_twice_with_thirty_vehicles(path: Path) -> None:
    """Saturday noon has most, but in a single hour: named nowhere, ranked last and marked."""

    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        if (at.weekday(), at.hour) == (4, 17):
            return {"approaching": {70: 1, 45: 4}}
        return {"approaching": {70: 50}} if (at.day, at.hour) == (9, 12) else {}

    street(path, "2026-05-04", "2026-05-15", quarter)
    facts = facts_of(path, end="2026-05-16")
    assert "Worst hour of the week: Friday, 17:00–18:00" in sentence.quote(facts, ENGLISH)
    street(path.with_name("one.db"), "2026-05-04", "2026-05-10", quarter)
    week = facts_of(path.with_name("one.db"), end="2026-05-11")
    assert "Worst hour" not in sentence.quote(week, ENGLISH)
    ranked = table(built(week), "patrols")
    assert [row[2] for row in ranked.rows] == [Marked(200.0, "~"), Marked(4.0, "~")]
    assert ranked.notes[-1].startswith("~ measured in fewer than 2 hours, or fewer than 30 vehicles")


def test_the_most_frequent_speed_is_not_said_of_most_vehicles(path: Path) -> None:
    charts = {
        block.key: block for block in built(with_vehicles(path, 200)).blocks if isinstance(block, Chart)
    }
    assert charts["speeds"].summary.startswith("The most frequent speed is 46 km/h; the limit is 50 km/h.")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"limit_kmh": 70}, "speed limit 70 km/h"),
        ({"site": "Iecava"}, "Iecava, speed limit 50 km/h"),
        ({"mounting_angle_deg": 12.5}, "mounting angle 12.5°"),
        ({"receding_name": "x"}, "other names of directions"),
        ({"display_profile": "x"}, "other settings"),
    ],
)
def test_another_installation_of_the_period_is_told_by_what_differs(
    path: Path, change: dict[str, Any], expected: str
) -> None:
    facts = with_vehicles(path, 200)
    end = local("2026-05-03")
    other = replace(facts.standing, id=7, to_utc=end, facts=replace(facts.standing.facts, **change))
    quoted = sentence.quote(replace(facts, others=(other,)), ENGLISH)
    assert quoted.endswith(f"1 January 2026, 02:00 – 3 May 2026, 00:00 ({expected}).")
    imported = sentence.subtitle(replace(facts, others=(replace(other, imported=True),)), ENGLISH)
    assert imported.endswith(f"not in these numbers: imported numbers ({expected})")


def test_imported_counts_are_said_to_be_so(path: Path) -> None:
    facts = with_vehicles(path, 200)
    assumed = replace(facts, quality=replace(facts.quality, assumed=True))
    assert "is assumed" in sentence.quote(assumed, ENGLISH)
    assert "The radar was measuring" not in text(built(assumed))


@pytest.mark.parametrize("rounds", [True, False])
def test_the_method_names_the_edges_of_the_classes(path: Path, *, rounds: bool) -> None:
    sign(path, Installation("Biržai", 50, 0.0, "ops243", "Europe/Riga", rounds=rounds))
    said = text(built(facts_of(path)))
    assert ("because the radar rounds" in said) == rounds
    assert ("because the radar truncates" in said) != rounds


def test_days_of_23_and_25_hours_are_marked(path: Path) -> None:
    fill(sign(path), local("2026-10-24"), local("2026-10-26"), lambda at: {"approaching": {50: 1}})
    days = table(built(facts_of(path, "2026-10-24", "2026-10-26")), "by_day")
    assert [row[2] for row in days.rows] == [96, Marked(100, "§")]
    assert days.notes[-1].startswith("§ a day of 23 or 25 hours")


def test_the_same_facts_make_the_same_document(path: Path) -> None:
    facts = with_vehicles(path, 250)
    assert built(facts) == built(facts)
    assert built(facts, "lv") != built(facts)
