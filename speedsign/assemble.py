"""A sign from its config: the one place where real devices, files and threads are made.

The heavy libraries are imported here and not by the daemon, which only knows ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from drivers.radar.link import RadarLink
from speedsign.assemble_display import DisplayParts, build_display
from speedsign.assemble_remote import RemoteControl, is_commanded, settings_at_start
from speedsign.assemble_telemetry import build_publisher
from speedsign.beats import LOOP_DEADLINE_S, STORE_DEADLINE_S, TELEMETRY_DEADLINE_S, Beats
from speedsign.believed import BelievedClock, built_utc
from speedsign.brightness import BrightnessControl
from speedsign.build import this_build
from speedsign.clock import SystemClock
from speedsign.config.schema import Config
from speedsign.config.wanted import radar_settings, tracking_params
from speedsign.coverage import INTERVAL_S
from speedsign.daemon import CLOSE_AFTER_S, Daemon, Parts, Plan
from speedsign.errors import StoreError
from speedsign.lines import radar_line
from speedsign.live.teller import LiveTeller
from speedsign.model import ClockQuality, Face, Fault, Installation
from speedsign.notify import sd_notify
from speedsign.own_use import OwnUse
from speedsign.ports import Clock, RadarDriver
from speedsign.profile import display_profile
from speedsign.registry import load_radar
from speedsign.remote import RemoteSettings, effective
from speedsign.schedule import Schedule
from speedsign.sign_health import SignHealth
from speedsign.software import Software
from speedsign.supervisor import Means
from telemetry.ballast import Ballast
from telemetry.lock import sole_writer
from telemetry.recorder import ThreadRecorder
from telemetry.store import QUOTA_MB, SqliteStore, open_or_replace


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an interval is, and when it is closed. Only the demo is quicker than the contract."""

    interval_s: int = INTERVAL_S
    close_after_s: float = CLOSE_AFTER_S


class Sign:
    """A whole sign on real devices: `daemon` runs it, `display_writes` and the like tell how it went."""

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        pace: Pace | None = None,
        last_words: Callable[[str], None] = lambda _why: None,
    ) -> None:
        """`last_words`: called before it ends because a part of it is stuck."""
        self.config = config
        self._beats, use = Beats(), OwnUse()
        self._store_beat = self._beats.part("store", STORE_DEADLINE_S)
        self.pace = pace or Pace()
        self.clock = clock or SystemClock()
        believed = BelievedClock(self.clock)  # for all who only ask whether the time is known
        settings, dropped = settings_at_start(config)
        driver = load_radar(config.radar.driver, config.radar.profile)
        self._driver = driver
        self.radar = RadarLink(
            radar_line(config.radar.port, driver, config.radar.baud),
            driver,
            radar_settings(config.radar, config.tracking, driver),
            self.clock,
            set_up=config.radar.setup,
            beat=self._beats.part("radar", LOOP_DEADLINE_S),
        )
        self._ballast = Ballast(config.store.path)
        self.recorder: ThreadRecorder[SqliteStore] = ThreadRecorder(
            self._open_store, beside=self._ballast.faults, beat=self._store_beat
        )
        self.remote: RemoteControl | None = None
        if is_commanded(config):
            self.remote = RemoteControl(config, self.recorder, believed, settings, dropped, self._replan)
        desk = self.remote.desk if self.remote else None
        health = SignHealth(config.store.path, believed, self.recorder)
        self.telemetry = (
            build_publisher(
                config,
                config.mqtt,
                believed,
                self.recorder,
                health,
                desk,
                self._beats.part("telemetry", TELEMETRY_DEADLINE_S, vital=False),
            )
            if config.mqtt
            else None
        )
        self.live = live_teller(config, driver, self.radar.says)
        built = (
            build_display(config, config.display, self.clock, self._acked, self._beats)
            if config.display
            else None
        )
        self.display = built.display if built else None
        self.daemon = Daemon(
            plan(effective(config, settings), driver, self.pace, built),
            Parts(
                self.clock,
                self.radar,
                self.recorder,
                self.display,
                built.light if built else None,
                self.telemetry,
                desk,
                sd_notify,
                self.live,
                Software(this_build(), believed),
                Means(self._beats, use.most(), use.now, last_words),
            ),
        )
        believed.judged_by(lambda: self.daemon.clock_quality() is ClockQuality.OK)
        health.watch(self.daemon)
        if self.live:
            self.live.watch(self.daemon)

    async def run(self) -> None:
        """Until cancelled; raises StoreInUse when another process runs this sign."""
        with sole_writer(self.config.store.path):
            if self.remote:
                await self.remote.run(self.daemon, self.telemetry)
            else:
                await self.daemon.run()

    def _replan(self, settings: RemoteSettings) -> None:
        """What is set from afar is another one now."""
        config = effective(self.config, settings)
        self.daemon.replan(installation(config, self._driver), Schedule.of(config))

    def _open_store(self, previous: SqliteStore | None) -> tuple[SqliteStore, Fault | None]:
        path, mqtt = self.config.store.path, self.config.mqtt
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from None
        at_utc: datetime = self.clock.now_utc()
        store, fault = open_or_replace(
            path,
            self.config.sign.id,
            self.pace.interval_s,
            at_utc=at_utc,
            previous=previous,
            vehicles=mqtt.vehicles if mqtt else False,
            quota_mb=mqtt.quota_mb if mqtt else QUOTA_MB,
            ballast=self._ballast,
        )
        store.on_progress(self._store_beat)
        return store, fault

    def _acked(self, face: Face, t_mono_s: float) -> None:
        self.daemon.on_acked(face, t_mono_s)


def live_teller(
    config: Config, driver: RadarDriver, says: Callable[[], Mapping[str, str]]
) -> LiveTeller | None:
    """What tells those who look at the sign; None: switched off."""
    if not config.live.on:
        return None
    about = {
        "version": this_build().name,
        "sign": config.sign.id,
        "radar": driver.name,
        "profile": config.radar.profile,
        "port": config.radar.port,
        "panel": config.display.driver if config.display else None,
    }
    return LiveTeller(config.live.socket, about, says)


def plan(config: Config, driver: RadarDriver, pace: Pace, built: DisplayParts | None) -> Plan:
    """How the sign is to behave."""
    return Plan(
        installation=installation(config, driver),
        tracking=tracking_params(config.tracking, config.radar.mounting_angle_deg, config.rules.vehicle),
        schedule=Schedule.of(config),
        brightness=BrightnessControl.of(config, built.driver.capabilities) if built else None,
        invert_direction=config.radar.invert_direction,
        keep_vehicles_days=config.store.keep_vehicles_days,
        trust_clock=config.clock.trust == "always",
        built_utc=built_utc(),
        interval_s=pace.interval_s,
        close_after_s=pace.close_after_s,
    )


def installation(config: Config, driver: RadarDriver) -> Installation:
    """Where and how the sign stands."""
    sign = config.sign
    return Installation(
        site=sign.site or sign.name or sign.id,
        limit_kmh=sign.limit_kmh,
        mounting_angle_deg=config.radar.mounting_angle_deg,
        radar=driver.name,
        timezone=sign.timezone,
        approaching_name=sign.approaching_name,
        receding_name=sign.receding_name,
        rounds=driver.rounds,
        display_profile=display_profile(config),
    )
