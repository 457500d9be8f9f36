"""What a fuzz target is, and where those that there are and their inputs lie."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import targets

REGRESSIONS = Path(__file__).with_name("regressions")
Change = Callable[[bytes, Random], bytes]
LONGEST = 4096  # bytes of an input, where a target says nothing else


@dataclass(frozen=True, slots=True)
class Target:
    """`check` raises for what must not be; `words` are what the format is made of."""

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...]
    longest: int
    change: Change | None  # as what they mean, beside as bytes
    close: Callable[[], None]  # what it holds open

    def inputs(self) -> list[bytes]:
        """What is genuine, and what was found once; each once."""
        return list(dict.fromkeys([*self.seeds(), *(file.read_bytes() for file in found_once(self.name))]))


def names() -> list[str]:
    """Every target there is."""
    return sorted(one.name for one in pkgutil.iter_modules(targets.__path__) if not one.name.startswith("_"))


def load(name: str) -> Target:
    """Its module, loaded now: under coverage guidance nothing of ours may be loaded before."""
    module: Any = importlib.import_module(f"{targets.__name__}.{name}")
    words = tuple(getattr(module, "WORDS", ()))
    change: Change | None = getattr(module, "change", None)
    longest, close = getattr(module, "LONGEST", LONGEST), getattr(module, "close", lambda: None)
    return Target(name, module.target, module.seeds, words, longest, change, close)


def one_sentence(said: object) -> None:
    """What a person is told: something, of a bearable length, and nothing that steers a terminal."""
    text = str(said)
    assert 0 < len(text) < 3000, text
    assert text.isprintable(), ascii(text)


def found_once(name: str) -> list[Path]:
    """The inputs that a target failed with when they were found."""
    return sorted((REGRESSIONS / name).glob("*.bin"))


def as_dictionary(words: Iterable[bytes]) -> str:
    """Words in the form that libFuzzer reads: one quoted a line, other bytes as \\xAB."""
    return "".join(f'"{"".join(_quoted(byte) for byte in word)}"\n' for word in words if word)


def _quoted(byte: int) -> str:
    sign = chr(byte)
    return sign if 0x20 <= byte < 0x7F and sign not in '"\\' else f"\\x{byte:02X}"
