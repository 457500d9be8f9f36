"""The simulated OPS243, command by command and byte by byte."""

from __future__ import annotations

import itertools
from statistics import median, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.radar_physics import Echo
from simulator.radars import ops243_lines
from simulator.radars.ops243 import Ops243Twin
from simulator.radars.ops243_sensor import Measured

ANGLES_OPS_12 = bytes.fromhex(
    """
    7B 22 49 6E 62 6F 75 6E 64 53 65 6E 73 6F 72 41 6E 67 6C 65 44 65 67 72 65 65 73 22 20 3A 20 30 2E
    30 30 2C 20 22 4F 75 74 62 6F 75 6E 64 53 65 6E 73 6F 72 41 6E 67 6C 65 44 65 67 72 65 65 73 22 20
    3A 20 32 30 2E 30 30 7D 0D 0A
    """
)
ARRAYS_OPS_05 = bytes.fromhex(
    """
    7B 22 6D 61 67 6E 69 74 75 64 65 22 3A 5B 36 30 36 2E 37 31 2C 20 33 35 32 2E 35 38 2C 20 32 33 30
    2E 38 37 5D 2C 20 22 73 70 65 65 64 22 3A 5B 2D 31 30 2E 39 30 2C 20 2D 31 32 2E 32 36 2C 20 2D 31
    37 2E 37 31 5D 7D 0D 0A
    """
)
BANNER = b'{"Reset" : "Board was reset"}\r\n'


def echo(speed_kmh: float, strength: float = 100.0) -> Echo:
    return Echo(speed_kmh / 3.6, strength, 30.0, 1)


def twin_with(*commands: bytes) -> Ops243Twin:
    twin = Ops243Twin()
    for command in commands:
        twin.on_bytes(command)
    return twin


def one_report(twin: Ops243Twin, *echoes: Echo) -> bytes:
    return twin.process(twin.due_in_s, echoes)


def exactly(twin: Ops243Twin, *peaks: tuple[float, float]) -> bytes:
    """A report of these (speed, magnitude), past the sensor's resolution and filters."""
    return ops243_lines.report(twin.sensor, [Measured(*peak) for peak in peaks])


# --------------------------------------------------------------------------- commands and answers


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"UK", "7B 22 55 6E 69 74 73 22 3A 22 6B 6D 2D 70 65 72 2D 68 72 22 7D 0D 0A"),  # ops-11
        (b"?V", "7B 22 56 65 72 73 69 6F 6E 22 3A 22 31 2E 33 2E 39 22 7D 0D 0A"),  # ops-10
        (b"^/-20.0\r^?", ANGLES_OPS_12.hex()),
    ],
)
def test_answers_of_the_manual(sent: bytes, answer: str) -> None:
    assert Ops243Twin().on_bytes(sent) == bytes.fromhex(answer)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"U?", b'{"Units":"m-per-sec"}\r\n'),
        (b"US", b'{"Units":"mph"}\r\n'),
        (b"UM", b'{"Units":"m-per-sec"}\r\n'),
        (b"UC", b'{"Units":"cm-per-sec"}\r\n'),
        (b"R?", b'{"RequiredMinSpeed":"0.000"}\r\n'),
        (b"UKR>8\nR?", b'{"Units":"km-per-hr"}\r\n{"RequiredMinSpeed":"8.000"}\r\n'),
        (b"M?", b'{"Squelch":"20"}\r\n'),
        (b"M>100\rM?", b'{"Squelch":"100"}\r\n'),
        (b"S2", b'{"SamplingRate":20000, "resolution":0.1214}\r\n'),
        (b"SX", b'{"SamplingRate":10000, "resolution":0.0607}\r\n'),
        (b"OJ", b'{"OutputFeature":"J"}\r\n'),
        (b"OMoM", b'{"OutputFeature":"M"}\r\n{"OutputFeature":"m"}\r\n'),
        (b"Om", b'{"OutputFeature":"m"}\r\n'),
        (b"C=1700000000\rC?", b'{"Clock":"1700000000"}\r\n'),
    ],
)
def test_answers(sent: bytes, answer: bytes) -> None:
    assert Ops243Twin().on_bytes(sent) == answer


