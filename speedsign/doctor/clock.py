"""The clock: is it right, who sets it, and what becomes of it without power?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from speedsign.dating import doubt
from speedsign.doctor.files import names, programs, text, whole
from speedsign.doctor.finding import Finding, note, ok, warning, wrong

# Before this was written no sign ran it, and none will after.
EARLIEST, LATEST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
RTC_OFF_S = 60.0

# Programs that set a clock, as /proc/PID/comm has them (15 characters).
_SETTERS = {
    "chronyd": "chrony",
    "systemd-timesyn": "systemd-timesyncd",
    "ntpd": "ntpd",
    "ntpsec": "ntpsec",
    "ptp4l": "ptp4l",
    "phc2sys": "phc2sys",
}
_GPS = "gpsd"


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """`now_utc` by this clock, right or not."""

    now_utc: datetime
    synchronised: bool
    trust: str = "kernel"  # [clock] trust
    setters: tuple[str, ...] = ()
    gps: bool = False
    rtc_s: int | None = None  # what the battery clock says, seconds since 1970; None: there is none
    fake_rtc: bool = False  # fake-hwclock: the time of the last shutdown is taken for now
    zone: str = ""  # the machine's, "" where it is not known
    sign_zone: str = ""
    known_utc: datetime | None = None  # the last time that the sign's database knew
    boots_undated: int = 0  # starts of the machine that never knew the time
    vehicles_undated: int = 0
    this_boot_undated: int = 0  # of them, of this start


def clock_facts(root: Path, now_utc: datetime, *, synchronised: bool) -> ClockFacts:
    running = programs(root)
    fake = (root / "etc/fake-hwclock.data").exists()
    return ClockFacts(
        now_utc,
        synchronised,
        setters=tuple(sorted({_SETTERS[name] for name in running if name in _SETTERS})),
        gps=_GPS in running,
        rtc_s=_rtc_s(root),
        fake_rtc=fake,
        zone=_zone(root),
    )


def of_sign(facts: ClockFacts, trust: str, zone: str) -> ClockFacts:
    """With what the config says."""
    return replace(facts, trust=trust, sign_zone=zone)


def judge_clock(facts: ClockFacts) -> list[Finding]:
    told: dict[str, object] = {
        "now": facts.now_utc.isoformat(timespec="seconds"),
        "synchronised": facts.synchronised,
        "trust": facts.trust,
        "set_by": [*facts.setters, *(["gpsd"] if facts.gps else [])],
        "battery_clock": facts.rtc_s is not None,
        "fake_hwclock": facts.fake_rtc,
        "zone": facts.zone,
        "known": facts.known_utc.isoformat(timespec="seconds") if facts.known_utc else None,
        "boots_undated": facts.boots_undated,
        "vehicles_undated": facts.vehicles_undated,
    }
    found = [_main(facts, told), *_past(facts, told)]
    if facts.rtc_s is not None and facts.synchronised:
        off_s = abs(facts.rtc_s - facts.now_utc.timestamp())
        if off_s > RTC_OFF_S:
            text_ = f"the battery clock is off by {_long(off_s)}"
            found.append(
                warning("clock battery", text_, "set it: sudo hwclock -w; then look at its battery", told)
            )
    if facts.zone and facts.sign_zone and facts.zone != facts.sign_zone:
        found.append(
            note(
                "clock zone",
                f"this machine's logs are in {facts.zone}, the sign counts in {facts.sign_zone}",
                f"to have both alike: sudo timedatectl set-timezone {facts.sign_zone}",
                told,
            )
        )
    return found


def _past(facts: ClockFacts, told: dict[str, object]) -> Iterator[Finding]:
    """What was counted without a time."""
    if not facts.boots_undated:
        return
    starts = "1 start" if facts.boots_undated == 1 else f"{facts.boots_undated} starts"
    what = f"{starts} of this machine counted without a time: {facts.vehicles_undated} vehicles in no hour"
    if facts.this_boot_undated:
        what = f"never set since this start, {facts.this_boot_undated} vehicles wait for their time; {what}"
    if facts.known_utc is not None:
        what += f"; the last time that was known is {facts.known_utc:%Y-%m-%d %H:%M} UTC"
    do = "they stay in all totals; this start's get their time with the first sync; a battery clock keeps it"
    yield note("clock past", what, do, told)


def _main(facts: ClockFacts, told: dict[str, object]) -> Finding:
    now = f"{facts.now_utc:%Y-%m-%d %H:%M} UTC"
    if not EARLIEST <= facts.now_utc < LATEST:
        return wrong("clock", f"it says {now}, which cannot be", _how_to_set(facts), told)
    vouched = facts.synchronised or facts.trust == "always"
    if vouched and (why := doubt(facts.now_utc, EARLIEST, facts.known_utc)):
        what = f"it says {now}, {why}: the sign does not believe it"
        return wrong("clock", what, "set it right; a time that holds for a day is believed then", told)
    by = ", ".join(facts.setters)
    if facts.synchronised:
        who = f"set by {by}" if by else "set by a source that is not known to this program"
        what = f"{now}, {who}{' with GPS' if facts.gps else ''}"
        if facts.rtc_s is None:
            return note("clock", f"{what}; no battery clock", _no_battery(facts), told)
        return ok("clock", what, told)
    if facts.trust == "always":
        if facts.rtc_s is None:
            what = f"{now}; [clock] trust is always, and there is no battery clock that keeps it right"
            return warning("clock", what, 'set [clock] trust = "kernel", or fit a battery clock', told)
        return ok("clock", f"{now}, from the battery clock, which [clock] trust believes", told)
    what = f"{now}, and nobody vouches for it: what is measured is marked as such"
    return warning("clock", what, _how_to_set(facts), told)


def _how_to_set(facts: ClockFacts) -> str:
    if facts.setters:
        look = "chronyc sources" if "chrony" in facts.setters else "timedatectl timesync-status"
        return f"{', '.join(facts.setters)} runs and has not set it: check the link, then: {look}"
    return (
        "nothing sets it: sudo apt install chrony, and let NTP (UDP 123) through; or a GPS, or set it by hand"
    )


def _no_battery(facts: ClockFacts) -> str:
    fake = "; until then fake-hwclock says when it was shut down" if facts.fake_rtc else ""
    return f"after a power cut the time is not known until the link is up{fake}; a battery clock helps"


def _rtc_s(root: Path) -> int | None:
    for folder in names(root / "sys/class/rtc", "rtc*"):
        seconds = whole(folder / "since_epoch")
        if seconds is not None:
            return seconds
    return None


def _zone(root: Path) -> str:
    """By the file of Debian, else by where /etc/localtime leads."""
    if named := text(root / "etc/timezone", 200):
        return named
    try:
        target = str((root / "etc/localtime").readlink())
    except OSError:
        return ""
    return target.partition("zoneinfo/")[2]


def _long(seconds: float) -> str:
    """
    >>> _long(3700.0), _long(90_000_000.0)
    ('62 min', '1041 days')
    """
    if seconds < 2 * 86_400:
        return f"{seconds / 60:.0f} min"
    return f"{timedelta(seconds=seconds).days} days"
