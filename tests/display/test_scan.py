"""Who is on a line and which map he has: simulated panels, asked through real frames, without any wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.display.maps import COIL, FIRST, IDENTITY, WRITES, Device, Guess, config_lines, guesses, panels
from drivers.display.scan import USUAL_BAUDS, Plan, Search, Step, answer_s, search
from drivers.display.scan_frames import Answer, Heard, Question, read_rtu, read_tcp, rtu_frame, tcp_frame
from simulator.light_sensor import LightSensorTwin
from simulator.modbus_pdu import IllegalAddress
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.panels.fema import FemaTwin
from simulator.panels.led485 import Led4852014Twin, Led4852024Twin
from simulator.panels.tm1650 import Tm1650Twin
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import MbapSlave, RtuSlave, with_crc
from speedsign.ports import LineSettings

Change = Callable[[bytes, bytes], bytes]  # request and replies -> what is heard


class Wire:
    """Devices by rate; answers steps as a line would."""

    def __init__(self, *slaves: RtuSlave, baud: int | None = 9600) -> None:
        self.slaves, self.baud = slaves, baud
        self.steps: list[Step] = []
        self.change: Change = lambda _request, replies: replies

    def ask(self, step: Step) -> Answer:
        self.steps.append(step)
        sent = rtu_frame(step.unit, step.question)
        replies = b""
        if step.baud == self.baud:
            replies = b"".join(reply for slave in self.slaves for reply in slave.feed(sent))
        return read_rtu(step.unit, step.question, sent, self.change(sent, replies))

    def scan(self, plan: Plan | None = None) -> Search:
        found = Search()
        steps = search(plan or Plan(), found)
        try:
            step = next(steps)
            while True:
                step = steps.send(self.ask(step))
        except StopIteration:
            return found

    @property
    def written(self) -> list[Question]:
        return [step.question for step in self.steps if step.question.words]


def best(found: Search) -> list[tuple[int, int | None, str | None, str | None, str]]:
    """Unit, rate, driver, profile and sureness of each device's first guess."""
    firsts = [(device, guesses(device)[0]) for device in found.devices]
    return [(one.unit, one.baud, guess.driver, guess.profile, guess.sureness) for one, guess in firsts]


# --------------------------------------------------------------------------- which map

MAPS = [
    (Dm56a04Twin(unit=3), ("dm56a04", None, "sure")),
    (Dm56a04Twin(digits=6, unit=3), ("dm56a04", None, "sure")),
    (Tm1650Twin(unit=3), ("tm1650", None, "likely")),
    (FemaTwin(), ("fema", None, "likely")),
    (Led4852014Twin(), ("led485", "2014", "fits too")),
    (RelayBoard(), (None, None, "likely")),
]


@pytest.mark.parametrize(("twin", "expected"), MAPS, ids=lambda one: type(one).__name__)
def test_a_map_is_told_by_harmless_reads(twin: Dm56a04Twin, expected: tuple[str, str, str]) -> None:
    wire = Wire(RtuSlave(3, twin))
    found = wire.scan()
    assert best(found) == [(3, 9600, *expected)]
    assert wire.written == []
    assert twin.writes == 0
    assert {step.baud for step in wire.steps} == {9600}, (
        "the first rate at which somebody answers is the last"
    )


def test_a_device_with_input_registers_alone_is_a_sensor() -> None:
    class Inputs:
        def read_inputs(self, address: int, count: int) -> list[int]:
            if (address, count) != (0, 1):
                raise IllegalAddress
            return [812]

    (guess,) = guesses(Wire(RtuSlave(1, Inputs())).scan().devices[0])
    assert guess.driver is None
    assert "sensor" in guess.title
    assert "812" in guess.because


def test_a_readable_device_that_fits_no_map_can_be_described() -> None:
    found = Wire(RtuSlave(1, LightSensorTwin())).scan()
    assert best(found) == [(1, 9600, "registers", None, "fits too")]


def test_who_refuses_everything_is_there_all_the_same() -> None:
    wire = Wire(RtuSlave(1, RelayBoard(relays=0)))
    (guess,) = guesses(wire.scan().devices[0])
    assert (guess.driver, guess.title) == (None, "not known")


