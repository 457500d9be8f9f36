"""The pictures of `display test`: what is put on the panel, and what is asked about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from speedsign.model import BLANK, Face
from speedsign.ports import Capabilities


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing to put on. `face` None: everything the panel can light; `level` None: as bright as usual."""

    face: Face | None
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Scenes one after the other; the last stays while the question is answered."""

    name: str
    question: str
    scenes: tuple[Scene, ...]


def pictures(
    capabilities: Capabilities, *, words: Sequence[str] = (), blinks: bool = False, beacon: bool = False
) -> list[Picture]:
    """What this panel can be asked to show. `blinks`, `beacon`: the sign uses that too."""
    eights = Face(int("8" * capabilities.digits))
    found = [
        Picture("all segments", "Do all segments light, evenly?", (Scene(None),)),
        Picture(
            "digits", "Did 1 to 9, then 0, show in all places?", tuple(map(Scene, _digits(capabilities)))
        ),
    ]
    if (n := capabilities.brightness_levels) > 1:
        sweep = tuple(Scene(eights, step / (n - 1)) for step in range(n))
        found.append(Picture("brightness", f"Did it brighten in {n} steps?", sweep))
    found += [_of_word(word) for word in dict.fromkeys(words)]
    if blinks and capabilities.blinks:
        found.append(Picture("blinking", "Does 88 blink?", (Scene(Face(88, blink=True)),)))
    if beacon:
        found.append(Picture("beacon on", "Do the beacon's lamps work?", (Scene(Face(beacon=True)),)))
        found.append(Picture("beacon off", "Are the lamps off again?", (Scene(BLANK),)))
    dark = "Is it dark?" if capabilities.can_blank else "Is it dark, or does it show 0?"
    found.append(Picture("dark", dark, (Scene(eights), Scene(BLANK))))
    return found


def _of_word(word: str) -> Picture:
    return Picture(f'"{word}"', f'Does it read "{word}"?', (Scene(Face(word=word)),))


def _digits(capabilities: Capabilities) -> Iterable[Face]:
    """Each digit in all places, 0 at the end: as a word where a number would not have it in front."""
    n = capabilities.digits
    yield from (Face(int(digit * n)) for digit in "123456789")
    as_word = capabilities.cells >= n and "0" in capabilities.glyphs
    yield Face(word="0" * n) if as_word else Face(10 ** (n - 1))
