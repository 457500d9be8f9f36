"""The shapes of everything that is plugged into the sign.

A driver, a store or a clock is written against this module alone. The daemon is handed one of each and
makes none itself, so that the whole of it also runs on simulated time, in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from speedsign.model import (
    Counters,
    Coverage,
    Direction,
    Face,
    Fault,
    Installation,
    Interval,
    RadarEvent,
    Reply,
    Unit,
    VehicleRecord,
)

# --------------------------------------------------------------------------- time


class Clock(Protocol):
    """Where time comes from. Sleeping is asyncio's business: its loop's time runs with `monotonic`."""

    def monotonic(self) -> float:
        """Seconds since the machine started, asleep or not; never steps."""
        ...

    def now_utc(self) -> datetime:
        """The wall clock, aware UTC, right or not."""
        ...

    def trusted(self) -> bool:
        """Whether the kernel says that the wall clock is synchronised."""
        ...

    def boot_id(self) -> str:
        """32 hex characters that name this start of the machine, and no other of any machine."""
        ...


# --------------------------------------------------------------------------- bytes


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a serial line is set: `parity` is N, E or O."""

    baud: int
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1


class BytePort(Protocol):
    """A line that bytes come from and go to, on the event loop; never blocks."""

    name: str  # for the technician: the device's path

    async def open(self, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]) -> None:
        """Open the line and discard what the system had buffered; raises PortError.

        `on_data` gets every chunk as it arrives, `on_lost` is called once when the line goes away
        (not after `close`).
        """
        ...

    def write(self, data: bytes) -> None:
        """Send; raises PortError when the line is closed."""
        ...

    def close(self) -> None:
        """Close; harmless when closed already."""
        ...


# --------------------------------------------------------------------------- radar


@dataclass(frozen=True, slots=True)
class RadarSettings:
    """What a radar is to be set to. A driver leaves out what its sensor cannot do, and says so."""

    unit: Unit = Unit.KMH
    min_speed_kmh: float = 8.0
    max_speed_kmh: float = 200.0
    min_strength: float | None = None  # None: the driver's default
    directions: frozenset[Direction] = frozenset({Direction.APPROACHING, Direction.RECEDING})
    targets: int = 1  # speeds per report


class Decoder(Protocol):
    """Bytes in, events out; knows no port and asks for no time.

    Any split of the same bytes gives the same events (but for their times). Never raises on input,
    whatever it is; holds at most a documented number of bytes.
    """

    counters: Counters  # bytes, frames, bad, overflow, …
    unit_confirmed: bool  # set by the link once the radar has said which unit it is set to

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes, in order, stamped with `t_mono_s`."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to set: ask, compare, write only where it differs, ask again.

    `matches` gets an answer and says: True as wanted, False differs, None: an answer to something else.
    A setting with `query` None cannot be asked for; it is written at each start.
    """

    name: str
    query: bytes | None
    matches: Callable[[Reply], bool | None]
    write: bytes
    wanted: str  # for the technician


class SourceStatus(StrEnum):
    """How well a protocol is known: what docs/radars.md says of it."""

    CAPTURED = "captured"  # bytes of a real sensor have been decoded
    DOCUMENTED = "documented"  # the maker's document, or several drivers that agree
    CONSTRUCTED = "constructed"  # from a description; meet it with suspicion until a sensor was heard


@dataclass(frozen=True, slots=True)
class RadarFacts:
    """What a person wants to know before buying or mounting one; the table of docs/radars.md."""

    protocol: str  # a few words: "text lines", "framed binary, length, no checksum"
    rate_hz: float  # reports a second, typical
    range_m: float | None  # to which a car is seen; None: the maker does not say
    direction: str  # how it is told: "sign", "two headers", "not at all", …
    strength: bool
    gives_range: bool
    targets: int  # in one report at most
    status: SourceStatus
    source: str  # where the facts are from: document and section
    quirks: tuple[str, ...] = ()  # what is uncertain or has to be known, one sentence each


class RadarDriver(Protocol):
    """What is to be known of one radar protocol; the class itself is found by name.

    Derive from this class to get the defaults of what few radars need.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    line: ClassVar[LineSettings]
    bauds: ClassVar[tuple[int, ...]]  # worth trying when probing
    streams_when_idle: ClassVar[bool]  # False: silence is normal, life is asked for with `ping`
    ping: ClassVar[bytes | None]  # harmless command that is answered
    command_gap_s: ClassVar[float]  # silence to leave between two commands
    factory_unit: ClassVar[Unit]
    rounds: ClassVar[bool]  # False: speeds are truncated to whole units
    max_speed_kmh: ClassVar[float]  # the sensor's own limit
    facts: ClassVar[RadarFacts]
    profiles: ClassVar[tuple[str, ...]] = ()  # dialects; the class is made with `profile=` one of them
    silent_after_s: ClassVar[float] = 3.0  # of a radar that streams when idle: no word for so long is a fault
    opening: ClassVar[tuple[bytes, ...]] = ()  # sent after each opening of the line, before anything else
    poll: ClassVar[bytes | None] = None  # the question that each report answers; None: it reports by itself
    poll_s: ClassVar[float] = 0.1  # from one question to the next

    def decoder(self, unit: Unit | None) -> Decoder:
        """A fresh decoder. `unit`: what the radar is set to; None: believe each line, else km/h."""
        ...

    def settings(self, wanted: RadarSettings) -> Sequence[Setting]:
        """What has to be set for `wanted`, in order."""
        ...


