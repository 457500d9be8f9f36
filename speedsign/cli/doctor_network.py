"""Tries the broker, and asks a running sign how it is."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from speedsign.cli.doctor_patient import Patient
from speedsign.config.schema import MqttConfig
from speedsign.doctor.broker import BrokerFacts, judge_broker
from speedsign.doctor.devices import SignFacts, judge_sign
from speedsign.doctor.finding import Finding, ok, unknown
from speedsign.errors import ConfigError, PortError
from speedsign.live.client import lines
from speedsign.live.shapes import Line
from telemetry.message import messages
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.trial import try_broker

STATE_S = 3.0
CONNECT_S = 8.0  # for each of the broker's addresses
_SECRETS = ("password_file", "ca_file", "certificate_file", "key_file")


def look_at_broker(patient: Patient) -> Sequence[Finding]:
    """A running sign is connected itself: then no second client is, and the broker is only looked at."""
    mqtt, sign, clock = patient.tables.mqtt, patient.tables.sign, patient.clock
    if mqtt is None:
        return [_no_broker(patient)]
    try:
        settings = broker_settings(
            mqtt, f"speedsign-doctor-{secrets.token_hex(6)}", connect_timeout_s=CONNECT_S
        )
    except ConfigError as error:
        return [_no_settings(mqtt, error, clock.now_utc())]
    now = clock.now_utc()
    filters = (messages.down_topic(sign.id, "#"),) if sign else ()
    trial = try_broker(settings, now, trusted=patient.knows_time, greet=not patient.runs, filters=filters)
    facts = BrokerFacts(
        settings.address,
        "" if trial.reached == "not begun" else trial.reached.value,
        trial.problem or "",
        settings.tls is not None,
        trial.tls_version,
        trial.certificate_until,
        "the sign runs and is its client, so MQTT was not tried" if patient.runs else "",
        trial.session_was_there,
        trial.denied,
    )
    return judge_broker(facts, now)


def _no_broker(patient: Patient) -> Finding:
    if not patient.tables.knows("mqtt"):
        return unknown("broker", "[mqtt] cannot be used", "correct the config")
    return ok("broker", "none: the database is kept, nothing is sent")


def _no_settings(mqtt: MqttConfig, error: ConfigError, now: datetime) -> Finding:
    """What this user may not read is no fault; what is wrong with the files is told beside them too."""
    for key in _SECRETS:
        path: Path | None = getattr(mqtt, key)
        if path is not None and _forbidden(path):
            where = f"{mqtt.host}:{mqtt.port}" if mqtt.port else mqtt.host
            facts = BrokerFacts(where, forbidden=f"{path} may not be read by this user")
            return judge_broker(facts, now)[0]
    return unknown("broker", f"not tried: {error.problems[0]}", "see certificate and secret")


def _forbidden(path: Path) -> bool:
    try:
        with path.open("rb"):
            return False
    except PermissionError:
        return True
    except OSError:
        return False


# --------------------------------------------------------------------------- the running sign


def look_at_sign(patient: Patient) -> Sequence[Finding]:
    """What a running sign says of its devices and its faults."""
    if patient.socket is None:
        return judge_sign(_mute(patient.mute, patient.mend))
    try:
        state = asyncio.run(state_of(patient.socket))
    except (PortError, OSError) as error:
        return judge_sign(_mute(str(error), ""))
    if state is None:
        return judge_sign(SignFacts(told=False, why=f"it did not say how it is within {STATE_S:g} s"))
    faults = [one for one in state.get("faults", []) if isinstance(one, dict)]
    words = [{key: str(one.get(key, "")) for key in ("device", "code", "text")} for one in faults]
    facts = {
        key: state.get(key)
        for key in ("radar", "tracker", "noise_kmh", "measured_s", "running_s", "vehicles")
    }
    return judge_sign(SignFacts(told=True, faults=words, devices=_devices(patient), facts=facts))


def _mute(why: str, mend: str) -> SignFacts:
    if "others are looking" in why:
        mend = "end one of those who look (speedsign watch, calibrate), then look again"
    elif "not permitted" in why:
        mend = "look with sudo"
    facts = SignFacts(told=False, why=why)
    return replace(facts, do=mend) if mend else facts


def _devices(patient: Patient) -> frozenset[str]:
    """Devices that the sign has, as its faults name them."""
    tables = patient.tables
    there = {
        "radar": tables.radar,
        "display": tables.display,
        "light": tables.brightness.sensor,
        "beacon": tables.beacon,
        "supply": tables.supply,
        "mqtt": tables.mqtt,
    }
    return frozenset(name for name, table in there.items() if table is not None)


async def state_of(socket: Path) -> Line | None:
    """The next `state`; None: none came in time."""
    try:
        async with asyncio.timeout(STATE_S):
            told = lines(socket)
            try:
                async for line in told:
                    if line["event"] == "state":
                        return line
            finally:
                await told.aclose()
    except TimeoutError:
        pass
    return None
