"""How commands are written and read: one way to write each, and nothing else is ever read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.remote import Wish
from telemetry.command import strict_json
from telemetry.command.gate import Circumstances, Refused, judge
from telemetry.command.model import (
    COUNTER_AT_MOST,
    MAX_BYTES,
    Action,
    Command,
    encode_body,
    open_envelope,
    parse_body,
    seal,
)

BODY: dict[str, Any] = {
    "v": 1,
    "to": "street-1",
    "counter": 7,
    "action": "set",
    "args": {"limit_kmh": 40},
    "dry_run": False,
}
ENVELOPE: dict[str, Any] = {
    "v": 1,
    "key": "officer",
    "body": "e30=",
    "sig": base64.b64encode(bytes(64)).decode(),
}

names = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)
seconds = st.integers(0, 2**40)
wishes = st.builds(
    Wish,
    limit_kmh=st.none() | st.integers(5, 130),
    profile=st.none() | st.just("") | names,
    schedule=st.dictionaries(st.text("abc é\"'{[", min_size=1, max_size=9), st.booleans(), max_size=5),
).filter(lambda wish: wish.as_dict())
numbers = {
    Action.CONFIRM: st.fixed_dictionaries({"counter": st.integers(1, COUNTER_AT_MOST)}),
    Action.LOG: st.fixed_dictionaries({"lines": st.integers(1, 200)}),
    Action.RESEND: st.tuples(seconds, seconds)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: {"from": pair[0], "to": pair[1]}),
}


@st.composite
def commands(draw: st.DrawFn) -> Command:
    action = draw(st.sampled_from(list(Action)))
    return Command(
        to=draw(st.from_regex(r"[a-z0-9-]{3,40}|group:[a-z0-9-]{1,40}", fullmatch=True)),
        counter=draw(st.integers(1, COUNTER_AT_MOST)),
        action=action,
        wish=draw(wishes) if action is Action.SET else Wish(),
        numbers=draw(numbers.get(action, st.just({}))),
        not_after_s=draw(st.none() | seconds),
        challenge=draw(st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
        dry_run=draw(st.booleans()) if action in (Action.SET, Action.REVERT, Action.RESEND) else False,
    )


@given(commands())
def test_every_command_comes_back_as_it_was_meant(command: Command) -> None:
    if (
        json.dumps(command.wish.as_dict()).count("{") > 10
        or json.dumps(command.wish.as_dict()).count("[") > 10
    ):
        return  # more brackets than any table's name needs
    body = encode_body(command)
    assert parse_body(body) == command
    assert encode_body(parse_body(body)) == body
    opened = open_envelope(seal("officer", body, bytes(64)))
    assert (opened.key_id, opened.body, opened.signature) == ("officer", body, bytes(64))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"extra": 1},
        {"key": "Officer"},
        {"key": "a" * 41},
        {"key": ""},
        {"key": "officer\n"},
        {"key": None},
        {"body": "e30"},
        {"body": "e30=\n"},
        {"body": " e30="},
        {"body": "e31="},  # the same bytes by other letters
        {"body": "é"},
        {"body": 7},
        {"sig": ""},
        {"sig": base64.b64encode(bytes(63)).decode()},
        {"sig": base64.b64encode(bytes(65)).decode()},
        {"sig": base64.urlsafe_b64encode(b"\xff" * 64).decode()},
    ],
)
def test_an_envelope_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    open_envelope(json.dumps(ENVELOPE).encode())
    with pytest.raises(ValueError, match=r"."):
        open_envelope(json.dumps(ENVELOPE | change).encode())


@pytest.mark.parametrize("key", ["v", "key", "body", "sig"])
def test_an_envelope_that_lacks_something_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key} is missing"):
        open_envelope(json.dumps({name: value for name, value in ENVELOPE.items() if name != key}).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": 1.0},
        {"to": "Street-1"},
        {"to": "group:"},
        {"to": "ab"},
        {"to": ["street-1"]},
        {"counter": 0},
        {"counter": -1},
        {"counter": True},
        {"counter": 1.5},
        {"counter": 2**53},
        {"counter": 10**30},
        {"counter": "7"},
        {"counter": None},
        {"not_after": None},
        {"not_after": -1},
        {"not_after": 2**41},
        {"challenge": None},
        {"challenge": "A" * 32},
        {"challenge": "a" * 31},
        {"dry_run": 0},
        {"dry_run": None},
        {"action": "reboot"},
        {"action": "SET"},
        {"action": ["set"]},
        {"action": {}},
        {"args": []},
        {"args": None},
        {"args": {}},
        {"args": {"limit_kmh": 131}},
        {"args": {"limit_kmh": 4}},
        {"args": {"limit_kmh": True}},
        {"args": {"limit_kmh": 50.0}},
        {"args": {"limit_kmh": "50"}},
        {"args": {"limit_kmh": None}},
        {"args": {"text": "GODZILLA ATTACK"}},
        {"args": {"profile": "A"}},
        {"args": {"profile": "=HACKED"}},
        {"args": {"profile": None}},
        {"args": {"schedule": {"night": 1}}},
        {"args": {"schedule": {"night": None}}},
        {"args": {"schedule": {"": True}}},
        {"args": {"schedule": {"\x1b[2J": True}}},
        {"args": {"schedule": {"\ud800": True}}},
        {"args": {"schedule": {"n" * 201: True}}},
        {"args": {"schedule": ["night"]}},
        {"args": {"schedule": {str(n): True for n in range(51)}}},
        {"args": {"limit_kmh": 40, "host": "evil"}},
        {"action": "report", "args": {"lines": 5}},
        {"action": "log", "args": {}},
        {"action": "log", "args": {"lines": 201}},
        {"action": "log", "args": {"lines": 0}},
        {"action": "confirm", "args": {}},
        {"action": "confirm", "args": {"counter": 0}},
        {"action": "resend", "args": {"from": 5, "to": 5}},
        {"action": "resend", "args": {"from": 5}},
        {"action": "resend", "args": {"from": -5, "to": 5}},
        {"action": "restart", "args": {"now": True}},
        {"action": "restart", "args": {}, "dry_run": True},
        {"action": "report", "args": {}, "dry_run": True},
        {"network": {}},
    ],
)
def test_a_body_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    parse_body(json.dumps(BODY).encode())
    with pytest.raises(ValueError, match=r"."):
        parse_body(json.dumps(BODY | change).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-0}',
        b'{"a":1e3}',
        b'{"a":1,"a":1}',
        b'{"a":' + b"[" * 1500 + b"]" * 1500 + b"}",
        b'{"a":' + b"9" * 4000 + b"}",
        b'{"a":"' + b"x" * MAX_BYTES + b'"}',
    ],
)
def test_text_that_could_be_read_in_two_ways_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_json.parse(text, MAX_BYTES)


def test_a_key_that_stands_twice_cannot_hide_a_second_meaning() -> None:
    text = json.dumps(BODY).replace('"to": "street-1"', '"to": "street-1", "to": "street-2"').encode()
    with pytest.raises(ValueError, match="a key stands twice"):
        parse_body(text)


def test_what_no_sign_would_take_is_not_even_written() -> None:
    with pytest.raises(ValueError, match="limit_kmh"):
        encode_body(Command("street-1", 7, Action.SET, Wish(limit_kmh=500)))
    with pytest.raises(ValueError, match="set without anything"):
        encode_body(Command("street-1", 7, Action.SET))
    with pytest.raises(ValueError, match="key must be"):
        seal("Não", b"{}", bytes(64))


@given(st.binary(max_size=6000))
def test_no_bytes_raise_anything_but_a_value_error(payload: bytes) -> None:
    for read in (open_envelope, parse_body):
        try:
            read(payload)
        except ValueError:
            continue
        pytest.fail("random bytes were taken")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*BODY, "not_after", "challenge", "x"], json_values)))
def test_no_json_raises_anything_but_a_value_error(body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    envelope = {**ENVELOPE, "body": base64.b64encode(data).decode()}
    verdict = judge(json.dumps(envelope).encode(), _nobody())
    assert isinstance(verdict, Refused)
    try:
        parse_body(data)
    except ValueError:
        return
    pytest.fail("a random object was taken for a command")


def _nobody() -> Circumstances:
    return Circumstances("street-1", frozenset(), {}, 0.0, "", lambda _: 0, lambda *_: False, lambda *_: None)
