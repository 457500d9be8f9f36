"""speedsign radar watch: what a radar says, as it says it, and the vehicles that the sign makes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.radar_line import Chosen, chosen, radar_options, run_set_up, say_result
from speedsign.cli.radar_listen import listen
from speedsign.cli.replay import row
from speedsign.clock import SystemClock
from speedsign.errors import NoReply, UsageError
from speedsign.model import RadarEvent, Reading, Rejected, Reply, Restarted, Vehicle
from speedsign.replay import Replay


@click.command(cls=SignCommand, example="speedsign radar watch --port /dev/ttyUSB0 --driver ld2415h --for 60")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.option("--setup", is_flag=True, help="Set the radar up first, as the sign would.")
@click.option("--listen-only", is_flag=True, help="Ask nothing; only a radar that must be polled is.")
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
    setup: bool,
    listen_only: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Show what a radar says until Ctrl-C: readings, what is rejected and why, vehicles; counters at the end.

    Nothing is stored or shown on the panel. Without --unit or a config each line is believed, else what the
    radar says it is set to. Exit code 1 when nothing came that makes sense.
    """
    set_up_logging(debug=debug)
    if setup and listen_only:
        raise UsageError("--setup writes to the radar and --listen-only does not; choose one")
    choice = chosen(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
    show = _Json() if as_json else _Words()
    result = Replay()
    try:
        asyncio.run(_watch(choice, show, result, seconds, setup=setup, may_ask=not listen_only))
    finally:
        show.end(result)
    counters = result.decoder
    if counters.get("frames") == 0 and show.understood == 0:
        said = "nothing was heard; check its power and its wires"
        if counters.get("bytes"):
            said = "bytes come that make no sense; try: speedsign radar detect"
        raise NoReply(choice.radar.port, said)


async def _watch(
    choice: Chosen, show: _Show, result: Replay, seconds: float | None, *, setup: bool, may_ask: bool
) -> None:
    if setup:
        await run_set_up(choice, say_result if isinstance(show, _Words) else lambda _result: None)
    may_ask = may_ask and choice.radar.setup
    await listen(choice, show, SystemClock(), seconds, may_ask=may_ask, result=result)


class _Show:
    """Tells of each thing as it comes; `understood` counts them."""

    def __init__(self) -> None:
        self.understood = 0
        self._vehicles = 0

    def chunk(self, t_s: float, data: bytes, events: Sequence[RadarEvent]) -> None:
        self.understood += len(events)
        for event in events:
            if isinstance(event, Reading):
                self.tell(t_s, "reading", _reading(event))
            elif isinstance(event, Rejected):
                self.tell(t_s, "rejected", {"reason": event.reason})
            elif isinstance(event, Reply):
                self.tell(t_s, "reply", dict(event.values))
            elif isinstance(event, Restarted):
                self.tell(t_s, "restarted", {"text": event.text})

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        for vehicle in found:
            self._vehicles += 1
            self.tell(vehicle.t_last_mono_s, "vehicle", row(vehicle))

    def introduced(self, said: dict[str, str]) -> None:
        """Each answer has been told when it came."""

    def tell(self, t_s: float, what: str, facts: Mapping[str, object]) -> None:
        raise NotImplementedError

    def end(self, result: Replay) -> None:
        raise NotImplementedError

    def totals(self, result: Replay) -> dict[str, object]:
        """What there was in all."""
        return {
            "seconds": result.last_s,
            "readings": result.readings,
            "vehicles": self._vehicles,
            "decoder": result.decoder.values,
            "tracker": result.tracker.values,
            "rejected": result.rejected,
        }


class _Json(_Show):
    def tell(self, t_s: float, what: str, facts: Mapping[str, object]) -> None:
        click.echo(json.dumps({"event": what, "t_s": round(t_s, 3), **facts}))

    def end(self, result: Replay) -> None:
        click.echo(json.dumps({"event": "end", **self.totals(result)}))


class _Words(_Show):
    def tell(self, t_s: float, what: str, facts: Mapping[str, object]) -> None:
        if what == "vehicle":
            text = (
                f"{facts['direction']:<11} {facts['speed_kmh']:6.1f} km/h  entry {facts['entry_kmh']:.1f}"
                f"  exit {facts['exit_kmh']:.1f}  {facts['readings']} readings"
            )
        elif what == "reading":
            text = f"{facts['direction']:<11} {facts['speed_kmh']:6.1f} km/h" + "".join(
                f"  {name} {facts[key]}"
                for name, key in (("strength", "strength"), ("range m", "range_m"), ("rank", "rank"))
                if facts[key] not in (None, 0)
            )
        else:
            text = ", ".join(str(one) if key in _BARE else f"{key} {one}" for key, one in facts.items())
        click.echo(f"{t_s:9.2f}  {what:<9} {text}")

    def end(self, result: Replay) -> None:
        click.echo(f"{result.readings} readings in {result.last_s:.0f} s, vehicles: {self._vehicles}")
        click.echo("counters: " + ", ".join(f"{key} {n}" for key, n in result.decoder.values.items()))


_BARE = ("reason", "text")


def _reading(event: Reading) -> dict[str, object]:
    return {
        "direction": event.direction.value,
        "speed_kmh": round(event.speed_kmh, 2),
        "strength": None if event.strength is None else round(event.strength, 2),
        "range_m": None if event.range_m is None else round(event.range_m, 2),
        "rank": event.rank,
    }
