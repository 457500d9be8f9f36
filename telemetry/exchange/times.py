"""Times of a file as ms since 1970: with an offset, or of clocks on a wall, which repeat an hour in autumn.

A wall clock's time that the spring change leaves out is an error. One that the autumn change repeats is
decided by the order of the file while that rises: the first pass, until the clock steps back by more than
a minute. In a file that does not rise it is the first pass.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from telemetry.exchange.csv_file import RowError, shown

EARLIEST_YEAR, LATEST_YEAR = 1990, 2099  # a clock that was never set says 1970 or 1980
_FIRST_YEAR, _LAST_YEAR = 1970, 9990  # of a time of which the file says itself that it is none
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  what a wall clock's times are measured from
_MS = timedelta(milliseconds=1)
_HOUR = timedelta(hours=1)
_DISORDER_MS = 60_000  # vehicles of two directions overtake each other in a file by less
_SHORTEST = len("2026-05-04T07:30")
_KEPT_HOURS = 20_000


class NoZone(RowError):  # noqa: N818  the situation is its name
    """A time without offset, and nobody said of which time zone: so it is with the whole file."""


class Times:
    """Reads the times of one file, in its order. `zone`: whose wall clock; None: offsets only."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self.zone = zone
        self.repeated = 0  # times of the hour that the autumn change repeats
        self._last_ms = -(10**15)
        self._rising = True
        self._offsets: dict[str, int | None] = {}  # local hour -> offset in ms; None: it changes inside

    def ms(self, text: str, *, believed: bool = True) -> int:
        """Whole ms since 1970 UTC, rounded down; RowError with the reason.

        `believed`: False where the file says that nobody vouches for it, so that any year will do.
        """
        if text[13:14] != ":" or text[10:11] not in "Tt ":
            raise _no_time(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise _no_time(text) from None
        first, last = (EARLIEST_YEAR, LATEST_YEAR) if believed else (_FIRST_YEAR, _LAST_YEAR)
        if not first <= moment.year <= last:
            raise RowError(f"time {shown(text)}: the year is none of {first} to {last}")
        if moment.tzinfo is not None:
            return (moment - _EPOCH) // _MS
        return self._local(text, moment)

    def _local(self, text: str, moment: datetime) -> int:
        if self.zone is None:
            raise NoZone(
                f"time {shown(text)} has no offset from UTC; name its time zone, as --timezone Europe/Riga"
            )
        hour = text[:13]
        if hour not in self._offsets:
            if len(self._offsets) > _KEPT_HOURS:
                self._offsets.clear()
            self._offsets[hour] = _offset_of_hour(moment, self.zone)
        offset = self._offsets[hour]
        wall_ms = (moment - _NAIVE_EPOCH) // _MS
        found = wall_ms - offset if offset is not None else self._near_a_change(text, moment, self.zone)
        if found < self._last_ms - _DISORDER_MS:
            self._rising = False
        self._last_ms = max(self._last_ms, found)
        return found

    def _near_a_change(self, text: str, moment: datetime, zone: ZoneInfo) -> int:
        first, second = (
            (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) - _EPOCH) // _MS for fold in (0, 1)
        )
        if second < first:
            raise RowError(f"time {shown(text)} does not exist in {zone}: the clocks went forward over it")
        if second == first:
            return first
        self.repeated += 1
        stepped_back = first < self._last_ms - _DISORDER_MS
        return second if self._rising and stepped_back else first


def _no_time(text: str) -> RowError:
    if not text:
        return RowError("time is empty")
    if len(text) < _SHORTEST:
        return RowError(f"time {shown(text)} is no date with a time; write 2026-05-04T07:30:12+03:00")
    return RowError(f"time {shown(text)} cannot be read; write 2026-05-04T07:30:12+03:00")


def _offset_of_hour(moment: datetime, zone: ZoneInfo) -> int | None:
    """In ms, of a whole clock hour; None when a change lies in it."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    found = {
        at.replace(tzinfo=zone, fold=fold).utcoffset()
        for at in (start, start + _HOUR - _MS)
        for fold in (0, 1)
    }
    (offset,) = found if len(found) == 1 else (None,)
    return None if offset is None else offset // _MS
