"""The messages of telemetry.messages as pydantic models: for receivers, for the AsyncAPI file, for tests.

Never imported by the running daemon.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SignId = Annotated[str, Field(pattern=r"^[a-z0-9-]{3,40}$", description="the sign's id in its config")]
Epoch = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="random, made with the sign's database")]
Boot = Annotated[int, Field(ge=0, description="one run of the daemon")]


class Message(BaseModel):
    """What every message keeps to: nothing extra, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class State(Message):
    """Retained: whether the sign is there. `lost` comes from the broker, with the boot that was lost."""

    v: Literal[1]
    s: Literal["on", "off", "lost"]
    boot: Boot


class InstallationFacts(Message):
    """Where and how the sign stands."""

    id: int = Field(ge=1)
    site: str
    limit_kmh: int = Field(ge=1, le=200)
    angle_deg: float
    tz: str = Field(description="IANA time zone")
    approaching: str
    receding: str
    rounds: bool = Field(description="classes are [k-0.5, k+0.5); false: [k, k+1)")


class Birth(Message):
    """Retained: what is needed to read the sign's other messages."""

    v: Literal[1]
    id: SignId
    epoch: Epoch
    boot: Boot
    sw: str
    schema_: Literal[1] = Field(alias="schema")
    radar: str
    display: str
    cfg: str
    installation: InstallationFacts | None


class Histogram(Message):
    """Vehicles per integer km/h from `lo` on."""

    w: Literal[1] = Field(description="class width, km/h")
    lo: int = Field(ge=0)
    c: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, strict=False)


class Group(Message):
    """The vehicles of one direction and display state."""

    dir: Literal["approaching", "receding", "unknown"]
    display: Literal["shown", "word", "blank", "dark", "fault"]
    n: int = Field(ge=1)
    mean: float = Field(ge=0, description="km/h, of the integer classes")
    max: int = Field(ge=0, description="km/h")
    hist: Histogram

    @model_validator(mode="after")
    def _adds_up(self) -> Group:
        if sum(self.hist.c) != self.n:
            raise ValueError("n is not the sum of hist.c")
        if self.hist.lo + len(self.hist.c) - 1 != self.max:
            raise ValueError("max is not the last class of hist")
        return self


class Aggregate(Message):
    """One interval; replaces one of the same start, dur and installation with a lower `rev`."""

    v: Literal[1]
    id: SignId
    epoch: Epoch
    seq: int = Field(ge=1)
    rev: int = Field(ge=1)
    start: int = Field(description="seconds since 1970, UTC")
    dur: Literal[60, 300, 900, 3600]
    measured_s: float = Field(ge=0)
    clk: Literal["ok", "corrected", "unknown"]
    installation: int = Field(ge=1)
    groups: tuple[Group, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _fits(self) -> Aggregate:
        if self.measured_s > self.dur:
            raise ValueError("measured_s is more than dur")
        if len({(group.dir, group.display) for group in self.groups}) != len(self.groups):
            raise ValueError("a direction and display state comes twice")
        return self
