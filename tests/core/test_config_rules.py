"""What a config may say of rules, words, windows and studies; each refusal with its line and its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from speedsign.config.load import parse_config
from speedsign.config.page_relations import page_problems
from speedsign.config.schema import Config
from speedsign.errors import ConfigError
from speedsign.ports import DIGIT_GLYPHS, Capabilities

HEAD = """[sign]
id = "test-sign"
limit_kmh = 50
{sign}
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
{rest}
"""
FIRST = 8  # the line of the first line of `rest`
NAME = '[[rules.schedule]]\nname = "one"\n'


def parse(rest: str, sign: str = "") -> Config:
    return parse_config(HEAD.format(sign=sign, rest=rest), "sign.toml")


def problems(rest: str, sign: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(rest, sign)
    return caught.value.problems


@pytest.mark.parametrize(
    ("rest", "line", "said"),
    [
        ("[rules]\ntoo_fast_kmh = 50", 2, "too_fast_kmh = 50: must be above the limit, 50, and at most"),
        ("[rules]\ntoo_fast_kmh = 101", 2, "must be above the limit, 50, and at most the ceiling, 100"),
        ("[rules]\nminimum_kmh = 100", 2, "minimum_kmh = 100: must be below ceiling_kmh, 100: if not"),
        (NAME + "ceiling_kmh = 45", 3, "#1 ceiling_kmh = 45: must be at least the limit, 50"),
        (NAME + "limit_kmh = 5", 3, "#1 limit_kmh = 5: ceiling_kmh is then 10 and must be above minimum_kmh"),
        ("[rules]\ntoo_fast_kmh = 70\n" + NAME + "limit_kmh = 70", 5, "too_fast_kmh is then 70 and must"),
        ("[rules]\nwithin = []", 2, "must name at least one page"),
        ('[rules]\nwithin = ["speed", "=A", "=C", "=E", "=F"]', 2, "has 5 pages"),
        ('[rules]\nwithin = ["="]', 2, "entry 1 = '=': has no text behind its ="),
        ('[rules]\nwithin = ["=a\\nb"]', 2, "must be one line"),
        ('[rules]\nover = ["thank"]', 2, "known are speed, dark, thanks, slower"),
        ('[rules]\nover = ["speed", "dark"]', 2, "flashing, by writing again and again"),
        ('[rules]\npage_s = 0.5\nmin_change_interval_s = 1\nover = ["speed", "slower"]', 2, "at least min"),
        ('[rules]\nbeacon = ["over"]', 2, "needs the table [beacon]"),
        (NAME + 'beacon = ["over"]', 3, "needs the table [beacon]"),
        (NAME + 'start = "24:00"', 3, "is the end of a day; write 00:00"),
        (NAME + 'start = "08:00"\nend = "08:00"', 4, "a whole day is 00:00 to 24:00"),
        (NAME + 'end = "24:01"', 3, "is no time of day"),
        (NAME + 'dates = ["12-20", "2-3"]', 3, "dates, entry 2 = '2-3': is no date"),
        (NAME + 'dates = ["2026-05-02..2026-05-01"]', 3, "ends before it begins"),
        (NAME + 'school = "only"', 3, "needs school_terms in [calendar]"),
        (NAME + NAME, 4, "is the name of table 1 too"),
        ('[calendar]\nholidays = ["2026-02-29"]', 2, "is a day that no calendar has"),
        ('[calendar]\nschool_terms = ["09-01..13-01"]', 2, "names a day that no calendar has: 13-01"),
    ],
)  # fmt: skip
def test_refused(rest: str, line: int, said: str) -> None:
    (found,) = problems(rest)
    assert found.startswith(f"sign.toml:{FIRST + line - 1}: ")
    assert said in found


def test_a_limit_whose_own_ceiling_is_too_low_is_said_at_the_limit() -> None:
    text = HEAD.format(sign="", rest="").replace("limit_kmh = 50", "limit_kmh = 5")
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "sign.toml")
    (found,) = caught.value.problems
    assert found == (
        "sign.toml:3: [sign] limit_kmh = 5: ceiling_kmh is then 10, twice the limit, and must be above "
        "minimum_kmh, which is 10; set ceiling_kmh, or a lower minimum_kmh, in [rules]"
    )


def test_dark_windows_need_no_thresholds() -> None:
    parse(NAME + "dark = true\nlimit_kmh = 5")


def test_dark_windows_need_thresholds_where_another_lights_them() -> None:
    """Two tables at a time are looked at; the third only cancels the darkness of the first."""
    works = NAME + "dark = true\nlimit_kmh = 50\n"
    school = NAME.replace("one", "two") + "ceiling_kmh = 25\n"
    lit = NAME.replace("one", "three") + "dark = false\n"
    slow = "[rules]\nceiling_kmh = 60\n"
    parse(slow + works.replace("50", "90"))
    (found,) = problems(slow + works.replace("50", "90") + lit)
    assert "#1 limit_kmh = 90: ceiling_kmh is then 60 and must be at least the limit, 90" in found
    pair = works.replace("50", "60") + school.replace("25", "55")
    parse(pair)
    (found,) = problems(pair + lit)
    assert "#2 ceiling_kmh = 55: must be at least the limit, 60" in found


TWO = """[[rules.schedule]]
name = "road works"
limit_kmh = 90
{first}
[[rules.schedule]]
name = "school"
ceiling_kmh = 60
{second}
"""


def test_two_tables_that_hold_together_must_fit_together() -> None:
    (found,) = problems(TWO.format(first="", second=""))
    assert found == (
        "sign.toml:14: [[rules.schedule]] #2 ceiling_kmh = 60: must be at least the limit, 90: "
        'else speeding is never shown; while "road works" is in force too'
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('days = ["mon"]', 'days = ["tue", "sun"]'),
        ('start = "08:00"\nend = "10:00"', 'start = "10:00"\nend = "12:00"'),
        ('days = ["sun"]\nstart = "22:00"\nend = "06:00"', 'days = ["mon"]\nstart = "06:00"'),
        ('dates = ["11-01..03-31"]', 'dates = ["04-01..10-31"]'),
        ('dates = ["2027-02-01..2027-02-10"]', 'dates = ["02-11..03-01", "2026-02-05"]'),
        ('holidays = "only"', 'holidays = "except"'),
    ],
)
def test_tables_that_never_meet_need_not_fit(first: str, second: str) -> None:
    parse(TWO.format(first=first, second=second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('days = ["sun"]\nstart = "22:00"\nend = "06:00"', 'days = ["mon"]\nend = "00:01"'),
        ('days = ["mon"]\nend = "00:01"', 'days = ["sun"]\nstart = "22:00"\nend = "06:00"'),
        ('dates = ["11-01..03-31"]', 'dates = ["03-31..10-31"]'),
        ('dates = ["2027-02-01..2027-02-10"]', 'dates = ["02-10"]'),
        ('dates = ["2027-01-01..2029-01-01"]', 'dates = ["07-04"]'),
    ],
)
def test_tables_that_may_meet_must_fit(first: str, second: str) -> None:
    assert len(problems(TWO.format(first=first, second=second))) == 1


# --------------------------------------------------------------------------- countries


@pytest.mark.parametrize(
    ("sign", "rest", "said"),
    [
        ('timezone = "America/Chicago"', '[rules]\nwithin = ["thanks"]', "FHWA 2(09)-166(E)"),
        ('country = "us"', '[rules]\nover = ["=BUS"]', "allows no words"),
        ('country = "us"', '[rules]\nblink = ["over"]', "FHWA interpretation 2(09)-79(I)"),
        ('country = "other"', '[rules]\nblink = ["over"]', "allows no blinking"),
        ('timezone = "Europe/Berlin"', '[rules]\nover = ["speed", "slower"]', "allows no pages in turn"),
        ('country = "other"', NAME + 'holidays = "only"', "needs holidays in [calendar], or sign.country"),
    ],
)
def test_what_a_country_does_not_allow_is_refused_with_the_source(sign: str, rest: str, said: str) -> None:
    (found,) = problems(rest, sign)
    assert said in found


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Vilnius"])
def test_latvia_and_lithuania_allow_words_in_turn_and_blinking(zone: str) -> None:
    parse('[rules]\nwithin = ["speed", "thanks"]\nblink = ["over"]', f'timezone = "{zone}"')


def test_numbers_are_good_everywhere() -> None:
    for country in ("lv", "lt", "us", "other"):
        parse('[rules]\nwithin = ["dark"]\nover = ["speed"]', f'country = "{country}"')


# --------------------------------------------------------------------------- panels

PANEL = Capabilities(
    digits=4,
    can_blank=True,
    brightness_levels=0,
    reads_back=False,
    own_timeout_s=None,
    lights_at_power_up=False,
    cells=7,
    glyphs=DIGIT_GLYPHS | set("ABCDEFGHIJKLMNOPQRSTUVWXYZĀĒ"),
    blinks=True,
)


def on_panel(panel: Capabilities, rest: str, sign: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said of a config when its panel can do this."""

    class Driver:
        capabilities = panel

    monkeypatch.setattr("speedsign.config.page_relations.load_display", lambda *_: Driver)
    config = parse('[display]\ndriver = "dm56a04"\nport = "/dev/x"\n', sign)
    return [str(problem) for problem in page_problems(replace(config, rules=parse(rest, sign).rules))]


