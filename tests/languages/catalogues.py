"""What the code says, and what the catalogues have for it.

Read from the syntax tree and not by Babel's own extraction, which takes every function called `say` for ours,
and passes over a message that is no literal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent.parent
LOCALE = ROOT / "speedsign" / "locale"
PACKAGES = ("speedsign", "telemetry")
# A noun after a number (cldr.unicode.org): 1, 21 | 2, 22 | 0, 10 to 20, in each language's own order.
PLURALS = {
    "lv": "nplurals=3; plural=(n%10==0 || (n%100>=11 && n%100<=19) ? 0 : n%10==1 && n%100!=11 ? 1 : 2);",
    "lt": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2);",
}
# Who else says something: to the technician, in English.
ON_A_TERMINAL = {"technician", "session", "asker", "self"}
HEADER = """\
# The words of reports. New messages are put in by: python -m tests.languages.update
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""

Id = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the code: one text, or that for one and that for many."""

    id: Id
    path: str  # below the root


class NotLiteral(ValueError):  # noqa: N818  the situation is its name
    """A message that nobody can translate, because it is made while the program runs."""


def said() -> list[Said]:
    """Every message, in the order of the files. Raises NotLiteral, which names the line."""
    return [
        Said(message, str(path.relative_to(ROOT)))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for message in messages_of(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]


def messages_of(source: str, name: str) -> list[Id]:
    """Those of one module: the arguments of every .say and .say_n. Raises NotLiteral."""
    return [message for node in ast.walk(ast.parse(source, name)) for message in _messages(node, name)]


def _messages(node: ast.AST, name: str) -> Iterator[Id]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    if _last_name(node.func.value) in ON_A_TERMINAL:
        return
    try:
        if node.func.attr == "say":
            yield from _texts(node.args[0])
        elif node.func.attr == "say_n":
            (one,), (many,) = _texts(node.args[0]), _texts(node.args[1])
            yield one, many
    except (IndexError, ValueError):
        raise NotLiteral(f"{name}:{node.lineno}: the message has to be written out") from None


def _last_name(node: ast.expr) -> str:
    """`words` of `words` and of `self.words`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.expr) -> list[str]:
    """A literal, or one of two by a condition."""
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    raise ValueError


def path_of(code: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / "speedsign.po"


def catalogue(code: str) -> Catalog:
    """As it stands in the .po; empty when there is none."""
    path = path_of(code)
    text = path.read_bytes() if path.exists() else HEADER.format(code=code, plurals=PLURALS[code]).encode()
    return read_po(BytesIO(text), locale=code, abort_invalid=True)


def merged(old: Catalog, messages: list[Said]) -> Catalog:
    """Every message of the code with the translation it had; what the code no longer says is gone."""
    new = Catalog(locale=old.locale)
    new.mime_headers = old.mime_headers
    for message in messages:
        had = old.get(message.id[0] if isinstance(message.id, tuple) else message.id)
        translated = had.string if had is not None and had.id == message.id else ""
        new.add(message.id, translated, locations=[(message.path, 0)])
    return new


def untranslated(catalogue: Catalog) -> list[object]:
    """Messages without a translation, or without one of their plural forms."""
    return [message.id for message in catalogue if message.id and not all(forms(message))]


def forms(message: Message) -> tuple[str, ...]:
    """The translation: one, or one for each plural form."""
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


def as_po(catalogue: Catalog, code: str) -> str:
    """The text of the .po: sorted, without dates and line numbers, so that only words change."""
    made = BytesIO()
    write_po(made, catalogue, width=0, omit_header=True, sort_output=True, include_lineno=False)
    return HEADER.format(code=code, plurals=PLURALS[code]) + made.getvalue().decode().rstrip("\n") + "\n"
