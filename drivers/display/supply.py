"""The relay in a panel's supply: what no telegram can darken loses its power.

`SupplyGuard` decides, without any I/O; `Supply` is the relay that obeys it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from drivers.display.relay import Relay, RelaySettings
from speedsign.ports import ModbusBus

_NEVER_S = float("inf")


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """How long a panel is without power, and how long it has to answer afterwards."""

    boot_s: float = 1.0  # from power to the panel's first answer
    answer_s: float = 0.8  # more, before it is cut again: two tries; what it lights meanwhile is its own
    off_s: float = 3.0  # the first cut; each further one twice as long, up to …
    off_max_s: float = 60.0


class SupplyGuard:
    """Cuts the supply while the panel is at fault, and tries it again after growing pauses."""

    def __init__(self, settings: GuardSettings | None = None) -> None:
        self._settings = settings or GuardSettings()
        self._off_s = self._settings.off_s
        self._cut_until_s: float | None = None  # None: not cut
        self._judge_at_s = 0.0  # before it a fault is the one that the cut is to mend

    def on(self, t_s: float, *, faulty: bool, resting: bool) -> bool:
        """Whether the panel is to have its supply now."""
        if resting:
            return False
        if self._cut_until_s is not None:
            if t_s < self._cut_until_s:
                return False
            self._cut_until_s = None
            self._judge_at_s = t_s + self._settings.boot_s + self._settings.answer_s
        if not faulty:
            self._off_s = self._settings.off_s
            return True
        if t_s < self._judge_at_s:
            return True
        self._cut_until_s = t_s + self._off_s
        self._off_s = min(2 * self._off_s, self._settings.off_max_s)
        return False

    def next_s(self, *, faulty: bool) -> float:
        """When `on` may say something else though nothing has changed."""
        if self._cut_until_s is not None:
            return self._cut_until_s
        return self._judge_at_s if faulty else _NEVER_S


class Supply(Relay):
    """The relay, and whom it switches: `power(on)` is called when the panel has or has not its supply.

    It has none once the board has acknowledged that; it has it `boot_s` after the board was told, whether
    that answered or not: a dead board must not keep a panel from being darkened that has power all the same.
    """

    def __init__(
        self,
        bus: ModbusBus,
        unit: int,
        coil: int,
        settings: RelaySettings | None = None,
        guard: GuardSettings | None = None,
        *,
        wake: Callable[[], None],
        is_faulty: Callable[[], bool],
        power: Callable[[bool], None],
    ) -> None:
        super().__init__(bus, unit, coil, "supply", settings, wake=wake)
        self._guard_settings = guard or GuardSettings()
        self._guard = SupplyGuard(self._guard_settings)
        self._is_faulty, self._power = is_faulty, power
        self._resting = False
        self._powered = False
        self._boot_until_s = _NEVER_S
        power(False)  # until the relay was told

    def rest(self, *, resting: bool) -> None:
        """Off by plan from now on, or no more."""
        if resting is not self._resting:
            self._resting = resting
            self._wake()

    rescues = True

    async def leave(self) -> bool:
        """Off: then the panels are dark, whatever they say."""
        off = await super().leave()
        if off and self._powered:
            self._powered = False
            self._power(False)
        return off

    def due_s(self) -> float:
        if self._decided() is not self.wanted:
            return 0.0
        due_s = min(super().due_s(), self._guard.next_s(faulty=self._is_faulty()))
        return due_s if self._powered else min(due_s, self._boot_until_s)

    async def step(self) -> None:
        if self._decided() is not self.wanted:
            self._wanted = not self._wanted
            self._failures = 0  # whatever the board did before: it is told this at once
        if super().due_s() <= _loop_s():
            await super().step()
        self._tell_panel()

    def _decided(self) -> bool:
        return self._guard.on(_loop_s(), faulty=self._is_faulty(), resting=self._resting)

    def _tell_panel(self) -> None:
        if not self.wanted:
            self._boot_until_s = _NEVER_S
            if self.is_on() is False and self._powered:
                self._powered = False
                self._power(False)
        elif self._boot_until_s == _NEVER_S:
            self._boot_until_s = _loop_s() + self._guard_settings.boot_s
        elif not self._powered and _loop_s() >= self._boot_until_s:
            self._powered = True
            self._power(True)


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
