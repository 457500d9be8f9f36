"""From the keys of a config to what the radar's driver and the tracker take; loads no device library."""

from __future__ import annotations

from typing import Literal

from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.ports import RadarDriver, RadarSettings
from speedsign.tracking import TrackingParams

READINGS_BELOW_KMH = 2.0  # the radar may report a little slower than the sign counts: its own filter leaks
MAX_SPEED_KMH = 200.0  # where neither the config nor the radar says less


def radar_settings(radar: RadarConfig, tracking: TrackingConfig, driver: RadarDriver) -> RadarSettings:
    """What the radar is to be set to."""
    max_speed_kmh = tracking.max_speed_kmh
    return RadarSettings(
        unit=radar.unit,
        min_speed_kmh=max(tracking.min_speed_kmh - READINGS_BELOW_KMH, 1.0),
        max_speed_kmh=min(MAX_SPEED_KMH, driver.max_speed_kmh) if max_speed_kmh is None else max_speed_kmh,
        min_strength=radar.min_strength,
        targets=radar.targets,
    )


def tracking_params(
    tracking: TrackingConfig,
    mounting_angle_deg: float = 0.0,
    vehicle: Literal["nearest", "strongest"] = "nearest",
) -> TrackingParams:
    """The tracker's parameters: those that a config can set, the rest as they are.

    `vehicle`: which of several is shown, `rules.vehicle`; what is counted does not depend on it.
    """
    return TrackingParams(
        min_speed_kmh=tracking.min_speed_kmh,
        max_speed_kmh=MAX_SPEED_KMH if tracking.max_speed_kmh is None else tracking.max_speed_kmh,
        confirm_readings=tracking.confirm_readings,
        smoothing_readings=tracking.smoothing_readings,
        gap_s=tracking.gap_s,
        prefer=vehicle,
        mounting_angle_deg=mounting_angle_deg,
    )
