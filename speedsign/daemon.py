"""The sign itself: readings in, a face on the panel at once, vehicles and intervals into the store.

The daemon is handed its clock and every device and makes none, so that the whole of it also runs on
simulated time. Nothing here waits for disk, broker or panel: they are told, and work on their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller

from speedsign.coverage import CoverageMeter, close_intervals, interval_start
from speedsign.dating import DAY, Dating, Span, calls
from speedsign.model import (
    ClockQuality,
    Coverage,
    DisplayState,
    Face,
    Fault,
    Installation,
    RadarEvent,
    Reading,
    Vehicle,
    VehicleRecord,
)
from speedsign.parts import CLOSE_AFTER_S, Parts, Plan
from speedsign.ports import Live, Store
from speedsign.rules import DARK, Shown, next_check_s, step
from speedsign.schedule import Schedule
from speedsign.seen import SeenLog
from speedsign.status import Sight
from speedsign.supervise import KeptPart, stop
from speedsign.supervisor import Supervisor
from speedsign.tracking import VERSION, Tracker

__all__ = ["CLOSE_AFTER_S", "Daemon", "Parts", "Plan"]

log = logging.getLogger(__name__)

TICK_S = 1.0  # faults, coverage and the supervisor are looked after so often
FLUSH_COVERAGE_S = 60.0  # what a power cut may cost in coverage, on a quiet road
RECORD_AFTER_S = 0.03
STALLED_S = 2.5  # without a tick: the process was stopped, or the machine was
AFTER_DEADLINE_S = 0.001  # timers fire when the deadline is certainly over


class Daemon:
    """Runs until cancelled; blanks the panel first and last."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self.plan, self.parts = plan, parts
        self.tracker = Tracker(plan.tracking)
        self.vehicles = 0
        self.rules = plan.rules  # as they hold now
        self.shown: Shown = DARK  # as decided; what the panel has confirmed is `display.lit`
        self._passed: list[Vehicle] = []  # not yet given to the store
        self._seen = SeenLog()
        self._ticked_s = self._now()
        self._coverage = CoverageMeter(plan.interval_s)
        self._dating = Dating(parts.clock, always=plan.trust_clock, built_utc=plan.built_utc)
        self._flushed_s = self._now()
        self._closed_before: datetime | None = None
        self._since: datetime | None = None  # the interval in which the time became what it is
        self._pruned_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._recording: asyncio.TimerHandle | None = None
        self._faults: dict[tuple[str, str], Fault] = {}  # that were told, by device and code
        self._kept = self._parts_to_keep()
        self._supervisor = Supervisor(parts.notify, parts.means, self._now())

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """The whole sign, until cancelled or until a part fails in a way that nobody foresaw."""
        self._begin()
        tasks = {part.name: asyncio.create_task(part.run(), name=part.name) for part in self._kept}
        try:
            done, _ = await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what the part failed with
        finally:
            self._supervisor.stopping()
            # The panel goes dark before anything else is tidied up.
            await stop(tasks["radar"], tasks.get("display"), tasks["tick"])
            self._end()
            await stop(tasks.get("telemetry"), tasks.get("live"))
            await stop(tasks["store"])

    def _parts_to_keep(self) -> list[KeptPart]:
        parts = self.parts
        runs: dict[str, Callable[[], Awaitable[None]]] = {
            "store": parts.recorder.run,
            "radar": partial(parts.radar.run, self._on_events),
        }
        others = {"display": parts.display, "telemetry": parts.telemetry, "live": parts.live}
        runs |= {name: part.run for name, part in others.items() if part}
        runs["tick"] = self._tick_forever  # last: what is missing at the start is said at the start
        return [KeptPart(name, run) for name, run in runs.items()]

    def _begin(self) -> None:
        now_utc = self.parts.clock.now_utc()
        self._plan_display(now_utc)
        self._closed_before = self._since = interval_start(now_utc, self.plan.interval_s)
        self._submit("installation", lambda store: store.begin(self.plan.installation, now_utc))
        self._submit("clock", lambda store: self._dating.load(store.known_until()))
        self._look_at_clock()
        # Intervals that a restart cut in two go on; those that ended while nobody was here are closed.
        self._close_intervals(now_utc)

    def _end(self) -> None:
        for timer in (self._timer, self._recording):
            if timer:
                timer.cancel()
        self._passed += self.tracker.flush()
        self._record()
        self._flush_coverage()

    # ------------------------------------------------------------------ the hot path

    def _on_events(self, events: Sequence[RadarEvent]) -> None:
        """What the radar has just said: the panel is told before anything else is done."""
        if readings := [event for event in events if isinstance(event, Reading)]:
            self._take(readings)
        if live := self._watched():
            live.heard(events)

    def _take(self, readings: list[Reading]) -> None:
        if self.plan.invert_direction:
            readings = [replace(reading, direction=reading.direction.inverted()) for reading in readings]
        now_s = readings[-1].t_mono_s
        if now_s - self._ticked_s > STALLED_S:
            self._drop(readings, now_s)
            return
        self.tracker.see(readings)
        self._show(now_s)
        asyncio.get_running_loop().call_later(RECORD_AFTER_S, self.tracker.settle)
        self._record_soon()
        if self._timer is None:
            self._arm()

    def _drop(self, readings: Sequence[Reading], now_s: float) -> None:
        """What waited while this process stood still would be shown as if it were now."""
        log.warning(
            "stood still for %.1f s: %d readings of that time are left out",
            now_s - self._ticked_s,
            len(readings),
        )
        self._ticked_s = now_s
        self._on_deadline()

    def _show(self, t_mono_s: float) -> None:
        rules = self.rules
        target = self.tracker.target(t_mono_s, rules.directions)
        before, self.shown = self.shown, step(self.shown, target, t_mono_s, rules)
        display = self.parts.display
        if display is None:
            return
        if self.shown.face != before.face:
            display.show(self.shown.face)
        elif self.shown.track_id != before.track_id and (lit := display.lit()) is not None:
            self.on_acked(lit, t_mono_s)  # the next vehicle gets to see what is lit already

    def _arm(self) -> None:
        """Wake up when a hold or a track ends, should no reading come before."""
        if self._timer:
            self._timer.cancel()
        deadlines = [self.tracker.next_deadline_s, next_check_s(self.shown, self.rules)]
        due = min((at for at in deadlines if at is not None), default=None)
        if due is None:
            self._timer = None
            return
        delay_s = max(due - self._now(), 0.0) + AFTER_DEADLINE_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_deadline)

    def _on_deadline(self) -> None:
        now_s = self._now()
        self._passed += self.tracker.advance(now_s)
        self._show(now_s)
        self._record_soon()
        self._arm()

    def on_acked(self, face: Face, _t_mono_s: float) -> None:
        """The panel has confirmed a face: the vehicle it is for has been shown that."""
        shown = self.shown
        if face.is_blank or shown.track_id is None:
            return
        if (face.number, face.word) == (shown.face.number, shown.face.word):
            self._seen.saw(shown.track_id, face, shown.zone.value)

    # ------------------------------------------------------------------ what is kept

    def _record_soon(self) -> None:
        """Once the request to the panel has left: the store's thread takes the interpreter from it."""
        if self._recording is None and (self._passed or self.tracker.has_passed):
            self._recording = asyncio.get_running_loop().call_later(RECORD_AFTER_S, self._record)

    def _record(self) -> None:
        self._recording = None
        self._look_at_clock()
        passed, self._passed = self._passed + self.tracker.passed(), []
        for later_id, earlier_id in self.tracker.take_joined():
            self._seen.joined(later_id, earlier_id)
        for vehicle in passed:
            self.vehicles += 1
            record = self._dated(vehicle)
            coverage = self._take_coverage()
            self._submit("vehicle", methodcaller("add_vehicle", record, coverage))
            if live := self._watched():
                live.passed(record)

    def _dated(self, vehicle: Vehicle) -> VehicleRecord:
        span = self._dating.at(vehicle.t_last_mono_s)
        state, face = self._seen.of(vehicle)
        return VehicleRecord(
            vehicle=vehicle,
            first_utc=span.utc(vehicle.t_first_mono_s),
            last_utc=span.utc(vehicle.t_last_mono_s),
            clock=span.quality,
            display=state,
            tracker=VERSION,
            face=face,
            boot=self._dating.boot_id,
        )

    def _unlit(self) -> DisplayState:
        """Of a vehicle that passes now and is shown nothing."""
        display = self.parts.display
        if display is None:
            return DisplayState.DARK
        if display.lit() is None or display.faults():
            return DisplayState.FAULT  # what it really sees nobody knows
        return DisplayState.DARK if self.rules.dark else DisplayState.BLANK

    def _take_coverage(self, span: Span | None = None) -> list[Coverage]:
        """What was measured since it was taken last, in this span (None: the one that is now)."""
        self._flushed_s = now_s = self._now()
        self._coverage.update(self.parts.radar.measured_s(now_s), now_s)
        return self._coverage.take(span or self._dating.now, self._dating.boot_id)

    def _flush_coverage(self, span: Span | None = None) -> None:
        if coverage := self._take_coverage(span):
            self._submit("coverage", lambda store: store.add_coverage(coverage))

    def _look_at_clock(self) -> None:
        """Before anything is dated: the time may have become known, or have been set."""
        turn = self._dating.look()
        if turn is None:
            return
        self._flush_coverage(turn.before)
        for what, call in calls(turn, self._dating.boot_id):
            self._submit(what, call)
        at_utc = self._dating.likely_utc(turn.at_s)
        self._since = interval_start(at_utc, self.plan.interval_s)
        self._close_intervals(at_utc - timedelta(seconds=self.plan.close_after_s))

    def _close_intervals(self, now_utc: datetime) -> None:
        """Close what ended by now; runs in order with the vehicles, so none can come too late."""
        self._closed_before = before = interval_start(now_utc, self.plan.interval_s)
        # A clock that may be years off must not fill those years with empty intervals.
        since = self._since if self._dating.now.known else None
        self._submit("intervals", partial(close_intervals, before_utc=before, since_utc=since))
        self._submit("clock", lambda store: self._dating.load(store.known_until()))
        if self.parts.telemetry:
            self.parts.telemetry.wake()

    def _submit(self, what: str, call: Callable[[Store], object]) -> None:
        self.parts.recorder.submit(what, call)

    # ------------------------------------------------------------------ every second

    async def _tick_forever(self) -> None:
        while True:
            self._tick()
            self._supervise()
            await asyncio.sleep(TICK_S)

    def _supervise(self) -> None:
        """Last in each second: only who came so far has gone round."""
        display = self.parts.display
        lit = display.lit() if display else None
        sight = Sight(display is not None, lit, self.rules.dark, self.vehicles, tuple(self._faults.values()))
        self._supervisor.tick(self._now(), sight, [part.name for part in self._kept if part.fault])

    def _tick(self) -> None:
        self._ticked_s = now_s = self._now()
        self._look_at_clock()
        now_utc = self.parts.clock.now_utc()
        self._plan_display(now_utc)
        if self.parts.remote:
            self.parts.remote.tick()
        self._say_faults()
        self._coverage.update(self.parts.radar.measured_s(now_s), now_s)
        due_utc = self._dating.likely_utc(now_s) - timedelta(seconds=self.plan.close_after_s)
        if (
            self._closed_before is not None
            and interval_start(due_utc, self.plan.interval_s) > self._closed_before
        ):
            self._flush_coverage()
            self._close_intervals(due_utc)
            self._prune(now_utc)
        elif not self._coverage.is_empty and now_s - self._flushed_s >= FLUSH_COVERAGE_S:
            self._flush_coverage()
        if live := self._watched():
            live.tick()

    def _plan_display(self, now_utc: datetime) -> None:
        """What the schedule and the light say now; measuring goes on whatever that is."""
        display, schedule, now_s = self.parts.display, self.plan.schedule, self._now()
        if display is None:
            return
        believed = now_utc if self.clock_quality() is ClockQuality.OK else None
        if schedule and (rules := schedule.at(believed).rules) != self.rules:
            self.rules = rules
            display.rest(resting=rules.dark)
            self._show(now_s)
            self._arm()
        self._seen.note(now_s, self._unlit())
        if self.plan.brightness:
            lux = self.parts.light.lux() if self.parts.light else None
            level = self.plan.brightness.level(now_s, believed, lux)
            if level is not None:
                display.dim(level)

    def replan(self, installation: Installation, schedule: Schedule | None) -> None:
        """From now on these; measuring and the panel go on without a break.

        What has passed by now counts where it passed; what is in view counts in the new installation.
        """
        self._look_at_clock()
        now_utc = self.parts.clock.now_utc()
        if self._recording:
            self._recording.cancel()
        self._passed += self.tracker.advance(self._now())
        self._record()
        self._flush_coverage()
        self.plan = replace(self.plan, installation=installation, schedule=schedule)
        self._submit("installation", lambda store: store.begin(installation, now_utc))
        self._plan_display(now_utc)

    def _prune(self, now_utc: datetime) -> None:
        """Once a day, forget vehicles older than they may be kept; intervals stay."""
        if self._pruned_s is not None and self._now() - self._pruned_s < DAY.total_seconds():
            return
        self._pruned_s = now_s = self._now()
        keep = timedelta(days=self.plan.keep_vehicles_days)
        if self._dating.now.known:
            oldest = now_utc - keep
            self._submit("prune", lambda store: store.prune(oldest, now_utc))
        else:  # a wrong clock must not delete anything
            boot_id, oldest_s = self._dating.boot_id, now_s - keep.total_seconds()
            self._submit("prune", lambda store: store.prune_by_boot_time(boot_id, oldest_s))

    def _say_faults(self) -> None:
        """Each fault once when it comes and once when it has gone, however its sentence changes meanwhile."""
        now = {(fault.device, fault.code): fault for fault in self.faults()}
        for key, fault in now.items():
            if key not in self._faults:
                log.warning("fault: %s", fault.text)
        for key, fault in self._faults.items():
            if key not in now:
                log.info("mended: %s", fault.text)
        self._faults = now

    # ------------------------------------------------------------------ what others ask

    def faults(self) -> list[Fault]:
        """Everything that is wrong now."""
        parts = self.parts
        sources = (
            parts.radar, parts.display, parts.light, self.plan.brightness, parts.recorder, parts.telemetry,
            parts.remote, parts.software,
        )  # fmt: skip
        found = [fault for source in sources if source is not None for fault in source.faults()]
        found += self._dating.faults() + self._supervisor.faults()
        return found + [part.fault for part in self._kept if part.fault]

    def clock_quality(self) -> ClockQuality:
        """How far the wall clock is believed now."""
        return self._dating.quality

    def _watched(self) -> Live | None:
        """Whom to tell: nobody, most of the time, and then nothing is made to be told."""
        live = self.parts.live
        return live if live is not None and live.listening else None

    def _now(self) -> float:
        return self.parts.clock.monotonic()
