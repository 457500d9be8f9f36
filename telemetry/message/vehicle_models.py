"""Single vehicles as a pydantic model (telemetry.message.vehicles says how they are written)."""

from __future__ import annotations

from string import ascii_letters
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from telemetry.message.models import BootName, Named, Number

_MS_AT_MOST = 253_402_300_799_999
_DAY_MS = 86_400_000
_SOMETIMES = ("radial", "along")

Tenths = Annotated[int, Field(ge=0, le=9999)]
Less = Annotated[int, Field(ge=-9999, le=9999)]
Step = Annotated[int, Field(ge=-_MS_AT_MOST, le=_MS_AT_MOST)]
Seen = Annotated[int, Field(ge=0, le=_DAY_MS)]
Up = Annotated[int, Field(ge=0, le=_MS_AT_MOST)]
Readings = Annotated[int, Field(ge=0, le=1_000_000)]
Strength = Annotated[float, Field(ge=0, le=1e12)]
Decimetres = Annotated[int, Field(ge=0, le=10_000)]
Tracker = Annotated[str, Field(max_length=40)]
Flags = Annotated[str, Field(pattern=r"^[a-z_]{1,20}\??( [a-z_]{1,20}\??){0,9}$")]


class Vehicles(Named):
    """Up to 100 vehicles of one installation, by columns; zlib over the JSON text.

    A column is a list of `n`, or one value that holds for all. Letters are the first ones of the words
    that intervals use; one letter stands for all.
    """

    nullable: ClassVar[frozenset[str]] = frozenset({"radial", "along", "strength", "length"})

    installation: Number
    n: int = Field(ge=1, le=100)
    t0: int = Field(ge=0, le=_MS_AT_MOST, description="first sight of the first vehicle, ms since 1970, UTC")
    dt: Step | list[Step] = Field(description="ms from the first sight of the vehicle before")
    seen: Seen | list[Seen] = Field(description="ms from first to last sight")
    speed: Tenths | list[Tenths] = Field(description="0.1 km/h")
    entry: Less | list[Less] = Field(description="at first sight; less `speed`, 0.1 km/h, as the next four")
    exit: Less | list[Less] = Field(description="at last sight")
    max: Less | list[Less]
    radial: Less | list[Less | None] | None = Field(None, description="before the angle was put right")
    along: Less | list[Less | None] | None = Field(None, description="by the vehicle's passage alone")
    readings: Readings | list[Readings]
    strength: Strength | list[Strength | None] | None = Field(None, description="on the radar's own scale")
    length: Decimetres | list[Decimetres | None] | None = Field(None, description="0.1 m")
    clk: str = Field(pattern=r"^[ocu]+$", description="ok, corrected, unknown")
    dir: str = Field(pattern=r"^[aru]+$", description="approaching, receding, unknown")
    display: str = Field(pattern=r"^[swbdf]+$", description="shown, word, blank, dark, fault")
    face: str = Field(
        "-", pattern=r"^[-wot]+$", description="none, within, over, too_fast: whose face it saw"
    )
    flags: list[Flags] = Field([], max_length=52, description="sets of flags, with spaces between")
    flag: str = Field(
        "-", pattern=r"^[-a-zA-Z]+$", description="of each vehicle the letter of its set, a the first; - none"
    )
    tracker: Tracker | list[Tracker] = Field(description="version of what made vehicles of readings")
    boot: BootName | None = Field(
        None, description="where the clock was not synchronised when they passed: the start of the machine"
    )
    up: Up | list[Up] | None = Field(
        None,
        description="with boot: first sight, ms of boot time. What has the same installation, boot, up, seen"
        " and dir is the same vehicle; one with clk corrected takes the place of one with unknown",
    )

    @model_validator(mode="after")
    def _fits(self) -> Vehicles:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, list) and name != "flags" and len(value) != self.n:
                raise ValueError(f"{name} has not n values")
        for letters in (self.clk, self.dir, self.display, self.face, self.flag):
            if len(letters) not in (1, self.n):
                raise ValueError("letters for other than n vehicles")
        if not set(self.flag) <= set("-" + ascii_letters[: len(self.flags)]):
            raise ValueError("a letter for no set of flags")
        if (self.boot is None) != (self.up is None):
            raise ValueError("boot without up, or up without boot")
        self._check_times()
        self._check_speeds()
        return self

    def _check_times(self) -> None:
        ms = self.t0
        for step in self._column("dt"):
            ms += step or 0
            if not 0 <= ms <= _MS_AT_MOST - _DAY_MS:
                raise ValueError("a time that is none")

    def _check_speeds(self) -> None:
        for name in ("entry", "exit", "max", *_SOMETIMES):
            for speed, less in zip(self._column("speed"), self._column(name), strict=True):
                if less is not None and not 0 <= (speed or 0) + less <= 9999:
                    raise ValueError(f"{name} is no speed")

    def _column(self, name: str) -> list[int | None]:
        value = getattr(self, name)
        return value if isinstance(value, list) else [value] * self.n
