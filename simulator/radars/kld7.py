"""An RFbeam K-LD7 on its line: connected, asked, answered at the end of the running measurement.

Facts: RFbeam K-LD7 data sheet, revision B of 12/2020, tables 9 to 15; 34 measurements a second and the
sign of the speed (positive goes away) as public drivers have them. Parameters are lost with the power:
the data sheet names no way to keep them. Not simulated: other baud rates, raw data, the digital outputs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10
from random import Random

from simulator.radar_physics import Echo

SPACING_S = 1 / 34
MAX_KMH = (12.5, 25.0, 50.0, 100.0)  # RSPI
MAX_M = (5.0, 10.0, 30.0, 100.0)  # RRAI
STRENGTH_1_DB = 30.0  # the magnitude of an echo of strength 1: a car at 30 m has 60 dB, and is seen from 40 m
NOISE_DB = 25.0
VERSION = b"K-LD7_APP-RFB-0103"
OK, UNKNOWN, BAD_PARAMETER, BAD_STRUCTURE, BUSY = 0, 1, 2, 3, 5
TARGET_FLAG, DONE_FLAG = 8, 32
_STRUCTURE = struct.Struct("<19s8B2b4Bb4BH2B")
_NOW = 1e-9
# Name: factory value, least, most; in the order of the parameter structure.
_PARAMETERS = {
    "RBFR": (1, 0, 2),
    "RSPI": (1, 0, 3),
    "RRAI": (1, 0, 3),
    "THOF": (30, 10, 60),
    "TRFT": (0, 0, 2),
    "VISU": (2, 0, 16),
    "MIRA": (0, 0, 100),
    "MARA": (50, 0, 100),
    "MIAN": (-90, -90, 90),
    "MAAN": (90, -90, 90),
    "MISP": (0, 0, 100),
    "MASP": (100, 0, 100),
    "DEDI": (2, 0, 2),
    "RATH": (10, 0, 100),
    "ANTH": (0, -90, 90),
    "SPTH": (50, 0, 100),
    "DIG1": (0, 0, 4),
    "DIG2": (1, 0, 4),
    "DIG3": (2, 0, 4),
    "HOLD": (120, 1, 7200),
    "MIDE": (0, 0, 1),
    "MIDS": (4, 0, 9),
}


def packet(name: str, payload: bytes = b"") -> bytes:
    """A command or a message."""
    return name.encode() + len(payload).to_bytes(4, "little") + payload


def result(code: int) -> bytes:
    """The answer to every command."""
    return packet("RESP", bytes((code,)))


@dataclass(slots=True)
class Kld7Sensor:
    """The device: its parameters, and what it tracks of the echoes."""

    parameters: dict[str, int] = field(
        default_factory=lambda: {name: factory for name, (factory, _, _) in _PARAMETERS.items()}
    )

    def structure(self) -> bytes:
        return _STRUCTURE.pack(VERSION, *self.parameters.values())

    def take_structure(self, payload: bytes) -> int:
        """The result code of SRPS."""
        if len(payload) != _STRUCTURE.size:
            return BAD_STRUCTURE
        for name, value in zip(_PARAMETERS, _STRUCTURE.unpack(payload)[1:], strict=True):
            self.take(name, value)
        return OK

    def take(self, name: str, value: int) -> int:
        """The result code of a parameter's own command."""
        _, least, most = _PARAMETERS[name]
        if not least <= value <= most:
            return BAD_PARAMETER
        self.parameters[name] = value
        return OK

    def track(self, echoes: Sequence[Echo], angle_deg: float) -> bytes:
        """The strongest target within all limits, as TDAT has it; empty when there is none."""
        for echo in echoes:
            if found := self._target(echo, angle_deg):
                return found
        return b""

    def _target(self, echo: Echo, angle_deg: float) -> bytes:
        p = self.parameters
        limit_kmh, limit_m = MAX_KMH[p["RSPI"]], MAX_M[p["RRAI"]]
        magnitude_db = STRENGTH_1_DB + 20 * log10(max(echo.strength, 1e-3))
        away_kmh = (-echo.radial_mps * 3.6 + limit_kmh) % (2 * limit_kmh) - limit_kmh  # folds back
        share, way = abs(away_kmh) / limit_kmh * 100, int(away_kmh > 0)
        if (
            magnitude_db < NOISE_DB + p["THOF"]
            or not p["MIRA"] <= echo.range_m / limit_m * 100 <= p["MARA"]
            or not p["MISP"] <= share <= p["MASP"]
            or not p["MIAN"] <= angle_deg <= p["MAAN"]
            or p["DEDI"] not in (2, way)
        ):
            return b""
        values = (echo.range_m, away_kmh, angle_deg, magnitude_db)
        return struct.pack("<HhhH", *(round(100 * value) for value in values))


class Kld7Twin:
    """Answers nothing before it is connected but the command that connects."""

    def __init__(self, seed: int = 0) -> None:
        self.sensor = Kld7Sensor()
        self._random = Random(f"{seed}/kld7")  # noqa: S311  play, not secrets
        self._buffer = b""
        self._connected = False
        self._asked = 0  # the messages that the end of this measurement brings
        self._measurements = 0
        self.due_in_s = self._random.random() * SPACING_S

    def on_bytes(self, data: bytes) -> bytes:
        """Commands arrive, in any pieces; their results. Data come with the end of a measurement."""
        self._buffer += data
        out = b""
        while len(self._buffer) >= 8:
            length = int.from_bytes(self._buffer[4:8], "little")
            if not self._buffer[:4].isalnum() or not self._buffer[:4].isascii() or length > 64:
                self._buffer = self._buffer[1:]
                continue
            if len(self._buffer) < 8 + length:
                break
            name, payload = self._buffer[:4].decode(), self._buffer[8 : 8 + length]
            self._buffer = self._buffer[8 + length :]
            out += self._act(name, payload)
        return out

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each measurement that ends in it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = SPACING_S
            self._measurements += 1
            if self._asked & TARGET_FLAG:
                out += packet("TDAT", self.sensor.track(echoes, self._random.uniform(-12.0, 12.0)))
            if self._asked & DONE_FLAG:
                out += packet("DONE", self._measurements.to_bytes(4, "little"))
            self._asked = 0
        self.due_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        self.sensor = Kld7Sensor()
        self._buffer, self._connected, self._asked = b"", False, 0

    def _act(self, name: str, payload: bytes) -> bytes:
        if name == "INIT":
            at_115200 = payload == bytes(4)
            self._connected |= at_115200
            return result(OK if at_115200 else BAD_PARAMETER)
        if not self._connected:
            return b""
        if name == "GBYE":
            self._connected = False
        elif name == "GNFD":
            if self._asked:
                return result(BUSY)
            self._asked = int.from_bytes(payload, "little")
        elif name == "GRPS":
            return result(OK) + packet("RPST", self.sensor.structure())
        elif name == "SRPS":
            return result(self.sensor.take_structure(payload))
        elif name == "RFSE":
            self.sensor = Kld7Sensor()
        elif name in _PARAMETERS:
            return result(self.sensor.take(name, int.from_bytes(payload, "little", signed=True)))
        else:
            return result(UNKNOWN)
        return result(OK)