def test_a_dm56a04_met_at_another_rate_than_it_says_is_likely_only() -> None:
    twin = Dm56a04Twin()
    twin.write(0xFE, [4])  # 19200, from its next start on
    found = Wire(RtuSlave(1, twin)).scan()
    assert best(found) == [(1, 9600, "dm56a04", None, "likely")]


def test_behind_tcp_no_rate_is_known_and_any_code_fits() -> None:
    found = Wire(RtuSlave(1, Dm56a04Twin()), baud=None).scan(Plan(bauds=(None,)))
    assert best(found) == [(1, None, "dm56a04", None, "sure")]


def test_another_id_than_its_own_is_no_dm56a04() -> None:
    """A gateway may change ids; then the register says nothing."""
    found = Wire(RtuSlave(2, Dm56a04Twin(unit=1))).scan()
    assert best(found) == [(2, 9600, "registers", None, "fits too")]


# --------------------------------------------------------------------------- who is there


@pytest.mark.parametrize("baud", USUAL_BAUDS)
def test_it_is_found_at_any_rate(baud: int) -> None:
    found = Wire(RtuSlave(1, FemaTwin()), baud=baud).scan()
    assert [(one.unit, one.baud) for one in found.devices] == [(1, baud)]


def test_several_on_one_line_are_all_found() -> None:
    wire = Wire(RtuSlave(1, Dm56a04Twin()), RtuSlave(2, RelayBoard()), RtuSlave(5, Dm56a04Twin(unit=5)))
    found = wire.scan()
    assert sorted(one[0] for one in best(found)) == [1, 2, 5]
    assert len(panels(found.devices)) == 2


class MuteRelays(RelayBoard):
    """A board that does not answer what it does not know: it is met by its coils alone."""


class CoilsAlone(RtuSlave):
    def answer(self, frame: bytes) -> bytes | None:
        return super().answer(frame) if frame[1] == 1 else None


def test_who_knows_coils_alone_and_is_silent_else_is_found() -> None:
    alone = Wire(CoilsAlone(4, MuteRelays())).scan()
    assert best(alone) == [(4, 9600, None, None, "likely")]
    beside = Wire(RtuSlave(1, Dm56a04Twin()), CoilsAlone(4, MuteRelays())).scan()
    assert sorted(one[0] for one in best(beside)) == [1, 4]


def test_all_goes_on_after_the_first_rate() -> None:
    wire = Wire(RtuSlave(1, Dm56a04Twin()))
    assert len(wire.scan(Plan(everything=True)).devices) == 1
    assert {step.baud for step in wire.steps} == set(USUAL_BAUDS)


def test_only_the_ids_that_are_wanted_are_asked() -> None:
    wire = Wire(RtuSlave(9, Dm56a04Twin(unit=9)))
    assert wire.scan().devices == []
    assert {step.unit for step in wire.steps} == set(range(1, 9))
    assert [one.unit for one in wire.scan(Plan(units=(9,))).devices] == [9]


def test_a_silent_line_is_asked_at_every_rate_and_never_written_to() -> None:
    wire = Wire()
    found = wire.scan()
    assert found.devices == []
    assert {step.baud for step in wire.steps} == set(USUAL_BAUDS)
    assert found.asked == len(wire.steps)
    assert wire.written == []


# --------------------------------------------------------------------------- what lines do


def test_an_echo_is_noticed_and_is_nobody() -> None:
    wire = Wire()
    wire.change = lambda request, replies: request + replies
    found = wire.scan()
    assert found.echo
    assert found.devices == []
    wire = Wire(RtuSlave(1, Dm56a04Twin()))
    wire.change = lambda request, replies: request + replies
    found = wire.scan()
    assert best(found) == [(1, 9600, "dm56a04", None, "sure")]
    assert found.echo


def test_noise_around_a_reply_does_not_hide_it() -> None:
    wire = Wire(RtuSlave(1, Dm56a04Twin()))
    wire.change = lambda _request, replies: b"\x00\xff" + replies + b"\x00" if replies else b""
    assert best(wire.scan()) == [(1, 9600, "dm56a04", None, "sure")]


