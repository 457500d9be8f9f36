"""A panel in a person's hand, on a line in memory: what is on, what it holds, dark at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.display.darken import Coil, End, Panels, carry_out, dark_ends
from drivers.display.dm56a04 import Dm56a04
from drivers.display.fema import Fema
from drivers.display.hand import Hand
from drivers.display.tm1650 import Tm1650
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.panels.fema import FemaTwin
from simulator.panels.tm1650 import Tm1650Twin
from simulator.virtual_time import run_virtual
from speedsign.errors import BadReply, NoReply, PortError
from speedsign.model import BLANK, Face
from speedsign.ports import PanelDriver
from tests.display.bus import TIMEOUT_S, Coils, MemoryBus

LAMPS, POWER = 8, 9


class Bench:
    """One panel or two, a relay board, and a hand on them."""

    def __init__(
        self, driver: PanelDriver | None = None, *twins: Dm56a04Twin | FemaTwin | Tm1650Twin
    ) -> None:
        self.bus = MemoryBus()
        self.twins = twins or (Dm56a04Twin(),)
        self.bus.panels = dict(enumerate(self.twins, 1))
        self.lamps, self.power = Coils(0), Coils(1)
        self.seen: list[str] = []
        self.twins[0].on_change = self.seen.append
        self.panels = Panels(self.bus, driver or Dm56a04(), tuple(self.bus.panels))

    def with_relays(self, *, pulsed: bool = False) -> Bench:
        self.bus.relays = {LAMPS: self.lamps, POWER: self.power}
        beacon, supply = Coil(self.bus, LAMPS, 0), Coil(self.bus, POWER, 1, pulsed=pulsed, boot_s=1.0)
        self.panels = Panels(self.bus, self.panels.driver, self.panels.units, beacon, supply)
        return self

    def hand(self, level: float = 1.0) -> Hand:
        return Hand(self.panels, level)


def play(bench: Bench, test: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        await test(bench)

    run_virtual(main())


def test_what_is_put_on_is_read_back_and_dark_at_the_end() -> None:
    async def check(bench: Bench) -> None:
        async with bench.hand(0.0) as hand:
            (told,) = await hand.put(Face(47))
            assert told.ok
            assert told.held == tuple(map(ord, "  47"))
            assert bench.twins[0].lit() == "  47"
            assert bench.twins[0].brightness == 1
            (told,) = await hand.dim(1.0)
            assert told.ok
            assert bench.twins[0].brightness == 8
            await hand.lamp_test()
            assert bench.twins[0].lit() == "8888"
        assert hand.left_dark
        assert bench.seen == ["    ", "  47", "8888", "    "]

    play(Bench(), check)


def test_mirrors_show_the_same() -> None:
    async def check(bench: Bench) -> None:
        async with bench.hand() as hand:
            assert [one.unit for one in await hand.put(Face(word="STOP"))] == [1, 2]
            assert [twin.lit() for twin in bench.twins] == ["STOP", "STOP"]
        assert [twin.lit() for twin in bench.twins] == ["    ", "    "]

    play(Bench(None, Dm56a04Twin(), Dm56a04Twin()), check)


def test_dark_also_when_the_body_fails_and_its_error_is_the_one() -> None:
    async def check(bench: Bench) -> None:
        async def fail() -> None:
            async with bench.hand() as hand:
                await hand.put(Face(47))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert bench.twins[0].lit() == "    "

    play(Bench(), check)


@pytest.mark.parametrize("more", [0, 1, 5])
def test_dark_however_often_somebody_presses_ctrl_c(more: int) -> None:
    """The end of the input and the terminal that goes away come together: the second finds us at the end."""

    async def check(bench: Bench) -> None:
        async def look() -> None:
            async with bench.hand() as hand:
                await hand.put(Face(47))
                looking.set()
                await asyncio.Event().wait()

        looking = asyncio.Event()
        person = asyncio.create_task(look())
        await looking.wait()
        for _ in range(1 + more):
            person.cancel()
            await asyncio.sleep(0)
        await asyncio.wait({person})
        assert person.cancelled()
        assert bench.seen[-2:] == ["  47", "    "]

    play(Bench(), check)


def test_a_panel_that_dies_meanwhile_is_told_and_its_end_is_bounded() -> None:
    async def check(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        hand = bench.hand()
        await hand.__aenter__()
        await hand.put(Face(47))
        bench.bus.silent = {1}
        await hand.failed.wait()
        assert isinstance(hand.lost, NoReply)
        began_s = loop.time()
        with pytest.raises(NoReply, match="did not acknowledge dark; it may still show 47: switch it off"):
            await hand.__aexit__(None, None, None)
        assert loop.time() - began_s < 2.0
        assert hand.left_dark is False

    play(Bench(), check)


def test_what_is_on_is_kept_on_for_a_panel_with_a_time_out_of_its_own() -> None:
    async def check(bench: Bench) -> None:
        async with bench.hand() as hand:
            await hand.put(Face(47))
            for _ in range(200):
                await asyncio.sleep(0.1)
                bench.twins[0].process(0.1)
            assert bench.twins[0].lit().strip() == "47"

    play(Bench(Fema(), FemaTwin()), check)


def test_brightness_that_goes_with_the_face_keeps_it() -> None:
    async def check(bench: Bench) -> None:
        async with bench.hand(1.0) as hand:
            (told,) = await hand.put(Face(47))
            assert (told.ok, told.held) == (True, None)
            await hand.dim(0.0)
            assert bench.twins[0].lit() == "  47"
            assert bench.twins[0].brightness == 1

    play(Bench(Tm1650(), Tm1650Twin()), check)


class Forgetful(Dm56a04Twin):
    """Agrees to every digit and keeps what it has."""

    forgets = 0

    def write(self, address: int, values: object) -> None:
        if address == 0 and self.forgets:
            self.forgets -= 1
            return
        super().write(address, values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("forgets", "ok"), [(1, True), (2, True), (5, False)])
def test_what_a_panel_does_not_take_is_told_to_it_again_and_then_to_the_person(
    forgets: int, *, ok: bool
) -> None:
    async def check(bench: Bench) -> None:
        twin = bench.twins[0]
        assert isinstance(twin, Forgetful)
        async with bench.hand() as hand:
            twin.forgets = forgets
            (told,) = await hand.put(Face(47))
            assert told.ok is ok
            if not ok:
                assert told.held == tuple(map(ord, "    "))
            twin.forgets = 0

    play(Bench(None, Forgetful()), check)


def test_a_number_that_stays_lit_is_not_taken_for_dark() -> None:
    async def check(bench: Bench) -> None:
        twin = bench.twins[0]
        assert isinstance(twin, Forgetful)
        hand = bench.hand()
        await hand.__aenter__()
        await hand.put(Face(47))
        twin.forgets = 10_000
        with pytest.raises(BadReply, match='unit 1 acknowledges dark but holds "  47": switch it off'):
            await hand.__aexit__(None, None, None)
        assert hand.left_dark is False
        assert twin.lit() == "  47"

    play(Bench(None, Forgetful()), check)


def test_lamps_and_supply_are_switched_and_off_at_the_end() -> None:
    async def check(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with bench.hand() as hand:
            assert bench.power.on
            assert loop.time() - began_s > 1.0, "the panel had time to start"
            assert bench.bus.log[0][1] == POWER, "power before the first word"
            await hand.put(Face(beacon=True))
            lamps = [bench.lamps.on]
            await hand.put(BLANK)
            lamps.append(bench.lamps.on)
            await hand.put(Face(47, beacon=True))
        assert lamps == [True, False]
        assert (bench.lamps.on, bench.power.on) == (False, False)
        assert bench.twins[0].lit() == "    "

    play(Bench().with_relays(), check)


def test_a_supply_that_is_pulsed_is_held_while_somebody_looks() -> None:
    async def check(bench: Bench) -> None:
        cuts: list[bool] = []
        bench.power.wired = cuts.append
        async with bench.hand() as hand:
            await hand.put(Face(47))
            await asyncio.sleep(20)
            assert cuts == [True]
        assert cuts == [True, False]

    play(Bench().with_relays(pulsed=True), check)


def test_a_relay_that_only_says_yes_is_not_believed() -> None:
    async def check(bench: Bench) -> None:
        bench.lamps.stuck = True
        async with bench.hand() as hand:
            with pytest.raises(BadReply, match="says that relay 0 is off"):
                await hand.put(Face(beacon=True))

    play(Bench().with_relays(), check)


def test_a_port_that_is_not_there_is_an_error_at_once() -> None:
    async def check(bench: Bench) -> None:
        bench.bus.gone = True
        with pytest.raises(PortError, match="no such port"):
            async with bench.hand():
                pass

    play(Bench(), check)


# --------------------------------------------------------------------------- darkening


def test_the_panel_comes_first_and_each_thing_is_done_by_itself() -> None:
    async def check(bench: Bench) -> None:
        bench.twins[0].write(0, list(map(ord, "  47")))
        bench.lamps.on = bench.power.on = True
        assert await carry_out(dark_ends(bench.panels), 1.0) == {}
        assert bench.twins[0].lit() == "    "
        assert (bench.lamps.on, bench.power.on) == (False, False)
        assert bench.bus.log[0][1:] == (1, "write 0=[32, 32, 32, 32]")

    play(Bench().with_relays(), check)


def test_a_dead_panel_keeps_nobody_from_his_turn_and_is_dark_once_its_supply_is_off() -> None:
    async def check(bench: Bench) -> None:
        bench.bus.silent = {1}
        bench.lamps.on = bench.power.on = True
        began_s = asyncio.get_running_loop().time()
        assert await carry_out(dark_ends(bench.panels), 2.0) == {}
        assert asyncio.get_running_loop().time() - began_s < 0.6
        assert (bench.lamps.on, bench.power.on) == (False, False)

    play(Bench().with_relays(), check)


def test_everybody_is_told_dark_before_anybody_is_waited_for() -> None:
    async def check(bench: Bench) -> None:
        bench.bus.silent = {1, 2, 3}
        bench.twins[3].write(0, list(map(ord, "  47")))
        bench.twins[3].on_change = dark_at_s.append
        left = await carry_out(dark_ends(bench.panels), 2.0)
        assert list(left) == ["panel 1", "panel 2", "panel 3"]
        units = [unit for _, unit, _ in bench.bus.log]
        assert units[:5] == [1, 2, 3, 4, 4], "the one that answers is the first to be proved"
        told_s = next(at_s for at_s, unit, _ in bench.bus.log if unit == 4)
        assert told_s - bench.bus.log[0][0] < 3 * TIMEOUT_S / 2

    dark_at_s: list[str] = []
    play(Bench(None, *(Dm56a04Twin() for _ in range(4))), check)
    assert dark_at_s == ["    "]


def test_a_supply_is_cut_when_those_behind_it_were_told_and_proved() -> None:
    async def check(bench: Bench) -> None:
        bench.lamps.on = bench.power.on = True
        assert await carry_out(dark_ends(bench.panels), 1.0) == {}
        said = [(unit, what.split("=")[0]) for _, unit, what in bench.bus.log]
        assert said.index((1, "read")) < said.index((POWER, "coil 1"))

    play(Bench().with_relays(), check)


def test_what_cannot_be_done_is_tried_until_its_time_is_over() -> None:
    async def check(bench: Bench) -> None:
        bench.bus.silent = {1}
        began_s = asyncio.get_running_loop().time()
        left = await carry_out(dark_ends(bench.panels), 2.0)
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(2.0, abs=0.05)
        assert list(left) == ["panel 1"]
        assert "did not answer" in left["panel 1"]
        assert len(bench.bus.said(1)) > 3

    play(Bench(), check)


def test_one_lost_reply_costs_one_more_try() -> None:
    async def check(bench: Bench) -> None:
        bench.bus.silent = {1}
        asyncio.get_running_loop().call_later(0.2, bench.bus.silent.clear)
        assert await carry_out(dark_ends(bench.panels), 2.0) == {}

    play(Bench(), check)


def test_a_port_that_comes_in_time_is_used() -> None:
    async def check(bench: Bench) -> None:
        bench.bus.gone = True

        def back() -> None:
            bench.bus.gone = False

        asyncio.get_running_loop().call_later(1.0, back)
        assert await carry_out(dark_ends(bench.panels), 2.0) == {}

    play(Bench(), check)


def test_lines_do_not_wait_for_each_other() -> None:
    async def check(bench: Bench) -> None:
        other = MemoryBus()
        other.relays = {LAMPS: bench.lamps}
        bench.lamps.on = True
        bench.bus.silent = {1}
        ends: list[End] = dark_ends(
            Panels(bench.bus, bench.panels.driver, (1,), Coil(other, LAMPS, 0), supply=None)
        )
        left = await carry_out(ends, 0.2)
        assert list(left) == ["panel 1"]
        assert not bench.lamps.on

    play(Bench(), check)
