"""Whether a command takes the wall clock for right: as a sign would (speedsign.believed)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from speedsign.believed import BelievedClock, built_utc
from speedsign.clock import SystemClock
from speedsign.errors import StoreError
from speedsign.ports import Clock


def last_known_utc(store: Path | None) -> datetime | None:
    """The last time that this sign's database knew; None: none, or it cannot be read. Changes no file."""
    if store is None:
        return None
    from telemetry.clock_past import last_known_s
    from telemetry.looking import looking

    try:
        with looking(store) as db:
            known_s = last_known_s(db)
    except (StoreError, OSError):
        return None
    return None if known_s is None else datetime.fromtimestamp(known_s, UTC)


def believed(clock: Clock, store: Path | None = None, *, always: bool = False) -> BelievedClock:
    """`store`: the sign's database. `always`: [clock] trust of its config is so."""
    return BelievedClock(clock, always=always, known_utc=last_known_utc(store), built_utc=built_utc())


def believed_now(store: Path | None = None, *, always: bool = False) -> datetime | None:
    """The time by this machine's clock; None: it is not believed."""
    clock = believed(SystemClock(), store, always=always)
    return clock.now_utc() if clock.trusted() else None
