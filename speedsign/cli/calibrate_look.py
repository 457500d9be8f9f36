"""Calibrations for commands that look at them: which record, and what the figures of a period rest on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from speedsign.calibration.record import Calibration
from speedsign.errors import StoreError, UsageError
from telemetry.calibration import History, InForce, in_force, read_history, read_proofs
from telemetry.period import Period
from telemetry.query import Standing, read_installations

_LEAST_DIGITS = 4  # of a key, to name a record


def history_of(path: Path, sign: str | None) -> History:
    """All records, or those of one sign; UsageError for a sign that has none where others have."""
    found = read_history(path)
    signs = sorted({record.sign for record in found.records if record.sign})
    if sign is None:
        return found
    if found.records and sign not in signs:
        raise UsageError(f"{path}: there is no calibration of {sign!r}; there are some of {', '.join(signs)}")
    records = [record for record in found.records if record.sign == sign]
    return History(records, found.problems, found.places)


def record_named(records: Sequence[Calibration], key: str, path: Path) -> Calibration:
    """The record whose key begins so; UsageError for none or several."""
    wanted = key.strip().lower()
    if len(wanted) < _LEAST_DIGITS:
        raise UsageError(f"{key!r} is too short; give at least {_LEAST_DIGITS} digits of a record's key")
    found = [record for record in records if record.key.startswith(wanted)]
    if not found:
        raise UsageError(f"{path}: no calibration's key begins with {key!r}; see speedsign calibrate history")
    if len(found) > 1:
        raise UsageError(f"{key!r} is the beginning of {len(found)} keys; give more digits")
    return found[0]


def standings(path: Path, sign: str) -> list[Standing]:
    """How this sign stands and stood, the newest last; empty where no database says it."""
    if not path.exists():
        return []
    try:
        return [one for one in read_installations(path) if not one.imported and one.sign == sign]
    except StoreError:
        return []


def calibration_of(path: Path, period: Period) -> InForce | None:
    """What a period's figures rest on; None: they were imported, so nobody knows."""
    standing = period.standing
    if standing.imported:
        return None
    proofs = read_proofs(path)
    return in_force(proofs, standing.facts, period.from_utc, period.to_utc, standing.sign or None)


def zone_of(standing: Standing | None) -> ZoneInfo:
    """The sign's time zone, else UTC."""
    return ZoneInfo(standing.facts.timezone if standing else "UTC")
