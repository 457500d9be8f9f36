"""calibrate certificate: one page that says who measured what with what result, and what it is not."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from speedsign.calibration.record import Calibration, Kind, Verdict, line_of, of_json
from speedsign.language import LANGUAGES
from speedsign.model import ClockQuality
from telemetry.calibration import keep, log_path
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.hub.traffic import make_hub, said_by
from tests.report.reports import CERTIFIED
from tests.telemetry.calibrations import SIGN, record
from tests.telemetry.samples import BAUSKA, T0

DAY = timedelta(days=1)
PROOF = record(
    2,
    T0 + DAY,
    result=CERTIFIED["drive-by"].result,
    runs=[{"reference_kmh": 50.0, "measured_kmh": 49.6}, {"reference_kmh": 60.0, "measured_kmh": 60.2}],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(found, SIGN)) as store:
        store.begin(BAUSKA, T0)
    keep(found, record(1))
    keep(found, PROOF)
    keep(found, record(3, T0 + 2 * DAY, verdict=Verdict.UNDECIDED))
    keep(found, record(4, T0 + 3 * DAY, kind=Kind.PANEL, verdict=Verdict.PASS))
    return found


def certificate(path: Path, *words: str | Path) -> Any:
    return speedsign("calibrate", "certificate", "--db", path, *words)


def read(pdf: Path) -> tuple[PdfReader, str]:
    found = PdfReader(BytesIO(pdf.read_bytes()))
    return found, re.sub(r"\s+", " ", " ".join(page.extract_text() for page in found.pages))


def test_the_newest_proof_of_speed_on_one_page(path: Path) -> None:
    out = path.with_name("c.pdf")
    result = certificate(path, "--out", out, "--language", "en")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{out}: ")
    pdf, text = read(out)
    assert len(pdf.pages) == 1
    for said in (
        "Calibration record: Bauska, Rīgas iela",
        "Vehicle of known speed; 5 May 2026; bauska-3",
        "passed",
        "0.997",
        "95 % range: 0.985 to 1.009",
        "2027-05-05",
        "The speeds of the sign were within the tolerance.",
        "no verification by an authority",
        "no legal measuring instrument",
        "Jānis Bērziņš",
        "2026-05-05 10:00 (07:00 UTC); the clock was synchronised",
        "identity: OPS243-C; unit: km/h",
        "radar.mounting_angle_deg 0 12.5",
        "1 50.0 49.6 −0.4 −0.3",
        "2 60.0 60.2 +0.2 +0.4",
        "Tolerance: ±1 km/h up to 50 km/h, ±2 % above",
        PROOF.key,
        "Line in the file of calibrations: 2.",
    ):
        assert said in text, said
    assert hashlib.sha256(line_of(PROOF).encode()).hexdigest() in text.replace(" ", "")


@pytest.mark.parametrize("code", LANGUAGES)
def test_in_each_language_tagged_and_with_its_title(path: Path, code: str) -> None:
    out = path.with_name("c.pdf")
    assert certificate(path, "-o", out, "--language", code).exit_code == 0
    pdf, text = read(out)
    root: Any = pdf.root_object
    assert root["/Lang"] == code
    assert root["/MarkInfo"]["/Marked"]
    said = {
        "en": ("passed", "no verification by an authority"),
        "lv": ("atbilst", "verificēšana"),
        "lt": ("atitinka", "metrologinė patikra"),
    }
    assert {other for other, texts in said.items() if all(one in text for one in texts)} == {code}


def test_many_runs_leave_one_page_and_the_file_has_them_all(path: Path) -> None:
    runs = [{"reference_kmh": 50.0 + n / 10, "measured_kmh": 50.1 + n / 10} for n in range(300)]
    crowded = record(
        5,
        T0 + 4 * DAY,
        runs=runs,
        note="wet road " * 200,
        device={f"setting {n}": "x" * 30 for n in range(60)},
    )
    keep(path, crowded)
    out = path.with_name("c.pdf")
    assert certificate(path, "-o", out, "--language", "lt").exit_code == 0
    pdf, text = read(out)
    assert len(pdf.pages) == 1
    assert re.search(r"ir dar 2\d\d", text)
    assert len(as_json(certificate(path, "--json"))["record"]["runs"]) == 300


def test_a_fork_that_failed_under_a_clock_that_nobody_believed(path: Path) -> None:
    told = CERTIFIED["fork"]
    fork = record(
        6,
        kind=Kind.FORK,
        verdict=Verdict.FAIL,
        clock=ClockQuality.UNKNOWN,
        result=told.result,
        runs=told.runs,
    )
    keep(path, fork)
    out = path.with_name("c.pdf")
    assert certificate(path, fork.key, "-o", out, "--language", "en").exit_code == 0
    _, text = read(out)
    for said in (
        "failed",
        "The speeds of the sign were outside the tolerance.",
        "nobody vouched for the clock",
        "2,000.0 44.7 46.1 120",
        "95 % range: 46.00 to 46.20",
        "Tolerance: ±1.0 km/h.",
    ):
        assert said in text, said
    assert as_json(certificate(path, fork.key, "--json"))["clock_trusted"] is False


def test_a_panel_by_its_key(path: Path) -> None:
    out = path.with_name("c.pdf")
    key = f"{4:032x}"
    assert certificate(path, key, "-o", out, "--language", "en").exit_code == 0
    assert "What was checked is as it should be." in read(out)[1]


def drive_by(number: int, **more: Any) -> Calibration:
    told: dict[str, Any] = {
        "result": {**PROOF.result, "at_kmh": 52.4, "reference_sd_kmh": 0.25},
        "device": {"reference": "gps", "mph": False, "by": "sign", "says": {"product": "OPS243-A"}},
    }
    return record(number, T0 + number * DAY, runs=PROOF.runs, **(told | more))


def page(path: Path, one: Calibration, code: str = "en") -> str:
    out = path.with_name("c.pdf")
    assert certificate(path, one.key, "-o", out, "--language", code).exit_code == 0
    pdf, text = read(out)
    assert len(pdf.pages) == 1
    return text


def test_the_reference_and_where_the_sign_s_speeds_came_from(path: Path) -> None:
    heard = drive_by(6)
    keep(path, heard)
    text = page(path, heard)
    for said in (
        "Mean error at 52 km/h",
        "True speed by GPS; standard deviation, the same in all runs: 0.25 km/h",
        "Speeds of the sign from the running sign",
        "set to product: OPS243-A",
        "the clock was synchronised",
    ):
        assert said in text, said
    assert not re.search("reference: gps|False|no radar|Caution", text)
    assert as_json(certificate(path, heard.key, "--json"))["listened"] is True


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", ("no radar was listened to", "tachograph; read in mph", "the config of the sign vouched")),
        ("lv", ("radara rādījumi netika nolasīti", "tahogrāfs; nolasīts jūdzēs", "apliecina displeja")),
        ("lt", ("radaro rodmenys nebuvo skaitomi", "tachografas; rodoma myliomis", "patvirtina švieslentės")),
    ],
)
def test_runs_that_were_typed_in_are_told_from_measured_ones(
    path: Path, code: str, said: tuple[str, ...]
) -> None:
    device = {"reference": "tachograph", "mph": True, "by": "given"}
    typed = drive_by(6, device=device, clock_by="config")
    keep(path, typed)
    text = page(path, typed, code)
    for one in said:
        assert one in text, one
    assert not re.search("tachograph: |mph: |True|the clock was synchronised", text.replace("True speed", ""))
    told = as_json(certificate(path, typed.key, "--json"))
    assert (told["listened"], told["clock_by"], told["clock_trusted"]) == (False, "config", True)
    keep(path, drive_by(7, device={"reference": "gps", "mph": False}))  # by an earlier version
    assert as_json(certificate(path, drive_by(7).key, "--json"))["listened"] is False


CAUTIONS = {
    "other in file": ("contradict each other on this record", "ir pretrunā", "prieštarauja vienas kitam"),
    "not in file": ("its line is gone from the file", "failā vairs nav", "faile nebėra"),
    "chain": ("or one before it, was changed", "kāda pirms tās vēlāk ir mainīta", "vėliau buvo pakeista"),
}


@pytest.mark.parametrize("doubt", CAUTIONS)
def test_what_the_file_and_the_database_do_not_say_alike_stands_on_the_page(path: Path, doubt: str) -> None:
    failed = drive_by(6, verdict=Verdict.FAIL)
    keep(path, failed)
    log = log_path(path)
    lines = log.read_bytes().splitlines(keepends=True)
    match doubt:
        case "other in file":
            lines[-1] = lines[-1].replace(b'"verdict":"fail"', b'"verdict":"pass"')
        case "not in file":
            del lines[-1]
        case "chain":
            lines[0] = lines[0].replace(b"OPS243-C", b"OPS243-A")
    log.write_bytes(b"".join(lines))
    said = dict(zip(("en", "lv", "lt"), CAUTIONS[doubt], strict=True))
    for code in LANGUAGES:
        assert said[code] in page(path, failed, code)
    assert "The speeds of the sign were outside the tolerance." in page(path, failed)
    told = as_json(certificate(path, "--json", "--language", "en"))
    assert told["record"]["verdict"] == "fail"
    assert [one["what"] for one in told["doubts"]] == [doubt]
    assert said["en"] in told["doubts"][0]["text"]


def test_the_newest_proof_is_the_one_that_was_kept_last(path: Path) -> None:
    late = record(6, T0 + 4000 * DAY, clock=ClockQuality.UNKNOWN)
    failed = record(7, T0 + 5 * DAY, verdict=Verdict.FAIL)
    keep(path, late)
    keep(path, failed)
    assert as_json(certificate(path, "--json"))["record"]["key"] == failed.key


def test_json_has_the_record_its_hash_and_its_place_in_the_chain(path: Path) -> None:
    out = path.with_name("c.json")
    assert certificate(path, "-o", out, "--language", "lv").exit_code == 0
    told = json.loads(out.read_text())
    assert line_of(of_json(told["record"])) == line_of(PROOF)
    assert told["sha256"] == hashlib.sha256(line_of(PROOF).encode()).hexdigest()
    raw = log_path(path).read_bytes().splitlines()
    assert told["log"] == {
        "line": 2,
        "sha256": hashlib.sha256(raw[1]).hexdigest(),
        "previous": hashlib.sha256(raw[0]).hexdigest(),
    }
    assert (told["language"], told["clock_trusted"], told["clock_by"]) == ("lv", True, "synchronised")
    assert told["doubts"] == []
    assert "verificēts" in told["statement"]
    assert as_json(certificate(path, "--json", "--language", "lv")) == told


def test_the_language_is_that_of_the_sign_s_country(path: Path) -> None:
    assert as_json(certificate(path, "--json"))["language"] == "lv"


def test_without_a_name_it_is_a_pdf_in_the_current_folder(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    assert certificate(path).exit_code == 0
    assert (path.parent / "calibration-bauska-3-2026-05-05.pdf").read_bytes().startswith(b"%PDF")


def test_an_undecided_proof_is_taken_where_there_is_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    keep(path, record(1, verdict=Verdict.UNDECIDED))
    assert as_json(certificate(path, "--json", "--language", "en"))["verdict"].endswith("is open.")
    assert as_json(certificate(path, "--json"))["language"] == "en"  # no database says where it stands


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--out", "c.doc"), 2, "c.doc: cannot tell the format; end the name in .pdf, .json"),
        (("ffff", "--json"), 2, "no calibration's key begins with 'ffff'"),
        (("--sign", "x", "--json"), 2, "there is no calibration of 'x'; there are some of bauska-3"),
    ],
)
def test_what_cannot_be_done(path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    result = certificate(path, *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_neither_the_database_nor_the_record_is_written_over(path: Path) -> None:
    link = path.with_name("log.json")
    link.hardlink_to(log_path(path))
    before = log_path(path).read_bytes()
    assert certificate(path, "-o", link).exit_code == 2
    assert log_path(path).read_bytes() == before


def test_where_no_speed_was_proved(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    keep(path, record(1, kind=Kind.PANEL))
    result = certificate(path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no speed was proved yet; run speedsign calibrate drive-by or fork" in result.stderr


def test_several_signs_and_none_named(path: Path) -> None:
    keep(path, record(7, sign="iecava-2"))
    assert "name one with --sign: bauska-3, iecava-2" in certificate(path).stderr
    assert as_json(certificate(path, "--sign", "iecava-2", "--json"))["record"]["sign"] == "iecava-2"


def test_a_hub_was_told_too_little_for_one(path: Path) -> None:
    hub = make_hub(path.with_name("hub.db"), said_by(path, SIGN))
    log_path(path).rename(path.with_name("elsewhere.jsonl"))
    result = certificate(hub, "--json")
    assert result.exit_code == 1
    assert "only the result was told to the hub; make the certificate at the sign" in result.stderr
