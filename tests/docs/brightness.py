"""The generated tables of docs/brightness.md: the standard's curve and the sun's light.

    .venv/bin/python -m tests.docs.brightness

writes them between the page's markers. A test fails while the page says otherwise.
"""

from __future__ import annotations

import math

from speedsign.daylight import EN_12966_L3_CD_M2, SUNLIGHT_LX, level_of, sunlight_lx
from tests.docs import pages

PAGE = pages.ROOT / "docs" / "brightness.md"
STEPS = 8
RULE = "| --- | --- | --- | --- |"


def page_with_tables(page: str) -> str:
    """The page with its tables as the code has them."""
    page = pages.with_part(page, "curve", curve_table())
    page = pages.with_part(page, "sun", sun_table())
    return pages.with_part(page, "clouds", clouds_table())


def curve_table() -> str:
    rows = ["| Light on the sign | Class L3, white, at least | Level | Of 8 steps |", RULE]
    rows += [f"| {_lux(lux)} | {_number(least)} cd/m² | {_level(lux)}" for lux, least in EN_12966_L3_CD_M2]
    return "\n".join(rows) + "\n"


def sun_table() -> str:
    rows = ["| Sun | Light on a face turned to it | Level | Of 8 steps |", RULE]
    rows += [f"| {deg:g}° | {_lux(lux)} | {_level(sunlight_lx(deg))}" for deg, lux in SUNLIGHT_LX]
    return "\n".join(rows) + "\n"


def overcast_lx(elevation_deg: float) -> float:
    """On an upright face under a sky full of clouds."""
    return 0.4 * (300.0 + 21_000.0 * math.sin(math.radians(elevation_deg)))


def above_minimum(elevation_deg: float) -> float:
    """How many times the minimum under clouds the sign is that goes by the sun; its steps left aside."""
    return level_of(sunlight_lx(elevation_deg)) / level_of(overcast_lx(elevation_deg))


def clouds_table() -> str:
    rows = [
        "| Sun | Under clouds | Level that needs | Level by the sun | Times the minimum |",
        f"{RULE} --- |",
    ]
    for deg in (0, 2, 5, 10, 20, 40, 60):
        lux, by_sun = overcast_lx(deg), level_of(sunlight_lx(deg))
        rows.append(
            f"| {deg}° | {_lux(float(f'{lux:.2g}'))} | {level_of(lux):.3f} | {by_sun:.3f}"
            f" | {above_minimum(deg):.1f} |"
        )
    return "\n".join(rows) + "\n"


def _level(lux: float) -> str:
    level = level_of(lux)
    return f"{level:.3f} | {1 + round(level * (STEPS - 1))} |"


def _lux(lux: float) -> str:
    return f"{_number(lux)} lx"


def _number(value: float) -> str:
    return f"{value:,.6g}".replace(",", " ")


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
