"""How signs are, in words: a table of 80 columns, everything of one sign, the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

from telemetry.hub.overview import SignNow, StoreOf

_WIDEST_NAME = 24
_GAPS_SHOWN = 5
_RESEND = "speedsign command resend asks for the intervals again"


def age(seconds: float | None) -> str:
    """A time span as one looks at it.

    >>> age(40), age(600), age(7200), age(400000), age(None)
    ('now', '10 min', '2 h', '4 d', '-')
    """
    if seconds is None:
        return "-"
    for length, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= (2 * length if length > 3600 else length):
            return f"{int(seconds // length)} {name}"
    return "now"


def table(signs: list[SignNow], now: datetime, late_s: float) -> list[str]:
    """A line for each sign, below it what has to be looked at; at most 80 columns."""
    if not signs:
        return ["nothing was heard yet"]
    width = min(max(len("sign"), *(len(one.sign) for one in signs)), _WIDEST_NAME)
    head = f"{'sign':<{width}}  {'state':<7}  {'heard':>6}  {'counted':>7}"
    lines = [f"{head}  {'24 h':>5}  {'waiting':>7}  {'missing':>7}"]
    for one in signs:
        lines.append(_line(one, now, width))
        if troubles := _troubles(one, now, late_s):
            lines += wrap(", ".join(troubles), 80, initial_indent="  ", subsequent_indent="  ")
    return lines


def _line(one: SignNow, now: datetime, width: int) -> str:
    waiting = "-" if one.waiting is None else f"{one.waiting:,}"
    name = one.sign if len(one.sign) <= width else one.sign[: width - 1] + "…"
    return (
        f"{name:<{width}}  {one.state or 'unknown':<7}  {age(_since_s(one.heard_ms, now)):>6}"
        f"  {age(one.late_s(now.timestamp())):>7}  {_percent(one.coverage):>5}"
        f"  {waiting:>7}  {one.missing:>7,}"
    )


def _troubles(one: SignNow, now: datetime, late_s: float) -> list[str]:
    said = {
        "lost": f"lost {_lasting(_since_s(one.state_ms, now))}",
        "late": f"newest numbers are {_span(one.late_s(now.timestamp()))} old",
        "ahead": f"numbers up to {_day(one.ahead_s)}: its clock was wrong",
        "silent": f"nothing heard {_lasting(_since_s(one.heard_ms, now))}",
        "missing": f"{_messages(one.missing)} {'is' if one.missing == 1 else 'are'} missing",
        "dropped": f"{_messages(one.dropped)} dropped by the sign: {_RESEND}",
        "never came": f"{_messages(one.lost)} never came: {_RESEND}",
        "copy": "another sign sends under its name: is a copy of its card in use?",
        "refused": f"{_messages(one.refused)} could not be read",
        "clock": "its clock is not vouched for",
        "faults": f"faults: {', '.join(one.faults)}",
    }
    return [said.get(word, word) for word in one.troubles(now.timestamp(), late_s)]


def _span(seconds: float | None) -> str:
    told = age(seconds)
    return {"now": "some seconds", "-": "nobody knows how"}.get(told, told)


def _lasting(seconds: float | None) -> str:
    told = age(seconds)
    return {"now": "just now", "-": "since nobody knows when"}.get(told, f"for {told}")


def _day(at_s: int | None) -> str:
    return "-" if at_s is None else f"{_moment(1000 * at_s, ZoneInfo('UTC')):%Y-%m-%d}"


def _clock(one: SignNow, zone: ZoneInfo) -> Iterator[str]:
    """Whether it is right now, and what was counted while it was not and never got its time."""
    yield {None: "-", True: "right", False: "not vouched for"}[one.clock_ok]
    past = one.health.get("clock")
    if past and past.get("boots"):
        starts = "1 start" if past["boots"] == 1 else f"{past['boots']:,} starts"
        yield f"{past.get('vehicles', 0):,} vehicles of {starts} without a time"
        if "known" in past:
            yield f"last known {_at(1000 * past['known'], zone)}"


def _messages(n: int) -> str:
    return "1 message" if n == 1 else f"{n:,} messages"


def detail(one: SignNow, now: datetime, late_s: float) -> list[str]:
    """All that is known of a sign."""
    zone = ZoneInfo(one.timezone)
    health, machine = one.health, one.health.get("machine", {})
    interval_end = None if one.interval_end_s is None else 1000 * one.interval_end_s
    pairs = {
        "sign": f"{one.sign}, {one.site}" if one.site else one.sign,
        "state": f"{one.state or 'unknown'} since {_at(one.state_ms, zone)}",
        "heard": _at(one.heard_ms, zone),
        "counted up to": _at(interval_end, zone),
        "last 24 h": f"{one.vehicles:,} vehicles, {_percent(one.coverage)} measured",
        "software": one.software or "-",
        "health of": _at(one.health_ms, zone),
        "clock": "; ".join(_clock(one, zone)),
        "waiting": _counts(health.get("queue", {}) if health else None),
        "free space": _percent(machine.get("disk_free")),
        "temperature": f"{machine['temp_c']:g} °C" if "temp_c" in machine else "-",
        "faults": ", ".join(one.faults) or "none told",
        "look at": "; ".join(_troubles(one, now, late_s)) or "nothing",
    }
    lines = [f"{name:<14} {value}" for name, value in pairs.items()]
    for store in one.stores:
        lines += _store_lines(store, zone)
    if (more := one.stores_known - len(one.stores)) > 0:
        lines += ["", f"and {more} more stores, older ones"]
    if one.replies:
        lines += ["", "commands"]
        lines += [_reply_line(reply, zone) for reply in one.replies]
    return lines


def _store_lines(store: StoreOf, zone: ZoneInfo) -> Iterator[str]:
    yield ""
    yield f"store {store.epoch}, {_at(store.first_ms, zone)} to {_at(store.last_ms, zone)}"
    yield (
        f"  {_messages(store.received)}, {store.duplicates:,} came again; whole up to {store.up_to:,},"
        f" highest {store.highest:,}"
    )
    for first, last in store.gaps[:_GAPS_SHOWN]:
        yield f"  missing: {first:,}" if first == last else f"  missing: {first:,} to {last:,}"
    if len(store.gaps) > _GAPS_SHOWN:
        yield f"  missing: {store.missing:,} in all"
    if store.dropped:
        yield f"  dropped by the sign: {_counts(store.dropped)}"
    for loss in [one for one in store.losses if not one.kind][:_GAPS_SHOWN]:
        numbers = f"{loss.first:,}" if loss.first == loss.last else f"{loss.first:,} to {loss.last:,}"
        yield f"  never came: {loss.messages:,} of {numbers}, noticed {_at(loss.at_ms, zone)}"
    if store.refused:
        kept = f"{store.refused_kept:,} kept in the table `refused`"
        yield f"  could not be read: {store.refused:,}, {kept}"
    if store.clashes:
        yield f"  came again with other content: {store.clashes:,}, last {_at(store.clash_ms, zone)}"


def _reply_line(reply: dict[str, Any], zone: ZoneInfo) -> str:
    words = [str(reply.get(key, "")) for key in ("key", "action", "outcome", "reason")]
    return f"  {_at(reply['heard_ms'], zone)}  {' '.join(word for word in words if word)}"


def facts(one: SignNow, now: datetime, late_s: float) -> dict[str, object]:
    """As JSON."""
    zone = ZoneInfo(one.timezone)
    machine = one.health.get("machine", {})
    interval_end = None if one.interval_end_s is None else 1000 * one.interval_end_s
    return {
        "sign": one.sign,
        "site": one.site,
        "state": one.state or "unknown",
        "state_since": _iso(one.state_ms, zone),
        "heard": _iso(one.heard_ms, zone),
        "counted_to": _iso(interval_end, zone),
        "late_s": one.late_s(now.timestamp()),
        "ahead_to": _iso(None if one.ahead_s is None else 1000 * one.ahead_s, zone),
        "coverage_24h": one.coverage,
        "vehicles_24h": one.vehicles,
        "waiting": one.waiting,
        "missing": one.missing,
        "dropped": one.dropped,
        "never_came": one.lost,
        "refused": one.refused,
        "clock_ok": one.clock_ok,
        "clock": one.health.get("clock"),
        "software": one.software,
        "disk_free": machine.get("disk_free"),
        "temperature_c": machine.get("temp_c"),
        "faults": one.faults,
        "troubles": one.troubles(now.timestamp(), late_s),
        "stores": [_store_facts(store, zone) for store in one.stores],
        "stores_known": one.stores_known,
        "replies": [{**reply, "heard": _iso(reply["heard_ms"], zone)} for reply in one.replies],
    }


def _store_facts(store: StoreOf, zone: ZoneInfo) -> dict[str, object]:
    return {
        "epoch": store.epoch,
        "first": _iso(store.first_ms, zone),
        "last": _iso(store.last_ms, zone),
        "received": store.received,
        "duplicates": store.duplicates,
        "up_to": store.up_to,
        "highest": store.highest,
        "missing": store.missing,
        "gaps": [list(one) for one in store.gaps],
        "dropped": store.dropped,
        "never_came": [
            {"noticed": _iso(one.at_ms, zone), "first": one.first, "last": one.last, "messages": one.messages}
            for one in store.losses
            if not one.kind
        ],
        "refused": store.refused,
        "clashes": store.clashes,
    }


def _since_s(ms: int | None, now: datetime) -> float | None:
    return None if ms is None else now.timestamp() - ms / 1000


def _moment(ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


def _at(ms: int | None, zone: ZoneInfo) -> str:
    return "-" if ms is None else f"{_moment(ms, zone):%Y-%m-%d %H:%M}"


def _iso(ms: int | None, zone: ZoneInfo) -> str | None:
    return None if ms is None else _moment(ms, zone).isoformat(timespec="seconds")


def _percent(share: float | None) -> str:
    """Never 100 % of what is not whole."""
    if share is None:
        return "-"
    return f"{min(100 * share, 99) if share < 1 else 100:.0f} %"


def _counts(counts: dict[str, int] | None) -> str:
    if counts is None:
        return "-"
    return ", ".join(f"{n:,} {kind}" for kind, n in sorted(counts.items()) if n) or "nothing"
