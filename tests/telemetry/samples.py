"""Vehicles and installations that the tests of this folder share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)

T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)

BAUSKA = Installation(
    site="Bauska, Rīgas iela",
    limit_kmh=50,
    mounting_angle_deg=12.5,
    radar="ops243",
    timezone="Europe/Riga",
    approaching_name="uz centru",
    receding_name="uz Rīgu",
)


def passed(
    speed_kmh: float = 50.0,
    at: datetime = T0,
    *,
    direction: Direction = Direction.APPROACHING,
    display: DisplayState = DisplayState.SHOWN,
    clock: ClockQuality = ClockQuality.OK,
) -> VehicleRecord:
    """A vehicle last seen at `at`."""
    vehicle = Vehicle(
        track_id=7,
        direction=direction,
        t_first_mono_s=1000.25,
        t_last_mono_s=1003.5,
        speed_kmh=speed_kmh,
        entry_kmh=speed_kmh + 2,
        exit_kmh=max(speed_kmh - 1, 0.0),
        max_kmh=speed_kmh + 2.5,
        readings=31,
        strength=812.0,
        length_m=None,
        flags=("merged",),
    )
    return VehicleRecord(vehicle, at - timedelta(seconds=3.25), at, clock, display, "tracker 1", "within")


def measured(at: datetime, seconds: float, clock: ClockQuality = ClockQuality.OK) -> Coverage:
    return Coverage(at, seconds, clock)
