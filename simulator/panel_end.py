"""A device at the end of a line, with everything that can be wrong with it and with its line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from simulator.line import DeviceLine
from simulator.rtu_slave import DEVICE_FAILURE, Device, Slave

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
    REPEAT = "repeat"  # answers twice: gateways that ask again themselves do
    CUT = "cut"  # the end of each reply is lost: the transceiver turns round too early
    NOISE = "noise"  # a while after each request, when nobody should talk: a floating line does
    RESET = "reset"  # a TCP gateway that resets the connection when asked; a serial line says nothing


class _Forgetful:
    """A device that agrees to everything and does nothing; what it cannot do it still cannot."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._device, name)
        return {"write": self._write, "write_coil": self._write_coil}.get(name, method)

    def _write(self, address: int, values: Sequence[int]) -> None:
        """What does not exist is refused all the same, where the device can say so."""
        if check := getattr(self._device, "check", None):
            check(address, values)
        elif read := getattr(self._device, "read", None):
            read(address, len(values))

    def _write_coil(self, address: int, value: int) -> None:
        """A maker's own addresses can be written and not read: nothing is refused."""


class PanelEnd:
    """Joins a slave to the device's end of a line. `faults` may be changed at any time.

    On a line with several devices each has its own end (see `simulator.multi_drop`).
    """

    def __init__(
        self, line: DeviceLine, slave: Slave, on_request: Callable[[bytes], None] | None = None
    ) -> None:
        self.line, self.slave = line, slave
        self.faults: set[PanelFault] = set()
        self.slow_s = 0.4
        self.glitch = b"\x00"
        self.noise, self.noise_after_s = b"\xff\x00", 0.05
        self.on_request = on_request
        self.requests: deque[bytes] = deque(maxlen=LOG_LENGTH)  # complete frames for us, as they came
        self._device = slave.device
        self._forgetful: Any = _Forgetful(slave.device)
        self._busy_until_s = 0.0
        self._timers: set[asyncio.TimerHandle] = set()
        line.on_data = self._on_data

    def process(self, dt_s: float) -> None:
        """Let time pass for the device."""
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
            if self.slave.is_ours(frame):
                self._on_frame(frame)

    def _on_frame(self, frame: bytes) -> None:
        self.requests.append(frame)
        if self.on_request:
            self.on_request(frame)
        if PanelFault.NOISE in self.faults:
            self._later(asyncio.get_running_loop().time() + self.noise_after_s, self.noise)
        if PanelFault.RESET in self.faults:
            self._reset()
            return
        reply = self._reply(frame)
        if reply is not None:
            self._send(reply)

    def _reset(self) -> None:
        reset = getattr(self.line, "reset", None)
        if reset:
            reset()

    def _reply(self, frame: bytes) -> bytes | None:
        if PanelFault.DEAD in self.faults or not getattr(self._device, "powered", True):
            return None
        if PanelFault.EXCEPTION in self.faults:
            return self.slave.refuse(frame, DEVICE_FAILURE)
        self._set_stuck()
        self.slave.device = self._forgetful if PanelFault.LYING in self.faults else self._device
        reply = self.slave.answer(frame)
        return None if reply is None else self._damaged(reply)

    def _damaged(self, reply: bytes) -> bytes:
        """What becomes of a reply on its way."""
        if PanelFault.WRONG_ID in self.faults:
            reply = self.slave.readdress(reply, self.slave.unit % 247 + 1)
        if PanelFault.BAD_CRC in self.faults:
            reply = self.slave.spoil(reply)
        if PanelFault.CUT in self.faults:
            reply = reply[:-2]
        if PanelFault.REPEAT in self.faults:
            reply += reply
        return self.glitch + reply if PanelFault.GLITCH in self.faults else reply

    def _send(self, reply: bytes) -> None:
        if PanelFault.SLOW not in self.faults:
            self.line.write(reply)
            return
        self._busy_until_s = max(self._busy_until_s, asyncio.get_running_loop().time()) + self.slow_s
        self._later(self._busy_until_s, reply)

    def _later(self, at_s: float, data: bytes) -> None:
        timer: asyncio.TimerHandle

        def late() -> None:
            self._timers.discard(timer)
            self.line.write(data)

        timer = asyncio.get_running_loop().call_at(at_s, late)
        self._timers.add(timer)
