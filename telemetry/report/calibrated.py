"""Calibrations in the reader's language: their names and verdicts, and what the figures of a report rest on.

Sentences are built as all of a report's are: what is put in stands behind a colon and is not declined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.calibration.record import Kind, Verdict
from speedsign.language import Language
from telemetry.calibration.proof import InForce, Proof


def kind(of: Kind, words: Language) -> str:
    """What was done."""
    names = {
        Kind.DRIVE_BY: words.say("Vehicle of known speed"),
        Kind.FORK: words.say("Tuning fork"),
        Kind.ANGLE: words.say("Mounting angle"),
        Kind.DIRECTION: words.say("Direction of travel"),
        Kind.PANEL: words.say("Pictures on the panel"),
        Kind.BRIGHTNESS: words.say("Brightness by eye"),
    }
    return names[of]


def verdict(of: Verdict, words: Language) -> str:
    """What came of it, in a word or two."""
    names = {
        Verdict.PASS: words.say("passed"),
        Verdict.FAIL: words.say("failed"),
        Verdict.UNDECIDED: words.say("not decided"),
        Verdict.DONE: words.say("done"),
    }
    return names[of]


def check(proof: Proof, zone: ZoneInfo, words: Language) -> str:
    """Vehicle of known speed, 4 May 2026, passed; with a doubt where nobody vouched for the clock."""
    text = words.say(
        "{what}, {date}, {verdict}",
        what=kind(proof.kind, words),
        date=words.day(proof.at_utc.astimezone(zone).date()),
        verdict=verdict(proof.verdict, words),
    )
    return text if proof.dated else words.say("{check} (the clock was not sure)", check=text)


def checks(proofs: Iterable[Proof], zone: ZoneInfo, words: Language) -> str:
    return "; ".join(check(proof, zone, words) for proof in proofs)


def sentences(found: InForce, zone: ZoneInfo, to_utc: datetime, words: Language) -> tuple[str, ...]:
    """What the figures of a period that ends at `to_utc` rest on; at least one sentence."""
    return tuple(_sentences(found, zone, to_utc, words))


def _sentences(found: InForce, zone: ZoneInfo, to_utc: datetime, words: Language) -> Iterator[str]:
    if not found.proofs:
        yield words.say(
            "No check of the speeds is on record for this place, radar and mounting angle before the end of"
            " this time."
        )
    else:
        yield words.say(
            "Checks of the speeds that these numbers rest on: {list}.",
            list=checks(found.proofs, zone, words),
        )
        if found.proofs[-1].failed:
            yield words.say("The last of them failed: these speeds may be wrong.")
        elif any(proof.failed for proof in found.proofs):
            yield words.say("Not all were passed: until the next one that was, speeds may be wrong.")
        yield from _overdue(found, zone, to_utc, words)
    if found.failed_after is not None:
        yield words.say(
            "The next check after this time failed, so these speeds may be wrong: {check}.",
            check=check(found.failed_after, zone, words),
        )


def _overdue(found: InForce, zone: ZoneInfo, to_utc: datetime, words: Language) -> Iterator[str]:
    last = found.last
    if last is not None and last.due is not None and last.due < to_utc.astimezone(zone).date():
        yield words.say("The next check was due on this day: {date}.", date=words.day(last.due))


# --------------------------------------------------------------------------- for programs


def proofs_json(found: InForce) -> list[dict[str, Any]]:
    """Each check with `part`: before the period, in it, or after it (only one that failed)."""
    parts = [("before", found.before), ("during", found.during)]
    if found.failed_after is not None:
        parts.append(("after", (found.failed_after,)))
    return [{"part": part, **proof_json(proof)} for part, proofs in parts for proof in proofs]


def proof_json(proof: Proof) -> Mapping[str, Any]:
    return {
        "key": proof.key,
        "at": proof.at_utc.astimezone(UTC).isoformat(),
        "clock": proof.clock.value,
        "kind": proof.kind.value,
        "verdict": proof.verdict.value,
        "due": proof.due.isoformat() if proof.due else None,
    }


def short(found: InForce, zone: ZoneInfo) -> str:
    """For a cell of a table: "2026-05-04 drive-by pass", several with a semicolon; "none"."""
    told = [_short(proof, zone) for proof in found.proofs]
    if found.failed_after is not None:
        told.append(f"{_short(found.failed_after, zone)} afterwards")
    return "; ".join(told) or "none"


def _short(proof: Proof, zone: ZoneInfo) -> str:
    return f"{proof.at_utc.astimezone(zone):%Y-%m-%d} {proof.kind.value} {proof.verdict.value}"
