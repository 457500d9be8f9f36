"""speedsign dump: everything that helps to find a fault, in one file, without secrets and people."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from speedsign import __version__
from speedsign.cli.common import SignCommand, config_option, json_option, print_json, set_up_logging
from speedsign.cli.doctor import Interrupted
from speedsign.cli.doctor_patient import Options, Patient, admit
from speedsign.cli.dump_capture import capture_of
from speedsign.cli.dump_kept import refuse_what_the_sign_needs
from speedsign.cli.dump_pack import Pack, refuse_what_is_there, write_new
from speedsign.cli.dump_parts import (
    calibration_part,
    config_part,
    doctor_part,
    kernel_part,
    log_part,
    machine_part,
    records_of,
    redactor_for,
    sign_part,
    store_part,
)
from speedsign.cli.field import NumberRange
from speedsign.clock import SystemClock
from speedsign.config.tables import mended
from speedsign.errors import UsageError

_TO_STDOUT = "-"


@click.command(cls=SignCommand, example="speedsign dump --out report.tar.gz")
@click.option("--out", "out_name", metavar="FILE", help="A new file, a folder, or - for the standard output.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.option("--lines", "n_lines", type=click.IntRange(0, 20_000), default=1000, show_default=True,
              help="So many of the log's last lines.")  # fmt: skip
@click.option("--capture", "seconds", type=NumberRange(1, 600), metavar="SECONDS",
              help="Record the radar for so long, with the sign stopped.")  # fmt: skip
@click.option("--offline", is_flag=True, help="Leave the network alone.")
@click.option(
    "--service", metavar="NAME", default="speedsign", show_default=True, help="The systemd service."
)
@config_option
@json_option
def dump(
    config_path: Path,
    *,
    out_name: str | None,
    force: bool,
    n_lines: int,
    seconds: float | None,
    offline: bool,
    service: str,
    debug: bool,
    as_json: bool,
) -> None:
    """Make a bug report: one file, at most 5 MB, with nothing in it that is secret or about people.

    In it are what doctor says, the config, counters, calibrations, the log and the machine; taken out are
    passwords, keys, names, places and addresses. manifest.json lists all. Nothing is sent anywhere, and
    nothing on the sign is changed.
    """
    set_up_logging(debug=debug, level=60)
    clock = SystemClock()
    to_stdout = out_name == _TO_STDOUT
    if to_stdout and as_json:
        raise UsageError("--json prints the list of what is in the file; name a file with --out")
    if to_stdout and sys.stdout.isatty():
        raise UsageError("a terminal shows no archive; say --out FILE, or pipe it on")
    try:
        patient = admit(config_path, clock, Options(service, offline))
        now = clock.now_utc()
        name = f"speedsign-dump-{_id_of(patient)}-{now:%Y%m%d-%H%M}"
        target = None if to_stdout else _target(out_name, f"{name}.tar.gz", force=force)
        if target is not None:
            refuse_what_the_sign_needs(target, patient)
        pack = packed(patient, n_lines, seconds)
    except KeyboardInterrupt:
        raise Interrupted("stopped; no file was written") from None
    head = {"made_by": f"speedsign {__version__}", "at": now.isoformat(timespec="seconds"), "id": name}
    manifest = pack.manifest(head)
    out = io.BytesIO()
    pack.write(out, name, manifest, int(now.timestamp()))
    if target is None:
        sys.stdout.buffer.write(out.getvalue())
        return
    write_new(target, out.getvalue(), replace=force)
    if as_json:
        print_json({"file": str(target), "bytes": len(out.getvalue()), **manifest})
        return
    click.echo(f"{target}: {len(out.getvalue()):,} bytes; look through it before you hand it on")


def _id_of(patient: Patient) -> str:
    """The sign's, where it is one."""
    config = patient.tables.whole
    return config.sign.id if config else "sign"


def _target(out_name: str | None, usual: str, *, force: bool) -> Path:
    """Where it goes; refused before anything is looked at."""
    path = Path(usual if out_name is None else out_name)
    if path.is_dir():
        path /= usual
    refuse_what_is_there(path, replace=force)
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} does not exist; create it or name another folder with --out")
    return path


def packed(patient: Patient, n_lines: int, seconds: float | None) -> Pack:
    """Every part, redacted."""
    captured = None if seconds is None else capture_of(patient, seconds)
    raw, records = mended(patient.config_path), records_of(patient)
    pack = Pack(redactor_for(patient, raw, records))
    pack.add_json("doctor.json", "what speedsign doctor says", doctor_part(patient))
    pack.add_json("config.json", "the config without comments, places and people", config_part(patient, raw))
    pack.add_json("store.json", "the database: counts of rows, no vehicle", store_part(patient))
    pack.add_json("sign.json", "faults and counters of the running sign", sign_part(patient))
    pack.add_json("calibrations.json", "calibrations without who and where", calibration_part(records))
    pack.add_json("machine.json", "versions, board, devices that are plugged in", machine_part(patient))
    pack.add_text("log.txt", "the last lines of the service's log", log_part(patient, n_lines))
    pack.add_text("kernel.txt", "the kernel about ports, cards and supply", kernel_part())
    if captured is not None:
        pack.add_bytes("capture.jsonl", "what the radar said; for speedsign replay", captured)
    return pack
