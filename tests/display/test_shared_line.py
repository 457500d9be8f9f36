"""Several on one line, on virtual time: panels alike, the supply of what does not obey, the beacon."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from drivers.bus_owner import BusOwner
from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay, one_panel
from drivers.display.panel import PanelSettings
from drivers.display.relay import RelaySettings
from drivers.display.supply import GuardSettings, SupplyGuard
from drivers.display.tm1650 import Tm1650
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.panels.tm1650 import Tm1650Twin
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.model import BLANK, Face
from tests.display.bus import Coils, MemoryBus

PULSED = RelaySettings(pulse_s=1.5)


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Pole:
    """A display on one line: panels at 1 and, where there are more, 2; supply at 11; beacon at 12."""

    bus: MemoryBus
    display: SignDisplay
    panels: list[Dm56a04Twin]
    supply: Coils | None
    beacon: Coils
    acked: list[str] = field(default_factory=list)
    lit: list[tuple[float, str]] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [f"{fault.device} {fault.code}" for fault in self.display.faults()]

    def seen(self) -> list[str]:
        return [panel.lit().strip() for panel in self.panels]


@contextlib.asynccontextmanager
async def pole(
    panels: int = 1, *, supply: bool = False, relay: RelaySettings | None = None
) -> AsyncIterator[Pole]:
    """Runs; ends with the display's own end."""
    bus = MemoryBus()
    twins = [Dm56a04Twin(unit=unit) for unit in range(1, panels + 1)]
    clock = VirtualClock(asyncio.get_running_loop(), datetime(2026, 5, 4, tzinfo=UTC))
    acked: list[str] = []
    display = SignDisplay(clock, lambda face, _t: acked.append(str(face)))
    line = display.add_line(BusOwner(bus))
    for unit, twin in enumerate(twins, start=1):
        bus.panels[unit] = twin
        display.add_panel(line, Dm56a04(), unit)
    board = None
    if supply:
        board = Coils(coil=2, wired=lambda on: _power(bus, twins, on=on))
        _power(bus, twins, on=False)
        bus.relays[11] = board
        display.add_supply(line, 11, 2, relay or RelaySettings(), GuardSettings())
    lamps = bus.relays[12] = Coils(coil=0)
    display.add_beacon(line, 12, 0)
    made = Pole(bus, display, twins, board, lamps, acked)
    twins[0].on_change = lambda text: made.lit.append((now(), text.strip()))
    task = asyncio.create_task(display.run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _power(bus: MemoryBus, twins: list[Dm56a04Twin], *, on: bool) -> None:
    for unit, twin in enumerate(twins, start=1):
        if on:
            twin.power_on()
            bus.silent.discard(unit)
        else:
            twin.power_off()
            bus.silent.add(unit)


# ---------------------------------------------------------------------- panels alike


def test_two_panels_show_the_same_and_it_counts_when_both_have_said_so() -> None:
    async def main() -> None:
        async with pole(panels=2) as sign:
            await asyncio.sleep(1)
            sign.display.show(Face(47))
            await asyncio.sleep(0.05)  # the first has it
            assert sign.acked[-1] == "dark"
            assert sign.display.lit() is None
            await asyncio.sleep(0.3)
            assert sign.seen() == ["47", "47"]
            assert (sign.display.lit(), sign.acked) == (Face(47), ["dark", "47"])

    run_virtual(main())


def test_a_dead_panel_delays_the_other_by_one_exchange_at_most() -> None:
    async def main() -> None:
        async with pole(panels=2) as sign:
            await asyncio.sleep(1)
            sign.bus.silent.add(2)
            worst_s = 0.0
            for number in range(30, 70):
                began_s = now()
                sign.display.show(Face(number))
                while sign.panels[0].lit().strip() != str(number):
                    await asyncio.sleep(0.005)
                worst_s = max(worst_s, now() - began_s)
                await asyncio.sleep(0.3)
            assert worst_s < 0.34 + 0.07  # the other's time-out, or a read-back, and the own exchange
            assert sign.codes == ["display no_reply"]
            assert sign.display.lit() is None
            sign.bus.silent.clear()
            await asyncio.sleep(2)
            assert (sign.seen(), sign.codes, sign.display.lit()) == (["69", "69"], [], Face(69))

    run_virtual(main())


def test_three_dead_panels_hold_up_the_fourth_once_and_then_no_more() -> None:
    async def main() -> None:
        async with pole(panels=4) as sign:
            await asyncio.sleep(2)
            sign.bus.cut |= {1, 2, 3}
            waited_s = []
            for number in (41, 42, 43, 44):
                began_s = now()
                sign.display.show(Face(number))
                while sign.panels[3].lit().strip() != str(number):
                    await asyncio.sleep(0.005)
                waited_s.append(now() - began_s)
                await asyncio.sleep(3)
            assert waited_s[0] < 3 * 0.34 + 0.1  # nobody knew yet
            assert max(waited_s[1:]) < 0.34 + 0.1

    run_virtual(main())


@pytest.mark.parametrize("dead", [{1}, {1, 2}, {1, 2, 3}])
def test_at_the_end_those_that_answer_go_dark_before_the_dead_are_tried(dead: set[int]) -> None:
    async def main() -> None:
        async with pole(panels=4) as sign:
            sign.display.show(Face(47, beacon=True))
            await asyncio.sleep(2)
            sign.bus.cut |= dead
            await asyncio.sleep(4)
            began_s = now()
        for unit, twin in enumerate(sign.panels, start=1):
            assert twin.lit().strip() == ("47" if unit in dead else "")
        assert sign.beacon.on is False
        assert next(at_s for at_s, unit, _ in sign.bus.log if unit == 12 and at_s > began_s) - began_s < 0.6
        assert now() - began_s <= 1.1

    run_virtual(main())


def test_at_the_end_the_supply_does_not_wait_for_panels_that_are_dead_and_lit() -> None:
    async def main() -> None:
        async with pole(panels=3, supply=True) as sign:
            sign.display.show(Face(47))
            await asyncio.sleep(3)
            sign.bus.cut |= {1, 2, 3}
            began_s = now()
        assert sign.supply is not None
        off_s = next(at_s for at_s, value in sign.supply.told if value == 0 and at_s >= began_s)
        assert off_s - began_s < 0.34 + 0.1  # nobody knew yet that they are dead: one is tried in vain
        assert sign.seen() == ["", "", ""]
        assert now() - began_s <= 1.2

    run_virtual(main())


def test_a_beacon_that_is_missed_lets_the_panel_be_asked_that_it_belongs_to() -> None:
    """A Fema's relays are coils of its own: when they do not answer, its number may be stale."""

    async def main() -> None:
        bus = MemoryBus()
        bus.panels[1], bus.relays[1] = Dm56a04Twin(), Coils(coil=1)
        clock = VirtualClock(asyncio.get_running_loop(), datetime(2026, 5, 4, tzinfo=UTC))
        display = SignDisplay(clock)
        line = display.add_line(BusOwner(bus))
        seldom = PanelSettings(keepalive_s=60.0, verify_s=600.0, verify_dark_s=600.0, refresh_s=600.0)
        display.add_panel(line, Dm56a04(), 1, seldom)
        display.add_beacon(line, 1, 1)
        running = asyncio.create_task(display.run())
        display.show(Face(60, beacon=True))
        await asyncio.sleep(5)
        bus.cut.add(1)
        await asyncio.sleep(2.0 + 5 * 0.34)  # the relay is told every 2 s; then two tries each, and one begun
        assert {(fault.device, fault.code) for fault in display.faults()} == {
            ("display", "no_reply"),
            ("beacon", "no_reply"),
        }
        running.cancel()
        await asyncio.wait([running])

    run_virtual(main())


def test_a_panel_whose_face_carries_the_brightness_gets_both_again() -> None:
    async def main() -> None:
        bus, twin = MemoryBus(), Tm1650Twin()
        bus.panels[1] = twin
        clock = VirtualClock(asyncio.get_running_loop(), datetime(2026, 5, 4, tzinfo=UTC))
        display = one_panel(bus, Tm1650(), 1, clock)
        running = asyncio.create_task(display.run())
        display.show(Face(47))
        await asyncio.sleep(1.5)
        assert (twin.lit().strip(), twin.brightness) == ("47", 7)
        display.dim(0.0)
        await asyncio.sleep(0.1)  # at once, not with the next keep-alive
        assert (twin.lit().strip(), twin.brightness) == ("47", 1)
        running.cancel()
        await asyncio.wait([running])

    run_virtual(main())


# ---------------------------------------------------------------------- the beacon


def test_the_beacon_follows_the_face_and_is_off_at_the_end() -> None:
    async def main() -> None:
        async with pole() as sign:
            await asyncio.sleep(1)
            assert sign.beacon.on is False
            sign.display.show(Face(71, beacon=True))
            await asyncio.sleep(0.2)
            assert (sign.seen(), sign.beacon.on) == (["71"], True)
            assert sign.display.lit() == Face(71)
            sign.display.show(Face(beacon=True))
            await asyncio.sleep(0.2)
            assert (sign.seen(), sign.beacon.on) == ([""], True)
            sign.display.show(BLANK)
            await asyncio.sleep(0.2)
            assert sign.beacon.on is False
            sign.display.show(Face(71, beacon=True))
            await asyncio.sleep(0.2)
        assert (sign.seen(), sign.beacon.on) == ([""], False)

    run_virtual(main())


def test_a_relay_that_does_not_move_is_told_as_a_fault_and_tried_again() -> None:
    async def main() -> None:
        async with pole() as sign:
            await asyncio.sleep(1)
            sign.beacon.stuck = True
            sign.display.show(Face(71, beacon=True))
            await asyncio.sleep(1)
            assert sign.codes == ["beacon bad_reply"]
            assert "relay 0 is off" in sign.display.faults()[0].text
            sign.beacon.stuck = False
            await asyncio.sleep(17)
            assert (sign.codes, sign.beacon.on) == ([], True)

    run_virtual(main())


def test_a_dead_relay_board_is_asked_more_and_more_seldom() -> None:
    async def main() -> None:
        async with pole() as sign:
            sign.bus.silent.add(12)
            await asyncio.sleep(120)
            assert sign.codes == ["beacon no_reply"]
            assert "beacon relay" in sign.display.faults()[0].text
            assert len(sign.bus.said(12)) <= 13
            assert sign.display.lit() == BLANK  # the panel has nothing to do with it

    run_virtual(main())


def test_a_board_that_was_without_power_is_told_again() -> None:
    async def main() -> None:
        async with pole() as sign:
            sign.display.show(Face(71, beacon=True))
            await asyncio.sleep(1)
            sign.beacon.on = False  # it has restarted
            await asyncio.sleep(2.1)
            assert sign.beacon.on

    run_virtual(main())


# ---------------------------------------------------------------------- the supply


@pytest.mark.parametrize("relay", [RelaySettings(), PULSED])
def test_power_first_then_dark_then_the_face(relay: RelaySettings) -> None:
    async def main() -> None:
        async with pole(supply=True, relay=relay) as sign:
            sign.display.show(Face(47))
            await asyncio.sleep(0.9)
            assert sign.bus.said(1) == []  # it has had no time to start
            await asyncio.sleep(1)
            assert [text for _, text in sign.lit] == ["0000", "", "47"]
            assert (sign.codes, sign.display.lit()) == ([], Face(47))
            await asyncio.sleep(60)
            assert sign.codes == []
            assert [text for _, text in sign.lit] == ["0000", "", "47"]  # never off in between
        assert sign.supply is not None
        assert sign.supply.on is False

    run_virtual(main())


def test_what_does_not_answer_loses_its_power_and_is_tried_again() -> None:
    async def main() -> None:
        async with pole(supply=True) as sign:
            sign.display.show(Face(47))
            await asyncio.sleep(5)
            sign.bus.cut.add(1)  # its data wire: it stays lit
            assert sign.seen() == ["47"]
            began_s = now()
            while sign.panels[0].powered:
                await asyncio.sleep(0.01)
            assert now() - began_s < 2.0  # the next keep-alive, a second try, the relay
            assert sign.seen() == [""]
            sign.display.show(Face(52))
            await asyncio.sleep(20)
            assert sign.codes == ["display no_reply"]
            assert "52" not in [text for _, text in sign.lit]
            await asyncio.sleep(600)
            offs = sum(value == 0 for _, value in sign.supply.told) if sign.supply else 0
            assert offs < 500  # the keep-alives of a relay that is off; no chatter
            ons = [text for _, text in sign.lit if text == "0000"]
            assert 8 <= len(ons) <= 14  # after 3, 6, 12, … 60 s
            sign.display.show(Face(33))
            sign.bus.cut.clear()
            await asyncio.sleep(70)
            assert sign.seen() == ["33"]
            assert sign.codes == []

    run_virtual(main())


def test_planned_dark_may_take_the_power_and_is_no_fault() -> None:
    async def main() -> None:
        async with pole(supply=True) as sign:
            await asyncio.sleep(3)
            sign.display.show(BLANK)
            sign.display.rest(resting=True)
            await asyncio.sleep(1)
            assert (sign.panels[0].powered, sign.codes, sign.display.lit()) == (False, [], BLANK)
            asked, lit = len(sign.bus.said(1)), len(sign.lit)
            sign.display.dim(0.0)
            await asyncio.sleep(3600)
            assert len(sign.bus.said(1)) == asked
            sign.display.rest(resting=False)
            sign.display.show(Face(47))
            await asyncio.sleep(2)
            assert (sign.seen(), sign.codes, sign.display.lit()) == (["47"], [], Face(47))
            assert [text for _, text in sign.lit[lit:]] == ["0000", "", "47"]  # put in order, as at the start
            assert sign.panels[0].brightness == 1

    run_virtual(main())


def test_a_supply_relay_that_is_dead_does_not_darken_the_sign_and_hides_nothing() -> None:
    async def main() -> None:
        async with pole(supply=True) as sign:
            await asyncio.sleep(3)
            sign.bus.silent.add(11)
            sign.display.show(Face(47))
            await asyncio.sleep(10)
            assert (sign.seen(), sign.codes) == (["47"], ["supply no_reply"])
            sign.bus.cut.add(1)
            sign.display.show(Face(48))
            await asyncio.sleep(10)
            assert sign.seen() == ["47"]
            assert sign.display.lit() is None  # it is not claimed to be dark
            assert set(sign.codes) == {"display no_reply", "supply no_reply"}
            sign.bus.silent.discard(11)
            await asyncio.sleep(17)
            assert "supply no_reply" not in sign.codes
            await asyncio.sleep(60)
            assert "48" not in [text for _, text in sign.lit]

    run_virtual(main())


def test_a_pulsed_supply_drops_when_nobody_speaks_any_more() -> None:
    async def main() -> None:
        async with pole(supply=True, relay=PULSED) as sign:
            sign.display.show(Face(47))
            await asyncio.sleep(5)
            assert sign.seen() == ["47"]
            sign.bus.gone = True  # the wire to all of them is cut, or the controller is dead
            await asyncio.sleep(1.6)
            assert sign.seen() == [""]

    run_virtual(main())


# ---------------------------------------------------------------------- the guard alone


def test_the_guard_cuts_at_once_and_then_with_growing_pauses() -> None:
    guard = SupplyGuard(GuardSettings(boot_s=1.0, answer_s=2.0, off_s=3.0, off_max_s=10.0))
    assert guard.on(100.0, faulty=False, resting=False)
    changes: list[tuple[float, bool]] = []
    last = True
    for tenth in range(1010, 1600):
        on = guard.on(tenth / 10, faulty=True, resting=False)
        if on is not last:
            changes.append((tenth / 10, on))
            last = on
    assert changes == [
        (101.0, False), (104.0, True), (107.0, False), (113.0, True), (116.0, False), (126.0, True),
        (129.0, False), (139.0, True), (142.0, False), (152.0, True), (155.0, False),
    ]  # fmt: skip


def test_the_guard_starts_anew_once_all_was_well() -> None:
    guard = SupplyGuard(GuardSettings(boot_s=1.0, answer_s=2.0, off_s=3.0))
    assert not guard.on(0.0, faulty=True, resting=False)
    assert guard.on(3.0, faulty=True, resting=False)
    assert guard.on(4.0, faulty=False, resting=False)
    assert not guard.on(9.0, faulty=True, resting=False)
    assert guard.on(12.0, faulty=True, resting=False)  # 3 s again, not 6
    assert guard.next_s(faulty=True) == 15.0
    assert guard.next_s(faulty=False) == float("inf")


def test_the_guard_obeys_the_plan_before_all() -> None:
    guard = SupplyGuard()
    assert not guard.on(0.0, faulty=False, resting=True)
    assert guard.on(1.0, faulty=False, resting=False)
