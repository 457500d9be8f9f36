"""Lines of the live socket, as whoever watches reads them: shown or left out, never the end of it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from random import Random

from speedsign.cli.watch_model import Model
from speedsign.cli.watch_plain import JsonLines, WordLines, summary
from speedsign.errors import PortError
from speedsign.live.client import checked_greeting
from speedsign.live.shapes import decode, encode, event_of, line_of, passed, vehicle_of
from speedsign.model import Direction, RadarEvent, Reading, Rejected, Reply, Restarted
from tests.fuzz.structure import changed_between
from tests.fuzz.words import JSON
from tests.telemetry.samples import passed as made

LONGEST = 8192
EVENTS = (
    "hello",
    "reading",
    "rejected",
    "reply",
    "restarted",
    "tracks",
    "shown",
    "state",
    "vehicle",
    "skipped",
    "away",
    "refused",
)
WORDS = (
    *JSON, *(f'{{"event":"{event}",'.encode() for event in EVENTS), b'"t_s":', b'"faults":[{"device":',
    b'"face":{"number":', b'"tracks":[{', b'"speed_kmh":', b'"live":1', b'"values":{', b'"text":', b'"n":',
)  # fmt: skip


def target(data: bytes) -> None:
    model = Model()
    words, raw = WordLines(model), JsonLines()
    for text in data.split(b"\n"):
        line = decode(text)
        if line is None:
            continue
        with contextlib.suppress(PortError):
            checked_greeting(Path("live.sock"), line)
        event, vehicle = event_of(line), vehicle_of(line)
        assert event is None or line_of(event) is not None
        assert vehicle is None or passed(vehicle, 1.0)
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")):
            raw.take(line)
            words.take(line)
            model.take(line)
    assert summary(model, 1.0)


def change(data: bytes, random: Random) -> bytes:
    return changed_between(data, b"\n", 0, random)


def seeds() -> Iterator[bytes]:
    hello = encode(
        {
            "event": "hello",
            "live": 1,
            "t_s": 1.0,
            "sign": "bauska-3",
            "site": "Bauska",
            "says": {"Units": "kmh"},
        }
    )
    face = {"number": 47, "word": None, "blink": False, "beacon": True}
    events: tuple[RadarEvent, ...] = (
        Reading(1.5, 50.2, Direction.APPROACHING, 3.0, 40.0),
        Rejected(2.0, "unit"),
        Reply(2.5, {"a": "b"}),
        Restarted(3.0, "x"),
    )
    each = [encode(line) for line in map(line_of, events) if line]
    each.append(encode(passed(made(50.0).vehicle, 4.0, "shown", "over")))
    each.append(
        encode(
            {
                "event": "shown",
                "t_s": 5.0,
                "face": face,
                "lit": None,
                "id": 3,
                "zone": "over",
                "why": "x",
                "text": "y",
            }
        )
    )
    state = {"event": "state", "t_s": 6.0, "utc": "2026-05-04T07:00:00+00:00", "clock": "ok", "vehicles": 2,
             "radar": {"bytes": 5}, "panel": {"known": True}, "measured_s": 5.0,
             "faults": [{"device": "radar", "code": "silent", "text": "says nothing"}],
             "running_s": 6.0, "limit_kmh": 50, "tracker": {}, "noise_kmh": None}  # fmt: skip
    each.append(encode(state))
    each.append(
        encode(
            {
                "event": "tracks",
                "t_s": 7.0,
                "tracks": [{"id": 1, "direction": "approaching", "speed_kmh": 50.0}],
            }
        )
    )
    yield b"".join([hello, *each])
    yield from (hello + one for one in each)
