"""What the parts of a sign say to each other: readings, targets, vehicles, faces, intervals.

Speeds are km/h and never negative; which way a vehicle moves is its `Direction`. Names that end in
`_mono_s` are seconds of the monotonic clock, which never steps; wall time is always aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    """Which way a vehicle moves, seen from the sign."""

    APPROACHING = "approaching"
    RECEDING = "receding"
    UNKNOWN = "unknown"

    def inverted(self) -> Direction:
        """The other way; unknown stays unknown (for a radar mounted looking the other way)."""
        if self is Direction.APPROACHING:
            return Direction.RECEDING
        return Direction.APPROACHING if self is Direction.RECEDING else self


class Unit(StrEnum):
    """Speed units that radars speak; the value is how our config writes it."""

    KMH = "km/h"
    MPH = "mph"
    MPS = "m/s"

    @property
    def kmh(self) -> float:
        """How many km/h one unit is."""
        return _KMH_PER_UNIT[self]


_KMH_PER_UNIT = {Unit.KMH: 1.0, Unit.MPH: 1.609344, Unit.MPS: 3.6}


# --------------------------------------------------------------------------- what a radar says


@dataclass(frozen=True, slots=True)
class Reading:
    """One target in one report of the radar: a radial speed, not yet a vehicle."""

    t_mono_s: float  # when its last byte was received
    speed_kmh: float
    direction: Direction
    strength: float | None = None  # an amplitude above 0 on the radar's own scale, no decibels
    range_m: float | None = None
    rank: int = 0  # place in its report, 0 first; readings of one report share their time


@dataclass(frozen=True, slots=True)
class Idle:
    """The radar says that it sees nothing: proof of life, never a measurement."""

    t_mono_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a command or a line of self-description: {"Units": "km-per-hr"} and the like."""

    t_mono_s: float
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Restarted:
    """The radar says that it started again: what is not in its flash has to be set again."""

    t_mono_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A frame that was understood but must not be used, with the reason for the technician."""

    t_mono_s: float
    reason: str


RadarEvent = Reading | Idle | Reply | Restarted | Rejected


# --------------------------------------------------------------------------- what the tracker says


@dataclass(frozen=True, slots=True)
class Target:
    """A vehicle that is being seen now: what the display may show."""

    track_id: int
    speed_kmh: float
    direction: Direction
    t_last_mono_s: float
    readings: int
    strength: float | None = None
    range_m: float | None = None


SUSPECT = frozenset({"image?", "long?", "few"})  # flags (docs/speeds.md): counted, but never the fastest


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle that has passed, as the tracker saw it (docs/speeds.md defines the four speeds)."""

    track_id: int
    direction: Direction
    t_first_mono_s: float
    t_last_mono_s: float
    speed_kmh: float  # the representative speed: robust, cosine-corrected
    entry_kmh: float
    exit_kmh: float
    max_kmh: float
    readings: int
    strength: float | None = None  # the strongest reading's
    length_m: float | None = None
    flags: tuple[str, ...] = ()
    # What a mounting angle that is corrected later needs: speed_kmh is along_kmh, or radial_kmh over the
    # angle's cosine where that is more (or where there is no along_kmh).
    radial_kmh: float | None = None  # the representative speed before any angle
    along_kmh: float | None = None  # by the vehicle's own passage alone; None: its readings showed none

    @property
    def suspect(self) -> bool:
        """Whether a flag says that it may be no vehicle, or two, or was hardly seen."""
        return not SUSPECT.isdisjoint(self.flags)

    @property
    def duration_s(self) -> float:
        return self.t_last_mono_s - self.t_first_mono_s


# --------------------------------------------------------------------------- what the panel shows


