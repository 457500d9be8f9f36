"""Files of certificates and keys that a config names: facts, or one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from speedsign.certificates import make_request, read_certificates
from speedsign.doctor.certificate import NamedCertificates, judge_certificates
from speedsign.errors import UsageError
from telemetry.command.signature import PrivateKey, public_bytes, read_private
from tests.fuzz.kit import one_sentence
from tests.fuzz.scratch import scratch
from tests.telemetry.certificates import Authority

LONGEST = 4096
WORDS = (
    b"-----BEGIN CERTIFICATE-----\n", b"\n-----END CERTIFICATE-----\n", b"-----BEGIN PRIVATE KEY-----\n",
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", b"ed25519:", b"\r\n", b"=", b"\x30\x82",
    b"\x06\x03\x55\x1d\x11",
)  # fmt: skip
NOW = datetime(2026, 5, 4, tzinfo=UTC)


@cache
def folder() -> Path:
    return scratch()


def target(data: bytes) -> None:
    path = folder() / "any.pem"
    path.write_bytes(data)
    path.chmod(0o600)
    try:
        found = read_certificates(path)
    except UsageError as error:
        one_sentence(error)
    else:
        assert found
        judge_certificates([NamedCertificates("tls_cert_file", path, tuple(found))], NOW, clock_ok=True)
        assert all(one.renewal_utc() for one in found)
    for passphrase in (None, "word"):
        try:
            assert len(read_private(path, passphrase).public) == 32
        except UsageError as error:
            one_sentence(error)
    with contextlib.suppress(ValueError):
        assert len(public_bytes(data.decode("utf-8", "replace"))) == 32


def seeds() -> Iterator[bytes]:
    """An authority, a server with names, a sign, keys with and without a passphrase, and a request."""
    own = folder() / "seeds"
    own.mkdir(exist_ok=True)
    authority = Authority(own, now=NOW)
    issued = (authority.server("localhost"), authority.client("bauska-3"))
    key = PrivateKey.new()
    (own / "own.key").unlink(missing_ok=True)
    request = make_request("bauska-3", own / "own.key")
    yield authority.file.read_bytes()
    for one in issued:
        yield from (one.certificate.read_bytes(), one.key.read_bytes(), one.certificate.read_bytes() * 2)
    yield from (key.pem(None), key.pem("word"), request.encode(), b"ed25519:" + b"A" * 43 + b"=")
    yield issued[0].certificate.read_bytes().replace(b"A", b"B")
