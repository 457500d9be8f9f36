"""The messages of telemetry.message as pydantic models: for the AsyncAPI file, for receivers, for tests.

Never imported by the running daemon or the hub, which read with telemetry.message.heard; a test holds both
to the same verdict on any message. Keys that are not known are ignored, but in commands.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from telemetry.message.json_text import SEQ_AT_MOST, zone
from telemetry.message.model_base import Message
from telemetry.message.names import ACK_MAX_RANGES, DURATIONS_S, GAP_MAX_ENTRIES, PLACE_MAX_CALIBRATIONS

_LAST_S = 253_402_300_799


def _known_zone(value: str) -> str:
    return zone(value, "tz")


def _one_of_durations(value: int) -> int:
    if value not in DURATIONS_S:
        raise ValueError(f"none of {DURATIONS_S}")
    return value


def _day(value: str) -> str:
    date.fromisoformat(value)
    return value


# Of Literal[1] pydantic takes 1.0 too.
One = Annotated[int, Field(ge=1, le=1), WithJsonSchema({"const": 1})]
Duration = Annotated[int, AfterValidator(_one_of_durations), WithJsonSchema({"enum": list(DURATIONS_S)})]
SignId = Annotated[str, Field(pattern=r"^[a-z0-9-]{3,40}$", description="the sign's id in its config")]
Epoch = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="random, made with the sign's database")]
Count = Annotated[int, Field(ge=0, le=SEQ_AT_MOST)]
Number = Annotated[int, Field(ge=1, le=SEQ_AT_MOST)]
Seq = Annotated[
    Number, Field(description="grows by one with each message of an epoch that is not state, birth or health")
]
Boot = Annotated[Count, Field(description="how often the sign's program was started on this database")]
BootName = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="names a start of the sign's machine")]
Unix = Annotated[int, Field(ge=0, le=_LAST_S, description="seconds since 1970, UTC")]
Name = Annotated[str, Field(max_length=80)]
Word = Annotated[str, Field(max_length=40)]
Word20 = Annotated[str, Field(pattern=r"^[a-z-]{1,20}$")]
DueDay = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e12)]
Zone = Annotated[str, Field(description="IANA time zone"), AfterValidator(_known_zone)]


class Named(Message):
    """A message that was kept until the hub had it: (id, epoch, seq) is its name for ever."""

    v: One
    id: SignId
    epoch: Epoch
    seq: Seq


# --------------------------------------------------------------------------- state, birth


class State(Message):
    """Retained: whether the sign is there. `lost` comes from the broker, with the boot that was lost."""

    v: One
    s: Literal["on", "off", "lost"]
    boot: Boot


class InstallationFacts(Message):
    """Where and how the sign stands."""

    id: Number = Field(description="its number at the sign")
    site: str = Field(max_length=200)
    limit_kmh: int = Field(ge=1, le=200)
    angle_deg: float = Field(ge=0, le=89, description="between the radar's beam and the road")
    tz: Zone
    approaching: str = Field(max_length=200, description="what the direction towards the sign is called")
    receding: str = Field(max_length=200)
    rounds: bool = Field(description="classes are [k-0.5, k+0.5); false: [k, k+1)")
    radar: Name = Field("", description="the driver's name")
    profile: str = Field("", max_length=2000, description="what the panel shows to whom, in short")


class Birth(Message):
    """Retained: what is needed to read the sign's other messages."""

    nullable: ClassVar[frozenset[str]] = frozenset({"installation"})

    v: One
    id: SignId
    epoch: Epoch
    boot: Boot
    sw: Name = Field(description="the sign's software")
    schema_: One = Field(alias="schema", description="version of the messages")
    radar: Name
    display: Name
    cfg: Name = Field(description="a hash that changes with the config")
    installation: InstallationFacts | None
    challenge: Name | None = Field(
        None,
        description="what a command repeats while the sign's clock is not trusted; none: takes no commands",
    )
    oldest: Number | None = Field(
        None,
        description="lowest seq that waits, or the next one to come: below it the sign has nothing any more",
    )


class CalibrationFacts(Message):
    """What was done to see whether the sign measures right. Who did it stays at the sign."""

    key: str = Field(pattern=r"^[0-9a-f]{32}$", description="its name for ever")
    at: Unix
    clk: Literal["ok", "corrected", "unknown"]
    kind: Word20 = Field(
        description="drive-by and fork prove speeds; a receiver leaves out what it does not know"
    )
    verdict: Word20 = Field(description="pass, fail, undecided, done")
    due: DueDay | None = Field(None, description="when the next one is due; not there: none")
    site: str = Field(max_length=200)
    driver: Name = Field(description="of the radar")
    angle_deg: float = Field(ge=0, le=89, description="the mounting angle it was made with")


