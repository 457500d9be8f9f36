"""Where a field tool hears the radar: beside the running sign, by its live socket, else at the radar's port.

A sign that runs keeps the port; what it hears is what its tools hear, and nobody has to stop it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import click

from speedsign.cli.field import config_or_none
from speedsign.cli.radar_line import Chosen, chosen, run_set_up
from speedsign.cli.radar_listen import listen
from speedsign.config.schema import LiveConfig
from speedsign.errors import NoReply, PortError, UsageError
from speedsign.live.client import greeting, lines
from speedsign.live.shapes import Line, event_of, vehicle_of
from speedsign.model import RadarEvent, Reading, Vehicle
from speedsign.ports import Clock
from speedsign.replay import Replay

AWAY_S = 60.0  # a sign that is being started again is waited for so long
AGAIN_S = 0.5


class Hearer(Protocol):
    """Who is told what is heard. All times are `clock.monotonic()` of the clock that `hear` was given."""

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        """What the radar said: readings with their direction as the config has it, rejected frames, …"""
        ...

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        """Who has passed, by the sign's own tracker."""
        ...

    def introduced(self, values: Mapping[str, str]) -> None:
        """What the radar has said of itself so far; once, and from a sign again when that was away."""
        ...

    def state(self, facts: Mapping[str, object]) -> None:
        """How a running sign is, each second (docs/integrator.md); never without one."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where to hear. `choice`: the radar, as config and options have it, also of a running sign's."""

    choice: Chosen
    socket: Path | None = None  # of the running sign; None: the radar's own port
    hello: Mapping[str, object] = field(default_factory=dict)  # its greeting: docs/integrator.md

    @property
    def words(self) -> str:
        """For the technician: who is listened to."""
        radar = f"{self.choice.driver.name} at {self.choice.radar.port}"
        if self.socket is None:
            return radar
        return f"the running sign {self.hello.get('sign', '')} ({radar})"

    @property
    def mounting_angle_deg(self) -> float:
        """The angle that its speeds are corrected by: the running sign's, which may not know a new config."""
        angle = self.hello.get("mounting_angle_deg")
        return float(angle) if isinstance(angle, int | float) else self.choice.radar.mounting_angle_deg


