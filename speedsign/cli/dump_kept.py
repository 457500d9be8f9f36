"""What a bug report must never be written over, though somebody says --force."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from speedsign.cli.doctor_patient import Patient
from speedsign.cli.whole_file import refuse_database
from speedsign.config.tables import mended
from speedsign.errors import UsageError
from telemetry.ballast import ballast_path
from telemetry.calibration import log_path
from telemetry.wipe import files_of_store

_KEYS = ("password_file", "key_file", "certificate_file", "ca_file")


def refuse_what_the_sign_needs(target: Path, patient: Patient) -> None:
    """UsageError where `target` is, by any name, the config, a part of the store, a secret or the socket."""
    refuse_database(target, patient.tables.store.path)
    for what, own in _own(patient):
        if _same(target, own):
            raise UsageError(f"{target} is {what}; name another file with --out")


def _own(patient: Patient) -> Iterator[tuple[str, Path]]:
    config, store = patient.config_path, patient.tables.store.path
    yield "the config of the sign", config
    yield "the draft of speedsign commission", config.with_name(f"{config.name}.draft")
    for one in (log_path(store), ballast_path(store), *files_of_store(store)):
        yield f"kept with the database {store}", one
    yield "the socket of the running sign", patient.tables.live.socket
    raw = mended(config).tables  # also of a table that is wrong otherwise
    mqtt = raw.get("mqtt")
    for key in _KEYS:
        name = mqtt.get(key) if isinstance(mqtt, dict) else None
        if isinstance(name, str) and name:
            yield f"what [mqtt] {key} names", Path(name)
    for table in ("radar", "display"):
        port = raw[table].get("port") if isinstance(raw.get(table), dict) else None
        if isinstance(port, str) and "://" not in port:
            yield f"the port of [{table}]", Path(port)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.realpath(one) == os.path.realpath(other) or one.samefile(other)
    except (OSError, ValueError):
        return False
