"""What holds for every command: help with an example, exit codes, one sentence for each expected error."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

import speedsign as package
from speedsign.cli import main
from tests.cli.command import SPEEDSIGN, all_commands, environment, finished, speedsign

TOP = sorted(main.list_commands(None))  # type: ignore[arg-type]  # the context is not looked at
COMMANDS = sorted(all_commands())
SILENT = ("run", "hub")  # print no results
GOOD = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sign.toml"
    path.write_text(GOOD + f'[store]\npath = "{tmp_path}/sign.db"\n')
    return path


def test_the_commands_of_the_contract_are_there() -> None:
    assert {"demo", "run", "check", "replay", "stats", "simulate"} <= set(COMMANDS)
    assert {f"radar {name}" for name in ("detect", "watch", "capture", "setup")} <= set(COMMANDS)
    assert {f"display {name}" for name in ("scan", "show", "test", "blank")} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_the_options_that_all_share(name: str) -> None:
    for flag in ("--help", "-h"):
        result = speedsign(*name.split(), flag)
        assert result.exit_code == 0
        assert f"Example:  speedsign {name}" in result.stdout
    result = speedsign(*name.split(), "--help")
    default = "/etc/speedsign/hub.toml" if name.startswith("hub") else "/etc/speedsign/speedsign.toml"
    for word in ("--config FILE", "SPEEDSIGN_CONFIG", default, "--debug"):
        assert word in result.stdout
    assert ("--json" in result.stdout) == (name not in SILENT)


def test_help_of_the_whole_lists_every_command_with_a_whole_sentence() -> None:
    result = speedsign("--help")
    assert result.exit_code == 0
    assert "speedsign demo" in result.stdout
    listed = result.stdout.split("Commands:")[1]
    assert re.findall(r"^  (\w+)", listed, re.MULTILINE) == TOP
    assert "..." not in listed


def test_version() -> None:
    result = speedsign("--version")
    assert result.exit_code == 0
    assert package.__version__ in result.stdout


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (
            ["statistics"],
            "No such command 'statistics'. There are: backup, brightness, calibrate, certificate, check",
        ),
        (["check", "--colour"], "No such option"),
        (["demo", "--for", "soon"], "'--for'"),
        (["demo", "--for", "-3"], "'--for'"),
        (["demo", "--radar", "sonar"], "'sonar' is not one of"),
        (["demo", "--mqtt", "host:port"], "write HOST or HOST:PORT"),
        (["demo", "--mqtt", "mqtt://host"], "write HOST or HOST:PORT"),
        (["demo", "--mqtt", "host:70000"], "write HOST or HOST:PORT"),
        (["demo", "--mqtt", ""], "write HOST or HOST:PORT"),
        (["replay"], "Missing argument 'CAPTURE'"),
        (["replay", "a", "b"], "unexpected extra argument"),
        (["stats", "--installation", "x"], "'--installation'"),
        (["simulate", "--per-hour", "-1"], "'--per-hour'"),
        (["radar"], "Commands:"),
        (["radar", "find"], "No such command 'find'. There are: capture, detect, setup, watch"),
        (["radar", "capture"], "Missing argument 'FILE'"),
        (["radar", "detect", "--for", "0"], "'--for'"),
        (["radar", "watch", "--unit", "knots"], "'knots' is not one of 'km/h', 'mph', 'm/s'"),
        (["radar", "watch", "--setup", "--listen-only"], "choose one"),
        (["radar", "setup", "--port", "/dev/x"], "name --port and --driver, or a config with --config"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_right(args: list[str], expected: str) -> None:
    result = speedsign(*args)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["check", "run", "stats"])
def test_a_config_that_is_not_there_is_exit_code_2_and_names_it(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    for result in (
        speedsign(name, "--config", missing),
        speedsign(name, env={"SPEEDSIGN_CONFIG": str(missing)}),
    ):
        assert result.exit_code == 2
        assert result.stderr == (
            f"speedsign {name}: {missing}: no such file; name the config with --config FILE\n"
        )


def test_the_option_beats_the_environment(config: Path) -> None:
    assert speedsign("check", "--config", config, env={"SPEEDSIGN_CONFIG": "/nowhere"}).exit_code == 0


FILES = {
    "none": (None, "no such file"),
    "folder": ("", "cannot be read: Is a directory"),
    "binary": (bytes(range(256)), "not"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\xff", "not"),
    "words": (b"To whom it may concern", "not"),
    "empty": (b"", ""),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(
    ("args", "code"),
    [(["check", "--config"], 2), (["replay"], 1), (["stats", "--db"], 1)],
    ids=str,
)
def test_a_wrong_file_is_one_sentence_that_names_it(
    kind: str, args: list[str], code: int, tmp_path: Path
) -> None:
    content, said = FILES[kind]
    path = tmp_path / "given"
    if content == "":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    result = speedsign(*args, path)
    assert result.exit_code == code
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines
    for line in lines:
        assert line.startswith(f"speedsign {args[0]}: {path}")
    assert len(lines) == 1 or kind == "empty"  # an empty config lacks two tables
    if args[0] != "stats":
        assert said in lines[0]


def test_a_database_of_another_program_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE bookmark (url TEXT)")
    db.commit()
    db.close()
    before = path.read_bytes()
    result = speedsign("stats", "--db", path)
    assert result.exit_code == 1
    assert str(path) in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("env", [{}, {"SPEEDSIGN_DEBUG": "1"}])
def test_a_traceback_comes_with_debug_only_and_the_exit_code_stays(env: dict[str, str]) -> None:
    debug = [] if env else ["--debug"]
    for name, args, code in (("check", ["--config", "/none.toml"], 2), ("replay", ["/none.jsonl"], 1)):
        assert "Traceback" not in speedsign(name, *args).stderr
        result = speedsign(name, *args, *debug, env=env)
        assert result.exit_code == code
        assert "Traceback" in result.stderr
        assert result.stderr.splitlines()[-1].startswith(f"speedsign {name}: /none.")


def test_an_error_of_the_system_is_a_sentence_too(tmp_path: Path) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115  closed below
    capture = tmp_path / "capture.jsonl"
    capture.write_text('{"speedsign_capture":1,"radar":"ops243"}\n')
    with full:
        result = finished("replay", capture, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert result.stderr == (
        "speedsign replay: the output: No space left on device; "
        "check the path, its permissions and the free space\n"
    )


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """`speedsign replay … | head`: no traceback, no "Exception ignored"."""
    capture = tmp_path / "capture.jsonl"
    lines = ['{"speedsign_capture":1,"radar":"ld2415h"}']
    for vehicle in range(2000):
        for i in range(6):
            chunk = b"V+050.0\r\n".hex()
            lines.append(json.dumps({"t": vehicle * 3 + i / 10, "hex": chunk}))
    capture.write_text("\n".join(lines) + "\n")
    with subprocess.Popen(
        [*SPEEDSIGN, "replay", str(capture)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().strip().startswith("from s")
        child.stdout.close()
        assert child.stderr.read() == ""
        assert child.wait(10) == 1


def test_the_module_is_the_program(config: Path) -> None:
    result = finished("check", "--config", config)
    assert result.returncode == 0
    assert result.stdout.startswith(f"{config}: good\n")
    assert result.stderr == ""


def test_no_command_is_answered_with_the_help() -> None:
    result = speedsign()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr
