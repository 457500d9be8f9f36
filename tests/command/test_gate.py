"""Who is let in: each reason to refuse, their order, and that nothing is read before the signature holds."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from speedsign.remote import Wish
from telemetry.command import gate
from telemetry.command.gate import Accepted, Circumstances, Key, Reason, Refused, judge
from telemetry.command.model import PURPOSE, Action, Command, Role, encode_body, seal
from telemetry.command.signature import verify
from tests.command.office import NOW_S, key, signed, signed_text

CHALLENGE = "0123456789abcdef" * 2
COUNTER = NOW_S * 1000
DAY_S = 86_400


def fitting(_key_id: str, command: Command) -> None:
    if command.wish.limit_kmh == 130:
        raise ValueError("too fast for this street")


NOW = Circumstances(
    sign="street-1",
    groups=frozenset({"town"}),
    keys={
        "officer": Key(key("officer").public, frozenset({Role.READ, Role.DISPLAY})),
        "reader": Key(key("reader").public, frozenset({Role.READ})),
    },
    now_s=float(NOW_S),
    challenge=CHALLENGE,
    floor=lambda public: COUNTER - 1 if public == key("officer").public else 0,
    verify=verify,
    bounds=fitting,
)
NO_CLOCK = replace(NOW, now_s=None)
GOOD = Command("street-1", COUNTER, Action.SET, Wish(limit_kmh=40), not_after_s=NOW_S + 600)


def reason(payload: bytes, now: Circumstances = NOW) -> Reason | None:
    verdict = judge(payload, now)
    return verdict.reason if isinstance(verdict, Refused) else None


def test_a_good_one_is_accepted_as_it_was_meant() -> None:
    verdict = judge(signed(GOOD), NOW)
    assert isinstance(verdict, Accepted)
    assert (verdict.key_id, verdict.command, verdict.by_challenge) == ("officer", GOOD, False)
    assert verdict.body == encode_body(GOOD)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"counter": COUNTER - 1}, Reason.REPLAY),
        ({"counter": 1}, Reason.REPLAY),
        ({"counter": (NOW_S + DAY_S) * 1000 + 1}, Reason.COUNTER),
        ({"not_after_s": None}, Reason.VALIDITY),
        ({"not_after_s": NOW_S}, Reason.EXPIRED),
        ({"not_after_s": NOW_S - 1}, Reason.EXPIRED),
        ({"not_after_s": 0}, Reason.EXPIRED),
        ({"not_after_s": NOW_S + DAY_S + 1}, Reason.VALIDITY),
        ({"to": "street-2"}, Reason.ADDRESS),
        ({"to": "group:village"}, Reason.ADDRESS),
        ({"action": Action.RESTART, "wish": Wish()}, Reason.ROLE),
        ({"wish": Wish(limit_kmh=130)}, Reason.BOUNDS),
    ],
)
def test_each_reason_to_refuse(change: dict[str, Any], expected: Reason) -> None:
    assert reason(signed(replace(GOOD, **change))) is expected


@pytest.mark.parametrize(
    "change", [{"counter": COUNTER}, {"not_after_s": NOW_S + DAY_S}, {"to": "group:town"}]
)
def test_the_edge_of_what_is_good_is_good(change: dict[str, Any]) -> None:
    assert reason(signed(replace(GOOD, **change))) is None


def test_a_key_that_is_not_ours() -> None:
    assert reason(signed(GOOD, by="stranger")) is Reason.KEY
    assert reason(signed(GOOD, by="stranger", key_id="officer")) is Reason.SIGNATURE
    assert reason(signed(GOOD, by="reader", key_id="officer")) is Reason.SIGNATURE


def test_a_reader_may_read_and_no_more() -> None:
    assert reason(signed(replace(GOOD, action=Action.REPORT, wish=Wish()), by="reader")) is None
    assert reason(signed(GOOD, by="reader")) is Reason.ROLE


def test_every_bit_of_what_is_signed_counts() -> None:
    body = encode_body(GOOD)
    signature = key("officer").sign(PURPOSE + body)
    for n in range(len(body) * 8):
        changed = bytearray(body)
        changed[n // 8] ^= 1 << n % 8
        assert reason(seal("officer", bytes(changed), signature)) is Reason.SIGNATURE
    for n in range(len(signature) * 8):
        forged = bytearray(signature)
        forged[n // 8] ^= 1 << n % 8
        assert reason(seal("officer", body, bytes(forged))) is Reason.SIGNATURE


def test_a_signature_for_another_purpose_is_none() -> None:
    """Somebody who gets an officer to sign a text of his has no command."""
    body = encode_body(GOOD)
    for purpose in (b"", b"speedsign-command-2\n", b"speedsign-command-1"):
        assert reason(seal("officer", body, key("officer").sign(purpose + body))) is Reason.SIGNATURE


def test_the_signatures_twin_is_refused() -> None:
    """S plus the group's order verifies with careless libraries: one command would have two texts."""
    body = encode_body(GOOD)
    signature = key("officer").sign(PURPOSE + body)
    order = 2**252 + 27742317777372353535851937790883648493
    twin = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert reason(seal("officer", body, twin)) is Reason.SIGNATURE


