"""A Chuansu / Hikvision CSR-I on its line, in continuous mode and one of its three formats.

Facts: Hikvision's manual, pages 12 to 14: a value every 26 ms, zero when there is none, commands of five
bytes. Made up: the strength from which it hears, that no speeds come in configuration mode, and what its
answers hold besides their length (the code of the command, then 30 for good or 31 for bad).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.radar_physics import Echo

SPACING_S = 0.026
RESET_S = 1.0
HEARS = 15.0
MOST_KMH = 240
BURST = bytes.fromhex("FE FD FD FE")
COMMAND_BYTES = 5
GOOD, BAD = 0x30, 0x31
ENTER, LEAVE, LOW_LIMIT, MEMORY, RESET, VERSION = 0x31, 0x32, 0x39, 0x3D, 0x3E, 0x3F
_SAVE, _FACTORY, _READ = 0x31, 0x32, 0x34
_VERSION_TEXT = b"V2.3"
_NOW = 1e-9
FORMATS = {"1-byte": 0, "2-byte": 1, "ascii": 2}


@dataclass(slots=True)
class CsrSettings:
    """The parameters that matter here, by the manual's names."""

    format: int = 1
    low_limit_kmh: int = 5

    def listing(self) -> bytes:
        """Mode, TTL limit, angle correction, sensitivity, format, low limit, jump threshold, five spare."""
        return bytes((0x30, 60, 0, 5, 0x30 + self.format, self.low_limit_kmh, 20, 0, 0, 0, 0, 0))


@dataclass(slots=True)
class CsrSensor:
    """The device: what is set, what is saved, and whether it is being configured or starting."""

    settings: CsrSettings
    saved: CsrSettings = field(init=False)
    configuring: bool = False
    starting_s: float = 0.0

    def __post_init__(self) -> None:
        self.saved = CsrSettings(self.settings.format, self.settings.low_limit_kmh)

    def measure(self, echoes: Sequence[Echo]) -> int:
        """The strongest echo's speed in whole km/h, negative when leaving; 0: none."""
        for echo in echoes:
            if echo.strength < HEARS:
                break  # strongest first
            speed_kmh = round(echo.radial_mps * 3.6)
            if self.settings.low_limit_kmh <= abs(speed_kmh) <= MOST_KMH:
                return speed_kmh
        return 0

    def restart(self) -> None:
        """Lose what is not saved."""
        self.settings = CsrSettings(self.saved.format, self.saved.low_limit_kmh)
        self.configuring = False
        self.starting_s = RESET_S


def report(speed_kmh: int, data_format: int) -> bytes:
    """A value in format 0, 1 or 2; 0 is no target, of which the direction is not known."""
    way = (speed_kmh > 0) - (speed_kmh < 0)
    if data_format == 0:
        return bytes((abs(speed_kmh),))
    if data_format == 1:
        return bytes(({1: 0xF9, -1: 0xF8, 0: 0xF7}[way], abs(speed_kmh)))
    return f"{ {1: '+', -1: '-', 0: '*'}[way] }{abs(speed_kmh):03d}".encode()


def answer(*payload: int) -> bytes:
    """`FA 3n`, n bytes, `FB`."""
    return bytes((0xFA, 0x30 + len(payload), *payload, 0xFB))


class CsrTwin:
    """Starts with a burst of its own at each power-on; unsaved settings are lost then."""

    def __init__(self, seed: int = 0, *, profile: str = "2-byte") -> None:
        self.sensor = CsrSensor(CsrSettings(FORMATS[profile]))
        self._random = Random(f"{seed}/csr")  # noqa: S311  play, not secrets
        self._report_in_s = self._random.random() * SPACING_S
        self._buffer = b""

    @property
    def due_in_s(self) -> float:
        """Seconds until the end of its start, or until its next value."""
        return self.sensor.starting_s or self._report_in_s

    def on_bytes(self, data: bytes) -> bytes:
        """Commands in any pieces; what arrives while it starts is lost."""
        out = b""
        for at in range(len(data)):
            if self.sensor.starting_s > 0:
                self._buffer = b""
                break
            self._buffer = (self._buffer + data[at : at + 1])[-COMMAND_BYTES:]
            whole = len(self._buffer) == COMMAND_BYTES and self._buffer[0] == 0xFA
            if whole and self._buffer[-1] == 0xFB:
                code, first, second = self._buffer[1:4]
                self._buffer = b""
                out += self._act(code, first, second)
        return out

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each value that falls into it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            if self.sensor.starting_s > 0:
                self.sensor.starting_s = 0.0
                out += BURST
            elif not self.sensor.configuring:
                out += report(self.sensor.measure(echoes), self.sensor.settings.format)
            self._report_in_s = SPACING_S * self._random.uniform(0.99, 1.01)
        if self.sensor.starting_s > 0:
            self.sensor.starting_s -= dt_s
        else:
            self._report_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        self._buffer = b""
        self.sensor.restart()

    def _act(self, code: int, first: int, second: int) -> bytes:
        sensor = self.sensor
        if code == ENTER:
            sensor.configuring = True
            return answer(code, GOOD)
        if not sensor.configuring:
            return b""
        if code == MEMORY and first == _READ:
            return answer(code, *sensor.settings.listing())
        if code == VERSION:
            return answer(code, GOOD, *_VERSION_TEXT)
        good = self._set(code, first, second)
        if code == RESET:
            sensor.restart()
        return answer(code, GOOD if good else BAD)

    def _set(self, code: int, first: int, second: int) -> bool:
        sensor = self.sensor
        if code == LEAVE:
            sensor.configuring = False
        elif code == LOW_LIMIT and 1 <= first <= 150 and second == 0x30:
            sensor.settings.low_limit_kmh = first
        elif code == MEMORY and first == _SAVE:
            sensor.saved = CsrSettings(sensor.settings.format, sensor.settings.low_limit_kmh)
        elif code == MEMORY and first == _FACTORY:
            sensor.settings = CsrSettings(0)
        else:
            return code == RESET
        return True
