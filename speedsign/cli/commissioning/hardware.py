"""Radar and panel of a draft, as the field tools take them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from speedsign.cli.commissioning.session import Session
from speedsign.cli.display_parts import Parts
from speedsign.cli.radar_line import Chosen
from speedsign.config.schema import DisplayConfig, RadarConfig, TrackingConfig
from speedsign.errors import UsageError
from speedsign.model import Unit
from speedsign.ports import PanelDriver
from speedsign.registry import load_radar


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
    """The panel of the draft, with the relays of a config that is whole. Raises UsageError, DriverError."""
    keys = _table(session, "display", DisplayConfig)
    if "driver" not in keys or "port" not in keys:
        raise UsageError("no panel is known yet; do the step panel first")
    parts = Parts(DisplayConfig(**keys))
    config = session.whole_config()
    if config is not None and config.display is not None:
        parts = Parts(config.display, config.beacon, config.supply)
    return parts, parts.driver()


def _table(session: Session, name: str, cls: type[Any]) -> dict[str, Any]:
    """The keys of one table of the draft that a field tool needs."""
    found = {field.name: session.get(f"{name}.{field.name}") for field in fields(cls)}
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in found.items()
        if value is not None and not isinstance(value, dict)
    }
