"""Every chart with real-looking, empty, tiny, huge and extreme data, to be looked at.

python -m tests.report.gallery FOLDER     NAME.svg, NAME.png, NAME-grey, -320 (px wide), -paper (PDF)
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import typst
from playwright.sync_api import sync_playwright

from speedsign.language import language
from telemetry.report import charts
from telemetry.report.charts import ChangeRow, HourPoint, TrendPoint
from telemetry.report.document import Kind

CHROMIUM = "/usr/bin/chromium"
LONG = "Transportlīdzekļu īpatsvars, kas pārsniedz atļauto braukšanas ātrumu par vairāk nekā 10 km/h"


def _speeds(n: int, mean: float = 52.0, sd: float = 8.0, seed: int = 1) -> Counter[int]:
    rng = random.Random(seed)
    return Counter(max(5, round(rng.gauss(mean, sd))) for _ in range(n))


def _histogram(
    counts: dict[int, int],
    limit: int = 50,
    v85: float | None = 60.3,
    code: str = "en",
    *,
    rounds: bool = True,
) -> str:
    return charts.histogram_svg(
        counts,
        limit_kmh=limit,
        v85_kmh=v85,
        rounds=rounds,
        words=language(code),
        key="histogram",
        title="Vehicles by speed",
        description="Most vehicles drove 45 to 60 km/h; V85 is 60.3 km/h.",
    )


_DAY = (
    4,
    2,
    1,
    1,
    3,
    20,
    90,
    210,
    190,
    150,
    140,
    150,
    160,
    165,
    175,
    200,
    260,
    290,
    210,
    150,
    100,
    70,
    40,
    15,
)


def _profile(rows: list[HourPoint], code: str = "en", limit: int | None = 50) -> str:
    return charts.hour_profile_svg(
        rows, limit_kmh=limit, words=language(code), key="day", title="The day", description="Busiest at 17."
    )


def _hours(*, v85: bool = True) -> list[HourPoint]:
    return [
        HourPoint(hour, mean * 1.03, 0.25 + 0.4 / (1 + mean / 20), 55 + 9 / (1 + mean / 20) if v85 else None)
        for hour, mean in enumerate(_DAY)
    ]


def _heat(values: dict[tuple[int, int], float | None], kind: Kind, unit: str, code: str = "en") -> str:
    return charts.heat_map_svg(
        values, kind=kind, unit=unit, words=language(code), key="week", title="Week", description="By hour."
    )


def _week(factor: float = 1.0, *, holes: bool = False) -> dict[tuple[int, int], float | None]:
    return {
        (day, hour): None
        if holes and (day == 2 or (day, hour) in {(0, 3), (4, 4), (4, 5)})
        else mean * factor * (0.6 if day > 4 else 1.0 + day / 20)
        for day in range(7)
        for hour, mean in enumerate(_DAY)
    }


def _trend(points: list[TrendPoint], code: str = "en", limit: int | None = 50) -> str:
    return charts.trend_svg(
        points, limit_kmh=limit, words=language(code), key="trend", title="Days", description="V85 by day."
    )


def _days(n: int, *, holes: bool = True) -> list[TrendPoint]:
    rng = random.Random(3)
    points = []
    for day in range(n):
        missing, part = holes and day % 17 in {6, 7}, holes and day % 17 in {5, 8}
        points.append(
            TrendPoint(
                f"{1 + day % 30:02}.{1 + day // 30:02}.",
                None
                if missing
                else (1600 if part else 3100) * (0.6 if day % 7 > 4 else 1) + rng.uniform(-99, 99),
                None if missing else 57 + rng.gauss(0, 1.2) - day / 40,
                0.0 if missing else 0.5 if part else 1.0,
                not missing and not part,
            )
        )
    return points


def _change(rows: list[ChangeRow], code: str = "en") -> str:
    return charts.before_after_svg(
        rows, words=language(code), key="change", title="Change", description="Speeds fell by 2 km/h."
    )


_CHANGES = [
    ChangeRow("Mean speed", 52.31, 50.08, -2.96, -1.41, Kind.CHANGE),
    ChangeRow("V50", 51.9, 49.8, -3.1, -1.0, Kind.CHANGE),
    ChangeRow("V85", 60.34, 59.92, -1.21, 0.38, Kind.CHANGE),
    ChangeRow("Over the limit", 0.571, 0.463, -0.144, -0.071, Kind.POINTS),
    ChangeRow("More than 10 over", 0.142, 0.127, -0.031, 0.004, Kind.POINTS),
    ChangeRow("Vehicles per hour", 129.4, 131.2, -6.0, 9.9, Kind.MEAN),
]

CASES: dict[str, Callable[[], str]] = {
    "histogram": lambda: _histogram(_speeds(4000)),
    "histogram-lv": lambda: _histogram(_speeds(4000), code="lv"),
    "histogram-empty": lambda: _histogram({}, v85=None),
    "histogram-one-vehicle": lambda: _histogram({63: 1}, v85=63.35),
    "histogram-one-bar": lambda: _histogram({50: 812}, v85=50.35),
    "histogram-million": lambda: _histogram({k: 300 * n for k, n in _speeds(4000).items()}, code="lt"),
    "histogram-all-over": lambda: _histogram(_speeds(3000, 88, 6), limit=30, v85=94.2),
    "histogram-limit-outside": lambda: _histogram(_speeds(900, 40, 5), limit=90, v85=45.1),
    "histogram-v85-is-limit": lambda: _histogram(_speeds(3000, 45, 5), v85=50.0),
    "histogram-v85-below": lambda: _histogram(_speeds(3000, 41, 5), v85=46.2),
    "histogram-far-outlier": lambda: _histogram({**_speeds(9000), 231: 1, 187: 2}),
    "histogram-wide": lambda: _histogram({speed: 1 + speed % 7 for speed in range(3, 250)}, v85=213.0),
    "histogram-limits-at-left": lambda: _histogram(_speeds(500, 60, 9), limit=20, v85=21.0),
    "histogram-999": lambda: _histogram({0: 5, 999: 5}, v85=999.2, rounds=False),
    "profile": lambda: _profile(_hours()),
    "profile-lv": lambda: _profile(_hours(), "lv"),
    "profile-no-v85": lambda: _profile(_hours(v85=False)),
    "profile-holes": lambda: _profile([row for row in _hours() if row.hour not in {2, 3, 12, 14}]),
    "profile-empty": lambda: _profile([]),
    "profile-tiny": lambda: _profile([HourPoint(hour, 0.04 * (hour == 8), 0.0, None) for hour in range(24)]),
    "profile-huge": lambda: _profile([HourPoint(hour, 123456.7, 1.0, 140.0) for hour in range(24)]),
    "heat": lambda: _heat(_week(), Kind.MEAN, "vehicles per hour"),
    "heat-share": lambda: _heat(
        {(d, h): 0.2 + 0.6 / (1 + (v or 0) / 30) for (d, h), v in _week().items()},
        Kind.SHARE,
        "over the limit",
    ),
    "heat-holes": lambda: _heat(_week(holes=True), Kind.MEAN, "vehicles per hour"),
    "heat-huge": lambda: _heat(_week(40), Kind.MEAN, "transportlīdzekļi stundā", "lv"),
    "heat-lt": lambda: _heat(_week(0.02), Kind.MEAN, "transporto priemonės per valandą", "lt"),
    "heat-empty": lambda: _heat({}, Kind.SHARE, "over the limit"),
    "heat-zero": lambda: _heat(dict.fromkeys(_week(), 0.0), Kind.MEAN, "vehicles per hour"),
    "trend": lambda: _trend(_days(31)),
    "trend-120": lambda: _trend(_days(120), "lv"),
    "trend-3": lambda: _trend(_days(3)),
    "trend-one": lambda: _trend(_days(1)),
    "trend-empty": lambda: _trend([]),
    "trend-months": lambda: _trend(
        [TrendPoint(f"2026-{m:02}", 93000.0 + m * 900, 57 - m / 5, 1.0, complete=True) for m in range(1, 13)]
    ),
    "trend-gaps": lambda: _trend(
        [TrendPoint(str(d), 900.0, 55.0 if d % 3 == 0 else None, 1.0, complete=True) for d in range(60)]
    ),
    "change": lambda: _change(_CHANGES),
    "change-lv": lambda: _change(
        [ChangeRow(LONG, 0.142, 0.097, -0.061, -0.024, Kind.POINTS), *_CHANGES[:2]], "lv"
    ),
    "change-no-range": lambda: _change([ChangeRow("Mean", 52.3, 50.1, None, None, Kind.CHANGE)]),
    "change-nothing": lambda: _change([ChangeRow("Mean", None, 50.1, None, None, Kind.CHANGE)]),
    "change-empty": lambda: _change([]),
    "change-huge": lambda: _change([ChangeRow("Vehicles", 3.0, 123456.0, 90000.0, 150000.0, Kind.MEAN)]),
}


def _high(svg: str, width: int) -> int:
    *_, wide, high = svg.partition('viewBox="')[2].partition('"')[0].split()
    return round(float(high) / float(wide) * width) + 1


def _paper_png(svg: Path, picture: Path) -> None:
    """As it will be in a PDF, with the fonts that typst carries."""
    source = svg.with_suffix(".typ")
    source.write_text(
        f'#set page(width: 170mm, height: auto, margin: 0pt)\n#image("{svg.name}", width: 100%)'
    )
    typst.compile(source, output=picture, format="png", ppi=110, ignore_system_fonts=True)
    source.unlink()


def main(folder: Path) -> None:
    """Draw all cases; one browser for all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for name, make in CASES.items():
            svg = make()
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
            for suffix, width, style in (
                ("", 720, ""),
                ("-grey", 720, "filter:grayscale(1)"),
                ("-320", 320, ""),
            ):
                page.set_viewport_size({"width": width, "height": _high(svg, width)})
                page.set_content(f'<body style="margin:0;{style}">{svg}')
                page.screenshot(path=folder / f"{name}{suffix}.png")
            _paper_png(folder / f"{name}.svg", folder / f"{name}-paper.png")
            sys.stdout.write(f"{name}\n")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
