"""iSYS-4001: lists of targets by hand from the layout, sums, commands, its twin, and being asked."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar import isys4001_frames as frames
from drivers.radar.isys4001 import CLIPPING, POLL, START, TOO_FAST, Isys4001, Isys4001Decoder
from drivers.radar.setup import Outcome
from drivers.radar.units import LINE_DIFFERS
from simulator.radar_physics import Echo
from simulator.radars.isys4001 import CYCLE_S, Isys4001Twin
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.radar.streams import spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
# 60 dB, 13.89 m/s, 40.00 m, 5.00 degrees and 54 dB, -12.50 m/s, 70.00 m, -2.00 degrees; their sum is 6A9.
TWO = bytes.fromhex("68 13 13 68 01 80 DA 01 02 3C 05 6D 0F A0 01 F4 36 FB 1E 1B 58 FF 38 A9 16")
EMPTY = bytes.fromhex("68 05 05 68 01 80 DA 01 00 5C 16")
OVERDRIVEN = bytes.fromhex("68 05 05 68 01 80 DA 01 FF 5B 16")
NAME = bytes.fromhex("68 0C 0C 68 01 80 D0 69 53 59 53 2D 34 30 30 31 AB 16")
VALUE = bytes.fromhex("68 05 05 68 01 80 D4 00 03 58 16")
DONE = bytes.fromhex("68 03 03 68 01 80 D5 56 16")
NO = bytes.fromhex("68 03 03 68 01 80 FD 7E 16")
SAYS: dict[bytes, list[RadarEvent]] = {
    TWO: [
        Reading(7.0, pytest.approx(50.004), IN, pytest.approx(1000.0), 40.0, 0),  # type: ignore[arg-type]
        Reading(7.0, pytest.approx(45.0), OUT, pytest.approx(501.2, abs=0.1), 70.0, 1),  # type: ignore[arg-type]
    ],
    EMPTY: [Idle(7.0)],
    OVERDRIVEN: [Rejected(7.0, CLIPPING)],
    NAME: [Reply(7.0, {"name": "iSYS-4001"})],
    VALUE: [Reply(7.0, {"value": "3"})],
    DONE: [Reply(7.0, {"done": "D5"})],
    NO: [],
}


def target_list(*targets: tuple[int, int, int, int]) -> bytes:
    data = bytes((frames.OUTPUT, len(targets))) + b"".join(struct.pack(">Bhhh", *one) for one in targets)
    return frames.frame(frames.MASTER, frames.RADAR, frames.TARGETS, data)


GOOD = target_list((60, 1250, 4000, 500))
GOOD_EVENT = Reading(7.0, 45.0, IN, 1000.0, 40.0)


def decode(data: bytes, unit: Unit | None = Unit.KMH) -> list[RadarEvent]:
    return Isys4001Decoder(unit).feed(data, 7.0)


def fed_in(chunks: Sequence[bytes]) -> tuple[list[RadarEvent], dict[str, int]]:
    decoder = Isys4001Decoder(Unit.KMH)
    events = [event for chunk in chunks for event in decoder.feed(chunk, 7.0)]
    assert len(decoder._scanner.buffer) < frames.LONGEST_FRAME
    return events, decoder.counters.values


# --------------------------------------------------------------------------- lists and answers


@pytest.mark.parametrize("data", SAYS, ids=lambda data: data.hex()[8:16])
def test_a_frame_says_what_its_layout_says_at_every_split(data: bytes) -> None:
    whole = fed_in([data])
    assert whole[0] == SAYS[data]
    for at in range(1, len(data)):
        assert fed_in([data[:at], data[at:]]) == whole
    assert fed_in([bytes((byte,)) for byte in data]) == whole


def test_the_strongest_comes_first_and_ranks_begin_again_with_each_list() -> None:
    events = decode(target_list((40, 1000, 900, 0), (70, 0, 100, 0), (60, 1100, 800, 0)) * 2)
    told = [(round(one.speed_kmh, 2), one.rank) for one in events if isinstance(one, Reading)]
    assert told == [(39.6, 0), (36.0, 1)] * 2


def test_what_stands_still_is_life_and_what_is_too_fast_is_rejected() -> None:
    assert decode(target_list((70, 0, 100, 0))) == [Idle(7.0)]
    assert decode(target_list((70, -6945, 100, 0))) == [Rejected(7.0, TOO_FAST)]
    assert decode(target_list((70, 6945, 100, 0), (60, 1250, 4000, 0))) == [
        Rejected(7.0, TOO_FAST),
        GOOD_EVENT,
    ]
    [reading] = decode(target_list((70, 1250, -5, 0)))
    assert isinstance(reading, Reading)
    assert reading.range_m is None


def test_the_longest_list_is_read() -> None:
    readings = decode(target_list(*((60, 1250, 4000, n) for n in range(35))))
    assert len(readings) == 35


@pytest.mark.parametrize(
    ("unit", "expected"),
    [(None, GOOD_EVENT), (Unit.MPS, GOOD_EVENT), (Unit.MPH, Rejected(7.0, LINE_DIFFERS))],
)
def test_the_unit_is_fixed_by_the_protocol(unit: Unit | None, expected: RadarEvent) -> None:
    assert decode(GOOD, unit) == [expected]


def test_a_refusal_is_counted_and_is_no_sign_of_life() -> None:
    events, counters = fed_in([NO])
    assert events == []
    assert counters["refused"] == 1


def test_our_own_question_come_back_is_no_answer() -> None:
    assert decode(POLL + START + GOOD) == [GOOD_EVENT]


# --------------------------------------------------------------------------- damaged bytes


def test_every_single_wrong_byte_is_found() -> None:
    for at in range(len(GOOD)):
        for change in (0x01, 0x80, 0xFF):
            damaged = GOOD[:at] + bytes((GOOD[at] ^ change,)) + GOOD[at + 1 :]
            events = Isys4001Decoder(Unit.KMH).feed(damaged + GOOD * 15, 7.0)  # 270 bytes
            assert [one for one in events if one != GOOD_EVENT] == []
            assert GOOD_EVENT in events


def test_a_cut_list_costs_itself_alone() -> None:
    for start in range(len(TWO)):
        for end in range(start + 1, len(TWO) + 1):
            assert decode(TWO[:start] + TWO[end:] + GOOD + EMPTY)[-2:] == [GOOD_EVENT, Idle(7.0)]


@pytest.mark.parametrize(
    "bad",
    [
        frames.frame(1, 0x80, frames.TARGETS, bytes.fromhex("01 02 3C 05 6D 0F A0 01 F4")),  # count
        frames.frame(1, 0x80, frames.TARGETS, b"\x01"),
        bytes.fromhex("68 02 02 68 01 80 81 16"),
        bytes.fromhex("68 05 06 68 01 80 DA 01 00 5C 16"),
        TWO[:-1] + b"\x17",
    ],
)
def test_a_wrong_frame_says_nothing(bad: bytes) -> None:
    decoder = Isys4001Decoder(Unit.KMH)
    assert decoder.feed(bad, 6.0) == []
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]
    assert decoder.counters.get("bad") >= 1


def test_any_garbage_is_survived_and_soon_forgotten() -> None:
    """A false beginning waits for its length, 261 bytes at most, and then all that it held is read."""
    random = Random(1)
    decoder = Isys4001Decoder(Unit.KMH)
    for data in spoilt([*SAYS, GOOD], 1, 60_000):
        for event in decoder.feed(data, 1.0):
            assert not isinstance(event, Reading) or 0 < event.speed_kmh <= 250
        assert len(decoder._scanner.buffer) < frames.LONGEST_FRAME
        if random.random() < 0.1:
            for _ in range(15):  # 270 bytes
                decoder.feed(GOOD, 6.0)
            assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


FRAGMENTS = st.one_of(
    st.sampled_from([*SAYS]),
    st.sampled_from([b"\x68", b"\x68\x05\x05\x68", b"\x68\xff\xff\x68", b"\x16", GOOD]),
    st.binary(max_size=20),
)


@given(st.lists(FRAGMENTS, max_size=20), st.lists(st.integers(0, 300), max_size=6))
def test_any_bytes_give_the_same_at_any_split(fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert fed_in([data[start:end] for start, end in pairwise(edges)]) == fed_in([data])


# --------------------------------------------------------------------------- commands and settings


def test_commands_are_those_of_the_public_driver() -> None:
    built = {"isys-01": frames.targets_command(), "isys-02": frames.targets_command(frames.BITS_32)}
    assert built == {vector.id: vector.data for vector in vectors("isys4001", "tx")}
    assert bytes.fromhex("68 05 05 68 80 01 D1 00 00 52 16") == START
    assert frames.read_command(0x0E) == bytes.fromhex("68 05 05 68 80 01 D4 01 0E 64 16")
    assert frames.write_command(0x0D, 694) == bytes.fromhex("68 07 07 68 80 01 D5 01 0D 02 B6 1C 16")


def test_settings_are_limits_in_the_radars_own_units() -> None:
    directions, least, most = Isys4001().settings(RadarSettings(min_speed_kmh=9.0))
    assert directions.write == frames.write_command(frames.DIRECTION, 3)
    assert least.write == frames.write_command(frames.MIN_SPEED, 25)
    assert most.write == frames.write_command(frames.MAX_SPEED, 694)
    assert least.matches(Reply(0.0, {"value": "25"})) is True
    assert least.matches(Reply(0.0, {"value": "2"})) is False
    assert least.matches(Reply(0.0, {"done": "D5"})) is None


@pytest.mark.parametrize(
    "wanted",
    [RadarSettings(unit=Unit.MPH), RadarSettings(min_speed_kmh=250.0), RadarSettings(min_speed_kmh=-1.0)],
)
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="isys4001"):
        Isys4001().settings(wanted)


# --------------------------------------------------------------------------- the simulated radar

CAR, PARTING = Echo(50 / 3.6, 90.0, 40.0, 1), Echo(-47 / 3.6, 45.0, 22.0, 2)


def measuring(*commands: bytes) -> Isys4001Twin:
    twin = Isys4001Twin()
    for one in (START, *commands):
        assert twin.on_bytes(one)[6] == one[6]
    return twin


def asked(twin: Isys4001Twin, *echoes: Echo) -> list[tuple[float, Direction, float | None, int]]:
    assert twin.process(CYCLE_S, echoes) == b""
    return [
        (round(one.speed_kmh, 1), one.direction, one.range_m, one.rank)
        for one in decode(twin.on_bytes(POLL))
        if isinstance(one, Reading)
    ]


def test_the_twin_says_what_is_there_when_it_is_asked() -> None:
    twin = measuring()
    assert asked(twin, CAR, PARTING) == [(50.0, IN, 40.0, 0), (47.0, OUT, 22.0, 1)]
    assert asked(twin) == []
    assert decode(twin.on_bytes(POLL)) == [Idle(7.0)]
    twin.process(CYCLE_S, [CAR._replace(strength=20_000.0)])
    assert decode(twin.on_bytes(POLL)) == [Rejected(7.0, CLIPPING)]


def test_the_twin_refuses_before_it_measures_and_what_it_does_not_know() -> None:
    twin = Isys4001Twin()
    assert twin.on_bytes(POLL) == NO
    assert twin.on_bytes(frames.command(frames.NAME)) == NAME
    assert twin.on_bytes(frames.command(0x77)) == NO
    assert twin.on_bytes(frames.read_command(0x55)) == NO
    assert twin.on_bytes(POLL[:-1] + b"\x17") == b""
    assert b"".join(twin.on_bytes(bytes((byte,))) for byte in b"\x68\x00" + START)


def test_the_twin_filters_as_it_is_set_and_forgets_without_power() -> None:
    twin = measuring(frames.write_command(frames.DIRECTION, 2), frames.write_command(frames.MAX_RANGE, 200))
    assert asked(twin, CAR, PARTING) == []
    assert asked(twin, CAR, PARTING._replace(range_m=19.0)) == [(47.0, OUT, 19.0, 0)]
    assert decode(twin.on_bytes(frames.read_command(frames.MAX_RANGE))) == [Reply(7.0, {"value": "200"})]
    twin.power_cycle()
    assert twin.on_bytes(POLL) == NO


# --------------------------------------------------------------------------- on the link


def linked(test: Callable[[Bench], Awaitable[None]]) -> None:
    on_bench(test, load_radar("isys4001"), Isys4001Twin())


def test_a_radar_is_started_set_up_and_read() -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(8.0, (CAR, PARTING))
        assert bench.commands()[0] == START
        report = bench.link.setup_report
        assert report is not None
        assert [one.outcome for one in report.results] == [Outcome.RIGHT, Outcome.CHANGED, Outcome.RIGHT]
        assert bench.codes() == []
        last = bench.readings()[-2:]
        assert [(round(one.speed_kmh, 1), one.rank) for one in last] == [(50.0, 0), (47.0, 1)]
        assert bench.measured() > 5.0

    linked(scene)


def test_a_radar_that_lost_its_power_unseen_is_started_and_set_up_again() -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(8.0, (CAR,))
        assert isinstance(bench.twin, Isys4001Twin)
        bench.twin.power_cycle()
        await bench.road(15.0, (CAR,))
        assert bench.twin.sensor.settings[frames.MIN_SPEED] == 22  # 8 km/h
        assert bench.readings()[-1].t_mono_s > bench.loop.time() - 1.0
        assert bench.codes() == []

    linked(scene)