class PlaceMessage(Named):
    """Where and how the sign stood from a moment on; a higher seq replaces an earlier one."""

    from_: Unix = Field(alias="from")
    installation: InstallationFacts
    calibrations: list[CalibrationFacts] | None = Field(
        None,
        max_length=PLACE_MAX_CALIBRATIONS,
        description="the newest of the sign, as they were kept there, the last one at the end, with where it"
        " stands now; those not here stay as they were told",
    )


# --------------------------------------------------------------------------- intervals


class Histogram(Message):
    """Vehicles per integer km/h from `lo` on; the last class has at least one."""

    w: One = Field(description="class width, km/h")
    lo: int = Field(ge=0, le=999)
    c: list[Annotated[int, Field(ge=0, le=100_000)]] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _ends(self) -> Histogram:
        if not self.c[-1]:
            raise ValueError("the last class has no vehicle")
        if self.lo + len(self.c) > 1000:
            raise ValueError("a class above 999 km/h")
        return self


class Group(Message):
    """The vehicles of one direction and display state."""

    dir: Literal["approaching", "receding", "unknown"]
    display: Literal["shown", "word", "blank", "dark", "fault"]
    n: int = Field(ge=1, le=100_000)
    mean: float = Field(ge=0, le=1000, description="km/h, of the integer classes")
    max: Count = Field(description="km/h")
    hist: Histogram
    sus: Histogram | None = Field(None, description="those of hist that a flag is against; not there: none")

    @model_validator(mode="after")
    def _adds_up(self) -> Group:
        if sum(self.hist.c) != self.n:
            raise ValueError("n is not the sum of hist.c")
        if self.hist.lo + len(self.hist.c) - 1 != self.max:
            raise ValueError("max is not the last class of hist")
        if self.sus is not None:
            self._check_suspects(self.sus)
        return self

    def _check_suspects(self, sus: Histogram) -> None:
        for speed, n in enumerate(sus.c, sus.lo):
            place = speed - self.hist.lo
            if n > (self.hist.c[place] if 0 <= place < len(self.hist.c) else 0):
                raise ValueError("sus has more vehicles than hist")


class Aggregate(Named):
    """One interval; replaces one of the same start, dur, installation and boot with a lower `rev`."""

    rev: Number
    start: Unix
    dur: Duration
    measured_s: float = Field(ge=0, description="how long the radar is proved to have been measuring")
    clk: Literal["ok", "corrected", "unknown"]
    installation: Number
    groups: list[Group] = Field(max_length=15)
    scaled: bool = Field(
        False, description="an angle was corrected later, and these speeds could only be scaled"
    )
    boot: BootName | None = Field(
        None,
        description="only where clk is unknown: the start of the machine it belongs to. Others that"
        " begin then are other intervals; without groups and measured 0 it is withdrawn",
    )
    after: Unix | None = Field(
        None,
        description="with boot: the last time that the sign knew before; s since 1970. None: it knew none",
    )
    stepped: bool = Field(False, description="the clock was set by more than a second in it")

    @model_validator(mode="after")
    def _fits(self) -> Aggregate:
        if self.measured_s > self.dur:
            raise ValueError("measured_s is more than dur")
        if self.start % self.dur:
            raise ValueError("start is no multiple of dur")
        if self.boot is not None and self.clk != "unknown":
            raise ValueError("a boot where clk is not unknown")
        if self.after is not None and self.boot is None:
            raise ValueError("after without boot")
        if len({(group.dir, group.display) for group in self.groups}) != len(self.groups):
            raise ValueError("a direction and display state comes twice")
        return self


# --------------------------------------------------------------------------- gaps, acks


class DroppedRange(Message):
    """Seqs that will never come; `n` of them were messages of this kind."""

    kind: str = Field(pattern=r"^[a-z]{1,20}$")
    first: Number
    last: Number
    n: Number

    @model_validator(mode="after")
    def _ordered(self) -> DroppedRange:
        if self.last < self.first or self.n > self.last - self.first + 1:
            raise ValueError("not a range")
        return self


class Gap(Named):
    """What the sign dropped because it was full."""

    dropped: list[DroppedRange] = Field(max_length=GAP_MAX_ENTRIES)

    @model_validator(mode="after")
    def _of_others(self) -> Gap:
        if any(one.first <= self.seq <= one.last for one in self.dropped):
            raise ValueError("a message cannot say that it is lost itself")
        return self


