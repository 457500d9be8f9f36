"""The panel's owner on virtual time, with a bus in memory: order, timing, faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay, one_panel
from drivers.display.panel import PanelSettings
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.errors import BadReply, NoReply, PortError
from speedsign.model import BLANK, Face
from speedsign.ports import PanelDriver, WriteRegisters

WIRE_S, TIMEOUT_S, QUIET_S = 0.03, 0.24, 0.1


class MemoryBus:
    """A bus as slow as 9600 baud, with a panel twin at its end and everything that can go wrong."""

    name = "/dev/ttyPANEL"

    def __init__(self) -> None:
        self.twin = Dm56a04Twin()
        self.log: list[tuple[float, str]] = []  # when, and what: digits, or registers
        self.connects: list[float] = []
        self.port_error = self.connected = self.dead = self.lying = self.bad = False
        self.flapping = False  # opens, and fails at the first request
        self.lose_replies = 0
        self.closed = 0
        self._quiet = False

    async def connect(self) -> None:
        self.connects.append(asyncio.get_running_loop().time())
        if self.port_error:
            raise PortError(self.name, "no such port")
        self.connected = True

    async def close(self) -> None:
        self.connected = False
        self.closed += 1

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        what = "".join(map(chr, values)) if address == 0 else f"{address}={list(values)}"
        await self._exchange(unit, what)
        if not self.lying:
            self.twin.write(address, values)
        await self._reply()

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        await self._exchange(unit, "read")
        await self._reply()
        return self.twin.read(address, count)

    async def _exchange(self, unit: int, what: str) -> None:
        assert unit == 1
        await self.ready()
        if self.port_error or self.flapping or not self.connected:
            self.connected = False
            raise PortError(self.name, "went away")
        self.log.append((asyncio.get_running_loop().time(), what))
        if self.dead:
            await self._no_reply()
        await asyncio.sleep(WIRE_S)

    async def tell(self, unit: int, write: WriteRegisters) -> None:
        await self.write_registers(unit, write.address, write.values)

    async def write_register(self, unit: int, address: int, value: int) -> None:
        raise NotImplementedError

    async def write_coil(self, unit: int, address: int, value: int) -> None:
        raise NotImplementedError

    async def read_input_registers(self, unit: int, address: int, count: int) -> list[int]:
        raise NotImplementedError

    async def read_coils(self, unit: int, address: int, count: int) -> list[bool]:
        raise NotImplementedError

    async def ready(self, unit: int | None = None) -> None:
        if self._quiet:
            self._quiet = False
            await asyncio.sleep(QUIET_S)

    async def _reply(self) -> None:
        if self.bad:
            self._quiet = True
            raise BadReply(self.name, "unit 1 refused function 16: exception 4, device failure")
        if self.lose_replies:
            self.lose_replies -= 1
            await self._no_reply()

    async def _no_reply(self) -> None:
        self._quiet = True
        await asyncio.sleep(TIMEOUT_S)
        raise NoReply(self.name, "unit 1 did not answer: nothing came back")

    def since(self, t_s: float) -> list[str]:
        return [what for at_s, what in self.log if at_s >= t_s]


class Sign:
    """An owner, its bus and what it reported."""

    def __init__(
        self, panel_settings: PanelSettings | None = None, driver: PanelDriver | None = None
    ) -> None:
        self.bus = MemoryBus()
        self.acked: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()
        self.owner: SignDisplay = one_panel(
            self.bus,
            driver or Dm56a04(),
            1,
            VirtualClock(loop, datetime(2026, 5, 4, tzinfo=UTC)),
            panel_settings,
            on_acked=lambda face, t_mono_s: self.acked.append((str(face), t_mono_s)),
        )
        self.task = asyncio.create_task(self.owner.run())

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.owner.faults()]

    async def stop(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@contextlib.asynccontextmanager
async def sign(
    panel_settings: PanelSettings | None = None, driver: PanelDriver | None = None
) -> AsyncIterator[Sign]:
    """A sign whose panel is in order."""
    made = Sign(panel_settings, driver)
    try:
        await asyncio.sleep(0.5)
        yield made
    finally:
        await made.stop()


def now() -> float:
    return asyncio.get_running_loop().time()


def virtual(main: Coroutine[Any, Any, None]) -> None:
    run_virtual(main)


# ---------------------------------------------------------------------- when all is well


def test_dark_first_then_settings_then_the_face() -> None:
    async def main() -> None:
        made = Sign()
        made.owner.dim(0.0)
        made.owner.show(Face(47))
        await asyncio.sleep(0.5)
        assert made.bus.since(0) == ["    ", "8=[0]", "9=[1]", "  47", "read"]
        assert (made.owner.lit(), made.owner.faults()) == (Face(47), [])
        assert [face for face, _ in made.acked] == ["dark", "47"]
        await made.stop()

    virtual(main())


def test_a_face_goes_out_at_once_and_is_reported_when_acknowledged() -> None:
    async def main() -> None:
        async with sign() as made:
            began_s = now()
            made.owner.show(Face(47))
            await asyncio.sleep(0)
            assert made.bus.since(began_s) == ["  47"]  # one turn of the loop later
            assert made.owner.lit() == BLANK
            await asyncio.sleep(0.05)
            assert made.owner.lit() == Face(47)
            face, t_mono_s = made.acked[-1]
            assert face == "47"
            assert t_mono_s == pytest.approx(began_s + WIRE_S)

    virtual(main())


def test_the_newest_wins() -> None:
    async def main() -> None:
        async with sign() as made:
            began_s = now()
            for number in (50, 49, 48):
                made.owner.show(Face(number))
            await asyncio.sleep(0.01)  # 48 is on its way
            made.owner.show(Face(47))
            made.owner.show(Face(46))
            await asyncio.sleep(0.2)
            assert made.bus.since(began_s)[:2] == ["  48", "  46"]
            assert made.owner.lit() == Face(46)

    virtual(main())


def test_the_same_face_again_costs_nothing() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(0.8)
            began_s = now()
            made.owner.show(Face(47))
            await asyncio.sleep(0.15)
            assert made.bus.since(began_s) == []

    virtual(main())


@pytest.mark.parametrize("face", [BLANK, Face(47)])
def test_keep_alive(face: Face) -> None:
    async def main() -> None:
        async with sign(PanelSettings(verify_s=1e9, verify_dark_s=1e9, refresh_s=1e9)) as made:
            made.owner.show(face)
            await asyncio.sleep(0.8)
            began_s = now()
            await asyncio.sleep(60)
            sent = made.bus.since(began_s)
            assert set(sent) == {Dm56a04().text(face)}
            assert 57 <= len(sent) <= 60

    virtual(main())


def test_a_lit_number_is_read_back_often_and_the_dark_seldom() -> None:
    async def main() -> None:
        async with sign(PanelSettings(refresh_s=1e9)) as made:
            made.owner.show(Face(47))
            await asyncio.sleep(100)
            assert 47 <= made.bus.since(0).count("read") <= 51
            made.owner.show(BLANK)
            began_s = now()
            await asyncio.sleep(100)
            assert made.bus.since(began_s).count("read") in (10, 11)
            assert made.owner.health()["readbacks"] == made.bus.since(0).count("read")

    virtual(main())


def test_brightness_is_sent_when_the_panels_own_step_changes() -> None:
    async def main() -> None:
        async with sign(PanelSettings(refresh_s=60)) as made:
            began_s = now()
            made.owner.show(Face(47))
            for level in (0.5, 0.51, 0.52, 1.0):
                made.owner.dim(level)
                await asyncio.sleep(0.2)
            sent = [what for what in made.bus.since(began_s) if what.startswith("9=")]
            assert sent == ["9=[5]", "9=[8]"]
            assert made.bus.since(began_s)[:2] == ["  47", "9=[5]"]  # the number first
            assert made.bus.since(began_s).count("  47") == 1  # the digits stay as they are
            assert made.owner.lit() == Face(47)
            made.owner.dim(0.0)
            await asyncio.sleep(0.2)
            began_s = now()
            await asyncio.sleep(62)  # again from time to time: a power dip may pass unseen
            assert [what for what in made.bus.since(began_s) if "=" in what] == ["8=[0]", "9=[1]"]

    virtual(main())


# ---------------------------------------------------------------------- a panel that does not answer


def test_one_lost_reply_is_no_fault() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(46))
            await asyncio.sleep(0.5)  # read back, and not due again for 10 s
            made.bus.lose_replies = 1
            began_s = now()
            made.owner.show(Face(47))
            await asyncio.sleep(0.29)
            assert made.owner.lit() is None
            made.owner.show(Face(48))  # meanwhile: the retry is of the newest
            await asyncio.sleep(0.4)
            sent = made.bus.since(began_s)
            assert sent[:3] == ["  47", "  48", "8=[0]"], (
                "it may have been a dip of its power: blink off again"
            )
            assert "read" in sent[3:6]
            assert (made.owner.lit(), made.codes) == (Face(48), [])
            health = made.owner.health()
            assert (health["timeouts"], health["retries"]) == (1, 1)

    virtual(main())


def test_a_dead_panel_is_told_within_600_ms_and_tried_once_a_second() -> None:
    async def main() -> None:
        async with sign() as made:
            made.bus.dead = True
            began_s = now()
            made.owner.show(Face(47))
            await asyncio.sleep(0.59)
            assert made.codes == ["no_reply"]
            (fault,) = made.owner.faults()
            assert "unit 1" in fault.text
            assert "/dev/ttyPANEL" in fault.text
            assert "power" in fault.text
            assert made.owner.lit() is None
            made.owner.show(Face(48))
            await asyncio.sleep(10)
            assert 11 <= len(made.bus.since(began_s)) <= 13

    virtual(main())


def test_back_after_a_power_cut_it_is_put_in_order_before_the_newest_face() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.dim(0.0)
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            made.bus.dead = True
            await asyncio.sleep(5)
            made.owner.dim(0.0)
            made.owner.show(Face(51))
            await asyncio.sleep(5)
            made.owner.dim(0.0)
            made.owner.show(Face(52))
            made.bus.dead = False
            made.bus.twin.power_cycle()
            began_s = now()
            await asyncio.sleep(1.5)
            answered = [what for at_s, what in made.bus.log if at_s > began_s]
            assert answered[:6] == ["    ", "    ", "8=[0]", "9=[1]", "  52", "read"]
            assert (made.bus.twin.lit(), made.bus.twin.brightness) == ("  52", 1)
            assert (made.owner.lit(), made.codes) == (Face(52), [])

    virtual(main())


def test_a_panel_that_refuses() -> None:
    async def main() -> None:
        async with sign() as made:
            made.bus.bad = True
            made.owner.show(Face(47))
            await asyncio.sleep(0.5)
            assert made.codes == ["bad_reply"]
            assert "exception 4" in made.owner.faults()[0].text
            assert made.owner.health()["bad_replies"] == 3  # twice the number, then dark at once

    virtual(main())


# ---------------------------------------------------------------------- a panel that lies


def test_a_panel_that_takes_nothing_is_noticed_and_forgiven() -> None:
    async def main() -> None:
        async with sign() as made:
            made.bus.lying = True
            made.owner.show(Face(47))
            await asyncio.sleep(0.8)
            assert made.codes == ["mismatch"]
            assert made.owner.lit() is None
            assert made.owner.health()["mismatches"] == 3
            acked = len(made.acked)
            began_s = now()
            await asyncio.sleep(10)
            assert made.owner.health()["mismatches"] in (12, 13)  # goes on once a second
            assert len(made.bus.since(began_s)) < 45
            assert len(made.acked) == acked
            made.bus.lying = False
            await asyncio.sleep(1.5)
            assert (made.codes, made.owner.lit()) == ([], Face(47))
            assert made.acked[-1][0] == "47"
            assert made.bus.twin.lit() == "  47"

    virtual(main())


def test_a_number_that_stays_lit_is_noticed_soon_after_dark() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            made.bus.lying = True
            made.owner.show(BLANK)
            await asyncio.sleep(1.0)
            assert made.codes == ["mismatch"]

    virtual(main())


def test_a_power_dip_that_no_one_saw_is_mended_with_the_settings() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.dim(0.0)
            made.owner.show(Face(47))
            await asyncio.sleep(2.2)
            made.bus.twin.power_cycle()  # between two requests
            await asyncio.sleep(1.0)
            assert made.bus.twin.lit() == "  47"
            await asyncio.sleep(60)
            assert made.bus.twin.brightness == 1
            assert made.codes == []

    virtual(main())


def test_a_panel_that_restarted_gets_its_settings_when_that_is_found() -> None:
    async def main() -> None:
        async with sign(PanelSettings(keepalive_s=30.0, refresh_s=1e9)) as made:
            made.owner.dim(0.0)
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            made.bus.twin.power_cycle()
            await asyncio.sleep(10)
            assert made.owner.health()["mismatches"] == 1
            assert (made.bus.twin.lit(), made.bus.twin.brightness, made.codes) == ("  47", 1, [])

    virtual(main())


class TwoHalves(Dm56a04):
    """A panel that takes two requests for one face."""

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        codes = tuple(map(ord, self.text(face)))
        return (WriteRegisters(0, codes[:2]), WriteRegisters(2, codes[2:]))


def test_a_face_of_two_requests_is_given_up_for_a_newer_one() -> None:
    async def main() -> None:
        async with sign(driver=TwoHalves()) as made:
            began_s = now()
            made.owner.show(Face(1147))
            await asyncio.sleep(0.01)
            made.owner.show(Face(1248))
            await asyncio.sleep(0.2)
            assert made.bus.since(began_s)[:3] == ["11", "12", "2=[52, 56]"]
            assert made.bus.twin.lit() == "1248"

    virtual(main())


def test_back_to_the_face_before_when_half_of_another_was_written() -> None:
    async def main() -> None:
        async with sign(driver=TwoHalves()) as made:
            made.owner.show(Face(1147))
            await asyncio.sleep(0.6)
            made.owner.show(Face(1248))
            await asyncio.sleep(0.01)  # its first half is on its way
            made.owner.show(Face(1147))
            await asyncio.sleep(0.2)  # no keep-alive mends it so soon
            assert made.bus.twin.lit() == "1147"
            assert made.owner.lit() == Face(1147)

    virtual(main())


# ---------------------------------------------------------------------- a port that is not there


def test_a_port_that_opens_and_fails_is_not_opened_in_a_frenzy() -> None:
    async def main() -> None:
        async with sign() as made:
            made.bus.flapping = True
            before = len(made.bus.connects)
            await asyncio.sleep(10)
            assert 5 <= len(made.bus.connects) - before <= 21
            assert made.codes == ["port"]

    virtual(main())


def test_back_off() -> None:
    async def main() -> None:
        made = Sign()
        made.bus.port_error = True
        began_s = now()
        await asyncio.sleep(8)
        assert [at_s - began_s for at_s in made.bus.connects] == pytest.approx([0, 0.5, 1.5, 3.5, 5.5, 7.5])
        assert made.codes == ["port"]
        assert "/dev/ttyPANEL: no such port" in made.owner.faults()[0].text
        assert made.owner.lit() is None
        made.owner.show(Face(47))
        made.bus.port_error = False
        await asyncio.sleep(2.2)
        assert made.bus.since(began_s)[:4] == ["    ", "8=[0]", "9=[8]", "  47"]
        assert made.codes == []
        await made.stop()

    virtual(main())


def test_unplugged_and_plugged_again() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            made.bus.port_error = True
            await asyncio.sleep(5)
            assert (made.codes, made.owner.lit(), made.bus.connected) == (["port"], None, False)
            made.bus.port_error = False
            made.bus.twin.power_cycle()
            began_s = now()
            await asyncio.sleep(3)
            assert made.bus.since(began_s)[:4] == ["    ", "8=[0]", "9=[8]", "  47"]
            assert made.owner.health()["reconnects"] == 1

    virtual(main())


# ---------------------------------------------------------------------- the end


def test_dark_at_the_end_and_the_port_closed() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            began_s = now()
            await made.stop()
            assert made.bus.since(began_s) == ["    ", "read"]
            assert (made.bus.twin.lit(), made.bus.connected, made.owner.lit()) == ("    ", False, BLANK)

    virtual(main())


def test_dark_at_the_end_although_a_request_was_under_way_and_a_reply_is_lost() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(0.01)
            made.bus.lose_replies = 1
            await made.stop()
            assert (made.bus.twin.lit(), made.bus.connected) == ("    ", False)

    virtual(main())


def test_the_end_is_tried_again_while_there_is_time() -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            made.bus.dead = True
            asyncio.get_running_loop().call_later(0.3, setattr, made.bus, "dead", False)
            await made.stop()
            assert (made.bus.twin.lit(), made.owner.lit()) == ("    ", BLANK)

    virtual(main())


@pytest.mark.parametrize("trouble", ["dead", "lying", "bad", "port_error"])
def test_the_end_is_bounded(trouble: str) -> None:
    async def main() -> None:
        async with sign() as made:
            made.owner.show(Face(47))
            await asyncio.sleep(1)
            setattr(made.bus, trouble, True)
            began_s = now()
            await made.stop()
            assert now() - began_s <= 1.0 + TIMEOUT_S
            assert not made.bus.connected
            assert made.owner.lit() is None

    virtual(main())


def test_the_end_before_the_port_ever_opened() -> None:
    async def main() -> None:
        made = Sign()
        made.bus.port_error = True
        await asyncio.sleep(3)
        await made.stop()
        assert made.bus.since(0) == []

    virtual(main())


# ---------------------------------------------------------------------- whatever happens


TROUBLES = ["dead", "lying", "bad", "port_error"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("show"), st.one_of(st.none(), st.integers(0, 199))),
            st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.03, 0.2, 0.7, 3.0])),
            st.tuples(st.sampled_from(TROUBLES), st.booleans()),
            st.tuples(st.just("lose_replies"), st.integers(1, 3)),
            st.tuples(st.just("power"), st.none()),
        ),
        max_size=25,
    )
)
def test_never_an_old_face_and_all_well_in_the_end(steps: list[tuple[str, Any]]) -> None:
    async def main() -> None:
        made = Sign()
        wanted = "    "
        shown: list[tuple[float, str]] = [(now(), wanted)]
        for what, value in steps:
            if what == "show":
                wanted = Dm56a04().text(Face(value))
                made.owner.show(Face(value))
                shown.append((now(), wanted))
            elif what == "wait":
                await asyncio.sleep(value)
            elif what == "power":
                made.bus.twin.power_cycle()
            else:
                setattr(made.bus, what, value)
        for trouble in TROUBLES:
            setattr(made.bus, trouble, False)
        made.bus.lose_replies = 0
        await asyncio.sleep(5)
        assert made.bus.twin.lit() == wanted
        assert made.codes == []
        assert made.owner.lit() is not None
        for at_s, text in made.bus.log:
            if text == "    " or "=" in text or text == "read":
                continue
            before = [face for since_s, face in shown if since_s <= at_s]
            same_instant = [face for since_s, face in shown if since_s == at_s]
            assert text in {
                before[-1],
                *same_instant,
                before[-1 - len(same_instant)] if same_instant else text,
            }
        assert not made.task.done()
        await made.stop()
        assert made.bus.twin.lit() == "    "

    virtual(main())
