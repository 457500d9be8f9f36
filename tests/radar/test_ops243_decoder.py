"""OPS243: bytes as they come off the wire, events as they must come out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar.ops243 import Ops243, Ops243Decoder
from drivers.radar.ops243_decoder import AT_LIMIT, MAX_LINE_BYTES, MAX_SPEED_KMH, TOO_FAST
from drivers.radar.ops243_lines import Speeds, parse_object, read_at_once
from drivers.radar.units import LINE_DIFFERS, NOT_CONFIRMED, SET_OTHERWISE, UNIT_UNKNOWN
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Restarted, Unit
from tests.radar.vectors import Vector, vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
RX = vectors("ops243", "rx")
TEXT = [vector for vector in RX if vector.id != "ops-13"]  # OB has a mode of its own

# What each received vector says, read from its "meaning" by hand; in the unit that was set (km/h here).
SAYS: dict[str, Sequence[tuple[float, Direction, float | None]]] = {
    "ops-01": [(3.6, IN, None)],
    "ops-02": [(3.45624, OUT, None)],
    "ops-03": [(3.45624, OUT, 27.34419)],
    "ops-04": [(0.06, IN, None)],
    "ops-05": [(10.90, OUT, 606.71), (12.26, OUT, 352.58), (17.71, OUT, 230.87)],
    "ops-06": [(0.58, IN, None)],
    "ops-07": [],
    "ops-08": [],
    "ops-09": [],
    "ops-10": [],
    "ops-11": [],
    "ops-12": [],
    "ops-14": [],
}
REPLIES = {
    "ops-10": {"Version": "1.3.9"},
    "ops-11": {"Units": "km-per-hr"},
    "ops-12": {"InboundSensorAngleDegrees": "0.00", "OutboundSensorAngleDegrees": "20.00"},
}
GOOD = b'{"unit":"kmph","speed":"50.5"}\r\n'
GOOD_EVENT = Reading(7.0, 50.5, IN)


def decode(data: bytes, unit: Unit | None = None, *, confirmed: bool = False) -> list[RadarEvent]:
    decoder = Ops243Decoder(unit)
    decoder.unit_confirmed = confirmed
    return decoder.feed(data, 7.0)


def fed_in(chunks: Sequence[bytes], unit: Unit | None = None) -> tuple[list[RadarEvent], dict[str, int]]:
    decoder = Ops243Decoder(unit)
    events = [event for chunk in chunks for event in decoder.feed(chunk, 7.0)]
    return events, decoder.counters.values


def readings(events: Sequence[RadarEvent]) -> list[Reading]:
    return [event for event in events if isinstance(event, Reading)]


@pytest.mark.parametrize("vector", TEXT, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says(vector: Vector) -> None:
    events = decode(vector.data)
    expected: list[RadarEvent] = [
        Reading(7.0, speed, direction, strength, None, rank)
        for rank, (speed, direction, strength) in enumerate(SAYS[vector.id])
    ]
    if vector.id in REPLIES:
        expected = [Reply(7.0, REPLIES[vector.id])]
    assert events == expected


@pytest.mark.parametrize("vector", TEXT, ids=lambda vector: str(vector.id))
def test_a_vector_may_be_split_anywhere(vector: Vector) -> None:
    data = vector.data
    whole = fed_in([data])
    for at in range(1, len(data)):
        assert fed_in([data[:at], data[at:]]) == whole
    assert fed_in([bytes((byte,)) for byte in data]) == whole


def test_every_meaning_is_checked() -> None:
    assert {vector.id for vector in TEXT} == set(SAYS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b"-88.3\r\n", [(88.3, OUT, None, 0)], id="1 plain"),
        pytest.param(b"+88.3\r\n", [(88.3, IN, None, 0)], id="1 plain, plus"),
        pytest.param(b"137.429, 3.6\r\n", [(3.6, IN, None, 0)], id="2 time"),
        pytest.param(b"137.429,-3.6\r\n", [(3.6, OUT, None, 0)], id="2 time, no space"),
        pytest.param(b"3689529.139,27.34419,-3.45624\r\n", [(3.45624, OUT, 27.34419, 0)], id="3"),
        pytest.param(b'"mph",12.5\r\n', [(20.1168, IN, None, 0)], id="4 unit"),
        pytest.param(b'"kmph",48,-1.3\r\n', [(1.3, OUT, 48.0, 0)], id="4 unit, magnitude"),
        pytest.param(b'17.5,"mps",48,-10.0\r\n', [(36.0, OUT, 48.0, 0)], id="4 with time"),
        pytest.param(b'"m",2.1\r\n', [], id="4 range"),
        pytest.param(b'Thu Jul  2 2020 14:56:39.368 GMT,"m",0.6\r\n', [], id="5 range"),
        pytest.param(b'Thu Jul 12 2020 14:56:39.368 GMT,"mps",10.0\r\n', [(36.0, IN, None, 0)], id="5"),
        pytest.param(b'{"speed":"-10.5"}\r\n', [(10.5, OUT, None, 0)], id="6 string"),
        pytest.param(b'{"speed":-10.5,"magnitude":31.5}\r\n', [(10.5, OUT, 31.5, 0)], id="6 number"),
        pytest.param(b'{"unit":"mps","speed":"10"}\r\n', [(36.0, IN, None, 0)], id="6 unit"),
        pytest.param(
            b'{"speed":["5.0", 0.0, -6]}\r\n', [(5.0, IN, None, 0), (6.0, OUT, None, 2)], id="7 mixed"
        ),
        pytest.param(b'{"speed":3.5,"direction":"outbound"}\r\n', [(3.5, OUT, None, 0)], id="8 word"),
        pytest.param(b'{"speed":-3.5,"direction":"inbound"}\r\n', [(3.5, IN, None, 0)], id="8 word wins"),
        pytest.param(b'{"speed":"3.5","dir":"OUT"}\r\n', [(3.5, OUT, None, 0)], id="8 short word"),
        pytest.param(b'{"DetectedObjectVelocity":12.5,"unit":"mph"}\r\n', [], id="9 object"),
        pytest.param(b'{"TimedSpeedCounts":{"direction":"in","count":3}}\r\n', [], id="9 counts"),
        pytest.param(b'{"dir":"IN","max_mph":31,"frames":7,"length_ft":14.5}\r\n', [], id="10 newer"),
        pytest.param(b'{"ALERT": High Speed inbound 1.7 mps}\r\n', [], id="12 alert"),
    ],
)
def test_a_form_gives_its_readings(
    line: bytes, expected: list[tuple[float, Direction, float | None, int]]
) -> None:
    found = [
        (round(one.speed_kmh, 5), one.direction, one.strength, one.rank) for one in readings(decode(line))
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("line", "counter"),
    [
        (b'"m",2.1\r\n', "ranges"),
        (b'{"unit":"m","range":"2.1"}\r\n', "ranges"),
        (b'{"classifier" : "object_outbound", "max_speed_mps" : 13.39}\r\n', "objects"),
        (b'{"ALERT": High Speed inbound 1.7 mps}\r\n', "alerts"),
        (b"12.5\r\n", "bare"),
        (b'{"hello\r\n', "bad"),
        (b"12.3.4\r\n", "bad"),
    ],
)
def test_what_gives_no_reading_is_counted(line: bytes, counter: str) -> None:
    _, counts = fed_in([line])
    assert counts[counter] == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"Reset" : "Board was reset by its watchdog"}\r\n',
        b'{"USB" : "USB Interface Active"}\r\n',
        b'{"ResetReason": "power on"}\r\n',
        b'{"Reset" : "Board was reset \r\n',
    ],
)
def test_a_start_banner_is_a_restart_and_unsettles_the_unit(line: bytes) -> None:
    decoder = Ops243Decoder(Unit.KMH)
    decoder.unit_confirmed = True
    [event] = decoder.feed(line, 7.0)
    assert isinstance(event, Restarted)
    assert event.text
    assert decoder.unit_confirmed is False


def test_a_list_of_replies_keeps_what_the_radar_wrote() -> None:
    data = b'{"Product":"OPS243"}\r\n{"SamplingRate":10000, "resolution":0.0607}\r\n{"Squelch":"100"}\r\n'
    assert decode(data) == [
        Reply(7.0, {"Product": "OPS243"}),
        Reply(7.0, {"SamplingRate": "10000", "resolution": "0.0607"}),
        Reply(7.0, {"Squelch": "100"}),
    ]


@pytest.mark.parametrize("line", [b"0\r\n", b"-0.00\r\n", b'{"speed":"0.0"}\r\n', b'{"speed":[0,0]}\r\n'])
def test_a_zero_is_life_and_no_speed(line: bytes) -> None:
    for unit in (None, *Unit):
        assert decode(line, unit) == [Idle(7.0)]  # it needs no unit


# --------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("unit", "confirmed", "line", "expected"),
    [
        (Unit.KMH, False, b"10\r\n", Rejected(7.0, NOT_CONFIRMED)),
        (Unit.MPH, False, b'{"speed":"10"}\r\n', Rejected(7.0, NOT_CONFIRMED)),
        (Unit.KMH, True, b"10\r\n", Reading(7.0, 10.0, IN)),
        (Unit.MPS, False, b"10\r\n", Reading(7.0, 36.0, IN)),  # as it leaves the factory
        (Unit.KMH, False, b'{"unit":"kmph","speed":"10"}\r\n', Reading(7.0, 10.0, IN)),
        (Unit.KMH, True, b'{"unit":"mph","speed":"10"}\r\n', Rejected(7.0, LINE_DIFFERS)),
        (Unit.MPH, True, b'"mps",10\r\n', Rejected(7.0, LINE_DIFFERS)),
        (Unit.KMH, True, b'"cmps",1000\r\n', Rejected(7.0, LINE_DIFFERS)),
        (None, False, b'"cmps",1000\r\n', Reading(7.0, 36.0, IN)),
        (None, False, b'"furlong",10\r\n', Rejected(7.0, UNIT_UNKNOWN)),
        (None, False, b"10\r\n", Reading(7.0, 10.0, IN)),
    ],
)
def test_a_speed_is_never_scaled_by_a_unit_that_nobody_vouches_for(
    unit: Unit | None, confirmed: bool, line: bytes, expected: RadarEvent
) -> None:
    assert decode(line, unit, confirmed=confirmed) == [expected]


def test_the_radar_confirms_its_unit_and_takes_it_back() -> None:
    decoder = Ops243Decoder(Unit.KMH)
    assert decoder.feed(b'{"Units":"km-per-hr"}\r\n10\r\n', 7.0)[1:] == [Reading(7.0, 10.0, IN)]
    assert decoder.unit_confirmed
    assert decoder.feed(b'{"Units":"mph"}\r\n10\r\n', 7.0)[1:] == [Rejected(7.0, SET_OTHERWISE)]
    assert not decoder.unit_confirmed


def test_a_radar_that_denies_the_factory_unit_is_believed() -> None:
    assert decode(b'{"Units":"mph"}\r\n10\r\n', Unit.MPS)[1:] == [Rejected(7.0, SET_OTHERWISE)]


def test_rejections_have_few_texts_whatever_is_sent() -> None:
    lines = b"".join(b'"u%d",%d\r\n' % (n, n) for n in range(1, 300))
    assert {event.reason for event in decode(lines) if isinstance(event, Rejected)} == {UNIT_UNKNOWN}


# --------------------------------------------------------------------------- what cannot be true


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "Infinity", "-Infinity", '"nan"', '"inf"', "1e400", "1e-300", "5e1", "-1e308", '"1e2"'),
        *("9" * 900, '"' + "9" * 900 + '"', "1_0", '"1_0"', '" "', '""', "true", "null", "{}", "[]"),
        *("[[1]]", '["a"]', "[1,null]", '{"speed":[1]}', "[" * 990, str([1] * 17), '"٣"', "0x10"),
    ],
)
def test_a_value_that_is_no_speed_gives_none(value: str) -> None:
    events = decode(b'{"speed":' + value.encode() + b"}\r\n" + GOOD)
    assert [one for one in events if isinstance(one, Reading)][-1] == GOOD_EVENT
    assert all(one.speed_kmh in (50.5, 1.0) for one in readings(events))
    assert not any(isinstance(one, Idle) for one in events)


def test_a_key_given_twice_spoils_its_line() -> None:
    assert decode(b'{"speed":"3","speed":"99"}\r\n') == []
    assert decode(b'{"unit":"mph","speed":"3","unit":"kmph"}\r\n') == []


def test_a_deep_line_is_survived() -> None:
    for deep in (b'{"a":' * 300, b'{"a":' * 200 + b"1" + b"}" * 200, b'{"a":' + b"[" * 1010):
        assert readings(decode(deep + b"\r\n" + GOOD)) == [GOOD_EVENT]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"speed":"224.0"}\r\n', Reading(7.0, 224.0, IN)),
        (b'{"speed":"224.1"}\r\n', Rejected(7.0, TOO_FAST)),
        (b'{"speed":"-999999"}\r\n', Rejected(7.0, TOO_FAST)),
        (b'{"unit":"mps","magnitude":"5","speed":"31.10"}\r\n', Rejected(7.0, AT_LIMIT)),
        (b'{"unit":"mps","magnitude":"5","speed":"-62.2"}\r\n', Rejected(7.0, AT_LIMIT)),
        (b'{"magnitude":"5","speed":"111.5"}\r\n', Reading(7.0, 111.5, IN, 5.0)),
        (b'{"magnitude":"40","speed":"112.0"}\r\n', Reading(7.0, 112.0, IN, 40.0)),
    ],
)
def test_the_limits_of_the_sensor(line: bytes, expected: RadarEvent) -> None:
    assert decode(line) == [expected]


def test_one_report_beyond_the_limit_does_not_take_the_others_along() -> None:
    events = decode(b'{"speed":["300", "50"]}\r\n')
    assert events == [Reading(7.0, 50.0, IN, None, None, 1), Rejected(7.0, TOO_FAST)]


def test_a_magnitude_that_makes_no_sense_is_left_out() -> None:
    for magnitude in (b"-5", b'"x"', b"[1,2]", b"null", b'{"a":1}'):
        [reading] = readings(decode(b'{"magnitude":' + magnitude + b',"speed":"50"}\r\n'))
        assert reading.strength in (None, 1.0)


# --------------------------------------------------------------------------- line ends, noise, cuts


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n"])
def test_any_line_end_will_do(end: bytes) -> None:
    events, counts = fed_in([b"10" + end + b'{"speed":"11"}' + end + b"12" + end])
    assert [one.speed_kmh for one in readings(events)] == [10.0, 11.0, 12.0]
    assert "bad" not in counts


def test_a_lost_line_end_between_objects_costs_nothing() -> None:
    events = decode(b'{"speed":"10"}{"speed":"-11"}{"speed":["12"]}\r\n')
    assert [one.speed_kmh for one in readings(events)] == [10.0, 11.0, 12.0]


def test_an_object_is_given_at_its_last_brace() -> None:
    assert readings(decode(b'{"speed":"10"}')) == [Reading(7.0, 10.0, IN)]


@pytest.mark.parametrize("number", [b"12.3", b"-7", b"1.5,20,33.3"])
def test_a_number_glued_to_an_object_costs_itself_alone(number: bytes) -> None:
    assert readings(decode(number + GOOD)) == [GOOD_EVENT]
    assert readings(decode(GOOD.strip() + number + b"\r\n" + GOOD)) == [GOOD_EVENT, GOOD_EVENT]


def test_nul_and_ff_are_dropped_wherever_they_stand() -> None:
    noisy = b"\x00".join(bytes((byte,)) for byte in GOOD) + b"\xff\xff"
    assert decode(noisy) == [GOOD_EVENT]
    assert decode(b"\xff1\x002.5\xff\r\n") == [Reading(7.0, 12.5, IN)]


@pytest.mark.parametrize("vector", TEXT, ids=lambda vector: str(vector.id))
def test_a_cut_frame_costs_itself_alone(vector: Vector) -> None:
    for at in range(len(vector.data)):
        for piece in (vector.data[:at], vector.data[at:]):
            assert readings(decode(piece + GOOD))[-1] == GOOD_EVENT
            assert readings(decode(piece + b"\r\n" + GOOD))[-1] == GOOD_EVENT


def test_a_line_without_end_is_capped_and_counted() -> None:
    decoder = Ops243Decoder(None)
    decoder.feed(b"x" * 10 * MAX_LINE_BYTES, 1.0)
    assert decoder.counters.get("overflow") >= 9
    assert len(decoder._line) <= MAX_LINE_BYTES
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


def test_the_longest_line_still_counts() -> None:
    body = b'{"speed":"50.5","pad":"' + b"x" * (MAX_LINE_BYTES - 25) + b'"}'
    assert len(body) == MAX_LINE_BYTES
    for end in (b"\r\n", b"", b"\n"):
        events, counts = fed_in([body + end])
        assert readings(events) == [GOOD_EVENT]
        assert "overflow" not in counts


def test_a_number_after_an_overflow_is_not_believed() -> None:
    assert readings(decode(b"9" * 1030 + b"\r\n" + b"10\r\n")) == [Reading(7.0, 10.0, IN)]


def test_frames_inside_a_long_line_are_found() -> None:
    events = decode(b'{"spe' + GOOD.strip() * 40 + b"\r\n")
    assert readings(events) == [GOOD_EVENT] * 40


FRAGMENTS = st.one_of(
    st.sampled_from([vector.data for vector in TEXT]),
    st.sampled_from([GOOD, GOOD.strip(), b"12.5\r\n", b"{", b"}", b"\r", b"\n", b"\x00", b"\xff", b'"']),
    st.binary(max_size=40),
    st.builds(lambda n: b"{" * n, st.integers(1, 700)),
    st.builds(lambda n: b"a" * n, st.integers(1, 1500)),
)


@given(st.lists(FRAGMENTS, max_size=12), st.lists(st.integers(0, 4000), max_size=8))
def test_any_split_of_any_bytes_gives_the_same(fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    whole, split, single = fed_in([data]), fed_in(chunks), fed_in([bytes((byte,)) for byte in data])
    assert split[0] == whole[0] == single[0]
    assert split[1] == whole[1] == single[1] or not data


@given(st.lists(FRAGMENTS, max_size=20), st.sampled_from([None, *Unit]))
def test_any_bytes_are_survived_and_the_next_good_line_is_read(
    fragments: list[bytes], unit: Unit | None
) -> None:
    decoder = Ops243Decoder(unit)
    for event in decoder.feed(b"".join(fragments), 1.0):
        if isinstance(event, Reading):
            assert math.isfinite(event.speed_kmh)
            assert 0 < event.speed_kmh <= MAX_SPEED_KMH
    assert len(decoder._line) <= MAX_LINE_BYTES
    word = {Unit.MPH: b"mph", Unit.MPS: b"mps"}.get(unit or Unit.KMH, b"kmph")
    event = readings(decoder.feed(b'\r\n{"unit":"' + word + b'","speed":"10.0"}\r\n', 7.0))[-1]
    assert event.speed_kmh == pytest.approx(10.0 * (unit or Unit.KMH).kmh)


_VALUES = st.sampled_from(
    ["47.2", "-3", "+8.10", "103", "kmph", "mph", "m", "kmph ", "1e3", "-", "", "7" * 9]
)
_FIELDS = st.tuples(st.sampled_from(["speed", "magnitude", "unit", "time", "range", "Speed"]), _VALUES)


@given(st.lists(_FIELDS, max_size=5), st.sampled_from([",", ", ", "", ",,"]))
def test_the_usual_line_read_at_once_is_read_as_any_other(fields: list[tuple[str, str]], comma: str) -> None:
    """The short way may decline a line, but never say something else than the long one."""
    text = "{" + comma.join(f'"{key}":"{value}"' for key, value in fields) + "}"
    at_once = read_at_once(text)
    assert at_once is None or at_once == parse_object(text)


def test_the_usual_line_is_read_at_once() -> None:
    line = '{"time":"1.2","unit":"kmph","magnitude":"103.2","speed":"-47.1"}'
    assert read_at_once(line) == Speeds([-47.1], [103.2], "kmph", None, bare=False)
    assert read_at_once('{"speed":"3.0"}') == Speeds([3.0], [None], "", None, bare=False)


# --------------------------------------------------------------------------- binary


def test_binary_pairs_in_their_own_mode() -> None:
    [vector] = [one for one in RX if one.id == "ops-13"]
    assert Ops243(binary=True).decoder(None).feed(vector.data, 7.0) == [Reading(7.0, 37.0, IN)]
    assert Ops243Decoder(None, binary=True).feed(b"\x01\xff\x01\x00", 7.0) == [
        Reading(7.0, 1.0, OUT),
        Idle(7.0),
    ]


def test_binary_pairs_may_be_split() -> None:
    decoder = Ops243Decoder(None, binary=True)
    assert decoder.feed(b"\x02\x3f\x01", 7.0) == []
    assert decoder.feed(b"\x25", 7.0) == [Reading(7.0, 37.0, IN)]
