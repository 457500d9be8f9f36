"""LD2415H: frames wherever they stand in the bytes, parameters, commands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radar import ld2415h
from drivers.radar.ld2415h import Ld2415h, Ld2415hDecoder
from drivers.radar.units import NOT_CONFIRMED, SET_OTHERWISE
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import RadarSettings
from tests.radar.vectors import Vector, vectors

IN, OUT = Direction.APPROACHING, Direction.RECEDING
RX = vectors("ld2415h", "rx")
PARAMETERS = {
    "X1": "01",
    "X2": "00",
    "X3": "05",
    "X4": "01",
    "X5": "00",
    "X6": "00",
    "X7": "05",
    "X8": "03",
    "X9": "01",
    "X0": "01",
}
SAYS: dict[str, list[RadarEvent]] = {
    "ld2415h-01": [Reading(7.0, 33.2, IN)],
    "ld2415h-02": [Reading(7.0, 1.9, OUT)],
    "ld2415h-03": [Reading(7.0, 240.0, IN)],
    "ld2415h-04": [Reading(7.0, 1.8, IN)],
    "ld2415h-05": [Reading(7.0, 4.6, IN), Reading(7.0, 40.3, IN)],
    "ld2415h-06": [Reading(7.0, 38.1, IN)],
    "ld2415h-07": [Reading(7.0, 2.34, IN)],
    "ld2415h-15": [Reply(7.0, {"No.": "20230801E v5.0"}), Reply(7.0, PARAMETERS)],
    "ld2415h-16": [Reply(7.0, {"Mode": "Switch to CSR Mode... Done."})],
}
GOOD, GOOD_EVENT = b"V+040.3\r\n", Reading(7.0, 40.3, IN)


def decode(data: bytes, unit: Unit | None = Unit.KMH) -> list[RadarEvent]:
    return Ld2415hDecoder(unit).feed(data, 7.0)


def fed_in(chunks: Sequence[bytes]) -> tuple[list[RadarEvent], dict[str, int]]:
    decoder = Ld2415hDecoder(Unit.KMH)
    events = [event for chunk in chunks for event in decoder.feed(chunk, 7.0)]
    return events, decoder.counters.values


@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector) -> None:
    data = vector.data
    whole = fed_in([data])
    assert whole[0] == SAYS[vector.id]
    for at in range(1, len(data)):
        assert fed_in([data[:at], data[at:]]) == whole
    assert fed_in([bytes((byte,)) for byte in data]) == whole


def test_a_frame_is_given_at_its_cr() -> None:
    decoder = Ld2415hDecoder(Unit.KMH)
    assert decoder.feed(b"V+040.3", 6.0) == []  # a second decimal may follow
    assert decoder.feed(b"\r", 7.0) == [GOOD_EVENT]
    assert decoder.feed(b"\n", 8.0) == []


@pytest.mark.parametrize(
    ("data", "speeds"),
    [
        (b"V+000V+001.7\r\n", [1.7]),
        (b"V+V-V+040.3\r\n", [40.3]),
        (b"VV+040.3\r\n", [40.3]),
        (b"040.3\r\nV+040.3\n", [40.3]),
        (b"\x00V\xff+0\x0040.\r3\xff\r\n", [40.3]),
        (b"V+004.6V-040.34V+001.0\r\n", [4.6, 40.34, 1.0]),
        (b"V+033.230.1\r\nV+040.3\r\n", [33.2, 40.3]),  # the end of a cut frame behind a whole one
        (b"V+033.23.1\r\n", [33.2]),
        (b"V+033.2304.1\r\n", [33.2]),
        (b"V+033.2X1:01\r\n", [33.2]),
        (b"V+33.2\r\nV 033.2\r\nV+033,2\r\n", []),
    ],
)
def test_glued_cut_and_noisy_frames(data: bytes, speeds: list[float]) -> None:
    assert [one.speed_kmh for one in decode(data) if isinstance(one, Reading)] == speeds


def test_a_cut_frame_costs_itself_alone() -> None:
    frame = b"V+033.2\r\n"
    for start in range(len(frame)):
        for end in range(start, len(frame) + 1):
            assert decode(frame[start:end] + GOOD)[-1] == GOOD_EVENT
            assert decode(frame[:start] + frame[end:] + GOOD)[-1] == GOOD_EVENT


def test_nothing_moving_is_life_and_no_speed() -> None:
    for unit in Unit:
        assert decode(b"V+000.0\r\nV-000.0\r\n", unit) == [Idle(7.0), Idle(7.0)]


@pytest.mark.parametrize(
    ("unit", "before", "expected"),
    [
        (Unit.KMH, b"", Reading(7.0, 10.0, IN)),
        (Unit.MPH, b"", Rejected(7.0, NOT_CONFIRMED)),
        (Unit.MPH, b"X6:01\r\n", Reading(7.0, 16.09344, IN)),
        (Unit.MPS, b"X6:02\r\n", Reading(7.0, 36.0, IN)),
        (Unit.KMH, b"X6:01\r\n", Rejected(7.0, SET_OTHERWISE)),
        (Unit.MPH, b"X6:00\r\n", Rejected(7.0, SET_OTHERWISE)),
        (None, b"", Reading(7.0, 10.0, IN)),
        (None, b"X6:02\r\n", Reading(7.0, 36.0, IN)),
    ],
)
def test_the_unit_is_what_the_radar_says(unit: Unit | None, before: bytes, expected: RadarEvent) -> None:
    assert decode(before + b"V+010.0\r\n", unit)[-1] == expected


def test_faster_than_the_sensor_can_is_rejected() -> None:
    assert isinstance(decode(b"V+240.1\r\n")[0], Rejected)
    assert isinstance(decode(b"X6:02\r\nV+070.0\r\n", Unit.MPS)[1], Rejected)


def test_a_damaged_answer_is_no_answer() -> None:
    for line in (b"X1:01 X2:0\r\n", b"X1:01X2:00\r\n", b"X1:01 Xx:00\r\n", b"X1:01 X2V+001.0\r\n"):
        assert not any(isinstance(event, Reply) for event in decode(line))


def test_text_without_end_is_capped_and_counted() -> None:
    decoder = Ld2415hDecoder(Unit.KMH)
    decoder.feed(b"x" * 1000, 1.0)
    assert decoder.counters.get("overflow") == 15
    assert len(decoder._text) <= ld2415h.MAX_LINE_BYTES
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


FRAGMENTS = st.one_of(
    st.sampled_from([vector.data for vector in RX]),
    st.sampled_from([b"V", b"V+", b"\r", b"\n", b"\x00", b"\xff", b"7", b".", b"V+033.2"]),
    st.binary(max_size=20),
    st.text("V+-0123456789.\r\nX:", max_size=40).map(str.encode),
)


@given(st.lists(FRAGMENTS, max_size=20), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_are_survived_at_any_split(fragments: list[bytes], cuts: list[int]) -> None:
    data = b"".join(fragments)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    whole = fed_in([data])
    assert fed_in([data[start:end] for start, end in pairwise(edges)]) == whole
    for event in whole[0]:
        if isinstance(event, Reading):
            assert math.isfinite(event.speed_kmh)
            assert 0 < event.speed_kmh <= ld2415h.MAX_SPEED_KMH
    decoder = Ld2415hDecoder(None)
    decoder.feed(data, 1.0)
    assert len(decoder._frame) + len(decoder._text) <= ld2415h.MAX_LINE_BYTES + 10
    decoder.feed(b"\nX6:00\r\n", 1.0)
    assert decoder.feed(GOOD, 7.0) == [GOOD_EVENT]


# --------------------------------------------------------------------------- commands and settings


def test_commands_are_the_manuals() -> None:
    built = {
        "ld2415h-10": ld2415h.basics_command(3, 10, 5),
        "ld2415h-11": ld2415h.output_command(1, 2, Unit.KMH),
        "ld2415h-12": ld2415h.output_command(0, 1, Unit.KMH),
        "ld2415h-13": ld2415h.vibration_command(5),
        "ld2415h-14": ld2415h.READ,
    }
    assert built == {vector.id: vector.data for vector in vectors("ld2415h", "tx")}


def test_settings_compare_all_three_values_of_a_command() -> None:
    output, basics = Ld2415h().settings(RadarSettings())
    assert output.write.hex(" ") == "43 46 02 00 01 00 0d 0a"
    assert basics.write.hex(" ") == "43 46 01 08 00 05 0d 0a"
    right = {**PARAMETERS, "X1": "08", "X4": "00", "X5": "01"}
    assert output.matches(Reply(0.0, right)) is True
    assert basics.matches(Reply(0.0, right)) is True
    for key, setting in (("X4", output), ("X5", output), ("X6", output), ("X1", basics), ("X2", basics)):
        assert setting.matches(Reply(0.0, {**right, key: "0A"})) is False
    assert output.matches(Reply(0.0, {"No.": "20230801E v5.0"})) is None


@pytest.mark.parametrize(
    ("answer", "right"), [("0C", True), ("0c", True), ("12", False), ("", None), ("x", None)]
)
def test_an_answer_is_in_hex(answer: str, right: bool | None) -> None:
    [_, basics] = Ld2415h().settings(RadarSettings(min_speed_kmh=12.0))
    assert basics.matches(Reply(0.0, {**PARAMETERS, "X1": answer})) is right


@pytest.mark.parametrize(
    "wanted",
    [
        RadarSettings(max_speed_kmh=241.0),
        RadarSettings(min_speed_kmh=250.0),
        RadarSettings(min_speed_kmh=-1.0),
        RadarSettings(min_strength=16.0),
        RadarSettings(min_strength=0.0),
    ],
)
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="ld2415h"):
        Ld2415h().settings(wanted)
