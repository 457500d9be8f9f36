"""What follows from calibrations: which one a figure rests on, whether there is a valid one, when one is due.

Pure. Only the kinds that prove speeds count (a vehicle of known speed, a tuning fork), and only at the same
site, with the same radar and the same mounting angle. One that decided nothing changes nothing.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

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


def deciding(
    proofs: Iterable[Proof], facts: Installation | None = None, sign: str | None = None
) -> list[Proof]:
    """Those that say whether speeds are right, oldest first; of an installation and a sign, where given."""
    found = [
        proof
        for proof in proofs
        if proof.kind in PROVES_SPEED
        and (proof.passed or proof.failed)
        and (facts is None or _is_of(proof, facts))
        and (sign is None or proof.sign == sign)
    ]
    return sorted(found, key=lambda proof: proof.at_utc)


def _is_of(proof: Proof, facts: Installation) -> bool:
    return (
        proof.site == facts.site
        and proof.driver == facts.radar
        and abs(proof.mounting_angle_deg - facts.mounting_angle_deg) < _SAME_DEG
    )


# --------------------------------------------------------------------------- due


def next_due(
    kind: Kind, verdict: Verdict, at_utc: datetime, clock: ClockQuality, every_months: int
) -> date | None:
    """When the next one is due: so many months after a proof of speed that was passed.

    None: nothing follows from this one, no next one is wanted (0 months), or nobody vouched for the clock.
    """
    proved = kind in PROVES_SPEED and verdict in _PROVED
    if not proved or not every_months or clock is ClockQuality.UNKNOWN:
        return None
    day = at_utc.astimezone(UTC).date()
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
) -> InForce:
    """Those that figures of [from, to) rest on, of an installation; `sign`: of this sign's alone."""
    of_place = deciding(proofs, facts, sign)
    earlier = [proof for proof in of_place if proof.at_utc < from_utc]
    later = [proof for proof in of_place if proof.at_utc >= to_utc]
    last = max((place for place, proof in enumerate(earlier) if proof.passed), default=0)
    return InForce(
        tuple(earlier[last:]),
        tuple(proof for proof in of_place if from_utc <= proof.at_utc < to_utc),
        later[0] if later and later[0].failed else None,
    )


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
    proofs: Sequence[Proof], facts: Installation | None, now_utc: datetime | None, sign: str | None = None
) -> Standing:
    """`facts`: how the sign stands, None: not known, then any proof will do; `now_utc` None: nobody knows."""
    of_sign = deciding(proofs, None, sign)
    here = deciding(of_sign, facts)
    if not here:
        return Standing(State.NONE, _none(of_sign, facts))
    last = here[-1]
    told = f"{last.kind.value} of {last.at_utc:%Y-%m-%d}"
    if last.failed:
        return Standing(State.FAILED, f"the {told} failed: the speeds are not right", last.at_utc)
    if not last.dated:
        text = f"a {last.kind.value} was passed, but the clock was not to be believed: no next one is due"
        return Standing(State.UNDATED, text, last.at_utc)
    if last.due is None:
        return Standing(State.VALID, f"the {told} was passed; no next one is wanted", last.at_utc)
    if now_utc is None:
        text = f"the {told} is good until {last.due}, but the clock is not to be believed now"
        return Standing(State.UNDATED, text, last.at_utc, last.due)
    if last.due < now_utc.astimezone(UTC).date():
        text = f"a calibration was due on {last.due}: run speedsign calibrate drive-by or fork"
        return Standing(State.OVERDUE, text, last.at_utc, last.due)
    return Standing(
        State.VALID, f"the {told} was passed; the next one is due on {last.due}", last.at_utc, last.due
    )


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
    return f"no calibration since the {' and the '.join(changed)} changed: {what}"
