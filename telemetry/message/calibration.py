"""A calibration as a sign tells it with its place, read back; ValueError for anything that is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from speedsign.calibration.record import LAST_UTC, Kind, Verdict
from speedsign.model import ClockQuality
from telemetry.calibration.proof import Proof
from telemetry.message.checks import day
from telemetry.message.json_text import has, number, shown, text, whole

_LAST_S = int(LAST_UTC.timestamp())  # what is later cannot be shown in every time zone
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
_WORD = re.compile(r"[a-z-]{1,20}", re.ASCII)
_CLOCKS = {quality.value: quality for quality in ClockQuality}
_KINDS = {kind.value: kind for kind in Kind}
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def parse_calibration(told: Mapping[str, Any]) -> Proof | None:
    """None: of a kind, or with a verdict, that only a newer version knows. `sign` is left empty."""
    key = _matching(has(told, "key"), "key", _KEY)
    clock = has(told, "clk")
    if not isinstance(clock, str) or clock not in _CLOCKS:
        raise ValueError(f"clk {shown(clock)} is none of {', '.join(_CLOCKS)}")
    kind = _KINDS.get(_matching(has(told, "kind"), "kind", _WORD))
    verdict = _VERDICTS.get(_matching(has(told, "verdict"), "verdict", _WORD))
    at_utc = datetime.fromtimestamp(whole(has(told, "at"), "at", 0, _LAST_S), UTC)
    due = date.fromisoformat(day(told["due"], "due")) if "due" in told else None
    site, driver = text(has(told, "site"), "site", 200), text(has(told, "driver"), "driver", 80)
    angle_deg = float(number(has(told, "angle_deg"), "angle_deg", 0, 89))
    if kind is None or verdict is None:
        return None
    return Proof(
        key=key,
        at_utc=at_utc,
        clock=_CLOCKS[clock],
        kind=kind,
        verdict=verdict,
        due=due,
        sign="",
        site=site,
        driver=driver,
        mounting_angle_deg=angle_deg,
    )


def _matching(value: object, name: str, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"{name} {shown(value)} is not as agreed")
    return value
