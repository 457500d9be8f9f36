"""What a Modbus device says when it refuses (Modbus Application Protocol V1.1b3, chapter 7)."""

from __future__ import annotations

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
