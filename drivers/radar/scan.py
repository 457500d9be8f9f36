"""Frames out of a stream of bytes, for protocols whose frames are known by their own bytes alone."""

from __future__ import annotations

from collections.abc import Callable

from speedsign.model import Counters

NONE_HERE = -1
MORE = 0


class FrameScanner:
    """Cuts bytes into frames. Where none begins one byte is skipped, so a failed frame costs itself at most.

    `measure` is handed what stands first, `longest` bytes at most: how many bytes the frame there has, `MORE`
    when that cannot be told yet, or `NONE_HERE`. Whatever it says, fewer than `longest` bytes are kept.

    Counters: bytes, bad (a `usual` frame's worth of skipped bytes, begun or full), overflow.
    """

    def __init__(
        self, measure: Callable[[bytearray], int], *, usual: int, longest: int, counters: Counters
    ) -> None:
        self.buffer = bytearray()
        self._measure, self._usual, self._longest = measure, usual, longest
        self._counters = counters
        self._skipped = 0  # since the last frame

    def frames(self, data: bytes) -> list[bytes]:
        """The frames that these bytes complete, in order."""
        self._counters.add("bytes", len(data))
        self.buffer += data
        found = []
        while self.buffer:
            first = self.buffer[: self._longest]
            length = self._measure(first)
            if length == MORE:
                if len(first) < self._longest:
                    break
                self._counters.add("overflow")
            if length > 0:
                found.append(bytes(self.buffer[:length]))
                del self.buffer[:length]
                self._skipped = 0
            else:
                self._skip()
        return found

    def _skip(self) -> None:
        del self.buffer[:1]
        if self._skipped % self._usual == 0:
            self._counters.add("bad")
        self._skipped += 1
