"""Bytes as lines spoil them, and decoders fed with them: for the tests of binary protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random

from speedsign.model import RadarEvent
from speedsign.ports import Decoder

NOW = 7.0
Make = Callable[[], Decoder]


def fed_in(make: Make, chunks: Sequence[bytes]) -> tuple[list[RadarEvent], dict[str, int]]:
    """The events of a fresh decoder that is fed these chunks, and its counters."""
    decoder = make()
    events = [event for chunk in chunks for event in decoder.feed(chunk, NOW)]
    return events, decoder.counters.values


def at_every_split(make: Make, data: bytes) -> list[RadarEvent]:
    """The events of these bytes, which must be the same in two parts, cut anywhere, and byte by byte."""
    whole = fed_in(make, [data])
    for at in range(1, len(data)):
        assert fed_in(make, [data[:at], data[at:]]) == whole
    assert fed_in(make, [bytes((byte,)) for byte in data]) == whole
    return whole[0]


def in_pieces(data: bytes, random: Random) -> list[bytes]:
    """Cut at random places."""
    edges = sorted({0, len(data), *(random.randrange(len(data) + 1) for _ in range(len(data) // 5))})
    return [data[start:end] for start, end in pairwise(edges)]


def spoilt(frames: Sequence[bytes], seed: int, length: int) -> Iterator[bytes]:
    """Frames changed, cut at either end, robbed of a byte, whole, or noise; `length` bytes in all."""
    random = Random(seed)
    while length > 0:
        frame = bytearray(random.choice(frames))
        at = random.randrange(len(frame))
        match random.randrange(6):
            case 0:
                frame = bytearray(random.randbytes(random.randrange(1, 40)))
            case 1:
                frame[at] = random.randrange(256)
            case 2:
                del frame[at:]
            case 3:
                del frame[:at]
            case 4:
                del frame[at]
        length -= max(len(frame), 1)
        yield bytes(frame)
