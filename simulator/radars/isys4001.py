"""An InnoSenT iSYS-4001 on its line: a list of targets each 75 ms, told when it is asked.

Facts: the public driver KB-Sensor-Mart/iSYS4001. Set to see 150 m, as an installer leaves it. Assumed:
positive velocities approach; it does not measure before it is told to; what it cannot do it refuses by
function FD. Not simulated: the 32-bit list, saving, the three switching outputs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10
from random import Random

from simulator.radar_physics import Echo

CYCLE_S = 0.075
MOST_TARGETS = 35
LEVEL_1_DB = 30.0  # of an echo of strength 1
OVERDRIVEN_DB = 110.0
NAME = b"iSYS-4001"
_FACTORY = {0x08: 0, 0x09: 1500, 0x0A: 300, 0x0B: 1400, 0x0C: 2, 0x0D: 694, 0x0E: 3}
_NOW = 1e-9


def answer(function: int, data: bytes = b"") -> bytes:
    """A frame from the radar (80) to its master (01)."""
    body = bytes((0x01, 0x80, function)) + data
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


@dataclass(slots=True)
class Isys4001Sensor:
    """The device: the limits of output 1, and what passes them."""

    settings: dict[int, int] = field(default_factory=lambda: dict(_FACTORY))
    measuring: bool = False
    list: bytes = b"\x00"  # the last one: count, targets

    def look(self, echoes: Sequence[Echo]) -> None:
        """The end of a cycle."""
        found = [one for one in map(self._target, echoes) if one][:MOST_TARGETS]
        self.list = bytes((len(found),)) + b"".join(found)
        if echoes and _level_db(echoes[0]) > OVERDRIVEN_DB:
            self.list = b"\xff"

    def _target(self, echo: Echo) -> bytes:
        s, level_db = self.settings, _level_db(echo)
        way = 1 if echo.radial_mps > 0 else 2
        if (
            not s[0x08] <= echo.range_m * 10 <= s[0x09]
            or not s[0x0A] <= level_db * 10 <= s[0x0B]
            or not s[0x0C] <= abs(echo.radial_mps) * 10 <= s[0x0D]
            or not s[0x0E] & way
        ):
            return b""
        return struct.pack(
            ">Bhhh", round(level_db), round(echo.radial_mps * 100), round(echo.range_m * 100), 0
        )


def _level_db(echo: Echo) -> float:
    return LEVEL_1_DB + 20 * log10(max(echo.strength, 1e-3))


class Isys4001Twin:
    """What is set is lost with the power, because it was not saved."""

    def __init__(self, seed: int = 0) -> None:
        self.sensor = Isys4001Sensor()
        self._buffer = b""
        self.due_in_s = Random(f"{seed}/isys4001").random() * CYCLE_S  # noqa: S311  play, not secrets

    def on_bytes(self, data: bytes) -> bytes:
        """Commands arrive, in any pieces; what it answers at once."""
        self._buffer += data
        out = b""
        while len(self._buffer) >= 4:
            length = self._buffer[1]
            if self._buffer[0] != 0x68 or self._buffer[2:4] != bytes((length, 0x68)):
                self._buffer = self._buffer[1:]
                continue
            if len(self._buffer) < length + 6:
                break
            body, rest = self._buffer[4 : 4 + length], self._buffer[4 + length : length + 6]
            good = rest == bytes((sum(body) & 0xFF, 0x16)) and body[:1] == b"\x80" and length >= 3
            self._buffer = self._buffer[length + 6 if good else 1 :]
            if good:
                out += self._act(body[2], body[3:])
        return out

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; it says nothing by itself."""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = CYCLE_S
            if self.sensor.measuring:
                self.sensor.look(echoes)
        self.due_in_s -= dt_s
        return b""

    def power_cycle(self) -> None:
        self.sensor = Isys4001Sensor()
        self._buffer = b""

    def _act(self, function: int, data: bytes) -> bytes:
        sensor = self.sensor
        if function == 0xD0:
            return answer(function, NAME)
        if function == 0xD1 and data in (b"\x00\x00", b"\x00\x01"):
            sensor.measuring = data == b"\x00\x00"
            return answer(function)
        if function == 0xDA and data == b"\x01\x10" and sensor.measuring:
            return answer(function, data[:1] + sensor.list)
        if function in (0xD4, 0xD5) and data[:1] == b"\x01" and data[1:2] and data[1] in sensor.settings:
            if function == 0xD4 and len(data) == 2:
                return answer(function, sensor.settings[data[1]].to_bytes(2, "big"))
            if function == 0xD5 and len(data) == 4:
                sensor.settings[data[1]] = int.from_bytes(data[2:], "big")
                return answer(function)
        return answer(0xFD)
