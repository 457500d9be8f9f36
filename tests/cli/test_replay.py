"""replay: captures in, golden vehicles out; the driver and the tracker are those of the live sign."""

from __future__ import annotations

import csv
import io
import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.capture import CaptureHeader, CaptureReader, CaptureWriter, open_capture
from speedsign.model import Vehicle
from speedsign.replay import Replay, decoder_for, replay
from speedsign.tracking import TrackingParams
from tests.cli.command import as_json, speedsign
from tests.cli.rebuild_golden import CONFIG, GOLDEN, cases, rebuild, vehicles_csv
from tests.cli.record import THREE_TARGETS, Chunk, record

CONTRACT = ["t_first_s", "t_last_s", "direction", "speed_kmh", "entry_kmh", "exit_kmh", "max_kmh", "readings"]
CLEAN = ("ld2415h", "ops243-json-kmh", "ops243-json-mph", "ops243-plain-kmh", "ops243-csv-time-magnitude-mps")
GLUED = ("ld2415h-no-line-ends", "ops243-json-many-objects-glued")
OF = '{"speedsign_capture":1,"radar":'


def load(name: str) -> tuple[CaptureHeader, list[Chunk]]:
    with open_capture(GOLDEN / name / "capture.jsonl") as lines:
        reader = CaptureReader(lines, name)
        return reader.header, list(reader)


def vehicles(header: CaptureHeader, chunks: list[Chunk]) -> list[Vehicle]:
    return list(replay(chunks, decoder_for(header), TrackingParams(), Replay()))


def capture(folder: Path, *chunks: Chunk, **header: object) -> Path:
    path = folder / "capture.jsonl"
    with path.open("w") as out:
        writer = CaptureWriter(out, CaptureHeader("ld2415h", extra=header), 0.0)
        for t_s, data in chunks:
            writer.add(data, t_s)
    return path


def cruising(speed: str = "V+050.0", n: int = 20) -> list[Chunk]:
    return [(1.0 + i / 10, f"{speed}\r\n".encode()) for i in range(n)]


def test_the_header_names_the_dialect(tmp_path: Path) -> None:
    """01 19 is a type and a speed of OPS243's binary output; as text it is noise."""
    path = tmp_path / "binary.jsonl"
    with path.open("w") as out:
        writer = CaptureWriter(out, CaptureHeader("ops243", unit="m/s", profile="binary"), 0.0)
        for i in range(20):
            writer.add(b"\x01\x19", 1.0 + i / 10)
    found = as_json(speedsign("replay", "--json", path))
    assert (found["radar"], found["profile"], found["readings"]) == ("ops243", "binary", 20)
    assert [one["speed_kmh"] for one in found["vehicles"]] == [90.0]


