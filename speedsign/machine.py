"""How the machine is: what the kernel tells in files about heat, supply, disk and memory.

Nothing here raises, waits or starts a program: what a board does not tell is None. Sources: the kernel's
ABI documents of thermal, power_supply and hwmon; of a Raspberry Pi the firmware's `get_throttled` and its
hwmon driver (drivers/hwmon/raspberrypi-hwmon.c).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Bits of the Raspberry Pi's get_throttled: what is now, and 16 higher what was since the last look.
_THROTTLED = ("under_voltage", "frequency_capped", "throttled", "hot")
_WAS = 16
_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_PLAUSIBLE_C = (-60.0, 150.0)
_PLAUSIBLE_V = (-1000.0, 1000.0)  # what is beyond is a driver's slip, and no hub takes it


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """None: this machine does not tell."""

    temperature_c: float | None = None  # of the processor
    troubles: tuple[str, ...] | None = None  # of the supply and the heat: under_voltage, was_throttled, …
    supply_v: float | None = None  # of the battery, or of what feeds the machine
    battery_percent: int | None = None
    on_mains: bool | None = None
    disk_free_bytes: int | None = None  # of the file system that was asked about
    disk_free_share: float | None = None  # 0 to 1
    memory_bytes: int | None = None  # of this process


class Machine:
    """Reads below `root`, which a test makes by itself."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def facts(self, disk: Path) -> MachineFacts:
        """As it is now; `disk`: any file or folder of the file system in question. A millisecond."""
        supply_v, battery_percent, on_mains = self._supply()
        free_bytes, free_share = _disk(disk)
        return MachineFacts(
            temperature_c=self._temperature_c(),
            troubles=self._troubles(),
            supply_v=supply_v,
            battery_percent=battery_percent,
            on_mains=on_mains,
            disk_free_bytes=free_bytes,
            disk_free_share=free_share,
            memory_bytes=self._memory_bytes(),
        )

    def _temperature_c(self) -> float | None:
        """Of the hottest zone that is the processor's; of any zone where none says so."""
        found: dict[bool, list[float]] = {True: [], False: []}
        for zone in self._folders("sys/class/thermal", "thermal_zone*"):
            milli = _whole(zone / "temp")
            if milli is None or not _PLAUSIBLE_C[0] <= milli / 1000 <= _PLAUSIBLE_C[1]:
                continue
            kind = _text(zone / "type") or ""
            found["cpu" in kind or "pkg" in kind or "soc" in kind].append(milli / 1000)
        heat = found[True] or found[False]
        return max(heat) if heat else None

    def _troubles(self) -> tuple[str, ...] | None:
        bits = _hexadecimal(self._root / _FIRMWARE)
        alarm = self._under_voltage_alarm()
        if bits is None and alarm is None:
            return None
        words = throttled_words(bits or 0)
        return (_THROTTLED[0], *words) if alarm and _THROTTLED[0] not in words else words

    def _under_voltage_alarm(self) -> bool | None:
        for folder in self._folders("sys/class/hwmon", "hwmon*"):
            if _text(folder / "name") == "rpi_volt":
                value = _whole(folder / "in0_lcrit_alarm")
                return None if value is None else value != 0
        return None

    def _supply(self) -> tuple[float | None, int | None, bool | None]:
        """Volt, percent of the battery, whether the mains feed it."""
        volt: float | None = None
        percent: int | None = None
        mains: bool | None = None
        for folder in self._folders("sys/class/power_supply", "*"):
            if _text(folder / "scope") == "Device":
                continue  # a mouse's
            if _text(folder / "type") == "Battery":
                percent = _bounded(_whole(folder / "capacity"), 0, 100)
                volt = _volt(folder)
            else:
                online = _whole(folder / "online")
                mains = mains if online is None else bool(mains) or online > 0
                volt = _volt(folder) if volt is None else volt
        return volt, percent, mains

    def _memory_bytes(self) -> int | None:
        words = (_text(self._root / "proc/self/statm") or "").split()
        try:
            return int(words[1]) * os.sysconf("SC_PAGE_SIZE")
        except (IndexError, ValueError, OSError):
            return None

    def _folders(self, where: str, pattern: str) -> Iterator[Path]:
        try:
            yield from sorted((self._root / where).glob(pattern))
        except OSError:
            return


def throttled_words(bits: int) -> tuple[str, ...]:
    """What the firmware of a Raspberry Pi says by `get_throttled`.

    >>> throttled_words(0x50005)
    ('under_voltage', 'throttled', 'was_under_voltage', 'was_throttled')
    """
    now = [word for bit, word in enumerate(_THROTTLED) if bits >> bit & 1]
    return (*now, *(f"was_{word}" for bit, word in enumerate(_THROTTLED, _WAS) if bits >> bit & 1))


def _disk(path: Path) -> tuple[int | None, float | None]:
    """What a program without special rights may still write; of the next folder up that is there."""
    for there in (path, *path.parents):
        try:
            told = os.statvfs(there)
        except OSError:
            continue
        share = told.f_bavail / told.f_blocks if told.f_blocks else None
        return told.f_bavail * told.f_frsize, share
    return None, None


def _volt(folder: Path) -> float | None:
    micro = _whole(folder / "voltage_now")
    if micro is None or not _PLAUSIBLE_V[0] <= micro / 1e6 <= _PLAUSIBLE_V[1]:
        return None
    return micro / 1e6


def _bounded(value: int | None, low: int, high: int) -> int | None:
    return value if value is not None and low <= value <= high else None


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(200).strip()
    except (OSError, ValueError):
        return None


def _whole(path: Path) -> int | None:
    return _number(path, 10)


def _hexadecimal(path: Path) -> int | None:
    return _number(path, 16)


def _number(path: Path, base: int) -> int | None:
    try:
        return int(_text(path) or "", base)
    except ValueError:
        return None
