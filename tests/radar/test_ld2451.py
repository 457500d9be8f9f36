"""LD2451: reports wherever they stand in the bytes, the direction's cross-check, commands, its twin."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar import ld2451_frames as frames
from drivers.radar.ld2451 import READ_DETECTION, READ_SENSITIVITY, READ_VERSION, Ld2451
from drivers.radar.ld2451_decoder import (
    CONTRADICTIONS,
    NEAR_REPORTS,
    NO_DIRECTION,
    STUCK,
    TOO_FAST,
    Ld2451Decoder,
)
from drivers.radar.setup import Outcome
from drivers.radar.units import LINE_DIFFERS
from simulator.radar_physics import Echo
from simulator.radars.ld2451 import Ld2451Twin
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.radar.streams import spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import Vector, vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
RX = vectors("ld2451", "rx")
SAYS: dict[str, list[RadarEvent]] = {
    "ld2451-01": [
        Reading(7.0, 60.0, OUT, 21.0, 40.0, 0),
        Reading(7.0, 60.0, IN, 15.0, 30.0, 1),
        Reading(7.0, 60.0, OUT, 15.0, 95.0, 2),
    ],
    "ld2451-02": [Idle(7.0)],
    "ld2451-03": [Idle(7.0)],
    "ld2451-05": [Reply(7.0, {"command": "FF", "status": "ok", "protocol": "1"})],
    "ld2451-10": [
        Reply(
            7.0,
            {
                "command": "12",
                "status": "ok",
                "max_distance_m": "100",
                "direction": "1",
                "min_speed_kmh": "5",
                "hold_s": "2",
            },
        )
    ],
    "ld2451-11": [Reply(7.0, {"command": "13", "status": "ok", "hits": "1", "snr": "0"})],
}
# Payloads of reports that jbeale1/doppler (HLK_LD2451_monitor.py) recorded of a real sensor.
RECORDED = {
    "07 00 01 00 80 0E 00 04 FF": Reading(7.0, 4.0, OUT, 255.0, 14.0),
    "07 00 01 00 79 0E 00 04 FF": Reading(7.0, 4.0, OUT, 255.0, 14.0),
    "07 00 01 01 80 0D 01 03 7B": Reading(7.0, 3.0, IN, 123.0, 13.0),
    "07 00 01 01 7B 0D 01 03 7B": Reading(7.0, 3.0, IN, 123.0, 13.0),
}


def report(*targets: tuple[int, int, int, int, int], alarm: int = 0) -> bytes:
    payload = bytes((len(targets), alarm)) + b"".join(bytes(target) for target in targets)
    return frames.REPORT_HEAD + len(payload).to_bytes(2, "little") + payload + frames.REPORT_TAIL


GOOD = report((0x80, 40, 1, 47, 20), alarm=1)
GOOD_EVENT = Reading(7.0, 47.0, IN, 20.0, 40.0)


def decode(data: bytes, unit: Unit | None = Unit.KMH) -> list[RadarEvent]:
    return Ld2451Decoder(unit).feed(data, 7.0)


def fed_in(chunks: Sequence[bytes]) -> tuple[list[RadarEvent], dict[str, int]]:
    decoder = Ld2451Decoder(Unit.KMH)
    events = [event for chunk in chunks for event in decoder.feed(chunk, 7.0)]
    assert len(decoder._scanner.buffer) < frames.LONGEST_FRAME
    return events, decoder.counters.values


# --------------------------------------------------------------------------- reports


@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector) -> None:
    data = vector.data
    whole = fed_in([data])
    assert whole[0] == SAYS[vector.id]
    for at in range(1, len(data)):
        assert fed_in([data[:at], data[at:]]) == whole
    assert fed_in([bytes((byte,)) for byte in data]) == whole


@pytest.mark.parametrize("payload", RECORDED)
def test_a_recorded_report_is_read_and_its_alarm_agrees(payload: str) -> None:
    decoder = Ld2451Decoder(Unit.KMH)
    data = frames.REPORT_HEAD + bytes.fromhex(payload) + frames.REPORT_TAIL
    assert decoder.feed(data, 7.0) == [RECORDED[payload]]
    assert decoder.counters.get("direction_contradicts_alarm") == 0


def test_the_strongest_comes_first_and_ranks_begin_again_with_each_report() -> None:
    two = report((0x80, 80, 0, 60, 9), (0x80, 30, 1, 50, 200))
    events = decode(two + two)
    assert [(one.speed_kmh, one.rank) for one in events if isinstance(one, Reading)] == [
        (50.0, 0),
        (60.0, 1),
        (50.0, 0),
        (60.0, 1),
    ]


def test_what_stands_still_is_life_and_no_speed() -> None:
    assert decode(report((0x80, 40, 1, 0, 20))) == [Idle(7.0)]
    assert decode(report((0x80, 40, 1, 0, 20), (0x80, 40, 1, 47, 20))) == [GOOD_EVENT]
    assert decode(report(alarm=1)) == [Idle(7.0)]


def test_what_cannot_be_is_rejected_and_its_neighbour_is_not() -> None:
    assert decode(report((0x80, 40, 1, 121, 20), (0x80, 40, 1, 47, 20))) == [
        Rejected(7.0, TOO_FAST),
        GOOD_EVENT,
    ]
    assert decode(report((0x80, 40, 2, 50, 20))) == [Rejected(7.0, NO_DIRECTION)]
    assert decode(report((0x80, 40, 1, 120, 20)))[0] == Reading(7.0, 120.0, IN, 20.0, 40.0)
    assert decode(report((0xF0, 40, 1, 47, 20))) == [GOOD_EVENT]  # 112 degrees: odd angles occur


@pytest.mark.parametrize("unit", [Unit.MPH, Unit.MPS])
def test_a_unit_that_it_does_not_speak_is_a_fault_and_no_speed(unit: Unit) -> None:
    assert decode(GOOD, unit) == [Rejected(7.0, LINE_DIFFERS)]
    assert decode(GOOD, None) == [GOOD_EVENT]


def test_a_target_that_sticks_close_by_is_no_vehicle() -> None:
    decoder = Ld2451Decoder(Unit.KMH)
    stuck = report((0x80, 3, 1, 43, 255))
    first = [decoder.feed(stuck, 7.0)[0] for _ in range(NEAR_REPORTS)]
    assert all(isinstance(event, Reading) for event in first)
    flickering = report((0x83, 3, 1, 43, 240))
    assert decoder.feed(flickering, 7.0) == [Rejected(7.0, STUCK)]
    assert decoder.feed(report((0x80, 3, 1, 43, 255), (0x80, 40, 1, 47, 20)), 7.0) == [
        Rejected(7.0, STUCK),
        GOOD_EVENT,
    ]
    assert isinstance(decoder.feed(report((0x80, 3, 1, 42, 255)), 7.0)[0], Reading)  # it does move
    decoder.feed(stuck, 7.0)
    assert isinstance(decoder.feed(stuck, 7.0)[0], Reading)  # counted from the beginning


def test_what_stays_farther_away_is_left_to_the_tracker() -> None:
    far = report((0x80, 4, 1, 43, 255)) * (3 * NEAR_REPORTS)
    assert all(isinstance(event, Reading) for event in decode(far))


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        (report((0x80, 40, 1, 50, 20), alarm=1), "direction_agrees"),
        (report((0x80, 40, 0, 50, 20), alarm=1), "direction_contradicts_alarm"),
        (report((0x80, 40, 0, 50, 20), (0x80, 40, 0, 60, 20), alarm=1), "direction_contradicts_alarm"),
        (report((0x80, 40, 0, 50, 20), (0x80, 40, 1, 60, 20), alarm=1), ""),
        (report((0x80, 40, 1, 50, 20), alarm=0), ""),
        (report((0x80, 40, 0, 0, 20), alarm=1), ""),
    ],
)
def test_the_alarm_byte_is_a_cross_check_of_the_direction(data: bytes, counted: str) -> None:
    decoder = Ld2451Decoder(Unit.KMH)
    decoder.feed(data, 7.0)
    names = [name for name in decoder.counters.values if name.startswith("direction")]
    assert names == ([counted] if counted else [])


def test_a_direction_that_contradicts_the_alarm_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    wrong, right = report((0x80, 40, 0, 50, 20), alarm=1), report((0x80, 40, 1, 50, 20), alarm=1)
    with caplog.at_level(logging.WARNING):
        mostly_right = Ld2451Decoder(Unit.KMH)
        mostly_right.feed(right * CONTRADICTIONS + wrong * CONTRADICTIONS, 7.0)
        assert caplog.messages == []
        decoder = Ld2451Decoder(Unit.KMH)
        decoder.feed(wrong * (CONTRADICTIONS - 1), 7.0)
        assert caplog.messages == []
        decoder.feed(wrong * 5, 7.0)
    assert len(caplog.messages) == 1
    assert "invert_direction" in caplog.messages[0]


# --------------------------------------------------------------------------- damaged bytes


def test_a_cut_report_costs_itself_alone() -> None:
    frame = RX[0].data
    for start in range(len(frame)):
        for end in range(start, len(frame) + 1):
            if (start, end) != (0, len(frame)):
                assert decode(frame[start:end] + GOOD)[-1] == GOOD_EVENT
            if 0 < end - start < len(frame):
                assert decode(frame[:start] + frame[end:] + GOOD)[-1] == GOOD_EVENT


def test_a_lost_piece_never_makes_a_wrong_speed() -> None:
    """There is no checksum: what is missing is filled up by the next report, and must not be believed."""
    for frame in (GOOD, RX[0].data):
        for start in range(len(frame)):
            for end in range(start + 1, len(frame) + 1):
                for idle in (b"", RX[1].data, RX[2].data):
                    events = decode(frame[:start] + frame[end:] + idle + GOOD + GOOD)
                    speeds = {one.speed_kmh for one in events if isinstance(one, Reading)}
                    assert speeds <= {47.0, 60.0}, (start, end)


@pytest.mark.parametrize(
    "bad",
    [
        report((0x80, 40, 1, 50, 20)).replace(b"\x07\x00\x01", b"\x07\x00\x02"),  # count and length differ
        report((0x80, 40, 1, 50, 20)).replace(b"\x07\x00", b"\x08\x00"),
        report(*[(0x80, 40, 1, 50, 20)] * 11),
        report((0x80, 40, 1, 50, 20))[:-1] + b"\xf4",
        bytes.fromhex("F4 F3 F2 F1 01 00 00 F8 F7 F6 F5"),
        bytes.fromhex("F4 F3 F2 F1 08 00 01 00 80 28 01 32 14 00 F8 F7 F6 F5"),
        bytes.fromhex("FD FC FB FA 02 00 12 01 04 03 02 01"),  # an answer without a status
        bytes.fromhex("FD FC FB FA FF 00"),
    ],
    ids=["count", "length", "eleven", "tail", "one byte", "a byte more", "no status", "long answer"],
)
def test_a_wrong_frame_says_nothing(bad: bytes) -> None:
    decoder = Ld2451Decoder(Unit.KMH)
    assert decoder.feed(bad, 6.0) == []
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]
    assert decoder.counters.get("bad") >= 1


def test_our_own_command_come_back_is_no_answer() -> None:
    assert decode(READ_DETECTION + GOOD) == [GOOD_EVENT]


def test_any_garbage_is_survived_and_the_frame_after_next_is_read() -> None:
    """What noise began can swallow one frame, never two: it is given up within `LONGEST_FRAME` bytes."""
    random = Random(1)
    decoder = Ld2451Decoder(Unit.KMH)
    for data in spoilt([*(vector.data for vector in RX), GOOD], 1, 60_000):
        for event in decoder.feed(data, 1.0):
            assert not isinstance(event, Reading) or 0 < event.speed_kmh <= 120
        assert len(decoder._scanner.buffer) < frames.LONGEST_FRAME
        assert len(decoder._near) <= frames.MOST_TARGETS
        if random.random() < 0.1:
            decoder.feed(GOOD * 4, 7.0)  # 68 bytes
            assert GOOD_EVENT in decoder.feed(GOOD, 7.0)


FRAGMENTS = st.one_of(
    st.sampled_from([vector.data for vector in RX]),
    st.sampled_from([frames.REPORT_HEAD, frames.REPORT_TAIL, frames.COMMAND_HEAD, b"\xf4", b"\x07\x00\x01"]),
    st.binary(max_size=20),
)


@given(st.lists(FRAGMENTS, max_size=20), st.lists(st.integers(0, 300), max_size=6))
def test_any_bytes_give_the_same_at_any_split(fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert fed_in([data[start:end] for start, end in pairwise(edges)]) == fed_in([data])


# --------------------------------------------------------------------------- commands and settings


def test_commands_are_the_documents() -> None:
    built = {
        "ld2451-04": frames.enable_command(),
        "ld2451-06": frames.detection_command(100, frames.APPROACH, 5, 2),
        "ld2451-07": frames.sensitivity_command(2, 8),
        "ld2451-08": frames.end_command(),
        "ld2451-09": frames.command(frames.READ_DETECTION),
    }
    assert built == {vector.id: vector.data for vector in vectors("ld2451", "tx")}


def test_every_command_is_in_its_envelope() -> None:
    sent = [READ_DETECTION, READ_SENSITIVITY, READ_VERSION]
    sent += [one.write for one in Ld2451().settings(RadarSettings())]
    for data in sent:
        assert data.startswith(frames.enable_command())
        assert data.endswith(frames.end_command())
        assert data.count(frames.COMMAND_HEAD) == 3


def answer(**values: int) -> Reply:
    right = {"max_distance_m": 100, "direction": 2, "min_speed_kmh": 8, "hold_s": 0} | values
    return Reply(0.0, {name: str(value) for name, value in right.items()})


def test_settings_compare_every_value_of_a_command() -> None:
    detection, sensitivity = Ld2451().settings(RadarSettings())
    assert frames.detection_command(100, frames.BOTH, 8, 0) in detection.write
    assert frames.sensitivity_command(1, 0) in sensitivity.write
    assert detection.matches(answer()) is True
    assert detection.matches(answer(hold_s=1)) is True
    for name in ("max_distance_m", "direction", "min_speed_kmh", "hold_s"):
        assert detection.matches(answer(**{name: 5})) is False
    assert detection.matches(Reply(0.0, {"command": "12", "status": "failed (1)"})) is None
    assert sensitivity.matches(Reply(0.0, {"hits": "1", "snr": "4"})) is True
    assert sensitivity.matches(Reply(0.0, {"hits": "2", "snr": "4"})) is False
    [_, asked] = Ld2451().settings(RadarSettings(min_strength=6.0))
    assert asked.matches(Reply(0.0, {"hits": "1", "snr": "4"})) is False
    assert frames.sensitivity_command(1, 6) in asked.write


@pytest.mark.parametrize(
    "wanted",
    [
        RadarSettings(unit=Unit.MPH),
        RadarSettings(unit=Unit.MPS),
        RadarSettings(min_strength=2.0),
        RadarSettings(min_strength=9.0),
        RadarSettings(min_speed_kmh=121.0),
        RadarSettings(min_speed_kmh=-1.0),
    ],
)
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="ld2451"):
        Ld2451().settings(wanted)


def test_the_version_is_read_as_hi_link_writes_it() -> None:
    assert decode(Ld2451Twin().on_bytes(READ_VERSION))[1] == Reply(
        7.0, {"command": "A0", "status": "ok", "firmware": "V1.19.37070120"}
    )


# --------------------------------------------------------------------------- the simulated radar

CAR, LORRY, PARTING = (
    Echo(50 / 3.6, 90.0, 40.0, 1),
    Echo(61 / 3.6, 60.0, 70.0, 2),
    Echo(-47 / 3.6, 45.0, 22.0, 3),
)


def set_by(twin: Ld2451Twin, *commands: bytes) -> bytes:
    return twin.on_bytes(frames.enveloped(*commands))


def one_report(twin: Ld2451Twin, *echoes: Echo) -> list[RadarEvent]:
    return decode(twin.process(twin.due_in_s, echoes))


def test_the_twin_says_what_is_there() -> None:
    twin = Ld2451Twin()
    set_by(twin, frames.detection_command(100, frames.BOTH, 5, 0))
    assert one_report(twin, CAR, LORRY, PARTING) == [
        Reading(7.0, 50.0, IN, 30.0, 40.0, 0),
        Reading(7.0, 61.0, IN, 20.0, 70.0, 1),
        Reading(7.0, 47.0, OUT, 15.0, 22.0, 2),
    ]
    assert one_report(twin) == [Idle(7.0)]
    assert decode(Ld2451Twin(two_zeros=True).process(0.026, [])) == [Idle(7.0)]


def test_the_twin_filters_as_it_is_set_and_keeps_it_without_power() -> None:
    twin = Ld2451Twin()
    assert one_report(twin, PARTING) == [Idle(7.0)]  # from the factory: approaching only
    set_by(twin, frames.detection_command(60, frames.AWAY, 40, 0), frames.sensitivity_command(1, 8))
    twin.power_cycle()
    assert [one_report(twin, one) == [Idle(7.0)] for one in (CAR, LORRY, PARTING)] == [True, True, False]
    assert one_report(twin, PARTING._replace(range_m=61.0)) == [Idle(7.0)]
    assert one_report(twin, PARTING._replace(strength=22.0)) == [Idle(7.0)]
    assert one_report(twin, PARTING._replace(radial_mps=-10.0)) == [Idle(7.0)]


def test_the_twin_holds_a_target_that_has_gone() -> None:
    twin = Ld2451Twin()
    set_by(twin, frames.detection_command(100, frames.BOTH, 5, 1))
    held = one_report(twin, CAR)
    assert one_report(twin) == held
    twin.process(1.1, [])
    assert one_report(twin) == [Idle(7.0)]


def test_the_twin_reports_nothing_while_it_is_configured_and_hears_nothing_else() -> None:
    twin = Ld2451Twin()
    assert twin.on_bytes(frames.command(frames.READ_DETECTION)) == b""
    twin.on_bytes(frames.enable_command())
    assert twin.process(1.0, [CAR]) == b""
    assert b"".join(twin.on_bytes(bytes((byte,))) for byte in frames.end_command())
    assert twin.process(1.0, [CAR]) != b""
    assert decode(set_by(twin, frames.detection_command(5, 2, 8, 0)))[1] == Reply(
        7.0, {"command": "02", "status": "failed (1)"}
    )


def test_reports_come_forty_times_a_second() -> None:
    twin = Ld2451Twin()
    assert len(decode(twin.process(60.0, []))) / 60 == pytest.approx(43.5, rel=0.05)


# --------------------------------------------------------------------------- on the link


def linked(test: Callable[[Bench], object], twin: Ld2451Twin) -> None:
    async def scene(bench: Bench) -> None:
        await bench.road(6.0, (CAR, PARTING))
        test(bench)

    on_bench(scene, load_radar("ld2451"), twin)


def test_a_radar_from_the_factory_is_set_up_and_read() -> None:
    def look(bench: Bench) -> None:
        report = bench.link.setup_report
        assert report is not None
        assert [one.outcome for one in report.results] == [Outcome.CHANGED, Outcome.RIGHT]
        assert bench.codes() == []
        last = bench.readings()[-2:]
        assert [(one.speed_kmh, one.direction, one.rank) for one in last] == [(50.0, IN, 0), (47.0, OUT, 1)]
        assert bench.measured() > 5.0

    linked(look, Ld2451Twin())


def test_what_is_right_is_left_alone() -> None:
    twin = Ld2451Twin()
    set_by(twin, frames.detection_command(100, frames.BOTH, 8, 1))

    def look(bench: Bench) -> None:
        assert bench.link.setup_report is not None
        assert {one.outcome for one in bench.link.setup_report.results} == {Outcome.RIGHT}
        assert set(bench.commands()) == {READ_DETECTION, READ_SENSITIVITY}

    linked(look, twin)
