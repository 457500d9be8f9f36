"""Commands, signed and not: whatever is in one, only a good one of the right key is taken, and only once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from telemetry.command.gate import Accepted, Reason, judge
from telemetry.command.model import Action, encode_body, open_envelope, parse_body
from telemetry.command.sieve import Sieve
from telemetry.command.signature import verify
from tests.command.forging import Forger
from tests.command.office import NOW_S, key, signed_text
from tests.command.test_gate import GOOD, NO_CLOCK, NOW
from tests.fuzz.kit import one_sentence
from tests.fuzz.structure import changed_json
from tests.fuzz.words import JSON

KEYS = ("v", "key", "body", "sig", "to", "counter", "not_after", "challenge", "action", "args", "dry_run")
WORDS = (
    *JSON, *(f'"{one}":'.encode() for one in KEYS), *(f'"{action}"'.encode() for action in Action),
    b'"group:town"', b'"limit_kmh":', b'"lines":', b'"from":',
)  # fmt: skip
BY = ("officer", "reader")


def target(data: bytes) -> None:
    """The first byte says who signs the rest, if anybody does, and whether the sign knows the time."""
    if not data:
        return
    now = NO_CLOCK if data[0] & 4 else NOW
    by = BY[data[0] & 1]
    payload = data[1:]
    if signs := bool(data[0] & 2):
        try:
            payload = signed_text(payload, by)
        except ValueError:
            return  # longer than any sign takes
    verdict = judge(payload, now)
    Sieve({name: key.public for name, key in now.keys.items()}, verify).passes(payload, 5.0, can_verify=True)
    if not isinstance(verdict, Accepted):
        one_sentence(verdict.text)
        assert not signs or verdict.reason not in (Reason.SIGNATURE, Reason.KEY), verdict
        return
    envelope, command = open_envelope(payload), verdict.command
    assert verify(key(verdict.key_id).public, envelope.signature, envelope.signed), (
        "taken without a signature"
    )
    assert parse_body(encode_body(command)) == command
    assert not signs or verdict.key_id == by
    assert command.to in ("street-1", "group:town")
    assert now.now_s is None or NOW_S < (command.not_after_s or 0) <= NOW_S + 86_400
    assert now.now_s is not None or command.challenge == now.challenge
    assert command.counter > now.floor(verdict.public)
    used = replace(now, floor=lambda _public: command.counter)
    again = judge(payload, used)
    assert not isinstance(again, Accepted), "taken twice"


def change(data: bytes, random: Random) -> bytes:
    return data[:1] + changed_json(data[1:], random)


def seeds() -> Iterator[bytes]:
    forger = Forger(5)
    for first in (2, 3, 6):
        yield bytes([first]) + encode_body(GOOD)
        yield bytes([first]) + encode_body(replace(GOOD, challenge=NOW.challenge, not_after_s=None))
        for _ in range(8):
            yield bytes([first]) + encode_body(replace(forger.good(), counter=GOOD.counter))
    yield from (b"\x00" + case.payload for case in forger.cases(40))
    yield b"\x02" + json.dumps({"v": 1}).encode()
