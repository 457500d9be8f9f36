"""All 99 public frames, each by the name of its sensor: what a radar says, and what is said to it.

One line a frame, so that a reader sees at once what each is taken for. A for approaching, R receding, U
unknown, then km/h (the frame's own number: the radar is set to km/h), s strength, m range, # rank.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from drivers.radar import csr, houston_frames, isys4001_frames, kld2, kld7, kld7_frames, ld2415h
from drivers.radar import ld2451_frames as ld2451
from drivers.radar import ops243_setup as ops243
from speedsign.model import RadarEvent, Reading, Rejected, Reply, Restarted, Unit
from speedsign.ports import Decoder, RadarSettings
from speedsign.registry import load_radar
from tests.radar.streams import at_every_split, fed_in

TABLE = Path(__file__).with_name("vectors.tsv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TABLE.splitlines(), delimiter="\t"))
BYTES = {row["id"]: bytes.fromhex(row["hex"]) for row in ROWS}
SENSOR = {row["id"]: row["sensor"] for row in ROWS}

# Where the sensor's name alone does not say how the radar is set.
PROFILES = {
    "ops-13": ("ops243", "binary"),
    "csr-01": ("csr", "1-byte"),
    "csr-02": ("csr", "1-byte"),
    "csr-06": ("csr-ascii", None),
    "csr-07": ("csr-ascii", None),
    "mph-02": ("mph", "ds4"),
}
SAID = {
    "ops-01": "A3.6",
    "ops-02": "R3.45624",
    "ops-03": "R3.45624 s27.34",
    "ops-04": "A0.06",
    "ops-05": "R10.9 s606.7 | R12.26 s352.6 #1 | R17.71 s230.9 #2",
    "ops-06": "A0.58",
    "ops-07": "",  # a range, in metres
    "ops-08": "",  # the radar's own record of a vehicle: counted, never a reading
    "ops-09": "",  # an alert
    "ops-10": "Version=1.3.9",
    "ops-11": "Units=km-per-hr",
    "ops-12": "InboundSensorAngleDegrees=0.00 OutboundSensorAngleDegrees=20.00",
    "ops-13": "A37",  # behind a range of 63
    "ops-14": "",  # a range with the time of day
    "ld2415h-01": "A33.2",
    "ld2415h-02": "R1.9",
    "ld2415h-03": "A240",
    "ld2415h-04": "A1.8",
    "ld2415h-05": "A4.6 | A40.3",
    "ld2415h-06": "A38.1",
    "ld2415h-07": "A2.34",
    "ld2415h-15": "No.=20230801E v5.0 | X1=01 X2=00 X3=05 X4=01 X5=00 X6=00 X7=05 X8=03 X9=01 X0=01",
    "ld2415h-16": "Mode=Switch to CSR Mode... Done.",
    "ld2451-01": "R60 s21 40m | A60 s15 30m #1 | R60 s15 95m #2",
    "ld2451-02": "idle",
    "ld2451-03": "idle",
    "ld2451-05": "command=FF status=ok protocol=1",
    "ld2451-10": "command=12 status=ok max_distance_m=100 direction=1 min_speed_kmh=5 hold_s=2",
    "ld2451-11": "command=13 status=ok hits=1 snr=0",
    "kld7-02": "RESP=ok",
    "kld7-04": "idle",
    "kld7-05": "R1.96 s1417 0.68m",  # 63.03 dB
    "kld2-02": "A44.73 s3981",  # bin 40 of 1.118 km/h, 72 dB
    "kld2-03": "R11.18 s5623",
    "houston-01": "U15",
    "houston-02": "A15",
    "houston-03": "R15",
    "houston-04": "U15",
    "houston-05": "idle",
    "houston-06": "idle",
    "houston-bin-02": "U43",
    "houston-bin-03": "idle",
    "houston-bin-06": "UN=1",
    "houston-bin-08": "status=0",
    "houston-bin-09": "status=-1",
    "mph-01": "A99",
    "mph-02": "A65 167.64m",  # 550 ft
    "mph-03": "idle",
    "csr-01": "U50",
    "csr-02": "U125",
    "csr-03": "A50",
    "csr-04": "R40",
    "csr-05": "idle",
    "csr-06": "A125",
    "csr-07": "U89",
    "tsr20-01": "A50",
    "tsr20-02": "R40",
    "tsr20-03": "",  # the rest of a frame and the beginning of the next one
    "icoms-01": "A50",
    "icoms-02": "A50",
    "icoms-03": "A50",
    "icoms-04": "U50",
    "icoms-05": "U50",
    "icoms-06": "A50 120m",
    "si3-01": "U123.4",
    "si3-02": "Answer=OK",
    "si3-03": "Answer=OK | U123.4",
    "stalker-01": "U65",
    "stalker-02": "U65.4",
    "stalker-03": "A61.2 s72",
}
TOLD = {
    "ops-15": next(one.write for one in ops243.settings_for(RadarSettings()) if one.name == "unit"),
    "ops-16": ops243.number_command("R>", 10),
    "ops-17": ops243.angle_command("+", 15),
    "ld2415h-10": ld2415h.basics_command(3, 10, 5),
    "ld2415h-11": ld2415h.output_command(1, 2, Unit.KMH),
    "ld2415h-12": ld2415h.output_command(0, 1, Unit.KMH),
    "ld2415h-13": ld2415h.vibration_command(5),
    "ld2415h-14": ld2415h.READ,
    "ld2451-04": ld2451.enable_command(),
    "ld2451-06": ld2451.detection_command(100, ld2451.APPROACH, 5, 2),
    "ld2451-07": ld2451.sensitivity_command(2, 8),
    "ld2451-08": ld2451.end_command(),
    "ld2451-09": ld2451.command(ld2451.READ_DETECTION),
    "kld7-01": kld7.CONNECT,
    "kld7-03": kld7.POLL,
    "kld7-06": kld7_frames.command("RSPI", 3),
    "kld7-07": kld7.DISCONNECT,
    "kld2-01": kld2.ask("C01"),
    "kld2-04": kld2.put("S04", 5),
    "houston-bin-01": houston_frames.ASK_SPEED_FRAME,
    "houston-bin-04": houston_frames.ASK_INFO_FRAME,
    "houston-bin-05": houston_frames.read_variable("UN"),
    "houston-bin-07": houston_frames.set_variable("UN", 1),
    "houston-bin-10": houston_frames.set_variable("SP", 243),
    "csr-08": csr.ENTER_CONFIGURATION,
    "csr-09": csr.low_limit_command(5),
    "csr-10": csr.SAVE,
    "isys-01": isys4001_frames.targets_command(),
    "isys-02": isys4001_frames.targets_command(isys4001_frames.BITS_32),
}


def decoder_of(vector: str) -> Decoder:
    name, profile = PROFILES.get(vector, (SENSOR[vector], None))
    decoder = load_radar(name, profile).decoder(Unit.KMH)
    decoder.unit_confirmed = True
    return decoder


def in_short(events: list[RadarEvent]) -> str:
    return " | ".join(_short(event) for event in events)


def _short(event: RadarEvent) -> str:
    if isinstance(event, Reading):
        strength = "" if event.strength is None else f" s{event.strength:.4g}"
        range_m = "" if event.range_m is None else f" {event.range_m:g}m"
        speed = f"{event.direction.value[0].upper()}{event.speed_kmh:.6g}"
        return f"{speed}{strength}{range_m}{f' #{event.rank}' if event.rank else ''}"
    if isinstance(event, Reply):
        return " ".join(f"{key}={value}" for key, value in event.values.items())
    if isinstance(event, Rejected):
        return f"rejected: {event.reason}"
    return f"restarted: {event.text}" if isinstance(event, Restarted) else "idle"


def test_every_frame_is_here() -> None:
    assert len(ROWS) == len(BYTES) == 99
    assert set(SAID) == {row["id"] for row in ROWS if row["dir"] == "rx"}
    assert set(TOLD) == {row["id"] for row in ROWS if row["dir"] == "tx"}


@pytest.mark.parametrize("vector", SAID)
def test_what_a_radar_says(vector: str) -> None:
    """The same in two parts, cut anywhere, and byte by byte."""
    found = at_every_split(lambda: decoder_of(vector), BYTES[vector])
    if vector.startswith("kld2"):  # six digits of a bin's width would say more than is known
        found = [_rounded(event) for event in found]
    assert in_short(found) == SAID[vector]


def _rounded(event: RadarEvent) -> RadarEvent:
    assert isinstance(event, Reading)
    return Reading(event.t_mono_s, round(event.speed_kmh, 2), event.direction, event.strength)


@pytest.mark.parametrize("vector", SAID)
def test_said_twice_it_is_heard_twice(vector: str) -> None:
    """Nothing of a frame is left behind that the next one would trip over."""
    data, expected = BYTES[vector], SAID[vector]
    events, _ = fed_in(lambda: decoder_of(vector), [data, data])
    once, _ = fed_in(lambda: decoder_of(vector), [data])
    if vector == "tsr20-03":  # two rests of frames make one whole
        assert in_short(events) == "A50"
    else:
        assert in_short(events) == in_short([*once, *once])
        assert bool(events) == bool(expected)


@pytest.mark.parametrize("vector", TOLD)
def test_what_is_said_to_a_radar(vector: str) -> None:
    told = TOLD[vector]
    if vector in (
        "ops-16",
        "ops-17",
    ):  # the manual asks for CR, the recordings end numbers with LF: both work
        told = told.replace(b"\r", b"\n")
    assert told == BYTES[vector]


def test_no_command_is_taken_for_a_report() -> None:
    """An adapter that hears what it sends: our own words must never be a speed."""
    for vector, data in TOLD.items():
        events, _ = fed_in(lambda vector=vector: decoder_of(vector), [data])  # type: ignore[misc]  # bound early
        assert not any(isinstance(event, Reading) for event in events), vector