def test_double_question_mark_tells_about_ten_things_one_a_line() -> None:
    twin = twin_with(b"S2", b"M>30\r")
    twin.process(54.0, [])
    lines = twin.on_bytes(b"??").split(b"\r\n")
    assert lines == [
        b'{"Product":"OPS243"}',
        b'{"Version":"1.3.9"}',
        b'{"SamplingRate":20000, "resolution":0.1214}',
        b'{"SampleSize":1024}',
        b'{"Clock":"54"}',
        b'{"Q2COUNT":"54000"}',
        b'{"PowerMode":"Continuous"}',
        b'{"Squelch":"30"}',
        b'{"RequiredMinSpeed":"0.000"}',
        b"",
    ]


@pytest.mark.parametrize(
    "sent", [b"ZZ", b"__", b"R>x\r", b"R>\r", b"M>nan\r", b"O=0\r", b"\x00\xff\r\n", b"U"]
)
def test_what_it_does_not_know_it_ignores(sent: bytes) -> None:
    twin = Ops243Twin()
    before = twin.sensor.settings
    assert twin.on_bytes(sent) == b""
    assert twin.sensor.settings == before


def test_a_command_acts_at_its_second_character_and_a_number_at_its_end() -> None:
    twin = Ops243Twin()
    assert twin.on_bytes(b"U") == b""
    assert twin.on_bytes(b"K") == b'{"Units":"km-per-hr"}\r\n'
    twin.on_bytes(b"R>10")
    assert twin.sensor.settings.min_mps == 0.0
    twin.on_bytes(b"\n")
    assert twin.sensor.settings.min_mps == pytest.approx(10 / 3.6)


@pytest.mark.parametrize("reset", [b"\r", b"\n", b"\x03"])
def test_line_ends_and_ctrl_c_bring_it_back_into_step(reset: bytes) -> None:
    assert Ops243Twin().on_bytes(b"x" + reset + b"U?") == b'{"Units":"m-per-sec"}\r\n'


def test_a_number_without_end_is_given_up() -> None:
    twin = Ops243Twin()
    twin.on_bytes(b"R>" + b"1" * 40)
    assert len(twin._commands._pending) <= 16


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_any_bytes_in_any_pieces_give_the_same_and_never_raise(data: bytes, cuts: list[int]) -> None:
    whole, pieces = Ops243Twin(), Ops243Twin()
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    answers = b"".join(pieces.on_bytes(data[a:b]) for a, b in itertools.pairwise(edges))
    assert answers == whole.on_bytes(data)
    assert pieces.sensor.settings == whole.sensor.settings


# --------------------------------------------------------------------------- forms of reports


@pytest.mark.parametrize(
    ("commands", "peaks", "expected"),
    [
        ([b"F1"], [(3.6, 30)], "33 2E 36 0D 0A"),  # ops-01
        ([b"F5"], [(-3.45624, 30)], "2D 33 2E 34 35 36 32 34 0D 0A"),  # ops-02
        ([b"OJ"], [(0.06, 30)], "7B 22 73 70 65 65 64 22 3A 22 30 2E 30 36 22 7D 0D 0A"),  # ops-04
        ([b"OJ", b"OM", b"O3"], [(-10.9, 606.71), (-12.26, 352.58), (-17.71, 230.87)], ARRAYS_OPS_05.hex()),
    ],
)
def test_report_forms_of_the_vectors(
    commands: list[bytes], peaks: list[tuple[float, float]], expected: str
) -> None:
    assert exactly(twin_with(*commands), *peaks) == bytes.fromhex(expected)


def test_time_magnitude_speed_as_a_real_board_printed_it() -> None:
    """Vector ops-03: uptime 3689529.139 s, magnitude 27.34419, speed -3.45624."""
    twin = twin_with(b"OT", b"OM", b"F5")
    twin.sensor.uptime_s = 3689529.139
    assert exactly(twin, (-3.45624, 27.34419)) == bytes.fromhex(
        "33 36 38 39 35 32 39 2E 31 33 39 2C 32 37 2E 33 34 34 31 39 2C 2D 33 2E 34 35 36 32 34 0D 0A"
    )


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([b"OU"], b'"mps",12.30\r\n'),
        ([b"UK", b"OU", b"F1"], b'"kmph",12.3\r\n'),
        ([b"US", b"OU", b"OM", b"F0"], b'"mph",48,12\r\n'),
        ([b"OT"], b"137.429,12.30\r\n"),
        ([b"C=1593701642\r", b"OH", b"OU"], b'Thu Jul  2 2020 14:54:02.000 GMT,"mps",12.30\r\n'),
        ([b"OJ", b"OU"], b'{"unit":"mps","speed":"12.30"}\r\n'),
        ([b"OJ", b"OT", b"OM"], b'{"time":"137.429","magnitude":"48.00","speed":"12.30"}\r\n'),
        ([b"OJ", b"OJ", b"oJ"], b"12.30\r\n"),
        ([b"oS"], b""),
        ([b"OS"], b"12.30\r\n"),
    ],
)
def test_report_forms(commands: list[bytes], expected: bytes) -> None:
    twin = Ops243Twin()
    twin.sensor.uptime_s = 137.429
    for command in commands:
        twin.on_bytes(command)
    assert exactly(twin, (12.3, 48.0)) == expected


