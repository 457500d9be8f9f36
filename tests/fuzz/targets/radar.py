"""Every radar decoder in every dialect: it never raises, splits change nothing, what it holds has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from drivers.radar.detect import candidates
from drivers.radar.units import KMH_PER_UNIT_WORD
from speedsign.model import RadarEvent, Reading, Unit
from speedsign.ports import Decoder
from tests.radar.test_garbage import MOST_HELD_BYTES, captured, frames_of, held_bytes

ALL = candidates()
FASTEST_KMH = 1000.0  # nobody's number is larger than this, whatever the bytes
UNITS = (None, *Unit)


def target(data: bytes) -> None:
    """The first byte chooses the decoder, the second its unit, the third where the rest is cut."""
    if len(data) < 3:
        return
    candidate, unit, step = ALL[data[0] % len(ALL)], UNITS[data[1] % len(UNITS)], data[2] % 64 + 1
    rest = data[3:]
    whole, cut = candidate.driver.decoder(unit), candidate.driver.decoder(unit)
    events = fed(whole, [rest])
    pieces = [rest[at : at + step] for at in range(0, len(rest), step)] or [b""]
    assert fed(cut, pieces) == events, f"{candidate}: cut every {step} bytes it says otherwise"
    assert whole.counters.values == cut.counters.values, f"{candidate}: counters"
    assert whole.counters.get("bytes") == len(rest)
    for decoder in (whole, cut):
        if len(rest) > MOST_HELD_BYTES:
            assert held_bytes(decoder) <= MOST_HELD_BYTES, f"{candidate} holds {held_bytes(decoder)} bytes"
        if decoder.unit_confirmed:
            assert unit is not None and states(rest, unit), f"{candidate}: nothing has said that it is {unit}"  # noqa: PT018
    for event in events:
        if isinstance(event, Reading):
            assert 0 <= event.speed_kmh <= FASTEST_KMH, f"{candidate}: {event}"
            assert event.range_m is None or 0 <= event.range_m < 10_000, f"{candidate}: {event}"
            assert event.strength is None or 0 <= event.strength < 1e60, f"{candidate}: {event}"


def states(data: bytes, unit: Unit) -> bool:
    """Whether some part of this could say so: a word for that unit, or an LD2415H's setting."""
    text = bytes(byte for byte in data if 0x20 < byte < 0x7F).lower()
    words = [word.encode() for word, kmh in KMH_PER_UNIT_WORD.items() if kmh == unit.kmh]
    return b"x6:" in text or any(word in text for word in words)


def fed(decoder: Decoder, pieces: list[bytes]) -> list[RadarEvent]:
    """The events, without their times."""
    return [replace(event, t_mono_s=0.0) for piece in pieces for event in decoder.feed(piece, 0.0)]


@cache
def seeds() -> tuple[bytes, ...]:
    """A few frames of each, in one piece and in pieces."""
    return tuple(_seeds())


def _seeds() -> Iterator[bytes]:
    assert captured()
    for number, candidate in enumerate(ALL):
        frames = list(dict.fromkeys(frames_of(candidate)))
        for unit in range(len(UNITS)):
            yield bytes((number, unit, unit)) + b"".join(frames[:8])[:600]
        yield from (bytes((number, 1, 3)) + frame for frame in frames[:6])
