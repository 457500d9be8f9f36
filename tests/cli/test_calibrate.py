"""speedsign calibrate … without a radar: geometry, recordings, given runs, tables; prompts and refusals."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from speedsign.calibration.record import Kind, Verdict, of_json
from speedsign.cli.calibrating.book import Book, Finding
from speedsign.cli.calibrating.runs import hint
from speedsign.cli.commissioning.records import Then
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from speedsign.model import ClockQuality
from tests.cli.calibrations import Desk, ld2415h_capture

TAPE = ("--lateral", "4", "--height", "3", "--aim", "30")
GOOD_RUNS = ("--run", "50=49.9", "--run", "50=50.1", "--run", "40=40.0", "--run", "60=60.1", "--run", "50=50")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write()
    return desk


# --------------------------------------------------------------------------- angle


def test_the_tape_measure_is_drawn_and_kept_and_the_beam_is_never_written(desk: Desk) -> None:
    before = desk.text
    result = desk.run("angle", *TAPE, "--by", "Anna", "--note", "rain")
    assert result.exit_code == 0
    assert "Beam to road: 8.7 degrees" in result.stdout
    assert "The angle of the beam is not written: it would make speeds too high." in result.stdout
    assert "   30 m     8.7 deg     -1.2%  -0.6 km/h     +0.0%  +0.0 km/h" in result.stdout
    assert desk.text == before
    record = of_json(desk.record)
    assert (record.kind, record.by, record.note, record.site) == ("angle", "Anna", "rain", "Main Street")
    assert record.runs == ({"lateral_m": 4.0, "height_m": 3.0, "aim_m": 30.0},)
    assert record.before == record.after == {"radar.mounting_angle_deg": 0.0}
    assert record.verdict == "done"


def test_it_asks_for_what_is_missing_again_and_again(desk: Desk) -> None:
    typed = "\n \nAnna  K.\nfour\n-1\n4,0 m\n3\n30\n"
    result = desk.run("angle", typed=typed)
    assert result.exit_code == 0
    assert result.stdout.count("a record needs a name") == 2
    assert "'four' is no distance; write metres, 3.5 for example" in result.stdout
    assert "-1 m cannot be; 0 to 50 m" in result.stdout
    assert desk.record["by"] == "Anna K."
    assert desk.record["runs"][0]["lateral_m"] == 4.0


def test_the_angle_at_which_cars_are_read_is_proposed_written_and_its_consequences_said(desk: Desk) -> None:
    result = desk.run("angle", *TAPE, "--read-at", "12", "--by", "Anna", typed="perhaps\nY\n")
    assert result.exit_code == 0
    assert "answer y or n" in result.stdout
    assert "Write radar.mounting_angle_deg = 21? [Y/n]" in result.stdout
    assert "turn the radar more along the road" in result.stdout
    assert "sudo systemctl restart speedsign" in result.stdout
    assert "mounting_angle_deg = 21.0\n" in desk.text
    assert 'id = "test-sign"  # ours' in desk.text
    record = desk.record
    assert record["after"] == {"radar.mounting_angle_deg": 21.0}
    assert record["mounting_angle_deg"] == 21.0
    again = desk.run("angle", *TAPE, "--read-at", "12", "--by", "Anna")
    assert again.exit_code == 0
    assert "mounting_angle_deg is 21 already" in again.stdout


@pytest.mark.parametrize("how", [("--no-write",), ()])
def test_who_does_not_want_it_written_has_an_undecided_record(desk: Desk, how: tuple[str, ...]) -> None:
    before = desk.text
    result = desk.run("angle", *TAPE, "--read-at", "12", "--by", "Anna", *how, typed="n\n")
    assert result.exit_code == 1
    assert "left as it is" in result.stdout
    assert desk.text == before
    assert desk.record["verdict"] == "undecided"
    assert desk.record["after"] == {"radar.mounting_angle_deg": 0.0}


def test_a_config_with_the_angle_of_the_beam_is_called_too_much(desk: Desk) -> None:
    desk.write(radar="mounting_angle_deg = 9\n")
    result = desk.run("angle", *TAPE, "--by", "Anna")
    assert "The config has 9 degrees, about that of the beam: too much." in result.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--yes", "--by", "A"), "with --yes nobody is asked: give --lateral, --height, --aim (or --turned)"),
        ((*TAPE, "--yes"), "who calibrates? With --yes nobody is asked: give --by NAME"),
        ((*TAPE, "--turned", "10"), "choose one"),
        ((*TAPE, "--by", " "), "--by: a record needs a name"),
        ((*TAPE, "--by", "x" * 81), "at most 80 characters"),
        ((*TAPE, "--by", "A", "--note", "x" * 1001), "--note is longer than 1000"),
        ((*TAPE, "--by", "A", "--read-at", "1"), "cars at 1 m are seen at 78 degrees: too near to be read"),
        (("--lateral", "40", "--height", "3", "--aim", "5", "--by", "A"), "aim farther along the road"),
        (("--lateral", "nan", *TAPE[2:]), "is not a number"),
        (TAPE, "nobody answers 'Your name:'; give --by NAME"),
        (TAPE[2:], "give --by NAME"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_kept(desk: Desk, args: tuple[str, ...], said: str) -> None:
    result = desk.run("angle", *args, typed="")
    assert result.exit_code == 2
    assert said in result.stderr
    assert desk.records == []


def test_a_dry_run_needs_neither_config_nor_name_and_leaves_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    from tests.cli.command import speedsign

    result = speedsign("calibrate", "angle", *TAPE, "--read-at", "12", "--dry-run")
    assert result.exit_code == 1
    assert "dry run: the config is not touched; it would say radar.mounting_angle_deg = 21" in result.stdout
    assert list(tmp_path.iterdir()) == []
    assert desk.records == []


@pytest.mark.parametrize("columns", ["40", "80"])
def test_everything_fits_the_screen(desk: Desk, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = desk.run("angle", *TAPE, "--dry-run")
    drawn = result.stdout.split("\n\nThe angle of the beam")[0]
    assert max(map(len, drawn.splitlines())) <= int(columns)
    assert drawn.isascii()


def test_the_outcome_as_json_has_nothing_else_on_stdout(desk: Desk) -> None:
    result = desk.run("angle", *TAPE, "--by", "Anna", "--json")
    found = json.loads(result.stdout)
    assert found["record"]["key"] == desk.record["key"]
    assert found["kept"] == str(desk.folder / "calibrations.jsonl")
    assert found["config_written"] is False
    assert "Beam to road" in result.stderr


def test_a_config_that_cannot_be_written_costs_neither_file_nor_record(desk: Desk) -> None:
    target = desk.folder / "real.toml"
    desk.config.rename(target)
    desk.config.symlink_to(target)
    before = desk.text
    result = desk.run("angle", *TAPE, "--read-at", "12", "--by", "Anna", "--write")
    assert result.exit_code == 1
    assert "is a link to" in result.stderr
    assert desk.text == before
    assert desk.record["after"] == {"radar.mounting_angle_deg": 0.0}


def test_a_record_that_cannot_be_kept_is_printed(desk: Desk) -> None:
    desk.config.write_text(desk.text.replace(f"{desk.folder}/sign.db", f"{desk.folder}/none/sign.db"))
    result = desk.run("angle", *TAPE, "--by", "Anna")
    assert result.exit_code == 1
    assert '"by":"Anna"' in result.stdout
    assert "create" in result.stderr
    assert "none" in result.stderr


# --------------------------------------------------------------------------- traffic


def test_a_recording_tells_the_angle_and_it_is_written(desk: Desk) -> None:
    desk.write(driver="ld2415h")
    capture = desk.folder / "road.jsonl"
    ld2415h_capture(capture, 60, beside_m=5.0)
    result = desk.run("traffic", "--capture", capture, "--by", "Anna", "--yes")
    assert result.exit_code == 0, result.output
    record = desk.record
    found = record["result"]
    assert found["low_deg"] < found["angle_deg"] < found["high_deg"]
    assert abs(found["beside_m"] - 5.0) < 1.0
    assert len(record["runs"]) == 60
    assert record["runs"][0]["t_s"][0] == 0.0
    assert f"mounting_angle_deg = {round(found['angle_deg'], 1):g}" in desk.text
    assert record["verdict"] == "done"
    assert record["device"]["capture"] == "road.jsonl"


def test_too_few_cars_are_undecided_and_the_config_stays(desk: Desk) -> None:
    capture = desk.folder / "road.jsonl"
    ld2415h_capture(capture, 12, beside_m=5.0)
    before = desk.text
    result = desk.run("traffic", "--capture", capture, "--by", "Anna", typed="\n")
    assert result.exit_code == 1
    assert "Traffic does not tell: 12 usable passages of 12; 30 are needed." in result.stdout
    assert "Keep 12 cars as undecided? [Y/n]" in result.stdout
    assert desk.record["verdict"] == "undecided"
    assert desk.text == before
    assert desk.run("traffic", "--capture", capture, "--by", "Anna", typed="n\n").exit_code == 1
    assert len(desk.records) == 1


def test_who_does_not_answer_after_a_measurement_loses_nothing(desk: Desk) -> None:
    capture = desk.folder / "road.jsonl"
    ld2415h_capture(capture, 40, beside_m=6.0)
    result = desk.run("traffic", "--capture", capture, "--by", "Anna", typed="")
    assert result.exit_code == 1
    assert "give --write or --no-write" in result.stderr
    assert desk.record["verdict"] == "undecided"
    assert len(desk.record["runs"]) == 40


def test_a_sensor_that_corrects_itself_is_refused(desk: Desk) -> None:
    capture = desk.folder / "road.jsonl"
    ld2415h_capture(capture, 40, beside_m=6.0, corrects=1.1)
    lines = capture.read_text().splitlines()
    said = b"X1:01 X2:19 X3:00 X4:00 X5:00 X6:00\r\n"
    from speedsign.calibration.sensor_angle import told_angles
    from speedsign.model import Reply
    from speedsign.registry import load_radar

    replies = [one for one in load_radar("ld2415h").decoder(None).feed(said, 0.0) if isinstance(one, Reply)]
    assert told_angles("ld2415h", replies[0].values) == {"both": 25.0}
    lines.insert(1, json.dumps({"t": 0.0, "hex": said.hex()}))
    capture.write_text("\n".join(lines) + "\n")
    result = desk.run("traffic", "--capture", capture, "--by", "Anna", "--yes")
    assert result.exit_code == 1
    assert "the radar corrects for 25 degrees (both) itself" in result.stderr
    assert "speedsign radar setup" in result.stderr
    assert desk.records == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--capture", "road.jsonl", "--port", "/dev/x"), 2, "--capture needs no radar"),
        (("--capture", "none.jsonl", "--by", "A"), 1, "none.jsonl"),
        (("--port", "/dev/none", "--driver", "houston", "--by", "A"), 1, "houston tells no direction"),
        (("--port", "/dev/none", "--driver", "ops243", "--by", "A"), 1, "/dev/none: no such device"),
        (("--by", "A"), 1, "/dev/none: no such device"),
        (("--cars", "3"), 2, "30<=x<=2000"),
    ],
)
def test_what_traffic_cannot_be_measured_with(
    desk: Desk, args: tuple[str, ...], code: int, said: str
) -> None:
    result = desk.run("traffic", *args)
    assert result.exit_code == code
    assert said in result.stderr
    assert desk.records == []


def test_a_recording_without_directions_or_cars_says_so(desk: Desk) -> None:
    capture = desk.folder / "road.jsonl"
    ld2415h_capture(capture, 0, beside_m=5.0)
    result = desk.run("traffic", "--capture", capture, "--by", "Anna")
    assert result.exit_code == 1
    assert "no car approached: nothing to keep" in result.stderr
    assert desk.records == []


# --------------------------------------------------------------------------- drive-by, given


def test_runs_that_were_measured_already_are_judged_and_kept(desk: Desk) -> None:
    result = desk.run("drive-by", *GOOD_RUNS, "--by", "Anna", "--reference", "gps")
    assert result.exit_code == 0
    assert "within" in result.stdout
    assert "due again: " in result.stdout
    record = desk.record
    assert (record["kind"], record["verdict"]) == ("drive-by", "pass")
    assert record["runs"][0] == {"reference_kmh": 50.0, "measured_kmh": 49.9}
    assert record["result"]["factor"]["low"] < 1.0 < record["result"]["factor"]["high"]
    assert record["device"] == {"reference": "gps", "mph": False, "by": "given"}
    assert record["clock_by"] == "config"  # the sign's says [clock] trust = "always"


def test_a_clock_that_nobody_vouches_for_gives_no_due_date(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.config.write_text(desk.text.replace('trust = "always"', ""))
    monkeypatch.setattr(SystemClock, "trusted", lambda _self: False)
    result = desk.run("drive-by", *GOOD_RUNS, "--by", "Anna")
    assert result.exit_code == 0
    assert "nobody vouches for this machine's clock" in result.stdout
    assert (desk.record["clock"], desk.record["due"]) == ("unknown", None)


def test_a_sign_that_is_wrong_fails_with_a_hint(desk: Desk) -> None:
    result = desk.run("drive-by", *(f"--run={v}={v * 0.93}" for v in (40, 45, 50, 55)), "--by", "Anna")
    assert result.exit_code == 1
    assert (
        "outside. An angle of about 22 degrees would do that: speedsign calibrate traffic." in result.stdout
    )
    assert desk.record["verdict"] == "fail"
    assert desk.record["due"] is None


def test_too_few_or_too_wild_runs_are_kept_as_undecided(desk: Desk) -> None:
    assert desk.run("drive-by", "--run", "50=49", "--by", "Anna").exit_code == 1
    assert desk.record["verdict"] == "undecided"
    wild = ("--run", "50=47", "--run", "50=53", "--run", "50=51")
    result = desk.run("drive-by", *wild, "--by", "Anna")
    assert "not yet known" in result.stdout
    assert desk.records[1]["verdict"] == "undecided"


def test_an_unsure_reference_never_gives_a_verdict_and_says_so(desk: Desk) -> None:
    result = desk.run("drive-by", *GOOD_RUNS, "--by", "Anna", "--reference-sd", "2")
    assert result.exit_code == 1
    assert "more runs do not help: the reference is too unsure" in result.stdout


def test_runs_from_a_file_in_miles(desk: Desk) -> None:
    path = desk.folder / "runs.csv"
    path.write_text("reference,measured,note\n31,49.9,dry\n31,49.8,\n25,40.2,\n")
    result = desk.run("drive-by", "--runs", path, "--mph", "--by", "Anna")
    assert result.exit_code == 0, result.output
    assert desk.record["runs"][0]["reference_kmh"] == 49.89


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "needs a header line, reference,measured or reference;measured, and a line a run"),
        (b"a,b\n1,2\n", "needs a header line"),
        (b"reference,reference,measured\n50,49,49\n", "needs a header line"),
        (b"reference,measured\n", "has a header and no runs"),
        (b"reference,measured\n50,fast\n", "runs.csv:2: 'fast' is no speed"),
        (b"reference,measured\n\n50,5_0\n", "runs.csv:3: '5_0' is no speed"),
        (b"reference,measured\n50\n", "runs.csv:2: 1 columns, and 2 in the first line"),
        (b"reference,measured\n50,0\n", "runs.csv:2: 0 is no speed of a car"),
        (b"reference,measured\n50,49,6\n", "write reference;measured and 50,0;49,6"),
        (b"reference,measured\n50,0,49,6\n", "runs.csv:2: 4 columns, and 2 in the first line"),
        (b"reference,measured,note\n50,49,6\n", "runs.csv:2: 50,49,6 can be read in two ways; write 50.0"),
        (b"reference;measured\n50,0,49,6\n", "1 columns, and 2 in the first line; semicolons stand between"),
        (b"reference,measured\n50.0;49.6\n", "runs.csv:2: 1 columns"),
        (b"reference\tmeasured\n50,0 49,6\n", "tabs stand between them"),
        (b"reference;measured\n1.050,0;49,6\n", "runs.csv:2: '1.050,0' is no speed"),
        (b'reference,measured\n"50,49\n', "runs.csv:2: "),
        (b"reference,measured\n" + b"50,50\n" * 1001, "more than 1000 runs are too many"),
        (b"reference,measured\n" + b"50,50\n" * 200_000, "is longer than 1000 kB"),
        (b"reference,measured\n50,\xff\n", "is not UTF-8; save it as CSV UTF-8"),
    ],
)
def test_a_file_that_is_none_of_runs_is_named(desk: Desk, text: bytes, said: str) -> None:
    path = desk.folder / "runs.csv"
    path.write_bytes(text)
    result = desk.run("drive-by", "--runs", path, "--by", "Anna")
    assert result.exit_code == 2
    assert said in result.stderr
    assert desk.records == []


@pytest.mark.parametrize(
    "content",
    [
        b"reference,measured\n50.0,49.6\n51,50.5\n",
        b"\xef\xbb\xbfReference, Measured\r\n50.0, 49.6\r\n51.0, 50.5\r\n\r\n",
        b"reference;measured\r\n50,0;49,6\r\n51;50,5\r\n;\r\n",
        b"reference;measured\n50.0;49.6\n51.0;50.5",
        b"REFERENCE\tMeasured\tnote\n50,0\t49,6\twet, dark\n51,0\t50,5\t\n",
        b'"reference","measured"\n"50,0","49,6"\n"51,0","50,5"\n',
        b"note,measured,reference\n1,49.6,50.0\nAnna,50.5,51\n",
        "reference\tmeasured\r\n50,0\t49,6\r\n51,0\t50,5\r\n".encode("utf-16"),
    ],
)
def test_runs_are_read_however_a_spreadsheet_writes_them(desk: Desk, content: bytes) -> None:
    path = desk.folder / "runs.csv"
    path.write_bytes(content)
    desk.run("drive-by", "--runs", path, "--by", "Anna")
    assert [tuple(run.values()) for run in desk.record["runs"]] == [(50.0, 49.6), (51.0, 50.5)]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--run", "50"), "write REFERENCE=MEASURED, 50=49.6 for example"),
        (("--run", "50=inf"), "inf is no speed of a car"),
        (("--run", "x=50"), "'x' is no speed"),
        (("--runs", "none.csv"), "none.csv: cannot be read"),
        (
            ("--yes", "--by", "A"),
            "with --yes nobody is asked how fast it was: give --run 50=49.6, or --runs FILE",
        ),
        (("--reference", "eye"), "'eye' is not one of"),
    ],
)
def test_runs_that_are_none_are_refused(desk: Desk, args: tuple[str, ...], said: str) -> None:
    result = desk.run("drive-by", *args)
    assert result.exit_code == 2
    assert said in result.stderr


def test_numbers_take_a_comma_where_it_means_one_thing(desk: Desk) -> None:
    desk.run("drive-by", "--run", "50,5=49,6", "--by", "Anna", "--reference-sd", "0,250")
    assert desk.record["result"]["reference_sd_kmh"] == 0.25
    result = desk.run("drive-by", "--run", "50=49.6", "--by", "Anna", "--reference-sd", "1,000")
    assert result.exit_code == 2
    assert "1,000 may mean 1000 or 1.000: write one of these." in result.stderr
    result = desk.run("drive-by", "--run", "50=49.6", "--by", "Anna", "--reference-sd", "0,2,5")
    assert "0,2,5 is no number." in result.stderr


@pytest.mark.parametrize("note", ["caf\udce9", "bell\a", "two\nlines", "\x1b[2J", "a\u202eb"])
def test_a_note_that_cannot_be_kept_is_refused_before_anything_is_measured(desk: Desk, note: str) -> None:
    result = desk.run("drive-by", "--run", "50=49.6", "--by", "Anna", "--note", note)
    assert result.exit_code == 2
    assert "cannot be printed; write it as UTF-8, on one line" in result.stderr
    assert desk.records == []
    desk.run("drive-by", "--run", "50=49.6", "--by", "Anna", "--note", "café, Šiauliai\N{NO-BREAK SPACE}5")
    assert desk.record["note"] == "café, Šiauliai\N{NO-BREAK SPACE}5"


@pytest.mark.parametrize(
    ("factor", "angle_deg", "said"),
    [
        (0.62, 0.0, "between km/h and mph"),
        (1.61, 0.0, "between km/h and mph"),
        (0.28, 0.0, "between km/h and m/s"),
        (1.04, 15.0, "mounting_angle_deg = 15 may be too much"),
        (0.966, 0.0, "An angle of about 15 degrees"),
        (1.04, 0.0, "calibrate fork"),
    ],
)
def test_what_a_factor_may_come_from(factor: float, angle_deg: float, said: str) -> None:
    assert said in hint(factor, angle_deg)


# --------------------------------------------------------------------------- fork


def test_the_table_needs_no_config_and_fits_a_phone() -> None:
    from tests.cli.command import speedsign

    result = speedsign("calibrate", "fork", "--table")
    assert result.exit_code == 0
    assert "     2235    50.0    31.1" in result.stdout
    assert "     2518    56.3    35.0" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 40
    rows = json.loads(speedsign("calibrate", "fork", "--table", "--json", "--band", "34.7").stdout)
    fifty = next(row for row in rows if round(row["kmh"], 3) == 50)
    assert round(fifty["hertz"]) == 3215


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--yes", "--by", "A"), 2, "give --fork 2000Hz"),
        (("--fork", "2000"), 2, "'2000' is no fork; write 2000Hz, 45km/h or 35mph"),
        (("--fork", "0Hz"), 2, "0Hz reads as no speed of a car"),
        (("--fork", "99999Hz"), 2, "reads as no speed of a car"),
        (("--fork", "1.2.3Hz"), 2, "1.2.3 is no number"),
        (("--band", "5"), 2, "'--band'"),
        (("--fork", "2000Hz", "--by", "A"), 1, "/dev/none: no such device"),
    ],
)
def test_a_fork_that_cannot_be_held(desk: Desk, args: tuple[str, ...], code: int, said: str) -> None:
    result = desk.run("fork", *args)
    assert result.exit_code == code
    assert said in result.stderr
    assert desk.records == []


def test_what_may_hide_a_fork_is_said_before(desk: Desk) -> None:
    result = desk.run("fork", "--by", "A", typed="soon\n300Hz\n")
    assert "'soon' is no fork" in result.stdout
    assert "300 Hz, reads 6.7 km/h (4.2 mph)" in result.stdout
    assert "note: the fork reads 7 km/h and the radar reports from 8 km/h on" in result.stdout
    assert "note: a fork swings both ways" in result.stdout
    assert result.exit_code == 1


def test_a_record_is_due_on_the_sign_s_own_day_and_says_who_vouched_for_the_clock(desk: Desk) -> None:
    night = datetime(2026, 5, 3, 21, 30, tzinfo=UTC)  # the fourth of May in Riga
    proof = Finding(kind=Kind.FORK, driver="ops243", sentence="", verdict=Verdict.PASS)
    for believed, by in ((True, ""), (False, "config")):
        book = Book(config=load_config(desk.config), config_path=desk.config, by="A", note="", dry_run=False)
        made = book.record(proof, Then(night, believed))
        assert (made.due, made.clock, made.clock_by) == (date(2027, 5, 4), ClockQuality.OK, by)
