"""Whether both times of a comparison rest on the same calibration: if not, part of the change may be it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from speedsign.language import Language
from speedsign.model import Installation
from telemetry.calibration.proof import ALWAYS, Proof, Stood, placed
from telemetry.local_time import day_start
from telemetry.report import calibrated


def under(
    proofs: Iterable[Proof],
    facts: Installation,
    days: Sequence[date],
    sign: str | None = None,
    stood: Stood = ALWAYS,
) -> list[Proof | None]:
    """The last check before the end of each day, each once, oldest first; None: there was none yet."""
    zone = ZoneInfo(facts.timezone)
    of_place = placed(proofs, facts, sign, stood)
    found: list[Proof | None] = []
    for day in sorted(days):
        end_utc = day_start(day + timedelta(days=1), zone)
        last = next((proof for at_utc, proof in reversed(of_place) if at_utc < end_utc), None)
        if last not in found:
            found.append(last)
    return found


def remarks(
    before: Sequence[Proof | None], after: Sequence[Proof | None], zone: ZoneInfo, words: Language
) -> list[str]:
    """What a reader has to know: the two sides rest on other checks, or on one that failed."""
    said = []
    if set(before) != set(after):
        said.append(
            words.say(
                "The two times rest on different checks of the speeds; before: {before}; after: {after}.",
                before=_told(before, zone, words),
                after=_told(after, zone, words),
            )
        )
    if any(proof is not None and proof.failed for proof in (*before, *after)):
        said.append(words.say("A check of the speeds failed: part of a difference may be the sign's own."))
    return said


def _told(proofs: Sequence[Proof | None], zone: ZoneInfo, words: Language) -> str:
    return "; ".join(
        words.say("none on record") if proof is None else calibrated.check(proof, zone, words)
        for proof in proofs
    )
