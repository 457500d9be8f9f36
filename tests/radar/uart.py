"""What a UART reads when its baud rate is not the sender's."""

from __future__ import annotations

from bisect import bisect_right

BITS = 10  # start, eight bits, stop


def misread(data: bytes, sent_baud: int, read_baud: int) -> bytes:
    """The bytes that a receiver makes of bytes sent back to back; 8N1 at both ends.

    A byte whose stop bit is not there is read as 00, as Linux does. At equal rates nothing changes.
    """
    starts, levels = [0.0], [1]
    at, bit_s = 1.0, 1.0 / sent_baud
    for byte in data:
        for i in range(BITS):
            starts.append(at + i * bit_s)
            levels.append(0 if i == 0 else 1 if i == BITS - 1 else byte >> (i - 1) & 1)
        at += BITS * bit_s

    def level(t_s: float) -> int:
        return levels[bisect_right(starts, t_s) - 1] if t_s < at else 1

    out = bytearray()
    step = 1.0 / read_baud
    edges = [s for s, before, after in zip(starts[1:], levels, levels[1:], strict=False) if before > after]
    place = 0
    while place < len(edges):
        t_s = edges[place]
        value = sum(level(t_s + (1.5 + i) * step) << i for i in range(8))
        out.append(value if level(t_s + 9.5 * step) else 0)
        place = bisect_right(edges, t_s + 9.5 * step)
    return bytes(out)
