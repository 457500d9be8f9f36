"""speedsign commission: the way through its steps, what it writes, and every way to leave it."""

from __future__ import annotations

import json
import os
import signal
import stat
import tomllib
from pathlib import Path

import pytest

from drivers.radar.setup import Outcome as SetOutcome
from drivers.radar.setup import SettingResult, SetupReport
from speedsign.cli.commissioning.steps import NAMES
from speedsign.cli.commissioning.trial import Outcome
from speedsign.config.load import load_config
from speedsign.errors import NoReply, SpeedsignError
from speedsign.model import Direction
from tests.cli.calibrations import passing
from tests.cli.commissions import PANEL, RADAR, SIGN, Office, panel_at, radar_on

SIGN_ANSWERS = ["birzai-1", "Birzai, school", "-", "50", "lt", "", "56.2, 24.75", "to town", "-"]
ALL_ANSWERS = [
    *SIGN_ANSWERS,
    "y",  # the panel shows 47
    "Anna",
    "n",  # how light
    "y",  # step of brightness
    "n",  # the car went away from the sign
    "0",  # the angle
    "", "", "", "", "", "",  # rules
    "",  # no broker
    "",  # not once more
    "y",  # write
    "y",  # start
]  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, monkeypatch)


# --------------------------------------------------------------------------- the whole way


def test_from_nothing_to_a_sign_that_runs(office: Office) -> None:
    result = office.run("--store", office.folder / "sign.db", typed=ALL_ANSWERS)
    assert result.exit_code == 0, result.output
    config = load_config(office.config)
    assert (config.sign.id, config.sign.language, config.sign.timezone) == (
        "birzai-1",
        "lt",
        "Europe/Vilnius",
    )
    assert (config.sign.latitude, config.sign.approaching_name) == (56.2, "to town")
    assert (config.radar.driver, config.radar.port, config.radar.baud) == ("ops243", RADAR, 19_200)
    assert config.radar.invert_direction is True
    assert config.display is not None
    assert (config.display.driver, config.display.unit) == ("dm56a04", 1)
    assert config.mqtt is None
    assert office.text.startswith("# The config of this sign")
    assert "ceiling_kmh" not in office.text, "what holds anyway is not written"
    assert not office.draft.exists()
    assert office.service.calls == ["start"]
    assert [one["kind"] for one in office.records] == ["panel", "brightness", "direction"]
    assert {one["by"] for one in office.records} == {"Anna"}
    assert {one["sign"] for one in office.records} == {"birzai-1"}
    assert office.bench.lit == "dark"


def test_an_old_config_keeps_its_comments_and_is_told_what_was_wrong_with_it(office: Office) -> None:
    old = office.write("baud = 9600  # a guess\n", "unit = 3\nbaud = 19200\nbrightness = 0.0\n")
    answers = ["", "", "", "", "", "", "", "", "",  # sign: as it is
               "y", "Anna", "+++++++", "y", "n", "", "", "", "", "", "", "", "", "", "y", "y"]  # fmt: skip
    result = office.run(typed=answers)
    assert result.exit_code == 0, result.output
    for wrong in (
        "9600 baud; the radar speaks 19200",
        "19200 baud; the panel speaks 9600",
        "id 3; the panel is 1",
    ):
        assert f"WRONG in the config: {wrong}" in result.output
    assert "WRONG in the config: the direction" in result.output
    assert "DIM: its brightness stands at step 1 of 8" in result.output
    assert "DIM in the config: [display] brightness = 0" in result.output
    text = office.text
    assert text.startswith("# of the town\n")
    assert 'id = "old-sign"  # ours' in text
    assert "baud = 19200 # a guess" in text or "baud = 19200  # a guess" in text
    config = load_config(office.config)
    assert config.radar.invert_direction
    assert config.display is not None
    assert (config.display.unit, config.display.baud, config.display.brightness) == (1, 9600, 1.0)
    assert (office.folder / "speedsign.toml.before").read_text() == old
    direction = next(one for one in office.records if one["kind"] == "direction")
    assert direction["before"] == {"radar.invert_direction": False}
    assert direction["after"] == {"radar.invert_direction": True}
    assert direction["runs"] == [
        {"radar_says": "approaching", "seen": "receding", "speed_kmh": 47.0, "readings": 40}
    ]


