"""What is wrong with the program itself: an update that was taken back, a version without security updates.

Neither stops anything. The first is told by what is under /var/lib/speedsign-update, which root alone writes,
before the sign is started (package/scripts/update).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from speedsign.build import Build
from speedsign.model import Fault
from speedsign.ports import Clock

UPDATE_STATE = Path("/var/lib/speedsign-update")
_LONGEST = 100  # of a version's name


class Software:
    """`faults()` as the sign asks every part of it. Reads the disk once, when it is made."""

    def __init__(
        self, build: Build, clock: Clock, *, trust_clock: bool = False, update_state: Path = UPDATE_STATE
    ) -> None:
        self._build = build
        self._clock = clock
        self._trust_clock = trust_clock
        self._refused = taken_back(update_state)

    def faults(self) -> list[Fault]:
        """Blocks for nothing."""
        return [fault for fault in (self._update(), self._support()) if fault is not None]

    def _update(self) -> Fault | None:
        if self._refused is None:
            return None
        return Fault("update", "refused", refused_words(self._refused, self._build.version))

    def _support(self) -> Fault | None:
        """By a clock that is believed alone: a wrong year is no reason to alarm anybody."""
        believed = self._trust_clock or self._clock.trusted()
        if not believed or not ended(self._build, self._clock.now_utc().date()):
            return None
        return Fault("software", "unsupported", unsupported_words(self._build))


def ended(build: Build, today: date) -> bool:
    """Whether security updates are over; a build that nobody knows the day of goes on."""
    end = build.support_end
    return end is not None and today > end


def refused_words(refused: str, running: str) -> str:
    """Of the version that was taken back, and what runs instead."""
    return (
        f"the update to {refused} was taken back, {running} runs; "
        "the log of that time says why (journalctl -u speedsign); install a later version"
    )


def unsupported_words(build: Build) -> str:
    """Of a version that gets no more updates."""
    return f"{build.version} has had no security updates since {build.support_end}; install a newer version"


def taken_back(update_state: Path) -> str | None:
    """The version that the last update brought, if it was taken back. Never raises."""
    text = _first_line(update_state / "refused")
    return text or None


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            line = file.readline(_LONGEST)
    except OSError:
        return ""
    return "".join(letter for letter in line if letter.isprintable() and letter != "\ufffd").strip()
