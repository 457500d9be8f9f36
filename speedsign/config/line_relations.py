"""What must hold between the ports of a config and the devices that share a line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from speedsign.config.problem import Problem
from speedsign.config.schema import BeaconConfig, Config, DisplayConfig, SensorConfig, SupplyConfig
from speedsign.errors import DriverError
from speedsign.registry import load_display

Path = tuple[str, ...]
_Member = BeaconConfig | SupplyConfig | SensorConfig

MEMBER_BAUD = 9600  # of a line without a panel, where nothing else is said
PULSE_COILS = 0x0200  # a pulse is a command to the coil and so much: from there on coils would be pulses
MODBUS_PORT = 502
_RADAR, _DISPLAY = ("radar", "port"), ("display", "port")


def line_problems(config: Config) -> Iterator[Problem]:
    """Addresses that no driver could open, lines under two names, and devices in each other's way."""
    yield from _addresses(config)
    yield from _two_names(config)
    members = _members(config)
    yield from _rates(config, members)
    yield from _same_relay(config)
    yield from _sensor_and_relay(config)
    supply = config.supply
    if supply is not None and supply.hold == "pulse" and supply.coil >= PULSE_COILS:
        text = f'must be at most {PULSE_COILS - 1} with hold = "pulse", a command to {PULSE_COILS} + coil'
        yield Problem(("supply", "coil"), text, supply.coil, (("supply", "hold"),))


def _members(config: Config) -> dict[Path, _Member]:
    """The devices beside the panel by their tables."""
    devices: dict[Path, _Member | None] = {
        ("beacon",): config.beacon,
        ("supply",): config.supply,
        ("brightness", "sensor"): config.brightness.sensor,
    }
    return {table: device for table, device in devices.items() if device is not None}


def _modbus_ports(config: Config) -> Iterator[tuple[Path, str]]:
    """Key and port of each Modbus device that names one."""
    devices: dict[Path, DisplayConfig | _Member] = {("display",): config.display} if config.display else {}
    for table, device in (devices | _members(config)).items():
        if device.port is not None:
            yield (*table, "port"), device.port


# --------------------------------------------------------------------------- ports


def _addresses(config: Config) -> Iterator[Problem]:
    radar_port = config.radar.port
    if "://" in radar_port and not _is_address(radar_port, ("tcp",)):
        yield Problem(_RADAR, "must be /dev/… or tcp://host:port", radar_port)
    for key, port in _modbus_ports(config):
        if "://" in port and not _is_address(port, ("tcp", "rtu+tcp")):
            yield Problem(key, "must be /dev/…, tcp://host:502 or rtu+tcp://host:4001", port)
        elif port == radar_port:
            yield Problem(key, "is the radar's port too; each device has its own", port, (_RADAR,))


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether a serial line behind TCP is named as its driver takes it; only Modbus has a usual port."""
    try:
        url = urlsplit(text)
        has_port = url.port is not None or schemes != ("tcp",)
    except ValueError:
        return False
    return (
        url.scheme in schemes and bool(url.hostname) and has_port and url.port != 0 and url.path in ("", "/")
    )


def _two_names(config: Config) -> Iterator[Problem]:
    """A line that is opened twice hears half of what is said to each."""
    first: dict[object, tuple[Path, str]] = {}
    for key, port in ((_RADAR, config.radar.port), *_modbus_ports(config)):
        other, name = first.setdefault(_end(port), (key, port))
        if port != name:
            text = f"is the same as [{'.'.join(other[:-1])}] port, {name!r}: write one line in one way"
            if other == _RADAR:
                text = f"is the same as [radar] port, {name!r}: each device has its own"
            yield Problem(key, text, port, (other,))


def _end(port: str) -> object:
    """What a port leads to, whatever it is called: a device file, or a host and its TCP port."""
    try:
        if "://" not in port:
            return os.path.realpath(port, strict=True)
        url = urlsplit(port)
        end = url.hostname, url.port or MODBUS_PORT
    except (OSError, ValueError):
        return port  # not there now, or no address, which is said elsewhere
    return end


# --------------------------------------------------------------------------- devices on one line


def _line(config: Config, device: _Member) -> object:
    port = device.port or (config.display.port if config.display else None)
    return None if port is None else _end(port)


def _rates(config: Config, members: dict[Path, _Member]) -> Iterator[Problem]:
    """The panel's rate is its line's; of a line without a panel, the first device's."""
    rates: dict[object, tuple[Path, int | None]] = {}
    if config.display is not None:
        rates[_end(config.display.port)] = ("display", "baud"), _panel_baud(config.display)
    for table, device in members.items():
        line = _line(config, device)
        if not isinstance(line, str):  # over TCP somebody else sets the rate
            continue
        key, rate = rates.setdefault(line, ((*table, "baud"), device.baud or MEMBER_BAUD))
        if None not in (device.baud, rate) and device.baud != rate:
            text = f"one line has one rate, and [{'.'.join(key[:-1])}] on the same has {rate}; leave it out"
            against = key, (*key[:-1], "port"), (*table, "port"), ("display", "driver")
            yield Problem((*table, "baud"), text, device.baud, against)


def _panel_baud(display: DisplayConfig) -> int | None:
    """None where the panel itself is wrong, which is said elsewhere."""
    try:
        driver = load_display(display.driver, display.digits, display.profile, display.registers)
    except DriverError:
        return display.baud
    return display.baud or driver.line.baud


def _same_relay(config: Config) -> Iterator[Problem]:
    beacon, supply = config.beacon, config.supply
    if beacon is None or supply is None or (beacon.unit, beacon.coil) != (supply.unit, supply.coil):
        return
    if _line(config, beacon) == _line(config, supply):
        text = f"is the relay of [beacon] too, coil {beacon.coil} of unit {beacon.unit}; each has its own"
        against = (
            *((table, key) for table in ("beacon", "supply") for key in ("coil", "unit", "port")),
            _DISPLAY,
        )
        yield Problem(("supply", "coil"), text, supply.coil, against)


def _sensor_and_relay(config: Config) -> Iterator[Problem]:
    """A light sensor is no relay board; two answers to one question spoil each other."""
    sensor = config.brightness.sensor
    if sensor is None:
        return
    for name, relay in (("beacon", config.beacon), ("supply", config.supply)):
        if relay is not None and relay.unit == sensor.unit and _line(config, relay) == _line(config, sensor):
            text = f"is the unit of [{name}] on the same line; each device has its own"
            against = (name, "unit"), (name, "port"), ("brightness", "sensor", "port"), _DISPLAY
            yield Problem(("brightness", "sensor", "unit"), text, sensor.unit, against)
            return
