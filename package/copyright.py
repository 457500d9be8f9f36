"""The copyright file of a package, in Debian's machine-readable form (copyright-format 1.0).

Made of what the libraries bring, so that a new one is in it by itself, and one without a known licence, or
with one that may not be shipped, ends the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from package.distributions import Distribution
from package.spdx import may_be_shipped
from speedsign.errors import SpeedsignError

_FORM = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
_HOMEPAGE = "https://github.com/speedsign/speedsign"
_HOLDER = "The speedsign developers"
_NOTICE = re.compile(r"^\W*((?:copyright|©|\(c\))\W.*)$", re.IGNORECASE)
_FILLED_IN = re.compile(r"\d{4}|©|\(c\)", re.IGNORECASE)
_MOST_NOTICES = 20
# What a wheel has inside without listing it, read in the files themselves.
_COMMENTS = {
    "typst": (
        "The renderer carries fonts: Libertinus Serif (OFL-1.1), New Computer Modern (GUST Font License), "
        "DejaVu Sans Mono (Bitstream Vera)."
    ),
    "cffi": "libffi (MIT) is compiled in.",
    "cryptography": "OpenSSL (Apache-2.0) is compiled in.",
}


def copyright_file(own_licence: str, libraries: Sequence[Distribution], site: str) -> str:
    """All of it; `site`: the libraries' folder as it will stand on the machine. Raises SpeedsignError."""
    head = [f"Format: {_FORM}", "Upstream-Name: speedsign", f"Source: {_HOMEPAGE}"]
    own = ["Files: *", f"Copyright: {_HOLDER}", "License: EUPL-1.2", *_folded(own_licence.splitlines())]
    return (
        "\n\n".join("\n".join(part) for part in (head, own, *(_library(one, site) for one in libraries)))
        + "\n"
    )


def _library(one: Distribution, site: str) -> list[str]:
    refuse_what_may_not_be_shipped(one)
    texts = one.licence_texts()
    tops = sorted({top for wheel in one.wheels for top in wheel.tops}) or [f"{one.about.name}/*"]
    lines = ["Files:", *(f" {site}/{top}" for top in tops)]
    lines += ["Copyright:", *(f" {notice}" for notice in _notices(one, texts))]
    lines.append(f"License: {one.licence.replace(' OR ', ' or ').replace(' AND ', ' and ')}")
    for name, text in texts:
        lines += _folded([f"{name}:", "", *text.splitlines()])
    lines += [f"Comment: {one.name} {one.version}"]
    if one.name in _COMMENTS:
        lines += [f" {_COMMENTS[one.name]}"]
    return lines


def refuse_what_may_not_be_shipped(one: Distribution) -> None:
    """Raises SpeedsignError: a licence that forbids it, of the library or of what is compiled into it."""
    said = [(one.name, one.licence)]
    for part in one.parts():
        entries = [entry.get("expression") for entry in part.get("licenses", [])]
        said += [(f"{part['name']} in {one.name}", text) for text in entries if text]
    for name, licence in said:
        if not may_be_shipped(licence):
            raise SpeedsignError(
                f"{name} is under {licence}, which package/spdx.py does not allow to be shipped"
            )


def _notices(one: Distribution, texts: Iterable[tuple[str, str]]) -> list[str]:
    """Who holds the rights, by the lines that say so; where none does, the author."""
    found = dict.fromkeys(
        line[1].strip()
        for _name, text in texts
        for line in map(_NOTICE.match, text.splitlines())
        if line and _FILLED_IN.search(line[1])
    )
    return list(found)[:_MOST_NOTICES] or [one.author or f"the authors of {one.name}"]


def _folded(lines: Iterable[str]) -> list[str]:
    """As deb822(5) continues a field: a blank first, an empty line as a point."""
    return [f" {line.rstrip()}" if line.strip() else " ." for line in lines]
