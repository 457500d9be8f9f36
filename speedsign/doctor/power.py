"""Supply and heat, as the board tells them (speedsign.machine); of a Raspberry Pi also by its `vcgencmd`.

Under 4.63 V a Pi marks its supply as too low; from 80 °C on it slows down (Raspberry Pi documentation,
"get_throttled" and "Frequency management and thermal control").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong
from speedsign.machine import MachineFacts

HOT_C = 80.0
LOW_BATTERY_PERCENT = 20

_UNDER_VOLTAGE = "use the board's own supply, a short thick cable and nothing else on its USB ports"
_HEAT = "shade and ventilate the cabinet, or fit a heat sink"


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """`board`: what it calls itself, empty where it does not."""

    machine: MachineFacts
    board: str = ""
    up_s: float | None = None

    @property
    def is_pi(self) -> bool:
        return "Raspberry Pi" in self.board


def judge_power(facts: PowerFacts) -> list[Finding]:
    machine = facts.machine
    told: dict[str, object] = {
        "board": facts.board,
        "temperature_c": machine.temperature_c,
        "troubles": None if machine.troubles is None else list(machine.troubles),
        "supply_v": machine.supply_v,
        "battery_percent": machine.battery_percent,
        "on_mains": machine.on_mains,
        "up_s": facts.up_s,
    }
    found = [*_supply(machine.troubles or (), told), *_heat(machine, told), *_battery(machine, told)]
    return found or [_quiet(facts, told)]


def _supply(troubles: Sequence[str], told: dict[str, object]) -> list[Finding]:
    if "under_voltage" in troubles:
        return [wrong("power", "the supply is too low now", _UNDER_VOLTAGE, told)]
    if "was_under_voltage" in troubles:
        what = "the supply was too low since the start; that damages cards"
        return [warning("power", what, _UNDER_VOLTAGE, told)]
    return []


def _heat(machine: MachineFacts, told: dict[str, object]) -> list[Finding]:
    troubles, heat_c = machine.troubles or (), machine.temperature_c
    at = "" if heat_c is None else f" ({heat_c:.0f} °C)"
    if "hot" in troubles or "throttled" in troubles or (heat_c is not None and heat_c >= HOT_C):
        return [warning("power", f"the processor is too hot and slowed down{at}", _HEAT, told)]
    if "was_throttled" in troubles or "was_hot" in troubles:
        return [note("power", f"the processor was slowed down since the start{at}", _HEAT, told)]
    return []


def _battery(machine: MachineFacts, told: dict[str, object]) -> list[Finding]:
    percent = machine.battery_percent
    if percent is None or percent >= LOW_BATTERY_PERCENT or machine.on_mains:
        return []
    return [warning("power", f"the battery has {percent} % left", "charge it; clean the solar panel", told)]


def _quiet(facts: PowerFacts, told: dict[str, object]) -> Finding:
    machine = facts.machine
    parts = [] if machine.temperature_c is None else [f"{machine.temperature_c:.0f} °C"]
    if machine.supply_v is not None:
        parts.append(f"{machine.supply_v:.1f} V")
    if machine.battery_percent is not None:
        parts.append(f"battery {machine.battery_percent} %")
    if machine.troubles is not None:
        return ok("power", ", ".join(["the supply was never too low since the start", *parts]), told)
    if facts.is_pi:
        what = "this Raspberry Pi does not tell whether its supply is too low"
        return unknown("power", what, "look with: sudo vcgencmd get_throttled (0x0 is good)", told)
    if parts:
        return ok("power", ", ".join(parts), told)
    return unknown("power", "this board tells nothing of its supply", facts=told)
