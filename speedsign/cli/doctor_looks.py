"""Which looks there are, in the order in which they are told, and how long each may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from speedsign.cli.doctor_modbus import look_at_modbus
from speedsign.cli.doctor_network import look_at_broker, look_at_sign
from speedsign.cli.doctor_patient import Patient
from speedsign.cli.doctor_ports import (
    look_at_certificates,
    look_at_clock,
    look_at_config,
    look_at_disk,
    look_at_memory,
    look_at_ports,
    look_at_power,
    look_at_secrets,
    look_at_service,
    look_at_versions,
)
from speedsign.cli.doctor_radar import look_at_radar
from speedsign.cli.doctor_store import look_at_calibrations, look_at_store
from speedsign.doctor.finding import Finding
from speedsign.doctor.plan import Look

_MOMENTS_S, _DEVICES_S, _NETWORK_S, _STORE_S, _THOROUGH_S = 10.0, 60.0, 40.0, 60.0, 1800.0

_LookAt = Callable[[Patient], Sequence[Finding]]
_RADAR, _PANEL = ("radar",), ("panel", "light", "beacon", "supply")

# What nobody can look at who does not know the config; said once, not for each.
_OF_THE_CONFIG = (("port",), _RADAR, _PANEL, ("secret",), ("certificate",), ("broker",))
_BLIND = "ports, devices, secrets, certificates and broker stand in the config: not looked at"

_ALL: tuple[tuple[tuple[str, ...], _LookAt, float], ...] = (
    (("config",), look_at_config, _MOMENTS_S),
    (("service",), look_at_service, _MOMENTS_S),
    (("version",), look_at_versions, _MOMENTS_S),
    (("port",), look_at_ports, _MOMENTS_S),
    (_RADAR, look_at_radar, _DEVICES_S),
    (_PANEL, look_at_modbus, _DEVICES_S),
    (("power",), look_at_power, _MOMENTS_S),
    (("disk",), look_at_disk, _MOMENTS_S),
    (("memory",), look_at_memory, _MOMENTS_S),
    (("clock",), look_at_clock, _MOMENTS_S),
    (("store", "queue"), look_at_store, _STORE_S),
    (("calibration",), look_at_calibrations, _MOMENTS_S),
    (("secret",), look_at_secrets, _MOMENTS_S),
    (("certificate",), look_at_certificates, _MOMENTS_S),
    (("broker",), look_at_broker, _NETWORK_S),
)
TOPICS = tuple(topic for topics, _, _ in _ALL for topic in topics)


def looks(patient: Patient, only: Sequence[str] = ()) -> list[Look]:
    """Those that are wanted; of a running sign it is asked itself, and no device."""
    found = []
    asked = told = False
    for topics, run, limit_s in _ALL:
        if only and not set(only) & set(topics):
            continue
        if patient.blind and topics in _OF_THE_CONFIG and not (patient.runs and topics in (_RADAR, _PANEL)):
            if not told:
                found.append(Look(topics, partial(run, patient), limit_s, _BLIND))
            told = True
            continue
        if topics in (_RADAR, _PANEL) and patient.runs:
            if not asked:
                found.append(Look(("sign",), partial(look_at_sign, patient), _MOMENTS_S))
            asked = True
            continue
        skipped = (
            "left out, as was asked (--offline)" if patient.options.offline and topics == ("broker",) else ""
        )
        found.append(Look(topics, partial(run, patient), _limit_s(patient, topics, limit_s), skipped))
    return found


def _limit_s(patient: Patient, topics: Sequence[str], limit_s: float) -> float:
    return _THOROUGH_S if patient.options.thorough and "store" in topics else limit_s
