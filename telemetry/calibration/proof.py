"""What follows from calibrations: which one a figure rests on, whether there is a valid one, when one is due.

Pure. Only the kinds that prove speeds count (a vehicle of known speed, a tuning fork), and only at the same
site, with the same radar and the same mounting angle, since the sign stands so. One that decided nothing
changes nothing.

Proofs come in the order in which they were kept: it says which one is the newest, because clocks may be
wrong. Where nobody vouches for a time, it lies between those that were kept before and after it.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from speedsign.calibration.record import PROVES_SPEED, Calibration, Kind, Verdict
from speedsign.model import ClockQuality, Installation

_SAME_DEG = 0.05  # angles are written with one decimal
_PROVED = frozenset({Verdict.PASS, Verdict.DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a report says of a calibration: the part of the record that a hub is told too."""

    key: str
    at_utc: datetime
    clock: ClockQuality
    kind: Kind
    verdict: Verdict
    due: date | None
    sign: str
    site: str
    driver: str
    mounting_angle_deg: float

    @property
    def dated(self) -> bool:
        """Whether somebody vouches for when it was."""
        return self.clock is not ClockQuality.UNKNOWN

    @property
    def passed(self) -> bool:
        return self.verdict in _PROVED

    @property
    def failed(self) -> bool:
        return self.verdict is Verdict.FAIL


def proof_of(record: Calibration) -> Proof:
    """The record's own short form."""
    return Proof(
        key=record.key,
        at_utc=record.at_utc,
        clock=record.clock,
        kind=record.kind,
        verdict=record.verdict,
        due=record.due,
        sign=record.sign,
        site=record.site,
        driver=record.driver,
        mounting_angle_deg=record.mounting_angle_deg,
    )


def _is_of(proof: Proof, facts: Installation) -> bool:
    return (
        proof.site == facts.site
        and proof.driver == facts.radar
        and abs(proof.mounting_angle_deg - facts.mounting_angle_deg) < _SAME_DEG
    )


# --------------------------------------------------------------------------- when


@dataclass(frozen=True, slots=True)
class Stood:
    """From when to when proofs count for how a sign stood; None: it never stood so before, or after."""

    since_utc: datetime | None = None
    until_utc: datetime | None = None


ALWAYS = Stood()


@dataclass(frozen=True, slots=True)
class Timed:
    """A proof, when it was likely made, and between which two times it was for sure (None: open)."""

    proof: Proof
    likely_utc: datetime
    first_utc: datetime | None
    last_utc: datetime | None

    def at_stand(self, stood: Stood) -> datetime | None:
        """The time it counts at; None: it does not, being of another time when the sign stood so.

        Where that cannot be told, what was passed counts as its own clock says, and what failed counts.
        """
        since_utc, until_utc, fails = stood.since_utc, stood.until_utc, self.proof.failed
        if since_utc is not None and self.likely_utc < since_utc:
            surely = self.last_utc is not None and self.last_utc < since_utc
            return since_utc if fails and not surely else None
        if until_utc is not None and self.likely_utc >= until_utc:
            surely = self.first_utc is not None and self.first_utc >= until_utc
            return self.likely_utc if fails and not surely else None
        return self.likely_utc


def timed(proofs: Sequence[Proof]) -> list[Timed]:
    """Of proofs as they were kept; one that is not dated lies between those before and after it that are."""
    lasts: list[datetime | None] = []
    last: datetime | None = None
    for proof in reversed(proofs):
        if proof.dated:
            last = proof.at_utc if last is None else min(last, proof.at_utc)
        lasts.append(last)
    found: list[Timed] = []
    first: datetime | None = None
    before: datetime | None = None
    for proof, last in zip(proofs, reversed(lasts), strict=True):
        if proof.dated:
            first = proof.at_utc if first is None else max(first, proof.at_utc)
            found.append(Timed(proof, proof.at_utc, proof.at_utc, proof.at_utc))
            before = first if before is None else max(before, first)
            continue
        likely = proof.at_utc if before is None else max(proof.at_utc, before)
        before = likely if last is None else min(likely, last)
        found.append(Timed(proof, before, first, last))
    return found


def deciding(
    proofs: Iterable[Proof], facts: Installation | None = None, sign: str | None = None
) -> list[Timed]:
    """Those that say whether speeds are right, as kept; of an installation and of a sign, where given."""
    of_sign = [one for one in proofs if one.kind in PROVES_SPEED and (sign is None or one.sign == sign)]
    return [
        one
        for one in timed(of_sign)
        if (one.proof.passed or one.proof.failed) and (facts is None or _is_of(one.proof, facts))
    ]


def placed(
    proofs: Iterable[Proof], facts: Installation, sign: str | None, stood: Stood
) -> list[tuple[datetime, Proof]]:
    """Those that decide, with the time they count at, by that time."""
    found = [(one.at_stand(stood), one.proof) for one in deciding(proofs, facts, sign)]
    return sorted(((at_utc, proof) for at_utc, proof in found if at_utc is not None), key=lambda one: one[0])


def same_proof(one: Installation, other: Installation) -> bool:
    """Whether what proves the speeds of a sign that stands so proves them of the other one too."""
    return (
        one.site == other.site
        and one.radar == other.radar
        and abs(one.mounting_angle_deg - other.mounting_angle_deg) < _SAME_DEG
    )


# --------------------------------------------------------------------------- due


