"""64 KB of the worst kind for each reader, a piece that it knows again and again: who is slower than linear?

The one test with a clock, that of the processor: a second is what a sign may be kept busy by anybody.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.fuzz import kit

BYTES = 65_536
MOST_S = 1.0 * 4  # four times, since a target reads several times what a sign reads once
PIECES = 12


def worst(target: kit.Target) -> Iterator[tuple[bytes, bytes]]:
    """(piece, 64 KB): the head of an input and then its beginnings, its ends and its words, repeated."""
    seeds = target.inputs()
    pieces = [bytes([byte]) for byte in b'\x00\xff[{"=:;, \r\n@/-.a0'] + list(target.words)
    chosen = [(seeds[at % len(seeds)][:3], piece) for at, piece in enumerate(pieces) if piece]
    for seed in seeds:
        parts = (seed[3:], seed[:16], seed[-16:], seed[3:6], seed[3:4] + b"\xff", seed[3:12])
        chosen += [(seed[:3], part) for part in parts if part]
    for first, piece in chosen[:: max(len(chosen) // PIECES, 1)]:
        yield piece, (first + piece * (BYTES // len(piece) + 1))[:BYTES]


@pytest.mark.parametrize("name", kit.names())
def test_a_long_input_takes_no_longer_than_it_may(name: str) -> None:
    with closing(kit.load(name)) as target:
        target.check(target.inputs()[0])  # what is loaded at the first use
        for piece, data in worst(target):
            began_s = time.process_time()
            target.check(data)
            took_s = time.process_time() - began_s
            assert took_s < MOST_S, f"{took_s:.1f} s for {len(data)} bytes of {piece[:40]!r}"
