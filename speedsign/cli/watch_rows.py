"""One row each of `speedsign watch`: a track, a reading, a vehicle; wide for a screen, narrow for a phone."""

from __future__ import annotations

from math import log10
from typing import Any
from unicodedata import category, combining, east_asian_width

from speedsign.cli.watch_model import Model, listed, number, word

BAR, BAR_DB = 10, 40.0  # the strength bar's length, and what it spans
UNSEEN_S = 0.7


def fit(text: str, columns: int) -> str:
    """As much of it as fits, by what a terminal makes of each character; nothing that moves its cursor."""
    taken, width = "", 0
    for char in text:
        harmless = category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        wide = 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1
        if width + wide > columns:
            break
        taken, width = taken + (char if harmless else "?"), width + wide
    return taken.rstrip()


_WAYS = {"approaching": "appr", "receding": "rec", "unknown": "?"}


def _way(line: Any, *, wide: bool) -> str:
    way = word(line.get("direction"))
    return f"{way:<11}" if wide else f"{_WAYS.get(way, way):<4}"


def _kmh(value: object) -> str:
    speed = number(value)
    return "    -" if speed is None else f"{speed:5.1f}"


def track_row(track: Any, *, wide: bool) -> str:
    """One that moves in sight: * is what the panel is for, ? is not sure yet."""
    mark = "*" if track.get("shown") else " " if track.get("confirmed") else "?"
    unseen_s, strength = number(track.get("unseen_s")) or 0.0, number(track.get("strength"))
    rest = [f"unseen {unseen_s:.1f} s"] if unseen_s > UNSEEN_S else []
    rest += [f"{range_m:.0f} m"] if (range_m := number(track.get("range_m"))) is not None else []
    rest += map(str, listed(track.get("flags")))
    way, age_s = _way(track, wide=wide), number(track.get("age_s")) or 0.0
    head = f"{mark}{_count(track.get('id'))} {way} {_kmh(track.get('speed_kmh'))}"
    head += f" {_count(track.get('readings'))}"
    if not wide:
        return f"{head} {age_s:5.1f} {' '.join(rest)}"
    return f"{head} {age_s:6.1f} {_strength(strength):>9}  {' '.join(rest)}"


def _strength(strength: float | None) -> str:
    return "" if strength is None else f"{strength:.1f}" if strength < 1000 else f"{strength:.0f}"


def reading_row(model: Model, line: Any, *, wide: bool) -> str:
    """One reading, with how strong it is."""
    strength, range_m = number(line.get("strength")), number(line.get("range_m"))
    t_s = model.since(line.get("t_s")) % 10_000
    head = f"{t_s:7.2f} {_way(line, wide=wide)} {_kmh(line.get('speed_kmh'))}"
    far = "" if range_m is None else f" {range_m:.0f} m"
    bar = strength_bar(strength, model.peak_strength)
    if not wide:
        return f"{head} {bar}{far}"
    return f"{head} {_strength(strength):>9} {bar:<{BAR}}{far}"


def strength_bar(strength: float | None, peak: float) -> str:
    """Decibels below the strongest echo so far: ten marks span 40 dB."""
    if not strength or strength <= 0.0 or peak <= 0.0:
        return ""
    part = 1.0 + 20.0 * log10(strength / peak) / BAR_DB
    return "#" * max(min(round(part * BAR), BAR), 0)


def vehicle_row(model: Model, line: Any, *, wide: bool) -> str:
    """One that has passed, and what it got to see."""
    t_s = model.since(line.get("t_s")) % 10_000
    head = f"{t_s:7.1f} {_way(line, wide=wide)} {_kmh(line.get('speed_kmh'))}"
    seen = got_to_see(line)
    flags = " ".join(map(str, listed(line.get("flags"))))
    if not wide:
        return f"{head} {seen} {flags}"
    ends = f"{_kmh(line.get('entry_kmh'))} {_kmh(line.get('exit_kmh'))}"
    return f"{head} {ends} {_count(line.get('readings'))}  {seen} {flags}"


def got_to_see(line: Any) -> str:
    """What a vehicle was shown: "shown over", "blank"; empty where nobody knows."""
    return " ".join(filter(None, (word(line.get("display")), word(line.get("zone")))))


def _count(value: object) -> str:
    return f"{int(number(value) or 0):4d}"
