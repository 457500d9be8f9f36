"""The panel of a config as the display tools use it: lines, driver, relays; without the validator."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.display.darken import Coil, Panels
from drivers.modbus_bus import BusSettings, PymodbusBus
from speedsign.config.schema import BeaconConfig, DisplayConfig, SupplyConfig
from speedsign.ports import LineSettings, PanelDriver
from speedsign.registry import load_display

_HURRY_S, _HURRY_BITS = 0.1, 40 * 11  # to think; an FC16 of eight registers, its reply and the silence
_HURRY_TCP_S = 0.25  # nobody knows the line behind it


@dataclass(frozen=True, slots=True)
class Parts:
    """The tables that say what there is."""

    display: DisplayConfig
    beacon: BeaconConfig | None = None
    supply: SupplyConfig | None = None

    def driver(self) -> PanelDriver:
        """Raises DriverError."""
        display = self.display
        return load_display(display.driver, display.digits, display.profile, display.registers)

    def panels(self, driver: PanelDriver, *, longest_s: float = 2.0) -> Panels:
        """Everything on its lines, nothing opened yet; `longest_s`: a reply is not waited for any longer."""
        display = self.display
        settings = BusSettings(
            timeout_s=min(display.timeout_s, longest_s),
            local_echo=display.local_echo,
            resync=driver.capabilities.reads_back,
        )
        line = LineSettings(display.baud or driver.line.baud, parity=display.parity)
        hurry_s = _HURRY_TCP_S if "://" in display.port else _HURRY_S + _HURRY_BITS / line.baud
        buses = {display.port: PymodbusBus(display.port, line, settings)}
        return Panels(
            buses[display.port],
            driver,
            (display.unit, *display.mirror_units),
            self._coil(self.beacon, buses),
            self._coil(self.supply, buses),
            reply_s=settings.timeout_s,
            hurry_s=hurry_s,
        )

    def _coil(self, table: BeaconConfig | SupplyConfig | None, buses: dict[str, PymodbusBus]) -> Coil | None:
        if table is None:
            return None
        port = table.port or self.display.port
        if port not in buses:
            buses[port] = PymodbusBus(port, LineSettings(table.baud or 9600), BusSettings(resync=False))
        if isinstance(table, BeaconConfig):
            return Coil(buses[port], table.unit, table.coil)
        return Coil(buses[port], table.unit, table.coil, table.hold == "pulse", table.boot_s)
