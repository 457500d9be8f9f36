"""Replies that may still come to requests that were given up, and how to be sure that none will. Pure.

Over RTU nothing in a reply says to which request it belongs, and a write's reply does not say what was
written: the late one to an earlier write passes for that to the next. A slave answers in order, so once it
has answered a read of a size that nobody waits for, all before is past. Units are told apart by their ids:
one that is silent holds up nobody else.
"""

from __future__ import annotations

from drivers.modbus_rules import READ_COILS, READ_HOLDING, READ_INPUTS, READS, WRITE_COIL, Ask

LATE_S = 5.0  # no reply comes later than this after its request was given up

_Shape = tuple[int, int, int]  # what tells the replies to two reads apart: unit, function, bytes


class Owed:
    """What is owed by each unit. True while anything is."""

    def __init__(self) -> None:
        self._until_s: dict[_Shape, float] = {}  # of reads, probes too
        self._unsure: dict[int, tuple[Ask, float]] = {}  # the last request that a unit owes, and until when

    def __bool__(self) -> bool:
        return bool(self._unsure)

    def add(self, ask: Ask, now_s: float, *, probe: bool = False) -> None:
        """This was given up. A lost probe alone is nothing that anybody's reply could be taken for."""
        if ask.function in READS:
            self._until_s[_shape(ask)] = now_s + LATE_S
        if not probe:
            self._unsure[ask.unit] = ask, now_s + LATE_S

    def probe(self, unit: int, now_s: float) -> Ask | None:
        """What to ask this unit before anything else; None: it owes nothing.

        A read of the kind that the device knows: it answers, be it with an exception.
        """
        self._until_s = {shape: until_s for shape, until_s in self._until_s.items() if until_s > now_s}
        self._unsure = {unit: owed for unit, owed in self._unsure.items() if owed[1] > now_s}
        if unit not in self._unsure:
            return None
        ask, _ = self._unsure[unit]
        # Coil 0, for a maker's own commands are at addresses that cannot be read.
        address = 0 if ask.function == WRITE_COIL else ask.address
        function = {WRITE_COIL: READ_COILS, READ_COILS: READ_COILS, READ_INPUTS: READ_INPUTS}.get(
            ask.function, READ_HOLDING
        )
        step = 8 if function == READ_COILS else 1  # one byte of coils, or one register
        taken = self._reads(unit, function)
        probes = (Ask(unit, function, min(address, 0xFFFF - at), 1 + at) for at in range(0, 100 * step, step))
        return next((probe for probe in probes if _shape(probe) not in taken), None)

    def is_ambiguous(self, probe: Ask) -> bool:
        """Whether a refusal of this probe could be that of a read before it; if so, that one has come."""
        taken = self._reads(probe.unit, probe.function)
        for shape in taken:
            del self._until_s[shape]
        return bool(taken)

    def settle(self, unit: int) -> None:
        """Nothing of this unit is under way any more."""
        self._unsure.pop(unit, None)
        self._until_s = {shape: until_s for shape, until_s in self._until_s.items() if shape[0] != unit}

    def clear(self) -> None:
        """Nothing of any unit is."""
        self._unsure.clear()
        self._until_s.clear()

    def _reads(self, unit: int, function: int) -> set[_Shape]:
        return {shape for shape in self._until_s if shape[:2] == (unit, function)}


def _shape(ask: Ask) -> _Shape:
    return ask.unit, ask.function, ask.answer_bytes
