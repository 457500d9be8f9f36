"""What messages say of a boot and of a clock that was set: read back, and refused where it cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from speedsign.model import ClockQuality, Interval, VehicleRecord
from telemetry.message import messages
from telemetry.message.models import Aggregate
from telemetry.message.vehicle_models import Vehicles
from tests.telemetry.samples import T0, passed

BOOT = "0123456789abcdef" * 2
NAME = {"v": 1, "id": "bauska-3", "epoch": "5bd1e995a10c2f37", "seq": 7}
UNDATED = Interval(T0, 900, 450.5, ClockQuality.UNKNOWN, 1, boot=BOOT[:16])


def undated(second: float, clock: ClockQuality = ClockQuality.UNKNOWN) -> VehicleRecord:
    record = passed(50, T0 + timedelta(seconds=second), clock=clock)
    seen = replace(record.vehicle, t_first_mono_s=second - 3.25, t_last_mono_s=second)
    return replace(record, vehicle=seen, boot=BOOT)


def test_an_interval_comes_back_as_it_was() -> None:
    body = messages.aggregate(UNDATED)
    assert (body["boot"], "stepped" in body) == (BOOT[:16], False)
    assert messages.parse_aggregate(body) == UNDATED
    marked = Interval(T0, 900, 9.0, ClockQuality.OK, 1, 3, stepped=True)
    assert "boot" not in messages.aggregate(marked)
    assert messages.parse_aggregate(messages.aggregate(marked)) == marked


@pytest.mark.parametrize(
    "change",
    [{"clk": "ok"}, {"clk": "corrected"}, {"boot": "0123"}, {"boot": None}, {"boot": 7}, {"boot": BOOT},
     {"boot": BOOT[:16].upper()}, {"stepped": 1}, {"stepped": None}],
    ids=str,
)  # fmt: skip
def test_an_interval_that_cannot_be(change: dict[str, Any]) -> None:
    body = NAME | messages.aggregate(UNDATED) | change
    with pytest.raises(ValueError, match=r"boot|stepped"):
        messages.parse_aggregate(body)
    with pytest.raises(ValidationError):
        Aggregate.model_validate_json(json.dumps(body))


@pytest.mark.parametrize("clock", [ClockQuality.UNKNOWN, ClockQuality.CORRECTED])
def test_vehicles_are_told_with_their_boot_time(clock: ClockQuality) -> None:
    body = messages.vehicles(1, [undated(1000.125, clock), undated(1003.5, clock)])
    assert (body["boot"], body["up"]) == (BOOT[:16], [996875, 1000250])
    Vehicles.model_validate_json(json.dumps(NAME | body))
    for second, record in zip((1000.125, 1003.5), messages.parse_vehicles(body).records, strict=True):
        assert (record.boot, record.clock) == (BOOT[:16], clock)
        assert record.vehicle.t_first_mono_s == second - 3.25
        assert record.vehicle.t_last_mono_s == pytest.approx(second, abs=0.002)


def test_where_the_time_was_known_nothing_more_is_told() -> None:
    """Each byte goes over a metered link."""
    body = messages.vehicles(1, [replace(undated(9.0), clock=ClockQuality.OK)])
    assert "boot" not in body
    assert "up" not in body


def test_vehicles_of_two_boots_are_no_message() -> None:
    other = replace(undated(9.0), boot="f" * 32)
    with pytest.raises(ValueError, match="several starts"):
        messages.vehicles(1, [undated(8.0), other])


@pytest.mark.parametrize(
    "change",
    [{"boot": "x"}, {"up": -1}, {"up": [1, 2, 3]}, {"up": 1.0}, {"up": None}, {"boot": None}],
    ids=str,
)
def test_vehicles_that_cannot_be(change: dict[str, Any]) -> None:
    body = messages.vehicles(1, [undated(1000.0), undated(1003.5)])
    without: list[dict[str, Any]] = [{k: v for k, v in body.items() if k != gone} for gone in ("boot", "up")]
    for bad in [body | change, *without]:
        with pytest.raises(ValueError, match=r"boot|up"):
            messages.parse_vehicles(bad)
        with pytest.raises(ValidationError):
            Vehicles.model_validate_json(json.dumps(NAME | bad))