def test_bytes_that_are_no_reply_are_told_with_a_sample() -> None:
    wire = Wire(RtuSlave(2, Dm56a04Twin(unit=2)))
    wire.change = lambda _request, replies: bytes(byte & 0x7F for byte in replies)
    found = wire.scan(Plan(bauds=(9600,)))
    assert found.devices == []
    assert list(found.garbled) == [(9600, 2)]
    assert found.garbled[9600, 2]


def test_one_glitch_is_asked_once_more() -> None:
    wire = Wire(RtuSlave(1, Dm56a04Twin()))
    hit: list[bytes] = []

    def once(request: bytes, replies: bytes) -> bytes:
        if replies and request not in hit:
            hit.append(request)
            return replies[:-1]
        return replies

    wire.change = once
    found = wire.scan()
    assert best(found) == [(1, 9600, "dm56a04", None, "sure")]
    assert found.garbled == {}


def test_a_late_reply_brings_its_sender_another_question() -> None:
    """The reply of unit 1 comes while unit 2 is asked; with more time unit 1 answers."""
    slave = RtuSlave(1, Dm56a04Twin())
    wire = Wire()
    late: list[bytes] = []

    def change(request: bytes, _replies: bytes) -> bytes:
        came = b"".join(late)
        late.clear()
        replies = b"".join(slave.feed(request))
        if wire.steps[-1].least_s > 0.5:
            return replies
        late.append(replies)
        return came

    wire.change = change
    found = wire.scan(Plan(bauds=(9600,)))
    assert found.late == {1}
    assert best(found) == [(1, 9600, "dm56a04", None, "sure")]


# --------------------------------------------------------------------------- writing


class Deaf(RtuSlave):
    """Answers no reads at all, as some panels."""

    def answer(self, frame: bytes) -> bytes | None:
        return super().answer(frame) if frame[1] == 16 else None


