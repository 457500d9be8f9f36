"""What can be asked of a sign from afar, and how it is written: an envelope with a signed body in it.

    envelope  {"v":1,"key":ID,"body":BASE64,"sig":BASE64}
    body      {"v":1,"to":SIGN,"counter":N,"not_after":S,"challenge":HEX,"action":A,"args":{…},"dry_run":B}

Signed is `PURPOSE` and the body's bytes, with Ed25519 (RFC 8032), so that no other program's signature
passes for one. There is no action but those below, and no text of anybody's choice in any of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from speedsign.remote import Wish
from telemetry.command import strict_json as strict

VERSION = 1
PURPOSE = b"speedsign-command-1\n"
MAX_BYTES = 4096  # of a whole envelope
MAX_BODY_BYTES = 3000
SIGNATURE_BYTES = 64
COUNTER_AT_MOST = 2**53 - 1
TIME_AT_MOST_S = 2**40
LOG_LINES_AT_MOST = 200
GROUP = "group:"
_TABLES_AT_MOST = 50
_NAME_AT_MOST = 200

KEY_ID = re.compile(r"[a-z0-9-]{1,40}")
NAME = KEY_ID  # of a profile or a group
_SIGN = re.compile(r"[a-z0-9-]{3,40}")
_TO = re.compile(rf"{_SIGN.pattern}|{GROUP}{NAME.pattern}")
_PROFILE = re.compile(rf"({NAME.pattern})?")
_CHALLENGE = re.compile(r"[0-9a-f]{32}")


class Role(StrEnum):
    """What a key may ask for."""

    READ = "read"
    DISPLAY = "display"
    RESTART = "restart"


class Action(StrEnum):
    """All that can be asked."""

    SET = "set"
    CONFIRM = "confirm"
    REVERT = "revert"
    REPORT = "report"
    LOG = "log"
    RESEND = "resend"
    RESTART = "restart"


ROLE_FOR = {
    Action.SET: Role.DISPLAY,
    Action.CONFIRM: Role.DISPLAY,
    Action.REVERT: Role.DISPLAY,
    Action.RESEND: Role.DISPLAY,
    Action.REPORT: Role.READ,
    Action.LOG: Role.READ,
    Action.RESTART: Role.RESTART,
}
_CAN_BE_TRIED = {Action.SET, Action.REVERT, Action.RESEND}
_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Command:
    """One command, as its sender meant it."""

    to: str  # a sign's id, or group:NAME
    counter: int  # more than any before it of the same key; ms since 1970 when it was signed
    action: Action
    wish: Wish = field(default_factory=Wish)  # of `set`
    numbers: Mapping[str, int] = field(
        default_factory=lambda: _NOTHING
    )  # of the others: counter, lines, from, to
    not_after_s: int | None = None  # seconds since 1970
    challenge: str | None = None  # of the sign's birth: proves that it is new where the clock cannot
    dry_run: bool = False  # only say what it would change

    @property
    def group(self) -> str | None:
        """The group it is for; None: one sign."""
        return self.to.removeprefix(GROUP) if self.to.startswith(GROUP) else None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body that nobody has looked into yet."""

    key_id: str
    body: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return PURPOSE + self.body


# --------------------------------------------------------------------------- the envelope


def seal(key_id: str, body: bytes, signature: bytes) -> bytes:
    """The message as it is sent; ValueError for what no sign would take."""
    message = strict.encode({"v": VERSION, "key": key_id, "body": _text(body), "sig": _text(signature)})
    open_envelope(message)
    return message


def open_envelope(payload: bytes) -> Envelope:
    """Strictly; ValueError for anything else. Nothing of the body is read."""
    found = strict.parse(payload, MAX_BYTES)
    strict.only(found, ("v", "key", "body", "sig"))
    strict.whole(found["v"], "v", VERSION, VERSION)
    key_id = strict.word(found["key"], "key", KEY_ID)
    body, signature = _bytes(found["body"], "body"), _bytes(found["sig"], "sig")
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("sig has another length than a signature")
    return Envelope(key_id, body, signature)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(value: object, name: str) -> bytes:
    """Base64 as we write it and in no other way: one envelope has one text."""
    if type(value) is not str or not value.isascii():
        raise ValueError(f"{name} must be base64")
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError(f"{name} must be base64") from None
    if _text(data) != value:
        raise ValueError(f"{name} must be base64 without anything besides")
    return data


