"""Since when the sign stands, where it was set otherwise in a boot that did not know the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from telemetry.query import read_installations
from tests.cli.command import as_json, speedsign
from tests.hub.clocks import HERE, SIGN, Boot, Sign, hub_of

YEAR_S = 365 * 86_400
OTHERWISE = replace(HERE, limit_kmh=30)


@pytest.mark.parametrize("wrong_s", [-26 * YEAR_S, 10 * YEAR_S, -2700, 0])
@pytest.mark.parametrize("sync", [None, 0, 4])
def test_a_new_limit_holds_since_it_was_set(tmp_path: Path, wrong_s: int, sync: int | None) -> None:
    """Whatever the clock said: neither installation loses a vehicle to the other's time, nor at the hub."""
    sign = Sign(tmp_path / "sign.db")
    sign.run(Boot(12))
    before, ended = len(sign.passed), sign.now
    sign.facts = OTHERWISE
    sign.run(Boot(9, wrong_s=wrong_s, sync=sync))
    sign.run(Boot(3))
    hub = hub_of(tmp_path / "hub.db", [list(reversed(sign.end()))])
    for path in (sign.path, hub):
        first, second = read_installations(path)
        assert (first.facts.limit_kmh, second.facts.limit_kmh) == (50, 30)
        # Never known: somewhere between the boots around it.
        latest = ended + timedelta(minutes=15) if sync is not None else sign.now - timedelta(minutes=15)
        assert ended - timedelta(minutes=1) <= second.from_utc <= latest
        assert first.to_utc == second.from_utc
        for standing, n in ((first, before), (second, len(sign.passed) - before)):
            words = ("stats", "--db", path, "--sign", SIGN, "--installation", str(standing.id), "--json")
            assert as_json(speedsign(*words))[-1]["n"] == n


def test_the_very_first_one_began_with_what_it_counted(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "sign.db")
    sign.run(Boot(4, wrong_s=-26 * YEAR_S, sync=2))
    began = sign.now - timedelta(minutes=20)
    (standing,) = read_installations(sign.path)
    assert began - timedelta(minutes=15) <= standing.from_utc <= began


def test_one_that_was_right_stays(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "sign.db")
    sign.run(Boot(4))
    (before,) = read_installations(sign.path)
    sign.run(Boot(4, wrong_s=-2700, sync=2))
    assert read_installations(sign.path) == [before]