def test_several_reports_are_arrays_in_json_and_lines_in_plain_text() -> None:
    pair = echo(50, 200), echo(-30, 90)
    twin = twin_with(b"UK", b"F0", b"O2", b"K+")
    assert one_report(twin, *pair) == b"50\r\n-30\r\n"
    twin.on_bytes(b"OJ")
    assert one_report(twin, *pair) == b'{"speed":[50, -30]}\r\n'
    assert one_report(twin, pair[0]) == b'{"speed":"50"}\r\n'


def test_order_by_speed() -> None:
    twin = twin_with(b"UK", b"F0", b"O2", b"K+", b"OJ", b"O/")
    assert one_report(twin, echo(50, 200), echo(-30, 90)) == b'{"speed":[-30, 50]}\r\n'
    twin.on_bytes(b"OV")
    assert one_report(twin, echo(-30, 200), echo(50, 90)) == b'{"speed":[50, -30]}\r\n'


def test_without_peak_averaging_a_strong_peak_has_skirts() -> None:
    report = one_report(twin_with(b"O3"), echo(50, 200))
    speeds = [float(line) for line in report.split()]
    assert len(speeds) == 3
    assert sorted(speeds)[1] == speeds[0]
    assert max(speeds) - min(speeds) == pytest.approx(2 * 0.0607, abs=0.011)


# --------------------------------------------------------------------------- what settings do


def test_factory_settings_are_metres_per_second_plain_text_and_silence_when_idle() -> None:
    twin = Ops243Twin()
    assert one_report(twin, echo(36)) == b"10.01\r\n"  # 165 bins of 0.06068 m/s
    assert twin.process(10.0, []) == b""


def test_resolution_follows_the_sample_rate() -> None:
    slow, fast = twin_with(b"F5"), twin_with(b"F5", b"S2")
    for twin, bin_mps in ((slow, 0.060677), (fast, 0.121354)):
        value = float(one_report(twin, echo(47)))
        assert value / bin_mps == pytest.approx(round(value / bin_mps), abs=0.01)


def test_too_fast_for_the_sample_rate_folds_back() -> None:
    assert one_report(twin_with(b"UK", b"F0"), echo(120)) == b"-104\r\n"  # 112 km/h is the limit
    assert one_report(twin_with(b"UK", b"F0", b"S2"), echo(120)) == b"120\r\n"


@pytest.mark.parametrize(
    ("command", "speed_kmh", "passes"),
    [
        (b"R>8\r", 7, False), (b"R>8\r", 9, True), (b"R<100\r", 105, False), (b"R<100\r", 95, True),
        (b"R<0\r", 105, True), (b"R+", -50, False), (b"R+", 50, True), (b"R-", 50, False), (b"R-", -50, True),
        (b"R-R|", 50, True), (b"M>101\r", 50, False), (b"M>99\r", 50, True), (b"M<99\r", 50, False),
    ],
)  # fmt: skip
def test_filters(command: bytes, speed_kmh: float, passes: bool) -> None:
    twin = twin_with(b"UK", command)
    assert bool(one_report(twin, echo(speed_kmh, 100.0))) is passes


def test_the_next_strongest_is_reported_when_the_strongest_is_filtered() -> None:
    assert one_report(twin_with(b"UK", b"F0", b"R>10\r"), echo(3, 500), echo(50, 60)) == b"50\r\n"


def test_minimum_speed_is_meant_in_the_unit_that_is_set() -> None:
    assert one_report(twin_with(b"US", b"R>8\r"), echo(12)) == b""  # 8 mph are 12.9 km/h
    assert one_report(twin_with(b"US", b"R>8\r"), echo(14)) != b""