# --------------------------------------------------------------------------- the body


def encode_body(command: Command) -> bytes:
    """What is to be signed; ValueError for a command that no sign would understand."""
    found: dict[str, Any] = {
        "v": VERSION,
        "to": command.to,
        "counter": command.counter,
        "action": command.action.value,
        "args": command.wish.as_dict() if command.action is Action.SET else dict(command.numbers),
        "dry_run": command.dry_run,
    }
    if command.not_after_s is not None:
        found["not_after"] = command.not_after_s
    if command.challenge is not None:
        found["challenge"] = command.challenge
    body = strict.encode(found)
    parse_body(body)
    return body


def parse_body(body: bytes) -> Command:
    """Strictly; ValueError for anything else. Only for a body whose signature holds."""
    found = strict.parse(body, MAX_BODY_BYTES)
    strict.only(found, ("v", "to", "counter", "action", "args", "dry_run"), ("not_after", "challenge"))
    strict.whole(found["v"], "v", VERSION, VERSION)
    action = _action(found["action"])
    args = strict.table(found["args"], "args")
    command = Command(
        to=strict.word(found["to"], "to", _TO),
        counter=strict.whole(found["counter"], "counter", 1, COUNTER_AT_MOST),
        action=action,
        wish=_wish(args) if action is Action.SET else Wish(),
        numbers=_NOTHING if action is Action.SET else _NUMBERS[action](args),
        not_after_s=_optional(found, "not_after"),
        challenge=strict.word(found["challenge"], "challenge", _CHALLENGE) if "challenge" in found else None,
        dry_run=strict.truth(found["dry_run"], "dry_run"),
    )
    if command.dry_run and action not in _CAN_BE_TRIED:
        raise ValueError(f"{action} cannot be tried first")
    return command


def _action(value: object) -> Action:
    if type(value) is not str or value not in Action.__members__.values():
        raise ValueError("action is none of those there are")
    return Action(value)


def _optional(found: dict[str, Any], key: str) -> int | None:
    return strict.whole(found[key], key, 0, TIME_AT_MOST_S) if key in found else None


def _wish(args: dict[str, Any]) -> Wish:
    strict.only(args, (), ("limit_kmh", "profile", "schedule"))
    if not args:
        raise ValueError("set without anything to set")
    schedule = strict.table(args.get("schedule", {}), "schedule")
    if len(schedule) > _TABLES_AT_MOST:
        raise ValueError("schedule has too many tables")
    return Wish(
        limit_kmh=strict.whole(args["limit_kmh"], "limit_kmh", 5, 130) if "limit_kmh" in args else None,
        profile=strict.word(args["profile"], "profile", _PROFILE) if "profile" in args else None,
        schedule={
            strict.line(name, "a table's name", _NAME_AT_MOST): strict.truth(on, "schedule")
            for name, on in schedule.items()
        },
    )


def _none(args: dict[str, Any]) -> Mapping[str, int]:
    strict.only(args, ())
    return _NOTHING


def _confirm(args: dict[str, Any]) -> Mapping[str, int]:
    strict.only(args, ("counter",))
    return {"counter": strict.whole(args["counter"], "counter", 1, COUNTER_AT_MOST)}


def _log(args: dict[str, Any]) -> Mapping[str, int]:
    strict.only(args, ("lines",))
    return {"lines": strict.whole(args["lines"], "lines", 1, LOG_LINES_AT_MOST)}


def _resend(args: dict[str, Any]) -> Mapping[str, int]:
    strict.only(args, ("from", "to"))
    from_s = strict.whole(args["from"], "from", 0, TIME_AT_MOST_S)
    return {"from": from_s, "to": strict.whole(args["to"], "to", from_s + 1, TIME_AT_MOST_S)}


_NUMBERS: dict[Action, Callable[[dict[str, Any]], Mapping[str, int]]] = {
    Action.CONFIRM: _confirm,
    Action.REVERT: _none,
    Action.REPORT: _none,
    Action.LOG: _log,
    Action.RESEND: _resend,
    Action.RESTART: _none,
}
