"""A Houston Radar at its binary port: says nothing unasked.

Facts: the layout and codes as the traffic-management system IRIS speaks them; the variables' names as in the
maker's manuals. Made up: ten measurements a second, the strength from which it hears, the variables'
first values, that a variable it does not have is answered by status -1.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.radar_physics import Echo

MEASURES_S = 0.1
HEARS_FULLY = 15.0  # with sensitivity 99
MPS_PER_UNIT = (0.44704, 1 / 3.6, 0.3048, 1.0)  # mph, km/h, ft/s, m/s
INFO_TEXT = b"TYPE=DR500\nBRD=3\nMOD=1\nREV=128\n"
LONGEST_COMMAND = 64
_BEGIN, _ESCAPE, _END = 0xF3, 0xFA, 0xFC
_NOW = 1e-9


def wrapped(body: bytes) -> bytes:
    """A body as it goes over the line."""
    inside = body + crc_hqx(body, 0).to_bytes(2, "little")
    for byte in (_ESCAPE, _BEGIN, _END):  # the escape itself first
        inside = inside.replace(bytes((byte,)), bytes((_ESCAPE, byte % 16)))
    return bytes((_BEGIN,)) + inside + bytes((_END,))


def unwrapped(frame: bytes) -> bytes | None:
    """The body of what stood between F3 and FC; None when its CRC is wrong."""
    inside = frame
    for byte in (_END, _BEGIN, _ESCAPE):  # the escape itself last
        inside = inside.replace(bytes((_ESCAPE, byte % 16)), bytes((byte,)))
    body, check = inside[:-2], inside[-2:]
    return body if body and crc_hqx(body, 0).to_bytes(2, "little") == check else None


@dataclass(slots=True)
class HoustonSensor:
    """The device: its variables, kept in flash, and what it has measured lately."""

    variables: dict[str, int] = field(
        default_factory=lambda: {
            "UN": 0,
            "LO": 5,
            "SP": 30,
            "HI": 120,
            "ST": 99,
            "SF": 0,
            "TA": 5,
            "MO": 0x0402,
            "BN": 15,
        }
    )
    writes: int = 0  # to the flash
    heard_mps: deque[float] = field(default_factory=deque)  # in the last TA seconds; 0: nothing

    def measure(self, echoes: Sequence[Echo]) -> None:
        """The strongest, or the fastest, echo that passes the filters."""
        least = HEARS_FULLY * 99 / self.variables["ST"]
        speeds_mps = [abs(echo.radial_mps) for echo in echoes if echo.strength >= least]
        found = [speed_mps for speed_mps in speeds_mps if self._passes(speed_mps)] or [0.0]
        chosen = max(found) if self.variables["SF"] else found[0]
        self.heard_mps.append(chosen)
        while len(self.heard_mps) > max(self.variables["TA"], 1) / MEASURES_S:
            self.heard_mps.popleft()

    def speed(self) -> int:
        """The mean of what was heard, in the unit that is set; 0 as soon as nothing is."""
        heard = [speed_mps for speed_mps in self.heard_mps if speed_mps]
        if not heard or not self.heard_mps[-1]:
            self.heard_mps.clear()
            return 0
        return min(round(sum(heard) / len(heard) / self._mps_per_unit()), 255)

    def _passes(self, speed_mps: float) -> bool:
        speed = speed_mps / self._mps_per_unit()
        return self.variables["LO"] <= speed <= self.variables["HI"]

    def _mps_per_unit(self) -> float:
        return MPS_PER_UNIT[min(self.variables["UN"], 3)]


class HoustonTwin:
    """Settings survive a loss of power: each is written to the flash as it is set."""

    def __init__(self, seed: int = 0) -> None:
        self.sensor = HoustonSensor()
        self._buffer = b""
        self.due_in_s = Random(f"{seed}/houston").random() * MEASURES_S  # noqa: S311  play, not secrets

    def on_bytes(self, data: bytes) -> bytes:
        """Questions and commands in any pieces; a damaged one is not answered."""
        self._buffer += data
        out = b""
        while _END in self._buffer:
            frame, self._buffer = self._buffer.split(bytes((_END,)), 1)
            body = unwrapped(frame.rpartition(bytes((_BEGIN,)))[2])
            answer = self._answer(body) if body else None
            out += wrapped(answer) if answer else b""
        self._buffer = self._buffer[-LONGEST_COMMAND:]
        return out

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; it measures, and waits to be asked."""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = MEASURES_S
            self.sensor.measure(echoes)
        self.due_in_s -= dt_s
        return b""

    def power_cycle(self) -> None:
        self._buffer = b""
        self.sensor.heard_mps.clear()

    def _answer(self, body: bytes) -> bytes | None:
        code, data = body[0], body[1:]
        if code == 0x31:
            return bytes((0x32, self.sensor.speed()))
        if code == 0x0E:
            return bytes((0x0E,)) + INFO_TEXT
        if code == 0x18 and len(data) == 3:
            return self._variable(data)
        if code == 0x17 and len(data) == 5:
            return self._set(data)
        return None

    def _variable(self, data: bytes) -> bytes:
        value = self.sensor.variables.get(data[1:].decode("latin-1"))
        return status(-1) if value is None else b"\x19" + data + value.to_bytes(2, "little")

    def _set(self, data: bytes) -> bytes:
        name = data[1:3].decode("latin-1")
        if name not in self.sensor.variables:
            return status(-1)
        self.sensor.variables[name] = int.from_bytes(data[3:], "little")
        self.sensor.writes += 1
        return status(list(self.sensor.variables).index(name))


def status(code: int) -> bytes:
    """Below 0 an error; after a set the variable's index."""
    return b"\x13" + code.to_bytes(2, "little", signed=True)
