"""Which radar is it: every capture that there is, wrong baud rates, other devices, noise."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random

import pytest

from drivers.radar.detect import (
    LEAST_BITS,
    STRONG_BITS,
    Candidate,
    Ear,
    Verdict,
    candidates,
    config_lines,
    line_settings,
)
from simulator.uart import garbled
from speedsign.capture import CaptureReader, open_capture
from speedsign.config.load import parse_config
from speedsign.errors import DriverError
from speedsign.ports import LineSettings
from speedsign.registry import radar_names
from tests.cli.rebuild_golden import cases

ALL = candidates()
CHUNKS = 400
# Both read plain numbers, one a line; only a question tells them apart.
ALIKE = {"ops243", "ascii"}
GPS = (
    b"$GPGGA,063000.00,5611.85,N,02445.33,E,1,08,1.0,60.1,M,25.0,M,,*6D\r\n"
    b"$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K,A*25\r\n"
)
MODBUS = bytes.fromhex("01 10 00 07 00 02 04 00 05 00 00 f2 6b 01 10 00 07 00 02 f0 09")
BOOT = b"[    0.000000] Booting Linux on physical CPU 0x0\r\nraspberrypi login: \r\n"


def verdict_on(data: bytes, line: LineSettings, piece: int = 32) -> Verdict:
    ear = Ear(ALL, line)
    for at in range(0, len(data), piece):
        ear.feed(data[at : at + piece], at / 1000)
    return ear.verdict()


def captured(folder: Path) -> tuple[str, str | None, list[bytes]]:
    with open_capture(folder / "capture.jsonl") as lines:
        reader = CaptureReader(lines, folder.name)
        return reader.header.radar, reader.header.profile, [data for _, data in islice(reader, CHUNKS)]


def of(name: str) -> Candidate:
    return next(one for one in ALL if one.name == name)


def test_every_driver_and_dialect_is_a_candidate() -> None:
    assert {one.name for one in ALL} == set(radar_names())
    assert len({str(one) for one in ALL}) == len(ALL)


def test_a_driver_that_there_is_not() -> None:
    with pytest.raises(DriverError, match="sonar"):
        candidates(["sonar"])


@pytest.mark.parametrize("folder", cases(), ids=lambda folder: str(folder.name))
def test_what_was_captured_is_recognised(folder: Path) -> None:
    name, profile, chunks = captured(folder)
    own = next(one for one in ALL if one.name == name and (profile is None or one.profile == profile))
    verdict = verdict_on(b"".join(chunks), own.lines[0])
    if own.bits < LEAST_BITS or len(chunks) < 5:
        assert verdict.best is None  # a byte a speed, or next to nothing: proves nothing
        return
    assert verdict.best is not None
    others = {verdict.best.candidate.name, *(one.candidate.name for one in verdict.rivals)}
    assert others == {name} or others == ALIKE
    if others == {name}:
        profiles = {verdict.best.candidate.profile, *(one.candidate.profile for one in verdict.rivals)}
        assert profile is None or profile in profiles
    if others != {name} or own.bits < STRONG_BITS:
        assert not verdict.is_certain
    elif verdict.best.bad == 0:
        assert verdict.is_certain


@pytest.mark.parametrize("folder", cases(), ids=lambda folder: str(folder.name))
def test_what_is_read_at_a_wrong_baud_rate_is_no_other_radar(folder: Path) -> None:
    """Garbage, but always the same: what it repeats must not be believed."""
    name, _, chunks = captured(folder)
    sent = of(name).lines[0].baud
    data = b"".join(chunks)[:500]
    for line in line_settings(ALL):
        if line.baud != sent and line.parity == "N":
            verdict = verdict_on(garbled(data, sent, line.baud), line)
            assert not verdict.is_certain, f"{name} at {sent}, read at {line.baud}: {verdict}"


def test_a_uart_at_the_same_rate_reads_what_was_sent() -> None:
    data = Random(3).randbytes(500)
    assert garbled(data, 9600, 9600) == data
    assert garbled(data, 9600, 19200) != data


@pytest.mark.parametrize("data", [GPS * 20, MODBUS * 30, BOOT * 20], ids=["gps", "modbus", "login"])
def test_another_device_is_no_radar(data: bytes) -> None:
    for line in line_settings(ALL):
        assert not verdict_on(data, line).is_certain


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_radar(seed: int) -> None:
    data = Random(seed).randbytes(6000)
    for line in line_settings(ALL):
        verdict = verdict_on(data, line)
        assert verdict.best is None
        assert verdict.makes_no_sense


def test_half_a_frame_at_the_beginning_is_no_mistake() -> None:
    verdict = verdict_on(b"3.2\r\n" + b"V+033.2\r\n" * 4, LineSettings(9600))
    assert verdict.best is not None
    assert (verdict.best.candidate.name, verdict.best.good, verdict.best.bad) == ("ld2415h", 4, 0)


def test_three_reports_are_enough_and_two_are_not() -> None:
    assert verdict_on(b"V+033.2\r\n" * 3, LineSettings(9600)).is_certain
    few = verdict_on(b"V+033.2\r\n" * 2, LineSettings(9600))
    assert few.best is not None
    assert not few.is_certain


def test_the_targets_of_one_report_count_once() -> None:
    data = b'{"magnitude":[606.71, 352.58, 230.87], "speed":[-10.90, -12.26, -17.71]}\r\n'
    verdict = verdict_on(data * 2, LineSettings(19200))
    assert verdict.best is not None
    assert verdict.best.good == 2


def test_silence_is_nothing() -> None:
    verdict = Ear(ALL, LineSettings(9600)).verdict()
    assert (verdict.best, verdict.n_bytes, verdict.makes_no_sense) == (None, 0, False)


def test_only_who_can_speak_so_listens() -> None:
    """An LD2415H has one baud rate: at another one it is none, whatever the bytes look like."""
    verdict = verdict_on(b"V+033.2\r\n" * 9, LineSettings(115_200))
    assert not verdict.is_certain
    assert verdict.best is None or verdict.best.candidate.name != "ld2415h"


@pytest.mark.parametrize("candidate", ALL, ids=str)
def test_the_lines_for_the_config_are_a_config(candidate: Candidate) -> None:
    lines = config_lines(candidate, '/dev/serial/by-id/usb-"x"', candidate.lines[-1].baud)
    config = parse_config(f'[sign]\nid = "abc"\nlimit_kmh = 50\n{lines}\n', "x.toml")
    found = config.radar
    assert (found.driver, found.port, found.baud) == (
        candidate.name,
        '/dev/serial/by-id/usb-"x"',
        candidate.lines[-1].baud,
    )
    assert (found.profile or (candidate.driver.profiles or (None,))[0]) == candidate.profile


def test_every_question_is_harmless() -> None:
    """What is asked must not set anything: the commands that do are known."""
    for one in ALL:
        for question in one.questions:
            for command in (b"A!", b"AX", b"P!", b"CF\x01", b"CF\x02", b"CF\x03", b"\xfa=", b"RFSE", b"SRPS"):
                assert command not in question, one


def test_the_usual_settings_come_first() -> None:
    lines = line_settings(ALL)
    assert lines[:2] == [LineSettings(9600), LineSettings(115_200)]
    assert {line for one in ALL for line in one.lines} == set(lines)
