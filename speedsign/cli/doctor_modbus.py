"""Asks panel, relays and light sensor of a stopped sign; only reads are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from drivers.display.maps import Device, guesses
from drivers.display.scan import Plan, Search
from drivers.display.scan_frames import Heard
from drivers.display.scan_line import scan
from drivers.modbus_bus import BusSettings, PymodbusBus
from speedsign.cli.doctor_patient import Patient, not_for_us
from speedsign.config.schema import BeaconConfig, DisplayConfig, SensorConfig, SupplyConfig
from speedsign.config.tables import Tables
from speedsign.doctor.devices import AnswerFacts, PanelFacts, judge_answer, judge_panel
from speedsign.doctor.finding import Finding, ok, unknown
from speedsign.errors import DeviceError, DriverError, PortError
from speedsign.lines import byte_line
from speedsign.ports import LineSettings, PanelDriver
from speedsign.registry import load_display

USUAL_BAUD = 9600  # of relay boards and sensors


def look_at_modbus(patient: Patient) -> Sequence[Finding]:
    """Everything on the panel's line and on lines of its own, one after the other."""
    tables = patient.tables
    closed = not_for_us("panel", tables.display.port) if tables.display else None
    if closed is not None:
        return [closed]
    found: list[Finding] = []
    panels: list[PanelFacts] = []
    driver = None
    if tables.display is not None:
        try:
            driver = _driver(tables.display)
        except DriverError as error:
            found.append(unknown("panel", str(error), "correct [display]"))
        else:
            panels = asyncio.run(_ask_panels(tables.display, driver))
    elif not tables.knows("display"):
        found.append(unknown("panel", "[display] cannot be used", "correct it"))
    else:
        found.append(ok("panel", "none: the sign only measures"))
    others = asyncio.run(_ask_others(tables, driver))
    powerless = any(one.check == "supply" and one.on is False for one in others)
    found += [judge_panel(one, powerless=powerless) for one in panels]
    return [*found, *(judge_answer(one) for one in others)]


def _driver(display: DisplayConfig) -> PanelDriver:
    return load_display(display.driver, display.digits, display.profile, display.registers)


# --------------------------------------------------------------------------- panels


async def _ask_panels(display: DisplayConfig, driver: PanelDriver) -> list[PanelFacts]:
    units = (display.unit, *display.mirror_units)
    baud = None if "://" in display.port else display.baud or driver.line.baud
    plan = Plan((baud,), units, display.parity)
    try:
        found = await scan(display.port, plan, byte_line, lambda _text: None)
    except (PortError, DriverError) as error:
        return [PanelFacts(display.driver, display.port, display.unit, problem=str(error))]
    return [_panel(display, driver, unit, found) for unit in units]


def _panel(display: DisplayConfig, driver: PanelDriver, unit: int, found: Search) -> PanelFacts:
    device = next((one for one in found.devices if one.unit == unit), None)
    maps = guesses(device) if device else []
    return PanelFacts(
        display.driver,
        display.port,
        unit,
        answered=device is not None,
        can_be_read=driver.capabilities.reads_back,
        maps=tuple((one.driver or "", one.sureness.value) for one in maps),
        because=maps[0].because if maps else "",
        echo=found.echo,
        local_echo=display.local_echo,
        refusal=_refusal(device),
        late=_late(display, device),
    )


def _refusal(device: Device | None) -> int | None:
    """The exception of one that answers, and answers nothing else."""
    answers = [one for one in device.answers.values() if one.somebody] if device else []
    if not answers or any(one.heard is not Heard.REFUSED for one in answers):
        return None
    return answers[0].code


def _late(display: DisplayConfig, device: Device | None) -> float | None:
    """The time-out that it needs, where the config has a shorter one."""
    needed_s = None if device is None else device.timeout_s
    return needed_s if needed_s is not None and needed_s > display.timeout_s else None


# --------------------------------------------------------------------------- relays and the light sensor


async def _ask_others(tables: Tables, driver: PanelDriver | None) -> list[AnswerFacts]:
    found = []
    sensor = tables.brightness.sensor
    for check, table in (("beacon", tables.beacon), ("supply", tables.supply), ("light", sensor)):
        if table is None:
            continue
        bus = _bus(table, tables.display, driver)
        if bus is None:
            continue
        try:
            found.append(await _ask(check, table, bus))
        except DeviceError as error:
            no_port = isinstance(error, PortError)
            found.append(AnswerFacts(check, bus.name, table.unit, problem=str(error), no_port=no_port))
        finally:
            await bus.close()
    return found


def _bus(
    table: BeaconConfig | SupplyConfig | SensorConfig,
    display: DisplayConfig | None,
    driver: PanelDriver | None,
) -> PymodbusBus | None:
    """The line it is on; None: the panel's, which is not known."""
    settings = BusSettings(resync=False, local_echo=display.local_echo if display else False)
    if table.port is not None and (display is None or table.port != display.port):
        return PymodbusBus(table.port, LineSettings(table.baud or USUAL_BAUD), BusSettings(resync=False))
    if display is None or driver is None:
        return None
    line = LineSettings(display.baud or driver.line.baud, parity=display.parity)
    return PymodbusBus(display.port, line, settings)


async def _ask(
    check: str, table: BeaconConfig | SupplyConfig | SensorConfig, bus: PymodbusBus
) -> AnswerFacts:
    await bus.connect()
    if not isinstance(table, SensorConfig):
        (on,) = await bus.read_coils(table.unit, table.coil, 1)
        return AnswerFacts(
            check, bus.name, table.unit, f"coil {table.coil} is {'on' if on else 'off'}", on=on
        )
    read = bus.read_input_registers if table.input else bus.read_registers
    counts = 0
    for word in await read(table.unit, table.address, table.words):
        counts = counts << 16 | word
    lux = counts * table.lux_per_count
    suspect = f"it reads {lux:,.0f} lx, more than max_lux" if lux > table.max_lux else ""
    return AnswerFacts(check, bus.name, table.unit, f"{lux:,.0f} lx", suspect=suspect)
