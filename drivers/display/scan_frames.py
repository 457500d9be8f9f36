"""Questions to a Modbus line as bytes, and what came back told apart: pure, for `display scan` alone.

The sign's own bus (drivers.modbus_bus) wants the right reply or an error. Who looks for a panel learns from
the wrong ones as well: an echo, a refusal, another unit's reply, bytes of another baud rate. So the frames
are made and read here, from the Modbus application protocol V1.1b3 and the serial line guide V1.02.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

READ_COILS, READ_HOLDING, READ_INPUTS, WRITE_REGISTERS = 1, 3, 4, 16
_BITS = frozenset({READ_COILS})
_GATEWAY = frozenset({10, 11})  # exceptions of a gateway: nobody is behind it at that unit id
_EXCEPTION = 0x80
_MBAP = 7  # bytes in front of a request in Modbus TCP, the unit id the last of them
_LONGEST = 5 + 2 * 125  # of a reply: more is noise


class Heard(StrEnum):
    """What came back within the time."""

    VALUES = "values"  # it answered: `values`
    REFUSED = "refused"  # it answered that it cannot: `code`
    OTHER = "other"  # a right reply of another unit: a late one, or two devices
    GARBLED = "garbled"  # bytes that are no reply
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Question:
    """A read of `count` from `address` (from 0), or with `words` a write (FC16)."""

    function: int
    address: int
    count: int = 1
    words: tuple[int, ...] = ()

    def __str__(self) -> str:
        what = {READ_COILS: "coils", READ_INPUTS: "input registers"}.get(self.function, "registers")
        last = self.address + self.count - 1
        span = f"{self.address}" if last == self.address else f"{self.address}-{last}"
        return f"{'write of ' if self.words else ''}{what} {span}"

    def pdu(self) -> bytes:
        """Function code and data, as on the wire."""
        head = bytes([self.function]) + self.address.to_bytes(2, "big") + self.count.to_bytes(2, "big")
        if not self.words:
            return head
        data = b"".join(word.to_bytes(2, "big") for word in self.words)
        return head + bytes([len(data)]) + data


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came of it. `echo`: the adapter hears what it sends."""

    question: Question
    heard: Heard
    values: tuple[int, ...] = ()  # registers, or coils as 0 and 1
    code: int = 0  # of the refusal
    unit: int = 0  # who answered
    echo: bool = False
    data: bytes = b""  # as it came
    took_s: float = 0.0  # from the question's first byte to its end

    @property
    def somebody(self) -> bool:
        """Whether the device that was asked is there: a refusal is an answer too."""
        return self.heard in (Heard.VALUES, Heard.REFUSED)


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first.

    >>> crc16(bytes.fromhex("01 06 00 07 00 2F")).hex(" ").upper()
    '79 D7'
    """
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def rtu_frame(unit: int, question: Question) -> bytes:
    frame = bytes([unit]) + question.pdu()
    return frame + crc16(frame)


def tcp_frame(unit: int, question: Question, transaction: int) -> bytes:
    pdu = question.pdu()
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def read_rtu(unit: int, question: Question, sent: bytes, heard: bytes) -> Answer:
    """What the bytes heard since `sent` mean; a reply may have noise around it.

    No reply begins like a whole request (a read's third byte is a count, a write is answered without its
    data), so what does is the adapter's echo.
    """
    echo = heard.startswith(sent)
    rest = heard[len(sent) :] if echo else heard
    frames = _frames(question, rest)
    if not frames:
        if sent.startswith(rest):  # nothing, or an echo that was not whole yet
            return Answer(question, Heard.NOTHING, echo=echo, data=heard)
        return Answer(question, Heard.GARBLED, echo=echo, data=heard)
    frame = next((one for one in frames if one[0] == unit), frames[0])
    return _answer(unit, question, frame[0], frame[1:], echo=echo, data=heard)


def read_tcp(unit: int, question: Question, transaction: int, heard: bytes) -> Answer:
    """The same for Modbus TCP, where replies carry the number of their request."""
    rest = heard
    while len(rest) > _MBAP:
        end = 6 + int.from_bytes(rest[4:6], "big")
        if rest[2:4] != b"\0\0" or not _MBAP < end <= len(rest):
            break
        if int.from_bytes(rest[:2], "big") == transaction and _fits(question, rest[_MBAP:end]):
            return _answer(unit, question, rest[6], rest[_MBAP:end], echo=False, data=heard)
        rest = rest[end:]
    return Answer(question, Heard.GARBLED if rest else Heard.NOTHING, data=heard)


def _frames(question: Question, heard: bytes) -> list[bytes]:
    """Unit id and PDU of each reply to such a question, with a right CRC, from whomever."""
    found = []
    for begin in range(len(heard)):
        length = _reply_length(question, heard[begin + 1 : begin + 3])
        frame = heard[begin : begin + length]
        if (
            length
            and len(frame) == length
            and _fits(question, frame[1:-2])  # the dear one last: a babbling line begins a frame at each byte
            and crc16(frame[:-2]) == frame[-2:]
        ):
            found.append(frame[:-2])
    return found


def _reply_length(question: Question, head: bytes) -> int:
    """Of an RTU frame with these bytes behind its unit id; 0: it is none."""
    if len(head) < 2:
        return 0
    if head[0] == question.function | _EXCEPTION:
        return 5
    if head[0] != question.function:
        return 0
    return 8 if question.words else min(5 + head[1], _LONGEST)


def _fits(question: Question, pdu: bytes) -> bool:
    """Whether a PDU can be the reply: a refusal, or as much as was asked for."""
    if pdu[0] == question.function | _EXCEPTION:
        return len(pdu) == 2
    if pdu[0] != question.function:
        return False
    if question.words:
        return pdu == question.pdu()[:5]
    n = (question.count + 7) // 8 if question.function in _BITS else 2 * question.count
    return len(pdu) == 2 + n and pdu[1] == n


def _answer(unit: int, question: Question, who: int, pdu: bytes, *, echo: bool, data: bytes) -> Answer:
    if who != unit:
        return Answer(question, Heard.OTHER, unit=who, echo=echo, data=data)
    if pdu[0] & _EXCEPTION:
        kind = Heard.NOTHING if pdu[1] in _GATEWAY else Heard.REFUSED
        return Answer(question, kind, code=pdu[1], unit=who, echo=echo, data=data)
    values = () if question.words else _values(question, pdu[2:])
    return Answer(question, Heard.VALUES, values, unit=who, echo=echo, data=data)


def _values(question: Question, data: bytes) -> tuple[int, ...]:
    if question.function in _BITS:
        return tuple(data[i // 8] >> i % 8 & 1 for i in range(question.count))
    return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))


def printable(words: Sequence[int]) -> str | None:
    """Registers as text where each is an ASCII code; None: they are not."""
    return "".join(map(chr, words)) if words and all(0x20 <= word <= 0x7E for word in words) else None
