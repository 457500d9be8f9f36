"""Documents to render: one with everything a report can hold, and the letters of both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from telemetry.report.document import (
    Block,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Heading,
    Kind,
    Marked,
    Paragraph,
    Quote,
    Table,
    Value,
)

LETTERS = "ĀČĒĢĪĶĻŅŠŪŽ āčēģīķļņšūž ĄČĘĖĮŠŲŪŽ ąčęėįšųūž"
RIGA = ZoneInfo("Europe/Riga")

EVERY_KIND = Table(
    key="kinds",
    title="Every kind of value",
    columns=(
        Column("name", "Name", Kind.TEXT),
        Column("n", "Vehicles", Kind.COUNT),
        Column("mean_n", "Vehicles per hour", Kind.MEAN),
        Column("v85_kmh", "V85, km/h", Kind.SPEED),
        Column("limit_kmh", "Limit, km/h", Kind.KMH),
        Column("change_kmh", "Change, km/h", Kind.CHANGE),
        Column("over_share", "Over the limit", Kind.SHARE),
        Column("change_share", "Change, percentage points", Kind.POINTS),
        Column("day", "Day", Kind.DATE),
        Column("time", "Time", Kind.TIME),
        Column("headway_s", "Headway, s", Kind.SECONDS),
    ),
    rows=(
        (
            *("first", 1_234_567, 1234.5, 57.25, 50, -1.25, 0.125, -0.0525, date(2026, 5, 4)),
            *(datetime(2026, 10, 25, 3, 30, tzinfo=RIGA, fold=1), 2.5),
        ),
        (
            *("<second> & \"quoted\" 'so' #panic() *b* $x$ \\", 0, 0.0, Marked(61.5, "*"), 50, 0.0, 0.0, 0.0),
            *(date(2026, 12, 31), datetime(2026, 7, 1, 12, 0, tzinfo=RIGA), 0.0),
        ),
        ("=1+1", Marked(None, "**"), *(None,) * 9),
    ),
    notes=("* fewer than 100 vehicles", "** fewer than 30 vehicles: not shown"),
)


def long_table(rows: int = 62) -> Table:
    """A row for each day, more than a page holds."""
    first = date(2026, 3, 1)

    def row(number: int) -> tuple[Value, ...]:
        day = first + timedelta(days=number)
        coverage: Value = 0.5 if number % 9 == 4 else 1.0
        return day, 1000 + 7 * number, Marked(57.0, "*") if number % 9 == 4 else 55.0 + number % 5, coverage

    columns = (
        Column("date", "Day", Kind.DATE),
        Column("n", "Vehicles", Kind.COUNT),
        Column("v85_kmh", "V85, km/h", Kind.SPEED),
        Column("coverage", "Coverage", Kind.SHARE),
    )
    return Table(
        "days", "By day", columns, tuple(row(number) for number in range(rows)), ("* measured in part",)
    )


def short_table() -> Table:
    """Ten rows and their sum."""
    columns = Column("band", "Speed band", Kind.TEXT), Column("n", "Vehicles", Kind.COUNT)
    rows = *((f"band {at}", 100 - at) for at in range(10)), ("All of them", 955)
    return Table("bands", "By speed band", columns, rows)


def bars(key: str, heights: tuple[int, ...]) -> str:
    """A small picture, of the kind that charts are."""
    rects = "".join(
        f'<rect x="{20 + 40 * at}" y="{120 - height}" width="30" height="{height}" fill="#0072b2"/>'
        for at, height in enumerate(heights)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 140" width="100%" role="img"'
        f' aria-labelledby="{key}-t {key}-d"><title id="{key}-t">Vehicles per hour</title>'
        f'<desc id="{key}-d">Most at eight.</desc>{rects}'
        f'<text x="20" y="135" font-family="sans-serif" font-size="12">{LETTERS[:11]}</text></svg>'
    )


def chart(key: str = "hours") -> Chart:
    heights = (10, 20, 90, 40, 30, 55)
    rows = tuple((f"{6 + at:02}", height) for at, height in enumerate(heights))
    columns = Column("hour", "Hour", Kind.TEXT), Column("n", "Vehicles", Kind.COUNT)
    table = Table(key, "Vehicles per hour", columns, rows)
    return Chart(
        f"{key}_chart", "Vehicles per hour", bars(key, heights), "Most vehicles pass at 08:00.", table
    )


FIGURES = Figures(
    (
        Figure("Vehicles", 18_234, Kind.COUNT),
        Figure("V85", 57.3, Kind.SPEED, "57.0 to 57.6 km/h"),
        Figure("Over the limit", 0.3125, Kind.SHARE, "more than 50 km/h"),
        Figure("Mean", Marked(None, "*"), Kind.SPEED, "* too few vehicles"),
    )
)


def sample(
    language: str = "en", *, made_at: datetime | None = None, blocks: tuple[Block, ...] = ()
) -> Document:
    """Everything a report can hold, `blocks` at its end."""
    return Document(
        title="Bauska, Rīgas iela 12 <b>&amp; #panic()",
        subtitle="4 to 17 May 2026, limit 50 km/h",
        language=language,
        blocks=(
            FIGURES,
            Quote(f"In two weeks 18,234 vehicles were counted. {LETTERS}"),
            Heading("Speeds"),
            Paragraph("Counted by radar, once each. = no heading\n- no list"),
            EVERY_KIND,
            chart(),
            Heading("Days"),
            long_table(),
            *blocks,
        ),
        made="speedsign 0.1.0, 2026-06-01 08:00",
        keywords=("V85", "radar"),
        made_at=made_at,
    )


MADE_AT = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)
