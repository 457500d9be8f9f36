"""What panels have in common: a face laid out in cells, steps of brightness, the register that blinks."""

from __future__ import annotations

from typing import Literal

from speedsign.model import Face
from speedsign.ports import Capabilities, WriteRegisters


def laid_out(face: Face, capabilities: Capabilities, pad: Literal["left", "right"] = "left") -> str:
    """The face, one character a digit of the panel; `pad` is where the dark ones stand.

    The whole number or the whole word, as it is written, or nothing: never cut, never transliterated.
    """
    text = face.word
    if text:
        fits = len(text) <= capabilities.cells and capabilities.glyphs.issuperset(text)
    else:
        text = "" if face.number is None else str(face.number)
        fits = shows(face.number, capabilities.digits)
    shown = text if fits else ""
    return shown.rjust(capabilities.digits) if pad == "left" else shown.ljust(capabilities.digits)


def shows(number: int | None, digits: int) -> bool:
    """Whether a number stands in so many digits."""
    return number is not None and 0 <= number < 10**digits


def step_of(level: float, lowest: int, highest: int) -> int:
    """The step of a brightness register for 0 (dimmest) to 1."""
    return lowest + round(min(1.0, max(0.0, level)) * (highest - lowest))


class BlinkRegister:
    """When the register that makes a panel blink has to be written.

    Not at all while nothing blinks, so that a number is one request. From the first face that blinks on
    with every face: none is ever left blinking by the one before it.
    """

    def __init__(self, address: int, on: int, *, single: bool = False) -> None:
        self._address, self._on, self._single = address, on, single
        self._used = False

    def off(self) -> WriteRegisters:
        return WriteRegisters(self._address, (0,), self._single)

    def writes(self, face: Face) -> tuple[WriteRegisters, ...]:
        """What goes behind the request that writes the face itself."""
        if face.blink and not face.is_blank:
            self._used = True
            return (WriteRegisters(self._address, (self._on,), self._single),)
        return (self.off(),) if self._used else ()
