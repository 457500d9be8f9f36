"""Houston Radar's binary protocol: escapes and CRC, answers, set-up and polling against its twin."""

from __future__ import annotations

from random import Random

import pytest

from drivers.radar import houston_frames as frames
from drivers.radar.houston import TOO_FAST, Houston, HoustonDecoder
from drivers.radar.setup import Outcome
from drivers.radar.units import NOT_CONFIRMED, SET_OTHERWISE
from simulator.radar_physics import Echo
from simulator.radars.houston import HoustonTwin, unwrapped, wrapped
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.cli.record import HOUSTON_KMH, HOUSTON_LIVE, Case, record
from tests.radar.streams import NOW, at_every_split, fed_in, in_pieces, spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import Vector, vectors

RX = vectors("houston-binary", "rx")
GOOD, GOOD_EVENT = bytes.fromhex("F3 32 2B FE F6 FC"), Reading(NOW, 43.0, Direction.UNKNOWN)
SAYS: dict[str, list[RadarEvent]] = {
    "houston-bin-02": [GOOD_EVENT],
    "houston-bin-03": [Idle(NOW)],
    "houston-bin-06": [Reply(NOW, {"UN": "1"})],
    "houston-bin-08": [Reply(NOW, {"status": "0"})],
    "houston-bin-09": [Reply(NOW, {"status": "-1"})],
}
UN_IS = {
    unit: frames.frame(bytes((0x19, 0, 0x55, 0x4E, code, 0)))
    for code, unit in enumerate(("mph", "km/h", "ft/s"))
}
CAR = Echo(50 / 3.6, 99.0, 30.0, 1)


def kmh() -> HoustonDecoder:
    """Of a radar that has said that it is set to km/h."""
    decoder = HoustonDecoder(Unit.KMH)
    decoder.unit_confirmed = True
    return decoder


def speed(value: int) -> bytes:
    return frames.frame(bytes((frames.SPEED, value)))


@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector) -> None:
    assert at_every_split(kmh, vector.data) == SAYS[vector.id]


@pytest.mark.parametrize("value", [0xF3, 0xFA, 0xFC])
def test_a_speed_that_is_a_mark_is_escaped(value: int) -> None:
    assert at_every_split(kmh, speed(value)) == [Reading(NOW, float(value), Direction.UNKNOWN)]


def test_every_body_comes_back_as_it_was() -> None:
    random = Random(1)
    for length in range(1, 60):
        body = bytes(
            random.choice((0xF3, 0xFA, 0xFC, 0x03, 0x0A, 0x0C, random.randrange(256))) for _ in range(length)
        )
        sent = frames.frame(body)
        assert frames.body_of(sent) == body
        assert sent == wrapped(body)
        assert unwrapped(sent[1:-1]) == body
        assert frames.measure(bytearray(sent)) == len(sent)


@pytest.mark.parametrize(
    "bad",
    [
        "F3 32 2B FE F7 FC",  # CRC
        "F3 32 2C FE F6 FC",
        "F3 FE F6 FC",
        "F3 FC",
        "F3 00 00 FC",  # the right CRC of nothing
        "F3 32 FA 2B FE F6 FC",  # an escape of nothing
        "F3 32 2B FE F6 FA FC",
        "F3 32 2B F3",
    ],
)
def test_a_damaged_frame_says_nothing_and_costs_itself_alone(bad: str) -> None:
    data = bytes.fromhex(bad)
    assert at_every_split(kmh, data) == []
    assert at_every_split(kmh, data + GOOD) == [GOOD_EVENT]
    assert fed_in(kmh, [data + GOOD])[1]["bad"] == 1