def test_words_of_which_the_panel_has_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = '[rules]\nwithin = ["thanks"]\nover = ["speed", "slower"]\nblink = ["over"]'
    assert on_panel(PANEL, rest, 'language = "lv"', monkeypatch) == []


def test_a_letter_that_the_panel_lacks_is_named_and_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = f'[rules]\n{NAME}over = ["speed", "slower"]\ntoo_fast = ["=ĢŠ"]'
    found = on_panel(PANEL, rest, 'language = "lt"', monkeypatch)
    assert found == [
        "[[rules.schedule]] #1 over, entry 2 = 'slower': is 'LĖČIAU', and the panel (dm56a04) has no 'Č' 'Ė'",
        "[[rules.schedule]] #1 too_fast, entry 1 = '=ĢŠ': is 'ĢŠ', and the panel (dm56a04) has no 'Ģ' 'Š'",
    ]


TEXT_PANEL = """[display]
driver = "registers"
port = "/dev/x"
[display.registers]
kind = "text"
address = 0
cells = 8
encoding = "iso8859-13"
glyphs = "ACDEIKLNPSŪ"
[rules]
within = ["thanks"]
"""


def test_a_word_that_the_panel_cannot_write_is_refused() -> None:
    """The whole way, with the panel that the config describes."""
    parse(TEXT_PANEL, 'language = "lv"')
    (found,) = problems(TEXT_PANEL, 'language = "lt"\ncountry = "lt"')
    assert found == (
        "sign.toml:19: [rules] within, entry 1 = 'thanks': is 'AČIŪ', and the panel (registers) has no 'Č'"
    )
    shorter = TEXT_PANEL.replace("cells = 8", "cells = 6")
    (found,) = problems(shorter, 'language = "lv"')
    assert found.endswith("is 'PALDIES', 7 characters, and the panel (registers) has 6")


