"""speedsign simulate: the simulated radar and panel alone, for anyone's tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import click

from simulator.panels.catalogue import PANELS, profiles_of
from simulator.radars.catalogue import RADARS, SPEAKS_DIALECTS
from simulator.stand import Stand, Traffic, fault_words
from simulator.tcp_line import TcpLine
from simulator.vehicles import Passed
from speedsign.cli.common import SignCommand, config_option, json_option
from speedsign.cli.simulate_hidden import hidden_of, hidden_options, street
from speedsign.errors import UsageError
from speedsign.registry import load_radar

STDIN = 0
LOOK_S = 0.1  # how often there may be news to print


@click.command(cls=SignCommand, example="speedsign simulate --radar ld2415h --dir /tmp/stand")
@click.option("--radar", type=click.Choice(sorted(RADARS)), default="ops243", show_default=True)
@click.option("--profile", metavar="NAME", help="The dialect, of a radar that has several.")
@click.option("--panel", type=click.Choice(sorted(PANELS)), default="dm56a04", show_default=True)
@click.option("--panel-profile", metavar="NAME", help="The register map, of a panel that has several.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Where the links radar and panel appear."
)
@click.option("--board", is_flag=True, help="A relay board and a light sensor on the panel's line, too.")
@click.option("--tcp", is_flag=True, help="TCP on loopback instead of ptys; the panel speaks Modbus TCP.")
@click.option("--per-hour", type=click.FloatRange(0, 3000), help="Vehicles an hour; else the demo's traffic.")
@click.option("--limit", "limit_kmh", type=click.IntRange(10, 130), default=50, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same traffic.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@hidden_options
@config_option
@json_option
def simulate(
    config_path: Path,
    *,
    radar: str,
    profile: str | None,
    panel: str,
    panel_profile: str | None,
    board: bool,
    folder: Path | None,
    tcp: bool,
    per_hour: float | None,
    limit_kmh: int,
    seed: int,
    seconds: float | None,
    debug: bool,
    as_json: bool,
    **hidden: Any,
) -> None:
    """Run a simulated radar and panel until Ctrl-C.

    Prints where they are, then every vehicle that passes and every change of the panel. Faults are switched
    by lines on standard input: "radar silence", "radar unplug", "panel dead", "clear"; "help" lists them.
    "drive 50" sends a test car past the sign, "drive -50" away from it, "drive 50 10" ten of them; "fork
    2235" holds a tuning fork before the radar, "fork off" takes it away.

    With --board unit 11 is a relay board: coil 0 switches the panel's supply, coil 1 the beacon; unit 12 is a
    light sensor with lux in register 0.
    """
    traffic = Traffic(vehicles_per_hour=per_hour, limit_kmh=limit_kmh)
    load_radar(radar, profile)  # says which profiles there are
    if profile is not None and radar not in SPEAKS_DIALECTS:
        raise UsageError(f"the simulated {radar} speaks one dialect only; leave out --profile")
    if panel_profile is not None and panel_profile not in profiles_of(panel):
        there_are = ", ".join(profiles_of(panel)) or "none; leave out --panel-profile"
        raise UsageError(f"the simulated {panel} has no profile {panel_profile!r}; there are: {there_are}")
    devices: dict[str, Any] = {
        "radar": radar,
        "profile": profile,
        "panel": panel,
        "panel_profile": panel_profile,
        "board": board,
        "hidden": hidden_of(hidden),
        "seed": seed,
        "traffic": traffic,
    }
    with contextlib.ExitStack() as stack:
        try:
            stand = _stand(devices, folder, stack, tcp=tcp)
        except ValueError as error:
            raise UsageError(str(error)) from None
        asyncio.run(_serve(stand, seconds, _Printer(as_json=as_json)))


def _stand(devices: dict[str, Any], folder: Path | None, stack: contextlib.ExitStack, *, tcp: bool) -> Stand:
    if tcp:
        return Stand(TcpLine(), TcpLine(), **devices)
    place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speedsign-")))
    _make_room(place)
    return Stand.on_ptys(place, **devices)


def _make_room(folder: Path) -> None:
    """The folder is there, and the names of the devices are free; only links are ever replaced."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--dir {folder}: cannot be made: {error.strerror}; name another folder") from None
    for name in ("radar", "panel"):
        path = folder / name
        if path.exists() and not path.is_symlink():
            raise UsageError(f"--dir {folder}: {path} is in the way; name another folder")


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
            if hidden := street(stand):
                say("street", **hidden)
            with _listening() as commands:
                await _first_of(stand.run(seconds), _news(stand, say), _obey(commands, stand, say))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"the simulated devices cannot be made: {error}") from None
    except asyncio.CancelledError:
        return


