"""The generated part of docs/radars.md: what each driver says of its radar, and what the captures show of it.

    .venv/bin/python -m tests.docs.radars

writes it between the page's markers. A test fails while the page says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from speedsign.capture import CaptureReader, open_capture
from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.config.wanted import radar_settings
from speedsign.errors import DriverError
from speedsign.model import Direction, Idle, Reading, Unit
from speedsign.ports import RadarDriver, RadarSettings
from speedsign.registry import RADAR_ALIASES, RADARS, load_radar
from speedsign.replay import decoder_for
from tests.cli.rebuild_golden import cases
from tests.docs import pages

OVERVIEW = (
    "| | Sensor | Line | Reports a second | Direction | Strength | Range | Targets | Seen to | To km/h"
    " | Known |"
)
CAPTURED = (
    "| | Captures | Readings | Empty reports | Approaching | Receding | Unknown | With strength | With range"
    " | Most targets | Fastest km/h |"
)
PAGE = pages.ROOT / "docs" / "radars.md"


@dataclass(slots=True)
class Seen:
    """What the captures of one radar show."""

    captures: int = 0
    reports: int = 0
    readings: int = 0
    idle: int = 0
    strength: int = 0
    range_m: int = 0
    targets: int = 0  # most in one report
    fastest_kmh: float = 0.0
    directions: Counter[Direction] = field(default_factory=Counter)


def seen_in_captures() -> dict[str, Seen]:
    """By driver; every one has an entry."""
    found = {name: Seen() for name in RADARS}
    for folder in cases():
        with open_capture(folder / "capture.jsonl") as lines:
            reader = CaptureReader(lines, folder.name)
            seen = found[reader.header.radar]
            seen.captures += 1
            decoder = decoder_for(reader.header)
            for t_s, data in reader:
                for event in decoder.feed(data, t_s):
                    _note(event, seen)
    return found


def _note(event: object, seen: Seen) -> None:
    seen.idle += isinstance(event, Idle)
    if not isinstance(event, Reading):
        return
    seen.readings += 1
    seen.reports += event.rank == 0
    seen.strength += event.strength is not None
    seen.range_m += event.range_m is not None
    seen.targets = max(seen.targets, event.rank + 1)
    seen.fastest_kmh = max(seen.fastest_kmh, event.speed_kmh)
    seen.directions[event.direction] += 1


def generated() -> str:
    """The part between the markers."""
    drivers = [load_radar(name) for name in RADARS]
    seen = seen_in_captures()
    parts = [_overview(drivers), _captures(drivers, seen), *(_one(driver) for driver in drivers)]
    return "\n".join(parts)


def _overview(drivers: list[RadarDriver]) -> str:
    rows = [OVERVIEW, "| --- " * 11 + "|"]
    for driver in drivers:
        facts, line = driver.facts, driver.line
        cells = (
            f"[`{driver.name}`](#{driver.name})",
            driver.title,
            f"{line.baud} {line.bytesize}{line.parity}{line.stopbits}",
            f"{facts.rate_hz:g}",
            facts.direction,
            _yes(facts.strength),
            _yes(facts.gives_range),
            str(facts.targets),
            "not said" if facts.range_m is None else f"{facts.range_m:g} m",
            f"{driver.max_speed_kmh:g}",
            facts.status.value,
        )
        rows.append(_row(cells))
    return "\n".join(rows) + "\n"


def _captures(drivers: list[RadarDriver], seen: dict[str, Seen]) -> str:
    text = (
        "In the captures of the test bed (simulated or written by hand from manuals and recordings;"
        " none is of a road yet):\n"
    )
    rows = [CAPTURED, "| --- " * 11 + "|"]
    for driver in drivers:
        one = seen[driver.name]
        cells = (
            f"`{driver.name}`",
            one.captures,
            one.readings,
            one.idle,
            *(one.directions[direction] for direction in Direction),
            one.strength,
            one.range_m,
            one.targets,
            f"{one.fastest_kmh:.0f}",
        )
        rows.append(_row(cells))
    return "\n".join([text, *rows]) + "\n"


def _one(driver: RadarDriver) -> str:
    facts = driver.facts
    lines = [f"### {driver.name}", "", f"{driver.title}: {facts.protocol}.", ""]
    lines.append(f"- Known from: {facts.source} ({facts.status.value})")
    lines.append(f"- Line: {_line(driver)}")
    if driver.profiles:
        first, *others = driver.profiles
        lines.append(f"- `profile`: `{first}` unless set; else {', '.join(f'`{one}`' for one in others)}")
    if names := _aliases(driver.name):
        lines.append(f"- Also found as: {', '.join(names)}")
    lines.append(f"- On an empty road: {_idle(driver)}")
    lines.append(
        f"- Speeds: {'rounded' if driver.rounds else 'truncated'}; from the factory in {driver.factory_unit}"
    )
    lines.append(f"- Set by the sign: {_set(driver)}")
    lines += [f"- {quirk}" for quirk in facts.quirks]
    return "\n".join(lines) + "\n"


def _line(driver: RadarDriver) -> str:
    line = driver.line
    text = f"{line.baud} {line.bytesize}{line.parity}{line.stopbits}"
    others = [str(baud) for baud in driver.bauds if baud != line.baud]
    return f"{text}; it may be set to {', '.join(others)}" if others else text


def _idle(driver: RadarDriver) -> str:
    if driver.poll is not None:
        return f"it answers that it sees nothing; asked every {driver.poll_s * 1000:.0f} ms"
    if driver.streams_when_idle:
        return f"it goes on reporting; {driver.silent_after_s:g} s of silence are a fault"
    if driver.ping is not None:
        return "silent; it is asked whether it lives"
    return "silent, and it cannot be asked: an open port counts as measuring"


def _set(driver: RadarDriver) -> str:
    unit = next(unit for unit in Unit if _can_speak(driver, unit))
    settings = driver.settings(_wanted(driver, unit))
    if not settings:
        return "nothing"
    asked = [f"{one.name} ({one.wanted})" for one in settings if one.query is not None]
    written = [f"{one.name} ({one.wanted})" for one in settings if one.query is None]
    parts = [", ".join(asked)] if asked else []
    if written:
        parts.append(f"without being asked back: {', '.join(written)}")
    return "; ".join(parts)


def _wanted(driver: RadarDriver, unit: Unit) -> RadarSettings:
    return radar_settings(RadarConfig(driver=driver.name, port="x", unit=unit), TrackingConfig(), driver)


def _can_speak(driver: RadarDriver, unit: Unit) -> bool:
    try:
        driver.settings(_wanted(driver, unit))
    except DriverError:
        return False
    return True


def _aliases(name: str) -> list[str]:
    found = []
    for alias, (family, profile) in RADAR_ALIASES.items():
        if family == name:
            found.append(f"`{alias}`" + (f" (profile `{profile}`)" if profile else ""))
    return found


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _yes(it_does: bool) -> str:
    return "yes" if it_does else "no"


def page_with(text: str, part: str) -> str:
    """The page with this generated part."""
    return pages.with_part(text, "radars", f"\n{part}\n")


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page_with(text, generated()), encoding="utf-8")


if __name__ == "__main__":
    main()