def test_every_single_changed_bit_is_seen() -> None:
    for at in range(len(GOOD) * 8):
        data = bytearray(GOOD)
        data[at // 8] ^= 1 << at % 8
        assert fed_in(kmh, [bytes(data)])[0] == []
        assert fed_in(kmh, [bytes(data) + GOOD])[0] == [GOOD_EVENT]


def test_the_description_is_read_line_by_line() -> None:
    data = frames.frame(b"\x0eTYPE=DR500\r\nBRD = 3\nnothing\n=4\nREV=a=b\n")
    assert at_every_split(kmh, data) == [Reply(NOW, {"TYPE": "DR500", "BRD": "3", "REV": "a=b"})]


@pytest.mark.parametrize(
    "body",
    [
        "31",  # our own question as an echo
        "0E",
        "18 00 55 4E",
        "17 00 55 4E 01 00",
        "2B 78 00",  # a voltage: not asked for, its form not known
        "32",
        "32 2B 2B",
        "19 01 55 4E 01 00",
        "19 00 FF FF 01 00",
        "13 00",
        "FF",
    ],
)
def test_what_is_no_answer_of_ours_means_nothing(body: str) -> None:
    events, counters = fed_in(kmh, [frames.frame(bytes.fromhex(body)), GOOD])
    assert events == [GOOD_EVENT]
    assert counters["unused"] == 1
    assert counters.get("bad", 0) == 0


def test_a_beginning_gives_up_what_was_cut_before_it() -> None:
    one = kmh()
    one.feed(bytes.fromhex("F3 32 2B F3"), NOW)
    assert one._scanner.buffer == b"\xf3"


def test_a_frame_without_end_is_given_up_and_counted() -> None:
    one = kmh()
    one.feed(b"\xf3" + b"x" * 2000, NOW)
    assert one.counters.get("overflow") == 1
    assert one._scanner.buffer == b""
    assert one.feed(GOOD, NOW) == [GOOD_EVENT]


@pytest.mark.parametrize(
    ("unit", "before", "expected"),
    [
        (Unit.KMH, b"", Rejected(NOW, NOT_CONFIRMED)),
        (Unit.KMH, UN_IS["km/h"], Reading(NOW, 43.0, Direction.UNKNOWN)),
        (Unit.KMH, UN_IS["mph"], Rejected(NOW, SET_OTHERWISE)),
        (Unit.MPH, UN_IS["mph"], Reading(NOW, 43 * 1.609344, Direction.UNKNOWN)),
        (None, b"", Reading(NOW, 43.0, Direction.UNKNOWN)),
        (None, UN_IS["mph"], Reading(NOW, 43 * 1.609344, Direction.UNKNOWN)),
        (None, UN_IS["ft/s"], Reading(NOW, 43 * 1.09728, Direction.UNKNOWN)),
    ],
)
def test_the_unit_is_what_the_radar_says(unit: Unit | None, before: bytes, expected: RadarEvent) -> None:
    assert HoustonDecoder(unit).feed(before + GOOD, NOW)[-1] == expected


def test_faster_than_it_can_say_is_rejected() -> None:
    assert HoustonDecoder(None).feed(UN_IS["mph"] + speed(159), NOW)[-1] == Rejected(NOW, TOO_FAST)
    assert kmh().feed(speed(255), NOW) == [Reading(NOW, 255.0, Direction.UNKNOWN)]


@pytest.mark.parametrize("value", ["x", "9", "65536", "", "²"])
def test_a_description_cannot_set_the_unit_to_nonsense(value: str) -> None:
    one = kmh()
    one.feed(frames.frame(f"\x0eUN={value}\n".encode("latin-1")), NOW)
    assert one.feed(GOOD, NOW) == [GOOD_EVENT]


def test_whatever_came_before_the_next_frame_is_read() -> None:
    """F3 stands at the beginning of a frame and nowhere else."""
    random, one = Random(1), kmh()
    described = frames.frame(b"\x0eTYPE=DR500\nREV=128\n")
    for chunk in spoilt([GOOD, speed(0xFA), described, *(vector.data for vector in RX)], 1, 60_000):
        for piece in in_pieces(chunk, random):
            one.feed(piece, 1.0)
            assert len(one._scanner.buffer) < frames.MAX_FRAME_BYTES
        if random.random() < 0.2:
            one.unit_confirmed = True
            assert one.feed(GOOD, NOW)[-1] == GOOD_EVENT


def test_any_split_of_spoilt_bytes_gives_the_same() -> None:
    data = b"".join(spoilt([GOOD, speed(0xFA), *(vector.data for vector in RX)], 3, 5_000))
    assert fed_in(kmh, in_pieces(data, Random(3))) == fed_in(kmh, [data])
    assert fed_in(kmh, [bytes((byte,)) for byte in data]) == fed_in(kmh, [data])


# --------------------------------------------------------------------------- commands and settings


def test_commands_are_those_of_the_layout() -> None:
    built = {
        "houston-bin-01": frames.ASK_SPEED_FRAME,
        "houston-bin-04": frames.ASK_INFO_FRAME,
        "houston-bin-05": frames.read_variable("UN"),
        "houston-bin-07": frames.set_variable("UN", 1),
        "houston-bin-10": frames.set_variable("SP", 243),
    }
    assert built == {vector.id: vector.data for vector in vectors("houston-binary", "tx")}
    assert load_radar("houston-binary").poll == frames.ASK_SPEED_FRAME


def test_settings_are_in_the_unit_that_comes_first() -> None:
    wanted = RadarSettings(unit=Unit.MPH, min_speed_kmh=8.0, max_speed_kmh=200.0)
    names = [one.name.split("(")[1][:2] for one in Houston().settings(wanted)]
    assert names == ["UN", "LO", "HI", "SF", "TA"]
    assert [one.wanted for one in Houston().settings(wanted)] == ["0", "5", "125", "0", "1"]
    assert [one.wanted for one in Houston().settings(RadarSettings())] == ["1", "8", "200", "0", "1"]
    slow = RadarSettings(unit=Unit.MPS, min_speed_kmh=0.0)
    assert [one.wanted for one in Houston().settings(slow)] == ["3", "1", "56", "0", "1"]


def test_a_higher_limit_is_right_and_answers_to_others_say_nothing() -> None:
    _, low, high, *_ = Houston().settings(RadarSettings())
    assert high.matches(Reply(NOW, {"HI": "199"})) is False
    assert high.matches(Reply(NOW, {"HI": "250"})) is True
    assert low.matches(Reply(NOW, {"LO": "7"})) is False
    for other in ({"status": "3"}, {"UN": "8"}, {"LO": "x"}, {"LO": "-1"}):
        assert low.matches(Reply(NOW, other)) is None


@pytest.mark.parametrize("wanted", [RadarSettings(max_speed_kmh=256.0), RadarSettings(min_speed_kmh=-1.0)])
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="houston"):
        Houston().settings(wanted)


