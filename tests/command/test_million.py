"""Of thousands of commands that must not be taken none is; benchmarks/forged_commands tries a million."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from telemetry.command import gate
from telemetry.command.gate import Reason
from tests.command.forging import CHALLENGE, Case, Forger, Gatekeeper

CASES = 20_000
SEED = 6

EXPECTED = {
    "noise": {Reason.ENVELOPE},
    "envelope": {Reason.ENVELOPE, Reason.KEY, Reason.SIGNATURE},
    "unknown key": {Reason.KEY},
    "forged": {Reason.SIGNATURE},
    "changed body": {Reason.SIGNATURE},
    "changed signature": {Reason.SIGNATURE},
    "another body": {Reason.SIGNATURE},
    "another purpose": {Reason.SIGNATURE},
    "no command": {Reason.BODY},
    "replayed": {Reason.REPLAY},
    "expired": {Reason.EXPIRED},
    "good for too long": {Reason.VALIDITY},
    "good for ever": {Reason.VALIDITY},
    "counter ahead": {Reason.COUNTER},
    "no challenge": {Reason.CHALLENGE},
    "another challenge": {Reason.CHALLENGE},
    "group without a clock": {Reason.GROUP},
    "another sign": {Reason.ADDRESS},
    "another group": {Reason.ADDRESS},
    "no role": {Reason.ROLE},
    "out of bounds": {Reason.BOUNDS},
    "unknown name": {Reason.BOUNDS},
    "beside another's change": {Reason.PENDING},
    "mutated": {Reason.ENVELOPE, Reason.KEY, Reason.SIGNATURE},
}


def test_none_of_twenty_thousand_is_accepted_and_each_for_its_own_reason() -> None:
    keeper, found = Gatekeeper(), defaultdict[str, Counter[str]](Counter)
    for case in Forger(SEED).cases(CASES):
        found[case.kind][keeper.verdict(case)] += 1
    assert found.keys() == EXPECTED.keys()
    for kind, verdicts in found.items():
        assert verdicts.keys() <= {str(reason) for reason in EXPECTED[kind]}, (kind, verdicts)
        assert verdicts.total() > CASES / 50, "each way is tried often"
    assert {reason for verdicts in found.values() for reason in verdicts} == {str(one) for one in Reason}


def test_genuine_ones_are_accepted() -> None:
    """Or the test above would prove nothing."""
    keeper, forger = Gatekeeper(), Forger(SEED)
    assert {keeper.verdict(forger.genuine()) for _ in range(500)} == {"accepted"}
    command = replace(forger.good(), to="street-1", challenge=CHALLENGE)
    assert keeper.verdict(Case("genuine", forger._sealed(command), trusted=False)) == "accepted"


@pytest.mark.parametrize("check", ["_stale", "_not_ours", "_not_allowed", "_beyond"])
def test_a_gate_that_lacks_one_check_is_found_out(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, check, lambda *_: None)
    keeper = Gatekeeper()
    assert any(keeper.verdict(case) == "accepted" for case in Forger(SEED).cases(400))


def test_a_gate_that_believes_every_signature_is_found_out() -> None:
    keeper = Gatekeeper()
    keeper._now = replace(keeper._now, verify=lambda *_: True)
    assert any(keeper.verdict(case) == "accepted" for case in Forger(SEED).cases(400))
