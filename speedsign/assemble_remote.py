"""What a sign takes from afar, put together: the desk for commands, and what was set before it started."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from speedsign.build import this_build
from speedsign.config.schema import Config
from speedsign.daemon import Daemon
from speedsign.log_ring import LogRing
from speedsign.model import ClockQuality
from speedsign.ports import Clock
from speedsign.remote import NOTHING_SET, RemoteSettings, usable
from telemetry.command.desk import CommandRecorder, Desk, Effects
from telemetry.command.ledger import settings_of_file
from telemetry.outbox.publisher import Publisher

_log = logging.getLogger(__name__)

RESTART_AFTER_S = 2.0  # the answer leaves first


def settings_at_start(config: Config) -> tuple[RemoteSettings, list[str]]:
    """What was set from afar and confirmed, as far as it fits the config of now; and what had to go."""
    found = settings_of_file(config.store.path)
    if found == NOTHING_SET:
        return found, []
    if not is_commanded(config):
        _log.warning("what was set from afar does not hold: no key in [[remote.key]] could change it")
        return NOTHING_SET, []
    settings, dropped = usable(config, found)
    for text in dropped:
        _log.warning("what was set from afar no longer fits the config: %s", text)
    return settings, dropped


def is_commanded(config: Config) -> bool:
    """Whether anybody may command this sign from afar."""
    return bool(config.remote.key) and config.mqtt is not None


class RemoteControl:
    """The desk and what it needs of the sign that is made after it."""

    def __init__(
        self,
        config: Config,
        recorder: CommandRecorder,
        clock: Clock,
        settings: RemoteSettings,
        dropped: list[str],
        apply: Callable[[RemoteSettings], None],
    ) -> None:
        self._config, self._clock, self._apply = config, clock, apply
        self.ring = LogRing()
        self._daemon: Daemon | None = None
        self._telemetry: Publisher | None = None
        self._running: asyncio.Task[None] | None = None
        self._began_s = clock.monotonic()
        effects = Effects(
            apply=self._applied,
            restart=self._restart,
            greet=self._greet,
            wake=self._wake,
            status=self._status,
            log=self.ring.lines,
        )
        self.desk = Desk(config, recorder, clock, effects, settings, dropped)

    async def run(self, daemon: Daemon, telemetry: Publisher | None) -> None:
        """The daemon, until cancelled, by a command too."""
        self._daemon, self._telemetry = daemon, telemetry
        logging.getLogger().addHandler(self.ring)
        try:
            self.desk.begin()
            self._running = asyncio.create_task(daemon.run(), name="daemon")
            await self._running
        finally:
            logging.getLogger().removeHandler(self.ring)

    def _applied(self, settings: RemoteSettings) -> None:
        self._apply(settings)
        self._greet()

    def _greet(self) -> None:
        if self._telemetry:
            self._telemetry.greet_again()

    def _wake(self) -> None:
        if self._telemetry:
            self._telemetry.wake(at_once=True)

    def _restart(self) -> None:
        _log.warning("the sign ends because a command asked for it; whoever supervises it starts it again")
        if self._running:
            asyncio.get_running_loop().call_later(RESTART_AFTER_S, self._running.cancel)

    def _status(self) -> dict[str, Any]:
        """What the sign does now, for a report."""
        daemon, clock = self._daemon, self._clock
        if daemon is None:
            return {}
        trusted = daemon.clock_quality() is ClockQuality.OK
        active = daemon.plan.schedule and daemon.plan.schedule.at(clock.now_utc() if trusted else None)
        installation = daemon.plan.installation
        return {
            "software": this_build().name,
            "uptime_s": round(clock.monotonic() - self._began_s),
            "clock": "ok" if trusted else "unknown",
            "installation": {"site": installation.site, "limit_kmh": installation.limit_kmh},
            "display_profile": installation.display_profile,
            "limit_kmh": daemon.rules.limit_kmh,
            "dark": daemon.rules.dark,
            "tables": list(active.windows) if active else [],
            "study": active.study if active else "",
            "faults": [fault.text for fault in daemon.faults()],
        }