def test_the_sensors_own_cosine_makes_readings_larger() -> None:
    twin = twin_with(b"UK", b"F1", b"^/+30.0\r")
    inbound, outbound = float(one_report(twin, echo(50))), float(one_report(twin, echo(-50)))
    assert inbound / -outbound == pytest.approx(1.155, abs=0.001)


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (b"BZ", b"0.00\r\n"), (b"BL", b"\r\n"), (b"BS", b" \r\n"), (b"BC", b",\r\n"), (b"BZBV", b""),
        (b"OJBZ", b'{"speed":"0.00"}\r\n'),
    ],
)  # fmt: skip
def test_idle_reports(command: bytes, sent: bytes) -> None:
    assert one_report(twin_with(command)) == sent


def test_idle_and_active() -> None:
    twin = twin_with(b"PI")
    assert twin.process(5.0, [echo(50)]) == b""
    assert b'{"PowerMode":"Idle"}' in twin.on_bytes(b"??")
    twin.on_bytes(b"PA")
    assert twin.process(1.0, [echo(50)]) != b""


# --------------------------------------------------------------------------- time


def spacings(twin: Ops243Twin, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(twin.due_in_s)
        twin.process(twin.due_in_s, [])
    return found[1:]


def test_reports_are_spaced_as_a_bench_recording_is() -> None:
    found = spacings(Ops243Twin(), 20_000)
    assert median(found) == pytest.approx(0.105, abs=0.002)
    assert quantiles(found, n=100)[98] == pytest.approx(0.26, abs=0.03)
    assert max(found) < 1.37


def test_a_faster_rate_or_shorter_buffer_reports_faster_up_to_twenty_a_second() -> None:
    assert 1 / median(spacings(twin_with(b"S2"), 2000)) == pytest.approx(18.4, abs=0.5)
    assert 1 / median(spacings(twin_with(b"S<"), 2000)) == pytest.approx(18.4, abs=0.5)
    assert 1 / median(spacings(twin_with(b"S2", b"S("), 2000)) == pytest.approx(20, abs=0.5)


def test_how_time_is_cut_changes_nothing() -> None:
    whole, pieces = twin_with(b"F0"), twin_with(b"F0")
    sent = b"".join(pieces.process(0.0125, [echo(36)]) for _ in range(1600))
    assert sent == whole.process(20.0, [echo(36)])
    assert 170 < len(sent) / 4 < 195


# --------------------------------------------------------------------------- reset


@pytest.mark.parametrize("how", ["command", "power"])
def test_a_reset_loses_settings_prints_the_banner_and_takes_a_second(how: str) -> None:
    twin = twin_with(b"UK", b"OJ", b"OM", b"R>8\r", b"F0")
    assert one_report(twin, echo(36)) == b'{"magnitude":"100","speed":"36"}\r\n'
    if how == "command":
        assert twin.on_bytes(b"P!") == b""
    else:
        twin.power_cycle()
    assert twin.process(0.9, [echo(36)]) == b""
    assert twin.process(0.1, [echo(36)]) == BANNER
    assert one_report(twin, echo(36)) == b"10.01\r\n"


def test_commands_during_a_start_are_lost() -> None:
    twin = Ops243Twin()
    assert twin.on_bytes(b"P!U?") == b""
    twin.process(1.0, [])
    assert twin.on_bytes(b"U?") == b'{"Units":"m-per-sec"}\r\n'


def test_flash_keeps_units_and_filters_but_not_the_form_of_output() -> None:
    twin = twin_with(b"UK", b"F0", b"OJ", b"O2", b"R>8\r", b"A!", b"P!")
    twin.process(1.0, [])
    assert twin.on_bytes(b"U?R?") == b'{"Units":"km-per-hr"}\r\n{"RequiredMinSpeed":"8.000"}\r\n'
    assert one_report(twin, echo(36), echo(50)) == b"36\r\n"
    twin.on_bytes(b"AX")
    assert twin.on_bytes(b"U?") == b'{"Units":"m-per-sec"}\r\n'


def test_a_reset_sets_uptime_and_clock_back() -> None:
    twin = twin_with(b"C=1700000000\r")
    twin.power_cycle()
    twin.process(1.0, [])
    twin.process(5.0, [])
    assert twin.on_bytes(b"C?") == b'{"Clock":"6"}\r\n'
