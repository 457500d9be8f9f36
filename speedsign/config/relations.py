"""What must hold between the keys of a config, beyond each key's own bounds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from speedsign.config.brightness_relations import brightness_problems
from speedsign.config.line_relations import line_problems
from speedsign.config.mqtt_relations import mqtt_problems
from speedsign.config.panel_relations import panel_problems
from speedsign.config.problem import Problem
from speedsign.config.remote_relations import remote_problems
from speedsign.config.rules_relations import rules_problems
from speedsign.config.schema import Config, RadarConfig, SignConfig, TrackingConfig
from speedsign.config.wanted import radar_settings
from speedsign.errors import DriverError
from speedsign.ports import RadarDriver
from speedsign.registry import PluginError, load_radar, radar_names

_LONGEST_SOCKET = 107  # unix(7): sun_path has 108, the last one a zero
_SIGN_ID = re.compile(r"[a-z0-9-]{3,40}")


def problems_of(config: Config) -> Iterator[Problem]:
    """Everything that does not fit together; empty for a good config."""
    yield from _sign(config)
    yield from _radar(config.radar, config.tracking)
    yield from line_problems(config)
    yield from rules_problems(config)
    yield from panel_problems(config)
    yield from brightness_problems(config)
    if not config.store.path.name:
        yield Problem(("store", "path"), "must name a file, for example /var/lib/speedsign/speedsign.db")
    if len(os.fsencode(config.live.socket)) > _LONGEST_SOCKET:
        what = f"is longer than the {_LONGEST_SOCKET} bytes that the system allows a socket's name"
        yield Problem(("live", "socket"), what, str(config.live.socket))
    if config.mqtt is not None:
        yield from mqtt_problems(config.mqtt)
    yield from remote_problems(config)


def _sign(config: Config) -> Iterator[Problem]:
    sign = config.sign
    if not _SIGN_ID.fullmatch(sign.id):
        yield Problem(("sign", "id"), "must be 3 to 40 of the characters a-z, 0-9 and -", sign.id)
    try:
        ZoneInfo(sign.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(
            ("sign", "timezone"),
            "is not a time zone this machine knows; for example Europe/Riga",
            sign.timezone,
        )
    yield from _printable(sign)
    if (sign.latitude is None) != (sign.longitude is None):
        missing = "longitude" if sign.longitude is None else "latitude"
        yield Problem(("sign", missing), "is missing: give both coordinates or neither")


def _printable(sign: SignConfig) -> Iterator[Problem]:
    for key in ("name", "site", "approaching_name", "receding_name"):
        text = getattr(sign, key)
        if not text.isprintable():
            yield Problem(("sign", key), "has characters that cannot be printed", text)


def _radar(radar: RadarConfig, tracking: TrackingConfig) -> Iterator[Problem]:
    driver = _driver(radar)
    if isinstance(driver, Problem):
        yield driver
    elif tracking.max_speed_kmh is not None and tracking.max_speed_kmh > driver.max_speed_kmh:
        yield Problem(
            ("tracking", "max_speed_kmh"),
            f"must be at most {driver.max_speed_kmh:g}, what a {driver.name} can measure",
            tracking.max_speed_kmh,
            against=(("radar", "driver"),),
        )
    else:
        yield from _wishes(radar, tracking, driver)


def _wishes(radar: RadarConfig, tracking: TrackingConfig, driver: RadarDriver) -> Iterator[Problem]:
    """What this radar cannot be set to; its driver knows. Also where it is set by hand (`setup = false`)."""
    try:
        driver.settings(radar_settings(radar, tracking, driver))
    except DriverError as error:
        yield Problem(("radar",), str(error), against=(("radar", "driver"), ("tracking", "min_speed_kmh")))


def _driver(radar: RadarConfig) -> RadarDriver | Problem:
    """The driver in its dialect, or what is wrong with its name or its profile."""
    try:
        load_radar(radar.driver)
    except PluginError as error:
        return Problem(("radar", "driver"), str(error), radar.driver)
    except DriverError:
        known = ", ".join(radar_names())
        return Problem(("radar", "driver"), f"there is no such radar; known are {known}", radar.driver)
    try:
        return load_radar(radar.driver, radar.profile)
    except DriverError as error:
        return Problem(("radar", "profile"), str(error), radar.profile, (("radar", "driver"),))
