"""The generated part of docs/panels.md: what each driver says of its panel.

    .venv/bin/python -m tests.docs.panels

writes it between the page's markers. A test fails while the page says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.panels.catalogue import EXAMPLE_MAP
from speedsign.errors import DriverError
from speedsign.ports import DIGIT_GLYPHS, PanelDriver
from speedsign.registry import DISPLAY_ALIASES, DISPLAYS, REGISTERS, load_display
from tests.docs import pages

PAGE = pages.ROOT / "docs" / "panels.md"
HEADS = (
    "", "Panel", "Line", "Digits", "Words", "Can be dark", "Brightness", "Blinks", "Read back",
    "Hears nothing", "Known",
)  # fmt: skip
DIGITS = range(2, 9)  # what a config may say


def load(name: str, profile: str | None = None, digits: int | None = None) -> PanelDriver:
    """A driver; the one that has no map of its own with that of the example."""
    return load_display(name, digits, profile, EXAMPLE_MAP if name == REGISTERS else None)


def profiles_of(name: str) -> tuple[str | None, ...]:
    """Its register maps, or None for the one that it has."""
    return load(name).profiles or (None,)


def generated() -> str:
    """The part between the markers."""
    return "\n".join([_overview(), *(_one(name) for name in DISPLAYS)])


def _overview() -> str:
    rows = [_row(HEADS), "| --- " * len(HEADS) + "|"]
    for name in DISPLAYS:
        rows += [_row(_cells(name, profile)) for profile in profiles_of(name)]
    return "\n".join(rows) + "\n"


def _cells(name: str, profile: str | None) -> tuple[str, ...]:
    driver = load(name, profile)
    link = f"[`{name}`](#{name})" + (f" `{profile}`" if profile else "")
    if name == REGISTERS:  # all of it is as the config says
        says = "as set"
        line = f"{driver.line.baud} 8N1 unless set"
        return (link, driver.title, line, *([says] * 7), driver.facts.status.value)
    can = driver.capabilities
    return (
        link,
        driver.title,
        f"{driver.line.baud} {driver.line.bytesize}{driver.line.parity}{driver.line.stopbits}",
        _digits(name, profile),
        "yes" if can.cells else "no",
        "yes" if can.can_blank else "no: shows 0",
        f"{can.brightness_levels} steps" if can.brightness_levels else "not by the bus",
        "yes" if can.blinks else "no",
        "yes" if can.reads_back else "no",
        "keeps the number" if can.own_timeout_s is None else f"gives up after {can.own_timeout_s:g} s",
        driver.facts.status.value,
    )


def _digits(name: str, profile: str | None) -> str:
    """The usual number, then the others that a config may name."""
    usual = load(name, profile).capabilities.digits
    others = [str(digits) for digits in DIGITS if digits != usual and _is_made(name, profile, digits)]
    return f"{usual}, or {', '.join(others)}" if others else str(usual)


def _is_made(name: str, profile: str | None, digits: int) -> bool:
    try:
        load(name, profile, digits)
    except DriverError:
        return False
    return True


def _one(name: str) -> str:
    driver = load(name)
    facts = driver.facts
    lines = [f"### {name}", "", f"{driver.title}.", ""]
    lines.append(f"- Known from: {facts.source} ({facts.status.value})")
    if driver.profiles:
        first, *others = driver.profiles
        lines.append(f"- `profile`: `{first}` unless set; else {', '.join(f'`{one}`' for one in others)}")
    if names := _aliases(name):
        lines.append(f"- Also found as: {', '.join(names)}")
    lines.append(f"- When power comes it shows: {facts.power_up}")
    lines.append(f"- When it hears nothing: {facts.own_timeout}")
    if driver.capabilities.cells and name != REGISTERS:
        lines.append(f"- Words of: {letters_of(driver)}")
    lines += [f"- {quirk}" for quirk in facts.quirks]
    return "\n".join(lines) + "\n"


def letters_of(driver: PanelDriver) -> str:
    """What words may be made of besides digits; a letter that may be small or large once."""
    others = driver.capabilities.glyphs - DIGIT_GLYPHS
    return " ".join(sorted(glyph for glyph in others if glyph == glyph.upper()))


def _aliases(name: str) -> list[str]:
    found = []
    for alias, (family, profile, digits) in DISPLAY_ALIASES.items():
        if family == name:
            parts = [f"profile `{profile}`"] if profile else []
            parts += [f"{digits} digits"] if digits else []
            found.append(f"`{alias}`" + (f" ({', '.join(parts)})" if parts else ""))
    return found


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def page_with(text: str, part: str) -> str:
    """The page with this generated part."""
    return pages.with_part(text, "panels", f"\n{part}\n")


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page_with(text, generated()), encoding="utf-8")


if __name__ == "__main__":
    main()
