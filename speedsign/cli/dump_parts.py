"""What goes into a bug report: gathered here, redacted before anything is written."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
import platform
import socket
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from speedsign import __version__
from speedsign.calibration.record import Calibration
from speedsign.cli.doctor_looks import looks
from speedsign.cli.doctor_network import state_of
from speedsign.cli.doctor_patient import Patient, ask, board_of
from speedsign.cli.doctor_store import store_facts
from speedsign.config.tables import Mended
from speedsign.doctor.files import lines, names, text
from speedsign.doctor.finding import Finding
from speedsign.doctor.plan import examine
from speedsign.doctor.redact import Redactor
from speedsign.doctor.redact_config import REMOVED, private_words, redacted, safe_problem, wrong_texts
from speedsign.errors import PortError, StoreError
from telemetry.calibration import merged
from telemetry.calibration.log import Log, read_log
from telemetry.calibration.table import bodies
from telemetry.looking import looking

KERNEL_WORDS = (
    "tty",
    "usb",
    "mmc",
    "voltage",
    "throttl",
    "ext4",
    "i/o error",
    "oom",
    "out of memory",
    "watchdog",
)
KERNEL_LINES = 400
_SECRET_FILES = ("password_file", "key_file")
_MOST_SECRET = 65_536
_LEAST_VALUE = 4
_LOG_S = 20.0


def redactor_for(patient: Patient, raw: Mended, records: Sequence[Calibration]) -> Redactor:
    """Knows the secrets that this user may read, and the words of people and places."""
    private = private_words(raw.tables) | dict.fromkeys(wrong_texts(patient.tables.problems), REMOVED)
    for record in records:
        private |= {record.by: "(who)", record.note: "(note)", record.site: "(site)"}
    for user in (_user(), os.environ.get("SUDO_USER", "")):
        private[user] = "(user)"
    host = socket.gethostname()
    sign = patient.tables.sign
    if sign is None or host != sign.id:
        private[host] = "(host)"
    return Redactor([*_secrets(raw.tables), *_values_of(raw.lost)], private)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _values_of(lost: Sequence[str]) -> list[str]:
    """What stands behind the key in lines that are no TOML: nobody knows what it is."""
    values = [line.partition("=")[2].strip().strip("\"'") for line in lost if "=" in line]
    return [value for value in values if len(value) >= _LEAST_VALUE]


def _secrets(raw: Mapping[str, Any]) -> list[str]:
    """Every line of the files that hold secrets, whatever else is wrong with the table that names them."""
    mqtt = raw.get("mqtt")
    found: list[str] = []
    for key in _SECRET_FILES:
        path = mqtt.get(key) if isinstance(mqtt, dict) else None
        said = text(Path(path), _MOST_SECRET) if isinstance(path, str) else None
        found += [line for line in (said or "").splitlines() if line.strip() and not line.startswith("-----")]
    return found


# --------------------------------------------------------------------------- the parts


def doctor_part(patient: Patient) -> list[dict[str, object]]:
    findings = [one for group in examine(looks(patient), patient.clock) for one in group]
    return [_safe(one) for one in findings]


def _safe(one: Finding) -> dict[str, object]:
    told = one.as_json()
    return told | {"what": safe_problem(one.what)} if one.topic == "config" else told


def config_part(patient: Patient, raw: Mended) -> dict[str, Any]:
    tables = patient.tables
    if not raw.whole:
        return {"config": None, "problems": [safe_problem(one) for one in tables.problems]}
    wrong = tables.wrong if tables.whole is None else frozenset()
    return {"config": redacted(raw.tables, wrong), "problems": [safe_problem(one) for one in tables.problems]}


def store_part(patient: Patient) -> dict[str, object]:
    """Counts alone: no vehicle."""
    facts = store_facts(patient)
    return {
        "path": str(facts.path),
        "there": facts.there,
        "problem": facts.problem,
        "forbidden": facts.forbidden,
        "schema": facts.schema,
        "check": facts.check,
        "rows": dict(facts.tables),
        "size_bytes": facts.size_bytes,
        "wal_bytes": facts.wal_bytes,
        "damaged": list(facts.damaged),
        "open_intervals": facts.open_intervals,
        "queue": facts.queue,
        "queue_bytes": facts.queue_bytes,
        "dropped": facts.dropped,
    }


def sign_part(patient: Patient) -> dict[str, object]:
    """Faults and counters of a running sign, in its own words."""
    if patient.socket is None:
        return {"runs": patient.runs, "why_not_asked": patient.mute}
    try:
        state = asyncio.run(state_of(patient.socket))
    except (PortError, OSError) as error:
        return {"runs": True, "why_not_asked": str(error)}
    return {"runs": True, "state": state}


def calibration_part(records: Sequence[Calibration]) -> list[dict[str, object]]:
    """What was measured, without who, where and what somebody had to say."""
    return [
        {
            "kind": one.kind.value,
            "at": one.at_utc.isoformat(),
            "clock": one.clock.value,
            "tool": one.tool,
            "driver": one.driver,
            "mounting_angle_deg": one.mounting_angle_deg,
            "verdict": one.verdict.value,
            "sentence": one.sentence,
            "due": one.due.isoformat() if one.due else None,
            "device": dict(one.device),
            "result": dict(one.result),
            "runs": len(one.runs),
        }
        for one in records
    ]


def machine_part(patient: Patient) -> dict[str, object]:
    return {
        "speedsign": __version__,
        "python": platform.python_version(),
        "system": text(patient.root / "etc/os-release", 2000),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "board": board_of(patient.root),
        "packages": {
            one.metadata["Name"]: one.version
            for one in sorted(metadata.distributions(), key=lambda one: str(one.metadata["Name"]).lower())
        },
        "serial": [one.name for one in names(patient.root / "dev/serial/by-id")],
        "usb": _usb(patient.root),
        "mounts": lines(patient.root / "proc/self/mounts")[:60],
        "service": {
            "name": patient.service.name,
            "active": patient.service.active,
            "enabled": patient.service.enabled,
            "restarts": patient.service.restarts,
            "result": patient.service.result,
        },
    }


def _usb(root: Path) -> list[str]:
    """Which devices are plugged in: numbers of maker and kind, and what they call themselves."""
    found = []
    for folder in names(root / "sys/bus/usb/devices"):
        maker, kind = text(folder / "idVendor", 20), text(folder / "idProduct", 20)
        if maker and kind:
            found.append(f"{folder.name} {maker}:{kind} {text(folder / 'product', 100) or ''}".rstrip())
    return found


def log_part(patient: Patient, n_lines: int) -> str:
    """The service's last lines; says why where there are none."""
    if not n_lines:
        return "left out, as was asked\n"
    name = f"{patient.options.service}.service"
    said = ask(
        "journalctl", "-u", name, "-n", str(n_lines), "-o", "short-iso", "--no-hostname", "--no-pager", "-q",
        most_s=_LOG_S, most=2_000_000,
    )  # fmt: skip
    if said is None:
        return "there is no journal here, or this user may not read it (sudo, or the group systemd-journal)\n"
    return said or f"the journal has nothing of {name}, or this user may not read it\n"


def kernel_part() -> str:
    """Lines of the kernel about ports, cards and supply."""
    said = ask("dmesg", "--ctime", most_s=_LOG_S) or ask(
        "journalctl", "-k", "-q", "--no-pager", most_s=_LOG_S
    )
    if said is None:
        return "the kernel's messages may not be read by this user (sudo)\n"
    found = [line for line in said.splitlines() if any(word in line.lower() for word in KERNEL_WORDS)]
    return "\n".join(found[-KERNEL_LINES:]) + "\n"


def records_of(patient: Patient) -> list[Calibration]:
    """Of the file and of the database, as they were kept; what cannot be read is left out."""
    path = patient.tables.store.path
    log, rows = Log(), []
    with contextlib.suppress(OSError):
        log = read_log(path)
    with contextlib.suppress(StoreError, OSError, ValueError), looking(path) as db:
        rows = bodies(db)
    return list(merged(path, rows, log).records)


def to_json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n").encode()
