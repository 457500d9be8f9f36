"""All 49 public frames: which call of a driver, or of the bus, is each request, and who answers it how.

Every frame was made by two independent Modbus libraries and compared. Where our driver of a panel does
without a frame (FC6 where FC16 proves more), the panel that a config describes makes it, or the bus does.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.display.dm56a04 import Dm56a04
from drivers.display.fema import Fema
from drivers.display.led485 import Led485
from drivers.display.registers import Registers
from drivers.display.tm1650 import Tm1650
from drivers.modbus_bus import BusSettings, PymodbusBus
from simulator.line import PtyLine
from simulator.panel_end import PanelEnd
from simulator.panels.catalogue import make_panel
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import RtuSlave
from speedsign.config.schema import RegistersConfig
from speedsign.model import BLANK, Face
from speedsign.ports import COIL_OFF, COIL_ON, Expect, WriteRegisters
from tests.display.requests import ReadCoils, ReadRegisters, Request, WriteCoil, frame_of, send
from tests.display.rig import no_error_in_the_loop
from tests.support import run

TABLE = Path(__file__).with_name("frames.txt").read_text(encoding="utf-8")
FRAMES = {row["name"]: row for row in csv.DictReader(TABLE.splitlines(), delimiter="\t")}

DM, TM, OLD, NEW, FEMA = Dm56a04(), Tm1650(), Led485(), Led485(profile="2024"), Fema()
A_47, FULL = Face(47), 1.0


def described(kind: Any = "integer", **keys: Any) -> Registers:
    return Registers(RegistersConfig(kind=kind, **keys))


# The panels with FC6 alone, as far as a config describes them.
DM_6 = described(address=7, function=6, brightness_address=9, blink_address=8, blink_on=15)
TM_6 = described(address=0, function=6, brightness_address=2, brightness_max=7)
TM_6_FROM_0 = described(address=0, function=6, brightness_address=2, brightness_min=0, brightness_max=7)
OLD_6 = described(address=0x88, function=6)
NEW_TEXT = described("text", address=0x70, cells=6, pack=2)
CARD = described("text", address=1000, cells=2, pack=2)


class Holding:
    """Registers with nothing behind them."""

    def __init__(self) -> None:
        self.registers = {32: 1}  # the version of an EmbeddedArt card

    def read(self, address: int, count: int) -> list[int]:
        return [self.registers[register] for register in range(address, address + count)]

    def write(self, address: int, values: tuple[int, ...]) -> None:
        self.registers.update(enumerate(values, address))


@dataclass(frozen=True)
class Case:
    """A request, the twin that is to answer, and what is lit then; `first` is written before."""

    request: Request
    twin: str | None
    lit: str | None = None
    first: tuple[Request, ...] = field(default=())


def one(requests: Any, index: int = 0) -> Any:
    return tuple(requests)[index]


SHOW_DM, SHOW_FEMA = one(DM.writes(A_47, FULL)), one(FEMA.writes(A_47, FULL))
CASES = {
    "dm56a04 show 47 as a number": Case(one(DM_6.writes(A_47, FULL)), "dm56a04", "  47"),
    "dm56a04 show 47": Case(SHOW_DM, "dm56a04", "  47"),
    "dm56a04 show --": Case(one(DM.writes(Face(word="--"), FULL)), "dm56a04", "  --"),
    "dm56a04 blank": Case(one(DM.writes(BLANK, FULL)), "dm56a04", "    "),
    "dm56a04 all segments": Case(one(DM.lamp_test(FULL)), "dm56a04", "8888"),
    "dm56a04 brightness 1": Case(one(DM_6.brightness(0.0)), "dm56a04", "0000"),
    "dm56a04 brightness 8": Case(one(DM_6.brightness(1.0)), "dm56a04", "0000"),
    "dm56a04 blink": Case(one(DM_6.writes(Face(47, blink=True), FULL), 1), "dm56a04", "0000"),
    "dm56a04 blink off": Case(one(DM_6.start()), "dm56a04", "0000"),
    "dm56a04 read digits": Case(DM.read_back(A_47, FULL) or SHOW_DM, "dm56a04", "  47", (SHOW_DM,)),
    "dm56a04 read blink and brightness": Case(ReadRegisters(8, 2), "dm56a04"),
    "dm56a04 read unit, baud, parity": Case(ReadRegisters(0xFD, 3), "dm56a04"),
    "tm1650 show 47": Case(one(TM_6.writes(A_47, FULL)), "tm1650", "  47"),
    "tm1650 show 50": Case(one(TM_6.writes(Face(50), FULL)), "tm1650", "  50"),
    "tm1650 show 1234": Case(one(TM_6.writes(Face(1234), FULL)), "tm1650", "1234"),
    "tm1650 show 2.468 dimly": Case(WriteRegisters(0, (2468, 3, 1)), "tm1650", "2.468"),
    "tm1650 brightness 1": Case(one(TM_6.brightness(0.0)), "tm1650", "   0"),
    "tm1650 brightness 7": Case(one(TM_6.brightness(1.0)), "tm1650", "   0"),
    "tm1650 brightness 0": Case(one(TM_6_FROM_0.brightness(0.0)), "tm1650", "   0"),
    "tm1650 flash": Case(one(TM.writes(Face(47, blink=True), FULL), 1), "tm1650", "   0"),
    "tm1650 flash off": Case(one(TM.start()), "tm1650", "   0"),
    "tm1650 read all": Case(ReadRegisters(0, 4), "tm1650", "  47", tuple(Tm1650().writes(A_47, FULL))),
    "led485-2014 show 47 as a number": Case(one(OLD_6.writes(A_47, FULL)), "led485/2014", "  47"),
    "led485-2014 show +47": Case(WriteRegisters(0x90, (0, 47)), "led485/2014", "  47"),
    "led485-2014 show 4.90": Case(WriteRegisters(0x90, (2, 490)), "led485/2014", " 4.90"),
    "led485-2014 blank": Case(one(OLD.writes(BLANK, FULL)), "led485/2014", "    "),
    "led485-2014 show 47": Case(one(OLD.writes(A_47, FULL)), "led485/2014", "  47"),
    "led485-2014 show P2.3": Case(
        WriteRegisters(0x70, (0x5032, 0x2E33, 0, 0, 0, 0)), "led485/2014", "P2.3 "
    ),
    "led485-2014 all segments": Case(one(OLD.lamp_test(FULL)), "led485/2014", "8.8.8.8."),
    "led485-2014 brightness 0": Case(one(OLD.brightness(0.0)), "led485/2014", "0000"),
    "led485-2014 brightness 7": Case(one(OLD.brightness(1.0)), "led485/2014", "0000"),
    "led485-2014 decimals 0": Case(one(OLD.start()), "led485/2014", "0000"),
    "led485-2024 show 47 as a number": Case(one(TM_6.writes(A_47, FULL)), "led485/2024", "    47"),
    "led485-2024 decimals 0": Case(one(NEW.start()), "led485/2024", "000000"),
    "led485-2024 show 47 as text": Case(one(NEW_TEXT.writes(A_47, FULL)), "led485/2024", "    47"),
    "led485-2024 blank as text": Case(one(NEW_TEXT.writes(BLANK, FULL)), "led485/2024", "      "),
    "led485-2024 show 47": Case(one(NEW.writes(A_47, FULL)), "led485/2024", "    47"),
    "led485-2024 blank": Case(one(NEW.writes(BLANK, FULL)), "led485/2024", "      "),
    "fema show 47 alone": Case(one(TM_6.writes(A_47, FULL)), "fema/16-bit", "  47"),
    "fema show 47": Case(SHOW_FEMA, "fema/16-bit", "  47"),
    "fema decimals 0": Case(WriteRegisters(1, (0,), single=True), "fema/16-bit", "   0"),
    "fema read back": Case(FEMA.read_back(A_47, FULL) or SHOW_FEMA, "fema/16-bit", "  47", (SHOW_FEMA,)),
    "siebert header": Case(WriteRegisters(0x40, (0, 0)), None),
    "embeddedart show 47": Case(one(CARD.writes(A_47, FULL)), None),
    "embeddedart save": Case(WriteRegisters(42, (1,), single=True), None),
    "embeddedart version": Case(ReadRegisters(32, 1), None),
    "relays 1 on": Case(WriteCoil(0, COIL_ON), "relays"),
    "relays 1 off": Case(WriteCoil(0, COIL_OFF), "relays"),
    "relays read": Case(ReadCoils(0, 8), "relays", first=(WriteCoil(0, COIL_ON),)),
}  # fmt: skip


def twin_of(name: str | None) -> Any:
    """A fresh device; a TM1650 that has done with its greeting."""
    if name is None or name == "relays":
        return RelayBoard() if name else Holding()
    panel, _, profile = name.partition("/")
    twin = make_panel(panel, profile or None)
    twin.process(2.0)
    return twin


def hex_of(data: bytes) -> str:
    return data.hex(" ").upper()


def test_every_frame_is_here() -> None:
    assert len(FRAMES) == 49
    assert set(CASES) == set(FRAMES)


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_sent(name: str) -> None:
    assert hex_of(frame_of(CASES[name].request)) == FRAMES[name]["request"]


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_answered_and_lit(name: str) -> None:
    case = CASES[name]
    twin = twin_of(case.twin)
    slave = RtuSlave(1, twin)
    for request in case.first:
        assert len(slave.feed(frame_of(request))) == 1
    replies = slave.feed(bytes.fromhex(FRAMES[name]["request"]))
    assert [hex_of(reply) for reply in replies] == [FRAMES[name]["reply"]]
    if case.lit is not None:
        assert twin.lit() == case.lit
    if isinstance(case.request, Expect):
        words = bytes.fromhex(FRAMES[name]["reply"])[3:-2]
        pairs = zip(words[::2], words[1::2], strict=True)
        assert tuple(high << 8 | low for high, low in pairs) == case.request.values


@pytest.mark.wires
@pytest.mark.parametrize("device", sorted({name.split()[0] for name in FRAMES}))
def test_the_same_through_the_bus_and_a_pty(device: str, tmp_path: Path) -> None:
    """The library's own encoding is what the makers' manuals say, and every reply is taken for one."""

    async def main() -> None:
        line = PtyLine(tmp_path / "panel")
        line.plug()
        bus = PymodbusBus(str(line.link), settings=BusSettings(timeout_s=1.0, quiet_s=0.02))
        with no_error_in_the_loop():
            await bus.connect()
            try:
                for name in (name for name in FRAMES if name.split()[0] == device):
                    case = CASES[name]
                    end = PanelEnd(line, RtuSlave(1, twin_of(case.twin)))
                    for request in case.first:
                        await send(bus, request)
                    heard = await send(bus, case.request)
                    assert hex_of(end.requests[-1]) == FRAMES[name]["request"]
                    if isinstance(case.request, Expect):
                        assert tuple(heard) == case.request.values  # type: ignore[arg-type]  # words
                    end.close()
            finally:
                await bus.close()
                line.unplug()

    run(main())
