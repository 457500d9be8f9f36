"""docs/compliance.md and SECURITY.md: what is said to be given is there; nothing is claimed beyond."""

from __future__ import annotations

import re

import pytest

from speedsign.build import SUPPORT_YEARS
from tests.docs import pages
from tests.docs.pages import ROOT

PAGE = pages.text("docs/compliance.md")
SECURITY = pages.text("SECURITY.md")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def table(name: str) -> list[list[str]]:
    _, _, rest = PAGE.partition(f"<!-- {name} -->\n")
    body, end, _ = rest.partition(f"<!-- end of {name} -->")
    assert end, name
    return pages.table_rows(body)


PART_I, PART_II, EN_18031 = table("annex I part I"), table("annex I part II"), table("en 18031")
EVERY = [*PART_I, *PART_II, *EN_18031]


def test_every_point_of_annex_i_has_its_row() -> None:
    points = ["(1)", *(f"(2)({letter})" for letter in "abcdefghijklm")]
    assert [row[0].split(" ")[0] for row in PART_I] == points
    assert [row[0].split(" ")[0] for row in PART_II] == [f"({n})" for n in range(1, 9)]


def test_every_mechanism_of_en_18031_1_has_its_row() -> None:
    mechanisms = ["ACM", "AUM", "SUM", "SSM", "SCM", "RLM", "NMM", "TCM", "CCK", "GEC", "CRY"]
    assert [row[0].split(" ")[0] for row in EN_18031] == mechanisms


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row[0].split(" ")[0])
def test_what_is_given_is_shown_by_what_there_is(row: list[str]) -> None:
    _point, given, shown, remains = row
    assert remains, "something always remains"
    if given.startswith("not applicable: "):
        assert shown == "none"
        return
    tests, links = TEST.findall(shown), pages.LINK.findall(shown)
    assert tests or links
    assert re.sub(r"[ ,]", "", pages.LINK.sub("", TEST.sub("", shown))) == ""
    for link in links:
        assert (ROOT / "docs" / link.partition("#")[0]).resolve().is_file(), link
    for file, name in tests:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), name


def test_every_test_that_the_text_names_is_there() -> None:
    for file, name in TEST.findall(PAGE):
        assert f"def {name}(" in (ROOT / file).read_text(), name


def test_no_conformity_is_claimed() -> None:
    assert "**no claim of conformity**" in PAGE
    assert not re.search(r"\b(is|are) (compliant|certified|conform)\b|fulfils", PAGE, re.IGNORECASE)


# -- SECURITY.md -------------------------------------------------------------------------------


def test_the_policy_says_what_a_reporter_and_a_buyer_have_to_know() -> None:
    for heading in ("## Reporting", "## What to expect", "## Support", "## In scope"):
        assert heading in SECURITY
    assert re.search(r"within \d+ days", pages.section(SECURITY, "## What to expect"))
    support = pages.section(SECURITY, "## Support")
    assert {5: "five years"}[SUPPORT_YEARS] in support
    assert "speedsign --version" in support


def test_no_mailbox_is_made_up() -> None:
    for name in (
        "SECURITY.md",
        "package/deb.py",
        "package/source.py",
        "pyproject.toml",
        "docs/compliance.md",
    ):
        assert not re.search(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", pages.text(name)), name