async def _first_of(*mains: Coroutine[Any, Any, None]) -> None:
    """Run until one of them ends, and raise what it raised; the others are cancelled."""
    tasks = [asyncio.create_task(main) for main in mains]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _addresses(stand: Stand) -> dict[str, str]:
    lines = {"radar": stand.radar_line, "panel": stand.panel_line}
    return {
        name: f"tcp://{line.address}" if isinstance(line, TcpLine) else str(line.link)
        for name, line in lines.items()
    }


@contextlib.contextmanager
def _listening() -> Iterator[asyncio.Queue[str]]:
    """Lines of standard input; without one (a service, a closed input) there are none."""
    loop = asyncio.get_running_loop()
    commands: asyncio.Queue[str] = asyncio.Queue()
    unfinished = b""

    def take(data: bytes) -> None:
        nonlocal unfinished
        *lines, unfinished = (unfinished + data).split(b"\n")
        for line in lines:
            commands.put_nowait(line.decode("utf-8", "replace").strip())

    def read() -> None:
        # Not sys.stdin.readline: of two lines that arrive together it would keep one to itself.
        data = os.read(STDIN, 4096)
        take(data or b"\n")
        if not data:
            loop.remove_reader(STDIN)

    try:
        if sys.stdin is not None:  # else it was closed, and its number may be something else by now
            loop.add_reader(STDIN, read)
    except PermissionError:  # a file: it cannot be waited for, and is there at once
        take(Path(f"/dev/fd/{STDIN}").read_bytes() + b"\n")
    try:
        yield commands
    finally:
        loop.remove_reader(STDIN)


async def _obey(commands: asyncio.Queue[str], stand: Stand, say: _Printer) -> None:
    """Switch the faults that standard input asks for."""
    while True:
        command = await commands.get()
        if command == "help":
            say("faults", words=", ".join(fault_words()))
        elif command:
            try:
                stand.fault(command)
            except ValueError as error:
                say("error", text=str(error))
            else:
                say("fault", command=command)


async def _news(stand: Stand, say: _Printer) -> None:
    """Print what has happened since the last look."""
    told_lit = told_dimmed = told_passed = 0
    beacon = False
    while True:
        lit, dimmed, passed = stand.log.lit, stand.log.dimmed, stand.world.truth()
        if stand.beacon is not beacon:
            beacon = stand.beacon
            say("beacon", t_s=round(stand.world.t_s, 2), on=beacon)
        for dim in dimmed[told_dimmed:]:
            say("brightness", t_s=round(dim.t_s, 2), step=dim.step, light=round(dim.light, 2))
        for change in lit[told_lit:]:
            say("panel", t_s=round(change.t_s, 2), lit=change.text)
        for vehicle in passed[told_passed:]:
            say("vehicle", **_vehicle(vehicle, stand))
        told_lit, told_dimmed, told_passed = len(lit), len(dimmed), len(passed)
        await asyncio.sleep(LOOK_S)


def _vehicle(vehicle: Passed, stand: Stand) -> dict[str, Any]:
    test_car = {"drive": True} if vehicle.vehicle_id in stand.drives.ids else {}
    return {
        "t_s": round(vehicle.t_exit_s, 2),
        "direction": vehicle.direction.value,
        "kind": vehicle.kind.value,
        "speed_kmh": round(vehicle.mean_kmh, 1),
        **test_car,
    }