class Radar(Protocol):
    """A radar as the daemon uses it."""

    async def run(self, on_events: Callable[[Sequence[RadarEvent]], None]) -> None:
        """Keep the radar open, set up and supervised until cancelled; never raises on a bad line."""
        ...

    def faults(self) -> list[Fault]:
        """What is wrong now; empty when all is well."""
        ...

    def measured_s(self, t_mono_s: float) -> float:
        """Seconds, up to a moment, for which the radar is proved to have been measuring; only grows."""
        ...

    def health(self) -> Mapping[str, int]:
        """Counters since the start."""
        ...


# --------------------------------------------------------------------------- display


class ModbusBus(Protocol):
    """One paced Modbus line. Every reply is checked against what was asked.

    Errors: PortError (not connected), NoReply, BadReply (wrong function, address, value, count, or an
    exception reply). Nothing is retried here. Addresses are those on the wire, from 0.
    """

    name: str

    async def connect(self) -> None: ...

    async def ready(self, unit: int | None = None) -> None:
        """Wait until the next request to this unit would be sent at once; raises as a request does.

        So that what to send can be decided then, and not before.
        """
        ...

    async def tell(self, unit: int, write: WriteRegisters) -> None:
        """Write at once, also while the reply to an earlier request may still come.

        For what is right whatever was lost: darkness. That it returns proves nothing, the reply may have
        been another's; raises as a request does.
        """
        ...

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        """Holding registers, in one request (FC16)."""
        ...

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """One holding register (FC6). Its reply repeats the request: an adapter's echo passes for it."""
        ...

    async def write_coil(self, unit: int, address: int, value: int) -> None:
        """One coil (FC5): COIL_ON or COIL_OFF, or what a maker has added. Its reply repeats the request."""
        ...

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        """Holding registers (FC3)."""
        ...

    async def read_input_registers(self, unit: int, address: int, count: int) -> list[int]:
        """Input registers (FC4)."""
        ...

    async def read_coils(self, unit: int, address: int, count: int) -> list[bool]:
        """Coils (FC1)."""
        ...

    async def close(self) -> None: ...


COIL_ON, COIL_OFF = 0xFF00, 0x0000


@dataclass(frozen=True, slots=True)
class WriteRegisters:
    """Write these holding registers (0-based wire address) in one request."""

    address: int
    values: tuple[int, ...]
    single: bool = False  # by FC6, for a register that is not known to take FC16; one value


@dataclass(frozen=True, slots=True)
class Expect:
    """Read these holding registers: they must hold these values while that face is lit."""

    address: int
    values: tuple[int, ...]


DIGIT_GLYPHS = frozenset("0123456789 ")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a panel can do; the config is checked against it."""

    digits: int
    can_blank: bool  # False: where it should be dark it shows 0
    brightness_levels: int  # 0: not settable over the bus
    reads_back: bool
    own_timeout_s: float | None  # after which the panel stops showing a number by itself; None: never
    lights_at_power_up: bool
    cells: int = 0  # characters of a word; 0: it shows numbers only
    glyphs: frozenset[str] = DIGIT_GLYPHS  # what words may be made of
    blinks: bool = False


@dataclass(frozen=True, slots=True)
class PanelFacts:
    """What a person wants to know before buying or mounting one; the table of docs/panels.md."""

    power_up: str  # what it lights by itself when power comes
    own_timeout: str  # what it does when it hears nothing
    status: SourceStatus
    source: str  # where the facts are from
    quirks: tuple[str, ...] = ()  # what is uncertain or has to be known, one sentence each


class PanelDriver(Protocol):
    """A panel's register map: faces to register writes, without any I/O.

    Derive from this class to get the defaults. The class is made with `digits=` and `profile=` where the
    config says so; it raises DriverError for what no such panel has.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    line: ClassVar[LineSettings]
    bauds: ClassVar[tuple[int, ...]] = (9600, 19200, 38400, 4800, 57600, 115200, 2400, 1200)  # when scanning
    profiles: ClassVar[tuple[str, ...]] = ()  # register maps, the usual one first
    facts: ClassVar[PanelFacts]
    capabilities: Capabilities

    def start(self) -> Sequence[WriteRegisters]:
        """The requests that put the panel in order before anything is shown; also after it was off."""
        ...

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        """The requests that put this face on, in order; what does not fit is dark, never cut.

        `level`: brightness, for panels that take it together with the face; others do not look at it.
        """
        ...

    def brightness(self, level: float) -> Sequence[WriteRegisters]:
        """The requests that set the brightness alone, 0 (dimmest) to 1; none where a face carries it."""
        ...

    def read_back(self, face: Face, level: float) -> Expect | None:
        """What must be found in the panel while it shows this face; None: it cannot be read."""
        ...

    def lamp_test(self, level: float) -> Sequence[WriteRegisters]:
        """The requests that light everything the panel has."""
        ...


