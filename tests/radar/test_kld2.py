"""K-LD2: two targets an answer, what a bin is worth, and a sampling rate that counts from a restart on."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar import kld2
from drivers.radar.kld2 import RATE_DIFFERS, TOO_FAST, Kld2, Kld2Decoder, ask, kmh_per_bin, put
from drivers.radar.link import RadarLink
from drivers.radar.setup import Outcome
from simulator.line import MemoryLine
from simulator.radar_physics import IDEAL, Echo
from simulator.radars.kld2 import Kld2Twin
from simulator.virtual_time import VirtualClock, run_virtual
from simulator.world import make_demo
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.radar.vectors import vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
BIN_KMH = 12_800 / 256 / 44.71
GOOD = b"040;000;072;000;\r\n"
GOOD_EVENT = Reading(7.0, 40 * kmh_per_bin(10), IN, 10.0 ** (72 / 20))
RX = {vector.id: vector.data for vector in vectors("kld2", "rx")}


def decode(data: bytes, unit: Unit | None = Unit.KMH, *, raw: bool = False) -> list[RadarEvent]:
    return Kld2Decoder(unit, raw=raw).feed(data, 7.0)


def fed_in(chunks: Iterable[bytes]) -> tuple[list[RadarEvent], dict[str, int]]:
    decoder = Kld2Decoder(Unit.KMH)
    return [event for chunk in chunks for event in decoder.feed(chunk, 7.0)], decoder.counters.values


def speeds(events: Iterable[RadarEvent]) -> list[float]:
    return [round(one.speed_kmh / BIN_KMH, 6) for one in events if isinstance(one, Reading)]


# --------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("name", "profile", "kmh", "direction", "strength"),
    [
        ("kld2-02", "raw", 40.0, IN, 3981.07),
        ("kld2-03", "raw", 10.0, OUT, 5623.41),
        ("kld2-02", "bins", 44.73, IN, 3981.07),
        ("kld2-03", "bins", 11.18, OUT, 5623.41),
    ],
)
def test_a_vector_at_every_split(
    name: str, profile: str, kmh: float, direction: Direction, strength: float
) -> None:
    data = RX[name]
    splits = [
        [data],
        [bytes((byte,)) for byte in data],
        *([data[:at], data[at:]] for at in range(1, len(data))),
    ]
    for chunks in splits:
        decoder = load_radar("kld2", profile).decoder(Unit.KMH)
        [reading] = [event for chunk in chunks for event in decoder.feed(chunk, 7.0)]
        assert isinstance(reading, Reading)
        assert reading.direction is direction
        assert reading.speed_kmh == pytest.approx(kmh, abs=0.005)
        assert reading.strength == pytest.approx(strength, abs=0.005)


def test_commands_are_those_of_the_vectors() -> None:
    built = {"kld2-01": ask("C01"), "kld2-04": put("S04", 5)}
    assert built == {vector.id: vector.data for vector in vectors("kld2", "tx")}
    assert Kld2.poll == built["kld2-01"]


@pytest.mark.parametrize(("rate", "max_kmh"), [(1, 14.3), (2, 28.6), (5, 71.6), (8, 114.5), (10, 143.2)])
def test_a_bin_is_worth_what_the_data_sheets_table_says(rate: int, max_kmh: float) -> None:
    assert 128 * kmh_per_bin(rate) == pytest.approx(max_kmh, abs=0.06)


def test_two_targets_the_stronger_first() -> None:
    first, second = decode(b"020;076;031;045;\r\n")
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    assert (first.direction, first.rank, second.direction, second.rank) == (OUT, 0, IN, 1)
    assert first.t_mono_s == second.t_mono_s
    assert first.strength == pytest.approx(177.83, abs=0.01)
    assert speeds([first, second]) == [76.0, 20.0]
    assert [one.rank for one in decode(b"020;076;031;045;\r\n" * 2) if isinstance(one, Reading)] == [
        0,
        1,
        0,
        1,
    ]


def test_zeros_are_life_and_no_speed() -> None:
    assert decode(b"000;000;000;000;\r\n") == [Idle(7.0)]
    assert decode(b"000;000;012;000;\r\n") == [Idle(7.0)]  # what stands still


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r"])
def test_line_ends_noise_and_echoes(end: bytes) -> None:
    assert speeds(decode(b"$C01" + end + b"\x00040;0\xff00;072;000;" + end)) == [40.0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"40;000;072;000;\r\n", []),
        (b"000;072;000;\r\n", []),
        (b"040;000;000;000;\r\n", []),  # a speed without a magnitude: the fields are shifted
        (b"128;000;072;000;\r\n", []),  # the spectrum has 127 bins a side
        (b"001;076;067;\r\n", []),  # what C00 says
        (b"040;000;072;000;041;000;071;000;\r\n", [40.0, 41.0]),  # whole answers that lost their ends
        (b"040;000;072;000;000;071;000;\r\n", []),
        (b"040;00041;000;071;000;\r\n", []),
        (b"5" * 64 + b"040;000;072;000;\r\n041;000;072;000;\r\n", [41.0]),
        (b"+050\r\n040;000;072;000;\r\n", [40.0]),
    ],
)
def test_what_is_not_whole_is_no_speed(data: bytes, expected: list[float]) -> None:
    assert speeds(decode(data)) == expected


def test_a_lost_byte_or_tail_costs_that_answer_and_at_most_the_next() -> None:
    for at in range(len(GOOD)):
        for damaged in (GOOD[:at] + GOOD[at + 1 :], GOOD[:at], GOOD[at:]):
            found = speeds(decode(GOOD + damaged + GOOD * 2))
            assert set(found) == {40.0}
            assert len(found) >= 2


def test_answers_and_errors_are_replies() -> None:
    assert decode(b"@S0602\r\n@F000078\r\n@W0000\r\n@E02\r\n") == [
        Reply(7.0, {"S06": "02"}),
        Reply(7.0, {"F00": "0078"}),
        Reply(7.0, {"W00": "00"}),
        Reply(7.0, {"error": "E02"}),
    ]
    assert decode(b"@S06\x810\r\n@S060\r\n@\r\n") == []


# --------------------------------------------------------------------------- what a bin is worth


def test_a_radar_that_samples_otherwise_is_not_believed() -> None:
    decoder = Kld2Decoder(Unit.KMH)
    assert isinstance(decoder.feed(GOOD, 7.0)[0], Reading)  # taken to be set as the sign sets it
    decoder.feed(b"@S0402\r\n", 7.0)
    assert decoder.feed(GOOD, 7.0) == [Rejected(7.0, RATE_DIFFERS)]
    decoder.feed(b"@S040A\r\n", 7.0)
    assert decoder.feed(GOOD, 7.0) == [Rejected(7.0, RATE_DIFFERS)]  # stored, but not yet in force
    decoder.feed(b"@W0000\r\n", 7.0)
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


def test_the_link_vouches_until_the_radar_says_otherwise() -> None:
    decoder = Kld2Decoder(Unit.KMH)
    decoder.feed(b"@S0402\r\n", 7.0)
    decoder.unit_confirmed = True
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]
    decoder.feed(b"@S0402\r\n", 7.0)
    assert decoder.unit_confirmed is False
    assert decoder.feed(GOOD, 7.0) == [Rejected(7.0, RATE_DIFFERS)]


def test_a_replay_follows_the_radars_word() -> None:
    [reading] = decode(b"@S0405\r\n" + GOOD, None)[1:]
    assert isinstance(reading, Reading)
    assert reading.speed_kmh == pytest.approx(40 * 6400 / 256 / 44.71)
    assert decode(GOOD, None) == [GOOD_EVENT]


def test_raw_numbers_are_in_the_configured_unit() -> None:
    decoder = Kld2Decoder(Unit.MPH, raw=True)
    decoder.unit_confirmed = True
    assert speeds(decoder.feed(GOOD, 7.0)) == [round(64.37376 / BIN_KMH, 6)]
    assert decode(b"241;000;072;000;\r\n", raw=True) == [Rejected(7.0, TOO_FAST)]
    assert isinstance(decode(b"200;000;072;000;\r\n", raw=True)[0], Reading)


# --------------------------------------------------------------------------- settings


def test_settings_ask_compare_and_restart_last() -> None:
    settings = Kld2().settings(RadarSettings(max_speed_kmh=140.0))
    assert [one.write for one in settings] == [
        b"$S040A\r\n",
        b"$D0302\r\n",
        b"$D0400\r\n",
        b"$D0500\r\n",
        b"$W00\r\n",
    ]
    assert settings[-1].query is None
    rate = settings[0]
    assert rate.matches(Reply(0.0, {"S04": "0A"})) is True
    assert rate.matches(Reply(0.0, {"S04": "02"})) is False
    assert rate.matches(Reply(0.0, {"D03": "02"})) is None
    assert rate.matches(Reply(0.0, {"error": "E01"})) is None


@pytest.mark.parametrize(
    "wanted",
    [
        RadarSettings(max_speed_kmh=143.0),
        RadarSettings(max_speed_kmh=140.0, unit=Unit.MPH),
        RadarSettings(max_speed_kmh=140.0, min_speed_kmh=-1.0),
    ],
)
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="kld2"):
        Kld2().settings(wanted)


def test_raw_sets_nothing() -> None:
    assert load_radar("kld2", "raw").settings(RadarSettings(unit=Unit.MPH)) == []
    with pytest.raises(DriverError, match="bins, raw"):
        Kld2(profile="cooked")


# --------------------------------------------------------------------------- any bytes

FRAGMENTS = st.one_of(
    st.sampled_from([GOOD, *RX.values(), b"@S040A\r\n", b"@W0000\r\n", b"\r", b"\x00", b";", b"040;", b"@"]),
    st.binary(max_size=20),
    st.text("0123456789;@$SCWE\r\n", max_size=40).map(str.encode),
)


@given(st.lists(FRAGMENTS, max_size=20), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_are_survived_at_any_split(fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    whole = fed_in([data])
    assert fed_in([data[start:end] for start, end in pairwise(edges)]) == whole
    for event in whole[0]:
        if isinstance(event, Reading):
            assert 0 < event.speed_kmh <= kld2.MAX_SPEED_KMH
            assert event.strength is not None
            assert math.isfinite(event.strength)
    decoder = Kld2Decoder(None)
    decoder.feed(data, 1.0)
    assert len(decoder._line) <= kld2.MAX_LINE_BYTES
    decoder.feed(GOOD, 2.0)
    assert len([event for event in decoder.feed(GOOD, 3.0) if isinstance(event, Reading)]) == 1


def test_tens_of_thousands_of_bad_bytes() -> None:
    random, decoder, total = Random(1), Kld2Decoder(Unit.KMH), 0
    while total < 30_000:
        data = bytearray(random.choice([*RX.values(), b"@S040A\r\n"]))
        if random.random() < 0.8:
            at = random.randrange(len(data))
            data[at : at + random.randrange(4)] = random.randbytes(random.randrange(4))
        total += len(data)
        decoder.feed(bytes(data), 1.0)
        assert len(decoder._line) <= kld2.MAX_LINE_BYTES
    assert decoder.counters.get("bad") > 100
    decoder.feed(b"\r\n@S040A\r\n@W0000\r\n", 1.0)
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


# --------------------------------------------------------------------------- the simulated radar


def test_the_twin_speaks_as_the_data_sheet_says() -> None:
    twin = Kld2Twin()
    assert twin.on_bytes(b"$S04\r\n$S0") + twin.on_bytes(b"602\r") == b"@S0402\r\n@E02\r\n"
    assert twin.on_bytes(b"$S040B\r$X01\r$S0\r$C01\r") == b"@E01\r\n@E03\r\n@E05\r\n000;000;000;000;\r\n"
    assert twin.on_bytes(b"$S040A\r") == b"@S040A\r\n"
    assert twin.sensor.rate == 2  # until it restarts
    assert twin.on_bytes(b"$W00\r$C01\r") == b"@W0000\r\n"  # and says nothing meanwhile
    twin.process(1.0, [Echo(50 / 3.6, 100.0, 20.0, 1), Echo(-20 / 3.6, 50.0, 30.0, 2)])
    assert twin.on_bytes(b"$C01\r") == b"045;018;040;034;\r\n"
    twin.process(1.0, [Echo(150 / 3.6, 100.0, 20.0, 1)])
    assert twin.on_bytes(b"$C01\r") == b"000;122;000;040;\r\n"  # folded
    twin.power_cycle()
    assert twin.sensor.rate == 10


async def on_the_link(twin_rate: int, seconds: float) -> tuple[RadarLink, list[RadarEvent], Kld2Twin]:
    loop = asyncio.get_running_loop()
    line = MemoryLine("radar", baud=38_400)
    world = make_demo(line, radar="kld2", seed=2, parameters=IDEAL)
    twin = world.radar_end.twin
    assert isinstance(twin, Kld2Twin)
    twin.sensor.eeprom["S04"] = twin_rate
    twin.sensor.restart()
    clock = VirtualClock(loop, datetime(2026, 5, 4, tzinfo=UTC))
    link = RadarLink(line.port, load_radar("kld2"), RadarSettings(max_speed_kmh=140.0), clock)
    events: list[RadarEvent] = []
    running = asyncio.create_task(link.run(events.extend))
    await world.run(until=seconds)
    assert link.faults() == []
    running.cancel()
    await asyncio.wait([running])
    return link, events, twin


@pytest.mark.parametrize("rate", [2, 10])
def test_the_link_sets_it_up_and_polls_it(rate: int) -> None:
    link, events, twin = run_virtual(on_the_link(rate, 20.0))
    assert link.setup_report is not None
    assert link.setup_report.ok
    changed = [one.name for one in link.setup_report.results if one.outcome is Outcome.CHANGED]
    assert changed == (["sampling rate"] if rate == 2 else [])
    assert twin.sensor.rate == 10
    readings = [event for event in events if isinstance(event, Reading)]
    assert {reading.direction for reading in readings} == {IN, OUT}
    assert all(25 < reading.speed_kmh < 80 for reading in readings)
    assert len([event for event in events if isinstance(event, Reading | Idle)]) > 120
