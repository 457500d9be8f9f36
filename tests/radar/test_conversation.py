"""A person's tools on one line, in virtual time: questions, set-up, polling, and a line that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from drivers.radar.conversation import MUTE_AFTER, Conversation
from drivers.radar.ld2415h import READ, Ld2415h
from drivers.radar.ops243 import Ops243
from drivers.radar.setup import Outcome, SettingResult
from simulator.line import MemoryLine
from simulator.radars import RadarTwin
from simulator.radars.ld2415h import Ld2415hTwin
from simulator.radars.ops243 import Ops243Twin
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.errors import PortError
from speedsign.model import RadarEvent, Unit
from speedsign.ports import RadarDriver, RadarSettings
from tests.radar.polled import Polled, PolledDevice


class Bench:
    """A line with a twin that answers, and what was sent and said."""

    def __init__(self, driver: RadarDriver, twin: RadarTwin | None) -> None:
        self.line = MemoryLine("radar")
        self.sent: list[bytes] = []
        self.events: list[RadarEvent] = []
        self.results: list[SettingResult] = []
        self._twin, self.decoder = twin, driver.decoder(Unit.KMH)
        self.line.on_data = self._take

    def _take(self, data: bytes) -> None:
        self.sent.append(data)
        if self._twin:
            self.line.write(self._twin.on_bytes(data))

    def on_chunk(self, data: bytes, t_mono_s: float) -> Sequence[RadarEvent]:
        found = self.decoder.feed(data, t_mono_s)
        self.events += found
        return found


def talk_with(
    driver: RadarDriver, twin: RadarTwin | None, test: Callable[[Bench, Conversation], Awaitable[None]]
) -> Bench:
    async def main() -> Bench:
        bench = Bench(driver, twin)
        clock = VirtualClock(asyncio.get_running_loop(), datetime(2026, 5, 4, tzinfo=UTC))
        async with Conversation(bench.line.port, driver, clock, bench.on_chunk) as talk:
            await test(bench, talk)
        return bench

    return run_virtual(main())


def test_everything_that_is_said_in_answer() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        said = await talk.ask_all([b"?V", b"U?", b"??"])
        assert said["Version"] == "1.3.9"
        assert said["Units"] == "m-per-sec"
        assert said["SamplingRate"] == "10000", "of an answer with ten lines every one counts"

    assert talk_with(Ops243(), Ops243Twin(), test).sent == [b"?V", b"U?", b"??"]


def test_a_mute_radar_is_not_asked_everything() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        assert await talk.ask_all([b"?V", b"U?", b"??", b"R?"]) == {}

    assert len(talk_with(Ops243(), None, test).sent) == MUTE_AFTER


def test_the_same_question_is_asked_once() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        assert (await talk.ask_all([READ, READ]))["X6"] == "00"

    assert talk_with(Ld2415h(), Ld2415hTwin(), test).sent == [READ]


def test_a_set_up_and_then_a_look() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        settings = Ld2415h().settings(RadarSettings(unit=Unit.MPH))
        first = await talk.set_up(settings, bench.results.append)
        assert {one.outcome for one in first.results} == {Outcome.CHANGED}
        again = await talk.set_up(settings, bench.results.append, dry_run=True)
        assert {one.outcome for one in again.results} == {Outcome.RIGHT}
        assert len(bench.results) == 4

    talk_with(Ld2415h(), Ld2415hTwin(), test)


def test_a_radar_that_restarts_meanwhile_is_set_up_from_the_beginning() -> None:
    twin = Ops243Twin()

    async def test(bench: Bench, talk: Conversation) -> None:
        def restart() -> None:
            bench.line.write(b'{"Reset" : "Board was reset"}\r\n')

        asyncio.get_running_loop().call_later(0.4, restart)
        report = await talk.set_up(Ops243().settings(RadarSettings()), bench.results.append)
        assert report.ok
        assert bench.sent.count(b"U?") >= 2

    talk_with(Ops243(), twin, test)


def test_one_that_restarts_again_and_again_is_given_up() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        async def restart() -> None:
            while True:
                await asyncio.sleep(0.1)
                bench.line.write(b'{"Reset" : "Board was reset"}\r\n')

        restarting = asyncio.create_task(restart())
        with pytest.raises(PortError, match="starts again and again"):
            await talk.set_up(Ops243().settings(RadarSettings()), bench.results.append)
        restarting.cancel()
        await asyncio.wait([restarting])

    talk_with(Ops243(), Ops243Twin(), test)


@pytest.mark.parametrize("what", ["stay", "ask", "set up"])
def test_a_line_that_is_lost_ends_it(what: str) -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        asyncio.get_running_loop().call_later(0.3, bench.line.unplug)
        doing: dict[str, Callable[[], Awaitable[object]]] = {
            "stay": lambda: talk.stay(None, asyncio.Event()),
            "ask": lambda: talk.ask_all([b"?V"]),
            "set up": lambda: talk.set_up(Ops243().settings(RadarSettings()), bench.results.append),
        }
        with pytest.raises(PortError, match="went away"):
            await doing[what]()

    talk_with(Ops243(), None, test)


def test_it_stays_for_its_time_or_until_it_is_told() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        began_s = loop.time()
        await talk.stay(2.0, stop)
        assert loop.time() - began_s == pytest.approx(2.0)
        loop.call_later(0.5, stop.set)
        await talk.stay(None, stop)
        assert loop.time() - began_s == pytest.approx(2.5)

    talk_with(Ops243(), None, test)


def test_one_that_says_nothing_unasked_is_opened_and_polled() -> None:
    async def test(bench: Bench, talk: Conversation) -> None:
        device = PolledDevice(bench.line.write)
        bench.line.on_data = device.take
        await talk.open_up()
        await talk.stay(2.0, asyncio.Event())
        assert [data for _, data in device.asked[:2]] == list(Polled.opening)
        assert 8 <= len(bench.events) <= 11

    talk_with(Polled(), None, test)
