"""Lines of a log on their way into a bug report: what is secret is never in it, whatever stands around it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from speedsign.doctor.redact import Redactor
from speedsign.doctor.redact_shapes import names_a_secret

LONGEST = 2048
SECRET = "h7Kx-w0rd!9"
PRIVATE = {"Bauska": "(site)", "janis.berzins": "(user)"}
WORDS = (
    SECRET.encode(), b"Bauska", b"janis.berzins", b"-----BEGIN PRIVATE KEY-----", b"password=", b"token: ",
    b"://", b"@", b"192.168.1.20", b"fe80::1", b"aa:bb:cc:dd:ee:ff", b"/home/janis", b"+371 2612 3456",
    b"mqtt://u:p@host:8883/x?y=z", b"eyJhbGciOiJIUzI1NiJ9.", b"=" * 200, b":" * 200, b"a" * 300, b"%2F",
    b'"', b"\\u0062",
)  # fmt: skip


def target(data: bytes) -> None:
    """As text, and as JSON where it is that; the secret put into the middle."""
    text = data.decode("utf-8", "replace")
    middle = len(text) // 2
    text = f"{text[:middle]} {SECRET} {text[middle:]}"
    redactor = Redactor([SECRET], PRIVATE)
    clean = redactor.text(text)
    assert SECRET not in clean, clean
    assert redactor.removed
    assert SECRET not in Redactor([SECRET], PRIVATE).text(clean)
    names_a_secret(text[:100])
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    value = Redactor([SECRET], PRIVATE).value({"x": found, "password": SECRET, "list": [SECRET, found]})
    assert SECRET not in json.dumps(value)


def seeds() -> Iterator[bytes]:
    yield b"speedsign[812]: mqtt: connected to mqtt://bauska:s3cret@broker.example.org:8883 as bauska-3"
    yield b"janis.berzins@example.org from 192.168.1.20 (fe80::1%eth0, aa:bb:cc:dd:ee:ff), +371 2612 3456"
    yield b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n token: abc"
    yield b'{"host": "10.0.0.1", "password": "x", "a": [{"token": "y", "n": 1.5}], "key": "ed25519:AAAA"}'
    yield b"key = ed25519:" + b"A" * 43 + b"= eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
