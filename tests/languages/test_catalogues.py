"""Every message of the code is in both catalogues, whole; what is compiled is what is written."""

from __future__ import annotations

import re
import string

import pytest

from hatch_build import compiled
from tests.languages.catalogues import (
    PLURALS,
    NotLiteral,
    as_po,
    catalogue,
    forms,
    merged,
    messages_of,
    path_of,
    said,
    untranslated,
)

CODES = tuple(PLURALS)
UPDATE = "run python -m tests.languages.update, and translate what it names"


def places(text: str) -> set[str]:
    """The names in {braces}."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def pairs(code: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Message and translation, each with all its forms."""
    return [
        ((found.id,) if isinstance(found.id, str) else tuple(found.id), forms(found))
        for found in catalogue(code)
        if found.id
    ]


@pytest.mark.parametrize("code", CODES)
def test_the_catalogue_holds_what_the_code_says_and_nothing_else(code: str) -> None:
    assert {found.id for found in catalogue(code) if found.id} == {message.id for message in said()}, UPDATE


@pytest.mark.parametrize("code", CODES)
def test_everything_is_translated(code: str) -> None:
    assert untranslated(catalogue(code)) == [], UPDATE
    assert [found.id for found in catalogue(code) if found.id and found.fuzzy] == []
    assert not catalogue(code).obsolete


@pytest.mark.parametrize("code", CODES)
def test_every_plural_form_is_there(code: str) -> None:
    assert catalogue(code).num_plurals == 3
    assert [ids for ids, texts in pairs(code) if len(texts) != (3 if len(ids) == 2 else 1)] == []


@pytest.mark.parametrize("code", CODES)
def test_translations_have_the_places_of_the_message(code: str) -> None:
    assert [
        (ids, text) for ids, texts in pairs(code) for text in texts if places(text) != places(ids[-1])
    ] == []


@pytest.mark.parametrize("code", CODES)
def test_translations_begin_and_end_like_the_message(code: str) -> None:
    """A text that is put before others ends in the same stop, and has no stray space."""
    ends = ".:;,?! "
    assert (
        [
            (ids, text)
            for ids, texts in pairs(code)
            for text in texts
            if ids not in (("{number} pp",), ("pp",))  # an abbreviation with its stop
            and [text[-1:] if text[-1:] in ends else "", text[:1] == " "]
            != [ids[0][-1:] if ids[0][-1:] in ends else "", ids[0][:1] == " "]
        ]
        == []
    )


@pytest.mark.parametrize("code", CODES)
def test_numbers_in_translations_have_a_decimal_comma(code: str) -> None:
    assert [text for _, texts in pairs(code) for text in texts if re.search(r"\d\.\d", text)] == []


@pytest.mark.parametrize("code", CODES)
def test_the_file_is_in_its_order(code: str) -> None:
    assert path_of(code).read_text() == as_po(merged(catalogue(code), said()), code), UPDATE


@pytest.mark.parametrize("code", CODES)
def test_what_is_compiled_is_what_is_written(code: str) -> None:
    assert path_of(code).with_suffix(".mo").read_bytes() == compiled(path_of(code)), UPDATE


def test_messages_are_found_wherever_they_stand() -> None:
    source = 'a.words.say("one" " two", n=say("not"))\nx = w.say("a" if x else "b")\nw.say_n("i", "ii", 3)\n'
    assert set(messages_of(source, "a.py")) == {"one two", "a", "b", ("i", "ii")}


def test_what_is_said_to_the_technician_is_no_message() -> None:
    source = 'technician.say(f"a {b}")\nself.say("b")\nself.asker.say("c")\nself.words.say("d")\n'
    assert messages_of(source, "a.py") == ["d"]


@pytest.mark.parametrize("source", ['w.say(f"a {b}")', "w.say(text)", 'w.say_n("a", b, 1)', "w.say()"])
def test_a_message_that_is_no_literal_is_refused(source: str) -> None:
    with pytest.raises(NotLiteral, match=r"a\.py:2: the message has to be written out"):
        messages_of(f"\n{source}", "a.py")
