"""What systemd is told of the sign, and when the sign ends itself so that it is started anew.

READY=1 when the panel is under control, or clearly is not there. WATCHDOG=1 each second while every vital
part goes round. A part that does not is named, and the sign ends in order: the panel dark first. What even
that end hangs in is ended by the watchdog.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from speedsign.beats import Beats
from speedsign.errors import GrownTooFar, PartStuck
from speedsign.leaks import Leaks, Use
from speedsign.model import Fault
from speedsign.status import FaultAges, Sight, one_line, sentence

_log = logging.getLogger(__name__)

READY_WITHOUT_PANEL_S = 10.0  # a sign that counts is worth more than one that is started again for ever


@dataclass(frozen=True, slots=True)
class Means:
    """What the supervisor works with; without any of it nobody is watched."""

    beats: Beats = field(default_factory=Beats)
    most: Use = field(default_factory=Use)
    use: Callable[[], Use] = Use
    last_words: Callable[[str], None] = lambda _why: None  # stacks, and a limit for the end


class Supervisor:
    """Called each second; raises what ends the sign."""

    def __init__(self, notify: Callable[[str], None], means: Means, began_s: float) -> None:
        self._notify, self._means = notify, means
        self._began_s = began_s
        self._leaks = Leaks(began_s, means.most)
        self._ages = FaultAges()
        self._ready = False
        self._said = ""

    def tick(self, now_s: float, sight: Sight, excused: Collection[str] = ()) -> None:
        """Raises PartStuck, GrownTooFar. `excused`: parts that wait to be started again."""
        late = self._means.beats.late(now_s, excused)
        if late:
            self._end(PartStuck(self._stuck(late)), self._means.last_words)
        self._look(now_s)
        if not self._ready and (sight.under_control or now_s - self._began_s >= READY_WITHOUT_PANEL_S):
            self._ready = True
            self._notify("READY=1")
        self.say(sentence(sight, self._ages.words(sight.faults, now_s), ready=self._ready))
        self._notify("WATCHDOG=1")

    def say(self, text: str) -> None:
        """STATUS=, when it is another than before."""
        if text != self._said:
            self._said = text
            self._notify(f"STATUS={one_line(text)}")

    def stopping(self) -> None:
        """The end has begun."""
        self._notify("STOPPING=1")

    def faults(self) -> list[Fault]:
        """What grows, and what is late that nobody's life depends on."""
        late = [
            Fault("supervisor", "late", f"{name} does not go round any more; report it with the log")
            for name in self._means.beats.told()
        ]
        return [*self._leaks.faults(), *late]

    def _look(self, now_s: float) -> None:
        self._leaks.look(now_s, self._means.use())
        if why := self._leaks.restart:
            self._end(GrownTooFar(f"{why}; it restarts by itself"))

    def _stuck(self, late: list[str]) -> str:
        silent = [f"{name} has not gone round for {self._means.beats.silent_s(name):.0f} s" for name in late]
        return f"{', '.join(silent)}; the sign ends to be started anew, report it with the log"

    def _end(self, error: PartStuck | GrownTooFar, words: Callable[[str], None] = lambda _why: None) -> None:
        _log.error("%s", error)
        self.say(f"ending: {error}")
        words(str(error))
        raise error
