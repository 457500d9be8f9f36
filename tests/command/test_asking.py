"""The officer's commands: what is refused before anything is sent, and what is signed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from paho.mqtt import publish

from speedsign.cli.command_words import answer_lines, printable
from telemetry.command.caller import Heard
from telemetry.command.model import Action, Command, open_envelope, parse_body
from telemetry.command.signature import PrivateKey, verify, write_private
from telemetry.message import messages
from telemetry.message.messages import Identity
from tests.cli.command import speedsign
from tests.telemetry.broker import Broker, free_port


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "anna.key"
    write_private(path, PrivateKey.new(), None)
    return path


def signed(path: Path) -> Command:
    return parse_body(open_envelope(path.read_bytes()).body)


def test_signing_alone_needs_no_broker(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "signed.json"
    words = ("--limit", "40", "--profile", "none", "--table", "night=off", "--dry-run", "--minutes", "30")
    result = speedsign(
        "command",
        "set",
        *words,
        "--to",
        "street-1",
        "--key",
        key,
        "--challenge",
        "0" * 32,
        "--sign-only",
        out,
    )
    assert result.exit_code == 0, result.stderr
    assert "nothing was sent" in result.stderr
    command, envelope = signed(out), open_envelope(out.read_bytes())
    assert command.wish.as_dict() == {"limit_kmh": 40, "profile": "", "schedule": {"night": False}}
    assert (command.to, command.dry_run, command.challenge) == ("street-1", True, "0" * 32)
    assert command.not_after_s == command.counter // 1000 + 1800
    assert envelope.key_id == "anna"
    from telemetry.command.signature import read_private

    assert verify(read_private(key, None).public, envelope.signature, envelope.signed)
    again = speedsign("command", "report", "--to", "street-1", "--key", key, "--sign-only", out)
    assert again.exit_code == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set"], "name what is to be set"),
        (["set", "--limit", "500"], "'--limit'"),
        (["set", "--table", "night"], "write NAME=on or NAME=off"),
        (["set", "--table", "night=maybe"], "write NAME=on or NAME=off"),
        (["set", "--profile", "=HACKED"], "no sign would take this command: profile must be"),
        (["confirm", "soon"], "'soon' is not a valid integer"),
        (["log", "--lines", "1000"], "'--lines'"),
        (
            ["resend", "--from", "2026-05-05", "--until", "2026-05-04"],
            "no sign would take this command: to must",
        ),
        (["resend", "--from", "yesterday", "--until", "now"], "yesterday"),
        (["report", "--minutes", "2000"], "'--minutes'"),
        (["report", "--challenge", "xyz"], "no sign would take this command: challenge"),
        (["report", "--key-id", "Anna"], "--key-id 'Anna': key must be"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_sent(
    tmp_path: Path, key: Path, words: list[str], said: str
) -> None:
    out = tmp_path / "signed.json"
    result = speedsign("command", *words, "--to", "street-1", "--key", key, "--sign-only", out)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not out.exists()


def test_a_group_is_not_confirmed_blindly(tmp_path: Path, key: Path) -> None:
    words = ("--limit", "40", "--confirm", "--to", "group:town", "--key", key, "--sign-only", tmp_path / "x")
    result = speedsign("command", "set", *words)
    assert result.exit_code == 2
    assert "confirmed by itself" in result.stderr


@pytest.mark.parametrize("to", ["Street", "ab", "group:", "street-1/up", "+", "#"])
def test_an_address_that_is_none(tmp_path: Path, key: Path, to: str) -> None:
    result = speedsign("command", "report", "--to", to, "--key", key, "--sign-only", tmp_path / "x")
    assert result.exit_code == 2
    assert "no sign would take this command: to must be" in result.stderr


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path, key: Path) -> None:
    key.chmod(0o644)
    result = speedsign("command", "report", "--to", "street-1", "--key", key, "--sign-only", tmp_path / "x")
    assert result.exit_code == 2
    assert "chmod 600" in result.stderr


def test_a_broker_that_is_not_there_is_one_sentence(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.command.caller.CONNECT_S", 0.5)
    options = ("--host", "127.0.0.1", "--port", str(free_port()))
    result = speedsign("command", "report", "--to", "street-1", "--key", key, *options)
    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr


def test_without_a_config_the_broker_must_be_named(tmp_path: Path, key: Path) -> None:
    missing = tmp_path / "none.toml"
    result = speedsign("command", "report", "--to", "street-1", "--key", key, "--config", missing)
    assert result.exit_code == 2
    assert "no such file" in result.stderr


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00" * 5000, b"[]"])
def test_what_is_no_signed_command_is_not_sent(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signed.json"
    path.write_bytes(content)
    result = speedsign("command", "send", path, "--host", "127.0.0.1")
    assert result.exit_code == 2
    assert "is no signed command" in result.stderr


def test_a_group_that_was_signed_for_needs_its_signs(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "signed.json"
    speedsign("command", "report", "--to", "group:town", "--key", key, "--sign-only", out)
    result = speedsign("command", "send", out, "--host", "127.0.0.1")
    assert result.exit_code == 2
    assert "name its signs with --signs" in result.stderr


def test_answers_in_words() -> None:
    name = {"at": 0, "key": "anna", "counter": 7, "action": "set"}
    pending = Heard(
        "s-1", {**name, "outcome": "pending", "difference": ["a: 1 -> 2"], "confirm_within_s": 900}
    )
    assert list(answer_lines(pending)) == [
        "s-1: set: in force, not confirmed yet",
        "  a: 1 -> 2",
        "  undone in 15 minutes, unless you confirm it:",
        "  speedsign command confirm 7 --to s-1 --key FILE",
    ]
    again = Heard("s-1", {**name, "outcome": "pending", "waits_for": 5, "confirm_within_s": 59})
    assert list(answer_lines(again))[1:] == [
        "  undone in 59 s, unless you confirm it:",
        "  speedsign command confirm 5 --to s-1 --key FILE",
    ]
    refused = Heard("s-1", {**name, "outcome": "refused", "text": "the key lacks the role display"})
    assert list(answer_lines(refused)) == ["s-1: set: refused: the key lacks the role display"]
    same = Heard("s-1", {**name, "outcome": "dry_run", "difference": []})
    assert list(answer_lines(same)) == ["s-1: set: would be", "  nothing changes"]
    report = Heard(
        "s-1", {**name, "action": Action.REPORT, "outcome": "done", "report": {"a_b": [], "c": {"d": 1}}}
    )
    assert list(answer_lines(report)) == ["s-1: report: done", f"  {'a b':<16}none", f"  {'c':<16}d 1"]


def test_what_a_sign_says_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\rc\u202e") == "a [2Jb c "


def test_the_json_of_a_signed_command_is_what_a_sign_reads(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "signed.json"
    speedsign("command", "restart", "--to", "street-1", "--key", key, "--key-id", "boss", "--sign-only", out)
    assert sorted(json.loads(out.read_bytes())) == ["body", "key", "sig", "v"]
    assert open_envelope(out.read_bytes()).key_id == "boss"


@pytest.mark.wires
def test_a_sign_that_this_broker_never_heard_is_told_from_one_that_is_away(tmp_path: Path, key: Path) -> None:
    with Broker(tmp_path) as broker:
        birth = messages.encode(messages.birth(Identity("street-2", "0.1.0"), "0" * 16, 1, None, None))
        publish.single(messages.topic("street-2", "birth"), birth, 1, retain=True, port=broker.port)
        asked = ("command", "report", "--key", key, "--host", "localhost", "--port", str(broker.port))
        never, away = (speedsign(*asked, "--to", sign) for sign in ("street-1", "street-2"))
    assert "this broker has never heard of a sign street-1; check --to and the broker" in never.stderr
    assert "street-2 is not connected to this broker, and was not for a day" in away.stderr
    assert (never.exit_code, away.exit_code) == (1, 1)
