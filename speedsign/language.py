"""Latvian, Lithuanian and English: sentences by gettext, numbers and dates as people there write them.

Texts are written in English where they are used, `say("Vehicles")`; Babel collects them and compiles the
catalogues when the package is built. What no catalogue has stays English.
"""

from __future__ import annotations

import gettext
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

LANGUAGES = ("lv", "lt", "en")
_CATALOGUES = Path(__file__).with_name("locale")
_MONTHS = {
    code: tuple(names.split())
    for code, names in {
        "en": "January February March April May June July August September October November December",
        "lv": "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris"
        " decembris",
        "lt": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio"
        " gruodžio",
    }.items()
}
_WEEKDAYS = {
    code: tuple(names.split())
    for code, names in {
        "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "lv": "pirmdiena otrdiena trešdiena ceturtdiena piektdiena sestdiena svētdiena",
        "lt": "pirmadienis antradienis trečiadienis ketvirtadienis penktadienis šeštadienis sekmadienis",
    }.items()
}
_WEEKDAYS_SHORT = {
    code: tuple(names.split())
    for code, names in {
        "en": "Mon Tue Wed Thu Fri Sat Sun",
        "lv": "Pr Ot Tr Ce Pk Se Sv",
        "lt": "Pr An Tr Kt Pn Št Sk",
    }.items()
}
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


class Language:
    """One reader's language. All methods are pure; what is unknown is never an error but English."""

    def __init__(self, code: str) -> None:
        if code not in LANGUAGES:
            raise ValueError(f"{code!r} is not one of {', '.join(LANGUAGES)}")
        self.code = code
        self._catalogue = gettext.translation("speedsign", _CATALOGUES, [code], fallback=True)

    def say(self, message: str, /, **values: object) -> str:
        """The sentence in this language, with the values in its {places}; `message` is a literal."""
        if not message:  # which in a catalogue is its head
            return ""
        text = self._catalogue.gettext(message).format(**values)
        # A date that ends in a stop, "2026 m. gegužės 4 d.", ends the sentence as well.
        return text[:-1] if text.endswith("..") and not text.endswith("...") else text

    def say_n(self, one: str, many: str, n: int, /, **values: object) -> str:
        """The same with a count, which is written for {n}: "{n} vehicle", "{n} vehicles"."""
        return self._catalogue.ngettext(one, many, n).format(n=self.count(n), **values)

    # ----------------------------------------------------------------------- numbers

    def count(self, n: int) -> str:
        """1 234 567 (en: 1,234,567)."""
        text = f"{abs(n):,}"
        text = text if self.code == "en" else text.replace(",", NO_BREAK)
        return MINUS + text if n < 0 else text

    def decimal(self, value: float, digits: int = 1, *, signed: bool = False) -> str:
        """57,3 (en: 57.3); with `signed` +0,4 or −1,2. A half is rounded up, as spreadsheets do."""
        return self._decimal(Decimal(str(value)), digits, signed=signed)

    def _decimal(self, value: Decimal, digits: int, *, signed: bool = False) -> str:
        rounded = abs(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        text = f"{rounded:,.{digits}f}"
        if self.code != "en":
            text = text.replace(",", NO_BREAK).replace(".", ",")
        sign = "" if not rounded else MINUS if value < 0 else "+" if signed else ""
        return sign + text

    def percent(self, share: float, digits: int = 1) -> str:
        """A share of 0 to 1: 12,5 %."""
        return f"{self._decimal(100 * Decimal(str(share)), digits)}{NO_BREAK}%"

    def points(self, share: float, digits: int = 1) -> str:
        """A difference of shares, -1 to 1, in percentage points with its sign: +1,2."""
        return self._decimal(100 * Decimal(str(share)), digits, signed=True)

    def speed(self, kmh: float, digits: int = 1) -> str:
        """57,3 km/h."""
        return f"{self.decimal(kmh, digits)}{NO_BREAK}km/h"

    # ----------------------------------------------------------------------- days and hours

    def day(self, day: date) -> str:
        """4 May 2026; 2026. gada 4. maijs; 2026 m. gegužės 4 d."""
        month = _MONTHS[self.code][day.month - 1]
        if self.code == "lv":
            return f"{day.year}. gada {day.day}. {month}"
        if self.code == "lt":
            return f"{day.year} m. {month} {day.day} d."
        return f"{day.day} {month} {day.year}"

    def short_day(self, day: date) -> str:
        """For tables: 04.05.2026. (lv, with the stop of an ordinal number), 2026-05-04 (lt, en)."""
        return f"{day:%d.%m.%Y.}" if self.code == "lv" else f"{day:%Y-%m-%d}"

    def weekday(self, day: int, *, short: bool = False) -> str:
        """Of 0 (Monday) to 6."""
        return (_WEEKDAYS_SHORT if short else _WEEKDAYS)[self.code][day]

    def month(self, number: int) -> str:
        """Of 1 to 12, as it stands in a date."""
        return _MONTHS[self.code][number - 1]

    def clock(self, moment: datetime) -> str:
        """07:30, as it stands in `moment`."""
        return f"{moment:%H:%M}"


@cache
def language(code: str) -> Language:
    """The one for lv, lt or en; ValueError for another."""
    return Language(code)
