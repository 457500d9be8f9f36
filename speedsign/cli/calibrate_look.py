"""Calibrations for commands that look at them: which record, and what the figures of a period rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from speedsign.calibration.record import Calibration
from speedsign.errors import StoreError, UsageError
from telemetry.calibration import (
    History,
    InForce,
    Stand,
    in_force,
    read_history,
    read_proofs,
    stand_now,
    stand_of,
)
from telemetry.period import Period

_LEAST_DIGITS = 4  # of a key, to name a record


def history_of(path: Path, sign: str | None) -> History:
    """All records, or those of one sign; UsageError for a sign that has none where others have."""
    found = read_history(path)
    signs = sorted({record.sign for record in found.records if record.sign})
    if sign is None:
        return found
    if found.records and sign not in signs:
        raise UsageError(f"{path}: there is no calibration of {sign!r}; there are some of {', '.join(signs)}")
    return replace(found, records=[record for record in found.records if record.sign == sign])


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


def stand_at(path: Path, sign: str) -> Stand | None:
    """How this sign stands now; None where no database says it."""
    if not path.exists():
        return None
    try:
        return stand_now(path, sign)
    except StoreError:
        return None


def calibration_of(path: Path, period: Period) -> InForce | None:
    """What a period's figures rest on; None: they were imported, so nobody knows."""
    standing = period.standing
    if standing.imported:
        return None
    proofs, sign = read_proofs(path), standing.sign or None
    stood = stand_of(path, standing.id, sign)
    return in_force(proofs, standing.facts, period.from_utc, period.to_utc, sign, stood)


def zone_of(stand: Stand | None) -> ZoneInfo:
    """The sign's time zone, else UTC."""
    return ZoneInfo(stand.facts.timezone if stand else "UTC")
