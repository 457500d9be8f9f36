"""A recorded capture through the same decoder and tracker as the live sign: the same vehicles, always."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from speedsign.capture import CaptureHeader
from speedsign.errors import CaptureError
from speedsign.model import Counters, Reading, Rejected, Unit, Vehicle
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


def replay(
    chunks: Iterable[tuple[float, bytes]],
    decoder: Decoder,
    params: TrackingParams,
    result: Replay,
    *,
    invert_direction: bool = False,
) -> Iterator[Vehicle]:
    """The vehicles of a capture, in the order in which they passed; times are the capture's."""
    tracker = Tracker(params)
    result.decoder, result.tracker = decoder.counters, tracker.counters
    for t_s, data in chunks:
        readings = []
        for event in decoder.feed(data, t_s):
            if isinstance(event, Reading):
                readings.append(event)
            elif isinstance(event, Rejected):
                result.rejected[event.reason] = result.rejected.get(event.reason, 0) + 1
        if invert_direction:
            readings = [replace(reading, direction=reading.direction.inverted()) for reading in readings]
        result.readings += len(readings)
        result.last_s = t_s
        yield from tracker.add(readings) if readings else tracker.advance(t_s)
    yield from tracker.flush()
