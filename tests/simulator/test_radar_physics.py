"""What the antenna sees, against the arithmetic of geometry and of the published sensors."""

from __future__ import annotations

from dataclasses import replace
from math import cos, hypot, radians, sin, tan

import pytest

from simulator.radar_physics import IDEAL, RadarParameters, RadarPhysics, quantised
from simulator.road import Road
from simulator.shadows import visible_parts
from simulator.traffic import Flow, random_traffic, scripted
from simulator.vehicles import Seen, VehicleKind
from speedsign.model import Direction

LEVEL = replace(IDEAL, mounting_height_m=0.7)  # as high as what it looks at: angles are in the plane


def seen(
    x_m: float,
    *,
    kind: VehicleKind = VehicleKind.CAR,
    direction: Direction = Direction.APPROACHING,
    offset_m: float = 5.0,
    speed_mps: float = 50 / 3.6,
    vehicle_id: int = 1,
) -> Seen:
    return Seen(vehicle_id, kind, direction, x_m, offset_m, speed_mps)


@pytest.mark.parametrize(("x_m", "low_percent"), [(60, 0.3), (30, 1.4), (15, 5.1), (10, 10.6)])
def test_cosine_of_a_sign_five_metres_beside_the_path(x_m: float, low_percent: float) -> None:
    radial_mps = RadarPhysics(LEVEL).radial_mps(seen(x_m, speed_mps=1.0))
    assert (1 - radial_mps) * 100 == pytest.approx(low_percent, abs=0.05)


@pytest.mark.parametrize(
    ("angle_deg", "low_percent"), [(5, 0.4), (10, 1.5), (15, 3.4), (20, 6.0), (25, 9.4), (30, 13.4)]
)
def test_cosine_by_angle(angle_deg: float, low_percent: float) -> None:
    x_m = 5.0 / tan(radians(angle_deg))
    radial_mps = RadarPhysics(LEVEL).radial_mps(seen(x_m, speed_mps=1.0))
    assert (1 - radial_mps) * 100 == pytest.approx(low_percent, abs=0.05)


def test_height_counts_like_sideways() -> None:
    high = RadarPhysics(replace(IDEAL, mounting_height_m=4.7))
    assert high.radial_mps(seen(20, offset_m=3.0)) == pytest.approx(50 / 3.6 * 20 / hypot(20, 5))


def test_receding_is_the_mirror_image_of_approaching() -> None:
    physics = RadarPhysics(IDEAL)
    there, back = seen(25), seen(25, direction=Direction.RECEDING)
    assert physics.radial_mps(back) == -physics.radial_mps(there)
    assert physics.strength(back) == physics.strength(there)


PASSES = [
    (30, 4, 25), (30, 8, 50), (30, 11, 69),
    (50, 4, 15), (50, 8, 30), (50, 11, 41),
    (100, 4, 7), (100, 8, 15), (100, 11, 21),
]  # fmt: skip


@pytest.mark.parametrize(("speed_kmh", "rate_hz", "readings"), PASSES)
def test_readings_per_pass_from_60_to_8_metres(speed_kmh: float, rate_hz: float, readings: int) -> None:
    road = Road(scripted([(0.0, 0, speed_kmh, "car")]))
    physics = RadarPhysics(replace(IDEAL, detection_floor=1.0))
    count = 0
    while not road.passed:
        road.process(1 / rate_hz)
        for echo in physics.echoes(road.seen(), road.t_s):
            count += 8 <= (echo.range_m**2 - 5**2 - 1.8**2) ** 0.5 <= 60
    assert abs(count - readings) <= 1


def test_strength_rises_to_one_peak_and_falls() -> None:
    physics = RadarPhysics(IDEAL)
    for kind in VehicleKind:
        strengths = [physics.strength(seen(x_m, kind=kind)) for x_m in range(120, 5, -1)]
        peak = strengths.index(max(strengths))
        assert strengths[:peak] == sorted(strengths[:peak])
        assert strengths[peak:] == sorted(strengths[peak:], reverse=True)
        assert 12 <= 120 - peak <= 40


def test_strength_falls_with_the_square_of_distance_on_the_axis() -> None:
    """Power with the fourth power of range, amplitude with its square."""
    physics = RadarPhysics(replace(LEVEL, aim_deg=0.0))
    near, far = seen(50, offset_m=0.0), seen(100, offset_m=0.0)
    assert physics.strength(near) == pytest.approx(80.0)
    assert physics.strength(far) == pytest.approx(20.0)


