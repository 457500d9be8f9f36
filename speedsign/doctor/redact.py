"""What must not leave a sign with a bug report is taken out of texts: secrets, people, addresses.

Pure. What is known to be private is masked wherever it stands; what only looks so is masked by its shape.
"""

from __future__ import annotations

import ipaddress
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from speedsign.doctor.redact_shapes import (
    HOME,
    IPV4,
    IPV6,
    KEPT_KEY,
    LONG,
    MAC,
    MAIL,
    PEM,
    PHONE,
    SAID,
    URL,
    names_a_secret,
)

_LEAST = 3  # letters of a private word that is looked for in running text
# Words that say nothing about anybody, though they may be somebody's user name or site.
_EVERYBODY = frozenset({
    "admin", "daemon", "display", "dialout", "host", "hub", "localhost", "mosquitto", "mqtt", "nobody",
    "none", "panel", "radar", "raspberrypi", "root", "school", "sign", "speed", "speedsign", "store",
    "system", "test", "unknown", "user",
})  # fmt: skip


class Redactor:
    """Masks texts; `removed` counts what was, by kind.

    `secrets`: never to be seen, whatever they are part of. `private`: words of people and places, which are
    looked for as whole words; one that stands for itself is kept, also where it has another in it.
    """

    def __init__(self, secrets: Iterable[str] = (), private: Mapping[str, str] | None = None) -> None:
        """`private`: word -> what stands in its place."""
        self.removed: dict[str, int] = {}
        self._secrets = [re.compile(one) for one in _patterns(secrets)]
        named = private or {}
        self._kept = [_word(word) for word, instead in named.items() if word == instead]
        self._private = [
            (_word(word), instead)
            for word, instead in sorted(named.items(), key=lambda pair: -len(pair[0]))
            if word != instead and len(word.strip()) >= _LEAST and word.strip().lower() not in _EVERYBODY
        ]

    def text(self, text: str) -> str:
        """The same without what must not leave."""
        for pattern in self._secrets:
            text = self._mask(pattern, "(secret)", "secret", text)
        text = self._mask(PEM, "(private key)", "private key", text)
        text = self._said(text)  # before names: a name in a passphrase would not be all of it
        for pattern, instead in self._private:
            text = self._names(pattern, instead, text)
        text = self._mask(URL, "(user)@", "user in an address", text)
        text = self._mask(MAIL, "(e-mail)", "e-mail address", text)
        text = self._mask(MAC, "(MAC)", "MAC address", text)
        text = self._addresses(IPV4, text)
        text = self._addresses(IPV6, text)
        text = self._mask(HOME, "(user)", "home folder", text)
        text = self._mask(PHONE, "(phone)", "phone number", text)
        return self._long(text)

    def value(self, value: Any) -> Any:
        """A value for JSON, with all of its texts masked, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._under(str(key), one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        return value

    def _under(self, key: str, value: Any) -> Any:
        """What a key stands for."""
        if isinstance(value, str | int | float) and not isinstance(value, bool) and names_a_secret(key):
            self.note("secret")
            return "(secret)"
        return self.value(value)

    def note(self, kind: str, n: int = 1) -> None:
        """Something else was left out."""
        if n:
            self.removed[kind] = self.removed.get(kind, 0) + n

    def _mask(self, pattern: re.Pattern[str], instead: str, kind: str, text: str) -> str:
        text, n = pattern.subn(lambda _found: instead, text)
        self.note(kind, n)
        return text

    def _names(self, pattern: re.Pattern[str], instead: str, text: str) -> str:
        """But where they are part of a word that is kept."""
        kept = [found.span() for word in self._kept for found in word.finditer(text)]
        starts = [start for start, _ in sorted(kept)]
        ends = dict(kept)

        def hide(found: re.Match[str]) -> str:
            at = bisect_right(starts, found.start()) - 1
            if at >= 0 and found.end() <= ends[starts[at]]:
                return found[0]
            self.note("name")
            return instead

        return pattern.sub(hide, text)

    def _said(self, text: str) -> str:
        """After a word like "password": what it is."""

        def hide(found: re.Match[str]) -> str:
            if found[2] == "(secret)":
                return found[0]
            self.note("secret")
            return f"{found[1]}(secret)"

        return SAID.sub(hide, text)

    def _addresses(self, pattern: re.Pattern[str], text: str) -> str:
        """But those that everybody has."""

        def hide(found: re.Match[str]) -> str:
            address = found[0] if found[0].endswith("::") else found[0].rstrip(":.")
            if not _is_somebodys(address):
                return found[0]  # or a time, a version
            self.note("IP address")
            return "(IP)" + found[0][len(address) :]

        return pattern.sub(hide, text)

    def _long(self, text: str) -> str:
        """What looks like a key: long, with small and capital letters and digits."""
        kept = {found.span() for found in KEPT_KEY.finditer(text)}

        def hide(found: re.Match[str]) -> str:
            run = found[0]
            looks = any(map(str.isupper, run)) and any(map(str.islower, run)) and any(map(str.isdigit, run))
            if not looks or any(start <= found.start() and found.end() <= end for start, end in kept):
                return run
            self.note("what looks like a key")
            return "(key)"

        return LONG.sub(hide, text)


def _is_somebodys(text: str) -> bool:
    """Whether it is an address, and none that every machine has."""
    try:
        address = ipaddress.ip_address(_plain(text))
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _plain(text: str) -> str:
    """192.168.017.050 as everybody writes it."""
    parts = text.split(".")
    return ".".join(str(int(one)) for one in parts) if all(map(str.isdecimal, parts)) else text


def _patterns(secrets: Iterable[str]) -> Iterable[str]:
    """Each secret as it may stand in a text: plain, in JSON, in a Python string, in an address."""
    for secret in sorted({one.strip() for one in secrets if one.strip()}, key=len, reverse=True):
        forms = {
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
        }
        forms.add(quote(secret, safe=""))
        for form in sorted(forms, key=len, reverse=True):
            if len(secret) >= 4:
                yield re.escape(form)
            else:  # as part of other words it would be everywhere
                yield rf"(?<!\w){re.escape(form)}(?!\w)"


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word.strip())}(?!\w)", re.IGNORECASE)