def test_steps_alone_change_only_their_own(office: Office) -> None:
    office.write()
    result = office.run("radar", typed=["y"])
    assert result.exit_code == 0, result.output
    assert office.bench.done == [f"look {RADAR}", f"interview {RADAR}"]
    assert load_config(office.config).radar.baud == 19_200
    assert "[1/2] radar" in result.output
    assert "[2/2] write" in result.output


def test_what_needs_another_step_first_says_which(office: Office) -> None:
    result = office.run("direction", typed=["n"])
    assert "no radar is known yet; do the step radar first" in result.output
    assert result.exit_code == 2
    assert "the config is not whole yet" in result.output
    assert not office.config.exists()


# --------------------------------------------------------------------------- the draft


def test_a_draft_is_gone_on_with_and_can_be_forgotten(office: Office) -> None:
    result = office.run(typed=[*SIGN_ANSWERS, "q"])
    assert result.exit_code == 1
    assert "stopped; the config is as it was; go on with: speedsign commission --config" in result.output
    assert not office.config.exists()
    assert stat.S_IMODE(office.draft.stat().st_mode) == 0o600
    listed = office.run("--list")
    assert "sign        done" in listed.stdout
    assert "radar       done" in listed.stdout
    assert "write       open" in listed.stdout
    again = office.run(typed=["q"])
    assert "Going on with the draft: sign, radar done" in again.output
    assert "Id of the sign" not in again.output
    fresh = office.run("--fresh", typed=["q"])
    assert "Id of the sign: " in fresh.output
    assert not office.draft.exists()


def test_a_draft_that_somebody_edited_is_refused_by_name(office: Office) -> None:
    for text in (
        "not toml",
        "done = 3\nrecords=[]\nout=[]\n[values]\n",
        "done = []\n",
        "done=[]\nrecords=[]\nout=[]\nvalues=3\n",
    ):
        office.draft.write_text(text)
        result = office.run()
        assert result.exit_code == 2
        assert str(office.draft) in result.stderr
        assert "begin anew with --fresh" in result.stderr
    assert office.run("--fresh", "--list").exit_code == 0
    assert office.draft.exists(), "to list forgets nothing"


def test_the_draft_keeps_what_somebody_changes_in_the_config_meanwhile(office: Office) -> None:
    office.write()
    office.run("radar", typed=["n"])  # found, not written
    assert office.draft.exists()
    office.config.write_text(office.text.replace("limit_kmh = 50", "limit_kmh = 30"))
    result = office.run("write", typed=["y"])
    assert result.exit_code == 0, result.output
    config = load_config(office.config)
    assert (config.sign.limit_kmh, config.radar.baud) == (30, 19_200)


def test_the_list_as_json(office: Office) -> None:
    office.write()
    facts = json.loads(office.run("--list", "--json").stdout)
    assert list(facts["steps"]) == list(NAMES)
    assert facts["steps"]["radar"] == "in the config"
    assert facts["steps"]["direction"] == "open"


# --------------------------------------------------------------------------- options


