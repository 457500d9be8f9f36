"""speedsign commission where something is odd: options, wrong values in the config, two at once, a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from drivers.radar.setup import Outcome, SettingResult, SetupReport
from speedsign.cli.commissioning.alone import alone, path_of
from speedsign.cli.commissioning.draft import Draft, write_draft
from speedsign.cli.commissioning.steps import NAMES
from speedsign.config.load import load_config, misfits
from speedsign.config.schema import Config
from speedsign.errors import SpeedsignError
from speedsign.model import Unit
from tests.cli.commissions import PANEL, RADAR, SIGN, Office, panel_at

SIGN_AS_IT_IS = [""] * 9


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    office = Office(tmp_path, monkeypatch)
    office.write()
    return office


# --------------------------------------------------------------------------- a radar that nobody sets


def test_a_radar_that_the_sign_does_not_set_has_its_own_unit_in_the_config(office: Office) -> None:
    office.write(radar='setup = false\nunit = "mph"\n')
    office.bench.unit = Unit.MPS
    result = office.run("radar", typed=["y"])
    assert "the sign would set: km/h" in result.output
    assert "1 of 1 settings differ, and stay so:\n  the config has setup = false.\n" in result.output
    assert "the sign sets" not in result.output
    assert "WRONG in the config: unit mph; the radar is set to m/s." in result.output
    assert load_config(office.config).radar.unit is Unit.MPS
    office.bench.unit = Unit.KMH
    assert office.run("radar", "--yes", "--radar-unit", "mph").exit_code == 2
    office.run("radar", "--yes")
    assert load_config(office.config).radar.unit is Unit.KMH


def test_a_unit_that_such_a_radar_does_not_tell_is_asked_for(office: Office) -> None:
    office.write(radar="setup = false\n")
    office.bench.report = SetupReport((SettingResult("unit", "km/h", Outcome.NO_ANSWER),))
    result = office.run("radar", typed=["knots", "mph", "y"])
    assert "It is set to km/h, mph or m/s [km/h]: answer km/h, mph or m/s" in result.output
    assert load_config(office.config).radar.unit is Unit.MPH


# --------------------------------------------------------------------------- into force


def test_a_sign_that_runs_takes_what_a_step_alone_has_written(office: Office) -> None:
    office.service.runs = True
    result = office.run("sign", "--yes", "--limit", 30, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["started"]
    assert office.service.calls == ["start"], "it was restarted"
    result = office.run("sign", "--yes", "--limit", 30)
    assert office.service.calls == ["start"], "nothing was new"
    result = office.run("sign", "--yes", "--limit", 40, "--no-start")
    assert office.service.calls == ["start"]
    assert "still runs by the old config. Later:\n  sudo systemctl restart speedsign" in result.output


def test_whether_it_is_restarted_is_asked(office: Office) -> None:
    office.service.runs = True
    typed = ["", "", "", "30", *[""] * 5, "y"]
    result = office.run("sign", typed=[*typed, "n"])
    assert "Restart the sign? It still runs by the old config. [y]: " in result.output
    assert "sudo systemctl restart speedsign" in result.output
    assert office.service.calls == []
    for left, said in ((["40"], "the sign still runs by the old config"), (["50", "y"], "by the new config")):
        result = office.run("sign", typed=["", "", "", left[0], *[""] * 5, "y", *left[1:]])
        assert said in result.output
    assert office.service.calls == ["start"]


def test_a_start_that_is_not_wanted_is_told_what_it_leaves(office: Office) -> None:
    office.service.runs = True
    result = office.run("sign", "write", "start", "--yes", "--limit", 30, "--no-start")
    assert "The sign still runs by the old config" in result.output
    assert office.service.calls == []


# --------------------------------------------------------------------------- options


def test_an_option_of_a_step_that_is_done_does_it_again(office: Office) -> None:
    office.run(typed=[*SIGN_AS_IT_IS, "q"])
    assert "sign        done" in office.run("--list").output
    result = office.run("--yes", "--no-probe", "--limit", "30", "--broker", "none", "--no-start")
    assert result.exit_code == 0, result.output
    assert load_config(office.config).sign.limit_kmh == 30


def test_the_same_options_again_go_on_with_the_draft(office: Office) -> None:
    office.run("--site", "Here", typed=[*SIGN_AS_IT_IS[1:], "q"])
    result = office.run("--site", "Here", typed=["q"])
    assert "Id of the sign" not in result.output
    assert "Id of the sign" in office.run("--site", "There", typed=["q"]).output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            "sign --angle 12 --broker x.y",
            "--angle: of the step mounting; --broker: of the step broker, which is not",
        ),
        ("rules --no-invert", "--no-invert: of the step direction"),
        ("sign --test-for 8", "--test-for: of the step test"),
        ("--no-probe --cars 30 --by A", "--cars needs the radar, and --no-probe opens nothing"),
        ("--radar-baud 9600 --panel-unit 2", "--radar-baud, --panel-unit: only with --no-probe"),
        ("--no-probe --panel-port none --panel-unit 2", "leave out --panel-unit"),
        ("--angle 12 --lateral 4 --by A", "leave out it, or --lateral"),
        ("--broker none --tls --username x", "leave out --tls, --username"),
        ("--broker x --no-tls --ca-file f", "--ca-file: for TLS, which --no-tls forbids"),
        ("--broker x --allow-plain", "--allow-plain alone means nothing"),
        ("--no-probe --radar-unit knots", "--radar-unit: answer km/h, mph or m/s"),
        ("--no-probe --panel-port none --show both", "--show: nothing is shown without a panel"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused_by_name(office: Office, args: str, said: str) -> None:
    old = office.text
    result = office.run("--yes", *args.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert office.bench.done == []
    assert office.text == old


def test_a_unit_by_option_counts_where_nothing_is_opened(office: Office) -> None:
    result = office.run("radar", "--yes", "--no-probe", "--radar-unit", "mph")
    assert result.exit_code == 0, result.output
    assert load_config(office.config).radar.unit is Unit.MPH


def test_a_face_for_the_far_too_fast_is_not_dropped(office: Office) -> None:
    result = office.run("rules", "--yes", "--too-fast", "dark")
    assert result.exit_code == 0, result.output
    assert load_config(office.config).rules.too_fast == ("dark",)


# --------------------------------------------------------------------------- half a step


def test_a_step_that_is_skipped_changes_nothing(office: Office) -> None:
    result = office.run("sign", typed=["wrong-id", "s"])
    assert "The config stays as it is." in result.output
    assert load_config(office.config).sign.id == "old-sign"
    assert not office.draft.exists()


def test_what_was_answered_of_a_step_is_proposed_again_and_never_written(office: Office) -> None:
    for leave in (["q"], []):  # q, and a connection that breaks
        office.run("sign", "--fresh", typed=["new-id", "There", *leave])
        assert office.draft.exists()
        assert office.run("write").exit_code == 0
        assert load_config(office.config).sign.id == "old-sign"
    office.run("sign", typed=["new-id", "There", "q"])
    result = office.run("sign", typed=[*SIGN_AS_IT_IS, "y"])
    assert "Id of the sign [new-id]: " in result.output
    sign = load_config(office.config).sign
    assert (sign.id, sign.site) == ("new-id", "There")


def test_back_into_a_step_proposes_what_was_answered(office: Office) -> None:
    result = office.run("sign", "rules", typed=[*SIGN_AS_IT_IS, "both", "b", *SIGN_AS_IT_IS, "s"])
    assert "Show approaching, receding or both [both]: " in result.output
    assert load_config(office.config).rules.show == "approaching"


def test_what_is_not_whole_names_its_step_and_is_not_done(office: Office) -> None:
    old = office.write(more='[mqtt]\nhost = "localhost"\nusername = "u"\n')
    result = office.run("rules", typed=["both", "", "", "", "", ""])
    assert result.exit_code == 2
    assert "[mqtt] password_file: is missing" in result.output
    assert "the config is not whole yet; do these steps again: broker" in result.stderr
    assert office.text == old
    write_draft(office.config, Draft(values={"sign.name": "Ours"}, done=["sign", "broker"]))
    office.run("write")
    listed = office.run("--list").output
    assert "sign        done" in listed
    assert "broker      open" in listed, "a step that write names is to be done again"
    office.write(more='[rules]\nblink = "x"\nshow = "both"\n')
    result = office.run("rules", "broker", "--fresh", typed=["approaching", "", "", "", "", "", "n", "q"])
    assert "Take that key out? [y]: Not good yet: [rules] blink" in result.output
    assert tomllib.loads(office.draft.read_text())["done"] == []
    office.write(more="[live]\non = 3\n")
    result = office.run("write", "--fresh")
    assert "the config is not whole yet; mend [live] by hand" in result.stderr


# --------------------------------------------------------------------------- a sign that was stopped


def killed(office: Office) -> None:
    """What stands in the folder when a commissioning was killed after it had stopped the sign."""
    office.service.runs = True
    seen: list[str] = []

    def stop() -> None:
        seen.append(office.draft.read_text())
        office.service.runs = False

    with office.monkeypatch.context() as patch:
        patch.setattr(office.service, "stop", stop)
        office.run("radar", typed=["y", "n"])
    (text,) = seen
    assert 'stopped = "speedsign"' in text, "it is noted before it is stopped"
    assert not office.draft.exists() or 'stopped = ""' in office.draft.read_text()
    office.draft.write_text(text)
    office.service.runs = False
    office.service.calls.clear()


def test_after_a_kill_the_next_run_starts_the_sign_again(office: Office) -> None:
    for args in ((), ("--fresh",)):
        killed(office)
        assert (
            "The sign was stopped and not started again: sudo systemctl start" in office.run("--list").output
        )
        result = office.run("sign", *args, typed=["q"])
        assert "An earlier commissioning has stopped the sign;" in result.output
        assert office.service.calls == ["start"]
        assert "not started again" not in office.run("--list").output
        result = office.run("sign", "--fresh", typed=["q"])
        assert "An earlier commissioning" not in result.output


def test_one_that_runs_again_by_itself_is_left_alone(office: Office) -> None:
    killed(office)
    office.service.runs = True
    result = office.run("sign", "--fresh", typed=["q"])
    assert "An earlier commissioning" not in result.output
    assert office.service.calls == []
    assert not office.draft.exists()


def test_another_service_that_was_stopped_is_named(office: Office) -> None:
    write_draft(office.config, Draft(stopped="other"))
    result = office.run("sign", typed=["q"])
    assert "An earlier commissioning has stopped other: sudo systemctl start other" in result.output
    assert office.service.calls == []


# --------------------------------------------------------------------------- two at once


def test_the_second_of_two_is_told_at_its_start(office: Office) -> None:
    with alone(office.config):
        result = office.run("sign", typed=["q"])
        assert result.exit_code == 1
        assert result.stderr == (
            f"speedsign commission: {office.config}: another speedsign commission is at it (process"
            f" {os.getpid()}); end it there, or with: sudo kill {os.getpid()}\n"
        )
        assert office.run("--list").exit_code == 0
    assert not path_of(office.config).exists()
    office.run("sign", typed=["q"])
    assert not path_of(office.config).exists()


def test_a_lock_that_a_kill_left_behind_holds_nobody(office: Office) -> None:
    path_of(office.config).write_text("1\n")
    assert "Id of the sign" in office.run("sign", typed=["q"]).output
    path_of(office.config).symlink_to(office.config)
    with pytest.raises(SpeedsignError, match="cannot be made"), alone(office.config):
        pass


# --------------------------------------------------------------------------- letters


def test_what_is_no_letter_is_asked_anew(office: Office) -> None:
    typed = b"\nBir\xfeai\n\x1b[A\nBir\xc5\xbeai\n" + b"\n" * 7 + b"y\n"
    result = office.run("sign", typed=typed)
    assert result.output.count("that had what is no letter in UTF-8; type it again") == 2
    assert load_config(office.config).sign.site == "Biržai"
    result = office.run("sign", "--yes", "--site", "caf\udce9")
    assert result.exit_code == 2
    assert "--site: 'caf\\udce9' has what is no letter" in result.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "cp437"])
def test_a_terminal_without_the_letter_ends_nothing(office: Office, encoding: str) -> None:
    office.config.write_text(office.text.replace("Main Street", "Biržai"))
    words = (sys.executable, "-c", "from speedsign.cli import main; main()", "commission", "sign", "--yes")
    args = [*words, "--no-start", "--config", str(office.config), "--name", "Čia"]
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*args, "--json"], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changes"]["sign.name"]["after"] == "Čia"
    done = subprocess.run(args, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Site: Bir\\u017eai" in done.stdout


# --------------------------------------------------------------------------- the panel


def test_a_panel_at_another_port_than_the_configs_is_said(office: Office) -> None:
    office.bench.panels = {"/dev/ttyUSB9": [panel_at()]}
    office.bench.others = [PANEL]
    result = office.run("panel", typed=["y", "Anna", "y"])
    assert f"WRONG in the config: port {PANEL}; it is at /dev/ttyUSB9." in result.output


def test_a_driver_that_there_is_not_is_replaced(office: Office) -> None:
    office.config.write_text(office.text.replace("dm56a04", "dm5"))
    result = office.run("panel", typed=["y", "Anna", "y"])
    assert "WRONG in the config: driver dm5; it is dm56a04." in result.output
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[beacon]\ncoil = 1\nunit = 2\n", "[beacon] port: is missing: without a [display]"),
        ("[brightness.sensor]\nunit = 2\naddress = 1\n", "[brightness] sensor: has nothing to dim"),
    ],
)
def test_no_panel_where_others_are_on_its_line_is_refused(office: Office, table: str, said: str) -> None:
    old = office.write(more=table)
    result = office.run("panel", "--yes", "--panel-port", "none")
    assert result.exit_code == 2
    assert f"without a panel: {said}" in result.stderr
    assert office.text == old


# --------------------------------------------------------------------------- wrong values


def keys_of(cls: Any = Config, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of every table, tables in tables too; not of those there can be several of."""
    hints = get_type_hints(cls)
    for one in fields(cls):
        hint = hints[one.name]
        table = next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)
        if table is not None and "tuple" not in str(hint):
            yield from keys_of(table, (*above, one.name))
        else:
            yield (*above, one.name)


