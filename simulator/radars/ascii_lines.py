"""What radars of the ASCII dialects write for a speed, one function a form.

Facts: Houston SS300 manual, page 7, and its variable RS; Icoms TMA-296 manual, 2.2.4.1; Decatur SI-3 manual,
page 15; Stalker Speed Sensor user guide, formats A and S; Hikvision CSR-I manual, format 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """One measurement as it is written; None instead of it: nothing moves."""

    speed: float  # in the radar's unit, positive approaching
    unit: str  # km/h or mph
    strength: float
    range_m: float


Form = Callable[[Said | None], bytes]


def _sign(said: Said) -> str:
    return "+" if said.speed >= 0 else "-"


def _whole(said: Said) -> str:
    return f"{min(round(abs(said.speed)), 999):03d}"


def _tenths(said: Said) -> str:
    return f"{min(abs(said.speed), 999.9):05.1f}"


def unsigned(end: bytes) -> Form:
    """`015`; idle `000`."""
    return lambda said: (b"000" if said is None else _whole(said).encode()) + end


def signed(end: bytes, idle: bytes = b"?000") -> Form:
    """`+015`; idle `?000`, or nothing where `idle` is empty."""

    def form(said: Said | None) -> bytes:
        if said is None:
            return idle + end if idle else b""
        return f"{_sign(said)}{_whole(said)}".encode() + end

    return form


def _icoms(write: Callable[[Said], str]) -> Form:
    return lambda said: b"" if said is None else f"{write(said)}\r\n".encode()


def _icoms_2(said: Said) -> str:
    return f"{_whole(said)}{'M' if said.unit == 'mph' else 'K'}{'I' if said.speed >= 0 else 'O'}"


def si3(*, directional: bool) -> Form:
    """`123.4` CR, with a sign where all targets are reported directionally; idle `000.0`."""

    def form(said: Said | None) -> bytes:
        if said is None:
            return b"000.0\r"
        return f"{_sign(said) if directional else ''}{_tenths(said)}\r".encode()

    return form


def stalker_tenths(said: Said | None) -> bytes:
    """Format A with tenths."""
    return b"000.0\r" if said is None else f"{_tenths(said)}\r".encode()


def stalker_s(said: Said | None) -> bytes:
    """Format S, 19 bytes; the peak is the live speed, the ratio 10, the status a space."""
    if said is None:
        return b" " * 18 + b"\r"
    speed = f"{min(round(abs(said.speed) * 10), 9999):4d}"
    way = "C" if said.speed >= 0 else "A"
    return f" {way}{speed}{way}{speed}{min(round(said.strength), 999):3d} 10 \r".encode()


# By profile, then by the name that the maker gives the form; the first is the one it starts with.
FORMS: Mapping[str, Mapping[str, Form]] = {
    "houston": {
        "6": signed(b"\r\n"),
        "3": unsigned(b"\r\n"),
        "4": signed(b"\r"),
        "5": unsigned(b"\r"),
    },
    "icoms": {
        "6": _icoms(
            lambda said: f"{_sign(said)}{_whole(said)} {said.unit} {min(round(said.range_m), 999):03d} m"
        ),
        "1": _icoms(lambda said: f"{_sign(said)}{_whole(said)} {said.unit}"),
        "2": _icoms(_icoms_2),
        "3": signed(b"\r\n", idle=b""),
        "4": _icoms(lambda said: f"*S{_whole(said)}"),
        "5": _icoms(lambda said: f"s{_whole(said)}"),
    },
    "si3": {"1": si3(directional=True), "0": si3(directional=False)},
    "stalker": {"S": stalker_s, "A": unsigned(b"\r"), "A.": stalker_tenths},
    "csr": {"2": signed(b"", idle=b"*000")},
}
