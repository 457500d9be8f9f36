"""A clock that is set while it is believed: the interval ends, what follows counts in the new time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.virtual_time import VirtualClock, VirtualLoop, run_virtual
from speedsign.dating import Dating
from speedsign.model import ClockQuality
from telemetry.query import read_vehicles
from tests.clock.pole import ALWAYS, QUARTER, T0, Pole, quarter, slow_ticks, stepped

__all__ = ["slow_ticks"]

YEARS = timedelta(days=3652)
# Half an hour into the day, so that nothing ends just then.
AT = T0 + timedelta(minutes=36, seconds=30)


def by(pole: Pole, step: timedelta) -> None:
    pole.set(pole.clock.now_utc() + step)


async def set_once(folder: Path, step: timedelta, *, trust: bool = True) -> Pole:
    pole = Pole(folder)
    pole.boot()
    pole.clock.is_trusted = trust
    await pole.run(2 * 2190, then=lambda: by(pole, step))
    return pole


@pytest.mark.usefixtures("slow_ticks")
@pytest.mark.parametrize(
    "step",
    [timedelta(seconds=2), timedelta(minutes=-7), timedelta(minutes=20), timedelta(hours=-5),
     timedelta(hours=5), YEARS],
    ids=str,
)  # fmt: skip
def test_a_step_ends_the_interval_and_both_are_marked(step: timedelta, tmp_path: Path) -> None:
    pole = run_virtual(set_once(tmp_path, step))
    found = pole.intervals()
    assert sum(cell.n for one in found for cell in one.cells) == pole.truth.total()
    assert sorted(stepped(found)) == sorted({quarter(AT), quarter(AT + step)})
    assert all(one.clock is ClockQuality.OK for one in found)
    old = next(one for one in found if one.start_utc == quarter(AT))
    assert old.revision >= 1, "it was closed when the clock was set"
    # Each vehicle has the time of the clock it passed under.
    records = [record for _, record in read_vehicles(pole.path, *ALWAYS)]
    before = [one.last_utc for one in records if one.vehicle.t_last_mono_s < 2190]
    after = [one.last_utc for one in records if one.vehicle.t_last_mono_s > 2190 + 20]
    assert before
    assert all(T0 < at < AT for at in before)
    assert after
    assert all(AT + step < at < AT + step + timedelta(minutes=40) for at in after)
    # Missing ones are made for 31 days at most, whatever the clock says.
    assert len(found) <= 31 * 96 + 10
    assert all(0 <= one.measured_s <= 900 for one in found)


@pytest.mark.usefixtures("slow_ticks")
def test_who_passed_just_before_it_keeps_the_time_of_then(tmp_path: Path) -> None:
    """The tracker waits for more readings of it; meanwhile the clock is set."""

    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(2 * 2196.1, then=lambda: by(pole, timedelta(hours=5)))
        return pole

    pole = run_virtual(run())
    (last,) = [
        record for _, record in read_vehicles(pole.path, *ALWAYS)
        if 2195 < record.vehicle.t_last_mono_s < 2196.1
    ]  # fmt: skip
    assert last.last_utc == T0 + timedelta(seconds=2195, milliseconds=800)


@pytest.mark.usefixtures("slow_ticks")
@pytest.mark.parametrize("seconds", [1.0, -1.0, 0.4])
def test_a_leap_second_is_nothing(seconds: float, tmp_path: Path) -> None:
    pole = run_virtual(set_once(tmp_path, timedelta(seconds=seconds)))
    assert stepped(pole.intervals()) == []
    assert {one.revision for one in pole.intervals()} == {1}


def test_slow_drift_and_a_smeared_second_are_nothing() -> None:
    """A server that corrects by half a part in a thousand, for hours: three seconds, none of them a step."""
    loop = VirtualLoop()
    try:
        clock = VirtualClock(loop, T0)
        dating = Dating(clock)
        dating.load(None)
        turns = [dating.look()]
        for second in range(6000):
            loop._jumping.now_s += 1.0
            clock.step(0.0005 if second % 2 else 0.0003)
            clock.is_trusted = second % 100 != 99
            turns.append(dating.look())
        assert [turn.stepped_from for turn in turns if turn] == [None] * sum(map(bool, turns))
    finally:
        loop.close()


@pytest.mark.usefixtures("slow_ticks")
@pytest.mark.parametrize("step", [-YEARS, timedelta(days=-40), timedelta(days=100 * 365)], ids=str)
def test_a_time_that_cannot_be_is_not_believed(step: timedelta, tmp_path: Path) -> None:
    """Whatever the kernel says of it; boot time goes on, so nothing is lost by it."""

    async def run() -> tuple[Pole, list[str]]:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(1800)
        said: list[str] = []
        await pole.run(3600, then=lambda: by(pole, step))
        assert pole.daemon is not None
        said += [fault.text for fault in pole.daemon.faults() if fault.code == "implausible"]
        assert pole.daemon.clock_quality() is ClockQuality.UNKNOWN
        await pole.run(1800, then=pole.sync)
        assert pole.daemon.clock_quality() is ClockQuality.OK
        assert not [fault for fault in pole.daemon.faults() if fault.device == "clock"]
        return pole, said

    pole, said = run_virtual(run())
    assert len(said) == 1
    assert "it is not believed" in said[0]
    pole.check()
    assert pole.dated() == pole.truth


@pytest.mark.parametrize("always", [False, True])
def test_who_vouches_for_an_impossible_time_is_named(always: bool) -> None:
    loop = VirtualLoop()
    try:
        dating = Dating(VirtualClock(loop, T0 - YEARS, trusted=not always), always=always, built_utc=T0)
        dating.look()
        (fault,) = dating.faults()
    finally:
        loop.close()
    who = "is to be believed by [clock] trust and says" if always else "is synchronised and says"
    assert who in fault.text
    assert ("hwclock" in fault.text) == always


@pytest.mark.usefixtures("slow_ticks")
def test_a_wrong_decade_and_back(tmp_path: Path) -> None:
    """A time server that is ten years ahead for an hour: what was kept stays, the right time is believed."""

    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(3600)
        by(pole, YEARS)
        await pole.run(3600)
        pole.sync()
        await pole.run(3600)
        return pole

    pole = run_virtual(run())
    found = pole.intervals()
    assert all(one.clock is ClockQuality.OK for one in found)
    ahead = [one for one in found if one.start_utc > T0 + YEARS / 2]
    assert sum(cell.n for one in ahead for cell in one.cells) == pytest.approx(80, abs=2)
    now = {key: n for key, n in pole.dated().items() if key[0] < T0 + YEARS / 2}
    assert now == {
        key: n for key, n in pole.truth.items()
        if key[0] < T0 + timedelta(hours=1) or key[0] >= T0 + timedelta(hours=2)
    }  # fmt: skip
    assert len(pole.ask("SELECT id FROM vehicle")) == pole.truth.total(), "none was forgotten"


@pytest.mark.usefixtures("slow_ticks")
def test_vehicles_are_forgotten_only_by_a_time_that_has_held_for_a_day(tmp_path: Path) -> None:
    async def run() -> tuple[Pole, list[int]]:
        pole = Pole(tmp_path, gap_s=900.0)
        pole.boot()
        await pole.run(86_400 * 1.5)
        kept = [len(pole.ask("SELECT id FROM vehicle"))]
        by(pole, YEARS)
        for hours in (20, 30):
            await pole.run(hours * 3600)
            kept.append(len(pole.ask("SELECT id FROM vehicle WHERE last_ms < 1800000000000")))
        return pole, kept

    pole, kept = run_virtual(run())
    assert kept[0] > 140
    assert kept[1] == kept[0], "a clock that has leapt deletes nothing"
    assert kept[2] == 0, "one that stays so is believed in the end"
    assert pole.ask("SELECT count(*) FROM vehicle") > [(100,)]


@pytest.mark.usefixtures("slow_ticks")
def test_a_start_before_what_was_known_waits_for_a_day(tmp_path: Path) -> None:
    async def run() -> tuple[Pole, list[ClockQuality]]:
        pole = Pole(tmp_path, gap_s=900.0)
        pole.boot()
        by(pole, timedelta(days=20))  # wrong from the first second on: nobody can know
        await pole.run(3600)
        pole.boot()
        found = []
        for hours in (20, 5):
            await pole.run(hours * 3600)
            assert pole.daemon is not None
            found.append(pole.daemon.clock_quality())
        return pole, found

    pole, found = run_virtual(run())
    assert found[0] is ClockQuality.UNKNOWN
    # The program was restarted in between: the machine's time has to hold for a day of one run.
    assert found[1] is ClockQuality.UNKNOWN
    assert pole.undated().total() > 90


@pytest.mark.usefixtures("slow_ticks")
@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)], ids=["spring", "autumn"]
)
def test_on_the_days_when_the_hour_changes_nothing_happens(day: datetime, tmp_path: Path) -> None:
    """UTC is kept: the clocks of Riga and Vilnius change, the sign's does not."""

    async def run() -> Pole:
        pole = Pole(tmp_path, gap_s=300.0)
        pole._zero += day - timedelta(hours=2) - T0
        pole.boot()
        await pole.run(6 * 3600)
        return pole

    pole = run_virtual(run())
    pole.check()
    assert stepped(pole.intervals()) == []
    starts = [one.start_utc for one in pole.intervals()]
    assert starts == [starts[0] + n * QUARTER for n in range(len(starts))]
    assert pole.dated() == pole.truth
