"""What a sign does with commands: asked, tried, confirmed, undone, written down; with a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from speedsign.errors import StoreError
from speedsign.remote import NOTHING_SET, RemoteSettings, Wish
from telemetry.command.clerk import RESTART_AFTER_S
from telemetry.command.ledger import settings_of_file
from telemetry.command.model import Action
from telemetry.message.heard import parse_reply
from tests.command.office import Office, signed, signed_text

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


def test_what_is_added_to_a_change_has_no_more_time_and_all_of_it_is_shown(office: Office) -> None:
    first = office.set(limit_kmh=40)["counter"]
    office.clock.move(300)
    second = office.set(profile="early")
    assert second["difference"] == ["limit_kmh: 50 -> 40", "too_fast_kmh: 70 -> 55"], "all that is confirmed"
    assert second["confirm_within_s"] == 300
    assert office.confirm(first)["reason"] == "bounds", "the newest is what is in force"
    tried = office.set(limit_kmh=50, dry_run=True)
    assert tried["difference"] == ["too_fast_kmh: 70 -> 55"]
    office.clock.move(299)
    office.desk.tick()
    assert office.applied[-1] == RemoteSettings(40, "early")
    office.clock.move(1)
    office.desk.tick()
    assert office.applied[-1] == NOTHING_SET, "the first one's ten minutes"
    assert office.confirm(second["counter"])["reason"] == "bounds"


def test_both_changes_of_a_key_are_confirmed_by_the_newest(office: Office) -> None:
    office.set(limit_kmh=40)
    assert office.confirm(office.set(profile="early")["counter"])["outcome"] == "done"
    assert settings_of_file(office.store.path) == RemoteSettings(40, "early")


def test_a_change_that_waits_is_its_makers(office: Office) -> None:
    """Or confirming one's own change would keep what somebody else only tried."""
    tried = office.set(limit_kmh=40)
    office.clock.move(590)
    for dry_run in (True, False):
        answer = office.set("technician", profile="quiet", dry_run=dry_run)
        assert (answer["outcome"], answer["reason"]) == ("refused", "pending")
        assert "a change of officer waits to be confirmed by that key, for another 10 s" in answer["text"]
    assert office.confirm(tried["counter"], "technician")["reason"] == "pending"
    assert office.applied == [FORTY]
    office.clock.move(10)
    office.set("technician", profile="quiet")
    answer = office.replies()[-1]
    assert answer["difference"] == ["dark: no -> yes"], (
        "late, and before the next tick: from what is confirmed"
    )
    assert answer["confirm_within_s"] == 600
    office.desk.tick()
    assert [one["outcome"] for one in office.replies()[-2:]] == ["undone", "pending"]
    assert office.confirm(answer["counter"], "technician")["outcome"] == "done"
    assert settings_of_file(office.store.path) == RemoteSettings(profile="quiet")


def test_whoever_may_change_the_display_may_end_a_change(office: Office) -> None:
    office.set(limit_kmh=40)
    assert office.ask(Action.REVERT, "technician")["outcome"] == "done"
    assert office.applied[-1] == NOTHING_SET


def test_a_change_whose_end_could_not_be_written_holds_nobody_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.set(limit_kmh=40)
    with monkeypatch.context() as patch:
        patch.setattr(office.desk._recorder, "submit", lambda *_: None)
        office.clock.move(600)
        office.desk.tick()
    office.clock.move(3600)
    assert office.set("technician", profile="quiet")["outcome"] == "undone"
    assert office.replies()[-1]["outcome"] == "pending"


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
    assert (again["outcome"], again["waits_for"]) == ("pending", first)
    assert (again["difference"], again["confirm_within_s"]) == (["limit_kmh: 50 -> 40"], 1)
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