def test_nothing_of_a_body_is_read_before_its_signature_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_body: bytes) -> Command:
        raise AssertionError("a body was read whose signature does not hold")

    monkeypatch.setattr(gate, "parse_body", never)
    assert reason(signed(GOOD, by="stranger", key_id="officer")) is Reason.SIGNATURE
    assert reason(seal("officer", b"{" * 2000, bytes(64))) is Reason.SIGNATURE


def test_what_is_asked_for_is_looked_at_last() -> None:
    """Old, for another sign, without the role, out of bounds: each is said when all before is right."""
    worst = Command("street-2", 1, Action.SET, Wish(limit_kmh=130), not_after_s=1)
    reader = replace(NOW, floor=lambda _: COUNTER)
    found = []
    for change in ({}, {"counter": COUNTER + 1}, {"not_after_s": NOW_S + 60}, {"to": "street-1"}):
        worst = replace(worst, **change)
        found.append(reason(signed(worst, by="reader"), reader))
    assert found == [Reason.REPLAY, Reason.EXPIRED, Reason.ADDRESS, Reason.ROLE]
    assert reason(signed(worst, by="officer"), reader) is Reason.BOUNDS


@pytest.mark.parametrize("payload", [b"", b"{}", b"null", b"\x00" * 5000, json.dumps({"v": 1}).encode()])
def test_what_is_no_envelope(payload: bytes) -> None:
    assert reason(payload) is Reason.ENVELOPE


def test_signed_nonsense_is_refused_and_named() -> None:
    for body in (b"", b"{}", b"\xff", b'{"v":1}', base64.b64encode(b"x")):
        verdict = judge(signed_text(body), NOW)
        assert isinstance(verdict, Refused)
        assert (verdict.reason, verdict.signed, verdict.key_id) == (Reason.BODY, True, "officer")


# --------------------------------------------------------------------------- without a clock


def test_without_a_clock_the_challenge_decides() -> None:
    assert reason(signed(replace(GOOD, challenge=CHALLENGE, not_after_s=1)), NO_CLOCK) is None
    assert reason(signed(replace(GOOD, challenge="f" * 32)), NO_CLOCK) is Reason.CHALLENGE
    assert reason(signed(GOOD), NO_CLOCK) is Reason.CHALLENGE
    verdict = judge(signed(replace(GOOD, challenge=CHALLENGE)), NO_CLOCK)
    assert isinstance(verdict, Accepted)
    assert verdict.by_challenge


def test_without_a_clock_a_counter_still_counts_once() -> None:
    again = replace(GOOD, challenge=CHALLENGE, counter=COUNTER - 1)
    assert reason(signed(again), NO_CLOCK) is Reason.REPLAY


def test_without_a_clock_no_group_is_heard() -> None:
    command = replace(GOOD, to="group:town", challenge=CHALLENGE)
    assert reason(signed(command), NO_CLOCK) is Reason.GROUP


def test_with_a_clock_the_challenge_proves_nothing() -> None:
    old = replace(GOOD, challenge=CHALLENGE, not_after_s=NOW_S - 1)
    assert reason(signed(old)) is Reason.EXPIRED


# --------------------------------------------------------------------------- what a refusal is worth


def test_only_what_was_signed_is_answered_and_only_what_was_ours_uses_its_counter() -> None:
    cases = {
        b"{}": (False, False),
        signed(GOOD, by="stranger"): (False, False),
        signed(GOOD, by="stranger", key_id="officer"): (False, False),
        signed(replace(GOOD, counter=1)): (True, False),
        signed(replace(GOOD, to="street-2")): (True, False),
        signed(replace(GOOD, action=Action.RESTART, wish=Wish())): (True, True),
        signed(replace(GOOD, wish=Wish(limit_kmh=130))): (True, True),
    }
    for payload, expected in cases.items():
        verdict = judge(payload, NOW)
        assert isinstance(verdict, Refused)
        assert (verdict.signed, verdict.uses_counter) == expected
