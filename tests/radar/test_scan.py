"""The scanner alone, with a protocol of its own: `<`, a digit for the number of letters, the letters, `>`."""

from __future__ import annotations

from random import Random

import pytest

from drivers.radar.scan import MORE, NONE_HERE, FrameScanner
from speedsign.model import Counters
from tests.radar.streams import in_pieces

LONGEST = 8


def measure(buffer: bytearray) -> int:
    if buffer[:1] != b"<":
        return NONE_HERE
    if len(buffer) < 2:
        return MORE
    if not buffer[1:2].isdigit():
        return NONE_HERE
    length = buffer[1] - ord("0") + 3
    if len(buffer) < length:
        return MORE
    return length if buffer[length - 1 : length] == b">" else NONE_HERE


def scanner() -> tuple[FrameScanner, Counters]:
    counters = Counters()
    return FrameScanner(measure, usual=4, longest=LONGEST, counters=counters), counters


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (b"<1a><2bc>", [b"<1a>", b"<2bc>"]),
        (b"xx<1a>yy<2bc>zz", [b"<1a>", b"<2bc>"]),
        (b"<2b<1a>", [b"<1a>"]),  # found inside of the one that failed
        (b"<<1a>", [b"<1a>"]),
        (b"<1a", []),
        (b"<9aaaaaaaaa>", []),  # longer than any may be
    ],
)
def test_frames_are_found_wherever_they_begin(data: bytes, frames: list[bytes]) -> None:
    assert scanner()[0].frames(data) == frames


@pytest.mark.parametrize(
    ("data", "bad"),
    [
        (b"<1a>", 0),
        (b"x<1a>", 1),
        (b"xxxx<1a>", 1),
        (b"xxxxx<1a>", 2),
        (b"x<1a>x<1a>", 2),
        (b"x" * 400, 100),
    ],
)
def test_skipped_bytes_are_counted_by_frames_worth(data: bytes, bad: int) -> None:
    one, counters = scanner()
    one.frames(data)
    assert counters.get("bad") == bad
    assert counters.get("bytes") == len(data)


def test_what_never_ends_is_given_up_and_counted() -> None:
    one, counters = scanner()
    one.frames(b"<9aaa")
    assert len(one.buffer) == 5
    one.frames(b"aaa<1a>")
    assert counters.get("overflow") == 1
    assert one.buffer == b""


def test_any_split_gives_the_same_and_no_more_is_kept_than_said() -> None:
    random = Random(1)
    for _ in range(300):
        data = bytes(random.choice(b"<<<0123a>>") for _ in range(60))
        whole, counters = scanner()
        pieces, piece_counters = scanner()
        found = []
        for piece in in_pieces(data, random):
            found += pieces.frames(piece)
            assert len(pieces.buffer) < LONGEST
        assert found == whole.frames(data)
        assert counters == piece_counters
