"""TSR20: four-byte frames wherever they begin, and the twin on a line."""

from __future__ import annotations

from random import Random

import pytest

from drivers.radar.tsr20 import Tsr20, Tsr20Decoder
from drivers.radar.units import LINE_DIFFERS
from simulator.radar_physics import Echo
from simulator.radars.tsr20 import Tsr20Twin
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Unit
from speedsign.ports import RadarSettings
from tests.cli.record import Case, record
from tests.radar.streams import NOW, at_every_split, fed_in, in_pieces, spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import Vector, vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
RX = vectors("tsr20", "rx")
SAYS: dict[str, list[RadarEvent]] = {
    "tsr20-01": [Reading(NOW, 50.0, IN)],
    "tsr20-02": [Reading(NOW, 40.0, OUT)],
    "tsr20-03": [],
}
GOOD, GOOD_EVENT = bytes.fromhex("FC FA 32 00"), Reading(NOW, 50.0, IN)


def decoder() -> Tsr20Decoder:
    return Tsr20Decoder(Unit.KMH)


def decode(data: str) -> list[RadarEvent]:
    return decoder().feed(bytes.fromhex(data), NOW)


@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector) -> None:
    assert at_every_split(decoder, vector.data) == SAYS[vector.id]


def test_a_reader_that_begins_in_the_middle_does_not_stay_lost() -> None:
    misaligned = (GOOD * 5)[1:]
    assert at_every_split(decoder, misaligned) == [GOOD_EVENT] * 4
    assert fed_in(decoder, [misaligned])[1] == {"bytes": 19, "bad": 1, "frames": 4}


@pytest.mark.parametrize(
    ("data", "speeds"),
    [
        ("FC FC FA 32 00", [50]),
        ("FC FA FC FA 32 00", [50]),
        ("FC FA 32 FC FA 28 00", [40]),  # the last byte lost
        ("FC 32 00 FB FD 28 00", [40]),  # a byte of the header lost
        ("FC FD 32 00", []),  # half of each header
        ("FB FA 32 00", []),
        ("FC FA 32 01", []),
        ("FC FA F0 00", [240]),
        ("FC FA F1 00", []),
        ("FC FA FA 00", []),
        ("00 FF 00 FC FA 32 00 00 FF", [50]),
    ],
)
def test_damaged_bytes(data: str, speeds: list[float]) -> None:
    assert [one.speed_kmh for one in decode(data) if isinstance(one, Reading)] == speeds


def test_zero_is_life_and_no_speed() -> None:
    assert decode("FC FA 00 00 FB FD 00 00") == [Idle(NOW), Idle(NOW)]


def test_whatever_came_before_the_next_frame_is_read() -> None:
    """No byte of a header can be a speed, so that nothing can swallow the beginning of a frame."""
    random, one = Random(1), decoder()
    for chunk in spoilt([GOOD, RX[1].data], 1, 60_000):
        for piece in in_pieces(chunk, random):
            for event in one.feed(piece, 1.0):
                assert isinstance(event, Idle) or (isinstance(event, Reading) and event.speed_kmh <= 240)
            assert len(one._scanner.buffer) < 4
        if random.random() < 0.2:
            assert one.feed(GOOD, NOW) == [GOOD_EVENT]


@pytest.mark.parametrize("unit", [Unit.MPH, Unit.MPS])
def test_a_unit_that_it_does_not_speak_is_refused_and_never_applied(unit: Unit) -> None:
    assert Tsr20Decoder(unit).feed(GOOD, NOW) == [Rejected(NOW, LINE_DIFFERS)]
    assert Tsr20Decoder(None).feed(GOOD, NOW) == [GOOD_EVENT]
    with pytest.raises(DriverError, match=r'tsr20: .* set unit = "km/h"'):
        Tsr20().settings(RadarSettings(unit=unit))


def test_a_speed_that_it_cannot_say_is_refused() -> None:
    assert Tsr20().settings(RadarSettings(max_speed_kmh=240.0)) == []
    for wanted in (RadarSettings(max_speed_kmh=241.0), RadarSettings(min_speed_kmh=-1.0)):
        with pytest.raises(DriverError, match="tsr20"):
            Tsr20().settings(wanted)


# --------------------------------------------------------------------------- the twin


@pytest.mark.parametrize(
    ("echo", "frame"),
    [
        (Echo(50 / 3.6, 99.0, 30.0, 1), "FC FA 32 00"),
        (Echo(-40 / 3.6, 99.0, 30.0, 1), "FB FD 28 00"),
        (Echo(250 / 3.6, 99.0, 30.0, 1), ""),
        (Echo(50 / 3.6, 9.0, 30.0, 1), ""),
    ],
)
def test_the_twin_says_the_frames_of_the_sketch(echo: Echo, frame: str) -> None:
    twin = Tsr20Twin()
    twin.power_cycle()
    assert twin.on_bytes(b"anything") == b""
    assert twin.process(twin.due_in_s, [echo]) == bytes.fromhex(frame)
    assert twin.process(1.0, []) == b""


def test_what_drives_past_the_twin_is_read() -> None:
    chunks, truth = record(Case("", radar="tsr20", seed=2, seconds=15.0))
    one = decoder()
    events = [event for t_s, data in chunks for event in one.feed(data, t_s)]
    assert one.counters.get("bad") == 0
    assert {event.direction for event in events if isinstance(event, Reading)} == {IN, OUT}
    fastest = max(event.speed_kmh for event in events if isinstance(event, Reading))
    assert fastest == pytest.approx(max(speed for _, speed in truth), abs=2)


def test_on_a_line_it_is_read_and_an_empty_road_is_no_fault() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(2.0, [Echo(-70 / 3.6, 99.0, 30.0, 1)])
        assert {(one.speed_kmh, one.direction) for one in bench.readings()} == {(70.0, OUT)}
        before = bench.measured()
        await bench.road(120.0)
        assert bench.codes() == []
        assert bench.sent == []
        assert bench.measured() - before == pytest.approx(120.0, abs=1)

    on_bench(test, Tsr20(), Tsr20Twin())
