"""Everything that can be wrong with a panel, on real ptys: owner, bus, pymodbus, kernel, slave, twin."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulator.panel_end import PanelFault
from speedsign.model import BLANK, Face
from tests.display import vectors
from tests.display.rig import PATIENT_BUS, OwnedRig, owned
from tests.support import run, until

pytestmark = pytest.mark.wires


async def lit(rig: OwnedRig, text: str) -> None:
    await until(lambda: rig.twin.lit() == text and not rig.owner.faults(), what=text)


def test_the_first_thing_on_the_wire_is_dark(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.owner.show(Face(47))
            await lit(rig, "  47")
            assert rig.requests[0] == vectors.BLANK[0]
            assert vectors.SHOW_47[0] in rig.requests
            await until(lambda: vectors.READ_DIGITS_47[0] in rig.requests)
        assert rig.twin.lit() == "    "
        assert vectors.READ_DIGITS_47[0] in rig.requests[-1]  # the last darkness was proved

    run(main())


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({PanelFault.DEAD}, "no_reply"),
        ({PanelFault.BAD_CRC}, "no_reply"),
        ({PanelFault.WRONG_ID}, "no_reply"),
        ({PanelFault.ECHO, PanelFault.DEAD}, "no_reply"),
        ({PanelFault.EXCEPTION}, "bad_reply"),
        ({PanelFault.LYING}, "mismatch"),
        ({PanelFault.STUCK}, "mismatch"),
    ],
)
def test_noticed_told_and_over_when_it_is_over(tmp_path: Path, faults: set[PanelFault], code: str) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.owner.show(Face(30))
            await lit(rig, "  30")
            rig.end.faults = set(faults)
            rig.owner.show(Face(47))
            await until(lambda: rig.codes == [code], what=code)
            (fault,) = rig.owner.faults()
            assert fault.device == "display"
            assert "unit 1" in fault.text
            assert str(rig.line.link) in fault.text
            assert rig.owner.lit() is None
            rig.owner.show(Face(48))
            rig.end.faults = set()
            await lit(rig, "  48")
            await until(lambda: rig.owner.lit() == Face(48))

    run(main())


@pytest.mark.parametrize("slow_s", [0.12, 0.16, 0.3])
def test_replies_that_come_too_late_are_never_taken(tmp_path: Path, slow_s: float) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.owner.show(Face(30))
            await lit(rig, "  30")
            await until(lambda: rig.owner.lit() == Face(30), what="its acknowledgement")
            rig.end.slow_s = slow_s
            rig.end.faults = {PanelFault.SLOW}
            acked = len(rig.acked)
            for number in range(40, 44):
                rig.owner.show(Face(number))
                await asyncio.sleep(0.1)
            assert rig.codes in (["no_reply"], ["bad_reply"])
            assert rig.owner.lit() is None
            assert len(rig.acked) == acked
            rig.end.faults = set()
            await lit(rig, "  43")

    run(main())


def test_slow_but_in_time_is_no_fault(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path, bus_settings=PATIENT_BUS) as rig:
            rig.end.slow_s = 0.15
            rig.end.faults = {PanelFault.SLOW}
            rig.owner.show(Face(47))
            await lit(rig, "  47")
            await until(lambda: rig.owner.lit() == Face(47))
            assert rig.owner.health()["timeouts"] == 0

    run(main())


def test_one_spoiled_reply_costs_one_retry(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            await until(lambda: rig.owner.health()["readbacks"])
            rig.end.faults = {PanelFault.BAD_CRC}

            def over(_frame: bytes) -> None:
                asyncio.get_running_loop().call_soon(rig.end.faults.clear)

            rig.end.on_request = over
            rig.owner.show(Face(47))
            await until(lambda: rig.owner.lit() == Face(47))
            assert rig.codes == []
            assert rig.owner.health()["retries"] == 1

    run(main())


@pytest.mark.parametrize(
    "faults", [{PanelFault.ECHO}, {PanelFault.GLITCH}, {PanelFault.ECHO, PanelFault.GLITCH}]
)
def test_a_poor_adapter_alone_is_no_trouble(tmp_path: Path, faults: set[PanelFault]) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.end.faults = set(faults)
            await until(lambda: rig.owner.health()["readbacks"])
            rig.owner.show(Face(47))
            await lit(rig, "  47")
            await until(lambda: rig.owner.lit() == Face(47))
            assert rig.owner.health()["timeouts"] == 0

    run(main())


def test_power_cycle(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.owner.dim(0.0)
            rig.owner.show(Face(47))
            await lit(rig, "  47")
            await until(lambda: rig.twin.brightness == 1)
            rig.twin.power_off()
            await until(lambda: rig.codes == ["no_reply"])
            seen: list[str] = []
            rig.twin.on_change = seen.append
            rig.twin.power_on()
            await lit(rig, "  47")
            await until(lambda: rig.twin.brightness == 1)
            assert seen == ["0000", "    ", "  47"]

    run(main())


def test_unplugged_and_plugged_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.owner.show(Face(47))
            await lit(rig, "  47")
            rig.line.unplug()
            await until(lambda: rig.codes == ["port"])
            await until(lambda: "no such port" in rig.owner.faults()[0].text)
            assert rig.owner.lit() is None
            rig.owner.show(Face(48))
            rig.twin.power_cycle()
            rig.line.plug()
            await lit(rig, "  48")
            assert rig.owner.health()["reconnects"] == 1

    run(main())


def test_show_never_waits(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.end.faults = {PanelFault.DEAD}
            loop = asyncio.get_running_loop()
            for number in range(1000):
                began_s = loop.time()
                rig.owner.show(Face(number % 200))
                assert loop.time() - began_s < 0.05
            await asyncio.sleep(0)
            rig.end.faults = set()
            await lit(rig, " 199")

    run(main())


def test_cancelled_in_the_middle_of_a_request_it_still_ends_dark(tmp_path: Path) -> None:
    async def main() -> None:
        async with owned(tmp_path) as rig:
            rig.end.slow_s = 0.04
            rig.end.faults = {PanelFault.SLOW}
            await until(lambda: rig.owner.health()["readbacks"])
            rig.owner.show(Face(47))
            await until(lambda: rig.twin.lit() == "  47")
        assert rig.twin.lit() == "    "
        assert rig.owner.lit() == BLANK

    run(main())