# --------------------------------------------------------------------------- the twin


def test_a_radar_from_the_factory_is_set_up_asked_and_read() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(8.0, [CAR])
        report = bench.link.setup_report
        assert report is not None
        assert {one.name[-3:-1]: one.outcome for one in report.results} == {
            "UN": Outcome.CHANGED,
            "LO": Outcome.CHANGED,
            "HI": Outcome.CHANGED,
            "SF": Outcome.RIGHT,
            "TA": Outcome.CHANGED,
        }
        assert bench.codes() == []
        before = len(bench.readings())
        await bench.road(10.0, [CAR])
        assert len(bench.readings()) - before == pytest.approx(40, abs=2)
        assert {(one.speed_kmh, one.direction) for one in bench.readings()[before:]} == {
            (50.0, Direction.UNKNOWN)
        }

    on_bench(test, Houston(), HoustonTwin())


def test_what_is_right_is_not_written_to_its_flash() -> None:
    twin = HoustonTwin()
    twin.sensor.variables.update({"UN": 1, "LO": 8, "HI": 255, "TA": 1})

    async def test(bench: Bench) -> None:
        await bench.road(8.0)
        assert bench.link.setup_report is not None
        assert {one.outcome for one in bench.link.setup_report.results} == {Outcome.RIGHT}
        assert twin.sensor.writes == 0
        twin.power_cycle()
        await bench.road(8.0)
        assert bench.codes() == []

    on_bench(test, Houston(), twin)


