"""A relay board on Modbus: a coil for each relay, and what the relays switch.

Sources: the maker's wiki of the Modbus RTU Relay (Waveshare) for FC5, FC1, the toggle value and flash-on;
many boards of other makers take the same frames. Not stated, and decided here: a second flash-on while the
first still runs starts its time anew, a plain on ends it and stays on; a relay that does not exist is
refused with exception 2 (one board is known to answer with a wrong echo instead).
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.modbus_pdu import OFF, ON, IllegalAddress, IllegalValue

TOGGLE = 0x5500
FLASH_ON = 0x0200  # + relay; the value is the time in 100 ms
FLASH_STEP_S = 0.1

_MAX_FLASH = 0x7FFF


class RelayBoard:
    """The board, as `simulator.modbus_pdu.CoilDevice`. All relays are off when power comes."""

    def __init__(self, relays: int = 8) -> None:
        self.relays = relays
        self.powered = True
        self.writes = 0
        self.on_change: Callable[[int, bool], None] | None = None  # relay, on
        self._on = [False] * relays
        self._left_s: dict[int, float] = {}  # of relays that switch off by themselves
        self._wires: dict[int, tuple[Callable[[], None], Callable[[], None]]] = {}

    def wire(self, relay: int, on: Callable[[], None], off: Callable[[], None]) -> None:
        """What hangs on a relay's normally-open contact; called at once with how it stands."""
        self._wires[relay] = on, off
        (on if self._on[relay] else off)()

    # ------------------------------------------------------------------ what the bus sees

    def read_coils(self, address: int, count: int) -> list[bool]:
        if address + count > self.relays:
            raise IllegalAddress
        return self._on[address : address + count]

    def write_coil(self, address: int, value: int) -> None:
        if FLASH_ON <= address < FLASH_ON + self.relays:
            self._flash(address - FLASH_ON, value)
            return
        if address >= self.relays:
            raise IllegalAddress
        if value not in (ON, OFF, TOGGLE):
            raise IllegalValue
        self.writes += 1
        self._left_s.pop(address, None)
        self._switch(address, on=value == ON or (value == TOGGLE and not self._on[address]))

    def _flash(self, relay: int, value: int) -> None:
        if not 1 <= value <= _MAX_FLASH:
            raise IllegalValue
        self.writes += 1
        self._left_s[relay] = value * FLASH_STEP_S
        self._switch(relay, on=True)

    # ------------------------------------------------------------------ what is seen

    def lit(self) -> list[bool]:
        """Which relays are closed."""
        return list(self._on)

    def process(self, dt_s: float) -> None:
        """Let time pass: a relay that was switched on for a time opens after it."""
        for relay, left_s in list(self._left_s.items()):
            self._left_s[relay] = left_s - dt_s
            if left_s - dt_s <= 1e-9:
                del self._left_s[relay]
                self._switch(relay, on=False)

    def power_off(self) -> None:
        """Every contact opens; what the bus says is not heard (see `simulator.panel_end`)."""
        self.powered = False
        self._left_s.clear()
        for relay in range(self.relays):
            self._switch(relay, on=False)

    def power_on(self) -> None:
        self.powered = True

    def power_cycle(self) -> None:
        self.power_off()
        self.power_on()

    def _switch(self, relay: int, *, on: bool) -> None:
        if self._on[relay] == on:
            return
        self._on[relay] = on
        if relay in self._wires:
            self._wires[relay][0 if on else 1]()
        if self.on_change:
            self.on_change(relay, on)
