"""Seeded mutations of a corpus: for where there is no coverage guidance, and for every ordinary test run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from tests.fuzz.kit import Target

_WHOLE = (0, -1, 1, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**53, 2**62, 2**63, 2**64, 10**30)
_ODD_NUMBERS = (b"1e400", b"-1e400", b"NaN", b"Infinity", b"0.1", b"-0", b"9" * 5000)
_NUMBERS = (*(str(number).encode() for number in _WHOLE), *_ODD_NUMBERS)
_ODD = (b"", b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\xe2\x80\xae", b"\r\n", b"\n", b"[", b"{", b'"')
_MOST_STEPS = 5
SHARE_OF_CHANGES = 0.6  # where a target knows what its bytes mean

_Step = Callable[[Random, bytearray, Sequence[bytes], Sequence[bytes]], None]


def mutations(target: Target, corpus: Sequence[bytes], seed: int, n: int) -> Iterator[bytes]:
    """`n` inputs no longer than the target wants them; the same for the same seed."""
    random = Random(seed)
    sources = list(corpus) or [b""]
    for _ in range(n):
        data = bytearray(random.choice(sources))
        if target.change and random.random() < SHARE_OF_CHANGES:
            data = bytearray(target.change(bytes(data), random))
        else:
            for _ in range(random.randint(1, _MOST_STEPS)):
                random.choice(_STEPS)(random, data, sources, target.words)
        yield bytes(data[: target.longest])


def _place(random: Random, data: bytearray) -> tuple[int, int]:
    """A stretch, mostly a short one."""
    start = random.randint(0, len(data))
    return start, min(start + int(random.expovariate(0.15)), len(data))


def _flip(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _any_byte(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _cut(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    start, end = _place(random, data)
    del data[start:end]


def _cut_off(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


def _again(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    start, end = _place(random, data)
    data[end:end] = bytes(data[start:end]) * random.choice((1, 1, 2, 50))


def _word(random: Random, data: bytearray, _corpus: Sequence[bytes], words: Sequence[bytes]) -> None:
    start, end = _place(random, data)
    data[start : random.choice((start, end))] = random.choice([*words, *_ODD])


def _number(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    """Another number in the place of one."""
    digits = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    start = end = random.choice(digits) if digits else 0
    while end < len(data) and 0x30 <= data[end] <= 0x39:
        end += 1
    data[start:end] = random.choice(_NUMBERS)


def _crossed(random: Random, data: bytearray, corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    """The end of another one."""
    other = random.choice(corpus)
    data[random.randint(0, len(data)) :] = other[random.randint(0, len(other)) :]


def _noise(random: Random, data: bytearray, _corpus: Sequence[bytes], _words: Sequence[bytes]) -> None:
    start, end = _place(random, data)
    data[start:end] = random.randbytes(end - start or 1)


_STEPS: tuple[_Step, ...] = (
    _flip, _any_byte, _cut, _cut_off, _again, _word, _word, _number, _crossed, _noise,
)  # fmt: skip
