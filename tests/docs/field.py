"""The files that the documents' commands work on: a config, a capture, a database.

python -m tests.docs.field FOLDER makes them in a folder, to record a document's output anew.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from speedsign.calibration.record import Calibration, Kind, Verdict
from speedsign.capture import CaptureHeader, CaptureWriter
from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)
from telemetry.calibration import keep, next_due
from telemetry.store import SqliteStore
from tests.docs.hub import make_hub
from tests.docs.study import BAUSKA, IECAVA, make_study
from tests.docs.traffic import chunks

ROOT = Path(__file__).parents[2]
BEGIN = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)  # 07:00 at the sign
QUARTER = timedelta(minutes=15)
QUARTERS = 12
HERE = Installation(
    site="Birzai, school",
    limit_kmh=50,
    mounting_angle_deg=0.0,
    radar="ops243",
    timezone="Europe/Vilnius",
    approaching_name="to the centre",
    receding_name="to Latvia",
)
BENCH = """[sign]
id = "bench"
limit_kmh = 50

[radar]
driver = "ops243"
port = "dev/ttyUSB1"

[display]
driver = "dm56a04"
port = "dev/ttyUSB7"
"""
DOCTOR = """[sign]
id = "birzai-vytauto-12"
limit_kmh = 50

[radar]
driver = "ops243"
port = "dev/ttyUSB8"

[display]
driver = "dm56a04"
port = "dev/ttyUSB9"
unit = 2

[store]
path = "sign.db"
"""


def make_all(folder: Path) -> None:
    """Configs, capture.jsonl, sign.db, hub.db, and of a study bauska.db with iecava.db as its control."""
    example = ROOT / "speedsign" / "config" / "example.toml"
    shutil.copy(example, folder / "speedsign.toml")
    bad = example.read_text(encoding="utf-8").replace("limit_kmh = 50", "limit_kmh = 500")
    bad = bad.replace("ceiling_kmh = 90", "ceilling_kmh = 90").replace('driver = "ops243"', 'driver = "ops"')
    (folder / "bad.toml").write_text(bad, encoding="utf-8")
    shutil.copy(Path(__file__).with_name("rules.toml"), folder / "rules.toml")
    (folder / "bench.toml").write_text(BENCH, encoding="utf-8")
    (folder / "doctor.toml").write_text(DOCTOR, encoding="utf-8")
    make_capture(folder / "capture.jsonl")
    make_database(folder / "sign.db")
    make_study(folder / "bauska.db", BAUSKA, seed=5)
    make_study(folder / "iecava.db", IECAVA, seed=6)
    make_old_file(folder / "old-sign.csv")
    make_hub(folder / "hub.db")
    make_calibrated(folder / "checked")


def make_calibrated(folder: Path) -> None:
    """sign.db of a sign that was checked twice, and whose mounting angle was put right then."""
    folder.mkdir()
    path = folder / "sign.db"
    with contextlib.closing(SqliteStore(path, "birzai-vytauto-12")) as store:
        store.begin(HERE, BEGIN)
        store.begin(replace(HERE, mounting_angle_deg=24.0), BEGIN + timedelta(days=365, hours=6))
    for one in CHECKS:
        keep(path, one)


def _check(
    digit: str, kind: Kind, verdict: Verdict, at: datetime, angle_deg: float, **more: Any
) -> Calibration:
    return Calibration(
        key=digit * 32,
        kind=kind,
        at_utc=at,
        clock=ClockQuality.OK,
        by="Ona Petraitė",
        tool="speedsign 0.2.0",
        sign="birzai-vytauto-12",
        site=HERE.site,
        driver=HERE.radar,
        mounting_angle_deg=angle_deg,
        verdict=verdict,
        due=next_due(kind, verdict, at, ClockQuality.OK, 12),
        **more,
    )


_RUNS = ((50.0, 45.6), (51.0, 46.7), (40.0, 36.6), (49.0, 44.9), (50.0, 45.9))
CHECKS = (
    _check("3", Kind.FORK, Verdict.PASS, BEGIN, 0.0, sentence="The fork was read as it should be."),
    _check(
        "7",
        Kind.DRIVE_BY,
        Verdict.FAIL,
        BEGIN + timedelta(days=365, hours=3),
        0.0,
        sentence="5 runs: factor 0.915 (0.911 to 0.919): outside.",
        device={"by": "port", "says": {"product": "OPS243-A"}},
        runs=[{"reference_kmh": true, "measured_kmh": measured} for true, measured in _RUNS],
        result={
            "factor": {"value": 0.91519, "low": 0.91083, "high": 0.91955},
            "mean_error_kmh": {"value": -4.24, "low": -4.97, "high": -3.51},
        },
    ),
    _check(
        "b",
        Kind.ANGLE,
        Verdict.DONE,
        BEGIN + timedelta(days=365, hours=5),
        24.0,
        before={"radar.mounting_angle_deg": 0.0},
        after={"radar.mounting_angle_deg": 24.0},
    ),
)


def make_capture(path: Path) -> None:
    """Two minutes of simulated traffic in front of an OPS243."""
    sent, _ = chunks("ops243", 300, 2, seed=4)
    with path.open("w", encoding="utf-8") as out:
        header = CaptureHeader("ops243", baud=19_200, started="2026-05-04T07:00:00Z")
        writer = CaptureWriter(out, header, start_mono_s=0.0)
        for t_s, data in sent:
            writer.add(data, t_s)


def make_database(path: Path) -> None:
    """Three hours of a sign: every vehicle through the store, as the daemon does it."""
    store = SqliteStore(path, "birzai-vytauto-12")
    chance = random.Random(4)
    try:
        store.begin(HERE, BEGIN)
        for quarter in range(QUARTERS):
            start = BEGIN + quarter * QUARTER
            for _ in range(25):
                at = start + timedelta(seconds=chance.uniform(5, 895))
                store.add_vehicle(_passed(at, chance), [])
            measured_s = 600.0 if quarter == 5 else 900.0  # the radar was unplugged for a while
            store.add_coverage([Coverage(start, measured_s)])
        store.close_intervals(BEGIN + QUARTERS * QUARTER, BEGIN)
    finally:
        store.close()


def make_old_file(path: Path) -> None:
    """Four days as another maker's software wrote them: local times, whole km/h."""
    chance, at, lines = random.Random(7), datetime.fromisoformat("2024-09-02T06:00"), []
    end = at + timedelta(days=4, hours=14)
    while at < end:
        at += timedelta(seconds=chance.expovariate(1 / (90 if 6 <= at.hour < 20 else 900)))
        direction = chance.choice(("approaching", "receding"))
        lines.append(f"{at.replace(microsecond=0)},{direction},{chance.gauss(51, 7):.0f}")
    path.write_text("\n".join(["time,direction,speed_kmh", *lines, ""]), encoding="utf-8")


def _passed(at: datetime, chance: random.Random) -> VehicleRecord:
    direction = chance.choice((Direction.APPROACHING, Direction.RECEDING))
    speed = chance.gauss(48 if direction is Direction.APPROACHING else 52, 6)
    t_s = (at - BEGIN).total_seconds()
    vehicle = Vehicle(1, direction, t_s - 4.0, t_s, speed, speed + 1, speed - 2, speed + 2, readings=40)
    shown = direction is Direction.APPROACHING
    state = DisplayState.SHOWN if shown else DisplayState.BLANK
    return VehicleRecord(vehicle, at - timedelta(seconds=4), at, ClockQuality.OK, state, "1")


if __name__ == "__main__":
    make_all(Path(sys.argv[1]))
