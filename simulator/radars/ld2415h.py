"""A Hi-Link HLK-LD2415H on its line: one target, nine bytes, silence when nothing moves.

Facts: Hi-Link's manual, sections 6.2 to 6.4; the parameter listing and that its values are hexadecimal
are as public drivers read them. Not simulated: the relay, vibration rejection, the other protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import cos, radians
from random import Random

from simulator.radar_physics import Echo

HEAD = b"CF"
TAIL = b"\r\n"
SET_LENGTH = 8  # head, number, three values, tail
READ, READ_LENGTH = 7, 13  # head, number, ten zeros; an eleventh is skipped
SPACING_S = (0.045, 0.091, 0.182, 0.333)  # about 22, 11, 5.5 and 3 frames a second
UNIT_MPS = (1 / 3.6, 0.44704, 1.0)  # km/h, mph, m/s
MAX_MPS = 240 / 3.6
STRENGTH_PER_SENSITIVITY = 3.0  # a larger value makes it less sensitive; 5 sees a car from about 110 m
FIRMWARE = "20230801E v5.0"
_NOW = 1e-9


@dataclass(slots=True)
class Ld2415hSensor:
    """The device: its ten parameters by their names in the listing, and what it measures."""

    parameters: dict[int, int] = field(
        default_factory=lambda: {1: 1, 2: 0, 3: 5, 4: 0, 5: 1, 6: 0, 7: 5, 8: 3, 9: 1, 0: 1}
    )

    @property
    def spacing_s(self) -> float:
        return SPACING_S[min(self.parameters[5], 3)]

    def measure(self, echoes: Sequence[Echo]) -> float | None:
        """The strongest echo that passes the filters, in the unit that is set; positive approaching."""
        p = self.parameters
        for echo in echoes:
            if echo.strength < STRENGTH_PER_SENSITIVITY * p[3]:
                break  # strongest first: no other is stronger
            speed_mps = echo.radial_mps / cos(radians(min(p[2], 89)))
            wrong_way = (p[4] == 1 and speed_mps < 0) or (p[4] == 2 and speed_mps > 0)
            if wrong_way or not p[1] / 3.6 <= abs(speed_mps) <= MAX_MPS:
                continue
            return speed_mps / UNIT_MPS[min(p[6], 2)]
        return None


class Ld2415hCommands:
    """Frames that start with `43 46`; anything else is skipped. Setting is not answered."""

    def __init__(self, sensor: Ld2415hSensor) -> None:
        self._sensor = sensor
        self._buffer = b""

    def feed(self, data: bytes) -> bytes:
        """Take commands in any pieces; the listing for each that asks for it."""
        self._buffer += data
        out = b""
        while True:
            start = self._buffer.find(HEAD)
            if start < 0:
                self._buffer = self._buffer[-1:] if self._buffer.endswith(HEAD[:1]) else b""
                return out
            self._buffer = self._buffer[start:]
            length = READ_LENGTH if self._buffer[2:3] == bytes([READ]) else SET_LENGTH
            if len(self._buffer) < length:
                return out
            frame = self._buffer[:length]
            good = self._good(frame)
            self._buffer = self._buffer[length if good else 1 :]
            if good:
                out += self._act(frame)

    def forget(self) -> None:
        """Lose a half command, as a restart does."""
        self._buffer = b""

    def _good(self, frame: bytes) -> bool:
        return frame[3:] == bytes(10) if frame[2] == READ else frame.endswith(TAIL)

    def _act(self, frame: bytes) -> bytes:
        if frame[2] == READ:
            return listing(self._sensor)
        one, two, three = frame[3:6]
        values = {
            1: {1: one, 2: two, 3: min(max(three, 1), 15)},
            2: {4: one, 5: two, 6: three},
            3: {7: one},
            4: {8: one, 9: two},
        }.get(frame[2], {})
        self._sensor.parameters.update(values)
        return b""


def listing(sensor: Ld2415hSensor) -> bytes:
    """The answer to the read command."""
    values = " ".join(f"X{number}:{value:02X}" for number, value in sensor.parameters.items())
    return f"No.:{FIRMWARE}\r\n{values}\r\n".encode()


def frame_of(speed: float) -> bytes:
    """`V+033.2` CR LF for 33.2 in the unit that is set, approaching."""
    return f"V{'+' if speed >= 0 else '-'}{min(abs(speed), 999.9):05.1f}\r\n".encode()


class Ld2415hTwin:
    """Settings survive a loss of power: the manual does not say that they do not."""

    def __init__(self, seed: int = 0) -> None:
        self.sensor = Ld2415hSensor()
        self._commands = Ld2415hCommands(self.sensor)
        random = Random(f"{seed}/ld2415h")  # noqa: S311  play, not secrets
        self._jitter: Callable[[], float] = lambda: random.uniform(0.97, 1.03)
        self.due_in_s = random.random() * self.sensor.spacing_s

    def on_bytes(self, data: bytes) -> bytes:
        return self._commands.feed(data)

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each frame that falls into it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = self.sensor.spacing_s * self._jitter()
            speed = self.sensor.measure(echoes)
            out += b"" if speed is None else frame_of(speed)
        self.due_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        self._commands.forget()
