"""The ASCII dialects: every form at every split, what a line may lose, and what must never become a speed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar import ascii as driver
from drivers.radar.ascii import Ascii, AsciiDecoder
from drivers.radar.ascii_forms import PROFILES
from drivers.radar.link import RadarLink
from drivers.radar.units import LINE_DIFFERS, NOT_CONFIRMED, SET_OTHERWISE
from simulator.line import MemoryLine
from simulator.radar_physics import IDEAL, Echo
from simulator.radars.ascii import AsciiTwin
from simulator.radars.ascii_lines import FORMS
from simulator.virtual_time import VirtualClock, run_virtual
from simulator.world import make_demo
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Restarted, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.radar.vectors import Vector, vectors

IN, OUT, UNKNOWN = Direction.APPROACHING, Direction.RECEDING, Direction.UNKNOWN
OK = Reply(7.0, {"Answer": "OK"})
SAYS: dict[str, list[RadarEvent]] = {
    "houston-01": [Reading(7.0, 15.0, UNKNOWN)],
    "houston-02": [Reading(7.0, 15.0, IN)],
    "houston-03": [Reading(7.0, 15.0, OUT)],
    "houston-04": [Reading(7.0, 15.0, UNKNOWN)],
    "houston-05": [Idle(7.0)],
    "houston-06": [Idle(7.0)],
    "icoms-01": [Reading(7.0, 50.0, IN)],
    "icoms-02": [Reading(7.0, 50.0, IN)],
    "icoms-03": [Reading(7.0, 50.0, IN)],
    "icoms-04": [Reading(7.0, 50.0, UNKNOWN)],
    "icoms-05": [Reading(7.0, 50.0, UNKNOWN)],
    "icoms-06": [Reading(7.0, 50.0, IN, range_m=120.0)],
    "si3-01": [Reading(7.0, 123.4, UNKNOWN)],
    "si3-02": [OK],
    "si3-03": [OK, Reading(7.0, 123.4, UNKNOWN)],
    "stalker-01": [Reading(7.0, 65.0, UNKNOWN)],
    "stalker-02": [Reading(7.0, 65.4, UNKNOWN)],
    "stalker-03": [Reading(7.0, 61.2, IN, strength=72.0)],
    "csr-06": [Reading(7.0, 125.0, IN)],
    "csr-07": [Reading(7.0, 89.0, UNKNOWN)],
}
ALIASES = {
    "houston-ascii": "houston-ascii",
    "icoms": "icoms",
    "si3": "si3",
    "stalker": "stalker",
    "csr": "csr-ascii",
}
RX = [(name, one) for sensor, name in ALIASES.items() for one in vectors(sensor, "rx") if one.id in SAYS]


def decoder(profile: str = "any", unit: Unit | None = Unit.KMH) -> AsciiDecoder:
    return AsciiDecoder(unit, profile)


def decode(data: bytes, profile: str = "any", unit: Unit | None = Unit.KMH) -> list[RadarEvent]:
    return decoder(profile, unit).feed(data, 7.0)


def speeds(data: bytes, profile: str = "any") -> list[float]:
    return [one.speed_kmh for one in decode(data, profile) if isinstance(one, Reading)]


def fed_in(chunks: Iterable[bytes], profile: str) -> tuple[list[RadarEvent], dict[str, int]]:
    one = decoder(profile)
    return [event for chunk in chunks for event in one.feed(chunk, 7.0)], one.counters.values


def same_at_every_split(data: bytes, profile: str) -> list[RadarEvent]:
    whole = fed_in([data], profile)
    for at in range(1, len(data)):
        assert fed_in([data[:at], data[at:]], profile) == whole
    assert fed_in([data[at : at + 1] for at in range(len(data))], profile) == whole
    return whole[0]


# --------------------------------------------------------------------------- vectors


def test_every_vector_is_here() -> None:
    assert {one.id for _, one in RX} == set(SAYS)


@pytest.mark.parametrize(("name", "vector"), RX, ids=lambda one: str(getattr(one, "id", one)))
def test_a_vector_says_what_its_source_says_at_every_split(name: str, vector: Vector) -> None:
    assert load_radar(name).decoder(Unit.KMH).feed(vector.data, 7.0) == SAYS[vector.id]
    profile = {"houston-ascii": "houston", "csr-ascii": "csr"}.get(name, name)
    assert same_at_every_split(vector.data, profile) == SAYS[vector.id]
    ended = vector.data if vector.data[-1:] in b"\r\n" else vector.data + b"\r"
    assert same_at_every_split(ended, "any") == SAYS[vector.id]


# --------------------------------------------------------------------------- forms


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"+"])
@pytest.mark.parametrize("profile", ["any", "houston", "icoms"])
def test_any_line_end_ends_a_line(profile: str, end: bytes) -> None:
    assert decode(b"+050" + end, profile) == [Reading(7.0, 50.0, IN)]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"-051 km/h\r\n", Reading(7.0, 51.0, OUT)),
        (b"051KO\r\n", Reading(7.0, 51.0, OUT)),
        (b"-051 km/h 007 m\r\n", Reading(7.0, 51.0, OUT, range_m=7.0)),
        (b"?051\r", Reading(7.0, 51.0, UNKNOWN)),
        (b"-023.4\r", Reading(7.0, 23.4, OUT)),
        (b"  0\r 65\r", Reading(7.0, 65.0, UNKNOWN)),
        (b"065   \r", Reading(7.0, 65.0, UNKNOWN)),
        (b"100KMH\r\n", Reading(7.0, 100.0, UNKNOWN)),
        (b"   \r", Idle(7.0)),
        (b"000KI\r\n", Idle(7.0)),
        (b"-000\r", Idle(7.0)),
        (b"000.0\r", Idle(7.0)),
        (b"0.0\r", Idle(7.0)),
        (b"*000\r", Idle(7.0)),
        (b"                  \r", Idle(7.0)),
        (b" C 900      72 10 \r", Idle(7.0)),
        (b" C0900C0000072010 \r", Idle(7.0)),
        (b" A 900A 652 72 10 \r", Reading(7.0, 65.2, OUT, strength=72.0)),
        (b" A 90 A 65  72 10P\r", Reading(7.0, 65.0, OUT, strength=72.0)),
        (b"?C0654A061200001\x880\r", None),
        (b" C0654A0612000010\x88\r", Reading(7.0, 61.2, OUT)),
    ],
)
def test_forms(line: bytes, event: RadarEvent | None) -> None:
    assert same_at_every_split(line, "any")[-1:] == ([] if event is None else [event])


def test_00_and_ff_are_skipped_wherever_they_stand() -> None:
    line = b"+050 km/h 120 m\r\n"
    for at in range(len(line) + 1):
        assert decode(line[:at] + b"\x00\xff\x00" + line[at:]) == [Reading(7.0, 50.0, IN, range_m=120.0)]


def test_csr_needs_no_line_end() -> None:
    assert speeds(b"+125+126-012*000*089", "csr") == [125.0, 126.0, 12.0, 89.0]
    assert speeds(b"+125\r\n-126\r\n", "csr") == [125.0, 126.0]
    assert speeds(b"+125+126-012*000*089") == [125.0, 126.0, 12.0]  # the last may go on


@pytest.mark.parametrize("burst", ["FE FD FD FE", "FE FD 01 80 02 FD FE", "FE FD FE FD FD FE"])
@pytest.mark.parametrize("profile", ["csr", "any"])
def test_a_power_on_burst_is_a_restart(burst: str, profile: str) -> None:
    data = b"*000" + bytes.fromhex(burst) + b"+050+051"
    events = same_at_every_split(data, profile)
    assert [event for event in events if isinstance(event, Restarted)] == [Restarted(7.0, driver.STARTED)]
    assert Reading(7.0, 50.0, IN) in events


def test_a_restart_may_have_changed_the_unit() -> None:
    events = decode(b"+050 mph\r+050\r\xfe\xfd\xfd\xfe+050\r", unit=None)
    assert [one.speed_kmh for one in events if isinstance(one, Reading)] == [80.4672, 80.4672, 50.0]


def test_spaces_are_no_word_of_a_radar_that_never_says_them() -> None:
    assert decode(b"   \r", "houston") == []


def test_what_only_looks_like_a_burst_is_none() -> None:
    for data in (b"\xfe\xfd\xfe", b"\xfd\xfe", b"\xfe\xfd" + b"+" * 40 + b"\xfd\xfe"):
        assert not any(isinstance(event, Restarted) for event in decode(data + b"+050\r", "csr"))


# --------------------------------------------------------------------------- Decatur's OK


@pytest.mark.parametrize("at", range(7))
@pytest.mark.parametrize("ok", [b"OK\n\r", b"OK\n\rOK\n\r"])
def test_an_ok_may_land_anywhere(at: int, ok: bytes) -> None:
    line = b"+123.4\r"
    events = same_at_every_split(b"000.0\r" + line[:at] + ok + line[at:] + b"045.6\r", "si3")
    assert [one for one in events if isinstance(one, Reading)] == [
        Reading(7.0, 123.4, IN),
        Reading(7.0, 45.6, UNKNOWN),
    ]
    assert OK in events


def test_an_ok_behind_a_cut_line_does_not_cost_the_next() -> None:
    assert speeds(b"12OK\n\r045.6\r", "si3") == [45.6]
    assert speeds(b"OK\n050\r") == [50.0]  # Houston's OK ends with LF
    assert speeds(b"1OK\n\r" + b"5" * 63 + b"9050\r") == []
    assert speeds(b"5" * 64 + b"OK\n\r045.6\r", "si3") == [45.6]
    assert speeds(b"OK FLASH SAVED\n\r045.6\r", "si3") == [45.6]


# --------------------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"50\r", []),
        (b"+05\r", []),
        (b"0\r", []),
        (b"+50 km/h\r", []),
        (b"+050 km/h 12 m\r", []),
        (b"+050 mh\r", []),
        (b" 120 m\r", []),
        (b"120 m\r", []),
        (b"0 m\r+050 km/h 120 m\r", [50.0]),
        (b"010 \r", []),  # the end of format S: its ratio
        (b"072010 \r", []),
        (b" C 900  252 72 10 \r", []),  # a speed without its direction: the fields may be shifted
        (b"50KI\r", []),
        (b"5" * 64 + b"050\r", []),
        (b"0501\r", []),
        (b"1.23\r", []),
        (b" 65\r", []),  # the hundreds may have been something else
        (b"+ 65\r+ 65\r", []),
        (b"+010 \r", []),
        (b"+12+126\r", [126.0]),
        (b"+050+051\r", [50.0, 51.0]),
        (b"+05050\r", []),
        (b"000\r050051\r", [50.0, 51.0]),  # whole lines that lost their ends
        (b"000.0\r065.4066.1\r", [65.4, 66.1]),
        (b"000\r05051\r052\r", [52.0]),
        (b"050051\r", []),  # may be the end of something longer
        (b"x+050\r+051\r", [51.0]),
        (b"\x81+050\r", [50.0]),
        (b"SS400 v1.2-300\r+050\r", [50.0]),
        (b"No.-120\r-050\r", [50.0]),
        (b"3.6\r", []),
        (b"V+033.2\r\n", []),
        (b'{"speed":"3.6"}\r\n+050\r\n', [50.0]),
        (b"3,120\r\n", []),
    ],
)
def test_what_is_not_whole_is_no_speed(data: bytes, expected: list[float]) -> None:
    assert speeds(data) == expected


def test_a_number_without_leading_zero_is_believed_the_second_time() -> None:
    assert speeds(b"123.4\r23.4\r123.5\r23.5\r") == [123.4, 123.5]
    assert speeds(b"62.1\r62.3\r62.2\r", "si3") == [62.3, 62.2]
    assert speeds(b"0.0\r2.1\r", "si3") == [2.1]  # it writes zero so too
    assert speeds(b"62.1\r62.3\r6.2\r05.2\r62.4\r62.5\r", "si3") == [62.3, 62.5]
    assert speeds(b" 62\r 63\r  4\r", "stalker") == [63.0, 4.0]


def test_plain_digits_among_longer_lines_are_believed_the_second_time() -> None:
    whole = b" C0654C0612072010 \r"
    assert speeds(whole + b"010\r" + whole, "stalker") == [61.2, 61.2]
    assert speeds(whole + b"065\r066\r", "stalker") == [61.2, 66.0]


EXAMPLES = {
    "houston": [b"+050\r\n", b"-123\r\n", b"087\r\n"],
    "icoms": [b"+050 km/h\r\n", b"-123KI\r\n"[1:], b"+050 km/h 120 m\r\n", b"*S050\r\n", b"s123\r\n"],
    "si3": [b"123.4\r", b"+087.6\r"],
    "stalker": [b" C0654C0612072010 \r", b" A1234A1234099050 \r"],
    "csr": [b"+125", b"-050"],
}
LINES = [(profile, line) for profile, lines in EXAMPLES.items() for line in lines]


@pytest.mark.parametrize("as_any", [False, True])
@pytest.mark.parametrize(("profile", "line"), LINES)
def test_one_lost_byte_never_makes_another_speed(profile: str, line: bytes, as_any: bool) -> None:
    """In a stream of one line again and again, wherever the byte is lost."""
    used = "any" if as_any else profile
    (right,) = set(speeds(line * 4, used))
    for at in range(len(line)):
        stream = line * 3 + line[:at] + line[at + 1 :] + line * 3
        found = speeds(stream, used)
        assert set(found) == {right}
        assert len(found) >= 4  # the cut one, and without its end perhaps the next (in `any` the last waits)


@pytest.mark.parametrize(("profile", "line"), LINES)
def test_one_changed_byte_never_makes_another_speed_unless_it_becomes_a_digit(
    profile: str, line: bytes
) -> None:
    """A hundreds digit that becomes a space excepted, in Stalker's format S: that is how it writes zero."""
    (right,) = set(speeds(line * 4, profile))
    for at in range(len(line)):
        for byte in b"+-*?.\r\n;,:KMIOSsACmhp/xZ\x01\x81\xfe\xfd":
            for stream in (
                line[:at] + bytes((byte,)) + line[at + 1 :],
                line[:at] + bytes((byte,)) + line[at:],
            ):
                for used in (profile, "any"):
                    found = speeds(line * 3 + stream + line * 3, used)
                    assert all(right - 1 < one <= right for one in found)
                    assert len(found) >= 4


