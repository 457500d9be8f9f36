"""What the Modbus bus goes by: requests and what answers them, silence, targets. Pure, without pymodbus."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from speedsign.errors import DriverError
from speedsign.ports import LineSettings

READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE = 3, 6, 16  # function codes we use
MAX_READ, MAX_WRITE = 125, 123  # registers in one request (application protocol V1.1b3, 6.3, 6.12)

_FUNCTIONS = frozenset(
    code | bit for code in (READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE) for bit in (0, 0x80)
)
_EXCEPTIONS = {  # application protocol V1.1b3, section 7
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

Shape = tuple[int, int, int, int]  # what tells replies apart on the wire: unit, function, address, count


class Reply(Protocol):
    """A decoded reply, whoever decoded it; `registers` of a read or a single write."""

    dev_id: int
    function_code: int
    address: int
    count: int
    registers: Sequence[int]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `words` are what is written, none for a read."""

    unit: int
    function: int
    address: int
    count: int
    words: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """A driver's mistake is told as one, instead of a struct.error from inside the library."""
        most = MAX_READ if self.function == READ_HOLDING else MAX_WRITE
        if not 0 <= self.unit <= 255:
            raise DriverError(f"unit {self.unit} is not a Modbus unit id, 0 to 255")
        if not 1 <= self.count <= most or not 0 <= self.address <= 0x10000 - self.count:
            raise DriverError(f"{self.count} registers at {self.address} cannot be asked for at once")
        if any(not _is_word(word) for word in self.words):
            raise DriverError(f"register values must be integers from 0 to 65535, not {list(self.words)}")

    @property
    def reply_shape(self) -> Shape:
        """A read's reply does not name its address."""
        return (self.unit, self.function, 0 if self.function == READ_HOLDING else self.address, self.count)

    def mismatch(self, reply: Reply) -> str | None:
        """What about a reply does not fit this request; None when all does, or it is an exception."""
        function = reply.function_code & 0x7F
        if reply.dev_id != self.unit:
            return f"it calls itself unit {reply.dev_id}"
        if function != self.function:
            return f"function {function} instead of {self.function}"
        if reply.function_code & 0x80:
            return None
        if self.function == READ_HOLDING:
            got = len(reply.registers)
            return None if got == self.count else f"{got} registers instead of {self.count}"
        if reply.address != self.address:
            return f"address {reply.address} instead of {self.address}"
        if self.function == WRITE_SINGLE:
            same = tuple(reply.registers) == self.words
            return None if same else f"value {list(reply.registers)} instead of {list(self.words)}"
        return None if reply.count == self.count else f"{reply.count} registers instead of {self.count}"

    def refusal(self, code: int) -> str:
        """An exception reply in words."""
        meaning = _EXCEPTIONS.get(code, "unknown")
        return (
            f"unit {self.unit} refused function {self.function} at register {self.address}: "
            f"exception {code}, {meaning}"
        )

    def reply_begins(self, heard: bytes, sent: bytes, *, echo_told: bool) -> int:
        """How many bytes heard on a serial line since the request `sent` are not the reply's.

        First our own request, where the adapter echoes: a reply to FC3 or FC16 never begins like the
        whole request; one to FC6 is the request, so there only a setting can tell. Then noise: drivers
        that switch on leave a byte of 00 or FF. All of it: nothing of the reply has come yet.
        """
        skip = 0
        if not echo_told and self.function != WRITE_SINGLE:
            if sent.startswith(heard):
                return len(heard)
            skip = len(sent) if heard.startswith(sent) else 0
        for at in range(skip, len(heard)):
            if heard[at] == self.unit and (at + 1 == len(heard) or heard[at + 1] in _FUNCTIONS):
                return at
        return len(heard)


def _is_word(word: object) -> bool:
    return isinstance(word, int) and 0 <= word <= 0xFFFF


def silent_interval_s(line: LineSettings) -> float:
    """t3.5: 3.5 characters up to 19200 baud, 1.75 ms above (Modbus over serial line V1.02, 2.5.1.1)."""
    if line.baud > 19200:
        return 0.00175
    bits = 1 + line.bytesize + (line.parity != "N") + line.stopbits
    return 3.5 * bits / line.baud


def parse_target(target: str) -> tuple[str, str, int]:
    """`tcp`, `rtu+tcp` or nothing for a serial port; host or path; TCP port."""
    if "://" not in target:
        return "", target, 0
    try:
        url = urlsplit(target)
        scheme, host, port = url.scheme, url.hostname, url.port or 502
    except ValueError:
        scheme, host, port = "", None, 0
    if scheme not in ("tcp", "rtu+tcp") or not host:
        raise DriverError(f"{target!r} is no port; write /dev/…, tcp://host:502 or rtu+tcp://host:4001")
    return scheme, host, port


_ADVICE = {
    errno.ENOENT: "no such port; check that the adapter is plugged in and how it is named",
    errno.ENODEV: "no such port; check that the adapter is plugged in",
    errno.ENXIO: "no such port; check that the adapter is plugged in",
    errno.EACCES: "not permitted; add the user to the group dialout",
    errno.EPERM: "not permitted; add the user to the group dialout",
    errno.EAGAIN: "in use by another program; stop that first",
    errno.EBUSY: "in use by another program; stop that first",
    errno.EINVAL: "refuses its settings; check baud and parity (a pty takes no parity)",
    errno.EIO: "the port went away; check the cable or the adapter",
    errno.ECONNREFUSED: "connection refused; check the address, the port and that the device is on",
    errno.EHOSTUNREACH: "cannot be reached; check the network",
    errno.ENETUNREACH: "cannot be reached; check the network",
}


def port_advice(error: Exception) -> str:
    """What happened to the port, and what to do about it."""
    if isinstance(error, TimeoutError):
        return "no answer to the connection; check the address and the network"
    if isinstance(error, socket.gaierror):
        return "the name is not known; check the address"
    return _ADVICE.get(getattr(error, "errno", None) or 0, f"cannot be used: {error}")
