"""How the sign of a year is configured, and what is changed on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from speedsign.config.schema import Config, RadarConfig, RulesConfig, SignConfig, StoreConfig, WindowConfig

SIGN_ID = "year-1"


def config(radar: str, limit_kmh: int, dark: tuple[str, str]) -> Config:
    """Of the sign: dark at night, by the time of its place."""
    return Config(
        sign=SignConfig(id=SIGN_ID, limit_kmh=limit_kmh, site="a street", timezone="Europe/Riga"),
        radar=RadarConfig(driver=radar, port="/dev/speedsign-radar"),
        rules=RulesConfig(
            show="approaching",
            minimum_kmh=15,
            ceiling_kmh=limit_kmh + 40,
            schedule=(WindowConfig(name="night", start=dark[0], end=dark[1], dark=True),),
        ),
        store=StoreConfig(path=Path("sign.db"), keep_vehicles_days=30),
    )


def with_limit(before: Config, limit_kmh: int) -> Config:
    rules = replace(before.rules, ceiling_kmh=limit_kmh + 40)
    return replace(before, sign=replace(before.sign, limit_kmh=limit_kmh), rules=rules)


def with_night(before: Config, dark: tuple[str, str]) -> Config:
    window = replace(before.rules.schedule[0], start=dark[0], end=dark[1])
    return replace(before, rules=replace(before.rules, schedule=(window,)))
