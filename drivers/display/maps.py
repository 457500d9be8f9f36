"""Which panel is it? What a device answered to harmless reads, held against the maps we know.

Pure. Modbus has no name plate that these devices carry: a map is told by the registers in which a device
keeps its own id and baud rate, and by what it can be asked at all. Hence three degrees: sure, likely, fits
too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.display.scan_frames import (
    READ_COILS,
    READ_HOLDING,
    READ_INPUTS,
    WRITE_REGISTERS,
    Answer,
    Heard,
    Question,
    printable,
)

FIRST = Question(READ_HOLDING, 0)
TEN = Question(READ_HOLDING, 0, 10)  # DM56A04: digits, value, blink, brightness
SIX = Question(READ_HOLDING, 0, 6)  # TM1650 and LED-485 of 2024: their id and baud code; Fema: up to here
TWO = Question(READ_HOLDING, 0, 2)  # Fema: value and decimals
IDENTITY = Question(READ_HOLDING, 0xFD, 3)  # DM56A04: id, baud code, parity
LED_SETUP = Question(READ_HOLDING, 0x23, 3)  # LED-485 of 2014: id, brightness, decimals
LED_KEYS = Question(READ_HOLDING, 0x1D)  # LED-485 of 2014: a counter of keys
COIL = Question(READ_COILS, 0)
COILS = Question(READ_COILS, 0, 3)  # Fema: its relays
INPUT = Question(READ_INPUTS, 0)

# What a device is asked that is there, and what one is asked that does not answer the first question.
FINGERPRINT = (TEN, SIX, TWO, IDENTITY, LED_SETUP, LED_KEYS, COIL, COILS, INPUT)
OTHER_FIRSTS = (COIL, LED_KEYS, INPUT)

# Dark, written where no map that we know keeps an id, a baud rate or a reset: register 2 is the brightness of
# one panel and the id of another, so more than this is not written to a device that is not known.
DARK_TEXT = Question(WRITE_REGISTERS, 0x70, 6, (0x2020,) * 6)  # LED-485 of 2014
DARK_SEGMENTS = Question(WRITE_REGISTERS, 0x80, 3, (0,) * 3)  # LED-485 of 2024 with six digits …
DARK_FOUR = Question(WRITE_REGISTERS, 0x80, 2, (0,) * 2)  # … and with four
ZERO = Question(WRITE_REGISTERS, 0, 1, (0,))  # TM1650 and others: the value
WRITES = (DARK_TEXT, DARK_SEGMENTS, DARK_FOUR, ZERO)

BAUD_CODES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)  # 0-7
_PARITY_CODES = "NEO"

_USUAL_S = 0.18  # an answer that comes within this has time to spare in the usual 0.24 s
_SPARE, _SPARE_S = 1.4, 0.05  # what is written to may take longer than what is read
_LONGEST_S = 2.0  # that the config takes


class Sureness(StrEnum):
    """How far a map is believed."""

    SURE = "sure"
    LIKELY = "likely"
    FITS = "fits too"


_RANK = {Sureness.SURE: 0, Sureness.LIKELY: 1, Sureness.FITS: 2}


@dataclass(frozen=True, slots=True)
class Guess:
    """One map that explains the answers. `driver` None: no panel, but what the title says."""

    title: str
    driver: str | None
    profile: str | None
    sureness: Sureness
    because: str


@dataclass(slots=True)
class Device:
    """Somebody at a unit id. `baud` None: behind TCP, where nobody knows it."""

    unit: int
    baud: int | None
    parity: str = "N"
    answers: dict[Question, Answer] = field(default_factory=dict)
    slowest_s: float = 0.0  # of its answers

    def note(self, answer: Answer) -> None:
        """Keep it; what was silent before does not replace an answer."""
        if answer.somebody:
            self.slowest_s = max(self.slowest_s, answer.took_s)
        before = self.answers.get(answer.question)
        if before is None or answer.somebody or not before.somebody:
            self.answers[answer.question] = answer

    def values(self, question: Question) -> tuple[int, ...] | None:
        answer = self.answers.get(question)
        return answer.values if answer is not None and answer.heard is Heard.VALUES else None

    def took(self, *writes: Question) -> bool:
        """Whether it acknowledged one of these writes."""
        return any(self.values(write) is not None for write in writes)

    @property
    def baud_code(self) -> int | None:
        """As most makers number the rates."""
        return BAUD_CODES.index(self.baud) if self.baud in BAUD_CODES else None

    def is_baud(self, code: int, first: int = 0) -> bool:
        """Whether a register can be the code of the rate it was met at; `first`: the code of 1200."""
        known = self.baud_code
        return first <= code < first + len(BAUD_CODES) if known is None else code == known + first

    @property
    def timeout_s(self) -> float | None:
        """What [display] timeout_s has to be; None: what it is unless set does."""
        if self.slowest_s <= _USUAL_S:
            return None
        return min(math.ceil((_SPARE * self.slowest_s + _SPARE_S) / _SPARE_S) * 5 / 100, _LONGEST_S)

    @property
    def readable(self) -> bool:
        """Whether any read told something."""
        return any(one.heard is Heard.VALUES and not one.question.words for one in self.answers.values())


def guesses(device: Device) -> list[Guess]:
    """Every map that explains the answers, the surest first; never none."""
    found = [guess for look in _LOOKS if (guess := look(device)) is not None]
    found.sort(key=lambda guess: _RANK[guess.sureness])
    certain = [guess for guess in found if guess.sureness is Sureness.SURE]
    return certain or found or [_unknown(device)]


def _dm56a04(device: Device) -> Guess | None:
    identity, ten = device.values(IDENTITY), device.values(TEN)
    if identity is None:
        return None
    unit, code, parity = identity
    if unit != device.unit or code >= len(BAUD_CODES) or parity >= len(_PARITY_CODES):
        return None
    because = f"registers 0xFD-0xFF hold its own id ({unit}), baud code ({code}) and parity ({parity})"
    if not device.is_baud(code) or _PARITY_CODES[parity] != device.parity:
        because = f"{because}, though it answers at another setting: one that counts from its next start on?"
        return _guess("DM56A04 / DM36B06", "dm56a04", None, Sureness.LIKELY, because)
    if ten is None or not 1 <= ten[9] <= 8:
        return _guess("DM56A04 / DM36B06", "dm56a04", None, Sureness.LIKELY, because)
    text = printable(ten[:6])
    shows = f'; its digits hold "{text}"' if text is not None else ""
    because = f"{because}, and registers 0-9 can be read{shows}"
    return _guess("DM56A04 / DM36B06", "dm56a04", None, Sureness.SURE, because)


def _tm1650(device: Device) -> Guess | None:
    six = device.values(SIX)
    if six is None or six[5] != device.unit or not device.is_baud(six[4]):
        return None
    because = (
        f"registers 4 and 5 hold its baud code ({six[4]}) and id ({six[5]}); its reads are not documented"
    )
    return _guess("TM1650 / STC8G module", "tm1650", None, Sureness.LIKELY, because)


def _led485_2024(device: Device) -> Guess | None:
    six = device.values(SIX)
    if six is not None and six[2] == device.unit and device.is_baud(six[3], first=1):
        because = f"registers 2 and 3 hold its id ({six[2]}) and baud code ({six[3]})"
    elif device.took(DARK_SEGMENTS, DARK_FOUR):
        because = "it took dark segments at 0x80"
    else:
        return None
    return _guess("LED-485, map of 2024", "led485", "2024", Sureness.LIKELY, because)


def _led485_2014(device: Device) -> Guess | None:
    setup = device.values(LED_SETUP)
    sureness = Sureness.LIKELY
    if setup is not None and setup[0] == device.unit and setup[1] <= 7:
        because = f"registers 0x23 and 0x24 hold its id ({setup[0]}) and a brightness ({setup[1]})"
    elif device.took(DARK_TEXT):
        because = "it took a text of spaces at 0x70"
        sureness = Sureness.FITS if device.took(DARK_SEGMENTS, DARK_FOUR) else Sureness.LIKELY
    elif device.values(LED_KEYS) is not None and device.values(FIRST) is None:
        because, sureness = "register 0x1D (its keys) can be read, and register 0 cannot", Sureness.FITS
    else:
        return None
    return _guess("LED-485, map of 2014", "led485", "2014", sureness, because)


def _fema(device: Device) -> Guess | None:
    two = device.values(TWO)
    if two is None or two[1] > 5 or device.values(COILS) is None or device.values(IDENTITY) is not None:
        return None
    because = "registers 0-1 and coils 0-2 can be read"
    if device.values(SIX) is None or device.values(TEN) is not None:
        return _guess("Fema Bxx-RTU", "fema", None, Sureness.FITS, because)
    because = f"{because}, registers 0-5 too, and no more; it holds {two[0]}, {two[1]} decimals"
    return _guess("Fema Bxx-RTU", "fema", None, Sureness.LIKELY, because)


def _value_only(device: Device) -> Guess | None:
    if not device.took(ZERO) or device.readable:
        return None
    because = "it took 0 at register 0 and answers no reads; look whether it shows 0"
    return _guess("TM1650 / STC8G module", "tm1650", None, Sureness.FITS, because)


def _relays(device: Device) -> Guess | None:
    if device.values(COIL) is None or device.values(FIRST) is not None:
        return None
    because = "coils can be read and registers cannot: for [beacon] or [supply]"
    return _guess("a relay board, no panel", None, None, Sureness.LIKELY, because)


def _sensor(device: Device) -> Guess | None:
    if device.values(INPUT) is None or device.values(FIRST) is not None or device.values(COIL) is not None:
        return None
    because = f"only input registers can be read (the first is {device.values(INPUT)[0]})"  # type: ignore[index]
    return _guess("a sensor, no panel", None, None, Sureness.LIKELY, because)


def _registers(device: Device) -> Guess | None:
    if device.values(FIRST) is None:
        return None
    because = "holding registers can be read; with the maker's map it can be described in [display.registers]"
    return _guess("another panel or device", "registers", None, Sureness.FITS, because)


def _unknown(device: Device) -> Guess:
    because = "it is there, and tells nothing about itself; LED-485 and TM1650 panels may do that"
    return _guess("not known", None, None, Sureness.FITS, because)


def _guess(title: str, driver: str | None, profile: str | None, sureness: Sureness, because: str) -> Guess:
    return Guess(title, driver, profile, sureness, because)


_LOOKS: tuple[Callable[[Device], Guess | None], ...] = (
    _dm56a04, _tm1650, _led485_2024, _led485_2014, _fema, _value_only, _relays, _sensor, _registers,
)  # fmt: skip


def config_lines(
    guess: Guess, device: Device, port: str, usual_baud: int, *, local_echo: bool = False
) -> list[str]:
    """The table to paste into the config; what is as the driver has it anyway is left out."""
    if guess.driver is None or guess.driver == "registers":
        return []
    lines = ["[display]", f'driver = "{guess.driver}"', f"port = {json.dumps(port)}"]
    if guess.profile is not None:
        lines.append(f'profile = "{guess.profile}"')
    if device.baud is not None and device.baud != usual_baud:
        lines.append(f"baud = {device.baud}")
    if device.parity != "N":
        lines.append(f'parity = "{device.parity}"')
    if device.unit != 1:
        lines.append(f"unit = {device.unit}")
    if device.timeout_s is not None:
        lines.append(f"timeout_s = {device.timeout_s:g}")
    if local_echo:
        lines.append("local_echo = true")
    return lines


def panels(devices: Sequence[Device]) -> list[Device]:
    """Those that can be a panel."""
    return [one for one in devices if any(guess.driver is not None for guess in guesses(one))]