def test_a_word_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = on_panel(PANEL, '[rules]\nover = ["slower"]', 'language = "en"', monkeypatch)
    assert found.endswith("is 'SLOW DOWN', 9 characters, and the panel (dm56a04) has 7")


def test_a_panel_of_digits_shows_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = replace(PANEL, cells=0, blinks=False)
    found = on_panel(digits, '[rules]\nover = ["slower"]\nblink = ["over"]', "", monkeypatch)
    assert len(found) == 2
    assert found[0].endswith("is 'SLOW DOWN', and the panel (dm56a04) shows numbers only")
    assert found[1].endswith("does not blink by itself; it is not written to blink")


# --------------------------------------------------------------------------- studies

STUDY = '[[study]]\nname = "{}"\nfirst = {}\nlast = {}\ndisplay = "dark"\n'


def test_phases_that_follow_each_other() -> None:
    rest = STUDY.format("dark", "2026-05-01", "2026-05-14") + STUDY.format("on", "2026-05-15", "2026-05-15")
    assert [phase.first.day for phase in parse(rest).study] == [1, 15]


def test_phases_that_overlap_or_end_before_they_begin() -> None:
    rest = STUDY.format("spring", "2026-05-01", "2026-05-14") + STUDY.format("b", "2026-05-14", "2026-05-20")
    rest += STUDY.format("c", "2026-06-02", "2026-06-01")
    assert problems(rest) == [
        "sign.toml:15: [[study]] #2 first = '2026-05-14': overlaps #1, \"spring\" (2026-05-01 to 2026-05-14)",
        "sign.toml:21: [[study]] #3 last = '2026-06-01': is before the first day, 2026-06-02",
    ]


def test_two_phases_of_one_name_cannot_be_told_apart() -> None:
    rest = STUDY.format("a", "2026-05-01", "2026-05-14") + STUDY.format("a", "2026-05-15", "2026-05-20")
    assert problems(rest) == ["sign.toml:14: [[study]] #2 name = 'a': is the name of phase 1 too"]


# --------------------------------------------------------------------------- how many

DISPLAY = '[display]\ndriver = "dm56a04"\nport = "/dev/p"\n'
DAYS = '["' + '", "'.join(["05-04"] * 400) + '"]'


@pytest.mark.parametrize(
    ("most", "one_more", "said"),
    [
        (
            "".join(NAME.replace("one", str(n)) + f'dates = ["{1900 + n}-01-01"]\n' for n in range(100)),
            NAME,
            "[rules] schedule: has too many entries: at most 100",
        ),
        (
            "".join(STUDY.format(n, f"{1900 + n}-01-01", f"{1900 + n}-01-02") for n in range(100)),
            STUDY.format("more", "2026-01-01", "2026-01-02"),
            "[study]: has too many entries: at most 100",
        ),
        (NAME + "dates = " + DAYS[:-1], ', "05-04"', "dates: has too many entries: at most 400"),
        ("[calendar]\nholidays = " + DAYS[:-1], ', "05-04"', "[calendar] holidays: has too many"),
        ("[calendar]\nschool_terms = " + DAYS[:-1], ', "05-04"', "school_terms: has too many"),
        (
            DISPLAY + "mirror_units = [2, 3, 4",
            ", 5",
            "mirror_units: has too many entries: at most 3",
        ),
    ],
    ids=["tables", "phases", "dates", "holidays", "terms", "mirrors"],
)
def test_no_more_than_a_sign_can_think_about(most: str, one_more: str, said: str) -> None:
    end = "" if most.endswith("\n") else "]\n"
    parse(most + end)
    (found,) = problems(most + one_more + end)
    assert said in found
