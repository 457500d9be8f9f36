"""What a sign does with commands: asked, tried, confirmed, undone, written down; with a real database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from speedsign.errors import StoreError
from speedsign.remote import NOTHING_SET, RemoteSettings, Wish
from telemetry.command import ledger
from telemetry.command.clerk import RESTART_AFTER_S
from telemetry.command.desk import ARRIVING
from telemetry.command.ledger import settings_of_file
from telemetry.command.model import Action
from telemetry.message_heard import parse_reply
from telemetry.messages import REPLY
from tests.cli.command import speedsign
from tests.command.office import HERE, MovedClock, Office, signed, signed_text

FORTY = RemoteSettings(limit_kmh=40)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as found:
        yield found


# --------------------------------------------------------------------------- changes


def test_a_change_is_in_force_at_once_and_waits_to_be_confirmed(office: Office) -> None:
    answer = office.set(limit_kmh=40)
    assert answer["outcome"] == "pending"
    assert answer["difference"] == ["limit_kmh: 50 -> 40"]
    assert answer["confirm_within_s"] == 600
    assert office.applied == [FORTY]
    assert settings_of_file(office.store.path) == NOTHING_SET, "not confirmed, not kept"


def test_a_confirmed_change_is_kept(office: Office) -> None:
    counter = office.set(limit_kmh=40)["counter"]
    assert office.confirm(counter)["outcome"] == "done"
    assert settings_of_file(office.store.path) == FORTY
    office.clock.move(3600)
    office.desk.tick()
    assert office.applied == [FORTY], "nothing is undone"
    office.start_again(settings_of_file(office.store.path))
    assert office.record()[-1][3] == "done", "nothing is undone at a start either"


def test_a_change_that_nobody_confirms_is_undone(office: Office) -> None:
    counter = office.set(limit_kmh=40)["counter"]
    office.clock.move(599)
    office.desk.tick()
    assert office.applied == [FORTY]
    office.clock.move(1)
    office.desk.tick()
    assert office.applied == [FORTY, NOTHING_SET]
    last = office.replies()[-1]
    assert (last["counter"], last["outcome"], last["reason"]) == (counter, "undone", "unconfirmed")
    assert "not confirmed within 10 minutes" in last["text"]
    assert office.confirm(counter)["reason"] == "bounds", "too late"
    assert office.applied == [FORTY, NOTHING_SET]


def test_the_time_to_confirm_does_not_hang_on_the_wall_clock(office: Office) -> None:
    office.set(limit_kmh=40)
    office.clock.utc = office.clock.utc.replace(year=2020)
    office.desk.tick()
    assert office.applied == [FORTY]
    office.clock.mono_s += 600
    office.desk.tick()
    assert office.applied[-1] == NOTHING_SET


def test_a_start_undoes_what_was_not_confirmed_and_says_so(office: Office) -> None:
    counter = office.set(limit_kmh=40)["counter"]
    office.start_again(settings_of_file(office.store.path))
    last = office.replies()[-1]
    assert (last["counter"], last["outcome"], last["key"]) == (counter, "undone", "officer")
    assert office.applied == []
    assert office.confirm(counter)["reason"] == "bounds"
    office.start_again(NOTHING_SET)
    assert len([one for one in office.replies() if one["outcome"] == "undone"]) == 1, "said once"


def test_a_second_change_adds_to_the_first_and_both_wait(office: Office) -> None:
    first = office.set(limit_kmh=40)["counter"]
    office.clock.move(300)
    second = office.set(profile="early")
    assert second["difference"] == ["too_fast_kmh: 70 -> 55"]
    assert office.confirm(first)["reason"] == "bounds", "the newest is what is in force"
    office.clock.move(400)
    office.desk.tick()
    assert office.applied[-1] == RemoteSettings(40, "early"), "its own ten minutes are not over"
    assert office.confirm(second["counter"])["outcome"] == "done"
    assert settings_of_file(office.store.path) == RemoteSettings(40, "early")


def test_after_a_confirmed_change_an_unconfirmed_one_falls_back_to_it(office: Office) -> None:
    office.confirm(office.set(limit_kmh=40)["counter"])
    office.set(profile="quiet")
    office.clock.move(600)
    office.desk.tick()
    assert office.applied[-1] == FORTY


def test_setting_what_is_confirmed_already_ends_the_change_that_waits(office: Office) -> None:
    office.confirm(office.set(limit_kmh=40)["counter"])
    office.set(limit_kmh=30)
    assert office.set(limit_kmh=40)["outcome"] == "done"
    office.clock.move(3600)
    office.desk.tick()
    assert office.applied[-1] == FORTY
    assert office.record()[-1][3] == "done"


def test_the_same_wish_again_gives_no_more_time(office: Office) -> None:
    first = office.set(limit_kmh=40)["counter"]
    office.clock.move(599)
    again = office.set(limit_kmh=40)
    assert (again["outcome"], again["waits_for"], again["difference"]) == ("pending", first, [])
    office.clock.move(1)
    office.desk.tick()
    assert office.applied[-1] == NOTHING_SET


def test_tables_of_the_schedule_are_switched_by_name(office: Office) -> None:
    answer = office.set(schedule={"night": False})
    assert answer["difference"] == ['schedule "night": on -> off']
    assert office.applied == [RemoteSettings(off=("night",))]
    assert office.set(schedule={"night": True})["outcome"] == "done"
    assert office.applied[-1] == NOTHING_SET
    assert (
        "no table of the schedule 'nigth'; there are: night" in office.set(schedule={"nigth": False})["text"]
    )


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"limit_kmh": 61}, "from 30 to 60 km/h, and 61"),
        ({"limit_kmh": 29}, "from 30 to 60 km/h, and 29"),
        ({"profile": "loud"}, "no profile 'loud'; there are: quiet, early"),
        ({"limit_kmh": 60, "profile": "early"}, "too_fast_kmh = 55: must be above the limit, 60"),
    ],
)
def test_what_the_config_would_not_allow_is_refused(office: Office, wish: dict[str, Any], said: str) -> None:
    answer = office.set(**wish)
    assert (answer["outcome"], answer["reason"]) == ("refused", "bounds")
    assert said in answer["text"]
    assert office.applied == []


def test_revert_is_the_config_alone_at_once(office: Office) -> None:
    office.confirm(office.set(limit_kmh=40, schedule={"night": False})["counter"])
    office.set(profile="quiet")
    tried = office.ask(Action.REVERT, dry_run=True)
    answer = office.ask(Action.REVERT)
    assert tried["outcome"] == "dry_run"
    expected = ["limit_kmh: 40 -> 50", "dark: yes -> no", 'schedule "night": off -> on']
    assert tried["difference"] == answer["difference"] == expected
    assert office.applied[-1] == NOTHING_SET
    assert settings_of_file(office.store.path) == NOTHING_SET
    office.clock.move(3600)
    office.desk.tick()
    assert office.record()[-1][2] == "revert"


def test_a_trial_shows_the_difference_and_changes_nothing(office: Office) -> None:
    answer = office.set(limit_kmh=30, profile="quiet", dry_run=True)
    assert answer["outcome"] == "dry_run"
    assert answer["difference"] == ["limit_kmh: 50 -> 30", "dark: no -> yes"]
    assert office.applied == []
    assert office.ask(Action.RESEND, numbers={"from": 1, "to": 2}, dry_run=True)["intervals"] == 0


# --------------------------------------------------------------------------- once and no more


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


# --------------------------------------------------------------------------- all or nothing


def test_a_power_cut_before_the_commit_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the card is gone")

    payload = signed(office.command(Action.SET, Wish(limit_kmh=40)))
    with monkeypatch.context() as patch:
        patch.setattr(office.store, "put_message", broken)
        assert office.send(payload) == {}
    assert office.applied == []
    assert office.record() == []
    assert settings_of_file(office.store.path) == NOTHING_SET
    assert office.send(payload)["outcome"] == "pending", "it can be sent again"


def test_the_effect_comes_after_the_commit(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process that is killed between the two leaves: the record and the answer, and no effect."""
    monkeypatch.setattr(office.desk, "_done", lambda _outcome: None)
    monkeypatch.setattr(office.desk._recorder, "submit", _without_result(office))
    office.desk.take(signed(office.command(Action.SET, Wish(limit_kmh=40))))
    assert office.applied == []
    assert [line[3] for line in office.record()] == ["pending"]
    office.start_again(settings_of_file(office.store.path))
    assert [line[3] for line in office.record()] == ["pending", "undone"]


