"""Mistakes that a sign could have, each to be switched on for a run: what watches has to see them.

Each names the faults that it needs; without the others it is found sooner.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from drivers.radar.link import RadarLink
from speedsign import rules
from speedsign.coverage import CoverageMeter
from speedsign.supervisor import Supervisor
from telemetry import database, recorder
from telemetry.hub import taking
from telemetry.hub.counts import store_interval
from telemetry.outbox.outbox import RetireOn
from telemetry.outbox.publisher_parts import PublisherSettings
from telemetry.outbox.sender import SenderSettings
from tests.year import stand
from tests.year.life import Board
from tests.year.timeline import BootClock


@dataclass(frozen=True, slots=True)
class Mutant:
    """`seen_as`: by whom, in the words of the failure; `days`: within so many."""

    change: Callable[[], contextlib.AbstractContextManager[object]]
    needs: frozenset[str]
    seen_as: str
    days: int = 4


def _held_too_long() -> contextlib.AbstractContextManager[object]:
    return mock.patch.object(rules, "_hold_s", lambda of: of.hold_s + 2.0)


def _no_ceiling() -> contextlib.AbstractContextManager[object]:
    return mock.patch.object(rules, "_CEILING", rules.Zone.TOO_FAST)


@contextlib.contextmanager
def _commits_that_are_not_synced() -> Iterator[None]:
    real = database._prepare

    def prepare(db: Any, *more: Any) -> None:
        real(db, *more)
        db.execute("PRAGMA synchronous = NORMAL")

    with mock.patch.object(database, "_prepare", prepare):
        yield


@contextlib.contextmanager
def _loses_one_in_fifty() -> Iterator[None]:
    real, seen = recorder.ThreadRecorder.submit, [0]

    def submit(self: Any, what: str, *more: Any, **named: Any) -> None:
        seen[0] += what == "vehicle"
        if what != "vehicle" or seen[0] % 50:
            real(self, what, *more, **named)

    with mock.patch.object(recorder.ThreadRecorder, "submit", submit):
        yield


@contextlib.contextmanager
def _believes_the_broker() -> Iterator[None]:
    """A row is forgotten when the broker has taken it."""
    real = PublisherSettings

    def settings(*_given: Any) -> Any:
        return real(SenderSettings(retire_on=RetireOn.PUBACK))

    with mock.patch.object(stand, "PublisherSettings", settings):
        yield


@contextlib.contextmanager
def _hub_counts_twice() -> Iterator[None]:
    """What comes again is added to what is there."""
    real = store_interval

    def store(db: Any, known: Any, interval: Any, source: Any) -> bool:
        changed = real(db, known, interval, source)
        if changed and interval.cells and len(interval.cells[0].counts) == 2:
            db.execute(
                "UPDATE cell SET speeds = speeds || speeds WHERE interval_id ="
                " (SELECT max(interval_id) FROM cell)"
            )
        return changed

    with mock.patch.object(taking, "store_interval", store):
        yield


@contextlib.contextmanager
def _coverage_twice() -> Iterator[None]:
    real = CoverageMeter.update

    def update(self: CoverageMeter, total_s: float, *more: Any) -> None:
        real(self, 1.1 * total_s, *more)

    with mock.patch.object(CoverageMeter, "update", update):
        yield


@contextlib.contextmanager
def _remembers_each_vehicle() -> Iterator[None]:
    real, seen = recorder.ThreadRecorder.submit, []

    def submit(self: Any, what: str, call: Any, *more: Any) -> None:
        if what == "vehicle":
            seen.append((what, {n: [n] for n in range(50)}))
        real(self, what, call, *more)

    with mock.patch.object(recorder.ThreadRecorder, "submit", submit):
        yield


@contextlib.contextmanager
def _opens_files_at_each_start() -> Iterator[None]:
    real = RadarLink
    with contextlib.ExitStack() as files:

        def link(*given: Any, **named: Any) -> Any:
            for _ in range(5):
                files.enter_context(Path("/dev/null").open("rb"))
            return real(*given, **named)

        with mock.patch.object(stand, "RadarLink", link):
            yield


def _tells_what_no_hub_takes() -> contextlib.AbstractContextManager[object]:
    """A number out of its range, as a broken sensor gives."""
    hot = replace(Board().facts(Path("/")), temperature_c=1e9)
    return mock.patch.object(Board, "facts", return_value=hot)


def _feeds_no_watchdog() -> contextlib.AbstractContextManager[object]:
    return mock.patch.object(Supervisor, "tick", return_value=None)


def _seldom_says_how_it_is() -> contextlib.AbstractContextManager[object]:
    seldom = PublisherSettings(health_s=3 * 3600.0)
    return mock.patch.object(stand, "PublisherSettings", return_value=seldom)


def _believes_any_clock() -> contextlib.AbstractContextManager[object]:
    return mock.patch.object(BootClock, "trusted", return_value=True)


MUTANTS: Mapping[str, Mutant] = {
    "a number that is held too long": Mutant(_held_too_long, frozenset(), "PanelError", 1),
    "no ceiling": Mutant(_no_ceiling, frozenset(), "PanelError"),
    "commits that are not synced": Mutant(
        _commits_that_are_not_synced, frozenset({"sign cut", "sign cut_in_commit"}), "BooksError"
    ),
    "one vehicle in fifty is lost": Mutant(_loses_one_in_fifty, frozenset(), "BooksError", 1),
    "an outbox that believes the broker": Mutant(
        _believes_the_broker, frozenset({"hub forgotten"}), "HubError", 7
    ),
    "a hub that counts twice": Mutant(_hub_counts_twice, frozenset(), "HubError", 1),
    "coverage that is more than there was": Mutant(
        _coverage_twice, frozenset({"sign kill", "radar unplug"}), "CoverageError"
    ),
    "a list that grows with each vehicle": Mutant(_remembers_each_vehicle, frozenset(), "blocks have grown"),
    "files that are opened at each start": Mutant(
        _opens_files_at_each_start,
        frozenset({"sign restart"}),
        "handles have grown",
    ),
    "health that the hub refuses": Mutant(_tells_what_no_hub_takes, frozenset(), "the hub refuses", 1),
    "a watchdog that nobody feeds": Mutant(_feeds_no_watchdog, frozenset(), "no WATCHDOG=1", 1),
    "health that is told now and then": Mutant(_seldom_says_how_it_is, frozenset(), "no health message", 1),
    "a clock that is always believed": Mutant(
        _believes_any_clock, frozenset({"sign cut", "sign cut_in_commit"}), "BooksError"
    ),
}
