"""What a radar's silence means, and what it means that its readings are not used."""

from __future__ import annotations

from speedsign.ports import RadarDriver

PING_AFTER_S = 10.0  # long enough that no reading is on its way, short enough for coverage
PING_TIMEOUT_S = 2.0
PINGS_MISSED = 2  # one answer can be lost
REOPEN_SILENT_S = 60.0  # a USB port can hang without an error: opening it anew helps
UNIT_GRACE_S = 10.0  # a set-up takes less and ends it
UNREAD_BYTES = 16  # more without an event is noise, or a language that we do not speak


class Silence:
    """Whether the radar can be heard. Of one that is silent when idle its missed answers tell (`asks`)."""

    def __init__(self, driver: RadarDriver, *, asks: bool) -> None:
        self.heard_mono_s = 0.0  # the last event, or the opening
        self.heard = False  # anything since the opening
        self.lasting = False  # stays over a reopening, until the radar speaks
        self._streams, self._asks = driver.streams_when_idle, asks
        self._after_s = driver.silent_after_s
        self._missed_pings = 0
        self._unread_bytes = 0  # arrived since the last event

    @property
    def proof_limit_s(self) -> float | None:
        """From one proof of life to the next at most; None where none can be had."""
        if self._streams:
            return self._after_s
        # One second more for the way of the answer and the loop's own delays.
        return PING_AFTER_S + PINGS_MISSED * PING_TIMEOUT_S + 1.0 if self._asks else None

    @property
    def reopen_after_s(self) -> float:
        """Silent for so long: the port is opened anew."""
        return max(REOPEN_SILENT_S, 2 * self._after_s) if self._streams else REOPEN_SILENT_S

    def begin(self) -> None:
        """Before an opening: nothing of the last one counts."""
        self.heard, self._missed_pings, self._unread_bytes = False, 0, 0

    def opened(self, t_mono_s: float) -> None:
        self.heard_mono_s = t_mono_s

    def bytes_came(self, n: int) -> None:
        self._unread_bytes += n

    def spoke(self, t_mono_s: float) -> None:
        """Something that makes sense."""
        self.heard, self.heard_mono_s, self._unread_bytes = True, t_mono_s, 0
        self.lasting, self._missed_pings = False, 0

    def missed_since(self, asked_mono_s: float) -> None:
        """The time for an answer is over."""
        if self.heard_mono_s < asked_mono_s:
            self._missed_pings += 1

    def is_at(self, t_mono_s: float) -> bool:
        """Whether it is silent and ought not to be."""
        if self.lasting:
            return True
        if self._streams:
            return t_mono_s - self.heard_mono_s > self._after_s
        return self._missed_pings >= PINGS_MISSED

    def text(self, port: str) -> str:
        """What is wrong, for the technician."""
        if self._unread_bytes > UNREAD_BYTES:
            return (
                f"radar {port}: bytes arrive that make no sense;"
                " check the baud rate, the radar's type and the wires A and B"
            )
        return f"radar {port}: silent; check its power and its data wires"


class UnitTrouble:
    """Why readings are not used, and for how long: a set-up has time to mend it."""

    def __init__(self, *, grace_s: float) -> None:
        self.reason = ""
        self._since_mono_s = 0.0
        self._grace_s = grace_s

    def begins(self, reason: str, t_mono_s: float) -> None:
        if not self.reason:
            self._since_mono_s = t_mono_s
        self.reason = reason

    def ends(self) -> None:
        self.reason = ""

    def is_fault_at(self, t_mono_s: float) -> bool:
        return bool(self.reason) and t_mono_s - self._since_mono_s >= self._grace_s
