"""Words and pages: what a config names and what stands on the panel."""

from __future__ import annotations

import pytest

from speedsign.errors import ConfigError
from speedsign.faces import NOTHING, SPEED, Page, load_words, page_problem, pages_of, pages_problem, words_in
from speedsign.model import BLANK, Face

LANGUAGES = ("lv", "lt", "en")


def test_every_word_is_there_in_every_language() -> None:
    for name, spellings in load_words().items():
        assert set(spellings) == set(LANGUAGES), name
        for word in spellings.values():
            assert word == word.upper().strip()
            assert word.isprintable()
    assert {"thanks", "slower", "school", "too_fast"} <= set(load_words())


def test_the_words_of_a_language() -> None:
    assert (words_in("lv")["thanks"], words_in("lv")["slower"]) == ("PALDIES", "LĒNĀK")
    assert (words_in("lt")["thanks"], words_in("lt")["slower"]) == ("AČIŪ", "LĖČIAU")
    assert (words_in("en")["thanks"], words_in("en")["slower"]) == ("THANK YOU", "SLOW DOWN")


def test_pages_are_resolved_in_order() -> None:
    words = words_in("lt")
    assert pages_of(("speed", "slower", "=stop!"), words) == (SPEED, Page(word="LĖČIAU"), Page(word="stop!"))
    assert pages_of(("dark",), words) == (NOTHING,)


@pytest.mark.parametrize("texts", [("hello",), ("=",), ("=  ",), (), ("speed", "dark"), ("=a\tb",)])
def test_what_is_no_page_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        pages_of(texts, words_in("en"))


def test_an_unknown_word_is_answered_with_those_there_are() -> None:
    said = page_problem("thank", words_in("en"))
    assert said is not None
    for name in ("speed", "dark", *load_words()):
        assert name in said


def test_a_face_in_turn_with_darkness_is_flashing() -> None:
    assert "flashing" in str(pages_problem(("dark", "speed")))
    assert pages_problem(("speed", "slower")) is None


def test_what_a_page_shows() -> None:
    assert SPEED.face(50, blink=True, beacon=False) == Face(50, blink=True)
    assert Page(word="AČIŪ").face(50, blink=False, beacon=True) == Face(word="AČIŪ", beacon=True)
    assert NOTHING.face(50, blink=True, beacon=False) == BLANK, "nothing to blink"
    assert NOTHING.face(50, blink=False, beacon=True) == Face(beacon=True)
    assert [str(page) for page in (SPEED, NOTHING, Page(word="AČIŪ"))] == ["speed", "dark", "AČIŪ"]


@pytest.mark.parametrize(
    "text",
    ["50", "SS", "5O", " 1I0 ", "-30", "B.G", "os", "50!", "(50)", "50/", "３０", "٣٠", "⑤0", "Ｓ０", "!O!"],
)
def test_a_text_that_reads_as_a_speed_is_none(text: str) -> None:
    problem = page_problem(f"={text}", {})
    assert problem is not None
    assert "would be read as a speed" in problem


@pytest.mark.parametrize("text", ["STOP", "30 ZONA", "BUSS!", "LABI", "!!!", "☺", "...", "-", "30 ЗОНА"])
def test_a_text_without_digits_or_with_a_letter_that_none_looks_like_is_one(text: str) -> None:
    assert page_problem(f"={text}", {}) is None
