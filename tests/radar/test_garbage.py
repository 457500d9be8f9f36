"""Every decoder in every dialect against bytes that no radar sends: it lives, stays small, and recovers.

`make fuzz` gives each of them a million bytes of each kind (SPEEDSIGN_FUZZ_BYTES), the ordinary run a few
thousand. Seeded: what fails once fails again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from drivers.radar.detect import Candidate, candidates
from speedsign.capture import CaptureReader, open_capture
from speedsign.model import RadarEvent, Reading, Reply, Unit
from speedsign.ports import Decoder
from tests.cli.rebuild_golden import cases
from tests.radar.streams import spoilt

FUZZ_BYTES = int(os.environ.get("SPEEDSIGN_FUZZ_BYTES", "20000"))
MOST_HELD_BYTES = 2048  # an OPS243 holds the longest line, 1024; nobody needs twice that
RECOVERY_FRAMES = 24  # more than any of them needs; how many it is at most its own test says
ALL = candidates()
# Where no capture has this dialect.
FRAMES = {
    ("ops243", "binary"): [b"\x01\x25", b"\x01\xdb", b"\x02\x3f\x01\x40"],
}
SHARED = {"raw": "bins", "any": "standard"}  # dialects that read the same bytes


@cache
def captured() -> Mapping[tuple[str, str | None], list[bytes]]:
    """Chunks of every capture that was not spoilt, by radar and profile."""
    found: dict[tuple[str, str | None], list[bytes]] = {}
    for folder in cases():
        if folder.name.endswith(("-cut", "-cut-lines", "-bad-bytes", "-byte-by-byte")):
            continue
        key, chunks = _read(folder)
        found.setdefault(key, []).extend(chunks)
    return found


def _read(folder: Path) -> tuple[tuple[str, str | None], list[bytes]]:
    with open_capture(folder / "capture.jsonl") as lines:
        reader = CaptureReader(lines, folder.name)
        chunks = [data for _, data in islice(reader, 200) if data]
        return (reader.header.radar, reader.header.profile), chunks


def fresh(candidate: Candidate) -> Decoder:
    decoder = candidate.driver.decoder(Unit.MPH if "mph" in str(candidate) else Unit.KMH)
    decoder.unit_confirmed = True
    return decoder


@cache
def frames_of(candidate: Candidate) -> list[bytes]:
    """Chunks that are whole: each alone says something to a fresh decoder."""
    name, profile = candidate.name, candidate.profile
    keys = [(name, profile), (name, SHARED.get(profile or "")), (name, None)]
    chunks = [chunk for key in keys for chunk in captured().get(key, [])]
    chunks += FRAMES.get((name, profile or ""), [])
    whole = [chunk for chunk in dict.fromkeys(chunks) if fresh(candidate).feed(chunk, 0.0)]
    assert whole, f"no frames of {candidate}: add a golden capture"
    return whole[:60]


def held_bytes(decoder: object) -> int:
    """Everything of a variable length that a decoder keeps, whatever its attributes are called."""
    total, waiting, seen = 0, [decoder], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | int | float | None.__class__):
            continue
        seen.add(id(one))
        if isinstance(one, bytes | bytearray | str):
            total += len(one)
        elif isinstance(one, Mapping):
            total += len(one)
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            total += len(one)
            waiting += one
        elif type(one).__module__.startswith("drivers."):
            slots = [name for base in type(one).__mro__ for name in getattr(base, "__slots__", ())]
            waiting += [getattr(one, name) for name in slots if hasattr(one, name)]
            waiting += list(getattr(one, "__dict__", {}).values())
    return total


def noise(_candidate: Candidate, seed: int) -> Iterator[bytes]:
    random, left = Random(seed), FUZZ_BYTES
    while left > 0:
        data = random.randbytes(random.randrange(1, 200))
        left -= len(data)
        yield data


def nearly_right(candidate: Candidate, seed: int) -> Iterator[bytes]:
    yield from spoilt(frames_of(candidate), seed, FUZZ_BYTES)


def letters(_candidate: Candidate, seed: int) -> Iterator[bytes]:
    """What text protocols are made of, in no order."""
    random, left = Random(seed), FUZZ_BYTES
    alphabet = b'0123456789+-.;,:"{}[]VXSKIMU@$*?OK \r\n\x00\xff'
    while left > 0:
        data = bytes(random.choices(alphabet, k=random.randrange(1, 120)))
        left -= len(data)
        yield data


def endless(candidate: Candidate, seed: int) -> Iterator[bytes]:
    """The beginning of a frame, and then no end; the byte before its end, again and again."""
    random = Random(seed)
    for _ in range(max(FUZZ_BYTES // 5000, 1)):
        frame = random.choice(frames_of(candidate))
        yield frame[: random.randrange(1, len(frame) + 1)]
        yield bytes([random.choice(frame)]) * 2500
        yield frame[:-1] * max(2500 // len(frame), 1)


KINDS = (noise, nearly_right, letters, endless)


@pytest.mark.parametrize("candidate", ALL, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_nothing_raises_grows_or_lasts(
    candidate: Candidate, kind: Callable[[Candidate, int], Iterator[bytes]]
) -> None:
    decoder = fresh(candidate)
    n_bytes = most = 0
    for n, data in enumerate(kind(candidate, 11)):
        n_bytes += len(data)
        decoder.feed(data, n / 100)
        if n % 10 == 0:
            most = max(most, held_bytes(decoder))
    assert decoder.counters.get("bytes") == n_bytes >= FUZZ_BYTES * 0.5
    assert most <= MOST_HELD_BYTES
    recovers(candidate, decoder)


def recovers(candidate: Candidate, decoder: Decoder) -> None:
    """After that, good frames: the last of them says what it says to a decoder that has seen nothing.

    What the radar is set to is said anew first: without a checksum a changed answer is an answer.
    """
    clean = fresh(candidate)
    for frame in frames_of(candidate):
        if any(isinstance(event, Reply) for event in fresh(candidate).feed(frame, 0.0)):
            decoder.feed(frame, 1e6)
            clean.feed(frame, 1e6)
    decoder.unit_confirmed = clean.unit_confirmed = True
    report = next(one for one in frames_of(candidate) if _has_reading(fresh(candidate), one))
    events: list[RadarEvent] = []
    expected: list[RadarEvent] = []
    for _ in range(RECOVERY_FRAMES):
        events, expected = decoder.feed(report, 1e6), clean.feed(report, 1e6)
    assert events == expected
    assert events


def _has_reading(decoder: Decoder, data: bytes) -> bool:
    return any(isinstance(event, Reading) for event in decoder.feed(data, 0.0))


@pytest.mark.parametrize("candidate", ALL, ids=str)
def test_what_is_made_of_garbage_is_counted(candidate: Candidate) -> None:
    """A technician sees that the line is bad: nearly nothing of noise passes without a trace."""
    if candidate.bits < 3:
        pytest.skip("a byte a speed: everything is a report")
    decoder = fresh(candidate)
    decoder.feed(Random(5).randbytes(5000), 0.0)
    counters = decoder.counters
    assert counters.get("bad") + counters.get("overflow") > 5


def test_what_is_held_is_found() -> None:
    """The measure itself: an OPS243's unfinished line is its largest buffer."""
    decoder = fresh(next(one for one in ALL if str(one) == "ops243 (text)"))
    before = held_bytes(decoder)
    decoder.feed(b'{"speed":' + b" " * 700, 0.0)
    assert held_bytes(decoder) - before > 700
