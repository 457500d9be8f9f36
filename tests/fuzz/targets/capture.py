"""A capture file, replayed: vehicles, or one sentence that names file and line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import isfinite
from random import Random

from speedsign.capture import CaptureReader
from speedsign.errors import CaptureError, DriverError
from speedsign.replay import Replay, decoder_for, replay
from speedsign.tracking import TrackingParams
from tests.cli.rebuild_golden import cases
from tests.fuzz.kit import one_sentence
from tests.fuzz.structure import changed_between

LONGEST = 8192
WORDS = (
    b'{"speedsign_capture":1,"radar":"ops243"}\n', b'{"t":', b',"hex":"', b'"}\n', b'"baud":', b'"unit":',
    b'"kmh"', b'"mph"', b'"profile":', b'"mounting_angle_deg":', b"0d0a", b"2d33302e350d0a", b"null",
    b"true", b"1e400", b"NaN", b"[" * 400, b"\xef\xbb\xbf", b"\\ud800",
)  # fmt: skip


def target(data: bytes) -> None:
    """As the command reads it; the same once more gives the same vehicles."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    try:
        reader = CaptureReader(lines, "a.jsonl")
        decoder = decoder_for(reader.header)
        params = TrackingParams(mounting_angle_deg=reader.header.mounting_angle_deg)
        found = Replay()
        vehicles = list(replay(reader, decoder, params, found))
    except (CaptureError, DriverError) as error:
        one_sentence(error)
        return
    for vehicle in vehicles:
        speeds = (vehicle.speed_kmh, vehicle.entry_kmh, vehicle.exit_kmh, vehicle.max_kmh)
        assert all(isfinite(speed) and 0 <= speed <= 400 for speed in speeds), vehicle
        assert vehicle.t_first_mono_s <= vehicle.t_last_mono_s <= found.last_s, vehicle
        assert 0 < vehicle.readings <= found.readings, vehicle


def change(data: bytes, random: Random) -> bytes:
    return changed_between(data, b"\n", 0, random)


def seeds() -> Iterator[bytes]:
    """The beginning of each golden capture, and its middle, where cars are."""
    for folder in cases():
        lines = (folder / "capture.jsonl").read_bytes().splitlines(keepends=True)
        for start in (1, len(lines) // 2):
            data = lines[0]
            for line in lines[start:]:
                if len(data) + len(line) > LONGEST:
                    break
                data += line
            yield data
