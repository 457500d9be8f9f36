"""Each command once: counters, challenges, clocks that are wrong, files that were put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.errors import StoreError
from speedsign.remote import NOTHING_SET, Wish
from telemetry.command import strict_json
from telemetry.command.model import Action
from telemetry.command.signature import public_text
from tests.cli.command import speedsign
from tests.command.office import HERE, NOW, NOW_S, MovedClock, Office, key, signed


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as found:
        yield found


def test_a_command_is_taken_once(office: Office) -> None:
    payload = signed(office.command(Action.SET, Wish(limit_kmh=40)))
    assert office.send(payload)["outcome"] == "pending"
    assert office.send(payload)["reason"] == "replay"
    office.start_again(NOTHING_SET)
    assert office.send(payload)["reason"] == "replay", "also after a start"


def test_what_was_refused_does_not_come_again_when_it_would_be_allowed(office: Office) -> None:
    confirm = signed(office.command(Action.CONFIRM, numbers={"counter": office.counter + 2}), "technician")
    assert office.send(confirm)["reason"] == "bounds"
    assert office.set(limit_kmh=40)["counter"] == office.counter, "now there is something to confirm"
    assert office.send(confirm)["reason"] == "replay"


def test_counters_of_two_keys_are_two(office: Office) -> None:
    command = office.command(Action.REPORT)
    assert office.send(signed(command, "officer"))["outcome"] == "done"
    assert office.send(signed(command, "reader"))["outcome"] == "done"


def test_a_store_that_replaces_a_lost_one_takes_nothing_from_before_it(office: Office) -> None:
    payload = signed(
        office.command(Action.SET, Wish(limit_kmh=40), not_after_s=int(office.clock.utc.timestamp()) + 7200)
    )
    office.send(payload)
    office.clock.move(60)
    office.store.close()
    for path in office.store.path.parent.glob("sign.db*"):
        path.unlink()
    office.start_again(NOTHING_SET)
    office.store.begin(HERE, office.clock.now_utc())
    assert office.send(payload)["reason"] == "replay"
    office.counter += 61_000
    assert office.set(limit_kmh=40)["outcome"] == "pending", "what is newer is taken"


def test_a_backup_that_is_brought_back_takes_nothing_from_before_it(office: Office, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    assert speedsign("backup", backup, "--db", office.store.path).exit_code == 0
    later = int(office.clock.utc.timestamp()) + 7200
    payload = signed(office.command(Action.SET, wish=Wish(limit_kmh=40), not_after_s=later))
    office.send(payload)
    office.clock.move(60)
    office.store.close()
    for path in office.store.path.parent.glob("sign.db*"):
        path.unlink()
    backup.rename(office.store.path)
    office.start_again(NOTHING_SET)
    assert office.send(payload)["reason"] == "replay"
    office.counter += 61_000
    assert office.set(limit_kmh=40)["outcome"] == "pending", "what is newer is taken"


def test_a_challenge_is_good_for_one_command(tmp_path: Path) -> None:
    with Office(tmp_path, clock=MovedClock(known=False)) as office:
        challenge = office.desk.challenge()
        assert office.set(limit_kmh=40)["reason"] == "challenge"
        assert office.greetings == 0
        assert office.ask(Action.SET, wish=Wish(limit_kmh=40), challenge=challenge)["outcome"] == "pending"
        assert office.greetings == 1
        assert office.desk.challenge() != challenge
        assert office.ask(Action.REPORT, challenge=challenge)["reason"] == "challenge"
        assert (
            office.ask(Action.REPORT, to="group:town", challenge=office.desk.challenge())["reason"] == "group"
        )


class LateRecorder:
    """A store's thread that comes to its work when the test says so."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._waiting: list[tuple[Any, Any]] = []

    def submit(self, _what: str, call: Any, on_done: Any = None, _on_error: Any = None) -> None:
        self._waiting.append((call, on_done))

    def work(self) -> None:
        """All of it, and only then what came of it."""
        done = [(on_done, call(self._office.store)) for call, on_done in self._waiting]
        self._waiting.clear()
        for on_done, outcome in done:
            on_done(outcome)


def test_of_three_commands_in_flight_with_one_challenge_one_is_taken(tmp_path: Path) -> None:
    with Office(tmp_path, clock=MovedClock(known=False)) as office:
        challenge = office.desk.challenge()
        recorder = office.desk._recorder = LateRecorder(office)
        for limit_kmh in (40, 45, 50):
            office.desk.take(signed(office.command(Action.SET, Wish(limit_kmh), challenge=challenge)))
        recorder.work()
        assert [one.get("reason", "") for one in office.replies()] == ["", "challenge", "challenge"]
        assert office.greetings == 1
        office.desk.take(signed(office.command(Action.REPORT, challenge=office.desk.challenge())))
        recorder.work()
        assert office.replies()[-1]["outcome"] == "done"


def test_a_challenge_is_not_spent_by_a_command_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the card is gone")

    with Office(tmp_path, clock=MovedClock(known=False)) as office:
        payload = signed(office.command(Action.REPORT, challenge=office.desk.challenge()))
        with monkeypatch.context() as patch:
            patch.setattr(office.store, "put_message", broken)
            assert office.send(payload) == {}
        assert office.send(payload)["outcome"] == "done"