def _without_result(office: Office) -> Any:
    return lambda _what, call, *_rest: call(office.store)


def test_a_change_is_undone_in_time_though_the_store_is_stuck(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.set(limit_kmh=40)
    monkeypatch.setattr(office.desk._recorder, "submit", lambda *_: None)
    office.clock.move(600)
    office.desk.tick()
    assert office.applied == [FORTY, NOTHING_SET]


def test_a_late_word_of_the_store_does_not_bring_back_what_was_undone(office: Office) -> None:
    """The store's thread was stuck: what it says about the time before must not count."""
    office.set(limit_kmh=40)
    stale = office.desk._clerk._now()
    office.clock.move(600)
    office.desk.tick()
    office.desk._done(stale)
    assert office.applied == [FORTY, NOTHING_SET]


# --------------------------------------------------------------------------- the rest of what can be asked


def test_a_report_says_how_the_sign_is(office: Office) -> None:
    office.set(limit_kmh=40)
    answer = office.ask(Action.REPORT, "reader")
    assert answer["report"]["remote"] == ["limit 40 km/h"]
    assert answer["report"]["pending"]["undone_in_s"] == 600
    assert answer["report"]["last_24_h"] == {"vehicles": 0, "coverage": 0.0}
    assert len(json.dumps(answer)) < 4096


def test_the_log_is_the_newest_lines(office: Office) -> None:
    assert office.ask(Action.LOG, "reader", numbers={"lines": 2})["lines"] == ["b", "c"]


def test_a_log_that_is_too_long_for_an_answer_keeps_its_end(office: Office) -> None:
    effects = replace(office.desk._effects, log=lambda n: [f"{i:03d} " + "é" * 250 for i in range(n)])
    office.desk._effects = effects
    answer = office.ask(Action.LOG, "reader", numbers={"lines": 200})
    assert answer["lines"][-1].startswith("199")
    assert len(answer["lines"]) + answer["left_out"] == 200
    assert len(json.dumps(answer, ensure_ascii=False).encode()) < 16_384


def test_a_restart_is_granted_once_in_a_while(office: Office) -> None:
    assert office.ask(Action.RESTART, "technician")["outcome"] == "done"
    assert office.restarts == 1
    office.start_again(NOTHING_SET)
    assert "again in 600 s" in office.ask(Action.RESTART, "technician")["text"]
    office.clock.move(RESTART_AFTER_S)
    assert office.ask(Action.RESTART, "technician")["outcome"] == "done"
    assert office.restarts == 2


def test_more_than_400_days_are_not_sent_again_at_once(office: Office) -> None:
    span = {"from": 0, "to": 401 * 86_400}
    assert "400 days" in office.ask(Action.RESEND, numbers=span)["text"]
    assert office.ask(Action.RESEND, numbers={"from": 0, "to": 86_400})["intervals"] == 0


def test_answers_are_what_a_hub_can_read(office: Office) -> None:
    office.set(limit_kmh=40)
    office.set(limit_kmh=500 // 4)
    office.send(signed_text(b"{}"))
    office.ask(Action.REPORT)
    assert len(office.replies()) == 4
    for answer in office.replies():
        assert parse_reply(answer) == answer
    assert office.wakes == 4


# --------------------------------------------------------------------------- others, and floods


def test_a_command_for_another_group_is_written_down_and_not_answered(office: Office) -> None:
    assert office.ask(Action.SET, wish=Wish(limit_kmh=40), to="group:village") == {}
    assert office.record()[-1][3:] == ("refused", "address; it is for a group that this is not in")
    assert office.ask(Action.SET, wish=Wish(limit_kmh=40), to="street-2")["reason"] == "address"
    assert office.ask(Action.SET, wish=Wish(limit_kmh=40), to="group:town")["outcome"] == "pending"


def test_what_nobody_signed_gets_no_answer(office: Office) -> None:
    for payload in (b"", b"{}", b"\x00" * 100_000, signed(office.command(Action.REPORT), "stranger")):
        assert office.send(payload) == {}
    assert office.replies() == []
    assert office.desk.health() == {"refused_envelope": 3, "refused_key": 1, "ignored": 0}


def test_a_flood_fills_neither_the_queue_nor_the_card(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    forged = signed(office.command(Action.REPORT), "stranger", key_id="officer")
    for _ in range(2000):
        office.desk.take(forged)
    assert office.desk.health()["ignored"] == 2000 - ARRIVING[0]
    for _ in range(3600):
        office.clock.move(1)
        office.desk.take(forged)
    assert len(office.record()) <= 10 + 7, "ten at once, then one in ten minutes"
    assert len(caplog.records) == len(office.record())
    office.counter += 3_700_000
    assert office.set(limit_kmh=40)["outcome"] == "pending", "and a good one is still heard"


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
    from telemetry.messages import RANKS

    assert RANKS[REPLY] == 0
