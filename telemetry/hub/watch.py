"""What systemd is told of a hub: alive while its store and its loop go round, and how it is in words.

A store that fails and is tried again goes round; one that has not answered for two minutes is stuck, and a
thread that is stuck cannot be ended in order. So the hub then stays silent, and the watchdog ends it: nothing
that was acknowledged is lost, and the signs still have the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from speedsign.errors import GrownTooFar
from speedsign.leaks import Leaks, Use
from speedsign.model import Fault
from speedsign.status import FaultAges, one_line


class HubWatch:
    """Told of each call to the store and each turn of the batches; asked by `tick`."""

    def __init__(
        self,
        notify: Callable[[str], None],
        now: Callable[[], float],
        stuck_s: float,
        use: Callable[[], Use] = Use,
        most: Use | None = None,
    ) -> None:
        self._notify, self._now, self._stuck_s, self._use = notify, now, stuck_s, use
        self._calls = 0
        self._answered_s = 0.0  # the store, or when it was first called after a rest
        self._turned_s: float | None = None  # the batches; None: nothing waits for them
        self._leaks = Leaks(now(), most or Use(), "hub")
        self._ages = FaultAges()
        self._said = ""

    def called(self) -> None:
        """The store is given something to do."""
        if not self._calls:
            self._answered_s = self._now()
        self._calls += 1

    def answered(self) -> None:
        """It has done one thing, or failed at it."""
        self._calls -= 1
        self._answered_s = self._now()

    def turned(self, *, idle: bool = False) -> None:
        """The batches have gone round; `idle`: they wait for a message now, however long."""
        self._turned_s = None if idle else self._now()

    def tick(self, faults: Sequence[Fault], *, connected: bool = True) -> None:
        """Say how it is. Raises GrownTooFar."""
        now_s = self._now()
        self._leaks.look(now_s, self._use())
        if why := self._leaks.restart:
            error = GrownTooFar(f"{why}; it restarts by itself")
            self._say(f"ending: {error}")
            raise error
        if self._goes_round(now_s):
            self._notify("WATCHDOG=1")
        words = self._ages.words(faults, now_s)
        store = [fault.text for fault in faults if fault.device == "store"]
        state = "collecting" if connected else "not connected"
        self._say(store[0] if store else "; ".join([state, *words]))

    def faults(self) -> list[Fault]:
        """What grows."""
        return self._leaks.faults()

    def _goes_round(self, now_s: float) -> bool:
        store = not self._calls or now_s - self._answered_s < self._stuck_s
        # A turn waits for the store, and between two tries.
        return store and (self._turned_s is None or now_s - self._turned_s < 2 * self._stuck_s)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._notify(f"STATUS={one_line(text)}")
