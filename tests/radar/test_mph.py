"""MPH: seven-byte packets, what their status says, the DS4, and the twin on a line."""

from __future__ import annotations

import logging
from random import Random

import pytest

from drivers.radar.mph import INTERFERENCE, LOW_VOLTAGE, NO_ANTENNA, SELF_TEST, TOO_FAST, Mph, MphDecoder
from drivers.radar.mph import packet_of as parse
from drivers.radar.units import NOT_CONFIRMED
from simulator.radar_physics import Echo
from simulator.radars.mph import MphTwin, packet
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.cli.record import Case, record
from tests.radar.streams import NOW, at_every_split, fed_in, in_pieces, spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import Vector, vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
RX = vectors("mph", "rx")
PYTHON, DS4_AT_550_FT, NOBODY = (vector.data for vector in RX)
FEET_550_M = 55 * 10 * 0.3048
READ_99 = Reading(NOW, 99 * 1.609344, IN)
READ_65 = Reading(NOW, 65 * 1.609344, IN, range_m=FEET_550_M)
SAYS: dict[str, dict[str, RadarEvent]] = {
    "mph-01": {"any": READ_99, "standard": READ_99, "ds4": READ_99},
    "mph-02": {"any": READ_65, "standard": Rejected(NOW, NO_ANTENNA), "ds4": READ_65},
    "mph-03": {"any": Idle(NOW), "standard": Idle(NOW), "ds4": Idle(NOW)},
}
FRONT, REAR = 0x84, 0x88
GOOD, GOOD_EVENT = bytes.fromhex("02 84 01 32 01 01 03"), Reading(NOW, 50.0, IN)


def kmh(profile: str = "any") -> MphDecoder:
    """As on a sign whose radar is set to km/h."""
    decoder = MphDecoder(Unit.KMH, profile=profile)
    decoder.unit_confirmed = True
    return decoder


def decode(data: bytes, profile: str = "any") -> list[RadarEvent]:
    return kmh(profile).feed(data, NOW)


@pytest.mark.parametrize("profile", ["any", "standard", "ds4"])
@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector, profile: str) -> None:
    driver = load_radar("mph", profile)
    assert at_every_split(lambda: driver.decoder(None), vector.data) == [SAYS[vector.id][profile]]


def test_every_field_of_the_example_is_read() -> None:
    said = parse(PYTHON)
    assert (said.patrol, said.target, said.lock, said.alt) == (50, 99, 75, None)
    assert said.front
    assert said.moving
    assert said.alternate
    assert said.opposite
    assert not any((said.rear, said.low_voltage, said.interference, said.self_test, said.standby))


@pytest.mark.parametrize(("byte", "speed"), [(0, None), (3, None), (4, 4), (255, 255)])
def test_a_speed_below_4_is_none(byte: int, speed: int | None) -> None:
    said = parse(bytes((2, FRONT, byte, byte, byte, byte, 3)))
    assert (said.patrol, said.target, said.lock, said.alt) == (speed,) * 4


@pytest.mark.parametrize(
    ("status", "profile", "expected"),
    [
        (FRONT, "any", Reading(NOW, 50.0, IN)),
        (REAR, "any", Reading(NOW, 50.0, OUT)),
        (0x80, "any", Reading(NOW, 50.0, IN)),
        (0x80, "standard", Rejected(NOW, NO_ANTENNA)),
        (0x8C, "any", Rejected(NOW, SELF_TEST)),
        (0x8C, "ds4", Reading(NOW, 50.0, IN)),  # bits that a DS4 does not use
        (FRONT | 1, "any", Rejected(NOW, LOW_VOLTAGE)),
        (0x81, "ds4", Rejected(NOW, LOW_VOLTAGE)),
        (FRONT | 2, "any", Rejected(NOW, INTERFERENCE)),
        (FRONT | 16, "any", Reading(NOW, 50.0, IN)),
    ],
)
def test_the_status_decides_what_a_target_is_worth(status: int, profile: str, expected: RadarEvent) -> None:
    assert decode(packet(status, 50), profile) == [expected]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (FRONT, Idle(NOW)),
        (0x80, Idle(NOW)),
        (FRONT | 1, Rejected(NOW, LOW_VOLTAGE)),
        (FRONT | 2, Rejected(NOW, INTERFERENCE)),
        (0x8C, Rejected(NOW, SELF_TEST)),
    ],
)
def test_without_a_target_it_lives_unless_something_is_wrong(status: int, expected: RadarEvent) -> None:
    assert decode(packet(status)) == [expected]