class AckMessage(Message):
    """From the hub: all up to `up_to` is stored, or was told as lost, and the ranges in `also` above it."""

    v: One = 1
    epoch: Epoch
    up_to: Count
    also: list[Annotated[list[Count], Field(min_length=2, max_length=2)]] = Field(
        [], max_length=ACK_MAX_RANGES, description="ranges [first, last], ascending, without overlap"
    )
    need: Word = Field("", description="places: please send all places again")

    @model_validator(mode="after")
    def _ascending(self) -> AckMessage:
        above = self.up_to
        for first, last in self.also:
            if not above < first <= last:
                raise ValueError("ranges that do not ascend")
            above = last
        return self


# --------------------------------------------------------------------------- health


class Day(Message):
    """What was counted in 24 h of whole quarters, or since the sign stands."""

    until: Count | None = None
    vehicles: Count | None = None
    coverage: Share | None = Field(None, description="of that time, how much was measured")


class RadarHealth(Message):
    """Counters since the program's start."""

    frames_h: Amount | None = Field(None, description="reports in an hour, since the last health message")
    bad: Count | None = None
    overflow: Count | None = None
    reopened: Count | None = None
    restarts: Count | None = None
    unanswered: Count | None = None


class PanelHealth(Message):
    """Counters since the program's start."""

    mode: Word | None = Field(None, description="on, dark (by plan), unknown (not under control)")
    retries: Count | None = None
    timeouts: Count | None = None
    bad_replies: Count | None = None
    mismatches: Count | None = None
    reconnects: Count | None = None


class StoreHealth(Message):
    """What waits to be written, and counters since the program's start."""

    mb: Amount | None = Field(None, description="size of the database")
    waiting: Count | None = None
    retries: Count | None = None
    dropped: Count | None = None
    lost: Count | None = None
    rejected: Count | None = None


class MqttHealth(Message):
    """Counters since the program's start; `ack_age_s` since the hub's last word."""

    connections: Count | None = None
    connections_ended: Count | None = None
    refused: Count | None = Field(None, description="tries to connect that the broker refused")
    refused_messages: Count | None = None
    nobody_listens: Count | None = Field(None, description="messages that the broker had no receiver for")
    rebuilt: Count | None = Field(None, description="how often the MQTT client was made anew")
    ack_age_s: Count | None = None
    queue_kb: Count | None = Field(None, description="size of what waits")


class CommandHealth(Message):
    """Messages to `down/cmd` since the program's start, once there was one."""

    taken: Count | None = None
    refused: Count | None = Field(None, description="for whatever reason")
    ignored: Count | None = Field(None, description="not looked at, in a flood")


class CalibrationHealth(Message):
    """How the sign stands with its calibration."""

    state: Word | None = Field(
        None,
        description="none, valid, overdue, failed, undated (nobody vouches for when it was, or for the date)",
    )
    at: Count | None = Field(None, description="of the newest proof of speed, seconds since 1970, UTC")
    due: DueDay | None = Field(None, description="when the next one is due")


class ClockHealth(Message):
    """What was counted while the time was not known, and never got its own."""

    boots: Count | None = Field(None, description="starts of the machine")
    vehicles: Count | None = None
    known: Count | None = Field(None, description="the last time that was known, seconds since 1970, UTC")


class MachineHealth(Message):
    """What the board tells."""

    temp_c: float | None = Field(None, ge=-273, le=1000)
    troubles: list[Word] | None = Field(
        None,
        max_length=20,
        description="under_voltage, frequency_capped, throttled, hot; was_ before it: since the last look",
    )
    supply_v: float | None = Field(None, ge=-1000, le=1000)
    battery_percent: float | None = Field(None, ge=0, le=100)
    mains: bool | None = None
    disk_free_mb: Amount | None = None
    disk_free: Share | None = None
    memory_mb: Amount | None = Field(None, description="of the sign's program")


ByKind = Annotated[dict[Word, Count], Field(max_length=12)]


class Health(Message):
    """Each hour: how the sign is. What is not known is not there."""

    v: One
    id: SignId
    epoch: Epoch
    boot: Boot
    at: Unix
    clk: Annotated[str, Field(max_length=20, description="ok, or how far its clock can be believed")]
    up_s: Count | None = None
    machine_up_s: Count | None = None
    day: Day | None = None
    radar: RadarHealth | None = None
    panel: PanelHealth | None = None
    store: StoreHealth | None = None
    mqtt: MqttHealth | None = None
    queue: ByKind | None = Field(None, description="messages that wait, by kind")
    dropped: ByKind | None = Field(None, description="messages that were ever dropped, by kind")
    machine: MachineHealth | None = None
    faults: list[Word] | None = Field(None, max_length=20, description="device/code, for programs")
    commands: CommandHealth | None = None
    calibration: CalibrationHealth | None = None
    clock: ClockHealth | None = Field(None, description="not there: everything has its time")