def test_every_answer_by_option_asks_nothing(office: Office) -> None:
    office.terminal = False
    result = office.run(
        "--yes", *SIGN, "--site", "Birzai", "--language", "lt", "--coordinates", "56.2,24.75", "--no-invert",
        "--by", "Anna", "--lateral", "4", "--height", "3", "--aim", "30", "--read-at", "12", "--show", "both",
        "--over", "speed, =AHA", "--broker", "localhost", "--store", office.folder / "sign.db", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert facts["ok"]
    assert facts["written"]
    assert facts["started"]
    assert facts["changes"]["sign.limit_kmh"] == {"before": None, "after": 50}
    config = load_config(office.config)
    assert config.rules.show == "both"
    assert config.rules.over == ("speed", "=AHA")
    assert config.radar.mounting_angle_deg == 21.0
    assert config.mqtt is not None
    assert config.mqtt.tls is None
    assert "connect localhost as test-sign" in office.bench.done
    assert [one["kind"] for one in office.records] == ["angle"]


def test_everything_that_is_missing_is_named_at_once_before_anything_is_opened(office: Office) -> None:
    result = office.run("--yes", "--lateral", "4")
    assert result.exit_code == 2
    assert result.stderr == (
        "speedsign commission: with --yes nobody is asked; give --id, --limit, --invert or --no-invert,"
        " --height, --aim, --by\n"
    )
    assert office.bench.done == []
    office.terminal = False
    result = office.run("sign", "rules")
    assert result.stderr == (
        "speedsign commission: there is no terminal to ask at; give --yes, --id, --limit\n"
    )
    assert result.exit_code == 2
    office.write()
    assert office.run("sign").stderr == ("speedsign commission: there is no terminal to ask at; give --yes\n")


def test_an_image_is_made_without_any_device(office: Office) -> None:
    options = (
        "--yes",
        "--no-probe",
        *SIGN,
        "--no-invert",
        "--no-start",
        "--store",
        office.folder / "sign.db",
    )
    result = office.run(*options)
    assert result.exit_code == 2
    assert "give --radar-driver, --radar-port, --panel-driver, --panel-port" in result.stderr
    result = office.run(
        *options, "--radar-driver", "ld2415h", "--radar-port", "/dev/ttyAMA0", "--panel-port", "none"
    )
    assert result.exit_code == 0, result.output
    config = load_config(office.config)
    assert (config.radar.driver, config.radar.port, config.display) == ("ld2415h", "/dev/ttyAMA0", None)
    assert office.bench.done == []
    assert office.service.calls == []


def test_options_that_cannot_be_are_refused(office: Office) -> None:
    for args, said in (
        (("--id", "Ā"), "--id"),
        (("--coordinates", "north"), "write two numbers"),
        (("--coordinates", "91,0"), "must be at most 90"),
        (("--timezone", "Mars/Base"), "--timezone"),
        (("--language", "et"), "answer lv, lt or en"),
    ):
        result = office.run("sign", "--yes", *SIGN, *args)
        assert result.exit_code == 2, args
        assert said in result.stderr
    for line in ("--limit 500", "--service -rf", "--angle nan", "--angle 61", "--cars 3", "dig"):
        assert office.run("--yes", *line.split()).exit_code == 2, line


def test_a_device_that_is_not_found_ends_it_where_nobody_is_asked(office: Office) -> None:
    office.bench.radars = {RADAR: radar_on(RADAR)}
    office.bench.radars.clear()
    office.bench.others = [RADAR]
    result = office.run("--yes", *SIGN, "--no-invert")
    assert result.exit_code == 1
    assert "no radar was found; say where it is with --radar-port" in result.stderr
    office.bench.radars = {RADAR: radar_on(RADAR)}
    office.bench.panels = {}
    result = office.run("--yes", *SIGN, "--no-invert")
    assert result.exit_code == 1
    assert "no panel was found; say where it is with --panel-port, or --panel-port none" in result.stderr


def test_faults_of_the_trial_are_told_and_the_exit_code_says_so(office: Office) -> None:
    office.write()
    office.bench.outcome = Outcome(["radar: it says nothing"], 0, 0, None)
    result = office.run("test", "--yes")
    assert result.exit_code == 1
    assert "FAULT radar: it says nothing" in result.output
    assert "radar: it says nothing" in result.stderr


# --------------------------------------------------------------------------- the service


def test_a_sign_that_runs_is_stopped_with_a_yes_and_runs_again(office: Office) -> None:
    office.write()
    office.service.runs = True
    result = office.run("radar", typed=["y", "n"])
    assert "The sign is running and has the ports.\nStop it meanwhile? [y]: It is stopped." in result.output
    assert office.service.calls == ["stop", "start"]
    assert "The sign runs again." in result.output


def test_a_no_leaves_it_running(office: Office) -> None:
    office.write()
    office.service.runs = True
    result = office.run("radar", typed=["n", "n", "y"])
    assert "the sign keeps its ports; later: sudo systemctl stop speedsign" in result.output
    assert office.service.calls == []
    assert office.bench.done == []


def test_a_service_that_does_not_start_again_is_said(office: Office) -> None:
    office.write()
    office.service.runs, office.service.trouble = True, "the service cannot be started; look"
    result = office.run("radar", typed=["y", "n"])
    assert result.exit_code == 1
    assert "the service cannot be started; look" in result.stderr


def test_without_systemd_the_command_is_said(office: Office) -> None:
    office.write()
    office.service.there = False
    result = office.run("start")
    assert result.exit_code == 0
    assert f"speedsign run --config {office.config}" in result.output


def test_start_says_when_nothing_was_written(office: Office) -> None:
    office.write()
    office.run("radar", typed=["n"])
    result = office.run("start")
    assert "Not written yet: the old config is in force." in result.output
    assert office.service.calls == []


def test_not_started_is_said_how_later(office: Office) -> None:
    office.write()
    result = office.run("start", typed=["n"])
    assert "Later: sudo systemctl start speedsign" in result.output


# --------------------------------------------------------------------------- leaving


def full(office: Office, typed: list[str]) -> str:
    result = office.run("--store", office.folder / "sign.db", typed=typed)
    assert result.exit_code == 1
    return result.output


@pytest.mark.parametrize("n", range(len(ALL_ANSWERS)))
def test_the_end_of_the_input_at_any_question_leaves_all_as_it_was(office: Office, n: int) -> None:
    old = office.write()
    office.service.runs = True
    typed = ["y" if one == "y" else one for one in ALL_ANSWERS[:n]]
    where = next((k for k, one in enumerate(typed) if k >= len(SIGN_ANSWERS)), len(typed))
    typed.insert(where, "y")  # stop the sign meanwhile
    typed = typed[: n + 1 if n > len(SIGN_ANSWERS) else n]
    result = office.run(typed=typed)
    if result.exit_code == 0:
        pytest.skip("it was the last question")
    assert "the input has ended; the config is" in result.stderr
    assert office.bench.lit == "dark"
    assert office.service.runs
    if "Written" not in result.output:
        assert office.text == old


@pytest.mark.parametrize(
    "what", ["look", "interview", "scan", "standing_step", "hold", "put", "hear", "run_sign"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_ctrl_c_in_any_measurement_leaves_all_as_it_was(office: Office, what: str, number: int) -> None:
    old = office.write()
    office.service.runs = True
    office.bench.interrupt, office.bench.on_interrupt = what, lambda: os.kill(os.getpid(), number)
    steps = {"hear": "direction", "run_sign": "test", "look": "radar", "interview": "radar"}
    result = office.run(steps.get(what, "panel"), typed=["y"])
    why = {signal.SIGINT: "stopped", signal.SIGHUP: "the terminal is gone", signal.SIGTERM: "told to stop"}
    assert result.exit_code == 1
    assert f"{why[signal.Signals(number)]}; the config is as it was; go on with" in result.stderr
    assert office.text == old
    assert office.bench.lit == "dark"
    assert office.service.calls == ["stop", "start"]


def test_nothing_of_a_panel_that_nobody_confirmed_is_kept(office: Office) -> None:
    office.write(display="unit = 3\n")
    for typed in (["q"], ["b", "q"], ["s"]):
        office.run("panel", typed=typed)
        values = tomllib.loads(office.draft.read_text())["values"] if office.draft.exists() else {}
        assert "display.unit" not in values


def test_a_panel_that_holds_something_else_ends_it_where_nobody_is_asked(office: Office) -> None:
    old = office.write()
    office.bench.holds = (2,)
    result = office.run("panel", "--yes", "--no-start")
    assert result.exit_code == 1
    assert "no panel there does what it is told; see: speedsign display test" in result.stderr
    assert office.text == old


def test_b_goes_one_step_back_and_s_past_one(office: Office) -> None:
    result = office.run("sign", "rules", typed=["s", "b", "q"])
    order = [line for line in result.output.splitlines() if line.startswith("[")]
    assert [line.split()[1] for line in order] == ["sign:", "rules:"] or "Skipped: sign." in result.output
    result = office.run("sign", "broker", typed=[*SIGN_ANSWERS, "b", "q"])
    order = [line.split()[1] for line in result.output.splitlines() if line.startswith("[")]
    assert order == ["sign:", "broker:", "sign:"]


# --------------------------------------------------------------------------- what goes wrong


def test_a_step_that_fails_can_be_tried_again(office: Office) -> None:
    office.write()
    office.bench.trouble["interview"] = NoReply(RADAR, "the wire is off")
    result = office.run("radar", typed=["y", "y"])
    assert result.exit_code == 0, result.output
    assert f"{RADAR}: the wire is off" in result.output
    office.bench.trouble["hear"] = SpeedsignError("the port went away")
    result = office.run("direction", typed=["y", "y", "Anna", "y"])
    assert "the port went away\nTry this step again? [y]: " in result.output
    assert result.exit_code == 0, result.output


def test_a_config_that_cannot_be_written_is_said_before_the_work(office: Office) -> None:
    missing = office.folder / "none" / "speedsign.toml"
    office.config.symlink_to(missing)
    result = office.run()
    assert result.exit_code in (1, 2)
    assert office.bench.done == []


def test_a_config_that_is_no_toml_is_left_alone(office: Office) -> None:
    office.config.write_text("to whom it may concern")
    result = office.run()
    assert result.exit_code == 2
    assert "not valid TOML" in result.stderr
    assert office.text == "to whom it may concern"


def test_records_that_cannot_be_kept_wait_in_the_draft(office: Office) -> None:
    office.write()
    (office.folder / "calibrations.jsonl").mkdir()
    result = office.run("direction", typed=["y", "Anna", "y"])
    assert result.exit_code == 1
    assert "Records that wait in the draft: 1. Then: speedsign commission write" in result.output
    (office.folder / "calibrations.jsonl").rmdir()
    result = office.run("write")
    assert result.exit_code == 0, result.output
    assert len(office.records) == 1
    assert not office.draft.exists()


def test_what_does_not_go_together_is_said_and_not_written(office: Office) -> None:
    old = office.write(more="[rules]\nminimum_kmh = 60\nceiling_kmh = 70\n")
    office.config.write_text(old.replace("minimum_kmh = 60", "minimum_kmh = 80"))
    result = office.run("radar", typed=["y"])
    assert result.exit_code == 2
    assert "minimum_kmh" in result.output
    assert "minimum_kmh = 80" in office.text


def test_a_bad_setting_of_the_radar_is_shown(office: Office) -> None:
    office.write()
    office.bench.report = SetupReport((SettingResult("unit", "km/h", SetOutcome.NO_ANSWER),))
    assert "It does not answer: check the wire" in office.run("radar", typed=["n"]).output


def test_a_car_that_goes_away_first_can_be_passed_over(office: Office) -> None:
    office.write()
    office.bench.cars = [passing(30.0, Direction.RECEDING), passing(47.0)]
    result = office.run("direction", typed=["a", "y", "y", "Anna", "n"])
    assert "receding,\n  30 km/h" in result.output
    assert "The radar has it right." in result.output


def test_two_panels_are_told_apart_by_looking(office: Office) -> None:
    office.bench.panels = {PANEL: [panel_at(1), panel_at(2)]}
    office.write(display="unit = 1\n")
    result = office.run("panel", typed=["1", "n", "y", "Anna", "y"])
    assert "Which one, 1 to 2 [1]: " in result.output
    assert "Then it is not that panel." in result.output
    assert load_config(office.config).display.unit == 2  # type: ignore[union-attr]
