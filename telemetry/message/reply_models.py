"""Answers to commands as pydantic models (telemetry.message.reply says how they are read)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from telemetry.message.model_base import Message
from telemetry.message.models import Count, Name, Named, Share, Unix, Word
from telemetry.message.reply import FEW, LINE, LINES, TITLE, WITHIN_S

Line = Annotated[str, Field(max_length=LINE)]
Title = Annotated[str, Field(max_length=TITLE)]
Titles = Annotated[list[Title], Field(max_length=FEW)]


class Standing(Message):
    """Where the sign stands."""

    site: Title | None = None
    limit_kmh: Count | None = None


class Waiting(Message):
    """A change that nobody has confirmed yet."""

    counter: Count | None = Field(None, description="of the command that asked for it")
    undone_in_s: int | None = Field(None, ge=-WITHIN_S, le=WITHIN_S)


class Counted(Message):
    """What was counted in a time that ends now; a direction without vehicles is not there."""

    vehicles: Count | None = None
    approaching: Count | None = None
    receding: Count | None = None
    unknown: Count | None = Field(None, description="vehicles whose direction is not known")
    coverage: Share | None = Field(None, description="of that time, how much was measured")


class Report(Message):
    """How a sign is; at most 4 KB. What is not known is not there."""

    software: Name | None = Field(None, description="the sign's software")
    uptime_s: Count | None = Field(None, description="since the sign's program was started")
    clock: Word | None = Field(None, description="ok or unknown")
    installation: Standing | None = Field(None, description="what is counted under now")
    display_profile: Line | None = Field(None, description="what the panel shows to whom, in short")
    limit_kmh: Count | None = Field(None, description="that holds at this hour")
    dark: bool | None = Field(None, description="whether the panel is dark by plan at this hour")
    tables: Titles | None = Field(None, description="names of the schedule's tables that hold at this hour")
    study: Title | None = Field(None, description="name of the study that runs; empty: none")
    faults: Titles | None = Field(None, description="sentences for a person")
    remote: Titles | None = Field(None, description="what is set from afar, in words")
    pending: Waiting | None = None
    last_24_h: Counted | None = None
    last_7_d: Counted | None = None


class Reply(Named):
    """What became of a command. What an action does not give is not there."""

    at: Unix
    key: Name = Field(description="id of the key that signed it; empty: what the sign undid by itself")
    counter: Count = Field(description="the command's; 0 where it could not be read")
    action: Word = Field(description="empty where it could not be read")
    outcome: Word = Field(description="done, pending, dry_run, undone, refused")
    reason: Name = Field("", description="a word, when it was refused or undone")
    text: Line = Field("", description="the same as a sentence")
    difference: list[Line] = Field([], max_length=LINES, description="set, revert: what it changes")
    confirm_within_s: Count | None = Field(None, description="set: then it is undone")
    waits_for: Count | None = Field(
        None, description="set: the counter to confirm, where an earlier command had asked for the same"
    )
    intervals: Count | None = Field(None, description="resend: how many were put into the outbox")
    report: Report | None = Field(None, description="report: how the sign is")
    lines: list[Line] = Field([], max_length=LINES, description="log: the newest last")
    left_out: Count | None = Field(None, description="log: earlier lines that did not fit")
