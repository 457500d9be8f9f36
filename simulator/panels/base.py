"""What simulated panels have in common: power, a firmware that can hang, blinking, who is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple, Protocol

from simulator.modbus_pdu import IllegalAddress, IllegalValue

BLINK_HALF_PERIOD_S = 0.5  # no maker states his
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)  # as makers number them


class Identity(NamedTuple):
    """Where a panel keeps its own id and baud rate; None: nowhere. `first`: the code of 1200."""

    unit_at: int | None = None
    baud_at: int | None = None
    first: int = 0


class Panel(Protocol):
    """A simulated panel as a stand uses it; it also has the methods that its line asks for."""

    digits: int
    powered: bool
    stuck: bool
    writes: int
    on_change: Callable[[str], None] | None
    on_brightness: Callable[[int], None] | None
    dims_at_power: bool
    worn: float

    @property
    def brightness(self) -> int | None: ...

    @property
    def steps(self) -> range | None: ...

    @property
    def light(self) -> float | None: ...

    def be(self, unit: int, baud: int | None) -> None: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...

    def lit(self) -> str: ...

    def process(self, dt_s: float) -> None: ...

    def power_off(self) -> None: ...

    def power_on(self) -> None: ...

    def power_cycle(self) -> None: ...


class PanelTwin:
    """A panel that can be written to. A subclass says what its registers take and what is seen.

    `on_change` is called with what is lit whenever that has changed, `on_brightness` with the step; `writes`
    counts those that were taken off the line. While it is `stuck` the firmware hangs on what it shows; it
    goes on when that is cleared. `stored` are registers that outlive a loss of power.
    """

    bounds: Mapping[int, tuple[int, int]] = {}  # registers that can be written, and their values
    identity: ClassVar[Identity] = Identity()

    def __init__(self, digits: int, stored: Mapping[int, int] | None = None) -> None:
        self.digits = digits
        self.on_change: Callable[[str], None] | None = None
        self.on_brightness: Callable[[int], None] | None = None
        self.dims_at_power = False  # begins at its dimmest step
        self.worn = 1.0  # how much of its light is left
        self.writes = 0
        self.powered = True
        self.stuck = False
        self._pending: list[tuple[int, tuple[int, ...]]] = []
        self._registers: dict[int, int] = {}
        self._stored = dict(stored or {})
        self._t_s = 0.0
        self._shown = ""
        self._step: int | None = None
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
    def brightness_at(self) -> int | None:
        """The register of its brightness; None: the bus does not set it."""
        return None

    @property
    def brightness(self) -> int | None:
        """The step it is set to; None: the bus does not set it."""
        return None if self.brightness_at is None else self._registers[self.brightness_at]

    @property
    def steps(self) -> range | None:
        """What its brightness can be set to, from the dimmest."""
        if self.brightness_at is None:
            return None
        lowest, highest = self.bounds[self.brightness_at]
        return range(lowest, highest + 1)

    @property
    def light(self) -> float | None:
        """What a person sees of a lit panel: 1 is as bright as it was when new; the dimmest step glows."""
        steps, step = self.steps, self.brightness
        return None if steps is None or step is None else self.worn * (steps.index(step) + 1) / len(steps)

    def be(self, unit: int, baud: int | None) -> None:
        """Its id and rate are these, as somebody has set them before it was mounted."""
        if self.identity.unit_at is not None:
            self._stored[self.identity.unit_at] = unit
        if self.identity.baud_at is not None and baud in BAUDS:
            self._stored[self.identity.baud_at] = BAUDS.index(baud) + self.identity.first
        self._registers.update(self._stored)

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
        if self.dims_at_power and self.steps is not None and self.brightness_at is not None:
            self._registers[self.brightness_at] = self.steps[0]
        self._notice()

    def _notice(self) -> None:
        if self.powered and self.brightness is not None and self.brightness != self._step:
            self._step = self.brightness
            if self.on_brightness:
                self.on_brightness(self._step)
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
