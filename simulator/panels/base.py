"""What simulated panels have in common: power, a firmware that can hang, blinking, who is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from simulator.modbus_pdu import IllegalAddress, IllegalValue

BLINK_HALF_PERIOD_S = 0.5  # no maker states his


class Panel(Protocol):
    """A simulated panel as a stand uses it; it also has the methods that its line asks for."""

    digits: int
    powered: bool
    stuck: bool
    writes: int
    on_change: Callable[[str], None] | None

    @property
    def brightness(self) -> int | None: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...

    def lit(self) -> str: ...

    def process(self, dt_s: float) -> None: ...

    def power_off(self) -> None: ...

    def power_on(self) -> None: ...

    def power_cycle(self) -> None: ...


class PanelTwin:
    """A panel that can be written to. A subclass says what its registers take and what is seen.

    `on_change` is called with what is lit whenever that has changed; `writes` counts those that were taken
    off the line. While it is `stuck` the firmware hangs on what it shows; it goes on when that is cleared.
    """

    bounds: Mapping[int, tuple[int, int]] = {}  # registers that can be written, and their values

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.on_change: Callable[[str], None] | None = None
        self.writes = 0
        self.powered = True
        self.stuck = False
        self._pending: list[tuple[int, tuple[int, ...]]] = []
        self._registers: dict[int, int] = {}
        self._t_s = 0.0
        self._shown = ""
        self._boot()

    # ------------------------------------------------------------------ what a panel is

    def _reset(self) -> None:
        """Fill the registers as they are when power comes."""
        raise NotImplementedError

    def _face(self) -> str:
        """What a panel with power shows now, `digits` characters; a point belongs to the digit before."""
        raise NotImplementedError

    def _take(self, address: int, values: Sequence[int]) -> None:
        """Take what was written; it has been checked."""
        self._registers.update(enumerate(values, address))

    @property
    def brightness(self) -> int | None:
        """The step it is set to; None: the bus does not set it."""
        return None

    # ------------------------------------------------------------------ what the bus sees

    def check(self, address: int, values: Sequence[int]) -> None:
        """Raise what a write would be refused with; a write is taken whole or not at all."""
        wanted = range(address, address + len(values))
        if not self.bounds.keys() >= set(wanted):
            raise IllegalAddress
        for register, value in zip(wanted, values, strict=True):
            lowest, highest = self.bounds[register]
            if not lowest <= value <= highest:
                raise IllegalValue

    def write(self, address: int, values: Sequence[int]) -> None:
        self.check(address, values)
        self.writes += 1
        if self.stuck:
            self._pending.append((address, tuple(values)))
            return
        self._catch_up()
        self._take(address, values)
        self._notice()

    def _catch_up(self) -> None:
        pending, self._pending = self._pending, []
        for address, values in pending:
            self._take(address, values)

    # ------------------------------------------------------------------ what is seen

    def lit(self) -> str:
        """What the LEDs show now, a character a digit; spaces are dark."""
        return self._face() if self.powered else self._dark

    @property
    def _dark(self) -> str:
        return " " * self.digits

    @property
    def _off_phase(self) -> bool:
        """Whether what blinks is dark now."""
        return int(self._t_s / BLINK_HALF_PERIOD_S) % 2 == 1

    def process(self, dt_s: float) -> None:
        """Let time pass: blinking goes on, a firmware that hung catches up."""
        self._t_s += dt_s
        if not self.stuck:
            self._catch_up()
        self._notice()

    def power_off(self) -> None:
        self.powered = False
        self._notice()

    def power_on(self) -> None:
        self.powered = True
        self._boot()

    def power_cycle(self) -> None:
        """Off and on: what was set over the bus is lost, but for what the panel stores."""
        self.power_off()
        self.power_on()

    def _boot(self) -> None:
        self._pending.clear()
        self._t_s = 0.0
        self._reset()
        self._notice()

    def _notice(self) -> None:
        shown = self.lit()
        if shown != self._shown:
            self._shown = shown
            if self.on_change:
                self.on_change(shown)


class ReadableTwin(PanelTwin):
    """A panel that tells what its registers hold."""

    readable: frozenset[int] = frozenset()

    def read(self, address: int, count: int) -> list[int]:
        wanted = range(address, address + count)
        if not self.readable.issuperset(wanted):
            raise IllegalAddress
        return [self._registers[register] for register in wanted]


def signed(word: int, bits: int = 16) -> int:
    """Two's complement."""
    return word - (1 << bits) if word >> (bits - 1) else word


def number_text(number: int, decimals: int, digits: int) -> str | None:
    """A number with its point, right-aligned; None: it does not fit.

    >>> number_text(2468, 3, 4), number_text(-5, 1, 4), number_text(12345, 0, 4)
    ('2.468', ' -0.5', None)
    """
    text = ("-" if number < 0 else "") + f"{abs(number):0{decimals + 1}d}"
    if len(text) > digits:
        return None
    text = text.rjust(digits)
    return f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text
