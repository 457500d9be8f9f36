"""What a sign's file knows of its clock, as doctor and the health message tell it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from telemetry.clock_past import ClockPast, clock_past
from tests.cli.command import as_json, speedsign
from tests.cli.test_doctor import config, looked
from tests.hub.clocks import SIGN, Boot, Sign, hub_of
from tests.hub.said import health


def test_it_follows_what_the_sign_learned(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "sign.db")
    assert clock_past(sign.path) is None
    sign.run(Boot(8))
    known_s = int((sign.now).timestamp())
    assert clock_past(sign.path) == ClockPast(known_s)
    sign.run(Boot(4, sync=None, wrong_s=-2700))
    sign.run(Boot(4, sync=None, wrong_s=-3600))
    assert clock_past(sign.path) == ClockPast(known_s, boots=2, vehicles=6)
    sign.run(Boot(4, sync=2))
    assert clock_past(sign.path) == ClockPast(int(sign.now.timestamp()), boots=2, vehicles=6)


def test_doctor_says_it_and_what_was_measured_last_is_what_has_a_time(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "sign.db")
    sign.run(Boot(8))
    known = sign.now
    sign.run(Boot(8, sync=None, wrong_s=20 * 365 * 86_400))
    _, found = looked("--config", config(tmp_path), "--only", "clock", "--only", "store", "--quick")
    past = found["clock past"]
    assert past["state"] == "note"
    assert "1 start of this machine counted without a time: 6 vehicles in no hour" in past["what"]
    assert f"known is {known:%Y-%m-%d %H:%M} UTC" in past["what"]
    facts = past["facts"]
    assert (facts["boots_undated"], facts["vehicles_undated"]) == (1, 6)
    assert found["store"]["facts"]["newest_vehicle_s"] > 0, "what says 2046 is no vehicle of the future"


def test_the_hub_says_it_of_a_sign(tmp_path: Path) -> None:
    told = {
        "clock": {"boots": 2, "vehicles": 31, "known": int(datetime(2026, 5, 4, 9, tzinfo=UTC).timestamp())}
    }
    hub = hub_of(tmp_path / "hub.db", [[health(told)]])
    (one,) = as_json(speedsign("hub", "signs", "--db", hub, "--json"))
    assert one["clock"] == told["clock"]
    said = speedsign("hub", "signs", SIGN, "--db", hub).stdout
    assert "right; 31 vehicles of 2 starts without a time; last known 2026-05-04 09:00" in said
