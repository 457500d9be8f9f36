"""CSR-I: both binary formats, its answers and its power-on burst, and the twin on a line."""

from __future__ import annotations

import logging
from random import Random

import pytest

from drivers.radar import csr
from drivers.radar.csr import Csr, CsrDecoder
from drivers.radar.units import LINE_DIFFERS
from simulator.radar_physics import Echo
from simulator.radars.csr import BURST, CsrTwin
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, RadarEvent, Reading, Rejected, Reply, Restarted, Unit
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar
from tests.cli.record import Case, record
from tests.radar.streams import NOW, at_every_split, fed_in, in_pieces, spoilt
from tests.radar.test_link import Bench, on_bench
from tests.radar.vectors import Vector, vectors

IN, OUT, UNKNOWN = Direction.APPROACHING, Direction.RECEDING, Direction.UNKNOWN
RX = vectors("csr", "rx")
TWO = {
    "csr-03": [Reading(NOW, 50.0, IN)],
    "csr-04": [Reading(NOW, 40.0, OUT)],
    "csr-05": [Idle(NOW)],
    "csr-06": [],  # ASCII: another driver's
    "csr-07": [],
}
ONE = {"csr-01": [Reading(NOW, 50.0, UNKNOWN)], "csr-02": [Reading(NOW, 125.0, UNKNOWN)]}
GOOD, GOOD_EVENT = bytes.fromhex("F9 32"), Reading(NOW, 50.0, IN)
ANSWER, SETTINGS = "FA 32 39 30 FB", "FA 3D 3D 30 3C 00 05 31 05 14 00 00 00 00 00 FB"


def two_bytes() -> CsrDecoder:
    return CsrDecoder(Unit.KMH)


def one_byte() -> CsrDecoder:
    return CsrDecoder(Unit.KMH, one_byte=True)


def speeds(events: list[RadarEvent]) -> list[float]:
    return [event.speed_kmh for event in events if isinstance(event, Reading)]


@pytest.mark.parametrize("vector", RX, ids=lambda vector: str(vector.id))
def test_a_vector_says_what_its_source_says_at_every_split(vector: Vector) -> None:
    if vector.id in TWO:
        assert at_every_split(two_bytes, vector.data) == TWO[vector.id]
    else:
        assert at_every_split(one_byte, vector.data) == ONE[vector.id]
        assert at_every_split(two_bytes, vector.data) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("F9 F9 32", [50]),
        ("F9 F8 28", [40]),
        ("32 F9 32 32 F8 28", [50, 40]),  # bytes without a header are no speeds
        ("F9 F0 F9 F1", [240]),
        ("F9 FF F8 28", [40]),
        ("00 FF F9 32 00", [50]),
        ("F6 32 FA F9 32", [50]),
        ("FA 32 F9 32", [50]),  # an answer that was cut
        ("FA 3F F9 32", [50]),
        ("FE FD F9 32", [50]),  # a burst that was cut
        ("FE F9 32", [50]),
    ],
)
def test_glued_cut_and_noisy_frames(data: str, expected: list[float]) -> None:
    assert speeds(at_every_split(two_bytes, bytes.fromhex(data))) == expected


def test_an_unknown_direction_is_said_so() -> None:
    assert two_bytes().feed(bytes.fromhex("F7 32"), NOW) == [Reading(NOW, 50.0, UNKNOWN)]


def test_zero_is_life_and_no_speed() -> None:
    assert two_bytes().feed(bytes.fromhex("F7 00 F8 00 F9 00"), NOW) == [Idle(NOW)] * 3
    assert one_byte().feed(b"\x00\x00", NOW) == [Idle(NOW)] * 2


@pytest.mark.parametrize("make", [two_bytes, one_byte])
@pytest.mark.parametrize("burst", ["FE FD FD FE", "FE FD 00 56 31 FD FE", "FE FD" + " 20" * 14 + " FD FE"])
def test_its_burst_says_that_it_has_started(make: type[CsrDecoder], burst: str) -> None:
    [event] = at_every_split(make, bytes.fromhex(burst))
    assert event == Restarted(NOW, f"power-on burst {burst}")


def test_a_burst_that_does_not_end_is_given_up() -> None:
    data = bytes.fromhex("FE FD" + " 20" * 15 + " FD FE")
    assert at_every_split(two_bytes, data) == []
    assert at_every_split(two_bytes, data + GOOD) == [GOOD_EVENT]
    assert fed_in(two_bytes, [data])[1]["overflow"] == 1


