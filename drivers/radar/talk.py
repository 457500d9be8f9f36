"""Sending on a line that the radar also talks on: between two reports, one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from speedsign.ports import BytePort, Clock

LINE_QUIET_S = 0.005  # five characters at 9600 baud: a half-duplex line is free between two reports
LINE_QUIET_TRIES = 100
_ROUNDING_S = 0.0005


class QuietSender:
    """Sends into the gaps of what arrives. `turn` is held from a question to its answer.

    `sent_mono_s` is when something was last sent.
    """

    def __init__(self, port: BytePort, clock: Clock) -> None:
        self.turn = asyncio.Lock()
        self.sent_mono_s = 0.0
        self._port, self._clock = port, clock
        self._last_byte_mono_s = 0.0

    def heard(self, t_mono_s: float) -> None:
        """A byte has just arrived."""
        self._last_byte_mono_s = t_mono_s

    async def send(self, data: bytes) -> None:
        """Send between two reports: a half-duplex line carries one direction at a time.

        A line that is never quiet is written to after `LINE_QUIET_TRIES` looks. Raises PortError.
        """
        for _ in range(LINE_QUIET_TRIES):
            quiet_s = self._clock.monotonic() - self._last_byte_mono_s
            if quiet_s >= LINE_QUIET_S:
                break
            await asyncio.sleep(LINE_QUIET_S - max(quiet_s, 0.0) + _ROUNDING_S)
        self._port.write(data)
        self.sent_mono_s = self._clock.monotonic()

    async def send_all(self, commands: Sequence[bytes], gap_s: float) -> None:
        """Send one after the other and leave the gap behind each; nothing else goes out between them."""
        async with self.turn:
            for command in commands:
                await self.send(command)
                await asyncio.sleep(gap_s)
