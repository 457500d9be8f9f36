"""Numbers and dates as people write them, by tables made by hand; and nouns after a number."""

from __future__ import annotations

import gettext
from datetime import UTC, date, datetime
from io import BytesIO
from math import isclose

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given
from hypothesis import strategies as st

from speedsign.language import LANGUAGES, Language, language
from tests.languages.catalogues import PLURALS

N = "\N{NO-BREAK SPACE}"
M = "\N{MINUS SIGN}"

# zeros and tens | one | few or other, as grammars have them
LV = {0: "zero", 1: "one", 2: "other", 10: "zero", 11: "zero", 21: "one", 101: "one", 111: "zero"}
LT = {0: "other", 1: "one", 2: "few", 10: "other", 11: "other", 21: "one", 101: "one", 111: "other"}
MORE_LV = {
    9: "other",
    12: "zero",
    19: "zero",
    20: "zero",
    22: "other",
    100: "zero",
    1000: "zero",
    1001: "one",
}
MORE_LT = {
    9: "few",
    12: "other",
    19: "other",
    20: "other",
    22: "few",
    100: "other",
    1000: "other",
    1001: "one",
}
ORDER = {"lv": ("zero", "one", "other"), "lt": ("one", "few", "other")}


@pytest.mark.parametrize(
    ("code", "n", "form"),
    [
        *(("lv", n, form) for n, form in {**LV, **MORE_LV}.items()),
        *(("lt", n, form) for n, form in {**LT, **MORE_LT}.items()),
    ],
)
def test_a_noun_has_the_form_that_its_number_asks_for(code: str, n: int, form: str) -> None:
    found = Catalog(locale=code)
    found.mime_headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Plural-Forms", PLURALS[code].rstrip(";")),
    ]
    found.add(("a", "b"), ORDER[code])
    made = BytesIO()
    write_mo(made, found)
    made.seek(0)
    assert gettext.GNUTranslations(made).ngettext("a", "b", n) == form


@pytest.mark.parametrize(
    ("code", "n", "text"),
    [
        ("lv", 0, "0 dienu"),
        ("lv", 1, "1 diena"),
        ("lv", 2, "2 dienas"),
        ("lv", 10, "10 dienu"),
        ("lv", 11, "11 dienu"),
        ("lv", 21, "21 diena"),
        ("lv", 101, "101 diena"),
        ("lv", 111, "111 dienu"),
        ("lt", 0, "0 dienų"),
        ("lt", 1, "1 diena"),
        ("lt", 2, "2 dienos"),
        ("lt", 10, "10 dienų"),
        ("lt", 11, "11 dienų"),
        ("lt", 21, "21 diena"),
        ("lt", 101, "101 diena"),
        ("lt", 111, "111 dienų"),
        ("en", 0, "0 days"),
        ("en", 1, "1 day"),
        ("en", 21, "21 days"),
        ("en", 1234, "1,234 days"),
        ("lv", 1234, f"1{N}234 dienas"),
    ],
)
def test_the_catalogues_that_are_shipped_know_it(code: str, n: int, text: str) -> None:
    assert language(code).say_n("{n} day", "{n} days", n) == text


@pytest.mark.parametrize(
    ("n", "lv", "en"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (1000, f"1{N}000", "1,000"),
        (1234567, f"1{N}234{N}567", "1,234,567"),
        (-1234, f"{M}1{N}234", f"{M}1,234"),
    ],
)
def test_counts(n: int, lv: str, en: str) -> None:
    assert (language("lv").count(n), language("lt").count(n), language("en").count(n)) == (lv, lv, en)


@pytest.mark.parametrize(
    ("value", "digits", "lv", "en"),
    [
        (57.25, 1, "57,3", "57.3"),  # a half goes up, as spreadsheets show it
        (57.349, 1, "57,3", "57.3"),
        (0.05, 1, "0,1", "0.1"),
        (1234.5, 1, f"1{N}234,5", "1,234.5"),
        (1234.5, 0, f"1{N}235", "1,235"),
        (-1.25, 1, f"{M}1,3", f"{M}1.3"),
        (-0.04, 1, "0,0", "0.0"),
        (0.0, 1, "0,0", "0.0"),
        (2, 2, "2,00", "2.00"),
        (1e-7, 1, "0,0", "0.0"),
        (1e15, 0, f"1{N}000{N}000{N}000{N}000{N}000", "1,000,000,000,000,000"),
    ],
)
def test_decimals(value: float, digits: int, lv: str, en: str) -> None:
    found = [language(code).decimal(value, digits) for code in LANGUAGES]
    assert found == [lv, lv, en]