@pytest.mark.parametrize("data", ["FE 20 FD FE", "FD FD FE", "FE FD FE"])
def test_what_is_no_burst_restarts_nothing(data: str) -> None:
    assert at_every_split(two_bytes, bytes.fromhex(data) + GOOD) == [GOOD_EVENT]


@pytest.mark.parametrize("make", [two_bytes, one_byte])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ANSWER, "39 30"),
        (SETTINGS, "3D 30 3C 00 05 31 05 14 00 00 00 00 00"),
        ("FA 32 FB 30 FB", "FB 30"),  # as long as it says, whatever is inside
    ],
)
def test_an_answer_is_kept_apart_from_speeds(make: type[CsrDecoder], data: str, said: str) -> None:
    assert at_every_split(make, bytes.fromhex(data)) == [Reply(NOW, {"answer": said})]


@pytest.mark.parametrize("data", ["FA 32 39 30 FA", "FA 30 FB", "FA 40 30 FB", "FA 31 30 30 FB"])
def test_what_is_no_answer_is_bad(data: str) -> None:
    events, counters = fed_in(two_bytes, [bytes.fromhex(data) + GOOD])
    assert events == [GOOD_EVENT]
    assert counters["bad"] >= 1


def test_whatever_came_before_the_next_frame_is_read() -> None:
    """F7 to F9 are nothing but headers, so that nothing can swallow the beginning of a frame."""
    random, one = Random(1), two_bytes()
    frames = [GOOD, bytes.fromhex(ANSWER), BURST, *(vector.data for vector in RX)]
    for chunk in spoilt(frames, 1, 60_000):
        for piece in in_pieces(chunk, random):
            assert all(0 < speed <= 240 for speed in speeds(one.feed(piece, 1.0)))
            assert len(one._scanner.buffer) < csr.LONGEST_BYTES
        if random.random() < 0.2:
            assert one.feed(GOOD, NOW)[-1] == GOOD_EVENT


def test_one_byte_survives_anything_and_loses_at_most_what_looks_like_an_answer() -> None:
    random, one = Random(2), one_byte()
    for chunk in spoilt([bytes.fromhex(ANSWER), BURST, b"\x32"], 2, 60_000):
        for piece in in_pieces(chunk, random):
            assert all(0 < speed <= 240 for speed in speeds(one.feed(piece, 1.0)))
            assert len(one._scanner.buffer) < csr.LONGEST_BYTES
        if random.random() < 0.2:
            assert one.feed(b"\x32" * (csr.LONGEST_BYTES + 1), NOW)[-1] == Reading(NOW, 50.0, UNKNOWN)


def test_any_split_of_spoilt_bytes_gives_the_same() -> None:
    random = Random(3)
    for make in (two_bytes, one_byte):
        data = b"".join(spoilt([GOOD, bytes.fromhex(ANSWER), BURST, bytes.fromhex(SETTINGS)], 3, 5_000))
        assert fed_in(make, in_pieces(data, random)) == fed_in(make, [data])
        assert fed_in(make, [bytes((byte,)) for byte in data]) == fed_in(make, [data])


# --------------------------------------------------------------------------- commands and settings


def test_commands_are_the_manuals() -> None:
    built = {
        "csr-08": csr.ENTER_CONFIGURATION,
        "csr-09": csr.low_limit_command(5),
        "csr-10": csr.SAVE,
    }
    assert built == {vector.id: vector.data for vector in vectors("csr", "tx")}
    assert csr.LEAVE_CONFIGURATION.hex(" ") == "fa 32 30 30 fb"
    assert csr.READ_SETTINGS.hex(" ") == "fa 3d 34 30 fb"


def test_the_profiles_are_reached_by_name() -> None:
    assert load_radar("csr").decoder(None).feed(GOOD, NOW) == [GOOD_EVENT]
    assert load_radar("csr", "1-byte").decoder(None).feed(b"\x32", NOW) == ONE["csr-01"]
    assert load_radar("csr-1-byte").decoder(None).feed(b"\x32", NOW) == ONE["csr-01"]


def test_a_unit_that_it_does_not_speak_is_refused_and_never_applied() -> None:
    assert CsrDecoder(Unit.MPH).feed(GOOD, NOW) == [Rejected(NOW, LINE_DIFFERS)]
    with pytest.raises(DriverError, match=r'csr: .* set unit = "km/h"'):
        Csr().settings(RadarSettings(unit=Unit.MPH))
    with pytest.raises(DriverError, match="set at most 240"):
        Csr().settings(RadarSettings(max_speed_kmh=250.0))


