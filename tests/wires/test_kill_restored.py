"""Databases that come back from a backup, or do not come back at all: at the sign, at the hub."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import finished
from tests.support import run, until
from tests.wires.kill_check import Held, held, judge, sources
from tests.wires.kill_matrix import Plan, World

pytestmark = pytest.mark.wires

PLAN = Plan(rate_hz=40.0, resend_s=1.0)
SUFFIXES = ("", "-wal", "-shm")
LATER = 1000  # numbers that nothing before a restore has had


def raw_copy(database: Path, copy: Path) -> None:
    """A card that was cloned while the sign was off: byte by byte."""
    for suffix in SUFFIXES:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(f"{database}{suffix}", f"{copy}{suffix}")


def backup(database: Path, copy: Path) -> None:
    assert finished("backup", str(copy), "--db", str(database)).returncode == 0


COPIES: dict[str, Callable[[Path, Path], None]] = {"raw copy": raw_copy, "speedsign backup": backup}


def remove(database: Path) -> None:
    for suffix in SUFFIXES:
        Path(f"{database}{suffix}").unlink(missing_ok=True)


def put_back(copy: Path, database: Path) -> None:
    remove(database)
    raw_copy(copy, database)


async def counted_and_told(world: World, intervals: int) -> None:
    """So many more intervals at the sign, all of them told and acknowledged; it rests afterwards."""
    await world.go(going=True)
    await world.has_counted(world.counted() + intervals)
    await world.go(going=False)
    await world.drained()


def union(first: Held, second: Held) -> Held:
    return Held(first.intervals | second.intervals, first.vehicles | second.vehicles)


@pytest.mark.parametrize("hub_away", [False, True], ids=["hub up", "hub away"])
@pytest.mark.parametrize("how", COPIES)
def test_an_old_copy_of_the_signs_database_goes_on_under_a_new_name(
    tmp_path: Path, how: str, hub_away: bool
) -> None:
    """What it counts then is not taken for what the lost one had told, and what both know counts once.

    A card that was cloned byte by byte, and is put in while the hub is away, does not know that it is a copy.
    What it sends before the hub speaks goes out under names that the hub has already: it looks at
    the content.
    """

    async def main() -> Held:
        async with World(tmp_path, PLAN) as world:
            await counted_and_told(world, 5)
            await world.sign.stop()
            copy = tmp_path / "copy.db"
            await asyncio.to_thread(COPIES[how], world.sign_db, copy)
            await world.sign.start()
            await counted_and_told(world, 8)
            before = held(world.sign_db)
            await world.kill("sign")
            put_back(copy, world.sign_db)
            if hub_away:
                await world.kill("hub")
            world.sign = world.new_sign(LATER)
            await world.start("sign")
            await world.go(going=True)
            await world.has_counted(world.counted() + 20)  # more than the lost one ever had
            if hub_away:
                await world.start("hub")
            await world.go(going=False)
            await world.drained()
            await world.stop()
        return before

    before = run(main(), timeout_s=120)
    verdict = judge(tmp_path, own=union(before, held(tmp_path / "sign.db")))
    assert (verdict.twice, verdict.foreign, verdict.unordered) == (0, 0, 0), verdict
    assert verdict.lost == 0, verdict
    if (how, hub_away) != ("raw copy", True):
        assert len(sources(tmp_path / "hub.db")) == 2


def test_an_old_copy_of_the_hubs_database_shows_what_it_misses_and_takes_the_rest(tmp_path: Path) -> None:
    async def main() -> tuple[int, int]:
        async with World(tmp_path, PLAN) as world:
            await counted_and_told(world, 5)
            await world.hub.stop()
            copy = tmp_path / "hub-copy.db"
            raw_copy(world.hub_db, copy)
            await world.start("hub")
            before = world.counted()
            await counted_and_told(world, 6)
            forgotten = world.counted() - before
            await world.kill("hub")
            put_back(copy, world.hub_db)
            await world.start("hub")
            await counted_and_told(world, 6)
            await until(lambda: _never_came(world.hub_db) > 0, 30.0, "that it is gone")
            missing = _never_came(world.hub_db)
            (source,) = sources(world.hub_db)
            assert source.spans == ()  # it does not wait for what the sign has no more
            first, last = before, before + forgotten - 1
            await world.sign.tell(f"resend {first} {last}")
            await until(lambda: world.arrived() == world.counted(), 60.0, "what was forgotten")
            await world.stop()
            return missing, forgotten

    missing, forgotten = run(main(), timeout_s=120)
    assert missing >= forgotten > 0
    mine, theirs = held(tmp_path / "sign.db"), held(tmp_path / "hub.db")
    assert theirs.intervals == mine.intervals


def test_a_hub_without_its_database_is_told_places_and_on_request_everything(tmp_path: Path) -> None:
    async def main() -> tuple[int, int]:
        async with World(tmp_path, PLAN) as world:
            await counted_and_told(world, 8)
            await world.kill("hub")
            remove(world.hub_db)
            await world.start("hub")
            await counted_and_told(world, 4)
            await until(lambda: _known_places(world.hub_db) == [1], 30.0, "where the sign stands")
            alone = world.arrived()
            await world.sign.tell(f"resend 0 {world.counted()}")
            await until(lambda: world.arrived() == world.counted(), 60.0, "all intervals")
            await world.stop()
            return alone, world.counted()

    alone, counted = run(main(), timeout_s=120)
    assert 0 < alone < counted
    mine, theirs = held(tmp_path / "sign.db"), held(tmp_path / "hub.db")
    assert theirs.intervals == mine.intervals


def _never_came(hub: Path) -> int:
    """Messages that the hub counts as lost."""
    with contextlib.closing(sqlite3.connect(f"file:{hub}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT total(messages) FROM loss WHERE kind = ''").fetchone()[0])


def _known_places(hub: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(f"file:{hub}?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute("SELECT facts_seq IS NOT NULL FROM installation")]
