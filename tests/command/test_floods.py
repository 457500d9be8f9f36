"""Many messages, and what they cost: nobody's place in the queue, no space on the card, no answer."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from speedsign.remote import Wish
from telemetry.command import ledger
from telemetry.command.model import Action, Command, seal
from telemetry.command.sieve import OF_A_KEY, UNSIGNED, VERIFIED
from telemetry.message.messages import REPLY
from tests.command.office import NOW_S, Office, signed

Flood = Callable[[Office], bytes]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as found:
        yield found


def test_a_command_for_another_group_is_written_down_and_not_answered(office: Office) -> None:
    assert office.ask(Action.SET, wish=Wish(limit_kmh=40), to="group:village") == {}
    assert office.record()[-1][3:] == ("refused", "address; it is for a group that this is not in")
    assert office.ask(Action.SET, wish=Wish(limit_kmh=40), to="street-2")["reason"] == "address"
    assert office.ask(Action.SET, wish=Wish(limit_kmh=40), to="group:town")["outcome"] == "pending"


def test_what_nobody_signed_gets_no_answer(office: Office) -> None:
    for payload in (b"", b"{}", b"\x00" * 100_000, signed(office.command(Action.REPORT), "stranger")):
        assert office.send(payload) == {}
    assert office.replies() == []
    assert office.desk.health() == {"taken": 0, "refused_envelope": 3, "refused_key": 1, "ignored": 0}


def test_a_flood_fills_neither_the_queue_nor_the_card(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.ask(Action.REPORT)
    caplog.set_level(logging.WARNING)
    submitted: list[str] = []
    real = office.desk._recorder.submit
    office.desk._recorder.submit = lambda what, *rest: (submitted.append(what), real(what, *rest))  # type: ignore[method-assign, func-returns-value, assignment]
    forged = signed(office.command(Action.REPORT), "stranger", key_id="officer")
    for _ in range(2000):
        office.desk.take(forged)
    assert len(submitted) == UNSIGNED[0]
    found = office.desk.health()
    assert found["refused_signature"] + found["ignored"] == 2000, "all are counted"
    assert found["refused_signature"] == VERIFIED[0]
    for _ in range(3600):
        office.clock.move(1)
        office.desk.take(forged)
    assert len(office.record()) <= 1 + 10 + 7, "ten at once, then one in ten minutes"
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == len(office.record()) - 1


def forged_by_name(office: Office) -> bytes:
    return seal("officer", random.Random(office.clock.mono_s).randbytes(200), bytes(64))


def of_nobody(office: Office) -> bytes:
    return seal(f"x{int(office.clock.mono_s * 1000)}", b"x", bytes(64))


def no_envelope(office: Office) -> bytes:
    return b"{" * int(office.clock.mono_s % 100)


def genuine_once(office: Office) -> bytes:
    """Taken long ago; anybody who heard it can send it again, and write its envelope otherwise."""
    spaces = b" " * int(office.clock.mono_s * 1000 % 97)
    return signed(Command("street-1", NOW_S * 1000 + 1, Action.REPORT, not_after_s=NOW_S + 600)) + spaces


def genuine_of_another(office: Office) -> bytes:
    return signed(Command("street-2", NOW_S * 1000 + 5, Action.REPORT, not_after_s=NOW_S + 600))


def all_at_once(office: Office) -> bytes:
    ways = (forged_by_name, of_nobody, no_envelope, genuine_once, genuine_of_another)
    return ways[int(office.clock.mono_s * 1000) // 5 % len(ways)](office)


@pytest.mark.parametrize(
    "flood", [forged_by_name, of_nobody, no_envelope, genuine_once, genuine_of_another, all_at_once]
)
@pytest.mark.parametrize("first", [True, False], ids=["from the start", "later"])
def test_a_good_one_is_heard_through_a_flood(office: Office, flood: Flood, *, first: bool) -> None:
    """200 a second for 8 s, and an officer's command now and then among them: answered, not by luck."""
    office.counter += 1000
    if not first:
        assert office.ask(Action.REPORT)["outcome"] == "done"
    answered = 0
    for n in range(1600):
        office.clock.move(0.005)
        office.desk.take(flood(office))
        if n % 200 == 150:
            answer = office.ask(Action.REPORT)
            answered += answer.get("outcome") == "done"
    assert answered == 8
    assert len(office.replies()) <= 8 + 2 + 2 * 10
    assert office.desk.health()["taken"] >= answered


def test_the_officers_own_flood_has_an_end(office: Office) -> None:
    for _ in range(100):
        office.ask(Action.REPORT)
    assert len(office.replies()) <= OF_A_KEY[0] + 2
    assert office.ask(Action.REPORT, "reader")["outcome"] == "done", "and is nobody else's"


def test_a_replayed_command_cannot_fill_the_outbox(office: Office) -> None:
    payload = signed(office.command(Action.REPORT))
    for _ in range(3600):
        office.clock.move(1)
        office.desk.take(payload)
    assert len(office.replies()) <= 1 + 10 + 60


def test_the_record_keeps_its_newest_lines(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KEPT", 5)
    for _ in range(12):
        office.ask(Action.REPORT)
    assert [line[1] for line in office.record()] == list(range(office.counter - 4, office.counter + 1))


def test_what_no_longer_fits_the_config_is_said(office: Office) -> None:
    office.desk._dropped = ["there is no profile 'old'; there are: quiet, early"]
    office.desk.begin()
    (fault,) = office.desk.faults()
    assert (fault.device, fault.code) == ("remote", "dropped")
    assert "profile 'old'" in fault.text
    assert office.replies()[-1]["outcome"] == "undone"


def test_replies_go_before_everything_else() -> None:
    from telemetry.message.messages import RANKS

    assert RANKS[REPLY] == 0
