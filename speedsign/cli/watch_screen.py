"""The picture of `speedsign watch`: rows of text for a terminal of any size, without colour or a clock.

Pure ASCII but for names from a config. What matters most stands on top: a phone with its keyboard open shows
ten rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from speedsign.cli.watch_model import Model, listed, number
from speedsign.cli.watch_rows import UNSEEN_S, fit, reading_row, track_row, vehicle_row

WIDE = 60  # columns from which rows have words instead of abbreviations
BIG_ROWS = 5
BIG_FROM_ROWS = 18  # fewer rows: the number stands in a line of its own
MOST_FAULTS, FAULT_ROWS = 2, 3  # what is told of them on a small screen
PLAIN, TITLE, BAD = "", "title", "bad"

_DIGITS = {
    "0": ("####", "#  #", "#  #", "#  #", "####"),
    "1": ("  # ", " ## ", "  # ", "  # ", " ###"),
    "2": ("####", "   #", "####", "#   ", "####"),
    "3": ("####", "   #", " ###", "   #", "####"),
    "4": ("#  #", "#  #", "####", "   #", "   #"),
    "5": ("####", "#   ", "####", "   #", "####"),
    "6": ("####", "#   ", "####", "#  #", "####"),
    "7": ("####", "   #", "  # ", " #  ", " #  "),
    "8": ("####", "#  #", "####", "#  #", "####"),
    "9": ("####", "#  #", "####", "   #", "####"),
}


class Row(NamedTuple):
    """One row of the screen; `style` is for terminals with colours, the text says it too."""

    text: str
    style: str = PLAIN


class Section(NamedTuple):
    """A title and its rows, the newest first; `least` rows are given before others get more."""

    title: str
    rows: Sequence[str]
    least: int


def draw(model: Model, columns: int, rows: int) -> list[Row]:
    """At most `rows` rows, each of at most `columns` columns."""
    top = [*_head(model, columns), *_panel(model, columns, rows)]
    below = _share(_sections(model, columns), rows - len(top))
    return [Row(fit(row.text, columns), row.style) for row in (*top, *below)][:rows]


# --------------------------------------------------------------------------- the top


def _head(model: Model, columns: int) -> Iterator[Row]:
    hello, state = model.hello, model.state
    who = str(hello.get("sign") or model.own_radar or "waiting for the sign")
    angle = number(hello.get("mounting_angle_deg"))
    radar = str(hello.get("radar") or "") + (f" {angle:g} deg" if angle else "")
    limit = number(state.get("limit_kmh"))
    left = "  ".join(filter(None, (who, radar, f"limit {limit:g}" if limit else "")))
    yield Row(_sides(left, _clock(state, columns), columns), TITLE)
    wide = columns >= WIDE
    if model.away:
        yield Row(
            "THE SIGN HAS GONE AWAY; waiting for it, q ends" if wide else "SIGN GONE, waiting; q ends", BAD
        )
        return
    if model.own_radar:
        text = "no sign runs: the radar is heard here, the panel is not looked at"
        yield Row(text if wide else "no sign runs: radar alone", BAD)
        return
    faults = [one for one in listed(state.get("faults")) if isinstance(one, dict)]
    for fault in faults[:MOST_FAULTS]:
        yield from (Row(part, BAD) for part in wrap(f"FAULT {fault.get('text')}", columns)[:FAULT_ROWS])
    if len(faults) > MOST_FAULTS:
        yield Row(f"and {len(faults) - MOST_FAULTS} more: speedsign doctor", BAD)
    if not faults:
        yield Row(_sides(_well(model, columns), "q ends", columns))


def _clock(state: dict[str, Any], columns: int) -> str:
    utc = str(state.get("utc") or "")[11:19]
    if not utc:
        return ""
    doubt = "" if state.get("clock") == "ok" else "?"
    return f"{utc}{doubt} UTC" if columns >= WIDE else f"{utc}{doubt}"


def _well(model: Model, columns: int) -> str:
    parts = ["no faults" if columns >= WIDE else "ok"] if model.state else ["listening"]
    if (coverage := model.coverage) is not None:
        parts.append(f"radar measuring {coverage:.0%}" if columns >= WIDE else f"radar {coverage:.0%}")
    noise = number(model.state.get("noise_kmh"))
    if noise is not None:
        parts.append(f"noise {noise:.1f}" + (" km/h" if columns >= WIDE else ""))
    if model.counts["skipped"]:
        parts.append(f"link too slow: {model.counts['skipped']} lines lost")
    return ", ".join(parts)


def _sides(left: str, right: str, columns: int) -> str:
    """One at each end where both fit, else the left one."""
    gap = columns - len(left) - len(right)
    return left + " " * gap + right if right and gap >= 2 else left


def _panel(model: Model, columns: int, rows: int) -> list[Row]:
    lit, words = _lit(model)
    if rows < BIG_FROM_ROWS:
        text = f"{lit or 'dark':>4}  {', '.join(words[1:] or words)}"
        parts = wrap(text, columns, subsequent_indent=" " * 6)
        return [Row(part) for part in [*parts, ""][: 1 if columns >= WIDE else 2]]
    big = _big(lit)
    room = max(columns - len(big[0]) - 2, 8)
    beside = [part for text in words for part in wrap(text, room)][:BIG_ROWS]
    beside += [""] * (BIG_ROWS - len(beside))
    return [Row(f"{left}  {right}".rstrip()) for left, right in zip(big, beside, strict=True)]


def _lit(model: Model) -> tuple[str, list[str]]:
    """What is lit (empty: dark), and what is to be said of it."""
    if model.own_radar:
        best = next((one for one in model.tracks if one.get("confirmed")), None)
        speed = number(best.get("speed_kmh")) if best else None
        return ("", ["nobody is seen"]) if speed is None else (f"{speed:.0f}", ["seen, shown to nobody"])
    shown = model.shown
    if not shown:
        return "?", ["not known"]
    lit, face = shown.get("lit"), shown.get("face")
    text = str(shown.get("text") or "")
    if shown.get("why") == "no_panel":
        return "", [text]
    lit_text = face_text(lit)
    words = [f"PANEL {lit_text or 'dark'}{_extras(lit)}" if lit is not None else "PANEL not known", text]
    if lit is not None and lit != face:
        words.insert(1, f"wants {face_text(face) or 'dark'}, not confirmed yet")
    return (lit_text if lit is not None else "?"), words


def face_text(face: object) -> str:
    """A face in short; empty: dark."""
    if not isinstance(face, dict):
        return ""
    if face.get("word"):
        return str(face["word"])
    return "" if face.get("number") is None else str(face["number"])


def _extras(face: object) -> str:
    if not isinstance(face, dict):
        return ""
    return "".join(
        f", {name}" for key, name in (("blink", "blinking"), ("beacon", "beacon")) if face.get(key)
    )


def _big(text: str) -> list[str]:
    """Digits of five rows; a word, or darkness, in the middle row."""
    if text and all(char in _DIGITS for char in text):
        return [" " + "  ".join(_DIGITS[char][row] for char in text).ljust(16) for row in range(BIG_ROWS)]
    middle = f"   {text or '-'}".ljust(17)
    return [middle if row == BIG_ROWS // 2 else " " * len(middle) for row in range(BIG_ROWS)]


# --------------------------------------------------------------------------- the sections


def _sections(model: Model, columns: int) -> list[Section]:
    wide = columns >= WIDE
    counts = model.counts
    readings = [reading_row(model, one, wide=wide) for one in model.readings]
    tracks = [track_row(one, wide=wide) for one in sorted(model.tracks, key=_matters)]
    rejected = [f"{n:5d} x {reason}" for reason, n in reversed(model.rejected.items())]
    passed = [vehicle_row(model, one, wide=wide) for one in model.vehicles]
    at = _WIDE_COLUMNS if columns >= WIDE else _NARROW_COLUMNS
    return [
        Section(_title("IN SIGHT", at[0]), tracks, 2),
        Section(f"{_title('READINGS', at[1])}  ({counts['readings']})", readings, 2),
        Section(f"{_title('PASSED', at[2])}  ({counts['vehicles']})", passed, 1),
        Section(f"REJECTED  ({counts['rejected']})", rejected, 1),
    ]


def _matters(track: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """Who is shown first, then who is seen, then who is a vehicle."""
    unseen = (number(track.get("unseen_s")) or 0.0) > UNSEEN_S
    return not track.get("shown"), unseen, not track.get("confirmed")


_WIDE_COLUMNS = (  # above what watch_rows makes
    " " * 19 + "km/h    n    age  strength",
    " " * 21 + "km/h  strength",
    " " * 21 + "km/h entry  exit    n",
)
_NARROW_COLUMNS = (" " * 12 + "km/h    n   age", " " * 14 + "km/h", " " * 14 + "km/h")


def _title(name: str, columns: str) -> str:
    return name + columns[len(name) :]


def _share(sections: list[Section], rows: int) -> list[Row]:
    """Each its least rows while there is room, in order; what is left by turns.

    Whatever there is to be told, each stands where it stood: nothing jumps, and little has to be sent.
    """
    given, left = [0] * len(sections), rows
    for i, section in enumerate(sections):
        if left >= section.least + 1:
            given[i] = section.least
            left -= section.least + 1
    turns = [i for i in _TURNS if given[i]]
    for i in range(left if turns else 0):
        given[turns[i % len(turns)]] += 1
    out: list[Row] = []
    for section, n in zip(sections, given, strict=True):
        if n:
            out.append(Row(section.title, TITLE))
            out += [Row(text) for text in (*section.rows, *[""] * n)[:n]]
    return out


_TURNS = (1, 0, 2, 3, 1, 0, 2, 1)  # who gets the next row that is left: readings most
