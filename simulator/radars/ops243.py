"""An OmniPreSense OPS243-A on its line: the sensor and its protocol, put together."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from simulator.radar_physics import Echo
from simulator.radars import ops243_lines as lines
from simulator.radars.ops243_commands import Ops243Commands
from simulator.radars.ops243_sensor import Ops243Sensor

_NOW = 1e-9


class Ops243Twin:
    """Starts with factory settings: m/s, plain numbers, silence when nothing moves."""

    def __init__(self, seed: int = 0) -> None:
        self.sensor = Ops243Sensor(Random(f"{seed}/ops243"))  # noqa: S311  play, not secrets
        self._commands = Ops243Commands(self.sensor)

    @property
    def due_in_s(self) -> float:
        """Seconds until the end of its start, or until its next report."""
        return self.sensor.starting_s or self.sensor.report_in_s

    def on_bytes(self, data: bytes) -> bytes:
        """Commands; what arrives while it starts is lost. The rest of a piece after a reset is too."""
        out = b""
        for start in range(len(data)):
            if self.sensor.starting_s > 0:
                self._commands.forget()
                break
            out += self._commands.feed(data[start : start + 1])
        return out

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each report that falls into it is made of these echoes."""
        out, left_s = b"", dt_s
        while self.due_in_s <= left_s + _NOW:
            step_s = self.due_in_s
            left_s = max(left_s - step_s, 0.0)
            out += self._next(step_s, echoes)
        self.sensor.uptime_s += left_s
        if self.sensor.starting_s > 0:
            self.sensor.starting_s -= left_s
        else:
            self.sensor.report_in_s -= left_s
        return out

    def power_cycle(self) -> None:
        """Lose power and get it back: what is not in flash is gone, and it starts with its banner."""
        self._commands.forget()
        self.sensor.restart()

    def _next(self, step_s: float, echoes: Sequence[Echo]) -> bytes:
        """What it says `step_s` from now, when it is due."""
        sensor = self.sensor
        sensor.uptime_s += step_s
        if sensor.starting_s > 0:
            sensor.starting_s, sensor.report_in_s = 0.0, sensor.spacing_s()
            return lines.BANNER
        sensor.report_in_s = sensor.spacing_s()
        return lines.report(sensor, sensor.measure(echoes)) if sensor.active else b""
