"""Simulated traffic as the bytes of a radar, for the documents' capture."""

from __future__ import annotations

import asyncio

from simulator.line import MemoryLine
from simulator.world import World, make_world

SET_UP = {"ops243": b"UKOJOM", "ld2415h": b""}
CUT_S = 0.05


def chunks(radar: str, per_hour: int, minutes: float, seed: int) -> tuple[list[tuple[float, bytes]], World]:
    """What the radar sends, with the time of each chunk, and the world it looked at."""
    line = MemoryLine("radar")
    world = make_world(line, radar=radar, seed=seed, vehicles_per_hour=per_hour)
    if SET_UP[radar]:
        world.radar_end.twin.on_bytes(SET_UP[radar])
    got: list[tuple[float, bytes]] = []

    async def listen() -> None:
        await line.port.open(lambda data: got.append((world.t_s, data)), lambda _error: None)

    asyncio.run(listen())
    for _ in range(round(minutes * 60 / CUT_S)):
        world.process(CUT_S)
    return got, world
