"""What must hold between the pages of a config, the country that the sign stands in, and the panel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from speedsign.config.problem import Problem
from speedsign.config.schema import Config, DisplayConfig, RulesConfig, WindowConfig
from speedsign.countries import Country, country_of
from speedsign.errors import DriverError
from speedsign.faces import Page, page_problem, pages_of, pages_problem, words_in
from speedsign.ports import Capabilities
from speedsign.registry import load_display
from speedsign.settings import FACES

Path = tuple[str, ...]
_PANEL = ("display", "driver"), ("display", "profile"), ("display", "digits"), ("display", "registers")
_COUNTRY = ("sign", "country"), ("sign", "timezone")
_LANGUAGE = (("sign", "language"),)


@dataclass(frozen=True, slots=True)
class _Place:
    """What decides what may be shown."""

    words: dict[str, str]
    country: Country
    panel: Capabilities | None  # None: there is no panel, or something else is wrong with it
    panel_name: str


def page_problems(config: Config) -> Iterator[Problem]:
    """Unknown words, faces that the country forbids, and what the panel cannot show; in every table."""
    sign, display = config.sign, config.display
    place = _Place(
        words=words_in(sign.language),
        country=country_of(sign.country, sign.timezone),
        panel=_capabilities(display) if display else None,
        panel_name=display.driver if display else "",
    )
    tables: list[tuple[Path, RulesConfig | WindowConfig]] = [(("rules",), config.rules)]
    tables += [(("rules", "schedule", str(n)), window) for n, window in enumerate(config.rules.schedule)]
    several = False
    for path, table in tables:
        for face in FACES:
            texts: tuple[str, ...] | None = getattr(table, face)
            if texts is not None:
                several = several or len(texts) > 1
                yield from _pages((*path, face), texts, place)
        yield from _blink((*path, "blink"), table.blink or (), place)
        if table.beacon and config.beacon is None:
            text = "needs the table [beacon]: where the lamps are switched"
            yield Problem((*path, "beacon"), text, list(table.beacon), (("beacon",),))
    if several and config.rules.page_s < config.rules.min_change_interval_s:
        text = f"must be at least min_change_interval_s, {config.rules.min_change_interval_s:g}"
        yield Problem(("rules", "page_s"), text, config.rules.page_s, (("rules", "min_change_interval_s"),))


def _capabilities(display: DisplayConfig) -> Capabilities | None:
    try:
        return load_display(display.driver, display.digits, display.profile, display.registers).capabilities
    except DriverError:
        return None  # said where the panel is checked


def _pages(path: Path, texts: tuple[str, ...], place: _Place) -> Iterator[Problem]:
    if problem := pages_problem(texts):
        yield Problem(path, problem, list(texts))
    elif len(texts) > 1 and not place.country.alternation:
        yield Problem(path, _forbidden("pages in turn", place.country), list(texts), _COUNTRY)
    for number, text in enumerate(texts):
        at = (*path, str(number))
        if unknown := page_problem(text, place.words):
            yield Problem(at, unknown, text)
            continue
        (page,) = pages_of((text,), place.words)
        if page.word and not place.country.words:
            yield Problem(at, _forbidden("words", place.country), text, _COUNTRY)
        elif page.word and place.panel:
            yield from _fits(at, text, page, place.panel, place.panel_name)


def _fits(path: Path, text: str, page: Page, panel: Capabilities, name: str) -> Iterator[Problem]:
    """Every letter as it is, or not at all: the nearest letter that a panel has is another word."""
    word, against = page.word, (*_PANEL, *_LANGUAGE)
    if not panel.cells:
        yield Problem(path, f"is {word!r}, and the panel ({name}) shows numbers only", text, against)
        return
    missing = sorted({letter for letter in word if letter not in panel.glyphs})
    if missing:
        lacks = " ".join(repr(letter) for letter in missing)
        yield Problem(path, f"is {word!r}, and the panel ({name}) has no {lacks}", text, against)
    if len(word) > panel.cells:
        said = f"is {word!r}, {len(word)} characters, and the panel ({name}) has {panel.cells}"
        yield Problem(path, said, text, against)


def _blink(path: Path, zones: tuple[str, ...], place: _Place) -> Iterator[Problem]:
    if not zones:
        return
    if not place.country.blink:
        yield Problem(path, _forbidden("blinking", place.country), list(zones), _COUNTRY)
    elif place.panel and not place.panel.blinks:
        text = (
            f"cannot be: the panel ({place.panel_name}) does not blink by itself; it is not written to blink"
        )
        yield Problem(path, text, list(zones), _PANEL)


def _forbidden(what: str, country: Country) -> str:
    return f'cannot be: sign.country "{country.name}" allows no {what}; {country.why}'
