"""What grows and never shrinks: open files, memory, threads; a slow leak ends in a planned restart.

Looked at once a minute. What a sign needs it has after its first hour, so that this is the measure, and not
a number that fits one board. Growth is told first; over the limit the sign restarts itself, not more often
than every six hours: the panel is dark for seconds and nothing is lost. Close to what the system allows it is
sooner: there the next file or page would end it in the middle of something.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from speedsign.model import Fault

LOOK_S = 60.0
WARM_S = 3600.0  # until then the highest value is what it needs
RESTS_S = 6 * 3600.0  # between two restarts because of growth
EARLIEST_S = 900.0  # also close to the system's limit: a sign that cannot run in it is not helped by restarts
IN_A_ROW = 5  # looks over the limit
NEAR = 0.9  # of what the system allows
NEAR_IN_A_ROW = 2


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
    over: int = 0  # looks in a row
    near: int = 0
    growing: bool = False

    @property
    def limit(self) -> int:
        return int(self.base * (1 + self.share)) + self.more

    def look(self, value: int, most: int | None, *, warm: bool) -> None:
        self.now = value
        if not warm:
            self.base = max(self.base, value)
        self.over = self.over + 1 if warm and value > self.limit else 0
        self.near = self.near + 1 if most is not None and value > NEAR * most else 0
        self.growing = self.near > 0 or self._is_growing(warm=warm)

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
    _looked_s: float | None = None
    _age_s: float = 0.0

    def due(self, now_s: float) -> bool:
        """Whether it is time to look again."""
        return self._looked_s is None or now_s - self._looked_s >= LOOK_S

    def look(self, now_s: float, use: Use) -> None:
        """Take what is held now."""
        self._looked_s, self._age_s = now_s, now_s - self.began_s
        warm = self._age_s > WARM_S
        held = ((use.files, self.most.files), (use.memory_bytes, self.most.memory_bytes))
        for kind, (value, most) in zip(
            self._kinds.values(), (*held, (use.threads, self.most.threads)), strict=True
        ):
            if value is not None:
                kind.look(value, most, warm=warm)

    @property
    def restart(self) -> str | None:
        """Why this process is to be restarted now; None: it is not."""
        for name, kind in self._kinds.items():
            if kind.near >= NEAR_IN_A_ROW and self._age_s >= EARLIEST_S:
                return f"{self._grown(name)}, close to what the system allows"
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
        if name == "memory":
            return f"the {self.whose}'s memory has grown to {kind.now >> 20} MB, it needs {kind.base >> 20}"
        return f"the {self.whose}'s {_WORDS[name]} have grown to {kind.now}, it needs {kind.base}"


_WORDS = {"files": "open files", "threads": "threads"}
