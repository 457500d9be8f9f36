"""What grows and never shrinks: open files, memory, threads; a leak ends in a planned restart.

Growth is judged once a minute. What a sign needs it has after its first hour, so that this is the measure,
and not a number that fits one board. Growth is told first; over the limit the sign restarts itself, not more
often than every six hours: the panel is dark for seconds and nothing is lost. Close to what the system allows
it restarts at once, and that is looked at with each tick: there the next file or page would end it in the
middle of something, and a fast leak is there within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from speedsign.model import Fault

GROWTH_S = 60.0  # between two looks at growth
WARM_S = 3600.0  # until then the highest value is what it needs
RESTS_S = 6 * 3600.0  # between two restarts because of growth
EARLIEST_S = 60.0  # close to the system's limit; a leak that is quicker is the watchdog's and the kernel's
TIGHT_S = 900.0  # the same, where the limit leaves hardly any room from the start: restarts do not help there
IN_A_ROW = 5  # looks over the limit
TIGHT = 0.75  # of what the system allows, held when it is a minute old
NEAR = 0.9
FULL = 0.97  # whatever the limit is like, it cannot run so


@dataclass(frozen=True, slots=True)
class Use:
    """What this process holds, or may hold at most; None: not known here."""

    files: int | None = None
    memory_bytes: int | None = None
    threads: int | None = None


@dataclass(slots=True)
class _Watched:
    """One kind. Over `base`, what it needs, by this share and this much it has grown too far."""

    share: float
    more: int
    base: int = 0
    now: int = 0
    over: int = 0  # looks at growth in a row
    most: int | None = None
    tight: bool = False
    growing: bool = False

    @property
    def limit(self) -> int:
        return int(self.base * (1 + self.share)) + self.more

    @property
    def near(self) -> bool:
        """Whether it is close to what the system allows."""
        return self._holds(NEAR)

    def look(self, value: int, most: int | None, age_s: float, *, growth: bool) -> None:
        warm = age_s > WARM_S
        self.now, self.most = value, most
        if age_s < EARLIEST_S:
            self.tight = self._holds(TIGHT)
        if not warm:
            self.base = max(self.base, value)
        if growth:
            self.over = self.over + 1 if warm and value > self.limit else 0
            self.growing = self._is_growing(warm=warm)
        self.growing = self.growing or self.near

    def is_to_end(self, age_s: float) -> bool:
        """Whether it would run into what the system allows."""
        waits_s = TIGHT_S if self.tight and not self._holds(FULL) else EARLIEST_S
        return self.near and age_s >= waits_s

    def _holds(self, share: float) -> bool:
        return self.most is not None and self.now > share * self.most

    def _is_growing(self, *, warm: bool) -> bool:
        """From half the way to the limit on, until a third of it: so it is told once and not each minute."""
        share = 1 / 3 if self.growing else 1 / 2
        return warm and self.now > self.base + share * (self.limit - self.base)


@dataclass(slots=True)
class Leaks:
    """The watch over one process. Times are seconds of the clock that never steps."""

    began_s: float
    most: Use = field(default_factory=Use)  # what the system allows
    whose: str = "sign"
    _kinds: dict[str, _Watched] = field(
        default_factory=lambda: {
            "files": _Watched(1.0, 64),
            "memory": _Watched(0.5, 32 << 20),
            "threads": _Watched(1.0, 8),
        }
    )
    _growth_s: float | None = None  # when growth was looked at last
    _age_s: float = 0.0

    def look(self, now_s: float, use: Use) -> None:
        """Take what is held now: as often as somebody cares to look, growth is judged by the minute."""
        growth = self._growth_s is None or now_s - self._growth_s >= GROWTH_S
        if growth:
            self._growth_s = now_s
        self._age_s = now_s - self.began_s
        held = (
            (use.files, self.most.files),
            (use.memory_bytes, self.most.memory_bytes),
            (use.threads, self.most.threads),
        )
        for kind, (value, most) in zip(self._kinds.values(), held, strict=True):
            if value is not None:
                kind.look(value, most, self._age_s, growth=growth)

    @property
    def restart(self) -> str | None:
        """Why this process is to be restarted now; None: it is not."""
        for name, kind in self._kinds.items():
            if kind.is_to_end(self._age_s):
                return self._grown(name)
            if kind.over >= IN_A_ROW and self._age_s >= RESTS_S:
                return self._grown(name)
        return None

    def faults(self) -> list[Fault]:
        """What grows, before it has to end."""
        found = []
        if self._kinds["files"].growing:
            found.append(Fault("supervisor", "files", self._text("files")))
        if self._kinds["memory"].growing:
            found.append(Fault("supervisor", "memory", self._text("memory")))
        if self._kinds["threads"].growing:
            found.append(Fault("supervisor", "threads", self._text("threads")))
        return found

    def _text(self, name: str) -> str:
        return f"{self._grown(name)}; if that goes on it restarts by itself, report it with the log"

    def _grown(self, name: str) -> str:
        kind = self._kinds[name]
        unit, words = (1 << 20, "MB of memory") if name == "memory" else (1, _WORDS[name])
        now = kind.now // unit
        if kind.near and kind.most is not None:
            return f"the {self.whose} holds {now} {words}, the system allows {kind.most // unit}"
        return f"the {self.whose} holds {now} {words}, it needs {kind.base // unit}"


_WORDS = {"files": "open files", "threads": "threads"}