def test_who_uses_the_one_byte_format_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Csr().settings(RadarSettings()) == []
        assert caplog.messages == []
        assert Csr(profile="1-byte").settings(RadarSettings()) == []
    assert len(caplog.messages) == 1
    assert "noise" in caplog.messages[0]


# --------------------------------------------------------------------------- the twin


@pytest.mark.parametrize(
    ("speed_kmh", "profile", "frame"),
    [
        (50, "2-byte", "F9 32"),
        (-40, "2-byte", "F8 28"),
        (0, "2-byte", "F7 00"),
        (50, "1-byte", "32"),
        (-125, "1-byte", "7D"),
        (0, "1-byte", "00"),
        (125, "ascii", "2B 31 32 35"),
        (0, "ascii", "2A 30 30 30"),
    ],
)
def test_the_twin_says_the_frames_of_the_manual(speed_kmh: float, profile: str, frame: str) -> None:
    twin = CsrTwin(profile=profile)
    assert twin.process(twin.due_in_s, [Echo(speed_kmh / 3.6, 99.0, 30.0, 1)]) == bytes.fromhex(frame)


def test_the_twin_obeys_in_configuration_mode_alone() -> None:
    twin = CsrTwin()
    assert twin.on_bytes(csr.low_limit_command(30)) == b""
    commands = csr.ENTER_CONFIGURATION + csr.low_limit_command(30)
    answers = b"".join(twin.on_bytes(commands[at : at + 1]) for at in range(len(commands)))
    assert answers.hex(" ").upper() == "FA 32 31 30 FB FA 32 39 30 FB"
    assert twin.process(1.0, []) == b""
    [said] = two_bytes().feed(twin.on_bytes(csr.READ_SETTINGS), NOW)
    assert isinstance(said, Reply)
    assert said.values["answer"].split()[6:8] == ["1E", "14"]
    assert twin.on_bytes(csr.low_limit_command(151)).hex(" ") == "fa 32 39 31 fb"
    twin.on_bytes(csr.LEAVE_CONFIGURATION)
    assert twin.process(twin.due_in_s, [Echo(20 / 3.6, 99.0, 30.0, 1)]) == bytes.fromhex("F7 00")
    assert twin.process(twin.due_in_s, [Echo(40 / 3.6, 9.0, 30.0, 1)]) == bytes.fromhex("F7 00")
    assert twin.process(twin.due_in_s, [Echo(40 / 3.6, 99.0, 30.0, 1)]) == bytes.fromhex("F9 28")


@pytest.mark.parametrize(("saved", "kept"), [(b"", 5), (csr.SAVE, 30)])
def test_the_twin_keeps_what_was_saved(saved: bytes, kept: int) -> None:
    twin = CsrTwin()
    twin.on_bytes(csr.ENTER_CONFIGURATION + csr.low_limit_command(30) + saved)
    twin.power_cycle()
    assert twin.on_bytes(csr.ENTER_CONFIGURATION) == b""  # it is starting
    assert twin.process(1.0, []) == BURST
    assert twin.process(twin.due_in_s, []) == bytes.fromhex("F7 00")  # it is being configured no more
    assert twin.sensor.settings.low_limit_kmh == kept


@pytest.mark.parametrize("profile", ["2-byte", "1-byte"])
def test_what_drives_past_the_twin_is_read(profile: str) -> None:
    chunks, truth = record(Case("", radar="csr", profile=profile, seed=2, seconds=15.0))
    one = load_radar("csr", profile).decoder(Unit.KMH)
    events = [event for t_s, data in chunks for event in one.feed(data, t_s)]
    assert one.counters.get("bad") == 0
    assert len(events) == pytest.approx(15 / 0.026, abs=3)
    assert max(speeds(events)) == pytest.approx(max(speed for _, speed in truth), abs=2)


def test_on_a_line_it_is_read_and_its_silence_is_a_fault() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(1.0, [Echo(70 / 3.6, 99.0, 30.0, 1)])
        assert {(one.speed_kmh, one.direction) for one in bench.readings()} == {(70.0, IN)}
        await bench.road(20.0)
        assert bench.codes() == []
        assert bench.sent == []
        assert bench.twin
        bench.twin.power_cycle()
        await bench.road(3.0)
        assert bench.link.health()["restarts"] == 1
        bench.twin = CsrTwin()
        bench.twin.on_bytes(csr.ENTER_CONFIGURATION)  # it says nothing any more
        await bench.road(4.0)
        assert bench.codes() == ["silent"]

    on_bench(test, Csr(), CsrTwin())
