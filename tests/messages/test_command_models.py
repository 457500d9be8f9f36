"""Commands as they are described: whatever a sign takes is described, and nothing besides is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from speedsign.remote import Wish
from telemetry.command.model import (
    Action,
    encode_body,
    open_envelope,
    parse_body,
    seal,
)
from telemetry.command.model import (
    Command as Real,
)
from telemetry.command.model import (
    Envelope as RealEnvelope,
)
from telemetry.message.command_models import Command, Envelope
from tests.messages.test_bad_messages import changed

DRY = {Action.SET, Action.REVERT, Action.RESEND}
NUMBERS: dict[Action, dict[str, int]] = {
    Action.CONFIRM: {"counter": 7},
    Action.LOG: {"lines": 20},
    Action.RESEND: {"from": 100, "to": 200},
}
ONE = Real("bauska-3", 8, Action.SET, Wish(30, "quiet", {"night": False}), not_after_s=9, dry_run=True)


@st.composite
def commands(draw: st.DrawFn) -> Real:
    action = draw(st.sampled_from(Action))
    wish = Wish(
        draw(st.none() | st.integers(5, 130)),
        draw(st.sampled_from([None, "", "quiet"])),
        draw(st.dictionaries(st.sampled_from(["night", "Škola 1"]), st.booleans())),
    )
    return Real(
        to=draw(st.sampled_from(["bauska-3", "group:town"])),
        counter=draw(st.integers(1, 2**53 - 1)),
        action=action,
        wish=(wish if wish.as_dict() else Wish(50)) if action is Action.SET else Wish(),
        numbers=NUMBERS.get(action, {}),
        not_after_s=draw(st.none() | st.integers(0, 2**40)),
        challenge=draw(st.none() | st.just("ab" * 16)),
        dry_run=action in DRY and draw(st.booleans()),
    )


def described(model: type[BaseModel], text: bytes) -> bool:
    try:
        model.model_validate_json(text)
    except ValidationError:
        return False
    return True


@given(commands())
def test_what_can_be_signed_is_described(command: Real) -> None:
    assert described(Command, encode_body(command))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    value: Any = json.loads(encode_body(draw(commands())))
    for _ in range(draw(st.integers(1, 2))):
        value = changed(draw, value)
    return json.dumps(value).encode()


@settings(deadline=None, max_examples=200)
@given(mutated())
def test_what_a_sign_takes_is_described(body: bytes) -> None:
    try:
        parse_body(body)
    except ValueError:
        return
    assert described(Command, body)


def test_an_envelope_is_described_and_nothing_besides() -> None:
    text = seal("office", encode_body(ONE), b"s" * 64)
    assert isinstance(open_envelope(text), RealEnvelope)
    assert described(Envelope, text)
    for change in ({"besides": 1}, {"v": 2}, {"key": "Office"}, {"sig": "ab"}, {"body": "#"}, {"key": None}):
        assert not described(Envelope, json.dumps(json.loads(text) | change).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"besides": 1}, {"args": {"limit_kmh": 30, "besides": 1}}, {"args": {}}, {"challenge": None},
        {"args": {"limit_kmh": 131}}, {"args": {"limit_kmh": 30.0}}, {"action": "format"}, {"to": "GROUP:x"},
        {"counter": 0}, {"action": "report"}, {"dry_run": 1}, {"not_after": -1},
    ],
)  # fmt: skip
def test_what_no_sign_takes_is_not_described(change: dict[str, object]) -> None:
    body = json.dumps(json.loads(encode_body(ONE)) | change).encode()
    with pytest.raises(ValueError, match=r"."):
        parse_body(body)
    assert not described(Command, body)
