"""A simulated radar at the end of its line, with faults that can be switched while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random

from simulator.line import DeviceLine
from simulator.radar_physics import Echo
from simulator.radars import RadarTwin

BAD_BYTE_SHARE = 0.05
CUT_SHARE = 0.5
UNPLUGGED_STEP_S = 0.1
_NOW = 1e-9


class RadarFault(StrEnum):
    """What can be wrong between the radar and the other end."""

    SILENCE = "silence"  # hung: neither reports nor answers
    GARBAGE = "garbage"  # noise at the rate of reports: wrong baud rate, broken driver chip
    BAD_BYTES = "bad_bytes"  # single bytes changed on the way
    CUT = "cut"  # frames that end in the middle
    MUTE = "mute"  # commands do not arrive: the line to the radar is broken


class RadarEnd:
    """Joins a twin to a line. `line.unplug()` takes its power too; plugged again, it starts anew."""

    def __init__(self, line: DeviceLine, twin: RadarTwin, seed: int = 0) -> None:
        self.line = line
        self.twin = twin
        self.faults: set[RadarFault] = set()
        self._random = Random(f"{seed}/faults")  # noqa: S311  play, not secrets
        self._had_power = True
        line.on_data = self._arrive

    @property
    def due_in_s(self) -> float:
        """Seconds until the radar looks at the road again."""
        return self.twin.due_in_s if self.line.plugged else UNPLUGGED_STEP_S

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> None:
        """Time passes; what the radar says goes out, through whatever is wrong."""
        if not self.line.plugged:
            self._had_power = False
            return
        if not self._had_power:
            self._had_power = True
            self.twin.power_cycle()
        due = self.twin.due_in_s <= dt_s + _NOW
        data = self.twin.process(dt_s, echoes)
        if due and RadarFault.GARBAGE in self.faults:
            data = self._random.randbytes(self._random.randint(1, 24))
        self._send(data)

    def unplug(self) -> None:
        """Pull the plug; noticed even when it is back before time passes."""
        self._had_power = False
        self.line.unplug()

    def plug(self) -> None:
        self.line.plug()

    def _arrive(self, data: bytes) -> None:
        if RadarFault.MUTE not in self.faults:
            self._send(self.twin.on_bytes(data))

    def _send(self, data: bytes) -> None:
        if not data or RadarFault.SILENCE in self.faults:
            return
        if RadarFault.CUT in self.faults and self._random.random() < CUT_SHARE:
            data = data[: self._random.randrange(len(data))]
        if RadarFault.BAD_BYTES in self.faults:
            data = bytes(self._spoilt(byte) for byte in data)
        if data:
            self.line.write(data)

    def _spoilt(self, byte: int) -> int:
        if self._random.random() >= BAD_BYTE_SHARE:
            return byte
        return byte ^ (1 << self._random.randrange(8))
