"""What a drive-by was held against, and where the sign's own speeds came from, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from speedsign.calibration.record import Calibration, Kind
from speedsign.language import Language
from telemetry.report.certificate_runs import is_number

_OURS = frozenset({"reference", "mph", "by"})  # of `device`, and nothing that a radar said


def given(record: Calibration) -> bool:
    """Whether the runs were given as numbers, and no radar was listened to."""
    device = record.device
    return record.kind is Kind.DRIVE_BY and (
        device.get("by") == "given" or ("reference" in device and "by" not in device)
    )


def of_radar(record: Calibration) -> Mapping[str, Any]:
    """What the device said of itself and is set to, without what the tool noted beside it."""
    if record.kind not in (Kind.DRIVE_BY, Kind.FORK):
        return record.device
    told = {name: value for name, value in record.device.items() if name not in _OURS}
    says = told.pop("says", None)
    return {**told, **(says if isinstance(says, Mapping) else {})}


def reference(record: Calibration, words: Language) -> str:
    """What told the true speed, and how much it may be off in all runs alike; empty where nothing says it."""
    if record.kind is not Kind.DRIVE_BY:
        return ""
    names = {
        "gps": words.say("GPS"),
        "tachograph": words.say("tachograph"),
        "laser": words.say("laser meter"),
        "other": words.say("another instrument"),
    }
    parts = []
    if name := record.device.get("reference"):
        parts.append(names.get(str(name), str(name)))
    if record.device.get("mph") is True:
        parts.append(words.say("read in mph"))
    sd_kmh = record.result.get("reference_sd_kmh")
    if is_number(sd_kmh):
        parts.append(
            words.say("standard deviation, the same in all runs: {kmh} km/h", kmh=words.decimal(sd_kmh, 2))
        )
    return "; ".join(parts)


def source(record: Calibration, words: Language) -> str:
    """Where the sign's speeds of a drive-by came from; empty where nothing says it."""
    if record.kind is not Kind.DRIVE_BY:
        return ""
    if given(record):
        return words.say("figures that were given; no radar was listened to")
    told = {"sign": words.say("the running sign"), "port": words.say("the radar at its own port")}
    return told.get(str(record.device.get("by")), "")