def test_what_the_status_says_is_counted_for_the_technician() -> None:
    one = kmh()
    for status in (FRONT | 1, FRONT | 2, 0x8C, 0x80, FRONT | 16):
        one.feed(packet(status), NOW)
    names = ("low_voltage", "interference", "self_test", "standby", "moving", "rejected", "frames")
    assert [one.counters.get(name) for name in names] == [1, 1, 1, 1, 1, 3, 5]


def test_only_a_ds4_tells_a_range() -> None:
    assert decode(packet(0x80, 50, 55)) == [Reading(NOW, 50.0, IN, range_m=FEET_550_M)]
    assert decode(packet(0x80, 50, 3)) == [Reading(NOW, 50.0, IN)]
    assert decode(packet(FRONT, 50, 55)) == [Reading(NOW, 50.0, IN)]  # an alternate speed


@pytest.mark.parametrize(
    ("unit", "confirmed", "expected"),
    [
        (None, False, Reading(NOW, 50 * 1.609344, IN)),
        (Unit.MPH, False, Reading(NOW, 50 * 1.609344, IN)),
        (Unit.KMH, False, Rejected(NOW, NOT_CONFIRMED)),
        (Unit.KMH, True, Reading(NOW, 50.0, IN)),
    ],
)
def test_the_unit_is_mph_unless_someone_vouches(
    unit: Unit | None, confirmed: bool, expected: RadarEvent
) -> None:
    one = MphDecoder(unit)
    one.unit_confirmed = confirmed
    assert one.feed(packet(FRONT, 50), NOW) == [expected]


def test_faster_than_a_car_is_rejected() -> None:
    assert MphDecoder(None).feed(packet(FRONT, 248), NOW) == [Reading(NOW, 248 * 1.609344, IN)]
    assert MphDecoder(None).feed(packet(FRONT, 249), NOW) == [Rejected(NOW, TOO_FAST)]
    assert decode(packet(FRONT, 255)) == [Reading(NOW, 255.0, IN)]


@pytest.mark.parametrize(
    "before",
    [
        "02",
        "04 84 01 32 01 01 03",
        "02 84",
        "02 84 01",
        "02 84 01 41 01 01",
        "02 04 01 41 01 01 03",
        "03",
        "84 01 41 01 01 03",
    ],
)
def test_a_cut_packet_costs_itself_alone(before: str) -> None:
    assert at_every_split(kmh, bytes.fromhex(before) + GOOD) == [GOOD_EVENT]


def test_a_lost_byte_costs_one_packet() -> None:
    for at in range(len(GOOD)):
        assert decode(GOOD[:at] + GOOD[at + 1 :] + GOOD) == [GOOD_EVENT]


def test_whatever_came_before_the_next_packet_is_read() -> None:
    """Its last byte is 03, which no field of a good packet before it is."""
    random, one = Random(1), kmh()
    for chunk in spoilt([GOOD, *(vector.data for vector in RX)], 1, 60_000):
        for piece in in_pieces(chunk, random):
            for event in one.feed(piece, 1.0):
                assert not isinstance(event, Reading) or 4 <= event.speed_kmh <= 255
            assert len(one._scanner.buffer) < 7
        if random.random() < 0.2:
            assert one.feed(GOOD, NOW)[-1] == GOOD_EVENT


def test_any_split_of_spoilt_bytes_gives_the_same() -> None:
    data = b"".join(spoilt([GOOD, *(vector.data for vector in RX)], 3, 5_000))
    assert fed_in(kmh, in_pieces(data, Random(3))) == fed_in(kmh, [data])
    assert fed_in(kmh, [bytes((byte,)) for byte in data]) == fed_in(kmh, [data])


