"""The lines of radars that say a speed in ASCII, and the dialects that are made of them.

Sources: Houston Radar SS300 manual, page 7 (`[?,+]nnn`); Icoms TMA-296 manual, section 2.2.4.1 (message
types 1 to 6: + approaches, - recedes); Decatur SI-3 manual, page 15 and appendix A; Stalker Speed Sensor
user guide (format A with its options, format S of 19 bytes); Hikvision CSR-I manual, pages 12 to 14.

Three digits are the rule in all of them. That is the only protection there is: a field that is shorter
has lost something, and a digit that was changed into another digit cannot be seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from speedsign.model import Direction, Unit

_SIGNS = {
    "+": Direction.APPROACHING,
    "-": Direction.RECEDING,
    "C": Direction.APPROACHING,
    "A": Direction.RECEDING,
}
_SIGNS |= {"I": Direction.APPROACHING, "O": Direction.RECEDING}  # Icoms type 2: inbound, outbound
_UNIT_LETTERS = {"K": "km/h", "M": "mph"}

_UNIT = r"(?P<unit>(?i:km/h|kmh|kph|mph|m/s|mps|ft/s|fps))"

# Shapes of lines. A short or a padded one may be the rest of another line, or of a digit that was lost.
SHORT, PADDED = "short", "padded"
PLAIN, SIGNED, RANGED, LIVE, OTHER = "plain", "signed", "ranged", "live", "other"


@dataclass(frozen=True, slots=True)
class Line:
    """One line understood: a value in the radar's unit, zero when it sees nothing."""

    shape: str
    value: float
    direction: Direction
    unit: str = ""  # as the line states it
    range_m: float | None = None
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A line as a pattern with the groups speed, sign, unit, range, strength."""

    shape: str
    pattern: re.Pattern[str]


def _form(shape: str, pattern: str) -> Form:
    return Form(shape, re.compile(pattern))


# CSR format 2; Houston and Icoms type 3, where the sign may be off.
VALUE = _form(SIGNED, r"(?P<sign>[-+*])(?P<speed>\d{3})")
WHOLE = _form(PLAIN, r"(?P<sign>[-+?*])?(?P<speed>\d{3})")
# Stalker A: "065", "065.4", "100MPH", perhaps " 65"; Decatur "123.4".
NUMBER = _form(PLAIN, rf"(?P<sign>[-+?*])?(?P<speed>\d{{3}}(?:\.\d)?)(?: ?{_UNIT})?")
SPACED = _form(PADDED, rf"(?P<speed>(?: \d\d|  \d)(?:\.\d)?)(?: ?{_UNIT})?")
# Decatur without leading zeros; the manual's only example has three digits.
UNPADDED = _form(SHORT, r"(?P<sign>[-+])?(?P<speed>(?:[1-9]\d?|0)\.\d)")
# Icoms types 1 and 6.
WORDED = _form(OTHER, rf"(?P<sign>[-+?*])?(?P<speed>\d{{3}}) {_UNIT}(?: {{1,2}}(?P<range>\d{{3}}) m)?")
# Icoms type 2, and types 4 and 5.
LETTERED = _form(OTHER, r"(?P<speed>\d{3})(?P<unit>[KM])(?P<sign>[IO])")
MARKED = _form(OTHER, r"(?:\*S|s)(?P<speed>\d{3})")
# Stalker S: peak direction and speed (left out), live direction and speed, strength, ratio. The first byte
# and the status, which is the last, are not known well enough to insist on them.
_TENTHS = r"(?:\d{3}| \d\d|  \d|   )[\d ]"
_FIELD = r"(?:\d{3}| \d\d|  \d|   )"
FORMAT_S = _form(
    LIVE, rf"(?s:.?)[AC ]{_TENTHS}(?P<sign>[AC ])(?P<speed>{_TENTHS})(?P<strength>{_FIELD}){_FIELD}(?s:.?)"
)

# Lines whose ends were lost on the way, one behind the other: only where each has a fixed length.
_GLUED = re.compile(r"(?:\d{3}){2,}|(?:\d{3}\.\d){2,}|(?:\d{3}[KM][IO]){2,}|(?:s\d{3}){2,}")
_ONE_GLUED = re.compile(r"\d{3}\.\d|\d{3}[KM][IO]|s?\d{3}")

# What a frame that was cut, or noise, leaves behind. Anything else is a line of text: its "-050" is no speed.
CUT = re.compile(r"[-+?*]?[Ss]?[0-9 .]*[kmphftsKMPHIOAC/ 0-9.]*", re.DOTALL)
_NOT_PRINTED = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class Profile:
    """A dialect: its forms, and the bytes that can only be the beginning of one."""

    name: str
    forms: tuple[Form, ...]
    starts: bytes
    units: tuple[Unit, ...] = (Unit.KMH, Unit.MPH, Unit.MPS)
    max_kmh: float = 320.0  # 199 mph
    acknowledges: bool = False  # OK LF CR may land anywhere
    blanks: bool = False  # says nothing but spaces when nothing moves
    bursts: bool = False  # says FE FD … FD FE when it starts
    unended: bool = False  # four characters and no line end


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "any",
            (NUMBER, SPACED, UNPADDED, WORDED, LETTERED, MARKED, FORMAT_S),
            b"+-?*",
            acknowledges=True,
            blanks=True,
            bursts=True,
        ),
        Profile("houston", (WHOLE,), b"+-?"),
        Profile("icoms", (WHOLE, WORDED, LETTERED, MARKED), b"+-*", units=(Unit.KMH, Unit.MPH)),
        Profile("si3", (NUMBER, UNPADDED), b"+-", acknowledges=True),
        Profile("stalker", (NUMBER, SPACED, FORMAT_S), b"", blanks=True),
        Profile("csr", (VALUE,), b"+-*", units=(Unit.KMH,), max_kmh=240.0, bursts=True, unended=True),
    )
}


def read(text: str, profile: Profile, *, glued: bool = False) -> list[Line]:
    """The line in a text, or with `glued` several that have lost their ends; empty when it is none.

    >>> read("050KI", PROFILES["icoms"])[0].value
    50.0
    """
    line = _one(text, profile)
    if line is not None:
        return [line]
    if not glued or not _GLUED.fullmatch(text):
        return []
    lines = [_one(part, profile) for part in _ONE_GLUED.findall(text)]
    return [one for one in lines if one is not None] if None not in lines else []


def is_cut(text: str) -> bool:
    """Whether this can be what is left of a frame, or noise, rather than words."""
    return CUT.fullmatch(_NOT_PRINTED.sub("", text)) is not None


def _one(text: str, profile: Profile) -> Line | None:
    for form in profile.forms:
        found = form.pattern.fullmatch(text if form is FORMAT_S else _trimmed(text))
        if found:
            return _line(form.shape, found)
    return None


def _trimmed(text: str) -> str:
    """Without spaces at its end. `010 ` stays: it is how format S ends, and no speed."""
    trimmed = text.rstrip(" ")
    bare = not trimmed.strip("0123456789 +-?*")
    return text if bare and len(text) - len(trimmed) == 1 else trimmed


def _line(shape: str, found: re.Match[str]) -> Line | None:
    groups = found.groupdict()
    sign = groups.get("sign") or ""
    word = groups.get("unit") or ""
    reach, strength = groups.get("range"), (groups.get("strength") or "").strip()
    value = _tenths(groups["speed"]) if shape == LIVE else float(groups["speed"])
    if shape == LIVE and value and sign == " ":
        return None  # a speed that goes nowhere: a byte was lost, and the fields are shifted
    if reach:
        shape = RANGED
    elif shape == SHORT:
        shape += str(len(groups["speed"]))
    elif shape == PLAIN and (sign or word or "." in groups["speed"]):
        shape = SIGNED if sign else OTHER
    return Line(
        shape,
        value,
        _SIGNS.get(sign, Direction.UNKNOWN),
        _UNIT_LETTERS.get(word, word.lower()),
        float(reach) if reach else None,
        float(strength) or None if strength else None,
    )


def _tenths(field: str) -> float:
    """Hundreds, tens, ones and tenths; any may be a space.

    >>> _tenths("0612"), _tenths(" 65 "), _tenths("    ")
    (61.2, 65.0, 0.0)
    """
    return float(f"{field[:3].strip() or 0}.{field[3].strip() or 0}")