def test_a_slip_of_a_clock_does_not_use_up_a_key(tmp_path: Path) -> None:
    """Where the clock cannot tell, a counter is at most 400 days above the last one, and before 2100."""
    with Office(tmp_path, clock=MovedClock(known=False)) as office:

        def ask(counter: int) -> str:
            command = office.command(Action.REPORT, challenge=office.desk.challenge())
            answer = office.send(signed(replace(command, counter=counter)))
            return str(answer.get("reason") or answer["outcome"])

        assert ask(4_102_444_800_000) == "counter"
        assert ask(NOW_S * 1000) == "done"
        leap_ms = 400 * 86_400_000
        assert ask(NOW_S * 1000 + leap_ms + 1) == "counter"
        office.clock.move(86_400)
        assert ask(NOW_S * 1000 + leap_ms + 1) == "done", "the sign's own clock has gone on"
        office.clock.known = True
        office.clock.move(60)
        assert office.ask(Action.REPORT)["reason"] == "replay"
        office.counter = NOW_S * 1000 + leap_ms + 2
        office.clock.move(400 * 86_400)
        assert office.ask(Action.REPORT)["outcome"] == "done", "it is not locked out for good"


def test_a_key_that_gets_another_name_has_its_counters(office: Office) -> None:
    payload = signed(office.command(Action.SET, Wish(limit_kmh=40)))
    assert office.send(payload)["outcome"] == "pending"
    keys = tuple(replace(key, id=f"{key.id}-2") for key in office.config.remote.key)
    office.config = replace(office.config, remote=replace(office.config.remote, key=keys))
    office.start_again(NOTHING_SET)
    envelope = json.loads(payload)
    envelope["key"] = "officer-2"
    assert office.send(strict_json.encode(envelope))["reason"] == "replay"
    again = signed(office.command(Action.SET, Wish(limit_kmh=40)), "officer", "officer-2")
    assert office.send(again)["outcome"] == "pending"


def test_a_key_is_changed_and_the_old_one_is_refused(office: Office) -> None:
    new = replace(office.config.remote.key[0], public=public_text(key("officer of now").public))
    keys = (new, *office.config.remote.key[2:])  # and the reader's is taken out
    office.config = replace(office.config, remote=replace(office.config.remote, key=keys))
    office.start_again(NOTHING_SET)
    assert office.ask(Action.REPORT) == office.ask(Action.REPORT, "reader") == {}
    assert [line[4] for line in office.record()] == [
        "signature; the signature is not of this key",
        "key; the key is not in [[remote.key]]",
    ]
    asked = office.command(Action.REPORT)
    assert office.send(signed(asked, "officer of now", "officer"))["outcome"] == "done"


# --------------------------------------------------------------------------- a clock that was wrong


def test_a_clock_that_was_ahead_at_the_first_command_locks_nobody_out(tmp_path: Path) -> None:
    with Office(tmp_path, clock=MovedClock(utc=NOW.replace(year=2036))) as office:
        command = office.command(Action.REPORT, not_after_s=NOW_S + 600)
        assert office.send(signed(command))["reason"] in ("replay", "expired")
        office.clock.utc = NOW + timedelta(seconds=60)
        office.start_again(NOTHING_SET)
        assert office.send(signed(command))["reason"] == "replay", "signed before the sign has started"
        office.clock.move(5)
        office.counter += 61_000
        assert office.ask(Action.REPORT)["outcome"] == "done"
        assert [line[3] for line in office.record()].count("noted") == 0, "a refused one notes nothing"


def test_a_note_that_lies_ahead_is_made_anew_and_written_down(tmp_path: Path) -> None:
    """Sign and officer were both ahead, so that the command was taken, and the time noted."""
    ahead = NOW.replace(year=2036)
    with Office(tmp_path, clock=MovedClock(utc=ahead)) as office:
        office.counter = int(ahead.timestamp() * 1000)
        assert office.ask(Action.REPORT)["outcome"] == "done"
        old = signed(office.command(Action.REPORT, counter=NOW_S * 1000 + 1), "technician")
        office.clock.utc = NOW + timedelta(seconds=60)
        office.start_again(NOTHING_SET)
        office.clock.move(5)
        office.counter = NOW_S * 1000 + 61_000
        fresh = office.command(Action.REPORT)
        assert office.send(old)["reason"] == "replay", "signed before this start"
        assert office.send(signed(fresh, "technician"))["outcome"] == "done"
        assert [line[3] for line in office.record()].count("noted") == 1
        assert office.send(signed(fresh, "technician"))["reason"] == "replay"
        office.start_again(NOTHING_SET)
        assert office.send(signed(office.command(Action.REPORT), "technician"))["outcome"] == "done"
        assert [line[3] for line in office.record()].count("noted") == 1, "once"
        assert office.ask(Action.REPORT)["reason"] == "replay", "a key that was used ahead needs a new one"
