"""The sign's telemetry from its config: the publisher on its port to the broker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict

from speedsign.beats import Beat
from speedsign.build import this_build
from speedsign.config.schema import Config, MqttConfig
from speedsign.ports import Clock
from telemetry.message.messages import Identity
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.outbox.publisher import CommandDesk, OutboxRecorder, Publisher, PublisherSettings


def build_publisher(
    config: Config,
    mqtt: MqttConfig,
    clock: Clock,
    recorder: OutboxRecorder,
    health: Callable[[], Mapping[str, object]],
    desk: CommandDesk | None = None,
    beat: Beat | None = None,
) -> Publisher:
    """What takes messages to the broker; raises ConfigError for a secret that cannot be read."""
    settings = broker_settings(mqtt, f"speedsign-{config.sign.id}")
    return Publisher(
        PahoPort(settings, clock, beat=beat),
        recorder,
        identity(config),
        PublisherSettings.of(mqtt, settings.spread_s),
        clock=clock,
        health=health,
        desk=desk,
    )


def identity(config: Config) -> Identity:
    """Who this sign is; its boot number is the store's."""
    return Identity(
        sign=config.sign.id,
        software=this_build().name,
        radar=config.radar.driver,
        display=config.display.driver if config.display else "",
        config=hashlib.sha256(repr(asdict(config)).encode()).hexdigest()[:12],
    )
