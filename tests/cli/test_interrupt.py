"""Ctrl-C where nobody waits for it: in the moments between two prompts, and while something is written."""

from __future__ import annotations

import importlib
import signal
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

import telemetry.calibration
from speedsign.cli import calibrate_angle, calibrate_drive_by, calibrate_traffic, main
from speedsign.cli.calibrating import change
from speedsign.cli.interrupt import undisturbed
from tests.cli.calibrations import CLEAN, Desk, ld2415h_capture

MEASURED = ("--lateral", "4", "--height", "3", "--aim", "40", "--read-at", "30", "--by", "Anna")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write()
    return desk


def ctrl_c(*_args: object, **_more: object) -> NoReturn:
    raise KeyboardInterrupt


def test_between_two_prompts_of_calibrate_it_is_a_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.text
    for module, name, args in (
        (calibrate_angle, "lines_of", ("angle", *MEASURED)),
        (calibrate_angle, "open_book", ("angle", *MEASURED)),
        (calibrate_drive_by, "_finding", ("drive-by", "--run", "50=49", "--by", "Anna")),
        (calibrate_traffic, "source_of", ("traffic", "--by", "Anna")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, ctrl_c)
            result = desk.run(*args)
        assert result.exit_code == 1
        assert "Aborted" not in result.output
        said = (
            "stopped" if name == "open_book" else "stopped: no record was kept, and the config is as it was"
        )
        assert result.stderr.splitlines()[-1] == f"speedsign calibrate {args[0]}: {said}"
    assert desk.records == []
    assert desk.text == before


def test_a_record_that_is_being_written_is_written_whole_and_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = telemetry.calibration.keep

    def interrupted(*args: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return keep(*args)

    monkeypatch.setattr(telemetry.calibration, "keep", interrupted)
    result = desk.run("drive-by", "--run", "50=49", "--by", "Anna")
    assert result.exit_code == 1
    assert f"stopped: record {desk.record['key'][:8]} is kept" in result.stderr


def test_a_config_that_is_being_written_is_written_whole_and_has_its_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = change._write

    def interrupted(*args: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        write(*args)

    monkeypatch.setattr(change, "_write", interrupted)
    capture = desk.folder / "road.jsonl"
    ld2415h_capture(capture, 40, 6.0)
    result = desk.run("traffic", "--capture", capture, "--by", "Anna", "--write")
    assert result.exit_code == 0
    assert desk.record["after"]["radar.mounting_angle_deg"] > 0.0
    assert f"mounting_angle_deg = {desk.record['after']['radar.mounting_angle_deg']:g}" in desk.text


def test_commission_says_what_it_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "sign.toml"
    for name in ("read_draft", "_left_to_do", "Keyboard"):
        with monkeypatch.context() as patch:
            patch.setattr(importlib.import_module("speedsign.cli.commission"), name, ctrl_c)
            result = CliRunner().invoke(main, ["commission", "--config", str(config)], env=CLEAN)
        assert result.exit_code == 1
        assert result.stderr == (
            "speedsign commission: stopped; the config is as it was;"
            f" go on with: speedsign commission --config {config}\n"
        )


def test_a_command_that_is_still_loaded_says_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", ctrl_c)
    result = CliRunner().invoke(main, ["calibrate", "angle"], env=CLEAN)
    assert (result.exit_code, result.stderr) == (1, "speedsign: stopped\n")


def test_what_waited_comes_at_the_end() -> None:
    done = []

    def write() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("written")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == ["written"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
