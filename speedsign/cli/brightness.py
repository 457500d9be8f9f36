"""speedsign brightness: which step of the panel's brightness the sun asks for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from speedsign.brightness import BrightnessControl, Source, source_of, sun_of
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.periods import parse_moment
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from speedsign.config.schema import Config
from speedsign.daylight import sunlight_lx
from speedsign.errors import UsageError
from speedsign.registry import load_display
from speedsign.sun import Sun

_MINUTE = timedelta(minutes=1)
_AT_ONCE_S = 0.1  # the ramp of the table: it lists where the panel is going


@dataclass(frozen=True, slots=True)
class Dimming:
    """A sign as far as this command needs it."""

    config: Config
    latitude: float
    longitude: float
    steps: int

    def by_the_sun(self) -> BrightnessControl:
        """As the sign does it while it goes by the sun, without the ramp."""
        settings = replace(self.config.brightness, ramp_s=_AT_ONCE_S)
        return BrightnessControl("sun", self.steps, settings, elevation=self.sun().elevation_deg)

    def sun(self) -> Sun:
        return Sun(self.latitude, self.longitude)


@dataclass(frozen=True, slots=True)
class Step:
    """From this minute on; `step` counts from 1, the dimmest."""

    at: datetime  # in the sign's time zone
    step: int
    level: float
    elevation_deg: float

    def as_json(self) -> dict[str, object]:
        return {
            "at": self.at.isoformat(),
            "step": self.step,
            "level": round(self.level, 3),
            "elevation_deg": round(self.elevation_deg, 1),
            "lux": float(f"{sunlight_lx(self.elevation_deg):.2g}"),
        }


@click.command(cls=SignCommand, example="speedsign brightness --day 2026-12-21")
@click.option("--day", "day_text", metavar="DATE", help="Another day than today.")
@click.option("--at", "at_text", metavar="TIME", help="One moment instead, in the sign's time zone, or now.")
@config_option
@json_option
def brightness(
    config_path: Path, *, day_text: str | None, at_text: str | None, debug: bool, as_json: bool
) -> None:
    """When the sun sets which step of the panel's brightness, for one day.

    It is what the sign does by [brightness] by = "sun", and while its light sensor fails. Nothing is opened.
    """
    if day_text is not None and at_text is not None:
        raise UsageError("--day and --at: choose one")
    config = load_config(config_path)
    sign = _dimming(config)
    zone = ZoneInfo(config.sign.timezone)
    if at_text is not None:
        steps = [_step_at(sign, _moment(at_text, zone), zone)]
    else:
        steps = list(_steps_of(sign, _day(day_text, zone), zone))
    source = source_of(config)
    if as_json:
        print_json(_as_json(sign, source, steps))
        return
    click.echo(_headline(sign, source))
    click.echo(f"{'from' if at_text is None else 'at':<17}  {'step':<9}{'sun':>7}{'light':>13}")
    for one in steps:
        light = f"{one.as_json()['lux']:,g}".replace(",", " ")
        of_all = f"{one.step} of {sign.steps}"
        click.echo(f"{one.at:%Y-%m-%d %H:%M}   {of_all:<9}{one.elevation_deg:>6.1f}°{light:>10} lx")


def _dimming(config: Config) -> Dimming:
    """Raises UsageError for a sign that the sun cannot dim."""
    place, display = sun_of(config), config.display
    if place is None:
        raise UsageError("where does the sign stand? Set [sign] latitude and longitude in its config")
    if display is None:
        raise UsageError("the config has no [display]: there is nothing to dim")
    driver = load_display(display.driver, display.digits, display.profile, display.registers)
    steps = driver.capabilities.brightness_levels
    if steps == 0:
        raise UsageError(f"the brightness of this panel ({display.driver}) cannot be set by the sign")
    return Dimming(config, *place, steps)


def _day(text: str | None, zone: ZoneInfo) -> date:
    if text is None:
        return SystemClock().now_utc().astimezone(zone).date()
    return parse_moment(text, zone.key).astimezone(zone).date()


def _moment(text: str, zone: ZoneInfo) -> datetime:
    if text == "now":
        return SystemClock().now_utc().astimezone(zone)
    return parse_moment(text, zone.key).astimezone(zone)


def _steps_of(sign: Dimming, day: date, zone: ZoneInfo) -> Iterator[Step]:
    """What holds at the day's begin, then every change; a day of a clock change has 23 or 25 hours."""
    begin, end = (
        datetime.combine(midnight, time(), zone).astimezone(UTC)
        for midnight in (day, day + timedelta(days=1))
    )
    control, sun = sign.by_the_sun(), sign.sun()
    at_utc = begin
    while at_utc < end:
        level = control.level((at_utc - begin).total_seconds(), at_utc, None)
        if level is not None:
            yield _step(sign, at_utc.astimezone(zone), level, sun.elevation_deg(at_utc))
        at_utc += _MINUTE


def _step_at(sign: Dimming, at: datetime, zone: ZoneInfo) -> Step:
    """As the day's table has it: which of two steps holds depends on the one before."""
    at_utc = at.astimezone(UTC)  # a local hour that comes twice has an order here alone
    before = [one for one in _steps_of(sign, at.date(), zone) if one.at.astimezone(UTC) <= at_utc]
    return _step(sign, at, before[-1].level, sign.sun().elevation_deg(at))


def _step(sign: Dimming, at: datetime, level: float, elevation_deg: float) -> Step:
    return Step(at, 1 + round(level * (sign.steps - 1)), level, elevation_deg)


def _headline(sign: Dimming, source: Source) -> str:
    where = f"{sign.latitude:g}, {sign.longitude:g}, {sign.config.sign.timezone}"
    because = {
        "sun": "brightness goes by the sun",
        "sensor": "brightness goes by the light sensor, and like this while that fails",
        "fixed": 'brightness is fixed; like this it would be with [brightness] by = "sun"',
    }
    return f"{where}: {because[source]}"


def _as_json(sign: Dimming, source: Source, steps: list[Step]) -> dict[str, object]:
    return {
        "latitude": sign.latitude,
        "longitude": sign.longitude,
        "timezone": sign.config.sign.timezone,
        "by": source,
        "steps": sign.steps,
        "changes": [one.as_json() for one in steps],
    }
