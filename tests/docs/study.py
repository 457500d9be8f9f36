"""Six weeks of a sign on a main street: two of them dark, four lit; and a sign elsewhere as a control.

The numbers are made up, so that the documents have something to show.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from speedsign.model import Direction, Installation
from telemetry.rows import packed, speed_class, to_ms
from telemetry.store import SqliteStore

BEGIN = datetime(2026, 4, 20, tzinfo=ZoneInfo("Europe/Riga")).astimezone(UTC)  # a Monday
DAYS, DARK_DAYS, KEPT_DAYS = 42, 14, 30
QUARTER_S = 900
BY_HOUR = (1, 1, 0.5, 0.5, 1, 2, 5, 9, 8, 7, 7, 7, 8, 8, 8, 9, 11, 12, 9, 7, 5, 4, 3, 2)  # of one direction


@dataclass(frozen=True, slots=True)
class Site:
    """A sign and how people drive there."""

    sign: str
    installation: Installation
    mean_kmh: float
    helped_kmh: float  # slower while lit, who approaches


BAUSKA = Site(
    "bauska-rigas-12",
    Installation(
        site="Bauska, Rīgas iela 12",
        limit_kmh=50,
        mounting_angle_deg=0.0,
        radar="ops243",
        timezone="Europe/Riga",
        approaching_name="uz centru",
        receding_name="uz Rīgu",
        display_profile="approaching 10-100: speed / speed / speed #5d1c0e",
    ),
    mean_kmh=53.5,
    helped_kmh=3.0,
)
IECAVA = Site(
    "iecava-skolas-3",
    Installation("Iecava, Skolas iela 3", 50, 0.0, "ops243", "Europe/Riga", display_profile="none"),
    mean_kmh=51.0,
    helped_kmh=0.0,
)


def make_study(path: Path, site: Site, seed: int) -> None:
    """Everything the store would have: intervals, cells, and the vehicles of the last 30 days."""
    chance = random.Random(seed)
    with closing(SqliteStore(path, site.sign)) as store:
        street = _Street(store._db, site, store.begin(site.installation, BEGIN), chance)
        store._db.execute("BEGIN")
        for day in range(DAYS):
            street.day(day, chance.gauss(0, 0.6))  # weather, and who was on the road
        store._db.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class _Street:
    db: sqlite3.Connection
    site: Site
    number: int  # of the installation
    chance: random.Random

    def day(self, day: int, shift_kmh: float) -> None:
        for quarter in range(96):
            unplugged = day == 17 and 52 <= quarter < 66
            start = BEGIN + timedelta(days=day, seconds=quarter * QUARTER_S)
            start_s = to_ms(start) // 1000
            interval = self.db.execute(
                "INSERT INTO interval (start_s, duration_s, installation_id, measured_s, clock, state,"
                " revision) VALUES (?, ?, ?, ?, 'ok', 'closed', 1)",
                (start_s, QUARTER_S, self.number, 0.0 if unplugged else 899.0),
            ).lastrowid
            if interval is not None and not unplugged:
                for direction in (Direction.APPROACHING, Direction.RECEDING):
                    self._pass(interval, start_s, day, direction, shift_kmh)

    def _pass(self, interval: int, start_s: int, day: int, direction: Direction, shift_kmh: float) -> None:
        coming = direction is Direction.APPROACHING
        lit = day >= DARK_DAYS and self.site.installation.display_profile != "none"
        display = "dark" if not lit else "shown" if coming else "blank"
        hour = datetime.fromtimestamp(start_s, ZoneInfo("Europe/Riga")).hour
        mean = self.site.mean_kmh + shift_kmh + (2 if hour < 6 else 0)
        mean -= self.site.helped_kmh if lit and coming else 0.0
        n = self._how_many(BY_HOUR[hour] * (0.7 if day % 7 >= 5 else 1.0))
        speeds = [max(self.chance.gauss(mean, 7.5), 12.0) for _ in range(n)]
        if not speeds:
            return
        counts = Counter(speed_class(speed, rounds=True) for speed in speeds)
        self.db.execute(
            "INSERT INTO cell (interval_id, direction, display, speeds) VALUES (?, ?, ?, ?)",
            (interval, direction.value, display, packed(counts)),
        )
        if day >= DAYS - KEPT_DAYS:
            for speed in speeds:
                self._keep(start_s, direction, display, speed, braked=lit and coming)

    def _how_many(self, mean: float) -> int:
        """Poisson, by counting gaps."""
        n, passed = 0, self.chance.expovariate(1)
        while passed < mean:
            n, passed = n + 1, passed + self.chance.expovariate(1)
        return n

    def _keep(self, start_s: int, direction: Direction, display: str, speed: float, *, braked: bool) -> None:
        last_ms = start_s * 1000 + int(self.chance.uniform(5_000, 895_000))
        drop = max(self.chance.gauss(2.5 if braked else 0.6, 1.0), -1.0)
        self.db.execute(
            "INSERT INTO vehicle (installation_id, first_ms, last_ms, clock, first_mono_s, last_mono_s,"
            " track_id, direction, speed_kmh, entry_kmh, exit_kmh, max_kmh, readings, display, flags,"
            " tracker, radial_kmh) VALUES (?, ?, ?, 'ok', 0, 4, 1, ?, ?, ?, ?, ?, 40, ?, '[]', '2', ?)",
            (
                *(self.number, last_ms - 4000, last_ms, direction.value),
                *(speed, speed + drop / 2, max(speed - drop / 2, 1.0), speed + 2, display, speed),
            ),
        )