def source_of(
    ctx: click.Context,
    config_path: Path,
    *,
    port: str | None,
    driver: str | None,
    profile: str | None,
    baud: int | None,
    unit: str | None,
) -> Source:
    """The running sign where one answers and neither port nor driver is named, else the radar's port.

    Opens no port. Raises UsageError, ConfigError, DriverError, PortError (a socket that may not be used).
    """
    choice = chosen(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
    if port is not None or driver is not None:
        return Source(choice)
    config = config_or_none(ctx, config_path, needed=True)
    live = config.live if config is not None else LiveConfig()
    hello = greeting(live.socket) if live.on else None
    if config is None or hello is None:
        return Source(choice)
    if hello.get("sign") != config.sign.id:
        text = f"{config_path} is of the sign {config.sign.id}, and at {live.socket} runs {hello.get('sign')}"
        raise UsageError(f"{text}; name the config of that one, or --port and --driver")
    return Source(choice, live.socket, hello)


async def hear(
    source: Source,
    hearer: Hearer,
    clock: Clock,
    seconds: float | None,
    stop: asyncio.Event,
    *,
    set_up: bool = False,
) -> None:
    """Listen for so long (None: until `stop`); nothing is shown, stored or changed by it.

    `set_up`: the radar's own port only: it is set up first as the sign does at each start (units, which
    directions), without which a radar just switched on may speak another unit: its readings are rejected.
    A sign that goes away meanwhile is waited for (`AWAY_S`). Raises PortError, DriverError, NoReply.
    """
    if source.socket is None:
        await _hear_port(source.choice, hearer, clock, seconds, stop, set_up=set_up)
    else:
        await _hear_sign(source.socket, hearer, clock, seconds, stop)


# --------------------------------------------------------------------------- the radar's own port


async def _hear_port(
    choice: Chosen, hearer: Hearer, clock: Clock, seconds: float | None, stop: asyncio.Event, *, set_up: bool
) -> None:
    if set_up and choice.radar.setup:
        report = await run_set_up(choice, lambda _result: None)
        if not report.ok:
            raise NoReply(choice.radar.port, f"not set up ({report.failed_text}); check the wire of commands")
        choice = choice.vouched()
    listener = _Dated(hearer, clock.monotonic(), invert=choice.radar.invert_direction)
    await listen(
        choice, listener, clock, seconds, may_ask=choice.radar.setup, result=Replay(), looks=True, stop=stop
    )


class _Dated:
    """What is heard since the beginning, put on the clock's own time, with the config's direction."""

    def __init__(self, hearer: Hearer, start_s: float, *, invert: bool) -> None:
        self._hearer, self._start_s, self._invert = hearer, start_s, invert

    def chunk(self, t_s: float, data: bytes, events: Sequence[RadarEvent]) -> None:
        if events:
            self._hearer.events(t_s + self._start_s, [self._dated(event) for event in events])

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        if found:
            self._hearer.vehicles([self._dated_vehicle(one) for one in found])

    def introduced(self, said: dict[str, str]) -> None:
        self._hearer.introduced(said)

    def _dated(self, event: RadarEvent) -> RadarEvent:
        t_s = event.t_mono_s + self._start_s
        if self._invert and isinstance(event, Reading):
            return replace(event, t_mono_s=t_s, direction=event.direction.inverted())
        return replace(event, t_mono_s=t_s)

    def _dated_vehicle(self, one: Vehicle) -> Vehicle:
        first_s, last_s = one.t_first_mono_s + self._start_s, one.t_last_mono_s + self._start_s
        return replace(one, t_first_mono_s=first_s, t_last_mono_s=last_s)


# --------------------------------------------------------------------------- a running sign


async def _hear_sign(
    socket: Path, hearer: Hearer, clock: Clock, seconds: float | None, stop: asyncio.Event
) -> None:
    async def follow() -> None:
        async with contextlib.aclosing(lines_of_sign(socket, clock, AWAY_S)) as heard:
            async for line in heard:
                _tell(hearer, line)

    following = asyncio.create_task(follow())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({following, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()  # raises what it ended with
    finally:
        for task in (following, stopping):
            task.cancel()
        await asyncio.wait({following, stopping})


async def lines_of_sign(socket: Path, clock: Clock, away_s: float | None) -> AsyncGenerator[Line, None]:
    """What the sign tells, through its restarts: {"event": "away"} when it goes, its greeting when it comes.

    Raises PortError when it stays away for so long (None: never).
    """
    gone_s: float | None = None
    while True:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            async with contextlib.aclosing(_until_it_goes(socket, patient=gone_s is not None)) as told:
                async for line in told:
                    gone_s = None
                    yield line
        now_s = clock.monotonic()
        if gone_s is None:
            gone_s = now_s
            yield {"event": "away", "t_s": round(now_s, 4)}
        if away_s is not None and now_s - gone_s >= away_s:
            raise PortError(str(socket), "the sign has gone away; look at: systemctl status speedsign")
        await asyncio.sleep(AGAIN_S)


async def _until_it_goes(socket: Path, *, patient: bool) -> AsyncGenerator[Line, None]:
    """`patient`: one that is just starting or stopping may not know yet what it says."""
    try:
        async with contextlib.aclosing(lines(socket)) as told:
            async for line in told:
                yield line
    except PortError:
        if not patient:
            raise


def _tell(hearer: Hearer, line: Line) -> None:
    match line["event"]:
        case "hello":
            says = line.get("says")
            hearer.introduced(says if isinstance(says, dict) else {})
        case "vehicle":
            if (vehicle := vehicle_of(line)) is not None:
                hearer.vehicles([vehicle])
        case "state":
            hearer.state(line)
        case _:
            if (event := event_of(line)) is not None:
                hearer.events(event.t_mono_s, [event])