def test_the_beam_is_3_db_down_at_half_its_width() -> None:
    physics = RadarPhysics(replace(LEVEL, aim_deg=0.0, beam_azimuth_deg=20.0))
    edge = seen(50 * cos(radians(10)), offset_m=50 * sin(radians(10)))
    assert physics.strength(edge) == pytest.approx(80.0 * 10 ** (-6 / 20))  # 3 dB there and 3 dB back


def test_kinds_differ_in_strength() -> None:
    physics = RadarPhysics(IDEAL)
    order = [
        physics.strength(seen(40, kind=VehicleKind(name)))
        for name in ("lorry", "car", "motorcycle", "bicycle")
    ]
    assert order == sorted(order, reverse=True)


def test_nothing_beyond_the_range_or_below_the_floor() -> None:
    physics = RadarPhysics(replace(IDEAL, max_range_m=90.0))
    assert physics.echoes([seen(91)], 0.0) == []
    assert len(physics.echoes([seen(85)], 0.1)) == 1
    assert RadarPhysics(IDEAL).echoes([seen(100, kind=VehicleKind.BICYCLE)], 0.0) == []


def test_echoes_are_strongest_first_and_know_their_vehicle() -> None:
    pair = [seen(80, vehicle_id=1), seen(25, vehicle_id=2, direction=Direction.RECEDING, offset_m=8.5)]
    echoes = RadarPhysics(IDEAL).echoes(pair, 0.0)
    assert [echo.vehicle_id for echo in echoes] == [2, 1]
    assert echoes[0].radial_mps < 0 < echoes[1].radial_mps


def test_quantisation() -> None:
    physics = RadarPhysics(replace(IDEAL, quantum_mps=0.061))
    (echo,) = physics.echoes([seen(40)], 0.0)
    assert echo.radial_mps / 0.061 == pytest.approx(round(echo.radial_mps / 0.061))
    assert echo.radial_mps == pytest.approx(physics.radial_mps(seen(40)), abs=0.0305)
    assert quantised(1.0, 0.0) == 1.0


# --------------------------------------------------------------------------- shadows


def test_a_car_far_behind_a_lorry_is_hidden_and_comes_out_nearer() -> None:
    lorry, car = VehicleKind.LORRY, VehicleKind.CAR

    def part(x_m: float) -> float:
        return visible_parts([seen(x_m, kind=lorry), seen(x_m + 22, kind=car, vehicle_id=2)], 2.5)[1]

    assert part(80) < 0.1
    assert 0.1 < part(25) < 0.6
    assert part(5) > 0.9


def test_a_car_hides_less_of_a_car_than_a_lorry_does() -> None:
    behind = seen(90, vehicle_id=2)
    by_car = visible_parts([seen(70), behind], 2.5)[1]
    by_lorry = visible_parts([seen(70 - 7.5, kind=VehicleKind.LORRY), behind], 2.5)[
        1
    ]  # ends at the same place
    assert by_lorry < by_car < 1.0


def test_the_nearer_is_never_hidden_and_order_does_not_matter() -> None:
    near, far = seen(30, kind=VehicleKind.LORRY), seen(70, vehicle_id=2)
    forth, back = visible_parts([near, far], 2.5), visible_parts([far, near], 2.5)
    assert forth[0] == 1.0
    assert forth == back[::-1]


def test_a_lorry_in_the_near_lane_hides_the_far_lane_behind_it() -> None:
    far_lane = seen(40, offset_m=8.5, vehicle_id=2, direction=Direction.RECEDING)
    assert visible_parts([seen(20, kind=VehicleKind.LORRY), far_lane], 2.5)[1] < 0.2
    assert visible_parts([seen(8, kind=VehicleKind.BICYCLE, offset_m=3.5), far_lane], 2.5)[1] == 1.0


def test_a_radar_lower_than_a_roof_sees_over_it_what_the_ray_over_its_front_edge_misses() -> None:
    """One metre up: over a car (1.5 m) 40 m away the ray rises to 2.25 m at 100 m, of a lorry's 3.6 m."""
    car = seen(40, offset_m=0.0)
    lorry = seen(100, offset_m=0.0, kind=VehicleKind.LORRY, vehicle_id=2)
    assert visible_parts([car, lorry], 1.0)[1] == pytest.approx(1 - 2.25 / 3.6)


