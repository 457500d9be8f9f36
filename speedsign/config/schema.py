"""What a config may say: plain frozen dataclasses, so that the daemon runs without the validator.

The bounds stand in the annotations; `speedsign.config.load` checks them with pydantic. Every key has a
default or is required; an unknown key is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, Len, MinLen

from speedsign.model import Direction, Unit

FORBID: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignConfig:
    """[sign]: which sign this is and where it stands."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    id: str  # [a-z0-9-]{3,40}: it stands in topics and certificates
    limit_kmh: Annotated[int, Ge(5), Le(130)]
    name: Annotated[str, Len(0, 80)] = ""
    site: Annotated[str, Len(0, 80)] = ""
    latitude: Annotated[float, Ge(-90), Le(90)] | None = None
    longitude: Annotated[float, Ge(-180), Le(180)] | None = None
    timezone: str = "Europe/Riga"
    language: Literal["lv", "lt", "en"] = "en"
    approaching_name: Annotated[str, Len(0, 40)] = ""
    receding_name: Annotated[str, Len(0, 40)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarConfig:
    """[radar]: the sensor and its serial line."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    driver: str
    port: Annotated[str, MinLen(1)]
    profile: Annotated[str, MinLen(1)] | None = None  # the dialect, of a driver that has several
    baud: Annotated[int, Ge(1200), Le(921600)] | None = None  # None: as the driver says
    unit: Unit = Unit.KMH
    setup: bool = True  # False: the radar is set by hand and never written to
    invert_direction: bool = False
    mounting_angle_deg: Annotated[float, Ge(0), Le(60)] = 0.0  # between the beam and the road
    min_strength: Annotated[float, Ge(0)] | None = None  # None: as the driver says
    targets: Annotated[int, Ge(1), Le(9)] = 1  # speeds asked for in one report


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingConfig:
    """[tracking]: from readings to vehicles; the defaults need no tuning."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    min_speed_kmh: Annotated[float, Ge(1), Le(50)] = 10.0  # slower is rain, branches, walkers
    max_speed_kmh: Annotated[float, Ge(50), Le(300)] | None = None  # None: 200, or what the radar measures
    confirm_readings: Annotated[int, Ge(1), Le(20)] = 3  # agreeing readings before anything is shown
    smoothing_readings: Annotated[int, Ge(1), Le(15)] = 3  # the speed shown is their median; 1: none
    gap_s: Annotated[float, Ge(0.5), Le(5)] = 1.5  # a vehicle not seen for so long has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayConfig:
    """[display]: the panel and its Modbus line; leave the table out for a sign that only measures."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    driver: str
    port: Annotated[str, MinLen(1)]
    baud: Annotated[int, Ge(1200), Le(115200)] | None = None
    parity: Literal["N", "E", "O"] = "N"
    unit: Annotated[int, Ge(1), Le(247)] = 1  # Modbus device address
    digits: Annotated[int, Ge(2), Le(8)] | None = None  # None: as the driver says
    brightness: Annotated[float, Ge(0), Le(1)] = 1.0
    timeout_s: Annotated[float, Ge(0.05), Le(2)] = 0.24  # two tries and the quiet between in 0.6 s
    keepalive_s: Annotated[float, Ge(0.2), Le(60)] = 1.0
    verify_s: Annotated[float, Ge(1), Le(600)] = 10.0
    local_echo: bool = False  # the adapter echoes what it sends


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesConfig:
    """[rules]: what is shown to whom."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    show: Literal["approaching", "receding", "both"] = "approaching"
    minimum_kmh: Annotated[int, Ge(0), Le(100)] = 10
    ceiling_kmh: Annotated[int, Ge(10), Le(250)] | None = None  # None: twice the limit
    hold_s: Annotated[float, Ge(0), Le(4)] = 1.5  # after the last reading; dark within 5 s in any case
    min_change_interval_s: Annotated[float, Ge(0), Le(2)] = 0.25  # between two different numbers

    def directions(self) -> frozenset[Direction]:
        """The directions whose vehicles are shown their speed."""
        if self.show == "both":
            return frozenset(Direction)
        return frozenset({Direction(self.show)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """[store]: the database."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    path: Path = Path("/var/lib/speedsign/speedsign.db")
    keep_vehicles_days: Annotated[int, Ge(1), Le(3660)] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttConfig:
    """[mqtt]: the broker; leave the table out for a sign that only keeps its own database."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    host: Annotated[str, MinLen(1)]
    port: Annotated[int, Ge(1), Le(65535)] = 1883
    username: str | None = None
    password_file: Path | None = None  # the secret itself never stands in the config
    keepalive_s: Annotated[int, Ge(10), Le(3600)] = 300
    allow_plain: bool = False  # True: also off this machine without encryption


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConfig:
    """[clock]: when wall time is believed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    trust: Literal["kernel", "always"] = "kernel"  # always: a battery clock that is known to be right


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole config file, checked."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    sign: SignConfig
    radar: RadarConfig
    tracking: TrackingConfig = TrackingConfig()
    display: DisplayConfig | None = None
    rules: RulesConfig = RulesConfig()
    store: StoreConfig = StoreConfig()
    mqtt: MqttConfig | None = None
    clock: ClockConfig = ClockConfig()

    @property
    def ceiling_kmh(self) -> int:
        """Above this nothing is shown, so that nobody races the sign; all is still recorded."""
        return self.rules.ceiling_kmh or min(2 * self.sign.limit_kmh, 250)
