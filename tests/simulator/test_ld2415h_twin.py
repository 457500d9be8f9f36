"""The simulated LD2415H, frame by frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.radar_physics import Echo
from simulator.radars.ld2415h import Ld2415hTwin, frame_of, listing

READ = bytes.fromhex("43 46 07 00 00 00 00 00 00 00 00 00 00 00")
BASICS = bytes.fromhex("43 46 01 03 0A 05 0D 0A")  # 3 km/h, 10 degrees, sensitivity 5
APPROACHING_ONLY = bytes.fromhex("43 46 02 01 02 00 0D 0A")  # at 5.5 frames a second
BOTH = bytes.fromhex("43 46 02 00 01 00 0D 0A")


def echo(speed_kmh: float, strength: float = 100.0) -> Echo:
    return Echo(speed_kmh / 3.6, strength, 30.0, 1)


def one_frame(twin: Ld2415hTwin, *echoes: Echo) -> bytes:
    return twin.process(twin.due_in_s, echoes)


@pytest.mark.parametrize(
    ("speed", "frame"),
    [
        (33.2, "56 2B 30 33 33 2E 32 0D 0A"),
        (-1.9, "56 2D 30 30 31 2E 39 0D 0A"),
        (240.0, "56 2B 32 34 30 2E 30 0D 0A"),
        (1.8, "56 2B 30 30 31 2E 38 0D 0A"),
    ],
)
def test_frames_of_the_manual(speed: float, frame: str) -> None:
    assert frame_of(speed) == bytes.fromhex(frame)


def test_the_listing_is_as_drivers_read_it() -> None:
    twin = Ld2415hTwin()
    twin.sensor.parameters.update({4: 1, 5: 0})
    assert listing(twin.sensor) == (
        b"No.:20230801E v5.0\r\nX1:01 X2:00 X3:05 X4:01 X5:00 X6:00 X7:05 X8:03 X9:01 X0:01\r\n"
    )


@pytest.mark.parametrize("zeros", [10, 11])
def test_it_answers_the_read_command_once(zeros: int) -> None:
    twin = Ld2415hTwin()
    assert twin.on_bytes(READ[:3] + bytes(zeros)) == listing(twin.sensor)
    assert twin.on_bytes(READ) == listing(twin.sensor)


def test_setting_is_not_answered_and_is_read_back_in_hex() -> None:
    twin = Ld2415hTwin()
    assert twin.on_bytes(BASICS + APPROACHING_ONLY + bytes.fromhex("43 46 03 1F 00 00 0D 0A")) == b""
    assert b"X1:03 X2:0A X3:05 X4:01 X5:02 X6:00 X7:1F" in twin.on_bytes(READ)


@pytest.mark.parametrize(
    "bad", ["43 46 01 03 0A 05 0D 0B", "43 47 01 03 0A 05 0D 0A", "43 46 09 01 01 01 0D 0A"]
)
def test_a_wrong_frame_changes_nothing_and_costs_only_itself(bad: str) -> None:
    twin = Ld2415hTwin()
    before = dict(twin.sensor.parameters)
    twin.on_bytes(bytes.fromhex(bad))
    assert twin.sensor.parameters == before
    twin.on_bytes(BASICS)
    assert twin.sensor.parameters[1] == 3


def test_a_command_cut_short_costs_only_itself() -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(BASICS[:5] + APPROACHING_ONLY)
    assert twin.sensor.parameters[1] == 1
    assert twin.sensor.parameters[4] == 1


@given(
    st.lists(st.one_of(st.sampled_from([READ, BASICS, BOTH, b"CF", b"C"]), st.binary(max_size=12))),
    st.integers(1, 9),
)
def test_any_bytes_in_any_pieces_give_the_same(parts: list[bytes], piece: int) -> None:
    data, whole, pieces = b"".join(parts), Ld2415hTwin(), Ld2415hTwin()
    answers = b"".join(pieces.on_bytes(data[at : at + piece]) for at in range(0, len(data), piece))
    assert answers == whole.on_bytes(data)
    assert pieces.sensor == whole.sensor
    assert len(pieces._commands._buffer) < 13


def test_silent_when_idle_and_one_target_only() -> None:
    twin = Ld2415hTwin()
    assert twin.process(30.0, []) == b""
    assert one_frame(twin, echo(50.04, 200), echo(-70, 90)) == b"V+050.0\r\n"


@pytest.mark.parametrize(("rate", "per_s"), [(0, 22), (1, 11), (2, 5.5), (3, 3)])
def test_rates(rate: int, per_s: float) -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(bytes([0x43, 0x46, 2, 0, rate, 0, 13, 10]))
    twin.process(1.0, [])
    assert len(twin.process(60.0, [echo(50)])) / 9 / 60 == pytest.approx(per_s, rel=0.02)


@pytest.mark.parametrize(("unit", "frame"), [(0, b"V+072.0\r\n"), (1, b"V+044.7\r\n"), (2, b"V+020.0\r\n")])
def test_units(unit: int, frame: bytes) -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(bytes([0x43, 0x46, 2, 0, 1, unit, 13, 10]))
    assert one_frame(twin, echo(72.0)) == frame


@pytest.mark.parametrize(
    ("direction", "speed_kmh", "passes"),
    [(0, 50, True), (0, -50, True), (1, 50, True), (1, -50, False), (2, 50, False), (2, -50, True)],
)
def test_direction_filter(direction: int, speed_kmh: float, passes: bool) -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(bytes([0x43, 0x46, 2, direction, 1, 0, 13, 10]))
    assert bool(one_frame(twin, echo(speed_kmh))) is passes


def test_minimum_speed_sensitivity_and_limit() -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(bytes.fromhex("43 46 01 0A 00 05 0D 0A"))
    assert one_frame(twin, echo(9)) == b""
    assert one_frame(twin, echo(11)) != b""
    assert one_frame(twin, echo(11, 14)) == b""
    assert one_frame(twin, echo(250)) == b""
    twin.on_bytes(bytes.fromhex("43 46 01 0A 00 01 0D 0A"))
    assert one_frame(twin, echo(11, 14)) != b""


def test_its_own_angle_makes_readings_larger() -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(BASICS)
    assert one_frame(twin, echo(50)) == b"V+050.8\r\n"  # 50 / cos(10 deg)


def test_settings_survive_a_loss_of_power() -> None:
    twin = Ld2415hTwin()
    twin.on_bytes(BASICS)
    twin.power_cycle()
    assert twin.sensor.parameters[1] == 3
