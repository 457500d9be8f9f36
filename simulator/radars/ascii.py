"""A radar of one of the ASCII dialects on its line: the strongest target, a line each time it looks.

The dialects differ in their lines (`ascii_lines`), in their pace, in what they say of an empty road (Icoms
nothing, the others a zero each time) and in their commands (`ascii_commands`). How fast Houston, Icoms and
Stalker report is not documented; ten times a second here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from simulator.radar_physics import Echo
from simulator.radars.ascii_commands import (
    MPS_PER_UNIT,
    SI3_SPACINGS_S,
    UNIT_NAMES,
    AsciiSettings,
    HoustonCommands,
    Si3Commands,
)
from simulator.radars.ascii_lines import FORMS, Said

SQUELCH = 20.0
CSR_SPACING_S = 0.026
CSR_BURST = bytes.fromhex("FE FD FD FE")
_SPACINGS_S = {"csr": CSR_SPACING_S, "si3": SI3_SPACINGS_S[3]}
_NOW = 1e-9


class AsciiTwin:
    """`profile` is the dialect (any: Houston's), `form` which of its lines (see `ascii_lines.FORMS`)."""

    def __init__(self, seed: int = 0, *, profile: str = "any", form: str | None = None) -> None:
        self.profile = "houston" if profile == "any" else profile
        forms = FORMS[self.profile]
        self.settings = AsciiSettings(form or next(iter(forms)), spacing_s=_SPACINGS_S.get(self.profile, 0.1))
        self._forms = forms
        self._commands = self._make_commands()
        random = Random(f"{seed}/ascii")  # noqa: S311  play, not secrets
        self._jitter: Callable[[], float] = lambda: random.uniform(0.97, 1.03)
        self._starts = False  # has something to say of its start
        self.due_in_s = random.random() * self.settings.spacing_s

    def on_bytes(self, data: bytes) -> bytes:
        """Commands; dialects without any do not listen."""
        return self._commands.feed(data) if self._commands else b""

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each line that falls into it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = self.settings.spacing_s * self._jitter()
            if self._starts:
                out += CSR_BURST
                self._starts = False
            out += self._forms[self.settings.form](self.measure(echoes))
        self.due_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        """Lose power and get it back; a CSR-I says so."""
        self._starts = self.profile == "csr"
        if self._commands:
            self._commands.power_cycle()

    def measure(self, echoes: Sequence[Echo]) -> Said | None:
        """The strongest echo that passes the filters."""
        s = self.settings
        for echo in echoes:
            speed = echo.radial_mps / MPS_PER_UNIT[s.unit]
            if echo.strength >= SQUELCH and s.least <= abs(speed) <= s.most:
                return Said(speed, UNIT_NAMES[s.unit], echo.strength, echo.range_m)
        return None

    def _make_commands(self) -> HoustonCommands | Si3Commands | None:
        if self.profile == "houston":
            return HoustonCommands(self.settings)
        return Si3Commands(self.settings) if self.profile == "si3" else None
