"""Licences: of each library known, and of what is shipped one that allows it."""

from __future__ import annotations

import re
import sysconfig
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package import distributions, licences
from package.copyright import copyright_file
from package.spdx import MAY_BE_SHIPPED, canonical, licence_of, may_be_shipped
from speedsign.errors import SpeedsignError
from tests.docs import pages
from tests.docs.pages import ROOT

SITE = Path(sysconfig.get_path("purelib"))


def about(**fields: str | list[str]) -> Message:
    message = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


# -- what a library is under -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "licence"),
    [
        (about(License_Expression="mit or apache-2.0"), "MIT OR Apache-2.0"),
        (about(License="Apache-2.0"), "Apache-2.0"),
        (about(License="The MIT licence", Classifier="License :: OSI Approved :: MIT License"), "MIT"),
        (about(License="MIT License\n" * 40, Classifier="License :: OSI Approved :: MIT License"), "MIT"),
    ],
)
def test_by_expression_text_or_classifier(told: Message, licence: str) -> None:
    assert licence_of("new", told) == licence


@pytest.mark.parametrize(
    "told",
    [
        about(),
        about(License="proprietary"),
        about(License="BSD"),
        about(Classifier="License :: OSI Approved :: BSD License"),  # which of three
        about(Classifier=["License :: OSI Approved :: MIT License", "License :: Other/Proprietary License"]),
    ],
)
def test_what_nobody_knows_is_refused_and_names_the_library(told: Message) -> None:
    with pytest.raises(SpeedsignError, match="new: its metadata names no licence that is known; read its"):
        licence_of("new", told)


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True),
        ("GPL-3.0-or-later", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True),
        ("(MIT AND GPL-3.0-only) OR LGPL-2.1-only", False),
        ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("", False),
    ],
)
def test_one_of_the_ways_that_are_offered_has_to_be_allowed(expression: str, may: bool) -> None:
    assert may_be_shipped(expression) is may


@given(st.lists(st.sampled_from(["MIT", "GPL-2.0-only", "OR", "AND", "WITH", "(", ")"]), max_size=12))
def test_an_odd_expression_is_judged_and_never_fails(words: list[str]) -> None:
    text = " ".join(words)
    if may_be_shipped(text):
        assert canonical(text), "only what is valid may be shipped"
        assert "MIT" in text


def test_all_that_may_be_shipped_are_names_of_spdx() -> None:
    assert all(canonical(name) == name for name in MAY_BE_SHIPPED)
    assert not any("GPL" in name for name in MAY_BE_SHIPPED)


# -- of what is locked -------------------------------------------------------------------------


def test_the_page_is_what_the_lock_says() -> None:
    """Not so? make licences."""
    text = pages.text("docs/licences.md")
    assert licences.page(text, licences.tables(SITE)) == text


def test_everything_locked_is_on_the_page_once() -> None:
    page = pages.text("docs/licences.md")
    named = [row[0] for row in pages.table_rows(page)]
    assert len(named) == len(set(named))
    locked = {
        name
        for file in ("run.txt", "lock.txt")
        for name in licences.locked_here(ROOT / "requirements" / file)
    }
    assert set(named) == locked


def test_a_page_without_its_marks_is_told() -> None:
    with pytest.raises(SpeedsignError, match="lacks <!-- shipped --> or <!-- end of shipped -->"):
        licences.page("# Licences\n", {"shipped": "", "not shipped": ""})


# -- in the package ----------------------------------------------------------------------------


def made(site: Path, licence: str, text: str = "") -> list[distributions.Distribution]:
    folder = site / "lib-1.0.dist-info"
    (folder / "licenses").mkdir(parents=True)
    head = f"Metadata-Version: 2.4\nName: lib\nVersion: 1.0\nAuthor: Anna\nLicense-Expression: {licence}\n"
    (folder / "METADATA").write_text(head)
    if text:
        (folder / "licenses/LICENSE").write_text(text)
    return distributions.read(site)


def test_the_packages_copyright_has_every_text_and_notice(tmp_path: Path) -> None:
    text = "Copyright (c) 2020-2026 Anna Ozola\n\nPermission is hereby granted\n  to all.\n"
    said = copyright_file("OWN\n\nTEXT\n", made(tmp_path, "MIT", text), "opt/libs")
    assert said.startswith("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n")
    assert "License: EUPL-1.2\n OWN\n .\n TEXT\n" in said
    assert "Files:\n opt/libs/lib-1.0.dist-info/*\nCopyright:\n Copyright (c) 2020-2026 Anna Ozola\n" in said
    assert "License: MIT\n LICENSE:\n .\n Copyright (c)" in said
    assert " .\n Permission is hereby granted\n   to all.\nComment: lib 1.0\n" in said
    for paragraph in said.split("\n\n"):
        assert all(re.match(r"[A-Z][\w-]+:| \S| {2,}\S", line) for line in paragraph.splitlines()), paragraph


@pytest.mark.parametrize(
    ("licence", "text", "sentence"),
    [
        ("AGPL-3.0-only", "text", "lib is under AGPL-3.0-only, which package/spdx.py does not allow"),
        ("MIT", "", "lib: its wheel has no licence text; put one into package/licence_texts/lib.txt"),
    ],
)
def test_what_may_not_be_shipped_ends_the_build(
    tmp_path: Path, licence: str, text: str, sentence: str
) -> None:
    with pytest.raises(SpeedsignError, match=sentence):
        copyright_file("", made(tmp_path, licence, text), "opt/libs")


def test_a_part_that_may_not_be_shipped_ends_it_too(tmp_path: Path) -> None:
    libraries = made(tmp_path, "MIT", "text")
    (tmp_path / "lib-1.0.dist-info/sboms").mkdir()
    part = '{"name": "c", "licenses": [{"expression": "GPL-2.0-only"}]}'
    inner = f'{{"bomFormat": "CycloneDX", "components": [{part}]}}'
    (tmp_path / "lib-1.0.dist-info/sboms/own.json").write_text(inner)
    with pytest.raises(SpeedsignError, match="c in lib is under GPL"):
        copyright_file("", libraries, "opt/libs")
