"""speedsign radar capture: records what a radar says, to be replayed anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import click

from drivers.radar.setup import SettingResult
from speedsign import __version__
from speedsign.capture import CaptureWriter
from speedsign.cli.believed import believed
from speedsign.cli.common import SignCommand, config_option, json_option, print_json, set_up_logging
from speedsign.cli.field import stable_name
from speedsign.cli.radar_line import Chosen, chosen, radar_options, run_set_up
from speedsign.cli.radar_listen import header_of, listen
from speedsign.cli.replay import row
from speedsign.clock import SystemClock
from speedsign.errors import CaptureError, NoReply, UsageError
from speedsign.model import RadarEvent, Vehicle
from speedsign.replay import Replay

log = logging.getLogger(__name__)

_FIRMWARE = ("version", "firmware", "no.")  # how radars call it, in the order in which they are believed


@click.command(
    cls=SignCommand,
    example="speedsign radar capture monday.jsonl --port /dev/ttyUSB0 --driver ld2415h --for 600",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.option("--setup", is_flag=True, help="Set the radar up first, as the sign would.")
@click.option("--listen-only", is_flag=True, help="Ask nothing; only a radar that must be polled is.")
@click.option("--note", help="What helps later: the place, the mounting, the weather.")
@radar_options
@config_option
@json_option
@click.pass_context
def capture(
    ctx: click.Context,
    config_path: Path,
    *,
    file: Path,
    port: str | None,
    driver: str | None,
    profile: str | None,
    baud: int | None,
    unit: str | None,
    seconds: float | None,
    setup: bool,
    listen_only: bool,
    note: str | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Record what a radar says into FILE until Ctrl-C, chunk by chunk, as it arrives.

    Each line is written at once, so that a power cut costs the last one. Play it with: speedsign replay
    FILE. A file that is there already is never replaced. Exit code 1 when no byte arrived.
    """
    set_up_logging(debug=debug)
    if setup and listen_only:
        raise UsageError("--setup writes to the radar and --listen-only does not; choose one")
    choice = chosen(ctx, config_path, port=port, driver=driver, profile=profile, baud=baud, unit=unit)
    if file.exists():
        raise CaptureError(f"{file}: is there already; name another file")
    if setup and choice.unit is None:
        choice = choice.vouched()
    recording = _Recording(file, choice, {"notes": note} if note else {})
    result = Replay()
    try:
        with recording:
            asyncio.run(_record(choice, recording, result, seconds, setup=setup, may_ask=not listen_only))
    finally:
        if recording.is_written:
            _say_what_there_is(recording, result, as_json=as_json)
    if recording.n_bytes == 0:
        raise NoReply(choice.radar.port, "not a byte arrived; check its power and its wires")


async def _record(
    choice: Chosen,
    recording: _Recording,
    result: Replay,
    seconds: float | None,
    *,
    setup: bool,
    may_ask: bool,
) -> None:
    if setup:
        report = await run_set_up(choice, log_result)
        if not report.ok:
            raise NoReply(choice.radar.port, f"not set up ({report.failed_text}); nothing was recorded")
    may_ask = may_ask and choice.radar.setup
    clock = SystemClock()
    recording.started(clock.now_utc().strftime("%Y-%m-%dT%H:%M:%SZ"), trusted=believed(clock).trusted())
    await listen(choice, recording, clock, seconds, may_ask=may_ask, result=result, looks=False)


def _say_what_there_is(recording: _Recording, result: Replay, *, as_json: bool) -> None:
    facts = {
        "file": str(recording.path),
        "seconds": result.last_s,
        "chunks": recording.n_chunks,
        "bytes": recording.n_bytes,
        "readings": result.readings,
        "vehicles": recording.passed,
        "decoder": result.decoder.values,
    }
    if as_json:
        print_json(facts)
        return
    click.echo(
        f"{recording.path}: {recording.n_chunks} chunks, {recording.n_bytes} bytes,"
        f" {result.readings} readings in {result.last_s:.0f} s, vehicles: {len(recording.passed)}"
    )


class _Recording:
    """The file. What is heard before the radar has introduced itself waits for the header."""

    def __init__(self, path: Path, choice: Chosen, extra: dict[str, object]) -> None:
        self.path = path
        self.n_chunks = self.n_bytes = 0
        self.passed: list[dict[str, object]] = []
        self._choice, self._extra = choice, extra
        self._started = ""
        self._waiting: list[tuple[float, bytes]] = []
        self._file: IO[str] | None = None
        self._writer: CaptureWriter | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        if self._waiting and self._writer is None:  # the port was lost, or it was stopped, before
            self.introduced({})
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk has already been told
                self._file.close()

    @property
    def is_written(self) -> bool:
        return self._writer is not None

    def started(self, at: str, *, trusted: bool) -> None:
        self._started = at
        if not trusted:
            self._extra["clock"] = "not synchronised"

    def introduced(self, said: dict[str, str]) -> None:
        """The header first, then what has been heard meanwhile."""
        self._extra |= {"port": stable_name(self._choice.radar.port), "software": __version__}
        if self._choice.site:
            self._extra["site"] = self._choice.site
        if said:
            self._extra["says"] = said
        if firmware := _firmware(said):
            self._extra["firmware"] = firmware
        try:
            self._file = self.path.open("x", encoding="utf-8")
        except OSError as error:
            raise CaptureError(f"{self.path}: cannot be made: {error.strerror}") from None
        self._writer = CaptureWriter(self._file, header_of(self._choice, self._started, self._extra), 0.0)
        for t_s, data in self._waiting:
            self._writer.add(data, t_s)
        self._waiting.clear()

    def chunk(self, t_s: float, data: bytes, _events: Sequence[RadarEvent]) -> None:
        self.n_chunks += 1
        self.n_bytes += len(data)
        if self._writer is None:
            self._waiting.append((t_s, data))
        else:
            self._writer.add(data, t_s)

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        self.passed += [row(vehicle) for vehicle in found]


def log_result(result: SettingResult) -> None:
    """With --debug: `speedsign radar setup` is there to show it."""
    log.debug("%s", result)


def _firmware(said: dict[str, str]) -> str | None:
    for word in _FIRMWARE:
        for key, value in said.items():
            if word in key.lower():
                return value
    return None
