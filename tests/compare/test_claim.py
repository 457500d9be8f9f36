"""What is said: one sentence, never more than the data allow, in every language and format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.language import LANGUAGES, language
from telemetry.compare import split
from telemetry.compare.answer import Claim, Comparison
from telemetry.compare.as_json import compare_json
from telemetry.compare.claim import sentence
from telemetry.compare.controls import ControlChange, Controlled
from telemetry.compare.document import compare_document
from telemetry.compare.measures import MEASURES, Road
from telemetry.compare.passing import Drop, DropChange
from telemetry.compare.sides import Change, Draws, Side
from telemetry.compare.text import WIDTH, text_lines
from telemetry.report.csv_text import render_csv
from telemetry.report.document import Document, Paragraph, Quote
from tests.compare.roads import MONDAY, SITE

# effect, ietekme, efekts; poveikis, efektas; in any form
EFFECT = re.compile("effect|efekt|ietekm|poveik", re.IGNORECASE)
LEVELS = (50.0, 49.0, 57.0, 0.4, 0.1, 30.0)

change_of = st.tuples(
    st.floats(-60, 60, allow_nan=False), st.one_of(st.none(), st.floats(0, 40, allow_nan=False))
)


def change(measure: str, level: float, difference: float, half: float | None) -> Change:
    scale = 1.0 if measure.endswith("kmh") else 0.01
    difference *= scale
    if half is None:
        return Change(measure, level, level + difference, difference)
    return Change(
        measure, level, level + difference, difference, difference - half * scale, difference + half * scale
    )


def side(key: str, n: int = 5000, days: int = 14) -> Side:
    dates = tuple(MONDAY + timedelta(days=at) for at in range(days))
    return Side(key, dates, days * 24, n, (1.0,), LEVELS, 0.99)


def comparison(
    difference: float, half: float | None, *, baseline: bool = True, controls: int = 0, n: int = 5000
) -> Comparison:
    changes = tuple(
        change(measure, level, difference, half) for measure, level in zip(MEASURES, LEVELS, strict=True)
    )
    sides = side("before", n), side("after", n)
    found = Comparison(
        Road(50), Draws(), baseline, False, False, *sides, changes, 168, {split.LITTLE: 3}, 2, 4, undated=1
    )
    drop = Drop(n, sides[0].dates, 1.5)
    found = replace(found, passing=DropChange(drop, drop, 0.2, -0.3, 0.7))
    if controls:
        one = ControlChange("Iecava", *sides, changes[:5])
        found = replace(found, controls=Controlled(600, *sides, changes[:5], (one,) * controls, changes[:5]))
    return found


def everything(found: Comparison, code: str) -> Iterator[str]:
    """All that a reader gets to see."""
    words = language(code)
    yield sentence(found, words)
    yield "\n".join(text_lines(found, SITE, "approaching", words))
    yield json.dumps(compare_json(found, SITE, "approaching", words), ensure_ascii=False)
    yield from texts(compare_document(found, SITE, "approaching", words, made="now"))


def texts(document: Document) -> Iterator[str]:
    yield from (document.title, document.subtitle, *document.keywords)
    yield render_csv(document)
    for block in document.blocks:
        yield repr(block)


# --------------------------------------------------------------------------- the word


@settings(max_examples=400, deadline=None)
@given(
    change_of,
    st.sampled_from(LANGUAGES),
    st.integers(0, 3),
    st.integers(0, 200),
    st.booleans(),
)
def test_without_a_baseline_nothing_speaks_of_what_the_sign_did(
    values: tuple[float, float | None], code: str, controls: int, n: int, backwards: bool
) -> None:
    found = comparison(*values, baseline=False, controls=controls, n=n)
    found = replace(found, lit_then_dark=backwards, shown_unknown=not backwards)
    for text in everything(found, code):
        assert not EFFECT.search(text), text


@settings(max_examples=2000, deadline=None)
@given(change_of, st.sampled_from(LANGUAGES), st.integers(0, 3), st.integers(0, 10_000))
def test_no_sentence_without_a_baseline_does(
    values: tuple[float, float | None], code: str, controls: int, n: int
) -> None:
    found = comparison(*values, baseline=False, controls=controls, n=n)
    assert found.claim is Claim.NO_BASELINE
    assert not EFFECT.search(sentence(found, language(code)))


def test_the_word_would_be_found() -> None:
    """So that the two above can fail: with a baseline and a control site it is there in every language."""
    for code in LANGUAGES:
        assert EFFECT.search(sentence(comparison(-2.0, 0.5, controls=1), language(code))), code


# --------------------------------------------------------------------------- the claims


@pytest.mark.parametrize(
    ("difference", "half", "controls", "claim", "wanted"),
    [
        (-2.0, None, 0, Claim.TOO_FEW, "too few days or vehicles"),
        (-2.0, 2.5, 0, Claim.UNCLEAR, "No clear effect of the sign"),
        (-2.0, 1.5, 0, Claim.LOWER, "2.0 km/h lower than while it was dark"),
        (2.0, 1.5, 0, Claim.HIGHER, "2.0 km/h higher than while it was dark"),
        (-2.0, None, 1, Claim.TOO_FEW, "too few days or vehicles"),
        (-2.0, 2.5, 1, Claim.CONTROL_UNCLEAR, "beyond what changed at 1 control site,"),
        (
            -2.0,
            1.5,
            1,
            Claim.CONTROL_LOWER,
            "lower than while it was dark, beyond what changed at 1 control site",
        ),
        (2.0, 1.5, 2, Claim.CONTROL_HIGHER, "beyond what changed at 2 control sites"),
    ],
)
def test_each_claim_has_its_sentence(
    difference: float, half: float | None, controls: int, claim: Claim, wanted: str
) -> None:
    found = comparison(difference, half, controls=controls)
    assert found.claim is claim
    assert wanted in sentence(found, language("en")).replace("\N{NO-BREAK SPACE}", " ")


def test_without_a_control_site_other_causes_are_named() -> None:
    text = sentence(comparison(-2.0, 1.5), language("en"))
    assert "other causes than the sign cannot be ruled out without a control site" in text


@pytest.mark.parametrize(
    ("half", "wanted"), [(1.5, "other causes"), (2.5, "includes zero"), (None, "too few")]
)
def test_two_times_without_a_baseline(half: float | None, wanted: str) -> None:
    text = sentence(comparison(-2.0, half, baseline=False), language("en"))
    assert wanted in text
    assert "not dark in the first and lit in the second" in text


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("baseline", [True, False])
def test_numbers_of_fewer_than_thirty_vehicles_are_not_shown_to_people(code: str, baseline: bool) -> None:
    words = language(code)
    found = comparison(-2.0, None, baseline=baseline, n=29)
    text = "\n".join(text_lines(found, SITE, "approaching", words))
    for speed in (57.0, 55.0, 50.0, 48.0, 49.0, 47.0):
        assert words.decimal(speed) not in text.replace("limit 50", "")
    assert compare_json(found, SITE, "approaching", words)["before"]["v85_kmh"] == 57.0  # type: ignore[index]


def test_numbers_of_fewer_than_a_hundred_are_marked() -> None:
    text = "\n".join(text_lines(comparison(-2.0, 1.0, n=99), SITE, "approaching", language("en")))
    assert re.search(r"V85 +57.0.km/h.\*", text)
    assert "fewer than 100 vehicles" in text


# --------------------------------------------------------------------------- the forms


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("controls", [0, 2])
@pytest.mark.parametrize("baseline", [True, False])
def test_the_text_fits_a_terminal(code: str, controls: int, baseline: bool) -> None:
    found = comparison(-2.0, 1.5, controls=controls, baseline=baseline)
    for line in text_lines(found, SITE, "approaching", language(code)):
        assert len(line) <= WIDTH, line


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_form_says_the_same_sentence(code: str) -> None:
    words = language(code)
    found = comparison(-2.0, 1.5, controls=1)
    said = sentence(found, words)
    assert compare_json(found, SITE, "approaching", words)["sentence"] == said
    document = compare_document(found, SITE, "approaching", words, made="now")
    assert [block.text for block in document.blocks if isinstance(block, Quote)] == [said]
    text = " ".join("\n".join(text_lines(found, SITE, "approaching", words)).split())
    assert " ".join(said.split()) in text


def test_what_was_left_out_is_told() -> None:
    text = "\n".join(text_lines(comparison(-2.0, 1.5), SITE, "approaching", language("en")))
    assert "3 hours left out: measured less than 75 %" in text
    assert "4 vehicles are left out because it is not known what they were shown" in text
    assert "1 vehicle is left out because nobody vouches for its time" in text


def test_traffic_that_changed_is_told() -> None:
    found = comparison(-2.0, 1.5)
    more = Change("vehicles_per_hour", 30.0, 40.0, 10.0, 5.0, 15.0)
    found = replace(found, changes=(*found.changes[:5], more))
    text = "\n".join(text_lines(found, SITE, "approaching", language("en")))
    assert "Traffic itself changed: 30.0 vehicles an hour before, 40.0 after" in text


def test_dark_days_given_the_wrong_way_round_are_told() -> None:
    found = replace(comparison(-2.0, 1.5, baseline=False), lit_then_dark=True)
    document = compare_document(found, SITE, "approaching", language("en"), made="now")
    said = " ".join(block.text for block in document.blocks if isinstance(block, Paragraph))
    assert "give the dark days with --before" in said


def test_a_document_of_few_vehicles_can_be_made() -> None:
    found = comparison(-2.0, None, n=3)
    document = compare_document(found, SITE, "both", language("lv"), made="now")
    assert {table.key for table in document.tables()} >= {"sides", "speeds", "shares", "traffic", "left_out"}


@pytest.mark.parametrize("half", [None, 0.5, 3.0])
@pytest.mark.parametrize("code", LANGUAGES)
def test_what_nobody_knows_is_not_called_lit_or_dark(code: str, half: float | None) -> None:
    found = comparison(-2.0, half, baseline=False)
    words = language(code)
    known, unknown = sentence(found, words), sentence(replace(found, shown_unknown=True), words)
    parts = {"en": "not known what", "lv": "Nav zināms, ko", "lt": "Nežinoma, ką"}
    assert parts[code] in unknown
    assert parts[code] not in known
    assert known[:40] == unknown[:40]


@pytest.mark.parametrize(
    ("difference", "half", "claim", "printed"),
    [
        (0.54, 0.50, Claim.UNCLEAR, "0.0 to +1.0"),
        (0.55, 0.50, Claim.HIGHER, "+0.1 to +1.1"),
        (-0.54, 0.50, Claim.UNCLEAR, "−1.0 to 0.0"),
        (-0.56, 0.50, Claim.LOWER, "−1.1 to −0.1"),
    ],
)
@pytest.mark.parametrize("controls", [0, 1])
def test_a_claim_never_contradicts_the_range_beside_it(
    difference: float, half: float, claim: Claim, printed: str, controls: int
) -> None:
    found = comparison(difference, half, controls=controls)
    assert found.claim.value == ("control_" if controls else "") + claim.value
    assert printed in sentence(found, language("en"))


def test_a_document_says_what_its_numbers_are_of() -> None:
    found = comparison(-2.0, 0.5, controls=1)
    at = datetime(2026, 6, 1, 8, tzinfo=UTC)
    document = compare_document(found, SITE, "approaching", language("lv"), made="now", made_at=at)
    facts = dict(document.facts)
    assert document.made_at == at
    wanted = {
        "site": "Bauska, Rīgas iela",
        "limit_kmh": 50,
        "direction": "approaching",
        "claim": "control_lower",
        "before_from": MONDAY,
        "after_to": MONDAY + timedelta(days=13),
        "resamples": 2000,
        "seed": 1,
        "control_site": "Iecava",
    }
    assert facts.items() >= wanted.items()
    assert "2\N{NO-BREAK SPACE}000" in str(facts["method"])
    text = render_csv(document)
    for value in ("Iecava", "control_lower", str(facts["method"]), sentence(found, language("lv"))):
        assert value in text.replace('""', '"')
