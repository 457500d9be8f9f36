"""What must hold between the keys of [mqtt]: who reads along, and who the broker takes this sign for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from speedsign.config.problem import Problem
from speedsign.config.schema import MqttConfig
from speedsign.hosts import is_loopback

_NOT_IN_A_NAME = re.compile(r"[\s/@?#\x00-\x1f\x7f]")
TLS_FILES = ("ca_file", "certificate_file", "key_file")


def uses_tls(mqtt: MqttConfig) -> bool:
    """Whether it is encrypted: as is said, else to other machines and where files for it are named."""
    if mqtt.tls is not None:
        return mqtt.tls
    return not is_loopback(mqtt.host) or any(getattr(mqtt, key) for key in TLS_FILES)


def mqtt_problems(mqtt: MqttConfig) -> Iterator[Problem]:
    """Everything that does not fit together; empty for a good table."""
    host = list(_host(mqtt))
    yield from host
    yield from _credentials(mqtt)
    if host:
        return  # whoever that is
    if _half_plain(mqtt):
        yield Problem(
            ("mqtt", "allow_plain"),
            "needs tls = false beside it, or the messages are encrypted all the same: say both, or leave "
            "allow_plain out and name certificate_file and key_file",
            mqtt.allow_plain,
            against=(("mqtt", "host"), ("mqtt", "tls"), *(("mqtt", key) for key in TLS_FILES)),
        )
        return
    if uses_tls(mqtt):
        yield from _known_to_the_broker(mqtt)
    else:
        yield from _plain(mqtt)


def _half_plain(mqtt: MqttConfig) -> bool:
    """Whether one of the two words for readable messages is missing, and nothing says that TLS is meant."""
    named = any(getattr(mqtt, key) for key in TLS_FILES)
    return mqtt.allow_plain and mqtt.tls is None and not named and not is_loopback(mqtt.host)


def _host(mqtt: MqttConfig) -> Iterator[Problem]:
    if _NOT_IN_A_NAME.search(mqtt.host) or (":" in mqtt.host and not _is_address(mqtt.host)):
        text = (
            "must be a name or an address alone, for example mqtt.example.lv; the port has a key of its own"
        )
        yield Problem(("mqtt", "host"), text, mqtt.host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _credentials(mqtt: MqttConfig) -> Iterator[Problem]:
    if mqtt.username is not None and mqtt.password_file is None:
        yield Problem(("mqtt", "password_file"), "is missing: a user name needs a file with its password")
    if mqtt.password_file is not None and mqtt.username is None:
        yield Problem(("mqtt", "username"), "is missing: a password needs its user name")
    if mqtt.certificate_file is not None and mqtt.key_file is None:
        yield Problem(("mqtt", "key_file"), "is missing: a certificate is nothing without its key")
    if mqtt.key_file is not None and mqtt.certificate_file is None:
        yield Problem(("mqtt", "certificate_file"), "is missing: a key is nothing without its certificate")


def _known_to_the_broker(mqtt: MqttConfig) -> Iterator[Problem]:
    if is_loopback(mqtt.host) or any((mqtt.username, mqtt.certificate_file, mqtt.key_file)):
        return
    yield Problem(
        ("mqtt", "certificate_file"),
        f"is missing: {mqtt.host} has to know this sign, by certificate_file and key_file, or by username "
        "and password_file",
        against=(("mqtt", "host"), ("mqtt", "username"), ("mqtt", "key_file")),
    )


def _plain(mqtt: MqttConfig) -> Iterator[Problem]:
    if not is_loopback(mqtt.host) and not mqtt.allow_plain:
        yield Problem(
            ("mqtt", "tls"),
            f"false sends everything to {mqtt.host} readable for all on the way: leave it out, or set "
            "allow_plain = true as well if the network itself is protected",
            mqtt.tls,
            against=(("mqtt", "host"), ("mqtt", "allow_plain")),
        )
    for key in TLS_FILES:
        if getattr(mqtt, key):
            yield Problem(
                ("mqtt", key),
                "is for TLS, and tls is false: leave one of them out",
                against=(("mqtt", "tls"),),
            )