class Display(Protocol):
    """The panel, and what belongs to it, as the daemon uses it."""

    def show(self, face: Face) -> None:
        """From now on this face; returns at once, the newest wins."""
        ...

    def dim(self, level: float) -> None:
        """From now on this brightness, 0 (dimmest) to 1; returns at once."""
        ...

    def rest(self, *, resting: bool) -> None:
        """Dark by plan from now on, or no more; what cannot go dark by itself may lose its supply."""
        ...

    async def run(self) -> None:
        """Own the panel until cancelled: blank first, keep alive, read back, blank last."""
        ...

    def faults(self) -> list[Fault]: ...

    def lit(self) -> Face | None:
        """The face that the panel has acknowledged; None while it is not known what it shows."""
        ...

    def health(self) -> Mapping[str, int]: ...


class Troubled(Protocol):
    """What can say what is wrong with it; asked each second, so it waits for nothing."""

    def faults(self) -> list[Fault]: ...


class LightSensor(Protocol):
    """What measures the light that falls on the sign."""

    def lux(self) -> float | None:
        """The newest value; None while there is none that can be believed."""
        ...

    def faults(self) -> list[Fault]: ...


# --------------------------------------------------------------------------- what is kept and sent


class Store(Protocol):
    """Where vehicles and intervals are kept. Blocking: the daemon uses it through a `Recorder`.

    Every method is one transaction; all raise StoreError.
    """

    def begin(self, installation: Installation, at_utc: datetime) -> int:
        """Open this installation if it differs from the last one; its id."""
        ...

    def add_vehicle(self, record: VehicleRecord, coverage: Sequence[Coverage]) -> None:
        """Keep the vehicle, count it in its interval, add the coverage since the last call."""
        ...

    def add_coverage(self, coverage: Sequence[Coverage]) -> None: ...

    def close_intervals(self, before_utc: datetime, since_utc: datetime | None) -> list[Interval]:
        """Close every open interval that ended by then, empty ones since the last closed one included.

        `since_utc`: where empty ones begin if nothing was closed before; None: make none.

        Each closed interval is put into the outbox in the same transaction.
        """
        ...

    def date_boot(self, boot_id: str, boot_utc: datetime, at_utc: datetime) -> int:
        """The time became known: everything of this boot that has none gets its own; how many vehicles.

        `boot_utc`: UTC at boot time 0; `at_utc`: now. May come again, also with another `boot_utc` after the
        clock was set: what has a time keeps it.
        """
        ...

    def step(self, from_utc: datetime, to_utc: datetime) -> list[Interval]:
        """The clock was set: the interval of `from_utc` ends, that of `to_utc` goes on, both marked so."""
        ...

    def known_until(self) -> datetime | None:
        """The last time that was believed and has held; None: none yet."""
        ...

    def prune(self, before_utc: datetime, at_utc: datetime | None = None) -> int:
        """Forget vehicles that passed before then, never intervals; how many.

        `at_utc`: now; nothing is forgotten while that is far from every time known before, until it has held.
        """
        ...

    def prune_by_boot_time(self, boot_id: str, before_mono_s: float) -> int:
        """The same without a clock: of this boot those that passed before then, and all of earlier ones."""
        ...

    def close(self) -> None: ...


class Recorder(Protocol):
    """Runs the store where it cannot hold up the display: calls return at once."""

    def submit(self, what: str, call: Callable[[Store], object]) -> None:
        """Do this with the store, after everything submitted before."""
        ...

    async def run(self) -> None:
        """Work until cancelled; what is submitted by then is still done."""
        ...

    def faults(self) -> list[Fault]: ...

    def health(self) -> Mapping[str, int]: ...


class Remote(Protocol):
    """What takes commands from afar."""

    def tick(self) -> None:
        """Called each second: what was not confirmed in time is undone."""
        ...

    def faults(self) -> list[Fault]: ...

    def health(self) -> Mapping[str, int]:
        """Since the start: `taken`, `refused_` and each reason, `ignored`."""
        ...


class Live(Protocol):
    """What tells those who look at the running sign. Asked for `listening` before anything is made for it."""

    @property
    def listening(self) -> bool:
        """Whether anybody is there."""
        ...

    def heard(self, events: Sequence[RadarEvent]) -> None:
        """What the radar has just said, as it said it; the panel was told before."""
        ...

    def passed(self, record: VehicleRecord) -> None:
        """A vehicle has passed."""
        ...

    def tick(self) -> None:
        """Called each second."""
        ...

    async def run(self) -> None: ...


class Telemetry(Protocol):
    """What takes intervals out of the outbox and to the broker."""

    def wake(self) -> None:
        """There is something new in the outbox."""
        ...

    async def run(self) -> None: ...

    def faults(self) -> list[Fault]: ...

    def health(self) -> Mapping[str, int]: ...
