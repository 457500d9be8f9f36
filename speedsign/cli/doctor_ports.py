"""Gathers what is to be known of ports, service, certificates and the machine for `speedsign doctor`."""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from drivers.serial_port import holders, stable_names
from speedsign.build import this_build
from speedsign.certificates import read_certificates
from speedsign.cli.common import DEFAULT_CONFIG
from speedsign.cli.doctor_patient import Patient, ask, board_of
from speedsign.cli.radar_detect import serial_ports
from speedsign.config.mqtt_relations import uses_tls
from speedsign.config.tables import Tables
from speedsign.doctor.certificate import (
    NamedCertificates,
    judge_certificates,
    judge_secret,
    secret_facts,
)
from speedsign.doctor.clock import clock_facts, judge_clock, of_sign
from speedsign.doctor.disk import disk_facts, judge_disk
from speedsign.doctor.files import lines, programs, text, there
from speedsign.doctor.finding import Finding, note, ok, unknown, wrong
from speedsign.doctor.memory import judge_memory, memory_facts
from speedsign.doctor.port_facts import Surroundings, port_facts
from speedsign.doctor.ports import PROWLERS, judge_ports
from speedsign.doctor.power import PowerFacts, judge_power
from speedsign.doctor.service import device_kinds, judge_service
from speedsign.doctor.versions import installed, judge_software, judge_versions, requirements
from speedsign.errors import ConfigError, SpeedsignError, StoreError
from speedsign.machine import Machine, throttled_words
from speedsign.software import UPDATE_STATE, taken_back
from telemetry.clock_past import read_clock_past
from telemetry.looking import looking
from telemetry.mqtt.shapes import TlsSettings
from telemetry.mqtt.tls import tls_context

_FILES_OF_TLS = ("ca_file", "certificate_file", "key_file")


def look_at_config(patient: Patient) -> Sequence[Finding]:
    path, tables = patient.config_path, patient.tables
    if tables.whole is not None:
        return [ok("config", f"{path}: good", {"path": str(path)}), *_readable_for_the_sign(patient)]
    if there(path) and not os.access(path, os.R_OK, effective_ids=True):
        return [
            unknown("config", f"{path} may not be read by this user", "look with sudo", {"path": str(path)})
        ]
    if not there(path):
        named = "" if path == DEFAULT_CONFIG else f" --config {path}"
        do = f"sudo speedsign commission{named}; it makes one. Or name another with --config FILE"
        return [
            wrong("config", f"{path}: no such file: this sign has no config yet", do, {"path": str(path)})
        ]
    do = "correct it, then: speedsign check"
    return [wrong("config", problem, do, {"path": str(path)}) for problem in tables.problems]


def _readable_for_the_sign(patient: Patient) -> Iterator[Finding]:
    user = patient.sign_user
    if user is None:
        return
    facts = secret_facts("config", patient.config_path, user)
    if facts.there and facts.seen and facts.sign_may is False:
        what = f"{patient.config_path} cannot be read by the sign's user {user.name}"
        do = f"sudo chgrp {user.name} {patient.config_path} && sudo chmod 640 {patient.config_path}"
        yield wrong("config", what, do)


def roles_of(tables: Tables) -> list[tuple[str, str]]:
    """What each port is for, and its name; what shares the panel's line has none of its own."""
    found = [
        (name, table.port) for name, table in (("radar", tables.radar), ("panel", tables.display)) if table
    ]
    sensor = tables.brightness.sensor
    more = (("light", sensor), ("beacon", tables.beacon), ("supply", tables.supply))
    panel = tables.display.port if tables.display else None
    return found + [(name, table.port) for name, table in more if table and table.port not in (None, panel)]


def look_at_ports(patient: Patient) -> Sequence[Finding]:
    roles = roles_of(patient.tables)
    if not roles:
        return [unknown("port", "the config names no port that could be looked at", "correct it first")]
    around = Surroundings(
        patient.me,
        patient.sign_user,
        patient.sign_pid,
        stable_names(),
        tuple(serial_ports()),
        lambda port: holders(port, patient.root / "proc"),
        patient.root,
    )
    running = [name for name in programs(patient.root) if name in PROWLERS]
    return judge_ports([port_facts(role, name, around) for role, name in roles], running)


# --------------------------------------------------------------------------- the machine


def look_at_power(patient: Patient) -> Sequence[Finding]:
    machine = Machine(patient.root).facts(patient.tables.store.path)
    board = board_of(patient.root)
    if "Raspberry Pi" in board and machine.troubles is None:
        said = (ask("vcgencmd", "get_throttled") or "").strip().partition("throttled=")[2]
        with contextlib.suppress(ValueError):  # not here, or not permitted
            machine = replace(machine, troubles=throttled_words(int(said, 16)))
    up = (text(patient.root / "proc/uptime") or "").split()
    up_s = float(up[0]) if up and up[0].replace(".", "").isdecimal() else None
    return judge_power(PowerFacts(machine, board, up_s))


