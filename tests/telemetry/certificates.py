"""A certificate authority for tests: certificates of brokers and signs, good and bad ones of every kind."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Issued:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates (P-256); its own is `file`. `now` may be another day than today."""

    def __init__(self, folder: Path, name: str = "Test roads CA", now: datetime | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._now = now or datetime.now(UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        builder = self._builder(self._name, self._key, timedelta(days=-400), timedelta(days=3650))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        self.file = folder / f"{name.replace(' ', '-').lower()}.pem"
        self.file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server(
        self,
        name: str = "broker",
        hosts: tuple[str, ...] = LOCAL,
        valid: tuple[float, float] = (-1.0, 30.0),
        *,
        self_signed: bool = False,
    ) -> Issued:
        """A broker's certificate for these hosts; `valid` in days from now: (-9, -1) has expired."""
        return self._issue(name, hosts, valid, self_signed=self_signed)

    def client(
        self, name: str, valid: tuple[float, float] = (-1.0, 30.0), *, password: bytes | None = None
    ) -> Issued:
        """A sign's certificate: its common name is the sign's id."""
        return self._issue(name, (), valid, password=password)

    def _issue(
        self,
        name: str,
        hosts: tuple[str, ...],
        valid: tuple[float, float],
        *,
        self_signed: bool = False,
        password: bytes | None = None,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        first, last = (timedelta(days=days) for days in valid)
        signer, issuer = (key, _name(name)) if self_signed else (self._key, self._name)
        builder = self._builder(_name(name), key, first, last, issuer=issuer, signer=signer)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([_host(one) for one in hosts])
            builder = builder.add_extension(names, critical=False)
        made = Issued(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        made.certificate.write_bytes(builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM))
        lock: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
        made.key.touch(mode=0o600)
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        return made

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        first: timedelta,
        last: timedelta,
        issuer: x509.Name | None = None,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.CertificateBuilder:
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key((signer or key).public_key())
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=issuer or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + first)
            .not_valid_after(self._now + last)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(by, critical=False)
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


ACL = """pattern write speedsign/1/%u/up/#
pattern read speedsign/1/%u/down/#

user hub
topic read speedsign/1/+/up/#
topic write speedsign/1/+/down/ack

user operator
topic write speedsign/1/+/down/cmd
"""


def mutual_tls(authority: Authority, server: Issued, folder: Path, acl: str = ACL) -> list[str]:
    """Lines for `tests.telemetry.broker.Broker(folder, *lines, anonymous=False)`.

    Everyone needs a certificate of the authority, and its common name is the user of the ACL.
    """
    rights = folder / "acl"
    rights.write_text(acl)
    rights.chmod(0o600)
    return [
        f"cafile {authority.file}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
        "use_identity_as_username true",
        "tls_version tlsv1.3",
        f"acl_file {rights}",
    ]
