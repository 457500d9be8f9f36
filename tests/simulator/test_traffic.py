"""Random traffic has the flow, speeds and platoons that it was asked for, by seed."""

from __future__ import annotations

from itertools import islice, pairwise, takewhile
from statistics import mean, stdev

import pytest

from simulator.demo_traffic import demo_shape, demo_traffic
from simulator.road import Road
from simulator.traffic import Flow, random_traffic
from simulator.vehicles import Arrival, VehicleKind


def hours(flows: list[Flow], seed: int, count: float) -> list[Arrival]:
    return list(takewhile(lambda arrival: arrival.t_s < count * 3600, random_traffic(flows, seed)))


@pytest.mark.parametrize(("flow", "platoons"), [(100, 0.3), (250, 0.0), (500, 0.6), (1000, 0.4)])
def test_flow_is_as_asked(flow: float, platoons: float) -> None:
    arrivals = hours([Flow(flow, platoon_share=platoons)], 1, 10)
    assert len(arrivals) / 10 == pytest.approx(flow, rel=0.1)


def test_speeds_and_kinds_are_as_asked() -> None:
    arrivals = hours(
        [Flow(500, 60, 8, platoon_share=0, mix={VehicleKind.CAR: 0.9, VehicleKind.LORRY: 0.1})], 2, 10
    )
    cars = [arrival.speed_kmh for arrival in arrivals if arrival.kind is VehicleKind.CAR]
    assert mean(cars) == pytest.approx(60, abs=0.5)
    assert stdev(cars) == pytest.approx(8, abs=0.5)
    assert len(cars) / len(arrivals) == pytest.approx(0.9, abs=0.02)


def test_both_directions_have_their_own_flow_in_order_of_time() -> None:
    arrivals = hours([Flow(300), Flow(100)], 3, 5)
    assert [arrival.t_s for arrival in arrivals] == sorted(arrival.t_s for arrival in arrivals)
    near = sum(arrival.lane in (0, 2) for arrival in arrivals)
    assert near / len(arrivals) == pytest.approx(0.75, abs=0.05)


def test_no_traffic_is_no_traffic() -> None:
    assert list(random_traffic([Flow(0), Flow(0)], 1)) == []


def test_the_seed_decides() -> None:
    def first(seed: int) -> list[Arrival]:
        return list(islice(random_traffic([Flow(300), Flow(300)], seed), 50))

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_only_drivers_over_the_limit_brake_for_the_sign() -> None:
    arrivals = hours([Flow(500, brake_share=1.0)], 4, 3)
    assert all((arrival.brakes_at_m is not None) == (arrival.speed_kmh > 50) for arrival in arrivals)


@pytest.mark.parametrize("seed", range(3))
def test_demo_traffic_is_lively_and_nobody_catches_up(seed: int) -> None:
    road = Road(demo_traffic(seed), demo_shape(120.0))
    road.process(600.0)
    assert 600 / len(road.passed) == pytest.approx(2.7, abs=0.35)
    assert road.passed[0].t_exit_s < 20.0
    for vehicle in road.passed:
        assert 29.0 <= vehicle.mean_kmh <= 76.0
    for lane in (0, 1):
        times = [(vehicle.t_enter_s, vehicle.t_exit_s) for vehicle in road.passed if vehicle.lane == lane]
        for (enter, leave), (next_enter, next_leave) in pairwise(times):
            assert next_enter - enter > 1.8
            assert next_leave - leave > 1.8


def test_demo_traffic_has_both_directions_and_both_sides_of_the_limit() -> None:
    road = Road(demo_traffic(1), demo_shape(120.0))
    road.process(600.0)
    near = sum(vehicle.lane == 0 for vehicle in road.passed) / len(road.passed)
    over = sum(vehicle.entry_kmh > 50 for vehicle in road.passed) / len(road.passed)
    assert 0.4 < near < 0.6
    assert 0.25 < over < 0.7
