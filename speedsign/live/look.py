"""What a running sign knows at a moment, as lines of the live socket. Made for listeners alone."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING

from speedsign.live.shapes import LIVE, Line, fault_line, rounded
from speedsign.live.why import why
from speedsign.model import Face
from speedsign.tracking import Tracker, TrackingParams
from speedsign.tracking.track import Track

if TYPE_CHECKING:
    from speedsign.daemon import Daemon


def hello(daemon: Daemon, about: Mapping[str, object], says: Mapping[str, str]) -> Line:
    """Who speaks, and what it measures with: `about` from the config, `says` in the radar's own words."""
    return {
        "event": "hello",
        "live": LIVE,
        "t_s": rounded(daemon.parts.clock.monotonic(), 4),
        **about,
        "site": daemon.plan.installation.site,
        "mounting_angle_deg": daemon.plan.tracking.mounting_angle_deg,
        "invert_direction": daemon.plan.invert_direction,
        "says": dict(says),
    }


def tracks(tracker: Tracker, t_mono_s: float, shown_id: int | None) -> Line:
    """Everything that moves in sight, whether it is a vehicle yet or not."""
    found = [_track(track, tracker.params, t_mono_s, shown_id) for track in tracker.tracks]
    return {"event": "tracks", "t_s": rounded(t_mono_s, 4), "tracks": found}


def _track(track: Track, params: TrackingParams, t_mono_s: float, shown_id: int | None) -> Line:
    """Its speed is the last readings' median over the angle's cosine: no guess at how it passes."""
    speed_kmh = median(track.series.speeds[-params.smoothing_readings :]) * params.correction
    return {
        "id": track.id,
        "direction": track.direction.value,
        "speed_kmh": rounded(speed_kmh, 1),
        "readings": track.count,
        "confirmed": track.confirmed,
        "shown": track.id == shown_id,
        "age_s": rounded(t_mono_s - track.t_first_s, 1),
        "unseen_s": rounded(max(t_mono_s - track.t_last_s, 0.0), 1),
        "strength": rounded(track.strength, 2),
        "range_m": rounded(track.range_m, 1),
        "flags": sorted(track.flags),
    }


def shown(daemon: Daemon, t_mono_s: float) -> Line:
    """What the sign wants to be seen, what the panel has acknowledged, and why."""
    display, now = daemon.parts.display, daemon.shown
    reason = why(now, daemon.rules, daemon.tracker.tracks, daemon.tracker.params, display, t_mono_s)
    return {
        "event": "shown",
        "t_s": rounded(t_mono_s, 4),
        "face": face_line(now.face),
        "lit": face_line(display.lit()) if display else None,
        "id": now.track_id,
        "zone": now.zone.value,
        "why": reason.code,
        "text": reason.text,
    }


def face_line(face: Face | None) -> Line | None:
    """A face in full; None: not known."""
    if face is None:
        return None
    return {"number": face.number, "word": face.word, "blink": face.blink, "beacon": face.beacon}


def state(daemon: Daemon, began_s: float) -> Line:
    """How the sign is, each second."""
    parts, now_s = daemon.parts, daemon.parts.clock.monotonic()
    noise = daemon.tracker.noise
    return {
        "event": "state",
        "t_s": rounded(now_s, 4),
        "utc": parts.clock.now_utc().isoformat(timespec="seconds"),
        "clock": daemon.clock_quality().value,
        "faults": [fault_line(fault) for fault in daemon.faults()],
        "panel": _panel(daemon),
        "limit_kmh": daemon.rules.limit_kmh,
        "radar": dict(parts.radar.health()),
        "tracker": dict(daemon.tracker.counters.values),
        "noise_kmh": rounded(noise.speed_kmh),
        "noise_level": rounded(noise.level),
        "measured_s": rounded(parts.radar.measured_s(now_s), 1),
        "running_s": rounded(now_s - began_s, 1),
        "vehicles": daemon.vehicles,
    }


def _panel(daemon: Daemon) -> Line | None:
    display = daemon.parts.display
    if display is None:
        return None
    known = display.lit() is not None and not display.faults()
    return {"known": known, "by_plan": daemon.rules.dark, "beacon": daemon.shown.face.beacon}
