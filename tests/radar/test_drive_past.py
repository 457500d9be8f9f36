"""Framed radars from the road to the reading: a simulated car, its bytes, the link, on virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from drivers.radar.link import RadarLink
from simulator.line import MemoryLine
from simulator.radar_physics import IDEAL
from simulator.traffic import scripted
from simulator.virtual_time import VirtualClock, run_virtual
from simulator.world import make_world
from speedsign.model import Direction, RadarEvent, Reading
from speedsign.ports import RadarSettings
from speedsign.registry import load_radar

SET_UP_S = 8.0  # the slowest asks eleven times
PASSED_S = 20.0
FEWEST = {"ld2451": 150, "kld7": 30, "isys4001": 40}  # readings of a car at 50 km/h
QUANTUM_KMH = {"ld2451": 0.5, "kld7": 0.005, "isys4001": 0.018}


def readings_of(radar: str, lane: int) -> list[Reading]:
    """What the link says of one car at 50 km/h in that lane (0 approaches, 1 recedes)."""

    async def main() -> list[RadarEvent]:
        loop = asyncio.get_running_loop()
        line = MemoryLine("radar", baud=115_200)
        world = make_world(
            line, radar=radar, script=scripted([(SET_UP_S, lane, 50, "car")]), parameters=IDEAL
        )
        clock = VirtualClock(loop, datetime(2026, 5, 4, tzinfo=UTC))
        link = RadarLink(line.port, load_radar(radar), RadarSettings(), clock)
        events: list[RadarEvent] = []
        running = asyncio.create_task(link.run(events.extend))
        await world.run(SET_UP_S + PASSED_S)
        assert [fault.text for fault in link.faults()] == []
        assert link.health()["bad"] == 0
        running.cancel()
        await asyncio.wait([running])
        assert len(world.truth()) == 1
        return events

    return [event for event in run_virtual(main()) if isinstance(event, Reading)]


@pytest.mark.parametrize("radar", FEWEST)
@pytest.mark.parametrize("lane", [0, 1])
def test_a_car_is_read_as_it_drives(radar: str, lane: int) -> None:
    found = readings_of(radar, lane)
    assert len(found) >= FEWEST[radar]
    assert {one.direction for one in found} == {(Direction.APPROACHING, Direction.RECEDING)[lane]}
    assert {one.rank for one in found} == {0}
    assert max(one.speed_kmh for one in found) == pytest.approx(50.0, abs=0.2 + QUANTUM_KMH[radar])
    ranges = [one.range_m or 0.0 for one in found]
    assert ranges == sorted(ranges, reverse=lane == 0)
    far, near = (found[0], found[-1]) if lane == 0 else (found[-1], found[0])
    assert (far.range_m or 0.0) > (near.range_m or 0.0) + 10
    assert far.speed_kmh >= near.speed_kmh  # only the cosine takes from it
    strongest = max(found, key=lambda one: one.strength or 0.0)
    assert (strongest.strength or 0.0) > 4 * (far.strength or 0.0)
    assert (strongest.range_m or 0.0) < (far.range_m or 0.0) / 2
