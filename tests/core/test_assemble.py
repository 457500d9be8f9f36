"""From a config to the parts of a sign: every key arrives where it works."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.serial_port import SerialPort
from drivers.tcp_port import TcpPort
from speedsign.assemble import Pace, plan
from speedsign.config.load import parse_config
from speedsign.config.schema import Config, TrackingConfig
from speedsign.config.wanted import radar_settings, tracking_params
from speedsign.errors import ConfigError
from speedsign.lines import radar_line
from speedsign.model import Direction, Unit
from speedsign.registry import load_radar
from telemetry.mqtt.settings import secret

TEXT = """
[sign]
id = "test-sign"
limit_kmh = 30
name = "the school"
timezone = "Europe/Vilnius"
approaching_name = "in"
receding_name = "out"
[radar]
driver = "ops243"
port = "/dev/radar"
unit = "mph"
invert_direction = true
mounting_angle_deg = 15
min_strength = 33
targets = 2
[tracking]
min_speed_kmh = 12
max_speed_kmh = 150
confirm_readings = 4
smoothing_readings = 5
gap_s = 2.5
[rules]
show = "both"
minimum_kmh = 20
ceiling_kmh = 80
hold_s = 2
min_change_interval_s = 0.5
[store]
keep_vehicles_days = 7
[clock]
trust = "always"
"""


@pytest.fixture
def config() -> Config:
    return parse_config(TEXT, "sign.toml")


def test_the_plan_is_what_the_config_says(config: Config) -> None:
    found = plan(config, load_radar("ops243"), Pace(), None)
    assert found.schedule is not None
    here, rules = found.installation, found.schedule.at(datetime(2026, 5, 4, tzinfo=UTC)).rules
    assert (here.site, here.limit_kmh, here.mounting_angle_deg, here.radar) == (
        "the school",
        30,
        15,
        "ops243",
    )
    assert (here.timezone, here.approaching_name, here.receding_name) == ("Europe/Vilnius", "in", "out")
    assert found.tracking == tracking_params(config.tracking, 15.0)
    assert (rules.minimum_kmh, rules.ceiling_kmh, rules.hold_s) == (20, 80, 2)
    assert rules.min_change_interval_s == 0.5
    assert rules.directions == frozenset(Direction)
    assert (found.invert_direction, found.keep_vehicles_days, found.trust_clock) == (True, 7, True)
    assert (found.interval_s, found.close_after_s) == (900, 15.0)


def test_the_tracker_gets_every_key_of_its_table() -> None:
    params = tracking_params(TrackingConfig(min_speed_kmh=12, gap_s=2.5, confirm_readings=4), 20.0)
    assert (params.min_speed_kmh, params.gap_s, params.confirm_readings) == (12, 2.5, 4)
    assert params.mounting_angle_deg == 20.0
    for key in fields(TrackingConfig):
        assert hasattr(params, key.name)


def test_the_radar_is_set_to_report_a_little_below_what_is_counted(config: Config) -> None:
    wanted = radar_settings(config.radar, config.tracking, load_radar(config.radar.driver))
    assert (wanted.unit, wanted.min_speed_kmh, wanted.max_speed_kmh) == (Unit.MPH, 10.0, 150)
    assert (wanted.min_strength, wanted.targets) == (33, 2)


def test_a_port_is_a_device_or_an_address() -> None:
    driver = load_radar("ld2415h")
    device = radar_line("/dev/x", driver)
    assert isinstance(device, SerialPort)
    assert device.settings == driver.line
    other = radar_line("/dev/x", driver, 115_200)
    assert isinstance(other, SerialPort)
    assert other.settings.baud == 115_200
    assert isinstance(radar_line("tcp://localhost:4001", driver), TcpPort)


def test_a_secret_is_its_files_first_line_and_nobody_elses_to_read(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("p ässword\nnotes\n")
    path.chmod(0o640)
    assert secret(path) == "p ässword"
    assert secret(None) is None
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="everybody can read this secret; run: chmod 640"):
        secret(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        secret(tmp_path / "none")
