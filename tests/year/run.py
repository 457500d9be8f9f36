"""A run: so many days from a seed. The same seed gives the same days, to the last digit of what is lit."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tests.year.baton import without_threads
from tests.year.books import Books
from tests.year.breaking import Breaker
from tests.year.cards import cards_under
from tests.year.coverage_book import CoverageBook
from tests.year.faults import faults
from tests.year.hub_book import HubBook
from tests.year.life import LifeBook
from tests.year.log import Log
from tests.year.panel_watch import PanelWatch
from tests.year.stand import Stand
from tests.year.timeline import DAY_S, YearLoop
from tests.year.vitals import Vitals

FIRST_START_S = 5.0
TICK_S = 2.0  # of the daemon, instead of 1: half of a year is spent in ticks; it takes 2.5 s for a standstill


@dataclass(slots=True)
class Report:
    """What came of a run. `failure` is what was wrong, with its day; empty: nothing."""

    seed: int
    days: int = 0
    digest: str = ""
    failure: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    faults: dict[str, int] = field(default_factory=dict)
    vitals: dict[str, int] = field(default_factory=dict)  # memory, files and handles at the last midnight

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.days} days, {self.digest}: {self.failure or 'all well'}"


def simulate(
    seed: int,
    days: int,
    *,
    without: frozenset[str] = frozenset(),
    tell: Callable[[str], None] | None = None,
    each_day: Callable[[Report], None] = lambda _report: None,
    vehicles: tuple[int, int] = (100, 400),
) -> Report:
    """Run, and say what came of it; raises only what is a mistake of the simulation itself."""
    report = Report(seed)
    with (
        _folder() as folder,
        _nothing_by_chance(seed),
        _quiet_log(),
        without_threads(),
        _quickly(),
        cards_under(folder / "sign.db", folder / "hub.db") as cards,
        asyncio.Runner(loop_factory=YearLoop) as runner,
    ):
        runner.run(_live(folder, cards, report, days, without, tell, each_day, vehicles))
    return report


async def _live(folder, cards, report, days, without, tell, each_day, vehicles) -> None:  # type: ignore[no-untyped-def]
    log = Log(tell)
    stand = Stand(folder, cards, report.seed, log, vehicles)
    breaker = Breaker(stand, faults(report.seed, without))
    panel, books = PanelWatch(stand, breaker), Books(stand, breaker)
    hub, coverage = HubBook(stand, breaker), CoverageBook(stand, breaker)
    vitals, life = Vitals(folder, books), LifeBook(stand, breaker)
    breaker.on_dead = books.look
    panel.begin()
    stand.start_hub()
    tasks = [asyncio.create_task(stand.street.run()), asyncio.create_task(breaker.run())]
    tasks.append(asyncio.create_task(life.run()))
    await asyncio.sleep(FIRST_START_S)
    stand.start_sign()
    try:
        for day in range(1, days + 1):
            await _until(stand, tasks, day * DAY_S)
            books.look()
            books.settle()
            coverage.settle(day)
            hub.compare()
            _forget(stand, breaker)
            report.days = day
            report.vitals = vitals.look(day)
            each_day(report)
        await _until(stand, tasks, days * DAY_S + 5.0)
        await stand.stop_sign()
        panel.judge_end()
        await stand.stop_hub()
    except Exception as error:  # noqa: BLE001  whatever was wrong is what came of it
        report.failure = f"day {stand.loop.time() / DAY_S:.4f}: {type(error).__name__}: {error}"
    finally:
        panel.end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await breaker.close()
        await _end(stand)
        if not report.failure:
            report.failure = vitals.end()
        report.digest, report.faults = log.digest, breaker.counts
        report.counts = books.counts + hub.counts + coverage.counts + life.counts
        report.counts["health messages heard"] = stand.heard.health
        report.counts["looks at a lit panel"] = panel.judged
        report.counts["looks that were excused"] = panel.excused
        report.counts["broker dropped"] = stand.broker.dropped


async def _until(stand: Stand, tasks: list[asyncio.Task[None]], at_s: float) -> None:
    """Let time pass; raises what went wrong meanwhile."""
    alive = [stand.failure, *tasks]
    while (left_s := at_s - stand.loop.time()) > 0:
        programs = [one.task for one in (stand.sign, stand.hub) if one]
        done, _ = await asyncio.wait(
            [*alive, *programs], timeout=min(left_s, 3600.0), return_when=asyncio.FIRST_COMPLETED
        )
        for one in done:
            if one in alive or not one.cancelled():
                one.result()
        if done:
            await asyncio.sleep(1.0)  # a program that was ended on purpose


async def _end(stand: Stand) -> None:
    with contextlib.suppress(AssertionError):
        if stand.sign:
            await stand.kill_sign()
    with contextlib.suppress(AssertionError):
        if stand.hub:
            await stand.kill_hub()
    stand.broker.close()
    if stand.failure.done():
        stand.failure.exception()
    else:
        stand.failure.cancel()


def _forget(stand: Stand, breaker: Breaker) -> None:
    """What is over for two days excuses nothing any more."""
    old_s = stand.loop.time() - 2 * DAY_S
    breaker.troubles = [
        one for one in breaker.troubles if one.until_s > old_s or str(one.fault) == "card damaged"
    ]
    while len(stand.times) > 1 and stand.times[1][0] < old_s:
        del stand.times[0]
    stand.downs = [one for one in stand.downs if one.until_s > old_s]


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="year-", dir=shm if shm.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _nothing_by_chance(seed: int) -> Iterator[None]:
    """Names of epochs are drawn by the system elsewhere; here they are part of the seed."""
    from random import Random

    chance = Random(f"{seed}/epochs")
    with mock.patch("secrets.token_hex", lambda n=16: f"{chance.getrandbits(8 * n):0{2 * n}x}"):
        yield


@contextlib.contextmanager
def _quickly() -> Iterator[None]:
    """Without what costs much and changes nothing that is looked at."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        with mock.patch("speedsign.daemon.TICK_S", TICK_S):
            yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


__all__ = ["Report", "simulate"]
