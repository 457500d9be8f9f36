"""TLS to the broker: whom we trust, who we are, and what a failure means to a person.

Python's default context checks the chain and the host's name; the strict checks that it makes since 3.13 are
asked for on every version, so that a certificate is good on all signs or on none.
"""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

from speedsign.errors import BrokerError, ConfigError
from telemetry.mqtt.refusals import Refusal, unreachable
from telemetry.mqtt.shapes import BrokerSettings, TlsSettings

_VERSIONS = {"1.3": ssl.TLSVersion.TLSv1_3, "1.2": ssl.TLSVersion.TLSv1_2}
_NOT_YET_VALID, _EXPIRED, _REVOKED = 9, 10, 23  # X509_V_ERR_… (openssl/x509_vfy.h)
_STRANGERS = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})


class ClockBehind(Refusal):
    """The certificate is not valid by a clock that nobody vouches for: its time comes, and is heard of."""


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """The context of a connection; ConfigError names the key of the config and the file that is wrong."""
    context = _trusting(settings.ca_file)
    context.minimum_version = _VERSIONS[settings.oldest]
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if settings.certificate_file:
        _identify(context, settings.certificate_file, settings.key_file or settings.certificate_file)
    return context


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is not None:
        _readable("ca_file", ca_file, secret=False)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError) as error:
        raise _wrong("ca_file", str(ca_file), f"holds no certificates (PEM): {_reason(error)}") from None


def _identify(context: ssl.SSLContext, certificate: str, key: str) -> None:
    _readable("certificate_file", certificate, secret=False)
    _readable("key_file", key, secret=True)
    asked: list[bool] = []

    def no_password() -> str:
        asked.append(True)
        return ""

    try:
        context.load_cert_chain(certificate, key, no_password)
    except (ssl.SSLError, OSError) as error:
        if asked:
            raise _wrong(
                "key_file", key, "is protected by a password, which nobody is there to type"
            ) from None
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise _wrong("key_file", key, f"is not the key of the certificate {certificate}") from None
        text = f"and its certificate {certificate} cannot be used (PEM is needed): {_reason(error)}"
        raise _wrong("key_file", key, text) from None


def _readable(key: str, file: str, *, secret: bool) -> None:
    try:
        with Path(file).open("rb"):
            mode = Path(file).stat().st_mode
    except OSError as error:
        raise _wrong(key, file, f"cannot be read: {error.strerror or error}") from None
    if secret and mode & 0o007:
        raise _wrong(key, file, f"everybody can read or change this secret; run: chmod 640 {file}")


def _wrong(key: str, file: str, text: str) -> ConfigError:
    return ConfigError([f"[mqtt] {key} {file}: {text}"])


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__


# --------------------------------------------------------------------------- failures


def connection_error(
    settings: BrokerSettings, error: Exception, now: datetime, *, trusted: bool
) -> BrokerError:
    """A sentence for what went wrong on the way; `now` and `trusted` are of this machine's clock."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_believed(settings, error, now, trusted=trusted)
    if isinstance(error, ssl.SSLError):
        return _tls_failed(settings, error)
    return unreachable(settings, error)


def _not_believed(
    settings: BrokerSettings, error: ssl.SSLCertVerificationError, now: datetime, *, trusted: bool
) -> Refusal:
    code = error.verify_code
    if code in (_NOT_YET_VALID, _EXPIRED):
        over = "has expired" if code == _EXPIRED else "is not valid yet"
        text = f"the broker's certificate {over} by this machine's clock, which says {now:%Y-%m-%d}"
        if not trusted:
            text += " and is likely wrong, as nothing vouches for it: waits for the clock"
            return ClockBehind(settings, text)
        if code == _EXPIRED:
            text += ": the broker needs a new one"
    elif code in _WRONG_NAME:
        text = f"the broker's certificate is for another name than [mqtt] host {settings.host!r}"
    elif code in _STRANGERS:
        text = "the broker's certificate is not signed by anybody in [mqtt] ca_file"
        if settings.tls is not None and settings.tls.ca_file is None:
            text = (
                "the broker's certificate is not signed by anybody this machine trusts; check [mqtt] ca_file"
            )
    elif code == _REVOKED:
        text = "the broker's certificate was revoked"
    else:
        text = f"the broker's certificate is not accepted: {error.verify_message}"
    return Refusal(settings, text)


_ALERTS = {  # how OpenSSL names what the other side said
    "CERTIFICATE_REQUIRED": "the broker wants a certificate of this client; see [mqtt] certificate_file",
    "CERTIFICATE_UNKNOWN": "the broker does not accept this client's certificate",
    "UNKNOWN_CA": "the broker does not know who signed this client's certificate",
    "BAD_CERTIFICATE": "the broker does not accept this client's certificate",
    "UNSUPPORTED_CERTIFICATE": "the broker does not accept this kind of certificate",
    "CERTIFICATE_EXPIRED": "the broker says that this client's certificate has expired",
    "CERTIFICATE_REVOKED": "the broker says that this client's certificate was revoked",
    "ACCESS_DENIED": "the broker does not let this client's certificate in",
}

_NO_TLS = frozenset(
    {
        "BAD_RECORD_TYPE",
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNEXPECTED_MESSAGE",
        "WRONG_VERSION_NUMBER",
    }
)


def _tls_failed(settings: BrokerSettings, error: ssl.SSLError) -> BrokerError:
    reason = error.reason or ""
    for alert, text in _ALERTS.items():
        if alert in reason:
            return Refusal(settings, text)
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        oldest = settings.tls.oldest if settings.tls else "1.3"
        return Refusal(settings, f"the broker does not speak TLS {oldest} or newer; see [mqtt] tls_version")
    if reason in _NO_TLS:
        return Refusal(settings, "what answers there does not speak TLS; check [mqtt] tls and port")
    if isinstance(error, ssl.SSLEOFError) or reason == "UNEXPECTED_EOF_WHILE_READING":
        text = (
            "the broker broke off the encrypted connection: it wants a certificate or another TLS, or none "
            "at that port; check [mqtt] tls and port"
        )
        return Refusal(settings, text, lasting=False)
    return unreachable(settings, error)
