"""A DM56A04 / DM36B06 panel: registers as documented, LEDs as they would be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.rtu_slave import IllegalAddress, IllegalValue

DIGITS, VALUE_HIGH, VALUE_LOW, BLINK, BRIGHTNESS = 0, 6, 7, 8, 9
FACTORY_RESET, UNIT_ID, BAUD_CODE, PARITY_CODE = 0xFB, 0xFD, 0xFE, 0xFF

_SPACE = 0x20
_HIGHEST = {BLINK: 0x3F, BRIGHTNESS: 8, UNIT_ID: 247, BAUD_CODE: 7, PARITY_CODE: 2, FACTORY_RESET: 0}
_LOWEST = {BRIGHTNESS: 1, UNIT_ID: 1}
_KNOWN = frozenset({*range(10), FACTORY_RESET, UNIT_ID, BAUD_CODE, PARITY_CODE})
_READABLE = _KNOWN | {0xFC}  # not documented, but between those that can be read in one go
_BLINK_HALF_PERIOD_S = 0.5  # not documented


class Dm56a04Twin:
    """The panel, as `simulator.rtu_slave.RegisterDevice`.

    `power_up` is the stored label that it lights when power comes. What the maker does not state is
    decided so: a value written to register 7 appears in registers 0 to 5 too, out-of-range values are
    refused with exception 3, registers that are not documented with exception 2.
    """

    def __init__(self, digits: int = 4, power_up: str = "0000", unit: int = 1) -> None:
        self.digits = digits
        self.power_up = power_up
        self.on_change: Callable[[str], None] | None = None
        self.writes = 0
        self.powered = True
        self.stuck = False  # the firmware hangs on what it shows; it goes on when this is cleared
        self._pending: list[tuple[int, tuple[int, ...]]] = []
        self._stored = {UNIT_ID: unit, BAUD_CODE: 3, PARITY_CODE: 0, FACTORY_RESET: 0}
        self._registers: dict[int, int] = {}
        self._t_s = 0.0
        self._shown = ""
        self._boot()

    # ------------------------------------------------------------------ what the bus sees

    def read(self, address: int, count: int) -> list[int]:
        wanted = range(address, address + count)
        if not _READABLE.issuperset(wanted):
            raise IllegalAddress
        return [self._registers[register] for register in wanted]

    def write(self, address: int, values: Sequence[int]) -> None:
        wanted = range(address, address + len(values))
        if not _KNOWN.issuperset(wanted):
            raise IllegalAddress
        for register, value in zip(wanted, values, strict=True):
            self._check(register, value)
        self.writes += 1
        if self.stuck:
            self._pending.append((address, tuple(values)))
            return
        self._catch_up()
        self._take(address, values)

    def _catch_up(self) -> None:
        pending, self._pending = self._pending, []
        for address, values in pending:
            self._take(address, values)

    def _check(self, register: int, value: int) -> None:
        if register < VALUE_HIGH:
            if not _SPACE <= value <= 0x7E:
                raise IllegalValue
        elif register in _HIGHEST and not _LOWEST.get(register, 0) <= value <= _HIGHEST[register]:
            raise IllegalValue

    def _take(self, address: int, values: Sequence[int]) -> None:
        last = address + len(values) - 1
        for register, value in enumerate(values, address):
            self._registers[register] = value
            if register in self._stored:
                self._stored[register] = value
        if address <= FACTORY_RESET <= last:
            self._stored.update({UNIT_ID: 1, BAUD_CODE: 3, PARITY_CODE: 0})
            self._registers.update(self._stored)
        if address <= VALUE_LOW <= last:
            if address == VALUE_LOW:
                self._registers[VALUE_HIGH] = 0  # alone: a plain unsigned number
            self._show_number()
        self._notice()

    def _show_number(self) -> None:
        high, low = self._registers[VALUE_HIGH], self._registers[VALUE_LOW]
        negative, decimals = high >> 12 & 0xF, high >> 8 & 0xF
        number = (high & 0xFF) << 16 | low
        # The decimal point has no place in the digit registers; it is left out of what `lit` says.
        text = f"{number:0{decimals + 1}d}" if decimals else str(number)
        self._put_text(("-" if negative else "") + text)

    def _put_text(self, text: str) -> None:
        fitting = text[-self.digits :].rjust(self.digits).ljust(6)
        self._registers.update(enumerate(map(ord, fitting), DIGITS))

    # ------------------------------------------------------------------ what is seen

    @property
    def brightness(self) -> int:
        """1 to 8."""
        return self._registers[BRIGHTNESS]

    @property
    def blink_mask(self) -> int:
        return self._registers[BLINK]

    def lit(self) -> str:
        """What the LEDs show now, a character a digit; spaces are dark."""
        if not self.powered:
            return " " * self.digits
        off = self.blink_mask if int(self._t_s / _BLINK_HALF_PERIOD_S) % 2 else 0
        return "".join(
            # the lowest bit of the mask is the rightmost digit
            " " if off >> (self.digits - 1 - place) & 1 else chr(self._registers[DIGITS + place])
            for place in range(self.digits)
        )

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
        """Off and on: what was set over the bus is lost, the stored label is lit."""
        self.power_off()
        self.power_on()

    def _boot(self) -> None:
        self._pending.clear()
        self._t_s = 0.0
        self._registers = dict.fromkeys(_READABLE, 0) | self._stored
        self._registers[BRIGHTNESS] = 8
        self._put_text(self.power_up)
        self._notice()

    def _notice(self) -> None:
        shown = self.lit()
        if shown != self._shown:
            self._shown = shown
            if self.on_change:
                self.on_change(shown)
