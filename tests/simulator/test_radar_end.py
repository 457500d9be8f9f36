"""A radar on a line: bytes both ways, every fault switched on and off while it runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from simulator.line import MemoryLine
from simulator.radar_end import RadarEnd, RadarFault
from simulator.radar_physics import Echo
from simulator.radars.ld2415h import Ld2415hTwin
from simulator.radars.ops243 import Ops243Twin
from tests.support import run

CAR = [Echo(50 / 3.6, 100.0, 30.0, 1)]
BANNER = b'{"Reset" : "Board was reset"}\r\n'
FRAME = b"V+050.0\r\n"


class Bench:
    """A radar, its line, and what the other end has got."""

    def __init__(self, radar: str = "ld2415h") -> None:
        self.line = MemoryLine("radar")
        self.got = bytearray()
        self.lost: list[Exception] = []
        self.end = RadarEnd(self.line, Ops243Twin() if radar == "ops243" else Ld2415hTwin())
        self.open()

    def open(self) -> None:
        run(self.line.port.open(self.got.extend, self.lost.append))

    def after(self, seconds: float, echoes: Sequence[Echo] = CAR) -> bytes:
        self.got.clear()
        self.end.process(seconds, echoes)
        return bytes(self.got)

    def asked(self, command: bytes) -> bytes:
        self.got.clear()
        self.line.port.write(command)
        return bytes(self.got)


def test_reports_go_out_and_commands_come_in() -> None:
    bench = Bench("ops243")
    assert bench.asked(b"U?") == b'{"Units":"m-per-sec"}\r\n'
    bench.asked(b"UKF0")
    assert set(bench.after(1.0).split()) == {b"50"}
    assert bench.after(5.0, []) == b""


def test_silence_hides_reports_and_answers_until_it_is_switched_off() -> None:
    bench = Bench("ops243")
    bench.end.faults.add(RadarFault.SILENCE)
    assert bench.after(5.0) == b""
    assert bench.asked(b"U?") == b""
    bench.end.faults.clear()
    assert bench.after(1.0) != b""
    assert bench.asked(b"U?") != b""


def test_mute_goes_on_reporting_but_takes_no_command() -> None:
    bench = Bench("ops243")
    bench.end.faults.add(RadarFault.MUTE)
    assert bench.asked(b"UKU?") == b""
    bench.end.faults.clear()
    assert bench.asked(b"U?") == b'{"Units":"m-per-sec"}\r\n'
    bench.end.faults.add(RadarFault.MUTE)
    assert bench.after(1.0) != b""


def test_garbage_comes_even_when_nothing_moves() -> None:
    bench = Bench()
    bench.end.faults.add(RadarFault.GARBAGE)
    chunks = [bench.after(0.1, []) for _ in range(100)]
    assert len(b"".join(chunks)) > 300
    assert FRAME not in b"".join(chunks)


def test_bad_bytes_change_some_and_lose_none() -> None:
    bench = Bench()
    bench.end.faults.add(RadarFault.BAD_BYTES)
    sent = bench.after(100.0)
    clean = FRAME * (len(sent) // 9)
    wrong = sum(ours != theirs for ours, theirs in zip(sent, clean, strict=True))
    assert 0.03 < wrong / len(sent) < 0.07


def test_cut_frames_end_in_the_middle() -> None:
    bench = Bench()
    bench.end.faults.add(RadarFault.CUT)
    frames = [bench.after(bench.end.due_in_s) for _ in range(200)]
    assert all(FRAME.startswith(frame) for frame in frames)
    assert 0.35 < sum(frame == FRAME for frame in frames) / 200 < 0.65


@pytest.mark.parametrize("noticed", [True, False])
def test_plugged_again_the_ops243_has_lost_its_settings_and_says_so(noticed: bool) -> None:
    bench = Bench("ops243")
    bench.asked(b"UKOJ")
    if noticed:
        bench.line.unplug()
        assert len(bench.lost) == 1
        assert bench.after(3.0) == b""
        bench.line.plug()
    else:  # back before any time passes
        bench.end.unplug()
        bench.end.plug()
    bench.open()
    assert bench.after(0.5) == b""
    assert bench.after(0.5) == BANNER
    assert bench.asked(b"U?") == b'{"Units":"m-per-sec"}\r\n'
    assert bench.after(0.3).startswith(b"13.")


def test_plugged_again_the_ld2415h_just_goes_on() -> None:
    bench = Bench()
    bench.line.unplug()
    bench.after(1.0)
    bench.line.plug()
    bench.open()
    assert set(bench.after(1.0).split()) == {FRAME.strip()}


def test_faults_have_names_for_command_lines() -> None:
    assert {str(fault) for fault in RadarFault} == {"silence", "garbage", "bad_bytes", "cut", "mute"}
