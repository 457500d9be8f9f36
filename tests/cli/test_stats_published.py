"""Published tables asked of the command: from counts in a database, and from a file that was imported."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.model import Installation
from telemetry.database import open_for_writing
from tests.cli.command import as_json, speedsign
from tests.telemetry import published
from tests.telemetry.filled import add_installation, add_interval

AT = datetime(2026, 5, 4, 7, tzinfo=UTC)


def counted(path: Path, counts: Mapping[int, int]) -> None:
    with contextlib.closing(open_for_writing(path)) as db:
        add_installation(db, Installation("published", 50, 0.0, "other", "Europe/Riga"))
        add_interval(db, AT, {("approaching", "shown"): counts})


def imported(path: Path, counts: Mapping[int, int]) -> None:
    """One vehicle every ten seconds, the slow ones first."""
    speeds = [speed for speed, n in counts.items() for _ in range(n)]
    rows = [
        f"{(AT + timedelta(seconds=10 * place)).isoformat()},approaching,{speed}"
        for place, speed in enumerate(speeds)
    ]
    source = path.with_suffix(".csv")
    source.write_text("\n".join(["time,direction,speed_kmh", *rows, ""]))
    result = speedsign("import", source, "--db", path, "--limit", "50", "--timezone", "Europe/Riga")
    assert result.exit_code == 0, result.stderr


@pytest.fixture(params=[counted, imported], ids=["counted", "imported"])
def filled(request: pytest.FixtureRequest) -> Any:
    return request.param


def both(path: Path, *options: str) -> dict[str, Any]:
    result = speedsign("stats", "--db", path, "--json", *options)
    assert result.exit_code == 0, result.stderr
    found = as_json(result)[-1]
    assert found["direction"] == "both"
    return dict(found)


def test_uthm(tmp_path: Path, filled: Any) -> None:
    filled(tmp_path / "t1.db", published.UTHM)
    found = both(tmp_path / "t1.db", "--class-width", "5", "--limit", "59")
    assert found["n"] == 130
    assert found["mean_kmh"] == round(9085 / 130, 6)
    assert found["sd_kmh"] == pytest.approx(16.517, abs=0.0005)
    assert (found["v15_kmh"], found["v50_kmh"]) == (52.208333, 68.071429)
    assert (found["v85_kmh"], found["v95_kmh"]) == (87.625, 102.0)
    assert found["over_limit_share"] == round(95 / 130, 6)
    assert "[k-0.5, k+4.5), k a multiple of 5" in found["method"]


def test_iowa(tmp_path: Path, filled: Any) -> None:
    filled(tmp_path / "t2.db", published.IOWA)
    found = both(tmp_path / "t2.db", "--rule", "value")
    assert (found["v50_kmh"], found["v85_kmh"]) == (29.4, 35.785714)
    assert (found["mean_kmh"], found["sd_kmh"]) == (30.93, pytest.approx(6.377, abs=0.0005))
    assert found["rule"] == "value"


def test_fifteen_cars(tmp_path: Path, filled: Any) -> None:
    filled(tmp_path / "t3.db", published.DEMO)
    assert both(tmp_path / "t3.db", "--rule", "value")["v85_kmh"] == 46.75


def test_garber(tmp_path: Path, filled: Any) -> None:
    filled(tmp_path / "t5a.db", published.GARBER)
    found = both(tmp_path / "t5a.db")
    assert (found["n"], found["mean_kmh"], found["sd_kmh"]) == (30, 34.9, round(math.sqrt(350.7 / 29), 6))


def test_engineers_forum(tmp_path: Path, filled: Any) -> None:
    filled(tmp_path / "t5b.db", published.FORUM)
    assert both(tmp_path / "t5b.db", "--rule", "value")["v85_kmh"] == 42.384615


def test_texas(tmp_path: Path, filled: Any) -> None:
    filled(tmp_path / "t5c.db", published.TEXAS)
    assert both(tmp_path / "t5c.db", "--rule", "counted")["v85_kmh"] == 48


def test_flachslanden(tmp_path: Path) -> None:
    """9,193 vehicles from 23 October to 5 November 2014: 14 days, with the autumn change among them."""
    first, last = datetime(2014, 10, 22, 22, tzinfo=UTC), datetime(2014, 11, 5, 22, 59, tzinfo=UTC)
    step = (last - first) / (published.FLACHSLANDEN_N - 1)
    rows = [f"{(first + place * step).isoformat()},receding,43" for place in range(published.FLACHSLANDEN_N)]
    source = tmp_path / "village.csv"
    source.write_text("\n".join(["time,direction,speed_kmh", *rows, ""]))
    database = tmp_path / "village.db"
    done = speedsign(
        *("import", source, "--db", database, "--limit", "50", "--timezone", "Europe/Berlin"),
        *("--measured-from", "2014-10-23", "--measured-to", "2014-11-05"),
    )
    assert done.exit_code == 0, done.stderr
    found = both(database)
    assert (found["n"], found["complete_days"], found["coverage"]) == (9193, 14, 1.0)
    assert found["adt"] == round(9193 / 14, 6)
    assert found["coverage_assumed"] is True
