"""A radar that is listened to by a person: what it says, and the vehicles that the sign would make of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Protocol

from drivers.radar.conversation import Conversation
from speedsign.capture import CaptureHeader
from speedsign.cli.field import a_port_has_one_reader, told_to_stop
from speedsign.cli.radar_line import Chosen
from speedsign.errors import DriverError
from speedsign.model import RadarEvent, Vehicle
from speedsign.ports import Clock, Decoder
from speedsign.replay import Follower, Replay, decoder_for

LOOK_S = 0.5  # a vehicle that has passed is told at the latest after so long
TIME_DIGITS = 4  # of a capture: what is followed live has the times that are written


class Listener(Protocol):
    """Who is told what is heard."""

    def chunk(self, t_s: float, data: bytes, events: Sequence[RadarEvent]) -> None: ...

    def vehicles(self, found: Sequence[Vehicle]) -> None: ...

    def introduced(self, said: dict[str, str]) -> None:
        """What the radar has said of itself: the beginning is over."""
        ...


def header_of(choice: Chosen, started: str, extra: dict[str, object] | None = None) -> CaptureHeader:
    """What a capture of this radar says first. A unit is named where somebody vouches for it."""
    return CaptureHeader(
        choice.driver.name,
        choice.radar.baud or choice.driver.line.baud,
        started,
        None if choice.unit is None else choice.unit.value,
        choice.radar.mounting_angle_deg,
        choice.radar.profile,
        extra or {},
    )


async def listen(
    choice: Chosen,
    listener: Listener,
    clock: Clock,
    seconds: float | None,
    *,
    may_ask: bool,
    result: Replay,
    looks: bool = True,
    stop: asyncio.Event | None = None,
) -> None:
    """Listen until the time is over or somebody says stop; `result` gets what there is besides vehicles.

    Without `looks` everything is exactly as `speedsign.replay` makes it of the same chunks. With it vehicles
    are told also while nothing is heard, and a radar that may be asked what it is set to has the first word
    on its unit. `stop`: of who looks after signals already; without it Ctrl-C ends it. Raises PortError.
    """
    decoder = decoder_for(header_of(choice, ""))
    questions = _questions(choice) if may_ask else []
    doubt = (
        _Doubt(decoder, decoder_for(header_of(choice, ""))) if looks and questions and choice.unit else None
    )
    follower = Follower(decoder, choice.params(), result, invert_direction=choice.radar.invert_direction)
    start_s = clock.monotonic()

    def on_chunk(data: bytes, t_mono_s: float) -> Sequence[RadarEvent]:
        t_s = round(t_mono_s - start_s, TIME_DIGITS)
        if doubt is not None:
            doubt.heard(data, t_s)
        passed = follower.add(t_s, data)
        listener.chunk(t_s, data, follower.events)
        listener.vehicles(passed)
        return follower.events

    def look() -> None:
        listener.vehicles(follower.advance(clock.monotonic() - start_s))

    try:
        with a_port_has_one_reader(), nullcontext(stop) if stop else told_to_stop() as stopped:
            async with Conversation(choice.line(), choice.driver, clock, on_chunk) as talk:
                if may_ask or choice.driver.poll is not None:
                    await talk.open_up()
                listener.introduced(await talk.ask_all(questions))
                if doubt is not None:
                    doubt.ends()
                await _stay(talk, seconds, stopped, look if looks else None)
    finally:
        listener.vehicles(follower.flush())
        result.last_s = round(clock.monotonic() - start_s, TIME_DIGITS)


class _Doubt:
    """A person has named the unit, and the radar has not been asked yet: readings until then.

    Meanwhile the decoder believes what a sign's would that has just been started. Then the person's word
    counts, unless the radar has said otherwise: what `told` has heard, who believed the person at once.
    """

    def __init__(self, decoder: Decoder, told: Decoder) -> None:
        decoder.unit_confirmed = False
        self._decoder, self._told = decoder, told
        self._over = False

    def heard(self, data: bytes, t_s: float) -> None:
        if not self._over:
            self._told.feed(data, t_s)

    def ends(self) -> None:
        self._decoder.unit_confirmed = self._told.unit_confirmed
        self._over = True


def _questions(choice: Chosen) -> list[bytes]:
    """Everything that may be asked without changing anything: who it is, and what it is set to."""
    ping = choice.driver.ping
    questions = [] if ping is None else [ping]
    try:
        settings = choice.driver.settings(choice.settings())
    except DriverError:
        return questions  # it cannot do what would be wanted of it; it can be listened to all the same
    return questions + [one.query for one in settings if one.query is not None]


async def _stay(
    talk: Conversation, seconds: float | None, stop: asyncio.Event, look: Callable[[], None] | None
) -> None:
    async def keep_looking(look: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            look()

    if look is None:
        await talk.stay(seconds, stop)
        return
    looking = asyncio.create_task(keep_looking(look))
    try:
        await talk.stay(seconds, stop)
    finally:
        looking.cancel()
        await asyncio.wait([looking])
