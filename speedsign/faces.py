"""What the pages of a config stand for: the number, nothing, a word by name, or a text as it is written.

"speed"     the number
"dark"      nothing; it stands alone, since a face that goes dark in turn is flashing by writing
"thanks"    a word of words.toml, in the sign's language
"=BUS"      this text
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from unicodedata import normalize

from speedsign.errors import ConfigError
from speedsign.model import Face

MAX_PAGES = 4  # more than a driver can read while passing
MAX_TEXT = 64
_LIKE_DIGITS = frozenset("BDGIOQSZ")  # on seven segments O is 0, S is 5 and so on


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a face: the number, or a word as it is written on the panel, or neither: dark."""

    number: bool = False
    word: str = ""

    def face(self, number: int, *, blink: bool, beacon: bool) -> Face:
        """What the driver of a vehicle with this number sees; a dark page has nothing to blink."""
        if self.number:
            return Face(number, blink=blink, beacon=beacon)
        return Face(word=self.word, blink=blink and bool(self.word), beacon=beacon)

    def __str__(self) -> str:
        return "speed" if self.number else self.word or "dark"


SPEED, NOTHING = Page(number=True), Page()
_NAMED = {"speed": SPEED, "dark": NOTHING}

Pages = tuple[Page, ...]


@cache
def load_words() -> Mapping[str, Mapping[str, str]]:
    """The words by name, each by language; from the file that comes with the package."""
    text = files("speedsign").joinpath("words.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


def words_in(language: str) -> dict[str, str]:
    """Name -> word as it is written on the panel."""
    return {name: spellings[language] for name, spellings in load_words().items()}


def page_problem(text: str, words: Mapping[str, str]) -> str | None:
    """What is wrong with one page of a config, as the end of a sentence; None: nothing."""
    if text.startswith("="):
        if not text[1:].strip():
            return "has no text behind its =; a dark panel is called dark"
        if len(text) > MAX_TEXT or not text.isprintable():
            return f"must be one line of at most {MAX_TEXT - 1} characters that can be printed"
        if _reads_as_a_speed(text[1:]):
            return "would be read as a speed, which nobody has measured; add letters that no digit looks like"
        return None
    if text in _NAMED or text in words:
        return None
    known = ", ".join([*_NAMED, *words])
    return f'is no page; known are {known}, and "=TEXT" for a text of your own'


def _reads_as_a_speed(text: str) -> bool:
    """Digits of any script, or what looks like them, and no letter that says otherwise."""
    letters = normalize("NFKC", text).upper()
    if any(one.isalpha() and one not in _LIKE_DIGITS for one in letters):
        return False
    return any(one.isdigit() or one in _LIKE_DIGITS for one in letters)


def pages_problem(texts: Sequence[str]) -> str | None:
    """What is wrong with a list of pages as a whole; None: nothing."""
    if not texts:
        return 'must name at least one page; a dark panel is ["dark"]'
    if len(texts) > MAX_PAGES:
        return f"has {len(texts)} pages; nobody reads more than {MAX_PAGES} while passing"
    if len(texts) > 1 and "dark" in texts:
        return "alternates with dark: that is flashing, by writing again and again; use blink"
    return None


def pages_of(texts: Sequence[str], words: Mapping[str, str]) -> Pages:
    """The pages that a config names, in order; raises ConfigError for what is none."""
    for text in texts:
        if problem := page_problem(text, words):
            raise ConfigError([f"the page {text!r} {problem}"])
    if problem := pages_problem(texts):
        raise ConfigError([f"the list of pages {problem}"])
    return tuple(
        Page(word=text[1:]) if text.startswith("=") else _NAMED.get(text) or Page(word=words[text])
        for text in texts
    )
