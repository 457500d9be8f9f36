"""speedsign replay: a recorded capture through the same driver and tracker as the live sign."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from speedsign.capture import CaptureHeader, CaptureReader, open_capture
from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.config.load import load_config
from speedsign.config.wanted import tracking_params
from speedsign.errors import CaptureError, DriverError, UsageError
from speedsign.model import Vehicle
from speedsign.ports import Decoder
from speedsign.replay import Replay, decoder_for
from speedsign.replay import replay as run_replay
from speedsign.tracking import VERSION, TrackingParams

COLUMNS = (
    "t_first_s", "t_last_s", "direction", "speed_kmh", "entry_kmh", "exit_kmh", "max_kmh", "readings",
    "strength", "flags",
)  # fmt: skip


@click.command(cls=SignCommand, example="speedsign replay --csv capture.jsonl > vehicles.csv")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="Print a header row and one row a vehicle.")
@click.option(
    "--angle",
    "angle_deg",
    type=click.FloatRange(0, 60),
    help="Mounting angle in degrees, instead of the one that the capture's header names (else 0).",
)
@config_option
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    capture: Path,
    config_path: Path,
    *,
    as_csv: bool,
    angle_deg: float | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Print the vehicles of a recorded CAPTURE.

    No config is needed: the capture's header names the radar. A config that is named (--config or
    SPEEDSIGN_CONFIG) brings its [tracking] and its direction. Times are seconds since the capture's start.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json are two forms of the same answer; ask for one")
    params, inverted = TrackingParams(), False
    if ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT:
        params, inverted = _from_config(config_path)
    with open_capture(capture) as lines:
        reader = CaptureReader(lines, str(capture))
        angle = reader.header.mounting_angle_deg if angle_deg is None else angle_deg
        result = Replay()
        vehicles = list(
            run_replay(
                reader,
                _decoder(reader.header, capture),
                replace(params, mounting_angle_deg=angle),
                result,
                invert_direction=inverted,
            )
        )
    if reader.cut_short:
        click.echo(f"{capture}: the last line is cut short and was left out", err=True)
    for reason, n in result.rejected.items():
        click.echo(f"{capture}: {n} reports were not believed: {reason}", err=True)
    if as_csv:
        click.echo(to_csv(vehicles), nl=False)
    elif as_json:
        print_json(_to_json(reader.header, result, vehicles))
    else:
        _print_table(reader.header, result, vehicles)


def _decoder(header: CaptureHeader, path: Path) -> Decoder:
    try:
        return decoder_for(header)
    except (CaptureError, DriverError) as error:
        raise CaptureError(f"{path}:1: {error}") from None


def _from_config(path: Path) -> tuple[TrackingParams, bool]:
    config = load_config(path)
    return tracking_params(config.tracking), config.radar.invert_direction


def row(vehicle: Vehicle) -> dict[str, object]:
    """A vehicle as it is printed; times in seconds since the start."""
    return {
        "t_first_s": round(vehicle.t_first_mono_s, 3),
        "t_last_s": round(vehicle.t_last_mono_s, 3),
        "direction": vehicle.direction.value,
        "speed_kmh": round(vehicle.speed_kmh, 2),
        "entry_kmh": round(vehicle.entry_kmh, 2),
        "exit_kmh": round(vehicle.exit_kmh, 2),
        "max_kmh": round(vehicle.max_kmh, 2),
        "readings": vehicle.readings,
        "strength": None if vehicle.strength is None else round(vehicle.strength, 2),
        "flags": " ".join(vehicle.flags),
    }


def to_csv(vehicles: Iterable[Vehicle]) -> str:
    """One row a vehicle, with a header row; times in seconds since the capture's start."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(vehicle) for vehicle in vehicles)
    return out.getvalue()


def _to_json(header: CaptureHeader, result: Replay, vehicles: list[Vehicle]) -> dict[str, object]:
    return {
        "radar": header.radar,
        "profile": header.profile,
        "tracker": VERSION,
        "seconds": round(result.last_s, 3),
        "readings": result.readings,
        "decoder": result.decoder.values,
        "rejected": result.tracker.values,
        "vehicles": [row(vehicle) for vehicle in vehicles],
    }


def _print_table(header: CaptureHeader, result: Replay, vehicles: list[Vehicle]) -> None:
    click.echo(f"{'from s':>9} {'to s':>9}  {'direction':<11} {'km/h':>6} {'entry':>6} {'exit':>6}    n")
    for vehicle in vehicles:
        times = f"{vehicle.t_first_mono_s:9.2f} {vehicle.t_last_mono_s:9.2f}"
        speeds = f"{vehicle.speed_kmh:6.1f} {vehicle.entry_kmh:6.1f} {vehicle.exit_kmh:6.1f}"
        click.echo(f"{times}  {vehicle.direction:<11} {speeds} {vehicle.readings:5d}")
    n = f"{len(vehicles)} vehicle{'' if len(vehicles) == 1 else 's'}"
    click.echo(f"{header.radar}: {n} from {result.readings} readings in {result.last_s:.0f} s")
