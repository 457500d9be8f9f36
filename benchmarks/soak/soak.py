"""One soak: troubles one after the other, measurements beside them, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.loop_card import NoCard, loop_card
from benchmarks.soak.plan import HUB_KILLED_UNTIL, Kind, Plan, events
from benchmarks.soak.rig import Program, Rig, SoakError, boot_s
from benchmarks.soak.trouble import trouble
from benchmarks.soak.usage import Usage
from benchmarks.soak.vehicles import AtHub, Passed, Tally, at_hub, counts, tally

CARD_MB = 64  # the reserve is made again when 20 MB are free
AS_BEFORE_S = 60.0  # files and threads: so long after a trouble is over
_SWEEP_S = 1.0
_LAST_S = 30.0  # for what began last to be over, and to be measured in peace
_AWAY = (Kind.RADAR_UNPLUGGED, Kind.RADAR_GARBAGE)


@dataclass(frozen=True, slots=True)
class Sample:
    t_s: float  # of the run
    usage: Usage
    pid: int


@dataclass(frozen=True, slots=True)
class Over:
    """A trouble that has ended."""

    kind: Kind
    at_s: float  # of the run: all is well again
    after_s: float  # so long after its cause has gone
    left: str = ""  # what was not as before then


@dataclass
class Record:
    """What is written down."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    outbox: list[int] = field(default_factory=list)
    database_mb: list[float] = field(default_factory=list)
    troubles: list[Over] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)  # seconds since boot
    tally: Tally | None = None
    hub: AtHub | None = None
    sign_exit: int | None = None
    no_card: str = ""
    lacks_reserve: bool = False


async def soak(folder: Path, plan: Plan, say: Callable[[str], None]) -> Record:
    """Raises SoakError where the sign does not recover, Gone when it has ended."""
    record = Record()
    with _card(folder, record) as card:
        kinds = set(Kind) - ({Kind.CARD_FULL} if record.no_card else set())
        async with Rig(folder, card, plan) as rig:
            say(f"at work; seed {plan.seed}, {plan.minutes:g} minutes")
            measuring = asyncio.create_task(_measure(rig, record))
            try:
                await _first_failure(_trouble_all(rig, record, kinds, say), measuring)
            finally:
                measuring.cancel()
                await asyncio.gather(measuring, return_exceptions=True)
            await _finish(rig, record, say)
    return record


@contextlib.contextmanager
def _card(folder: Path, record: Record) -> Iterator[Path]:
    """An ext4 that can be filled where root can make one, else a folder."""
    with contextlib.ExitStack() as stack:
        try:
            card = stack.enter_context(loop_card(CARD_MB)).folder
        except NoCard as error:
            record.no_card = str(error)
            card = folder
        yield card


