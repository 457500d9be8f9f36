"""A panel at the end of a line, with everything that can be wrong with it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum

from simulator.line import DeviceLine
from simulator.rtu_slave import DEVICE_FAILURE, RegisterDevice, Slave

LOG_LENGTH = 1000  # requests kept


class PanelFault(StrEnum):
    """What is wrong; several at once are possible."""

    DEAD = "dead"  # no power, or the wires are off: hears nothing, says nothing
    SLOW = "slow"  # answers after `slow_s`, one request after the other
    BAD_CRC = "bad_crc"
    ECHO = "echo"  # the adapter hears what it sends; with DEAD: nothing else
    GLITCH = "glitch"  # a stray byte in front of each reply
    LYING = "lying"  # acknowledges writes and forgets them
    STUCK = "stuck"  # acknowledges writes, shows and tells what it showed before; recovers later
    EXCEPTION = "exception"  # refuses everything: device failure
    WRONG_ID = "wrong_id"  # answers as the next unit


class _Forgetful:
    """A device that agrees to everything and does nothing."""

    def __init__(self, device: RegisterDevice) -> None:
        self._device = device

    def read(self, address: int, count: int) -> list[int]:
        return self._device.read(address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        self._device.read(address, len(values))  # an address that does not exist is refused all the same


class PanelEnd:
    """Joins a slave to the device's end of a line. `faults` may be changed at any time."""

    def __init__(
        self, line: DeviceLine, slave: Slave, on_request: Callable[[bytes], None] | None = None
    ) -> None:
        self.line, self.slave = line, slave
        self.faults: set[PanelFault] = set()
        self.slow_s = 0.4
        self.glitch = b"\x00"
        self.on_request = on_request
        self.requests: deque[bytes] = deque(maxlen=LOG_LENGTH)  # complete frames, as they came
        self._device = slave.device
        self._forgetful = _Forgetful(slave.device)
        self._busy_until_s = 0.0
        self._timers: set[asyncio.TimerHandle] = set()
        line.on_data = self._on_data

    def process(self, dt_s: float) -> None:
        """Let time pass for the panel."""
        self._set_stuck()
        process = getattr(self._device, "process", None)
        if process:
            process(dt_s)

    def close(self) -> None:
        """Forget replies that are still to be sent."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _set_stuck(self) -> None:
        if hasattr(self._device, "stuck"):
            self._device.stuck = PanelFault.STUCK in self.faults

    def _on_data(self, data: bytes) -> None:
        if PanelFault.ECHO in self.faults:
            self.line.write(data)
        for frame in self.slave.split(data):
            self.requests.append(frame)
            if self.on_request:
                self.on_request(frame)
            reply = self._reply(frame)
            if reply is not None:
                self._send(reply)

    def _reply(self, frame: bytes) -> bytes | None:
        faults = self.faults
        if PanelFault.DEAD in faults or not getattr(self._device, "powered", True):
            return None
        if PanelFault.EXCEPTION in faults:
            return self.slave.refuse(frame, DEVICE_FAILURE)
        self._set_stuck()
        self.slave.device = self._forgetful if PanelFault.LYING in faults else self._device
        reply = self.slave.answer(frame)
        if reply is None:
            return None
        if PanelFault.WRONG_ID in faults:
            reply = self.slave.readdress(reply, self.slave.unit % 247 + 1)
        if PanelFault.BAD_CRC in faults:
            reply = self.slave.spoil(reply)
        return self.glitch + reply if PanelFault.GLITCH in faults else reply

    def _send(self, reply: bytes) -> None:
        if PanelFault.SLOW not in self.faults:
            self.line.write(reply)
            return
        loop = asyncio.get_running_loop()
        self._busy_until_s = max(self._busy_until_s, loop.time()) + self.slow_s
        timer: asyncio.TimerHandle

        def late() -> None:
            self._timers.discard(timer)
            self.line.write(reply)

        timer = loop.call_at(self._busy_until_s, late)
        self._timers.add(timer)
