"""From [mqtt] to a connection: secrets read, what is left out filled in."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from speedsign.config.mqtt_relations import uses_tls
from speedsign.config.schema import MqttConfig
from speedsign.errors import ConfigError
from speedsign.hosts import is_loopback
from telemetry.mqtt.shapes import PORT, PORT_TLS, BrokerSettings, TlsSettings
from telemetry.mqtt.tls import tls_context

SESSION_EXPIRY_S = 86_400  # the broker keeps a day of what comes for a sign that is away
FLEET_SPREAD_S = 60.0
BACKOFF_CAP_S = 300.0


def broker_settings(mqtt: MqttConfig, client_id: str, **more: Any) -> BrokerSettings:
    """How to speak to this broker; `more` are fields of BrokerSettings that are not a config's.

    Files are read once here, so that what is wrong with them is said at the start: ConfigError.
    """
    tls = _tls(mqtt)
    spread_s = mqtt.spread_s
    if spread_s is None:
        spread_s = 0.0 if is_loopback(mqtt.host) else FLEET_SPREAD_S
    settings = BrokerSettings(
        host=mqtt.host,
        client_id=client_id,
        port=mqtt.port or (PORT_TLS if tls else PORT),
        username=mqtt.username,
        password=secret(mqtt.password_file),
        tls=tls,
        allow_plain=mqtt.allow_plain and mqtt.tls is False,
        keepalive_s=mqtt.keepalive_s,
        session_expiry_s=SESSION_EXPIRY_S,
        spread_s=spread_s,
        backoff_base_s=max(1.0, spread_s),
        backoff_cap_s=max(BACKOFF_CAP_S, spread_s),
    )
    return replace(settings, **more)


def _tls(mqtt: MqttConfig) -> TlsSettings | None:
    if not uses_tls(mqtt):
        return None
    settings = TlsSettings(
        ca_file=_text(mqtt.ca_file),
        certificate_file=_text(mqtt.certificate_file),
        key_file=_text(mqtt.key_file),
        oldest=mqtt.tls_version,
    )
    tls_context(settings)
    return settings


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def secret(path: Path | None) -> str | None:
    """The first line of a secret's file, which only its owner may read; raises ConfigError."""
    if path is None:
        return None
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o007:
                raise ConfigError([f"{path}: everybody can read this secret; run: chmod 640 {path}"])
            return file.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: the password cannot be read: {error}"]) from None