async def _first_failure(main: object, beside: asyncio.Task[None]) -> None:
    """Until `main` has ended; a failure of either is raised at once."""
    task = asyncio.ensure_future(main)  # type: ignore[call-overload]  # a coroutine
    try:
        done, _ = await asyncio.wait({task, beside}, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# --------------------------------------------------------------------------- beside


async def _measure(rig: Rig, record: Record) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    programs = (rig.sign, rig.hub, rig.asleep)
    while True:
        for program in programs:
            if program is not rig.hub or (rig.hub.process and rig.hub.process.returncode is None):
                sample = Sample(loop.time() - began_s, Usage.of(program.pid), program.pid)
                record.samples.setdefault(program.name, []).append(sample)
        record.outbox.append(max(rig.waiting(), 0))
        record.database_mb.append(rig.database_mb())
        for _ in range(max(round(rig.plan.sample_s / _SWEEP_S), 1)):
            rig.read_vehicles()
            await asyncio.sleep(min(_SWEEP_S, rig.plan.sample_s))


# --------------------------------------------------------------------------- troubles


async def _trouble_all(rig: Rig, record: Record, kinds: set[Kind], say: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    before = await _as_it_is(rig)
    for event in events(rig.plan, kinds):
        done = (loop.time() - began_s + event.pause_s + event.lasts_s + _LAST_S) / rig.plan.seconds
        if done > 1.0 and not rig.plan.is_short:
            break
        if event.kind is Kind.HUB_KILLED and done > HUB_KILLED_UNTIL and not rig.plan.is_short:
            continue
        await asyncio.sleep(event.pause_s)
        after_s, left = await _one(rig, record, event.kind, event.lasts_s, before)
        over = Over(event.kind, loop.time() - began_s, after_s, left)
        record.troubles.append(over)
        say(f"{event.kind} for {event.lasts_s:.0f} s: over after {over.after_s:.1f} s {over.left}".rstrip())
    await asyncio.sleep(max(began_s + rig.plan.seconds - loop.time(), _LAST_S if rig.plan.is_short else 0.0))


async def _one(
    rig: Rig, record: Record, kind: Kind, lasts_s: float, before: dict[str, int]
) -> tuple[float, str]:
    """After how many seconds it was over, and what was left of it."""
    began_s = boot_s()
    async with trouble(rig, kind):
        await asyncio.sleep(lasts_s)
    after_s = await rig.until(rig.settled, rig.plan.over_within_s, f"{kind} is over")
    if kind in _AWAY:
        record.away.append((began_s, boot_s()))
    if kind is Kind.HUB_KILLED:
        return after_s, await _left(rig.sign, rig, before)
    left = [await _left(program, rig, before) for program in (rig.sign, rig.hub)]
    return after_s, ", ".join(filter(None, left))


async def _as_it_is(rig: Rig) -> dict[str, int]:
    """Open files and threads of sign and hub, when nothing has happened yet."""
    await asyncio.sleep(5.0)
    found: dict[str, int] = {}
    for program in (rig.sign, rig.hub):
        usage = Usage.of(program.pid)
        found |= {f"{program.name} fds": usage.fds, f"{program.name} threads": usage.threads}
    return found


async def _left(program: Program, rig: Rig, before: dict[str, int]) -> str:
    """What is still more than before, in words; it gets some time to go."""

    def more() -> dict[str, int]:
        usage = Usage.of(program.pid)
        now = {f"{program.name} fds": usage.fds, f"{program.name} threads": usage.threads}
        return {name: n - before[name] for name, n in now.items() if n > before[name]}

    within_s = AS_BEFORE_S / 10 if rig.plan.is_short else AS_BEFORE_S
    with contextlib.suppress(SoakError):
        await rig.until(lambda: not more(), within_s, "as before")
    return ", ".join(f"{n} {name} more" for name, n in more().items())


# --------------------------------------------------------------------------- the end


async def _finish(rig: Rig, record: Record, say: Callable[[str], None]) -> None:
    """No more traffic; the last interval ends and arrives; then all are stopped and compared."""
    within_s = rig.plan.interval_s + 90.0
    say(f"no more traffic; the last interval ends within {within_s:.0f} s")
    await asyncio.sleep(3.0)  # who has just left the view is written by then
    await rig.stand.end(signal.SIGTERM)
    await rig.until(lambda: not rig.open_intervals(), within_s, "the last interval is closed")
    await rig.until(lambda: not rig.waiting(), rig.plan.over_within_s, "the hub has everything")
    rig.read_vehicles()
    with contextlib.suppress(SoakError):
        await rig.until(lambda: not rig.lacks_reserve(), 10.0, "the reserve")
    record.lacks_reserve = rig.lacks_reserve()
    record.sign_exit = await rig.sign.end(signal.SIGTERM)
    await rig.hub.end(signal.SIGTERM)
    there = [Passed.of(said, rig.zero_s) for said in rig.passed]
    kept = [rig.kept[number] for number in sorted(rig.kept)]
    seen = {"passed": [asdict(one) for one in there], "kept": kept, "away": record.away}
    (rig.folder / "vehicles.json").write_text(json.dumps(seen))
    record.tally = tally(there, kept, record.away)
    record.hub = at_hub(counts(rig.sign_db), counts(rig.hub_db))
