"""Values as text: what a cell holds in each language, marks, nothing, and the night of two equal hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from speedsign.language import LANGUAGES, language
from telemetry.report.document import Kind, Marked, Value, plain
from telemetry.report.values import NOTHING, with_unit, written
from tests.report.documents import EVERY_KIND

N = "\N{NO-BREAK SPACE}"
M = "\N{MINUS SIGN}"
RIGA = ZoneInfo("Europe/Riga")


def test_every_kind_of_value_in_every_language() -> None:
    kinds = [column.kind for column in EVERY_KIND.columns]
    texts = {
        code: [
            written(value, kind, language(code))
            for value, kind in zip(EVERY_KIND.rows[0], kinds, strict=True)
        ]
        for code in LANGUAGES
    }
    assert texts["en"] == [
        *("first", "1,234,567", "1,234.5", "57.3", "50", f"{M}1.3", f"12.5{N}%", f"{M}5.3"),
        *("2026-05-04", "2026-10-25 03:30 +02:00", "2.5"),
    ]
    assert texts["lv"] == [
        *("first", f"1{N}234{N}567", f"1{N}234,5", "57,3", "50", f"{M}1,3", f"12,5{N}%", f"{M}5,3"),
        *("04.05.2026.", "25.10.2026. 03:30 +02:00", "2,5"),
    ]
    assert texts["lt"] == [*texts["lv"][:8], "2026-05-04", "2026-10-25 03:30 +02:00", "2,5"]


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_is_a_dash_and_keeps_its_mark(kind: Kind) -> None:
    en = language("en")
    assert written(None, kind, en) == with_unit(None, kind, en) == NOTHING
    assert (
        written(Marked(None, "**"), kind, en) == with_unit(Marked(None, "**"), kind, en) == f"{NOTHING}{N}**"
    )


@pytest.mark.parametrize(
    ("value", "kind", "lv", "lt"),
    [
        (57.3, Kind.SPEED, f"57,3{N}km/h", f"57,3{N}km/h"),
        (Marked(57.3, "*"), Kind.SPEED, f"57,3{N}km/h{N}*", f"57,3{N}km/h{N}*"),
        (50, Kind.KMH, f"50{N}km/h", f"50{N}km/h"),
        (0.4, Kind.CHANGE, f"+0,4{N}km/h", f"+0,4{N}km/h"),
        (2.5, Kind.SECONDS, f"2,5{N}s", f"2,5{N}s"),
        (0.02, Kind.POINTS, f"+2,0{N}p.p.", f"+2,0{N}proc.{N}p."),
        (0.02, Kind.SHARE, f"2,0{N}%", f"2,0{N}%"),
        (1000, Kind.COUNT, f"1{N}000", f"1{N}000"),
    ],
)
def test_alone_a_value_has_its_unit(value: Value, kind: Kind, lv: str, lt: str) -> None:
    assert (with_unit(value, kind, language("lv")), with_unit(value, kind, language("lt"))) == (lv, lt)


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    twice = [datetime(2026, 10, 25, 3, 30, tzinfo=RIGA, fold=fold) for fold in (0, 1)]
    texts = [written(moment, Kind.TIME, language("lt")) for moment in twice]
    assert texts == ["2026-10-25 03:30 +03:00", "2026-10-25 03:30 +02:00"]
    once = datetime(2026, 10, 25, 4, 0, tzinfo=RIGA)
    assert written(once, Kind.TIME, language("lt")) == "2026-10-25 04:00"
    spring = datetime(2026, 3, 29, 4, 0, tzinfo=RIGA)
    assert written(spring, Kind.TIME, language("lt")) == "2026-03-29 04:00"


def test_a_plain_value_has_no_mark() -> None:
    assert plain(Marked(3, "*")) == plain(3) == 3
