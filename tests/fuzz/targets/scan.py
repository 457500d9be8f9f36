"""What `display scan` makes of the bytes on a line: only a right reply of the unit that was asked is one."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.display.scan_frames import (
    Answer,
    Heard,
    Question,
    crc16,
    read_rtu,
    read_tcp,
    rtu_frame,
    tcp_frame,
)

UNIT, TRANSACTION = 1, 0x0102
ASKED = (Question(3, 0, 4), Question(4, 7, 1), Question(1, 0, 9), Question(16, 0, 2, (0x20, 0x34)))
WORDS = (
    b"\x01\x03\x08", b"\x01\x83\x02", b"\x01\x04\x02", b"\x01\x01\x02", b"\x01\x10\x00\x00\x00\x02",
    b"\x01\x83\x0b", b"\x01\x02\x00\x00\x00\x0b\x01\x03\x08", b"\x02\x03\x08",
)  # fmt: skip


def target(data: bytes) -> None:
    """The first byte says what was asked, and whether the CRC that is not there is put behind the rest."""
    if not data:
        return
    question, mode, heard = ASKED[data[0] % 4], data[0] >> 2 & 3, data[1:]
    if mode == 1:
        heard += crc16(heard)
    sent = rtu_frame(UNIT, question)
    if mode == 2:
        heard = sent + heard
    if mode == 3:
        answer = read_tcp(UNIT, question, TRANSACTION, heard)
    else:
        answer = read_rtu(UNIT, question, sent, heard)
    assert answer.data == heard
    if answer.heard not in (Heard.NOTHING, Heard.GARBLED):
        assert TRANSACTION.to_bytes(2, "big") in heard if mode == 3 else has_frame(heard), answer
    check(question, answer)


def has_frame(heard: bytes) -> bool:
    """Whether a stretch of it, of any length that a reply has, ends with its CRC."""
    ends = ((at, at + n) for at in range(len(heard)) for n in (3, 5, 6, 11) if at + n + 2 <= len(heard))
    return any(crc16(heard[at:end]) == heard[end : end + 2] for at, end in ends)


def check(question: Question, answer: Answer) -> None:
    """What an answer says fits what was asked."""
    if answer.heard is Heard.VALUES:
        assert answer.unit == UNIT
        assert len(answer.values) == (0 if question.words else question.count)
        assert all(0 <= value <= (1 if question.function == 1 else 0xFFFF) for value in answer.values)
    if answer.heard is Heard.REFUSED:
        assert answer.unit == UNIT
    if answer.heard is Heard.OTHER:
        assert answer.unit != UNIT


def seeds() -> Iterator[bytes]:
    """A right reply to each question, one of another unit, a refusal; as RTU, with an echo, and as TCP."""
    for number, question in enumerate(ASKED):
        body = {3: b"\x08" + bytes(range(8)), 4: b"\x02\x00\x2f", 1: b"\x02\xff\x01", 16: question.pdu()[1:5]}
        pdu = bytes([question.function]) + body[question.function]
        for unit, said in ((1, pdu), (2, pdu), (1, bytes([question.function | 0x80, 2]))):
            frame = bytes([unit]) + said
            yield bytes([number | 4]) + frame
            yield bytes([number | 8]) + frame + crc16(frame)
            head = tcp_frame(unit, question, TRANSACTION)[:4]
            yield bytes([number | 12]) + head + len(frame).to_bytes(2, "big") + frame