@pytest.mark.parametrize(
    ("twin", "expected"),
    [
        (Led4852014Twin(), ("led485", "2014")),
        (Led4852024Twin(), ("led485", "2024")),
        (Led4852024Twin(digits=4), ("led485", "2024")),
        (Tm1650Twin(), ("tm1650", None)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_panel_that_answers_no_reads_is_found_by_writing_dark(
    twin: Led4852014Twin, expected: tuple[str, str]
) -> None:
    wire = Wire(Deaf(1, twin))
    assert wire.scan().devices == []
    assert wire.written == []
    assert [one[2:4] for one in best(wire.scan(Plan(write=True)))] == [expected]
    assert set(twin.lit().strip()) <= {"0"}


def test_nothing_is_written_where_a_panel_has_said_what_it_is() -> None:
    wire = Wire(RtuSlave(1, Dm56a04Twin()), RtuSlave(2, RelayBoard()))
    assert Wire(RtuSlave(1, Dm56a04Twin())).scan(Plan(write=True)).written == 0
    wire.scan(Plan(write=True))
    assert [step for step in wire.steps if step.question.words and step.unit == 1] == []


# Where the maps that we know keep an id, a baud rate, a parity or a reset.
SETTINGS = {0x02, 0x03, 0x04, 0x05, 0x23, 0xFB, 0xFD, 0xFE, 0xFF}


def test_no_write_reaches_an_id_or_a_baud_rate_of_any_map() -> None:
    for write in WRITES:
        assert not SETTINGS & set(range(write.address, write.address + write.count)), write


# --------------------------------------------------------------------------- what it says


def test_the_config_has_what_differs_from_the_usual() -> None:
    guess = Guess("t", "led485", "2024", guesses(Device(1, 9600))[0].sureness, "b")
    assert config_lines(guess, Device(1, 9600), "/dev/x", 9600) == [
        "[display]",
        'driver = "led485"',
        'port = "/dev/x"',
        'profile = "2024"',
    ]
    assert config_lines(guess, Device(7, 19200, "E"), "/dev/x", 9600)[4:] == [
        "baud = 19200",
        'parity = "E"',
        "unit = 7",
    ]
    assert config_lines(guess, Device(1, None), "tcp://h:1", 9600)[-1] == 'profile = "2024"'


# --------------------------------------------------------------------------- frames

READ = Question(3, 7, 2)


def heard(*parts: bytes, question: Question = READ, unit: int = 1) -> Answer:
    return read_rtu(unit, question, rtu_frame(unit, question), b"".join(parts))


def reply(data: str) -> bytes:
    return with_crc(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("data", "kind", "values", "code"),
    [
        ([], Heard.NOTHING, (), 0),
        ([reply("01 03 04 00 2F 00 08")], Heard.VALUES, (47, 8), 0),
        ([reply("01 83 02")], Heard.REFUSED, (), 2),
        ([reply("02 03 04 00 2F 00 08")], Heard.OTHER, (), 0),
        ([reply("02 03 04 00 2F 00 08"), reply("01 03 04 00 01 00 02")], Heard.VALUES, (1, 2), 0),
        ([reply("01 03 02 00 2F")], Heard.GARBLED, (), 0),  # the answer to a shorter question
        ([reply("01 06 00 07 00 2F")], Heard.GARBLED, (), 0),
        ([reply("01 03 04 00 2F 00 08")[:-1]], Heard.GARBLED, (), 0),
        ([b"\x00"], Heard.GARBLED, (), 0),
        ([rtu_frame(1, READ)], Heard.NOTHING, (), 0),
        ([rtu_frame(1, READ)[:3]], Heard.NOTHING, (), 0),
        ([rtu_frame(1, READ), reply("01 83 02")], Heard.REFUSED, (), 2),
        ([reply("01 83 0B")], Heard.NOTHING, (), 11),  # a gateway: nobody is there
    ],
)
def test_what_a_reply_means(data: Sequence[bytes], kind: Heard, values: tuple[int, ...], code: int) -> None:
    answer = heard(*data)
    assert (answer.heard, answer.values, answer.code) == (kind, values, code)


def test_coils_and_writes_are_read_too() -> None:
    coils = heard(reply("01 01 01 05"), question=Question(1, 0, 3))
    assert coils.values == (1, 0, 1)
    write = Question(16, 0, 2, (1, 2))
    assert rtu_frame(1, write) == with_crc(bytes.fromhex("01 10 00 00 00 02 04 00 01 00 02"))
    assert heard(reply("01 10 00 00 00 02"), question=write).heard is Heard.VALUES
    assert heard(reply("01 10 00 00 00 01"), question=write).heard is Heard.GARBLED


def test_tcp_replies_belong_to_their_request() -> None:
    slave = MbapSlave(1, Dm56a04Twin())
    old = slave.feed(tcp_frame(1, FIRST, 7))[0]
    (new,) = slave.feed(tcp_frame(1, IDENTITY, 8))
    assert read_tcp(1, IDENTITY, 8, old + new).values == (1, 3, 0)
    assert read_tcp(1, FIRST, 8, old).heard is Heard.NOTHING
    assert read_tcp(1, FIRST, 7, old[:5]).heard is Heard.GARBLED
    assert read_tcp(1, COIL, 9, slave.feed(tcp_frame(1, COIL, 9))[0]).heard is Heard.REFUSED
    assert read_tcp(1, FIRST, 7, b"").heard is Heard.NOTHING


@given(st.binary(max_size=600), st.sampled_from([FIRST, COIL, IDENTITY, WRITES[0]]))
def test_any_bytes_are_survived(data: bytes, question: Question) -> None:
    for answer in (
        read_rtu(1, question, rtu_frame(1, question), data),
        read_tcp(1, question, 1, data),
    ):
        if answer.heard is Heard.VALUES and not question.words:
            assert len(answer.values) == question.count


def test_the_wait_is_the_wires_time_and_some_to_think() -> None:
    assert 0.12 < answer_s(LineSettings(115_200), FIRST) < 0.13
    assert 0.2 < answer_s(LineSettings(1200), FIRST) < 0.3
    assert answer_s(LineSettings(9600), FIRST) < answer_s(LineSettings(9600, parity="E"), FIRST) < 0.16
