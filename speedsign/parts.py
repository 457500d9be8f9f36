"""What a sign is made of, and how it is to behave: what the daemon is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from speedsign.brightness import BrightnessControl
from speedsign.coverage import INTERVAL_S
from speedsign.dating import OLDEST_UTC
from speedsign.model import Installation
from speedsign.ports import (
    Clock,
    Display,
    LightSensor,
    Live,
    Radar,
    Recorder,
    Remote,
    Telemetry,
    Troubled,
)
from speedsign.rules import Rules
from speedsign.schedule import Schedule
from speedsign.supervisor import Means
from speedsign.tracking import TrackingParams

CLOSE_AFTER_S = 15.0  # a vehicle that passed at the very end of an interval is in the store by then


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is plugged into the sign."""

    clock: Clock
    radar: Radar
    recorder: Recorder
    display: Display | None = None  # None: a sign that only measures
    light: LightSensor | None = None
    telemetry: Telemetry | None = None
    remote: Remote | None = None
    notify: Callable[[str], None] = field(default=lambda _state: None)
    live: Live | None = None
    software: Troubled | None = None  # what is wrong with the program itself, and stops nothing
    means: Means = field(default_factory=Means)  # of supervision


@dataclass(frozen=True, slots=True)
class Plan:
    """How the sign is to behave."""

    installation: Installation
    tracking: TrackingParams = field(default_factory=TrackingParams)
    rules: Rules = field(default_factory=Rules)
    schedule: Schedule | None = None  # None: the rules hold always
    brightness: BrightnessControl | None = None  # None: as the display was made
    invert_direction: bool = False
    keep_vehicles_days: int = 30
    trust_clock: bool = False  # True: whatever the kernel says
    built_utc: datetime = OLDEST_UTC  # a clock that says it is earlier is not believed
    interval_s: int = INTERVAL_S
    close_after_s: float = CLOSE_AFTER_S
