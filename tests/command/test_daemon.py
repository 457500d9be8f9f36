"""A change from afar inside the whole daemon, on virtual time: counts, panel and installations follow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.virtual_time import run_virtual
from speedsign.config.schema import Config
from speedsign.daemon import Plan
from speedsign.model import Installation
from speedsign.profile import display_profile
from speedsign.remote import RemoteSettings, Wish, effective
from speedsign.schedule import Schedule
from telemetry.command.desk import Desk, Effects
from telemetry.command.model import Action, Command
from telemetry.database import open_for_reading
from telemetry.query import read_counts
from tests.command.office import config, signed
from tests.core.street import HERE, START, Street


def nothing() -> None:
    """An act that changes nothing."""


class RemoteStreet(Street):
    """A street whose sign takes commands."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.config: Config = config(folder)
        super().__init__(folder, plan=Plan(HERE, schedule=Schedule.of(self.config)), **more)
        effects = Effects(apply=self._replan, restart=nothing, greet=nothing, wake=nothing)
        self.desk = Desk(self.config, self.recorder, self.clock, effects)
        self.daemon.parts = replace(self.daemon.parts, remote=self.desk)
        self.daemon.plan = replace(self.daemon.plan, installation=self._place(self.config))
        self._counter = int(START.timestamp() * 1000)

    def _replan(self, settings: RemoteSettings) -> None:
        now = effective(self.config, settings)
        self.daemon.replan(self._place(now), Schedule.of(now))

    @staticmethod
    def _place(now: Config) -> Installation:
        return replace(HERE, limit_kmh=now.sign.limit_kmh, display_profile=display_profile(now))

    def ask(self, action: Action, wish: Wish | None = None, **numbers: int) -> int:
        self._counter = max(self._counter + 1, int(self.clock.now_utc().timestamp() * 1000))
        command = Command(
            "street-1", self._counter, action, wish or Wish(), numbers, self._counter // 1000 + 60
        )
        self.desk.take(signed(command))
        return self._counter

    async def play(self, *acts: tuple[float, Callable[[], object]]) -> None:
        """Traffic; each act after so many seconds from the start, the last one the end."""
        tasks = [asyncio.create_task(self.daemon.run()), asyncio.create_task(self.world.run())]
        for at_s, act in acts:
            await asyncio.sleep(at_s - (self.clock.monotonic() - self.began_s))
            act()
        await self.stop(*tasks)

    def numbers(self, from_s: float, to_s: float) -> list[str]:
        """What was lit between two seconds of the play, but for dark."""
        at = [(lit_s - self.began_s, text) for lit_s, text in self.lit]
        return [text for lit_s, text in at if from_s <= lit_s < to_s and text]

    def rows(self, query: str) -> list[Any]:
        with contextlib.closing(open_for_reading(self.path)) as db:
            return [tuple(row) for row in db.execute(query)]


def test_an_unconfirmed_change_goes_by_itself_and_no_vehicle_is_lost_or_counted_twice(tmp_path: Path) -> None:
    async def scene() -> RemoteStreet:
        street = RemoteStreet(tmp_path)
        await street.play(
            (300.0, lambda: street.ask(Action.SET, Wish(profile="quiet"))),  # ten minutes to confirm
            (1500.0, nothing),
        )
        return street

    street = run_virtual(scene())
    assert street.numbers(0, 300)
    assert street.numbers(301, 898) == [], "dark, though cars pass"
    assert street.numbers(905, 1500), "lit again after ten minutes"
    assert [row[0] for row in street.rows("SELECT outcome FROM command ORDER BY id")] == ["pending", "undone"]

    # Three installations, one after the other; every vehicle in one of them and in one interval.
    places = street.rows("SELECT id, display_profile FROM installation ORDER BY id")
    assert [": dark #" in profile for _, profile in places] == [False, True, False]
    passed = [one for one in street.world.truth() if street.world.leading[one.vehicle_id] >= 5]
    kept = street.rows("SELECT id, installation_id, last_ms, display FROM vehicle")
    assert abs(len(kept) - len(passed)) <= 0.1 * len(passed)
    counts = read_counts(street.path, START.replace(hour=0), START.replace(hour=23))
    assert sum(counts.counts["both"].values()) == len(kept)
    for number, from_s, to_s in ((1, 0, 300), (2, 300, 900), (3, 900, 1510)):
        began_ms = START.timestamp() * 1000
        inside = [row for row in kept if row[1] == number]
        assert inside
        assert all(from_s * 1000 - 1 <= row[2] - began_ms <= (to_s + 6) * 1000 for row in inside)
    assert {row[3] for row in kept if row[1] == 2} == {"dark"}


def test_the_time_that_was_measured_is_divided_and_not_doubled(tmp_path: Path) -> None:
    async def scene() -> RemoteStreet:
        street = RemoteStreet(tmp_path)
        await street.play(
            (100.0, lambda: street.ask(Action.SET, Wish(limit_kmh=40))),
            (101.0, lambda: street.ask(Action.CONFIRM, counter=street._counter)),
            (1000.0, nothing),
        )
        return street

    street = run_virtual(scene())
    rows = street.rows("SELECT start_s, sum(measured_s) FROM interval GROUP BY start_s ORDER BY start_s")
    assert sum(row[1] for row in rows) == pytest.approx(1000, abs=8)
    by_place = street.rows(
        "SELECT sum(measured_s) FROM interval GROUP BY installation_id ORDER BY installation_id"
    )
    assert [row[0] for row in by_place] == pytest.approx([100, 900], abs=5)
    limits = street.rows("SELECT limit_kmh FROM installation ORDER BY id")
    assert limits == [(50,), (40,)]


def test_a_number_that_is_lit_goes_with_the_change(tmp_path: Path) -> None:
    """Dark by command means dark now, also for the car that is being shown its speed."""

    async def scene() -> tuple[RemoteStreet, float]:
        street = RemoteStreet(tmp_path, vehicles_per_hour=1200.0)
        tasks = [asyncio.create_task(street.daemon.run()), asyncio.create_task(street.world.run())]
        while not street.panel.lit().strip().isdigit() or street.clock.monotonic() - street.began_s < 60:
            await asyncio.sleep(0.05)
        street.ask(Action.SET, Wish(profile="quiet"))
        at_s = street.clock.monotonic()
        await asyncio.sleep(0.5)
        dark = not street.panel.lit().strip()
        await asyncio.sleep(30)
        await street.stop(*tasks)
        assert dark
        return street, at_s - street.began_s

    street, at_s = run_virtual(scene())
    assert street.numbers(at_s + 0.5, at_s + 30) == []