def test_a_hidden_vehicle_gives_no_echo() -> None:
    pair = [seen(80, kind=VehicleKind.LORRY), seen(100, vehicle_id=2)]
    assert [echo.vehicle_id for echo in RadarPhysics(IDEAL).echoes(pair, 0.0)] == [1]
    open_road = RadarPhysics(replace(IDEAL, shadows=False))
    assert [echo.vehicle_id for echo in open_road.echoes(pair, 0.0)] == [1, 2]


# --------------------------------------------------------------------------- what goes wrong


def stand_in_view(
    parameters: RadarParameters, looks: int, kind: VehicleKind = VehicleKind.CAR
) -> list[list[float]]:
    """Radial speeds of each of many looks at one vehicle that drives on the spot."""
    physics = RadarPhysics(parameters, seed=1)
    return [
        [echo.radial_mps for echo in physics.echoes([seen(25, kind=kind)], look * 0.1)]
        for look in range(looks)
    ]


def test_single_losses_come_as_often_as_asked() -> None:
    looks = stand_in_view(replace(IDEAL, drop_share=0.1), 5000)
    assert sum(not look for look in looks) / 5000 == pytest.approx(0.1, abs=0.02)


def test_bursts_lose_several_readings_in_a_row() -> None:
    looks = stand_in_view(replace(IDEAL, burst_per_s=0.1, burst_s=0.8), 20000)
    lost = "".join("." if look else "x" for look in looks)
    bursts = [run for run in lost.split(".") if run]
    assert len(bursts) / 2000 == pytest.approx(0.1, rel=0.2)
    assert sum(map(len, bursts)) / len(bursts) == pytest.approx(8, rel=0.25)


def test_noise_has_the_asked_width() -> None:
    looks = stand_in_view(replace(IDEAL, speed_noise_mps=0.2), 4000)
    values = [look[0] for look in looks]
    middle = sum(values) / len(values)
    spread = (sum((value - middle) ** 2 for value in values) / len(values)) ** 0.5
    assert spread == pytest.approx(0.2, rel=0.05)
    assert middle == pytest.approx(RadarPhysics(IDEAL).radial_mps(seen(25)), abs=0.02)


def test_a_strong_target_has_a_rare_mirror_image() -> None:
    looks = stand_in_view(replace(IDEAL, mirror_share=0.05), 4000)
    images = [look for look in looks if len(look) == 2]
    assert len(images) / 4000 == pytest.approx(0.05, abs=0.012)
    assert all(first == -second for first, second in images)


def test_a_strong_lorry_at_times_has_an_image_at_twice_its_speed_and_a_car_never() -> None:
    doubled = replace(IDEAL, double_share=0.05)
    images = [look for look in stand_in_view(doubled, 4000, VehicleKind.LORRY) if len(look) == 2]
    assert len(images) / 4000 == pytest.approx(0.05, abs=0.012)
    assert all(max(look) == pytest.approx(2 * min(look)) for look in images)
    assert all(len(look) == 1 for look in stand_in_view(doubled, 1000))


def test_false_echoes_come_on_an_empty_road_at_their_rate_however_often_one_looks() -> None:
    parameters = replace(IDEAL, spikes_per_s=0.2, rain_per_s=0.3)
    for step_s in (0.05, 0.4):
        physics = RadarPhysics(parameters, seed=3)
        echoes = [echo for look in range(round(2000 / step_s)) for echo in physics.echoes([], look * step_s)]
        assert len(echoes) / 2000 == pytest.approx(0.5, rel=0.1)
        assert all(echo.vehicle_id is None for echo in echoes)


def test_an_ideal_road_without_vehicles_is_silent() -> None:
    assert RadarPhysics(IDEAL).echoes([], 1e6) == []


def test_the_seed_decides() -> None:
    def hour(seed: int) -> list[object]:
        road, physics = Road(random_traffic([Flow(300), Flow(300)], 1)), RadarPhysics(seed=seed)
        found: list[object] = []
        for _ in range(1000):
            road.process(0.1)
            found += physics.echoes(road.seen(), road.t_s)
        return found

    assert hour(1) == hour(1)
    assert hour(1) != hour(2)


def test_memory_of_vehicles_does_not_grow() -> None:
    physics = RadarPhysics(seed=1)
    for number in range(500):
        physics.echoes([seen(30, vehicle_id=number)], number * 0.1)
    assert len(physics._memories) < 50
