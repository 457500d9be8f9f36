"""The display from the config: panels, beacon, supply and light sensor on their Modbus lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.bus_owner import BusOwner
from drivers.display.owner import SignDisplay
from drivers.display.panel import PanelSettings
from drivers.display.relay import RelaySettings
from drivers.display.supply import GuardSettings
from drivers.light_sensor import LightSensorMember, SensorSettings
from drivers.modbus_bus import BusSettings, PymodbusBus
from speedsign.beats import LOOP_DEADLINE_S, Beats
from speedsign.config.schema import BeaconConfig, Config, DisplayConfig, SensorConfig, SupplyConfig
from speedsign.model import Face
from speedsign.ports import Clock, LightSensor, LineSettings, PanelDriver
from speedsign.registry import load_display

PULSE_S = 1.5  # a supply that is held by pulses drops so long after the last one

_OnLine = BeaconConfig | SupplyConfig | SensorConfig


@dataclass(frozen=True, slots=True)
class DisplayParts:
    """What belongs to the display. `light` is served on the display's lines."""

    display: SignDisplay
    driver: PanelDriver
    light: LightSensor | None = None


def panel_driver(display: DisplayConfig) -> PanelDriver:
    """The driver that the config names; raises DriverError."""
    return load_display(display.driver, display.digits, display.profile, display.registers)


def build_display(
    config: Config,
    display: DisplayConfig,
    clock: Clock,
    on_acked: Callable[[Face, float], None],
    beats: Beats | None = None,
) -> DisplayParts:
    """The display, not yet running; `display` is the config's own, which is there.

    `beats`: gets one for each line; the first is called "display".
    """
    driver = panel_driver(display)
    sign = SignDisplay(clock, on_acked)
    lines = _Lines(sign, config, display, driver, beats or Beats())
    settings = PanelSettings(keepalive_s=display.keepalive_s, verify_s=display.verify_s)
    for unit in (display.unit, *display.mirror_units):
        sign.add_panel(lines.panels, driver, unit, settings)
    if supply := config.supply:
        relay = RelaySettings(pulse_s=PULSE_S if supply.hold == "pulse" else None)
        guard = GuardSettings(boot_s=supply.boot_s)
        sign.add_supply(lines.of(supply), supply.unit, supply.coil, relay, guard)
    if beacon := config.beacon:
        sign.add_beacon(lines.of(beacon), beacon.unit, beacon.coil)
    light = _light_sensor(config.brightness.sensor, lines)
    sign.dim(display.brightness)
    return DisplayParts(sign, driver, light)


def _light_sensor(sensor: SensorConfig | None, lines: _Lines) -> LightSensorMember | None:
    if sensor is None:
        return None
    line = lines.of(sensor)
    settings = SensorSettings(
        unit=sensor.unit,
        address=sensor.address,
        input=sensor.input,
        words=sensor.words,
        lux_per_count=sensor.lux_per_count,
        max_lux=sensor.max_lux,
    )
    member = LightSensorMember(line.bus, settings)
    line.add(member)
    return member


class _Lines:
    """Each line is opened once, whoever is on it."""

    def __init__(
        self,
        sign: SignDisplay,
        config: Config,
        display: DisplayConfig,
        driver: PanelDriver,
        beats: Beats,
    ) -> None:
        self._sign, self._display, self._beats = sign, display, beats
        # Who cannot be read has no say in whether a reply is late; relays are read back anyway.
        panels = {display.unit, *display.mirror_units}
        unreadable = {relay.unit for relay in (config.supply, config.beacon) if relay} - panels
        if not driver.capabilities.reads_back:
            unreadable |= panels
        settings = BusSettings(
            timeout_s=display.timeout_s, local_echo=display.local_echo, unreadable=frozenset(unreadable)
        )
        line = LineSettings(display.baud or driver.line.baud, parity=display.parity)
        beat = beats.part("display", LOOP_DEADLINE_S)
        self.panels = sign.add_line(BusOwner(PymodbusBus(display.port, line, settings), beat=beat))
        self._by_port = {display.port: self.panels}

    def of(self, member: _OnLine) -> BusOwner:
        port = member.port or self._display.port
        if port not in self._by_port:
            bus = PymodbusBus(port, LineSettings(member.baud or 9600), BusSettings(resync=False))
            beat = self._beats.part(f"display ({port})", LOOP_DEADLINE_S)
            self._by_port[port] = self._sign.add_line(BusOwner(bus, beat=beat))
        return self._by_port[port]
