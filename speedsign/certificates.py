"""A sign's own TLS key and what is asked of an authority: the key is made on the device and stays there.

P-256, which every TLS library speaks; the request names the sign's id, which the broker takes for its user.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from speedsign.errors import UsageError

if TYPE_CHECKING:
    from cryptography import x509

_LONGEST_FILE = 65_536


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a person wants to know of a certificate."""

    subject: str
    issuer: str
    from_utc: datetime
    until_utc: datetime
    hosts: tuple[str, ...]  # names and addresses that it is good for; a sign's has none

    def renewal_utc(self) -> datetime:
        """When it is time for a new one: at two thirds of its life."""
        return self.from_utc + (self.until_utc - self.from_utc) * 2 / 3


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of this machine and its group, by number."""

    uid: int
    gid: int


def owner_for(data_folder: Path) -> Owner | None:
    """Whom a key must belong to: the user of the sign's data, where that is another one than who runs this.

    None: nothing is to be given away. Only root can give, anybody else is refused by a UsageError.
    """
    try:
        found = data_folder.stat()
    except OSError:
        return None
    me = os.geteuid()
    if found.st_uid in (me, 0):
        return None
    if me != 0:
        raise UsageError(
            f"{data_folder} belongs to another user, who could not read a key made by you;"
            " run this as that user"
        )
    return Owner(found.st_uid, found.st_gid)


def make_request(sign_id: str, key_path: Path, owner: Owner | None = None) -> str:
    """A new key in a new file, and the request for its certificate as PEM; UsageError when there is a key.

    The key, and its folder where that has to be made, become `owner`'s.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_key(key_path, pem, owner)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, sign_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _write_key(path: Path, pem: bytes, owner: Owner | None) -> None:
    try:
        _make_folder(path.parent, owner)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already, and a key is never overwritten; move it away to make a new one"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path}: the key cannot be written: {error.strerror}; its folder is made by: "
            f"install -d -o USER -g GROUP -m 750 {path.parent}"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        if owner is not None:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path, owner: Owner | None) -> None:
    if folder.is_dir():
        return
    folder.mkdir(0o750)
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)


def read_certificates(path: Path) -> list[CertificateFacts]:
    """Those in a PEM file, as they stand there; UsageError with a sentence when it has none."""
    from cryptography import x509

    try:
        with path.open("rb") as file:
            found = x509.load_pem_x509_certificates(file.read(_LONGEST_FILE))
    except OSError as error:
        raise UsageError(f"{path}: the certificate cannot be read: {error.strerror}") from None
    except (ValueError, x509.InvalidVersion):
        raise UsageError(f"{path} has no certificate in it") from None
    try:
        return [_facts(one) for one in found]
    except (ValueError, x509.UnsupportedGeneralNameType):  # a library reads most of it at the first use
        raise UsageError(
            f"{path} has a certificate that is damaged; ask the authority for it again"
        ) from None


def _facts(found: x509.Certificate) -> CertificateFacts:
    from cryptography import x509

    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        hosts: tuple[str, ...] = ()
    else:
        hosts = tuple(str(one.value) for one in names)
    return CertificateFacts(
        found.subject.rfc4514_string(),
        found.issuer.rfc4514_string(),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        hosts,
    )
