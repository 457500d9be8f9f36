"""speedsign watch: what the sign hears, follows and shows, as it happens, in a terminal of any size."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.field import told_to_stop
from speedsign.cli.hearing import Source, source_of
from speedsign.cli.radar_line import radar_options
from speedsign.cli.watch_model import Model
from speedsign.cli.watch_paint import Painter, screen_of, send, size_of
from speedsign.cli.watch_plain import JsonLines, WordLines, summary
from speedsign.cli.watch_screen import draw
from speedsign.cli.watch_source import lines_from
from speedsign.clock import SystemClock
from speedsign.errors import UsageError

MOST_HZ = 4.0
_ENDS = (b"q", b"Q", b"\x04")  # and Ctrl-C


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it is to be seen, and for how long."""

    hz: float
    seconds: float | None
    set_up: bool


@click.command(cls=SignCommand, example="speedsign watch")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.option(
    "--hz",
    type=click.FloatRange(0.2, MOST_HZ),
    default=MOST_HZ,
    show_default=True,
    help="Redraw so often a second at most; less for a slow link.",
)
@click.option("--plain", is_flag=True, help="A line for each event instead of a screen.")
@click.option("--setup", is_flag=True, help="Of a radar heard here: set it up first, as the sign would.")
@radar_options
@config_option
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    config_path: Path,
    *,
    port: str | None,
    driver: str | None,
    profile: str | None,
    baud: int | None,
    unit: str | None,
    seconds: float | None,
    hz: float,
    plain: bool,
    setup: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Watch the running sign: what is shown and why, who is in sight, readings, what is rejected and why.

    Nothing is changed, and the sign does not wait. Without a running sign, or with --port and --driver, the
    radar is heard at its own port; the panel is not looked at then. q or Ctrl-C ends it. Where the output is
    no terminal each event is a line; --json gives the sign's own lines (docs/integrator.md).
    """
    set_up_logging(debug=debug)
    if plain and as_json:
        raise UsageError("--plain and --json are two forms of the same lines; choose one")
    source = source_of(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
    if setup and source.socket is not None:
        raise UsageError(
            "the running sign has the radar, and set it up; --setup goes with --port and --driver"
        )
    model = Model(own_radar="" if source.socket else source.choice.radar.port)
    wishes = Wishes(hz, seconds, setup)
    if as_json:
        asyncio.run(_print(source, model, JsonLines(), wishes))
    elif plain or not _is_screen(sys.stdout):
        asyncio.run(_print(source, model, WordLines(model), wishes))
    else:
        asyncio.run(_show(source, model, wishes))


def _is_screen(out: TextIO) -> bool:
    return out.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


async def _print(source: Source, model: Model, lines: JsonLines | WordLines, wishes: Wishes) -> None:
    clock = SystemClock()
    began_s = clock.monotonic()

    def take(line: dict[str, object]) -> None:
        model.take(line)
        lines.take(line)
        sys.stdout.flush()

    try:
        with told_to_stop(hang_up=True) as stop:
            await _follow(source, take, stop, wishes)
    finally:
        now_s = clock.monotonic()
        lines.end(model, now_s - began_s, now_s)


async def _follow(
    source: Source, take: Callable[[dict[str, object]], None], stop: asyncio.Event, wishes: Wishes
) -> None:
    """Every line to `take`, until the time is over or `stop`; raises what the source ends with."""

    async def read() -> None:
        async with contextlib.aclosing(lines_from(source, SystemClock(), stop, set_up=wishes.set_up)) as told:
            async for line in told:
                take(line)

    reading, stopping = asyncio.create_task(read()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({reading, stopping}, timeout=wishes.seconds, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
    finally:
        for task in (reading, stopping):
            task.cancel()
        await asyncio.wait({reading, stopping})


# --------------------------------------------------------------------------- the screen


async def _show(source: Source, model: Model, wishes: Wishes) -> None:
    clock, out = SystemClock(), sys.stdout
    began_s = clock.monotonic()
    keys = sys.stdin if sys.stdin.isatty() else None
    painter = Painter(colour="NO_COLOR" not in os.environ)
    with told_to_stop(hang_up=True) as stop, screen_of(out, keys), _terminal_events(painter, keys, stop):
        drawing = asyncio.create_task(_redraw(model, painter, out, 1.0 / wishes.hz))
        drawing.add_done_callback(lambda _task: stop.set())
        try:
            await _follow(source, model.take, stop, wishes)
        finally:
            drawing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await drawing
    click.echo(summary(model, clock.monotonic() - began_s))


async def _redraw(model: Model, painter: Painter, out: TextIO, every_s: float) -> None:
    """Until cancelled, or until the terminal is gone."""
    with contextlib.suppress(OSError):
        while True:
            if text := painter.paint(draw(model, *size_of(out))):
                send(out, text)
            await asyncio.sleep(every_s)


@contextlib.contextmanager
def _terminal_events(painter: Painter, keys: TextIO | None, stop: asyncio.Event) -> Iterator[None]:
    """A key that ends it, and another size of the window."""
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        assert keys is not None  # noqa: S101  it is listened to
        try:
            data = os.read(keys.fileno(), 64)
        except OSError:
            data = b""
        if not data or any(key in data for key in _ENDS):
            stop.set()

    loop.add_signal_handler(signal.SIGWINCH, painter.forget)
    if keys is not None:
        loop.add_reader(keys.fileno(), pressed)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        if keys is not None:
            loop.remove_reader(keys.fileno())
