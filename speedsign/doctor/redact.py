"""What must not leave a sign with a bug report is taken out of texts: secrets, people, addresses.

Pure. What is known to be private is masked wherever it stands; what only looks so is masked by its shape.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

_LEAST = 3  # letters of a private word that is looked for in running text
# Words that say nothing about anybody, though they may be somebody's user name or site.
_EVERYBODY = frozenset({
    "admin", "daemon", "display", "dialout", "host", "hub", "localhost", "mosquitto", "mqtt", "nobody",
    "none", "panel", "radar", "raspberrypi", "root", "school", "sign", "speed", "speedsign", "store",
    "system", "test", "unknown", "user",
})  # fmt: skip

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_KEPT_KEY = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")  # the public half of an officer's key
_LONG = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{32,}={0,2}")
_URL = re.compile(r"(?<=://)[^\s/@]{1,200}@")
_SAID = re.compile(
    r"(?i)\b(pass(?:word|phrase|wd)?|secret|token|psk|pin|api[_-]?key)([\"']?\s*[=:]\s*|\s+is\s+)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;]+)"
)
_MAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(
    r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{0,35}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{0,40}(?![0-9A-Za-z:])"
)
_HOME = re.compile(r"(?<=/home/)[^/\s:'\"]+")
_PHONE = re.compile(r"(?<![\w+])\+\d[\d ()-]{7,20}\d")


class Redactor:
    """Masks texts; `removed` counts what was, by kind.

    `secrets`: never to be seen, whatever they are part of. `private`: words of people and places, which are
    looked for as whole words.
    """

    def __init__(self, secrets: Iterable[str] = (), private: Mapping[str, str] | None = None) -> None:
        """`private`: word -> what stands in its place."""
        self.removed: dict[str, int] = {}
        self._secrets = [re.compile(one) for one in _patterns(secrets)]
        self._private = [
            (_word(word), instead)
            for word, instead in sorted((private or {}).items(), key=lambda pair: -len(pair[0]))
            if len(word.strip()) >= _LEAST and word.strip().lower() not in _EVERYBODY
        ]

    def text(self, text: str) -> str:
        """The same without what must not leave."""
        for pattern in self._secrets:
            text = self._mask(pattern, "(secret)", "secret", text)
        text = self._mask(_PEM, "(private key)", "private key", text)
        for pattern, instead in self._private:
            text = self._mask(pattern, instead, "name", text)
        text = self._said(text)
        text = self._mask(_URL, "(user)@", "user in an address", text)
        text = self._mask(_MAIL, "(e-mail)", "e-mail address", text)
        text = self._mask(_MAC, "(MAC)", "MAC address", text)
        text = self._addresses(_IPV4, text)
        text = self._addresses(_IPV6, text)
        text = self._mask(_HOME, "(user)", "home folder", text)
        text = self._mask(_PHONE, "(phone)", "phone number", text)
        return self._long(text)

    def value(self, value: Any) -> Any:
        """A value for JSON, with all of its texts masked, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        return value

    def note(self, kind: str, n: int = 1) -> None:
        """Something else was left out."""
        if n:
            self.removed[kind] = self.removed.get(kind, 0) + n

    def _mask(self, pattern: re.Pattern[str], instead: str, kind: str, text: str) -> str:
        text, n = pattern.subn(lambda _found: instead, text)
        self.note(kind, n)
        return text

    def _said(self, text: str) -> str:
        """After a word like "password": what it is."""

        def hide(found: re.Match[str]) -> str:
            self.note("secret")
            return f"{found[1]}{found[2]}(secret)"

        return _SAID.sub(hide, text)

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
        kept = {found.span() for found in _KEPT_KEY.finditer(text)}

        def hide(found: re.Match[str]) -> str:
            run = found[0]
            looks = any(map(str.isupper, run)) and any(map(str.islower, run)) and any(map(str.isdigit, run))
            if not looks or any(start <= found.start() and found.end() <= end for start, end in kept):
                return run
            self.note("what looks like a key")
            return "(key)"

        return _LONG.sub(hide, text)


def _is_somebodys(text: str) -> bool:
    """Whether it is an address, and none that every machine has."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


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
