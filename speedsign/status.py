"""One line on how the sign is, for `systemctl status` (STATUS= of sd_notify(3))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from speedsign.model import Face, Fault

LONGEST = 240  # characters; a terminal shows three lines of it
_SENTENCE = 110
_FAULTS = 4
_WORDS = {
    ("mqtt", "disconnected"): "broker away",
    ("mqtt", "hub_silent"): "hub silent",
    ("radar", "port"): "radar away",
    ("display", "no_reply"): "panel silent",
    ("display", "port"): "panel's line away",
    ("store", "full"): "card full",
    ("store", "behind"): "card too slow",
    ("supervisor", "files"): "open files growing",
    ("supervisor", "memory"): "memory growing",
    ("supervisor", "threads"): "threads growing",
    ("supervisor", "late"): "telemetry stands still",
    ("mqtt", "refused"): "broker refuses messages",
    ("mqtt", "nobody_listens"): "nobody hears the messages",
    ("mqtt", "subscription"): "broker grants no subscription",
    ("mqtt", "too_long"): "messages too long for the broker",
    ("mqtt", "dropped"): "old messages dropped",
    ("mqtt", "copy"): "another sign has this name",
    ("display", "mismatch"): "panel shows something else",
    ("update", "refused"): "update taken back",
    ("software", "unsupported"): "out of support",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What is to be seen of the sign at a moment; `lit` None: nobody knows what the panel shows."""

    has_display: bool = True
    lit: Face | None = None
    dark_by_plan: bool = False
    vehicles: int = 0  # since the start
    faults: tuple[Fault, ...] = ()

    @property
    def under_control(self) -> bool:
        """Nothing can be lit that is not meant."""
        return not self.has_display or self.lit is not None


@dataclass(slots=True)
class FaultAges:
    """Since when each fault is there."""

    _since_s: dict[tuple[str, str], float] = field(default_factory=dict)

    def words(self, faults: Iterable[Fault], now_s: float) -> list[str]:
        """Each kind of fault in a few words, with how long it has lasted; the oldest first."""
        found = dict.fromkeys((fault.device, fault.code) for fault in faults)
        self._since_s = {key: self._since_s.get(key, now_s) for key in found}
        return [_fault(key, now_s - since_s) for key, since_s in _oldest_first(self._since_s)]


def sentence(sight: Sight, faults: list[str], *, ready: bool) -> str:
    """The line: what is lit, what was counted, what is wrong.

    >>> sentence(Sight(lit=Face(47), vehicles=1203), ["broker away for 3 h"], ready=True)
    'showing 47; 1,203 vehicles since the start; broker away for 3 h'
    """
    parts = [_face(sight, ready=ready), _counted(sight.vehicles), *faults[:_FAULTS]]
    if len(faults) > _FAULTS:
        parts.append(f"{len(faults) - _FAULTS} more faults")
    return one_line("; ".join(parts))


def one_line(text: str, longest: int = LONGEST) -> str:
    r"""Without what a terminal or the protocol would take for an order, and not too long.

    >>> one_line("a\nREADY=1\x1b[2J", 100)
    'a READY=1 [2J'
    """
    if not text.isprintable():  # hardly ever; this is called each second
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    clean = " ".join(text.split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def age(seconds: float) -> str:
    """How long, in the words of a glance; empty below a minute.

    >>> age(30), age(600), age(3 * 3600), age(400_000)
    ('', '10 min', '3 h', '4 d')
    """
    for length_s, from_s, unit in ((86_400, 172_800, "d"), (3600, 7200, "h"), (60, 60, "min")):
        if seconds >= from_s:
            return f"{int(seconds // length_s)} {unit}"
    return ""


def _face(sight: Sight, *, ready: bool) -> str:
    if not sight.has_display:
        return "measuring, without a panel"
    if sight.lit is None:
        why = next((fault.text for fault in sight.faults if fault.device == "display"), "")
        state = "the panel is not under control" if ready else "starting, waiting for the panel"
        return f"{state} ({one_line(why, _SENTENCE)})" if why else state
    if sight.lit.is_blank:
        return "dark by plan" if sight.dark_by_plan else "dark, nobody to be shown a speed"
    return f"showing {sight.lit}"


def _counted(vehicles: int) -> str:
    return f"{vehicles:,} {'vehicle' if vehicles == 1 else 'vehicles'} since the start"


def _fault(key: tuple[str, str], lasted_s: float) -> str:
    words = _WORDS.get(key) or " ".join(key).replace("_", " ")
    long = age(lasted_s)
    return f"{words} for {long}" if long else words


def _oldest_first(since_s: Mapping[tuple[str, str], float]) -> list[tuple[tuple[str, str], float]]:
    return sorted(since_s.items(), key=lambda item: item[1])