KEYS = sorted(keys_of())
WRONG = ('"x"', "-5", "[1]", "{a = 1}", "2026-01-01", "true", "1e99", '""')
GOOD: dict[tuple[str, ...], str] = {
    ("sign", "id"): '"old-sign"', ("sign", "limit_kmh"): "50", ("sign", "latitude"): "56.2",
    ("sign", "longitude"): "24.7",
    ("radar", "driver"): '"ops243"', ("radar", "port"): f'"{RADAR}"',
    ("display", "driver"): '"dm56a04"', ("display", "port"): f'"{PANEL}"',
    ("mqtt", "host"): '"localhost"',
}  # fmt: skip


def odd_config(key: tuple[str, ...], value: str, store: Path) -> str:
    values = {**GOOD, ("store", "path"): f'"{store}"', key: value}
    tables: dict[tuple[str, ...], list[str]] = {}
    for path, text in values.items():
        tables.setdefault(path[:-1], []).append(f"{path[-1]} = {text}")
    top = tables.pop((), [])
    return "\n".join([*top, *(f"[{'.'.join(table)}]\n" + "\n".join(keys) for table, keys in tables.items())])


STEP_OF = {"display": "panel", "mqtt": "broker", "tracking": "radar"}


@pytest.mark.parametrize("table", sorted({key[0] for key in KEYS}))
def test_a_wrong_value_of_any_key_is_a_sentence_or_is_asked_anew(office: Office, table: str) -> None:
    """What is not foreseen is raised by `run`."""
    for n, key in enumerate(KEYS):
        if key[0] != table:
            continue
        text = odd_config(key, WRONG[n % len(WRONG)], office.folder / "sign.db")
        office.config.write_text(text)
        step = "mounting" if key[-1] == "mounting_angle_deg" else STEP_OF.get(table, table)
        steps = [step] if step in NAMES else ["write"]
        result = office.run(*steps, "--yes", "--fresh", "--no-start")
        if result.exit_code == 0:  # found anew, or it was right
            load_config(office.config)
            continue
        assert office.text == text, key
        if not misfits(text, "it"):
            continue  # a port that there is not, for example
        assert str(office.config) in result.stderr, (key, result.output)
        assert key[-1] in result.stderr, (key, result.output)


