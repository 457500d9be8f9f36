"""What residents are told gives away no count of one to four vehicles, however it is added and subtracted."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.errors import UsageError
from speedsign.language import language
from telemetry.local_time import local_hours
from telemetry.period import Hour, Part, Period
from telemetry.query import Standing
from telemetry.report.document import Document, Figures, Kind, Marked, Quote, plain
from telemetry.report.facts import Facts, gather
from telemetry.report.html import render_html
from telemetry.report.public import FEWEST, PublicFacts, hidden, publish, whole_hours
from telemetry.report.public_build import build_public, public_json
from telemetry.report.spans import Span
from telemetry.rows import packed
from tests.report.signs import BAUSKA, local, period, street

ENGLISH = language("en")
FIRST = local("2026-05-04")
SMALL = range(1, FEWEST)
Vehicles = Sequence[tuple[int, str, Mapping[int, int]]]  # quarter of an hour since FIRST, direction, counts


def made(vehicles: Vehicles, days: int = 2, dead: frozenset[int] = frozenset(), undated: int = 0) -> Period:
    """Whole days from FIRST; of the hours in `dead` only half was measured."""
    zone = ZoneInfo("Europe/Riga")
    end = FIRST + timedelta(days=days)
    hours = [Hour(at, at.astimezone(zone), 3600.0, 3600.0) for at in local_hours(FIRST, end, zone)]
    for place, hour in enumerate(hours):
        hour.measured_s = 1800.0 if place in dead else 3600.0
    for quarter, direction, counts in vehicles:
        hour = hours[quarter // 4 % len(hours)]
        start_s = int(hour.start_utc.timestamp()) + 900 * (quarter % 4)
        hour.parts.append(Part(start_s, direction, "shown", packed(counts), ""))
    lost = (Part(int(FIRST.timestamp()), "approaching", "shown", packed({48: undated}), ""),) * bool(undated)
    standing = Standing(1, FIRST - timedelta(days=9), BAUSKA)
    return Period(standing, FIRST, end, hours, lost)


def lists(public: PublicFacts) -> Iterator[tuple[str, list[int], list[bool]]]:
    """Every list: its true counts, and which of them are shown."""
    facts = public.facts
    yield "bands", [band.n for band, _ in public.bands], [n is not None for _, n in public.bands]
    spans = [span.n for span, _ in public.spans]
    yield "days", spans, [n is not None for _, n in public.spans]
    yield "hours", [slot.n for slot in facts.by_hour], [mean is not None for _, mean in public.by_hour]
    truth = {side.direction: side.statistics.n for side in facts.sides}
    yield (
        "directions",
        [truth[name] for name, _ in public.directions],
        [n is not None for _, n in public.directions],
    )


def told(public: PublicFacts) -> dict[str, int]:
    """What a reader knows of sums: the total, and what any list that hides nothing adds up to."""
    found = {"all": public.n} if public.n is not None else {}
    for name, counts, shown in lists(public):
        if counts and all(is_shown or not n for n, is_shown in zip(counts, shown, strict=True)):
            found[name] = sum(counts)
    return found


# Each list beside those that hold all of its vehicles, and perhaps more: what is left is a count of somebody.
AROUND = {
    "bands": ("all", "directions"),
    "directions": ("all", "bands"),
    "days": ("all", "bands", "directions"),
    "hours": ("all", "bands", "directions", "days"),
}


def leaks(public: PublicFacts) -> list[str]:
    """What a reader can work out of one to four vehicles, who subtracts whatever is shown from any sum."""
    total = public.facts.main.statistics.n
    sums = told(public)
    found = [f"the total {total}"] if public.n is not None and public.n in SMALL else []
    for name, counts, shown in lists(public):
        pairs = list(zip(counts, shown, strict=True))
        found += [f"{name}: {n} is shown" for n, is_shown in pairs if is_shown and n in SMALL]
        rest = sum(n for n, is_shown in pairs if not is_shown)
        if public.n is not None and any(shown) and rest in SMALL:
            found.append(f"{name}: {rest} remain")
        of_list = sum(n for n, is_shown in pairs if is_shown)
        for what in AROUND[name]:
            if any(shown) and what in sums and sums[what] - of_list in SMALL:
                found.append(f"{name}: {sums[what] - of_list} of {what} remain")
    shares = (public.within_share, public.over_share, public.over_10_share)
    for share in (share for share in shares if share is not None):
        part = round(share * total)
        found += [f"a share of {part}"] if {part, total - part} & set(SMALL) else []
    if public.adt is not None:
        rest = total - public.adt * public.facts.main.volume.complete_days
        found += [f"{rest} beside complete days"] if rest in SMALL and public.adt == _adt(public) else []
    return found


def _adt(public: PublicFacts) -> float | None:
    return public.facts.main.volume.adt


speeds = st.dictionaries(st.integers(30, 130), st.integers(1, 40), max_size=4)
vehicles = st.lists(
    st.tuples(st.integers(0, 191), st.sampled_from(["approaching", "receding", "unknown"]), speeds),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(
    vehicles,
    st.integers(1, 2),
    st.frozensets(st.integers(0, 23), max_size=3),
    st.integers(0, 6),
    st.sampled_from(["both", "approaching"]),
)
def test_no_count_of_one_to_four_can_be_worked_out(
    passed: Vehicles, days: int, dead: frozenset[int], undated: int, focus: str
) -> None:
    public = publish(gather(made(passed, days, dead, undated), focus=focus))
    assert leaks(public) == []
    document = build_public(public, ENGLISH, made="x")
    assert small_numbers(document) == []


def small_numbers(document: Document) -> list[object]:
    """Counts from zero to four in any table or figure of vehicles."""
    found: list[object] = []
    for table in document.tables():
        for at, column in enumerate(table.columns):
            if column.kind is Kind.COUNT:
                found += [row for row in table.rows if plain(row[at]) in range(FEWEST)]
    return found


def test_the_checker_sees_what_is_not_hidden() -> None:
    """It must find each kind of leak, or the test above says nothing."""
    public = publish(gather(made([(30, "approaching", {48: 40, 55: 30, 63: 3})])))
    assert leaks(public) == []
    bands = tuple((band, band.n) for band, _ in public.bands)
    assert "bands: 3 is shown" in leaks(replace(public, bands=bands))
    only_small = tuple((band, None if band.n in SMALL else band.n) for band, _ in public.bands)
    assert "bands: 3 remain" in leaks(replace(public, bands=only_small))
    assert "a share of 3" in leaks(replace(public, over_10_share=3 / 73))
    few = publish(gather(made([(30, "approaching", {48: 40}), (34, "approaching", {48: 3})], undated=20)))
    assert leaks(few) == []
    hours = tuple((slot.hour, slot.mean if slot.n > 4 else None) for slot in few.facts.by_hour)
    assert "hours: 3 of days remain" in leaks(replace(few, spans=_all(few), by_hour=hours))


def _all(public: PublicFacts) -> tuple[tuple[Span, int | None], ...]:
    return tuple((span, span.n) for span, _ in public.spans)


def test_the_count_before_the_hidden_one_is_hidden_too() -> None:
    assert hidden([70, 30, 4], 104) == [70, None, None]
    assert hidden([4, 70, 30], 104) == [None, None, 30]  # there is none before it
    assert hidden([30, 70, 4], 104) == [30, None, None]  # by its place: its size would tell something
    assert hidden([70, 30, 4, 1], 105) == [70, 30, None, None]  # five remain: nobody is told apart
    assert hidden([70, 30, 4, 4], 108) == [70, None, None, None]  # eight of two: four each
    assert hidden([70, 0], 70) == [70, None]  # nothing remains, and nobody can be found
    assert hidden([70, 30], 103) == [70, None]  # three are in no band, hour or day of the list
    assert hidden([70, 30], 120) == [70, 30]
    assert hidden([3], 3) == [None]
    assert hidden([], 0) == []


@pytest.mark.parametrize(("length", "below"), [(2, 40), (3, 21), (4, 17)])
@pytest.mark.parametrize("lost", [range(1), range(FEWEST)], ids=["all listed", "some in no count"])
def test_who_knows_the_rule_finds_no_hidden_count_of_any_small_list(
    length: int, below: int, lost: range
) -> None:
    """All lists that look the same to a reader: a hidden count of one to four could be another as well."""
    if len(lost) > 1 and length > 3:
        lost = range(3, 4)
    alike: dict[tuple[tuple[int | None, ...], int], list[set[int]]] = {}
    for counts in itertools.product(range(below), repeat=length):
        for rest in lost:
            total = sum(counts) + rest
            shown = tuple(hidden(counts, total))
            if None in shown and FEWEST <= total < below:  # of larger sums, not all lists are here
                found = alike.setdefault((shown, total), [set() for _ in counts])
                for values, n in zip(found, counts, strict=True):
                    values.add(n)
    assert len(alike) > 30
    told_apart = [
        (shown, total, values)
        for (shown, total), found in alike.items()
        for n, values in zip(shown, found, strict=True)
        if n is None and len(values) == 1 and values & set(SMALL)
    ]
    assert told_apart == []


def test_days_and_hours_subtracted_give_no_hidden_hour_away() -> None:
    """A quarter without a clock hides nothing: whoever adds up days knows what hours add up to."""
    passed = [(96 * day + 4 * hour, "approaching", {45: 8}) for day in range(7) for hour in range(24)]
    passed = [one for one in passed if one[0] // 4 % 24 != 3]
    public = publish(gather(made([*passed, (12, "approaching", {45: 3})], days=7, undated=20)))
    assert sum(n or 0 for _, n in public.spans) == 1291
    means = [mean for _, mean in public.by_hour if mean is not None]
    assert len(means) == 22
    assert 1291 - round(7 * sum(means)) == 59
    assert leaks(public) == []


def test_a_vehicle_of_an_hour_that_was_left_out_is_not_told_either() -> None:
    passed = [(96 * day + 4 * hour, "approaching", {45: 8}) for day in range(2) for hour in range(24)]
    for undated in (0, 1, 4, 20):
        public = publish(gather(made([*passed[5:], (16, "receding", {45: 3})], 2, frozenset([4]), undated)))
        assert leaks(public) == []
        assert None in [mean for hour, mean in public.by_hour if hour != 4]


def test_hours_that_were_not_asked_for_are_no_hidden_counts() -> None:
    """Everybody knows that they are empty: of two hours with four vehicles each, each would be known."""
    four = made([(28, "approaching", {48: 4}), (32, "approaching", {48: 4}), (36, "approaching", {48: 9})])
    public = publish(gather(four.only(lambda hour: hour.local.hour in (7, 8, 9))))
    assert all(mean is None for _, mean in public.by_hour)
    table = next(one for one in build_public(public, ENGLISH, made="x").tables() if one.key == "bands")
    assert table.rows[-1][1] == 17


@pytest.mark.parametrize(("n", "mark"), [(29, "†"), (30, "*"), (99, "*"), (100, None)])
def test_few_vehicles_are_marked_as_in_every_report(n: int, mark: str | None) -> None:
    public = publish(gather(made([(30, "approaching", {45: n - n // 2, 65: n // 2})])))
    document = build_public(public, ENGLISH, made="x")
    bands = next(table for table in document.tables() if table.key == "bands")
    within = bands.rows[0][2]
    assert (within.mark if isinstance(within, Marked) else None) == mark
    assert (plain(within) is None) == (n < 30)
    assert any(note.startswith(mark) for note in bands.notes) if mark else not bands.notes[1:]
    (figures,) = (block for block in document.blocks if isinstance(block, Figures))
    speeds = [figure.value for figure in figures.items if figure.kind in (Kind.KMH, Kind.SHARE)]
    assert bool(speeds) == (n >= 30)
    assert all((value.mark if isinstance(value, Marked) else None) == mark for value in speeds)
    (quoted,) = (block.text for block in document.blocks if isinstance(block, Quote))
    assert ("uncertain" in quoted) == (30 <= n < 100)
    assert ("too few vehicles for a statement about speeds" in quoted) == (n < 30)


def test_nothing_measured_is_said_to_be_so() -> None:
    nothing = made([], 1, frozenset())
    for hour in nothing.hours:
        hour.measured_s = 0.0
    never = replace(nothing, hours=[], to_utc=FIRST)
    for found in (nothing, whole_hours(never)):
        document = build_public(publish(gather(found)), ENGLISH, made="x")
        (quoted,) = (block.text for block in document.blocks if isinstance(block, Quote))
        assert quoted == "Bauska, Rīgas iela, 4 May 2026: nothing was measured."


def few_fast(path: Path) -> Facts:
    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        odd = {"approaching": {139: 1}} if (at.day, at.hour, at.minute) == (5, 3, 15) else {}
        return odd or {"approaching": {45: 3, 55: 2}, "receding": {48: 2}}

    street(path, "2026-05-04", "2026-05-10", quarter)
    return gather(period(path, local("2026-05-04"), local("2026-05-11")))


def test_the_fastest_and_its_hour_are_not_told(tmp_path: Path) -> None:
    facts = few_fast(tmp_path / "sign.db")
    assert facts.main.statistics.max_kmh == 139
    public = publish(facts)
    for text in (
        render_html(build_public(public, ENGLISH, made="x")),
        json.dumps(public_json(public)),
    ):
        assert "139" not in text
    assert public.n == facts.main.statistics.n
    shown = {band.name: n for band, n in public.bands}
    assert shown["within limit"] is not None
    assert shown[">70"] is None
    assert [name for name, n in shown.items() if n is not None] == ["within limit"]  # 1-10 would give it away
    assert public.over_10_share is None


def test_no_table_crosses_two_lists(tmp_path: Path) -> None:
    document = build_public(publish(few_fast(tmp_path / "sign.db")), ENGLISH, made="x")
    assert [table.key for table in document.tables()] == ["bands", "directions", "by_hour", "by_day"]
    counts = [
        [column.key for column in table.columns if column.kind in (Kind.COUNT, Kind.MEAN)]
        for table in document.tables()
    ]
    assert counts == [["n"], ["n"], ["mean"], ["n"]]


def test_a_hidden_count_is_in_no_picture(tmp_path: Path) -> None:
    """A bar has its number as text and its height: neither is drawn."""
    passed = [(4 * hour, "approaching", {48: 40}) for hour in range(24) if hour != 3]
    public = publish(gather(made([*passed, (12, "approaching", {48: 3})], days=1)))
    hidden_hours = [hour for hour, mean in public.by_hour if mean is None]
    assert len(hidden_hours) == 2
    page = render_html(build_public(public, ENGLISH, made="x"))
    for hour in hidden_hours:
        assert re.search(rf"{hour:02}:00–{hour:02}:59: –", page)


def test_periods_are_cut_to_whole_hours() -> None:
    whole = made([(30, "approaching", {48: 40})], days=1)
    cut = replace(whole.hours[0], duration_s=1800.0)
    found = whole_hours(replace(whole, hours=[cut, *whole.hours[1:]], from_utc=FIRST + timedelta(minutes=30)))
    assert found.from_utc == FIRST + timedelta(hours=1)
    assert found.to_utc == FIRST + timedelta(days=1)
    assert len(found.hours) == 23
    with pytest.raises(UsageError, match="whole hours only"):
        whole_hours(replace(whole, hours=[cut]))


def test_few_vehicles_leave_a_report_that_says_so() -> None:
    document = build_public(publish(gather(made([(30, "approaching", {48: 3})]))), ENGLISH, made="x")
    page = render_html(document)
    assert "fewer than 5 vehicles" in page
    assert small_numbers(document) == []


def test_days_are_by_the_calendar_of_the_sign() -> None:
    public = publish(gather(made([(quarter, "receding", {48: 2}) for quarter in range(96)], days=1)))
    assert [(span.first, n) for span, n in public.spans] == [(date(2026, 5, 4), 192)]
    assert public_json(public)["from"] == "2026-05-04T00:00:00+03:00"


def test_a_daily_mean_that_leaves_three_vehicles_for_the_other_day_is_not_told() -> None:
    """Forty vehicles on each of 62 complete days, and a few on one that was measured in part."""
    dead = frozenset(range(24, 48))
    passed = [(96 * day + 40, "approaching", {48: 40}) for day in range(63) if day != 1]
    three = publish(gather(made([*passed, (130, "approaching", {48: 3})], 63, dead)))
    assert [n for _, n in three.spans] == [243, *[280] * 8]
    assert three.adt is None
    five = publish(gather(made([*passed, (130, "approaching", {48: 5})], 63, dead)))
    assert five.adt == 40
