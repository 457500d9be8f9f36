"""Ed25519 (RFC 8032) and the files of keys: the one place of commands that needs the library.

It is loaded at the first use: a sign that is never commanded does not carry its 8 MB.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from speedsign.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SCHEME = "ed25519:"
PUBLIC_BYTES = 32
_LONGEST_FILE = 16_384


def public_bytes(text: str) -> bytes:
    """The key in a config's `public`; ValueError for anything but `ed25519:` and 44 characters of base64."""
    scheme, _, rest = text.partition(":")
    try:
        found = base64.b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if f"{scheme}:" != SCHEME or len(found) != PUBLIC_BYTES or base64.b64encode(found).decode() != rest:
        raise ValueError(
            f"must be {SCHEME} and 44 characters of base64, as `speedsign command key` prints it"
        )
    return found


def public_text(public: bytes) -> str:
    return SCHEME + base64.b64encode(public).decode()


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of the key has signed exactly this."""
    from cryptography.exceptions import InvalidSignature

    try:
        _public(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(20)
def _public(public: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public)


class PrivateKey:
    """A person's key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def new(cls) -> PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def pem(self, passphrase: str | None) -> bytes:
        """PKCS#8, encrypted when there is a passphrase."""
        from cryptography.hazmat.primitives import serialization as pem

        locked: pem.KeySerializationEncryption = pem.NoEncryption()
        if passphrase:
            locked = pem.BestAvailableEncryption(passphrase.encode())
        return self._key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, locked)


def write_private(path: Path, key: PrivateKey, passphrase: str | None) -> None:
    """A new file that its owner alone can read; UsageError when there is one: a key is never overwritten."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already, and a key is never overwritten; name another file"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(key.pem(passphrase))
        file.flush()
        os.fsync(file.fileno())


def read_private(path: Path, passphrase: str | None) -> PrivateKey:
    """The key of a file; UsageError with a sentence when it cannot be used, or others can read it."""
    data = _owners_file(path)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, passphrase.encode() if passphrase else None)
    except TypeError:
        said = "is locked: its passphrase is needed" if passphrase is None else "has no passphrase"
        raise UsageError(f"{path} {said}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path} is no private key, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is a key of another kind; `speedsign command key` makes the right one")
    return PrivateKey(key)


def _owners_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise UsageError(f"{path}: others than its owner can read this key; run: chmod 600 {path}")
            return file.read(_LONGEST_FILE)
    except OSError as error:
        raise UsageError(f"{path}: the key cannot be read: {error.strerror}") from None