def test_a_wrong_value_that_no_question_replaces_can_be_taken_out(office: Office) -> None:
    office.write(radar='min_strength = "x"\n')
    result = office.run("radar", typed=["y", "y"])
    assert "[radar] min_strength = 'x': must be a number\nTake that key out? [y]: " in result.output
    assert load_config(office.config).radar.min_strength is None
    old = office.write(more='[rules]\nshow = "all"\n')
    result = office.run("rules", "--yes")
    assert result.exit_code == 2
    assert "[rules] show = 'all': must be" in result.stderr
    assert office.text == old
    office.run("rules", typed=[""] * 7)
    assert load_config(office.config).rules.show == "approaching"


def test_a_draft_with_what_no_config_can_have_is_refused(office: Office) -> None:
    head = "done=[]\nrecords=[]\nout=[]\n"
    for values in (
        '"sign.limit_kmh"=[1]', '"a.b.c"=1', '"sign"="x"', '"sign.foo"=1', '"radar.port"=5', "half=3",
    ):  # fmt: skip
        office.draft.write_text(f"{head}[values]\n{values}\n")
        result = office.run("sign", "--yes", *SIGN)
        assert result.exit_code == 2, values
        assert str(office.draft) in result.stderr
        assert "begin anew with --fresh" in result.stderr
    for more in ("half = 3", "given = 3", "stopped = 3", "[half]\nsign = 3"):
        office.draft.write_text(f"{head}{more}\n[values]\n")
        assert office.run("sign", "--yes", *SIGN).exit_code == 2, more
    assert tomllib.loads(office.text)["sign"]["id"] == "old-sign"
