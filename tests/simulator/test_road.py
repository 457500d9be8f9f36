"""Vehicles on the road: kinematics, following, the truth about who has passed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.following import HARDEST_BRAKE_MPS2, follow_accel, free_accel
from simulator.road import Road, RoadShape
from simulator.traffic import Flow, random_traffic, scripted
from simulator.vehicles import Arrival, MovingVehicle, VehicleKind
from speedsign.model import Direction


def alone(speed_kmh: float = 50.0, brakes_at_m: float | None = None, brakes_to_kmh: float = 50.0) -> Road:
    arrival = Arrival(0.0, 0, speed_kmh, brakes_at_m=brakes_at_m, brakes_to_kmh=brakes_to_kmh)
    return Road([arrival])


def run_for(road: Road, seconds: float, step_s: float = 0.1) -> Iterator[None]:
    for _ in range(round(seconds / step_s)):
        road.process(step_s)
        yield


def lanes_of(road: Road) -> list[list[MovingVehicle]]:
    lanes: dict[int, list[MovingVehicle]] = {}
    for vehicle in road.vehicles():
        lanes.setdefault(vehicle.arrival.lane, []).append(vehicle)
    return list(lanes.values())


def test_a_lone_vehicle_passes_at_its_speed() -> None:
    road = alone()
    road.process(30.0)
    (car,) = road.passed
    assert car.direction is Direction.APPROACHING
    assert car.mean_kmh == pytest.approx(50.0, abs=1e-6)
    assert car.t_enter_s == pytest.approx(80 / (50 / 3.6))  # the lead before the zone
    assert car.t_exit_s == pytest.approx(200 / (50 / 3.6))
    assert list(car.speeds_kmh) == [120.0, 100.0, 60.0, 30.0, 15.0, 0.0]
    assert car.entry_kmh == pytest.approx(50.0)
    assert car.exit_kmh == pytest.approx(50.0)


def test_a_receding_vehicle_is_measured_by_its_rear_and_mirrored() -> None:
    road = Road(scripted([(0.0, 1, 36.0, "lorry")]))
    road.process(40.0)
    (lorry,) = road.passed
    assert lorry.direction is Direction.RECEDING
    assert lorry.t_enter_s == pytest.approx((80 + 12) / 10)
    assert lorry.t_exit_s == pytest.approx((80 + 12 + 120) / 10)
    assert list(lorry.speeds_kmh) == [0.0, 15.0, 30.0, 60.0, 100.0, 120.0]


def test_passed_is_told_when_the_pole_is_reached_not_before() -> None:
    road = alone()
    road.process(200 / (50 / 3.6) - 0.05)
    assert road.passed == []
    road.process(0.15)
    assert len(road.passed) == 1


def test_seen_gives_the_face_and_only_inside_the_zone() -> None:
    road = alone(speed_kmh=36.0)
    road.process(7.95)
    assert road.seen() == []
    road.process(0.1)
    (seen,) = road.seen()
    assert seen.x_m == pytest.approx(200 - 80.5)
    assert seen.speed_mps == pytest.approx(10.0)
    assert seen.offset_m == 5.0


def test_a_driver_who_sees_the_sign_brakes_to_the_limit() -> None:
    road = alone(speed_kmh=70.0, brakes_at_m=90.0, brakes_to_kmh=50.0)
    road.process(30.0)
    (car,) = road.passed
    assert car.brakes
    assert car.speeds_kmh[100.0] == pytest.approx(70.0, abs=0.1)
    assert 50.0 <= car.speeds_kmh[15.0] < 58.0
    speeds = list(car.speeds_kmh.values())
    assert speeds == sorted(speeds, reverse=True)


@pytest.mark.parametrize("cut", [0.013, 0.1, 0.25, 7.0])
def test_how_time_is_cut_changes_nothing(cut: float) -> None:
    flows = [Flow(600), Flow(400)]
    whole, pieces = Road(random_traffic(flows, 3)), Road(random_traffic(flows, 3))
    whole.process(140.0)
    while pieces.t_s < 140.0 - 1e-9:
        pieces.process(min(cut, 140.0 - pieces.t_s))
    assert pieces.passed == whole.passed
    assert len(whole.passed) > 20
    for ours, theirs in zip(pieces.seen(), whole.seen(), strict=True):
        assert ours.x_m == pytest.approx(theirs.x_m, abs=1e-6)


def test_the_way_between_two_grid_points_has_no_jumps() -> None:
    """Each 10 ms step is as long as the speed says, across grid points and while braking."""
    road = alone(speed_kmh=70.0, brakes_at_m=100.0)
    road.process(5.0)
    before = road.seen()[0]
    for _ in range(300):
        road.process(0.01)
        now = road.seen()[0]
        mean_mps = (before.speed_mps + now.speed_mps) / 2
        assert before.x_m - now.x_m == pytest.approx(mean_mps * 0.01, abs=1e-6)
        before = now


SCRIPTS = st.lists(
    st.tuples(
        st.floats(0, 60),
        st.integers(0, 1),
        st.floats(10, 130),
        st.sampled_from(["car", "lorry", "motorcycle"]),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(SCRIPTS)
def test_nobody_drives_through_anybody(script: list[tuple[float, int, float, str]]) -> None:
    """Whatever comes: no overlap, no reversing, no braking harder than tyres can, nobody lost."""
    road = Road(scripted(script))
    for _ in run_for(road, 90.0):
        for lane in lanes_of(road):
            for leader, follower in itertools.pairwise(lane):
                assert leader.s_m - leader.facts.length_m - follower.s_m > 0.0
            for vehicle in lane:
                assert vehicle.speed_mps >= 0.0
                assert vehicle.accel_mps2 >= -HARDEST_BRAKE_MPS2
    road.process(400.0)
    assert len(road.passed) == len(script)
    assert road.is_empty


def test_following_settles_at_the_wished_headway_without_oscillation() -> None:
    """A fast driver behind a slow one: the gap becomes headway times speed plus standstill gap."""
    shape = RoadShape(lead_m=3000.0)
    road = Road([Arrival(0.0, 0, 40.0), Arrival(6.0, 0, 60.0, headway_s=1.2)], shape)
    gaps = []
    for _ in run_for(road, 200.0):
        vehicles = road.vehicles()
        if len(vehicles) == 2:
            leader, follower = vehicles
            gaps.append(leader.s_m - leader.facts.length_m - follower.s_m)
            assert follower.accel_mps2 > -2.5  # comfortable, not an emergency
    assert gaps[-1] == pytest.approx(2.0 + 1.2 * 40 / 3.6, rel=0.03)
    assert min(gaps) > 0.9 * gaps[-1]


def test_who_is_too_fast_and_too_close_brakes_for_both_reasons() -> None:
    too_fast = free_accel(20.0, 14.0, 1.5)
    too_close = follow_accel(14.0, 20.0, 1.5, 1.2, 15.0, 0.0)
    assert too_fast < 0
    assert too_close < 0
    assert follow_accel(20.0, 14.0, 1.5, 1.2, 15.0, 0.0) < too_fast + too_close


def test_nobody_ahead_within_sight_is_nobody_ahead() -> None:
    assert follow_accel(10.0, 14.0, 1.5, 1.2, 5000.0, 0.0) == free_accel(10.0, 14.0, 1.5)


def test_a_platoon_passes_at_the_headway_it_came_with() -> None:
    flow = Flow(900, sd_kmh=4, platoon_share=0.6, brake_share=0, mix={VehicleKind.CAR: 1.0})
    road = Road(random_traffic([flow], 5))
    road.process(3600.0)
    times = [vehicle.t_exit_s for vehicle in road.passed]
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    close = sum(gap <= 2.7 for gap in gaps) / len(gaps)
    assert 0.4 < close < 0.75
    assert min(gaps) > 0.8


def test_a_bicycle_holds_nobody_up() -> None:
    road = Road(scripted([(0.0, 2, 15.0, "bicycle"), (4.0, 0, 50.0, "car")]))
    road.process(90.0)
    first, second = road.passed
    assert first.kind is VehicleKind.CAR
    assert first.mean_kmh == pytest.approx(50.0, abs=0.1)
    assert second.kind is VehicleKind.BICYCLE
