"""K-LD7: packets wherever they stand in the bytes, plausibility, commands, its twin, and being asked."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar import kld7, kld7_frames
from drivers.radar.kld7 import FOLDS, IMPLAUSIBLE, POLL, READ_PARAMETERS, TOO_FAST, Kld7, Kld7Decoder
from drivers.radar.kld7_frames import command
from drivers.radar.setup import Outcome
from drivers.radar.units import LINE_DIFFERS
from simulator.radar_physics import Echo
from simulator.radars.kld7 import SPACING_S, Kld7Twin
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.radar.streams import spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import Vector, vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
RX = vectors("kld7", "rx")
SAYS: dict[str, list[RadarEvent]] = {
    "kld7-02": [Reply(7.0, {"RESP": "ok"})],
    "kld7-04": [Idle(7.0)],
    "kld7-05": [Reading(7.0, 1.96, OUT, 10 ** (63.03 / 20), 0.68)],
}
# The data sheet's example, table 15: 80 cm, -1.05 km/h, 18.39 degrees, magnitude 6165.
DATA_SHEET = bytes.fromhex("54 44 41 54 08 00 00 00 50 00 97 FF 2F 07 15 18")


def tdat(cm: int = 1500, speed: int = -4700, angle: int = 500, magnitude: int = 6000) -> bytes:
    return b"TDAT\x08\0\0\0" + struct.pack("<HhhH", cm, speed, angle, magnitude)


GOOD, GOOD_EVENT = tdat(), Reading(7.0, 47.0, IN, 1000.0, 15.0)
OK = RX[0].data


def decode(data: bytes, unit: Unit | None = Unit.KMH) -> list[RadarEvent]:
    return Kld7Decoder(unit).feed(data, 7.0)


def fed_in(chunks: Sequence[bytes]) -> tuple[list[RadarEvent], dict[str, int]]:
    decoder = Kld7Decoder(Unit.KMH)
    events = [event for chunk in chunks for event in decoder.feed(chunk, 7.0)]
    assert len(decoder._scanner.buffer) < kld7_frames.LONGEST_PACKET
    return events, decoder.counters.values


# --------------------------------------------------------------------------- packets


@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector) -> None:
    data = vector.data
    whole = fed_in([data])
    assert whole[0] == SAYS[vector.id]
    for at in range(1, len(data)):
        assert fed_in([data[:at], data[at:]]) == whole
    assert fed_in([bytes((byte,)) for byte in data]) == whole


def test_the_data_sheets_example_approaches() -> None:
    assert decode(DATA_SHEET) == [Reading(7.0, 1.05, IN, 10 ** (61.65 / 20), 0.8)]


def test_strength_is_an_amplitude() -> None:
    [one, twice] = decode(tdat(magnitude=6000) + tdat(magnitude=6602))
    assert isinstance(one, Reading)
    assert isinstance(twice, Reading)
    assert one.strength == pytest.approx(1000.0)
    assert twice.strength == pytest.approx(2000.0, rel=0.001)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (tdat(speed=0), Idle(7.0)),
        (tdat(speed=10000), Reading(7.0, 100.0, OUT, 1000.0, 15.0)),
        (tdat(speed=-10001), Rejected(7.0, TOO_FAST)),
        (tdat(cm=10001), Rejected(7.0, IMPLAUSIBLE)),
        (tdat(angle=-9001), Rejected(7.0, IMPLAUSIBLE)),
        (tdat(magnitude=12001), Rejected(7.0, IMPLAUSIBLE)),
    ],
)
def test_the_limits_of_what_is_believed(packet: bytes, expected: RadarEvent) -> None:
    assert decode(packet) == [expected]


@pytest.mark.parametrize("unit", [Unit.MPH, Unit.MPS])
def test_a_unit_that_it_does_not_speak_is_a_fault_and_no_speed(unit: Unit) -> None:
    assert decode(GOOD, unit) == [Rejected(7.0, LINE_DIFFERS)]
    assert decode(GOOD, None) == [GOOD_EVENT]


@pytest.mark.parametrize("code", range(1, 7))
def test_a_refusal_is_counted_and_is_no_sign_of_life(code: int) -> None:
    decoder = Kld7Decoder(Unit.KMH)
    assert decoder.feed(b"RESP\x01\0\0\0" + bytes((code,)), 7.0) == []
    assert decoder.counters.get("refused") == 1


def test_the_receipt_of_a_question_is_no_news() -> None:
    assert decode(OK + GOOD + OK + GOOD) == [Reply(7.0, {"RESP": "ok"}), GOOD_EVENT, GOOD_EVENT]


def test_what_is_set_to_fold_back_is_rejected_until_it_is_set_right() -> None:
    decoder = Kld7Decoder(Unit.KMH)
    twin = connected()
    decoder.feed(twin.on_bytes(READ_PARAMETERS), 6.0)
    assert decoder.feed(GOOD, 7.0) == [Rejected(7.0, FOLDS)]
    decoder.feed(twin.on_bytes(command("RSPI", 3) + READ_PARAMETERS), 6.0)
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


def test_what_was_not_asked_for_is_passed_over() -> None:
    other = b"DONE\x04\0\0\0\x05\0\0\0" + b"DDAT\x06\0\0\0" + bytes(6) + b"PDAT\x10\0\0\0" + bytes(16)
    assert decode(other + GOOD) == [GOOD_EVENT]


def test_the_parameter_structure_is_read_by_the_names_of_its_commands() -> None:
    [said] = [
        event.values
        for event in decode(connected().on_bytes(READ_PARAMETERS))
        if isinstance(event, Reply) and "RSPI" in event.values
    ]
    assert said["firmware"] == "K-LD7_APP-RFB-0103"
    # The factory's values of the data sheet, table 12.
    factory = {"RSPI": 1, "RRAI": 1, "THOF": 30, "MARA": 50, "MIAN": -90, "MAAN": 90, "DEDI": 2}
    factory |= {"SPTH": 50, "DIG3": 2, "HOLD": 120, "MIDE": 0, "MIDS": 4}
    assert {name: int(said[name]) for name in factory} == factory


# --------------------------------------------------------------------------- damaged bytes


def test_a_lost_piece_never_makes_a_wrong_speed() -> None:
    """There is no checksum: what is missing is filled up by the next answer, and must not be believed."""
    for start in range(len(GOOD)):
        for end in range(start + 1, len(GOOD) + 1):
            damaged = GOOD[:start] + GOOD[end:]
            events = decode(damaged + OK + GOOD + OK + GOOD)
            assert events[-1] == GOOD_EVENT
            speeds = [one.speed_kmh for one in events if isinstance(one, Reading)]
            assert set(speeds) == {47.0}, (start, end)


def test_a_cut_parameter_structure_is_not_filled_up_by_what_follows() -> None:
    said = sign_radar().on_bytes(READ_PARAMETERS)
    for start in range(len(OK), len(said)):
        for end in range(start + 1, len(said) + 1):
            events = decode(said[:start] + said[end:] + (OK + GOOD) * 4)
            assert events[-1] == GOOD_EVENT
            assert not any("RSPI" in one.values for one in events if isinstance(one, Reply))


@pytest.mark.parametrize(
    "bad",
    [
        b"TDAT\x07\0\0\0" + bytes(7),
        b"TDAT\x08\0\0\x01" + bytes(8),
        b"RESP\x01\0\0\0\x07",
        b"RPST\x2b\0\0\0" + bytes(43),
        b"tdat\0\0\0\0",
    ],
)
def test_a_wrong_packet_says_nothing(bad: bytes) -> None:
    decoder = Kld7Decoder(Unit.KMH)
    assert decoder.feed(bad, 6.0) == []
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]
    assert decoder.counters.get("bad") >= 1


def test_any_garbage_is_survived_and_soon_forgotten() -> None:
    """A false beginning waits for its length, 104 bytes at most, and then all that it held is read."""
    random = Random(1)
    decoder = Kld7Decoder(Unit.KMH)
    for data in spoilt([*(vector.data for vector in RX), GOOD, DATA_SHEET], 1, 60_000):
        for event in decoder.feed(data, 1.0):
            assert not isinstance(event, Reading) or 0 < event.speed_kmh <= 100
        assert len(decoder._scanner.buffer) < kld7_frames.LONGEST_PACKET
        if random.random() < 0.1:
            for _ in range(7):  # 112 bytes
                decoder.feed(GOOD, 6.0)
            assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


FRAGMENTS = st.one_of(
    st.sampled_from([vector.data for vector in RX]),
    st.sampled_from([b"RESP", b"TDAT", b"T", b"\x08\0\0\0", b"RPST\x2a\0\0\0", GOOD]),
    st.binary(max_size=20),
)


@given(st.lists(FRAGMENTS, max_size=20), st.lists(st.integers(0, 300), max_size=6))
def test_any_bytes_give_the_same_at_any_split(fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert fed_in([data[start:end] for start, end in pairwise(edges)]) == fed_in([data])


# --------------------------------------------------------------------------- commands and settings


def test_commands_are_the_data_sheets() -> None:
    built = {
        "kld7-01": kld7.CONNECT,
        "kld7-03": kld7.POLL,
        "kld7-06": command("RSPI", 3),
        "kld7-07": kld7.DISCONNECT,
    }
    assert built == {vector.id: vector.data for vector in vectors("kld7", "tx")}


def test_a_negative_parameter_is_32_bits_too() -> None:
    assert command("MIAN", -90) == b"MIAN\x04\0\0\0\xa6\xff\xff\xff"


def test_settings_say_what_they_send() -> None:
    written = {one.write[:4].decode(): one for one in Kld7().settings(RadarSettings(min_speed_kmh=9.0))}
    assert written["RSPI"].write == command("RSPI", 3)
    assert written["RRAI"].write == command("RRAI", 3)
    assert written["MARA"].write == command("MARA", 100)
    assert written["MISP"].write == command("MISP", 9)
    assert written["DEDI"].write == command("DEDI", 2)
    assert written["MISP"].matches(Reply(0.0, {"MISP": "9"})) is True
    assert written["MISP"].matches(Reply(0.0, {"MISP": "0"})) is False
    assert written["MISP"].matches(Reply(0.0, {"RESP": "ok"})) is None
    assert {one.query for one in written.values()} == {READ_PARAMETERS}


@pytest.mark.parametrize(
    "wanted",
    [
        RadarSettings(unit=Unit.MPH),
        RadarSettings(unit=Unit.MPS),
        RadarSettings(min_strength=9.0),
        RadarSettings(min_strength=61.0),
        RadarSettings(min_speed_kmh=101.0),
        RadarSettings(min_speed_kmh=-1.0),
    ],
)
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="kld7"):
        Kld7().settings(wanted)


# --------------------------------------------------------------------------- the simulated radar

CAR, PARTING = Echo(50 / 3.6, 30.0, 20.0, 1), Echo(-47 / 3.6, 20.0, 12.0, 2)


def connected(*commands: bytes) -> Kld7Twin:
    twin = Kld7Twin()
    answers = twin.on_bytes(b"".join((kld7.CONNECT, *commands)))
    assert answers == OK * (1 + len(commands))
    return twin


def sign_radar() -> Kld7Twin:
    return connected(*(one.write for one in Kld7().settings(RadarSettings())))


def asked(twin: Kld7Twin, *echoes: Echo) -> RadarEvent:
    assert twin.on_bytes(POLL) == OK
    [event] = decode(twin.process(SPACING_S, echoes))
    return event


def told(event: RadarEvent) -> tuple[float, Direction, float | None]:
    assert isinstance(event, Reading)
    return event.speed_kmh, event.direction, event.range_m


def test_the_twin_says_what_is_strongest() -> None:
    event = asked(sign_radar(), CAR, PARTING)
    assert told(event) == (50.0, IN, 20.0)
    assert isinstance(event, Reading)
    assert event.strength == pytest.approx(30 * 10 ** (30 / 20), rel=0.001)
    assert told(asked(sign_radar(), PARTING)) == (47.0, OUT, 12.0)
    assert asked(sign_radar()) == Idle(7.0)


def test_the_twin_speaks_when_it_is_asked_and_connected() -> None:
    twin = Kld7Twin()
    assert twin.on_bytes(POLL + READ_PARAMETERS + kld7.DISCONNECT) == b""
    assert twin.on_bytes(kld7.CONNECT) == OK
    assert twin.process(1.0, [CAR]) == b""
    assert twin.on_bytes(POLL + POLL) == OK + OK[:-1] + b"\x05"  # busy
    assert twin.on_bytes(kld7.DISCONNECT + POLL) == OK


def test_the_twin_folds_what_is_too_fast_and_filters_as_it_is_set() -> None:
    fast = Echo(120 / 3.6, 30.0, 20.0, 1)
    assert told(asked(sign_radar(), fast)) == (80.0, OUT, 20.0)
    assert asked(connected(), CAR) == Idle(7.0)  # the factory's 25 km/h and 5 m
    twin = sign_radar()
    for one in (command("DEDI", 1), command("MISP", 48)):
        assert twin.on_bytes(one) == OK
    assert asked(twin, PARTING) == Idle(7.0)
    assert twin.on_bytes(command("RSPI", 4)) == OK[:-1] + b"\x02"
    assert twin.on_bytes(command("XXXX", 4)) == OK[:-1] + b"\x01"


def test_the_twin_forgets_without_power() -> None:
    twin = sign_radar()
    twin.power_cycle()
    assert twin.on_bytes(READ_PARAMETERS) == b""
    twin.on_bytes(kld7.CONNECT)
    [_, said] = decode(twin.on_bytes(READ_PARAMETERS))
    assert isinstance(said, Reply)
    assert said.values["RSPI"] == "1"


# --------------------------------------------------------------------------- on the link


NEAR = Echo(50 / 3.6, 30.0, 4.0, 1)  # seen with the factory's settings too, where 50 folds back


def linked(test: Callable[[Bench], Awaitable[None]], twin: Kld7Twin | None = None) -> None:
    on_bench(test, load_radar("kld7"), twin or Kld7Twin())


def test_a_radar_from_the_factory_is_connected_set_up_and_read() -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(12.0, (CAR, PARTING))
        assert bench.commands()[:3] == [kld7.DISCONNECT, kld7.CONNECT, READ_PARAMETERS]
        report = bench.link.setup_report
        assert report is not None
        assert report.ok, report.failed
        outcomes = {one.name: one.outcome for one in report.results}
        assert outcomes["most speed"] is Outcome.CHANGED
        assert outcomes["directions"] is Outcome.RIGHT
        assert bench.codes() == []
        assert {told(one) for one in bench.readings()} == {(50.0, IN, 20.0)}
        assert len(bench.readings()) > 100
        assert (bench.link.health()["bad"], bench.link.health().get("refused", 0)) == (0, 0)  # never busy

    linked(scene)


def test_no_folded_speed_is_believed_before_the_radar_is_set() -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(12.0, (NEAR,))
        assert {one.speed_kmh for one in bench.readings()} == {50.0}
        assert Rejected in {type(event) for event in bench.events}

    linked(scene)


def test_a_radar_that_lost_its_power_unseen_is_connected_and_set_up_again() -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(12.0, (NEAR,))
        assert isinstance(bench.twin, Kld7Twin)
        bench.twin.power_cycle()
        await bench.road(30.0, (NEAR,))
        assert bench.twin.sensor.parameters["RSPI"] == 3
        assert {one.speed_kmh for one in bench.readings()} == {50.0}
        assert bench.readings()[-1].t_mono_s > bench.loop.time() - 1.0
        assert bench.codes() == []

    linked(scene)


def test_an_empty_road_is_life_and_a_dead_radar_is_at_fault() -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(20.0)
        assert bench.codes() == []
        assert bench.readings() == []
        assert bench.measured() > 15.0
        bench.mute = True
        await bench.road(5.0)
        assert bench.codes() == ["silent"]

    linked(scene)
