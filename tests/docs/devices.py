"""The simulated radars and panels that the documents' commands work on, as FOLDER/dev/ttyUSB0 and so on.

python -m tests.docs.devices FOLDER serves them until it is stopped; it prints a line once they are there.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from simulator.line import PtyLine
from simulator.panel_end import PanelEnd
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.rtu_slave import RtuSlave
from simulator.traffic import scripted
from simulator.world import make_world

# One for each command that is shown: a port has one reader.
RADARS = {
    "ttyUSB0": "ld2415h",
    "ttyUSB1": "ops243",
    "ttyUSB2": "ld2415h",
    "ttyUSB3": "ops243",
    "ttyUSB8": "ops243",
}
PANELS = ("ttyUSB4", "ttyUSB5", "ttyUSB6", "ttyUSB7", "ttyUSB9")
CARS = [(0.2 + 4.0 * n, n % 2, 52.0, "car") for n in range(40)]


async def serve(folder: Path) -> None:
    (folder / "dev").mkdir()
    lines = {name: PtyLine(folder / "dev" / name) for name in (*RADARS, *PANELS)}
    panels = [PanelEnd(lines[name], RtuSlave(1, Dm56a04Twin())) for name in PANELS]
    for line in lines.values():
        line.plug()
    worlds = [
        make_world(lines[name], radar=radar, seed=3, script=scripted(CARS)) for name, radar in RADARS.items()
    ]
    for world in worlds:
        world.process(8.0)  # somebody is in view from the beginning
    print("there", flush=True)  # noqa: T201  whoever has started this waits for it
    running = [asyncio.create_task(world.run()) for world in worlds]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    for panel in panels:
        panel.close()
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    for line in lines.values():
        line.unplug()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
