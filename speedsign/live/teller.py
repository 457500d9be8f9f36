"""What the daemon has for those who look at it: gathered while somebody does, told when the panel has been.

The daemon asks `listening` first, so that nothing is made for nobody. What is heard is only put aside on the
hot path; lines are made of it a moment later, once for all clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from speedsign.live import look
from speedsign.live.server import LiveServer
from speedsign.live.shapes import Line, left_out, line_of, passed
from speedsign.model import RadarEvent, Reading, VehicleRecord

if TYPE_CHECKING:
    from speedsign.daemon import Daemon

TELL_AFTER_S = 0.03  # the request to the panel has left by then
LOOK_S = 0.1  # what is shown can change without a reading: looked at so often, while somebody listens
TRACKS_S = 0.2  # tracks, and changes of a mere sentence, are told so often at most
MOST_WAITING = 512  # events between two tellings: far more than any line carries

_SHOWN = ("face", "lit", "id", "zone", "why")  # of `shown`: a change of these is told at once


class LiveTeller:
    """Implements `speedsign.ports.Live`. `about` is told in each greeting, `says` gives the radar's words."""

    def __init__(
        self, socket: Path, about: Mapping[str, object], says: Callable[[], Mapping[str, str]]
    ) -> None:
        self._about, self._says = about, says
        self._server = LiveServer(socket, self._greeting, self._now_s)
        self._daemon: Daemon | None = None
        self._began_s = 0.0
        self._waiting: list[Sequence[RadarEvent] | VehicleRecord] = []
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._told_s = 0.0
        self._tracks: object = None  # as told last
        self._shown: Line = {}

    def watch(self, daemon: Daemon) -> None:
        """The daemon that is looked at; it is made with this one as a part."""
        self._daemon = daemon
        self._began_s = daemon.parts.clock.monotonic()

    @property
    def listening(self) -> bool:
        """Whether anybody is there to be told."""
        return self._server.listening

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            await self._server.run()
        finally:
            for timer in (self._timer, self._looking):
                if timer:
                    timer.cancel()

    # ------------------------------------------------------------------ what the daemon says

    def heard(self, events: Sequence[RadarEvent]) -> None:
        """What the radar has just said."""
        self._put(events)

    def passed(self, record: VehicleRecord) -> None:
        """A vehicle has passed."""
        self._put(record)

    def tick(self) -> None:
        """Each second: how the sign is."""
        if self._daemon is not None:
            self._server.tell([look.state(self._daemon, self._began_s)])

    def _put(self, one: Sequence[RadarEvent] | VehicleRecord) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(one)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_AFTER_S, self._tell)

    # ------------------------------------------------------------------ what is told

    def _greeting(self) -> list[Line]:
        """What a new client is told first: everything that the others know already."""
        daemon = self._daemon
        if daemon is None:
            return []
        now_s = daemon.parts.clock.monotonic()
        if self._looking is None:
            self._look_again()
        return [
            look.hello(daemon, self._about, self._says()),
            look.state(daemon, self._began_s),
            look.tracks(daemon.tracker, now_s, daemon.shown.track_id),
            look.shown(daemon, now_s),
        ]

    def _now_s(self) -> float:
        return self._daemon.parts.clock.monotonic() if self._daemon else 0.0

    def _tell(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, []
        if self._daemon is None or not self._server.listening:
            return
        lines: list[Line] = []
        now_s = self._daemon.parts.clock.monotonic()
        for one in waiting:
            if isinstance(one, VehicleRecord):
                lines.append(passed(one.vehicle, now_s, one.display.value, one.face))
            else:
                lines += self._lines_of(one, self._daemon)
        self._server.tell(lines + self._looks(self._daemon))

    def _look_again(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = None
        if self._daemon is not None and self._server.listening:
            self._server.tell(self._looks(self._daemon))
            self._look_again()

    def _lines_of(self, events: Sequence[RadarEvent], daemon: Daemon) -> list[Line]:
        lines = []
        invert, params = daemon.plan.invert_direction, daemon.plan.tracking
        for event in events:
            if isinstance(event, Reading):
                reading = replace(event, direction=event.direction.inverted()) if invert else event
                lines.append(line_of(reading))
                lines.append(left_out(reading, params))
            else:
                lines.append(line_of(event))
        return [line for line in lines if line is not None]

    def _looks(self, daemon: Daemon) -> list[Line]:
        """Tracks and what is shown, as far as they are others than were told last."""
        now_s = daemon.parts.clock.monotonic()
        shown = look.shown(daemon, now_s)
        due = now_s - self._told_s >= TRACKS_S
        lines: list[Line] = []
        if any(shown[key] != self._shown.get(key) for key in _SHOWN) or (
            due and shown["text"] != self._shown.get("text")
        ):
            self._shown = shown
            lines.append(shown)
        if due:
            tracks = look.tracks(daemon.tracker, now_s, daemon.shown.track_id)
            if tracks["tracks"] != self._tracks:
                self._tracks, self._told_s = tracks["tracks"], now_s
                lines.append(tracks)
        return lines
