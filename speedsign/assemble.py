"""A sign from its config: the one place where real devices, files and threads are made.

The heavy libraries are imported here and not by the daemon, which only knows ports.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from drivers.radar.link import RadarLink
from speedsign import __version__
from speedsign.assemble_display import DisplayParts, build_display
from speedsign.brightness import BrightnessControl
from speedsign.clock import SystemClock
from speedsign.config.schema import Config, MqttConfig
from speedsign.config.wanted import radar_settings, tracking_params
from speedsign.coverage import INTERVAL_S
from speedsign.daemon import CLOSE_AFTER_S, Daemon, Parts, Plan
from speedsign.errors import ConfigError, StoreError
from speedsign.lines import radar_line
from speedsign.model import Face, Fault, Installation
from speedsign.notify import sd_notify
from speedsign.ports import Clock, RadarDriver
from speedsign.profile import display_profile
from speedsign.registry import load_radar
from speedsign.schedule import Schedule
from telemetry.lock import sole_writer
from telemetry.messages import Identity
from telemetry.mqtt import BrokerSettings
from telemetry.mqtt_port import PahoPort
from telemetry.publisher import Publisher
from telemetry.recorder import ThreadRecorder
from telemetry.store import SqliteStore, open_or_replace


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an interval is, and when it is closed. Only the demo is quicker than the contract."""

    interval_s: int = INTERVAL_S
    close_after_s: float = CLOSE_AFTER_S


class Sign:
    """A whole sign on real devices: `daemon` runs it, `display_writes` and the like tell how it went."""

    def __init__(self, config: Config, clock: Clock | None = None, pace: Pace | None = None) -> None:
        self.config = config
        self.pace = pace or Pace()
        self.clock = clock or SystemClock()
        driver = load_radar(config.radar.driver, config.radar.profile)
        self.radar = RadarLink(
            radar_line(config.radar.port, driver, config.radar.baud),
            driver,
            radar_settings(config.radar, config.tracking, driver),
            self.clock,
            set_up=config.radar.setup,
        )
        self.recorder: ThreadRecorder[SqliteStore] = ThreadRecorder(self._open_store)
        self.telemetry = self._publisher(config.mqtt) if config.mqtt else None
        built = build_display(config, config.display, self.clock, self._acked) if config.display else None
        self.display = built.display if built else None
        self.daemon = Daemon(
            plan(config, driver, self.pace, built),
            Parts(
                self.clock,
                self.radar,
                self.recorder,
                self.display,
                built.light if built else None,
                self.telemetry,
                sd_notify,
            ),
        )

    async def run(self) -> None:
        """Until cancelled; raises StoreInUse when another process runs this sign."""
        with sole_writer(self.config.store.path):
            await self.daemon.run()

    def _open_store(self, previous: SqliteStore | None) -> tuple[SqliteStore, Fault | None]:
        path = self.config.store.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from None
        at_utc: datetime = self.clock.now_utc()
        return open_or_replace(
            path, self.config.sign.id, self.pace.interval_s, at_utc=at_utc, previous=previous
        )

    def _acked(self, face: Face, t_mono_s: float) -> None:
        self.daemon.on_acked(face, t_mono_s)

    def _publisher(self, mqtt: MqttConfig) -> Publisher:
        settings = BrokerSettings(
            host=mqtt.host,
            port=mqtt.port,
            client_id=f"speedsign-{self.config.sign.id}",
            username=mqtt.username,
            password=secret(mqtt.password_file),
            allow_plain=mqtt.allow_plain,
            keepalive_s=mqtt.keepalive_s,
        )
        return Publisher(PahoPort(settings, self.clock), self.recorder, self._identity())

    def _identity(self) -> Identity:
        config = self.config
        return Identity(
            sign=config.sign.id,
            boot=int(self.clock.now_utc().timestamp()),
            software=__version__,
            radar=config.radar.driver,
            display=config.display.driver if config.display else "",
            config=hashlib.sha256(repr(asdict(config)).encode()).hexdigest()[:12],
        )


def plan(config: Config, driver: RadarDriver, pace: Pace, built: DisplayParts | None) -> Plan:
    """How the sign is to behave."""
    sign = config.sign
    return Plan(
        installation=Installation(
            site=sign.site or sign.name or sign.id,
            limit_kmh=sign.limit_kmh,
            mounting_angle_deg=config.radar.mounting_angle_deg,
            radar=driver.name,
            timezone=sign.timezone,
            approaching_name=sign.approaching_name,
            receding_name=sign.receding_name,
            rounds=driver.rounds,
            display_profile=display_profile(config),
        ),
        tracking=tracking_params(config.tracking, config.radar.mounting_angle_deg, config.rules.vehicle),
        schedule=Schedule.of(config),
        brightness=BrightnessControl.of(config, built.driver.capabilities) if built else None,
        invert_direction=config.radar.invert_direction,
        keep_vehicles_days=config.store.keep_vehicles_days,
        trust_clock=config.clock.trust == "always",
        interval_s=pace.interval_s,
        close_after_s=pace.close_after_s,
    )


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
