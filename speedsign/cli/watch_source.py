"""The lines of `speedsign watch`: the running sign's own, or, of a radar that is heard here, made here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NoReturn

from speedsign import __version__
from speedsign.cli.hearing import Source, hear, lines_of_sign
from speedsign.live.look import tracks
from speedsign.live.shapes import LIVE, Line, left_out, line_of, passed, rounded
from speedsign.model import RadarEvent, Reading, Vehicle
from speedsign.ports import Clock
from speedsign.tracking import Tracker

MOST_WAITING = 4096  # lines that a slow terminal has not taken
LOOK_S = 0.2


async def lines_from(
    source: Source, clock: Clock, stop: asyncio.Event, *, set_up: bool
) -> AsyncGenerator[Line, None]:
    """Everything, until the generator is closed or `stop`; raises PortError, DriverError, NoReply."""
    if source.socket is not None:
        async with contextlib.aclosing(lines_of_sign(source.socket, clock, None)) as told:
            async for line in told:
                yield line
        return
    radar = _OwnRadar(source, clock)
    hearing = asyncio.create_task(hear(source, radar, clock, None, stop, set_up=set_up))
    looking = asyncio.create_task(radar.keep_looking())
    hearing.add_done_callback(lambda _task: radar.queue.put_nowait(None))
    try:
        while (next_one := await radar.queue.get()) is not None:
            yield next_one
        await hearing
    finally:
        for task in (hearing, looking):
            task.cancel()
        await asyncio.wait({hearing, looking})


class _OwnRadar:
    """What is heard, as the sign's socket would tell it; with a tracker of its own for who is in sight."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self.queue: asyncio.Queue[Line | None] = asyncio.Queue()
        self._source, self._clock = source, clock
        self._tracker = Tracker(source.choice.params())
        self._told: object = []
        self._skipped = 0
        self._put(self._hello({}))

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        for event in events:
            self._put(line_of(event))
            if isinstance(event, Reading):
                self._put(left_out(event, self._tracker.params))
        self._tracker.add([event for event in events if isinstance(event, Reading)])

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        for vehicle in found:
            self._put(passed(vehicle, self._clock.monotonic()))

    def introduced(self, values: Mapping[str, str]) -> None:
        if values:
            self._put(self._hello(values))

    def state(self, facts: Mapping[str, object]) -> None:
        """A radar alone has none."""

    async def keep_looking(self) -> NoReturn:
        """Who is in sight, a few times a second."""
        while True:
            await asyncio.sleep(LOOK_S)
            now_s = self._clock.monotonic()
            self._tracker.advance(now_s)
            line = tracks(self._tracker, now_s, None)
            if line["tracks"] != self._told:
                self._told = line["tracks"]
                self._put(line)

    def _hello(self, values: Mapping[str, str]) -> Line:
        choice = self._source.choice
        return {
            "event": "hello",
            "live": LIVE,
            "t_s": rounded(self._clock.monotonic(), 4),
            "version": __version__,
            "sign": None,
            "radar": choice.driver.name,
            "profile": choice.radar.profile,
            "port": choice.radar.port,
            "panel": None,
            "site": choice.site,
            "mounting_angle_deg": choice.radar.mounting_angle_deg,
            "invert_direction": choice.radar.invert_direction,
            "says": dict(values),
        }

    def _put(self, line: Line | None) -> None:
        if line is None:
            return
        if self.queue.qsize() >= MOST_WAITING:
            self._skipped += 1
            return
        if self._skipped:
            self.queue.put_nowait({"event": "skipped", "t_s": line.get("t_s"), "n": self._skipped})
            self._skipped = 0
        self.queue.put_nowait(line)
