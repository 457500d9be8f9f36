"""Memory of the whole machine: /proc/meminfo and /proc/vmstat (proc(5))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from speedsign.doctor.files import lines
from speedsign.doctor.finding import Finding, ok, unknown, warning

LITTLE_MB = 64


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """None: the machine does not tell."""

    total_mb: int | None = None
    available_mb: int | None = None
    killed: int | None = None  # programs that the kernel has ended for want of memory, since boot


def memory_facts(root: Path) -> MemoryFacts:
    found = _pairs(root / "proc/meminfo")
    return MemoryFacts(
        _mega(found.get("MemTotal:")),
        _mega(found.get("MemAvailable:")),
        _pairs(root / "proc/vmstat").get("oom_kill"),
    )


def judge_memory(facts: MemoryFacts) -> list[Finding]:
    told: dict[str, object] = {
        "total_mb": facts.total_mb,
        "available_mb": facts.available_mb,
        "killed": facts.killed,
    }
    if facts.available_mb is None:
        return [unknown("memory", "this machine does not tell", facts=told)]
    found = []
    if facts.killed:
        found.append(
            warning(
                "memory",
                f"the kernel has ended programs for want of memory: {facts.killed} since the start",
                "see which: journalctl -k -g 'Out of memory'; stop what the sign does not need",
                told,
            )
        )
    if facts.available_mb < LITTLE_MB:
        found.append(
            warning(
                "memory",
                f"{facts.available_mb} MB of {facts.total_mb} MB are left",
                "see who takes it: top -o RES; stop what the sign does not need",
                told,
            )
        )
    return found or [ok("memory", f"{facts.available_mb} MB of {facts.total_mb} MB are left", told)]


def _pairs(path: Path) -> dict[str, int]:
    found = {}
    for line in lines(path):
        words = line.split()
        if len(words) > 1 and words[1].isdecimal():
            found[words[0]] = int(words[1])
    return found


def _mega(kilo: int | None) -> int | None:
    return None if kilo is None else kilo // 1024