def next_due(
    kind: Kind,
    verdict: Verdict,
    at_utc: datetime,
    clock: ClockQuality,
    every_months: int,
    zone: tzinfo = UTC,
) -> date | None:
    """When the next one is due: so many months after a proof of speed that was passed, by the calendar there.

    None: nothing follows from this one, no next one is wanted (0 months), or nobody vouched for the clock.
    """
    proved = kind in PROVES_SPEED and verdict in _PROVED
    if not proved or not every_months or clock is ClockQuality.UNKNOWN:
        return None
    day = at_utc.astimezone(zone).date()
    year, month = divmod(day.year * 12 + day.month - 1 + every_months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


# --------------------------------------------------------------------------- in force


@dataclass(frozen=True, slots=True)
class InForce:
    """What the figures of a period rest on: proofs oldest first, failed ones among them."""

    before: tuple[Proof, ...] = ()  # the last one passed before the period, and what failed since
    during: tuple[Proof, ...] = ()
    failed_after: Proof | None = None  # the first one after the period, if it failed

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """All that were made before the period's end."""
        return self.before + self.during

    @property
    def last(self) -> Proof | None:
        """The newest that was passed before the period's end; None: the figures rest on none."""
        return next((proof for proof in reversed(self.proofs) if proof.passed), None)


def in_force(
    proofs: Iterable[Proof],
    facts: Installation,
    from_utc: datetime,
    to_utc: datetime,
    sign: str | None = None,
    stood: Stood = ALWAYS,
) -> InForce:
    """Those that figures of [from, to) rest on, of an installation; `sign`: of this sign's alone."""
    of_place = placed(proofs, facts, sign, stood)
    earlier = [proof for at_utc, proof in of_place if at_utc < from_utc]
    last = max((place for place, proof in enumerate(earlier) if proof.passed), default=0)
    return InForce(
        tuple(earlier[last:]),
        tuple(proof for at_utc, proof in of_place if from_utc <= at_utc < to_utc),
        _failed([proof for at_utc, proof in of_place if at_utc >= to_utc]),
    )


def _failed(later: Sequence[Proof]) -> Proof | None:
    """The first one if it failed; one that nobody dates may have been earlier, so it hides no other."""
    for proof in later:
        if proof.failed or proof.dated:
            return proof if proof.failed else None
    return None


# --------------------------------------------------------------------------- now


class State(StrEnum):
    """How a sign stands with its calibration."""

    NONE = "none"
    VALID = "valid"
    OVERDUE = "overdue"
    FAILED = "failed"
    UNDATED = "undated"  # nobody vouches for when it was, or for what day it is


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the newest proof of speed as the sign stands now; `text` is an English sentence for a technician."""

    state: State
    text: str
    at_utc: datetime | None = None
    due: date | None = None


def standing_of(
    proofs: Sequence[Proof],
    facts: Installation | None,
    now_utc: datetime | None,
    sign: str | None = None,
    since_utc: datetime | None = None,
) -> Standing:
    """`proofs` as they were kept: the last one counts, whatever the clocks said.

    `facts`: how the sign stands, None: not known, then any proof will do; since when, where it stood so
    before and otherwise in between. `now_utc` None: nobody knows.
    """
    of_sign = [one.proof for one in deciding(proofs, None, sign)]
    here = [one.proof for one in deciding(proofs, facts, sign) if _may_be_since(one, since_utc)]
    if not here:
        return Standing(State.NONE, _none(of_sign, facts))
    last = here[-1]
    zone = UTC if facts is None else ZoneInfo(facts.timezone)
    told = f"{last.kind.value} of {last.at_utc.astimezone(zone):%Y-%m-%d}"
    if last.failed:
        return Standing(State.FAILED, f"the {told} failed: the speeds are not right", last.at_utc)
    if not last.dated:
        text = f"a {last.kind.value} was passed, but the clock was not to be believed: no next one is due"
        if since_utc is not None:
            text += ", and nobody knows whether it was made before the sign was moved or set otherwise"
        return Standing(State.UNDATED, text, last.at_utc)
    if last.due is None:
        return Standing(State.VALID, f"the {told} was passed; no next one is wanted", last.at_utc)
    if now_utc is None:
        text = f"the {told} is good until {last.due}, but the clock is not to be believed now"
        return Standing(State.UNDATED, text, last.at_utc, last.due)
    if last.due < now_utc.astimezone(zone).date():
        text = f"a calibration was due on {last.due}: run speedsign calibrate drive-by or fork"
        return Standing(State.OVERDUE, text, last.at_utc, last.due)
    return Standing(
        State.VALID, f"the {told} was passed; the next one is due on {last.due}", last.at_utc, last.due
    )


def _may_be_since(one: Timed, since_utc: datetime | None) -> bool:
    return since_utc is None or one.last_utc is None or one.last_utc >= since_utc


def _none(elsewhere: Sequence[Proof], facts: Installation | None) -> str:
    what = "run speedsign calibrate drive-by or fork"
    if not elsewhere or facts is None:
        return f"no calibration is on record: {what}"
    last = elsewhere[-1]
    changed = [
        name
        for name, same in (
            ("site", last.site == facts.site),
            ("radar", last.driver == facts.radar),
            ("mounting angle", abs(last.mounting_angle_deg - facts.mounting_angle_deg) < _SAME_DEG),
        )
        if not same
    ]
    if not changed:
        return f"no calibration since the sign was moved or set otherwise, and back: {what}"
    return f"no calibration since the {' and the '.join(changed)} changed: {what}"
