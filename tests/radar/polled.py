"""A radar for tests that says nothing unasked: `?` is answered by a speed in km/h, `L?` by its limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus


class PolledDecoder:
    """Lines: `S+050`, `L=8`."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.unit_confirmed = False
        self._line = b""

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        *lines, self._line = (self._line + data).split(b"\n")
        events: list[RadarEvent] = []
        for line in lines:
            if line.startswith(b"L="):
                events.append(Reply(t_mono_s, {"L": line[2:].decode()}))
            elif line == b"S000":
                events.append(Idle(t_mono_s))
            elif line.startswith(b"S"):
                events.append(Reading(t_mono_s, float(line[1:]), Direction.APPROACHING))
        return events


class Polled(RadarDriver):
    """Opened by HELLO and GO, asked five times a second."""

    name: ClassVar[str] = "polled"
    title: ClassVar[str] = "A polled radar"
    line: ClassVar[LineSettings] = LineSettings(9_600)
    bauds: ClassVar[tuple[int, ...]] = (9_600,)
    streams_when_idle: ClassVar[bool] = True
    ping: ClassVar[bytes | None] = None
    command_gap_s: ClassVar[float] = 0.1
    factory_unit: ClassVar[Unit] = Unit.KMH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = 200.0
    facts: ClassVar[RadarFacts] = RadarFacts(
        "text", 5.0, None, "not at all", False, False, 1, SourceStatus.CONSTRUCTED, "this test"
    )
    opening: ClassVar[tuple[bytes, ...]] = (b"HELLO\n", b"GO\n")
    poll: ClassVar[bytes | None] = b"?\n"
    poll_s: ClassVar[float] = 0.2

    def decoder(self, unit: Unit | None) -> PolledDecoder:
        return PolledDecoder()

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        def matches(reply: Reply) -> bool | None:
            return reply.values["L"] == "8" if "L" in reply.values else None

        return [Setting("least speed", b"L?\n", matches, b"L8\n", "8 km/h")]


class PolledDevice:
    """The other end; `delay_s` passes before each answer, and nothing is answered before HELLO."""

    def __init__(self, write: Callable[[bytes], None], delay_s: float = 0.01) -> None:
        self.write, self.delay_s = write, delay_s
        self.speed = b"S+050\n"
        self.limit = b"3"
        self.open = False
        self.asked: list[tuple[float, bytes]] = []
        self.answered: list[tuple[float, bytes]] = []
        self.lost = 0  # so many answers get lost

    def take(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.asked.append((loop.time(), data))
        if data == b"HELLO\n":
            self.open = True
        elif data == b"L8\n":
            self.limit = b"8"
        answer = {b"?\n": self.speed, b"L?\n": b"L=" + self.limit + b"\n"}.get(data)
        if answer is None or not self.open:
            return
        if self.lost:
            self.lost -= 1
            return
        loop.call_later(self.delay_s, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        self.answered.append((asyncio.get_running_loop().time(), answer))
        self.write(answer)
