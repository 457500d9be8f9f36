"""What a card can hold after a power cut, from what was done to it before (tests.power.vfs).

Synced data is there. Of what was not synced each 512-byte sector is there as it was after any of its writes,
also after none; sizes, new names and deleted names may have arrived or not. As on ext4 a sync of any file
brings the names made or deleted before it to the card. That the card keeps what it has confirmed is assumed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.power.vfs import Change

SECTOR_BYTES = 512
Disk = dict[str, bytes]  # content by name
WAYS = ("none", "all", *["prefix"] * 2, *["sectors"] * 4, *["mixed"] * 4)


@dataclass
class _File:
    durable: bytearray | None = None  # None: not even its name
    pending: list[Change] = field(default_factory=list)


class Card:
    """Takes changes one by one; `images` are what a cut after the last of them can leave."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._gone: dict[str, _File] = {}  # deleted, and that has not arrived yet

    def take(self, change: Change) -> None:
        name = change.name
        if change.what == "sync":
            file = self._files.setdefault(name, _File())
            file.durable = _applied(file.durable or bytearray(), file.pending)
            file.pending = []
            self._names_arrive()
        elif change.what == "delete":
            self._gone[name] = self._files.pop(name, _File())
            if change.offset:
                self._names_arrive()
        elif change.what != "ack":
            self._files.setdefault(name, _File())
            if change.what != "make":
                self._files[name].pending.append(change)

    def _names_arrive(self) -> None:
        self._gone.clear()
        for file in self._files.values():
            if file.durable is None:
                file.durable = bytearray()

    @property
    def pending(self) -> int:
        """Changes that a cut may lose."""
        return sum(len(file.pending) for file in self._files.values()) + len(self._gone)

    def images(self, rng: random.Random, ways: Sequence[str] = WAYS) -> Iterator[Disk]:
        for way in ways:
            yield self._image(rng, way)

    def _image(self, rng: random.Random, way: str) -> Disk:
        disk: Disk = {}
        for name, file in self._files.items():
            back = self._gone.get(name)
            # Where the old file is still there, the new one of that name is not.
            is_back = back is not None and back.durable is not None and _undone(rng, way)
            content = _cut(rng, way, back if back is not None and is_back else file)
            if content is not None:
                disk[name] = content
        for name, file in self._gone.items():
            if name not in self._files and file.durable is not None and _undone(rng, way):
                disk[name] = _cut(rng, way, file) or b""
        return disk


def _undone(rng: random.Random, way: str) -> bool:
    return {"none": True, "all": False}.get(way, rng.random() < 0.5)


def _cut(rng: random.Random, way: str, file: _File) -> bytes | None:
    """One file's content; None: its name is not there."""
    if way == "mixed":
        way = rng.choice(("none", "all", "prefix", "sectors"))
    if file.durable is None and (way == "none" or rng.random() < 0.2):
        return None
    base, pending = bytearray(file.durable or b""), file.pending
    if way == "none":
        return bytes(base)
    if way == "sectors":
        return bytes(_applied(base, _sectors(rng, pending)))
    return bytes(_applied(base, pending if way == "all" else pending[: rng.randint(0, len(pending))]))


def _sectors(rng: random.Random, pending: Sequence[Change]) -> Iterator[Change]:
    """For each sector those of its writes that came before a moment of its own."""
    until: dict[int, float] = {}
    for n, change in enumerate(pending):
        if change.what == "truncate":
            if rng.random() < 0.5:
                yield change
            continue
        first, end = change.offset, change.offset + len(change.data)
        while first < end:
            sector = first // SECTOR_BYTES
            last = min(end, (sector + 1) * SECTOR_BYTES)
            if sector not in until:
                until[sector] = rng.choice((0, len(pending), rng.random() * len(pending)))
            if n < until[sector]:
                yield Change(
                    "write", change.name, first, change.data[first - change.offset : last - change.offset]
                )
            first = last


def _applied(content: bytearray, changes: Iterable[Change]) -> bytearray:
    for change in changes:
        if change.what == "truncate":
            del content[change.offset :]
            continue
        if len(content) < change.offset:
            content.extend(bytes(change.offset - len(content)))
        content[change.offset : change.offset + len(change.data)] = change.data
    return content