@dataclass(frozen=True, slots=True)
class Face:
    """What the driver sees: a number, or a word, or nothing; how bright is no part of it."""

    number: int | None = None
    word: str = ""  # instead of a number, as it is written on the panel
    blink: bool = False  # by the panel itself; never by writing it again and again
    beacon: bool = False  # the lamps beside the panel; may be on while the panel is dark

    @property
    def is_blank(self) -> bool:
        """Whether the panel is dark."""
        return self.number is None and not self.word

    def __str__(self) -> str:
        return self.word or ("dark" if self.number is None else str(self.number))


BLANK = Face()


class DisplayState(StrEnum):
    """What the sign did for one vehicle; the base of every before/after comparison."""

    SHOWN = "shown"  # its speed was shown while it passed, alone or in turn with a word
    WORD = "word"  # it was shown a word and no number
    BLANK = "blank"  # the display was working, but showed this vehicle nothing
    DARK = "dark"  # no display, or dark by plan: a schedule, a study
    FAULT = "fault"  # the display was not under control: what the driver saw is not known


# --------------------------------------------------------------------------- what is kept


class ClockQuality(StrEnum):
    """How far a wall time may be believed."""

    OK = "ok"  # the kernel said: synchronised
    CORRECTED = "corrected"  # by boot time: stamped while the clock was not synchronised, put right by a sync
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """A vehicle with the wall time and the circumstances it passed under: one row, one commit."""

    vehicle: Vehicle
    first_utc: datetime
    last_utc: datetime  # decides which interval it counts in
    clock: ClockQuality
    display: DisplayState
    tracker: str  # version of the tracker that made it
    face: str = ""  # the zone whose face it was shown last: within, over, too_fast; empty: none
    boot: str = ""  # the start of the machine it passed in, Clock.boot_id; empty: not known


@dataclass(frozen=True, slots=True)
class Coverage:
    """Seconds in which the radar was proved to be measuring, inside one interval."""

    at_utc: datetime  # any moment of that interval
    measured_s: float
    clock: ClockQuality = ClockQuality.OK
    boot: str = ""  # Clock.boot_id; empty: not known
    from_mono_s: float | None = None  # they begin here and are without a gap; None: not known


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts of one direction and display state in an interval: integer km/h -> vehicles."""

    direction: Direction
    display: DisplayState
    counts: Mapping[int, int]
    suspects: Mapping[int, int] = field(default_factory=dict)  # those of `counts` that a flag is against

    @property
    def n(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Interval:
    """The record that everything official is computed from. No cell: no vehicle, still a record.

    An undated one (clock unknown) has a boot, and what else begins then is another interval.
    """

    start_utc: datetime
    duration_s: int
    measured_s: float
    clock: ClockQuality
    installation_id: int
    revision: int = 1  # grows when a closed interval had to be counted again
    cells: tuple[Cell, ...] = ()
    scaled: bool = False  # an angle was corrected later, and these speeds could only be scaled
    boot: str = ""  # of an undated one: 16 hex characters that name the start of the machine it belongs to
    stepped: bool = False  # the clock was set by more than a second in it
    after_utc: datetime | None = None  # of an undated one: the last time known before its boot; None: none


@dataclass(frozen=True, slots=True)
class Installation:
    """Where and how the sign stood, from a moment on; a report never mixes two silently."""

    site: str
    limit_kmh: int
    mounting_angle_deg: float
    radar: str
    timezone: str
    approaching_name: str = ""
    receding_name: str = ""
    rounds: bool = True  # speed classes are [k-0.5, k+0.5); False: the radar truncates, [k, k+1)
    display_profile: str = ""  # what the panel shows to whom, in short; empty: not known


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is wrong with one device, in a sentence for the person who has to mend it."""

    device: str  # radar, display, store, mqtt, clock
    code: str  # stable word for programs: silent, no_reply, mismatch, …
    text: str


@dataclass(slots=True)
class Counters:
    """What a device has done since it was opened; published as health."""

    values: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, n: int = 1) -> None:
        self.values[name] = self.values.get(name, 0) + n

    def get(self, name: str) -> int:
        return self.values.get(name, 0)