@pytest.mark.parametrize(("profile", "line"), LINES)
def test_a_start_in_the_middle_of_a_line_never_makes_another_speed(profile: str, line: bytes) -> None:
    (right,) = set(speeds(line * 4, profile))
    for at in range(len(line)):
        for used in (profile, "any"):
            assert set(speeds(line[at:] + line * 3, used)) == {right}


@pytest.mark.parametrize(("profile", "line"), LINES)
def test_a_cut_tail_never_makes_another_speed(profile: str, line: bytes) -> None:
    (right,) = set(speeds(line * 4, profile))
    for end in range(len(line)):
        found = speeds(line * 2 + line[:end] + line * 3, profile)
        assert all(right - 1 < one <= right for one in found)  # 061 of 061.2 is as good
        assert found[-1] == right


def test_two_bytes_lost_between_csr_values_are_not_seen() -> None:
    """Four characters without an end: this is what the maker's format cannot tell, and the page says so."""
    assert speeds(b"+12" + b"126+127", "csr") == [121.0, 127.0]


# --------------------------------------------------------------------------- units, limits


@pytest.mark.parametrize(
    ("unit", "data", "expected"),
    [
        (None, b"+050\r", Reading(7.0, 50.0, IN)),
        (None, b"+050 mph\r", Reading(7.0, 80.4672, IN)),
        (None, b"+050 mph\r+050\r", Reading(7.0, 80.4672, IN)),  # the word was lost on the way
        (None, b"050MI\r", Reading(7.0, 80.4672, IN)),
        (Unit.MPH, b"+050 mph\r", Reading(7.0, 80.4672, IN)),
        (Unit.MPH, b"+050 km/h\r", Rejected(7.0, LINE_DIFFERS)),
        (Unit.KMH, b"+050 mph\r", Rejected(7.0, LINE_DIFFERS)),
        (Unit.KMH, b"+050 mph\r+050\r", Rejected(7.0, SET_OTHERWISE)),
        (Unit.KMH, b"050MI\r", Rejected(7.0, LINE_DIFFERS)),
        (Unit.MPH, b"+050\r", Rejected(7.0, NOT_CONFIRMED)),
        (Unit.KMH, b"+999\r", Rejected(7.0, driver.TOO_FAST)),
        (Unit.KMH, b"650\r", Rejected(7.0, driver.TOO_FAST)),
    ],
)
def test_the_unit_and_the_limit(unit: Unit | None, data: bytes, expected: RadarEvent) -> None:
    assert decode(data, unit=unit)[-1] == expected