def test_no_answer_is_a_fault() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(20.0)
        assert bench.codes() == []
        bench.mute = True
        await bench.road(5.0)
        assert bench.codes() == ["silent"]
        bench.mute = False
        await bench.road(2.0)
        assert bench.codes() == []

    on_bench(test, Houston(), HoustonTwin())


def test_the_twin_answers_what_it_is_asked_and_nothing_else() -> None:
    twin = HoustonTwin()
    twin.process(1.0, [CAR])
    asked = frames.read_variable("UN") + frames.ASK_SPEED_FRAME
    answers = b"".join(twin.on_bytes(asked[at : at + 1]) for at in range(len(asked)))
    assert answers == UN_IS["mph"] + speed(31)
    assert twin.on_bytes(frames.read_variable("XX")) == bytes.fromhex("F3 13 FF FF 3C 07 FC")
    assert twin.on_bytes(bytes.fromhex("F3 31 72 27 FC")) == b""
    assert twin.on_bytes(b"\xfc\xf3\xfc" + frames.ASK_SPEED_FRAME) == speed(31)
    [said] = HoustonDecoder(None).feed(twin.on_bytes(frames.ASK_INFO_FRAME), NOW)
    assert isinstance(said, Reply)
    assert said.values["TYPE"] == "DR500"
    twin.on_bytes(b"x" * 1000)
    assert len(twin._buffer) <= 64


def test_the_twin_averages_and_drops_to_nothing_at_once() -> None:
    twin = HoustonTwin()
    twin.on_bytes(HOUSTON_KMH + frames.set_variable("TA", 2))
    twin.process(1.0, [CAR])
    twin.process(1.0, [Echo(60 / 3.6, 99.0, 30.0, 1)])
    assert twin.on_bytes(frames.ASK_SPEED_FRAME) == speed(55)
    twin.process(0.1, [])
    assert twin.on_bytes(frames.ASK_SPEED_FRAME) == speed(0)
    twin.process(0.1, [CAR])
    assert twin.on_bytes(frames.ASK_SPEED_FRAME) == speed(50)  # and begins anew
    assert twin.sensor.writes == 2


def test_the_twin_hears_nothing_slow_fast_or_weak() -> None:
    twin = HoustonTwin()
    twin.on_bytes(HOUSTON_KMH + HOUSTON_LIVE + frames.set_variable("LO", 10))
    for echo in (Echo(9 / 3.6, 99.0, 30.0, 1), Echo(130 / 3.6, 99.0, 30.0, 1), Echo(50 / 3.6, 9.0, 30.0, 1)):
        twin.process(1.0, [echo])
        assert twin.on_bytes(frames.ASK_SPEED_FRAME) == speed(0)


@pytest.mark.parametrize(("fastest", "expected"), [(0, 50), (1, 80)])
def test_the_twin_takes_the_strongest_or_the_fastest(fastest: int, expected: int) -> None:
    twin = HoustonTwin()
    twin.on_bytes(HOUSTON_KMH + HOUSTON_LIVE + frames.set_variable("SF", fastest))
    twin.process(1.0, [CAR, Echo(-80 / 3.6, 50.0, 60.0, 2), Echo(150 / 3.6, 40.0, 60.0, 3)])
    assert twin.on_bytes(frames.ASK_SPEED_FRAME) == speed(expected)


def test_what_drives_past_the_twin_is_read() -> None:
    case = Case("", radar="houston", commands=HOUSTON_KMH + HOUSTON_LIVE, seed=2, seconds=15.0)
    chunks, truth = record(case)
    one = kmh()
    events = [event for t_s, data in chunks for event in one.feed(data, t_s)]
    assert one.counters.get("bad") == 0
    assert len(events) == pytest.approx(15 * 4, abs=3)
    fastest = max(event.speed_kmh for event in events if isinstance(event, Reading))
    assert fastest == pytest.approx(max(speed for _, speed in truth), rel=0.1)
