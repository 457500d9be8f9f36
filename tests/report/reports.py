"""Every sort of report that speedsign makes, from made-up streets, in any language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.calibration.record import Calibration, Kind, Verdict
from speedsign.language import Language
from speedsign.model import ClockQuality
from telemetry.calibration import Doubt
from telemetry.calibration.log import Line
from telemetry.calibration.proof import InForce, Proof, proof_of
from telemetry.compare.answer import Comparison, compare
from telemetry.compare.controls import ControlSite
from telemetry.compare.document import compare_document
from telemetry.compare.hours import hour_counts
from telemetry.compare.measures import Road
from telemetry.compare.sides import Draws
from telemetry.compare.split import by_dates, by_display
from telemetry.period import Period
from telemetry.query import Standing
from telemetry.report.build import build
from telemetry.report.certificate import Kept, certificate
from telemetry.report.document import Document
from telemetry.report.facts import Facts, gather
from telemetry.report.public import publish, whole_hours
from telemetry.report.public_build import build_public
from tests.compare import roads
from tests.report.signs import BAUSKA, busy, fill, local, nothing, once, period, sign
from tests.telemetry.calibrations import record

MADE = "speedsign 0.1.0, 2026-06-01 08:00"
DRAWS = Draws(100)
ROAD = Road(50)
Maker = Callable[[Language], Document]


def check(day: str, verdict: Verdict = Verdict.PASS, **more: Any) -> Proof:
    return proof_of(record(1, local(day), verdict=verdict, **more))


CHECKED = InForce(  # everything that can be said of calibrations
    before=(check("2025-04-01"),),
    during=(
        check("2026-05-06", Verdict.FAIL, kind=Kind.FORK),
        check("2026-05-07", clock=ClockQuality.UNKNOWN, due=date(2026, 5, 8)),
        check("2026-05-09", Verdict.FAIL),
    ),
    failed_after=check("2026-09-01", Verdict.FAIL),
)


def month(path: Path) -> Facts:
    """Four weeks with everything that can be wrong with them."""
    begin, end = local("2026-05-04"), local("2026-06-01")
    fill(sign(path), begin, begin + timedelta(days=9))
    fill(path, begin + timedelta(days=10), begin + timedelta(days=12), measured_s=300.0)
    fill(path, begin + timedelta(days=12), begin + timedelta(days=20), display="fault")
    fill(path, begin + timedelta(days=20), end, _and_unknown)
    fill(path, end, end + timedelta(days=1), clock="unknown")
    found = gather(period(path, begin, end + timedelta(days=2)))
    wrong = replace(found.quality, suspect=21, scaled=1, assumed=True)
    other = Standing(7, begin, replace(BAUSKA, limit_kmh=70), sign="test-sign")
    return replace(found, quality=wrong, others=(other,), own_limit_kmh=70, calibration=CHECKED)


def _and_unknown(at: datetime) -> Mapping[str, Mapping[int, int]]:
    return {**busy(at), "unknown": {44: 1}}


def spring_day(path: Path) -> Facts:
    fill(sign(path), local("2026-03-28"), local("2026-03-31"))
    return gather(period(path, local("2026-03-28"), local("2026-03-31")))


def year(path: Path) -> Facts:
    """Told by month."""
    fill(sign(path), local("2026-01-01"), local("2026-01-20"))
    return gather(period(path, local("2026-01-01"), local("2027-01-01")))


def some_hours(path: Path) -> Facts:
    fill(sign(path), local("2026-05-04"), local("2026-05-18"))
    found = period(path, local("2026-05-04"), local("2026-05-18"))
    return gather(found.only(lambda hour: hour.local.weekday() < 5 and 7 <= hour.local.hour < 9))


def few(path: Path) -> Facts:
    fill(sign(path), local("2026-05-04"), local("2026-05-05"), once({"approaching": {48: 40, 66: 1}}))
    return gather(period(path, local("2026-05-04"), local("2026-05-05")))


def none(path: Path) -> Facts:
    fill(sign(path), local("2026-05-04"), local("2026-05-05"), nothing)
    return gather(period(path, local("2026-05-04"), local("2026-05-05")))


STREETS = (month, spring_day, year, some_hours, few, none)


def _road(dark_days: int, days: int, slower: int) -> Period:
    """Dark at first, then lit and slower."""

    def traffic(at: datetime) -> list[tuple[str, str, list[int]]]:
        lit = (at.date() - roads.MONDAY).days >= dark_days
        base = 50 + (at.day * 7) % 3 - (slower if lit else 0)
        speeds = [base + (at.minute + step * 5) % 17 for step in range(3)]
        return [("approaching", "shown" if lit else "dark", speeds)]

    return roads.period(days, traffic)


@cache
def study(name: str) -> Comparison:
    """Answers of every sort: with a baseline and without, clear and not, few days, control sites."""
    days = 9 if name == "few" else 28
    dark = 2 if name == "few" else 14
    hours = hour_counts(
        [_road(dark, days, 0 if name in ("unclear", "control unclear") else 4)], "approaching"
    )
    if name == "periods":
        first, second = (
            (date(2026, 5, 4), date(2026, 5, 10)),
            (date(2026, 5, 11), date(2026, 5, 17)),
        )
        return compare(by_dates(hours, [first], [second]), ROAD, DRAWS)
    sites = []
    if name.startswith("control"):
        control = hour_counts([_road(99, days, 0)], "approaching")
        sites = [ControlSite("Vecumnieki", control, ROAD)]
    return compare(by_display(hours), ROAD, DRAWS, sites=sites)


STUDIES = ("lower", "unclear", "few", "periods", "control", "control unclear")


def makers(folder: Path) -> dict[str, Maker]:
    """Each report by its name; the databases are made in `folder`."""
    found: dict[str, Maker] = {"residents": _residents(folder / "residents.db")}
    for street in STREETS:
        facts = street(folder / f"{street.__name__}.db")
        found[street.__name__] = _officers(facts)
    for name in STUDIES:
        found[f"compare {name}"] = _compared(study(name))
    return found | {f"certificate {name}": _certified(one) for name, one in CERTIFIED.items()}


PLAIN: dict[str, Any] = {
    "by": "test",
    "tool": "speedsign",
    "sign": "test-sign",
    "driver": "test",
    "device": {},
    "before": {},
    "after": {},
}
CERTIFIED = {
    "drive-by": record(
        runs=[{"reference_kmh": 50.0 + n, "measured_kmh": 49.6 + n, "left_out": n == 2} for n in range(30)],
        result={
            "factor": {"value": 0.997, "low": 0.985, "high": 1.009},
            "mean_error_kmh": {"value": -0.2, "low": -0.5, "high": 0.1},
            "at_kmh": 64.5,
            "reference_sd_kmh": 0.25,
        },
        clock_by="config",
        **(PLAIN | {"device": {"reference": "tachograph", "mph": True, "by": "given"}}),
    ),
    "fork": record(
        kind=Kind.FORK,
        verdict=Verdict.FAIL,
        clock=ClockQuality.UNKNOWN,
        runs=[{"kmh": [44.7, 44.8]}],
        result={
            "hertz": 2000.0,
            "expected_kmh": 44.73,
            "mean_kmh": 46.1,
            "low_kmh": 46.0,
            "high_kmh": 46.2,
            "readings": 120,
            "tolerance_kmh": 1.0,
        },
        **PLAIN,
    ),
    "angle": record(kind=Kind.ANGLE, verdict=Verdict.DONE, runs=(), result={}, note="57", **PLAIN),
    "panel": record(kind=Kind.PANEL, verdict=Verdict.UNDECIDED, runs=(), result={}, **PLAIN),
}


def _certified(of: Calibration) -> Maker:
    kept = Kept(Line(3, of, "ab" * 32, ""), tuple(Doubt) if of.kind is Kind.FORK else ())
    return lambda words: certificate(of, kept, ZoneInfo("Europe/Riga"), words, made=MADE, runs=12)


def _officers(facts: Facts) -> Maker:
    return lambda words: build(facts, words, made=MADE)


def _residents(path: Path) -> Maker:
    fill(sign(path), local("2026-05-04"), local("2026-05-18"))
    facts = gather(whole_hours(period(path, local("2026-05-04"), local("2026-05-18"))))
    return lambda words: build_public(publish(facts), words, made=MADE)


def _compared(found: Comparison) -> Maker:
    return lambda words: compare_document(found, roads.SITE, "approaching", words, made=MADE)
