"""What is known of a sign now: its state, its newest interval, its health."""

from __future__ import annotations

import contextlib
import math
import sqlite3

from telemetry.hub.port import Latest
from telemetry.message.heard import Birth, parse_birth
from telemetry.percentiles import classes, grouped_percentile, mean_sd
from telemetry.rows import unpacked

_NEWEST = (
    "SELECT interval.id, start_s + duration_s, measured_s / duration_s, site, rounds FROM interval"
    " JOIN installation ON installation.id = installation_id"
    " WHERE installation_id = ? AND clock != 'unknown' AND start_s <= ? ORDER BY start_s DESC LIMIT 1"
)


def read_latest(db: sqlite3.Connection, sign: str) -> Latest:
    """Of a sign that was heard."""
    row = db.execute("SELECT state, birth, health FROM sign WHERE id = ?", (sign,)).fetchone()
    state, birth, health = row or ("", None, None)
    told = told_birth(sign, birth)
    software = told.software if told else ""
    newest = newest_interval(db, sign)
    if newest is None:
        site = told.place.facts.site if told and told.place else ""
        return Latest(sign, state, site, software, health=health or "")
    number, end_s, share, site, rounds = newest
    speeds = db.execute("SELECT speeds FROM cell WHERE interval_id = ?", (number,)).fetchall()
    counts = unpacked("".join(text for (text,) in speeds))
    groups = classes(counts, rounds=bool(rounds))
    mean, v85 = mean_sd(groups)[0], grouped_percentile(groups, 85)
    return Latest(
        sign,
        state,
        site,
        software,
        interval_end_s=end_s,
        vehicles=sum(counts.values()),
        mean_kmh=None if mean is None else round(mean, 1),
        v85_kmh=None if v85 is None else round(v85, 1),
        measured_share=round(share, 3),
        health=health or "",
    )


def told_birth(sign: str, text: str | None) -> Birth | None:
    """The newest birth, as it may be shown; None: none that this version can read."""
    with contextlib.suppress(ValueError):
        return parse_birth(text.encode(), sign) if text else None
    return None


def newest_interval(
    db: sqlite3.Connection, sign: str, by_s: float = math.inf
) -> tuple[int, int, float, str, int] | None:
    """With a believable time: id, end (s since 1970), measured share, site, whether the radar rounds.

    Of those that began by `by_s`. An installation at a time: the index gives the newest of each at once,
    however many there are.
    """
    numbers = db.execute(
        "SELECT id FROM installation WHERE sign = ? AND facts_seq IS NOT NULL", (sign,)
    ).fetchall()
    found = [db.execute(_NEWEST, (number, by_s)).fetchone() for (number,) in numbers]
    return max((one for one in found if one is not None), key=lambda one: one[1], default=None)
