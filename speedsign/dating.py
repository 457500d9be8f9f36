"""What the sign knows of the time, and what time something happened at.

Everything is stamped with boot time, which never steps. The wall clock is UTC at boot time 0 and boot time:
it is believed while the kernel calls it synchronised and what it says can be (docs/clock.md). Setting the
clock changes UTC at boot time 0, and nothing else; so whatever happened before it keeps the time of then.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from speedsign.model import ClockQuality, Fault
from speedsign.ports import Clock, Store

log = logging.getLogger(__name__)

# A second and a bit: a leap second is one, and two clocks cannot be read at the same moment.
STEP = timedelta(seconds=1.1)
DAY = timedelta(days=1)
HELD_S = 86_400.0  # a time that contradicts what was known is believed when it has held for so long
OLDEST_UTC = datetime(2026, 1, 1, tzinfo=UTC)  # no such sign was made before
NEWEST_UTC = datetime(2100, 1, 1, tzinfo=UTC)
REMEMBERED_S = 600.0  # a vehicle is recorded long before that
_READ_WITHIN_S = 0.05
_READ_TRIES = 3


@dataclass(slots=True)
class Span:
    """From a moment of boot time on, until the next one begins."""

    since_s: float
    zero_utc: datetime  # UTC at boot time 0
    known: bool  # it is believed
    waits: bool = False  # it will be, unless the store says that it was later already

    def utc(self, t_mono_s: float) -> datetime:
        return self.zero_utc + timedelta(seconds=t_mono_s)

    @property
    def quality(self) -> ClockQuality:
        return ClockQuality.OK if self.known else ClockQuality.UNKNOWN


@dataclass(frozen=True, slots=True)
class Turn:
    """Another span has begun, or the one that is has become known."""

    before: Span  # what was measured until now is dated by it
    now: Span
    at_s: float
    became_known: bool  # for the first time, or again, or another time than before
    stepped_from: datetime | None  # it was set: what it would be by the time that was believed before

    @property
    def at_utc(self) -> datetime:
        return self.now.utc(self.at_s)


def calls(turn: Turn, boot_id: str) -> list[tuple[str, Callable[[Store], object]]]:
    """What the store has to do about it, in this order."""
    found: list[tuple[str, Callable[[Store], object]]] = []
    boot_utc, at_utc = turn.now.zero_utc, turn.at_utc
    if stepped_from := turn.stepped_from:
        found.append(("clock", lambda store: store.step(stepped_from, at_utc)))
    if turn.became_known:
        found.append(("clock", lambda store: store.date_boot(boot_id, boot_utc, at_utc)))
    return found


def doubt(now_utc: datetime, built_utc: datetime, known_utc: datetime | None) -> str:
    """Why a clock that somebody vouches for cannot be right; empty: it can."""
    oldest = max(built_utc, OLDEST_UTC)
    if not oldest - DAY <= now_utc < NEWEST_UTC:
        return f"and this program is for the years from {oldest:%Y-%m-%d} to 2100"
    if known_utc is not None and now_utc < known_utc - DAY:
        return f"though {known_utc:%Y-%m-%d} was known already"
    return ""


class Dating:
    """Looks at the clocks each second, and before anything is dated."""

    def __init__(self, clock: Clock, *, always: bool = False, built_utc: datetime = OLDEST_UTC) -> None:
        """`always`: believed whatever the kernel says. `built_utc`: it cannot be earlier than that."""
        self._clock = clock
        self._always = always
        self._built_utc = built_utc
        self._known_utc: datetime | None = None  # the last time that was known
        self._loaded = False  # the store was asked for it
        self._doubt = ""
        now_s, now_utc, trusted = self._read()
        self._held_from_s = now_s  # since then the clock is synchronised and was not set
        believed = trusted and self._can_be(now_utc, now_s)
        self._spans = deque([Span(now_s, now_utc - timedelta(seconds=now_s), known=False, waits=believed)])
        self._last_known: datetime | None = None  # UTC at boot time 0, as it was believed last
        self.boot_id = clock.boot_id()

    def load(self, known_utc: datetime | None) -> None:
        """What the store says was known; may be called on its thread."""
        self._known_utc = known_utc
        self._loaded = True

    # ----------------------------------------------------------------------- looking

    def look(self) -> Turn | None:
        """Whether the time has become known, was set, or is no longer believed; None: as before."""
        now_s, now_utc, trusted = self._read()
        span, zero_utc = self._spans[-1], now_utc - timedelta(seconds=now_s)
        stepped = abs(zero_utc - span.zero_utc) > STEP
        if stepped or not trusted:
            self._held_from_s = now_s
        believed = trusted and self._can_be(now_utc, now_s)
        if not trusted:
            self._doubt = ""
        known = believed and self._loaded
        if not stepped:
            span.zero_utc = zero_utc  # as it drifts
            if known and span.waits:
                span.waits, span.known = False, True
                return self._turn(span, span, now_s)
            if known == span.known and (known or believed == span.waits):
                return None
        new = Span(now_s, zero_utc, known, waits=believed and not known)
        self._spans.append(new)
        while len(self._spans) > 1 and self._spans[1].since_s < now_s - REMEMBERED_S:
            self._spans.popleft()
        return self._turn(span, new, now_s)

    def _turn(self, before: Span, now: Span, now_s: float) -> Turn:
        last, stepped_from = before.zero_utc if before.known else self._last_known, None
        if now.known:
            if last is not None and abs(now.zero_utc - last) > STEP:
                stepped_from = last + timedelta(seconds=now_s)
                log.warning("the clock was set from %s to %s", stepped_from, now.utc(now_s))
            self._last_known = now.zero_utc
        elif before.known:
            self._last_known = before.zero_utc
        return Turn(before, now, now_s, now.known, stepped_from)

    def _read(self) -> tuple[float, datetime, bool]:
        """Boot time and wall time of one moment, as nearly as they can be read together."""
        clock, tries = self._clock, 0
        while True:
            before_s, now_utc, after_s = clock.monotonic(), clock.now_utc(), clock.monotonic()
            tries += 1
            if after_s - before_s < _READ_WITHIN_S or tries == _READ_TRIES:
                return (before_s + after_s) / 2, now_utc, self._always or clock.trusted()

    def _can_be(self, now_utc: datetime, now_s: float) -> bool:
        """Whether a clock that is to be believed says what is possible; else why not is in `_doubt`."""
        self._doubt = doubt(now_utc, self._built_utc, self._known_utc)
        if self._doubt and now_s - self._held_from_s >= HELD_S and not doubt(now_utc, self._built_utc, None):
            self._known_utc, self._doubt = now_utc, ""  # what was known then was wrong
        return not self._doubt

    # ----------------------------------------------------------------------- what others ask

    def at(self, t_mono_s: float) -> Span:
        """What was known of the time at a moment of boot time, not long ago."""
        return next((span for span in reversed(self._spans) if span.since_s <= t_mono_s), self._spans[0])

    @property
    def now(self) -> Span:
        return self._spans[-1]

    def likely_utc(self, now_s: float) -> datetime:
        """The time now: the wall clock's; where that is not believed any more, by what was known before."""
        span = self._spans[-1]
        if self.quality is ClockQuality.OK or self._last_known is None:
            return span.utc(now_s)
        return self._last_known + timedelta(seconds=now_s)

    @property
    def quality(self) -> ClockQuality:
        """How far the wall clock is believed now."""
        span = self._spans[-1]
        return ClockQuality.OK if span.known or span.waits else ClockQuality.UNKNOWN

    def faults(self) -> list[Fault]:
        if not self._doubt:
            return []
        vouched, mend = ("is synchronised", "see to the machine's time server")
        if self._always:
            vouched, mend = ("is to be believed by [clock] trust", "set the battery clock: sudo hwclock -w")
        text = (
            f"the clock {vouched} and says {self._clock.now_utc():%Y-%m-%d %H:%M} UTC, {self._doubt}: "
            f"it is not believed; {mend}"
        )
        return [Fault("clock", "implausible", text)]
