"""What a config may say: plain frozen dataclasses, so that the daemon runs without the validator.

The bounds stand in the annotations; `speedsign.config.load` checks them with pydantic. Every key has a
default or is required; an unknown key is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
    country: Literal["lv", "lt", "us", "other"] | None = None  # None: by the time zone
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
class RegistersConfig:
    """[display.registers]: the map of a panel that no driver knows (driver = "registers")."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    kind: Literal["integer", "text"]
    address: Annotated[int, Ge(0), Le(65535)]  # of the first register, from 0
    cells: Annotated[int, Ge(2), Le(64)] = 4  # digits, or characters
    function: Literal[6, 16] = 16
    pack: Literal[1, 2] = 1  # characters in a register, the first in the high byte
    pad: Literal["left", "right"] = "left"  # where the blanks stand
    fill: Annotated[int, Ge(0), Le(255)] = 32  # the code of a dark cell
    encoding: str = "ascii"  # of the panel's font: ascii, iso8859-13, cp1257, …
    glyphs: Annotated[str, Len(0, 256)] = ""  # what the font has beyond digits; none: numbers only
    blank_value: Annotated[int, Ge(0), Le(65535)] | None = None  # what darkens an integer panel
    brightness_address: Annotated[int, Ge(0), Le(65535)] | None = None
    brightness_min: Annotated[int, Ge(0), Le(65535)] = 1
    brightness_max: Annotated[int, Ge(0), Le(65535)] = 8
    blink_address: Annotated[int, Ge(0), Le(65535)] | None = None
    blink_on: Annotated[int, Ge(0), Le(65535)] = 1
    reads_back: bool = False  # FC3 tells what was written
    own_timeout_s: Annotated[float, Ge(1), Le(3600)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayConfig:
    """[display]: the panel and its Modbus line; leave the table out for a sign that only measures."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    driver: str
    port: Annotated[str, MinLen(1)]
    profile: Annotated[str, MinLen(1)] | None = None  # the register map, of a driver that has several
    baud: Annotated[int, Ge(1200), Le(115200)] | None = None
    parity: Literal["N", "E", "O"] = "N"
    unit: Annotated[int, Ge(1), Le(247)] = 1  # Modbus device address
    # More panels of the same kind on the line. Few: each dead one costs the others a time-out once.
    mirror_units: Annotated[tuple[Annotated[int, Ge(1), Le(247)], ...], Len(0, 3)] = ()
    digits: Annotated[int, Ge(2), Le(8)] | None = None  # None: as the driver says
    accept_zero: bool = False  # True: this panel cannot go dark, and may show 0 instead
    brightness: Annotated[float, Ge(0), Le(1)] = 1.0  # where nothing else decides it
    timeout_s: Annotated[float, Ge(0.05), Le(2)] = 0.24  # two tries and the quiet between in 0.6 s
    keepalive_s: Annotated[float, Ge(0.2), Le(60)] = 1.0
    verify_s: Annotated[float, Ge(0.5), Le(600)] = 2.0
    local_echo: bool = False  # the adapter echoes what it sends
    registers: RegistersConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconConfig:
    """[beacon]: lamps beside the panel, switched by a coil."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    coil: Annotated[int, Ge(0), Le(65535)]
    unit: Annotated[int, Ge(1), Le(247)]
    port: Annotated[str, MinLen(1)] | None = None  # None: the panel's
    baud: Annotated[int, Ge(1200), Le(115200)] | None = None  # None: the panel's, or 9600


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyConfig:
    """[supply]: a relay that switches the panel's power, so that it is dark whatever it does."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    coil: Annotated[int, Ge(0), Le(65535)]
    unit: Annotated[int, Ge(1), Le(247)]
    port: Annotated[str, MinLen(1)] | None = None  # None: the panel's
    baud: Annotated[int, Ge(1200), Le(115200)] | None = None  # None: the panel's, or 9600
    hold: Literal["on", "pulse"] = "on"  # pulse: the board switches off by itself when it hears nothing
    boot_s: Annotated[float, Ge(0), Le(30)] = 1.0  # from power to the panel's first answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorConfig:
    """[brightness.sensor]: a light sensor in a Modbus register."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    unit: Annotated[int, Ge(1), Le(247)]
    address: Annotated[int, Ge(0), Le(65535)]
    port: Annotated[str, MinLen(1)] | None = None  # None: the panel's
    baud: Annotated[int, Ge(1200), Le(115200)] | None = None  # None: the panel's, or 9600
    input: bool = False  # True: an input register (FC4), else a holding register (FC3)
    words: Literal[1, 2] = 1  # 2: 32 bits, the high word first
    lux_per_count: Annotated[float, Ge(0.0001), Le(1000)] = 1.0
    max_lux: Annotated[float, Ge(100), Le(200000)] = 150000.0  # more is a fault


@dataclass(frozen=True, slots=True, kw_only=True)
class BrightnessConfig:
    """[brightness]: how bright the panel is, by day and by night."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    # None: the sensor where there is one, else the sun where the coordinates are known, else fixed.
    by: Literal["fixed", "sun", "sensor"] | None = None
    lowest: Annotated[float, Ge(0), Le(1)] = 0.0  # never dimmer
    highest: Annotated[float, Ge(0), Le(1)] = 1.0  # never brighter
    unknown: Annotated[float, Ge(0), Le(1)] = 0.4  # while neither light nor time is known
    ramp_s: Annotated[float, Ge(0.1), Le(60)] = 1.0  # from one of the panel's steps to the next
    hysteresis: Annotated[float, Ge(0), Le(0.45)] = 0.2  # of a step
    curve: tuple[tuple[Annotated[float, Ge(0), Le(200000)], Annotated[float, Ge(0), Le(1)]], ...] = ()
    sensor: SensorConfig | None = None


Zone = Literal["within", "over", "too_fast"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kmh = Annotated[int, Ge(5), Le(130)]
Minimum = Annotated[int, Ge(0), Le(100)]
Ceiling = Annotated[int, Ge(10), Le(250)]
Pages = tuple[str, ...]
Dates = Annotated[tuple[str, ...], Len(0, 400)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherwiseConfig:
    """What may be shown otherwise than [rules] say; None: as they say."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    dark: bool | None = None
    minimum_kmh: Minimum | None = None
    too_fast_kmh: Ceiling | None = None
    ceiling_kmh: Ceiling | None = None
    within: Pages | None = None
    over: Pages | None = None
    too_fast: Pages | None = None
    blink: tuple[Zone, ...] | None = None
    beacon: tuple[Zone, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig(OtherwiseConfig):
    """[[rules.schedule]]: when something else holds than [rules] says; a later table goes before an earlier.

    All conditions that are given must hold. What is not given is as the tables before say.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    name: Annotated[str, MinLen(1)]
    days: tuple[Day, ...] = ()  # none: every day
    start: str = "00:00"
    end: str = "24:00"  # before start: it goes on into the next day
    dates: Dates = ()  # "09-01..12-20" each year, "2027-03-01..2027-03-14", "11-18"
    holidays: Literal["any", "only", "except"] = "any"
    school: Literal["any", "only", "except"] = "any"
    limit_kmh: Kmh | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesConfig:
    """[rules]: what is shown to whom."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    show: Literal["approaching", "receding", "both"] = "approaching"
    vehicle: Literal["nearest", "strongest"] = "nearest"  # of several
    dark: bool = False  # nothing is shown to anybody; measuring goes on
    minimum_kmh: Minimum = 10
    too_fast_kmh: Ceiling | None = None  # None: 20 over the limit
    ceiling_kmh: Ceiling | None = None  # None: twice the limit
    hysteresis_kmh: Annotated[int, Ge(0), Le(5)] = 1  # back across a threshold only when so far below
    within: Pages = ("speed",)
    over: Pages = ("speed",)
    too_fast: Pages = ("speed",)
    page_s: Annotated[float, Ge(0.5), Le(5)] = 1.0  # each page of a face that has several
    blink: tuple[Zone, ...] = ()
    beacon: tuple[Zone, ...] = ()
    hold_s: Annotated[float, Ge(0), Le(4)] = 1.5  # after the last reading; dark within 5 s in any case
    min_change_interval_s: Annotated[float, Ge(0), Le(2)] = 0.25  # between two different numbers
    schedule: Annotated[tuple[WindowConfig, ...], Len(0, 100)] = ()

    def directions(self) -> frozenset[Direction]:
        """The directions whose vehicles are shown their speed."""
        if self.show == "both":
            return frozenset(Direction)
        return frozenset({Direction(self.show)})


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarConfig:
    """[calendar]: what schedules need to know of days beyond the public holidays of the country."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    school_terms: Dates = ()  # "2026-09-01..2026-10-23"; of these, Mondays to Fridays
    holidays: Dates = ()  # more days that count as public holidays: "2026-05-04", "06-24"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyConfig:
    """[[study]]: a phase of a study, first and last day included; before all schedules."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    name: Annotated[str, MinLen(1)]
    first: date
    last: date
    display: Literal["dark", "lit"]


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
    port: Annotated[int, Ge(1), Le(65535)] | None = None  # None: 8883 with TLS, 1883 without
    tls: bool | None = None  # None: yes, but to a broker on this machine; files that are named mean yes
    tls_version: Literal["1.3", "1.2"] = "1.3"  # the oldest that is spoken
    ca_file: Path | None = None  # None: whom the system trusts
    certificate_file: Path | None = None
    key_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None  # the secret itself never stands in the config
    allow_plain: bool = False  # the second yes, beside tls = false, to another machine without encryption
    keepalive_s: Annotated[int, Ge(10), Le(3600)] = 300
    # Over so many seconds a fleet spreads its connecting and sending. None: 60, to this machine none.
    spread_s: Annotated[float, Ge(0), Le(900)] | None = None
    retire_on: Literal["hub", "puback"] = "hub"  # whose word ends a message's stay in the outbox
    vehicles: bool = False  # also each single vehicle, in batches
    drain_per_s: Annotated[float, Ge(0.1), Le(100)] = 1.0  # messages of a backlog in a second
    quota_mb: Annotated[float, Ge(1), Le(4096)] = 64.0  # of what waits to be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteKeyConfig:
    """[[remote.key]]: who may command this sign from afar."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    id: str  # [a-z0-9-]{1,40}
    public: str  # ed25519:BASE64, as `speedsign command key` prints it
    roles: Annotated[tuple[Literal["read", "display", "restart"], ...], MinLen(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteProfileConfig(OtherwiseConfig):
    """[[remote.profile]]: what a command may switch to by its name; what is not given is as [rules] say."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    name: str  # [a-z0-9-]{1,40}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteConfig:
    """[remote]: what may be changed from afar, by whom; without keys nothing."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    groups: Annotated[tuple[str, ...], Len(0, 20)] = ()  # names a command may call several signs by
    limit_min_kmh: Kmh | None = None  # both or neither; None: the limit cannot be changed from afar
    limit_max_kmh: Kmh | None = None
    confirm_minutes: Annotated[int, Ge(1), Le(1440)] = 15  # a change that is not confirmed by then is undone
    key: Annotated[tuple[RemoteKeyConfig, ...], Len(0, 20)] = ()
    profile: Annotated[tuple[RemoteProfileConfig, ...], Len(0, 20)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConfig:
    """[clock]: when wall time is believed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    trust: Literal["kernel", "always"] = "kernel"  # always: a battery clock that is known to be right


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationConfig:
    """[calibration]: how long a proof that the sign measures right is good for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    every_months: Annotated[int, Ge(0), Le(120)] = 12  # 0: no next one is due


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConfig:
    """[live]: what `speedsign watch` sees of a running sign, by a socket on this machine and no port."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    on: bool = True
    socket: Path = Path("/run/speedsign/live.sock")  # where its folder is missing, nobody watches


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole config file, checked."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    sign: SignConfig
    radar: RadarConfig
    tracking: TrackingConfig = TrackingConfig()
    display: DisplayConfig | None = None
    rules: RulesConfig = RulesConfig()
    calendar: CalendarConfig = CalendarConfig()
    study: Annotated[tuple[StudyConfig, ...], Len(0, 100)] = ()
    brightness: BrightnessConfig = BrightnessConfig()
    beacon: BeaconConfig | None = None
    supply: SupplyConfig | None = None
    store: StoreConfig = StoreConfig()
    mqtt: MqttConfig | None = None
    remote: RemoteConfig = RemoteConfig()
    clock: ClockConfig = ClockConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    live: LiveConfig = LiveConfig()

    @property
    def ceiling_kmh(self) -> int:
        """Above this nothing is shown, so that nobody races the sign; all is still recorded."""
        return self.rules.ceiling_kmh or min(2 * self.sign.limit_kmh, 250)