def test_changes_carry_their_sign() -> None:
    lv = language("lv")
    assert [lv.decimal(value, signed=True) for value in (0.4, -1.2, 0.0, -0.01)] == [
        "+0,4",
        f"{M}1,2",
        "0,0",
        "0,0",
    ]
    assert lv.points(-0.0525) == f"{M}5,3"
    assert lv.points(0.1) == "+10,0"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.125, "12,5"), (0.3125, "31,3"), (0.285, "28,5"), (0.0005, "0,1"), (1.0, "100,0"), (0.0, "0,0")],
)
def test_shares_are_per_cent_with_a_space(share: float, text: str) -> None:
    assert language("lv").percent(share) == language("lt").percent(share) == f"{text}{N}%"
    assert language("en").percent(share) == f"{text.replace(',', '.')}{N}%"


def test_speeds() -> None:
    assert language("lt").speed(57.3) == f"57,3{N}km/h"
    assert language("en").speed(50, 0) == f"50{N}km/h"


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_what_is_written_is_the_number_rounded(value: float) -> None:
    text = language("lt").decimal(value, 2).replace(N, "").replace(M, "-").replace(",", ".")
    assert isclose(float(text), value, abs_tol=0.005000001)


DAYS = {
    date(2026, 1, 1): ("2026. gada 1. janvāris", "2026 m. sausio 1 d.", "1 January 2026"),
    date(2026, 2, 28): ("2026. gada 28. februāris", "2026 m. vasario 28 d.", "28 February 2026"),
    date(2026, 3, 3): ("2026. gada 3. marts", "2026 m. kovo 3 d.", "3 March 2026"),
    date(2026, 4, 30): ("2026. gada 30. aprīlis", "2026 m. balandžio 30 d.", "30 April 2026"),
    date(2026, 5, 4): ("2026. gada 4. maijs", "2026 m. gegužės 4 d.", "4 May 2026"),
    date(2026, 6, 23): ("2026. gada 23. jūnijs", "2026 m. birželio 23 d.", "23 June 2026"),
    date(2026, 7, 6): ("2026. gada 6. jūlijs", "2026 m. liepos 6 d.", "6 July 2026"),
    date(2026, 8, 15): ("2026. gada 15. augusts", "2026 m. rugpjūčio 15 d.", "15 August 2026"),
    date(2026, 9, 1): ("2026. gada 1. septembris", "2026 m. rugsėjo 1 d.", "1 September 2026"),
    date(2026, 10, 25): ("2026. gada 25. oktobris", "2026 m. spalio 25 d.", "25 October 2026"),
    date(2026, 11, 18): ("2026. gada 18. novembris", "2026 m. lapkričio 18 d.", "18 November 2026"),
    date(2026, 12, 31): ("2026. gada 31. decembris", "2026 m. gruodžio 31 d.", "31 December 2026"),
}


@pytest.mark.parametrize(("day", "texts"), DAYS.items())
def test_days(day: date, texts: tuple[str, str, str]) -> None:
    assert tuple(language(code).day(day) for code in LANGUAGES) == texts


def test_days_in_tables() -> None:
    day = date(2026, 5, 4)
    assert [language(code).short_day(day) for code in LANGUAGES] == [
        "04.05.2026.",
        "2026-05-04",
        "2026-05-04",
    ]


def test_weekdays_begin_on_monday() -> None:
    names = [[language(code).weekday(day) for day in (0, 3, 6)] for code in LANGUAGES]
    assert names == [
        ["pirmdiena", "ceturtdiena", "svētdiena"],
        ["pirmadienis", "ketvirtadienis", "sekmadienis"],
        ["Monday", "Thursday", "Sunday"],
    ]
    short = ["".join(language(code).weekday(day, short=True) for day in range(7)) for code in LANGUAGES]
    assert short == ["PrOtTrCePkSeSv", "PrAnTrKtPnŠtSk", "MonTueWedThuFriSatSun"]


def test_months_and_clocks() -> None:
    assert [language(code).month(12) for code in LANGUAGES] == ["decembris", "gruodžio", "December"]
    assert language("lv").clock(datetime(2026, 5, 4, 7, 5, tzinfo=UTC)) == "07:05"


def test_other_languages_are_refused() -> None:
    with pytest.raises(ValueError, match="'de' is not one of lv, lt, en"):
        Language("de")


def test_what_no_catalogue_has_stays_english_and_nothing_stays_nothing() -> None:
    lv = language("lv")
    assert (
        lv.say("Not in any catalogue: {n} {name}", n=1, name="{braces}") == "Not in any catalogue: 1 {braces}"
    )
    assert lv.say("") == ""


def test_a_date_s_own_stop_ends_the_sentence() -> None:
    lt = language("lt")
    assert lt.say("Until {day}.", day=lt.day(date(2026, 5, 4))) == "Until 2026 m. gegužės 4 d."
    assert lt.say("Wait...") == "Wait..."
    assert lt.say("Until {day}.", day="now") == "Until now."
