"""Commands to a sign as pydantic models, for those who write a sender of their own.

What a sign takes is decided by telemetry.command alone, which is stricter still; unlike in all other
messages a key that is not known is refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from telemetry.message.model_base import Strict
from telemetry.message.models import One

_COUNTER_AT_MOST = 2**53 - 1
_TIME_AT_MOST_S = 2**40

Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
Counter = Annotated[int, Field(ge=1, le=_COUNTER_AT_MOST)]
Time = Annotated[int, Field(ge=0, le=_TIME_AT_MOST_S, description="seconds since 1970, UTC")]
ProfileName = Annotated[str, Field(pattern=r"^([a-z0-9-]{1,40})?$")]


class Envelope(Strict):
    """A body, and the signature of one of the keys that the sign's config names."""

    v: One
    key: str = Field(pattern=r"^[a-z0-9-]{1,40}$", description="the key's id in the sign's config")
    body: Base64 = Field(description="base64 of a command: UTF-8 JSON of at most 3000 bytes")
    sig: Base64 = Field(
        description="base64 of the Ed25519 signature over b'speedsign-command-1\\n' and the body's bytes",
        min_length=88,
        max_length=88,
    )


class _Command(Strict):
    v: One
    to: str = Field(
        pattern=r"^([a-z0-9-]{3,40}|group:[a-z0-9-]{1,40})$", description="a sign's id, or group:NAME"
    )
    counter: Counter = Field(description="above any before it of the same key; ms since 1970 serve")
    not_after: Time | None = Field(
        None,
        description="needed where the sign's clock is trusted; at most 24 h ahead",
    )
    challenge: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{32}$",
        description="of the sign's birth; needed where its clock is not trusted",
    )


class SetArgs(Strict):
    """What is to be set: at least one of them."""

    limit_kmh: int | None = Field(None, ge=5, le=130, description="within the bounds of the config")
    profile: ProfileName | None = Field(None, description="a profile of the config; empty: none")
    schedule: dict[Annotated[str, Field(min_length=1, max_length=200)], bool] | None = Field(
        None, max_length=50, description="a schedule's name in the config: whether it counts"
    )

    @model_validator(mode="after")
    def _something(self) -> SetArgs:
        if not self.model_fields_set:
            raise ValueError("set without anything to set")
        return self


class CounterArgs(Strict):
    """Which change is confirmed."""

    counter: Counter


class LogArgs(Strict):
    """How many lines, the newest."""

    lines: int = Field(ge=1, le=200)


class ResendArgs(Strict):
    """Intervals that began from `from` and before `to`."""

    from_: Time = Field(alias="from")
    to: Time


class NoArgs(Strict):
    """Nothing."""


class SetCommand(_Command):
    """Change what drivers are shown; undone by itself unless confirmed."""

    action: Literal["set"]
    args: SetArgs
    dry_run: bool = Field(description="true: only answer what it would change")


class ConfirmCommand(_Command):
    """Keep a change."""

    action: Literal["confirm"]
    args: CounterArgs
    dry_run: Literal[False]


class RevertCommand(_Command):
    """Back to the config."""

    action: Literal["revert"]
    args: NoArgs
    dry_run: bool


class ResendCommand(_Command):
    """Send closed intervals again."""

    action: Literal["resend"]
    args: ResendArgs
    dry_run: bool


class LogCommand(_Command):
    """The newest lines of the log."""

    action: Literal["log"]
    args: LogArgs
    dry_run: Literal[False]


class OtherCommand(_Command):
    """How the sign is; or start it anew."""

    action: Literal["report", "restart"]
    args: NoArgs
    dry_run: Literal[False]


AnyCommand = SetCommand | ConfirmCommand | RevertCommand | ResendCommand | LogCommand | OtherCommand


class Command(RootModel[Annotated[AnyCommand, Field(discriminator="action")]]):
    """What is signed."""
