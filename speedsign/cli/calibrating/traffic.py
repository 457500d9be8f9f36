"""Cars that approach, collected until they tell at which angle the radar reads them; what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from speedsign.calibration.approach import Approach
from speedsign.calibration.collect import CollectingTracker
from speedsign.calibration.sensor_angle import can_be_asked, corrects, told_angles
from speedsign.calibration.traffic_angle import LEAST_PASSAGES, CannotTell, traffic_angle
from speedsign.capture import CaptureReader, open_capture
from speedsign.cli.calibrating.traffic_words import Judged, check_direction, judged, short, told_sentence
from speedsign.cli.field import told_to_stop
from speedsign.cli.hearing import Source, hear
from speedsign.errors import DriverError
from speedsign.model import Direction, RadarEvent, Reading, Reply, Vehicle
from speedsign.ports import Clock
from speedsign.replay import decoder_for
from speedsign.tracking import TrackingParams

CARS = 200
_EACH = 5  # cars from one line of progress to the next; the first are all told
_GROWTH = 1.5  # from one look at all cars to the next
_PATIENCE = 2  # times the cars that were asked for, where too few of them can be used

Tell = Callable[[str], None]


@dataclass(slots=True)
class Heard:
    """What was collected. `values`: what the radar said of itself."""

    approaches: list[Approach] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    readings: int = 0
    undirected: int = 0  # readings that tell no direction

    def judged(self) -> Judged:
        """What all of it tells."""
        return judged(self.approaches, has_directions=self.undirected < max(self.readings, 1))


class Passages:
    """A `Hearer` that keeps approaching cars; sets `stop` when there are enough, or they are of no use.

    Enough: as many as wanted, and they tell an angle; some brake, turn off or hide each other, so that it
    goes on for a few more where too many of the first could not be used.
    """

    def __init__(
        self, driver: str, params: TrackingParams, wanted: int, stop: asyncio.Event, tell: Tell
    ) -> None:
        self.heard = Heard()
        self.refusal: str | None = None
        self._driver, self._wanted, self._stop, self._tell = driver, wanted, stop, tell
        self._tracker = CollectingTracker(params)
        self._report: list[Reading] = []  # of one moment: the tracker wants a report whole
        self._look_at = min(LEAST_PASSAGES, wanted)
        self._looking: asyncio.Task[None] | None = None

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        if self._report and t_mono_s > self._report[0].t_mono_s:
            self._take_report()
        for event in events:
            if self._report and event.t_mono_s != self._report[0].t_mono_s:
                self._take_report()
            if isinstance(event, Reading):
                self._report.append(event)
                self.heard.readings += 1
                self.heard.undirected += event.direction is Direction.UNKNOWN
            elif isinstance(event, Reply):
                self.introduced(event.values)
        if not self._report:
            self._tracker.advance(t_mono_s)
        self._count()

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        """Its own tracker keeps their readings."""

    def introduced(self, values: Mapping[str, str]) -> None:
        self.heard.values |= values
        angles = told_angles(self._driver, values)
        if corrects(angles) and self.refusal is None:
            self.refusal = told_sentence(angles)
            self._stop.set()

    def state(self, facts: Mapping[str, object]) -> None:
        """How the sign is makes no difference here."""

    async def end(self) -> None:
        """Nothing more will come: who is still in view counts as well."""
        self._take_report()
        self._tracker.flush()
        self.heard.approaches += self._tracker.take_approaches()
        if self._looking is not None:
            await self._looking

    def _take_report(self) -> None:
        if self._report:
            self._tracker.add(self._report)
            self._report = []

    def _count(self) -> None:
        passed = self._tracker.take_approaches()
        if not passed:
            return
        self.heard.approaches += passed
        n = len(self.heard.approaches)
        if n >= _PATIENCE * self._wanted:
            self._stop.set()
        elif n >= self._look_at and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())
        elif n <= _EACH or n % _EACH == 0:
            self._tell(f"{n:>4} of {self._wanted} cars")

    async def _look(self) -> None:
        """Off the loop: readings get the time at which they are taken from the line."""
        while (n := len(self.heard.approaches)) >= self._look_at and not self._stop.is_set():
            found = await asyncio.to_thread(traffic_angle, self.heard.approaches[:n])
            self._tell(f"{n:>4} of {self._wanted} cars: {short(found)}")
            if n < self._wanted:
                self._look_at = min(int(n * _GROWTH), self._wanted)
            elif isinstance(found, CannotTell):
                self._look_at = n + max(LEAST_PASSAGES - found.passages, 1)
            else:
                self._stop.set()


async def collect(
    source: Source, clock: Clock, wanted: int, seconds: float | None, tell: Tell
) -> tuple[Heard, Judged]:
    """Cars until there are so many, the time is over, or Ctrl-C; and what they tell.

    Raises PortError, NoReply, and DriverError for a radar that is not to be calibrated so.
    """
    check_direction(source.choice.driver)
    params = replace(source.choice.params(), mounting_angle_deg=0.0)
    with told_to_stop(hang_up=True) as stop:
        passages = Passages(source.choice.driver.name, params, wanted, stop, tell)
        try:
            if source.socket is None and can_be_asked(source.choice.driver.name):
                await hear(source, passages, clock, 0.0, stop)  # a set-up would hide what it corrects for
            if not stop.is_set():
                await hear(source, passages, clock, seconds, stop, set_up=True)
        finally:
            await passages.end()
        if passages.refusal is not None:
            raise DriverError(passages.refusal)
        return passages.heard, await asyncio.to_thread(passages.heard.judged)


def read_capture(path: Path, params: TrackingParams, *, invert: bool) -> tuple[Heard, str]:
    """The cars of a recording, and the radar's name. Raises CaptureError, DriverError as `collect`."""
    heard, tracker = Heard(), CollectingTracker(replace(params, mounting_angle_deg=0.0))
    with open_capture(path) as lines:
        reader = CaptureReader(lines, str(path))
        decoder = decoder_for(reader.header)
        for t_s, data in reader:
            events = decoder.feed(data, t_s)
            for event in events:
                heard.values |= event.values if isinstance(event, Reply) else {}
            readings = [event for event in events if isinstance(event, Reading)]
            if invert:
                readings = [replace(one, direction=one.direction.inverted()) for one in readings]
            heard.readings += len(readings)
            heard.undirected += sum(one.direction is Direction.UNKNOWN for one in readings)
            tracker.add(readings) if readings else tracker.advance(t_s)
            heard.approaches += tracker.take_approaches()
        tracker.flush()
        heard.approaches += tracker.take_approaches()
    angles = told_angles(reader.header.radar, heard.values)
    if corrects(angles):
        raise DriverError(told_sentence(angles))
    return heard, reader.header.radar