def test_csr_says_240_at_most() -> None:
    assert decode(b"+240+241", "csr") == [Reading(7.0, 240.0, IN), Rejected(7.0, driver.TOO_FAST)]


def test_a_vouched_unit_is_used() -> None:
    one = decoder(unit=Unit.MPH)
    one.unit_confirmed = True
    assert one.feed(b"+010\r", 7.0) == [Reading(7.0, 16.09344, IN)]


@pytest.mark.parametrize(
    ("profile", "wanted"),
    [
        ("csr", RadarSettings(unit=Unit.MPH)),
        ("icoms", RadarSettings(unit=Unit.MPS)),
        ("csr", RadarSettings(max_speed_kmh=241.0)),
        ("any", RadarSettings(max_speed_kmh=321.0)),
    ],
)
def test_what_a_dialect_cannot_say_is_refused(profile: str, wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match=rf"radar ascii \({profile}\): "):
        Ascii(profile=profile).settings(wanted)


def test_nothing_is_ever_sent() -> None:
    for profile in Ascii.profiles:
        assert load_radar("ascii", profile).settings(RadarSettings()) == []
    assert Ascii.ping is None
    assert Ascii.poll is None
    with pytest.raises(DriverError, match="houston"):
        Ascii(profile="huston")


# --------------------------------------------------------------------------- any bytes

