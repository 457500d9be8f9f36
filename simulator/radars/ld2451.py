"""A Hi-Link HLK-LD2451 on its line: several targets a report, and commands in an envelope.

Facts: Hi-Link's LD2451 protocol V1.03, sections 1.2 and 1.3; report spacing (20 to 26 ms), the SNR that
is pegged at 255 and the two empty forms as recorded. Strength is told as a plain ratio. Not simulated:
hits, another baud rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.radar_physics import Echo

REPORT_HEAD, REPORT_TAIL = b"\xf4\xf3\xf2\xf1", b"\xf8\xf7\xf6\xf5"
COMMAND_HEAD, COMMAND_TAIL = b"\xfd\xfc\xfb\xfa", b"\x04\x03\x02\x01"
LONGEST_COMMAND = 32
SPACING_S = (0.020, 0.026)
MOST_TARGETS = 5
MAX_KMH = 120
STRENGTH_PER_SNR = 3.0  # a car is at SNR 4 from about 100 m
OWN_SNR = 4  # what a sensitivity of 0 stands for
SPREAD_DEG = 6
VERSION = bytes.fromhex("51 24 19 01 20 01 07 37")  # V1.19.37070120
_FACTORY = {0x02: (100, 1, 5, 2), 0x03: (1, 0, 0, 0)}
_NOW = 1e-9


def command_frame(payload: bytes) -> bytes:
    """A command, or an answer to one."""
    return COMMAND_HEAD + len(payload).to_bytes(2, "little") + payload + COMMAND_TAIL


@dataclass(slots=True)
class Ld2451Sensor:
    """The device: what it is set to (kept without power), and what it makes of echoes."""

    settings: dict[int, tuple[int, ...]] = field(default_factory=lambda: dict(_FACTORY))
    configuring: bool = False  # no reports meanwhile

    @property
    def hold_s(self) -> int:
        return self.settings[0x02][3]

    def targets(self, echoes: Sequence[Echo], angle_deg: Callable[[], int]) -> list[bytes]:
        """What is reported of these echoes, the strongest first, each in its five bytes."""
        found = [self._target(echo, angle_deg()) for echo in echoes]
        return [one for one in found if one][:MOST_TARGETS]

    def _target(self, echo: Echo, angle_deg: int) -> bytes:
        max_m, directions, min_kmh, _ = self.settings[0x02]
        least_snr = self.settings[0x03][1] or OWN_SNR
        speed_kmh, snr = round(abs(echo.radial_mps) * 3.6), round(echo.strength / STRENGTH_PER_SNR)
        approaches = int(echo.radial_mps > 0)
        wanted = directions not in (0, 1) or directions == approaches
        if (
            not wanted
            or snr < least_snr
            or not max(min_kmh, 1) <= speed_kmh <= MAX_KMH
            or echo.range_m > max_m
        ):
            return b""
        return bytes((0x80 + angle_deg, min(round(echo.range_m), 255), approaches, speed_kmh, min(snr, 255)))


class Ld2451Commands:
    """Frames that start with `FD FC FB FA`; anything else is skipped. Each is answered."""

    def __init__(self, sensor: Ld2451Sensor) -> None:
        self._sensor = sensor
        self._buffer = b""

    def feed(self, data: bytes) -> bytes:
        """Take commands in any pieces; the answers to those that are whole now."""
        self._buffer += data
        out = b""
        while self._buffer:
            length = self._length()
            if length == 0:
                break
            if length > 0:
                out += self._act(self._buffer[6 : length - 4])
            self._buffer = self._buffer[max(length, 1) :]
        return out

    def forget(self) -> None:
        """Lose a half command, as a restart does."""
        self._buffer = b""

    def _length(self) -> int:
        """Of the command at the front; 0: not whole yet, -1: none."""
        head = self._buffer[:4]
        if not COMMAND_HEAD.startswith(head):
            return -1
        if len(self._buffer) < 6:
            return 0
        length = int.from_bytes(self._buffer[4:6], "little")
        if not 2 <= length <= LONGEST_COMMAND:
            return -1
        if len(self._buffer) < length + 10:
            return 0
        return length + 10 if self._buffer[length + 6 : length + 10] == COMMAND_TAIL else -1

    def _act(self, payload: bytes) -> bytes:
        word, value = int.from_bytes(payload[:2], "little"), payload[2:]
        sensor = self._sensor
        if word == 0xFF:
            sensor.configuring = True
            return self._answer(word, b"\x01\x00\x00\x00")
        if not sensor.configuring:
            return b""
        if word == 0xFE:
            sensor.configuring = False
        elif word in (0x02, 0x03) and self._fits(word, value):
            sensor.settings[word] = tuple(value)
        elif word in (0x12, 0x13):
            return self._answer(word, bytes(sensor.settings[word - 0x10]))
        elif word == 0xA0:
            return self._answer(word, VERSION)
        elif word == 0xA2:
            sensor.settings = dict(_FACTORY)
        else:
            return self._answer(word, status=1)
        return self._answer(word)

    @staticmethod
    def _fits(word: int, value: bytes) -> bool:
        if len(value) != 4:
            return False
        if word == 0x02:
            return value[0] >= 10 and value[1] <= 2
        return 1 <= value[0] <= 10 and value[1] in (0, 3, 4, 5, 6, 7, 8)

    @staticmethod
    def _answer(word: int, value: bytes = b"", status: int = 0) -> bytes:
        return command_frame((word | 0x0100).to_bytes(2, "little") + status.to_bytes(2, "little") + value)


def report(targets: Sequence[bytes], *, two_zeros: bool = False) -> bytes:
    """A report of these targets; an empty one has no payload, or two zeros."""
    alarm = any(target[2] == 1 for target in targets)
    payload = bytes((len(targets), alarm)) + b"".join(targets) if targets or two_zeros else b""
    return REPORT_HEAD + len(payload).to_bytes(2, "little") + payload + REPORT_TAIL


class Ld2451Twin:
    """Settings survive a loss of power; `two_zeros` is the empty report as some firmware sends it."""

    def __init__(self, seed: int = 0, *, two_zeros: bool = False) -> None:
        self.sensor = Ld2451Sensor()
        self._commands = Ld2451Commands(self.sensor)
        self._two_zeros = two_zeros
        self._last: list[bytes] = []  # what was seen last, for the hold time
        self._quiet_s = 0.0  # since then
        self._random = Random(f"{seed}/ld2451")  # noqa: S311  play, not secrets
        self.due_in_s = self._random.uniform(*SPACING_S)

    def on_bytes(self, data: bytes) -> bytes:
        return self._commands.feed(data)

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each report that falls into it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = self._random.uniform(*SPACING_S)
            if not self.sensor.configuring:
                out += report(self._seen(echoes), two_zeros=self._two_zeros)
        self.due_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        self._commands.forget()
        self.sensor.configuring, self._last = False, []

    def _angle_deg(self) -> int:
        return self._random.randint(-SPREAD_DEG, SPREAD_DEG)

    def _seen(self, echoes: Sequence[Echo]) -> list[bytes]:
        """What is seen, or for the hold time what was seen last."""
        seen = self.sensor.targets(echoes, self._angle_deg)
        if seen:
            self._last, self._quiet_s = seen, 0.0
        else:
            self._quiet_s += sum(SPACING_S) / 2
            if self._quiet_s > self.sensor.hold_s:
                self._last = []
        return self._last
