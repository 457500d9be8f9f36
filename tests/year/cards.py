"""The cards of a sign and of a hub under their living databases: slow, full, broken, cut off.

Both databases are real files, written through the layer of tests.power.vfs. What of it has arrived on the
card is kept by tests.power.card, so that a power cut leaves what such a card can hold: unsynced writes
dropped, torn or reordered.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import SupportsIndex

from tests.power.card import Card, Disk, _File
from tests.power.vfs import FULL, IOERR_WRITE, OK, Change, Noted, noted_files

_SIDES = ("", "-wal", "-journal")
SLOW_S = 4.0  # for one commit, of a card that is about to die


class LiveCard(Card):
    """Of one database: what is on the card now."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.state = ""  # "full", "broken", "slow"
        self.off = False  # the power is gone, or the process: nothing arrives any more
        self.on_sync: Callable[[], None] | None = None  # called once, in the middle of a commit
        self.changes = 0

    def take(self, change: Change) -> None:
        if self.off:
            return
        self.changes += 1
        if change.what == "make":  # where one of that name was before, it was moved away
            self._files.pop(change.name, None)
        super().take(change)

    def refuse(self, what: str) -> int:
        """What the card says to a read, a write or a sync."""
        if self.off:
            return IOERR_WRITE
        if what == "sync" and self.on_sync:
            called, self.on_sync = self.on_sync, None
            called()
            return IOERR_WRITE
        if what != "read":
            return {"full": FULL, "broken": IOERR_WRITE}.get(self.state, OK)
        return OK

    def takes_s(self) -> float:
        """How long a commit takes."""
        return SLOW_S if self.state == "slow" else 0.0

    def files(self) -> Disk:
        """What other processes would read now: all that was written."""
        found = {name: self.path.with_name(name) for name in self._names()}
        return {name: path.read_bytes() for name, path in found.items() if path.exists()}

    def cut(self, chance: random.Random) -> Disk:
        """What is there when the power goes now."""
        return next(self.images(chance))

    def put(self, disk: Disk) -> None:
        """From now on this is on the card, and all of it arrived."""
        for name in (*self._names(), self.path.name + "-shm"):
            self.path.with_name(name).unlink(missing_ok=True)
        self._files, self._gone = {}, {}
        for name, content in disk.items():
            self.path.with_name(name).write_bytes(content)
            self._files[name] = _File(bytearray(content))
        self.off, self.on_sync = False, None

    def images(self, rng: random.Random, ways: object = None) -> Iterator[Disk]:
        yield self._image(rng, rng.choice(("none", "all", "prefix", "sectors", "mixed")))

    def _names(self) -> list[str]:
        return [self.path.name + side for side in _SIDES]


class _Feed(list[Change]):
    """Takes changes and keeps none."""

    def __init__(self, cards: dict[str, LiveCard]) -> None:
        super().__init__()
        self._cards = cards

    def append(self, change: Change) -> None:
        if card := _card_of(self._cards, change.name):
            card.take(change)

    def __getitem__(self, _at: SupportsIndex | slice) -> Change:  # type: ignore[override]
        raise IndexError


def _card_of(cards: dict[str, LiveCard], name: str) -> LiveCard | None:
    base = name.removesuffix("-wal").removesuffix("-journal")
    return cards.get(base)


@contextlib.contextmanager
def cards_under(*paths: Path) -> Iterator[list[LiveCard]]:
    """A card for each database that will be opened inside, by the name of its file."""
    cards = {path.name: LiveCard(path) for path in paths}

    def refuse(what: str, name: str) -> int:
        card = _card_of(cards, name)
        return card.refuse(what) if card else OK

    with noted_files(changes=_Feed(cards), refuse=refuse, syncs=False) as noted:
        assert isinstance(noted, Noted)
        yield list(cards.values())
