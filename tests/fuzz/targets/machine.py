"""What a kernel tells in files about heat, supply and memory: a fact, or None; never an end of the sign."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from speedsign.machine import Machine
from tests.fuzz.scratch import scratch

LONGEST = 600
FILES = (
    "sys/class/thermal/thermal_zone0/temp", "sys/class/thermal/thermal_zone0/type",
    "sys/devices/platform/soc/soc:firmware/get_throttled", "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/in0_lcrit_alarm", "sys/class/power_supply/bat/type",
    "sys/class/power_supply/bat/capacity", "sys/class/power_supply/bat/voltage_now",
    "sys/class/power_supply/ac/online", "proc/self/statm",
)  # fmt: skip
WORDS = (
    b"Battery",
    b"Mains",
    b"rpi_volt",
    b"50005",
    b"0x50005",
    b"cpu-thermal",
    b"48312",
    b"-1",
    b"1_0",
    b"9" * 5000,
    b"\xd9\xa3",
    b"\n\n",
)


@cache
def root() -> Path:
    found = scratch()
    for file in FILES:
        (found / file).parent.mkdir(parents=True, exist_ok=True)
    return found


def target(data: bytes) -> None:
    """A paragraph for each file; one that is missing is no file."""
    texts = data.split(b"\n\n")
    for file, text in zip(FILES, [*texts, *[None] * len(FILES)], strict=False):
        if text is None:
            (root() / file).unlink(missing_ok=True)
        else:
            (root() / file).write_bytes(text)
    facts = Machine(root()).facts(root())
    assert facts.temperature_c is None or -60 <= facts.temperature_c <= 150
    assert facts.battery_percent is None or 0 <= facts.battery_percent <= 100
    assert facts.memory_bytes is None or facts.memory_bytes >= 0
    assert facts.supply_v is None or -1000 <= facts.supply_v <= 1000
    assert all(word.isidentifier() for word in facts.troubles or ())


def seeds() -> Iterator[bytes]:
    texts = (
        b"48312\n",
        b"cpu-thermal\n",
        b"50005\n",
        b"rpi_volt\n",
        b"1\n",
        b"Battery\n",
        b"83\n",
        b"12650000\n",
        b"1\n",
        b"7000 3000 1\n",
    )
    yield b"\n\n".join(text.strip() for text in texts)
    for at in range(len(texts)):
        yield b"\n\n".join(b"" if number == at else text.strip() for number, text in enumerate(texts))
