"""What a soak has shown: is it flat, did all of it recover, is anything lost; and the table of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.soak.plan import Kind, Plan
from benchmarks.soak.soak import Record, Sample
from benchmarks.soak.trend import Trend, trend

TWICE_AT_MOST = 0.01  # of the counted: the tracker's own limits, see docs/accuracy.md
NAMES = {"sign": "the sign", "hub": "the hub", "asleep": "the same modules, asleep"}


@dataclass(frozen=True, slots=True)
class Line:
    """One process."""

    name: str
    first: Sample
    last: Sample
    rss: Trend

    def cells(self) -> list[str]:
        first, last = self.first.usage, self.last.usage
        cpu = 100 * (last.cpu_s - first.cpu_s) / (self.last.t_s - self.first.t_s)
        return [
            NAMES[self.name],
            f"{first.rss_mb:.1f} → {last.rss_mb:.1f}",
            str(self.rss),
            f"{last.pss_mb:.1f}",
            f"{last.uss_mb:.1f}",
            f"{first.fds} → {last.fds}",
            f"{first.threads} → {last.threads}",
            f"{cpu:.2f}",
        ]


_HEAD = (*("Process", "RSS, MB", "MB an hour (95 %)", "PSS", "USS", "Open files", "Threads", "CPU %"),)


def settled(samples: Sequence[Sample], plan: Plan, restarted_s: float = 0.0) -> list[Sample]:
    """Of the last process of that name, when it was warm: so long after it was at work, too."""
    warm_s = plan.warm_up * plan.seconds
    since_s = max(warm_s, restarted_s + warm_s / 4)
    return [one for one in samples if one.t_s >= since_s and one.pid == samples[-1].pid]


def lines(record: Record, plan: Plan) -> list[Line]:
    found = []
    for name in NAMES:
        restarts_s = [over.at_s for over in record.troubles if (name, over.kind) == ("hub", Kind.HUB_KILLED)]
        warm = settled(record.samples[name], plan, max(restarts_s, default=0.0))
        rss = trend([(one.t_s, one.usage.rss_mb) for one in warm])
        found.append(Line(name, warm[0], warm[-1], rss))
    return found


def complaints(record: Record, plan: Plan) -> list[str]:
    """Everything that is not as promised; none: all is well."""
    found = [*_memory(record, plan), *_left(record)]
    tally, hub = record.tally, record.hub
    assert tally
    assert hub
    if hub.lost or hub.doubled or not hub.vehicles:
        found.append(f"of {hub.vehicles} counted the hub lacks {hub.lost} and has {hub.doubled} twice")
    if hub.vehicles != tally.counted:
        found.append(f"{tally.counted} vehicles were stored, {hub.vehicles} are in the counts")
    if tally.twice > TWICE_AT_MOST * tally.counted + 2:
        found.append(f"{tally.twice} vehicles were counted that did not pass")
    if record.lacks_reserve:
        found.append("the card has room again, and the sign has not made its reserve")
    if record.sign_exit != 0:
        found.append(f"told to stop, the sign ended with {record.sign_exit}")
    return found


def _memory(record: Record, plan: Plan) -> list[str]:
    """What rises more than is allowed, over what the sleeping one shows."""
    by_name = {line.name: line for line in lines(record, plan)}
    noise = max(by_name["asleep"].rss.high, 0.0)
    allowed = plan.allowed_mb_per_h
    return [
        f"{NAMES[name]} grows by {line.rss} MB an hour; allowed are {allowed:.2f} and {noise:.2f} of noise"
        for name, line in by_name.items()
        if name != "asleep" and line.rss.per_h > allowed + noise
    ]


def _left(record: Record) -> list[str]:
    """After the last trouble of each kind; what one of them needed once is no leak."""
    last = {over.kind: over for over in record.troubles}
    return [f"after {kind}: {over.left}" for kind, over in last.items() if over.left]


def table(record: Record, plan: Plan) -> str:
    rows = [_row(_HEAD), _row(["---"] + ["---:"] * (len(_HEAD) - 1))]
    rows += [_row(line.cells()) for line in lines(record, plan)]
    rows += [
        "",
        _row(("Trouble", "times", "over after, s (middle)", "longest")),
        _row(["---"] + ["---:"] * 3),
    ]
    for kind in Kind:
        times = [over.after_s for over in record.troubles if over.kind is kind]
        if times:
            rows.append(_row([kind, str(len(times)), f"{median(times):.1f}", f"{max(times):.1f}"]))
    return "\n".join([*rows, "", words(record)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def words(record: Record) -> str:
    tally, hub = record.tally, record.hub
    assert tally
    assert hub
    no_card = f" The card was never full: {record.no_card}." if record.no_card else ""
    return (
        f"{tally.passed:,} vehicles passed, {tally.counted:,} were counted; of the others {tally.while_away}"
        f" passed while the radar was away, {tally.beside_another} beside another, {tally.for_no_reason} for"
        f" no reason that is known; {tally.twice} were counted that nobody drove. {hub.intervals} intervals:"
        f" the hub lacks {hub.lost} of {hub.vehicles:,} vehicles and has {hub.doubled} twice."
        f" At most {max(record.outbox)} messages waited; the database has {record.database_mb[-1]:.1f} MB."
        f"{no_card}"
    )