def test_a_dialect_that_the_radar_has_not(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(OF + '"ops243","profile":"morse"}\n')
    ended = speedsign("replay", path)
    assert ended.exit_code == 1
    assert (
        "x.jsonl:1: the radar driver 'ops243' has no profile 'morse'; known are text, binary" in ended.output
    )


# --------------------------------------------------------------------------- golden


def test_every_capture_has_its_golden_and_every_golden_its_capture() -> None:
    folders = {path for path in GOLDEN.iterdir() if path.is_dir()}
    assert len(folders) > 20
    for folder in folders:
        files = {path.name for path in folder.iterdir()}
        assert files - {CONFIG} == {"capture.jsonl", "vehicles.csv"}, folder


def test_a_case_may_have_a_config_of_its_own() -> None:
    """Through the command: the one that has one is replayed otherwise without it."""
    folders = [folder for folder in cases() if (folder / CONFIG).exists()]
    assert folders
    for folder in folders:
        golden = (folder / "vehicles.csv").read_text(encoding="utf-8")
        capture = folder / "capture.jsonl"
        assert speedsign("replay", "--csv", "--config", folder / CONFIG, capture).stdout == golden
        assert speedsign("replay", "--csv", capture).stdout != golden


def test_rebuilding_shows_what_has_changed(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "hand-single-readings" / "capture.jsonl", tmp_path)
    assert "+t_first_s" in rebuild(tmp_path)
    assert rebuild(tmp_path) == ""
    golden = tmp_path / "vehicles.csv"
    golden.write_text(golden.read_text() + "1,2,approaching\n")
    assert "-1,2,approaching" in rebuild(tmp_path)


@pytest.mark.parametrize("folder", cases(), ids=lambda folder: str(folder.name))
def test_a_capture_gives_its_golden_vehicles(folder: Path) -> None:
    assert vehicles_csv(folder / "capture.jsonl") == (folder / "vehicles.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*CLEAN, *GLUED])
def test_simulated_vehicles_are_those_that_drove_past(name: str) -> None:
    """The golden is not its own judge: the header says who really passed, and how fast."""
    header, chunks = load(name)
    found = sorted((vehicle.direction.value, vehicle.speed_kmh) for vehicle in vehicles(header, chunks))
    passed = sorted((direction, speed) for direction, speed in header.extra["passed"])
    assert [direction for direction, _ in found] == [direction for direction, _ in passed]
    for (_, seen_kmh), (_, true_kmh) in zip(found, passed, strict=True):
        # Some of them brake for the sign: the mean over the whole way is not the speed where they were seen.
        assert true_kmh - 3.0 < seen_kmh < true_kmh + 2.0


def test_three_targets_a_report_are_no_three_vehicles() -> None:
    chunks, passed = record(THREE_TARGETS)
    assert len(vehicles(CaptureHeader("ops243"), chunks)) == len(passed)


# --------------------------------------------------------------------------- chunks


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_other_chunks_of_the_same_bytes_give_the_same_vehicles(data: st.DataObject) -> None:
    """Cut anywhere, a frame is complete at its end: pieces that share their frame's time change nothing."""
    header, chunks = load(
        data.draw(st.sampled_from(["ops243-json-kmh", "ld2415h", "ops243-plain-factory-settings"]))
    )
    pieces: list[Chunk] = []
    for t_s, chunk in chunks:
        cuts = sorted(data.draw(st.sets(st.integers(1, max(len(chunk) - 1, 1)), max_size=2)))
        ends = [0, *cuts, len(chunk)]
        pieces += [(t_s, chunk[a:b]) for a, b in pairwise(ends)]
    assert vehicles(header, pieces) == vehicles(header, chunks)


@pytest.mark.parametrize("name", ["ops243-json-kmh", "ld2415h", "ops243-csv-time-magnitude-mps"])
def test_byte_by_byte_gives_the_same_vehicles(name: str) -> None:
    header, chunks = load(name)
    pieces = [(t_s, chunk[at : at + 1]) for t_s, chunk in chunks for at in range(len(chunk))]
    assert vehicles(header, pieces) == vehicles(header, chunks)


def test_two_reports_in_one_chunk_are_one_vehicle_seen_twice(tmp_path: Path) -> None:
    glued = [(t_s, data * 2) for t_s, data in cruising()]
    result = speedsign("replay", "--json", capture(tmp_path, *glued))
    assert len(as_json(result)["vehicles"]) == 1


# --------------------------------------------------------------------------- the command


def test_csv_has_the_columns_of_the_contract_first() -> None:
    result = speedsign("replay", "--csv", GOLDEN / "ld2415h" / "capture.jsonl")
    assert result.exit_code == 0
    assert result.stderr == ""
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert list(rows[0])[: len(CONTRACT)] == CONTRACT
    assert {row["direction"] for row in rows} == {"approaching", "receding"}
    assert result.stdout == (GOLDEN / "ld2415h" / "vehicles.csv").read_text()


def test_a_capture_without_a_vehicle_is_a_header_row() -> None:
    result = speedsign("replay", "--csv", GOLDEN / "hand-no-vehicle" / "capture.jsonl")
    assert result.stdout.splitlines()[0].split(",")[: len(CONTRACT)] == CONTRACT
    assert len(result.stdout.splitlines()) == 1


def test_json_tells_the_same_vehicles_and_what_became_of_the_rest(tmp_path: Path) -> None:
    answer = as_json(speedsign("replay", "--json", capture(tmp_path, *cruising())))
    assert answer["radar"] == "ld2415h"
    assert answer["readings"] == 20
    (vehicle,) = answer["vehicles"]
    assert (vehicle["t_first_s"], vehicle["t_last_s"], vehicle["speed_kmh"]) == (1.0, 2.9, 50.0)


def test_an_angle_corrects_the_speeds(tmp_path: Path) -> None:
    path = capture(tmp_path, *cruising(), mounting_angle_deg=30)
    corrected = as_json(speedsign("replay", "--json", path))["vehicles"][0]["speed_kmh"]
    assert corrected == pytest.approx(50 / 0.8660, abs=0.05)
    given_here = as_json(speedsign("replay", "--json", "--angle", "0", path))["vehicles"][0]["speed_kmh"]
    assert given_here == 50.0


def test_a_named_config_brings_its_tracking_and_direction_and_the_default_one_is_not_read(
    tmp_path: Path,
) -> None:
    config = tmp_path / "sign.toml"
    config.write_text(
        '[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="ld2415h"\nport="/dev/x"\ninvert_direction=true\n'
    )
    path = capture(tmp_path, *cruising())
    for way in ({"args": ("--config", config)}, {"env": {"SPEEDSIGN_CONFIG": str(config)}}):
        result = speedsign("replay", "--json", *way.get("args", ()), path, env=way.get("env"))  # type: ignore[arg-type]  # two ways to say one thing
        assert as_json(result)["vehicles"][0]["direction"] == "receding"
    assert as_json(speedsign("replay", "--json", path))["vehicles"][0]["direction"] == "approaching"


@pytest.mark.parametrize("word", ["kmh", "KM/H", "kph", "km/h"])
def test_a_unit_is_understood_as_people_write_it(tmp_path: Path, word: str) -> None:
    path = capture(tmp_path, *cruising(), unit=word)
    assert as_json(speedsign("replay", "--json", path))["vehicles"][0]["speed_kmh"] == 50.0


def test_reports_that_are_not_believed_are_said() -> None:
    result = speedsign("replay", GOLDEN / "hand-unit-differs" / "capture.jsonl")
    assert result.exit_code == 0
    assert "24 reports were not believed: unit differs" in result.stderr


def test_a_last_line_that_was_cut_is_said_and_the_rest_is_read() -> None:
    result = speedsign("replay", "--csv", GOLDEN / "hand-power-cut" / "capture.jsonl")
    assert result.exit_code == 0
    assert "the last line is cut short" in result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_a_mark_that_an_editor_put_in_front_is_no_harm(tmp_path: Path) -> None:
    path = capture(tmp_path, *cruising())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(as_json(speedsign("replay", "--json", path))["vehicles"]) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OF + '"sonar"}', ":1: there is no driver 'sonar'; known are "),
        (OF + '"ops243","unit":"knots"}', ":1: the header's \"unit\" is 'knots'; known are km/h"),
        (OF + '"ops243"}\n{"t":1}\n{"t":2,"hex":""}', ':2: expected {"t": seconds'),
        (OF + '"ops243"}\n{"t":1' + "0" * 400 + ',"hex":""}\n', ":2: t must be seconds"),
        ("", ":1: this is not a capture file"),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_names_file_and_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    result = speedsign("replay", "--csv", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"speedsign replay: {path}{expected}")
    assert len(result.stderr.splitlines()) == 1


def test_two_forms_at_once_are_a_usage_error(tmp_path: Path) -> None:
    result = speedsign("replay", "--csv", "--json", capture(tmp_path))
    assert result.exit_code == 2
    assert "ask for one" in result.stderr


def test_the_header_of_a_capture_is_what_the_contract_shows() -> None:
    header = json.loads(
        '{"speedsign_capture":1,"radar":"ops243","baud":115200,"started":"2026-05-04T07:00:00Z"}'
    )
    out = io.StringIO()
    CaptureWriter(out, CaptureHeader("ops243", 115200, "2026-05-04T07:00:00Z"), 0.0)
    assert json.loads(out.getvalue()) == header
