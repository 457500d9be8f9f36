"""A recorded capture through the same decoder and tracker as the live sign: the same vehicles, always."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from speedsign.capture import CaptureHeader
from speedsign.errors import CaptureError
from speedsign.model import Counters, RadarEvent, Reading, Rejected, Unit, Vehicle
from speedsign.ports import Decoder
from speedsign.registry import load_radar
from speedsign.tracking import Tracker, TrackingParams

# People and other programs write headers too, each in their own way.
_UNIT_WORDS = {
    **{unit.value: unit for unit in Unit},
    **dict.fromkeys(("kmh", "kph", "kmph"), Unit.KMH),
    **dict.fromkeys(("mps", "ms"), Unit.MPS),
}


@dataclass(slots=True)
class Replay:
    """What came out besides the vehicles: for the technician."""

    readings: int = 0
    rejected: dict[str, int] = field(default_factory=dict)  # why reports were not believed, and how many
    last_s: float = 0.0
    decoder: Counters = field(default_factory=Counters)
    tracker: Counters = field(default_factory=Counters)


def decoder_for(header: CaptureHeader) -> Decoder:
    """The decoder of the radar that the header names, in the profile and the unit it names.

    Without a unit each line is believed, else km/h. Raises CaptureError, or DriverError for an
    unknown radar or profile.
    """
    driver = load_radar(header.radar, header.profile)
    if header.unit is None:
        return driver.decoder(None)
    unit = _UNIT_WORDS.get(header.unit.lower())
    if unit is None:
        known = ", ".join(Unit)
        raise CaptureError(f'the header\'s "unit" is {header.unit!r}; known are {known}')
    decoder = driver.decoder(unit)
    decoder.unit_confirmed = True
    return decoder


class Follower:
    """Chunks in, vehicles out: the same of a recording and of a radar that is being listened to."""

    def __init__(
        self, decoder: Decoder, params: TrackingParams, result: Replay, *, invert_direction: bool = False
    ) -> None:
        self.events: Sequence[RadarEvent] = ()  # of the last chunk, before any inversion
        self._decoder, self._invert = decoder, invert_direction
        self._tracker = Tracker(params)
        self._result = result
        result.decoder, result.tracker = decoder.counters, self._tracker.counters

    def add(self, t_s: float, data: bytes) -> list[Vehicle]:
        """A chunk and its time; the vehicles that have passed by then."""
        self.events = self._decoder.feed(data, t_s)
        readings = [event for event in self.events if isinstance(event, Reading)]
        for event in self.events:
            if isinstance(event, Rejected):
                self._result.rejected[event.reason] = self._result.rejected.get(event.reason, 0) + 1
        if self._invert:
            readings = [replace(reading, direction=reading.direction.inverted()) for reading in readings]
        self._result.readings += len(readings)
        self._result.last_s = t_s
        return self._tracker.add(readings) if readings else self._tracker.advance(t_s)

    def advance(self, t_s: float) -> list[Vehicle]:
        """Time has passed without a chunk."""
        return self._tracker.advance(t_s)

    def flush(self) -> list[Vehicle]:
        """The end: those who are still being seen."""
        return self._tracker.flush()


def replay(
    chunks: Iterable[tuple[float, bytes]],
    decoder: Decoder,
    params: TrackingParams,
    result: Replay,
    *,
    invert_direction: bool = False,
) -> Iterator[Vehicle]:
    """The vehicles of a capture, in the order in which they passed; times are the capture's."""
    follower = Follower(decoder, params, result, invert_direction=invert_direction)
    for t_s, data in chunks:
        yield from follower.add(t_s, data)
    yield from follower.flush()