def test_what_the_protocol_cannot_say_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Mph().settings(RadarSettings(unit=Unit.MPH)) == []
        assert caplog.messages == []
        assert Mph().settings(RadarSettings(unit=Unit.KMH)) == []
    assert "does not say its unit" in caplog.messages[0]
    for wanted in (RadarSettings(unit=Unit.MPS), RadarSettings(unit=Unit.MPH, max_speed_kmh=401.0)):
        with pytest.raises(DriverError, match="mph"):
            Mph().settings(wanted)


# --------------------------------------------------------------------------- the twin


def echo(speed_kmh: float, strength: float = 99.0, range_m: float = 30.0) -> Echo:
    return Echo(speed_kmh / 3.6, strength, range_m, 1)


@pytest.mark.parametrize(
    ("profile", "unit", "what", "frame"),
    [
        ("standard", "km/h", echo(50), "02 C4 01 32 01 01 03"),
        ("standard", "mph", echo(50), "02 C4 01 1F 01 01 03"),
        ("standard", "km/h", echo(-50), "02 C4 01 01 01 01 03"),
        ("standard", "km/h", echo(3), "02 C4 01 01 01 01 03"),
        ("standard", "km/h", echo(50, 9.0), "02 C4 01 01 01 01 03"),
        ("ds4", None, echo(65 * 1.609344, 99.0, 550 * 0.3048), "02 80 01 41 01 37 03"),
        ("ds4", None, echo(65 * 1.609344, 99.0, 8.0), "02 80 01 41 01 01 03"),
    ],
)
def test_the_twin_says_the_packets_of_the_documents(
    profile: str, unit: str | None, what: Echo, frame: str
) -> None:
    twin = MphTwin(profile=profile, unit=unit)
    assert twin.process(twin.due_in_s, [what]) == bytes.fromhex(frame)


def test_the_twin_speaks_every_250_ms_whatever_happens() -> None:
    twin = MphTwin()
    assert len(twin.process(60.0, [])) == 7 * 240
    assert twin.on_bytes(b"anything") == b""


@pytest.mark.parametrize(
    ("profile", "says"), [("standard", "02 8C 01 01 01 01 03"), ("ds4", "02 80 01 01 01 01 03")]
)
def test_the_twin_tests_itself_when_it_gets_power_but_a_ds4_does_not_say_so(profile: str, says: str) -> None:
    twin = MphTwin(profile=profile)
    twin.power_cycle()
    assert twin.process(twin.due_in_s, []) == bytes.fromhex(says)
    assert (twin.process(5.0, []) == b"") is (profile == "standard")


@pytest.mark.parametrize(("profile", "unit"), [("standard", Unit.KMH), ("ds4", Unit.MPH)])
def test_what_drives_past_the_twin_is_read(profile: str, unit: Unit) -> None:
    chunks, truth = record(Case("", radar="mph", profile=profile, seed=2, seconds=18.0))
    one = MphDecoder(unit, profile=profile)
    one.unit_confirmed = True
    events = [event for t_s, data in chunks for event in one.feed(data, t_s)]
    assert one.counters.get("bad") == 0
    assert len(events) == pytest.approx(18 * 4, abs=1)
    readings = [event for event in events if isinstance(event, Reading)]
    assert {event.direction for event in readings} == {IN}
    assert any(event.range_m is not None for event in readings) is (profile == "ds4")
    fastest = max(speed for way, speed in truth if way == "approaching")
    assert max(event.speed_kmh for event in readings) == pytest.approx(fastest, rel=0.1)


def test_on_a_line_it_is_read_and_its_silence_is_a_fault() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(2.0, [echo(70)])
        assert {(one.speed_kmh, one.direction) for one in bench.readings()} == {(70.0, IN)}
        await bench.road(60.0)
        assert bench.codes() == []
        assert bench.sent == []
        assert bench.twin
        bench.twin.power_cycle()
        await bench.road(5.0)
        assert bench.codes() == ["silent"]
        await bench.road(5.0)
        assert bench.codes() == []
        assert bench.link.health()["self_test"] == 1

    on_bench(test, Mph(), MphTwin())
