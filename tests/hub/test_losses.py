"""What never comes is not waited for; what comes all the same, or under a name that came, is not lost."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from telemetry.hub.overview import SignNow, read_signs
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.hub.taking import MOST_REPLIES
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.query import read_intervals, read_vehicles
from telemetry.store import SqliteStore
from tests.cli.command import speedsign
from tests.hub.kept import ask
from tests.hub.said import EPOCH, HERE, NOW_MS, SIGN, agg, birth, gap, interval, named, place, quarter
from tests.telemetry.samples import BAUSKA, T0, passed

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
DAY_MS = 86_400_000


def seen(path: Path, after_ms: int = 0) -> SignNow:
    (found,) = read_signs(path, NOW_MS + after_ms)
    return found


# --------------------------------------------------------------------------- what never came


def test_what_the_sign_has_no_more_is_lost_and_not_missing_for_ever(
    path: Path, store: SqliteHubStore
) -> None:
    store.take([birth(), place(1), agg(2), agg(9, quarter(9))])
    assert seen(path).missing == 6
    taken = store.take([birth(2, oldest=8)])
    assert [ack for _, ack in taken.acks] == [Ack(EPOCH, 7, ((9, 9),))]
    assert any("3 to 7 never came" in line and "command resend" in line for line in taken.news)
    assert ask(path, "SELECT at_ms, kind, first_seq, last_seq, messages FROM loss") == [(NOW_MS, "", 3, 7, 5)]
    now = seen(path)
    assert (now.missing, now.lost, now.lost_ms) == (1, 5, NOW_MS)
    assert store.take([birth(3, oldest=10)]).acks[0][1].up_to == 9
    assert (seen(path).missing, seen(path).lost) == (0, 6)


def test_nothing_is_lost_of_what_waits_or_is_here(path: Path, store: SqliteHubStore) -> None:
    """All of a batch is looked at first: what the broker kept comes behind the retained birth."""
    store.take([birth(oldest=1)])
    store.take([birth(2, oldest=4), place(1), agg(2), agg(3, quarter(1))])
    store.take([birth(2, oldest=4), birth(1, oldest=2)])
    assert ask(path, "SELECT * FROM loss") == []


def test_a_check_fails_for_a_week_and_says_what_to_do(path: Path, store: SqliteHubStore) -> None:
    store.take([birth(), place(1), agg(2), birth(2, oldest=5)])
    week_s = 7 * 86_400
    now_s = NOW_MS / 1000
    assert "never came" in seen(path).troubles(now_s + week_s - 1, 1e9)
    assert "never came" not in seen(path).troubles(now_s + week_s + 1, 1e9)
    assert seen(path).lost == 2
    store.take([gap(9, ("agg", 5, 8))])
    assert "dropped" in seen(path).troubles(now_s + week_s - 1, 1e9)
    assert "dropped" not in seen(path).troubles(now_s + week_s + 1, 1e9)
    store.take([replace(birth(3, oldest=12), at_ms=int(datetime.now(UTC).timestamp() * 1000))])
    done = speedsign("hub", "signs", "--check", "--late", "9999d", "--db", path)
    assert done.exit_code == 1
    assert "speedsign command resend" in " ".join(done.stdout.split())
    of_one = speedsign("hub", "signs", SIGN, "--db", path).stdout
    assert "never came: 2 of 3 to 4, noticed 2026-05-04 16:06" in of_one
    told = json.loads(speedsign("hub", "signs", SIGN, "--json", "--db", path).stdout)
    assert told[0]["never_came"] == 4
    assert told[0]["stores"][0]["never_came"][-1]["messages"] == 2


def test_very_many_gaps_are_few_rows(path: Path, store: SqliteHubStore) -> None:
    store.take([agg(seq, quarter(seq % 90)) for seq in range(2, 2002, 4)])
    store.take([birth(oldest=2010)])
    rows, messages_lost = ask(path, "SELECT count(*), sum(messages) FROM loss")[0]
    assert rows <= 200
    assert messages_lost == 2009 - 500


@pytest.mark.parametrize("how", ["dropped", "never came"])
def test_what_was_told_as_lost_and_comes_after_all_is_stored(
    path: Path, store: SqliteHubStore, how: str
) -> None:
    store.take([place(1), gap(4, ("agg", 2, 3)) if how == "dropped" else birth(oldest=4)])
    assert sum(n for (n,) in ask(path, "SELECT messages FROM loss")) == 2
    taken = store.take([agg(2)])
    assert (taken.news, len(read_intervals(path, *EVER))) == ((), 1)
    assert ask(path, "SELECT messages FROM loss") == [(1,)]
    store.take([agg(2), agg(3, quarter(1))])
    assert ask(path, "SELECT messages FROM loss") == []
    assert ask(path, "SELECT clashes FROM source") == [(0,)]


# --------------------------------------------------------------------------- a name that came before


def test_the_same_once_more_is_no_clash(path: Path, store: SqliteHubStore) -> None:
    batch = [
        place(1),
        agg(2),
        agg(3, interval(n=5, revision=2)),
        named("raw", 4, messages.vehicles(1, [passed(44.0), passed(51.0)])),
        place(5, replace(HERE, mounting_angle_deg=3.0)),
    ]
    store.take(batch)
    for turn in range(3):
        random.Random(turn).shuffle(batch)
        assert store.take(batch).news == ()
    assert ask(path, "SELECT clashes, duplicates FROM source") == [(0, 15)]


def test_what_a_copied_card_sends_under_names_that_came_is_stored_and_said_once(
    path: Path, store: SqliteHubStore
) -> None:
    store.take([place(1), agg(2), agg(3, quarter(1)), named("raw", 4, messages.vehicles(1, [passed()]))])
    later = passed(61.0, T0 + timedelta(hours=3))
    taken = store.take(
        [
            agg(2, quarter(7)),
            agg(3, quarter(1)),
            named("raw", 4, messages.vehicles(1, [passed(), later])),
            place(1, replace(HERE, limit_kmh=30), 2, begins=T0 + timedelta(hours=2)),
        ]
    )
    assert (taken.duplicates, taken.refused) == (4, ())
    (said,) = taken.news
    assert said == f"{SIGN}: agg 2 came again with other content: is a copy of its card in use?"
    assert len(read_intervals(path, *EVER)) == 3
    assert [one.vehicle.speed_kmh for _, one in read_vehicles(path, *EVER)] == [50.0, 61.0]
    assert ask(path, "SELECT clashes FROM source") == [(3,)]
    assert store.take([agg(2, quarter(8))]).news == ()
    assert "copy" in seen(path).troubles(NOW_MS / 1000, 1e9)
    assert "copy" not in seen(path).troubles(NOW_MS / 1000 + 8 * 86_400, 1e9)


def test_vehicles_that_were_forgotten_are_no_news_when_they_come_again(
    path: Path, store: SqliteHubStore
) -> None:
    sent = named("raw", 2, messages.vehicles(1, [passed()]))
    store.take([place(1), sent])
    store.prune(T0 + timedelta(days=1))
    assert store.take([sent]).news == ()
    assert read_vehicles(path, *EVER) == []


def test_a_card_that_was_copied_byte_by_byte_loses_nothing(tmp_path: Path, store: SqliteHubStore) -> None:
    """While the hub was away it gave the broker what the hub has under these names of the original."""
    first, copy = tmp_path / "first.db", tmp_path / "copy.db"

    def count(file: Path, quarters: range) -> list[Heard]:
        with contextlib.closing(SqliteStore(file, SIGN)) as opened:
            opened.begin(BAUSKA, T0)
            for n in quarters:
                opened.add_vehicle(passed(50.0, T0 + timedelta(minutes=15 * n + 5)), [])
            opened.close_intervals(T0 + timedelta(minutes=15 * quarters.stop), None)
            return [
                named(row.kind, row.seq, json.loads(row.body), epoch=opened.epoch)
                for row in opened.take((), 100).rows
            ]

    count(first, range(4))
    copy.write_bytes(first.read_bytes())
    store.take(count(first, range(4, 8)))
    store.take(count(copy, range(8, 13)))
    assert len(read_intervals(tmp_path / "hub.db", *EVER)) == 13


# --------------------------------------------------------------------------- replies


def test_of_the_answers_to_commands_the_newest_are_kept(path: Path, store: SqliteHubStore) -> None:
    body = {"at": 1, "key": "k", "counter": 1, "action": "set", "outcome": "applied"}
    store.take([named("reply", seq, {**body, "counter": seq}) for seq in range(1, MOST_REPLIES + 11)])
    kept = ask(path, "SELECT count(*), min(seq), max(seq) FROM reply")
    assert kept == [(MOST_REPLIES, 11, MOST_REPLIES + 10)]
    assert [one["counter"] for one in seen(path).replies][:2] == [MOST_REPLIES + 10, MOST_REPLIES + 9]


def test_an_answer_that_is_too_long_is_refused(path: Path, store: SqliteHubStore) -> None:
    body = {"at": 1, "key": "k", "counter": 1, "action": "set", "outcome": "applied", "x": "a" * 21_000}
    taken = store.take([named("reply", 1, body)])
    assert "a reply of 21" in taken.refused[0]
    assert taken.acks[0][1].up_to == 1
    assert ask(path, "SELECT count(*) FROM reply") == [(0,)]