ALL = [one.data for _, one in RX]
SMALL = [
    b"Houston Radar v1.2",
    b"z",
    b"Z-",
    b"\r",
    b"\n",
    b"+",
    b"-",
    b"*",
    b"?",
    b"OK",
    b"OK\n",
    b"\x00",
    b"\xff",
    b"\xfe\xfd",
    b"\xfd\xfe",
    b"0",
    b".",
    b" ",
]
FRAGMENTS = st.one_of(
    st.sampled_from(ALL),
    st.sampled_from(SMALL),
    st.binary(max_size=20),
    st.text("+-?*0123456789. kmphKMIOsSAC/\r\n", max_size=40).map(str.encode),
)
PROFILE = st.sampled_from(Ascii.profiles)


def held(one: AsciiDecoder) -> int:
    return len(one._line)


def last_of_five(line: bytes, one: AsciiDecoder) -> RadarEvent | None:
    events = [event for _ in range(5) for event in one.feed(line, 9.0)]
    return events[-1] if events else None


@given(PROFILE, st.lists(FRAGMENTS, max_size=20), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_are_survived_at_any_split(profile: str, fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    whole = fed_in([data], profile)
    assert fed_in([data[start:end] for start, end in pairwise(edges)], profile) == whole
    for event in whole[0]:
        if isinstance(event, Reading):
            assert math.isfinite(event.speed_kmh)
            assert 0 < event.speed_kmh <= PROFILES[profile].max_kmh
    one = decoder(profile)
    one.feed(data, 1.0)
    assert held(one) <= driver.MAX_LINE_BYTES


GOOD = {
    "any": b"+050\r\n",
    "houston": b"+050\r\n",
    "icoms": b"+050 km/h\r\n",
    "si3": b"+050.0\r",
    "stalker": b" C0500C0500072010 \r",
    "csr": b"+050",
}


@given(PROFILE, st.lists(FRAGMENTS, max_size=12))
def test_after_any_garbage_the_second_line_is_read(profile: str, fragments: list[bytes]) -> None:
    one = decoder(profile, None)
    one.feed(b"".join(fragments), 1.0)
    one.feed(GOOD[profile], 2.0)
    speeds_found = [event for event in one.feed(GOOD[profile], 3.0) if isinstance(event, Reading)]
    assert [reading.t_mono_s for reading in speeds_found] == [3.0]


@given(st.lists(FRAGMENTS, max_size=12))
def test_any_reads_lines_without_ends_again_after_a_while(fragments: list[bytes]) -> None:
    one = decoder("any")
    one.feed(b"".join(fragments), 1.0)
    values = driver.MAX_LINE_BYTES // 4 + 3
    events = [event for _ in range(values) for event in one.feed(b"+050", 2.0)]
    assert events[-1] == Reading(2.0, 50.0, IN)


@pytest.mark.parametrize("profile", Ascii.profiles)
def test_tens_of_thousands_of_bad_bytes(profile: str) -> None:
    random = Random(profile)
    good = [*ALL, *EXAMPLES.get(profile, [b"+050\r\n"])]
    one = decoder(profile)
    total = 0
    while total < 30_000:
        data = mutated(random, random.choice(good)) if random.random() < 0.8 else random.randbytes(30)
        total += len(data)
        one.feed(data, 1.0)
        assert held(one) <= driver.MAX_LINE_BYTES
    assert one.counters.get("bytes") == total
    assert one.counters.get("bad") > 100
    assert last_of_five(GOOD[profile], one) in (Reading(9.0, 50.0, IN), Reading(9.0, 50.0, IN, 72.0))


def mutated(random: Random, line: bytes) -> bytes:
    """Changed, cut, doubled or noisy."""
    data = bytearray(line)
    at = random.randrange(len(data))
    match random.randrange(5):
        case 0:
            data[at] = random.randrange(256)
        case 1:
            del data[at : at + random.randint(1, 5)]
        case 2:
            data[at:at] = random.randbytes(random.randint(1, 4))
        case 3:
            data += data[at:]
        case _:
            pass
    return bytes(data)


# --------------------------------------------------------------------------- the simulated radars

ALL_FORMS = [(profile, form) for profile, forms in FORMS.items() for form in forms]
SIGNLESS = {
    ("houston", "3"),
    ("houston", "5"),
    ("icoms", "4"),
    ("icoms", "5"),
    ("si3", "0"),
    ("stalker", "A"),
    ("stalker", "A."),
}
EXACT = {"si3": 0.051, "stalker": 0.51}


@pytest.mark.parametrize("as_any", [False, True])
@pytest.mark.parametrize(("profile", "form"), ALL_FORMS)
def test_what_a_twin_says_is_read(profile: str, form: str, as_any: bool) -> None:
    twin = AsciiTwin(profile=profile, form=form)
    one = decoder("any" if as_any else profile)
    for kmh in (7.2, 54.3, -101.8):
        echo = Echo(kmh / 3.6, 90.0, 42.0, 1)
        readings = [event for event in one.feed(twin.process(1.0, [echo]), 7.0) if isinstance(event, Reading)]
        assert len(readings) >= 7
        for reading in readings[1:]:  # in `any` a CSR value comes out with the next one
            assert reading.speed_kmh == pytest.approx(abs(kmh), abs=EXACT.get(profile, 0.51))
            known = IN if kmh > 0 else OUT
            assert reading.direction is (UNKNOWN if (profile, form) in SIGNLESS else known)
            assert reading.range_m == (42.0 if (profile, form) == ("icoms", "6") else None)
            assert reading.strength == (90.0 if form == "S" else None)
    idle = one.feed(twin.process(1.0, []), 7.0)
    assert all(isinstance(event, Idle) for event in idle[1:])
    assert bool(idle[1:]) is (profile != "icoms")


@pytest.mark.parametrize("profile", Ascii.profiles)
def test_a_twins_traffic_through_the_link(profile: str) -> None:
    """In virtual time: every vehicle that passes is heard, nothing is sent, nothing is a fault."""
    events, sent, faults = run_virtual(traffic(profile))
    readings = [event for event in events if isinstance(event, Reading)]
    assert len(readings) > 80
    assert {reading.direction for reading in readings} == {IN, OUT}
    assert not any(isinstance(event, Rejected) for event in events)
    assert sent == []
    assert faults == []


async def traffic(profile: str) -> tuple[list[RadarEvent], list[bytes], Sequence[object]]:
    import asyncio
    from datetime import UTC, datetime

    loop = asyncio.get_running_loop()
    line = MemoryLine("radar", baud=9_600)
    world = make_demo(line, radar="ascii", profile=profile, seed=2, parameters=IDEAL)
    sent: list[bytes] = []
    line.on_data = sent.append
    clock = VirtualClock(loop, datetime(2026, 5, 4, tzinfo=UTC))
    link = RadarLink(line.port, load_radar("ascii", profile), RadarSettings(), clock)
    events: list[RadarEvent] = []
    running = asyncio.create_task(link.run(events.extend))
    await world.run(until=20.0)
    faults = link.faults()
    running.cancel()
    await asyncio.wait([running])
    return events, sent, faults


def test_a_decaturs_settings_are_lost_unless_saved() -> None:
    twin = AsciiTwin(profile="si3")
    assert decode(twin.on_bytes(b"C,0\rm,010\r"), "si3") == [OK, OK]
    twin.power_cycle()
    assert twin.settings.unit == 1
    assert twin.on_bytes(b"C,0\r") + twin.on_bytes(b"F\r") == b"OK\n\rOK FLASH SAVED\n\r"
    twin.power_cycle()
    assert twin.process(0.3, [Echo(44.704, 90.0, 20.0, 1)]).startswith(b"+100.0\r")


def test_a_houston_keeps_what_it_is_sent() -> None:
    twin = AsciiTwin()
    assert twin.on_bytes(b"RS:35\nUN:0\nSensi") + twin.on_bytes(b"tivity?\n") == b"OK\nOK\n0\n"
    twin.power_cycle()
    assert twin.process(0.15, [Echo(44.704, 90.0, 20.0, 1)]) == b"100\r" * 2


def test_a_csr_says_that_it_started() -> None:
    twin = AsciiTwin(profile="csr")
    twin.power_cycle()
    data = twin.process(0.1, [])
    assert re.fullmatch(rb"\xfe\xfd\xfd\xfe(\*000)+", data)
    assert isinstance(decode(data, "csr")[0], Restarted)
