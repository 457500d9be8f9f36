"""Radar and panel of a draft as the field tools know them: nothing here is asked or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from drivers.display.hand import Hand
from drivers.radar.conversation import Conversation
from drivers.radar.setup import SetupReport
from speedsign.cli.commissioning.session import Session
from speedsign.cli.display_parts import Parts
from speedsign.cli.field import a_port_has_one_reader
from speedsign.cli.radar_line import Chosen
from speedsign.config.schema import DisplayConfig, RadarConfig, TrackingConfig
from speedsign.errors import DeviceError, DriverError, UsageError
from speedsign.model import Unit
from speedsign.ports import Clock, ModbusBus, PanelDriver, WriteRegisters
from speedsign.registry import load_radar


@dataclass(frozen=True, slots=True)
class Interview:
    """What a radar says of itself, and how it differs from what the sign wants of it."""

    said: dict[str, str]
    report: SetupReport


def _table(session: Session, name: str, cls: type[Any]) -> dict[str, Any]:
    """The keys of one table of the draft that a field tool needs."""
    found = {field.name: session.get(f"{name}.{field.name}") for field in fields(cls)}
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in found.items()
        if value is not None and not isinstance(value, dict)
    }


def radar_of(session: Session) -> Chosen:
    """The radar of the draft. Raises UsageError, DriverError."""
    keys = _table(session, "radar", RadarConfig)
    if "driver" not in keys or "port" not in keys:
        raise UsageError("no radar is known yet; do the step radar first")
    keys["unit"] = Unit(keys.get("unit", Unit.KMH))
    radar = RadarConfig(**keys)
    tracking = TrackingConfig(**_table(session, "tracking", TrackingConfig))
    return Chosen(load_radar(radar.driver, radar.profile), radar, tracking, radar.unit)


def panel_of(session: Session) -> tuple[Parts, PanelDriver]:
    """The panel of the draft, with the relays that the old config has. Raises UsageError, DriverError."""
    keys = _table(session, "display", DisplayConfig)
    if "driver" not in keys or "port" not in keys:
        raise UsageError("no panel is known yet; do the step panel first")
    parts = Parts(DisplayConfig(**keys))
    if session.old is not None:
        old = session.config() if not session.complaints(("",)) else None
        if old is not None and old.display is not None:
            parts = Parts(old.display, old.beacon, old.supply)
    return parts, parts.driver()


async def interview(choice: Chosen, clock: Clock) -> Interview:
    """Ask it everything that changes nothing. Raises PortError, DriverError."""
    try:
        settings = choice.driver.settings(choice.settings())
    except DriverError as error:
        raise UsageError(f"this radar cannot do what the config wants: {error}") from error
    questions = [] if choice.driver.ping is None else [choice.driver.ping]
    questions += [one.query for one in settings if one.query is not None]
    decoder = choice.driver.decoder(choice.radar.unit)
    with a_port_has_one_reader():
        async with Conversation(choice.line(), choice.driver, clock, decoder.feed) as talk:
            await talk.open_up()
            said = await talk.ask_all(questions)
            report = await talk.set_up(settings, lambda _result: None, dry_run=True)
    return Interview(said, report)


def hand_of(session: Session, level: float) -> Hand:
    """The panel of the draft, to be lit. Raises UsageError, DriverError."""
    parts, driver = panel_of(session)
    return Hand(parts.panels(driver), level)


async def standing_step(parts: Parts, driver: PanelDriver) -> int | None:
    """At which of its own steps (from 1, the dimmest) the panel's brightness stands; None: it cannot be read.

    Reads only, before anybody sets it.
    """
    register = brightness_register(driver)
    if register is None or not driver.capabilities.reads_back:
        return None
    address, lowest, highest = register
    bus: ModbusBus = parts.panels(driver).bus
    try:
        await bus.connect()
        held = (await bus.read_registers(parts.display.unit, address, 1))[0]
    except DeviceError:
        return None
    finally:
        await bus.close()
    step = abs(held - lowest) + 1
    return step if min(lowest, highest) <= held <= max(lowest, highest) else None


def brightness_register(driver: PanelDriver) -> tuple[int, int, int] | None:
    """Where a panel keeps its brightness, and what it holds at the dimmest and the brightest step."""
    low, high = _single(driver.brightness(0.0)), _single(driver.brightness(1.0))
    if low is None or high is None or low.address != high.address:
        return None
    return low.address, low.values[0], high.values[0]


def _single(writes: Sequence[WriteRegisters]) -> WriteRegisters | None:
    return writes[0] if len(writes) == 1 and len(writes[0].values) == 1 else None
