"""One thing that is wrong with a config, wherever it was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a config: the key's path, a sentence, and the value where there is one."""

    path: tuple[str, ...]
    text: str
    value: object = None
    against: tuple[tuple[str, ...], ...] = ()  # the other keys that it does not fit

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Every key that it speaks of."""
        return self.path, *self.against

    def __str__(self) -> str:
        *tables, key = self.path
        where = f"[{'.'.join(tables)}] {key}" if tables else f"[{key}]"
        return f"{where}{'' if self.value is None else f' = {self.value!r}'}: {self.text}"
