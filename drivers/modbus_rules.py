"""What the Modbus bus goes by: requests and what answers them, silence, targets. Pure, without pymodbus."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from speedsign.errors import DriverError
from speedsign.modbus_exceptions import EXCEPTIONS
from speedsign.ports import LineSettings

# Function codes we use (application protocol V1.1b3, section 6), and how much one request may ask for.
READ_COILS, READ_HOLDING, READ_INPUTS = 1, 3, 4
WRITE_COIL, WRITE_SINGLE, WRITE_MULTIPLE = 5, 6, 16
FUNCTIONS = (READ_COILS, READ_HOLDING, READ_INPUTS, WRITE_COIL, WRITE_SINGLE, WRITE_MULTIPLE)
READS = frozenset({READ_COILS, READ_HOLDING, READ_INPUTS})
ECHOED = frozenset({WRITE_COIL, WRITE_SINGLE})  # the reply repeats the request, byte for byte
_MOST = {READ_COILS: 2000, READ_HOLDING: 125, READ_INPUTS: 125, WRITE_COIL: 1, WRITE_SINGLE: 1} | {
    WRITE_MULTIPLE: 123
}
_COILS = frozenset({READ_COILS, WRITE_COIL})
_REPLIES = frozenset(code | bit for code in FUNCTIONS for bit in (0, 0x80))
_EXCEPTION_LENGTH, _WRITE_LENGTH = 5, 8  # of a whole reply frame, with unit and CRC


class Reply(Protocol):
    """A reply out of its frame; `body` is what follows the function code."""

    dev_id: int
    function_code: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `words` are what is written, none for a read; `count` registers or coils."""

    unit: int
    function: int
    address: int
    count: int
    words: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """A driver's mistake is told as one, instead of a struct.error from inside the library."""
        if not 0 <= self.unit <= 255:
            raise DriverError(f"unit {self.unit} is not a Modbus unit id, 0 to 255")
        if not 1 <= self.count <= _MOST[self.function] or not 0 <= self.address <= 0x10000 - self.count:
            raise DriverError(f"{self.count} {self._things} at {self.address} cannot be asked for at once")
        if any(not _is_word(word) for word in self.words):
            raise DriverError(f"values must be integers from 0 to 65535, not {list(self.words)}")

    @property
    def _things(self) -> str:
        return "coils" if self.function in _COILS else "registers"

    @property
    def body(self) -> bytes:
        """The request's data, which follows the function code."""
        if self.function == WRITE_MULTIPLE:
            head = struct.pack(">HHB", self.address, self.count, 2 * self.count)
            return head + struct.pack(f">{self.count}H", *self.words)
        return struct.pack(">HH", self.address, self.words[0] if self.words else self.count)

    @property
    def answer_bytes(self) -> int:
        """How many bytes of values answer a read; this alone tells replies to two reads apart."""
        return (self.count + 7) // 8 if self.function == READ_COILS else 2 * self.count

    # ------------------------------------------------------------------ the reply

    def mismatch(self, reply: Reply) -> str | None:
        """What about a reply does not fit this request; None when all does, or it is an exception."""
        function = reply.function_code & 0x7F
        if reply.dev_id != self.unit:
            return f"it calls itself unit {reply.dev_id}"
        if function != self.function:
            return f"function {function} instead of {self.function}"
        if reply.function_code & 0x80:
            return None
        if self.function in READS:
            return self._wrong_values(reply.body)
        # Address, and value or count: as they were sent.
        return None if reply.body == self.body[:4] else self._wrong_echo(reply.body)

    def _wrong_values(self, body: bytes) -> str | None:
        if body[:1] != bytes([len(body) - 1 & 0xFF]):
            return "its length is not what it says"
        got = len(body) - 1
        return None if got == self.answer_bytes else f"{got} bytes instead of {self.answer_bytes}"

    def _wrong_echo(self, body: bytes) -> str:
        if len(body) != 4:
            return f"{len(body)} bytes instead of 4"
        address, word = struct.unpack(">HH", body)
        if address != self.address:
            return f"address {address} instead of {self.address}"
        if self.function in ECHOED:
            return f"value {word} instead of {self.words[0]}"
        return f"{word} registers instead of {self.count}"

    def words_of(self, reply: Reply) -> list[int]:
        """The registers that a fitting reply holds."""
        return list(struct.unpack_from(f">{self.count}H", reply.body, 1))

    def coils_of(self, reply: Reply) -> list[bool]:
        """The coils that a fitting reply holds: the first is the lowest bit of the first byte."""
        return [bool(reply.body[1 + place // 8] >> place % 8 & 1) for place in range(self.count)]

    def refusal(self, code: int) -> str:
        """An exception reply in words."""
        meaning = EXCEPTIONS.get(code, "unknown")
        what = "coil" if self.function in _COILS else "register"
        return (
            f"unit {self.unit} refused function {self.function} at {what} {self.address}: "
            f"exception {code}, {meaning}"
        )

    def reply_begins(
        self, heard: bytes, sent: bytes, *, echo_told: bool, intact: Callable[[bytes], bool]
    ) -> int:
        """How many bytes heard on a serial line since the request `sent` are not the reply's.

        First our own request, where the adapter echoes: no reply begins like the whole request but those
        to FC5 and FC6, which are the request, so there only a setting can tell. Then noise (drivers that
        switch on leave a byte of 00 or FF) and what other units say late. `intact`: whether a frame's
        CRC is right. All of it: nothing of the reply has come yet.
        """
        skip = 0
        if not echo_told and self.function not in ECHOED:
            if sent.startswith(heard):
                return len(heard)
            skip = len(sent) if heard.startswith(sent) else 0
        begun = len(heard)  # where a frame begins whose end has not come
        for at in range(skip, len(heard)):
            if heard[at] != self.unit or (at + 1 < len(heard) and heard[at + 1] not in _REPLIES):
                continue
            length = _reply_length(heard[at : at + 3])
            if not length or at + length > len(heard):
                begun = min(begun, at)
            elif intact(heard[at : at + length]):
                return at
        return begun


def _reply_length(head: bytes) -> int:
    """Of an RTU reply that begins so; 0: not enough is there to tell."""
    if len(head) < 2:
        return 0
    if head[1] & 0x80:
        return _EXCEPTION_LENGTH
    if head[1] not in READS:
        return _WRITE_LENGTH
    return 5 + head[2] if len(head) > 2 else 0


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
