"""The command grammar of the OPS243 (AN-010-AD): two characters, acted on at the second.

Only a command that carries a number goes on until CR or LF. What it does not know it ignores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simulator.radars import ops243_lines as lines
from simulator.radars.ops243_sensor import UNITS, Ops243Sensor, Ops243Settings

ABORT = 0x03  # Ctrl-C: forget a half command
MAX_NUMBER = 16  # characters; longer is no number
NUMERIC = frozenset({"R>", "R<", "M>", "M<", "^/", "S=", "O=", "C=", "K=", "N>", "N<"})
RATES_HZ = {"SI": 1000, "SV": 5000, "SX": 10_000, "S2": 20_000, "SL": 50_000, "SC": 100_000}
BUFFERS = {"S>": 1024, "S<": 512, "S[": 256, "S(": 128}
FEATURES = {"J": "json", "M": "magnitude", "T": "time", "H": "human_time", "U": "units", "S": "speed"}
MAX_REPORTS = 16


class Ops243Commands:
    """Bytes in, answers out; changes the sensor on the way."""

    def __init__(self, sensor: Ops243Sensor) -> None:
        self._sensor = sensor
        self._pending = ""

    def feed(self, data: bytes) -> bytes:
        """Take commands in any pieces; all answers to what was completed."""
        return b"".join(self._take(byte) for byte in data)

    def forget(self) -> None:
        """Lose a half command, as a restart does."""
        self._pending = ""

    def _take(self, byte: int) -> bytes:
        if byte == ABORT or byte > 0x7E:
            self._pending = ""
            return b""
        if byte in b"\r\n":
            command, self._pending = self._pending, ""
            return self._numeric(command) if command[:2] in NUMERIC else b""
        if byte <= 0x20:
            return b""
        self._pending += chr(byte)
        if len(self._pending) < 2:
            return b""
        if self._pending[:2] in NUMERIC:
            if len(self._pending) > MAX_NUMBER:
                self._pending = ""
            return b""
        command, self._pending = self._pending, ""
        return self._two(command)

    def _set(self, **values: object) -> None:
        self._sensor.settings = replace(self._sensor.settings, **values)  # type: ignore[arg-type]  # checked by the table

    def _two(self, command: str) -> bytes:
        if command in _PLAIN:
            return _PLAIN[command](self._sensor)
        group, letter = command[0], command[1]
        if group == "O" or group == "o":
            return self._output(group, letter)
        if command in UNITS:
            self._set(unit=command)
            return lines.units(self._sensor)
        if command in RATES_HZ:
            self._set(rate_hz=RATES_HZ[command])
            return lines.sampling(self._sensor)
        if command in BUFFERS:
            self._set(samples=BUFFERS[command])
        elif group == "F" and letter in "012345":
            self._set(decimals=int(letter))
        elif group == "R" and letter in "+-|":
            self._set(direction=letter)
        elif group == "B" and letter in "ZLSCTV":
            self._set(blank=letter)
        elif group == "K" and letter in "+-":
            self._set(averages_peaks=letter == "+")
        return b""

    def _output(self, group: str, letter: str) -> bytes:
        """O and a letter switches on; o and the letter, or O and the small letter, switches off."""
        on = group == "O" and not letter.islower()
        if letter.upper() in FEATURES:
            self._set(**{FEATURES[letter.upper()]: on})
            return lines.output_feature(letter.upper() if on else letter.lower())
        if letter in "123456789":
            self._set(reports=int(letter))
        elif letter in "V/":
            self._set(order=letter)
        return b""

    def _numeric(self, command: str) -> bytes:
        name, text = command[:2], command[2:]
        try:
            value = float(text)
        except ValueError:
            return b""
        if value != value or abs(value) > 1e10:
            return b""
        self._number(name, text, value)
        return b""

    def _number(self, name: str, text: str, value: float) -> None:
        sensor = self._sensor
        if name in ("R>", "R<"):
            self._set(**{"min_mps" if name == "R>" else "max_mps": max(value, 0.0) * sensor.unit.mps})
        elif name in ("M>", "M<"):
            self._set(**{"min_magnitude" if name == "M>" else "max_magnitude": max(value, 0.0)})
        elif name == "^/" and abs(value) < 90:
            self._set(**{"outbound_deg" if text.startswith("-") else "inbound_deg": abs(value)})
        elif name == "S=":
            self._set(rate_hz=min(max(int(value), 1), 100) * 1000)
        elif name == "O=" and 1 <= value <= MAX_REPORTS:
            self._set(reports=int(value))
        elif name == "C=":
            sensor.clock_offset_s = int(value) - sensor.uptime_s
        elif name == "K=":
            self._set(averages_peaks=value > 0)


def _factory(sensor: Ops243Sensor) -> bytes:
    sensor.settings = sensor.flash = Ops243Settings()
    return b""


def _restart(sensor: Ops243Sensor) -> bytes:
    sensor.restart()
    return b""


def _save(sensor: Ops243Sensor) -> bytes:
    sensor.save()
    return b""


def _power(active: bool) -> Callable[[Ops243Sensor], bytes]:
    def switch(sensor: Ops243Sensor) -> bytes:
        sensor.active = active
        return b""

    return switch


_PLAIN: dict[str, Callable[[Ops243Sensor], bytes]] = {
    "??": lines.everything,
    "?V": lambda _sensor: lines.version(),
    "U?": lines.units,
    "R?": lines.min_speed,
    "M?": lines.squelch,
    "^?": lines.angles,
    "S?": lines.sampling,
    "C?": lines.clock,
    "PA": _power(active=True),
    "PI": _power(active=False),
    "P!": _restart,
    "A!": _save,
    "AX": _factory,
}