def look_at_disk(patient: Patient) -> Sequence[Finding]:
    if "store" in patient.tables.wrong:
        return [unknown("disk", "[store] cannot be used, so its disk is not known", "correct it")]
    return judge_disk(disk_facts(patient.root, patient.tables.store.path))


def look_at_memory(patient: Patient) -> Sequence[Finding]:
    return judge_memory(memory_facts(patient.root))


def look_at_clock(patient: Patient) -> Sequence[Finding]:
    clock, sign = patient.clock, patient.tables.sign
    facts = clock_facts(patient.root, clock.now_utc(), synchronised=clock.trusted())
    facts = of_sign(facts, patient.tables.clock.trust, sign.timezone if sign else "")
    try:
        with looking(patient.tables.store.path) as db:
            past = read_clock_past(db, clock.boot_id())
    except (StoreError, OSError):
        return judge_clock(facts)  # told by the look at the store
    return judge_clock(
        replace(
            facts,
            known_utc=None if past.known_s is None else datetime.fromtimestamp(past.known_s, UTC),
            boots_undated=past.boots,
            vehicles_undated=past.vehicles,
            this_boot_undated=past.this_boot,
        )
    )


def look_at_versions(patient: Patient) -> Sequence[Finding]:
    wanted = requirements()
    more = {
        "speedsign": this_build().name,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "kernel": platform.release(),
    }
    found = judge_versions(wanted, installed(wanted), more)
    today = patient.clock.now_utc().date() if patient.knows_time else None
    refused = taken_back(patient.root / UPDATE_STATE.relative_to("/"))
    return [*found, *judge_software(this_build(), today, refused)]


def look_at_service(patient: Patient) -> Sequence[Finding]:
    tables = patient.tables
    majors = {}
    for _, port in roles_of(tables):
        device = os.path.realpath(port)
        try:
            majors[device] = os.major(os.stat(device).st_rdev)  # noqa: PTH116  of a device, by its path
        except OSError:
            continue
    kinds = device_kinds(lines(patient.root / "proc/devices"), majors)
    return judge_service(patient.service, patient.config_path, tables.store.path, kinds)


# --------------------------------------------------------------------------- certificates and secrets


def look_at_certificates(patient: Patient) -> Sequence[Finding]:
    mqtt = patient.tables.mqtt
    if not patient.tables.knows("mqtt"):
        return [unknown("certificate", "[mqtt] cannot be used", "correct it")]
    if mqtt is None or not uses_tls(mqtt):
        return [ok("certificate", "none is needed: nothing is sent by TLS")]
    named = [
        _named(key, path)
        for key in ("certificate_file", "ca_file")
        if (path := getattr(mqtt, key)) is not None
    ]
    found = judge_certificates(
        named,
        patient.clock.now_utc(),
        clock_ok=patient.knows_time,
        key_problem=_key_problem(patient, named),
    )
    if not named:
        return [note("certificate", "the broker is believed by what this machine trusts; the sign has none")]
    return found


def _named(key: str, path: Path) -> NamedCertificates:
    try:
        with path.open("rb"):
            pass
    except PermissionError:
        return NamedCertificates(key, path, forbidden=True)
    except OSError as error:
        return NamedCertificates(key, path, problem=f"{path}: {error.strerror}")
    try:
        return NamedCertificates(key, path, tuple(read_certificates(path)))
    except SpeedsignError as error:
        return NamedCertificates(key, path, problem=str(error))


def _key_problem(patient: Patient, named: Sequence[NamedCertificates]) -> str:
    """Whether the key fits its certificate; what is wrong with the files themselves is told elsewhere."""
    mqtt = patient.tables.mqtt
    if mqtt is None or mqtt.key_file is None or any(one.problem or one.forbidden for one in named):
        return ""
    if not os.access(mqtt.key_file, os.R_OK, effective_ids=True) or mqtt.key_file.stat().st_mode & 0o007:
        return ""
    files = {key: None if getattr(mqtt, key) is None else str(getattr(mqtt, key)) for key in _FILES_OF_TLS}
    try:
        tls_context(TlsSettings(**files, oldest=mqtt.tls_version))
    except ConfigError as error:
        return error.problems[0]
    return ""


def look_at_secrets(patient: Patient) -> Sequence[Finding]:
    mqtt = patient.tables.mqtt
    if not patient.tables.knows("mqtt"):
        return [unknown("secret", "[mqtt] cannot be used", "correct it")]
    files = [] if mqtt is None else [(key, getattr(mqtt, key)) for key in ("password_file", "key_file")]
    found = [
        judge_secret(secret_facts(key, path, patient.sign_user)) for key, path in files if path is not None
    ]
    return found or [ok("secret", "the config names none")]
