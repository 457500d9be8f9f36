"""A sign in wrong hands costs the hub's other signs nothing: not their room, not their time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from telemetry.hub import sources, taking
from telemetry.hub.complaints import EVERY_S, MOST_A_SIGN, Complaints, News
from telemetry.hub.port import Heard
from telemetry.hub.refusing import MOST_A_SIGN as MOST_REFUSED
from telemetry.hub.sources import MOST_STORES, MOST_STORES_IN_DAY
from telemetry.hub.store import SqliteHubStore
from telemetry.message.messages import Ack
from tests.cli.command import speedsign
from tests.hub.kept import ask
from tests.hub.said import EPOCH, HERE, NOW_MS, SIGN, agg, birth, gap, health, named, place, quarter

DAY_MS = 86_400_000
GOOD = "iecava-2"


def reply(epoch: int, day: int = 0) -> Heard:
    body = {"at": 1, "key": "k", "counter": 1, "action": "set", "outcome": "applied"}
    return named("reply", 1, body, epoch=f"{epoch:016x}", at_ms=NOW_MS + day * DAY_MS)


# --------------------------------------------------------------------------- stores


def test_a_day_has_few_new_stores_and_the_next_one_as_many(path: Path, store: SqliteHubStore) -> None:
    taken = store.take([reply(n) for n in range(30)])
    assert len(taken.acks) == MOST_STORES_IN_DAY
    assert len(taken.refused) == 30 - MOST_STORES_IN_DAY
    assert taken.refused[0].startswith(f"{SIGN}: reply: is of a new store")
    assert ask(path, "SELECT count(*) FROM source") == [(MOST_STORES_IN_DAY,)]
    assert len(store.take([reply(n) for n in range(30)]).acks) == MOST_STORES_IN_DAY  # those that are known
    assert len(store.take([reply(n, day=1) for n in range(30)]).acks) == 2 * MOST_STORES_IN_DAY
    assert store.take([agg(1, sign=GOOD)]).acks == ((GOOD, Ack(EPOCH, 1, (), places_wanted=True)),)


def test_all_in_all_there_are_so_many_also_for_births_and_health(path: Path, store: SqliteHubStore) -> None:
    days = MOST_STORES // MOST_STORES_IN_DAY
    for day in range(days + 1):
        store.take([reply(100 * day + n, day) for n in range(MOST_STORES_IN_DAY)])
    assert ask(path, "SELECT count(*) FROM source") == [(MOST_STORES,)]
    later = NOW_MS + 999 * DAY_MS
    taken = store.take([birth(epoch="f" * 16, at_ms=later), health({}, epoch="e" * 16, at_ms=later)])
    assert (len(taken.refused), taken.acks, taken.born) == (2, (), frozenset())
    said = speedsign("hub", "signs", SIGN, "--db", path).stdout
    assert said.count("\nstore ") == 20
    assert f"and {MOST_STORES - 20} more stores" in said


def test_they_are_refused_once_an_hour_in_the_log() -> None:
    now = [0.0]
    complaints, news = Complaints(lambda: now[0]), News(lambda: now[0])
    sentences = [f"{SIGN}: {kind}: is of a new store" for kind in ("agg", "raw", "reply") for _ in range(99)]
    assert len(complaints.of(sentences)) == 3
    strange = [f"{SIGN}: {'x' * n} is no kind" for n in range(1, 99)]
    assert len(complaints.of(strange)) == MOST_A_SIGN - 3
    assert complaints.of([f"{GOOD}: agg 1: no"]) == [f"refused: {GOOD}: agg 1: no"]
    told = news.of([f"{SIGN}: sends from another store (epoch {n:016x})" for n in range(500)])
    assert len(told) == MOST_A_SIGN + 1
    assert "not written for the rest of the hour" in told[-1]
    assert news.of([f"{GOOD}: first heard", f"{SIGN}: one more"]) == [f"{GOOD}: first heard"]
    now[0] += EVERY_S
    assert news.of([f"{SIGN}: one more"]) == [f"{SIGN}: one more"]


def statements(store: SqliteHubStore, batch: list[Heard]) -> list[str]:
    """What a batch asks the database."""
    done: list[str] = []
    store._db.set_trace_callback(done.append)
    store.take(batch)
    store._db.set_trace_callback(None)
    return done


def test_another_signs_batch_asks_no_more_because_of_it(store: SqliteHubStore) -> None:
    store.take([birth(sign=GOOD), place(1, sign=GOOD), agg(2, sign=GOOD)])
    before = statements(store, [agg(3, quarter(1), sign=GOOD)])
    for day in range(5):
        store.take([reply(1000 * day + n, day) for n in range(500)])
    assert len(statements(store, [agg(4, quarter(2), sign=GOOD)])) == len(before)


def test_a_store_that_is_refused_costs_the_same_however_many_came(store: SqliteHubStore) -> None:
    store.take([reply(n) for n in range(MOST_STORES_IN_DAY)])
    first = statements(store, [reply(5000)])
    store.take([reply(6000 + n) for n in range(500)])
    last = statements(store, [reply(7000)])
    assert len(last) == len(first) < 8
    assert not any("count(" in one for one in [*first, *last])


# --------------------------------------------------------------------------- gaps, refused


def test_what_opens_too_many_gaps_waits_at_the_sign(
    path: Path, store: SqliteHubStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MOST_RANGES", 50)
    store.take([agg(seq, quarter(seq % 90)) for seq in range(2, 102, 2)])
    assert ask(path, "SELECT count(*) FROM span") == [(50,)]
    taken = store.take([agg(200), gap(300, ("agg", 202, 203), ("agg", 205, 206))])
    assert (taken.acks, len(taken.refused)) == ((), 2)
    assert ask(path, "SELECT count(*) FROM span") == [(50,)]
    closing = store.take([agg(1), agg(3), agg(101, quarter(1))])  # these close gaps, or lengthen a range
    assert closing.refused == ()
    assert closing.acks[0][1].up_to == 4
    assert store.take([agg(200)]).refused == ()


def test_what_could_not_be_read_is_kept_by_sign_and_counted_in_all(path: Path, store: SqliteHubStore) -> None:
    for n in range(3):
        store.take([named("agg", seq, {}, epoch=f"{n:016x}") for seq in range(1, 101)])
    assert ask(path, "SELECT count(*) FROM refused") == [(MOST_REFUSED,)]
    assert ask(path, "SELECT refused FROM source") == [(100,)] * 3
    store.take([named("agg", 1, {}, sign=GOOD)])
    assert ask(path, "SELECT count(*) FROM refused") == [(MOST_REFUSED + 1,)]
    table = " ".join(speedsign("hub", "signs", "--db", path).stdout.split())
    assert "300 messages could not be read" in table
    said = speedsign("hub", "signs", SIGN, "--db", path).stdout
    assert "could not be read: 100, 0 kept in the table" in said


def test_losses_of_any_size_are_shown(path: Path, store: SqliteHubStore) -> None:
    most = 2**62
    for n in range(5):
        store.take([birth(epoch=f"{n:016x}", oldest=most)])
    assert speedsign("hub", "signs", SIGN, "--db", path).exit_code == 0
    assert speedsign("hub", "signs", "--json", "--db", path).exit_code == 0


# --------------------------------------------------------------------------- foreign text


def test_nothing_that_steers_a_terminal_and_no_infinity_is_stored_or_shown(
    path: Path, store: SqliteHubStore
) -> None:
    name = '"v":1,"id":"bauska-1","epoch":"0123456789abcdef","seq":1'
    answer = '"at":1,"key":"k","counter":1,"action":"set","outcome":"done"'
    told = [f'{{{name},{answer},"x":[{number}]}}' for number in ("1e400", "-1e999", "Infinity", "NaN")]
    taken = store.take([Heard(SIGN, "reply", one.encode(), NOW_MS) for one in told])
    assert (len(taken.refused), taken.acks) == (4, ())
    spoilt = "ok \u202e evil\u2028\u200b\u2066\ufeff\x1b[2J"
    body = {"at": 1, "key": "k", "counter": 1, "action": "set", "outcome": "done", "reason": spoilt}
    said = named("reply", 1, {**body, "more": {spoilt: spoilt}})
    store.take([birth(facts=replace(HERE, site=spoilt)), said])
    latest = store.latest(SIGN)
    assert latest.site == "ok   evil     [2J"
    shown = speedsign("hub", "signs", SIGN, "--db", path).stdout
    shown += speedsign("hub", "signs", "--json", "--db", path).stdout
    shown += ask(path, "SELECT body FROM reply")[0][0]
    assert not set(shown) & set("\u202e\u2028\u200b\u2066\ufeff\x1b")
    assert "evil" in shown


def test_the_sources_in_memory_have_a_most(store: SqliteHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_MOST_RANGES_IN_MEMORY", 20)
    for start in range(0, 200, 50):
        taken = store.take([agg(start + n, quarter(n)) for n in range(2, 50, 2)])
        assert len(taken.acks[0][1].also) == 24
