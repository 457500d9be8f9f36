"""One thing that is wrong with a config, wherever it was found."""

from __future__ import annotations

from dataclasses import dataclass

MAX_VALUE = 100  # characters of a value, and of a key, that are worth reading again


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
        value = repr(self.value)
        if len(value) > MAX_VALUE:
            value = value[:MAX_VALUE] + "…"
        return f"{_where(self.path)}{'' if self.value is None else f' = {value}'}: {self.text}"


def _where(path: tuple[str, ...]) -> str:
    """The key as a person finds it: [table] key, [[array]] #2 key, [table] key, entry 3.

    Numbers in a path count from 0, those that people read from 1.
    """
    names = [_shown(name) for name in path]
    entries: list[str] = []
    while len(names) > 1 and names[-1].isdecimal():
        entries.insert(0, str(int(names.pop()) + 1))
    *tables, key = names
    where = ""
    for name in tables:
        if name.isdecimal():
            where = f"[[{where}]] #{int(name) + 1}"
        else:
            where += f".{name}" if where else name
    if not where:
        where, key = f"[{key}]", ""
    elif not where.startswith("[["):
        where = f"[{where}]"
    return f"{where} {key}".rstrip() + (f", entry {'.'.join(entries)}" if entries else "")


def _shown(name: str) -> str:
    """A key as it stands in a sentence: TOML lets a quoted one be of any length, and steer a terminal."""
    if len(name) > MAX_VALUE:
        name = name[:MAX_VALUE] + "…"
    return name if name.isprintable() else ascii(name)
