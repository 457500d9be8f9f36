"""Test cars: exact, alone, and told from everybody else."""

from __future__ import annotations

import pytest

from simulator.aim import heard_along
from simulator.drives import Drives
from simulator.radar_physics import RadarParameters
from simulator.road import Road, RoadShape
from simulator.traffic import Flow, random_traffic
from simulator.vehicles import Passed
from speedsign.model import Direction

STEP_S = 0.05


class Street:
    def __init__(self, per_hour: float = 0.0) -> None:
        flows = [Flow(per_hour), Flow(per_hour)] if per_hour else []
        self.road = Road(random_traffic(flows, 1) if flows else (), RoadShape())
        heard = {
            lane.direction: heard_along(RadarParameters(), lane.offset_m, direction=lane.direction)
            for lane in self.road.shape.lanes[:2]
        }
        self.drives = Drives(self.road, heard)
        self.most_at_once = 0

    def go_on(self, seconds: float) -> None:
        until_s = self.road.t_s + seconds
        while self.road.t_s < until_s:
            self.road.process(STEP_S)
            self.drives.process(STEP_S)
            seen = self.road.seen()
            if any(one.vehicle_id in self.drives.ids for one in seen):
                self.most_at_once = max(self.most_at_once, len(seen))

    def test_cars(self) -> list[Passed]:
        return [one for one in self.road.passed if one.vehicle_id in self.drives.ids]


@pytest.mark.parametrize("kmh", [50.0, 47.3, 130.0, -50.0, 5.0, -5.0])
def test_a_car_of_exactly_that_speed_drives_past_once(kmh: float) -> None:
    street = Street()
    street.drives.order(kmh)
    street.go_on(30.0 if abs(kmh) > 20 else 200.0)
    (car,) = street.test_cars()
    assert car.mean_kmh == pytest.approx(abs(kmh), abs=0.01)
    assert car.entry_kmh == pytest.approx(abs(kmh), abs=0.01)
    assert car.direction is (Direction.APPROACHING if kmh > 0 else Direction.RECEDING)


def test_it_is_there_soon() -> None:
    street = Street()
    street.drives.order(50.0)
    street.go_on(1.5)
    assert len(street.road.seen()) == 1


def test_several_come_one_after_the_other_and_never_together() -> None:
    street = Street()
    street.drives.order(60.0, 3)
    street.drives.order(-40.0, 2)
    street.go_on(90.0)
    assert [round(one.mean_kmh) for one in street.test_cars()] == [60, 60, 60, 40, 40]
    assert street.most_at_once <= 2  # the one before, out of earshot, still leaves the road


def test_in_traffic_it_is_alone_and_afterwards_traffic_goes_on() -> None:
    street = Street(per_hour=600.0)
    street.go_on(60.0)
    before = len(street.road.passed)
    assert before > 3
    street.drives.order(50.0, 2)
    street.go_on(60.0)
    assert len(street.test_cars()) == 2
    assert street.most_at_once == 1
    entered = street.road.entered
    street.go_on(60.0)
    assert street.road.entered > entered + 3
    assert len(street.test_cars()) == 2


def test_those_that_have_not_started_can_be_called_off() -> None:
    street = Street()
    street.drives.order(50.0, 10)
    street.go_on(5.0)
    street.drives.forget()
    street.go_on(60.0)
    assert len(street.test_cars()) == 1
    assert not street.road.closed


@pytest.mark.parametrize(("kmh", "count"), [(0.0, 1), (4.9, 1), (251.0, 1), (50.0, 0), (50.0, 501)])
def test_what_is_no_car_is_refused(kmh: float, count: int) -> None:
    street = Street()
    with pytest.raises(ValueError, match='a test car drives at 5 to 250 km/h, 1 to 500 times: "drive 50"'):
        street.drives.order(kmh, count)
    assert not street.road.closed
