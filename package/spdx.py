"""Licences by their SPDX names: what a library's metadata says, and what may be shipped with the sign.

Metadata names a licence in three ways: an expression (PEP 639), free text, or a classifier. Where none of
them is clear, the library is in _KNOWN with what its own licence file says; a new one that is not is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import Message

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from speedsign.errors import SpeedsignError

# All let a program be passed on with its licence text beside it; MPL-2.0 asks besides that changes to its own
# files are given too, and none are made. Not here on purpose: GPL, LGPL, AGPL, "other".
MAY_BE_SHIPPED = frozenset(
    (
        "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
        "CC0-1.0", "EUPL-1.2", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unicode-3.0",
        "Unicode-DFS-2016", "Unlicense", "Zlib",
    )
)  # fmt: skip

# Read in the licence file of the library.
_KNOWN = {
    "atheris": "Apache-2.0",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "pyserial": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
# Classifiers that stand for one licence; "BSD License" stands for three.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_WORD = re.compile(r"[()]|[^\s()]+")


def licence_of(name: str, about: Message) -> str:
    """The SPDX expression of a library by its canonical name and metadata. Raises SpeedsignError."""
    if name in _KNOWN:
        return _KNOWN[name]
    for field in ("License-Expression", "License"):
        found = canonical(about.get(field) or "")
        if found:
            return found
    last = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License")]
    named = {_CLASSIFIERS.get(one, "") for one in last}
    if len(named) == 1 and "" not in named:
        return named.pop()
    raise SpeedsignError(
        f"{name}: its metadata names no licence that is known; "
        "read its licence file, and name it in package/spdx.py"
    )


def canonical(text: str) -> str:
    """The text as a valid SPDX expression, else nothing."""
    if len(text) > 200:  # a whole licence
        return ""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""


def may_be_shipped(expression: str) -> bool:
    """Whether one of the ways that an SPDX expression offers is among those that may.

    >>> may_be_shipped("Apache-2.0 OR GPL-2.0-only"), may_be_shipped("MIT AND GPL-2.0-only")
    (True, False)
    """
    words = _WORD.findall(expression)
    good, rest = _any(words)
    return good and not rest and bool(canonical(expression))


def _any(words: Sequence[str]) -> tuple[bool, Sequence[str]]:
    good, rest = _all(words)
    while rest and rest[0].upper() == "OR":
        more, rest = _all(rest[1:])
        good = good or more
    return good, rest


def _all(words: Sequence[str]) -> tuple[bool, Sequence[str]]:
    good, rest = _one(words)
    while rest and rest[0].upper() == "AND":
        more, rest = _one(rest[1:])
        good = good and more
    return good, rest


def _one(words: Sequence[str]) -> tuple[bool, Sequence[str]]:
    if not words:
        return False, ()
    if words[0] == "(":
        good, rest = _any(words[1:])
        return (good, rest[1:]) if rest and rest[0] == ")" else (False, rest)
    if len(words) > 2 and words[1].upper() == "WITH":
        return f"{words[0]} WITH {words[2]}" in MAY_BE_SHIPPED, words[3:]
    return words[0] in MAY_BE_SHIPPED, words[1:]
