"""The radar link on virtual time: unplugging, silence, restarts, mute and forgetful radars."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from drivers.radar.ld2415h import READ, Ld2415h
from drivers.radar.link import RadarLink
from drivers.radar.ops243 import Ops243
from drivers.radar.setup import Outcome
from drivers.radar.talk import LINE_QUIET_S
from simulator.line import MemoryLine
from simulator.radar_physics import Echo
from simulator.radars import RadarTwin
from simulator.radars.ld2415h import Ld2415hTwin
from simulator.radars.ops243 import Ops243Twin
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.errors import DriverError
from speedsign.model import Direction, RadarEvent, Reading, Rejected, Restarted, Unit
from speedsign.ports import RadarDriver, RadarSettings

CAR = (Echo(13.9, 200.0, 40.0, 1),)  # 50 km/h, well above the squelch
PORT = "/dev/serial/by-id/radar"


class Streaming(Ops243):
    """An OPS243 that somebody has set to report an empty road (BZ): it may be judged by its silence."""

    streams_when_idle: ClassVar[bool] = True
    ping: ClassVar[bytes | None] = None


class Bench:
    """A link and a device line on one virtual clock."""

    def __init__(
        self,
        driver: RadarDriver,
        settings: RadarSettings | None = None,
        *,
        set_up: bool = True,
        on_bytes: Callable[[bytes, float], None] | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        clock = VirtualClock(self.loop, datetime(2026, 5, 4, tzinfo=UTC))
        self.line = MemoryLine(PORT)
        self.events: list[RadarEvent] = []
        self.sent: list[tuple[float, bytes]] = []
        self.mute = False
        self.deaf_to = b"\x00"  # commands that begin so are not obeyed
        self.twin: RadarTwin | None = None
        self.line.on_data = self._arrive
        self.link = RadarLink(
            self.line.port, driver, settings or RadarSettings(), clock, set_up=set_up, on_bytes=on_bytes
        )
        self.started = self.loop.time()

    def _arrive(self, data: bytes) -> None:
        self.sent.append((self.loop.time(), data))
        if self.twin and not self.mute and not data.startswith(self.deaf_to):
            self.line.write(self.twin.on_bytes(data))

    @property
    def now(self) -> float:
        return self.loop.time() - self.started

    def commands(self, since_s: float = 0.0) -> list[bytes]:
        return [data for at, data in self.sent if at - self.started >= since_s]

    def readings(self) -> list[Reading]:
        return [event for event in self.events if isinstance(event, Reading)]

    def codes(self) -> list[str]:
        return [fault.code for fault in self.link.faults()]

    def measured(self) -> float:
        return self.link.measured_s(self.loop.time())

    async def road(self, seconds: float, echoes: Sequence[Echo] = ()) -> None:
        """Let time pass for the radar, with these echoes all the while."""
        assert self.twin
        end = self.loop.time() + seconds
        while self.loop.time() < end - 1e-6:
            step = min(max(self.twin.due_in_s, 0.001), end - self.loop.time())
            await asyncio.sleep(step)
            if self.line.plugged:
                self.line.write(self.twin.process(step, echoes))


def on_bench(
    test: Callable[[Bench], Awaitable[None]],
    driver: RadarDriver,
    twin: RadarTwin | None = None,
    settings: RadarSettings | None = None,
    *,
    set_up: bool = True,
    plugged: bool = True,
) -> None:
    """Run the link and a test beside it; the link is cancelled when the test is done."""

    async def main() -> None:
        bench = Bench(driver, settings, set_up=set_up)
        bench.twin = twin
        bench.line.plugged = plugged
        running = asyncio.create_task(bench.link.run(bench.events.extend))
        await asyncio.sleep(0)
        try:
            await test(bench)
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert running.cancelled()

    run_virtual(main())


def ops_in_factory_state() -> Ops243Twin:
    return Ops243Twin()


# --------------------------------------------------------------------------- set-up


def test_a_radar_from_the_factory_is_set_up_and_read() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(6.0, CAR)
        report = bench.link.setup_report
        assert report is not None
        assert report.ok
        outcomes = {one.name: one.outcome for one in report.results}
        assert outcomes["unit"] is Outcome.CHANGED
        assert outcomes["inbound angle"] is Outcome.RIGHT
        assert outcomes["JSON lines"] is Outcome.WRITTEN
        assert bench.codes() == []
        before = len(bench.readings())
        await bench.road(2.0, CAR)
        new = bench.readings()[before:]
        assert len(new) > 10
        assert all(abs(one.speed_kmh - 50.0) < 1.0 for one in bench.readings())
        assert all(one.direction is Direction.APPROACHING and one.strength for one in new)

    on_bench(test, Ops243(), ops_in_factory_state())


def test_readings_in_an_unconfirmed_unit_are_never_used() -> None:
    async def test(bench: Bench) -> None:
        bench.mute = True  # it stays in m/s, and nobody can ask
        await bench.road(5.0, CAR)
        assert bench.readings() == []
        assert any(isinstance(event, Rejected) for event in bench.events)
        assert bench.measured() == 0.0
        await bench.road(20.0, CAR)
        assert sorted(bench.codes()) == ["setup", "unit"]
        assert all(PORT in fault.text for fault in bench.link.faults())
        bench.mute = False
        await bench.road(60.0, CAR)
        assert bench.codes() == []
        assert bench.readings()

    on_bench(test, Ops243(), ops_in_factory_state())


def test_a_reading_does_not_wait_for_the_set_up() -> None:
    async def test(bench: Bench) -> None:
        bench.line.write(b'{"unit":"kmph","speed":"50"}\r\n')
        assert [one.speed_kmh for one in bench.readings()] == [50.0]
        assert bench.link.setup_report is None

    on_bench(test, Ops243())


def test_what_is_right_is_left_alone() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(5.0)
        assert set(bench.commands()) > {READ}
        bench.sent.clear()
        bench.line.unplug()
        await bench.road(1.0)
        bench.line.plug()  # the same radar, with what it remembers
        await bench.road(5.0)
        assert set(bench.commands()) == {READ}

    on_bench(test, Ld2415h(), Ld2415hTwin())


def test_a_failed_set_up_is_tried_again_with_back_off() -> None:
    async def test(bench: Bench) -> None:
        bench.mute = True
        await bench.road(600.0)
        setups = bench.link.health()["setups"]
        assert 8 <= setups <= 16
        assert "setup" in bench.codes()
        bench.mute = False
        await bench.road(61.0)
        assert bench.codes() == []
        assert bench.link.health()["setups"] > setups

    on_bench(test, Ld2415h(), Ld2415hTwin())


def test_a_radar_that_does_not_obey_is_seldom_written_to() -> None:
    async def test(bench: Bench) -> None:
        bench.deaf_to = b"CF\x01"
        await bench.road(2 * 3600.0)
        assert bench.codes() == ["setup"]
        assert "refused" in bench.link.faults()[0].text
        writes = [data for data in bench.commands() if data.startswith(b"CF\x01")]
        assert 10 < len(writes) < 30
        assert bench.measured() > 2 * 3600.0 - 30.0

    on_bench(test, Ld2415h(), Ld2415hTwin())


def test_what_the_radar_cannot_do_is_said_before_it_runs() -> None:
    async def main() -> None:
        with pytest.raises(DriverError):
            Bench(Ops243(), RadarSettings(max_speed_kmh=500.0))

    run_virtual(main())


def test_commands_wait_for_a_quiet_line() -> None:
    """Bytes keep coming with gaps of 2 ms for a while: nothing is sent into them."""

    async def test(bench: Bench) -> None:
        for _ in range(150):
            bench.line.write(b"x")
            await asyncio.sleep(0.002)
        busy_until = bench.now - 0.002
        await asyncio.sleep(1.0)
        late = [at - bench.started for at, _ in bench.sent]
        assert late
        assert min(late) >= busy_until + LINE_QUIET_S - 1e-6

    on_bench(test, Ops243())


# --------------------------------------------------------------------------- restarts, lost settings


def test_a_radar_that_restarts_is_set_up_again() -> None:
    twin = ops_in_factory_state()

    async def test(bench: Bench) -> None:
        await bench.road(6.0, CAR)
        bench.events.clear()
        bench.sent.clear()
        twin.power_cycle()
        await bench.road(20.0, CAR)
        assert any(isinstance(event, Restarted) for event in bench.events)
        assert bench.link.health()["restarts"] == 1
        assert b"UK" in bench.commands()
        assert bench.codes() == []
        assert bench.readings()
        assert all(abs(one.speed_kmh - 50.0) < 1.0 for one in bench.readings())

    on_bench(test, Ops243(), twin)


def test_lost_settings_without_a_banner_are_noticed_by_the_form_of_the_lines() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(6.0, CAR)
        assert bench.link.setup_report is not None
        bench.events.clear()
        bench.sent.clear()
        bench.line.write(b"13.9\r\n13.9\r\n")  # m/s, as from the factory
        bench.line.write(b"13.9\r\n")
        assert bench.readings() == []
        assert bench.link.faults() == []
        await bench.road(10.0, CAR)
        assert b"OJ" in bench.commands()
        assert all(abs(one.speed_kmh - 50.0) < 1.0 for one in bench.readings())

    on_bench(test, Ops243(), ops_in_factory_state())


def test_an_answer_that_contradicts_the_settings_starts_a_set_up() -> None:
    twin = Ld2415hTwin()

    async def test(bench: Bench) -> None:
        await bench.road(5.0)
        bench.line.write(b"X1:1E X2:00 X3:05 X4:00 X5:01 X6:01 X7:05 X8:03 X9:01 X0:01\r\n")
        bench.line.write(b"V+031.0\r\n")
        assert bench.readings() == []  # in mph by its own word
        setups = bench.link.health()["setups"]
        await bench.road(5.0)
        assert bench.link.health()["setups"] == setups + 1
        assert bench.codes() == []

    on_bench(test, Ld2415h(), twin)


def test_a_radar_that_starts_again_and_again_is_not_hammered() -> None:
    async def test(bench: Bench) -> None:
        for _ in range(600):
            bench.line.write(b'{"Reset" : "Board was reset"}\r\n')
            await asyncio.sleep(1.0)
        assert bench.link.health()["setups"] < 25

    on_bench(test, Ops243())


# --------------------------------------------------------------------------- unplugging


def test_unplugged_and_plugged_in_again() -> None:
    twin = ops_in_factory_state()

    async def test(bench: Bench) -> None:
        await bench.road(6.0, CAR)
        measured = bench.measured()
        bench.line.unplug()
        await bench.road(100.0, CAR)
        assert bench.codes() == ["port"]
        [fault] = bench.link.faults()
        assert PORT in fault.text
        assert "cable" in fault.text
        assert bench.measured() == pytest.approx(measured, abs=0.3)
        twin.power_cycle()
        bench.line.plug()
        before = bench.link.health()["bytes"]
        await bench.road(45.0, CAR)
        assert bench.codes() == []
        assert bench.link.health()["reopened"] == 1
        assert bench.link.health()["bytes"] > before
        assert bench.measured() > measured + 5.0

    on_bench(test, Ops243(), twin)


def test_a_radar_that_is_not_there_yet_is_waited_for() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(3.0)
        assert bench.codes() == ["port"]
        bench.line.plug()
        await bench.road(5.0)
        assert bench.codes() == []
        assert bench.link.health()["reopened"] == 0

    on_bench(test, Ld2415h(), Ld2415hTwin(), plugged=False)


def test_the_port_is_tried_with_back_off(caplog: pytest.LogCaptureFixture) -> None:
    async def test(bench: Bench) -> None:
        caplog.set_level("DEBUG", "drivers.radar.link")
        await asyncio.sleep(300.0)
        tries = [record for record in caplog.records if "next try" in record.message]
        assert 12 <= len(tries) <= 18
        assert {record.levelname for record in tries} == {"DEBUG"}, "the daemon says it: fault: …"

    caplog.set_level("DEBUG", "drivers.radar.link")
    on_bench(test, Ops243(), plugged=False)


def test_a_port_that_is_lost_at_once_again_is_tried_with_back_off_too() -> None:
    async def test(bench: Bench) -> None:
        lost = 0
        while bench.now < 120.0:
            await asyncio.sleep(0.05)
            if bench.link._open:
                bench.line.unplug()
                bench.line.plug()
                lost += 1
        assert lost <= 12

    on_bench(test, Ops243())


def test_half_a_line_is_not_carried_over_to_the_next_opening() -> None:
    async def test(bench: Bench) -> None:
        bench.line.write(b'{"unit":"kmph","speed":"1')
        bench.line.unplug()
        bench.line.plug()
        await asyncio.sleep(1.0)
        bench.line.write(b'50"}\r\n{"unit":"kmph","speed":"50"}\r\n')
        assert [one.speed_kmh for one in bench.readings()] == [50.0]

    on_bench(test, Ops243())


# --------------------------------------------------------------------------- supervision


def test_a_quiet_radar_is_asked_and_answers() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(6.0)
        bench.sent.clear()
        await bench.road(300.0)
        assert bench.codes() == []
        assert 25 <= bench.commands().count(b"?V") <= 31
        assert bench.measured() > 290.0

    on_bench(test, Ops243(), ops_in_factory_state())


def test_a_radar_is_not_asked_while_readings_flow() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(6.0, CAR)
        bench.sent.clear()
        await bench.road(60.0, CAR)
        assert bench.commands() == []
        assert bench.measured() > 58.0

    on_bench(test, Ops243(), ops_in_factory_state())


def test_a_radar_that_does_not_answer_twice_is_at_fault_and_recovers() -> None:
    async def test(bench: Bench) -> None:
        await bench.road(6.0, CAR)
        bench.mute = True
        measured = bench.measured()
        await bench.road(13.5)
        assert bench.codes() == []
        await bench.road(1.5)
        assert bench.codes() == ["silent"]
        assert "power" in bench.link.faults()[0].text
        await bench.road(300.0)
        assert "silent" in bench.codes() or bench.codes() == ["port"]
        assert bench.measured() <= measured + 10.5
        assert bench.link.health()["reopened"] >= 2
        bench.mute = False
        await bench.road(45.0)
        assert bench.codes() == []

    on_bench(test, Ops243(), ops_in_factory_state())


def test_a_dead_radar_stays_at_fault_while_its_port_is_opened_anew() -> None:
    async def test(bench: Bench) -> None:
        await asyncio.sleep(20.0)
        for _ in range(300):
            assert {"silent", "port"} & set(bench.codes())
            await asyncio.sleep(1.0)
        assert bench.link.health()["reopened"] >= 3

    on_bench(test, Ops243())


def test_time_with_unusable_readings_is_not_measured() -> None:
    async def test(bench: Bench) -> None:
        for unit in (b"kmph", b"kmph", b"mph", b"kmph"):
            bench.line.write(b'{"unit":"' + unit + b'","speed":"50"}\r\n')
            await asyncio.sleep(1.0)
        assert bench.measured() == pytest.approx(1.0)

    on_bench(test, Streaming(), set_up=False)


def test_bytes_that_make_no_sense_are_told_from_silence() -> None:
    async def test(bench: Bench) -> None:
        for _ in range(40):
            bench.line.write(b"\x81\x12\xfe\x10garbage\n")
            await asyncio.sleep(0.5)
        [fault] = [one for one in bench.link.faults() if one.code == "silent"]
        assert "baud" in fault.text
        assert bench.measured() == 0.0

    on_bench(test, Ops243())


def test_a_streaming_radar_is_at_fault_after_three_silent_seconds() -> None:
    async def test(bench: Bench) -> None:
        for _ in range(100):
            bench.line.write(b'{"unit":"kmph","speed":"0.0"}\r\n')
            await asyncio.sleep(0.1)
        assert bench.codes() == []
        assert bench.measured() == pytest.approx(9.9, abs=0.01)
        await asyncio.sleep(2.8)
        assert bench.codes() == []
        await asyncio.sleep(0.3)
        assert bench.codes() == ["silent"]
        bench.line.write(b'{"unit":"kmph","speed":"0.0"}\r\n')
        assert bench.codes() == []
        assert bench.measured() == pytest.approx(9.9, abs=0.01)

    on_bench(test, Streaming(), set_up=False)


def test_without_set_up_nothing_is_sent_and_an_open_port_counts() -> None:
    async def test(bench: Bench) -> None:
        await asyncio.sleep(100.0)
        assert bench.sent == []
        assert bench.codes() == []
        assert bench.measured() == pytest.approx(100.0)
        bench.line.unplug()
        await asyncio.sleep(100.0)
        assert bench.measured() == pytest.approx(100.0, abs=0.1)
        bench.line.plug()
        await asyncio.sleep(60.0)
        assert 129.0 <= bench.measured() <= 160.0

    on_bench(test, Ld2415h(), set_up=False)


def test_without_set_up_the_configured_unit_is_vouched_for() -> None:
    async def test(bench: Bench) -> None:
        bench.line.write(b"V+031.0\r\n")
        assert bench.codes() == []
        assert bench.readings()[0].speed_kmh == pytest.approx(49.89, abs=0.01)
        bench.line.write(b"X6:00\r\nV+031.0\r\n")  # its own word counts more
        assert bench.codes() == ["unit"]
        assert len(bench.readings()) == 1

    on_bench(test, Ld2415h(), settings=RadarSettings(unit=Unit.MPH), set_up=False)


def test_without_set_up_a_radar_that_starts_anew_is_not_believed_any_more() -> None:
    """Back at its factory settings it would say 13.9 for 50 km/h."""

    async def test(bench: Bench) -> None:
        bench.line.write(b"50.0\r\n")
        assert bench.readings()[0].speed_kmh == 50.0
        bench.line.write(b'{"Reset" : "Board was reset"}\r\n13.9\r\n')
        assert bench.codes() == ["unit"]
        assert len(bench.readings()) == 1

    on_bench(test, Ops243(), set_up=False)


def test_measured_time_only_grows() -> None:
    async def test(bench: Bench) -> None:
        last = 0.0
        for n in range(120):
            await bench.road(1.0, CAR if n % 7 < 3 else ())
            if n in (40, 80):
                bench.line.unplug()
            elif n in (50, 81):
                bench.line.plug()
            measured = bench.measured()
            assert last <= measured <= last + 14.1
            assert measured <= bench.now
            last = measured

    on_bench(test, Ops243(), ops_in_factory_state())


def test_the_tap_gets_every_byte_with_its_time() -> None:
    async def main() -> None:
        chunks: list[tuple[bytes, float]] = []
        bench = Bench(Ops243(), set_up=False, on_bytes=lambda data, t: chunks.append((data, t)))
        running = asyncio.create_task(bench.link.run(bench.events.extend))
        await asyncio.sleep(1.0)
        bench.line.write(b"\xff{garb")
        await asyncio.sleep(1.0)
        bench.line.write(b"age\r\n")
        running.cancel()
        await asyncio.wait([running])
        assert chunks == [(b"\xff{garb", bench.started + 1.0), (b"age\r\n", bench.started + 2.0)]

    run_virtual(main())


def test_health_counts() -> None:
    async def test(bench: Bench) -> None:
        bench.line.write(b'{"unit":"kmph","speed":"50"}\r\n{oops\r\n{"unit":"mph","speed":"50"}\r\n')
        bench.line.write(b"x" * 1025 + b"\r\n")
        bench.line.unplug()
        bench.line.plug()
        await asyncio.sleep(1.0)
        bench.line.write(b'{"unit":"kmph","speed":"50"}\r\n')
        health = bench.link.health()
        assert {name: health[name] for name in ("frames", "bad", "overflow", "rejected", "reopened")} == {
            "frames": 3,
            "bad": 2,
            "overflow": 1,
            "rejected": 1,
            "reopened": 1,
        }
        assert health["restarts"] == 0
        assert health["bytes"] > 1025

    on_bench(test, Ops243())
