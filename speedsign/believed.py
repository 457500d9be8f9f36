"""Whether what the wall clock says is believed: asked in many places, and decided in one.

While a sign runs its daemon decides (speedsign.dating), as it knows how long a time has held. In a command
and in the hub: what the kernel calls synchronised is believed where it can be (docs/clock.md).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

from speedsign.build import this_build
from speedsign.dating import OLDEST_UTC, doubt
from speedsign.ports import Clock


class BelievedClock:
    """A clock whose `trusted` says whether its wall time is believed, whatever the kernel says of it."""

    def __init__(
        self,
        clock: Clock,
        *,
        always: bool = False,
        known_utc: datetime | None = None,
        built_utc: datetime = OLDEST_UTC,
    ) -> None:
        """`always`: nobody has to vouch for it. `known_utc`: the last time that the sign's database knew."""
        self._clock = clock
        self._always = always
        self._known_utc = known_utc
        self._built_utc = built_utc
        self._judge: Callable[[], bool] | None = None

    def judged_by(self, judge: Callable[[], bool]) -> None:
        """From now on somebody decides who knows more; called from any thread."""
        self._judge = judge

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def now_utc(self) -> datetime:
        return self._clock.now_utc()

    def trusted(self) -> bool:
        if self._judge is not None:
            return self._judge()
        vouched = self._always or self._clock.trusted()
        return vouched and not doubt(self._clock.now_utc(), self._built_utc, self._known_utc)

    def boot_id(self) -> str:
        return self._clock.boot_id()


def built_utc() -> datetime:
    """No sign runs before its program was built; a checkout is a developer's, whose clock may be anything."""
    build = this_build()
    if build.checkout or build.committed is None:
        return OLDEST_UTC
    return datetime.combine(build.committed, time(), UTC)
