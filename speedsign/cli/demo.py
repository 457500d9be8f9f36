"""speedsign demo: the whole sign on simulated hardware, in this terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from simulator.radars.catalogue import RADARS
from simulator.stand import Stand, Traffic
from speedsign.assemble import Pace, Sign
from speedsign.build import how_to_get
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.config.schema import (
    Config,
    DisplayConfig,
    LiveConfig,
    MqttConfig,
    RadarConfig,
    SignConfig,
    StoreConfig,
)
from speedsign.errors import StoreError, UsageError
from speedsign.model import VehicleRecord
from telemetry.query import read_counts, vehicles_since
from telemetry.statistics import compute

if TYPE_CHECKING:
    from rich.console import RenderableType

    from speedsign.cli.demo_screen import Scene

PACE = Pace(interval_s=60, close_after_s=6.0)  # an interval of 15 minutes would need patience
LOOK_S = 0.1
STARTS_WITHIN_S = 4.0  # what is only true while the sign starts is no fault
LEFT_BEFORE_S = 0.5
_EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the demo is to be."""

    radar: str
    limit_kmh: int
    seed: int
    seconds: float | None
    mqtt: MqttConfig | None
    quiet: bool  # no picture


@click.command(cls=SignCommand, example="speedsign demo --for 20 --json")
@click.option("--for", "seconds", type=click.FloatRange(min=1), help="End after so many seconds.")
@click.option("--radar", type=click.Choice(sorted(RADARS)), default="ops243", show_default=True)
@click.option("--limit", "limit_kmh", type=click.IntRange(20, 130), default=50, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same traffic.")
@click.option("--mqtt", "broker", metavar="HOST[:PORT]", help="Publish to this broker.")
@config_option
@json_option
def demo(
    config_path: Path,
    *,
    seconds: float | None,
    radar: str,
    limit_kmh: int,
    seed: int,
    broker: str | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Run the whole sign on simulated hardware; no config is needed.

    A simulated radar and panel sit at the other end of two serial lines (ptys); the sign between them is
    the real one. Nothing is sent anywhere unless a broker is named with --mqtt.
    """
    set_up_logging(debug=debug, level=logging.ERROR)
    wishes = Wishes(radar, limit_kmh, seed, seconds, _mqtt(broker), quiet=as_json or not sys.stdout.isatty())
    if not as_json:
        click.echo(f"broker {broker}" if broker else "no broker is named (--mqtt): nothing is sent")
    with tempfile.TemporaryDirectory(prefix="speedsign-demo-") as folder:
        result = asyncio.run(_Demo(wishes, Path(folder)).run())
    if as_json:
        print_json(result)
    else:
        click.echo("   ".join(f"{name} {value}" for name, value in result.items() if name != "faults"))
        for fault in result["faults"]:
            click.echo(f"fault: {fault}")
    if result["faults"]:
        sys.exit(EXIT_FAILED)


def _mqtt(broker: str | None) -> MqttConfig | None:
    if broker is None:
        return None
    try:
        where = urlsplit(f"//{broker}")
        host, port = where.hostname, where.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or not set(broker).isdisjoint("/@?#"):
        raise UsageError(f"--mqtt {broker}: write HOST or HOST:PORT, for example localhost:1883")
    # The traffic is made up and the broker named by hand: nothing there needs to be hidden from anybody.
    # Whoever listens need not be a hub, so the broker's word ends a message's stay.
    return MqttConfig(host=host, port=port or 1883, tls=False, allow_plain=True, retire_on="puback")


def _artist() -> Callable[[Scene], RenderableType] | None:
    """What draws the picture; None, with a word about it, where the extra is not installed."""
    try:
        from speedsign.cli.demo_screen import draw_scene
    except ModuleNotFoundError:
        click.echo(
            f"no picture: it needs rich: {how_to_get('demo', 'speedsign-report')}; Ctrl-C ends", err=True
        )
        return None
    return draw_scene


class _Demo:
    """The stand and the sign, side by side on one loop, joined by nothing but the two lines."""

    def __init__(self, wishes: Wishes, folder: Path) -> None:
        self.wishes, self.folder = wishes, folder
        self.stand = Stand.on_ptys(
            folder,
            radar=wishes.radar,
            seed=wishes.seed,
            traffic=Traffic(limit_kmh=wishes.limit_kmh, until_s=self._last_exit_s()),
        )
        self.sign = Sign(self._config(), pace=PACE)
        self.vehicles: list[VehicleRecord] = []
        self._last_id = 0
        self._faults: dict[str, None] = {}  # in the order of their coming
        self._began_s = 0.0

    def _last_exit_s(self) -> float | None:
        """The last vehicle has left before the end; the sign counts it when it stops at the latest."""
        return None if self.wishes.seconds is None else self.wishes.seconds - LEFT_BEFORE_S

    def _config(self) -> Config:
        wishes = self.wishes
        return Config(
            sign=SignConfig(id="demo", limit_kmh=wishes.limit_kmh, site="the demo road"),
            radar=RadarConfig(driver=wishes.radar, port=str(self.folder / "radar")),
            display=DisplayConfig(driver="dm56a04", port=str(self.folder / "panel")),
            store=StoreConfig(path=self.folder / "demo.db"),
            mqtt=wishes.mqtt,
            live=LiveConfig(on=False),  # whoever looks at the sign of this machine means another one
        )

    async def run(self) -> dict[str, Any]:
        """The contract's object, when the time is over or someone has seen enough."""
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        enough = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, enough.set)
        async with self.stand:
            world = asyncio.create_task(self.stand.run())
            sign = asyncio.create_task(self.sign.run())
            with self._screen() as show:
                await self._watch(enough, show, sign)
            seconds = loop.time() - self._began_s
            sign.cancel()
            await asyncio.gather(sign, return_exceptions=True)
            world.cancel()
            await asyncio.gather(world, return_exceptions=True)
            return self._result(seconds)

    async def _watch(self, enough: asyncio.Event, show: Callable[[], None], sign: asyncio.Task[None]) -> None:
        ends_s = None if self.wishes.seconds is None else self._began_s + self.wishes.seconds
        loop = asyncio.get_running_loop()
        while not enough.is_set() and (ends_s is None or loop.time() < ends_s) and not sign.done():
            self._look()
            show()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await enough.wait()
        self._note_faults()
        if sign.done():
            sign.result()

    def _note_faults(self) -> None:
        self._faults.update(dict.fromkeys(self._wrong()))

    def _wrong(self) -> list[str]:
        """What is wrong with the sign now; that nobody listens to a demo is not."""
        return [fault.text for fault in self.sign.daemon.faults() if fault.code != "nobody_listens"]

    def _look(self) -> None:
        """Note what is wrong, and the vehicles that came since the last look."""
        if asyncio.get_running_loop().time() - self._began_s > STARTS_WITHIN_S:
            self._note_faults()
        database = self.folder / "demo.db"
        if not database.exists() or self.sign.recorder.health().get("done", 1) == 0:
            return
        with contextlib.suppress(StoreError):  # it is just being made: next time
            for number, record in vehicles_since(database, self._last_id):
                self._last_id = number
                self.vehicles.insert(0, record)

    @contextlib.contextmanager
    def _screen(self) -> Iterator[Callable[[], None]]:
        draw_scene = None if self.wishes.quiet else _artist()
        if draw_scene is None:
            yield lambda: None
            return
        from rich.live import Live

        with Live(screen=False, auto_refresh=False, transient=False) as live:
            yield lambda: live.update(draw_scene(self._scene()), refresh=True)

    def _scene(self) -> Scene:
        from speedsign.cli.demo_screen import Scene

        return Scene(
            stand=self.stand,
            limit_kmh=self.wishes.limit_kmh,
            vehicles=self.vehicles,
            counted=len(self.vehicles),
            passed=len(self.stand.world.truth()),
            faults=self._wrong(),
            statistics=self._statistics(),
            broker="no broker" if self.wishes.mqtt is None else f"MQTT messages {self._messages()}",
        )

    def _statistics(self) -> str:
        counts: dict[int, int] = {}
        for record in self.vehicles:
            speed = int(record.vehicle.speed_kmh + 0.5)
            counts[speed] = counts.get(speed, 0) + 1
        found = compute(counts, self.wishes.limit_kmh)
        if found.mean_kmh is None or found.over_limit_share is None:
            return "no vehicle yet"
        v85 = found.percentiles_kmh[85]
        return f"mean {found.mean_kmh:.1f}   V85 {v85:.1f} km/h   over the limit {found.over_limit_share:.0%}"

    def _messages(self) -> int:
        telemetry = self.sign.telemetry
        return telemetry.health().get("acknowledged", 0) if telemetry else 0

    def _result(self, seconds: float) -> dict[str, Any]:
        merged = read_counts(self.folder / "demo.db", *_EVER)
        return {
            "seconds": round(seconds, 1),
            "vehicles_passed": len(self.stand.world.truth()),
            "vehicles_counted": sum(merged.counts["both"].values()),
            "display_writes": self.stand.display_writes,
            "mqtt_messages": self._messages(),
            "faults": list(self._faults),
        }
