"""speedsign simulate: the simulated radar and panel alone, for anyone's tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from simulator.stand import Stand, Traffic, fault_words
from simulator.tcp_line import TcpLine
from simulator.world import RADARS
from speedsign.cli.common import SignCommand, config_option, json_option
from speedsign.errors import UsageError

LOOK_S = 0.1  # how often there may be news to print


@click.command(cls=SignCommand, example="speedsign simulate --radar ld2415h --dir /tmp/stand")
@click.option("--radar", type=click.Choice(sorted(RADARS)), default="ops243", show_default=True)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Where the links radar and panel appear."
)
@click.option("--tcp", is_flag=True, help="TCP on loopback instead of ptys; the panel speaks Modbus TCP.")
@click.option("--per-hour", type=click.FloatRange(0, 3000), help="Vehicles an hour; else the demo's traffic.")
@click.option("--limit", "limit_kmh", type=click.IntRange(10, 130), default=50, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same traffic.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@config_option
@json_option
def simulate(
    config_path: Path,
    *,
    radar: str,
    folder: Path | None,
    tcp: bool,
    per_hour: float | None,
    limit_kmh: int,
    seed: int,
    seconds: float | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Run a simulated radar and panel until Ctrl-C.

    Prints where they are, then every vehicle that passes and every change of the panel. Faults are switched
    by lines on standard input: "radar silence", "radar unplug", "panel dead", "clear"; "help" lists them.
    """
    traffic = Traffic(vehicles_per_hour=per_hour, limit_kmh=limit_kmh)
    with contextlib.ExitStack() as stack:
        if tcp:
            stand = Stand(TcpLine(), TcpLine(), radar=radar, seed=seed, traffic=traffic)
        else:
            place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speedsign-")))
            place.mkdir(parents=True, exist_ok=True)
            stand = Stand.on_ptys(place, radar=radar, seed=seed, traffic=traffic)
        asyncio.run(_serve(stand, seconds, _Printer(as_json=as_json)))


class _Printer:
    """Events as JSON lines or as words."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def __call__(self, event: str, **facts: Any) -> None:
        if self._as_json:
            line = json.dumps({"event": event, **facts})
        else:
            line = f"{event:<8} " + "  ".join(f"{name} {value}" for name, value in facts.items())
        click.echo(line)


async def _serve(stand: Stand, seconds: float | None, say: _Printer) -> None:
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None  # noqa: S101  we are inside one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, main.cancel)
    try:
        async with stand:
            say("devices", **_addresses(stand))
            news = asyncio.create_task(_news(stand, say))
            _listen(stand, say)
            try:
                await stand.run(seconds)
            finally:
                loop.remove_reader(sys.stdin)
                news.cancel()
                await asyncio.gather(news, return_exceptions=True)
    except OSError as error:
        raise UsageError(f"the simulated devices cannot be made: {error}") from None
    except asyncio.CancelledError:
        return


def _addresses(stand: Stand) -> dict[str, str]:
    lines = {"radar": stand.radar_line, "panel": stand.panel_line}
    return {
        name: f"tcp://{line.address}" if isinstance(line, TcpLine) else str(line.link)
        for name, line in lines.items()
    }


def _listen(stand: Stand, say: _Printer) -> None:
    """Faults from standard input; without one (a service, a closed pipe) there are none."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
        elif line.strip() == "help":
            say("faults", words=", ".join(fault_words()))
        elif line.strip():
            try:
                stand.fault(line.strip())
                say("fault", command=line.strip())
            except ValueError as error:
                say("error", text=str(error))

    with contextlib.suppress(OSError, ValueError):  # a file or /dev/null cannot be waited for
        loop.add_reader(sys.stdin, read)


async def _news(stand: Stand, say: _Printer) -> None:
    """Print what has happened since the last look."""
    told_lit = told_passed = 0
    while True:
        lit, passed = stand.log.lit, stand.world.truth()
        for change in lit[told_lit:]:
            say("panel", t_s=round(change.t_s, 2), lit=change.text)
        for vehicle in passed[told_passed:]:
            say(
                "vehicle",
                t_s=round(vehicle.t_exit_s, 2),
                direction=vehicle.direction.value,
                kind=vehicle.kind.value,
                speed_kmh=round(vehicle.mean_kmh, 1),
            )
        told_lit, told_passed = len(lit), len(passed)
        await asyncio.sleep(LOOK_S)
