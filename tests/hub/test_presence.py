"""Who is there: late words of an earlier run are old news, and what is retained comes again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.hub.overview import SignNow, read_signs
from telemetry.hub.port import Heard
from telemetry.hub.presence import Presence, after_birth, after_state
from telemetry.hub.store import SqliteHubStore
from telemetry.message.heard import StateHeard
from telemetry.message.messages import Ack
from tests.hub.said import EPOCH, NOW_MS, OTHER, SIGN, agg, birth, health, state

LATER = NOW_MS + 60_000


@pytest.mark.parametrize(
    ("was", "heard", "wanted"),
    [
        (Presence(), StateHeard("on", 4), Presence("on", 4, LATER)),
        (Presence(), StateHeard("lost", 4), Presence("lost", 4, LATER)),
        (Presence("on", 4, NOW_MS), StateHeard("lost", 4), Presence("lost", 4, LATER)),
        (Presence("on", 4, NOW_MS), StateHeard("off", 4), Presence("off", 4, LATER)),
        (Presence("on", 4, NOW_MS), StateHeard("on", 4), Presence("on", 4, NOW_MS)),
        (Presence("lost", 4, NOW_MS), StateHeard("on", 4), Presence("on", 4, LATER)),
        (Presence("on", 4, NOW_MS), StateHeard("on", 5), Presence("on", 5, LATER)),
        # late words of a run that is over
        (Presence("on", 5, NOW_MS), StateHeard("lost", 4), Presence("on", 5, NOW_MS)),
        (Presence("on", 5, NOW_MS), StateHeard("off", 4), Presence("on", 5, NOW_MS)),
        (Presence("off", 5, NOW_MS), StateHeard("lost", 4), Presence("off", 5, NOW_MS)),
        # a new card counts its runs from 1 again
        (Presence("on", 40, NOW_MS), StateHeard("on", 1), Presence("on", 1, LATER)),
        (Presence("on", 1, NOW_MS), StateHeard("lost", 40), Presence("on", 1, NOW_MS)),
    ],
)
def test_a_state(was: Presence, heard: StateHeard, wanted: Presence) -> None:
    assert after_state(was, heard, LATER) == wanted


def test_a_birth_of_another_run_says_that_it_is_there() -> None:
    assert after_birth(Presence("lost", 4, NOW_MS), 5, LATER) == Presence("on", 5, LATER)
    assert after_birth(Presence("lost", 4, NOW_MS), 4, LATER) == Presence("lost", 4, NOW_MS)
    assert after_birth(Presence(), 4, LATER) == Presence("on", 4, LATER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteHubStore]:
    found = SqliteHubStore(path)
    yield found
    found.close()


def now(path: Path, at_ms: int = LATER) -> SignNow:
    (one,) = read_signs(path, at_ms)
    return one


def test_what_is_retained_is_no_news_when_it_comes_again(path: Path, store: SqliteHubStore) -> None:
    store.take([birth(4), state("on", 4), state("off", 4, at_ms=NOW_MS + 1000)])
    taken = store.take([birth(4, retained=True, at_ms=LATER), state("off", 4, retained=True, at_ms=LATER)])
    assert taken.stored == 0
    assert (now(path).state, now(path).state_ms, now(path).heard_ms) == ("off", NOW_MS + 1000, NOW_MS + 1000)


@pytest.mark.parametrize("order", [1, -1])
def test_while_the_hub_was_away_the_sign_started_again_and_was_lost(
    path: Path, store: SqliteHubStore, order: int
) -> None:
    store.take([birth(4), state("on", 4)])
    store.take([birth(5, retained=True), state("lost", 5, retained=True)][::order])
    assert now(path).state == "lost"


def test_the_late_will_of_an_old_run_that_is_retained_loses_no_sign(
    path: Path, store: SqliteHubStore
) -> None:
    store.take([birth(4), state("on", 4)])
    store.take([state("lost", 4, retained=True), birth(5, retained=True)])
    assert now(path).state == "on"


def test_a_birth_is_answered(store: SqliteHubStore) -> None:
    assert store.take([birth()]).acks == ((SIGN, Ack(EPOCH, 0)),)
    store.take([agg(1), agg(4)])
    assert store.take([birth(retained=True)]).acks == ((SIGN, Ack(EPOCH, 1, ((4, 4),))),)
    assert store.take([birth(epoch=OTHER)]).acks == ((SIGN, Ack(OTHER, 0)),)
    assert store.take([birth()]).born == {SIGN}


def test_a_birth_tells_where_it_stands_until_the_sign_says_it_properly(
    path: Path, store: SqliteHubStore
) -> None:
    store.take([agg(2)])
    assert now(path).site == ""
    taken = store.take([birth(), agg(3)])
    assert now(path).site.startswith("Bauska")
    assert taken.acks[0][1].places_wanted  # a birth does not say since when


def test_the_newest_health_is_kept(path: Path, store: SqliteHubStore) -> None:
    store.take([health({"queue": {"agg": 3, "raw": 4}, "faults": ["radar/silent"]})])
    assert (now(path).waiting, now(path).faults, now(path).clock_ok) == (7, ["radar/silent"], True)
    store.take([health({"queue": {}}, at_ms=LATER)])
    assert (now(path).waiting, now(path).faults, now(path).health_ms) == (0, [], LATER)


def test_health_that_says_the_same_again_is_as_old_as_its_last(path: Path, store: SqliteHubStore) -> None:
    for at_ms in (NOW_MS, LATER):
        store.take([health({}, at_ms=at_ms)])
    assert now(path).health_ms == LATER


def test_health_that_cannot_be_read_later_is_not_shown(path: Path, store: SqliteHubStore) -> None:
    store.take([health({})])
    store._db.execute("UPDATE sign SET health = '{}', birth = '[]'")
    assert now(path).health == {}
    assert now(path).software == ""


def test_a_message_that_is_none_keeps_what_was_known(path: Path, store: SqliteHubStore) -> None:
    store.take([state("on", 4)])
    taken = store.take([Heard(SIGN, "state", b'{"v":1,"s":"gone","boot":4}', LATER)])
    assert len(taken.refused) == 1
    assert now(path).state == "on"
