"""How many vehicles are counted, and how well measured, on the simulated road (docs/speeds.md).

python -m tests.docs.measure_counting [--minutes 60] [--seed 1] [--write]

The road, the radar and its bytes are the simulator's; decoder and tracker are the sign's. Nothing is
shown or stored. A counted vehicle belongs to the one of its direction that it was seen with for longest.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from simulator.line import MemoryLine
from simulator.vehicles import Passed
from simulator.world import World, make_world
from speedsign.model import Direction, Reading, Vehicle
from speedsign.registry import load_radar
from speedsign.tracking import Tracker

FLOWS = (60, 150, 300, 600, 1000)
SET_UP = {"ops243": b"UKOJOM", "ld2415h": b""}
CUT_S = 0.05
CLOSE_S = 3.0


@dataclass(frozen=True, slots=True)
class Score:
    """What came of the traffic; the columns of the table."""

    radar: str
    per_hour: int
    alone: int
    alone_missed: int
    following: int  # less than `CLOSE_S` behind the one before, in the same direction
    following_missed: int
    extra: int  # counted, and nobody of that direction was there who was not counted already
    typical_error_kmh: float  # median of the absolute differences to the true mean speed


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


def counted_of(radar: str, sent: Iterable[tuple[float, bytes]]) -> Iterator[Vehicle]:
    """The sign's own decoder and tracker."""
    decoder, tracker = load_radar(radar).decoder(None), Tracker()
    for t_s, data in sent:
        yield from tracker.add([one for one in decoder.feed(data, t_s) if isinstance(one, Reading)])
    yield from tracker.flush()


def score(radar: str, per_hour: int, minutes: float, seed: int) -> Score:
    sent, world = chunks(radar, per_hour, minutes, seed)
    left = list(counted_of(radar, sent))
    passed, missed = [0, 0], [0, 0]  # alone, following
    before: dict[Direction, float] = {}
    errors = [0.0]
    for vehicle in world.truth():
        follows = vehicle.t_exit_s - before.get(vehicle.direction, -CLOSE_S) < CLOSE_S
        before[vehicle.direction] = vehicle.t_exit_s
        passed[follows] += 1
        same = [one for one in left if one.direction is vehicle.direction and _together_s(vehicle, one) > 0]
        if not same:
            missed[follows] += 1
            continue
        found = max(same, key=partial(_together_s, vehicle))
        left.remove(found)
        errors.append(abs(found.speed_kmh - vehicle.mean_kmh))
    typical = round(median(errors), 1)
    return Score(radar, per_hour, passed[0], missed[0], passed[1], missed[1], len(left), typical)


def _together_s(passed: Passed, counted: Vehicle) -> float:
    """For how long both were in view."""
    return min(counted.t_last_mono_s, passed.t_exit_s) - max(counted.t_first_mono_s, passed.t_enter_s)


COLUMNS = (
    "radar", "vehicles/h", "alone", "missed", "following", "missed", "extra", "typical difference, km/h",
)  # fmt: skip


def table(minutes: float, seed: int) -> Iterator[str]:
    yield _row(COLUMNS)
    yield _row(["---"] * len(COLUMNS))
    for radar in SET_UP:
        for per_hour in FLOWS:
            yield _row(astuple(score(radar, per_hour, minutes, seed)))


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def write(lines: Iterable[str]) -> None:
    """Into docs/speeds.md, between its marks."""
    page = Path(__file__).parents[2] / "docs" / "speeds.md"
    head, mark, rest = page.read_text(encoding="utf-8").partition("<!-- counting -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    page.write_text(head + mark + "\n".join(lines) + "\n" + end + tail, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into docs/speeds.md")
    args = parser.parse_args()
    lines = []
    for line in table(args.minutes, args.seed):
        lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    if args.write:
        write(lines)


if __name__ == "__main__":
    main()
