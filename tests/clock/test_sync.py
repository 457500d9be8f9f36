"""What was counted before the clock was right gets its own time once it is; nothing is lost or doubled."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.virtual_time import run_virtual
from speedsign.model import ClockQuality
from telemetry.message.messages import parse_aggregate
from telemetry.query import read_vehicles
from telemetry.store import SqliteStore
from tests.clock.pole import ALWAYS, QUARTER, T0, Counts, Pole, slow_ticks, stepped

__all__ = ["slow_ticks"]

YESTERDAY = T0 - timedelta(hours=22, minutes=7)  # what fake-hwclock had kept
UNSET = datetime(1970, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("slow_ticks")


def told(path: Path) -> dict[tuple[datetime, str], tuple[int, float, int]]:
    """What a hub ends up with: {(start, boot): vehicles, measured, revision} of the newest revision."""
    store = SqliteStore(path, "pole")
    bodies = [json.loads(row.body) for row in store.pending(10_000) if row.kind == "agg"]
    store.close()
    found: dict[tuple[datetime, str], tuple[int, float, int]] = {}
    for one in sorted(map(parse_aggregate, bodies), key=lambda one: one.revision):
        key = (one.start_utc, one.boot)
        assert found.get(key, (0, 0, 0))[2] < one.revision, "a revision is told once"
        found[key] = (sum(cell.n for cell in one.cells), one.measured_s, one.revision)
    return found


@pytest.mark.parametrize(
    "claims", [YESTERDAY, UNSET, T0 + timedelta(days=3652)], ids=lambda at: f"{at:%Y-%m}"
)
def test_a_sync_after_five_minutes_dates_all_of_the_boot(claims: datetime, tmp_path: Path) -> None:
    async def late() -> Pole:
        pole = Pole(tmp_path)
        await pole.off(130)
        pole.boot(claims)
        await pole.run(600, then=pole.sync)
        await pole.run(1800)
        return pole

    pole = run_virtual(late())
    pole.check()
    assert pole.dated() == pole.truth
    assert pole.undated() == Counts()
    assert all(one.start_utc >= T0 for one in pole.intervals()), "nobody had been told of another time"
    (first, *later) = pole.intervals()
    assert (first.start_utc, first.clock) == (T0, ClockQuality.CORRECTED)
    assert {one.clock for one in later} == {ClockQuality.OK}
    # 130 s without power; the radar was listening for all of the rest.
    assert first.measured_s == pytest.approx(900 - 130, abs=0.5)
    assert later[0].measured_s == pytest.approx(900, abs=0.5)
    for _, record in read_vehicles(pole.path, *ALWAYS):
        assert record.clock is (ClockQuality.CORRECTED if record.last_utc < T0 + timedelta(seconds=430)
                                else ClockQuality.OK)  # fmt: skip
        assert record.boot == pole.clock.boot_id()
    assert stepped(pole.intervals()) == [], "it was not known before, so it did not step"


def test_a_sync_after_hours_a_restart_and_after_it_was_all_sent(tmp_path: Path) -> None:
    async def late() -> tuple[Pole, dict[tuple[datetime, str], tuple[int, float, int]]]:
        pole = Pole(tmp_path, vehicles=True)
        await pole.off(7)
        pole.boot(YESTERDAY)
        await pole.run(5000)
        await pole.off(40)
        await pole.run(5800)  # the program was restarted, the machine was not
        sent = told(pole.path)
        await pole.run(1000, then=pole.sync)
        return pole, sent

    pole, sent = run_virtual(late())
    pole.check()
    assert pole.dated() == pole.truth
    before, after = sent, told(pole.path)
    assert before
    assert all(boot for _, boot in before)
    withdrawn = {key: after[key] for key in before}
    assert all(value == (0, 0.0, before[key][2] + 1) for key, value in withdrawn.items())
    closed = {start: value for (start, boot), value in after.items() if not boot}
    of_truth = dict.fromkeys(closed, 0)
    for (start, _), n in pole.truth.items():
        if start in of_truth:
            of_truth[start] += n
    assert {start: n for start, (n, _, _) in closed.items()} == of_truth
    assert sum(measured for _, measured, _ in closed.values()) == pytest.approx(13 * 900 - 47, abs=60)
    assert pole.ask("SELECT count(*) FROM boot_coverage") == [(0,)]


def test_vehicles_that_were_told_are_told_again_and_bear_the_same_name(tmp_path: Path) -> None:
    async def late() -> Pole:
        pole = Pole(tmp_path, gap_s=30.0, vehicles=True)
        pole.boot(YESTERDAY)
        await pole.run(9000)
        await pole.run(4600, then=pole.sync)
        return pole

    pole = run_virtual(late())
    store = SqliteStore(pole.path, "pole")
    bodies = [json.loads(row.body) for row in store.pending(10_000) if row.kind == "raw"]
    store.close()
    names: dict[str, list[tuple[str, int, int]]] = {"u": [], "c": []}
    for body in sorted(bodies, key=lambda one: one["t0"]):
        if "boot" not in body:
            assert body["clk"] == "o"
            continue
        assert set(body["clk"]) == {body["clk"][0]}
        up = body["up"] if isinstance(body["up"], list) else [body["up"]] * body["n"]
        seen = body["seen"] if isinstance(body["seen"], list) else [body["seen"]] * body["n"]
        names[body["clk"][0]] += [(body["boot"], *pair) for pair in zip(up, seen, strict=True)]
    assert len(names["u"]) > 100
    assert set(names["u"]) <= set(names["c"])
    assert len(set(names["c"])) == len(names["c"])


def test_what_has_no_row_any_more_moves_with_its_interval(tmp_path: Path) -> None:
    """A full card drops single vehicles first; what they were counted in stays."""

    async def late() -> Pole:
        pole = Pole(tmp_path)
        pole.boot(
            YESTERDAY - timedelta(seconds=YESTERDAY.timestamp() % 900)
        )  # so that quarters stay quarters
        await pole.run(3600)
        return pole

    pole = run_virtual(late())
    store = SqliteStore(pole.path, "pole")
    with store.transaction() as db:
        db.execute("DELETE FROM vehicle WHERE id % 3 != 0")
    zero = T0 - timedelta(seconds=0)
    n = store.date_boot(pole.clock.boot_id(), zero, T0 + timedelta(hours=1))
    assert n == pole.truth.total()
    assert store.date_boot(pole.clock.boot_id(), zero, T0 + timedelta(hours=1)) == 0, "done once"
    store.close()
    assert pole.dated() == pole.truth
    assert pole.undated() == Counts()


def test_trust_that_is_lost_costs_no_time(tmp_path: Path) -> None:
    """The kernel calls a clock unsynchronised hours after the last word of its server; boot time goes on."""

    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(1800, then=lambda: setattr(pole.clock, "is_trusted", False))
        await pole.run(1800, then=lambda: pole.set(T0 - timedelta(days=4000)))  # and somebody sets it wrong
        await pole.run(1800, then=pole.sync)
        return pole

    pole = run_virtual(run())
    pole.check()
    assert pole.dated() == pole.truth
    clocks = [one.clock for one in pole.intervals()]
    assert clocks[0] is ClockQuality.OK
    assert ClockQuality.CORRECTED in clocks
    assert sum(one.measured_s for one in pole.intervals()) == pytest.approx(5400, abs=60)


def test_a_good_hour_is_not_spoiled_by_a_boot_that_claims_it(tmp_path: Path) -> None:
    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(3600, cut=True)
        await pole.off(7200)
        pole.boot(T0)  # which was an hour that is known
        await pole.run(3600, cut=True)
        return pole

    pole = run_virtual(run())
    pole.check()
    good = [one for one in pole.intervals() if not one.boot and one.start_utc < T0 + 4 * QUARTER]
    assert [one.clock for one in good] == [ClockQuality.OK] * 4
    assert all(not one.boot or one.clock is ClockQuality.UNKNOWN for one in pole.intervals())
    assert pole.dated() == Counts({key: n for key, n in pole.truth.items() if key[0] < T0 + 5 * QUARTER})
