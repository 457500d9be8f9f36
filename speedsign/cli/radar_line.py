"""Which radar a field tool works with: from its options, else from the config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from drivers.radar.conversation import Conversation
from drivers.radar.setup import SettingResult, SetupReport
from speedsign.cli.field import a_port_has_one_reader, config_or_none
from speedsign.clock import SystemClock
from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.config.wanted import radar_settings, tracking_params
from speedsign.lines import radar_line
from speedsign.model import Unit
from speedsign.ports import BytePort, RadarDriver, RadarSettings
from speedsign.registry import load_radar
from speedsign.tracking import TrackingParams

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Chosen:
    """The radar of a field tool. `unit` None: nobody has said what it is set to."""

    driver: RadarDriver
    radar: RadarConfig
    tracking: TrackingConfig
    unit: Unit | None
    site: str = ""

    def line(self) -> BytePort:
        return radar_line(self.radar.port, self.driver, self.radar.baud)

    def settings(self) -> RadarSettings:
        """What the sign would set it to; raises DriverError where the radar cannot do it."""
        return radar_settings(self.radar, self.tracking, self.driver)

    def vouched(self) -> Chosen:
        """The same after a set-up: the unit is the one it has been set to."""
        return replace(self, unit=self.radar.unit)

    def params(self) -> TrackingParams:
        return tracking_params(self.tracking, self.radar.mounting_angle_deg)


def radar_options(command: Command) -> Command:
    """--port, --driver, --profile, --baud, --unit: instead of a config, or over it."""
    options = (
        click.option("--port", metavar="PORT", help="/dev/… or tcp://host:port; else the config's."),
        click.option("--driver", metavar="NAME", help="The radar driver; else the config's."),
        click.option("--profile", metavar="NAME", help="The dialect, of a driver that has several."),
        click.option("--baud", type=click.IntRange(1200, 921_600), help="Else the config's or the driver's."),
        click.option("--unit", type=click.Choice([unit.value for unit in Unit]), help="What it is set to."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen(
    ctx: click.Context,
    config_path: Path,
    *,
    port: str | None,
    driver: str | None,
    profile: str | None,
    baud: int | None,
    unit: str | None,
) -> Chosen:
    """The radar that the options name; the config is read where they leave something open.

    Raises UsageError, ConfigError, DriverError.
    """
    config = config_or_none(ctx, config_path, needed=port is None or driver is None)
    if config is None:
        radar = RadarConfig(driver=driver or "", port=port or "")
        tracking, site, known_unit = TrackingConfig(), "", None
    else:
        radar, tracking, known_unit = config.radar, config.tracking, config.radar.unit
        site = config.sign.site or config.sign.name or config.sign.id
    if driver is not None and driver != radar.driver:
        radar, known_unit = replace(radar, driver=driver, profile=None, baud=None), None
    radar = replace(radar, port=port or radar.port, profile=profile or radar.profile, baud=baud or radar.baud)
    if unit is not None:
        known_unit = Unit(unit)
    if known_unit is not None:
        radar = replace(radar, unit=known_unit)
    return Chosen(load_radar(radar.driver, radar.profile), radar, tracking, known_unit, site)


async def run_set_up(
    choice: Chosen, on_result: Callable[[SettingResult], None], *, dry_run: bool = False
) -> SetupReport:
    """Set the radar up as the sign would; raises PortError, DriverError."""
    settings = choice.driver.settings(choice.settings())
    decoder = choice.driver.decoder(choice.radar.unit)
    with a_port_has_one_reader():
        async with Conversation(choice.line(), choice.driver, SystemClock(), decoder.feed) as talk:
            await talk.open_up()
            return await talk.set_up(settings, on_result, dry_run=dry_run)


def say_result(result: SettingResult) -> None:
    """One setting, before and after."""
    before = "" if result.before is None else f" ({result.before}"
    after = "" if result.after in (None, result.before) else f" -> {result.after}"
    close = ")" if before else ""
    click.echo(f"  {result.name} = {result.wanted}: {result.outcome.value}{before}{after}{close}")
